package of10

import (
	"strconv"
	"strings"
)

var portNames = map[Port]string{
	PortInPort: "IN_PORT", PortTable: "TABLE", PortNormal: "NORMAL", PortFlood: "FLOOD", PortAll: "ALL",
	PortController: "CONTROLLER", PortLocal: "LOCAL", PortNone: "ANY",
}

// String returns the number, or the name of a reserved port in ovs-ofctl's capitals.
// PortNone is "ANY", as in ovs-ofctl.
func (p Port) String() string {
	if p > PortMax {
		if name := portNames[p]; name != "" {
			return name
		}
	}
	return strconv.Itoa(int(p))
}

// port prints a port, by name if the printer knows one.
func (t *text) port(p Port) {
	if t.portName != nil && p.IsPhysical() {
		if name := t.portName(p); name != "" {
			if plainName(name) {
				t.str(name)
				return
			}
			t.str(`"`)
			t.escaped([]byte(name))
			t.str(`"`)
			return
		}
	}
	t.str(p.String())
}

// plainName reports whether ovs-ofctl prints a port's name without quotes.
// A name that reads as a reserved port is quoted, or it would come back as that.
func plainName(name string) bool {
	if _, reserved := reservedPorts[strings.ToLower(name)]; reserved {
		return false
	}
	for i, c := range []byte(name) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

var (
	portConfigNames = []string{"PORT_DOWN", "NO_STP", "NO_RECV", "NO_RECV_STP", "NO_FLOOD", "NO_FWD", "NO_PACKET_IN"}
	portSTPNames    = [...]string{"", "STP_LEARN", "STP_FORWARD", "STP_BLOCK"}
	portFeatNames   = []string{"10MB-HD", "10MB-FD", "100MB-HD", "100MB-FD", "1GB-HD", "1GB-FD", "10GB-FD",
		"COPPER", "FIBER", "AUTO_NEG", "AUTO_PAUSE", "AUTO_PAUSE_ASYM"}
	capabilityNames = []string{"FLOW_STATS", "TABLE_STATS", "PORT_STATS", "STP", "", "IP_REASM", "QUEUE_STATS", "ARP_MATCH_IP"}
)

// String returns the names of the bits, as `ovs-ofctl show` does.
func (c PortConfig) String() string { return flagsString(uint32(c), portConfigNames) }

// String returns the names of the modes, as `ovs-ofctl show` does.
func (f PortFeatures) String() string { return flagsString(uint32(f), portFeatNames) }

// String returns the names of the capabilities, as `ovs-ofctl show` does.
func (c Capabilities) String() string { return flagsString(uint32(c), capabilityNames) }

func flagsString(v uint32, names []string) string {
	var t text
	t.flags(v, " ", names)
	return t.String()
}

// String returns the spanning tree state, if any, and the bits.
func (s PortState) String() string {
	words := make([]string, 0, 2)
	if stp := portSTPNames[s&PortStateSTPMask>>8]; stp != "" {
		words = append(words, stp)
	}
	if rest := s &^ PortStateSTPMask; rest != 0 || len(words) == 0 {
		words = append(words, flagsString(uint32(rest), []string{"LINK_DOWN"}))
	}
	return strings.Join(words, " ")
}

// String returns the lines of one port in `ovs-ofctl show`, without the leading space.
func (p PhyPort) String() string {
	var t text
	t.phyPort(&p)
	return t.String()
}

func (t *text) phyPort(p *PhyPort) {
	t.str(p.PortNo.String())
	t.str("(")
	t.escaped([]byte(p.Name))
	t.str("): addr:")
	t.b = p.HWAddr.Append(t.b)
	t.str("\n     config:     ")
	t.str(p.Config.String())
	t.str("\n     state:      ")
	t.str(p.State.String())
	for _, f := range []struct {
		label string
		set   PortFeatures
	}{{"current:    ", p.Curr}, {"advertised: ", p.Advertised}, {"supported:  ", p.Supported}, {"peer:       ", p.Peer}} {
		if f.set != 0 {
			t.str("\n     ")
			t.str(f.label)
			t.str(f.set.String())
		}
	}
	t.pair("\n     speed: ", p.Curr.SpeedMbps())
	t.pair(" Mbps now, ", p.Supported.SpeedMbps())
	t.str(" Mbps max\n")
}
