package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// pendKind is what a message to the switch was for.
type pendKind uint8

const (
	pendForward pendKind = iota // the slice's own request, its answer or error goes back
	pendStats                   // statistics that are put together here
	pendBarrier                 // a barrier of govisor's own
	pendSilent                  // nobody wants to hear of it
	pendAdopt                   // what the switch has, see Connect
	pendTables                  // which tables it has
)

// pending is a message the switch has not confirmed yet, unless it is a flow_mod.
type pending struct {
	xid    uint32
	kind   pendKind
	slice  *slice
	conn   ConnID
	orig   []byte // the slice's message, for errors
	memory []byte // of orig, used again
	stats  *statsJob
	found  []of10.FlowStats
	size   int             // of what found came in, as sent
	emerg  *flowtable.Flow // an emergency flow it is a part of
	told   *bool           // of one with several parts: an error has gone out
	again  bool            // a barrier that follows one, see fromBarrierReply
}

func (p *pending) origXID() uint32 { return of10.XID(p.orig) }

// confirmEvery bounds how many messages are in the switch without a barrier.
const confirmEvery = 256

// confirmAfter is how long messages wait for a barrier when there is no traffic.
const confirmAfter = time.Second

// maxPending bounds what is remembered of a switch that answers nothing.
const maxPending = 1 << 16

// ReservedXIDs are the xids, those equal to it under ReservedXIDMask, that the core
// never uses towards the switch. They are for what a session asks by itself.
const (
	ReservedXIDs    = 0x00760000
	ReservedXIDMask = 0xffff0000
)

func (d *Datapath) nextXID() uint32 {
	switch d.xid++; {
	case d.xid == 0:
		d.xid = 1
	case d.xid&ReservedXIDMask == ReservedXIDs:
		d.xid = ReservedXIDs + ^uint32(ReservedXIDMask) + 1
	}
	return d.xid
}

func (d *Datapath) expect(p pending) {
	d.makeRoom()
	d.remember(&p)
	d.unconfirmed++
}

// makeRoom forgets the oldest message of a switch that does not answer barriers.
func (d *Datapath) makeRoom() {
	if d.pending.open < maxPending && d.pending.n < 4*maxPending { // the xids may have jumped over the reserved ones
		return
	}
	r := d.pending.pop()
	if r.replaced != nil {
		d.cookies.remove(r.replaced.cookie)
	}
	if r.open {
		d.confirmed(r.txn)
		r.full.over()
	}
}

// maxSpare bounds the records that are kept to be used again.
const maxSpare = 1024

// remember puts a copy of p, with a copy of its message, on the books.
func (d *Datapath) remember(p *pending) {
	var r *pending
	if n := len(d.sparePending); n > 0 {
		r = d.sparePending[n-1]
		d.sparePending = d.sparePending[:n-1]
	} else {
		r = new(pending)
	}
	memory := r.memory
	*r = *p
	if r.memory = memory; p.orig != nil {
		r.memory = append(memory[:0], p.orig...)
		r.orig = r.memory
	}
	d.pending.add(r.xid).full = r
}

// recycle takes back the record of a message that is over and done with.
func (d *Datapath) recycle(p *pending) {
	if p.stats != nil || len(d.sparePending) >= maxSpare || cap(p.memory) > 4096 {
		return
	}
	*p = pending{memory: p.memory[:0]}
	d.sparePending = append(d.sparePending, p)
}

// asked returns what was asked with xid, nil if that was not a question or has been
// answered.
func (d *Datapath) asked(xid uint32) *pending {
	if r := d.pending.find(xid); r != nil {
		return r.full
	}
	if p := d.adoption; p != nil && p.xid == xid {
		return p
	}
	return nil
}

// answered takes the question xid from the books.
func (d *Datapath) answered(xid uint32) *pending {
	p := d.asked(xid)
	switch p {
	case nil:
	case d.adoption:
		d.adoption = nil
	default:
		d.pending.close(d.pending.find(xid))
		p.over()
	}
	return p
}

