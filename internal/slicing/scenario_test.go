package slicing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// The scenarios of reference/flowvisor-core.md, appendix C, that concern slicing.

// Scenario 1: a flow stays inside the rule's port even if the rule says nothing of
// the fields the flow names.
func TestScenario1RuleFieldsApply(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1 alice=4", "100 in_port=2 bob=4")
	r.add("alice", "dl_vlan=5,dl_vlan_pcp=0 actions=output:1,in_port")
	f := pkt{src: 1, dst: 2, vlan: 5}.bytes()
	if got := ports(r.frame(1, f)); !cmp.Equal(got, []int{1}) {
		t.Errorf("from port 1: left by %v, want 1", got)
	}
	if got := r.frame(2, f); len(got) != 0 {
		t.Errorf("from port 2, which is bob's: left by %v", got)
	}
	if got := packetIns(r.take("bob")); len(got) != 1 || got[0].Reason != of10.ReasonNoMatch {
		t.Errorf("bob got %v, want one miss", got)
	}
}

// Scenario 2: a slice of lower rank cannot starve one of higher rank.
func TestScenario2LowerRankCannotStarve(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 dl_type=0x800,nw_src=10.0.0.0/8 alice=4", "10 any bob=4")
	r.add("bob", "priority=65535 actions=drop")
	if got := r.frame(1, pkt{nwSrc: 0x0a000001}.bytes()); len(got) != 0 {
		t.Errorf("left by %v", got)
	}
	in := packetIns(r.take("alice"))
	if len(in) != 1 || in[0].Reason != of10.ReasonNoMatch {
		t.Fatalf("alice got %v, want one miss", in)
	}
	if got := r.frame(1, pkt{nwSrc: 0x0b000001}.bytes()); len(got) != 0 || len(r.take("bob")) != 0 {
		t.Error("bob's own drop does not work")
	}
	r.add("alice", "dl_type=0x800,nw_src=10.1.0.0/16,priority=1 actions=output:2")
	if got := ports(r.frame(1, pkt{nwSrc: 0x0a010001}.bytes())); !cmp.Equal(got, []int{2}) {
		t.Errorf("alice's flow: left by %v, want 2", got)
	}
}

// Scenario 3: with ports as slices both may send frames with the same header.
func TestScenario3PortSlicesSend(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4", "100 in_port=2 alice=4", "90 in_port=3 bob=4", "90 in_port=4 bob=4")
	for _, c := range []struct {
		slice string
		in    of10.Port
		out   of10.Port
		ok    bool
	}{
		{"alice", 1, 2, true}, {"bob", 3, 4, true}, {"bob", of10.PortNone, 4, true}, {"alice", of10.PortNone, 1, true},
		{"bob", 1, 4, false}, {"bob", 3, 1, false},
	} {
		m := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: c.in, Actions: []of10.Action{of10.Output(c.out, 0)}, Data: pkt{}.bytes()}
		got := r.send(c.slice, m)
		left := r.takeSent()
		if c.ok && (len(got) != 0 || len(left) != 1 || left[0].port != c.out) || !c.ok && (len(got) != 1 || len(left) != 0) {
			t.Errorf("%+v: answered %v, left %v", c, got, left)
		}
	}
}

// Scenario 4: an untagged frame matches a rule for untagged frames, a tagged does not.
func TestScenario4Untagged(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 dl_vlan=0xffff alice=4", "50 dl_vlan=7 bob=4")
	r.frame(1, pkt{}.bytes())
	if len(packetIns(r.take("alice"))) != 1 || len(r.take("bob")) != 0 {
		t.Error("untagged frame did not go to alice alone")
	}
	r.frame(1, pkt{vlan: 7}.bytes())
	if len(packetIns(r.take("bob"))) != 1 || len(r.take("alice")) != 0 {
		t.Error("tagged frame did not go to bob alone")
	}
}

