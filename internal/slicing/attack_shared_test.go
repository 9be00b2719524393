package slicing

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// Row "slice breakout", second half: what slices share in the switch.
var sharedAttacks = []attack{
	{"wildcard delete", wildcardDelete},
	{"modify", modifyForeign},
	{"priorities 65535 and 0", squatting},
	{"emergency flows", emergencyForeign}, // more: TestEmergencyFlows
	{"statistics of others' flows", foreignStats},
	{"port_mod of a shared port", sharedPort},
	{"set_config", sharedConfig}, // fragments: TestHole06Config
	{"vendor anything", vendorAnything},
}

func wildcardDelete(t *testing.T) {
	r := divided(t)
	r.add("alice", "actions=output:2")
	for _, cmd := range []of10.FlowModCommand{of10.FlowDelete, of10.FlowDeleteStrict} {
		for _, text := range []string{"priority=7 actions=drop", "in_port=3,priority=7 actions=drop"} {
			for _, port := range []of10.Port{of10.PortNone, 3, 4} {
				m := flowMod(t, text)
				m.Command, m.OutPort = cmd, port
				for _, a := range r.send("alice", m) {
					if a.Type() != of10.TypeFlowRemoved {
						t.Errorf("%v %s: %v", cmd, text, a)
					}
				}
				r.bobWell()
			}
		}
	}
	if got := r.flowsIn("alice", "actions=drop"); len(got) != 0 {
		t.Errorf("alice's own is left: %v", got)
	}
}

func modifyForeign(t *testing.T) {
	r := divided(t)
	for _, cmd := range []of10.FlowModCommand{of10.FlowModify, of10.FlowModifyStrict} {
		r.flow("alice", cmd, "priority=7 actions=drop")
		r.flow("alice", cmd, "priority=7,in_port=3 actions=drop")
		r.take("alice")
		r.bobWell()
	}
}

func squatting(t *testing.T) {
	r := newRig(t, 4, "100 dl_vlan=10 alice=7", "10 any bob=7")
	r.add("bob", "priority=65535 actions=output:4")
	r.add("bob", "priority=0 actions=output:3")
	if got := r.frame(1, pkt{vlan: 10}.bytes()); len(got) != 0 {
		t.Errorf("bob's flow took alice's frame: left by %v", ports(got))
	}
	if n := len(packetIns(r.take("alice"))); n != 1 {
		t.Errorf("alice got %d packet_ins, want 1", n)
	}
	r.add("alice", "priority=0,dl_vlan=10 actions=output:2")
	if diff := cmp.Diff([]int{2}, ports(r.frame(1, pkt{vlan: 10}.bytes()))); diff != "" {
		t.Errorf("alice's frame left by (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{4}, ports(r.frame(1, pkt{vlan: 9}.bytes()))); diff != "" {
		t.Errorf("bob's frame left by (-want +got):\n%s", diff)
	}
}

func emergencyForeign(t *testing.T) {
	r := divided(t)
	m := flowMod(t, "in_port=3 actions=in_port")
	m.Flags = of10.FlowModEmerg
	r.log = nil
	r.send("alice", m)
	r.untouched("FLOW_MOD", "flow_mod", "in_port=3")
	m = flowMod(t, "actions=output:3")
	m.Flags = of10.FlowModEmerg
	r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionBadOutPort)
	r.bobWell()
}

