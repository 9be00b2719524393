package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWildcardBits holds each bit to the specification, on the wire and in text.
func TestWildcardBits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bit  uint32
		wild uint32
		text string // of an all-zero field, alone
	}{
		{0x000001, WildInPort, "in_port=0"},
		{0x000002, WildDLVLAN, "dl_vlan=0"},
		{0x000004, WildDLSrc, "dl_src=00:00:00:00:00:00"},
		{0x000008, WildDLDst, "dl_dst=00:00:00:00:00:00"},
		{0x000010, WildDLType, "dl_type=0x0000"},
		{0x000020, WildNWProto, "nw_proto=0"},
		{0x000040, WildTPSrc, "tp_src=0"},
		{0x000080, WildTPDst, "tp_dst=0"},
		{0x003f00, WildNWSrcMask, "nw_src=0.0.0.0"},
		{0x0fc000, WildNWDstMask, "nw_dst=0.0.0.0"},
		{0x100000, WildDLVLANPCP, "dl_vlan_pcp=0"},
		{0x200000, WildNWTos, "nw_tos=0"},
	} {
		if c.bit != c.wild {
			t.Errorf("%s: bit %#x, want %#x", c.text, c.wild, c.bit)
		}
		m := Match{Wildcards: WildAll &^ c.bit}
		if m.String() != c.text {
			t.Errorf("%#x: prints %q, want %q", m.Wildcards, m, c.text)
		}
		b := m.Append(nil)
		if len(b) != MatchLen || be.Uint32(b) != 0x3fffff&^c.bit {
			t.Errorf("%s: encodes to %x", c.text, b)
		}
		if m.Exact() {
			t.Errorf("%s: exact", c.text)
		}
	}
	if WildAll != 0x3fffff || WildAllCanonical != 0x3820ff {
		t.Errorf("all wild is %#x and %#x", WildAll, WildAllCanonical)
	}
	for _, w := range []uint32{0, 1 << 22, 1 << 31} {
		if m := (Match{Wildcards: w}); !m.Exact() {
			t.Errorf("%#x is not exact", w)
		}
	}
}

// TestPrefixBits: all 64 counts of ignored bits, set, read, masked, printed and read back.
func TestPrefixBits(t *testing.T) {
	t.Parallel()
	for n := range 64 {
		m := Match{Wildcards: WildAll, DLType: EtherTypeIPv4, NWSrc: 0xffffffff, NWDst: 0xffffffff}
		m.Wildcards &^= WildDLType | WildNWSrcMask | WildNWDstMask
		m.Wildcards |= uint32(n) << WildNWSrcShift
		m.Wildcards |= uint32(63-n) << WildNWDstShift
		src, dst := min(n, 32), min(63-n, 32)
		if m.NWSrcBits() != src || m.NWDstBits() != dst {
			t.Errorf("%d: bits %d and %d, want %d and %d", n, m.NWSrcBits(), m.NWDstBits(), src, dst)
		}
		srcMask, dstMask := uint32(uint64(1)<<32-uint64(1)<<src), uint32(uint64(1)<<32-uint64(1)<<dst)
		if m.NWSrcMask() != srcMask || m.NWDstMask() != dstMask {
			t.Errorf("%d: masks %#x and %#x, want %#x and %#x", n, m.NWSrcMask(), m.NWDstMask(), srcMask, dstMask)
		}
		norm := m.Normalize()
		if norm.NWSrc != srcMask || norm.NWDst != dstMask {
			t.Errorf("%d: normalises to %#x and %#x", n, norm.NWSrc, norm.NWDst)
		}
		if back, err := ParseMatch(m.String()); err != nil || back != norm {
			t.Errorf("%d: %v reads as %v, %v", n, m, back, err)
		}
		var set Match
		set.SetNWSrcBits(n)
		set.SetNWDstBits(63 - n)
		if set.Wildcards != uint32(src)<<8|uint32(dst)<<14 {
			t.Errorf("%d: set to %#x", n, set.Wildcards)
		}
	}
	m := Match{Wildcards: WildAll}
	m.SetNWSrcBits(-1)
	m.SetNWDstBits(1000)
	if m.NWSrcBits() != 0 || m.NWDstBits() != 32 || m.Wildcards&^(WildNWSrcMask|WildNWDstMask) != WildAll&^(WildNWSrcMask|WildNWDstMask) {
		t.Errorf("out of range: %#x", m.Wildcards)
	}
}

