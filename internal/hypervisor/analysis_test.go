package hypervisor

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/flowspace"
)

// One rule below very many does not make the list of conflicts any longer than it may be.
func TestConflictsAreBounded(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	var changes []RuleChange
	for i := range uint32(mostConflicts + 50) {
		r := newRule(t, fmt.Sprint("n", i), "1", "any", "a=7")
		r.Match.InPort, r.Match.DLVLAN = flowspace.One(i%100), flowspace.One(i/100)
		changes = append(changes, RuleChange{Op: flowspace.Add, Rule: r})
	}
	if _, err := s.ChangeRules(t.Context(), Local(), changes, false); err != nil {
		t.Fatal(err)
	}
	mustRule(t, s, "below", "any", "any", "b=7")
	all, more, err := s.Conflicts(t.Context(), Local(), "", nil)
	if err != nil || len(all) != mostConflicts || !more {
		t.Errorf("%d conflicts, want %d; more %v; %v", len(all), mostConflicts, more, err)
	}
	gone := make([]RuleChange, 50)
	for i := range gone {
		gone[i] = RuleChange{Op: flowspace.Remove, Ref: fmt.Sprint("n", i)}
	}
	if _, err := s.ChangeRules(t.Context(), Local(), gone, false); err != nil {
		t.Fatal(err)
	}
	all, more, err = s.Conflicts(t.Context(), Local(), "", nil)
	if err != nil || len(all) != mostConflicts || more {
		t.Errorf("of exactly %d: %d conflicts, more %v; %v", mostConflicts, len(all), more, err)
	}
}

// TestConflictsAgainstEveryPair compares the conflicts of random flowspaces with what a
// look at every pair of rules says.
func TestConflictsAgainstEveryPair(t *testing.T) {
	t.Parallel()
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 0))
	overlaps, shadowed := 0, 0
	for round := range 40 {
		s := newService(t)
		for _, name := range []string{"a", "b", "c"} {
			mustSlice(t, s, name)
		}
		var changes []RuleChange
		for i := range 12 {
			match := flowspace.Match{}
			if r.IntN(3) > 0 {
				lo := uint32(r.IntN(6))
				match.DLVLAN = flowspace.Span(lo, lo+uint32(r.IntN(4)))
			}
			if r.IntN(2) > 0 {
				match.InPort = flowspace.One(uint32(1 + r.IntN(2)))
			}
			rule := &flowspace.Rule{Name: fmt.Sprint("r", i), Match: match, Priority: uint32(r.IntN(5)), DPIDs: flowspace.AllDPIDs(), Grants: []flowspace.Grant{{Slice: string("abc"[r.IntN(3)]), Perm: 7}}}
			if r.IntN(4) > 0 {
				rule.DPIDs = flowspace.DPIDs(uint64(1+r.IntN(3)), uint64(1+r.IntN(3)))
			}
			changes = append(changes, RuleChange{Op: flowspace.Add, Rule: rule})
		}
		if _, err := s.ChangeRules(t.Context(), Local(), changes, false); err != nil {
			t.Fatal(err)
		}
		var rules []*flowspace.Rule
		s.Flowspace().Each(func(r *flowspace.Rule) bool { rules = append(rules, r); return true })
		want := map[string]bool{}
		for i, weak := range rules {
			for _, strong := range rules[:i] {
				if region, some := weak.Match.Intersect(strong.Match); some && weak.DPIDs.Overlaps(strong.DPIDs) && !sameSlices(weak, strong) {
					want[fmt.Sprintf("%s under %s on %s", weak.Name, strong.Name, region)] = true
					overlaps++
				}
			}
			if s.Flowspace().Shadowed(weak.ID) {
				want[weak.Name+" has nothing"] = true
				shadowed++
			}
		}
		all, more, err := s.Conflicts(t.Context(), Local(), "", nil)
		if err != nil || more {
			t.Fatal(more, err)
		}
		got := map[string]bool{}
		for _, k := range all {
			text := fmt.Sprintf("%s under %s on %s", k.Rule.Name, k.Other.Name, k.Region)
			if k.Shadowed {
				text = k.Rule.Name + " has nothing"
			}
			if got[text] {
				t.Errorf("seed %d, round %d: %s is there twice", seed, round, text)
			}
			got[text] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d, round %d, rules %v (-want +got):\n%s", seed, round, rules, diff)
		}
	}
	if overlaps < 300 || shadowed < 50 {
		t.Errorf("%d overlaps and %d shadowed rules are too few to judge", overlaps, shadowed)
	}
}
