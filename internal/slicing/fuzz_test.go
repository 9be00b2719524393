package slicing

import (
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// FuzzMessages gives the core whatever bytes, as if from a controller and from the
// switch. Nothing may panic, what goes out must be well formed, and no message of
// alice's may change what bob's frames do.
func FuzzMessages(f *testing.F) {
	for _, m := range []of10.Message{
		&of10.FlowMod{Match: of10.MatchAll(), BufferID: 1, OutPort: of10.PortNone, Flags: 3, Actions: []of10.Action{of10.Output(1, 0), of10.SetVLANVID(5), of10.Output(of10.PortFlood, 0)}},
		&of10.FlowMod{Match: of10.MatchAll(), Command: of10.FlowDelete, OutPort: of10.PortNone},
		&of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{of10.StripVLAN(), of10.Output(of10.PortTable, 0)}, Data: pkt{vlan: 3}.bytes()},
		&of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Actions: []of10.Action{of10.Output(1, 0)}, Data: lldpFrame(1)},
		&of10.PacketIn{BufferID: 5, TotalLen: 60, InPort: 1, Reason: of10.ReasonAction, Data: pkt{}.bytes()},
		&of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: 60, InPort: 2, Data: lldpFrame(2)},
		&of10.FlowRemoved{Match: of10.MatchAll(), Cookie: cookieBase + 1}, &of10.FlowRemoved{Cookie: cookieBase + 2, Reason: of10.RemovedHardTimeout},
		&of10.PortMod{PortNo: 1, HWAddr: [6]byte{2, 0, 0, 0, 0, 1}, Config: 5, Mask: 5}, &of10.PortStatus{Reason: of10.PortDeleted, Desc: of10.PhyPort{PortNo: 1}},
		&of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: 0xff, OutPort: of10.PortNone}},
		&of10.StatsReply{XID: 0x67760004, StatsType: of10.StatsFlow, Body: of10.FlowStatsReply{{Cookie: cookieBase + 1}}},
		&of10.Error{XID: 0x67760004, ErrType: of10.ErrorFlowModFailed, Data: []byte("12345678")}, &of10.BarrierReply{XID: 0x67760008}, &of10.BarrierRequest{},
		&of10.SetConfig{MissSendLen: 9}, &of10.QueueGetConfigReply{XID: 0x67760004, Port: 1}, &of10.Vendor{Vendor: of10.VendorNicira, Data: []byte{0, 0, 0, 10, 0, 0, 0, 1}},
	} {
		f.Add(encode(f, m), false)
		f.Add(encode(f, m), true)
	}
	f.Fuzz(func(t *testing.T, frame []byte, fromSwitch bool) {
		if len(frame) < 8 {
			return
		}
		frame[2], frame[3] = byte(len(frame)>>8), byte(len(frame)) // the reader has seen to that
		if len(frame) > 0xffff {
			return
		}
		r := newRig(t, 3, "100 in_port=1 alice=7", "50 any bob=7,alice=2")
		r.add("bob", "priority=5,dl_type=0x800 actions=output:3")
		r.add("alice", "priority=5,dl_vlan=3 actions=controller:60,in_port")
		var out Out
		if fromSwitch {
			r.d.FromSwitch(r.now, frame, &out)
			if out.faults != 0 {
				t.Errorf("%d messages could not be encoded", out.faults)
			}
			for d := range out.Deliveries() {
				if _, err := of10.Parse(d.Frame); err != nil {
					t.Errorf("delivered %x: %v", d.Frame, err)
				}
			}
			return
		}
		r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out)
		r.pump(&out)
		if got := r.take("bob"); len(got) != 0 {
			t.Errorf("bob heard of alice's message: %v", got)
		}
		r.takeSent()
		if got := ports(r.frame(2, pkt{}.bytes())); len(got) != 1 || got[0] != 3 {
			t.Errorf("bob's frame left by %v, want 3", got)
		}
	})
}
