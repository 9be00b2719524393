package flowspace

import (
	"cmp"
	"math/bits"
	"slices"
)

// federatedMap is FlowVisor's idea done right: per field an index from value to the
// set of rules that accept it, so that a query is an intersection of sets. Rules are
// numbered in order, 64 to a block, so the first position that survives is the owner.
//
// A position is (word, bit). Bits follow the order of rules inside a block. Words do
// too after a build; a block that is split later gets the next free word, and rank
// tells where it belongs.
type federatedMap struct {
	n       int
	blocks  []*ruleBlock // by word; nil when free
	order   []uint32     // words in rule order
	rank    []uint32     // position of a word in order
	inOrder bool         // order is 0, 1, 2, ...
	free    []uint32     // words without block
	byDPID  bool         // rules of many datapaths: index their ids too
	fields  [numFields + 1]fieldIndex
	active  []Field // fields some rule restricts, most selective first
}

// ruleBlock holds the rules of one word.
type ruleBlock struct {
	owner *edit
	used  uint64
	rules [64]*Rule
}

func newFederatedMap(byDPID bool) *federatedMap {
	m := &federatedMap{byDPID: byDPID, inOrder: true}
	for f := range m.fields {
		m.fields[f].width = fieldWidth(Field(f))
	}
	return m
}

func (m *federatedMap) len() int { return m.n }

func (m *federatedMap) each(f func(*Rule) bool) {
	for _, w := range m.order {
		b := m.blocks[w]
		for x := b.used; x != 0; x &= x - 1 {
			if !f(b.rules[bits.TrailingZeros64(x)]) {
				return
			}
		}
	}
}

// headerValue is what h has in a field.
func headerValue(h *Header, dpid uint64, f Field) uint64 {
	switch f {
	case InPort:
		return uint64(h.InPort)
	case DLSrc:
		return macUint(&h.DLSrc)
	case DLDst:
		return macUint(&h.DLDst)
	case DLVLAN:
		return uint64(h.DLVLAN)
	case DLVLANPCP:
		return uint64(h.DLVLANPCP)
	case DLType:
		return uint64(h.DLType)
	case NWTos:
		return uint64(h.NWTos)
	case NWProto:
		return uint64(h.NWProto)
	case NWSrc:
		return uint64(h.NWSrc)
	case NWDst:
		return uint64(h.NWDst)
	case TPSrc:
		return uint64(h.TPSrc)
	case TPDst:
		return uint64(h.TPDst)
	}
	return dpid
}

// maxRows is how many rows a query keeps at hand. Fields whose rows do not fit are
// checked rule by rule.
const maxRows = 40

// term is what a query asks of one field: a rule must be in any or in one of rows
// first..last-1 of the query, or in the words of acc.
type term struct {
	any         *ruleSet // may be nil
	acc         []uint64 // instead of the others, when not nil
	first, last uint8
}

// query is the list of terms that a rule has to meet all of.
type query struct {
	n      int
	nrows  int
	driver int // the term with the fewest words
	cost   int
	verify bool // terms are not the whole question
	terms  [numFields + 1]term
	rows   [maxRows]*ruleSet
}

// point adds the term "accepts v"; false means that no rule does.
func (q *query) point(x *fieldIndex, v uint64) bool {
	if v>>1>>(x.width-1) != 0 {
		q.verify = true // outside the universe: not indexed
		return true
	}
	t := &q.terms[q.n]
	t.any, t.first = x.any, uint8(q.nrows)
	cost := x.any.len()
	for i := range x.lengths {
		row := x.rows.get(x.probe(v, x.lengths[i].n))
		if row == nil {
			continue
		}
		if q.nrows == maxRows {
			q.nrows, q.verify = int(t.first), true
			return true
		}
		q.rows[q.nrows] = row
		q.nrows++
		cost += row.len()
	}
	if cost == 0 {
		return false
	}
	t.last = uint8(q.nrows)
	if q.n == 0 || cost < q.cost {
		q.driver, q.cost = q.n, cost
	}
	q.n++
	return true
}

// and returns those positions of x in word w that meet every term but the skipped.
func (q *query) and(x uint64, w uint32, skip int) uint64 {
	for i := range q.n {
		if i == skip {
			continue
		}
		t := &q.terms[i]
		if t.acc != nil {
			if x &= t.acc[w]; x == 0 {
				return 0
			}
			continue
		}
		y := t.any.word(w)
		for _, row := range q.rows[t.first:t.last] {
			y |= row.word(w)
		}
		if x &= y; x == 0 {
			return 0
		}
	}
	return x
}

