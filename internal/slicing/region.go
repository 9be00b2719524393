package slicing

import (
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/flowtable"
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
		if p := flowtable.MakePattern(&list[i]); p.Possible() {
			out = appendPlain(out, p)
		}
	}
	return out, true
}

// appendPlain appends p as matches that all switches understand alike.
func appendPlain(dst []flowtable.Pattern, p flowtable.Pattern) []flowtable.Pattern {
	dst = append(dst, pinned(p))
	if q, ok := p.Untagged(); ok {
		dst = append(dst, pinned(q))
	}
	return dst
}

// pinned is p, but of all patterns that match one and the same header only one.
func pinned(p flowtable.Pattern) flowtable.Pattern {
	if p.IsPoint() {
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
