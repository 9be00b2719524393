package flowspace

import "slices"

// Shadowed reports whether the rule owns no header on any of its datapaths, because
// stronger rules cover its region there. What takes more than a million steps to
// decide counts as not shadowed.
func (s *Snapshot) Shadowed(id uint64) bool {
	r := s.Rule(id)
	return r != nil && s.shadowed(r)
}

func (s *Snapshot) shadowed(r *Rule) bool {
	covered := func(rules []*Rule) bool {
		i := slices.IndexFunc(rules, func(o *Rule) bool { return !o.Before(r) })
		if i >= 0 {
			rules = rules[:i]
		}
		c := cover{rules: rules, all: true, steps: coverSteps}
		return c.covered(&r.Match, 0)
	}
	if r.DPIDs.all { // datapaths nobody names have only the rules of all
		if s.shared == nil {
			return false
		}
		var rules []*Rule
		for _, o := range s.shared.rules.overlapping(&r.Match, 0, nil) {
			if o.DPIDs.all {
				rules = append(rules, o)
			}
		}
		return covered(rules)
	}
	for id := range r.DPIDs.List() {
		if !covered(s.View(id).Overlapping(r.Match, nil)) {
			return false
		}
	}
	return true
}

// Owned is what a rule really gives to a slice on one datapath.
type Owned struct {
	Rule *Rule
	// Regions are disjoint and make up what no stronger rule takes away. Exact is
	// false when they would be too many; then Regions is the whole rule.
	Regions []Match
	Exact   bool
}

// Owned returns what the slice owns with every bit of perm, the strongest rule first.
// Rules that own nothing are left out. A rule cut into more than limit regions is
// given whole (0: no limit).
func (v *View) Owned(slice string, perm Permission, limit int) []Owned {
	var list []Owned
	var buf []*Rule
	for _, r := range v.SliceRules(slice) {
		if !r.Allows(slice, perm) {
			continue
		}
		var cut []Match
		buf = v.Overlapping(r.Match, buf[:0])
		for _, o := range buf {
			if !o.Before(r) {
				break
			}
			cut = append(cut, o.Match)
		}
		regions, ok := r.Match.Subtract(limit, cut...)
		if !ok {
			regions = []Match{r.Match}
		}
		if len(regions) > 0 {
			list = append(list, Owned{r, regions, ok})
		}
	}
	return list
}

// FreeValues says which values of a field no rule names on some datapaths.
type FreeValues struct {
	// Values is what is free, when Any is true: VLANs among 1-4094, ports among
	// 1-65280, and other fields among all they can have.
	Values Set
	Any    bool
	// Open are the rules that leave the field open, in order: they match every value,
	// free or not, of whatever else they say.
	Open []*Rule
}

// Free returns which values of a field held as numbers no rule names on any of the
// datapaths. For other fields nothing is free.
func (s *Snapshot) Free(f Field, dpids DPIDSet) FreeValues {
	var free FreeValues
	switch f {
	case DLVLAN:
		free.Values = Span(1, maxVID-1)
	case InPort:
		free.Values = Span(1, 0xff00)
	case NWSrc, NWDst, DLSrc, DLDst:
		return free
	default:
		free.Values = f.Universe()
	}
	free.Any = true
	used := map[Set]bool{} // many rules name the same values
	s.Each(func(r *Rule) bool {
		if !r.DPIDs.Overlaps(dpids) {
			return true
		}
		if v := r.Match.set(f); v.IsAny() {
			free.Open = append(free.Open, r)
		} else {
			used[*v] = true
		}
		return true
	})
	var ranges []Range
	for v := range used {
		ranges = slices.AppendSeq(ranges, v.Ranges())
	}
	if u, ok := SetOf(ranges...); ok {
		free.Values, free.Any = free.Values.Subtract(u)
	}
	if f == NWTos && free.Any {
		free.Values, free.Any = trimTos(free.Values)
	}
	return free
}
