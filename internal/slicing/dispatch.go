package slicing

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// FromController handles one message of a slice's controller. The frame is complete
// and valid during the call. Messages of slices that are not configured are dropped.
func (d *Datapath) FromController(now time.Time, name string, c Conn, frame []byte, out *Out) {
	s := d.slices[name]
	if s == nil || len(frame) < ofwire.HeaderLen {
		d.Counters.drop(DropMalformed)
		return
	}
	typ := of10.PeekType(frame)
	if frame[0] != ofwire.Version10 && typ != of10.TypeHello {
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestBadVersion)
		return
	}
	if c.ReadOnly && changes(typ) || c.Slave && changes(typ) && typ != of10.TypeSetConfig {
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestEPerm)
		return
	}
	switch typ {
	case of10.TypeHello, of10.TypeEchoReply:
	case of10.TypeEchoRequest:
		d.echo(s, c, frame, out)
	case of10.TypeVendor:
		d.vendor(s, c, frame, out)
	case of10.TypeFeaturesRequest:
		d.featuresRequest(s, c, frame, out)
	case of10.TypeGetConfigRequest:
		d.getConfig(s, c, frame, out)
	case of10.TypeSetConfig:
		d.setConfig(s, c, frame, out)
	case of10.TypePacketOut:
		d.packetOut(now, s, c, frame, out)
	case of10.TypeFlowMod:
		d.flowMod(now, s, c, frame, out)
	case of10.TypePortMod:
		d.portMod(now, s, c, frame, out)
	case of10.TypeStatsRequest:
		d.statsRequest(now, s, c, frame, out)
	case of10.TypeBarrierRequest:
		d.barrier(s, c, frame, out)
	case of10.TypeQueueGetConfigRequest:
		d.queueConfig(s, c, frame, out)
	default: // what only switches send, and what nobody knows
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestBadType)
	}
}

// changes reports whether messages of a type do more than ask.
func changes(t of10.Type) bool {
	return t == of10.TypeSetConfig || t == of10.TypePacketOut || t == of10.TypeFlowMod || t == of10.TypePortMod
}

// FromSwitch handles one message of the switch. The frame is complete and valid
// during the call. It handles every packet_in, also those FastPacketIn could take.
func (d *Datapath) FromSwitch(now time.Time, frame []byte, out *Out) {
	if len(frame) < ofwire.HeaderLen || frame[0] != ofwire.Version10 && of10.PeekType(frame) != of10.TypeHello {
		d.Counters.drop(DropMalformed)
		return
	}
	switch of10.PeekType(frame) {
	case of10.TypeHello, of10.TypeEchoReply:
	case of10.TypeError:
		if err := of10.Check(frame); err != nil || len(frame) < 12 {
			d.Counters.drop(DropMalformed)
			return
		}
		d.fromSwitchError(now, frame, out)
	case of10.TypeEchoRequest:
		m := of10.EchoRequest{}
		if d.decode(&m, frame) {
			out.send(&of10.EchoReply{XID: m.XID, Data: m.Data})
		}
	case of10.TypeVendor:
		d.Counters.drop(DropVendor)
	case of10.TypePacketIn:
		if !d.FastPacketIn(frame, out) {
			m := of10.PacketIn{}
			if d.decode(&m, frame) {
				d.fromPacketIn(now, &m, frame, out)
			}
		}
	case of10.TypeFlowRemoved:
		m := of10.FlowRemoved{}
		if d.decode(&m, frame) {
			d.fromFlowRemoved(now, &m, out)
			d.confirm(now, out)
		}
	case of10.TypePortStatus:
		m := of10.PortStatus{}
		if d.decode(&m, frame) {
			d.fromPortStatus(now, &m, out)
			d.confirm(now, out)
		}
	case of10.TypeStatsReply:
		d.fromStatsReply(now, frame, out)
	case of10.TypeBarrierReply:
		d.fromBarrierReply(now, frame, out)
	case of10.TypeQueueGetConfigReply:
		d.fromQueueConfig(frame, out)
	case of10.TypeFeaturesReply, of10.TypeGetConfigReply: // asked for by the session, not by us
	default:
		d.Counters.drop(DropUnexpected)
	}
}

func (d *Datapath) decode(m of10.Message, frame []byte) bool {
	if err := m.UnmarshalBinary(frame); err != nil {
		d.Counters.drop(DropMalformed)
		return false
	}
	return true
}

