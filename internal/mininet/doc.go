// Package mininet runs a Mininet network of Open vSwitch bridges in namespaces of
// its own, with an Open vSwitch of its own, for end-to-end tests and the demo. It
// does something on Linux only.
package mininet
