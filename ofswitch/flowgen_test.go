package ofswitch

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// generated is a frame and the match without wildcards that belongs to it, both
// made of the same parameters, without parsing.
type generated struct {
	name  string
	frame []byte
	match of10.Match
}

// flowgen makes the frames of the reference distribution's generator: framings by
// VLAN tags by IP options by fragments by protocols.
func flowgen() []generated {
	var list []generated
	for _, framing := range []string{"ethernet", "802.2", "snap"} {
		for _, vlan := range []int{-1, 0, 0x123} {
			for _, kind := range []string{"other", "arp", "tcp", "udp", "icmp", "igmp"} {
				if framing == "802.2" && kind != "other" {
					continue // has no ethertype
				}
				ip := kind != "other" && kind != "arp"
				for _, options := range []int{0, 8} {
					for _, fragment := range []string{"no", "first", "later"} {
						if !ip && (options > 0 || fragment != "no") {
							continue
						}
						list = append(list, generate(framing, vlan, kind, options, fragment))
					}
				}
			}
		}
	}
	return list
}

func generate(framing string, vlan int, kind string, options int, fragment string) generated {
	g := generated{name: fmt.Sprintf("%s vlan %d %s options %d fragment %s", framing, vlan, kind, options, fragment)}
	m := &g.match
	m.InPort, m.DLSrc, m.DLDst = 1, [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 2}
	m.DLVLAN = of10.VLANNone
	typ := map[string]uint16{"other": 0x88b5, "arp": 0x806}[kind]
	if typ == 0 {
		typ = 0x800
	}
	m.DLType = typ
	payload := network(m, kind, options, fragment)
	b := append(append([]byte(nil), m.DLDst[:]...), m.DLSrc[:]...)
	if vlan >= 0 {
		m.DLVLAN, m.DLVLANPCP = uint16(vlan), 5
		b = append(b, 0x81, 0)
		b = binary.BigEndian.AppendUint16(b, 5<<13|uint16(vlan))
	}
	switch framing {
	case "ethernet":
		b = binary.BigEndian.AppendUint16(b, typ)
	case "snap":
		b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
		b = binary.BigEndian.AppendUint16(append(b, 0xaa, 0xaa, 3, 0, 0, 0), typ)
	case "802.2":
		m.DLType = 0x5ff
		b = binary.BigEndian.AppendUint16(b, uint16(3+len(payload)))
		b = append(b, 0x42, 0x42, 3)
	}
	g.frame = append(b, payload...)
	return g
}

// network builds what follows the link layer and sets the fields it has.
func network(m *of10.Match, kind string, options int, fragment string) []byte {
	switch kind {
	case "other":
		return make([]byte, 46)
	case "arp":
		m.NWProto, m.NWSrc, m.NWDst = 2, 0x0a000001, 0x0a000002
		b := []byte{0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2}
		return append(b, make([]byte, 18)...)
	}
	m.NWTos, m.NWSrc, m.NWDst = 0xb8, 0x0a000001, 0x0a000002
	m.NWProto = map[string]uint8{"tcp": 6, "udp": 17, "icmp": 1, "igmp": 2}[kind]
	l4 := make([]byte, 32)
	if fragment == "no" {
		switch kind {
		case "tcp", "udp":
			m.TPSrc, m.TPDst = 0x1234, 0x5678
			l4[12] = 5 << 4
		case "icmp":
			m.TPSrc, m.TPDst = 8, 3
		}
	}
	copy(l4, map[string][]byte{"tcp": {0x12, 0x34, 0x56, 0x78}, "udp": {0x12, 0x34, 0x56, 0x78}, "icmp": {8, 3}, "igmp": {0x16, 0}}[kind])
	h := make([]byte, 20+options)
	h[0], h[1] = byte(4<<4|len(h)/4), 0xba // the ECN bits take no part
	binary.BigEndian.PutUint16(h[2:], uint16(len(h)+len(l4)))
	binary.BigEndian.PutUint16(h[6:], map[string]uint16{"no": 0x4000, "first": 0x2000, "later": 0x0010}[fragment])
	h[8], h[9] = 64, m.NWProto
	copy(h[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	for i := range options {
		h[20+i] = 1
	}
	return append(h, l4...)
}

// TestFlowgen: every generated frame hits the flow of its own match, and misses
// every flow that differs in one field.
func TestFlowgen(t *testing.T) {
	frames := flowgen()
	if len(frames) < 150 {
		t.Fatalf("only %d frames", len(frames))
	}
	for _, g := range frames {
		r := newRig(t, Config{})
		r.must(add(5, g.match, output(2)))
		r.frame(1, g.frame)
		if len(r.out.Frames) != 1 {
			t.Errorf("%s: does not hit its own flow %v\n%x", g.name, g.match, g.frame)
			continue
		}
		for field, change := range perturbations {
			m := g.match
			change(&m)
			if m.Normalize() == g.match.Normalize() {
				continue // the field takes no part in such frames
			}
			r := newRig(t, Config{})
			r.must(add(5, m, output(2)))
			if r.frame(1, g.frame); len(r.out.Frames) != 0 {
				t.Errorf("%s: hits a flow with another %s", g.name, field)
			}
		}
	}
}

var perturbations = map[string]func(*of10.Match){
	"in_port":     func(m *of10.Match) { m.InPort++ },
	"dl_src":      func(m *of10.Match) { m.DLSrc[5] ^= 0x80 },
	"dl_dst":      func(m *of10.Match) { m.DLDst[0] ^= 4 },
	"dl_vlan":     func(m *of10.Match) { m.DLVLAN ^= 1 },
	"dl_vlan_pcp": func(m *of10.Match) { m.DLVLANPCP ^= 1 },
	"dl_type":     func(m *of10.Match) { m.DLType ^= 0x8000 },
	"nw_tos":      func(m *of10.Match) { m.NWTos ^= 4 },
	"nw_proto":    func(m *of10.Match) { m.NWProto ^= 0x40 },
	"nw_src":      func(m *of10.Match) { m.NWSrc ^= 1 },
	"nw_dst":      func(m *of10.Match) { m.NWDst ^= 1 << 31 },
	"tp_src":      func(m *of10.Match) { m.TPSrc ^= 1 },
	"tp_dst":      func(m *of10.Match) { m.TPDst ^= 0x8000 },
}
