package slicing

import (
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// Row "exhaustion", as far as the core bounds it. Controllers and switches that never
// read: TestDeafControllerHurtsNobodyElse and TestDeafSwitchHurtsNobodyElse in
// internal/hypervisor; rates: TestRates in slicer; turns: TestFloodingSliceTakesTurns
// in classifier.
var exhaustionAttacks = []attack{
	{"packet_in flood", packetInFlood},
	{"table flood", tableFlood}, // of priorities: TestGreedySlice
	{"expansion bomb", expansionBomb},
	{"statistics storm", statsStorm},
	{"controller away", unheardFlood},
}

func packetInFlood(t *testing.T) {
	r := newRig(t, 4, "100 in_port=1-2 alice=7", "100 in_port=3-4 bob=7")
	r.frame(3, pkt{}.bytes())
	in := packetIns(r.take("bob"))
	if len(in) != 1 {
		t.Fatal(in)
	}
	for range 3 * bufferSlots {
		r.frame(1, pkt{}.bytes())
		r.take("alice")
	}
	if got := r.send("bob", &of10.PacketOut{BufferID: in[0].BufferID, InPort: 3, Actions: []of10.Action{of10.Output(4, 0)}}); len(got) != 0 || len(r.takeSent()) != 1 {
		t.Errorf("alice's flood pushed bob's buffer out: %v", got)
	}
	if n := r.d.pending.open; n > 10 {
		t.Errorf("%d records are left of the flood", n)
	}
}

func tableFlood(t *testing.T) {
	r := divided(t)
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: 50}, &out)
	r.pump(&out)
	m := flowMod(t, "in_port=1 actions=output:2")
	refused := 0
	for n := range 200 {
		m.XID, m.Priority = 0, uint16(n)
		for _, a := range r.send("alice", m) {
			if e, ok := a.(*of10.Error); !ok || e.ErrType != of10.ErrorFlowModFailed || e.Code != of10.FlowModFailedAllTablesFull {
				t.Fatal(a)
			}
			refused++
		}
	}
	if refused != 150 || r.d.FlowCount("alice") != 50 {
		t.Errorf("%d flows refused, %d there, want 150 and 50", refused, r.d.FlowCount("alice"))
	}
	r.bobWell()
}

func expansionBomb(t *testing.T) {
	r := newRig(t, 4, "100 dl_vlan=1-2000 bob=7", "10 any alice=7")
	r.wantError("alice", flowMod(t, "actions=output:1,output:2,output:3"), of10.ErrorFlowModFailed, of10.FlowModFailedAllTablesFull)
	if n := r.d.PhysicalCount(); n != 0 {
		t.Errorf("the refused flow left %d behind", n)
	}
	r.add("bob", "dl_vlan=5 actions=output:2")
}

func statsStorm(t *testing.T) {
	r := divided(t)
	var out Out
	for n := range 10 * maxStatsJobs {
		r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, &of10.StatsRequest{XID: uint32(n + 1), StatsType: of10.StatsDesc}), &out)
	}
	if n := r.d.pending.open; n > 2*maxStatsJobs {
		t.Errorf("%d requests are on their way to the switch", n)
	}
	r.d.FromController(r.now, "bob", Conn{ID: 1}, encode(t, &of10.StatsRequest{XID: 9, StatsType: of10.StatsDesc}), &out)
	r.pump(&out)
	if got := r.take("bob"); len(got) != 1 || got[0].Type() != of10.TypeStatsReply || got[0].TransactionID() != 9 {
		t.Errorf("bob got %v", got)
	}
	if n := len(r.take("alice")); n != 10*maxStatsJobs {
		t.Errorf("%d requests of alice were answered, want all %d", n, 10*maxStatsJobs)
	}
	r.bobWell()
}

func unheardFlood(t *testing.T) {
	r := divided(t)
	r.d.ControllerDown(r.now, "alice")
	for range 100 {
		r.frame(1, pkt{}.bytes())
	}
	if n := r.d.Counters.Get(DropNoListener); n != 1 {
		t.Errorf("%d frames that nobody hears came up, want 1: the switch drops the rest", n)
	}
	r.bobWell()
}
