package flowspace

import "math/bits"

// search looks for the owner of a header: it asks the fine fields first, and the
// coarse ones only when several rules that survive turn out not to match.
type search struct {
	query
	m     *federatedMap
	h     *Header
	dpid  uint64
	exact bool // terms are the whole question
	dead  bool // no rule matches
	tries int  // survivors that did not match
	best  uint32
	found uint64 // positions in the word with rank best
}

// maxTries is how many survivors are compared with the header before the coarse
// fields are asked.
const maxTries = 1

func (m *federatedMap) owner(h *Header, dpid uint64) *Rule {
	if m.n <= 2 {
		return m.walk(h, dpid)
	}
	if m.tuples != nil {
		var v packed
		if v.pack(h) {
			return m.tuples.ownerOf(&v, h, dpid)
		}
	}
	return m.search(h, dpid)
}

// search finds the owner by its fields.
func (m *federatedMap) search(h *Header, dpid uint64) *Rule {
	s := search{m: m, h: h, dpid: dpid, best: ^uint32(0)}
	for i := range m.plan[:m.eager] {
		p := &m.plan[i]
		if !s.point(p, headerValue(h, dpid, p.field)) {
			return nil
		}
		if s.verify {
			return m.ownerByRegion(h, dpid)
		}
	}
	s.exact = m.eager == len(m.plan)
	if m.only != nil {
		s.trySet(m.only, -1)
	}
	for i := range m.fine {
		t := s.terms[i]
		for _, r := range s.rows[t.first:t.last] {
			if r.set != nil {
				s.trySet(r.set, i)
			} else if x := s.and(r.word, r.at, i); x != 0 {
				s.survivors(x, r.at)
			}
		}
	}
	if s.verify {
		return m.ownerByRegion(h, dpid)
	}
	if s.found == 0 || s.dead {
		return nil
	}
	w := s.best
	if !m.inOrder {
		w = m.order[w]
	}
	return m.blocks[w].rules[bits.TrailingZeros64(s.found)]
}

// trySet looks for survivors in a set of rules that meet term i.
func (s *search) trySet(set *ruleSet, i int) {
	if set.at != nil {
		s.try(set.bits.Words(), 0, set.at, i)
		return
	}
	s.try(set.bits.Words(), 0, nil, i)
	for k := range set.further {
		s.try(set.further[k].bits.Words(), uint32((k+1)*partWords), nil, i)
	}
}

// try is trySet for some words, which follow word first unless at says where they are.
func (s *search) try(words []uint64, first uint32, at []uint32, i int) {
	for k, x := range words {
		w := first + uint32(k)
		if at != nil {
			w = at[k]
		}
		if s.m.inOrder && w > s.best || s.dead {
			return
		}
		if x == 0 {
			continue
		}
		if x = s.and(x, w, i); x != 0 {
			s.survivors(x, w)
		}
	}
}

// survivors takes the positions x of word w, that meet all terms, into account. A
// rule may come up several times.
func (s *search) survivors(x uint64, w uint32) {
	r := w
	if !s.m.inOrder {
		r = s.m.rank[w]
	}
	if r > s.best {
		return
	}
	if !s.exact {
		if x = s.check(x, w); x == 0 {
			return
		}
	}
	if r == s.best {
		s.found |= x
	} else {
		s.best, s.found = r, x
	}
}

// check compares rules with the header until one matches, whose position it returns.
func (s *search) check(x uint64, w uint32) uint64 {
	for x != 0 {
		bit := x & -x
		r := s.m.blocks[w].rules[bits.TrailingZeros64(bit)]
		if r.Match.Matches(s.h) && r.DPIDs.Has(s.dpid) {
			return bit
		}
		x &^= bit
		if s.tries++; s.tries == maxTries {
			if s.askRest(); s.dead {
				return 0
			}
			x = s.and(x, w, -1)
			return x
		}
	}
	return 0
}

// askRest adds the terms of the coarse fields. When their rows do not fit, the
// survivors so far are worthless and the caller starts over.
func (s *search) askRest() {
	m := s.m
	for i := range m.plan[m.eager:] {
		p := &m.plan[m.eager+i]
		if !s.point(p, headerValue(s.h, s.dpid, p.field)) || s.verify {
			s.dead = true
			return
		}
	}
	s.exact = true
}

// ownerByRegion asks for the region of the one header. It allocates.
func (m *federatedMap) ownerByRegion(h *Header, dpid uint64) *Rule {
	point := PointMatch(h)
	for _, r := range m.overlapping(&point, dpid, nil) {
		if r.Match.Matches(h) {
			return r
		}
	}
	return nil
}

// walk serves maps of very few rules.
func (m *federatedMap) walk(h *Header, dpid uint64) *Rule {
	for _, w := range m.order {
		b := m.blocks[w]
		for x := b.used; x != 0; x &= x - 1 {
			r := b.rules[bits.TrailingZeros64(x)]
			if r.Match.Matches(h) && r.DPIDs.Has(dpid) {
				return r
			}
		}
	}
	return nil
}
