package of10

import (
	"fmt"
	"strings"

	"github.com/govisor/govisor/ofwire"
)

// ParseMatch reads a match in ovs-ofctl's syntax, like "tcp,in_port=1,nw_src=10.0.0.0/8".
// Keys and shorthands are separated by commas or spaces; "*" and "ANY" leave a field
// wild. The result is normalised. It refuses what OpenFlow 1.0 cannot say and what would
// be lost, like nw_src without ip: the errors say what to write instead.
func (p *Parser) ParseMatch(s string) (Match, error) {
	b := newMatchBuilder(p)
	for rest := s; ; {
		it, after, ok, err := nextItem(rest)
		if err != nil {
			return Match{}, err
		}
		if !ok {
			return b.finish()
		}
		known, err := b.add(it)
		if err != nil {
			return Match{}, err
		}
		if !known {
			return Match{}, unknownKeyword(it.key)
		}
		rest = after
	}
}

// ParseMatch is Parser.ParseMatch without port names.
func ParseMatch(s string) (Match, error) { return new(Parser).ParseMatch(s) }

// matchBuilder collects the fields of a match; finish checks them against each other.
type matchBuilder struct {
	parser *Parser
	m      Match
	// origin is the item that gave each field, for errors.
	origin map[string]string
	// needs are fields that ask for a protocol by their name, like icmp_type.
	needs map[string]string
}

func newMatchBuilder(p *Parser) *matchBuilder {
	return &matchBuilder{parser: p, m: MatchAll(), origin: map[string]string{}, needs: map[string]string{}}
}

// protocols are the shorthands; proto -1 leaves nw_proto wild.
var protocols = map[string]struct {
	dlType uint16
	proto  int
}{
	"ip": {EtherTypeIPv4, -1}, "arp": {EtherTypeARP, -1}, "icmp": {EtherTypeIPv4, int(ProtoICMP)},
	"tcp": {EtherTypeIPv4, int(ProtoTCP)}, "udp": {EtherTypeIPv4, int(ProtoUDP)}, "sctp": {EtherTypeIPv4, 132},
	"rarp": {0x8035, -1}, "ipv6": {0x86dd, -1}, "mpls": {0x8847, -1}, "mplsm": {0x8848, -1},
}

// matchAliases are other names of the fields.
var matchAliases = map[string]string{
	"eth_src": "dl_src", "eth_dst": "dl_dst", "eth_type": "dl_type", "vlan_pcp": "dl_vlan_pcp",
	"ip_src": "nw_src", "ip_dst": "nw_dst", "ip_proto": "nw_proto",
	"arp_spa": "nw_src", "arp_tpa": "nw_dst", "arp_op": "nw_proto",
	"icmp_type": "tp_src", "icmp_code": "tp_dst",
	"tcp_src": "tp_src", "tcp_dst": "tp_dst", "udp_src": "tp_src", "udp_dst": "tp_dst",
}

