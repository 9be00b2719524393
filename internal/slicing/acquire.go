package slicing

import "slices"

// acquire puts f's pieces on the books. The specs are from derive. It returns false
// when the rules' ranks or the switch's priorities leave no place; then the caller
// has to renew them (see renew).
func (d *Datapath) acquire(f *vflow, specs []spec) bool {
	d.touch(f)
	for i := range specs {
		if !d.acquirePiece(f, &specs[i]) {
			return false
		}
	}
	d.markPoints(f)
	return true
}

// newPiece adds a piece to f.
func (f *vflow) newPiece() *piece {
	p := &f.first
	if f.begun {
		p, f.more = new(piece), true
	} else {
		f.begun = true
		f.pieces = f.firstIn[:0]
	}
	f.pieces = append(f.pieces, p)
	return p
}

// inherit gives f, which is as old was and has its place, old's pieces where they are.
func (d *Datapath) inherit(f, old *vflow) {
	d.touch(old)
	d.touch(f)
	for _, p := range old.pieces {
		n := f.newPiece()
		*n = *p
		n.flow, n.gone = f, false
		p.slot.cands[slices.Index(p.slot.cands, p)] = n
		d.mark(p.slot)
	}
	old.pieces = nil
	d.markPoints(f)
}

func (d *Datapath) acquirePiece(f *vflow, s *spec) bool {
	p := f.newPiece()
	*p = piece{flow: f, rule: s.rule, carve: s.carve}
	if !s.pat.Exact() {
		if p.ranked = s.ranked; p.ranked == nil {
			p.ranked = s.rule.self[:]
		}
	}
	for _, g := range s.guards {
		if !slices.Contains(p.ranked, g.rule) {
			p.ranked = append(p.ranked[:len(p.ranked):len(p.ranked)], g.rule)
		}
	}
	for _, r := range p.ranked {
		r.refs++
	}
	for _, r := range p.ranked {
		if !d.rankOf(r) {
			return false
		}
	}
	for _, g := range s.guards {
		level := levelGuard
		if g.rule.lldp {
			level = levelLLDP
		}
		slot := d.slotAt(&g.pat, g.rule, level)
		if slot == nil {
			return false
		}
		slot.guards++
		p.guards = append(p.guards, slot)
		d.noteSoft(slot)
		d.mark(slot)
	}
	slot := d.slotAt(&s.pat, s.rule, s.level)
	if slot == nil {
		return false
	}
	p.slot = slot
	slot.cands = append(slot.cands, p)
	d.noteSoft(slot)
	d.mark(slot)
	return true
}

// drop takes f's pieces off the books. What is in the switch is seen to by flush.
func (d *Datapath) drop(f *vflow) {
	d.touch(f)
	for _, p := range f.pieces {
		if p.slot != nil {
			p.slot.cands = slices.DeleteFunc(p.slot.cands, func(c *piece) bool { return c == p })
			d.noteSoft(p.slot)
			d.mark(p.slot)
		}
		for _, g := range p.guards {
			g.guards--
			d.noteSoft(g)
			d.mark(g)
		}
		for _, r := range p.ranked {
			if r.refs--; r.refs == 0 {
				d.ranks.unused = true
			}
		}
	}
	f.pieces = nil
	d.markPoints(f)
}

// place derives and acquires in one step, choosing ranks anew if need be.
func (d *Datapath) place(f *vflow) error {
	specs, err := d.derive(f)
	if err != nil {
		return err
	}
	d.put(f, specs)
	return nil
}

// put is acquire that cannot fail.
func (d *Datapath) put(f *vflow, specs []spec) {
	if d.acquire(f, specs) {
		return
	}
	d.renew(f)
}

// renew chooses all ranks anew. It happens when rules become active in an order
// that earlier choices did not foresee.
func (d *Datapath) renew(f *vflow) {
	need := map[*ruleInfo]bool{}
	for i := range d.ranks.active {
		need[i] = true
	}
	for _, r := range d.overlappingFlow(f) {
		need[r] = true
	}
	all := d.placed()
	if !slices.Contains(all, f) {
		all = append(all, f)
	}
	gone := map[*vflow][]*piece{}
	for _, v := range all {
		gone[v] = v.pieces
		d.drop(v)
	}
	list := make([]*ruleInfo, 0, len(need))
	for i := range need {
		i.rank = nil
		list = append(list, i)
	}
	d.ranks.assignAll(list)
	for _, v := range all {
		specs, err := d.derive(v)
		if err == nil && !d.acquire(v, specs) {
			d.report(Event{Slice: v.slice.name, What: "no priority left in the switch for flow " + v.flow.Match.String()})
		}
		keepGone(v, gone[v])
	}
}

// keepGone carries over which pieces had idled out.
func keepGone(v *vflow, old []*piece) {
	for _, o := range old {
		if !o.gone || o.slot == nil {
			continue
		}
		for _, p := range v.pieces {
			if p.slot != nil && p.slot.pat == o.slot.pat {
				p.gone = true
			}
		}
	}
}

// placed returns every virtual flow of the datapath, oldest first.
func (d *Datapath) placed() []*vflow {
	var all []*vflow
	for _, s := range d.slices {
		for _, f := range s.table.Flows() {
			all = append(all, f.Aux.(*vflow))
		}
		for _, f := range s.drops {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *vflow) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	return all
}
