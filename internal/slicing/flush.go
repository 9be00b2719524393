package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// flush brings the switch in line with the books. The order keeps every slice out
// of the others' space at each step: guards go in first and out last, lost space
// goes before new flows come, and higher ranks come before lower ones.
func (d *Datapath) flush(now time.Time, t *txn, out *Out) {
	if d.adopting {
		return // nothing is sent before we know what the switch has
	}
	list := d.dirty
	d.dirty = d.spare[:0]
	d.spare = list
	for _, s := range list {
		s.dirty = false
	}
	if len(list) > 1 {
		sortSlots(list)
	}
	wants := d.wants[:0]
	for _, s := range list {
		w := d.desired(s)
		d.placePoint(s, w)
		wants = append(wants, w)
	}
	d.wants = wants
	d.runMoves(now, t, out)
	for i, s := range list {
		if w := wants[i]; !w.none && w.kind == kindGuard && s.entry == nil {
			d.install(now, s, w, t, out)
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		if s := list[i]; wants[i].none && s.entry != nil && s.entry.kind != kindGuard {
			d.uninstall(now, s, t, out)
		}
	}
	for i, s := range list {
		if w := wants[i]; !w.none {
			d.install(now, s, w, t, out)
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i]
		if wants[i].none && s.entry != nil {
			d.uninstall(now, s, t, out)
		}
		if s.empty() && s.entry == nil {
			d.release(s)
		}
	}
	clear(wants)
	d.ranks.sweep()
	d.settle(now, out)
}

// placePoint gives a point the priority that belongs to what is in it, for switches
// that do not lift it.
func (d *Datapath) placePoint(s *slot, w want) {
	if !s.point || s.pat.Exact() {
		return
	}
	if w.none {
		d.unpair(s)
		return
	}
	level, rule := levelGuard, s.rule
	if w.piece != nil {
		level, rule = w.piece.flow.level, w.piece.rule
		if w.piece.carve { // above the piece it is carved out of
			level++
		}
	}
	if rule.rank == nil || s.pair != nil && s.pair.level == level && s.pair.rank == rule.rank {
		return
	}
	p, moves := d.numbers.get(rule.rank, level)
	if p == nil {
		return
	}
	d.moves = append(d.moves, moves...)
	d.unpair(s)
	p.slots[s] = struct{}{}
	s.pair, s.rank, s.level = p, rule.rank, level
}

// unpair takes a slot's priority away, and gives it up if nobody else has it.
func (d *Datapath) unpair(s *slot) {
	if s.pair == nil {
		return
	}
	delete(s.pair.slots, s)
	if len(s.pair.slots) == 0 {
		d.numbers.drop(s.pair)
	}
	s.pair = nil
}

// runMoves gives entries their new numbers. Those that go up are moved from the
// top down and those that go down from the bottom up, so that no two change places.
func (d *Datapath) runMoves(now time.Time, t *txn, out *Out) {
	if len(d.moves) == 0 {
		return
	}
	d.dropAways()
	first := map[*pair]bool{}
	var up, down []move
	for _, m := range d.moves {
		if first[m.pair] {
			continue
		}
		first[m.pair] = true
		if m.pair.number > m.old {
			up = append(up, m)
		} else {
			down = append(down, m)
		}
	}
	d.moves = d.moves[:0]
	byPlace := func(a, b move) int { return a.pair.compare(b.pair.rank, b.pair.level) }
	slices.SortFunc(up, byPlace)
	slices.Reverse(up)
	slices.SortFunc(down, byPlace)
	for _, m := range append(up, down...) {
		for s := range m.pair.slots {
			if s.entry != nil && s.entry.number != s.number() {
				d.reinstall(now, s, t, out)
			}
		}
	}
}

// reinstall moves an entry to its slot's number as it is.
func (d *Datapath) reinstall(now time.Time, s *slot, t *txn, out *Out) {
	old := s.entry
	if s.point {
		d.uninstall(now, s, t, out)
	}
	e := old.flow.newEntry()
	*e = entry{kind: old.kind, slot: s, flow: old.flow, actions: old.actions, idle: old.idle, hard: old.hard}
	if e.hard != 0 && e.flow != nil {
		e.hard = e.flow.remaining(now)
	}
	d.add(now, s, e, t, out)
	if !s.point {
		s.entry = old
		d.uninstall(now, s, t, out)
		s.entry = e
	}
}

// install makes the entry of s what w wants.
func (d *Datapath) install(now time.Time, s *slot, w want, t *txn, out *Out) {
	old := s.entry
	e := entry{kind: w.kind, slot: s, number: s.number(), actions: toController}
	var f *vflow
	if w.piece != nil {
		f = w.piece.flow
		e.flow = f
		switch w.kind {
		case kindFlow:
			e.actions = d.compile(d.actions[:0], f, &s.pat, w.piece.rule, f.flow.Actions)
			d.actions = e.actions
			e.idle = f.flow.Idle
			e.hard = f.remaining(now)
		case kindDrop:
			e.actions = nil
		}
	}
	if old != nil && old.kind == e.kind && old.flow == e.flow && old.number == e.number {
		if s.buffer || !of10.ActionsEqual(old.actions, e.actions) {
			if old.actions = e.actions; w.kind == kindFlow {
				old.actions = keepActions(e.actions, f.flow.Actions)
			}
			d.sendFlowMod(old, of10.FlowModifyStrict, t, out)
		}
		return
	}
	if old != nil && (old.number != e.number || old.kind == kindFlow && old.flow.caresFor()) {
		d.uninstall(now, s, t, out)
		old = nil
	}
	n := f.newEntry()
	*n = e
	if w.kind == kindFlow {
		n.actions = keepActions(e.actions, f.flow.Actions)
	}
	d.add(now, s, n, t, out)
	if old != nil {
		d.replaced(old)
	}
}

// keepActions returns a copy of compiled actions, which is the flow's own list where
// nothing had to be changed.
func keepActions(compiled, own []of10.Action) []of10.Action {
	if of10.ActionsEqual(compiled, own) {
		return own
	}
	return of10.CloneActions(compiled)
}

// toController is the action of guards and sentinels: the whole frame, so that
// govisor can do with it whatever the owner's table says.
var toController = []of10.Action{of10.Output(of10.PortController, 0xffff)}

// caresFor reports whether the counters of an entry of f are still of interest.
func (f *vflow) caresFor() bool { return !f.ended || f.announce }

// remaining is the hard timeout of a piece put in at now, at least a second.
func (f *vflow) remaining(now time.Time) uint16 {
	if f.flow.Hard == 0 {
		return 0
	}
	left := f.flow.Created.Add(time.Duration(f.flow.Hard) * time.Second).Sub(now)
	return uint16(max(1, (left+time.Second-1)/time.Second))
}

func (d *Datapath) add(now time.Time, s *slot, e *entry, t *txn, out *Out) {
	d.cookie++
	e.cookie, e.number, e.since = d.cookie, s.number(), now
	d.cookies.put(e)
	s.entry = e
	if e.kind == kindFlow {
		e.flow.live++
		d.touch(e.flow)
	}
	d.sendFlowMod(e, of10.FlowAdd, t, out)
}

func (d *Datapath) uninstall(now time.Time, s *slot, t *txn, out *Out) {
	e := s.entry
	s.entry = nil
	e.dead, e.deleted = true, now
	if e.kind == kindFlow {
		f := e.flow
		f.live--
		f.waiting++
		if e.idle != 0 && !f.ended {
			d.restarted++
		}
		d.touch(f)
		if e.since.After(f.flow.LastUsed) {
			f.flow.LastUsed = e.since
		}
	}
	d.sendFlowMod(e, of10.FlowDeleteStrict, t, out)
}

// replaced notes that a later ADD has silently taken e's place in the switch.
func (d *Datapath) replaced(e *entry) {
	e.dead = true
	if e.kind == kindFlow {
		e.flow.live--
		d.touch(e.flow)
	}
	d.pending.last().replaced, e.heir = e, d.xid
}

// sendFlowMod sends one physical flow_mod about e.
func (d *Datapath) sendFlowMod(e *entry, cmd of10.FlowModCommand, t *txn, out *Out) {
	m := &d.flowModSent
	*m = of10.FlowMod{
		XID: d.nextXID(), Match: e.match(), Cookie: e.cookie, Command: cmd, Priority: e.number,
		BufferID: of10.NoBuffer, OutPort: of10.PortNone,
	}
	if cmd != of10.FlowDeleteStrict {
		m.IdleTimeout, m.HardTimeout, m.Flags, m.Actions = e.idle, e.hard, of10.FlowModSendFlowRem, e.actions
		if e.slot.buffer && d.buffer != of10.NoBuffer {
			m.BufferID = d.buffer
			d.buffer = of10.NoBuffer
		}
		e.slot.buffer = false
	}
	if cmd == of10.FlowModifyStrict {
		e.changed = m.XID
	}
	if t != nil {
		t.left++
	}
	d.makeRoom()
	r := d.pending.add(m.XID)
	r.txn, r.entry, r.command = t, e, cmd
	d.unconfirmed++
	out.send(m)
}

// mayBeBack reports whether the switch may have e again after it said that it has not: a
// MODIFY that it had not seen by then makes a flow that it does not have.
func (d *Datapath) mayBeBack(e *entry) bool { return e.changed != 0 && d.pending.holds(e.changed) }

// touch notes that f's timers or end have to be looked at when all is sent.
func (d *Datapath) touch(f *vflow) {
	if !f.touched {
		f.touched = true
		d.touched = append(d.touched, f)
	}
}

// settle sees to flows whose last piece has gone or whose timers changed.
func (d *Datapath) settle(now time.Time, out *Out) {
	for _, f := range d.touched {
		f.touched = false
		if f.ended || !f.depends() {
			delete(d.dependent, f)
		} else {
			d.dependent[f] = struct{}{}
		}
		if f.ended {
			d.deadlines.remove(f)
			d.announceIfDone(f, out)
			continue
		}
		d.schedule(f)
	}
	clear(d.touched)
	d.touched = d.touched[:0]
}
