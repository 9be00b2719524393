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

// together is how many words of the sets are intersected in one go. It divides
// partWords. Less than fewWords are intersected one by one.
const (
	together = 32
	fewWords = 6
)

// walk goes through the rules that overlap a region, block by block in rule order.
type walk struct {
	q     *regionQuery
	m     *federatedMap
	match *Match
	dpid  uint64

	ws    []uint32 // the words to visit, in rule order
	at    int      // how many of them have been visited
	few   bool     // each is intersected when it is visited
	from  int      // which of them hits begins with
	count int      // how many of them hits has
	hits  [together]uint64
	more  [together]uint64
}

func (m *federatedMap) overlapping(match *Match, dpid uint64, dst []*Rule) []*Rule {
	return m.scan(match, dpid, dst, nil)
}

// scan is overlapping that hands the rules to more, if not nil, a few at a time, and
// ends when it returns false.
func (m *federatedMap) scan(match *Match, dpid uint64, dst []*Rule, more func([]*Rule) bool) []*Rule {
	var q regionQuery
	if !m.ask(&q, match, dpid) {
		return dst
	}
	return m.visit(&q, match, dpid, dst, more)
}

// fewListed is how many words to visit fit into what a query has for them.
const fewListed = 64

// visit is scan when all fields have been asked.
func (m *federatedMap) visit(q *regionQuery, match *Match, dpid uint64, dst []*Rule, more func([]*Rule) bool) []*Rule {
	var buf [fewListed]uint32
	var o walk
	o.q, o.m, o.match, o.dpid = q, m, match, dpid
	o.ws, o.few = m.toVisit(q, buf[:0])
	for b, x := o.next(); b != nil; b, x = o.next() {
		dst = b.appendRules(dst, x)
		if more != nil {
			if !more(dst) {
				return dst
			}
			dst = dst[:0]
		}
	}
	return dst
}

// appendRules appends the rules at positions x.
func (b *ruleBlock) appendRules(dst []*Rule, x uint64) []*Rule {
	for x != 0 {
		i := bits.TrailingZeros64(x) & 63
		dst = append(dst, b.rules[i])
		x &^= 1 << i
	}
	return dst
}

// ask asks all fields; false means that no rule overlaps.
func (m *federatedMap) ask(q *regionQuery, match *Match, dpid uint64) bool {
	asked := match.restricted() | 1<<fieldDPID
	for i, f := range m.planned[:len(m.plan)] {
		if asked>>f&1 == 1 && !m.restrict(q, &m.plan[i], match, dpid) {
			return false
		}
	}
	return true
}

// toVisit returns the words where all terms may be met, in rule order; few says that it
// does not pay to intersect several together. They are in buf when they are not all and
// fit.
func (m *federatedMap) toVisit(q *regionQuery, buf []uint32) (ws []uint32, few bool) {
	if q.n > 0 && 4*q.cost < len(m.order) {
		return q.candidates(m, buf), true
	}
	return m.order, len(m.order) < fewWords
}

// next returns the next block with rules that overlap, and where in it they are; nil
// when there is none.
func (o *walk) next() (*ruleBlock, uint64) {
	for o.at < len(o.ws) {
		w := o.ws[o.at]
		var x uint64
		if o.few {
			x = o.q.and(^uint64(0), w, -1)
			if o.q.n == 0 {
				x = o.m.blocks[w].used
			}
			for _, acc := range o.q.acc {
				x &= acc[w]
			}
		} else {
			if o.at-o.from >= o.count {
				o.fill()
			}
			x = o.hits[o.at-o.from]
		}
		o.at++
		if x == 0 {
			continue
		}
		b := o.m.blocks[w]
		if o.q.verify {
			x = o.check(b, x)
		}
		if x != 0 {
			return b, x
		}
	}
	return nil, 0
}

// check returns the positions among x whose rules do overlap.
func (o *walk) check(b *ruleBlock, x uint64) (hits uint64) {
	for ; x != 0; x &= x - 1 {
		r := b.rules[bits.TrailingZeros64(x)]
		if r.Match.Overlaps(o.match) && r.DPIDs.Has(o.dpid) {
			hits |= x & -x
		}
	}
	return hits
}

// fill intersects the terms in the next words to visit.
func (o *walk) fill() {
	ws := o.ws[o.at:min(o.at+together, len(o.ws))]
	o.from, o.count = o.at, len(ws)
	x, y := o.hits[:len(ws)], o.more[:len(ws)]
	if o.q.n == 0 {
		for i, w := range ws {
			x[i] = o.m.blocks[w].used
		}
	}
	for i := range o.q.n {
		if i == 0 {
			o.words(&o.q.terms[i], ws, x)
			continue
		}
		o.words(&o.q.terms[i], ws, y)
		for j := range x {
			x[j] &= y[j]
		}
	}
	for _, acc := range o.q.acc {
		for i, w := range ws {
			x[i] &= acc[w]
		}
	}
	for i, w := range ws {
		if x[i] != 0 {
			x[i] &= o.m.blocks[w].used // which it is in; so the blocks are read at the same time
		}
	}
}

// words puts into dst which positions of words ws meet a term.
func (o *walk) words(t *term, ws []uint32, dst []uint64) {
	if o.m.inOrder {
		t.anyWords(ws[0], dst)
	} else {
		for i, w := range ws {
			dst[i] = t.anyWord(w)
		}
	}
	for _, r := range o.q.rows[t.first:t.last] {
		switch {
		case r.set == nil:
			if i := int(o.m.rank[r.at]) - o.from; uint(i) < uint(len(dst)) {
				dst[i] |= r.word
			}
		case o.m.inOrder:
			r.set.orWords(ws[0], dst)
		default:
			for i, w := range ws {
				dst[i] |= r.set.word(w)
			}
		}
	}
}

// anyWords is anyWord of several words, from one on.
func (p *fieldPlan) anyWords(w uint32, dst []uint64) {
	n := 0
	if int(w) < len(p.any) {
		n = copy(dst, p.any[w:])
	}
	clear(dst[n:])
	if p.anySet != nil && len(p.any) <= int(w) {
		p.anySet.orWords(w, dst)
	}
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
