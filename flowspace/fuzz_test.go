package flowspace

import (
	"math/rand/v2"
	"testing"
)

// FuzzAlgebra checks the laws on any two regions that can be written, with headers
// from both sides of every edge.
func FuzzAlgebra(f *testing.F) {
	for i, a := range matchTexts {
		f.Add(a.in, matchTexts[(i*7+3)%len(matchTexts)].in, uint64(i))
	}
	f.Add("in_port=1|5-9|65535,dl_vlan=0|0xffff", "in_port=6-7,dl_vlan=0-4095", uint64(1))
	f.Fuzz(func(t *testing.T, at, bt string, seed uint64) {
		a, aerr := ParseMatch(at)
		b, berr := ParseMatch(bt)
		if aerr != nil || berr != nil {
			return
		}
		x, overlap := a.Intersect(b)
		minus, exact := a.Subtract(10000, b)
		rel, back := a.Relation(b), b.Relation(a)
		if mirrored := map[MatchType]MatchType{None: None, Equal: Equal, Subset: Superset, Superset: Subset, Intersect: Intersect}; back != mirrored[rel] {
			t.Fatalf("%s to %s is %v, back %v", a, b, rel, back)
		}
		if overlap != (rel != None) || a.Contains(b) != (rel == Equal || rel == Superset) || overlap && (!a.Contains(x) || !b.Contains(x)) {
			t.Fatalf("%s and %s: relation %v, intersection %s %v", a, b, rel, x, overlap)
		}
		if exact && (len(minus) == 0) != (rel == Equal || rel == Subset) {
			t.Fatalf("%s - %s = %v, relation %v", a, b, minus, rel)
		}
		r := rand.New(rand.NewPCG(seed, 9))
		var values [numFields][]uint64
		for fd := range numFields {
			values[fd] = cells(fd, []Match{a, b})
		}
		for range 200 {
			var h Header
			for fd := range numFields {
				setHeader(&h, fd, values[fd][r.IntN(len(values[fd]))])
			}
			ma, mb := a.Matches(&h), b.Matches(&h)
			if got := overlap && x.Matches(&h); got != (ma && mb) {
				t.Fatalf("%s ∩ %s = %s: wrong at %+v", a, b, x, h)
			}
			n := 0
			for i := range minus {
				if minus[i].Matches(&h) {
					n++
				}
			}
			if exact && (n > 1 || (n == 1) != (ma && !mb)) {
				t.Fatalf("%s - %s = %v: %d pieces hold %+v", a, b, minus, n, h)
			}
		}
	})
}