// Scenario 5: FLOOD goes to the slice's other ports, NO_FLOOD ones excepted.
func TestScenario5Flood(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1-3 alice=4", "100 in_port=4 bob=4")
	r.add("alice", "in_port=2 actions=flood")
	r.add("alice", "in_port=1 actions=all")
	f := pkt{}.bytes()
	if got := ports(r.frame(2, f)); !cmp.Equal(got, []int{1, 3}) {
		t.Errorf("flood left by %v", got)
	}
	mod := &of10.PortMod{PortNo: 3, HWAddr: [6]byte{2, 0, 0, 0, 0, 3}, Config: of10.PortConfigNoFlood, Mask: of10.PortConfigNoFlood}
	if got := r.send("alice", mod); len(got) != 0 {
		t.Fatalf("port_mod: %v", got)
	}
	if got := ports(r.frame(2, f)); !cmp.Equal(got, []int{1}) {
		t.Errorf("flood with NO_FLOOD left by %v", got)
	}
	if got := ports(r.frame(1, f)); !cmp.Equal(got, []int{2, 3}) {
		t.Errorf("all with NO_FLOOD left by %v", got)
	}
	features := r.send("alice", &of10.FeaturesRequest{})[0].(*of10.FeaturesReply)
	if len(features.Ports) != 3 || features.Ports[2].Config != of10.PortConfigNoFlood {
		t.Errorf("features: %+v", features.Ports)
	}
}

// Scenario 6: a flow in two own rules is one flow to its controller.
func TestScenario6OneFlowOverTwoRules(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4 name=a", "100 in_port=2 alice=4 name=b", "100 in_port=3 bob=4")
	r.frame(1, pkt{}.bytes())
	in := packetIns(r.take("alice"))
	if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
		t.Fatalf("miss: %v", in)
	}
	m, _ := of10.ParseFlow("dl_type=0x800,cookie=0x77,priority=9,idle_timeout=5 actions=output:2,output:1", of10.FlowAdd)
	m.BufferID, m.Flags = in[0].BufferID, of10.FlowModSendFlowRem
	if got := r.send("alice", m); len(got) != 0 {
		t.Fatalf("flow_mod: %v", got)
	}
	if got := ports(r.takeSent()); !cmp.Equal(got, []int{2}) {
		t.Errorf("the buffered frame left by %v, want 2", got)
	}
	r.pass(2 * time.Second)
	r.frame(2, pkt{}.bytes())
	stats := r.send("alice", &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: 0xff, OutPort: of10.PortNone}})
	if len(stats) != 1 {
		t.Fatalf("stats: %v", stats)
	}
	flows := stats[0].(*of10.StatsReply).Body.(of10.FlowStatsReply)
	if len(flows) != 1 || flows[0].PacketCount != 2 || flows[0].Cookie != 0x77 || flows[0].Priority != 9 || flows[0].DurationSec != 2 {
		t.Errorf("stats: %+v", flows)
	}
	r.pass(10 * time.Second)
	got := r.take("alice")
	if len(got) != 1 {
		t.Fatalf("after the idle timeout alice got %v, want one flow_removed", got)
	}
	fr := got[0].(*of10.FlowRemoved)
	if fr.Cookie != 0x77 || fr.Priority != 9 || fr.PacketCount != 2 || fr.Reason != of10.RemovedIdleTimeout || fr.Match != m.Match || fr.DurationSec != 7 {
		t.Errorf("flow_removed: %+v", fr)
	}
	if left := r.table(); len(left) != 0 {
		t.Errorf("left in the switch: %v", left)
	}
}

// Scenario 7: every stats request is answered with its own xid, an empty table with
// an empty reply, a large one in parts.
func TestScenario7Stats(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 in_port=1 alice=4", "100 in_port=2 bob=4")
	ask := func(slice string, xid uint32) []of10.Message {
		return r.send(slice, &of10.StatsRequest{XID: xid, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: 0xff, OutPort: of10.PortNone}})
	}
	for _, xid := range []uint32{7, 9} {
		got := ask("alice", xid)
		if len(got) != 1 || got[0].TransactionID() != xid {
			t.Errorf("empty table, xid %d: %v", xid, got)
		}
	}
	for i := range 700 {
		m := &of10.FlowMod{Match: of10.MatchAll(), Priority: uint16(i), BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(1, 0)}}
		if got := r.send("alice", m); len(got) != 0 {
			t.Fatal(got)
		}
	}
	r.add("bob", "actions=output:2")
	got := ask("alice", 11)
	n := 0
	for i, m := range got {
		s := m.(*of10.StatsReply)
		n += len(s.Body.(of10.FlowStatsReply))
		if more := s.Flags&of10.StatsReplyMore != 0; more != (i < len(got)-1) || s.XID != 11 {
			t.Errorf("part %d of %d: more %v xid %d", i, len(got), more, s.XID)
		}
	}
	if len(got) < 2 || n != 700 {
		t.Errorf("%d flows in %d parts", n, len(got))
	}
}

