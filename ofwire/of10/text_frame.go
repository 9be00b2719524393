package of10

import "github.com/govisor/govisor/ofwire"

// frame prints the headers of an Ethernet frame on one line, as ovs-ofctl does; nothing
// for a frame without an Ethernet header. What was cut off reads as zero.
func (t *text) frame(b []byte) {
	if len(b) < 14 {
		return
	}
	dlType, tags, rest := etherType(b)
	h := frameText{text: t, dlType: dlType, rest: rest}
	word := dlTypeNames[dlType]
	ipv4 := dlType == EtherTypeIPv4
	if ipv4 {
		h.readIPv4()
		if name := ipProtoNames[h.proto]; name != "" && h.ok {
			word = name
		}
	}
	if word != "" {
		t.str(word)
		t.str(",")
	}
	if len(tags) == 0 {
		t.str("vlan_tci=0x0000")
	}
	for i, tag := range tags {
		if i > 0 {
			t.str(",dl_vlan1=")
			t.dec(uint64(tag & 0xfff))
			t.pair(",dl_vlan_pcp1=", int(tag>>13))
			continue
		}
		t.pair("dl_vlan=", int(tag&0xfff))
		t.pair(",dl_vlan_pcp=", int(tag>>13))
		if len(tags) == 1 {
			t.str(",vlan_tci1=0x0000")
		}
	}
	t.str(",dl_src=")
	t.b = ofwire.MAC(b[6:12]).Append(t.b)
	t.str(",dl_dst=")
	t.b = ofwire.MAC(b[:6]).Append(t.b)
	switch {
	case ipv4:
		h.printIPv4(word)
	case dlType == EtherTypeARP:
		h.printARP()
	case word == "":
		t.str(",dl_type=")
		t.hexWidth(uint64(dlType), 4)
	}
	t.str("\n")
}

// etherType finds the ethertype behind up to two VLAN tags and the 802.2 header.
func etherType(b []byte) (dlType uint16, tags []uint16, rest []byte) {
	dlType, rest = be.Uint16(b[12:]), b[14:]
	for dlType == EtherTypeVLAN && len(tags) < 2 && len(rest) >= 4 {
		tags = append(tags, be.Uint16(rest))
		dlType, rest = be.Uint16(rest[2:]), rest[4:]
	}
	if dlType >= 0x600 {
		return dlType, tags, rest
	}
	snap := len(rest) >= 8 && rest[0] == 0xaa && rest[1] == 0xaa && rest[2] == 3 && rest[3]|rest[4]|rest[5] == 0
	if snap && be.Uint16(rest[6:]) >= 0x600 {
		return be.Uint16(rest[6:]), tags, rest[8:]
	}
	return EtherTypeNone, tags, rest
}

// frameText prints what follows the Ethernet header.
type frameText struct {
	*text
	dlType   uint16
	rest     []byte // after the Ethernet header; after readIPv4, after the IPv4 header
	ok       bool   // a whole IPv4 header is there
	tos, ttl uint8
	proto    uint8
	frag     uint16
	src, dst uint32
}

func (h *frameText) readIPv4() {
	b := h.rest
	if len(b) < 20 || b[0]>>4 != 4 {
		return
	}
	n := int(b[0]&15) * 4
	if n < 20 || n > len(b) {
		return
	}
	h.ok, h.tos, h.ttl, h.proto, h.frag = true, b[1], b[8], b[9], be.Uint16(b[6:])
	h.src, h.dst, h.rest = be.Uint32(b[12:]), be.Uint32(b[16:]), b[n:]
}

func (h *frameText) printIPv4(word string) {
	h.str(",nw_src=")
	h.ipv4(h.src)
	h.str(",nw_dst=")
	h.ipv4(h.dst)
	if word == "ip" {
		h.pair(",nw_proto=", int(h.proto))
	}
	h.pair(",nw_tos=", int(h.tos&0xfc))
	h.pair(",nw_ecn=", int(h.tos&3))
	h.pair(",nw_ttl=", int(h.ttl))
	later := h.frag&0x1fff != 0
	switch {
	case later:
		h.str(",nw_frag=later")
	case h.frag&0x2000 != 0:
		h.str(",nw_frag=first")
	default:
		h.str(",nw_frag=no")
	}
	if word != "ip" && !later {
		h.printTransport(word)
	}
}

var tcpFlagNames = []string{"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"}

func (h *frameText) printTransport(word string) {
	need := map[string]int{"tcp": 20, "udp": 8, "icmp": 8, "sctp": 12}[word]
	b := h.rest
	whole := len(b) >= need
	if !whole {
		b = make([]byte, 20)
	}
	if word == "icmp" {
		h.pair(",icmp_type=", int(b[0]))
		h.pair(",icmp_code=", int(b[1]))
	} else {
		h.pair(",tp_src=", int(be.Uint16(b)))
		h.pair(",tp_dst=", int(be.Uint16(b[2:])))
	}
	if word == "tcp" {
		h.str(",tcp_flags=")
		h.flags(uint32(be.Uint16(b[12:])&0xfff), "|", tcpFlagNames)
	}
	if !whole || word == "sctp" {
		return
	}
	at := map[string]int{"tcp": 16, "udp": 6, "icmp": 2}[word]
	h.str(" ")
	h.str(word)
	h.str("_csum:")
	sum := text{}
	sum.hex(uint64(be.Uint16(b[at:])))
	h.str(sum.String()[2:])
}

func (h *frameText) printARP() {
	b := h.rest
	// Ethernet and IPv4, or nothing is known about the addresses.
	if len(b) < 28 || be.Uint16(b) != 1 || be.Uint16(b[2:]) != EtherTypeIPv4 || b[4] != 6 || b[5] != 4 {
		b = make([]byte, 28)
	}
	h.str(",arp_spa=")
	h.ipv4(be.Uint32(b[14:]))
	h.str(",arp_tpa=")
	h.ipv4(be.Uint32(b[24:]))
	h.pair(",arp_op=", int(be.Uint16(b[6:])&0xff))
	h.str(",arp_sha=")
	h.b = ofwire.MAC(b[8:14]).Append(h.b)
	h.str(",arp_tha=")
	h.b = ofwire.MAC(b[18:24]).Append(h.b)
}
