package slicing

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// Emergency flows are cut to the slice's space, read back as given, and a switch that
// has no room for them says so.
func TestEmergencyFlows(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1-2 alice=7", "50 in_port=3 bob=7", "10 dl_vlan=9 bob=7")
	emerg := func(slice string, cmd of10.FlowModCommand, text string) []of10.Message {
		m := flowMod(t, text)
		m.Flags, m.Command = of10.FlowModEmerg, cmd
		return r.send(slice, m)
	}
	if got := emerg("alice", of10.FlowAdd, "dl_vlan=7,priority=9,cookie=3 actions=flood"); len(got) != 0 {
		t.Fatal(got)
	}
	if got := emerg("bob", of10.FlowAdd, "dl_vlan=9 actions=output:3"); len(got) != 1 || got[0].(*of10.Error).Code != of10.FlowModFailedEPerm {
		t.Errorf("a flow that would need guards: %v", got)
	}
	stats := func(slice string) of10.FlowStatsReply {
		m := &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableEmerg, OutPort: of10.PortNone}}
		return r.send(slice, m)[0].(*of10.StatsReply).Body.(of10.FlowStatsReply)
	}
	if got := stats("alice"); len(got) != 1 || got[0].Priority != 9 || got[0].Cookie != 3 || got[0].TableID != of10.TableEmerg {
		t.Errorf("alice reads back %+v", got)
	}
	if got := stats("bob"); len(got) != 0 {
		t.Errorf("bob sees %+v", got)
	}
	if got := r.table(); len(got) != 0 {
		t.Errorf("the working table has %v", got)
	}
	var po ofswitch.Out
	if !r.phys.EnterEmergency(r.now, &po) {
		t.Fatal("the switch has no emergency flows")
	}
	if got := ports(r.frame(1, pkt{vlan: 7}.bytes())); !cmp.Equal(got, []int{2}) {
		t.Errorf("in an emergency: left by %v", got)
	}
	if got := r.frame(3, pkt{vlan: 7}.bytes()); len(got) != 0 {
		t.Errorf("bob's frame left by %v", got)
	}
	r.take("bob") // the miss
	r.refuse = func(m *of10.FlowMod) bool { return m.Flags&of10.FlowModEmerg != 0 && m.Command == of10.FlowAdd }
	if got := emerg("bob", of10.FlowAdd, "in_port=3 actions=drop"); len(got) != 1 {
		t.Errorf("refused by the switch: %v", got)
	}
	if got := stats("bob"); len(got) != 0 {
		t.Errorf("bob sees %+v", got)
	}
	r.refuse = nil
	emerg("alice", of10.FlowDelete, "actions=drop")
	if got := stats("alice"); len(got) != 0 || len(r.d.slices["alice"].emerg) != 0 {
		t.Errorf("after deleting: %+v", got)
	}
}
