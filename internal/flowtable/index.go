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
	last   *tuple   // that was looked for, since flows of one kind come together
	n      int
}

type tuple struct {
	mask  Words
	flows map[Words]*Flow // by masked value; each the first of a list in lookup order
	count map[int32]int   // flows per level, for max
	max   int32
}

func newIndex() index { return index{tuples: map[Words]*tuple{}} }

// tuple returns the one for a mask, nil if there is none.
func (x *index) tuple(mask *Words) *tuple {
	if x.last != nil && x.last.mask == *mask {
		return x.last
	}
	t := x.tuples[*mask]
	if t != nil {
		x.last = t
	}
	return t
}

func (x *index) add(f *Flow) {
	t := x.tuple(&f.pat.Mask)
	if t == nil {
		t = &tuple{mask: f.pat.Mask, flows: map[Words]*Flow{}, count: map[int32]int{}, max: -1}
		x.tuples[t.mask] = t
		x.order = append(x.order, t)
	}
	first := t.flows[f.pat.Value]
	if f.next = first; first == nil || before(f, first) {
		t.flows[f.pat.Value] = f
	} else {
		e := first
		for e.next != nil && before(e.next, f) {
			e = e.next
		}
		f.next, e.next = e.next, f
	}
	level := f.Level()
	t.count[level]++
	x.n++
	if level > t.max {
		t.max = level
		x.sort()
	}
}

// replace puts f in the place of old, which is identical but for the actions.
func (x *index) replace(old, f *Flow) {
	t := x.tuple(&f.pat.Mask)
	if first := t.flows[f.pat.Value]; first == old {
		t.flows[f.pat.Value] = f
	} else {
		preceding(first, old).next = f
	}
	f.next, old.next = old.next, nil
}

// preceding is the element of the list before f, which is in it and not the first.
func preceding(list, f *Flow) *Flow {
	for list.next != f {
		list = list.next
	}
	return list
}

func (x *index) remove(f *Flow) {
	t := x.tuple(&f.pat.Mask)
	switch first := t.flows[f.pat.Value]; {
	case first != f:
		preceding(first, f).next = f.next
	case f.next == nil:
		delete(t.flows, f.pat.Value)
	default:
		t.flows[f.pat.Value] = f.next
	}
	f.next = nil
	x.n--
	level := f.Level()
	if t.count[level]--; t.count[level] > 0 {
		return
	}
	delete(t.count, level)
	if len(t.count) == 0 {
		delete(x.tuples, t.mask)
		x.last = nil
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
	if t := x.tuple(&p.Mask); t != nil {
		for f := t.flows[p.Value]; f != nil; f = f.next {
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
		if f := t.flows[w.And(&t.mask)]; f != nil && (best == nil || before(f, best)) {
			best = f
		}
	}
	return best
}

// each yields the flows of one match, and tells whether more are wanted.
func each(f *Flow, yield func(*Flow) bool) bool {
	for ; f != nil; f = f.next {
		if !yield(f) {
			return false
		}
	}
	return true
}

// covered yields the flows that p covers.
func (x *index) covered(p *Pattern) iter.Seq[*Flow] {
	return func(yield func(*Flow) bool) {
		for _, t := range x.order {
			if !within(&p.Mask, &t.mask) {
				continue
			}
			if p.Mask == t.mask {
				if !each(t.flows[p.Value], yield) {
					return
				}
				continue
			}
			for v, f := range t.flows {
				if p.Matches(&v) && !each(f, yield) {
					return
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
				if !each(t.flows[p.Value.And(&t.mask)], yield) {
					return
				}
				continue
			}
			for _, f := range t.flows {
				if f.pat.Overlaps(p) && !each(f, yield) {
					return
				}
			}
		}
	}
}
