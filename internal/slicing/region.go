package slicing

import (
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// regionOf is the region of a packed match.
func regionOf(p *flowtable.Pattern) flowspace.Match {
	m := p.Match()
	var r flowspace.Match
	exact := func(bit uint32, v uint32) flowspace.Set {
		if m.Wildcards&bit != 0 {
			return flowspace.Set{}
		}
		return flowspace.One(v)
	}
	r.InPort = exact(of10.WildInPort, uint32(m.InPort))
	r.DLVLAN = exact(of10.WildDLVLAN, uint32(m.DLVLAN))
	r.DLVLANPCP = exact(of10.WildDLVLANPCP, uint32(m.DLVLANPCP))
	r.DLType = exact(of10.WildDLType, uint32(m.DLType))
	r.NWTos = exact(of10.WildNWTos, uint32(m.NWTos))
	r.NWProto = exact(of10.WildNWProto, uint32(m.NWProto))
	r.TPSrc = exact(of10.WildTPSrc, uint32(m.TPSrc))
	r.TPDst = exact(of10.WildTPDst, uint32(m.TPDst))
	if m.Wildcards&of10.WildDLSrc == 0 {
		r.DLSrc = flowspace.ExactMAC(m.DLSrc)
	}
	if m.Wildcards&of10.WildDLDst == 0 {
		r.DLDst = flowspace.ExactMAC(m.DLDst)
	}
	r.NWSrc = flowspace.IPv4Prefix(m.NWSrc, 32-m.NWSrcBits())
	r.NWDst = flowspace.IPv4Prefix(m.NWDst, 32-m.NWDstBits())
	return r
}

// patternsOf turns a region into disjoint packed matches; ok is false when there
// would be more than limit. A set of several values costs one match per value, as
// OpenFlow 1.0 has no ranges.
func patternsOf(r *flowspace.Match, limit int) (out []flowtable.Pattern, ok bool) {
	sets := [...]struct {
		set  flowspace.Set
		bit  uint32
		most uint64
	}{
		{r.InPort, of10.WildInPort, 1 << 16}, {r.DLVLAN, of10.WildDLVLAN, 1 << 16}, {r.DLVLANPCP, of10.WildDLVLANPCP, 8}, {r.DLType, of10.WildDLType, 1 << 16},
		{r.NWTos, of10.WildNWTos, 256}, {r.NWProto, of10.WildNWProto, 256}, {r.TPSrc, of10.WildTPSrc, 1 << 16}, {r.TPDst, of10.WildTPDst, 1 << 16},
	}
	total := uint64(1)
	for _, s := range sets {
		if !s.set.IsAny() {
			if total *= min(s.set.Size(), s.most); total > uint64(limit) {
				return nil, false
			}
		}
	}
	base := of10.MatchAll()
	base.Wildcards &^= of10.WildNWSrcMask | of10.WildNWDstMask
	n, _ := r.NWSrc.Bits()
	base.NWSrc = r.NWSrc.Addr
	base.SetNWSrcBits(32 - n)
	n, _ = r.NWDst.Bits()
	base.NWDst = r.NWDst.Addr
	base.SetNWDstBits(32 - n)
	if !r.DLSrc.IsAny() {
		base.DLSrc = r.DLSrc.MAC()
		base.Wildcards &^= of10.WildDLSrc
	}
	if !r.DLDst.IsAny() {
		base.DLDst = r.DLDst.MAC()
		base.Wildcards &^= of10.WildDLDst
	}
	var walk func(i int, m of10.Match)
	walk = func(i int, m of10.Match) {
		if i == len(sets) {
			if p := flowtable.MakePattern(&m); possible(&p) {
				out = append(out, p)
			}
			return
		}
		if sets[i].set.IsAny() {
			walk(i+1, m)
			return
		}
		m.Wildcards &^= sets[i].bit
		for rg := range sets[i].set.Ranges() {
			for v := rg.Lo; v <= min(rg.Hi, 0xffff); v++ {
				setMatchField(&m, sets[i].bit, v)
				walk(i+1, m)
			}
		}
	}
	walk(0, base)
	return out, true
}

func setMatchField(m *of10.Match, bit, v uint32) {
	switch bit {
	case of10.WildInPort:
		m.InPort = of10.Port(v)
	case of10.WildDLVLAN:
		m.DLVLAN = uint16(v)
	case of10.WildDLVLANPCP:
		m.DLVLANPCP = uint8(v)
	case of10.WildDLType:
		m.DLType = uint16(v)
	case of10.WildNWTos:
		m.NWTos = uint8(v) & 0xfc
	case of10.WildNWProto:
		m.NWProto = uint8(v)
	case of10.WildTPSrc:
		m.TPSrc = uint16(v)
	case of10.WildTPDst:
		m.TPDst = uint16(v)
	}
}

// possible reports whether any header can lie in p: untagged frames have no VLAN
// priority.
func possible(p *flowtable.Pattern) bool {
	h := p.Value.Header()
	return h.DLVLANPCP == 0 || h.DLVLAN != packet.VLANNone
}

// simple reports whether a region is one packed match.
func simple(r *flowspace.Match) bool {
	for _, s := range [...]*flowspace.Set{&r.InPort, &r.DLVLAN, &r.DLVLANPCP, &r.DLType, &r.NWTos, &r.NWProto, &r.TPSrc, &r.TPDst} {
		if _, one := s.Value(); !one && !s.IsAny() {
			return false
		}
	}
	return true
}

// isPoint reports whether p is exact in every field that means something for its
// frames. Switches differ in which of these they put above all priorities.
func isPoint(p *flowtable.Pattern) bool {
	m := p.Match()
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
