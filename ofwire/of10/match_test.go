package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// TestNormalize is the table of differences between what is sent and what switches make
// of it (Open vSwitch's column).
func TestNormalize(t *testing.T) {
	t.Parallel()
	exact := func(wild uint32, m Match) Match {
		m.Wildcards = WildAllCanonical &^ wild
		return m
	}
	ipExact := WildDLType | WildNWProto
	for _, c := range []struct {
		name     string
		in, want Match
	}{
		{"all wild by the specification", Match{Wildcards: WildAll}, MatchAll()},
		{"undefined bits", Match{Wildcards: 0xffffffff}, MatchAll()},
		{"already normal", MatchAll(), MatchAll()},
		{"exact", tcpMatch(), tcpMatch()},
		{"values under wildcards", Match{Wildcards: WildAll, InPort: 1, DLSrc: mac(1), DLDst: mac(2), DLVLAN: 3, DLVLANPCP: 4, DLType: 5, NWTos: 6,
			NWProto: 7, NWSrc: 8, NWDst: 9, TPSrc: 10, TPDst: 11}, MatchAll()},
		{"nw and tp without dl_type", exact(WildNWProto|WildNWTos|WildTPSrc|WildTPDst|WildNWSrcMask|WildNWDstMask,
			Match{NWProto: 6, NWTos: 4, TPSrc: 1, TPDst: 2, NWSrc: 3, NWDst: 4}), MatchAll()},
		{"nw and tp with another dl_type", exact(WildDLType|WildNWProto|WildNWTos|WildTPSrc|WildTPDst|WildNWSrcMask|WildNWDstMask,
			Match{DLType: 0x88b5, NWProto: 6, TPSrc: 1}), exact(WildDLType, Match{DLType: 0x88b5})},
		{"tp without nw_proto", exact(WildDLType|WildTPSrc, Match{DLType: EtherTypeIPv4, TPSrc: 1}), exact(WildDLType, Match{DLType: EtherTypeIPv4})},
		{"tp with another nw_proto", exact(ipExact|WildTPSrc|WildTPDst, Match{DLType: EtherTypeIPv4, NWProto: 132, TPSrc: 1}),
			exact(ipExact, Match{DLType: EtherTypeIPv4, NWProto: 132})},
		{"tp with icmp", exact(ipExact|WildTPSrc, Match{DLType: EtherTypeIPv4, NWProto: ProtoICMP, TPSrc: 8}),
			exact(ipExact|WildTPSrc, Match{DLType: EtherTypeIPv4, NWProto: ProtoICMP, TPSrc: 8})},
		{"arp with tos and tp", exact(ipExact|WildNWTos|WildTPSrc|WildTPDst, Match{DLType: EtherTypeARP, NWProto: 1, NWTos: 4, TPSrc: 1}),
			exact(ipExact, Match{DLType: EtherTypeARP, NWProto: 1})},
		{"tos 0x23", exact(WildDLType|WildNWTos, Match{DLType: EtherTypeIPv4, NWTos: 0x23}), exact(WildDLType|WildNWTos, Match{DLType: EtherTypeIPv4, NWTos: 0x20})},
		{"host bits", Match{Wildcards: WildAllCanonical&^(WildDLType|WildNWSrcMask) | 8<<WildNWSrcShift, DLType: EtherTypeIPv4, NWSrc: 0x0a0b0c0d},
			Match{Wildcards: WildAllCanonical&^(WildDLType|WildNWSrcMask) | 8<<WildNWSrcShift, DLType: EtherTypeIPv4, NWSrc: 0x0a0b0c00}},
		{"40 ignored bits", Match{Wildcards: WildAllCanonical&^(WildDLType|WildNWDstMask) | 40<<WildNWDstShift, DLType: EtherTypeIPv4, NWDst: 5},
			exact(WildDLType, Match{DLType: EtherTypeIPv4})},
		{"untagged with a priority", exact(WildDLVLAN|WildDLVLANPCP, Match{DLVLAN: VLANNone, DLVLANPCP: 3}),
			exact(WildDLVLAN|WildDLVLANPCP, Match{DLVLAN: VLANNone})},
		{"priority without vlan", exact(WildDLVLANPCP, Match{DLVLAN: VLANNone, DLVLANPCP: 0xfb}), exact(WildDLVLANPCP, Match{DLVLANPCP: 3})},
		{"vlan of 13 bits", exact(WildDLVLAN, Match{DLVLAN: 0x1005}), exact(WildDLVLAN, Match{DLVLAN: 5})},
	} {
		if d := cmp.Diff(c.want, c.in.Normalize()); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
}

// matches is the specification's matching, field by field, for headers as a switch makes
// them. It is the oracle of Normalize.
func matches(m, h *Match) bool {
	w := m.Wildcards
	ok := func(bit uint32, equal bool) bool { return w&bit != 0 || equal }
	if !ok(WildInPort, m.InPort == h.InPort) || !ok(WildDLSrc, m.DLSrc == h.DLSrc) || !ok(WildDLDst, m.DLDst == h.DLDst) ||
		!ok(WildDLVLAN, m.DLVLAN == h.DLVLAN) || !ok(WildDLType, m.DLType == h.DLType) {
		return false
	}
	untagged := w&WildDLVLAN == 0 && m.DLVLAN == VLANNone
	if !untagged && !ok(WildDLVLANPCP, m.DLVLANPCP == h.DLVLANPCP) {
		return false
	}
	if w&WildDLType != 0 || m.DLType != EtherTypeIPv4 && m.DLType != EtherTypeARP {
		return true
	}
	prefix := func(shift int, a, b uint32) bool {
		n := w >> shift & 63
		return n >= 32 || a>>n == b>>n
	}
	if !prefix(WildNWSrcShift, m.NWSrc, h.NWSrc) || !prefix(WildNWDstShift, m.NWDst, h.NWDst) || !ok(WildNWProto, m.NWProto == h.NWProto) {
		return false
	}
	if m.DLType == EtherTypeARP {
		return true
	}
	if !ok(WildNWTos, m.NWTos&0xfc == h.NWTos) {
		return false
	}
	if w&WildNWProto != 0 || m.NWProto != ProtoTCP && m.NWProto != ProtoUDP && m.NWProto != ProtoICMP {
		return true
	}
	return ok(WildTPSrc, m.TPSrc == h.TPSrc) && ok(WildTPDst, m.TPDst == h.TPDst)
}

// smallMatch draws every value from a few, so that headers do hit.
func smallMatch(g *gen) Match {
	two := func() uint16 { return uint16(g.IntN(2)) }
	return Match{Wildcards: g.Uint32(), InPort: Port(two()), DLSrc: ofwire.MAC{5: byte(two())}, DLDst: ofwire.MAC{5: byte(two())},
		DLVLAN: pick(g, VLANNone, 5), DLVLANPCP: uint8(two()), DLType: pick(g, EtherTypeIPv4, EtherTypeIPv4, EtherTypeARP, 0x88b5),
		NWTos: uint8(g.IntN(8)), NWProto: pick(g, ProtoTCP, ProtoICMP, 2), NWSrc: uint32(g.IntN(4)) << 8, NWDst: uint32(g.IntN(4)), TPSrc: two(), TPDst: two()}
}

// TestNormalizeKeepsMeaning: a match and its normal form match the same headers.
func TestNormalizeKeepsMeaning(t *testing.T) {
	t.Parallel()
	g := newGen(9)
	hits := 0
	for range 4000 {
		m := smallMatch(g)
		n := m.Normalize()
		for range 20 {
			h := smallMatch(g)
			if h.DLVLAN == VLANNone {
				h.DLVLANPCP = 0
			}
			h.NWTos &= 0xfc
			want := matches(&m, &h)
			if want {
				hits++
			}
			if got := matches(&n, &h); got != want {
				t.Fatalf("%+v\nnormalises to %+v\nheader %+v: %v becomes %v", m, n, h, want, got)
			}
		}
	}
	if hits < 1000 {
		t.Errorf("only %d hits", hits)
	}
}

// TestNormalFormsPrintApart: matches whose normal forms differ have different texts.
func TestNormalFormsPrintApart(t *testing.T) {
	t.Parallel()
	g := newGen(10)
	for range 2000 {
		m := smallMatch(g)
		other := m
		other.Wildcards ^= 1 << g.IntN(22)
		a, b := m.Normalize(), other.Normalize()
		if a == b {
			continue
		}
		if a.String() == b.String() {
			t.Fatalf("%+v and %+v print the same: %v", a, b, a)
		}
	}
}

func TestMatchBits(t *testing.T) {
	t.Parallel()
	m := MatchAll()
	for in, want := range map[int]int{-1: 0, 0: 0, 8: 8, 32: 32, 33: 32, 63: 32} {
		m.SetNWSrcBits(in)
		m.SetNWDstBits(in)
		if m.NWSrcBits() != want || m.NWDstBits() != want {
			t.Errorf("%d: %d and %d, want %d", in, m.NWSrcBits(), m.NWDstBits(), want)
		}
		if mask := uint32(uint64(1)<<32 - uint64(1)<<want); m.NWSrcMask() != mask || m.NWDstMask() != mask {
			t.Errorf("%d: masks %#x and %#x, want %#x", in, m.NWSrcMask(), m.NWDstMask(), mask)
		}
	}
	m.Wildcards |= WildNWSrcMask
	if m.NWSrcBits() != 32 || m.NWSrcMask() != 0 {
		t.Errorf("63 bits count as %d", m.NWSrcBits())
	}
	exact := tcpMatch()
	if !exact.Exact() || m.Exact() || !(&Match{Wildcards: 1 << 31}).Exact() {
		t.Error("Exact")
	}
}
