package flowspace

import (
	"cmp"
	"slices"
)

const (
	// maxShapes bounds the look-ups a search makes.
	maxShapes = 16
	// restShare: the search among the rest must pay, too. With a larger part of the
	// rules in it, the fields alone are as fast.
	restShare = 4
	// restSlack is how many rules may go to the rest before shapes are chosen again.
	restSlack = 16
)

// retuple brings the tuples up to date with the rules removed and added.
func (m *federatedMap) retuple(e *edit, remove, add []*Rule) {
	if m.bare {
		return
	}
	if m.unshaped += len(remove) + len(add); m.unshaped > m.shapedAt {
		m.chooseShapes(e)
		return
	}
	if m.tuples == nil {
		return
	}
	t := *m.tuples
	t.owner, t.shapes, t.dir = e, slices.Clone(t.shapes), t.dir.clone()
	var gone, more []*Rule // of rest
	for _, r := range remove {
		if s, v := t.shapeOf(r, m.byDPID); s == nil {
			gone = append(gone, r)
		} else {
			t.remove(s, &v, r)
		}
	}
	for _, r := range add {
		if s, v := t.shapeOf(r, m.byDPID); s == nil {
			more = append(more, r)
		} else {
			t.add(s, &v, r)
		}
	}
	if len(gone)+len(more) > 0 {
		rest := t.rest
		if rest == nil {
			rest = newFederatedMap(m.byDPID)
			rest.bare = true
		}
		if t.rest = rest.edit(gone, more).(*federatedMap); t.rest.n == 0 {
			t.rest = nil
		} else if t.rest.n > 2*t.left+restSlack {
			m.chooseShapes(e)
			return
		}
	}
	t.sortShapes()
	m.tuples = &t
}

// chooseShapes gives the most frequent shapes a look-up of their own.
func (m *federatedMap) chooseShapes(e *edit) {
	m.shapedAt, m.unshaped, m.tuples = m.n, 0, nil
	count := map[packed]int{}
	m.each(func(r *Rule) bool {
		if mask, _, ok := packRule(r, m.byDPID); ok {
			count[mask]++
		}
		return true
	})
	masks := make([]packed, 0, len(count))
	for mask := range count {
		masks = append(masks, mask)
	}
	slices.SortFunc(masks, func(a, b packed) int {
		return cmp.Or(count[b]-count[a], slices.Compare(a[:], b[:]))
	})
	if len(masks) > maxShapes {
		masks = masks[:maxShapes]
	}
	left := m.n
	t := &tuples{owner: e, dir: newPageDir(e, &tuplePage{owner: e})}
	for i, mask := range masks {
		left -= count[mask]
		t.shapes = append(t.shapes, shape{mask: mask, id: uint32(i), seed: tupleSeeds[0] * uint64(2*i+3)})
	}
	if left*restShare > m.n {
		return
	}
	t.left = left
	var rest []*Rule
	m.each(func(r *Rule) bool {
		if s, v := t.shapeOf(r, m.byDPID); s == nil {
			rest = append(rest, r)
		} else {
			t.add(s, &v, r)
		}
		return true
	})
	if len(rest) > 0 {
		x := newFederatedMap(m.byDPID)
		x.bare = true
		t.rest = x.rebuild(nil, rest)
	}
	t.sortShapes()
	m.tuples = t
}

// shapeOf returns the shape of a rule and its region there; nil: it goes to rest.
func (t *tuples) shapeOf(r *Rule, byDPID bool) (*shape, packed) {
	mask, v, ok := packRule(r, byDPID)
	if ok {
		for i := range t.shapes {
			if t.shapes[i].mask == mask {
				return &t.shapes[i], v
			}
		}
	}
	return nil, v
}

func (t *tuples) sortShapes() {
	slices.SortStableFunc(t.shapes, func(a, b shape) int { return cmpUint(b.max, a.max) })
}

