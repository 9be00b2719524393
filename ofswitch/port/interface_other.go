//go:build !linux

package port

import "fmt"

// OpenPacket refuses: AF_PACKET sockets exist on Linux only.
func OpenPacket(name string, force bool) (Port, error) {
	return nil, fmt.Errorf("port %s: interfaces can be ports on Linux only (tunnels and capture files work here: udp:, pcap:)", name)
}

// OpenTAP refuses: TAP devices as used here exist on Linux only.
func OpenTAP(name string) (Port, error) {
	return nil, fmt.Errorf("port tap:%s: TAP devices need Linux (tunnels and capture files work here: udp:, pcap:)", name)
}