// over counts a question as answered.
func (p *pending) over() {
	if p != nil && p.stats != nil {
		p.slice.jobs--
	}
}

// confirm sends a barrier of govisor's own when enough has gathered.
func (d *Datapath) confirm(now time.Time, out *Out) {
	if d.unconfirmed == 0 {
		d.confirmAt = time.Time{}
		return
	}
	if d.unconfirmed < confirmEvery {
		if d.confirmAt.IsZero() {
			d.confirmAt = now.Add(confirmAfter)
		}
		if now.Before(d.confirmAt) {
			return
		}
	}
	d.sendBarrier(pending{kind: pendBarrier}, out)
}

// passed is called when a barrier reply for xid is in: all before it is done.
func (d *Datapath) passed(now time.Time, xid uint32, out *Out) {
	for d.pending.n > 0 && int32(d.pending.first-xid) <= 0 {
		r := d.pending.pop()
		if r.replaced != nil {
			d.cookies.remove(r.replaced.cookie)
		}
		switch p := r.full; {
		case !r.open:
		case p == nil:
			if r.command == of10.FlowDeleteStrict {
				d.buried(r.entry)
			}
			d.confirmedInTurn(r.txn)
		default:
			p.over()
			if p.kind == pendStats { // never answered
				d.finishStats(now, p, out)
			}
			d.recycle(p)
		}
	}
	d.punts = slices.DeleteFunc(d.punts, func(p punt) bool { return int32(p.xid-xid) <= 0 }) // the switch had no such frame
	d.settle(now, out)
}

// buried ends the wait for the counters of a deleted entry.
func (d *Datapath) buried(e *entry) {
	if d.cookies.get(e.cookie) != e || !e.dead {
		return
	}
	d.cookies.remove(e.cookie)
	if e.kind == kindFlow && !e.deleted.IsZero() { // nobody waits for one that was replaced
		e.flow.waiting--
		d.touch(e.flow)
	}
}

// txn is one flow_mod of a slice with what it takes to undo it.
type txn struct {
	id       uint64 // no two have the same
	slice    *slice
	conn     ConnID
	orig     []byte
	failed   bool
	left     int // messages the switch has not confirmed
	added    *vflow
	replaced *vflow
	modified []undo
}

// newTxn begins a flow_mod of s, which has to be finished.
func (d *Datapath) newTxn(s *slice, c Conn, frame []byte) *txn {
	var t *txn
	if n := len(d.spareTxns); n > 0 {
		t = d.spareTxns[n-1]
		d.spareTxns = d.spareTxns[:n-1]
	} else {
		t = new(txn)
	}
	d.txns++
	t.id, t.slice, t.conn, t.orig = d.txns, s, c.ID, append(t.orig[:0], frame...)
	return t
}

// confirmed is called when the switch has dealt with one of t's messages.
func (d *Datapath) confirmed(t *txn) {
	if t != nil {
		t.left--
		d.finish(t)
	}
}

// finish forgets what it would take to undo t as soon as nothing can be refused any
// more. Otherwise flows that are replaced time and again would hold on to each other.
// Nobody may use t from then on, but to finish it once more at the end of its flow_mod.
func (d *Datapath) finish(t *txn) {
	if t.left > 0 || t.slice == nil {
		return
	}
	clear(t.modified)
	*t = txn{orig: t.orig[:0], modified: t.modified[:0]}
	if len(d.spareTxns) < maxSpare && cap(t.orig) <= 4096 && cap(t.modified) <= 64 {
		d.spareTxns = append(d.spareTxns, t)
	}
}

type undo struct {
	flow    *vflow
	actions []of10.Action
	cookie  uint64
}

