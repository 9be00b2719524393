package slicing

import (
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// idReuse stands between the core and the reference switch, whose buffer ids are
// never the same twice, and makes it one that has few and says them over and over:
// an id means the frame it was last given for. Nil does nothing.
type idReuse struct {
	few   uint32
	given uint32
	real  map[uint32]uint32 // by the id as the core sees it
	times map[uint32]int    // how often an id was given
	means map[virtualID]meaning
}

type virtualID struct {
	slice string
	id    uint32
}

// meaning is what a virtual buffer id stands for: the switch's id, given so many times.
type meaning struct {
	id    uint32
	times int
}

func reuse(few uint32) *idReuse {
	return &idReuse{few: few, real: map[uint32]uint32{}, times: map[uint32]int{}, means: map[virtualID]meaning{}}
}

func (u *idReuse) fromSwitch(frame []byte) {
	if u == nil || of10.PeekType(frame) != of10.TypePacketIn || of10.PacketInBufferID(frame) == of10.NoBuffer {
		return
	}
	u.given++
	id := u.given % u.few
	u.real[id] = of10.PacketInBufferID(frame)
	u.times[id]++
	of10.PutPacketInBufferID(frame, id)
}

func (u *idReuse) toSwitch(frame []byte) {
	if u == nil {
		return
	}
	switch of10.PeekType(frame) {
	case of10.TypePacketOut:
		if id, ok := u.real[of10.PacketOutBufferID(frame)]; ok {
			of10.PutPacketOutBufferID(frame, id)
		}
	case of10.TypeFlowMod:
		if id, ok := u.real[of10.FlowModBufferID(frame)]; ok {
			of10.PutFlowModBufferID(frame, id)
		}
	}
}

// delivered notes what the virtual ids mean that the core gave for a packet_in.
func (u *idReuse) delivered(d *Datapath, frame []byte, out *Out) {
	if u == nil || of10.PeekType(frame) != of10.TypePacketIn || of10.PacketInBufferID(frame) == of10.NoBuffer {
		return
	}
	id := of10.PacketInBufferID(frame)
	for m := range out.Deliveries() {
		if of10.PeekType(m.Frame) != of10.TypePacketIn {
			continue
		}
		virt := of10.PacketInBufferID(m.Frame)
		if virt != of10.NoBuffer && d.slices[m.Slice].buffers.slots[virt%bufferSlots].frame.Load() == nil {
			u.means[virtualID{m.Slice, virt}] = meaning{id, u.times[id]}
		}
	}
}

// stale reports whether the switch has given the id behind a virtual one again.
func (u *idReuse) stale(slice string, virt uint32) bool {
	if u == nil {
		return false
	}
	m, ok := u.means[virtualID{slice, virt}]
	return ok && u.times[m.id] != m.times
}

// A virtual buffer id never reaches a frame other than the one it was given for,
// whoever it belongs to and whether the slice still remembers it.
func TestBufferIDsUsedAgain(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]func(*rig){
		"a neighbour's miss": func(r *rig) { r.frame(3, pkt{tpDst: 22}.bytes()) },
		"one's own miss":     func(r *rig) { r.frame(1, pkt{tpDst: 22}.bytes()) },
		"nobody's frame":     func(r *rig) { r.frame(4, pkt{tpDst: 22}.bytes()) },
		"a neighbour's CONTROLLER": func(r *rig) {
			r.add("bob", "in_port=3 actions=controller:65535")
			r.frame(3, pkt{tpDst: 22}.bytes())
		},
	} {
		r := newRig(t, 4, "100 in_port=1-2 alice=7", "100 in_port=3 bob=7")
		r.ids = reuse(1)
		r.frame(1, pkt{}.bytes())
		in := packetIns(r.take("alice"))
		if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
			t.Fatalf("%s: alice got %v", name, in)
		}
		second(r)
		r.take("alice")
		r.wantError("alice", &of10.PacketOut{BufferID: in[0].BufferID, InPort: 1, Actions: []of10.Action{of10.Output(2, 0)}}, of10.ErrorBadRequest, of10.BadRequestBufferUnknown)
		m := flowMod(t, "in_port=1 actions=output:2")
		m.BufferID = in[0].BufferID
		r.send("alice", m)
		if got := r.takeSent(); len(got) != 0 {
			t.Errorf("%s: the stale buffer left as %v", name, got)
		}
		if name != "a neighbour's miss" {
			continue
		}
		theirs := packetIns(r.take("bob"))
		if len(theirs) != 1 {
			t.Fatalf("bob got %v", theirs)
		}
		r.send("bob", &of10.PacketOut{BufferID: theirs[0].BufferID, InPort: 3, Actions: []of10.Action{of10.Output(3, 0), of10.Output(of10.PortInPort, 0)}})
		if got := ports(r.takeSent()); len(got) != 1 {
			t.Errorf("bob's own frame left by %v", got)
		}
	}
}
