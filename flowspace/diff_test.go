package flowspace

import (
	"slices"
	"testing"
)

// Diff is what comparing all rules would say, for any two views of a history.
func TestDiff(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(40) {
		kind := []MapKind{Federated, Federated, Linear}[seed%3]
		r := newRand(t, seed)
		use := randFields(r, 3)
		s := New(Options{Map: kind})
		history := []*Snapshot{s}
		for range 25 {
			var changes []Change
			for range 1 + r.IntN(1<<r.IntN(8)) {
				switch rules := s.Rules(); {
				case len(rules) > 0 && r.IntN(3) == 0:
					id := rules[r.IntN(len(rules))].ID
					if slices.ContainsFunc(changes, func(c Change) bool { return c.Rule.ID == id }) {
						continue
					}
					changes = append(changes, Change{Op: Remove, Rule: &Rule{ID: id}})
				default:
					changes = append(changes, Change{Op: Add, Rule: confRule(r, use)})
				}
			}
			next, _, err := s.Apply(changes)
			if err != nil {
				t.Fatal(err)
			}
			s = next
			history = append(history, s)
		}
		for range 40 {
			before, after := history[r.IntN(len(history))], history[r.IntN(len(history))]
			for _, dpid := range testDPIDs {
				old, v := before.View(dpid), after.View(dpid)
				if r.IntN(20) == 0 {
					old = &View{dpid: dpid}
				}
				had, has := old.Rules(), v.Rules()
				wantRemoved := slices.DeleteFunc(slices.Clone(had), func(x *Rule) bool { return slices.Contains(has, x) })
				wantAdded := slices.DeleteFunc(slices.Clone(has), func(x *Rule) bool { return slices.Contains(had, x) })
				removed, added := v.Diff(old)
				if !slices.Equal(removed, wantRemoved) || !slices.Equal(added, wantAdded) {
					t.Fatalf("seed %d, %v, dpid %d: removed %v added %v, want %v and %v", seed, kind, dpid, removed, added, wantRemoved, wantAdded)
				}
				found += len(removed) + len(added)
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d changes seen", found)
	}
}
