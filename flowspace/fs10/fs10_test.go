package fs10

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

func match(t *testing.T, s string) flowspace.Match {
	t.Helper()
	m, err := flowspace.ParseMatch(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wireMatches is the specification read word by word, apart from FromMatch.
func wireMatches(w of10.Match, h *packet.Header) bool {
	wild := func(bit uint32) bool { return w.Wildcards&bit != 0 }
	ip := !wild(of10.WildDLType) && w.DLType == 0x800
	nw := ip || !wild(of10.WildDLType) && w.DLType == 0x806
	tp := ip && !wild(of10.WildNWProto) && (w.NWProto == 1 || w.NWProto == 6 || w.NWProto == 17)
	return (wild(of10.WildInPort) || uint32(w.InPort) == h.InPort) &&
		(wild(of10.WildDLSrc) || w.DLSrc == ofwire.MAC(h.DLSrc)) &&
		(wild(of10.WildDLDst) || w.DLDst == ofwire.MAC(h.DLDst)) &&
		(wild(of10.WildDLVLAN) || w.DLVLAN == h.DLVLAN) &&
		(wild(of10.WildDLVLANPCP) || w.DLVLANPCP == h.DLVLANPCP) &&
		(wild(of10.WildDLType) || w.DLType == h.DLType) &&
		(!nw || wild(of10.WildNWProto) || w.NWProto == h.NWProto) &&
		(!nw || (w.NWSrc^h.NWSrc)>>w.NWSrcBits() == 0) &&
		(!nw || (w.NWDst^h.NWDst)>>w.NWDstBits() == 0) &&
		(!ip || wild(of10.WildNWTos) || w.NWTos&0xfc == h.NWTos) &&
		(!tp || wild(of10.WildTPSrc) || w.TPSrc == h.TPSrc) &&
		(!tp || wild(of10.WildTPDst) || w.TPDst == h.TPDst)
}

// frame returns a random header as packet.Parse gives it.
func frame(r *rand.Rand) packet.Header {
	h := packet.Header{InPort: uint32(r.IntN(4)), DLVLAN: 0xffff, DLType: []uint16{0x800, 0x800, 0x806, 0x88cc, 0x5ff}[r.IntN(5)]}
	h.DLDst[5] = byte(r.IntN(2))
	if r.IntN(2) == 0 {
		h.DLVLAN, h.DLVLANPCP = uint16(r.IntN(4)), uint8(r.IntN(3))
	}
	if h.DLType == 0x800 || h.DLType == 0x806 {
		h.NWProto = []uint8{0, 1, 2, 6, 17, 255}[r.IntN(6)]
		h.NWSrc, h.NWDst = uint32(r.IntN(4))<<30|uint32(r.IntN(3)), uint32(r.IntN(3))
	}
	if h.DLType == 0x800 {
		h.NWTos = uint8(r.IntN(3) * 4)
		if h.NWProto == 1 || h.NWProto == 6 || h.NWProto == 17 {
			h.TPSrc, h.TPDst = uint16(r.IntN(3)), uint16(r.IntN(3))
		}
	}
	return h
}

func TestFromMatchAgreesWithSpecification(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	hits := 0
	for range 50000 {
		h := frame(r)
		x := frame(r)
		w := of10.Match{
			Wildcards: r.Uint32()&r.Uint32() | uint32(r.IntN(2))*r.Uint32(), InPort: of10.Port(x.InPort), DLDst: ofwire.MAC(x.DLDst),
			DLVLAN: x.DLVLAN, DLVLANPCP: x.DLVLANPCP, DLType: x.DLType, NWTos: x.NWTos | uint8(r.IntN(4)), NWProto: x.NWProto,
			NWSrc: x.NWSrc, NWDst: x.NWDst, TPSrc: x.TPSrc, TPDst: x.TPDst,
		}
		m := FromMatch(w)
		want := wireMatches(w, &h)
		if got := m.Matches(&h); got != want {
			t.Fatalf("%+v as %s on %+v: got %v, want %v", w, m, h, got, want)
		}
		if want {
			hits++
		}
		if c, ok := m.Canonical(); !ok || c != m {
			t.Fatalf("%s is not canonical", m)
		}
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		back, err := ToMatches(m, 0)
		if err != nil || len(back) != 1 || back[0] != w.Normalize() {
			t.Fatalf("%+v comes back as %+v, %v", w.Normalize(), back, err)
		}
	}
	if hits < 2500 {
		t.Errorf("only %d hits", hits)
	}
}

func TestToMatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		m string
		n int
	}{
		{"any", 1},
		{"in_port=1|3|7", 3},
		{"dl_vlan=100-199", 100},
		{"dl_vlan=1-2|0xffff,in_port=4-5", 6},
		{"dl_vlan=0-4095|0xffff", 1},
		{"dl_type=0x800|0x806,nw_src=10.0.0.0/8", 2},
		{"tcp,tp_dst=80-89,nw_dst=10.0.0.0/9", 10},
		{"ip,nw_proto=6|17,tp_dst=53", 2},
		{"ip,nw_tos=0|8-16", 4},
		{"dl_vlan_pcp=0-3,dl_vlan=0xffff", 1},
		{"dl_vlan_pcp=0-3,dl_vlan=7|0xffff", 5},
		{"dl_vlan_pcp=2,dl_vlan=0xffff", 0},
		{"dl_dst=ff:ff:ff:ff:ff:ff,in_port=65535", 1},
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, tt := range tests {
		m := match(t, tt.m)
		got, err := ToMatches(m, 0)
		if err != nil || len(got) != tt.n {
			t.Errorf("%s: got %d matches, %v, want %d", tt.m, len(got), err, tt.n)
		}
		if tt.n > 1 {
			if _, err := ToMatches(m, tt.n-1); !errors.Is(err, ErrTooMany) {
				t.Errorf("%s: limit %d gave %v", tt.m, tt.n-1, err)
			}
		}
		if again, err := ToMatches(m, max(tt.n, 1)); err != nil || cmp.Diff(got, again) != "" {
			t.Errorf("%s: with limit %d: %v", tt.m, tt.n, err)
		}
		for range 2000 {
			h := frame(r)
			n := 0
			for _, w := range got {
				if wireMatches(w, &h) {
					n++
				}
			}
			if want := m.Matches(&h); n > 1 || (n == 1) != want {
				t.Fatalf("%s: %d wire matches hold %+v, want %v", tt.m, n, h, want)
			}
		}
	}
}

// A point of the header space is one wire match whatever the protocol, with the
// fields the protocol does not have left wild.
func TestToMatchesOfPoints(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		h, o := frame(r), frame(r)
		got, err := ToMatches(flowspace.PointMatch(&h), 1)
		if err != nil || len(got) != 1 || got[0] != got[0].Normalize() {
			t.Fatalf("%+v: %v, %v", h, got, err)
		}
		if !wireMatches(got[0], &h) || wireMatches(got[0], &o) != (h == o) {
			t.Fatalf("%+v as %+v against %+v", h, got[0], o)
		}
	}
}

func TestToMatchesInexpressive(t *testing.T) {
	t.Parallel()
	for _, m := range []flowspace.Match{
		{NWSrc: flowspace.IPv4Prefix(1, 32)},
		{TPDst: flowspace.One(80)},
		{DLType: flowspace.One(0x800), TPDst: flowspace.One(80)},
		{DLDst: flowspace.MACMask{Addr: 1 << 40, Mask: 1 << 40}},
		{DLType: flowspace.One(0x800), NWDst: flowspace.Prefix{Addr: 0, Mask: 1}},
	} {
		if got, err := ToMatches(m, 0); !errors.Is(err, ErrInexpressive) {
			t.Errorf("%s: got %v, %v", m, got, err)
		}
	}
	none, err := ToMatches(flowspace.Match{DLType: flowspace.One(0x88cc), NWDst: flowspace.IPv4Prefix(1, 32)}, 0)
	if err != nil || len(none) != 0 {
		t.Errorf("a region no frame is in: got %v, %v", none, err)
	}
}
