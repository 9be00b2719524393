package slicing

import (
	"errors"
	"fmt"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

func flowModFailed(code uint16) *of10.Error {
	return &of10.Error{ErrType: of10.ErrorFlowModFailed, Code: code}
}

// flowMod carries a flow_mod of a slice out, whole or not at all.
func (d *Datapath) flowMod(now time.Time, s *slice, c Conn, frame []byte, out *Out) {
	m := &d.flowModMsg
	d.work, d.checks = 0, 0
	if err := m.UnmarshalBinary(frame); err != nil {
		d.refuse(out, s, c.ID, frame, err)
		return
	}
	if m.Command > of10.FlowDeleteStrict {
		d.failWith(out, s, c.ID, frame, flowModFailed(of10.FlowModFailedBadCommand))
		return
	}
	if m.Flags&of10.FlowModEmerg != 0 {
		d.emergency(now, s, c, m, frame, out)
		return
	}
	if m.Command == of10.FlowDelete || m.Command == of10.FlowDeleteStrict {
		sel := s.table.Selected(m)
		d.withMany(len(sel), func() {
			for _, f := range sel {
				d.end(now, f.Aux.(*vflow), of10.RemovedDelete, true)
			}
		})
		d.flush(now, nil, out)
		d.confirm(now, out)
		return
	}
	if err := d.allowed(s, m.Actions, false); err != nil {
		d.failWith(out, s, c.ID, frame, err)
		return
	}
	if m.Command != of10.FlowAdd {
		if sel := s.table.Selected(m); len(sel) > 0 {
			d.modify(now, s, c, m, sel, frame, out)
			return
		}
	}
	d.addFlow(now, s, c, m, frame, out)
}

// addFlow puts a new flow in.
func (d *Datapath) addFlow(now time.Time, s *slice, c Conn, m *of10.FlowMod, frame []byte, out *Out) {
	f := newFlow(now, s, m)
	if m.Flags&of10.FlowModCheckOverlap != 0 && s.table.Overlapping(f.flow) {
		d.failWith(out, s, c.ID, frame, flowModFailed(of10.FlowModFailedOverlap))
		return
	}
	was := s.table.Same(f.flow)
	old := vflowOf(was)
	stand := d.standing(old, f.flow.Actions)
	specs, err := d.admit(f, stand)
	if err != nil {
		d.failWith(out, s, c.ID, frame, err)
		return
	}
	if old == nil && !s.room(s.table.Len()) {
		d.failWith(out, s, c.ID, frame, flowModFailed(of10.FlowModFailedAllTablesFull))
		return
	}
	haveBuffer, code := d.takeBuffer(s, m.BufferID)
	t := d.newTxn(s, c, frame)
	t.added, t.replaced, f.changed = f, old, t.id
	d.insert(f)
	if s.table.Put(f.flow, was) != nil {
		d.failWith(out, s, c.ID, frame, flowModFailed(of10.FlowModFailedAllTablesFull))
		return
	}
	if old != nil {
		old.ended, old.announce = true, false // nobody hears of its end
	}
	switch {
	case stand != nil:
		d.inherit(f, old)
	case old != nil:
		d.drop(old)
		fallthrough
	default:
		d.put(f, specs)
	}
	d.runWithBuffer(now, s, f, haveBuffer, t, out)
	d.finish(t)
	if code != 0 {
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, code-1)
	}
}

// vflowOf is whose a flow of a slice's table is, nil for none.
func vflowOf(f *flowtable.Flow) *vflow {
	if f == nil {
		return nil
	}
	return f.Aux.(*vflow)
}

// newFlow makes a virtual flow that is in no table yet.
func newFlow(now time.Time, s *slice, m *of10.FlowMod) *vflow {
	f := spareFlows.Get().(*vflow)
	*f = vflow{slice: s, heapAt: -1}
	f.own.Init(now, m, s.actions(m.Actions))
	f.flow = &f.own
	f.flow.Aux = f
	f.level = levelOf(f.flow.Priority)
	if f.flow.Exact() {
		f.level = levelExact
	}
	return f
}

func (d *Datapath) insert(f *vflow) {
	d.seq++
	f.seq = d.seq
}

// flows is the number of the slice's virtual flows, emergency flows included.
func (s *slice) flows() int { return s.table.Len() + s.table.EmergencyLen() }