// TestNormalizeProtocols: which fields count for which ethertype and protocol.
func TestNormalizeProtocols(t *testing.T) {
	t.Parallel()
	full := tcpMatch()
	full.DLVLAN, full.DLVLANPCP, full.NWTos = 5, 3, 0x20
	for _, dlType := range []uint16{0, EtherTypeIPv4, EtherTypeARP, EtherTypeVLAN, 0x8035, 0x86dd, 0x8847, 0x88cc, EtherTypeNone, 0xffff} {
		for proto := range 256 {
			for _, wild := range []uint32{0, WildDLType, WildNWProto} {
				m := full
				m.DLType, m.NWProto, m.Wildcards = dlType, uint8(proto), wild
				ip := dlType == 0x0800 && wild != WildDLType
				nw := ip || dlType == 0x0806 && wild != WildDLType
				tp := ip && wild != WildNWProto && (proto == 1 || proto == 6 || proto == 17)
				want := m
				if wild == WildDLType {
					want.DLType = 0
				}
				if wild == WildNWProto {
					want.NWProto = 0
				}
				if !nw {
					want.Wildcards |= 0x20 | 32<<8 | 32<<14
					want.NWProto, want.NWSrc, want.NWDst = 0, 0, 0
				}
				if !ip {
					want.Wildcards |= 1 << 21
					want.NWTos = 0
				}
				if !tp {
					want.Wildcards |= 0xc0
					want.TPSrc, want.TPDst = 0, 0
				}
				got := m.Normalize()
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("dl_type %#x, nw_proto %d, wildcards %#x (-want +got)\n%s", dlType, proto, wild, d)
				}
				if back, err := ParseMatch(got.String()); err != nil || back != got {
					t.Fatalf("%v reads as %v, %v", got, back, err)
				}
			}
		}
	}
}

// TestNormalizeVLAN: what is left of each tag.
func TestNormalizeVLAN(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		vid     uint16
		pcp     uint8
		wild    uint32
		wantVID uint16
		wantPCP uint8
	}{
		{5, 3, 0, 5, 3},
		{0xfff, 7, 0, 0xfff, 7},
		{0x1005, 0xff, 0, 5, 7},
		{0xfffe, 8, 0, 0xffe, 0},
		{VLANNone, 3, 0, VLANNone, 0},
		{VLANNone, 3, WildDLVLANPCP, VLANNone, 0},
		{VLANNone, 3, WildDLVLAN, 0, 3},
		{5, 3, WildDLVLAN, 0, 3},
		{5, 3, WildDLVLANPCP, 5, 0},
		{5, 3, WildDLVLAN | WildDLVLANPCP, 0, 0},
	} {
		m := Match{Wildcards: WildAllCanonical&^(WildDLVLAN|WildDLVLANPCP) | c.wild, DLVLAN: c.vid, DLVLANPCP: c.pcp}
		want := Match{Wildcards: m.Wildcards, DLVLAN: c.wantVID, DLVLANPCP: c.wantPCP}
		if got := m.Normalize(); got != want {
			t.Errorf("vid %#x pcp %d wild %#x: vid %#x pcp %d, want %#x %d", c.vid, c.pcp, c.wild, got.DLVLAN, got.DLVLANPCP, c.wantVID, c.wantPCP)
		}
		if back, err := ParseMatch(want.String()); err != nil || back != want {
			t.Errorf("%v reads as %v, %v", want, back, err)
		}
	}
}

// TestEveryFieldValueText prints and reads every value of each small field.
func TestEveryFieldValueText(t *testing.T) {
	t.Parallel()
	check := func(m Match) {
		m = m.Normalize()
		if back, err := ParseMatch(m.String()); err != nil || back != m {
			t.Fatalf("%v reads as %v, %v", m, back, err)
		}
	}
	base := MatchAll()
	base.Wildcards &^= WildDLType
	base.DLType = EtherTypeIPv4
	for v := range 1 << 16 {
		m := MatchAll()
		m.Wildcards &^= WildInPort | WildDLVLAN
		m.InPort, m.DLVLAN = Port(v), uint16(v)
		check(m)
		if v%7 == 0 || v < 300 || v > 0xff00 {
			m = MatchAll()
			m.Wildcards &^= WildDLType
			m.DLType = uint16(v)
			check(m)
			for _, proto := range []uint8{ProtoTCP, ProtoUDP, ProtoICMP} {
				m = base
				m.Wildcards &^= WildNWProto | WildTPSrc | WildTPDst
				m.NWProto, m.TPSrc, m.TPDst = proto, uint16(v), uint16(65535-v)
				check(m)
			}
		}
	}
	for v := range 256 {
		m := base
		m.Wildcards &^= WildNWProto | WildNWTos | WildDLVLANPCP
		m.NWProto, m.NWTos, m.DLVLANPCP = uint8(v), uint8(v), uint8(v)
		check(m)
		m.DLType = EtherTypeARP
		check(m)
	}
}
