package slicing

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/limits"
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

// emergency sends a flow_mod for the emergency table.
func (r *rig) emergency(slice string, cmd of10.FlowModCommand, text string) []of10.Message {
	r.t.Helper()
	m := flowMod(r.t, text)
	m.Flags, m.Command = of10.FlowModEmerg, cmd
	return r.send(slice, m)
}

// inEmergency is what the switch would forward by then, as table says it.
func (r *rig) inEmergency() (list []string) {
	r.t.Helper()
	var po ofswitch.Out
	m := &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableEmerg, OutPort: of10.PortNone}}
	r.phys.HandleMessage(r.now, 1, encode(r.t, m), &po)
	for _, m := range po.Messages {
		p, err := of10.Parse(m.Data)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, f := range p.(*of10.StatsReply).Body.(of10.FlowStatsReply) {
			list = append(list, entryLine(f.Match, f.Priority, f.Actions))
		}
	}
	return list
}

// Emergency flows count like others, once each, and are given back when they go.
func TestEmergencyFlowsCount(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=7")
	quota := &limits.Flows{}
	quota.SetLimit(3)
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: -1, Quota: quota}, &out)
	r.pump(&out)
	check := func(when string, want int64) {
		t.Helper()
		if got := quota.Used(); got != want || r.d.FlowCount("alice") != int(want) {
			t.Errorf("%s: %d flows counted and %d there, want %d", when, got, r.d.FlowCount("alice"), want)
		}
	}
	full := func(when string, got []of10.Message) {
		t.Helper()
		if len(got) != 1 || got[0].(*of10.Error).Code != of10.FlowModFailedAllTablesFull {
			t.Errorf("%s: %v", when, got)
		}
	}
	r.add("alice", "in_port=1 actions=output:2")
	r.emergency("alice", of10.FlowAdd, "in_port=1 actions=output:2")
	r.emergency("alice", of10.FlowModifyStrict, "in_port=2 actions=output:1")
	check("three flows", 3)
	full("a fourth", r.flow("alice", of10.FlowAdd, "in_port=2 actions=output:1"))
	full("a fourth for the emergency", r.emergency("alice", of10.FlowAdd, "actions=flood"))
	if got := r.emergency("alice", of10.FlowAdd, "in_port=1 actions=drop"); len(got) != 0 {
		t.Errorf("one in the place of another: %v", got)
	}
	check("one replaced", 3)
	r.emergency("alice", of10.FlowDeleteStrict, "in_port=1 actions=drop")
	check("one deleted", 2)
	r.refuse = func(m *of10.FlowMod) bool { return m.Flags&of10.FlowModEmerg != 0 && m.Command == of10.FlowAdd }
	r.emergency("alice", of10.FlowAdd, "in_port=1 actions=drop")
	check("one refused by the switch", 2)
	r.refuse = nil
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: 2, Quota: quota}, &out)
	full("beyond the limit here", r.emergency("alice", of10.FlowAdd, "in_port=1 actions=drop"))
	full("beyond the limit here", r.flow("alice", of10.FlowAdd, "in_port=2 actions=output:1"))
	r.emergency("alice", of10.FlowDelete, "actions=drop")
	check("all of them deleted", 1)
	r.emergency("alice", of10.FlowAdd, "in_port=1 actions=drop")
	out.Reset()
	r.d.RemoveSlice(r.now, "alice", &out)
	r.pump(&out)
	if got, left := quota.Used(), r.inEmergency(); got != 0 || len(left) != 0 {
		t.Errorf("slice removed: %d flows counted, the switch has %v", got, left)
	}
}

// What somebody else has left in the emergency table goes when a switch connects, and
// what govisor remembers of a slice's comes back.
func TestEmergencyFlowsOfStrangers(t *testing.T) {
	t.Parallel()
	for _, policy := range []Policy{Adopt, Flush} {
		r := newRig(t, 3, "100 in_port=1-2 alice=7", "50 in_port=3 bob=7")
		r.emergency("alice", of10.FlowAdd, "in_port=1,priority=9,cookie=3 actions=output:2")
		r.add("bob", "in_port=3 actions=drop")
		saved := r.d.AppendSaved(nil, "alice")
		want := r.inEmergency()
		foreign := flowMod(t, "in_port=1,priority=7 actions=output:3")
		foreign.Flags = of10.FlowModEmerg
		var po ofswitch.Out
		r.phys.HandleMessage(r.now, 1, encode(t, foreign), &po)
		again := New(Config{DPID: testDPID, Features: r.features(), View: r.fs.View(testDPID), Key: []byte("key")})
		quota := &limits.Flows{}
		quota.SetLimit(-1)
		var out Out
		for _, s := range []string{"alice", "bob"} {
			again.SetSlice(r.now, SliceConfig{Name: s, MaxFlows: -1, Quota: quota}, &out)
		}
		again.Restore(r.now, saved)
		out.Reset()
		r.d = again
		r.d.Connect(r.now, r.features(), policy, &out)
		r.pump(&out)
		if diff := cmp.Diff(want, r.inEmergency()); diff != "" {
			t.Errorf("policy %d: emergency table (-want +got):\n%s", policy, diff)
		}
		if n := quota.Used(); n != 1 {
			t.Errorf("policy %d: %d flows counted, want 1", policy, n)
		}
		fl := again.slices["alice"].table.SelectEmergency(of10.MatchAll(), of10.PortNone)
		if len(fl) != 1 || fl[0].Cookie != 3 {
			t.Errorf("policy %d: alice has %v", policy, fl)
		}
	}
}

// Emergency flows heed the ports' settings, and never strip a tag unseen.
func TestEmergencyFlowsAndPorts(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 dl_vlan=10 alice=7", "100 dl_vlan=0xffff alice=7", "50 any bob=7")
	r.emergency("alice", of10.FlowAdd, "in_port=1,dl_vlan=10 actions=output:2,output:3")
	mod := &of10.PortMod{PortNo: 3, HWAddr: [6]byte{2, 0, 0, 0, 0, 3}, Mask: of10.PortConfigNoFwd, Config: of10.PortConfigNoFwd}
	r.send("alice", mod)
	if got := r.inEmergency(); len(got) != 1 || !strings.HasSuffix(got[0], "actions=[output:2]") {
		t.Errorf("with NO_FWD on port 3: %v", got)
	}
	var out Out
	r.d.FromSwitch(r.now, encode(t, &of10.PortStatus{Reason: of10.PortAdded, Desc: of10.PhyPort{PortNo: 4}}), &out)
	r.pump(&out)
	r.take("alice")
	r.emergency("alice", of10.FlowDelete, "actions=drop")
	r.emergency("alice", of10.FlowAdd, "in_port=1,dl_vlan=10 actions=flood")
	out.Reset()
	r.d.FromSwitch(r.now, encode(t, &of10.PortStatus{Reason: of10.PortDeleted, Desc: of10.PhyPort{PortNo: 4}}), &out)
	r.pump(&out)
	r.take("alice")
	if got := r.inEmergency(); len(got) != 1 || !strings.HasSuffix(got[0], "actions=[output:2]") {
		t.Errorf("without port 4: %v", got)
	}
	for text, refused := range map[string]bool{
		"in_port=2,dl_vlan=10 actions=strip_vlan,output:2":                true,
		"in_port=2,dl_vlan=10,dl_type=0x0800 actions=strip_vlan,output:2": false,
	} {
		got := r.emergency("alice", of10.FlowAdd, text)
		if refused != (len(got) == 1) {
			t.Errorf("%s: %v", text, got)
		}
	}
}