// room reports whether the slice may have one more flow in a table of so many, and
// counts it.
func (s *slice) room(in int) bool {
	if s.cfg.MaxFlows >= 0 && int64(s.flows()) >= s.cfg.MaxFlows {
		return false
	}
	if n := s.table.Capacity(); n > 0 && in >= n {
		return false
	}
	return s.cfg.Quota == nil || s.cfg.Quota.Reserve(1)
}

// admit checks whether f can be had at all, and returns what it becomes. If that is known
// already, it is given as specs, which is nil otherwise.
func (d *Datapath) admit(f *vflow, specs []spec) ([]spec, *of10.Error) {
	if specs == nil {
		var err error
		if specs, err = d.derive(f); err != nil {
			var wide *tooWide
			if errors.As(err, &wide) {
				d.report(Event{Slice: f.slice.name, What: fmt.Sprintf("flow_mod %v needs more than %d physical flows because of rule %q", f.flow.Match, wide.limit, wide.rule.Name), Err: err})
			}
			return nil, flowModFailed(of10.FlowModFailedAllTablesFull)
		}
	}
	if len(specs) == 0 && !d.writesSomewhere(f) {
		return nil, flowModFailed(of10.FlowModFailedEPerm)
	}
	need := len(d.numbers.order) + 2*len(specs) + countGuards(specs)
	if need >= maxNumber || need >= d.scarce && d.greedy(f.slice) {
		return nil, flowModFailed(of10.FlowModFailedAllTablesFull)
	}
	if err := d.legal(f, specs, f.flow.Actions); err != nil {
		return nil, err
	}
	if f.slice.cfg.Strict {
		if err := d.strict(f, specs); err != nil {
			return nil, err
		}
	}
	return specs, nil
}

// scarceNumbers is when the switch's priorities begin to run out. From then on only
// slices that use less than their share of them get new ones.
const scarceNumbers = 56000

// greedy reports whether a slice uses more different priorities than is its share.
func (d *Datapath) greedy(s *slice) bool {
	used := map[uint16]bool{}
	for _, f := range s.table.Flows() {
		used[f.Priority] = true
	}
	return len(used) > d.scarce/max(len(d.slices), 2)
}

func countGuards(specs []spec) (n int) {
	for i := range specs {
		n += len(specs[i].guards)
	}
	return n
}

// writesSomewhere reports whether the slice may write any part of f, even if no
// piece is needed there because govisor itself handles the frames.
func (d *Datapath) writesSomewhere(f *vflow) bool {
	for _, r := range d.overlappingFlow(f) {
		if r.writes(f.slice.name) {
			return true
		}
	}
	return false
}

// legal checks the rewriting of a flow in each of its pieces.
func (d *Datapath) legal(f *vflow, specs []spec, list []of10.Action) *of10.Error {
	if d.work += len(specs) * len(list); d.work > maxActions {
		return badAction(of10.BadActionTooMany)
	}
	if !rewrites(list) {
		return nil
	}
	for i := range specs {
		rw := d.newRewriter(f, &specs[i].pat, specs[i].rule)
		rw.limited = true
		if !specs[i].carve && !legalFor(list, rw) {
			if d.checks > maxChecks {
				return badAction(of10.BadActionTooMany)
			}
			return badAction(of10.BadActionEPerm)
		}
	}
	return nil
}

// strict refuses what would have to be rewritten, for slices that want to know.
func (d *Datapath) strict(f *vflow, specs []spec) *of10.Error {
	whole := 1
	if _, twice := f.flow.Pattern().Untagged(); twice {
		whole = 2
	}
	if len(specs) != whole || specs[0].pat != *f.flow.Pattern() {
		return flowModFailed(of10.FlowModFailedEPerm)
	}
	if specs[0].rule.rule.HasForcedQueue {
		return badAction(of10.BadActionEPerm)
	}
	for i := range f.flow.Actions {
		a := &f.flow.Actions[i]
		if a.Type != of10.ActionOutput || a.Port != of10.PortFlood && a.Port != of10.PortAll {
			continue
		}
		for k := range d.ports {
			if !f.slice.owns(d.ports[k].PortNo) {
				return badAction(of10.BadActionEPerm)
			}
		}
	}
	return nil
}