// Scenario 8: one of two slices on a rule away does not starve the other.
func TestScenario8OneSliceAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=4,bob=4")
	r.d.ControllerDown(r.now, "alice")
	for range 3 {
		r.frame(1, pkt{}.bytes())
	}
	if n := len(packetIns(r.take("bob"))); n != 3 {
		t.Errorf("bob got %d packet_ins, want 3", n)
	}
	r.d.ControllerDown(r.now, "bob")
	for range 3 {
		r.frame(1, pkt{}.bytes())
	}
	if n := r.d.Counters.Get(DropNoListener); n != 1 {
		t.Errorf("%d frames came up while nobody listened, want 1: the rest is dropped in the switch", n)
	}
	var out Out
	r.d.ControllerUp(r.now, "bob", &out)
	r.pump(&out)
	r.frame(1, pkt{}.bytes())
	if n := len(packetIns(r.take("bob"))); n != 1 {
		t.Errorf("after coming back bob got %d packet_ins, want 1", n)
	}
}

// Scenario 14: a rule that grants DELEGATE only delivers nothing and harms nobody.
func TestScenario14DelegateOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 in_port=1 alice=1", "10 any bob=4")
	r.add("bob", "actions=output:2")
	if got := r.frame(1, pkt{}.bytes()); len(got) != 0 {
		t.Errorf("left by %v", got)
	}
	if a, b := r.take("alice"), r.take("bob"); len(a) != 0 || len(b) != 0 {
		t.Errorf("alice got %v, bob got %v", a, b)
	}
	if r.d.Counters.Get(DropNoPermission) != 1 {
		t.Error("not counted")
	}
}

// Scenario 15: limits count flows, not messages.
func TestScenario15Limits(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4", "100 in_port=2 alice=4", "100 in_port=3 bob=4")
	q := &quota{limit: 3}
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: 2, Quota: q}, &out)
	for range 5 {
		r.add("alice", "priority=1 actions=output:1")
	}
	r.add("alice", "priority=2 actions=output:1")
	got := r.flow("alice", of10.FlowModify, "in_port=1,priority=3 actions=output:1")
	if len(got) != 1 || got[0].(*of10.Error).Code != of10.FlowModFailedAllTablesFull || q.used != 2 {
		t.Errorf("third flow: %v, %d used", got, q.used)
	}
	r.flow("alice", of10.FlowDelete, "actions=drop")
	if q.used != 0 {
		t.Errorf("after deleting all %d are counted", q.used)
	}
	r.take("alice")
	r.add("alice", "priority=3 actions=output:1")
	r.add("alice", "priority=4 actions=output:1")
}

type quota struct{ used, limit int64 }

func (q *quota) Reserve(n int64) bool {
	if q.used+n > q.limit {
		return false
	}
	q.used += n
	return true
}

func (q *quota) Count(n int64)   { q.used += n }
func (q *quota) Release(n int64) { q.used -= n }

// A flow that comes back because the switch refused what was to replace it counts,
// although the limit was lowered meanwhile.
func TestReplacedFlowCountsAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=4")
	q := &quota{limit: 1}
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: -1, Quota: q}, &out)
	r.add("alice", "in_port=1,priority=1 actions=output:2")
	q.limit = 0
	r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd && len(m.Actions) == 2 }
	r.flow("alice", of10.FlowAdd, "in_port=1,priority=1 actions=output:2,output:2")
	r.refuse = nil
	if n := r.d.FlowCount("alice"); n != 1 || q.used != 1 {
		t.Errorf("%d flows are there and %d are counted, want 1 and 1", n, q.used)
	}
	r.flow("alice", of10.FlowDelete, "actions=drop")
	if q.used != 0 {
		t.Errorf("after deleting all %d are counted", q.used)
	}
}

