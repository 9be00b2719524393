package flowspace

import (
	"slices"
	"sort"
)

// ruleList is a persistent list of rules in order, in chunks: a change copies one
// chunk and the list of chunks. The zero value is empty.
type ruleList struct {
	chunks []*ruleChunk
	n      int
}

type ruleChunk struct{ rules []*Rule } // 1 to chunkMax rules

const chunkMax = 512

// each calls f in order until f returns false.
func (l ruleList) each(f func(*Rule) bool) {
	for _, c := range l.chunks {
		for _, r := range c.rules {
			if !f(r) {
				return
			}
		}
	}
}

// edit returns the list without the rules of remove and with those of add, both
// in order. What is removed must be there.
func (l ruleList) edit(remove, add []*Rule) ruleList {
	if k := len(remove) + len(add); k > 8 && k > len(l.chunks)/4 {
		return l.merge(remove, add)
	}
	l.chunks = slices.Clone(l.chunks)
	for _, r := range remove {
		l.removeOne(r)
	}
	for _, r := range add {
		l.insertOne(r)
	}
	return l
}

// chunkFor returns the chunk r is in, or would go to.
func (l *ruleList) chunkFor(r *Rule) int {
	i := sort.Search(len(l.chunks), func(i int) bool { return r.Before(l.chunks[i].rules[0]) })
	return max(i-1, 0)
}

func (l *ruleList) insertOne(r *Rule) {
	l.n++
	if len(l.chunks) == 0 {
		l.chunks = []*ruleChunk{{rules: []*Rule{r}}}
		return
	}
	i := l.chunkFor(r)
	old := l.chunks[i].rules
	p, _ := slices.BinarySearchFunc(old, r, compareRules)
	rules := make([]*Rule, 0, len(old)+1)
	rules = append(append(append(rules, old[:p]...), r), old[p:]...)
	if len(rules) <= chunkMax {
		l.chunks[i] = &ruleChunk{rules}
		return
	}
	half := len(rules) / 2
	if p == len(old) && i == len(l.chunks)-1 {
		half = len(old) // appending: leave the full chunk full
	}
	l.chunks[i] = &ruleChunk{rules[:half:half]}
	l.chunks = slices.Insert(l.chunks, i+1, &ruleChunk{rules[half:]})
}

func (l *ruleList) removeOne(r *Rule) {
	if len(l.chunks) == 0 {
		return
	}
	i := l.chunkFor(r)
	old := l.chunks[i].rules
	p, ok := slices.BinarySearchFunc(old, r, compareRules)
	if !ok {
		return
	}
	l.n--
	if len(old) == 1 {
		l.chunks = slices.Delete(l.chunks, i, i+1)
		return
	}
	rules := make([]*Rule, 0, len(old)-1)
	l.chunks[i] = &ruleChunk{append(append(rules, old[:p]...), old[p+1:]...)}
}

func (l ruleList) merge(remove, add []*Rule) ruleList {
	all := make([]*Rule, 0, l.n+len(add))
	l.each(func(r *Rule) bool {
		if len(remove) > 0 && remove[0].ID == r.ID && remove[0].Priority == r.Priority {
			remove = remove[1:]
			return true
		}
		for len(add) > 0 && add[0].Before(r) {
			all = append(all, add[0])
			add = add[1:]
		}
		all = append(all, r)
		return true
	})
	return newRuleList(append(all, add...))
}

// newRuleList takes rules in order.
func newRuleList(rules []*Rule) ruleList {
	l := ruleList{n: len(rules)}
	for c := range slices.Chunk(rules, chunkMax*3/4) {
		l.chunks = append(l.chunks, &ruleChunk{slices.Clone(c)})
	}
	return l
}
