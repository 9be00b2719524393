package ofswitch

import (
	"time"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// execution is one frame on its way through the switch.
type execution struct {
	p      *Pipeline
	now    time.Time
	out    *Out
	inPort of10.Port
	in     *swPort // nil in a packet_out from no port of the switch
	frame  InFrame
	header packet.Header
	info   packet.Info
	shared bool // frame.Data is referred to by an output, or is not ours
	nested bool // inside OFPP_TABLE of a packet_out
}

// lookup finds the flow for the frame and runs it, or treats the miss.
func (x *execution) lookup() {
	p := x.p
	p.lookups++
	x.shared = true
	f := p.cache.lookup(p.table, &x.header)
	if f == nil {
		x.miss()
		return
	}
	p.matched++
	f.Hit(x.now, len(x.frame.Data))
	x.run(f.Aux.(*program))
}

// miss applies the table-miss policy.
func (x *execution) miss() {
	switch x.p.cfg.MissPolicy {
	case MissNormal:
		x.normal()
	case MissController:
		if x.in != nil && x.in.desc.Config&of10.PortConfigNoPacketIn != 0 {
			return
		}
		x.packetIn(of10.ReasonNoMatch, missLen)
	}
}

// missLen asks packetIn to cut to the miss_send_len of each connection.
const missLen = -1

// run executes compiled actions in order.
func (x *execution) run(prog *program) {
	for i := range prog.steps {
		s := &prog.steps[i]
		switch s.op {
		case opPort:
			x.output(of10.Port(s.port), NoQueue)
		case opInPort:
			x.send(x.in, x.inPort, s.queue)
		case opEnqueue:
			x.output(of10.Port(s.port), s.queue)
		case opFlood:
			x.flood(of10.PortConfigNoFlood)
		case opAll:
			x.flood(0)
		case opNormal:
			x.normal()
		case opController:
			x.packetIn(of10.ReasonAction, int(s.port))
		case opTable:
			x.table()
		case opVendor:
			if !x.vendor(s) {
				return
			}
		default:
			x.rewrite(s)
		}
	}
}

// output sends to a numbered port, which is never the ingress: that takes
// OFPP_IN_PORT.
func (x *execution) output(no of10.Port, queueID uint32) {
	if no == x.inPort {
		return
	}
	if pt := x.p.port(no); pt != nil {
		x.send(pt, no, queueID)
	}
}

// send appends the frame as it is now to what leaves by pt.
func (x *execution) send(pt *swPort, no of10.Port, queueID uint32) {
	if pt == nil {
		return
	}
	var q *queue
	if queueID != NoQueue {
		if q = pt.queue(queueID); q == nil {
			pt.counters.TxDropped++
			return
		}
	}
	if !pt.sends() {
		pt.counters.TxDropped++
		return
	}
	n := uint64(len(x.frame.Data))
	pt.counters.TxPackets++
	pt.counters.TxBytes += n
	if q != nil {
		q.stats.TxPackets++
		q.stats.TxBytes += n
	}
	x.shared = true
	x.out.Frames = append(x.out.Frames, OutFrame{Port: no, Queue: queueID, Frame: x.frame})
}

// flood sends to every port but the ingress and those with a bit of skip.
func (x *execution) flood(skip of10.PortConfig) {
	for _, no := range x.p.portOrder {
		pt := x.p.ports[no]
		if no != x.inPort && pt.desc.Config&skip == 0 {
			x.send(pt, no, NoQueue)
		}
	}
}

// normal is the switch's own MAC learning.
func (x *execution) normal() {
	p, f := x.p, x.frame.Data
	h := packet.Parse(f, uint32(x.inPort)) // the frame may have been rewritten
	if x.in != nil {
		p.macs.learn(x.now, h.DLSrc, h.DLVLAN, uint16(x.inPort))
	}
	if reservedMAC(h.DLDst[:]) && !p.cfg.ForwardReserved {
		return
	}
	if h.DLDst[0]&1 == 0 {
		if no, ok := p.macs.lookup(x.now, h.DLDst, h.DLVLAN); ok {
			x.output(of10.Port(no), NoQueue)
			return
		}
	}
	x.flood(of10.PortConfigNoFlood)
}

// table is OFPP_TABLE in a packet_out: the frame, as changed so far, is looked
// up as if it had been received. Flows cannot hold this output, so it ends.
func (x *execution) table() {
	if x.nested {
		return
	}
	sub := *x
	sub.nested = true
	sub.info = packet.ParseInto(sub.frame.Data, uint32(x.inPort), &sub.header)
	sub.lookup()
	x.shared = true
}

// own makes sure that the frame may be changed: what was output stays as it was.
func (x *execution) own() {
	if !x.shared {
		return
	}
	n := len(x.frame.Data)
	buf := x.out.alloc(n + 16) // room for tags
	copy(buf, x.frame.Data)
	x.frame.Data = buf[:n]
	x.shared = false
}

// rewrite applies one set-field action.
func (x *execution) rewrite(s *step) {
	x.own()
	f := x.frame.Data
	switch s.op {
	case opSetVLANVID:
		x.frame.Data = packet.SetVLANVID(f, uint16(s.value))
	case opSetVLANPCP:
		x.frame.Data = packet.SetVLANPCP(f, uint8(s.value))
	case opStripVLAN:
		x.frame.Data = packet.StripVLAN(f)
	case opSetDLSrc:
		packet.SetDLSrc(f, s.addr)
	case opSetDLDst:
		packet.SetDLDst(f, s.addr)
	case opSetNWSrc:
		packet.SetNWSrc(f, s.value)
	case opSetNWDst:
		packet.SetNWDst(f, s.value)
	case opSetNWTos:
		packet.SetNWTos(f, uint8(s.value))
	case opSetTPSrc:
		packet.SetTPSrc(f, uint16(s.value))
	case opSetTPDst:
		packet.SetTPDst(f, uint16(s.value))
	}
	if x.frame.Offload.Finished() {
		return
	}
	x.frame.Offload.Shift(len(x.frame.Data) - len(f))
	switch s.op {
	case opSetNWSrc, opSetNWDst, opSetTPSrc, opSetTPDst:
		x.frame.Offload.Reseed(x.frame.Data)
	}
}

// vendor runs an action of an extension; false drops the frame.
func (x *execution) vendor(s *step) bool {
	x.own()
	x.frame.Offload.Finish(x.frame.Data)
	f := s.vendor.Apply(s.body, x.inPort, x.frame.Data)
	if f == nil {
		x.p.stats.VendorDrops++
		return false
	}
	x.frame.Data = f
	return true
}

// packetIn sends the frame to every connection that hears packets, cut to limit
// bytes (missLen: to the connection's miss_send_len) if it could be buffered.
func (x *execution) packetIn(reason of10.PacketInReason, limit int) {
	p := x.p
	listeners := 0
	for _, c := range p.conns {
		if c.hearsPackets() {
			listeners++
		}
	}
	if listeners == 0 {
		return
	}
	rate := &p.missRate
	if reason == of10.ReasonAction {
		rate = &p.actRate
	}
	if !rate.take(x.now) {
		p.stats.PacketInsLimits++
		return
	}
	p.stats.PacketIns++
	data := x.frame.Data
	if !x.frame.Offload.Finished() {
		x.own()
		data = x.frame.Data
		x.frame.Offload.Finish(data)
	}
	id := p.buffers.put(x.now, x.inPort, x.frame)
	for _, c := range p.conns {
		if !c.hearsPackets() {
			continue
		}
		n := len(data)
		if id != of10.NoBuffer {
			if limit == missLen {
				n = min(n, int(c.missSendLen))
			} else {
				n = min(n, limit)
			}
		}
		n = min(n, 0xffff-packetInHeader)
		m := of10.PacketIn{
			BufferID: id, TotalLen: uint16(min(len(data), 0xffff)),
			InPort: x.inPort, Reason: reason, Data: data[:n],
		}
		b, err := m.AppendBinary(x.out.alloc(packetInHeader + n)[:0])
		if err == nil {
			x.out.Messages = append(x.out.Messages, OutMessage{c.id, b})
		}
	}
}

// packetInHeader is the length of an ofp_packet_in before its data.
const packetInHeader = 18
