package flowspace

import (
	"cmp"
	"math/bits"
	"slices"
)

// regionQuery also has terms given as words, for fields where the region has several
// values.
type regionQuery struct {
	query
	nacc int
	acc  [numFields + 1][]uint64
}

func (m *federatedMap) overlapping(match *Match, dpid uint64, dst []*Rule) []*Rule {
	var q regionQuery
	for i := range m.plan {
		if !m.restrict(&q, &m.plan[i], match, dpid) {
			return dst
		}
	}
	if q.n > 0 && 4*q.cost < len(m.order) {
		var buf [64]uint32
		for _, w := range q.candidates(m, buf[:0]) {
			dst = m.collect(&q, w, match, dpid, dst)
		}
		return dst
	}
	for _, w := range m.order {
		dst = m.collect(&q, w, match, dpid, dst)
	}
	return dst
}

func (m *federatedMap) collect(q *regionQuery, w uint32, match *Match, dpid uint64, dst []*Rule) []*Rule {
	b := m.blocks[w]
	x := b.used
	for _, acc := range q.acc[:q.nacc] {
		x &= acc[w]
	}
	if x == 0 {
		return dst
	}
	for x = q.and(x, w, -1); x != 0; x &= x - 1 {
		r := b.rules[bits.TrailingZeros64(x)]
		if !q.verify || r.Match.Overlaps(match) && r.DPIDs.Has(dpid) {
			dst = append(dst, r)
		}
	}
	return dst
}

// candidates returns the words of the driving term in rule order.
func (q *query) candidates(m *federatedMap, ws []uint32) []uint32 {
	t := &q.terms[q.driver]
	ws = m.fields[t.field].any.appendWords(ws)
	for _, r := range q.rows[t.first:t.last] {
		if r.set != nil {
			ws = r.set.appendWords(ws)
		} else {
			ws = append(ws, r.at)
		}
	}
	if m.inOrder {
		slices.Sort(ws)
	} else {
		slices.SortFunc(ws, func(a, b uint32) int { return cmp.Compare(m.rank[a], m.rank[b]) })
	}
	return slices.Compact(ws)
}

// restrict adds what match asks of a field; false means that no rule overlaps.
func (m *federatedMap) restrict(q *regionQuery, plan *fieldPlan, match *Match, dpid uint64) bool {
	f := plan.field
	x := &m.fields[f]
	switch f {
	case fieldDPID:
		return q.point(plan, dpid)
	case NWSrc, NWDst:
		p := match.prefix(f)
		n, contiguous := p.Bits()
		switch {
		case p.IsAny():
			return true
		case !contiguous:
			q.verify = true
			return true
		case n == 32:
			return q.point(plan, uint64(p.Addr))
		}
		return m.region(q, x, uint64(p.Addr), uint64(p.Addr|^p.Mask))
	case DLSrc, DLDst:
		a := match.mac(f)
		if a.IsExact() {
			return q.point(plan, a.Addr)
		}
		q.verify = q.verify || !a.IsAny()
		return true
	}
	s := match.set(f)
	if s.IsAny() {
		return true
	}
	if s.rest == "" {
		if s.lo+1 == s.end {
			return q.point(plan, uint64(s.lo))
		}
		return m.region(q, x, uint64(s.lo), uint64(s.end-1))
	}
	acc := m.newAcc(x)
	for i := range s.Len() {
		r := s.Range(i)
		x.orOverlapping(acc, uint64(r.Lo), uint64(r.Hi))
	}
	return q.accumulated(acc)
}

// region adds the term "accepts some value of lo..hi".
func (m *federatedMap) region(q *regionQuery, x *fieldIndex, lo, hi uint64) bool {
	acc := m.newAcc(x)
	x.orOverlapping(acc, lo, hi)
	return q.accumulated(acc)
}

func (m *federatedMap) newAcc(x *fieldIndex) []uint64 {
	acc := make([]uint64, len(m.blocks))
	x.any.orInto(acc)
	return acc
}

// orOverlapping adds the rules that accept a value of lo..hi: those in a prefix that
// holds lo, and those in one that begins after it.
func (x *fieldIndex) orOverlapping(acc []uint64, lo, hi uint64) {
	for i := range x.lengths {
		if r := x.rows.get(prefixKey(x.width, lo, x.lengths[i].n)); r != nil {
			r.orInto(acc)
		}
	}
	if lo < hi {
		x.rows.between((lo+1)<<8, hi<<8|255, func(r *row) { r.orInto(acc) })
	}
}

func (q *regionQuery) accumulated(acc []uint64) bool {
	q.acc[q.nacc] = acc
	q.nacc++
	return slices.ContainsFunc(acc, func(x uint64) bool { return x != 0 })
}