// notIn10 are match fields of later versions and extensions.
var notIn10 = wordSet(`arp_sha arp_tha metadata tun_id tunnel_id tun_src tun_dst pkt_mark nw_ecn ip_ecn nw_ttl nw_frag
	ip_frag ipv6_src ipv6_dst ipv6_label nd_target nd_sll nd_tll tcp_flags sctp_src sctp_dst mpls_label mpls_tc mpls_bos
	mpls_ttl ct_state ct_zone ct_mark ct_label vlan_tci1 dl_vlan1 packet_type icmpv6_type icmpv6_code tcp6 udp6 icmp6
	sctp6 reg0 reg1 reg2 reg3 reg4 reg5 reg6 reg7 conj_id dp_hash recirc_id in_phy_port actset_output`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

func unknownKeyword(key string) error {
	if notIn10[key] {
		return fmt.Errorf("%s: OpenFlow 1.0 cannot match on it", key)
	}
	return fmt.Errorf("unknown keyword %s", key)
}

// add takes one item and reports whether it is part of a match.
func (b *matchBuilder) add(it item) (known bool, err error) {
	if proto, ok := protocols[it.key]; ok {
		if it.hasValue {
			return true, fmt.Errorf("%v: %s takes no value", it, it.key)
		}
		return true, b.addProtocol(it, proto.dlType, proto.proto)
	}
	field := it.key
	if alias := matchAliases[it.key]; alias != "" {
		field = alias
	}
	set := matchFields[field]
	if set == nil {
		return false, nil
	}
	if !it.hasValue || it.value == "" {
		return true, fmt.Errorf("field %s missing value", it.key)
	}
	if it.value == "*" || strings.EqualFold(it.value, "any") {
		return true, nil
	}
	before := b.m
	if err := set(b, it); err != nil {
		return true, err
	}
	return true, b.noteAll(field, it, before)
}

// sameField are other ways to give a field, in another form.
var sameField = map[string]string{"vlan_vid": "dl_vlan", "ip_dscp": "nw_tos"}

// noteAll notes the one field that an item gives, or the two of vlan_tci.
func (b *matchBuilder) noteAll(field string, it item, before Match) error {
	if same := sameField[field]; same != "" {
		field = same
	}
	if field != "vlan_tci" {
		return b.note(field, it, before)
	}
	after := b.m
	b.m.DLVLANPCP = before.DLVLANPCP
	b.m.Wildcards |= before.Wildcards & WildDLVLANPCP
	err := b.note("dl_vlan", it, before)
	before, b.m = b.m, after
	if err == nil {
		err = b.note("dl_vlan_pcp", it, before)
	}
	return err
}

// note refuses a field that was given before with another value.
func (b *matchBuilder) note(field string, it item, before Match) error {
	if first, ok := b.origin[field]; ok && before != b.m {
		return fmt.Errorf("%s is given twice: %s and %v", field, first, it)
	}
	b.origin[field] = it.String()
	return nil
}

func (b *matchBuilder) addProtocol(it item, dlType uint16, proto int) error {
	before := b.m
	b.m.Wildcards &^= WildDLType
	b.m.DLType = dlType
	if err := b.note("dl_type", it, before); err != nil || proto < 0 {
		return err
	}
	before = b.m
	b.m.Wildcards &^= WildNWProto
	b.m.NWProto = uint8(proto)
	return b.note("nw_proto", it, before)
}

// matchFields set one field each.
var matchFields = map[string]func(*matchBuilder, item) error{
	"in_port": func(b *matchBuilder, it item) (err error) {
		b.m.Wildcards &^= WildInPort
		if b.m.InPort, err = b.parser.ParsePort(it.value); err != nil {
			return fmt.Errorf("in_port: %w", err)
		}
		return nil
	},
	"dl_vlan":  (*matchBuilder).vlan,
	"vlan_vid": (*matchBuilder).vlanVID,
	"vlan_tci": (*matchBuilder).vlanTCI,
	"dl_vlan_pcp": func(b *matchBuilder, it item) error {
		v, err := number(it.key, it.value, 7)
		b.m.Wildcards &^= WildDLVLANPCP
		b.m.DLVLANPCP = uint8(v)
		return err
	},
	"dl_src": func(b *matchBuilder, it item) error { return b.mac(it, WildDLSrc, &b.m.DLSrc) },
	"dl_dst": func(b *matchBuilder, it item) error { return b.mac(it, WildDLDst, &b.m.DLDst) },
	"dl_type": func(b *matchBuilder, it item) (err error) {
		b.m.Wildcards &^= WildDLType
		b.m.DLType, err = number16(it.key, it.value)
		return err
	},
	"nw_src": func(b *matchBuilder, it item) error {
		addr, ignored, err := parsePrefix(it.key, it.value)
		b.m.NWSrc = addr
		b.m.SetNWSrcBits(ignored)
		b.arpOnly(it)
		return err
	},
	"nw_dst": func(b *matchBuilder, it item) error {
		addr, ignored, err := parsePrefix(it.key, it.value)
		b.m.NWDst = addr
		b.m.SetNWDstBits(ignored)
		b.arpOnly(it)
		return err
	},
	"nw_proto": func(b *matchBuilder, it item) error {
		v, err := number(it.key, it.value, 0xff)
		b.m.Wildcards &^= WildNWProto
		b.m.NWProto = uint8(v)
		b.arpOnly(it)
		return err
	},
	"nw_tos": func(b *matchBuilder, it item) error {
		v, err := number(it.key, it.value, 0xff)
		if err == nil && v&3 != 0 {
			err = fmt.Errorf("nw_tos=%s: its two low bits are not matched; use nw_tos=%d", it.value, v&^3)
		}
		b.m.Wildcards &^= WildNWTos
		b.m.NWTos = uint8(v)
		return err
	},
	"ip_dscp": func(b *matchBuilder, it item) error {
		v, err := number(it.key, it.value, 63)
		b.m.Wildcards &^= WildNWTos
		b.m.NWTos = uint8(v) << 2
		return err
	},
	"tp_src": func(b *matchBuilder, it item) error { return b.transport(it, WildTPSrc, &b.m.TPSrc) },
	"tp_dst": func(b *matchBuilder, it item) error { return b.transport(it, WildTPDst, &b.m.TPDst) },
}

func (b *matchBuilder) arpOnly(it item) {
	if strings.HasPrefix(it.key, "arp_") {
		b.needs[it.key] = "arp"
	}
}

func (b *matchBuilder) vlan(it item) error {
	v, err := number16(it.key, it.value)
	if err == nil && v > 0xfff && v != VLANNone {
		err = fmt.Errorf("%s: not a valid VLAN VID (0 to 4095, or 0xffff for untagged)", it.value)
	}
	b.m.Wildcards &^= WildDLVLAN
	b.m.DLVLAN = v
	return err
}

// tagPresent is the bit that says in vlan_vid and vlan_tci that there is a tag.
const tagPresent = 0x1000

func (b *matchBuilder) vlanVID(it item) error {
	v, err := number(it.key, it.value, 0x1fff)
	b.m.Wildcards &^= WildDLVLAN
	b.m.DLVLAN = uint16(v) & 0xfff
	if v == 0 {
		b.m.DLVLAN = VLANNone
	} else if v&tagPresent == 0 {
		err = fmt.Errorf("vlan_vid=%s: without the bit 0x1000 it matches no frame; use dl_vlan", it.value)
	}
	return err
}

func (b *matchBuilder) vlanTCI(it item) error {
	v, err := number16(it.key, it.value)
	b.m.Wildcards &^= WildDLVLAN | WildDLVLANPCP
	b.m.DLVLAN, b.m.DLVLANPCP = v&0xfff, uint8(v>>13)
	if v == 0 {
		b.m.DLVLAN = VLANNone
	} else if err == nil && v&tagPresent == 0 {
		err = fmt.Errorf("vlan_tci=%s: without the bit 0x1000 it matches no frame; use dl_vlan", it.value)
	}
	return err
}

func (b *matchBuilder) mac(it item, wild uint32, addr *ofwire.MAC) error {
	value, mask, masked := strings.Cut(it.value, "/")
	a, err := ofwire.ParseMAC(value)
	if err != nil {
		return fmt.Errorf("%s: %w", it.key, err)
	}
	if masked {
		m, err := ofwire.ParseMAC(mask)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", it.key, err)
		case m.IsZero():
			return nil
		case m != ofwire.Broadcast:
			return fmt.Errorf("%v: OpenFlow 1.0 matches %s whole or not at all", it, it.key)
		}
	}
	b.m.Wildcards &^= wild
	*addr = a
	return nil
}