func (m *federatedMap) owner(h *Header, dpid uint64) *Rule {
	var q query
	for _, f := range m.active {
		if !q.point(&m.fields[f], headerValue(h, dpid, f)) {
			return nil
		}
	}
	if q.n == 0 || q.verify {
		return m.ownerByWalk(&q, h, dpid)
	}
	best, found := ^uint32(0), uint64(0)
	t := &q.terms[q.driver]
	if t.any.len() > 0 {
		best, found = m.drive(&q, t.any, best, found)
	}
	for _, row := range q.rows[t.first:t.last] {
		best, found = m.drive(&q, row, best, found)
	}
	if found == 0 {
		return nil
	}
	return m.blocks[m.order[best]].rules[bits.TrailingZeros64(found)]
}

// drive walks the words of one set of the driving term, and returns the lowest rank
// that has a surviving position, and these positions.
func (m *federatedMap) drive(q *query, s *ruleSet, best uint32, found uint64) (uint32, uint64) {
	for i, x := range s.bits.Words() {
		w := uint32(i)
		if s.at != nil {
			w = s.at[i]
		}
		if x == 0 {
			continue
		}
		// The driver's sets are disjoint, so one word may survive in several.
		r := m.rank[w]
		if r > best {
			if m.inOrder {
				break
			}
			continue
		}
		if x = q.and(x, w, q.driver); x == 0 {
			continue
		}
		if r == best {
			found |= x
		} else {
			best, found = r, x
		}
	}
	return best, found
}

// ownerByWalk serves the rare queries whose terms do not decide.
func (m *federatedMap) ownerByWalk(q *query, h *Header, dpid uint64) *Rule {
	for _, w := range m.order {
		b := m.blocks[w]
		for x := q.and(b.used, w, -1); x != 0; x &= x - 1 {
			r := b.rules[bits.TrailingZeros64(x)]
			if !q.verify || r.Match.Matches(h) && r.DPIDs.Has(dpid) {
				return r
			}
		}
	}
	return nil
}

func (m *federatedMap) overlapping(match *Match, dpid uint64, dst []*Rule) []*Rule {
	var q query
	for _, f := range m.active {
		if !m.restrict(&q, f, match, dpid) {
			return dst
		}
	}
	if q.n > 0 && q.terms[q.driver].acc == nil && 4*q.cost < len(m.order) {
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

func (m *federatedMap) collect(q *query, w uint32, match *Match, dpid uint64, dst []*Rule) []*Rule {
	b := m.blocks[w]
	for x := q.and(b.used, w, -1); x != 0; x &= x - 1 {
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
	sets := q.rows[t.first:t.last]
	for i := -1; i < len(sets); i++ {
		s := t.any
		if i >= 0 {
			s = sets[i]
		}
		for k, x := range s.bits.Words() {
			if x == 0 {
				continue
			}
			w := uint32(k)
			if s.at != nil {
				w = s.at[k]
			}
			ws = append(ws, w)
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
func (m *federatedMap) restrict(q *query, f Field, match *Match, dpid uint64) bool {
	x := &m.fields[f]
	switch f {
	case fieldDPID:
		return q.point(x, dpid)
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
			return q.point(x, uint64(p.Addr))
		}
		return m.region(q, x, uint64(p.Addr), uint64(p.Addr|^p.Mask))
	case DLSrc, DLDst:
		a := match.mac(f)
		if a.IsExact() {
			return q.point(x, a.Addr)
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
			return q.point(x, uint64(s.lo))
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
func (m *federatedMap) region(q *query, x *fieldIndex, lo, hi uint64) bool {
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
		if row := x.rows.get(x.probe(lo, x.lengths[i].n)); row != nil {
			row.orInto(acc)
		}
	}
	if lo < hi {
		x.rows.between(x.key(lo+1, 0), x.key(hi, 255), func(row *ruleSet) { row.orInto(acc) })
	}
}

func (q *query) accumulated(acc []uint64) bool {
	cost := 0
	for _, x := range acc {
		if x != 0 {
			cost++
		}
	}
	q.terms[q.n].acc = acc
	if cost != 0 && (q.n == 0 || cost < q.cost) {
		q.driver, q.cost = q.n, cost
	}
	q.n++
	return cost != 0
}
