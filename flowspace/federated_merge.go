package flowspace

import "math/bits"

// orderKey says by which of two rules is first in order: the one with the smaller key.
// Ids that are too large for it have one key, and the rules themselves tell.
func orderKey(r *Rule) uint64 {
	return uint64(MaxPriority-r.Priority)<<keyIDs | min(r.ID, 1<<keyIDs-1)
}

const keyIDs = 33 // bits of the id in a key

// first reports whether the rule at position i is before the one of o at j.
func (b *ruleBlock) first(i int, o *ruleBlock, j int) bool {
	k, l := b.keys[i], o.keys[j]
	return k < l || k == l && b.rules[i].Before(o.rules[j])
}

// overlappingBoth appends, in order, what overlaps in either of two maps. Rules are
// compared by what their blocks say, since most of those found are in no cache.
func overlappingBoth(a, b *federatedMap, match *Match, dpid uint64, dst []*Rule) []*Rule {
	var q regionQuery
	if !a.ask(&q, match, dpid) {
		return b.overlapping(match, dpid, dst)
	}
	var p regionQuery
	if !b.ask(&p, match, dpid) {
		return a.visit(&q, match, dpid, dst, nil)
	}
	var words [2][fewListed]uint32
	var v, w walk
	v.q, v.m, v.match, v.dpid = &q, a, match, dpid
	v.ws, v.few = a.toVisit(&q, words[0][:0])
	w.q, w.m, w.match, w.dpid = &p, b, match, dpid
	w.ws, w.few = b.toVisit(&p, words[1][:0])
	c, x := v.next()
	d, y := w.next()
	for c != nil && d != nil {
		i, j := bits.TrailingZeros64(x)&63, bits.TrailingZeros64(y)&63
		if c.first(i, d, j) {
			dst = append(dst, c.rules[i])
			if x &^= 1 << i; x == 0 {
				c, x = v.next()
			}
		} else {
			dst = append(dst, d.rules[j])
			if y &^= 1 << j; y == 0 {
				d, y = w.next()
			}
		}
	}
	for ; c != nil; c, x = v.next() {
		dst = c.appendRules(dst, x)
	}
	for ; d != nil; d, y = w.next() {
		dst = d.appendRules(dst, y)
	}
	return dst
}
