package flowspace

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"
)

// blockFill is how many of the 64 positions of a block a build uses; the rest is
// room for rules that come between.
const blockFill = 56

// edit is done on a copy that shares everything the change does not touch.
func (m *federatedMap) edit(remove, add []*Rule) flowMap {
	if len(remove)+len(add) > 64+(m.n+len(add))/8 {
		return m.rebuild(remove, add)
	}
	e := new(edit)
	c := new(federatedMap)
	*c = *m
	c.blocks = slices.Clone(m.blocks)
	c.order = slices.Clone(m.order)
	c.rank = slices.Clone(m.rank)
	c.free = slices.Clone(m.free)
	for _, r := range remove {
		c.removeOne(e, r)
	}
	for _, r := range add {
		c.insertOne(e, r)
	}
	if len(c.order)*8 > c.n+512 {
		return c.rebuild(nil, nil) // mostly holes
	}
	c.settle()
	c.retuple(e, remove, add)
	return c
}

// settle derives what the queries want to know.
func (m *federatedMap) settle() {
	m.inOrder = len(m.order) == len(m.blocks)
	for i, w := range m.order {
		m.rank[w] = uint32(i)
		m.inOrder = m.inOrder && w == uint32(i)
	}
	if m.n > 2*m.chosen || 2*m.n < m.chosen {
		m.chooseCoarse()
	}
	m.plan, m.fine = make([]fieldPlan, 0, numFields+1), 0
	for f := range m.fields {
		if x := &m.fields[f]; x.used > 0 {
			m.plan = append(m.plan, x.plan(Field(f)))
			if m.coarse>>f&1 == 0 {
				m.fine++
			}
		}
	}
	rank := func(p *fieldPlan) float64 { // coarse fields last, else by rules a value leaves
		x := &m.fields[p.field]
		share := float64(m.n-x.used) + float64(x.used)/float64(x.rows.n)
		return share + float64(m.coarse>>p.field&1)*float64(2*m.n)
	}
	slices.SortStableFunc(m.plan, func(a, b fieldPlan) int { return cmp.Compare(rank(&a), rank(&b)) })
	for i := range m.plan {
		m.planned[i] = m.plan[i].field
	}
	m.eager = m.fine
	for i := range m.plan[:m.fine] {
		if x := &m.fields[m.plan[i].field]; x.used > eagerRow*x.rows.n {
			m.eager = len(m.plan) // many rules to a value: they need all fields to tell them apart
		}
	}
}

// eagerRow is how many rules a value of a fine field may have on average, before it is
// cheaper to ask the coarse fields at once than to look at a rule.
const eagerRow = 3

// chooseCoarse makes those fields coarse that lengthen the search: as long as the
// rules restricted by coarse fields only are fewer than what a row of the next field
// holds on average.
func (m *federatedMap) chooseCoarse() {
	m.chosen, m.coarse = m.n, 0
	var fine []Field
	cost := 0.0 // words that a search tries
	row := func(f Field) float64 { return float64(m.fields[f].used) / float64(m.fields[f].rows.n) }
	for f := range m.fields {
		if m.fields[f].used > 0 {
			fine = append(fine, Field(f))
			cost += row(Field(f))
		}
	}
	slices.SortFunc(fine, func(a, b Field) int { return cmp.Compare(row(b), row(a)) })
	only, n := m.openIn(fine)
	cost += float64(n)
	for len(fine) > 1 {
		next, n := m.openIn(fine[1:])
		lower := cost - row(fine[0]) - float64(len(only)-countZero(only)) + float64(n)
		if lower >= cost {
			break
		}
		m.coarse |= 1 << fine[0]
		only, cost, fine = next, lower, fine[1:]
	}
	m.only = newDenseSet(nil, only)
	if m.only.thin(len(only)) {
		m.only.makeSparse()
		if len(m.only.at) == 0 {
			m.only = &ruleSet{}
		}
	}
}

