package slicing

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// SetView changes the flowspace. Flows whose space changes are derived anew, and
// only the difference goes to the switch. Controllers hear of ports that come and
// go, and of flows that have lost all their space.
func (d *Datapath) SetView(now time.Time, view *flowspace.View, out *Out) {
	if view.Same(d.view) {
		return
	}
	d.dropAways()
	removed, added := view.Diff(d.view)
	changed := append(removed, added...)
	moved := d.newPorts(view, removed, added)
	again := d.concerned(changed, moved)
	d.withMany(2*len(again), func() { d.moveInto(now, view, again, changed, moved, out) })
	for _, s := range d.sorted() {
		d.setDrops(now, s)
	}
	d.disownPunts()
	d.reviseEmergency(now, out)
	d.publish()
	d.flush(now, nil, out)
	d.confirm(now, out)
}

// moveInto changes the view and derives flows anew.
func (d *Datapath) moveInto(now time.Time, view *flowspace.View, again []*vflow, changed []*flowspace.Rule, moved map[*slice]bool, out *Out) {
	gone := make([][]*piece, len(again))
	for n, f := range again {
		gone[n] = f.pieces
		d.drop(f)
	}
	for _, r := range changed {
		if i := d.rules[r]; i != nil {
			delete(d.rules, r)
			delete(d.ranks.active, i)
			d.ranks.unused = true
		}
	}
	d.view = view
	for _, s := range d.sorted() {
		d.changePorts(s, moved[s], out)
	}
	for n, f := range again {
		if f.isDrop() {
			continue
		}
		specs, err := d.derive(f)
		switch {
		case err != nil:
			d.report(Event{Slice: f.slice.name, What: "flow " + f.flow.Match.String() + " has too many pieces now and is out of force", Err: err})
		case len(specs) == 0 && !d.writesSomewhere(f):
			d.end(now, f, of10.RemovedDelete, true)
		default:
			d.put(f, specs)
			keepGone(f, gone[n])
		}
	}
}

// manyRules is how many changed rules are too many to look for the flows of each.
const manyRules = 64

// concerned returns the flows a change of rules can change, oldest first. What a
// rewritten frame or a queue is allowed depends on rules elsewhere too.
func (d *Datapath) concerned(changed []*flowspace.Rule, moved map[*slice]bool) []*vflow {
	var where []flowtable.Pattern
	all := len(changed) > manyRules
	for _, r := range changed {
		list, err := fs10.ToMatches(r.Match, d.cfg.MaxExpansion)
		if all = all || err != nil; all {
			return d.placed()
		}
		for i := range list {
			where = append(where, flowtable.MakePattern(&list[i]))
		}
	}
	found := maps.Clone(d.dependent)
	for _, s := range d.slices {
		for _, f := range s.drops {
			found[f] = struct{}{}
		}
		if moved[s] {
			for _, f := range s.table.Flows() {
				found[f.Aux.(*vflow)] = struct{}{}
			}
			continue
		}
		for i := range where {
			for _, f := range s.table.OverlappingPattern(&where[i]) {
				found[f.Aux.(*vflow)] = struct{}{}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b *vflow) int { return cmp.Compare(a.seq, b.seq) })
}

// depends reports whether rules that f does not overlap can matter to it.
func (f *vflow) depends() bool {
	for i := range f.flow.Actions {
		if f.flow.Actions[i].Type == of10.ActionEnqueue {
			return true
		}
	}
	return rewrites(f.flow.Actions)
}

// newPorts works out which slices have other ports under view.
func (d *Datapath) newPorts(view *flowspace.View, removed, added []*flowspace.Rule) map[*slice]bool {
	touched := map[*slice]bool{}
	for _, r := range removed {
		d.countPorts(r, -1, touched)
	}
	for _, r := range added {
		d.countPorts(r, 1, touched)
	}
	moved := map[*slice]bool{}
	for s := range touched {
		ports, has := view.PortsOf(s.name)
		if has != s.has || has && ports != s.ports {
			moved[s] = true
		}
	}
	return moved
}

// countPorts counts a rule that comes or goes, and notes the slices for which that
// was the first or the last one with its set of ports.
func (d *Datapath) countPorts(r *flowspace.Rule, n int, touched map[*slice]bool) {
	for i := range r.Grants {
		s := d.slices[r.Grants[i].Slice]
		if s == nil || r.Permission(s.name)&(flowspace.Read|flowspace.Write) == 0 {
			continue
		}
		before := s.portSets[r.Match.InPort]
		if s.portSets[r.Match.InPort] = before + n; before == 0 {
			touched[s] = true
		}
		if before+n == 0 {
			delete(s.portSets, r.Match.InPort)
			touched[s] = true
		}
	}
}

// changePorts gives a slice the ports it has in the present view and tells its
// controllers, who see ports come and go.
func (d *Datapath) changePorts(s *slice, changed bool, out *Out) {
	if !changed {
		return
	}
	old := *s
	s.ports, s.has = d.view.PortsOf(s.name)
	for i := range d.ports {
		p := &d.ports[i]
		before, after := old.owns(p.PortNo), s.owns(p.PortNo)
		switch {
		case before && !after:
			out.deliver(s.name, AllConns, &of10.PortStatus{Reason: of10.PortDeleted, Desc: s.view(p)})
			delete(s.bits, p.PortNo)
			if f := s.drops[p.PortNo]; f != nil {
				delete(s.drops, p.PortNo)
				f.ended = true
				d.drop(f)
			}
		case after && !before:
			out.deliver(s.name, AllConns, &of10.PortStatus{Reason: of10.PortAdded, Desc: s.view(p)})
		}
	}
}
