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
	plan    []fieldPlan // fields some rule restricts, the fine ones first
	fine    int         // how many of plan are fine
	eager   int         // how many of plan are asked before rules are looked at
	// Coarse fields have few values with many rules each. What matches a header either
	// is restricted by coarse fields only, or is in a row of a fine field, and these
	// rows are short.
	coarse fieldMask
	only   *ruleSet // the rules restricted by coarse fields only
	chosen int      // number of rules when coarse was chosen
}

// fieldMask has bit f for field f.
type fieldMask uint16

// fieldPlan is what a query has to know of a fieldIndex, in one place: a search is
// mostly waiting for memory.
type fieldPlan struct {
	field   Field
	width   uint8
	single  uint8          // the only prefix length; 0: see lengths
	shift   uint8          // of the row table
	dir     []*rowPage     // of the row table
	any     []uint64       // words of the any set when it is dense
	sparse  *ruleSet       // the any set when it is not
	cost    int            // number of words in it
	lengths []prefixLength // prefix lengths in use
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

// maxRows is how many rows a query keeps at hand. A header that needs more, because it
// is in that many nested prefixes and ranges, is looked up by a slower way.
const maxRows = 40

// term is what a query asks of one field: a rule must be in the any set or in one of
// rows first..last-1 of the query.
type term struct {
	*fieldPlan
	first, last uint8
}

// query is the list of terms that a rule has to meet all of.
type query struct {
	n      int
	nrows  int
	driver int // the term with the fewest words
	cost   int
	verify bool // terms are not the whole question: a field is masked or has too many rows
	full   bool // a row did not fit
	terms  [numFields + 1]term
	rows   [maxRows]*row
}

// point adds the term "accepts v"; false means that no rule does.
func (q *query) point(p *fieldPlan, v uint64) bool {
	first, cost := q.nrows, p.cost
	switch {
	case v>>1>>(p.width-1) != 0: // no rule has a value that large
	case p.single != 0:
		k := prefixKey(p.width, v, p.single)
		h := rowHash(k)
		if r := p.dir[h>>p.shift].get(h, k); r != nil {
			cost += q.row(r)
		}
	default:
		for i := range p.lengths {
			k := prefixKey(p.width, v, p.lengths[i].n)
			h := rowHash(k)
			if !p.lengths[i].filter.has(h) {
				continue
			}
			if r := p.dir[h>>p.shift].get(h, k); r != nil {
				cost += q.row(r)
			}
		}
	}
	if q.full {
		q.full, q.verify, q.nrows = false, true, first
		return true
	}
	if cost == 0 {
		return false
	}
	q.terms[q.n] = term{p, uint8(first), uint8(q.nrows)}
	if q.n == 0 || cost < q.cost {
		q.driver, q.cost = q.n, cost
	}
	q.n++
	return true
}

// row adds a row to the query and returns its length.
func (q *query) row(r *row) int {
	if q.nrows == maxRows {
		q.full = true
		return 0
	}
	q.rows[q.nrows] = r
	q.nrows++
	return r.len()
}

// and returns those positions of x in word w that meet every term but the skipped.
func (q *query) and(x uint64, w uint32, skip int) uint64 {
	for i := range q.n {
		if i == skip {
			continue
		}
		t := &q.terms[i]
		var y uint64
		if int(w) < len(t.any) {
			y = t.any[w]
		} else if t.sparse != nil {
			y = t.sparse.word(w)
		}
		for _, r := range q.rows[t.first:t.last] {
			if r.set != nil {
				y |= r.set.word(w)
			} else if r.at == w {
				y |= r.word
			}
		}
		if x &= y; x == 0 {
			return 0
		}
	}
	return x
}

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
		s.try(m.only.bits.Words(), m.only.at, -1)
	}
	for i := range m.fine {
		t := s.terms[i]
		for _, r := range s.rows[t.first:t.last] {
			if r.set != nil {
				s.try(r.set.bits.Words(), r.set.at, i)
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

// try looks for survivors in a set of rules that meet term i.
func (s *search) try(words []uint64, at []uint32, i int) {
	for k, x := range words {
		w := uint32(k)
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
