package flowspace

import (
	"slices"
)

// View is what one datapath sees of a snapshot: immutable, read without locks,
// valid as long as somebody holds it.
type View struct {
	dpid   uint64
	own    *partition // rules of this datapath, nil if none
	shared *partition // rules of many datapaths, nil if none
}

// DPID returns the datapath id.
func (v *View) DPID() uint64 { return v.dpid }

// Same reports whether o is known to have the same rules; false may be wrong.
func (v *View) Same(o *View) bool {
	return o != nil && v.dpid == o.dpid && v.own == o.own && v.shared == o.shared
}

// Owner returns the rule that owns h, nil if there is none. It does not allocate.
func (v *View) Owner(h *Header) *Rule {
	var own, shared *Rule
	if v.own != nil {
		own = ownerIn(v.own.rules, h, v.dpid)
	}
	if v.shared != nil {
		shared = ownerIn(v.shared.rules, h, v.dpid)
	}
	if own == nil || shared != nil && shared.Before(own) {
		return shared
	}
	return own
}

// Overlapping appends to dst the rules that have a header in common with m, the
// strongest first, and returns it.
func (v *View) Overlapping(m Match, dst []*Rule) []*Rule { return v.AppendOverlapping(dst, &m) }

// AppendOverlapping is Overlapping for a match that is in memory already: a Match is
// large, and the one of the caller of Overlapping has to be copied there first.
func (v *View) AppendOverlapping(dst []*Rule, m *Match) []*Rule {
	switch {
	case v.own != nil && v.shared != nil:
		return overlappingInBoth(v.own.rules, v.shared.rules, m, v.dpid, dst)
	case v.own != nil:
		return overlappingIn(v.own.rules, m, v.dpid, dst)
	case v.shared != nil:
		return overlappingIn(v.shared.rules, m, v.dpid, dst)
	}
	return dst
}

// mergeRules puts rules in order when rules[:mid] and rules[mid:] already are.
func mergeRules(rules []*Rule, mid int) {
	if mid == 0 || mid == len(rules) || rules[mid-1].Before(rules[mid]) {
		return
	}
	var buf [64]*Rule
	left := append(buf[:0], rules[:mid]...)
	right, out := rules[mid:], rules[:0]
	for len(left) > 0 {
		if len(right) > 0 && right[0].Before(left[0]) {
			out = append(out, right[0])
			right = right[1:]
		} else {
			out = append(out, left[0])
			left = left[1:]
		}
	}
}

// Rules returns all rules of the datapath in order, freshly allocated.
func (v *View) Rules() []*Rule { return v.Overlapping(Match{}, nil) }

// Slices returns the names of the slices with any permission here, sorted.
func (v *View) Slices() []string {
	set := map[string]bool{}
	v.own.addNames(set)
	for s, rules := range v.shared.slices() {
		if !set[s] && slices.ContainsFunc(rules, v.here) {
			set[s] = true
		}
	}
	names := make([]string, 0, len(set))
	for s := range set {
		names = append(names, s)
	}
	slices.Sort(names)
	return names
}

func (v *View) here(r *Rule) bool { return r.DPIDs.Has(v.dpid) }

// SliceRules returns the rules that grant the slice anything here, in order.
func (v *View) SliceRules(slice string) []*Rule {
	rules := slices.Clone(v.own.slices()[slice])
	mid := len(rules)
	for _, r := range v.shared.slices()[slice] {
		if v.here(r) {
			rules = append(rules, r)
		}
	}
	mergeRules(rules, mid)
	return rules
}

// PortsOf returns the ports a slice may use here: the union of in_port over its
// rules with READ or WRITE. ok is false when it has none.
func (v *View) PortsOf(slice string) (ports Set, ok bool) {
	for _, r := range v.SliceRules(slice) {
		if r.Permission(slice)&(Read|Write) == 0 {
			continue
		}
		if !ok {
			ports, ok = r.Match.InPort, true
		} else if !ports.IsAny() && !ports.Contains(r.Match.InPort) {
			ports = ports.Union(r.Match.InPort)
		}
	}
	if ok {
		ports, _ = InPort.canonical(ports)
	}
	return ports, ok
}

// coverSteps bounds the work of Covered: beyond it the answer is no.
const coverSteps = 1 << 20

// Covered reports whether every header of m is owned by a rule that grants slice
// every bit of perm, priorities respected. It is exact, except that a region that
// takes more than a million steps to decide counts as not covered.
func (v *View) Covered(slice string, perm Permission, m Match) bool {
	var buf [64]*Rule
	c := cover{rules: v.Overlapping(m, buf[:0]), slice: slice, perm: perm, steps: coverSteps}
	return c.covered(&m, 0)
}

type cover struct {
	rules []*Rule
	all   bool // every rule counts
	slice string
	perm  Permission
	steps int
}

// covered decides for what rules[:from] leave of m.
func (c *cover) covered(m *Match, from int) bool {
	for i := from; i < len(c.rules); i++ {
		if c.steps--; c.steps < 0 {
			return false
		}
		r := c.rules[i]
		if !r.Match.Overlaps(m) {
			continue
		}
		if !c.all && !r.Allows(c.slice, c.perm) {
			return false
		}
		if r.Match.contains(m) {
			return true
		}
		var buf [8]Match
		pieces := m.appendMinus(buf[:0], &r.Match)
		for j := range pieces {
			if !c.covered(&pieces[j], i+1) {
				return false
			}
		}
		return true
	}
	return false
}
