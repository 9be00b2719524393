package flowspace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// Those who hold a snapshot get its answers, without a lock, while later ones are made
// from it: run with the race detector.
func TestReadersDuringChanges(t *testing.T) {
	t.Parallel()
	r := newRand(t, 31)
	use := []Field{InPort, DLVLAN, NWSrc, TPDst}
	var cs []Change
	for i := range 600 {
		x := exactRule(r, use)
		if i%3 == 0 {
			x = confRule(r, use)
		}
		cs = append(cs, Change{Add, x})
	}
	s, _, err := New(Options{}).Apply(cs)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for step := range 200 {
		if step%10 == 0 {
			held, p, seed := s, plain(s.Rules()), uint64(step)
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, 1))
				for range rounds(100) {
					dpid := testDPIDs[r.IntN(len(testDPIDs))]
					v, h, m := held.View(dpid), confHeader(r), randMatch(r, use)
					if got, want := v.Owner(&h), p.owner(dpid, &h); got != want {
						t.Errorf("owner: got %v, want %v", got, want)
						return
					}
					if got, want := v.Overlapping(m, nil), p.overlapping(dpid, &m); !slices.Equal(got, want) {
						t.Errorf("overlapping: got %v, want %v", got, want)
						return
					}
					v.Slices()
					v.PortsOf("a")
				}
			})
		}
		all := s.Rules()
		change := Change{Remove, all[r.IntN(len(all))]}
		switch x := exactRule(r, use); step % 3 {
		case 0:
			change = Change{Add, x}
		case 1:
			x.ID = change.Rule.ID
			change = Change{Update, x}
		}
		if s, _, err = s.Apply([]Change{change}); err != nil {
			t.Fatal(err)
		}
	}
}

// A million headers have the same owner by shapes, by fields, and in the plain list.
func TestOwnersOfAMillionHeaders(t *testing.T) {
	t.Parallel()
	r := newRand(t, 32)
	owned := 0
	for set := range 25 {
		use := randFields(r, 1+r.IntN(5))
		var cs []Change
		for range 120 {
			x := exactRule(r, use)
			if set%5 == 0 {
				x = confRule(r, use)
			}
			x.DPIDs = DPIDs(1)
			cs = append(cs, Change{Add, x})
		}
		s, _, err := New(Options{}).Apply(cs)
		if err != nil {
			t.Fatal(err)
		}
		p, v := plain(s.Rules()), s.View(1)
		m := v.own.rules.(*federatedMap)
		for range rounds(40000) {
			h := confHeader(r)
			for _, f := range use {
				if r.IntN(3) > 0 {
					copyField(&h, &p[r.IntN(len(p))].Match, f)
				}
			}
			want := p.owner(1, &h)
			if got, byFields := v.Owner(&h), m.search(&h, 1); got != want || byFields != want {
				t.Fatalf("%+v: by shapes %v, by fields %v, want %v", h, got, byFields, want)
			}
			if want != nil {
				owned++
			}
		}
	}
	if owned < rounds(100_000) {
		t.Errorf("only %d had an owner", owned)
	}
}

// A change names every slice that has a rule overlapping it on its datapaths, and no
// other, unless the rule overlaps hundreds.
func TestAffectedSlicesAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := newRand(t, 33)
	use := []Field{InPort, DLVLAN, DLSrc}
	var cs []Change
	for i := range 900 {
		x := confRule(r, use)
		if i < 700 {
			x = exactRule(r, use)
			x.DPIDs = DPIDs(1)
		}
		x.Grants = []Grant{{fmt.Sprint("s", r.IntN(60)), 7}}
		cs = append(cs, Change{Add, x})
	}
	s, _, err := New(Options{}).Apply(cs)
	if err != nil {
		t.Fatal(err)
	}
	exact := 0
	for range 300 {
		x := exactRule(r, use)
		x.Grants = []Grant{{"new", 7}}
		next, a, err := s.Apply([]Change{{Add, x}})
		if err != nil {
			t.Fatal(err)
		}
		want, overlapping := map[string]bool{"new": true}, 0
		s.Each(func(o *Rule) bool {
			if o.DPIDs.Overlaps(x.DPIDs) && o.Match.Overlaps(&a.Rules[0].Match) {
				overlapping++
				want[o.Grants[0].Slice] = true
			}
			return true
		})
		for name := range want {
			if _, ok := slices.BinarySearch(a.Slices, name); !ok {
				t.Fatalf("%v: %s is missing in %v", x, name, a.Slices)
			}
		}
		if overlapping < visitMax {
			if exact++; len(a.Slices) != len(want) {
				t.Fatalf("%v: got %d slices, want %d", x, len(a.Slices), len(want))
			}
		}
		_, back, err := next.Apply([]Change{{Remove, a.Rules[0]}})
		if err != nil || !slices.Equal(back.Slices, a.Slices) {
			t.Fatalf("removed again: %v, %v instead of %v", err, back.Slices, a.Slices)
		}
	}
	if exact < 50 || exact > 295 {
		t.Errorf("%d of 300 changes overlapped few rules", exact)
	}
}
