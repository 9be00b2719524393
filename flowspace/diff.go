package flowspace

import (
	"math/bits"
	"slices"
)

// Diff returns the rules that only old has and those that only v has, the strongest
// first. Both are views of one datapath, old may be nil. Where v came from old by a few
// changes, it costs little more than looking at those.
func (v *View) Diff(old *View) (removed, added []*Rule) {
	var was, is ruleDiff
	var none View
	if old == nil {
		old = &none
	}
	for _, p := range [...]struct{ old, now *partition }{{old.own, v.own}, {old.shared, v.shared}} {
		if p.old == p.now {
			continue
		}
		a, _ := mapOf(p.old).(*federatedMap)
		b, _ := mapOf(p.now).(*federatedMap)
		if a == nil || b == nil {
			was.addAll(p.old)
			is.addAll(p.now)
			continue
		}
		for w := range max(len(a.blocks), len(b.blocks)) {
			if x, y := a.block(w), b.block(w); x != y {
				was.addBlock(x)
				is.addBlock(y)
			}
		}
	}
	return was.without(&is, v.dpid), is.without(&was, v.dpid)
}

func mapOf(p *partition) flowMap {
	if p == nil {
		return nil
	}
	return p.rules
}

func (m *federatedMap) block(w int) *ruleBlock {
	if w >= len(m.blocks) {
		return nil
	}
	return m.blocks[w]
}

// ruleDiff collects the rules that may be in one view only.
type ruleDiff struct{ rules []*Rule }

func (d *ruleDiff) addBlock(b *ruleBlock) {
	if b == nil {
		return
	}
	for used := b.used; used != 0; used &= used - 1 {
		d.rules = append(d.rules, b.rules[bits.TrailingZeros64(used)])
	}
}

func (d *ruleDiff) addAll(p *partition) {
	if p != nil {
		p.rules.each(func(r *Rule) bool {
			d.rules = append(d.rules, r)
			return true
		})
	}
}

// without returns the rules of a datapath that are not in o.
func (d *ruleDiff) without(o *ruleDiff, dpid uint64) (list []*Rule) {
	there := make(map[*Rule]struct{}, len(o.rules))
	for _, r := range o.rules {
		there[r] = struct{}{}
	}
	for _, r := range d.rules {
		if _, both := there[r]; !both && r.DPIDs.Has(dpid) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *Rule) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	return list
}
