package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// shipment is one frame on its way out.
type shipment struct {
	slice *slice
	in    of10.Port       // ingress, PortNone if there is none
	ports []uint32        // ingress ports whose owner counts, for rewriting
	rule  *flowspace.Rule // that owns the frame, nil if none does
	b     *buffered
	lldp  bool
}

// packetOut carries a packet_out of a slice out.
func (d *Datapath) packetOut(now time.Time, s *slice, c Conn, frame []byte, out *Out) {
	m := &d.packetOutMsg
	if err := m.UnmarshalBinary(frame); err != nil {
		d.refuse(out, s, c.ID, frame, err)
		return
	}
	if err := d.allowed(s, m.Actions, true); err != nil {
		d.failWith(out, s, c.ID, frame, err)
		return
	}
	usable := m.InPort <= of10.PortMax || m.InPort == of10.PortLocal
	if usable && !s.owns(m.InPort) {
		d.failWith(out, s, c.ID, frame, badAction(of10.BadActionEPerm))
		return
	}
	b := &d.outBuffered
	*b = buffered{}
	if m.BufferID != of10.NoBuffer {
		var code uint16
		var ok bool
		if *b, code, ok = s.buffers.take(m.BufferID); !ok {
			d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, code)
			return
		}
		if usable {
			b.header.InPort = uint32(m.InPort)
		}
	} else {
		if len(m.Data) < 14 {
			d.Counters.drop(DropEmptyPacketOut)
			return
		}
		*b = buffered{real: of10.NoBuffer, total: uint16(len(m.Data)), frame: m.Data}
		packet.ParseInto(m.Data, uint32(m.InPort), &b.header)
	}
	b.inPort = m.InPort
	job := shipment{slice: s, in: m.InPort, b: b, lldp: isLLDP(b.header.DLType)}
	if !usable {
		job.in = of10.PortNone
	}
	job.ports = d.ingress(s, job.in, b)
	if !job.lldp && !d.ownsHeader(s, &b.header, job.ports) {
		d.failWith(out, s, c.ID, frame, badAction(of10.BadActionEPerm))
		return
	}
	job.rule = d.view.Owner(&b.header)
	b.header.InPort = uint32(m.InPort)
	if rewrites(m.Actions) && !legalFor(m.Actions, d.rewriterFor(&job)) {
		d.failWith(out, s, c.ID, frame, badAction(of10.BadActionEPerm))
		return
	}
	if job.lldp && b.frame != nil {
		b.frame = d.markLLDP(s, b.frame)
		b.total = clampLen(len(b.frame))
	}
	d.controllerOutputs(&job, m.Actions, out)
	list := m.Actions
	if job.in == of10.PortNone || job.lldp || s.drops[job.in] != nil {
		list = d.tableByHand(now, &job, list, out)
	}
	d.ship(&job, list, pending{kind: pendForward, slice: s, conn: c.ID, orig: frame}, out)
	b.frame = nil
	d.flush(now, nil, out)
	d.confirm(now, out)
}

// ingress lists the ports a frame may have come in by: its own, or any of the
// slice's if it has none. The list is valid until the next call.
func (d *Datapath) ingress(s *slice, in of10.Port, b *buffered) []uint32 {
	list := d.ingressPorts[:0]
	defer func() { d.ingressPorts = list }()
	if in != of10.PortNone {
		list = append(list, uint32(in))
		return list
	}
	if b.real != of10.NoBuffer {
		list = append(list, b.header.InPort)
		return list
	}
	for i := range d.ports {
		if p := d.ports[i].PortNo; s.owns(p) {
			list = append(list, uint32(p))
		}
	}
	return list
}

func (d *Datapath) rewriterFor(j *shipment) legality {
	if j.b.frame == nil {
		return &headerRewriter{d: d, slice: j.slice, h: j.b.header}
	}
	c := append(make([]byte, 0, len(j.b.frame)+4), j.b.frame...)
	ports := j.ports
	if ports == nil {
		ports = []uint32{uint32(j.in)}
	}
	return &frameRewriter{d: d, slice: j.slice, ports: ports, frame: c, lldp: j.lldp}
}

// ship sends a packet_out with what the slice's list of actions becomes.
func (d *Datapath) ship(j *shipment, list []of10.Action, p pending, out *Out) {
	if j.in == of10.PortNone { // there is no port to go back to, whatever a switch makes of the number
		toIn := func(a of10.Action) bool {
			return (a.Type == of10.ActionOutput || a.Type == of10.ActionEnqueue) && a.Port == of10.PortInPort
		}
		if slices.ContainsFunc(list, toIn) {
			list = slices.DeleteFunc(slices.Clone(list), toIn)
		}
	}
	var rw legality
	if rewrites(list) {
		rw = countedLegality{d.rewriterFor(j), d}
	}
	acts := d.compileFor(d.actions[:0], j.slice, j.in, j.rule, list, rw)
	d.actions = acts
	if hasController(list) {
		acts = acts[1:] // seen to by controllerOutputs
	}
	if n := actionsLen(d.actions) + len(j.b.frame); n > maxMessage-packetOutHead {
		d.Counters.drop(DropTooLong)
		if p.kind == pendForward {
			d.fail(out, p.slice, p.conn, p.orig, of10.ErrorBadRequest, of10.BadRequestBadLen)
		}
		return
	}
	m := &d.packetOutSent
	*m = of10.PacketOut{BufferID: j.b.real, InPort: j.b.inPort, Actions: acts}
	if j.b.real == of10.NoBuffer {
		if len(acts) == 0 {
			return
		}
		m.Data = j.b.frame
	} else if j.b.frame == nil && hasController(list) {
		m.Actions = d.actions // let the switch send it up; see punted
	}
	m.XID = d.nextXID()
	p.xid = m.XID
	d.expect(p)
	out.send(m)
	m.Data = nil
}