// modify gives the selected flows new actions.
func (d *Datapath) modify(now time.Time, s *slice, c Conn, m *of10.FlowMod, sel []*flowtable.Flow, frame []byte, out *Out) {
	actions := s.actions(m.Actions)
	plans := make([][]spec, len(sel)) // nil: the pieces stay
	for i, fl := range sel {
		if specs := d.standing(fl.Aux.(*vflow), actions); specs != nil && !s.cfg.Strict {
			if err := d.legal(fl.Aux.(*vflow), specs, actions); err != nil {
				d.failWith(out, s, c.ID, frame, err)
				return
			}
			continue
		}
		f := *fl.Aux.(*vflow)
		trial := *fl
		trial.Actions = actions
		f.flow = &trial
		specs, err := d.admit(&f, nil)
		if err != nil {
			d.failWith(out, s, c.ID, frame, err)
			return
		}
		plans[i] = append(make([]spec, 0, len(specs)), specs...)
	}
	haveBuffer, code := d.takeBuffer(s, m.BufferID)
	t := d.newTxn(s, c, frame)
	var last *vflow
	s.table.Changed()
	for i, fl := range sel {
		f := fl.Aux.(*vflow)
		t.modified = append(t.modified, undo{f, fl.Actions, fl.Cookie})
		fl.Actions, fl.Cookie = actions, m.Cookie
		f.changed = t.id
		last = f
		if plans[i] == nil {
			d.touch(f)
			for _, p := range f.pieces {
				d.mark(p.slot)
			}
			continue
		}
		gone := f.pieces
		d.drop(f)
		d.put(f, plans[i])
		keepGone(f, gone)
	}
	d.runWithBuffer(now, s, last, haveBuffer, t, out)
	d.finish(t)
	if code != 0 {
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, code-1)
	}
}

// standing returns the pieces of a flow that is to have these actions when they make no
// difference to where its pieces are; else, and for no flow, nil. Guards are not told.
func (d *Datapath) standing(f *vflow, actions []of10.Action) []spec {
	if f == nil {
		return nil
	}
	same := of10.ActionsEqual(f.flow.Actions, actions)
	if !same && carves(actions) {
		return nil
	}
	specs := d.specs[:0]
	for _, p := range f.pieces {
		if p.slot == nil || p.carve && !same {
			return nil
		}
		specs = append(specs, spec{pat: p.slot.pat, rule: p.rule, level: f.level, carve: p.carve})
	}
	if d.specs = specs; len(specs) == 0 {
		return nil
	}
	return specs
}

// carves reports whether some frames of a flow with such actions need a look each, see
// withCarves.
func carves(list []of10.Action) bool {
	for i := range list {
		switch a := &list[i]; a.Type {
		case of10.ActionStripVLAN:
			return true
		case of10.ActionOutput, of10.ActionEnqueue:
			if a.Port == of10.PortInPort {
				return true
			}
		}
	}
	return false
}

// takeBuffer uses up the buffer a flow_mod names; what is in it is in d.outBuffered. The code, if not 0, is one more
// than that of the BAD_REQUEST error due.
func (d *Datapath) takeBuffer(s *slice, id uint32) (ok bool, code uint16) {
	if id == of10.NoBuffer {
		return false, 0
	}
	b, c, ok := s.buffers.take(id)
	if !ok {
		return false, c + 1
	}
	d.outBuffered = b
	return true, 0
}

// runWithBuffer sends what is due for a flow_mod. A buffered frame that lies in the
// flow goes with the piece that takes it; another is sent on with the flow's actions.
func (d *Datapath) runWithBuffer(now time.Time, s *slice, f *vflow, have bool, t *txn, out *Out) {
	b := &d.outBuffered
	d.buffer = of10.NoBuffer
	d.ingressPorts = append(d.ingressPorts[:0], uint32(b.inPort))
	may := have && (isLLDP(b.header.DLType) || d.ownsHeader(s, &b.header, d.ingressPorts))
	if have && !may { // the slice rewrote it, or the flowspace has changed
		d.fail(out, s, t.conn, t.orig, of10.ErrorBadRequest, of10.BadRequestEPerm)
	}
	if may && b.frame == nil {
		w := flowtable.HeaderWords(&b.header)
		p := f.pieceAt(&w)
		if p != nil && !p.carve && d.desired(p.slot).piece == p && !hasController(f.flow.Actions) {
			d.buffer = b.real
			p.slot.buffer = true
		}
	}
	carried := d.buffer != of10.NoBuffer
	d.flush(now, t, out)
	for _, p := range f.pieces {
		if p.slot != nil {
			p.slot.buffer = false
		}
	}
	if may && (!carried || d.buffer != of10.NoBuffer) {
		d.runFlow(f, nil, b, out)
		if t.added == f && !f.ended {
			f.hit(now, int(b.total))
		}
	}
	d.buffer = of10.NoBuffer
	b.frame = nil
	d.finish(t)
	d.confirm(now, out)
}
