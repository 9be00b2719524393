package slicing

import "slices"

// rank is a band of physical priorities. Only its place among the others counts.
type rank struct{ pos int }

// ranking keeps the ranks in ascending order.
type ranking struct {
	order []*rank
	// active are the rules that have a rank, because a slot needs it.
	active map[*ruleInfo]struct{}
}

// rankOf gives rule i a rank that respects every active rule it overlaps: above
// those it takes precedence over, below the others; rules of one kind may share
// one. It returns false when earlier choices leave no place; then all ranks have to
// be chosen anew.
func (d *Datapath) rankOf(i *ruleInfo) bool {
	if i.rank != nil {
		return true
	}
	lo, hi := -1, len(d.ranks.order) // may be in lo..hi of order, both exclusive
	for o := range d.ranks.active {
		if o.rank == nil || !o.rule.Match.Overlaps(&i.rule.Match) {
			continue
		}
		at, same := o.rank.pos, o.kind == i.kind
		switch {
		case i.before(o) && same:
			lo = max(lo, at-1)
		case i.before(o):
			lo = max(lo, at)
		case same:
			hi = min(hi, at+1)
		default:
			hi = min(hi, at)
		}
	}
	switch {
	case hi-lo >= 2:
		i.rank = d.ranks.order[lo+1]
	case hi-lo == 1:
		i.rank = &rank{}
		d.ranks.insert(hi, i.rank)
	default:
		return false
	}
	d.ranks.active[i] = struct{}{}
	return true
}

func (r *ranking) insert(at int, n *rank) {
	r.order = slices.Insert(r.order, at, n)
	for p := at; p < len(r.order); p++ {
		r.order[p].pos = p
	}
}

// sweep forgets the ranks that no rule has any more.
func (r *ranking) sweep() {
	used := make(map[*rank]bool, len(r.order))
	for i := range r.active {
		if i.refs == 0 {
			i.rank = nil
			delete(r.active, i)
			continue
		}
		used[i.rank] = true
	}
	r.order = slices.DeleteFunc(r.order, func(k *rank) bool { return !used[k] })
	for p, k := range r.order {
		k.pos = p
	}
}

// assignAll gives the rules ranks from scratch, the lowest possible ones, above
// all that exist already, so that old and new pieces can stand together while the
// new ones are put in.
func (r *ranking) assignAll(rules []*ruleInfo) {
	slices.SortFunc(rules, func(a, b *ruleInfo) int {
		if a.before(b) {
			return 1
		}
		return -1
	})
	base := len(r.order)
	for n, i := range rules {
		level := 0
		for _, lower := range rules[:n] {
			if !lower.rule.Match.Overlaps(&i.rule.Match) {
				continue
			}
			need := lower.rank.pos - base
			if lower.kind != i.kind {
				need++
			}
			level = max(level, need)
		}
		if base+level == len(r.order) {
			r.insert(len(r.order), &rank{})
		}
		i.rank = r.order[base+level]
		r.active[i] = struct{}{}
	}
}