// openIn returns the words of the rules that none of the fields restricts, and how
// many of the words are not zero.
func (m *federatedMap) openIn(fs []Field) (words []uint64, n int) {
	words = make([]uint64, len(m.blocks))
	for w, b := range m.blocks {
		if b == nil {
			continue
		}
		x := b.used
		for _, f := range fs {
			x &= m.fields[f].any.word(uint32(w))
		}
		words[w] = x
	}
	return words, len(words) - countZero(words)
}

func countZero(words []uint64) (n int) {
	for _, x := range words {
		if x == 0 {
			n++
		}
	}
	return n
}

func (x *fieldIndex) plan(f Field) fieldPlan {
	p := fieldPlan{field: f, width: x.width, shift: x.rows.dir.shift, pages: x.rows.dir.pageParts, cost: x.any.len(), lengths: x.lengths}
	if x.any.at == nil {
		p.any = x.any.bits.Words()
	}
	if x.any.at != nil || len(x.any.further) > 0 {
		p.anySet = x.any
	}
	if len(x.lengths) == 1 {
		p.single = x.lengths[0].n
	}
	return p
}

// rebuild makes a new map from all rules.
func (m *federatedMap) rebuild(remove, add []*Rule) *federatedMap {
	gone := make(map[*Rule]bool, len(remove))
	for _, r := range remove {
		gone[r] = true
	}
	rules := make([]*Rule, 0, m.n+len(add))
	m.each(func(r *Rule) bool {
		if !gone[r] {
			rules = append(rules, r)
		}
		return true
	})
	mid := len(rules)
	rules = append(rules, add...)
	mergeRules(rules, mid)

	c := newFederatedMap(m.byDPID)
	c.bare = m.bare
	e := new(edit)
	for _, r := range rules {
		for f := range c.fields {
			if !c.open(r, Field(f)) {
				c.fields[f].used++
			}
		}
	}
	for f := range c.fields {
		if x := &c.fields[f]; x.used > 0 {
			x.any, x.used = &ruleSet{owner: e}, 0
		}
	}
	for i, r := range rules {
		// Room is left every few rules, so that a rule that comes between moves few.
		w, bit := uint32(i/blockFill), uint(i%blockFill*64/blockFill)
		if bit == 0 {
			c.blocks = append(c.blocks, &ruleBlock{owner: e})
			c.order = append(c.order, w)
		}
		c.place(e, r, w, bit)
	}
	c.n = len(rules)
	c.rank = make([]uint32, len(c.blocks))
	c.settle()
	if !c.bare {
		c.chooseShapes(e)
	}
	return c
}

// open reports whether a rule leaves a field of this map unrestricted.
func (m *federatedMap) open(r *Rule, f Field) bool {
	switch f {
	case fieldDPID:
		return !m.byDPID || r.DPIDs.all
	case NWSrc, NWDst:
		return r.Match.prefix(f).IsAny()
	case DLSrc, DLDst:
		return r.Match.mac(f).IsAny()
	}
	return r.Match.set(f).IsAny()
}

// place puts a rule at a position that is free.
func (m *federatedMap) place(e *edit, r *Rule, w uint32, bit uint) {
	b := m.ownBlock(e, w)
	b.rules[bit], b.keys[bit] = r, orderKey(r)
	b.used |= 1 << bit
	var restricted fieldMask
	for f := range m.fields {
		fd, x := Field(f), &m.fields[f]
		if m.open(r, fd) {
			if x.any != nil {
				x.any = x.any.own(e)
				x.any.set(w, bit)
			}
			continue
		}
		restricted |= 1 << f
		if x.any == nil {
			m.beginField(e, x, w, bit)
		}
		x.used++
		eachPrefix(r, fd, func(start uint64, n uint8) { x.add(e, start, n, w, bit) })
	}
	if m.only != nil && restricted&^m.coarse == 0 {
		m.only = m.only.own(e)
		m.only.set(w, bit)
	}
}

