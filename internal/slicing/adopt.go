package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// SavedFlow is a virtual flow as it is journaled, to be put back after a restart.
type SavedFlow struct {
	Slice   string
	Flow    of10.FlowMod // match, priority, cookie, actions, timeouts, flags
	Created time.Time
	Packets uint64
	Bytes   uint64
}

// AppendSaved appends all virtual flows of a slice to list, oldest first. What it
// returns may be read without the lock.
func (d *Datapath) AppendSaved(list []SavedFlow, slice string) []SavedFlow {
	s := d.slices[slice]
	if s == nil {
		return list
	}
	flows := s.table.Flows()
	list = slices.Grow(list, len(flows))
	for _, fl := range flows {
		f := fl.Aux.(*vflow)
		list = append(list, SavedFlow{slice, of10.FlowMod{
			Match: fl.Match, Cookie: fl.Cookie, IdleTimeout: fl.Idle, HardTimeout: fl.Hard, Priority: fl.Priority,
			BufferID: of10.NoBuffer, OutPort: of10.PortNone, Flags: fl.Flags, Actions: fl.Actions,
		}, fl.Created, f.packets, f.bytes})
	}
	for _, fl := range s.table.SelectEmergency(of10.MatchAll(), of10.PortNone) {
		list = append(list, SavedFlow{Slice: slice, Created: fl.Created, Flow: of10.FlowMod{
			Match: fl.Match, Cookie: fl.Cookie, Priority: fl.Priority, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Flags: fl.Flags, Actions: fl.Actions,
		}})
	}
	return list
}

// Restore puts saved flows into the tables of the slices they belong to. It is to be
// called after SetSlice and before Connect, which then compares with the switch. What
// the flowspace does not allow any more is left out.
func (d *Datapath) Restore(now time.Time, list []SavedFlow) {
	d.adopting = true
	for i := range list {
		s := d.slices[list[i].Slice]
		if s == nil {
			continue
		}
		f := newFlow(now, s, &list[i].Flow)
		f.flow.Created = list[i].Created
		f.packets, f.bytes = list[i].Packets, list[i].Bytes
		if d.allowed(s, f.flow.Actions, false) != nil {
			continue
		}
		d.work, d.checks = 0, 0
		if list[i].Flow.Flags&of10.FlowModEmerg != 0 {
			d.restoreEmergency(now, f, &list[i])
			continue
		}
		specs, err := d.admit(f, nil)
		if err != nil || s.table.Same(f.flow) != nil || !s.room(s.table.Len()) {
			continue
		}
		if _, err := s.table.Insert(f.flow); err != nil {
			continue
		}
		d.insert(f)
		d.put(f, specs)
	}
}

// Policy says what becomes of flows a switch already has.
type Policy uint8

// The policies.
const (
	Adopt Policy = iota // keep what is right, remove the rest, add what is missing
	Flush               // remove everything, then add what is needed
)

// Connect is to be called when the switch has (re)connected and told its features.
// With Adopt the core first asks what the switch has; until Ready, nothing that
// slices want may be passed in. Without features it is still the same connection, and
// they are what they were, with the ports as they are now.
func (d *Datapath) Connect(now time.Time, f *of10.FeaturesReply, policy Policy, out *Out) {
	d.forget()
	if f != nil {
		d.setFeatures(f)
	}
	d.realBuffers = newRealBuffers(d.features.NBuffers)
	for _, s := range d.slices {
		s.buffers = &buffers{real: d.realBuffers}
	}
	d.configure(out)
	d.publish()
	d.adopting = true
	for _, s := range d.sorted() {
		d.portsChanged(now, s)
	}
	d.tableSize = 0
	tables := of10.StatsRequest{XID: d.nextXID(), StatsType: of10.StatsTable}
	d.expect(pending{xid: tables.XID, kind: pendTables})
	out.send(&tables)
	d.wipeEmergency(out)
	if policy == Flush {
		d.wipe(now, out)
		return
	}
	xid := d.nextXID()
	d.adoption = &pending{xid: xid, kind: pendAdopt}
	out.send(&of10.StatsRequest{XID: xid, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}})
}

// wipe removes all that the switch has, whatever it is, and adds what it should have.
func (d *Datapath) wipe(now time.Time, out *Out) {
	d.adopting = false
	for _, e := range d.entries() {
		d.lose(e)
	}
	out.send(&of10.FlowMod{XID: d.nextXID(), Match: of10.MatchAll(), Command: of10.FlowDelete, BufferID: of10.NoBuffer, OutPort: of10.PortNone})
	d.flush(now, nil, out)
	d.reviseEmergency(now, out)
	d.confirm(now, out)
}

// Ready reports whether the core knows what the switch has.
func (d *Datapath) Ready() bool { return !d.adopting }