func foreignStats(t *testing.T) {
	r := divided(t)
	r.add("alice", "cookie=0xa,priority=3 actions=output:2")
	for _, match := range []string{"actions=drop", "in_port=3 actions=drop"} {
		for _, f := range r.flowsIn("alice", match) {
			if f.Cookie != 0xa || f.PacketCount != 0 {
				t.Errorf("%s: alice sees %+v", match, f)
			}
		}
	}
	ask := func(typ of10.StatsType, body of10.StatsBody) of10.StatsBody {
		got := r.send("alice", &of10.StatsRequest{StatsType: typ, Body: body})
		if len(got) != 1 {
			t.Fatalf("%v: %v", typ, got)
		}
		return got[0].(*of10.StatsReply).Body
	}
	if b := ask(of10.StatsAggregate, of10.AggregateStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}).(of10.AggregateStats); b.FlowCount != 1 || b.PacketCount != 0 {
		t.Errorf("aggregate: %+v", b)
	}
	if b := ask(of10.StatsTable, nil).(of10.TableStatsReply); len(b) != 1 || b[0].ActiveCount != 1 || b[0].MatchedCount != 0 {
		t.Errorf("table: %+v", b)
	}
	if b := ask(of10.StatsPort, of10.PortStatsRequest{PortNo: of10.PortNone}).(of10.PortStatsReply); len(b) != 2 || b[0].PortNo > 2 || b[1].PortNo > 2 {
		t.Errorf("ports: %+v", b)
	}
	r.bobWell()
}

func sharedPort(t *testing.T) {
	r := newRig(t, 2, "100 dl_vlan=10 alice=7", "100 dl_vlan=20 bob=7")
	r.add("alice", "dl_vlan=10 actions=flood")
	r.add("bob", "dl_vlan=20 actions=flood")
	all := of10.PortConfigDown | of10.PortConfigNoFlood | of10.PortConfigNoFwd | of10.PortConfigNoRecv | of10.PortConfigNoPacketIn
	r.log = nil
	for _, p := range testPorts(2) {
		r.send("alice", &of10.PortMod{PortNo: p.PortNo, HWAddr: p.HWAddr, Config: all, Mask: all})
	}
	r.untouched("PORT_MOD", "port_mod")
	if got := r.frame(1, pkt{vlan: 10}.bytes()); len(got) != 0 {
		t.Errorf("alice's frame left by %v", ports(got))
	}
	if diff := cmp.Diff([]int{2}, ports(r.frame(1, pkt{vlan: 20}.bytes()))); diff != "" {
		t.Errorf("bob's frame left by (-want +got):\n%s", diff)
	}
	if got := r.take("bob"); len(got) != 0 {
		t.Errorf("bob heard %v", got)
	}
	for _, p := range r.send("bob", &of10.FeaturesRequest{})[0].(*of10.FeaturesReply).Ports {
		if p.Config != 0 {
			t.Errorf("bob's port %d has config %v", p.PortNo, p.Config)
		}
	}
}

func sharedConfig(t *testing.T) {
	r := newRig(t, 2, "100 in_port=1 alice=7", "100 in_port=2 bob=7")
	r.send("alice", &of10.SetConfig{MissSendLen: 1})
	for slice, want := range map[string]int{"alice": 1, "bob": 128} {
		r.frame(map[string]of10.Port{"alice": 1, "bob": 2}[slice], pkt{bigPayload: 500}.bytes())
		if in := packetIns(r.take(slice)); len(in) != 1 || len(in[0].Data) != want {
			t.Errorf("%s got %v, want %d bytes", slice, in, want)
		}
	}
}

func vendorAnything(t *testing.T) {
	r := divided(t)
	for _, vendor := range []uint32{0, of10.VendorNicira, 0x1234, 0xffffffff} {
		for _, data := range [][]byte{nil, {0, 0, 0, 13}, make([]byte, 64)} {
			r.wantError("alice", &of10.Vendor{Vendor: vendor, Data: data}, of10.ErrorBadRequest, of10.BadRequestBadVendor)
		}
		m := flowMod(t, "actions=drop")
		m.Actions = []of10.Action{of10.VendorAction(vendor, make([]byte, 8))}
		r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionBadVendor)
		r.wantError("alice", &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: m.Actions, Data: pkt{}.bytes()}, of10.ErrorBadAction, of10.BadActionBadVendor)
		r.wantError("alice", &of10.StatsRequest{StatsType: of10.StatsVendor, Body: of10.VendorStats{Vendor: vendor}}, of10.ErrorBadRequest, of10.BadRequestBadVendor)
	}
	r.bobWell()
}
