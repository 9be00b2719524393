package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// punt is a frame the switch was asked to send up on behalf of one slice's
// packet_out, because only the switch has it.
type punt struct {
	xid     uint32
	words   flowtable.Words
	slice   *slice // nil when it has gone since
	actions []of10.Action
	reason  of10.PacketInReason
}

// fromPacketIn gives a frame to whom it belongs.
func (d *Datapath) fromPacketIn(now time.Time, m *of10.PacketIn, frame []byte, out *Out) {
	b := buffered{real: m.BufferID, inPort: m.InPort, total: m.TotalLen, frame: m.Data}
	info := packet.ParseInto(m.Data, uint32(m.InPort), &b.header)
	if isLLDP(b.header.DLType) {
		d.lldpIn(now, &b, out)
		return
	}
	r := d.view.Owner(&b.header)
	if r == nil {
		d.Counters.drop(DropNoOwner)
		return
	}
	w := flowtable.HeaderWords(&b.header)
	if m.Reason == of10.ReasonAction {
		if d.punted(&w, &b, out) {
			return
		}
		f := d.winnerAt(d.info(r), &w)
		if f != nil && d.hitByPacketIn(now, r, f, &w, &b, out) {
			return
		}
	}
	d.miss(now, r, &b.header, info.Fragment, frame, out)
}

// miss delivers a table miss, or sees to it that frames nobody hears of do not
// keep coming.
func (d *Datapath) miss(now time.Time, r *flowspace.Rule, h *packet.Header, fragment bool, frame []byte, out *Out) {
	n := out.Len()
	dropped := d.Counters.Get(DropPortConfig)
	skip := func(name string) bool {
		s := d.slices[name]
		return s != nil && s.closed(of10.Port(h.InPort), h.DLDst)
	}
	d.fast.Load().miss(d, r, h, fragment, frame, skip, out)
	if out.Len() > n || d.Counters.Get(DropPortConfig) != dropped {
		return
	}
	for _, g := range r.Grants {
		if g.Perm&(flowspace.Read|flowspace.Write) != 0 {
			d.Counters.drop(DropNoListener)
			d.startAway(now, r, h, out)
			return
		}
	}
	d.Counters.drop(DropNoPermission)
}

// hitByPacketIn deals with a frame that hits virtual flow f although the switch
// sent it up. It returns false when the switch did so before it knew of f.
func (d *Datapath) hitByPacketIn(now time.Time, r *flowspace.Rule, f *vflow, w *flowtable.Words, b *buffered, out *Out) bool {
	if f.isDrop() {
		d.Counters.drop(DropPortConfig)
		return true
	}
	p := f.pieceAt(w)
	if p != nil && !p.gone && !p.carve && !d.carvedOut(r, w) {
		if !hasController(f.flow.Actions) {
			return false
		}
		d.toControllers(f, r, b, true, out)
		return true
	}
	if p != nil && p.gone {
		p.gone = false
		d.mark(p.slot)
	}
	f.hit(now, int(b.total))
	d.runFlow(f, r, b, out)
	d.flush(now, nil, out)
	d.confirm(now, out)
	return true
}

// carvedOut reports whether a port that is closed for all but spanning tree frames
// has sent such a frame up.
func (d *Datapath) carvedOut(r *flowspace.Rule, w *flowtable.Words) bool {
	for _, name := range d.info(r).writers {
		if s := d.slices[name]; s != nil {
			for _, f := range s.drops {
				if p := f.pieceAt(w); p != nil && p.carve {
					return true
				}
			}
		}
	}
	return false
}

// pieceAt is the piece of f that a header falls into. A carve-out comes first, and then,
// as it cannot be told which of several the switch has chosen, one that sends frames up.
func (f *vflow) pieceAt(w *flowtable.Words) (found *piece) {
	for _, p := range f.pieces {
		if p.slot != nil && p.slot.pat.Matches(w) && (found == nil || p.carve || p.gone && !found.carve) {
			found = p
		}
	}
	return found
}

// runFlow does with one frame what flow f says, in the place of the switch. CONTROLLER
// means the slices of rule r, or without one only the flow's.
func (d *Datapath) runFlow(f *vflow, r *flowspace.Rule, b *buffered, out *Out) {
	if b.frame == nil && hasController(f.flow.Actions) {
		d.punts = append(d.punts, punt{d.xid + 1, flowtable.HeaderWords(&b.header), f.slice, of10.CloneActions(f.flow.Actions), of10.ReasonAction})
	}
	d.toControllers(f, r, b, false, out)
	if b.kept && isLLDP(b.header.DLType) {
		c := *b
		c.frame = d.markLLDP(f.slice, b.frame)
		b = &c
	}
	job := shipment{slice: f.slice, in: b.inPort, rule: d.view.Owner(&b.header), b: b, lldp: isLLDP(b.header.DLType)}
	d.ship(&job, f.flow.Actions, pending{kind: pendSilent}, out)
}

