package flowspace

import "math/bits"

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
	plan    []fieldPlan          // fields some rule restricts, the fine ones first
	fine    int                  // how many of plan are fine
	eager   int                  // how many of plan are asked before rules are looked at
	planned [numFields + 1]Field // those of plan
	// Coarse fields have few values with many rules each. What matches a header either
	// is restricted by coarse fields only, or is in a row of a fine field, and these
	// rows are short.
	coarse fieldMask
	only   *ruleSet // the rules restricted by coarse fields only
	chosen int      // number of rules when coarse was chosen

	bare     bool    // never with tuples
	tuples   *tuples // finds owners when the rules are of few shapes; else nil
	shapedAt int     // number of rules when that was decided
	unshaped int     // rules changed since
}

// fieldMask has bit f for field f.
type fieldMask uint16

// fieldPlan is what a query has to know of a fieldIndex, in one place: a search is
// mostly waiting for memory.
type fieldPlan struct {
	field   Field
	width   uint8
	single  uint8 // the only prefix length; 0: see lengths
	shift   uint8 // of the row table, as is pages
	pages   pageParts[rowPage]
	any     []uint64       // the first words of the any set when it is dense
	anySet  *ruleSet       // the any set when it is not, or has more; else nil
	cost    int            // number of words in it
	lengths []prefixLength // prefix lengths in use
}

// ruleBlock holds the rules of one word.
type ruleBlock struct {
	owner *edit
	used  uint64
	rules [64]*Rule
	keys  [64]uint64 // of the rules
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
		if r := p.pages.at(h>>p.shift).get(h, k); r != nil {
			cost += q.row(r)
		}
	default:
		for i := range p.lengths {
			k := prefixKey(p.width, v, p.lengths[i].n)
			h := rowHash(k)
			if !p.lengths[i].filter.has(h) {
				continue
			}
			if r := p.pages.at(h>>p.shift).get(h, k); r != nil {
				cost += q.row(r)
			}
		}
	}
	if q.full {
		q.full, q.verify, q.nrows = false, true, first
		return true
	}
	return q.term(p, first, cost)
}

// term adds a term of rows first and following; false means that no rule meets it.
func (q *query) term(p *fieldPlan, first, cost int) bool {
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

// anyWord returns which positions of word w leave the field open.
func (p *fieldPlan) anyWord(w uint32) uint64 {
	if int(w) < len(p.any) {
		return p.any[w]
	}
	if p.anySet != nil {
		return p.anySet.word(w)
	}
	return 0
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
		} else if t.anySet != nil {
			y = t.anySet.word(w)
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