// beginField makes any for a field that no rule restricted: all rules but the new.
func (m *federatedMap) beginField(e *edit, x *fieldIndex, w uint32, bit uint) {
	words := make([]uint64, len(m.blocks))
	for i, b := range m.blocks {
		if b != nil {
			words[i] = b.used
		}
	}
	words[w] &^= 1 << bit
	x.any = newDenseSet(e, words)
}

// unplace takes the rule at a position away.
func (m *federatedMap) unplace(e *edit, w uint32, bit uint) *Rule {
	b := m.ownBlock(e, w)
	r := b.rules[bit]
	b.rules[bit] = nil
	b.used &^= 1 << bit
	for f := range m.fields {
		fd, x := Field(f), &m.fields[f]
		if m.open(r, fd) {
			if x.any != nil {
				x.any = x.any.own(e)
				x.any.clear(w, bit)
			}
			continue
		}
		eachPrefix(r, fd, func(start uint64, n uint8) { x.remove(e, start, n, w, bit) })
		if x.used--; x.used == 0 {
			x.any = nil
		}
	}
	if m.only != nil {
		m.only = m.only.own(e)
		m.only.clear(w, bit)
	}
	return r
}

func (m *federatedMap) ownBlock(e *edit, w uint32) *ruleBlock {
	b := m.blocks[w]
	if b.owner != e {
		c := *b
		c.owner = e
		b = &c
		m.blocks[w] = b
	}
	return b
}

// blockFor returns where in order the block is that r is in or belongs to.
func (m *federatedMap) blockFor(r *Rule) int {
	k := orderKey(r)
	i := sort.Search(len(m.order), func(i int) bool {
		b := m.blocks[m.order[i]]
		j := bits.TrailingZeros64(b.used)
		return k < b.keys[j] || k == b.keys[j] && r.Before(b.rules[j])
	})
	return max(i-1, 0)
}

// neighbours returns the positions next to where r belongs in a block: -1 and 64
// when there are none.
func (b *ruleBlock) neighbours(r *Rule) (before, after int) {
	before, after = -1, 64
	k := orderKey(r)
	for x := b.used; x != 0; x &= x - 1 {
		i := bits.TrailingZeros64(x)
		if l := b.keys[i]; l > k || l == k && !b.rules[i].Before(r) {
			return before, i
		}
		before = i
	}
	return before, after
}

func (m *federatedMap) removeOne(e *edit, r *Rule) {
	i := m.blockFor(r)
	w := m.order[i]
	_, at := m.blocks[w].neighbours(r)
	m.unplace(e, w, uint(at))
	m.n--
	if m.blocks[w].used == 0 {
		m.blocks[w] = nil
		m.free = append(m.free, w)
		m.order = slices.Delete(m.order, i, i+1)
	}
}

// newBlock puts an empty block in order, as the i-th.
func (m *federatedMap) newBlock(e *edit, i int) uint32 {
	var w uint32
	if n := len(m.free); n > 0 {
		w = m.free[n-1]
		m.free = m.free[:n-1]
		m.blocks[w] = &ruleBlock{owner: e}
	} else {
		w = uint32(len(m.blocks))
		m.blocks = append(m.blocks, &ruleBlock{owner: e})
		m.rank = append(m.rank, 0)
	}
	m.order = slices.Insert(m.order, i, w)
	return w
}

func (m *federatedMap) insertOne(e *edit, r *Rule) {
	m.n++
	if len(m.order) == 0 {
		m.place(e, r, m.newBlock(e, 0), 0)
		return
	}
	i := m.blockFor(r)
	w := m.order[i]
	b := m.blocks[w]
	before, after := b.neighbours(r)
	if after-before > 1 {
		bit := (before + after) / 2
		if before >= 0 && (after == 64 || b.rules[before].Priority == r.Priority) {
			bit = before + 1 // rules of one priority come with ascending ids
		}
		m.place(e, r, w, uint(bit))
		return
	}
	n := bits.OnesCount64(b.used)
	switch {
	case before >= 0 && m.endsRun(i, r, b.rules[before]):
		w, bit := m.roomBehind(e, i, before, after)
		m.place(e, r, w, bit)
	case n <= blockFill:
		m.place(e, r, w, m.makeRoom(e, w, before, after))
	case after == 64:
		m.place(e, r, m.newBlock(e, i+1), 0)
	default:
		m.spread(e, w, m.newBlock(e, i+1), (n+1)/2, r)
	}
}

