package slicing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// flowStats asks for all flows of a slice.
func (r *rig) flowStats(slice string) of10.FlowStatsReply {
	r.t.Helper()
	got := r.send(slice, &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}})
	if len(got) != 1 {
		r.t.Fatalf("flow stats: %v", got)
	}
	return got[0].(*of10.StatsReply).Body.(of10.FlowStatsReply)
}

// A flow_mod of which the switch refuses one piece is taken back whole.
func TestRefusedPieceTakesTheRestBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4", "100 in_port=2 alice=4", "100 in_port=3 bob=4")
	r.add("bob", "priority=7 actions=output:3")
	r.add("alice", "priority=5,cookie=1 actions=output:1")
	before := r.table()
	refused := 0
	once := func(cmd of10.FlowModCommand) func(*of10.FlowMod) bool {
		refused = 0
		return func(m *of10.FlowMod) bool {
			if m.Command != cmd || m.Match.InPort != 2 || refused > 0 {
				return false
			}
			refused++
			return true
		}
	}
	r.refuse = once(of10.FlowAdd)
	got := r.flow("alice", of10.FlowAdd, "priority=9 actions=output:1")
	if len(got) != 1 {
		t.Fatalf("answers: %v, want one error", got)
	}
	e, ok := got[0].(*of10.Error)
	if !ok || e.ErrType != of10.ErrorFlowModFailed || e.Code != of10.FlowModFailedAllTablesFull || e.XID != r.xid || of10.XID(e.Data) != r.xid || of10.FlowModPriority(e.Data) != 9 {
		t.Errorf("error: %+v", got[0])
	}
	if diff := cmp.Diff(before, r.table()); diff != "" {
		t.Errorf("the switch's table changed:\n%s", diff)
	}
	if got := r.flowStats("alice"); len(got) != 1 || got[0].Cookie != 1 {
		t.Errorf("virtual table: %+v", got)
	}
	// An ADD that replaces a flow gives the replaced one back, a MODIFY the old actions.
	r.refuse = once(of10.FlowAdd)
	got = r.flow("alice", of10.FlowAdd, "priority=5,cookie=2 actions=output:2")
	if len(got) != 1 {
		t.Fatalf("replacing: %v", got)
	}
	r.refuse = once(of10.FlowModifyStrict)
	got = r.flow("alice", of10.FlowModify, "cookie=3 actions=output:2,in_port")
	if len(got) != 1 {
		t.Fatalf("modifying: %v", got)
	}
	r.refuse = nil
	r.pass(3 * time.Second)
	flows := r.flowStats("alice")
	if len(flows) != 1 || flows[0].Cookie != 1 || len(flows[0].Actions) != 1 {
		t.Errorf("virtual table: %+v", flows)
	}
	if diff := cmp.Diff(before, r.table(), cmp.Transformer("set", func(l []string) map[string]bool {
		m := map[string]bool{}
		for _, s := range l {
			m[s] = true
		}
		return m
	})); diff != "" {
		t.Errorf("the switch's table changed:\n%s", diff)
	}
	if got := r.take("bob"); len(got) != 0 {
		t.Errorf("bob noticed: %v", got)
	}
}

// A guard that the switch refuses outside of any flow_mod takes the flows with it
// that it would have kept out.
func TestRefusedGuardClosesTheSpace(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "10 any bob=4")
	r.add("bob", "priority=7 actions=output:3")
	r.refuse = func(m *of10.FlowMod) bool { return m.Match.Wildcards&of10.WildInPort == 0 && m.Command == of10.FlowAdd }
	add := parseRules(t, "100 in_port=1 alice=4")
	r.respace(add...)
	if got := r.frame(1, pkt{}.bytes()); len(got) != 0 {
		t.Errorf("alice's frame left by %v", got)
	}
	got := r.take("bob")
	if len(got) != 1 || got[0].(*of10.FlowRemoved).Reason != of10.RemovedDelete {
		t.Errorf("bob got %v, want a flow_removed", got)
	}
}

