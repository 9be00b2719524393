package flowspace

import "fmt"

// MapKind chooses how the rules of a datapath are indexed.
type MapKind uint8

// The kinds of flow map.
const (
	Federated MapKind = iota // bitsets per field value; the default
	Linear                   // a plain ordered list: the oracle
)

// String returns the name.
func (k MapKind) String() string {
	if k == Linear {
		return "linear"
	}
	return "federated"
}

// flowMap indexes the rules of one partition; immutable. A query names the
// datapath, because rules of several datapaths may be in one map.
type flowMap interface {
	// owner returns the first rule in order that matches, nil if none.
	owner(h *Header, dpid uint64) *Rule
	// overlapping appends, in order, the rules with a header in common with m.
	overlapping(m *Match, dpid uint64, dst []*Rule) []*Rule
	// each calls f in order until f returns false.
	each(f func(*Rule) bool)
	len() int
	// edit returns a map without remove and with add; both in order.
	edit(remove, add []*Rule) flowMap
}

var (
	_ flowMap = linearMap{}
	_ flowMap = (*federatedMap)(nil)
)

// newFlowMap returns an empty map; shared is for rules of many datapaths.
func newFlowMap(k MapKind, shared bool) flowMap {
	switch k {
	case Linear:
		return linearMap{}
	case Federated:
		return newFederatedMap(shared)
	}
	panic(fmt.Sprintf("flowspace: unknown map kind %d", k))
}

// ownerIn and overlappingIn name the maps there are, so that the compiler sees that
// none keeps the header or the match: through the interface each would be copied to
// the heap by whoever has it in a variable.

func ownerIn(f flowMap, h *Header, dpid uint64) *Rule {
	switch f := f.(type) {
	case *federatedMap:
		return f.owner(h, dpid)
	case linearMap:
		return f.owner(h, dpid)
	}
	return nil
}

func overlappingIn(f flowMap, m *Match, dpid uint64, dst []*Rule) []*Rule {
	switch f := f.(type) {
	case *federatedMap:
		return f.overlapping(m, dpid, dst)
	case linearMap:
		return f.overlapping(m, dpid, dst)
	}
	return dst
}

// overlappingInBoth appends, in order, what overlaps in either of two maps.
func overlappingInBoth(a, b flowMap, m *Match, dpid uint64, dst []*Rule) []*Rule {
	if f, ok := a.(*federatedMap); ok {
		if g, ok := b.(*federatedMap); ok {
			return overlappingBoth(f, g, m, dpid, dst)
		}
	}
	begin := len(dst)
	dst = overlappingIn(a, m, dpid, dst)
	mid := len(dst)
	dst = overlappingIn(b, m, dpid, dst)
	mergeRules(dst[begin:], mid-begin)
	return dst
}

// scanIn hands the rules that overlap m to f, a few at a time, until f returns false.
func scanIn(fm flowMap, m *Match, dpid uint64, f func([]*Rule) bool) {
	var buf [64]*Rule
	switch fm := fm.(type) {
	case *federatedMap:
		fm.scan(m, dpid, buf[:0], f)
	case linearMap:
		fm.each(func(r *Rule) bool {
			return !r.Match.Overlaps(m) || !r.DPIDs.Has(dpid) || f(append(buf[:0], r))
		})
	}
}

// linearMap walks all rules in order.
type linearMap struct{ list ruleList }

func (l linearMap) owner(h *Header, dpid uint64) *Rule {
	for _, c := range l.list.chunks {
		for _, r := range c.rules {
			if r.Match.Matches(h) && r.DPIDs.Has(dpid) {
				return r
			}
		}
	}
	return nil
}

func (l linearMap) overlapping(m *Match, dpid uint64, dst []*Rule) []*Rule {
	l.list.each(func(r *Rule) bool {
		if r.Match.Overlaps(m) && r.DPIDs.Has(dpid) {
			dst = append(dst, r)
		}
		return true
	})
	return dst
}

func (l linearMap) each(f func(*Rule) bool) { l.list.each(f) }

func (l linearMap) len() int { return l.list.n }

func (l linearMap) edit(remove, add []*Rule) flowMap {
	return linearMap{l.list.edit(remove, add)}
}
