package flowspace

import (
	"slices"
	"testing"
)

// TestRuleSetVersions changes sets step by step, sharing between the versions; each one
// keeps just its own words, whatever form it has.
func TestRuleSetVersions(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(step, i, n int) int{
		"everywhere":    func(_, i, n int) int { return i % n },
		"few":           func(_, i, n int) int { return i % 9 * (n / 9) },
		"at the end":    func(step, i, n int) int { return min(step/4+i%3, n-1) },
		"full, then no": func(step, i, n int) int { return (step*7 + i%2) % n },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 5*partWords + 3 // words
			r := newRand(t, 17)
			type version struct {
				set   *ruleSet
				words []uint64
			}
			now := version{&ruleSet{}, make([]uint64, n)}
			var kept []version
			forms := map[bool]int{}
			for step := range 3000 {
				now.set = now.set.own(new(edit))
				for range 3 { // several changes share an edit
					w, bit := next(step, r.IntN(1<<20), n), uint(r.IntN(3))
					if now.words[w]>>bit&1 == 0 {
						now.words[w] |= 1 << bit
						now.set.set(uint32(w), bit)
					} else {
						now.words[w] &^= 1 << bit
						now.set.clear(uint32(w), bit)
					}
				}
				if forms[now.set.at != nil]++; step%60 == 0 {
					kept = append(kept, version{now.set, slices.Clone(now.words)})
				}
			}
			t.Logf("%d times sparse, %d dense", forms[true], forms[false])
			for i, v := range append(kept, now) {
				got, walked := make([]uint64, n), 0
				v.set.orInto(got)
				if !slices.Equal(got, v.words) {
					t.Fatalf("version %d: got %x, want %x", i, got, v.words)
				}
				ws := v.set.appendWords(nil)
				for w, x := range v.words {
					if v.set.word(uint32(w)) != x {
						t.Fatalf("version %d: word %d is %x, want %x", i, w, v.set.word(uint32(w)), x)
					}
					if x != 0 {
						walked++
						if !slices.Contains(ws, uint32(w)) {
							t.Fatalf("version %d: word %d is not walked", i, w)
						}
					}
				}
				if len(ws) != walked || v.set.len() < walked || walked == 0 != (v.set.len() == 0) {
					t.Fatalf("version %d: %d words walked of %d, want %d", i, len(ws), v.set.len(), walked)
				}
				if v.set.word(n) != 0 || v.set.word(1<<30) != 0 {
					t.Fatalf("version %d: words behind the last", i)
				}
			}
		})
	}
}
