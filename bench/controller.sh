#!/usr/bin/env bash
# The bundled controllers against ovs-testcontroller: the same load generator, in turn, in one run.
# usage: bench/controller.sh [rounds]      needs openvswitch-testcontroller and bin/govisor (make build)
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-3} seconds=${SECONDS_EACH:-2}
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
ovs-testcontroller ptcp:17001:127.0.0.1 --unixctl=none 2>/dev/null & pids+=($!)
bin/govisor controller learning ptcp:17002:127.0.0.1 --log-level error >/dev/null 2>&1 & pids+=($!)
bin/govisor controller hub ptcp:17003:127.0.0.1 --log-level error >/dev/null 2>&1 & pids+=($!)
sleep 1

# rate PORT SWITCHES WINDOW: answers a second, or - where the controller does not take so many switches
rate() {
  bin/govisor bench generate "tcp:127.0.0.1:$1" --switches "$2" --window "$3" --duration "${seconds}s" --warm-up 500ms --set-up 5s --json 2>/dev/null |
    python3 -c 'import json,sys; print(round(json.load(sys.stdin)["rate"]))' 2>/dev/null || echo -
}

echo "switches window round ovs-testcontroller learning hub learning/ovs"
for switches in 1 16 64; do
  for window in 1 64; do
    for ((i = 1; i <= rounds; i++)); do
      ovs=$(rate 17001 "$switches" "$window") learning=$(rate 17002 "$switches" "$window") hub=$(rate 17003 "$switches" "$window")
      ratio=-
      [ "$ovs" = - ] || ratio=$(python3 -c "print(round($learning/$ovs, 2))")
      echo "$switches $window $i $ovs $learning $hub $ratio"
    done
  done
done
