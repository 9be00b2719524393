#!/usr/bin/env bash
# The proxy's aims, all but the comparison with HAProxy (govisor bench compare): about 3 minutes, no root.
# usage: bench/proxy.sh [GOVISOR]    (default bin/govisor)
set -eu
govisor=${1:-bin/govisor}
"$govisor" bench isolation --rounds 5 --duration 1s
echo
"$govisor" bench fairness --rounds 5 --duration 1s
echo
"$govisor" bench overload --duration 2s
echo
"$govisor" bench scale --switches 1000 --slices 2 --idle 10s
echo
"$govisor" bench scale --switches 100 --slices 32 --idle 10s
echo
"$govisor" bench flows --slices 16 --flows 10000