// Errors come back with the slice's own bytes, also for packet_outs.
func TestErrorsOfTheSwitch(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=4")
	r.frame(1, pkt{}.bytes())
	in := packetIns(r.take("alice"))
	if len(in) != 1 {
		t.Fatal(in)
	}
	po := &of10.PacketOut{BufferID: in[0].BufferID, InPort: 1, Actions: []of10.Action{of10.Output(2, 0)}}
	if got := r.send("alice", po); len(got) != 0 {
		t.Fatalf("first use: %v", got)
	}
	po.XID = 0
	got := r.send("alice", po)
	if len(got) != 1 || got[0].(*of10.Error).Code != of10.BadRequestBufferEmpty {
		t.Errorf("second use: %v", got)
	}
	po.XID, po.BufferID = 0, 4711
	got = r.send("alice", po)
	if len(got) != 1 || got[0].(*of10.Error).Code != of10.BadRequestBufferUnknown {
		t.Errorf("unknown buffer: %v", got)
	}
	// What the switch says of a message nobody sent goes nowhere.
	var out Out
	r.d.FromSwitch(r.now, encode(t, &of10.Error{XID: 99, ErrType: of10.ErrorBadRequest}), &out)
	if out.Len() != 0 || r.d.Counters.Get(DropUnknownXID) != 1 {
		t.Error("an error nobody waits for was delivered")
	}
}

// After a reconnect the switch's table is compared: what is missing is added,
// strangers go, counters stay.
func TestAdopt(t *testing.T) {
	t.Parallel()
	for _, policy := range []Policy{Adopt, Flush} {
		r := newRig(t, 4, "100 in_port=1 alice=4", "100 in_port=2,dl_vlan=4 alice=4", "10 any bob=4")
		r.add("alice", "priority=3 actions=output:2")
		r.add("bob", "priority=3 actions=output:4")
		r.frame(1, pkt{}.bytes())
		want := r.table()
		var po ofswitch.Out
		for _, text := range []string{"in_port=1,priority=9 actions=output:4", "priority=77 actions=drop"} {
			m, _ := of10.ParseFlow(text, of10.FlowAdd)
			r.phys.HandleMessage(r.now, 1, encode(t, m), &po)
		}
		m, _ := of10.ParseFlow("in_port=1", of10.FlowDelete)
		m.Cookie = 1
		m.OutPort = 2
		r.phys.HandleMessage(r.now, 1, encode(t, m), &po)
		var out Out
		r.d.Connect(r.now, r.features(), policy, &out)
		r.pump(&out)
		if diff := cmp.Diff(set(want), set(r.table())); diff != "" || !r.d.Ready() {
			t.Errorf("policy %d: table after reconnect:\n%s", policy, diff)
		}
		if got := ports(r.frame(1, pkt{}.bytes())); !cmp.Equal(got, []int{2}) {
			t.Errorf("policy %d: left by %v", policy, got)
		}
	}
}

// After a restart saved flows are recognised in the switch instead of sent again.
func TestRestore(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4", "100 in_port=2,dl_vlan=4 alice=4", "10 any bob=4")
	r.add("alice", "priority=3,cookie=5 actions=output:2")
	r.add("bob", "priority=3 actions=flood")
	r.frame(1, pkt{}.bytes())
	want := r.table()
	saved := r.d.AppendSaved(r.d.AppendSaved(nil, "alice"), "bob")
	r.now = r.now.Add(5 * time.Second)
	r.d = New(Config{DPID: testDPID, Features: r.features(), View: r.fs.View(testDPID)})
	var out Out
	for _, s := range []string{"alice", "bob"} {
		r.d.SetSlice(r.now, SliceConfig{Name: s, MaxFlows: -1}, &out)
		r.d.ControllerUp(r.now, s, &out)
	}
	r.d.Restore(r.now, saved)
	out.Reset()
	r.log = nil
	r.d.Connect(r.now, r.features(), Adopt, &out)
	r.pump(&out)
	for _, l := range r.log {
		if len(l) > 13 && l[:13] == "OFPT_FLOW_MOD" && !strings.Contains(l, " emerg ") {
			t.Errorf("sent again: %s", l)
		}
	}
	if diff := cmp.Diff(want, r.table()); diff != "" {
		t.Errorf("table:\n%s", diff)
	}
	if f := r.flowStats("alice"); len(f) != 1 || f[0].PacketCount != 1 || f[0].DurationSec != 5 || f[0].Cookie != 5 {
		t.Errorf("stats: %+v", f)
	}
	r.add("alice", "priority=4 actions=in_port")
	if len(r.table()) != len(want)+2 {
		t.Errorf("a new flow got a cookie in use: %v", r.table())
	}
	r.flow("alice", of10.FlowDelete, "actions=drop")
	if got := r.take("alice"); len(got) != 0 {
		t.Log(got)
	}
}

