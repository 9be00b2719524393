package flowspace

import (
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// publish brings the ordered list and the partitions up to date.
func (c *changer) publish() {
	c.dpids = map[uint64]*delta{}
	slices.SortFunc(c.removed, compareRules)
	slices.SortFunc(c.added, compareRules)
	c.next.order = c.next.order.edit(c.removed, c.added)
	for _, r := range c.removed {
		c.eachPartition(r, func(d *delta) { d.remove = append(d.remove, r) })
	}
	for _, r := range c.added {
		c.eachPartition(r, func(d *delta) { d.add = append(d.add, r) })
	}
	c.editPartitions()
	if len(c.shared.remove)+len(c.shared.add) > 0 {
		c.next.shared = c.next.shared.edit(c.edit, c.next.opts.Map, &c.shared, true)
	}
}

// editPartitions makes the partitions that change, after a bulk several at a time.
func (c *changer) editPartitions() {
	ids := slices.Collect(maps.Keys(c.dpids))
	parts := make([]*partition, len(ids))
	edit := func(i int) {
		p, _ := c.next.parts.get(ids[i])
		parts[i] = p.edit(c.edit, c.next.opts.Map, c.dpids[ids[i]], false)
	}
	if len(c.removed)+len(c.added) < bulkMin {
		for i := range ids {
			edit(i)
		}
	} else {
		var work errgroup.Group
		work.SetLimit(runtime.GOMAXPROCS(0))
		for i := range ids {
			work.Go(func() error {
				edit(i)
				return nil
			})
		}
		_ = work.Wait() // no part of it fails
	}
	for i, id := range ids {
		if parts[i] == nil {
			c.next.parts.delete(c.edit, id)
		} else {
			c.next.parts.set(c.edit, id, parts[i])
		}
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
func (p *partition) edit(e *edit, kind MapKind, d *delta, shared bool) *partition {
	next := &partition{}
	if p == nil {
		next.rules = newFlowMap(kind, shared)
	} else {
		next.rules, next.names = p.rules, p.names
	}
	if next.rules = next.rules.edit(d.remove, d.add); next.rules.len() == 0 {
		return nil
	}
	next.count(e, d)
	return next
}

const (
	// preciseMax is up to how many rules a change may touch for the affected slices
	// to be found rule by rule.
	preciseMax = 64
	// visitMax is how many rules of a partition are looked at for one changed rule;
	// beyond, all slices there count as affected.
	visitMax = 256
)

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
				s.addOverlapping(r, set)
			}
		} else {
			s.addPresent(&a, set)
		}
	}
	a.Slices = slices.Sorted(maps.Keys(set))
	return a
}

// eachPlace calls f for the partitions a rule may overlap others in, with a datapath
// there. A rule of many datapaths has the shared partition, if any, without one.
func (s *Snapshot) eachPlace(r *Rule, f func(p *partition, dpid uint64), wholly func(shared *partition)) {
	visit := func(id uint64, p *partition) bool {
		if r.DPIDs.Has(id) {
			f(p, id)
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
	switch {
	case s.shared == nil:
	case r.DPIDs.all || r.DPIDs.Len() > replicateMax:
		wholly(s.shared)
	default:
		for id := range r.DPIDs.List() {
			f(s.shared, id)
		}
	}
}

// addOverlapping adds the slices with rules that overlap r on one of its datapaths.
func (s *Snapshot) addOverlapping(r *Rule, set map[string]bool) {
	s.eachPlace(r, func(p *partition, id uint64) { p.addOverlapping(r, id, set) }, func(p *partition) {
		missing := p.missing(set)
		p.rules.each(func(o *Rule) bool {
			if o.DPIDs.Overlaps(r.DPIDs) && o.Match.Overlaps(&r.Match) {
				missing -= addSlices(o, set)
			}
			return missing > 0
		})
	})
}

// addOverlapping adds the slices with rules that overlap r on a datapath. It ends as
// soon as there is no further slice to be found.
func (p *partition) addOverlapping(r *Rule, dpid uint64, set map[string]bool) {
	missing, visited := p.missing(set), 0
	if missing == 0 {
		return
	}
	scanIn(p.rules, &r.Match, dpid, func(rules []*Rule) bool {
		for _, o := range rules {
			missing -= addSlices(o, set)
		}
		visited += len(rules)
		return missing > 0 && visited < visitMax
	})
	if visited >= visitMax && missing > 0 {
		p.addNames(set)
	}
}

// missing returns how many slices with rules here are not in set.
func (p *partition) missing(set map[string]bool) (n int) {
	p.names.each(func(name string, _ int) bool {
		if !set[name] {
			n++
		}
		return true
	})
	return n
}

// addSlices adds the slices of a rule and returns how many were new.
func addSlices(r *Rule, set map[string]bool) (n int) {
	for i := range r.Grants {
		if name := r.Grants[i].Slice; !set[name] {
			set[name] = true
			n++
		}
	}
	return n
}

// addNames adds every slice here.
func (p *partition) addNames(set map[string]bool) {
	if p != nil {
		p.names.each(func(name string, _ int) bool {
			set[name] = true
			return true
		})
	}
}

// addPresent adds every slice on the affected datapaths.
func (s *Snapshot) addPresent(a *Affected, set map[string]bool) {
	if a.AllDatapaths {
		s.parts.each(func(_ uint64, p *partition) bool {
			p.addNames(set)
			return true
		})
	} else {
		for _, id := range a.Datapaths {
			p, _ := s.parts.get(id)
			p.addNames(set)
		}
	}
	s.shared.addNames(set)
}
