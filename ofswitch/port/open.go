package port

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDefaultRoute refuses an interface the machine itself depends on.
var ErrDefaultRoute = errors.New("interface carries the default route")

// Open attaches what spec names:
//
//	NAME or packet:NAME                          an existing network interface
//	tap:NAME                                     a TAP device, made if need be
//	udp:HOST[:PORT][,local=HOST:PORT][,vni=N]    a tunnel with VXLAN framing
//	pcap:[in=FILE][,out=FILE][,timed]            capture files
//
// Interfaces and TAP devices need Linux. force lets an interface with the default route pass.
func Open(spec string, force bool) (Port, error) {
	scheme, rest, ok := strings.Cut(spec, ":")
	if !ok {
		scheme, rest = "packet", spec
	}
	if rest == "" {
		return nil, fmt.Errorf("port %q: nothing named", spec)
	}
	switch scheme {
	case "packet":
		return OpenPacket(rest, force)
	case "tap":
		return OpenTAP(rest)
	case "udp":
		return OpenTunnel(rest)
	case "pcap":
		return OpenPcap(rest)
	}
	return nil, fmt.Errorf("port %q: unknown type %q (packet, tap, udp, pcap)", spec, scheme)
}
