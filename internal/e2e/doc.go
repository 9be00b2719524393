// Package e2e holds the end-to-end tests: govisor between a real Mininet
// network of Open vSwitch bridges and real controllers, all of Debian's
// making, used with the commands a reader of the manual would type.
//
// Each test starts its own Open vSwitch (database, daemon, directories) and
// its own network in fresh network, mount and process namespaces, see
// internal/mininet. Nothing of it is visible outside, and the kernel ends
// all of it when the driver ends. Where a requirement is missing (root, the
// packages mininet, openvswitch-switch, openvswitch-testcontroller, a
// /dev/net/tun) the tests are skipped and say why; GOVISOR_E2E=required makes
// that a failure. GOVISOR_E2E_KEEP=1 keeps the working directories, logs and
// all.
package e2e
