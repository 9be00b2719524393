package flowtable

import (
	"math/rand/v2"
	"testing"
)

// Flows come and go while the table grows bucket by bucket: each is found as long as it
// is there, and none twice.
func TestChains(t *testing.T) {
	t.Parallel()
	c, in := newChains(), map[Words]*Flow{}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		v := Words{uint64(r.IntN(3000)), 0, 7}
		at, hash := c.link(&v)
		if *at != in[v] {
			t.Fatalf("%v: found %p, want %p", v, *at, in[v])
		}
		f := &Flow{pat: Pattern{Value: v}}
		switch old := *at; {
		case old == nil:
			c.add(at, hash, f)
			in[v] = f
		case r.IntN(3) == 0:
			c.remove(at, old)
			delete(in, v)
		default:
			c.replace(at, old, f)
			in[v] = f
		}
	}
	n := 0
	for f := range c.all() {
		if n++; in[f.pat.Value] != f {
			t.Fatalf("%v is not in the table", f.pat.Value)
		}
	}
	if n != len(in) || c.n != len(in) {
		t.Errorf("%d flows, counted as %d, want %d", n, c.n, len(in))
	}
	longest := 0
	for _, f := range c.heads {
		n := 0
		for ; f != nil; f = f.chain {
			n++
		}
		longest = max(longest, n)
	}
	if longest > 12 {
		t.Errorf("%d flows of %d are in one bucket of %d", longest, c.n, len(c.heads))
	}
}