func entryOf(s *shape, v *packed, r *Rule, more *tupleMore) *tupleEntry {
	return &tupleEntry{value: *v, rule: r, more: more, id: r.ID, prio: r.Priority, shape: s.id}
}

// page returns the changeable page for a hash.
func (t *tuples) page(k uint64) *tuplePage {
	p := t.dir.page(k)
	if p.owner != t.owner {
		c := *p
		c.owner = t.owner
		p = &c
		t.dir.point(t.owner, p, k, p.depth)
	}
	return p
}

// slot returns where the entry of v is or belongs.
func (p *tuplePage) slot(k uint64, s *shape, v *packed) *tupleSlot {
	for i := k % tuplePageSlots; ; i = (i + 1) % tuplePageSlots {
		x := &p.slots[i]
		if x.entry == nil || x.hash == k && x.entry.holds(s, v) {
			return x
		}
	}
}

// put stores an entry that is not there; the page has room.
func (p *tuplePage) put(x tupleSlot) {
	i := x.hash % tuplePageSlots
	for p.slots[i].entry != nil {
		i = (i + 1) % tuplePageSlots
	}
	p.slots[i] = x
	p.n++
}

func (t *tuples) add(s *shape, v *packed, r *Rule) {
	s.max = max(s.max, r.Priority)
	k := s.hash(v)
	s.note(k)
	p := t.page(k)
	x := p.slot(k, s, v)
	old := x.entry
	if old == nil {
		for p.n >= tuplePageMax {
			t.split(p, k)
			p = t.page(k)
		}
		p.put(tupleSlot{k, entryOf(s, v, r, nil)})
		return
	}
	strongest, weaker := old.rule, r
	if r.Before(strongest) {
		strongest, weaker = r, strongest
	}
	x.entry = entryOf(s, v, strongest, old.more.with(t.owner, weaker))
}

func (t *tuples) remove(s *shape, v *packed, r *Rule) {
	k := s.hash(v)
	p := t.page(k)
	x := p.slot(k, s, v)
	switch old := x.entry; {
	case old.rule != r:
		x.entry = entryOf(s, v, old.rule, old.more.without(t.owner, r))
	case old.more != nil:
		next := old.more.rules[0]
		x.entry = entryOf(s, v, next, old.more.without(t.owner, next))
	default:
		x.entry = nil
		slots := p.slots
		p.n, p.slots = 0, [tuplePageSlots]tupleSlot{}
		for i := range slots {
			if slots[i].entry != nil {
				p.put(slots[i])
			}
		}
	}
}

// with returns the list with one more rule.
func (l *tupleMore) with(e *edit, r *Rule) *tupleMore {
	if l == nil {
		return &tupleMore{e, []*Rule{r}}
	}
	i, _ := slices.BinarySearchFunc(l.rules, r, compareRules)
	if l.owner != e {
		l = &tupleMore{e, slices.Clone(l.rules)}
	}
	l.rules = slices.Insert(l.rules, i, r)
	return l
}

// without returns the list with a rule less.
func (l *tupleMore) without(e *edit, r *Rule) *tupleMore {
	if len(l.rules) == 1 {
		return nil
	}
	i, _ := slices.BinarySearchFunc(l.rules, r, compareRules)
	if l.owner != e {
		l = &tupleMore{e, slices.Clone(l.rules)}
	}
	l.rules = slices.Delete(l.rules, i, i+1)
	return l
}

// split divides a full page by the next bit of the hash.
func (t *tuples) split(p *tuplePage, k uint64) {
	depth := p.depth + 1
	halves := [2]*tuplePage{{owner: t.owner, depth: depth}, {owner: t.owner, depth: depth}}
	for i := range p.slots {
		if x := &p.slots[i]; x.entry != nil {
			halves[x.hash>>(64-depth)&1].put(*x)
		}
	}
	t.dir.split(t.owner, k, p.depth, halves[0], halves[1])
}
