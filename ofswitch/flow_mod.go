package ofswitch

import (
	"errors"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// flowMod handles OFPT_FLOW_MOD (specification sections 4.6 and 5.3.3). It is
// done whole or, with an error, not at all; only an unusable buffer id leaves the
// flow in place, because the two have nothing to do with each other.
func (p *Pipeline) flowMod(now time.Time, c *connection, m *of10.FlowMod, out *Out) *of10.Error {
	if c != nil && c.nxRole == roleSlave {
		return badRequest(of10.BadRequestEPerm)
	}
	if m.Command > of10.FlowDeleteStrict {
		return flowModError(flowtable.ErrCommand)
	}
	adds := m.Command <= of10.FlowModifyStrict
	var prog program
	if adds {
		var e *of10.Error
		if prog, e = p.compile(m.Actions, forFlow); e != nil {
			return e
		}
	}
	change, err := p.table.Apply(now, m)
	if err != nil {
		return flowModError(err)
	}
	p.cache.invalidate()
	if change.Added != nil {
		change.Added.Aux = &prog
	}
	for _, mod := range change.Modified {
		mod.Flow.Aux = &prog
	}
	if m.Flags&of10.FlowModEmerg != 0 {
		return nil // emergency flows see no packets and are removed silently
	}
	for _, f := range change.Removed {
		p.flowRemoved(now, f, of10.RemovedDelete, out)
	}
	if !adds || m.BufferID == of10.NoBuffer {
		return nil
	}
	b, e := p.buffers.take(m.BufferID)
	if e != nil {
		return e
	}
	if change.Added != nil {
		change.Added.Hit(now, len(b.frame.Data))
	}
	p.inject(now, b.inPort, b.frame, &prog, out)
	return nil
}

func flowModError(err error) *of10.Error {
	code := of10.FlowModFailedUnsupported
	switch {
	case errors.Is(err, flowtable.ErrFull):
		code = of10.FlowModFailedAllTablesFull
	case errors.Is(err, flowtable.ErrOverlap):
		code = of10.FlowModFailedOverlap
	case errors.Is(err, flowtable.ErrEmergTimeout):
		code = of10.FlowModFailedBadEmergTimeout
	case errors.Is(err, flowtable.ErrCommand):
		code = of10.FlowModFailedBadCommand
	}
	return of10.NewError(of10.ErrorFlowModFailed, code, nil)
}

// flowRemoved announces the end of a flow that asked for it.
func (p *Pipeline) flowRemoved(now time.Time, f *flowtable.Flow, reason of10.FlowRemovedReason, out *Out) {
	if f.Flags&of10.FlowModSendFlowRem == 0 {
		return
	}
	sec, nsec := duration(now, f)
	p.broadcast(&of10.FlowRemoved{
		Match: f.Match, Cookie: f.Cookie, Priority: f.Priority, Reason: reason,
		DurationSec: sec, DurationNsec: nsec, IdleTimeout: f.Idle,
		PacketCount: f.Packets, ByteCount: f.Bytes,
	}, out)
}

// duration is how long a flow has lived, as OpenFlow splits it.
func duration(now time.Time, f *flowtable.Flow) (sec, nsec uint32) {
	d := max(0, now.Sub(f.Created))
	return uint32(d / time.Second), uint32(d % time.Second)
}

// Tick ends the flows whose time is over.
func (p *Pipeline) Tick(now time.Time, out *Out) {
	ended := p.table.Expire(now)
	if len(ended) == 0 {
		return
	}
	p.cache.invalidate()
	for _, e := range ended {
		p.flowRemoved(now, e.Flow, e.Reason, out)
	}
}

// expireDue is Tick, if a flow might be due.
func (p *Pipeline) expireDue(now time.Time, out *Out) {
	if at, ok := p.table.NextDeadline(); ok && !now.Before(at) {
		p.Tick(now, out)
	}
}

// NextDeadline returns when Tick has something to do at the earliest.
func (p *Pipeline) NextDeadline() (time.Time, bool) { return p.table.NextDeadline() }

// AddFlow installs a flow without a controller, as if a flow_mod had come.
func (p *Pipeline) AddFlow(now time.Time, m *of10.FlowMod, out *Out) error {
	if e := p.flowMod(now, nil, m, out); e != nil {
		return e
	}
	return nil
}

// Flush empties the flow table silently and forgets learned addresses.
func (p *Pipeline) Flush() {
	for _, f := range p.table.Flows() {
		p.table.Remove(f)
	}
	p.macs.flush()
	p.cache.invalidate()
}

// EnterEmergency replaces the flow table by the emergency flows (specification
// section 4.3). Without any it does nothing and returns false. The flows stay
// until a controller deletes them.
func (p *Pipeline) EnterEmergency(now time.Time, out *Out) bool {
	flows := p.table.SelectEmergency(of10.MatchAll(), of10.PortNone)
	if len(flows) == 0 {
		return false
	}
	p.Flush()
	for _, f := range flows {
		m := of10.FlowMod{
			Match: f.Match, Cookie: f.Cookie, Command: of10.FlowAdd, Priority: f.Priority,
			BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: f.Actions,
		}
		_ = p.AddFlow(now, &m, out) // was accepted once
	}
	return true
}
