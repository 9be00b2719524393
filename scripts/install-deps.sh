#!/usr/bin/env bash
# Installs from Debian what the tests against real peers use: Mininet, Open vSwitch, tshark, python-openflow.
# Does nothing when everything is there, or when we are not root (those tests then say that they were left out).
set -eu
declare -A package=(
  [mn]=mininet [ovs-vsctl]=openvswitch-switch [ovs-ofctl]=openvswitch-switch [ovs-testcontroller]=openvswitch-testcontroller
  [tshark]=tshark [ip]=iproute2 [haproxy]=haproxy [iperf3]=iperf3 [gcc]=gcc [ping]=iputils-ping [openssl]=openssl [curl]=curl
)
missing=()
for tool in "${!package[@]}"; do
  command -v "$tool" >/dev/null 2>&1 || [ -x "/usr/sbin/$tool" ] || missing+=("${package[$tool]}")
done
/usr/bin/python3 -c 'import pyof.utils' 2>/dev/null || missing+=(python3-openflow)
[ "${#missing[@]}" -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "install-deps: not installed: ${missing[*]}; tests that need them are left out (as root on Debian they are installed here)" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# Packages must not start their services while they are being installed: the tests bring up their own, in a network of their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
echo "install-deps: installing ${missing[*]}"
apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
# The lists have a lock that apt-get does not wait for.
for try in 1 2 3; do
  "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" && exit 0
  [ "$try" = 3 ] || sleep 20
done
echo "install-deps: could not install: ${missing[*]}; tests that need them are left out" >&2
[ "${GOVISOR_E2E:-}" != required ]
