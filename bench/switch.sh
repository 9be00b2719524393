#!/usr/bin/env bash
# Compares the bundled switch with Open vSwitch's user-space datapath, side by
# side in one run: 64-byte packets and TCP between two veth pairs, and flow
# set-ups through ovs-testcontroller. Needs root, openvswitch-switch, iperf3.
#
#   bench/switch.sh [seconds]
set -euo pipefail
cd "$(dirname "$0")/.."
secs=${1:-5}
work=$(mktemp -d)
ns=gvbench$$
pids=()
cleanup() {
  for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
  ip netns del "$ns" 2>/dev/null || true
  ip netns del "$ns-a" 2>/dev/null || true
  ip netns del "$ns-b" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

CGO_ENABLED=0 go build -o "$work/govisor" ./cmd/govisor
CGO_ENABLED=0 go build -o "$work/blast" ./bench/blast

# Three namespaces: the switch in the middle, a host on either side.
for n in "$ns" "$ns-a" "$ns-b"; do
  ip netns add "$n"
  ip netns exec "$n" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 || true
done
ip -n "$ns" link set lo up
for h in a b; do
  ip -n "$ns" link add "s$h" type veth peer name "h$h" netns "$ns-$h"
  ip -n "$ns" link set "s$h" up
  ip -n "$ns-$h" link set "h$h" up
done
ip -n "$ns-a" addr add 10.66.0.1/24 dev ha
ip -n "$ns-b" addr add 10.66.0.2/24 dev hb
# The generator wants both ends in one place: it gets its own pairs.
for g in 1 2; do
  ip -n "$ns" link add "g$g" type veth peer name "w$g"
  ip -n "$ns" link set "g$g" up
  ip -n "$ns" link set "w$g" up
done

in_ns() { ip netns exec "$ns" "$@"; }
stop() { kill -9 "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }

govisor_up() { # controller or nothing
  ip netns exec "$ns" "$work/govisor" switch --dpid 1 --port 1=sa --port 2=sb --port 3=w1 --port 4=w2 \
    ${1:+--controller "$1"} --socket "$work/gv.sock" >"$work/govisor.log" 2>&1 &
  sw=$!; pids+=("$sw")
  for _ in $(seq 100); do [ -S "$work/gv.sock" ] && return; sleep 0.05; done
  cat "$work/govisor.log"; exit 1
}

ovs_up() {
  export OVS_RUNDIR=$work OVS_DBDIR=$work OVS_LOGDIR=$work OVS_SYSCONFDIR=$work
  rm -f "$work/conf.db"
  ovsdb-tool create "$work/conf.db" /usr/share/openvswitch/vswitch.ovsschema
  ip netns exec "$ns" ovsdb-server "$work/conf.db" --remote=punix:"$work/db.sock" --unixctl="$work/ovsdb.ctl" --no-chdir >/dev/null 2>&1 &
  db=$!; pids+=("$db")
  for _ in $(seq 100); do [ -S "$work/db.sock" ] && break; sleep 0.05; done
  ovs-vsctl --db=unix:"$work/db.sock" --no-wait init \
    -- set Open_vSwitch . other_config:userspace-tso-enable=true # without it no TCP from a veth arrives
  ip netns exec "$ns" ovs-vswitchd unix:"$work/db.sock" --unixctl="$work/vswitchd.ctl" --no-chdir -vconsole:off >/dev/null 2>&1 &
  sw=$!; pids+=("$sw")
  ovs-vsctl --db=unix:"$work/db.sock" --timeout=20 add-br br0 \
    -- set bridge br0 datapath_type=netdev other_config:disable-in-band=true fail-mode=standalone \
    -- add-port br0 sa -- add-port br0 sb -- add-port br0 w1 -- add-port br0 w2
  [ -z "${1:-}" ] || ovs-vsctl --db=unix:"$work/db.sock" --timeout=20 set-controller br0 "$1" -- set-fail-mode br0 secure -- set bridge br0 protocols=OpenFlow10
}

down() {
  stop "$sw"
  if [ -n "${db:-}" ]; then stop "$db"; db=; fi
  rm -f "$work"/*.sock "$work"/*.ctl
  for l in br0 ovs-netdev; do in_ns ip link del "$l" 2>/dev/null || true; done
}

blast() { in_ns "$work/blast" g1 g2 "$secs" "$1" | sed -n 's/.*received \([0-9]*\).*/\1/p'; }

tcp() {
  ip netns exec "$ns-b" iperf3 -s -1 >/dev/null 2>&1 &
  srv=$!; pids+=("$srv")
  sleep 0.5
  timeout $((secs + 20)) ip netns exec "$ns-a" iperf3 -c 10.66.0.2 -t "$secs" -J | python3 -c 'import json,sys; print("%.0f" % (json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"]/1e6))'
  stop "$srv"
}

controller_up() {
  ip netns exec "$ns" ovs-testcontroller --unixctl="$work/tc.ctl" ptcp:16633:127.0.0.1 >/dev/null 2>&1 &
  ctl=$!; pids+=("$ctl")
}

printf '%-10s %14s %14s %16s\n' switch '64-byte pps' 'TCP Mbit/s' 'set-ups/s'
for kind in govisor ovs govisor ovs; do
  "${kind}_up"
  sleep 1
  pps=$(blast one)
  mbit=$(tcp)
  down
  controller_up
  "${kind}_up" tcp:127.0.0.1:16633
  sleep 2
  setups=$(blast new)
  down
  kill -9 "$ctl" 2>/dev/null || true; wait "$ctl" 2>/dev/null || true
  printf '%-10s %14s %14s %16s\n' "$kind" "$pps" "$mbit" "$setups"
done