// A slice that is removed takes its flows along, and nobody else's.
func TestRemoveSlice(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4", "100 in_port=2,dl_vlan=4 alice=4", "10 any bob=4")
	r.add("alice", "priority=3 actions=output:2")
	r.add("bob", "priority=3 actions=output:4")
	var out Out
	r.d.RemoveSlice(r.now, "alice", &out)
	r.pump(&out)
	if got := ports(r.frame(1, pkt{}.bytes())); len(got) != 0 {
		t.Errorf("alice's frame left by %v", got)
	}
	if got := ports(r.frame(3, pkt{}.bytes())); !cmp.Equal(got, []int{4}) {
		t.Errorf("bob's frame left by %v", got)
	}
	if got := r.send("alice", &of10.EchoRequest{}); len(got) != 0 {
		t.Errorf("a removed slice got %v", got)
	}
	r.respace(flowspace.Change{Op: flowspace.Remove, Rule: r.fs.View(testDPID).Rules()[0]})
	if got := ports(r.frame(1, pkt{}.bytes())); !cmp.Equal(got, []int{4}) {
		t.Errorf("without alice's rule her port is bob's: left by %v", got)
	}
}

// What a slice's last packet_out made the switch send up is nobody's when the slice
// has gone, also when it has come back under the same name.
func TestRemoveSliceWithFramesOnTheirWay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"controller:65535", "output:table"} {
		r := newRig(t, 4, "100 in_port=1-2 alice=4,bob=2", "10 any bob=4")
		r.frame(1, pkt{}.bytes())
		in := packetIns(r.take("alice"))
		if len(in) != 1 {
			t.Fatalf("alice got %v", in)
		}
		r.take("bob")
		var out Out
		po := &of10.PacketOut{BufferID: in[0].BufferID, InPort: of10.PortNone, Actions: flowMod(t, "actions="+text).Actions}
		r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, po), &out)
		r.d.RemoveSlice(r.now, "alice", &out)
		r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: -1}, &out)
		r.d.ControllerUp(r.now, "alice", &out)
		r.pump(&out)
		if got := append(r.take("alice"), r.take("bob")...); len(got) != 0 {
			t.Errorf("%s: controllers got %v", text, got)
		}
		r.pass(2 * time.Second)
		if n := len(r.d.punts); n != 0 {
			t.Errorf("%s: %d frames are waited for", text, n)
		}
	}
}

// The xids that the session keeps for its own questions are never the core's.
func TestReservedXIDs(t *testing.T) {
	t.Parallel()
	d := newRig(t, 1, "10 any alice=7").d
	for _, at := range []uint32{ReservedXIDs - 3, ReservedXIDs - 1, 0xfffffffd} {
		d.xid = at
		for range 5 {
			if xid := d.nextXID(); xid == 0 || xid&ReservedXIDMask == ReservedXIDs {
				t.Errorf("behind %#x came %#x", at, xid)
			}
		}
	}
}

func set(list []string) map[string]int {
	m := map[string]int{}
	for _, s := range list {
		m[s]++
	}
	return m
}

// What idled out and which ports came while the switch was away is seen after a
// reconnect.
func TestReconnectAfterAbsence(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 any alice=4")
	r.add("alice", "idle_timeout=3,priority=2,in_port=1 actions=output:2")
	r.add("alice", "priority=1 actions=flood")
	r.now = r.now.Add(10 * time.Second)
	r.phys.Disconnect(1)
	var po ofswitch.Out
	r.phys.Tick(r.now, &po)
	extra := of10.PhyPort{PortNo: 4, HWAddr: [6]byte{2, 0, 0, 0, 0, 4}, Name: "p4"}
	if err := r.phys.AddPort(r.now, extra, nil, &po); err != nil {
		t.Fatal(err)
	}
	r.phys.Connect(1, ofswitch.Primary)
	var out Out
	r.d.Connect(r.now, r.features(), Adopt, &out)
	r.pump(&out)
	got := r.take("alice")
	if len(got) != 1 || got[0].(*of10.FlowRemoved).Reason != of10.RemovedIdleTimeout {
		t.Errorf("alice got %v, want the flow_removed of the idle flow", got)
	}
	if got := ports(r.frame(1, pkt{}.bytes())); !cmp.Equal(got, []int{2, 3, 4}) {
		t.Errorf("flood left by %v", got)
	}
	if got := r.flowStats("alice"); len(got) != 1 {
		t.Errorf("flows: %+v", got)
	}
}

