package slicing

import (
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// regionOf is the region of a packed match.
func regionOf(p *flowtable.Pattern) flowspace.Match { return fs10.FromMatch(p.Match()) }

// patternsOf turns a region into packed matches; ok is false when there would be
// more than limit.
func patternsOf(r *flowspace.Match, limit int) (out []flowtable.Pattern, ok bool) {
	list, err := fs10.ToMatches(*r, limit)
	if err != nil {
		return nil, false
	}
	out = make([]flowtable.Pattern, 0, len(list))
	for i := range list {
		if p := flowtable.MakePattern(&list[i]); possible(&p) {
			out = append(out, pinned(p))
		}
	}
	return out, true
}

// possible reports whether any header can lie in p: untagged frames have no VLAN
// priority.
func possible(p *flowtable.Pattern) bool {
	h := p.Value.Header()
	return h.DLVLANPCP == 0 || h.DLVLAN != packet.VLANNone
}

// pinned is p, but of all patterns that match one and the same header only one.
func pinned(p flowtable.Pattern) flowtable.Pattern {
	if isPoint(&p) {
		p.PinUntagged()
	}
	return p
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
