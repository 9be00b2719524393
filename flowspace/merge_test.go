package flowspace

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// overlapsLikeList compares what overlaps on a datapath with the plain rules, for regions
// of all kinds, and returns how many rules were found.
func overlapsLikeList(t *testing.T, r *rand.Rand, s *Snapshot, dpid uint64, queries int) (found int) {
	t.Helper()
	p, v := plain(s.Rules()), s.View(dpid)
	for i := range queries {
		h := denseHeader(r, p)
		m := p[r.IntN(len(p))].Match
		switch i % 5 {
		case 0:
			m = PointMatch(&h)
		case 1:
			m = Match{DLVLAN: Span(uint32(r.IntN(4096)), 4095)}
		case 2:
			m = Match{InPort: Span(h.InPort, h.InPort+uint32(r.IntN(300)))} // more values than a query keeps rows of
		case 3:
			m = Match{DLType: ipOnly, NWSrc: IPv4Prefix(h.NWSrc, r.IntN(33)), NWDst: Prefix{h.NWDst & 0xff0000ff, 0xff0000ff}}
		}
		got, want := v.Overlapping(m, nil), p.overlapping(dpid, &m)
		if !slices.Equal(got, want) {
			t.Fatalf("overlapping %s on %d: got %d rules, want %d, the same ones: %v", m, dpid, len(got), len(want), sameMembers(got, want))
		}
		found += len(got)
	}
	return found
}

func sameMembers(a, b []*Rule) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.SortFunc(a, compareRules)
	slices.SortFunc(b, compareRules)
	return slices.Equal(a, b)
}

// Rules of one datapath and rules of all, both over hundreds of words: first in rule
// order, then with blocks split among them.
func TestOverlappingInManyWords(t *testing.T) {
	t.Parallel()
	queries := 200
	if testing.Short() {
		queries = 60
	}
	r := newRand(t, 31)
	rules := func(n int, priority func() uint32) (cs []Change) {
		for i := range n {
			dpids := DPIDs(1)
			if i%3 == 0 {
				dpids = AllDPIDs()
			}
			x := denseRule(r, dpids, i%7 == 0)
			x.Priority = priority()
			cs = append(cs, Change{Add, x})
		}
		return cs
	}
	s, _, err := New(Options{}).Apply(rules(20_000, func() uint32 { return uint32(100 * r.IntN(4)) }))
	if err != nil {
		t.Fatal(err)
	}
	federated := func(p *partition) *federatedMap { return p.rules.(*federatedMap) }
	check := func(ordered bool) {
		t.Helper()
		v := s.View(1)
		for _, m := range []*federatedMap{federated(v.own), federated(v.shared)} {
			checkFederated(t, m)
			if m.inOrder != ordered || len(m.order) < partWords+together {
				t.Fatalf("%d words, in order: %v", len(m.order), m.inOrder)
			}
		}
		if n := overlapsLikeList(t, r, s, 1, queries); n < 100*queries {
			t.Errorf("only %d rules found", n)
		}
		overlapsLikeList(t, r, s, 2, queries/4)
	}
	check(true)
	for range 40 {
		between := func() uint32 { return 150 }
		if s, _, err = s.Apply(rules(30, between)); err != nil {
			t.Fatal(err)
		}
	}
	check(false)
}

// Ids that do not fit into a key, priorities at both ends, and rules of one priority on
// one datapath and on all in turn.
func TestOverlappingInRuleOrder(t *testing.T) {
	t.Parallel()
	for _, first := range []uint64{1, 1<<keyIDs - 300, 1 << keyIDs, 1<<62 - 300} {
		r := newRand(t, 32)
		var cs []Change
		for range 600 {
			x := &Rule{DPIDs: DPIDs(1), Priority: []uint32{0, 1, 7, MaxPriority - 1, MaxPriority}[r.IntN(5)], Grants: []Grant{{"a", 7}}}
			if r.IntN(2) == 0 {
				x.DPIDs = AllDPIDs()
			}
			if r.IntN(2) == 0 {
				x.Match.DLVLAN = One(uint32(r.IntN(2)))
			}
			cs = append(cs, Change{Add, x})
		}
		s, _, err := New(Options{NextID: first}).Apply(cs)
		if err != nil {
			t.Fatal(err)
		}
		p := plain(s.Rules())
		if last := p[len(p)-1]; last.ID < first || !slices.IsSortedFunc(p, compareRules) {
			t.Fatalf("rules from id %d: %v", first, last)
		}
		for _, m := range []Match{{}, {DLVLAN: One(0)}, {DLVLAN: One(1), InPort: One(3)}, {DLVLAN: One(2)}} {
			if got, want := s.View(1).Overlapping(m, nil), p.overlapping(1, &m); !slices.Equal(got, want) {
				t.Errorf("from id %d: overlapping %s: got %d rules, want %d, the same ones: %v", first, m, len(got), len(want), sameMembers(got, want))
			}
		}
		for i := range p[1:] {
			if k, l := orderKey(p[i]), orderKey(p[i+1]); k > l || k == l && p[i].ID < 1<<keyIDs-1 {
				t.Fatalf("keys %x and %x of %v and %v", k, l, p[i], p[i+1])
			}
		}
	}
}
