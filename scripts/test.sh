#!/usr/bin/env bash
# Every test of the repository, in steps with a time limit each, so that a hang ends as a failure that shows where.
# `make test` and the build server run it; its last line says whether all is well, and so does its exit code.
set -muo pipefail # -m: without it what runs in the background would be deaf to SIGINT, and the tests' own processes with it
cd "$(dirname "$0")/.."

# What a bare environment lacks: the go command wants a home, the tests a PATH with /usr/sbin.
if ! [ -d "${HOME:-}" ] || ! [ -w "$HOME" ]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  if ! [ -d "$HOME" ] || ! [ -w "$HOME" ]; then
    HOME=${TMPDIR:-/tmp}/govisor-home-$(id -u)
    mkdir -p -m 700 "$HOME"
  fi
fi
export HOME PATH="$PATH:/usr/local/go/bin:/usr/sbin:/sbin"
# A process that outlives the run keeps whoever reads our output waiting. Ours are known by this.
export GOVISOR_TEST_RUN="$$.$RANDOM"
# Where git does not answer (another user's checkout), go list and go build need not ask it.
git rev-parse HEAD >/dev/null 2>&1 || export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
go=${GO:-go}
read -ra flags <<<"${TESTFLAGS:--race -shuffle=on -timeout 20m}"
failed=()
times=()
running=

# beat tells those who wait that a step still runs. It starts no process, so that none can be left of it.
beat() {
  while ! read -rt 60 <> <(:); do echo "    ... $1: $((SECONDS - $2)) s"; done
}

# step NAME LIMIT COMMAND... runs a command. After LIMIT seconds it gets SIGQUIT, on which Go programs print their stacks.
step() {
  local name=$1 limit=$2 since=$SECONDS code beating verdict=ok
  shift 2
  echo "==> $name: $*"
  beat "$name" "$since" &
  beating=$!
  timeout --signal=QUIT --kill-after=20 "$limit" "$@" </dev/null &
  running=$!
  wait "$running"
  code=$?
  while kill -0 "$running" 2>/dev/null; do wait "$running"; done # a trap interrupts wait
  running=
  kill "$beating" 2>/dev/null
  wait "$beating" 2>/dev/null
  case $code in
    0) ;;
    124 | 137) verdict="FAILED: not done within $limit s" ;;
    *) verdict="FAILED: exit code $code" ;;
  esac
  times+=("$(printf '%-8s %5d s  %s' "$name" $((SECONDS - since)) "$verdict")")
  [ "$code" = 0 ] || failed+=("$name")
  return "$code"
}

# leftovers lists the processes of this run that are there when it is over.
leftovers() {
  local env pid
  for env in /proc/[0-9]*/environ; do
    pid=${env//[!0-9]/}
    if grep -sqz "^GOVISOR_TEST_RUN=$GOVISOR_TEST_RUN\$" "$env" 2>/dev/null; then
      echo "$pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
    fi
  done
}

finish() {
  local left verdict=PASS
  for _ in {1..30}; do # what is ending may end
    left=$(leftovers)
    [ -n "$left" ] || break
    sleep 1
  done
  if [ -n "$left" ]; then
    printf '==> the tests left processes behind, which are ended now:\n%s\n' "$left"
    mapfile -t left < <(cut -d' ' -f1 <<<"$left")
    kill -9 "${left[@]}" 2>/dev/null
    failed+=(leftovers)
  fi
  [ "${#failed[@]}" = 0 ] || verdict="FAIL (${failed[*]})"
  echo '==> summary'
  printf '    %s\n' "${times[@]}"
  echo "$verdict after $SECONDS s"
  [ "${#failed[@]}" = 0 ]
  exit
}

# Ctrl-C: timeout(1) passes it on, and the step ends.
trap 'failed+=(interrupted); [ -z "$running" ] || kill -TERM "$running"' INT TERM

echo "==> machine: $(uname -srm), $(nproc) processors, user $(id -u), $("$go" version 2>&1), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
step tools 600 scripts/install-deps.sh || finish
step modules 300 "$go" mod download || finish
mapfile -t packages < <("$go" list ./... | grep -v /internal/e2e)
if [ "${#packages[@]}" -lt 30 ]; then
  echo "==> only ${#packages[@]} packages found"
  failed+=(packages)
  finish
fi
step macos 600 env GOOS=darwin CGO_ENABLED=0 "$go" build ./... # a laptop runs the hypervisor, Mininet's virtual machine the switches
step tests 2100 "$go" test "${flags[@]}" "${packages[@]}"
# The laboratories come last and alone: they measure what answers in time, on networks of real processes.
[[ " ${failed[*]} " == *" interrupted "* ]] || step labs 1500 "$go" test "${flags[@]}" -v ./internal/e2e
finish
