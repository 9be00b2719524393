package slicing

import (
	"cmp"
	"slices"
)

// rank is a band of physical priorities. It belongs to one rule priority; rules of
// the same priority share it unless they overlap and are of different kinds.
type rank struct {
	pos      int // among all ranks
	priority uint32
	stale    bool // being replaced, see Datapath.renew
}

// ranking keeps the ranks in ascending order.
type ranking struct {
	order []*rank
	// active are the rules that have a rank, because a slot needs it.
	active map[*ruleInfo]struct{}
	unused bool // some rule has lost its last slot
}

// rankOf gives rule i a rank that respects every active rule it overlaps: above
// those it takes precedence over, below the others; rules of one kind may share
// one. It returns false when earlier choices among rules of one priority leave no
// place; then all ranks have to be chosen anew.
func (d *Datapath) rankOf(i *ruleInfo) bool {
	if i.rank != nil {
		return true
	}
	// Places are counted double: 2k is rank k itself, odd numbers are the gaps between
	// two. The rank may be anywhere from lo to hi.
	from, to := d.ranks.block(i.priority())
	lo, hi := 2*from-1, 2*to-1
	if i.lldp { // overlaps none of its priority
		d.rankRules = d.rankRules[:0]
	} else {
		d.rankRules = d.view.Overlapping(i.rule.Match, d.rankRules[:0])
	}
	for _, r := range d.rankRules {
		o := d.rules[r]
		if o == nil || o == i || o.rank == nil || o.priority() != i.priority() {
			continue
		}
		if _, active := d.ranks.active[o]; !active {
			continue
		}
		at, same := 2*o.rank.pos, o.kind == i.kind
		switch {
		case i.before(o) && same:
			lo = max(lo, at)
		case i.before(o):
			lo = max(lo, at+1)
		case same:
			hi = min(hi, at)
		default:
			hi = min(hi, at-1)
		}
	}
	switch existing := (lo + 1) / 2; {
	case lo > hi:
		return false
	case 2*existing <= hi && existing >= from && existing < to:
		i.rank = d.ranks.order[existing]
	default:
		i.rank = &rank{priority: i.priority()}
		d.ranks.insert(existing, i.rank)
	}
	d.ranks.active[i] = struct{}{}
	return true
}

// block is where the ranks of a rule priority are, or would be.
func (r *ranking) block(priority uint32) (from, to int) {
	for from < len(r.order) && (r.order[from].stale || r.order[from].priority < priority) {
		from++
	}
	for to = from; to < len(r.order) && r.order[to].priority == priority; to++ {
	}
	return from, to
}

func (r *ranking) insert(at int, n *rank) {
	r.order = slices.Insert(r.order, at, n)
	for p := at; p < len(r.order); p++ {
		r.order[p].pos = p
	}
}

// sweep forgets the ranks that no rule has any more.
func (r *ranking) sweep() {
	if !r.unused {
		return
	}
	r.unused = false
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

// assignAll gives the rules ranks from scratch, above all that exist already, so
// that old and new pieces can stand together while the new ones are put in.
func (r *ranking) assignAll(rules []*ruleInfo) {
	for _, k := range r.order {
		k.stale = true
	}
	clear(r.active)
	slices.SortFunc(rules, func(a, b *ruleInfo) int {
		if a.before(b) {
			return 1
		}
		return -1
	})
	level := make(map[*ruleInfo]int, len(rules))
	for n, i := range rules {
		for _, lower := range rules[:n] {
			if lower.priority() != i.priority() || !lower.rule.Match.Overlaps(&i.rule.Match) {
				continue
			}
			need := level[lower]
			if lower.kind != i.kind {
				need++
			}
			level[i] = max(level[i], need)
		}
	}
	slices.SortStableFunc(rules, func(a, b *ruleInfo) int {
		return cmp.Or(cmp.Compare(a.priority(), b.priority()), cmp.Compare(level[a], level[b]))
	})
	for n, i := range rules {
		if n == 0 || rules[n-1].priority() != i.priority() || level[rules[n-1]] != level[i] {
			r.insert(len(r.order), &rank{priority: i.priority()})
		}
		i.rank = r.order[len(r.order)-1]
		r.active[i] = struct{}{}
	}
}