// fromSwitchError routes an error of the switch to the slice that caused it.
func (d *Datapath) fromSwitchError(now time.Time, frame []byte, out *Out) {
	if r := d.pending.find(of10.XID(frame)); r != nil && r.full == nil {
		refused := *r
		switch e := r.entry; {
		case r.command != of10.FlowAdd || d.mayBeBack(e):
			refused.replaced = nil
		case !e.dead:
			r.replaced = nil // it is in its place yet, see addRefused
		default:
			if refused.replaced = nil; !bufferError(of10.ErrorTypeOf(frame), of10.ErrorCodeOf(frame)) {
				d.passOn(r)
			}
		}
		d.pending.close(r)
		d.flowModRefused(now, &refused, frame, out)
		return
	}
	p := d.answered(of10.XID(frame))
	if p == nil {
		d.Counters.drop(DropUnknownXID)
		return
	}
	switch p.kind {
	case pendForward, pendStats:
		if p.emerg != nil {
			d.emergencyRefused(p, out)
		}
		if p.told != nil {
			if *p.told {
				return
			}
			*p.told = true
		}
		d.passError(out, p.slice, p.conn, p.orig, frame)
	case pendSilent:
		if p.emerg != nil {
			d.emergencyRefused(p, out)
		}
	}
}

// passError passes an error of the switch on to the slice whose message caused it, with
// that message. What a vendor's error begins with says which it is, and stays.
func (d *Datapath) passError(out *Out, s *slice, conn ConnID, orig, frame []byte) {
	const most, head = 0xffff - 12, 8
	typ, code := of10.ErrorTypeOf(frame), of10.ErrorCodeOf(frame)
	if typ != of10.ErrorVendor || len(frame) < 12+head {
		d.fail(out, s, conn, orig, typ, code)
		return
	}
	data := append(slices.Clone(frame[12:12+head]), orig[:min(len(orig), most-head)]...)
	out.deliver(s.name, conn, &of10.Error{XID: of10.XID(orig), ErrType: typ, Code: code, Data: data})
}

func bufferError(typ of10.ErrorType, code uint16) bool {
	return typ == of10.ErrorBadRequest && (code == of10.BadRequestBufferEmpty || code == of10.BadRequestBufferUnknown)
}

// flowModRefused takes the whole flow_mod back of which r is a part.
func (d *Datapath) flowModRefused(now time.Time, r *record, frame []byte, out *Out) {
	typ, code := of10.ErrorTypeOf(frame), of10.ErrorCodeOf(frame)
	e, t, last := r.entry, r.txn, d.xid
	defer func() {
		if d.confirmed(t); d.xid != last {
			d.undone = d.xid
		}
	}()
	if bufferError(typ, code) {
		if t != nil {
			d.passError(out, t.slice, t.conn, t.orig, frame)
		}
		if !e.dead && e.slot.entry == e { // some switches drop the flow too
			d.sendFlowMod(e, r.command, t, out)
			d.pending.last().replaced = r.replaced
		}
		return
	}
	switch r.command {
	case of10.FlowDeleteStrict:
		d.buried(e)
		d.settle(now, out)
		return
	case of10.FlowAdd:
		d.addRefused(r, out)
	default:
		e.actions = refusedActions // so that the next comparison finds a difference
	}
	if t != nil {
		d.mark(e.slot) // tried again, on nobody's behalf, if it is still wanted
	}
	if t == nil || t.failed {
		if t == nil {
			d.giveUp(now, e, &of10.Error{ErrType: typ, Code: code})
		}
		d.flush(now, nil, out)
		return
	}
	t.failed = true
	d.passError(out, t.slice, t.conn, t.orig, frame)
	d.undo(now, t)
	d.flush(now, nil, out)
}

