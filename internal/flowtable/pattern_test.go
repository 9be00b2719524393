package flowtable

import (
	"math/rand/v2"
	"testing"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// plainPoint is Pattern.IsPoint, in words of the match.
func plainPoint(m of10.Match) bool {
	const always = of10.WildInPort | of10.WildDLSrc | of10.WildDLDst | of10.WildDLVLAN | of10.WildDLType
	if m.Wildcards&always != 0 || m.Wildcards&of10.WildDLVLANPCP != 0 && m.DLVLAN != of10.VLANNone {
		return false
	}
	const nw = of10.WildNWProto | of10.WildNWSrcMask | of10.WildNWDstMask
	const tp = of10.WildTPSrc | of10.WildTPDst
	switch m.DLType {
	case of10.EtherTypeARP:
		return m.Wildcards&nw == 0
	case of10.EtherTypeIPv4:
		if m.Wildcards&(nw|of10.WildNWTos) != 0 {
			return false
		}
		hasPorts := m.NWProto == of10.ProtoTCP || m.NWProto == of10.ProtoUDP || m.NWProto == of10.ProtoICMP
		return !hasPorts || m.Wildcards&tp == 0
	}
	return true
}

func TestIsPointAndPossible(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	points, impossible := 0, 0
	for range 200000 {
		w := Words{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64() & 7}
		pick := func(list ...uint64) uint64 { return list[rng.IntN(len(list))] }
		w[1] = w[1]&macMask | pick(7, packet.VLANNone)<<vlanAt
		w[3] = w[3]&0xffff_ffff_fc00 | pick(packet.TypeARP, packet.TypeIPv4, 0x86dd)<<typeAt | pick(1, 6, 17, 47, 0)
		w[4] = pick(0, w[4])
		h := w.Header()
		// A wildcard or two: random ones would hardly ever leave a point.
		m := of10.Match{
			InPort: of10.Port(h.InPort), DLSrc: h.DLSrc, DLDst: h.DLDst, DLVLAN: h.DLVLAN, DLVLANPCP: h.DLVLANPCP, DLType: h.DLType,
			NWTos: h.NWTos, NWProto: h.NWProto, NWSrc: h.NWSrc, NWDst: h.NWDst, TPSrc: h.TPSrc, TPDst: h.TPDst,
		}
		for range rng.IntN(3) {
			m.Wildcards |= 1 << rng.IntN(22)
		}
		if rng.IntN(2) == 0 {
			m = m.Normalize()
		}
		p := MakePattern(&m)
		want := plainPoint(p.Match())
		if got := p.IsPoint(); got != want {
			t.Fatalf("IsPoint of %v is %v", m, got)
		}
		v := p.Value.Header()
		can := v.DLVLANPCP == 0 || v.DLVLAN != packet.VLANNone
		if got := p.Possible(); got != can {
			t.Fatalf("Possible of %v is %v", m, got)
		}
		back := p.Match()
		if port, ok := p.InPort(); ok != (back.Wildcards&of10.WildInPort == 0) || of10.Port(port) != back.InPort {
			t.Fatalf("InPort of %v is %d, %v", m, port, ok)
		}
		if want {
			points++
		}
		if !can {
			impossible++
		}
	}
	if points < 10000 || impossible < 1000 {
		t.Errorf("only %d points and %d impossible ones tried", points, impossible)
	}
}