// forget drops all that depended on the former connection.
func (d *Datapath) forget() {
	d.adoption = nil
	for d.pending.n > 0 {
		r := d.pending.pop()
		d.confirmed(r.txn)
	}
	for _, s := range d.slices {
		s.jobs = 0
	}
	d.punts = d.punts[:0]
	d.unconfirmed, d.confirmAt, d.missSend, d.frag = 0, time.Time{}, 0, 0
	for _, e := range d.cookies.all() {
		if !e.dead {
			continue
		}
		d.cookies.remove(e.cookie)
		if e.kind == kindFlow && e.flow.waiting > 0 {
			e.flow.waiting--
			d.touch(e.flow)
		}
	}
}

// entries are all that the switch should have.
func (d *Datapath) entries() []*entry {
	list := slices.DeleteFunc(d.cookies.all(), func(e *entry) bool { return e.dead })
	slices.SortFunc(list, func(a, b *entry) int {
		if a.cookie < b.cookie {
			return -1
		}
		return 1
	})
	return list
}

// lose notes that the switch does not have e.
func (d *Datapath) lose(e *entry) {
	d.cookies.remove(e.cookie)
	e.dead = true
	if e.kind == kindFlow {
		e.flow.live--
		d.touch(e.flow)
	}
	if e.slot.entry == e {
		e.slot.entry = nil
		d.mark(e.slot)
	}
}

// tableKey tells physical flows apart.
type tableKey struct {
	pat    flowtable.Pattern
	number uint16
}

// adoptPart takes in a part of what the switch says it has.
func (p *pending) adoptPart(list of10.FlowStatsReply, size int) {
	p.size += size
	for i := range list {
		f := list[i]
		f.Actions = of10.CloneActions(f.Actions)
		p.found = append(p.found, f)
	}
}

// adopt compares what the switch has with what it should have.
func (d *Datapath) adopt(now time.Time, p *pending, out *Out) {
	have := make(map[tableKey]*of10.FlowStats, len(p.found))
	for i := range p.found {
		m := p.found[i].Match.Normalize()
		have[tableKey{flowtable.MakePattern(&m), p.found[i].Priority}] = &p.found[i]
	}
	keep := map[*of10.FlowStats]bool{}
	for _, e := range d.entries() {
		f := have[tableKey{e.slot.pat, e.number}]
		if f != nil && f.Cookie == e.cookie && of10.ActionsEqual(f.Actions, e.actions) {
			keep[f] = true
			continue
		}
		d.lose(e)
		if f == nil && e.idle != 0 && e.kind == kindFlow && !e.flow.ended {
			d.pieceGone(now, e, of10.RemovedIdleTimeout) // while nobody was listening
		}
	}
	list := d.dirty
	for _, s := range list {
		d.recognise(now, s, have, keep)
	}
	d.adopting = false
	for i := range p.found {
		f := &p.found[i]
		if f.Cookie&cookieMask == cookieBase && f.Cookie > d.cookie {
			d.cookie = f.Cookie
		}
		if !keep[f] {
			m := of10.FlowMod{
				XID: d.nextXID(), Match: f.Match, Cookie: f.Cookie, Command: of10.FlowDeleteStrict, Priority: f.Priority,
				BufferID: of10.NoBuffer, OutPort: of10.PortNone,
			}
			d.expect(pending{xid: m.XID, kind: pendSilent})
			out.send(&m)
		}
	}
	d.flush(now, nil, out)
	d.reviseEmergency(now, out)
	d.confirm(now, out)
}

// recognise makes a flow of the switch the entry of slot s if it is just that.
func (d *Datapath) recognise(now time.Time, s *slot, have map[tableKey]*of10.FlowStats, keep map[*of10.FlowStats]bool) {
	w := d.desired(s)
	d.placePoint(s, w)
	if w.none || s.entry != nil {
		return
	}
	f := have[tableKey{s.pat, s.number()}]
	if f == nil || keep[f] || f.Cookie&cookieMask != cookieBase || d.cookies.get(f.Cookie) != nil {
		return
	}
	var v *vflow
	if w.piece != nil {
		v = w.piece.flow
	}
	e := v.newEntry()
	*e = entry{cookie: f.Cookie, kind: w.kind, slot: s, flow: v, number: s.number(), actions: toController, since: now}
	if v != nil {
		switch w.kind {
		case kindFlow:
			e.actions = d.compile(nil, v, &s.pat, w.piece.rule, v.flow.Actions)
			e.idle, e.hard = v.flow.Idle, f.HardTimeout
			if (v.flow.Hard == 0) != (f.HardTimeout == 0) {
				return
			}
		case kindDrop:
			e.actions = nil
		}
		if f.IdleTimeout != e.idle {
			return
		}
	}
	if !of10.ActionsEqual(f.Actions, e.actions) {
		return
	}
	keep[f] = true
	d.cookies.put(e)
	s.entry = e
	if e.kind == kindFlow {
		e.flow.live++
		d.touch(e.flow)
	}
}
