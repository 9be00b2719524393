package slicing

import (
	"errors"
	"slices"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// emergency does a flow_mod for the emergency table: the slice's own is kept in its
// virtual table, and what lies in its space is given to the switch's. In an emergency
// there is no govisor to ask, so there are no guards: what a rule of another slice
// overlaps is refused, and OUTPUT:CONTROLLER goes nowhere.
func (d *Datapath) emergency(now time.Time, s *slice, c Conn, m *of10.FlowMod, frame []byte, out *Out) {
	deletes := m.Command == of10.FlowDelete || m.Command == of10.FlowDeleteStrict
	var specs []spec
	if !deletes {
		err := d.allowed(s, m.Actions, false)
		if err == nil && (m.IdleTimeout != 0 || m.HardTimeout != 0) {
			err = flowModFailed(of10.FlowModFailedBadEmergTimeout)
		}
		if err == nil {
			specs, err = d.admitEmergency(newFlow(now, s, m))
		}
		if err != nil {
			d.failWith(out, s, c.ID, frame, err)
			return
		}
	}
	adds := s.addsEmergency(m)
	if adds && !s.room(s.table.EmergencyLen()) {
		d.failWith(out, s, c.ID, frame, flowModFailed(of10.FlowModFailedAllTablesFull))
		return
	}
	change, err := s.table.Apply(now, m)
	if err != nil {
		if adds {
			s.release(1)
		}
		d.failWith(out, s, c.ID, frame, flowModFailed(tableError(err)))
		return
	}
	p := pending{kind: pendForward, slice: s, conn: c.ID, orig: slices.Clone(frame), told: new(bool)}
	s.release(len(change.Removed))
	for _, f := range change.Removed {
		d.withdraw(s, f, p, out)
	}
	if change.Replaced != nil {
		d.withdraw(s, change.Replaced, p, out)
	}
	for _, mod := range change.Modified {
		d.withdraw(s, mod.Flow, p, out)
		f := emergencyFlow(now, s, mod.Flow)
		if specs, err := d.admitEmergency(f); err == nil {
			d.supply(f, specs, mod.Flow, p, out)
		}
	}
	if change.Added != nil {
		d.supply(emergencyFlow(now, s, change.Added), specs, change.Added, p, out)
	}
	d.confirm(now, out)
}

// addsEmergency reports whether a flow_mod makes the slice have one more emergency flow.
func (s *slice) addsEmergency(m *of10.FlowMod) bool {
	switch m.Command {
	case of10.FlowAdd, of10.FlowModifyStrict:
		return s.table.FindEmergency(m.Match, m.Priority) == nil
	case of10.FlowModify:
		return len(s.table.SelectEmergency(m.Match, of10.PortNone)) == 0
	}
	return false
}

// release gives back what n flows count against the slice's limit.
func (s *slice) release(n int) {
	if s.cfg.Quota != nil && n > 0 {
		s.cfg.Quota.Release(int64(n))
	}
}

// reviseEmergency brings the emergency flows of all slices in line with a new
// flowspace. What would need guards now, or has no space left, goes.
func (d *Datapath) reviseEmergency(now time.Time, out *Out) {
	for _, s := range d.sorted() {
		if d.adopting || s.table.EmergencyLen() == 0 {
			continue // with adopting, later
		}
		p := pending{kind: pendSilent}
		for _, fl := range s.table.SelectEmergency(of10.MatchAll(), of10.PortNone) {
			d.work, d.checks = 0, 0
			f := emergencyFlow(now, s, fl)
			specs, err := d.admitEmergency(f)
			if err == nil && d.supplied(f, specs, fl) {
				continue
			}
			d.withdraw(s, fl, p, out)
			if err == nil {
				d.supply(f, specs, fl, p, out)
				continue
			}
			s.forgetEmergency(fl)
			d.report(Event{Slice: s.name, What: "emergency flow " + fl.Match.String() + " has lost its space", Err: err})
		}
	}
}

// wipeEmergency empties the emergency table of a switch that has just connected: nobody
// can tell what is in it, as there are no statistics of it. The slices' own are put in
// again when the rest of the table is known. A switch without such a table refuses, and
// one that does not know the flag has not been asked yet what it has.
func (d *Datapath) wipeEmergency(out *Out) {
	m := of10.FlowMod{
		XID: d.nextXID(), Match: of10.MatchAll(), Command: of10.FlowDelete, Flags: of10.FlowModEmerg,
		BufferID: of10.NoBuffer, OutPort: of10.PortNone,
	}
	d.expect(pending{xid: m.XID, kind: pendSilent})
	out.send(&m)
	for _, s := range d.slices {
		clear(s.emerg)
	}
}

// restoreEmergency puts a saved emergency flow into its slice's table.
func (d *Datapath) restoreEmergency(now time.Time, f *vflow, saved *SavedFlow) {
	s := f.slice
	if _, err := d.admitEmergency(f); err != nil || !s.addsEmergency(&saved.Flow) || !s.room(s.table.EmergencyLen()) {
		return
	}
	if change, err := s.table.Apply(now, &saved.Flow); err == nil && change.Added != nil {
		change.Added.Created = saved.Created
	}
}

// supplied reports whether the switch has just what an emergency flow should become.
func (d *Datapath) supplied(f *vflow, specs []spec, fl *flowtable.Flow) bool {
	have := f.slice.emerg[fl]
	if len(have) != len(specs) {
		return false
	}
	for i := range specs {
		if have[i].Match != specs[i].pat.Match() || !of10.ActionsEqual(have[i].Actions, d.emergencyActions(f, &specs[i], fl)) {
			return false
		}
	}
	return true
}

func (d *Datapath) emergencyActions(f *vflow, s *spec, fl *flowtable.Flow) []of10.Action {
	list := d.compile(nil, f, &s.pat, s.rule, fl.Actions)
	return slices.DeleteFunc(list, func(a of10.Action) bool { return a.Type == of10.ActionOutput && a.Port == of10.PortController })
}

func tableError(err error) uint16 {
	switch {
	case errors.Is(err, flowtable.ErrFull):
		return of10.FlowModFailedAllTablesFull
	case errors.Is(err, flowtable.ErrOverlap):
		return of10.FlowModFailedOverlap
	}
	return of10.FlowModFailedBadEmergTimeout
}

// emergencyFlow is what derive and compile want to know of a flow of the table.
func emergencyFlow(now time.Time, s *slice, f *flowtable.Flow) *vflow {
	return newFlow(now, s, &of10.FlowMod{Match: f.Match, Priority: f.Priority, Actions: f.Actions})
}

func (d *Datapath) admitEmergency(f *vflow) ([]spec, *of10.Error) {
	specs, err := d.admit(f, nil)
	if err != nil {
		return nil, err
	}
	carved := func(s spec) bool { return s.carve }
	if slices.ContainsFunc(specs, carved) && strips(f.flow.Actions) { // a frame's inner tag could be another slice's
		return nil, flowModFailed(of10.FlowModFailedEPerm)
	}
	specs = slices.DeleteFunc(slices.Clone(specs), carved)
	for i := range specs {
		for _, g := range specs[i].guards {
			if !g.rule.lldp {
				return nil, flowModFailed(of10.FlowModFailedEPerm)
			}
		}
	}
	return specs, nil
}

func strips(list []of10.Action) bool {
	return slices.ContainsFunc(list, func(a of10.Action) bool { return a.Type == of10.ActionStripVLAN })
}

// supply puts the pieces of an emergency flow into the switch.
func (d *Datapath) supply(f *vflow, specs []spec, fl *flowtable.Flow, p pending, out *Out) {
	for i := range specs {
		d.cookie++
		m := of10.FlowMod{
			XID: d.nextXID(), Match: specs[i].pat.Match(), Cookie: d.cookie, Command: of10.FlowAdd, Priority: fl.Priority, Flags: of10.FlowModEmerg,
			BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: d.emergencyActions(f, &specs[i], fl),
		}
		f.slice.emerg[fl] = append(f.slice.emerg[fl], m)
		p.xid, p.slice, p.emerg = m.XID, f.slice, fl
		d.expect(p)
		out.send(&m)
	}
}

// withdraw takes the pieces of an emergency flow out of the switch.
func (d *Datapath) withdraw(s *slice, fl *flowtable.Flow, p pending, out *Out) {
	for _, m := range s.emerg[fl] {
		m.XID, m.Command, m.Actions = d.nextXID(), of10.FlowDeleteStrict, nil
		p.xid = m.XID
		d.expect(p)
		out.send(&m)
	}
	delete(s.emerg, fl)
}

// emergencyRefused takes an emergency flow back that the switch does not want, unless
// that has been done already, for another of its pieces or its successor.
func (d *Datapath) emergencyRefused(p *pending, out *Out) {
	if _, there := p.slice.emerg[p.emerg]; there {
		d.withdraw(p.slice, p.emerg, pending{kind: pendSilent}, out)
		p.slice.forgetEmergency(p.emerg)
	}
}

func (s *slice) forgetEmergency(fl *flowtable.Flow) {
	change, _ := s.table.Apply(time.Time{}, &of10.FlowMod{
		Match: fl.Match, Priority: fl.Priority, Command: of10.FlowDeleteStrict, Flags: of10.FlowModEmerg, OutPort: of10.PortNone,
	})
	s.release(len(change.Removed))
}

// clearEmergency takes all of a slice's emergency flows out of the switch.
func (d *Datapath) clearEmergency(s *slice, out *Out) {
	s.release(s.table.EmergencyLen())
	for fl := range s.emerg {
		d.withdraw(s, fl, pending{kind: pendSilent}, out)
	}
}