// toControllers delivers what the CONTROLLER outputs of f send up of one frame. With
// keep, the switch's buffer stays as it is and can be passed on.
func (d *Datapath) toControllers(f *vflow, r *flowspace.Rule, b *buffered, keep bool, out *Out) {
	if !hasController(f.flow.Actions) || b.frame == nil {
		return
	}
	eachController(b.frame, f.flow.Actions, func(frame []byte, changed bool, maxLen uint16) {
		real := of10.NoBuffer
		if keep && !changed {
			real, keep = b.real, false
		}
		if r == nil {
			d.sendUp(f.slice, true, b, frame, real, of10.ReasonAction, maxLen, b.again(), out)
			return
		}
		for _, g := range r.Grants {
			if s := d.slices[g.Slice]; s != nil && s.up && g.Perm&(flowspace.Read|flowspace.Write) != 0 {
				d.sendUp(s, g.Perm&flowspace.Write != 0, b, frame, real, of10.ReasonAction, maxLen, b.again(), out)
			}
		}
	})
}

// eachController walks a list over a frame and calls f for every CONTROLLER output
// with the frame as it is there.
func eachController(frame []byte, list []of10.Action, f func(frame []byte, changed bool, maxLen uint16)) {
	changed := false
	for i := range list {
		a := &list[i]
		switch {
		case a.Type == of10.ActionOutput && a.Port == of10.PortController:
			f(frame, changed, a.MaxLen)
		case a.Type == of10.ActionOutput || a.Type == of10.ActionEnqueue:
		default:
			if !changed {
				frame, changed = append(make([]byte, 0, len(frame)+4), frame...), true
			}
			frame = setFrame(frame, a)
		}
	}
}

// sendUp delivers one packet_in to a slice. With buffer it is cut and gets a virtual
// buffer: the switch's own if real is one, else the frame is kept here. A slice that
// is no writer gets no buffer.
func (d *Datapath) sendUp(s *slice, writer bool, b *buffered, frame []byte, real uint32, reason of10.PacketInReason, maxLen uint16, buffer bool, out *Out) {
	m := of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: b.total, InPort: b.inPort, Reason: reason, Data: frame}
	if len(frame) != len(b.frame) {
		m.TotalLen = clampLen(int(b.total) + len(frame) - len(b.frame))
	}
	if buffer {
		if writer {
			var kept *[]byte
			if real == of10.NoBuffer {
				c := slices.Clone(frame)
				kept = &c
			}
			h := packet.Parse(frame, uint32(b.inPort))
			w := flowtable.HeaderWords(&h)
			m.BufferID = s.buffers.store(real, b.inPort, m.TotalLen, &w, kept)
		}
		m.Data = frame[:min(len(frame), int(maxLen))]
	}
	if len(m.Data) > maxMessage-packetInHead { // as much as a message takes, as a switch would
		m.Data = m.Data[:maxMessage-packetInHead]
		d.Counters.drop(DropTooLong)
	}
	out.deliver(s.name, AllConns, &m)
}

// maxMessage is the length of the longest OpenFlow message.
const maxMessage = 0xffff

// clampLen is a frame's length as messages tell it.
func clampLen(n int) uint16 { return uint16(min(n, 0xffff)) }

// disownPunts sees to it that nobody gets a frame that a slice has asked for and that is
// another's now.
func (d *Datapath) disownPunts() {
	for i := range d.punts {
		p := &d.punts[i]
		h := p.words.Header()
		if p.slice == nil || isLLDP(h.DLType) {
			continue
		}
		in := of10.Port(h.InPort)
		if in > of10.PortMax && in != of10.PortLocal {
			in = of10.PortNone
		}
		if !d.ownsHeader(p.slice, &h, d.ingress(p.slice, in, &buffered{real: of10.NoBuffer})) {
			p.slice, p.actions = nil, nil
		}
	}
}

// punted delivers a frame that a slice's packet_out asked for; one that comes up once
// may answer several outputs of the same message.
func (d *Datapath) punted(w *flowtable.Words, b *buffered, out *Out) bool {
	first := slices.IndexFunc(d.punts, func(p punt) bool { return p.words == *w })
	if first < 0 {
		return false
	}
	xid, real := d.punts[first].xid, b.real
	d.punts = slices.DeleteFunc(d.punts, func(p punt) bool {
		if p.xid != xid || p.words != *w {
			return false
		}
		eachController(b.frame, p.actions, func(frame []byte, changed bool, maxLen uint16) {
			id := of10.NoBuffer
			if !changed {
				id, real = real, of10.NoBuffer
			}
			d.sendUp(p.slice, true, b, frame, id, p.reason, maxLen, b.again(), out)
		})
		return true
	})
	return true
}