// Open vSwitch puts a vendor's error in front of the bytes of the message; without it
// nobody can tell which error it is.
func TestErrorOfAVendor(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "1 in_port=1 alice=7", "2 in_port=2 alice=7")
	which := []byte{0, 0, 0x23, 0x20, 0, 1, 2, 2}
	for _, m := range []of10.Message{
		&of10.PacketOut{XID: 77, BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{of10.Output(2, 0)}, Data: pkt{}.bytes()},
		flowMod(t, "actions=output:2"),
	} {
		own := encode(t, m)
		var out Out
		r.d.FromController(r.now, "alice", Conn{ID: 1}, own, &out)
		theirs := out.Switch()
		theirs = theirs[:int(theirs[2])<<8|int(theirs[3])]
		vendor := encode(t, &of10.Error{XID: of10.XID(theirs), ErrType: of10.ErrorVendor, Data: slices.Concat(which, theirs)})
		out = Out{}
		r.d.FromSwitch(r.now, vendor, &out)
		if out.Len() != 1 {
			t.Fatalf("%v: %d answers, want 1", m.Type(), out.Len())
		}
		want := encode(t, &of10.Error{XID: of10.XID(own), ErrType: of10.ErrorVendor, Data: slices.Concat(which, own)})
		if d := cmp.Diff(want, out.At(0).Frame); d != "" {
			t.Errorf("%v: -want +got\n%s", m.Type(), d)
		}
	}
}

// A port the switch does not have is no port, whatever the rules reach.
func TestQueuesOfNoPort(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "1 any alice=7")
	r.wantError("alice", &of10.StatsRequest{StatsType: of10.StatsQueue, Body: of10.QueueStatsRequest{PortNo: 9, QueueID: 1}}, of10.ErrorQueueOpFailed, of10.QueueOpFailedBadPort)
	r.wantError("alice", &of10.StatsRequest{StatsType: of10.StatsQueue, Body: of10.QueueStatsRequest{PortNo: 2, QueueID: 1}}, of10.ErrorQueueOpFailed, of10.QueueOpFailedBadQueue)
}

// exactPoint is a match without wildcards.
const exactPoint = "in_port=1,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,dl_vlan=65535,dl_vlan_pcp=0,dl_type=0x800,nw_tos=0,nw_proto=6,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_src=7,tp_dst=8"

// A guard that a refused flow was to replace stays a guard.
func TestRefusedFlowInThePlaceOfAGuard(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 "+exactPoint+" bob=7", "50 in_port=3 bob=7", "10 any alice=7")
	r.add("alice", "priority=5 actions=output:2")
	before := r.table()
	refused := 0
	r.refuse = func(m *of10.FlowMod) bool {
		if m.Command != of10.FlowAdd || refused > 0 {
			return false
		}
		refused++
		return true
	}
	if got := r.flow("bob", of10.FlowAdd, exactPoint+",priority=9 actions=output:3"); len(got) != 1 || refused != 1 {
		t.Fatalf("%d flow_mods were refused, answers: %v", refused, got)
	}
	if diff := cmp.Diff(before, r.table()); diff != "" {
		t.Errorf("the switch's table changed (-before +after):\n%s", diff)
	}
}

// A flow that is replaced is forgotten, also if the message that replaces it has to be sent
// twice because the switch does not know its buffer.
func TestReplacedWithABufferThatTheSwitchDoesNotKnow(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1-2 alice=7")
	r.add("alice", "in_port=1,priority=5 actions=controller:65535")
	before := r.d.cookies.n
	for range 5 {
		r.add("alice", "in_port=1,priority=5 actions=controller:65535")
		r.frame(1, pkt{}.bytes())
		in := packetIns(r.take("alice"))
		if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
			t.Fatalf("alice got %v", in)
		}
		m := flowMod(t, "in_port=1,priority=5 actions=output:2")
		m.BufferID = in[0].BufferID
		r.onWay = &onWay{}
		r.send("alice", m)
		first := r.onWay.down[0]
		r.onWay.down = r.onWay.down[1:]
		r.queue = append(r.queue, encode(t, of10.NewError(of10.ErrorBadRequest, of10.BadRequestBufferUnknown, first)))
		r.quiet()
		if got := r.take("alice"); len(got) != 1 {
			t.Fatalf("answers %v, want one of an unknown buffer", got)
		}
		r.onWay = nil
	}
	r.send("alice", &of10.BarrierRequest{})
	if n := r.d.cookies.n; n != before {
		t.Errorf("%d entries are known, want %d", n, before)
	}
}