// addRefused notes that an entry is not in the switch, and what is there in its place.
// Whether it is tried again is for the caller to say: the switch may refuse for ever.
func (d *Datapath) addRefused(r *record, out *Out) {
	e := r.entry
	if e.dead {
		d.buried(e)
		return // a DELETE for whatever is there is on its way, or another ADD
	}
	d.cookies.remove(e.cookie)
	e.dead, e.slot.entry = true, nil
	if e.kind == kindFlow {
		e.flow.live--
		d.touch(e.flow)
	}
	if d.mayBeBack(e) {
		d.sendFlowMod(e, of10.FlowDeleteStrict, nil, out)
		return
	}
	old := r.replaced
	if old == nil {
		return
	}
	old.dead, old.actions, e.slot.entry = false, refusedActions, old // if anything is wanted there, it is sent
	d.cookies.remove(old.cookie)
	d.cookies.put(old)
	if old.kind == kindFlow {
		old.flow.live++
		d.touch(old.flow)
	}
}

// passOn notes that what is in the place of a refused ADD is what the ADD that came after
// it replaces, and what comes back if that is refused, too.
func (d *Datapath) passOn(r *record) {
	next := d.pending.find(r.entry.heir)
	if next == nil || next.replaced != r.entry {
		return
	}
	next.replaced, r.replaced = r.replaced, nil
	if t, n := r.txn, next.txn; t != nil && n != nil && t.added != nil && n.replaced == t.added {
		n.replaced = t.replaced
	}
}

var refusedActions = []of10.Action{{Type: 0xfffe, Raw: []byte{0xff, 0xfe, 0, 8, 0, 0, 0, 0}}}

// undo brings the slice's table back to what it was before t.
func (d *Datapath) undo(now time.Time, t *txn) {
	switch f := t.added; {
	case f == nil || f.changed != t.id:
	case f.ended:
		f.announce = false // it has never been there
	default:
		d.end(now, f, 0, false)
		if r := t.replaced; r != nil {
			r.ended = false
			if old, err := t.slice.table.Insert(r.flow); err == nil && old == nil {
				d.restore(r)
			}
		}
	}
	for _, u := range t.modified {
		if f := u.flow; !f.ended && f.changed == t.id {
			d.drop(f)
			f.flow.Actions, f.flow.Cookie, f.changed = u.actions, u.cookie, 0
			f.slice.table.Changed()
			if err := d.place(f); err != nil {
				d.end(now, f, of10.RemovedDelete, true)
			}
		}
	}
}

// restore puts a flow back that an undone ADD had replaced.
func (d *Datapath) restore(f *vflow) {
	if f.slice.cfg.Quota != nil {
		f.slice.cfg.Quota.Count(1)
	}
	if err := d.place(f); err != nil {
		d.report(Event{Slice: f.slice.name, What: "a replaced flow does not fit any more", Err: err})
	}
}

// giveUp ends the flows that cannot be in the switch without entry e, which the
// switch refused when no slice was asking for anything.
func (d *Datapath) giveUp(now time.Time, e *entry, err error) {
	d.report(Event{What: "the switch refused a flow_mod of govisor's own: " + e.match().String(), Err: err})
	if e.kind != kindGuard {
		if f := e.flow; f != nil && !f.ended {
			d.abandon(now, f)
		}
		return
	}
	for _, f := range append(d.placed(), d.aways...) {
		for _, p := range f.pieces {
			if containsSlot(p.guards, e.slot) {
				d.abandon(now, f)
				break
			}
		}
	}
}

// abandon ends a flow that the switch has no place for.
func (d *Datapath) abandon(now time.Time, f *vflow) {
	switch {
	case f.away:
		d.aways = slices.DeleteFunc(d.aways, func(o *vflow) bool { return o == f })
	case f.level == levelDrop:
		d.report(Event{Slice: f.slice.name, What: "a port that is down cannot be closed"})
		delete(f.slice.drops, f.flow.Match.InPort)
	default:
		d.end(now, f, of10.RemovedDelete, true)
		return
	}
	f.ended = true
	d.drop(f)
}

func containsSlot(list []*slot, s *slot) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