// endsRun reports whether r, behind a rule of the i-th block, is the last of its priority,
// and these fill more than a block. The next ones will come behind it.
func (m *federatedMap) endsRun(i int, r, before *Rule) bool {
	if i == 0 || before.Priority != r.Priority {
		return false
	}
	b := m.blocks[m.order[i-1]]
	return b.rules[bits.TrailingZeros64(b.used)].Priority == r.Priority
}

// roomBehind parts the i-th block behind a position, so that there is room for many
// rules, moving the fewer ones to a block of their own. It returns the first free position.
func (m *federatedMap) roomBehind(e *edit, i, before, after int) (uint32, uint) {
	w := m.order[i]
	if after == 64 {
		return m.newBlock(e, i+1), 0
	}
	low := m.blocks[w].used & (1<<after - 1)
	high := m.blocks[w].used &^ low
	if bits.OnesCount64(high) <= bits.OnesCount64(low) {
		next := m.newBlock(e, i+1)
		for x := high; x != 0; x &= x - 1 {
			bit := uint(bits.TrailingZeros64(x))
			m.place(e, m.unplace(e, w, bit), next, bit)
		}
		return w, uint(before + 1)
	}
	prev, n := m.newBlock(e, i), uint(0)
	for x := low; x != 0; x &= x - 1 {
		m.place(e, m.unplace(e, w, uint(bits.TrailingZeros64(x))), prev, n)
		n++
	}
	return prev, n
}

// makeRoom frees a position between two neighbours in a block, by moving the rules
// from there to the nearest free position by one, and returns it.
func (m *federatedMap) makeRoom(e *edit, w uint32, before, after int) uint {
	free := ^m.blocks[w].used
	up, down := 64, -1 // the free positions next to them
	if after < 64 {
		up = after + bits.TrailingZeros64(free>>after)
	}
	if before >= 0 {
		down = 63 - bits.LeadingZeros64(free<<(63-before)) - (63 - before)
	}
	if up < 64 && (down < 0 || up-after <= before-down) {
		for i := up; i > after; i-- {
			m.place(e, m.unplace(e, w, uint(i-1)), w, uint(i))
		}
		return uint(after)
	}
	for i := down; i < before; i++ {
		m.place(e, m.unplace(e, w, uint(i+1)), w, uint(i))
	}
	return uint(before)
}

// spread lays the rules of block w and a new one out evenly, the first keep of them
// in w and the others in block next.
func (m *federatedMap) spread(e *edit, w, next uint32, keep int, r *Rule) {
	b := m.blocks[w]
	rules := make([]*Rule, 0, 65)
	for x := b.used; x != 0; x &= x - 1 {
		rules = append(rules, b.rules[bits.TrailingZeros64(x)])
	}
	at, _ := slices.BinarySearchFunc(rules, r, compareRules)
	rules = slices.Insert(rules, at, r)
	target := func(i int) (uint32, uint) {
		if i < keep {
			return w, uint(i * 64 / keep)
		}
		return next, uint((i - keep) * 64 / (len(rules) - keep))
	}
	var moved []int
	for i, x := range rules {
		tw, bit := target(i)
		if tw == w && b.used>>bit&1 == 1 && b.rules[bit] == x {
			continue // it is there already
		}
		moved = append(moved, i)
	}
	for x := b.used; x != 0; x &= x - 1 {
		bit := uint(bits.TrailingZeros64(x))
		i, _ := slices.BinarySearchFunc(rules, b.rules[bit], compareRules)
		if tw, tb := target(i); tw != w || tb != bit {
			m.unplace(e, w, bit)
			b = m.blocks[w]
		}
	}
	for _, i := range moved {
		tw, bit := target(i)
		m.place(e, rules[i], tw, bit)
	}
}