const packetOutHead = 16

func actionsLen(list []of10.Action) (n int) {
	for i := range list {
		n += list[i].Len()
	}
	return n
}

// controllerOutputs makes the packet_ins of a packet_out's CONTROLLER outputs.
func (d *Datapath) controllerOutputs(j *shipment, list []of10.Action, out *Out) {
	if !hasController(list) {
		return
	}
	if j.b.frame == nil {
		w := flowtable.HeaderWords(&j.b.header)
		d.punts = append(d.punts, punt{d.xid + 1, w, j.slice, of10.CloneActions(list), of10.ReasonAction})
		return
	}
	eachController(j.b.frame, list, func(frame []byte, _ bool, maxLen uint16) {
		if j.lldp {
			frame, _ = d.unmarkLLDP(frame)
		}
		d.sendUp(j.slice, true, j.b, frame, of10.NoBuffer, of10.ReasonAction, maxLen, d.features.NBuffers > 0, out)
	})
}

// tableByHand replaces OUTPUT:TABLE for frames that the switch's table would not
// treat as the slice's virtual one: it runs them through the latter.
func (d *Datapath) tableByHand(now time.Time, j *shipment, list []of10.Action, out *Out) []of10.Action {
	if !slices.ContainsFunc(list, func(a of10.Action) bool { return a.Port == of10.PortTable && a.Type == of10.ActionOutput }) {
		return list
	}
	var kept []of10.Action
	frame := j.b.frame
	if frame != nil {
		frame = append(make([]byte, 0, len(frame)+4), frame...)
	}
	for i := range list {
		a := &list[i]
		if a.Type != of10.ActionOutput || a.Port != of10.PortTable {
			kept = append(kept, *a)
			if frame != nil {
				frame = setFrame(frame, a)
			}
			continue
		}
		if frame == nil {
			kept = d.tableInSwitch(now, j, kept)
			continue
		}
		d.runTable(now, j, frame, out)
	}
	return kept
}

// tableInSwitch is for a frame that only the switch has: what the virtual table does
// with it becomes part of the packet_out's own actions.
func (d *Datapath) tableInSwitch(now time.Time, j *shipment, list []of10.Action) []of10.Action {
	w := flowtable.HeaderWords(&j.b.header)
	f := j.slice.inTable(&w)
	switch {
	case f == nil && j.slice.bits[j.in].on()&of10.PortConfigNoPacketIn == 0:
		up := []of10.Action{of10.Output(of10.PortController, j.slice.miss)}
		d.punts = append(d.punts, punt{d.xid + 1, w, j.slice, up, of10.ReasonNoMatch})
		return append(list, up...)
	case f == nil:
		return list
	}
	f.hit(now, int(j.b.total))
	d.touch(f)
	if hasController(f.flow.Actions) {
		d.punts = append(d.punts, punt{d.xid + 1, w, j.slice, of10.CloneActions(f.flow.Actions), of10.ReasonAction})
	}
	return append(list, f.flow.Actions...)
}

// runTable treats a frame as the slice's virtual switch would.
func (d *Datapath) runTable(now time.Time, j *shipment, frame []byte, out *Out) {
	b := buffered{real: of10.NoBuffer, inPort: j.b.inPort, total: clampLen(len(frame)), frame: frame}
	packet.ParseInto(frame, uint32(b.inPort), &b.header)
	w := flowtable.HeaderWords(&b.header)
	f := j.slice.inTable(&w)
	if f != nil {
		n := len(frame)
		if j.lldp {
			clean, _ := d.unmarkLLDP(frame)
			n = len(clean)
		}
		f.hit(now, n)
		d.touch(f)
		inner := shipment{slice: j.slice, in: j.in, ports: j.ports, rule: j.rule, b: &b, lldp: j.lldp}
		d.controllerOutputs(&inner, f.flow.Actions, out)
		d.ship(&inner, f.flow.Actions, pending{kind: pendSilent}, out)
		return
	}
	if j.lldp {
		frame, _ = d.unmarkLLDP(frame)
		b.frame = frame
		b.total = clampLen(len(frame))
	}
	j.slice.buffers.misses.Add(1)
	if j.slice.bits[j.in].on()&of10.PortConfigNoPacketIn != 0 {
		d.Counters.drop(DropPortConfig)
		return
	}
	d.sendUp(j.slice, true, &b, frame, of10.NoBuffer, of10.ReasonNoMatch, j.slice.miss, d.features.NBuffers > 0, out)
}