// With the policy "rule" everything that hits no flow in the rule is dropped in the
// switch while nobody listens, flows go on, and other rules are not touched.
func TestDropRuleWhileAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 dl_vlan=5 bob=4", "50 in_port=1 alice=4", "10 any carol=4")
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: -1, Drop: DropRule}, &out)
	r.add("alice", "dl_type=0x806 actions=in_port")
	r.d.ControllerDown(r.now, "alice")
	r.frame(1, pkt{src: 1}.bytes())
	r.frame(1, pkt{src: 2, dst: 7}.bytes())
	if n := r.d.Counters.Get(DropNoListener); n != 1 {
		t.Errorf("%d frames came up, want 1", n)
	}
	if got := ports(r.frame(1, pkt{typ: 0x806}.bytes())); !cmp.Equal(got, []int{1}) {
		t.Errorf("alice's flow: left by %v", got)
	}
	r.frame(1, pkt{vlan: 5}.bytes())
	r.frame(2, pkt{}.bytes())
	if b, c := r.take("bob"), r.take("carol"); len(b) != 1 || len(c) != 1 {
		t.Errorf("bob got %v, carol %v", b, c)
	}
	r.pass(2 * time.Second)
	r.frame(1, pkt{src: 1}.bytes())
	if n := r.d.Counters.Get(DropNoListener); n != 2 {
		t.Errorf("after a second %d frames came up, want 2", n)
	}
}

// On a shared rule the later of two identical flows is in force, and the earlier one
// comes back when it is deleted. Each slice sees only its own.
func TestSharedRule(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 any alice=4,bob=4")
	r.add("alice", "priority=5,dl_type=0x800 actions=output:2")
	r.add("bob", "priority=5,dl_type=0x800 actions=output:3")
	f := pkt{}.bytes()
	if got := ports(r.frame(1, f)); !cmp.Equal(got, []int{3}) {
		t.Errorf("bob's later flow: left by %v", got)
	}
	r.flow("bob", of10.FlowDelete, "actions=drop")
	r.take("bob")
	if got := ports(r.frame(1, f)); !cmp.Equal(got, []int{2}) {
		t.Errorf("alice's flow again: left by %v", got)
	}
	if s := r.flowStats("alice"); len(s) != 1 || s[0].PacketCount != 1 {
		t.Errorf("alice's flow: %+v", s)
	}
}

// Frames that govisor forwards itself on behalf of a flow count as that flow's, and
// keep it alive.
func TestForwardedByHandCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 any alice=4")
	r.add("alice", "idle_timeout=4 actions=output:2")
	foreign := append(lldpFrame(1), make([]byte, 24)...)
	for range 3 {
		r.pass(3 * time.Second)
		if got := ports(r.frame(1, foreign)); !cmp.Equal(got, []int{2}) {
			t.Errorf("left by %v", got)
		}
	}
	if s := r.flowStats("alice"); len(s) != 1 || s[0].PacketCount != 3 || s[0].ByteCount != uint64(3*len(foreign)) {
		t.Errorf("stats: %+v", s)
	}
	r.pass(4 * time.Second)
	got := r.take("alice")
	if len(got) != 1 || got[0].(*of10.FlowRemoved).PacketCount != 3 || got[0].(*of10.FlowRemoved).DurationSec != 13 {
		t.Errorf("alice got %v", got)
	}
}

// A piece that idles out while its flow lives on elsewhere is no miss: the next frame
// there is forwarded, counted, and brings the piece back.
func TestIdlePieceOfLivingFlow(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1 alice=4", "100 in_port=2 alice=4", "90 in_port=3 bob=4")
	r.add("alice", "idle_timeout=3,priority=5 actions=output:1,output:2")
	for range 4 {
		r.pass(2 * time.Second)
		r.frame(2, pkt{}.bytes())
	}
	if got := ports(r.frame(1, pkt{}.bytes())); !cmp.Equal(got, []int{2}) {
		t.Errorf("by hand: left by %v", got)
	}
	if got := ports(r.frame(1, pkt{}.bytes())); !cmp.Equal(got, []int{2}) {
		t.Errorf("by the piece again: left by %v", got)
	}
	if s := r.flowStats("alice"); len(s) != 1 || s[0].PacketCount != 6 || s[0].ByteCount != 6*60 {
		t.Errorf("stats: %+v", s)
	}
	r.pass(5 * time.Second)
	if got := r.take("alice"); len(got) != 1 || got[0].(*of10.FlowRemoved).PacketCount != 6 {
		t.Errorf("alice got %v, want one flow_removed of 6 packets", got)
	}
}
