package flowtable

import (
	"iter"
	"slices"
)

// index finds flows by strict key, by header and by covering match. Flows are
// kept per mask (tuple space search): a lookup costs one map access per mask in
// use, and stops at the first tuple that cannot hold anything better.
type index struct {
	tuples map[Words]*tuple
	order  []*tuple // by max descending
	n      int
}

type tuple struct {
	mask  Words
	flows map[Words][]*Flow // by masked value; each list in lookup order
	count map[int32]int     // flows per level, for max
	max   int32
}

func newIndex() index { return index{tuples: map[Words]*tuple{}} }

func (x *index) add(f *Flow) {
	t := x.tuples[f.pat.Mask]
	if t == nil {
		t = &tuple{mask: f.pat.Mask, flows: map[Words][]*Flow{}, count: map[int32]int{}, max: -1}
		x.tuples[t.mask] = t
		x.order = append(x.order, t)
	}
	list := t.flows[f.pat.Value]
	at, _ := slices.BinarySearchFunc(list, f, func(e, f *Flow) int {
		if before(e, f) {
			return -1
		}
		return 1
	})
	t.flows[f.pat.Value] = slices.Insert(list, at, f)
	level := f.Level()
	t.count[level]++
	x.n++
	if level > t.max {
		t.max = level
		x.sort()
	}
}

func (x *index) remove(f *Flow) {
	t := x.tuples[f.pat.Mask]
	list := t.flows[f.pat.Value]
	if list = slices.DeleteFunc(list, func(e *Flow) bool { return e == f }); len(list) == 0 {
		delete(t.flows, f.pat.Value)
	} else {
		t.flows[f.pat.Value] = list
	}
	x.n--
	level := f.Level()
	if t.count[level]--; t.count[level] > 0 {
		return
	}
	delete(t.count, level)
	if len(t.count) == 0 {
		delete(x.tuples, t.mask)
		x.order = slices.DeleteFunc(x.order, func(e *tuple) bool { return e == t })
		return
	}
	if level == t.max {
		t.max = -1
		for l := range t.count {
			t.max = max(t.max, l)
		}
		x.sort()
	}
}

func (x *index) sort() {
	slices.SortStableFunc(x.order, func(a, b *tuple) int { return int(b.max) - int(a.max) })
}

// find returns the flow with this match and level.
func (x *index) find(p *Pattern, level int32) *Flow {
	if t := x.tuples[p.Mask]; t != nil {
		for _, f := range t.flows[p.Value] {
			if f.Level() == level {
				return f
			}
		}
	}
	return nil
}

// lookup returns the flow a header hits.
func (x *index) lookup(w *Words) *Flow {
	var best *Flow
	for _, t := range x.order {
		if best != nil && t.max < best.Level() {
			break
		}
		if list := t.flows[w.And(&t.mask)]; len(list) > 0 && (best == nil || before(list[0], best)) {
			best = list[0]
		}
	}
	return best
}

// covered yields the flows that p covers.
func (x *index) covered(p *Pattern) iter.Seq[*Flow] {
	return func(yield func(*Flow) bool) {
		for _, t := range x.order {
			if !within(&p.Mask, &t.mask) {
				continue
			}
			if p.Mask == t.mask {
				for _, f := range t.flows[p.Value] {
					if !yield(f) {
						return
					}
				}
				continue
			}
			for v, list := range t.flows {
				if !p.Matches(&v) {
					continue
				}
				for _, f := range list {
					if !yield(f) {
						return
					}
				}
			}
		}
	}
}

// overlapping yields the flows that share a header with p.
func (x *index) overlapping(p *Pattern) iter.Seq[*Flow] {
	return func(yield func(*Flow) bool) {
		for _, t := range x.order {
			if within(&t.mask, &p.Mask) {
				for _, f := range t.flows[p.Value.And(&t.mask)] {
					if !yield(f) {
						return
					}
				}
				continue
			}
			for _, list := range t.flows {
				if !list[0].pat.Overlaps(p) {
					continue
				}
				for _, f := range list {
					if !yield(f) {
						return
					}
				}
			}
		}
	}
}