// ask decodes a request; if that fails it answers and returns false.
func (d *Datapath) ask(m of10.Message, s *slice, c Conn, frame []byte, out *Out) bool {
	if err := m.UnmarshalBinary(frame); err != nil {
		d.refuse(out, s, c.ID, frame, err)
		return false
	}
	return true
}

// refuse answers a message that cannot be decoded.
func (d *Datapath) refuse(out *Out, s *slice, conn ConnID, frame []byte, err error) {
	var e *of10.Error
	if !errors.As(err, &e) {
		e = &of10.Error{ErrType: of10.ErrorBadRequest, Code: of10.BadRequestBadLen}
	}
	d.failWith(out, s, conn, frame, e)
}

func (d *Datapath) failWith(out *Out, s *slice, conn ConnID, frame []byte, e *of10.Error) {
	d.fail(out, s, conn, frame, e.ErrType, e.Code)
}

// fail answers with an error that carries the request's xid and bytes.
func (d *Datapath) fail(out *Out, s *slice, conn ConnID, frame []byte, typ of10.ErrorType, code uint16) {
	const most = 0xffff - 12
	out.deliver(s.name, conn, &of10.Error{XID: of10.XID(frame), ErrType: typ, Code: code, Data: frame[:min(len(frame), most)]})
}

func (d *Datapath) echo(s *slice, c Conn, frame []byte, out *Out) {
	m := of10.EchoRequest{}
	if d.ask(&m, s, c, frame, out) {
		out.deliver(s.name, c.ID, &of10.EchoReply{XID: m.XID, Data: m.Data})
	}
}

// Nicira's role request, which many controllers send before anything else.
const (
	niciraRoleRequest = 10
	niciraRoleReply   = 11
	niciraSlave       = 2
)

// AsksForRole reports whether a message is Nicira's role request, and if so, whether its
// controller wants to be a slave: to hear of ports only, and to change nothing.
func AsksForRole(frame []byte) (slave, ok bool) {
	const body = ofwire.HeaderLen + 4
	if len(frame) != body+8 || of10.PeekType(frame) != of10.TypeVendor || frame[0] != ofwire.Version10 ||
		binary.BigEndian.Uint32(frame[ofwire.HeaderLen:]) != of10.VendorNicira || binary.BigEndian.Uint32(frame[body:]) != niciraRoleRequest {
		return false, false
	}
	role := binary.BigEndian.Uint32(frame[body+4:])
	return role == niciraSlave, role <= niciraSlave
}

// vendor refuses vendor messages: what they do is unknown, and may be everything.
func (d *Datapath) vendor(s *slice, c Conn, frame []byte, out *Out) {
	m := of10.Vendor{}
	if !d.ask(&m, s, c, frame, out) {
		return
	}
	if _, ok := AsksForRole(frame); !ok {
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestBadVendor)
		return
	}
	data := binary.BigEndian.AppendUint32(nil, niciraRoleReply)
	out.deliver(s.name, c.ID, &of10.Vendor{XID: m.XID, Vendor: m.Vendor, Data: append(data, m.Data[4:]...)})
}

func (d *Datapath) barrier(s *slice, c Conn, frame []byte, out *Out) {
	m := of10.BarrierRequest{}
	if !d.ask(&m, s, c, frame, out) {
		return
	}
	d.sendBarrier(pending{kind: pendForward, slice: s, conn: c.ID, orig: frame}, out)
}

func (d *Datapath) sendBarrier(p pending, out *Out) {
	p.xid = d.nextXID()
	d.unconfirmed = 0
	d.confirmAt = time.Time{}
	d.remember(&p)
	out.send(&of10.BarrierRequest{XID: p.xid})
}

func (d *Datapath) fromBarrierReply(now time.Time, frame []byte, out *Out) {
	m := of10.BarrierReply{}
	if !d.decode(&m, frame) {
		return
	}
	p := d.asked(m.XID)
	if p == nil || p.kind != pendBarrier && (p.orig == nil || of10.PeekType(p.orig) != of10.TypeBarrierRequest) {
		d.Counters.drop(DropUnknownXID)
		return
	}
	d.answered(m.XID)
	d.passed(now, m.XID, out)
	d.flush(now, nil, out)
	switch undoing := d.undone != 0 && d.pending.holds(d.undone); {
	case p.kind != pendForward:
	case undoing && !p.again: // what was refused before it is being taken back
		d.sendBarrier(pending{kind: pendForward, slice: p.slice, conn: p.conn, orig: p.orig, again: true}, out)
	default:
		out.deliver(p.slice.name, p.conn, &of10.BarrierReply{XID: p.origXID()})
	}
	d.recycle(p)
}
