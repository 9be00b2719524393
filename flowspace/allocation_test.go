package flowspace

import "testing"

func TestOwnerDoesNotAllocate(t *testing.T) {
	eachMap := []MapKind{Linear, Federated}
	for _, k := range eachMap {
		s := New(Options{Map: k})
		r := newRand(t, 5)
		use := []Field{InPort, DLVLAN, DLSrc, DLDst, NWSrc, TPDst}
		var cs []Change
		for range 3000 {
			cs = append(cs, Change{Add, confRule(r, use)})
		}
		s, _, err := s.Apply(cs)
		if err != nil {
			t.Fatal(err)
		}
		v := s.View(1)
		h := confHeader(r)
		if n := testing.AllocsPerRun(1000, func() {
			h.InPort++
			v.Owner(&h)
		}); n != 0 {
			t.Errorf("%v: %v allocations", k, n)
		}
	}
}

// A flow_mod is compared with the rules without allocating, the match being a
// variable of the caller and a prefix among its fields.
func TestOverlappingDoesNotAllocate(t *testing.T) {
	for _, k := range []MapKind{Linear, Federated} {
		r := newRand(t, 5)
		var cs []Change
		for _, x := range wildRules(r, 3000) {
			cs = append(cs, Change{Add, x})
		}
		s, _, err := New(Options{Map: k}).Apply(cs)
		if err != nil {
			t.Fatal(err)
		}
		v := s.View(1)
		dst := make([]*Rule, 0, 3000)
		found, i := 0, 0
		query := func() {
			i++
			m := Match{InPort: One(uint32(1 + i%48)), DLType: ipOnly, NWDst: IPv4Prefix(0x0a0a0000, 8+i%9)}
			found += len(v.Overlapping(m, dst[:0]))
		}
		for range 100 {
			query() // the rows get sorted
		}
		if n := testing.AllocsPerRun(1000, query); n != 0 || found == 0 {
			t.Errorf("%v: %v allocations, %d rules", k, n, found)
		}
	}
}

// Nor when hundreds of rules are found on one datapath and on all.
func TestOverlappingManyDoesNotAllocate(t *testing.T) {
	r := newRand(t, 5)
	var cs []Change
	for i, x := range wildRules(r, 4000) {
		if x.DPIDs = DPIDs(1); i%3 == 0 {
			x.DPIDs = AllDPIDs()
		}
		cs = append(cs, Change{Add, x})
	}
	s, _, err := New(Options{}).Apply(cs)
	if err != nil {
		t.Fatal(err)
	}
	v, dst, i := s.View(1), make([]*Rule, 0, 4000), 0
	if n := testing.AllocsPerRun(100, func() {
		i++
		m := Match{DLVLAN: One(uint32(i))}
		if got := v.Overlapping(m, dst[:0]); len(got) < 1000 {
			t.Fatalf("only %d rules", len(got))
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
