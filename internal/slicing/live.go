package slicing

import (
	"time"

	"github.com/govisor/govisor/flowspace"
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
	changed := changedRules(d.view, view)
	moved := d.newPorts(view)
	var again []*vflow
	for _, f := range d.placed() {
		if moved[f.slice] || d.concerns(f, changed) {
			again = append(again, f)
		}
	}
	d.withMany(2*len(again), func() { d.moveInto(now, view, again, changed, moved, out) })
	for _, s := range d.sorted() {
		d.setDrops(now, s)
	}
	d.reviseEmergency(now, out)
	d.publish()
	d.flush(now, nil, out)
	d.confirm(now, out)
}

// moveInto changes the view and derives flows anew.
func (d *Datapath) moveInto(now time.Time, view *flowspace.View, again []*vflow, changed map[*flowspace.Rule]bool, moved map[*slice]bool, out *Out) {
	gone := make([][]*piece, len(again))
	for n, f := range again {
		gone[n] = f.pieces
		d.drop(f)
	}
	for r := range changed {
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

// changedRules are the rules that are only in one of the views.
func changedRules(before, after *flowspace.View) map[*flowspace.Rule]bool {
	set := map[*flowspace.Rule]bool{}
	a, b := before.Rules(), after.Rules()
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		case b[0].Before(a[0]):
			set[b[0]] = true
			b = b[1:]
		default: // the older one is stronger, or both have one place
			set[a[0]] = true
			a = a[1:]
		}
	}
	for _, r := range a {
		set[r] = true
	}
	for _, r := range b {
		set[r] = true
	}
	return set
}

// concerns reports whether a change of rules can change what becomes of f. What a
// rewritten frame or a queue is allowed depends on rules elsewhere too.
func (d *Datapath) concerns(f *vflow, changed map[*flowspace.Rule]bool) bool {
	if len(changed) > 64 || rewrites(f.flow.Actions) {
		return true
	}
	for i := range f.flow.Actions {
		if f.flow.Actions[i].Type == of10.ActionEnqueue {
			return true
		}
	}
	region := f.region()
	for r := range changed {
		if r.Match.Overlaps(&region) {
			return true
		}
	}
	return false
}

// newPorts works out which slices have other ports under view.
func (d *Datapath) newPorts(view *flowspace.View) map[*slice]bool {
	moved := map[*slice]bool{}
	for _, s := range d.slices {
		ports, has := view.PortsOf(s.name)
		if has != s.has || has && ports != s.ports {
			moved[s] = true
		}
	}
	return moved
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