// Of a flow that is back because its successor was refused, and whose end in the switch
// had been told by then, the end is told when all its counters are in.
func TestCountersOfAFlowThatCameBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1-2 alice=7")
	r.add("alice", "in_port=1,priority=5,idle_timeout=5 actions=output:2")
	r.onWay = &onWay{}
	f := vflowOf(r.d.slices["alice"].table.Flows()[0])
	cookie := r.d.entries()[len(r.d.entries())-1].cookie
	r.add("alice", "in_port=1,priority=5 actions=output:1")
	refused := r.onWay.down[0]
	r.onWay.down = nil
	removed := &of10.FlowRemoved{Match: f.flow.Match, Cookie: cookie, Priority: 5, Reason: of10.RemovedIdleTimeout, IdleTimeout: 5}
	var out Out
	r.d.FromSwitch(r.now, encode(t, removed), &out)
	r.d.FromSwitch(r.now, encode(t, of10.NewError(of10.ErrorFlowModFailed, of10.FlowModFailedAllTablesFull, refused)), &out)
	r.pump(&out)
	if f.ended || f.waiting != 0 {
		t.Errorf("the flow waits for the counters of %d entries, ended %v", f.waiting, f.ended)
	}
}

// Of two flow_mods on their way that replace a flow, one after the other, and are both
// refused, nothing is left.
func TestRefusedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1-2 alice=7")
	r.add("alice", "in_port=1,priority=5,cookie=1 actions=output:2")
	before := r.table()
	r.onWay = &onWay{}
	r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd }
	r.add("alice", "in_port=1,priority=5,cookie=2,idle_timeout=7 actions=output:1")
	r.add("alice", "in_port=1,priority=5,cookie=3,idle_timeout=9 actions=output:1,output:2")
	r.quiet()
	if got := r.take("alice"); len(got) != 2 {
		t.Errorf("answers %v, want two errors", got)
	}
	r.onWay, r.refuse = nil, nil
	if got := r.flowStats("alice"); len(got) != 1 || got[0].Cookie != 1 || got[0].IdleTimeout != 0 {
		t.Errorf("virtual table: %+v", got)
	}
	if diff := cmp.Diff(before, r.table()); diff != "" {
		t.Errorf("the switch's table changed (-before +after):\n%s", diff)
	}
}

// A flow whose first entry was refused when it had been taken out already ends like others.
func TestEndOfAFlowThatWasRefusedLate(t *testing.T) {
	t.Parallel()
	const flow = "in_port=1,priority=5 actions=output:2"
	r := crossed(t, "10 any alice=7,bob=7")
	refused := false
	r.refuse = func(m *of10.FlowMod) bool {
		was := refused
		refused = refused || m.Command == of10.FlowAdd && m.Priority != maxNumber
		return refused && !was
	}
	r.add("alice", flow)
	r.flow("alice", of10.FlowModifyStrict, flow)
	r.add("bob", flow)
	r.quiet()
	r.flow("bob", of10.FlowDeleteStrict, flow)
	r.quiet()
	if n := vflowOf(r.d.slices["alice"].table.Flows()[0]).live; !refused || n != 1 {
		t.Fatalf("refused %v, %d entries", refused, n)
	}
	r.take("alice")
	r.flow("alice", of10.FlowDeleteStrict, flow)
	r.quiet()
	if got := r.take("alice"); len(got) != 1 {
		t.Errorf("alice got %v, want a flow_removed", got)
	}
}

// Nobody hears of the end of a flow that was refused.
func TestRefusedAndDeleted(t *testing.T) {
	t.Parallel()
	r := crossed(t, "10 any alice=7")
	r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd && m.Priority != maxNumber }
	r.add("alice", "in_port=1,priority=5 actions=output:2")
	r.flow("alice", of10.FlowDelete, "in_port=1")
	r.quiet()
	got := append(r.take("alice"), r.send("alice", &of10.BarrierRequest{})...)
	r.quiet()
	if got = append(got, r.take("alice")...); len(got) != 2 {
		t.Errorf("alice got %v, want an error and the answer to a barrier", got)
	}
}
