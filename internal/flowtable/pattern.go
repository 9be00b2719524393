package flowtable

import (
	"math/bits"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// Words is a header packed into machine words, so that comparing is a handful of
// instructions. The layout is private to this package.
type Words [5]uint64

// Pattern is a match as value and mask: h matches iff h&Mask == Value. Value has
// no bit outside of Mask, hence equal matches are equal patterns.
type Pattern struct{ Mask, Value Words }

// Offsets of the fields in their words, in bits.
const (
	inPortAt = 48 // word 0, over dl_src
	vlanAt   = 48 // word 1, over dl_dst
	nwSrcAt  = 32 // word 2, over nw_dst
	typeAt   = 48 // word 3
	tpSrcAt  = 32
	tpDstAt  = 16
	tosAt    = 8
	macMask  = 1<<48 - 1
)

var full = Words{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<56 - 1<<48 | 0xffff<<48 | 0xffff<<32 | 0xffff<<16 | 0xfc<<8 | 0xff, 0x07}

// FullMask is the mask of a pattern that wildcards nothing.
func FullMask() Words { return full }

// HeaderWords packs h. Port numbers beyond 16 bits do not exist in OpenFlow 1.0.
func HeaderWords(h *packet.Header) Words {
	return Words{
		uint64(uint16(h.InPort))<<inPortAt | mac(h.DLSrc),
		uint64(h.DLVLAN)<<vlanAt | mac(h.DLDst),
		uint64(h.NWSrc)<<nwSrcAt | uint64(h.NWDst),
		uint64(h.DLType)<<typeAt | uint64(h.TPSrc)<<tpSrcAt | uint64(h.TPDst)<<tpDstAt | uint64(h.NWTos)<<tosAt | uint64(h.NWProto),
		uint64(h.DLVLANPCP),
	}
}

// Header unpacks what HeaderWords packed.
func (w Words) Header() packet.Header {
	return packet.Header{
		InPort: uint32(w[0] >> inPortAt), DLSrc: unmac(w[0]),
		DLVLAN: uint16(w[1] >> vlanAt), DLDst: unmac(w[1]),
		NWSrc: uint32(w[2] >> nwSrcAt), NWDst: uint32(w[2]),
		DLType: uint16(w[3] >> typeAt), TPSrc: uint16(w[3] >> tpSrcAt), TPDst: uint16(w[3] >> tpDstAt),
		NWTos: uint8(w[3] >> tosAt), NWProto: uint8(w[3]),
		DLVLANPCP: uint8(w[4]),
	}
}

// And returns the bits of w that are in m.
func (w Words) And(m *Words) Words {
	return Words{w[0] & m[0], w[1] & m[1], w[2] & m[2], w[3] & m[3], w[4] & m[4]}
}

// MakePattern packs a normalised match.
func MakePattern(m *of10.Match) Pattern {
	var mask Words
	w := m.Wildcards
	pick := func(bit uint32, word int, bits uint64) {
		if w&bit == 0 {
			mask[word] |= bits
		}
	}
	pick(of10.WildInPort, 0, 0xffff<<inPortAt)
	pick(of10.WildDLSrc, 0, macMask)
	pick(of10.WildDLVLAN, 1, 0xffff<<vlanAt)
	pick(of10.WildDLDst, 1, macMask)
	pick(of10.WildDLType, 3, 0xffff<<typeAt)
	pick(of10.WildTPSrc, 3, 0xffff<<tpSrcAt)
	pick(of10.WildTPDst, 3, 0xffff<<tpDstAt)
	pick(of10.WildNWTos, 3, 0xfc<<tosAt)
	pick(of10.WildNWProto, 3, 0xff)
	pick(of10.WildDLVLANPCP, 4, 0x07)
	mask[2] = uint64(m.NWSrcMask())<<nwSrcAt | uint64(m.NWDstMask())
	h := packet.Header{
		InPort: uint32(m.InPort), DLSrc: m.DLSrc, DLDst: m.DLDst, DLVLAN: m.DLVLAN, DLVLANPCP: m.DLVLANPCP, DLType: m.DLType,
		NWTos: m.NWTos, NWProto: m.NWProto, NWSrc: m.NWSrc, NWDst: m.NWDst, TPSrc: m.TPSrc, TPDst: m.TPDst,
	}
	value := HeaderWords(&h)
	return Pattern{mask, value.And(&mask)}
}

// Match unpacks the pattern; for patterns made by MakePattern and Intersect it
// is the normalised match.
func (p *Pattern) Match() of10.Match {
	h := p.Value.Header()
	m := of10.Match{
		InPort: of10.Port(h.InPort), DLSrc: h.DLSrc, DLDst: h.DLDst, DLVLAN: h.DLVLAN, DLVLANPCP: h.DLVLANPCP, DLType: h.DLType,
		NWTos: h.NWTos, NWProto: h.NWProto, NWSrc: h.NWSrc, NWDst: h.NWDst, TPSrc: h.TPSrc, TPDst: h.TPDst,
	}
	wild := func(bit uint32, word int, bits uint64) {
		if p.Mask[word]&bits == 0 {
			m.Wildcards |= bit
		}
	}
	wild(of10.WildInPort, 0, 0xffff<<inPortAt)
	wild(of10.WildDLSrc, 0, macMask)
	wild(of10.WildDLVLAN, 1, 0xffff<<vlanAt)
	wild(of10.WildDLDst, 1, macMask)
	wild(of10.WildDLType, 3, 0xffff<<typeAt)
	wild(of10.WildTPSrc, 3, 0xffff<<tpSrcAt)
	wild(of10.WildTPDst, 3, 0xffff<<tpDstAt)
	wild(of10.WildNWTos, 3, 0xfc<<tosAt)
	wild(of10.WildNWProto, 3, 0xff)
	wild(of10.WildDLVLANPCP, 4, 0x07)
	m.SetNWSrcBits(32 - bits.OnesCount32(uint32(p.Mask[2]>>nwSrcAt)))
	m.SetNWDstBits(32 - bits.OnesCount32(uint32(p.Mask[2])))
	return m
}

// Matches reports whether the packed header w lies in p.
func (p *Pattern) Matches(w *Words) bool {
	return (w[0]^p.Value[0])&p.Mask[0]|(w[1]^p.Value[1])&p.Mask[1]|(w[2]^p.Value[2])&p.Mask[2]|
		(w[3]^p.Value[3])&p.Mask[3]|(w[4]^p.Value[4])&p.Mask[4] == 0
}

// Covers reports whether every header in o is in p.
func (p *Pattern) Covers(o *Pattern) bool {
	return within(&p.Mask, &o.Mask) && p.Matches(&o.Value)
}

// Overlaps reports whether some header is in both.
func (p *Pattern) Overlaps(o *Pattern) bool {
	var d uint64
	for i := range p.Mask {
		d |= (p.Value[i] ^ o.Value[i]) & p.Mask[i] & o.Mask[i]
	}
	return d == 0
}

// Intersect returns what is in both; ok is false when that is nothing.
func (p *Pattern) Intersect(o *Pattern) (both Pattern, ok bool) {
	if !p.Overlaps(o) {
		return Pattern{}, false
	}
	for i := range p.Mask {
		both.Mask[i] = p.Mask[i] | o.Mask[i]
		both.Value[i] = p.Value[i] | o.Value[i]
	}
	return both, true
}

// Join returns the narrowest match, as a pattern of whole fields and address prefixes,
// that covers both.
func (p *Pattern) Join(o *Pattern) (both Pattern) {
	for i := range p.Mask {
		both.Mask[i] = p.Mask[i] & o.Mask[i] &^ (p.Value[i] ^ o.Value[i])
	}
	for _, f := range [...]struct {
		word int
		bits uint64
	}{
		{0, 0xffff << inPortAt}, {0, macMask}, {1, 0xffff << vlanAt}, {1, macMask}, {3, 0xffff << typeAt}, {3, 0xffff << tpSrcAt}, {3, 0xffff << tpDstAt},
		{3, 0xfc << tosAt}, {3, 0xff}, {4, 0x07},
	} {
		if both.Mask[f.word]&f.bits != f.bits {
			both.Mask[f.word] &^= f.bits
		}
	}
	src, dst := uint32(both.Mask[2]>>nwSrcAt), uint32(both.Mask[2])
	src = ^uint32(0) << (32 - bits.LeadingZeros32(^src))
	dst = ^uint32(0) << (32 - bits.LeadingZeros32(^dst))
	both.Mask[2] = uint64(src)<<nwSrcAt | uint64(dst)
	both.Value = p.Value.And(&both.Mask)
	return both
}

// PinUntagged makes dl_vlan_pcp exact where p is about untagged frames, which have
// none: the same headers match, but one header has one exact pattern.
func (p *Pattern) PinUntagged() {
	if p.Mask[1]>>vlanAt == 0xffff && p.Value[1]>>vlanAt == packet.VLANNone {
		p.Mask[4] = full[4]
	}
}

// Untagged is what p says of untagged frames, if it names their VLAN priority, which is
// 0, and not their VLAN: for Open vSwitch such a match is about tagged frames alone.
func (p *Pattern) Untagged() (q Pattern, ok bool) {
	if p.Mask[1]>>vlanAt != 0 || p.Mask[4] == 0 || p.Value[4] != 0 {
		return Pattern{}, false
	}
	q = *p
	q.Mask[1] |= 0xffff << vlanAt
	q.Value[1] |= packet.VLANNone << vlanAt
	return q, true
}

// Exact reports whether p wildcards nothing.
func (p *Pattern) Exact() bool { return p.Mask == full }

// IsPoint reports whether p is exact in every field that means something for its
// frames: a header without an IPv4 part has no ports to wildcard. Switches differ in
// which of these they put above all priorities.
func (p *Pattern) IsPoint() bool {
	const (
		always   = 0xffff << typeAt
		pcp      = 0x07
		arp      = 0xff
		ip       = 0xfc<<tosAt | 0xff
		ipHasTwo = ip | 0xffff<<tpSrcAt | 0xffff<<tpDstAt
	)
	if p.Mask[0] != full[0] || p.Mask[1] != full[1] || p.Mask[3]&always != always ||
		p.Mask[4]&pcp != pcp && p.Value[1]>>vlanAt != packet.VLANNone {
		return false
	}
	need := uint64(arp)
	switch p.Value[3] >> typeAt {
	case packet.TypeARP:
	case packet.TypeIPv4:
		need = ip
		switch uint8(p.Value[3]) {
		case packet.ProtoTCP, packet.ProtoUDP, packet.ProtoICMP:
			need = ipHasTwo
		}
	default:
		return true
	}
	return p.Mask[2] == full[2] && p.Mask[3]&need == need
}

// InPort is the port that all headers in p have; ok is false when it is wildcarded.
func (p *Pattern) InPort() (port uint16, ok bool) {
	return uint16(p.Value[0] >> inPortAt), p.Mask[0]>>inPortAt != 0
}

// Possible reports whether any header can lie in p: untagged frames have no VLAN
// priority.
func (p *Pattern) Possible() bool {
	return p.Value[4] == 0 || p.Value[1]>>vlanAt != packet.VLANNone
}

// within reports whether every bit of a is in b.
func within(a, b *Words) bool {
	return a[0]&^b[0]|a[1]&^b[1]|a[2]&^b[2]|a[3]&^b[3]|a[4]&^b[4] == 0
}

func mac(a [6]byte) uint64 {
	return uint64(a[0])<<40 | uint64(a[1])<<32 | uint64(a[2])<<24 | uint64(a[3])<<16 | uint64(a[4])<<8 | uint64(a[5])
}

func unmac(w uint64) (a [6]byte) {
	for i := range a {
		a[i] = byte(w >> (40 - 8*i))
	}
	return a
}
