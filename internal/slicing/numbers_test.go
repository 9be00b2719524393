package slicing

import (
	"math/rand/v2"
	"testing"
)

// Numbers keep the order of pairs, whatever comes when, and few pairs have to move.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		next func(r *rand.Rand, n int) (rank int, level int32)
	}{
		{"ascending", func(_ *rand.Rand, n int) (int, int32) { return 0, levelOf(uint16(n)) }},
		{"descending", func(_ *rand.Rand, n int) (int, int32) { return 1, levelOf(uint16(20000 - n)) }},
		{"random", func(r *rand.Rand, _ int) (int, int32) { return r.IntN(3), levelOf(uint16(r.IntN(65536))) }},
		{"at one place", func(_ *rand.Rand, n int) (int, int32) { return 1, int32(100000 - 4*n) }},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		ranks := []*rank{{pos: 0}, {pos: 1}, {pos: 2}}
		var n numbering
		n.get(ranks[2], levelGuard)
		n.get(ranks[1], levelGuard)
		moved := 0
		for i := range 20000 {
			k, level := c.next(r, i)
			p, moves := n.get(ranks[k], level)
			if p == nil {
				t.Fatalf("%s: no number for pair %d", c.name, i)
			}
			moved += len(moves)
		}
		for i := 1; i < len(n.order); i++ {
			if n.order[i-1].number >= n.order[i].number {
				t.Fatalf("%s: numbers %d and %d out of order", c.name, n.order[i-1].number, n.order[i].number)
			}
		}
		if moved > 40*20000 {
			t.Errorf("%s: %d moves for 20000 pairs", c.name, moved)
		}
	}
	var full numbering
	only := &rank{}
	for level := range int32(70000) {
		p, _ := full.get(only, level<<1)
		if (p == nil) != (level > maxNumber) {
			t.Fatalf("pair %d: %v", level, p)
		}
		if p != nil && int32(p.number) != level {
			t.Fatalf("a lone rank's priority %d became %d", level, p.number)
		}
	}
}
