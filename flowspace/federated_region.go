package flowspace

import (
	"cmp"
	"math/bits"
	"slices"
)

// regionQuery also has terms given as words, for fields where the region has so many
// values that their rows do not fit into the query.
type regionQuery struct {
	query
	acc [][]uint64
}

func (m *federatedMap) overlapping(match *Match, dpid uint64, dst []*Rule) []*Rule {
	return m.scan(match, dpid, dst, nil)
}

// scan is overlapping that hands the rules to more, if not nil, a few at a time, and
// ends when it returns false.
func (m *federatedMap) scan(match *Match, dpid uint64, dst []*Rule, more func([]*Rule) bool) []*Rule {
	var q regionQuery
	for i := range m.plan {
		if !m.restrict(&q, &m.plan[i], match, dpid) {
			return dst
		}
	}
	ws := m.order
	var buf [64]uint32
	if q.n > 0 && 4*q.cost < len(m.order) {
		ws = q.candidates(m, buf[:0])
	}
	for _, w := range ws {
		dst = m.collect(&q, w, match, dpid, dst)
		if more != nil && len(dst) > 0 {
			if !more(dst) {
				return dst
			}
			dst = dst[:0]
		}
	}
	return dst
}

func (m *federatedMap) collect(q *regionQuery, w uint32, match *Match, dpid uint64, dst []*Rule) []*Rule {
	b := m.blocks[w]
	x := b.used
	for _, acc := range q.acc {
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
		return m.region(q, plan, Range{p.Addr, p.Addr | ^p.Mask})
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
	if v, ok := s.Value(); ok {
		return q.point(plan, uint64(v))
	}
	if s.rest == "" {
		return m.region(q, plan, Range{s.lo, s.end - 1})
	}
	return m.region(q, plan, slices.Collect(s.Ranges())...)
}

// region adds the term "accepts some value of the ranges"; false means that no rule
// does.
func (m *federatedMap) region(q *regionQuery, p *fieldPlan, ranges ...Range) bool {
	x := &m.fields[p.field]
	first, cost := q.nrows, p.cost
	for _, r := range ranges {
		x.eachOverlapping(uint64(r.Lo), uint64(r.Hi), func(r *row) bool {
			cost += q.row(r)
			return !q.full
		})
	}
	if !q.full {
		return q.term(p, first, cost)
	}
	q.full, q.nrows = false, first
	acc := make([]uint64, len(m.blocks))
	x.any.orInto(acc)
	for _, r := range ranges {
		x.eachOverlapping(uint64(r.Lo), uint64(r.Hi), func(r *row) bool {
			r.orInto(acc)
			return true
		})
	}
	q.acc = append(q.acc, acc)
	return true
}

// eachOverlapping calls f, until it returns false, for the rows of values in lo..hi:
// those of a prefix that holds lo, and those of one that begins after it.
func (x *fieldIndex) eachOverlapping(lo, hi uint64, f func(*row) bool) {
	for i := range x.lengths {
		k := prefixKey(x.width, lo, x.lengths[i].n)
		h := rowHash(k)
		if !x.lengths[i].filter.has(h) {
			continue
		}
		if r := x.rows.dir.page(h).get(h, k); r != nil && !f(r) {
			return
		}
	}
	if lo < hi {
		x.rows.between((lo+1)<<8, hi<<8|255, f)
	}
}
