package slicing

import (
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// fastView is what the packet_in fast path knows: an immutable picture of the
// flowspace and of the slices.
type fastView struct {
	view   *flowspace.View
	slices map[string]*fastSlice
	real   *realBuffers
}

type fastSlice struct {
	name    string
	up      bool
	miss    uint16
	frag    of10.ConfigFlags
	deaf    map[uint32]bool // ports whose misses must not come to the controller
	closed  bool            // some port lets nothing in: ask the slice under the lock
	buffers *buffers
}

// publish makes the present state known to the fast path.
func (d *Datapath) publish() {
	v := &fastView{view: d.view, slices: make(map[string]*fastSlice, len(d.slices)), real: d.realBuffers}
	for name, s := range d.slices {
		f := &fastSlice{name: name, up: s.up, miss: s.miss, frag: s.frag, buffers: s.buffers}
		for p, b := range s.bits {
			if b.on()&of10.PortConfigNoPacketIn != 0 {
				if f.deaf == nil {
					f.deaf = map[uint32]bool{}
				}
				f.deaf[uint32(p)] = true
			}
			f.closed = f.closed || b.on()&(of10.PortConfigDown|of10.PortConfigNoRecv|of10.PortConfigNoRecvSTP) != 0
		}
		v.slices[name] = f
	}
	d.fast.Store(v)
}

// FastPacketIn deals with a packet_in that no table has to be looked at for: a miss
// of a frame that belongs to somebody who is listening. It returns false for all
// others, which go through FromSwitch. It takes no lock and allocates nothing.
func (d *Datapath) FastPacketIn(frame []byte, out *Out) bool {
	if len(frame) < packetInHead || frame[0] != ofwire.Version10 || of10.PeekType(frame) != of10.TypePacketIn {
		return false
	}
	v := d.fast.Load()
	v.real.seen(of10.PacketInBufferID(frame))
	if of10.PacketInReasonOf(frame) != of10.ReasonNoMatch {
		return false
	}
	data := of10.PacketInData(frame)
	h := &d.fastHeader
	info := packet.ParseInto(data, uint32(of10.PacketInInPort(frame)), h)
	if isLLDP(h.DLType) {
		return false
	}
	r := v.view.Owner(h)
	if r == nil {
		d.Counters.drop(DropNoOwner)
		return true
	}
	listening := false
	for i := range r.Grants {
		if s := v.slices[r.Grants[i].Slice]; s != nil && s.up && r.Grants[i].Perm&(flowspace.Read|flowspace.Write) != 0 {
			if s.closed {
				return false
			}
			listening = true
		}
	}
	if !listening {
		return false
	}
	v.miss(d, r, h, info.Fragment, frame, nil, out)
	return true
}

const packetInHead = 18

// miss delivers a table miss to every slice that may hear of it. Skip, if not nil,
// says which slices must not.
func (v *fastView) miss(d *Datapath, r *flowspace.Rule, h *packet.Header, fragment bool, frame []byte, skip func(slice string) bool, out *Out) {
	var w flowtable.Words
	packed := false
	for i := range r.Grants {
		g := &r.Grants[i]
		s := v.slices[g.Slice]
		if s == nil || !s.up || g.Perm&(flowspace.Read|flowspace.Write) == 0 {
			continue
		}
		if fragment && s.frag == of10.FragDrop || skip != nil && skip(s.name) {
			d.Counters.drop(DropPortConfig)
			continue
		}
		s.buffers.misses.Add(1)
		if s.deaf[h.InPort] {
			d.Counters.drop(DropPortConfig)
			continue
		}
		b := out.deliverRaw(s.name, AllConns, frame)
		of10.PutXID(b, 0)
		of10.PutPacketInReason(b, of10.ReasonNoMatch)
		real := of10.PacketInBufferID(frame)
		if real == of10.NoBuffer {
			continue
		}
		if g.Perm&flowspace.Write != 0 {
			if !packed {
				w, packed = flowtable.HeaderWords(h), true
			}
			id := s.buffers.store(real, of10.Port(h.InPort), of10.PacketInTotalLen(frame), &w, nil)
			of10.PutPacketInBufferID(b, id)
		} else {
			of10.PutPacketInBufferID(b, of10.NoBuffer)
		}
		out.truncatePacketIn(int(s.miss))
	}
}
