package flowspace

import (
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// bulkMin is from how many added rules on Apply uses all processors.
const bulkMin = 4096

// bulkAdds reports whether the changes are many and all of them add a rule.
func bulkAdds(changes []Change) bool {
	return len(changes) >= bulkMin &&
		!slices.ContainsFunc(changes, func(c Change) bool { return c.Op != Add || c.Rule == nil })
}

// fault is the first thing wrong among many changes looked at in any order.
type fault struct {
	mu    sync.Mutex
	index int
	err   error
}

func (f *fault) note(index int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || index < f.index {
		f.index, f.err = index, err
	}
}

// addAll is apply for all changes of a bulk. An error comes with its index.
func (c *changer) addAll(changes []Change) (int, error) {
	c.stored = make([]*Rule, len(changes))
	var bad fault
	inParallel(len(changes), func(from, to int) {
		var last *Rule
		for i := from; i < to; i++ {
			r := new(Rule)
			*r = *changes[i].Rule
			if err := c.complete(r, last); err != nil {
				bad.note(i, err)
				return
			}
			c.stored[i], last = r, r
		}
	})
	n := len(changes)
	if bad.err != nil {
		n = bad.index // what comes before may be at fault, too
	}
	rules := c.stored[:n]
	for i, r := range rules {
		if r.ID == 0 {
			r.ID = c.next.nextID
		}
		if r.ID >= 1<<63 {
			bad.note(i, &FieldError{Field: "id", Value: fmt.Sprint(r.ID), Reason: "is too large"})
			rules = rules[:i]
			break
		}
		c.next.nextID = max(c.next.nextID, r.ID+1)
	}
	if i, r := pmapAdd(&c.next.byID, c.edit, rules, func(r *Rule) uint64 { return r.ID }); r != nil {
		bad.note(i, &FieldError{Field: "id", Value: fmt.Sprint(r.ID), Reason: "is taken", Err: ErrDuplicate})
		rules = rules[:i]
	}
	named, unnamed := rules, []*Rule(nil)
	if isUnnamed := func(r *Rule) bool { return r.Name == "" }; slices.ContainsFunc(rules, isUnnamed) {
		named = make([]*Rule, 0, len(rules))
		for _, r := range rules {
			if isUnnamed(r) {
				unnamed = append(unnamed, r)
			} else {
				named = append(named, r)
			}
		}
	}
	if _, r := pmapAdd(&c.next.byName, c.edit, named, func(r *Rule) string { return r.Name }); r != nil {
		i := slices.Index(rules, r)
		bad.note(i, &FieldError{Field: "name", Value: r.Name, Reason: "is taken by another rule", Err: ErrDuplicate})
	}
	if bad.err != nil {
		return bad.index, bad.err
	}
	inParallel(len(unnamed), func(from, to int) { // names made from different ids differ
		for _, r := range unnamed[from:to] {
			r.Name = c.freeName(r.ID)
		}
	})
	pmapAdd(&c.next.byName, c.edit, unnamed, func(r *Rule) string { return r.Name })
	c.added = slices.Clone(c.stored)
	return 0, nil
}

// inParallel calls f for the parts of 0..n-1, on all processors.
func inParallel(n int, f func(from, to int)) {
	const part = 2048
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+part-1)/part) {
		wg.Go(func() {
			for {
				from := int(next.Add(part)) - part
				if from >= n {
					return
				}
				f(from, min(from+part, n))
			}
		})
	}
	wg.Wait()
}

// pmapItem is an entry on its way into a pmap.
type pmapItem[K comparable] struct {
	hash  uint64
	key   K
	rule  *Rule
	index int // -1: it was there before
}

// pmapAdd adds rules to a map by building it anew, when they are more than it has. It
// returns the first rule whose key is there already, if any; the map is spoilt then.
func pmapAdd[K comparable](m *pmap[K, *Rule], e *edit, rules []*Rule, key func(*Rule) K) (int, *Rule) {
	if len(rules) < m.n {
		for i, r := range rules {
			if _, taken := m.get(key(r)); taken {
				return i, r
			}
			m.set(e, key(r), r)
		}
		return 0, nil
	}
	items := make([]pmapItem[K], len(rules), len(rules)+m.n)
	inParallel(len(rules), func(from, to int) {
		for i := from; i < to; i++ {
			k := key(rules[i])
			items[i] = pmapItem[K]{maphash.Comparable(hashSeed, k), k, rules[i], i}
		}
	})
	m.each(func(k K, r *Rule) bool {
		items = append(items, pmapItem[K]{maphash.Comparable(hashSeed, k), k, r, -1})
		return true
	})
	b := pmapBuilder[K]{edit: e}
	root := &pnode[K, *Rule]{owner: e, kids: new([pmapFan]*pnode[K, *Rule])}
	ends := sortByDigit(items, make([]pmapItem[K], len(items)), 0)
	scratch := make([]pmapItem[K], len(items))
	var wg sync.WaitGroup
	var digit atomic.Int64
	for range min(runtime.GOMAXPROCS(0), pmapFan) {
		wg.Go(func() {
			for i := int(digit.Add(1)) - 1; i < pmapFan; i = int(digit.Add(1)) - 1 {
				from := 0
				if i > 0 {
					from = ends[i-1]
				}
				root.kids[i] = b.node(items[from:ends[i]], scratch[from:ends[i]], 1)
			}
		})
	}
	wg.Wait()
	if b.twice.err != nil {
		return b.twice.index, rules[b.twice.index]
	}
	m.root, m.n = root, len(items)
	return 0, nil
}

// sortByDigit orders items by a digit of the hash and returns where each digit ends.
func sortByDigit[K comparable](items, scratch []pmapItem[K], depth int) (ends [pmapFan]int) {
	var at [pmapFan]int
	for i := range items {
		at[items[i].hash>>(depth*pmapBits)%pmapFan]++
	}
	n := 0
	for d, k := range at {
		at[d] = n
		n += k
		ends[d] = n
	}
	for i := range items {
		d := items[i].hash >> (depth * pmapBits) % pmapFan
		scratch[at[d]] = items[i]
		at[d]++
	}
	copy(items, scratch)
	return ends
}

type pmapBuilder[K comparable] struct {
	edit  *edit
	twice fault // the first key that is there twice
}

func (b *pmapBuilder[K]) node(items, scratch []pmapItem[K], depth int) *pnode[K, *Rule] {
	if len(items) == 0 {
		return nil
	}
	n := &pnode[K, *Rule]{owner: b.edit}
	if len(items) <= pmapLeaf || depth >= 64/pmapBits-1 {
		n.leaf = make([]pentry[K, *Rule], len(items))
		for i := range items {
			n.leaf[i] = pentry[K, *Rule]{items[i].key, items[i].rule}
			for j := range items[:i] {
				if items[j].key == items[i].key {
					b.twice.note(max(items[i].index, items[j].index), ErrDuplicate)
				}
			}
		}
		return n
	}
	n.kids = new([pmapFan]*pnode[K, *Rule])
	from := 0
	for d, end := range sortByDigit(items, scratch, depth) {
		n.kids[d] = b.node(items[from:end], scratch[from:end], depth+1)
		from = end
	}
	return n
}
