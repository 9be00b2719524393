package of10

// dlTypeNames are the ethertypes ovs-ofctl has a word for.
var dlTypeNames = map[uint16]string{
	EtherTypeIPv4: "ip", EtherTypeARP: "arp", 0x8035: "rarp", 0x86dd: "ipv6", 0x8847: "mpls", 0x8848: "mplsm",
}

// ipProtoNames are the IPv4 protocols ovs-ofctl has a word for.
var ipProtoNames = map[uint8]string{ProtoICMP: "icmp", ProtoTCP: "tcp", ProtoUDP: "udp", 132: "sctp"}

// String returns the match as ovs-ofctl writes it, like
// "tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80", and "" for all frames. Fields that do not
// count are printed all the same; [Match.Normalize] drops them. ParseMatch reads it back.
func (m Match) String() string {
	var t text
	t.match(&m)
	return t.String()
}

// match prints the fields and reports whether there were any.
func (t *text) match(m *Match) bool {
	w := m.Wildcards & WildAll
	start := len(t.b)
	key := func(k string) {
		if len(t.b) > start {
			t.str(",")
		}
		t.str(k)
	}
	num := func(k string, wild uint32, v uint16) {
		if w&wild == 0 {
			key(k)
			t.dec(uint64(v))
		}
	}
	word, protoDone := m.shorthand()
	if word != "" {
		key(word)
	}
	if w&WildInPort == 0 {
		key("in_port=")
		if m.InPort == PortNone {
			t.str("NONE") // ANY would read as a wildcard
		} else {
			t.port(m.InPort)
		}
	}
	t.vlan(m, key)
	if w&WildDLSrc == 0 {
		key("dl_src=")
		t.b = m.DLSrc.Append(t.b)
	}
	if w&WildDLDst == 0 {
		key("dl_dst=")
		t.b = m.DLDst.Append(t.b)
	}
	if w&WildDLType == 0 && word == "" {
		key("dl_type=")
		t.hexWidth(uint64(m.DLType), 4)
	}
	src, dst, proto := "nw_src=", "nw_dst=", "nw_proto="
	if w&WildDLType == 0 && m.DLType == EtherTypeARP {
		src, dst, proto = "arp_spa=", "arp_tpa=", "arp_op="
	}
	t.prefix(key, src, m.NWSrc&m.NWSrcMask(), m.NWSrcBits())
	t.prefix(key, dst, m.NWDst&m.NWDstMask(), m.NWDstBits())
	if !protoDone {
		num(proto, WildNWProto, uint16(m.NWProto))
	}
	num("nw_tos=", WildNWTos, uint16(m.NWTos))
	tpSrc, tpDst := "tp_src=", "tp_dst="
	if word == "icmp" && m.TPSrc <= 0xff {
		tpSrc = "icmp_type="
	}
	if word == "icmp" && m.TPDst <= 0xff {
		tpDst = "icmp_code="
	}
	num(tpSrc, WildTPSrc, m.TPSrc)
	num(tpDst, WildTPDst, m.TPDst)
	return len(t.b) > start
}

// shorthand is the word for the match's ethertype or protocol, and whether it stands for
// nw_proto too.
func (m *Match) shorthand() (word string, protoDone bool) {
	if m.Wildcards&WildDLType != 0 {
		return "", false
	}
	if m.DLType == EtherTypeIPv4 && m.Wildcards&WildNWProto == 0 {
		if word := ipProtoNames[m.NWProto]; word != "" {
			return word, true
		}
	}
	return dlTypeNames[m.DLType], false
}

// vlan prints "vlan_tci=0x0000" where ovs-ofctl would: untagged with an exact priority.
func (t *text) vlan(m *Match, key func(string)) {
	vid, pcp := m.Wildcards&WildDLVLAN == 0, m.Wildcards&WildDLVLANPCP == 0
	if vid && pcp && m.DLVLAN == VLANNone && m.DLVLANPCP == 0 {
		key("vlan_tci=0x0000")
		return
	}
	if vid {
		key("dl_vlan=")
		if m.DLVLAN == VLANNone {
			t.str("0xffff")
		} else {
			t.dec(uint64(m.DLVLAN))
		}
	}
	if pcp {
		key("dl_vlan_pcp=")
		t.dec(uint64(m.DLVLANPCP))
	}
}

func (t *text) prefix(key func(string), name string, addr uint32, ignored int) {
	if ignored == 32 {
		return
	}
	key(name)
	t.ipv4(addr)
	if ignored > 0 {
		t.pair("/", 32-ignored)
	}
}

// priorityMatch prints "priority=N,match" as ovs-ofctl does: no default priority.
func (t *text) priorityMatch(m *Match, priority uint16) bool {
	start := len(t.b)
	if priority != DefaultPriority {
		t.pair("priority=", int(priority))
		t.str(",")
	}
	if !t.match(m) && len(t.b) > start {
		t.b = t.b[:len(t.b)-1]
	}
	return len(t.b) > start
}