// transport sets a port, or an ICMP type or code.
func (b *matchBuilder) transport(it item, wild uint32, field *uint16) error {
	if strings.Contains(it.value, "/") {
		return fmt.Errorf("%v: OpenFlow 1.0 matches %s whole or not at all", it, it.key)
	}
	limit := uint64(0xffff)
	if strings.HasPrefix(it.key, "icmp_") {
		limit = 0xff
	}
	v, err := number(it.key, it.value, limit)
	if proto, _, named := strings.Cut(it.key, "_"); named && proto != "tp" {
		b.needs[it.key] = proto
	}
	b.m.Wildcards &^= wild
	*field = uint16(v)
	return err
}

// finish refuses fields that contradict each other or would be lost.
func (b *matchBuilder) finish() (Match, error) {
	m := &b.m
	nw, ip := m.networkFields()
	for _, f := range []string{"nw_src", "nw_dst", "nw_proto"} {
		if o, ok := b.origin[f]; ok && !nw {
			return Match{}, fmt.Errorf("%s would be ignored: add ip or arp (dl_type=0x0800 or 0x0806)", o)
		}
	}
	if o, ok := b.origin["nw_tos"]; ok && !ip {
		return Match{}, fmt.Errorf("%s would be ignored: add ip (dl_type=0x0800)", o)
	}
	for _, f := range []string{"tp_src", "tp_dst"} {
		if o, ok := b.origin[f]; ok && !(ip && m.transportFields()) {
			return Match{}, fmt.Errorf("%s would be ignored: add tcp, udp or icmp", o)
		}
	}
	for key, word := range b.needs {
		want := protocols[word]
		if m.DLType != want.dlType || want.proto >= 0 && int(m.NWProto) != want.proto {
			return Match{}, fmt.Errorf("%s would match something else: it needs %s", key, word)
		}
	}
	untagged := m.Wildcards&WildDLVLAN == 0 && m.DLVLAN == VLANNone
	if untagged && m.Wildcards&WildDLVLANPCP == 0 && m.DLVLANPCP != 0 {
		return Match{}, fmt.Errorf("%s with %s: an untagged frame has no priority", b.origin["dl_vlan_pcp"], b.origin["dl_vlan"])
	}
	return m.Normalize(), nil
}
