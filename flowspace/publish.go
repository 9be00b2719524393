package flowspace

import (
	"maps"
	"slices"
)

// publish brings the ordered list and the partitions up to date.
func (c *changer) publish() {
	c.dpids = map[uint64]*delta{}
	for _, n := range c.net {
		if n.old != nil {
			c.removed = append(c.removed, n.old)
		}
		if n.new != nil {
			c.added = append(c.added, n.new)
		}
	}
	slices.SortFunc(c.removed, compareRules)
	slices.SortFunc(c.added, compareRules)
	c.next.order = c.next.order.edit(c.removed, c.added)
	for _, r := range c.removed {
		c.eachPartition(r, func(d *delta) { d.remove = append(d.remove, r) })
	}
	for _, r := range c.added {
		c.eachPartition(r, func(d *delta) { d.add = append(d.add, r) })
	}
	for id, d := range c.dpids {
		p, _ := c.next.parts.get(id)
		if p = p.edit(c.next.opts.Map, d, false); p == nil {
			c.next.parts.delete(c.edit, id)
		} else {
			c.next.parts.set(c.edit, id, p)
		}
	}
	if len(c.shared.remove)+len(c.shared.add) > 0 {
		c.next.shared = c.next.shared.edit(c.next.opts.Map, &c.shared, true)
	}
}

func (c *changer) eachPartition(r *Rule, f func(*delta)) {
	if r.DPIDs.all || r.DPIDs.Len() > replicateMax {
		f(&c.shared)
		return
	}
	for id := range r.DPIDs.List() {
		d := c.dpids[id]
		if d == nil {
			d = new(delta)
			c.dpids[id] = d
		}
		f(d)
	}
}

// edit returns the partition after the delta, nil when it is empty.
func (p *partition) edit(kind MapKind, d *delta, shared bool) *partition {
	var rules flowMap
	if p == nil {
		rules = newFlowMap(kind, shared)
	} else {
		rules = p.rules
	}
	if rules = rules.edit(d.remove, d.add); rules.len() == 0 {
		return nil
	}
	return &partition{rules: rules}
}

// preciseMax is up to how many rules a change may touch for the affected slices
// to be found rule by rule.
const preciseMax = 64

func (c *changer) affected() Affected {
	a := Affected{Rules: c.stored}
	dpids := map[uint64]bool{}
	set := map[string]bool{}
	changed := slices.Concat(c.removed, c.added)
	for _, r := range changed {
		a.AllDatapaths = a.AllDatapaths || r.DPIDs.all
		for id := range r.DPIDs.List() {
			dpids[id] = true
		}
		for _, g := range r.Grants {
			set[g.Slice] = true
		}
	}
	a.Datapaths = slices.Sorted(maps.Keys(dpids))
	for _, s := range [...]*Snapshot{c.old, &c.next} {
		if len(changed) <= preciseMax {
			for _, r := range changed {
				s.eachOverlapping(r, func(o *Rule) {
					for i := range o.Grants {
						set[o.Grants[i].Slice] = true
					}
				})
			}
		} else {
			s.addPresent(&a, set)
		}
	}
	a.Slices = slices.Sorted(maps.Keys(set))
	return a
}

// eachOverlapping calls f for the rules that overlap r on one of its datapaths; for
// some of them more than once.
func (s *Snapshot) eachOverlapping(r *Rule, f func(*Rule)) {
	var buf [64]*Rule
	visit := func(id uint64, p *partition) bool {
		if r.DPIDs.Has(id) {
			for _, o := range overlappingIn(p.rules, &r.Match, id, buf[:0]) {
				f(o)
			}
		}
		return true
	}
	if r.DPIDs.all || r.DPIDs.Len() > s.parts.n {
		s.parts.each(visit)
	} else {
		for id := range r.DPIDs.List() {
			if p, ok := s.parts.get(id); ok {
				visit(id, p)
			}
		}
	}
	if s.shared == nil {
		return
	}
	if !r.DPIDs.all && r.DPIDs.Len() <= replicateMax {
		for id := range r.DPIDs.List() {
			for _, o := range overlappingIn(s.shared.rules, &r.Match, id, buf[:0]) {
				f(o)
			}
		}
		return
	}
	s.shared.rules.each(func(o *Rule) bool {
		if o.DPIDs.Overlaps(r.DPIDs) && o.Match.Overlaps(&r.Match) {
			f(o)
		}
		return true
	})
}

// addPresent adds every slice on the affected datapaths.
func (s *Snapshot) addPresent(a *Affected, set map[string]bool) {
	if a.AllDatapaths {
		s.parts.each(func(_ uint64, p *partition) bool {
			for name := range p.slices() {
				set[name] = true
			}
			return true
		})
	} else {
		for _, id := range a.Datapaths {
			p, _ := s.parts.get(id)
			for name := range p.slices() {
				set[name] = true
			}
		}
	}
	for name := range s.shared.slices() {
		set[name] = true
	}
}
