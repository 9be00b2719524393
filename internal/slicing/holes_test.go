package slicing

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// The holes found by reading FlowVisor (reference/field-survey.md 5.2), each closed.

// wantError sends a message and checks that the answer is one error with the
// request's xid and bytes, and that nothing reaches the switch.
func (r *rig) wantError(slice string, m of10.Message, typ of10.ErrorType, code uint16) {
	r.t.Helper()
	r.log = nil
	got := r.send(slice, m)
	if len(got) != 1 {
		r.t.Errorf("%T: answers %v, want one error", m, got)
		return
	}
	e, ok := got[0].(*of10.Error)
	if !ok || e.ErrType != typ || e.Code != code || e.XID != m.TransactionID() || !bytes.Equal(e.Data, encode(r.t, m)) {
		r.t.Errorf("%T: got %v, want %s", m, got[0], of10.ErrorName(typ, code))
	}
	for _, l := range r.log {
		if !strings.Contains(l, "BARRIER") {
			r.t.Errorf("%T: reached the switch: %s", m, l)
		}
	}
}

func flowMod(t testing.TB, text string) *of10.FlowMod {
	t.Helper()
	m, err := of10.ParseFlow(text, of10.FlowAdd)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// Hole 1: vendor messages, vendor actions and unknown output ports pass.
func TestHole01VendorAndUnknownPorts(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 any alice=7")
	r.wantError("alice", &of10.Vendor{Vendor: of10.VendorNicira, Data: []byte{0, 0, 0, 13, 0, 0, 0, 0}}, of10.ErrorBadRequest, of10.BadRequestBadVendor)
	r.wantError("alice", &of10.StatsRequest{StatsType: of10.StatsVendor, Body: of10.VendorStats{Vendor: of10.VendorNicira}}, of10.ErrorBadRequest, of10.BadRequestBadVendor)
	m := flowMod(t, "actions=drop")
	m.Actions = []of10.Action{of10.VendorAction(of10.VendorNicira, []byte{0, 1, 0, 2, 0, 0, 0, 3})}
	r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionBadVendor)
	for _, p := range []of10.Port{0xff01, 0xfff7, of10.PortNone, of10.PortTable, of10.PortNormal} {
		m.XID, m.Actions = 0, []of10.Action{of10.Output(p, 0)}
		r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionBadOutPort)
	}
	role := []byte{0, 0, 0, 10, 0, 0, 0, 1}
	got := r.send("alice", &of10.Vendor{Vendor: of10.VendorNicira, Data: role})
	if v, ok := got[0].(*of10.Vendor); !ok || !bytes.Equal(v.Data, []byte{0, 0, 0, 11, 0, 0, 0, 1}) {
		t.Errorf("role request: %v", got)
	}
	var out Out
	r.d.FromSwitch(r.now, encode(t, &of10.Vendor{Vendor: 1}), &out)
	if out.Len() != 0 {
		t.Error("a vendor message of the switch was delivered")
	}
}

// Hole 2: link discovery frames skip every check, and a host can forge a slice's.
func TestHole02LLDP(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1-2 alice=4", "100 in_port=3-4 bob=4")
	out := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Data: lldpFrame(1), Actions: []of10.Action{of10.Output(3, 0)}}
	r.wantError("alice", out, of10.ErrorBadAction, of10.BadActionBadOutPort)
	out.XID, out.InPort, out.Actions = 0, 3, []of10.Action{of10.Output(1, 0)}
	r.wantError("alice", out, of10.ErrorBadAction, of10.BadActionEPerm)
	out.XID, out.InPort = 0, of10.PortNone
	if got := r.send("alice", out); len(got) != 0 {
		t.Fatal(got)
	}
	sent := r.takeSent()
	if len(sent) != 1 {
		t.Fatal(sent)
	}
	probe := []byte(sent[0].data)
	if bytes.Contains(out.Data, []byte("alice")) || !bytes.Contains(probe, []byte("alice")) {
		t.Error("the probe has no mark")
	}
	r.frame(2, probe)
	if in := packetIns(r.take("alice")); len(in) != 1 || !bytes.Equal(in[0].Data, out.Data) {
		t.Errorf("the probe came back as %v", in)
	}
	r.frame(3, probe)
	if a, b := r.take("alice"), r.take("bob"); len(a)+len(b) != 0 {
		t.Errorf("alice's probe on bob's port: alice %v, bob %v", a, b)
	}
	for i := 14; i < len(probe); i++ {
		forged := bytes.Clone(probe)
		forged[i] ^= 1
		r.frame(2, forged)
		in := packetIns(r.take("alice"))
		if len(in) != 1 || bytes.Equal(in[0].Data, out.Data) {
			t.Fatalf("a probe with byte %d changed was taken for alice's own: %v", i, in)
		}
	}
	foreign := lldpFrame(9)
	for len(foreign) < 60 {
		foreign = append(foreign, 0)
	}
	r.frame(4, foreign)
	if in := packetIns(r.take("bob")); len(in) != 1 || !bytes.Equal(in[0].Data, foreign) {
		t.Errorf("a foreign frame came as %v", in)
	}
}

// Scenario 9 of appendix C: foreign LLDP reaches slices that opted in, unmodified.
func TestScenario9ForeignLLDP(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 dl_vlan=5 alice=4", "100 dl_vlan=6 bob=4")
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "bob", MaxFlows: -1, ReceiveLLDP: true}, &out)
	foreign := append(lldpFrame(1), make([]byte, 24)...)
	r.frame(1, foreign)
	if in := packetIns(r.take("bob")); len(in) != 1 || !bytes.Equal(in[0].Data, foreign) {
		t.Errorf("bob got %v", in)
	}
	if got := r.take("alice"); len(got) != 0 {
		t.Errorf("alice, who did not opt in, got %v", got)
	}
}

// Hole 3: rewriting is checked action by action and blind for priorities.
func TestHole03Rewriting(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 dl_vlan=20,dl_type=0x800 bob=4", "50 dl_vlan=10 alice=4", "50 dl_vlan=20 alice=4", "50 dl_vlan=30 alice=2", "10 dl_vlan=0xffff,dl_dst=00:00:00:00:00:07 alice=4")
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"dl_vlan=10 actions=mod_vlan_vid:10,output:1", true},
		{"dl_vlan=10 actions=mod_vlan_vid:20,output:1", false}, // bob's IPv4
		{"dl_vlan=10,dl_type=0x806 actions=mod_vlan_vid:20,output:1", true},
		{"dl_vlan=10 actions=mod_vlan_vid:30,output:1", false},                                  // only to read
		{"dl_vlan=10 actions=strip_vlan,output:1", false},                                       // another destination
		{"dl_vlan=10 actions=mod_dl_dst:00:00:00:00:00:07,strip_vlan,output:1", true},           // together it fits
		{"dl_vlan=10 actions=mod_dl_dst:00:00:00:00:00:07,output:1,strip_vlan,output:2", true},  // at every output
		{"dl_vlan=10 actions=strip_vlan,output:1,mod_dl_dst:00:00:00:00:00:07,output:2", false}, // not at the first
		{"dl_vlan=10 actions=mod_vlan_vid:99,mod_vlan_vid:10,output:1", true},                   // and back again
		{"dl_vlan=10 actions=mod_vlan_vid:99", true},                                            // never leaves
		{"dl_vlan=10 actions=mod_vlan_vid:99,controller:60", true},                              // only to its own controller
		{"actions=mod_nw_src:1.2.3.4,output:1", true},                                           // inside its VLANs
		{"dl_vlan=20 actions=mod_dl_src:00:00:00:00:00:01,output:1", true},                      // what bob does not own
	} {
		got := r.flow("alice", of10.FlowAdd, "priority=1,"+c.text)
		refused := len(got) == 1 && got[0].Type() == of10.TypeError && got[0].(*of10.Error).ErrType == of10.ErrorBadAction && got[0].(*of10.Error).Code == of10.BadActionEPerm
		if refused == c.ok || c.ok && len(got) != 0 {
			t.Errorf("%s: %v", c.text, got)
		}
	}
	// Frames with two tags are looked at one by one.
	r.add("alice", "priority=9,dl_vlan=10 actions=mod_dl_dst:00:00:00:00:00:07,strip_vlan,output:1")
	double := pkt{vlan: 10, typ: 0x8100, payload: []byte{0, 20, 8, 0}}.bytes()
	if got := r.frame(2, double); len(got) != 0 {
		t.Errorf("a frame came out of its tag as bob's: %v", got)
	}
}

// Hole 4: OFPP_TABLE with somebody else's in_port.
func TestHole04Table(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4", "100 in_port=2 bob=4")
	r.add("bob", "actions=in_port")
	m := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 2, Data: pkt{}.bytes(), Actions: []of10.Action{of10.Output(of10.PortTable, 0)}}
	r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
	for _, in := range []of10.Port{of10.PortNone, of10.PortController, 0xfff0} {
		m.XID, m.InPort = 0, in
		if got := packetIns(r.send("alice", m)); len(got) != 1 || got[0].Reason != of10.ReasonNoMatch || got[0].InPort != in {
			t.Errorf("in_port %d: %v", in, got)
		}
		if got := r.takeSent(); len(got) != 0 {
			t.Errorf("in_port %d: left by %v", in, got)
		}
	}
	if got := r.take("bob"); len(got) != 0 {
		t.Errorf("bob noticed: %v", got)
	}
}

// Hole 5 is TestScenario15Limits: DELETE does not give back what was not there, and
// MODIFY that adds is counted.

// Hole 6: fragment handling of one slice is everybody's.
func TestHole06Config(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 in_port=1 alice=4", "100 in_port=2 bob=4")
	r.send("alice", &of10.SetConfig{Flags: of10.FragDrop, MissSendLen: 77})
	for slice, want := range map[string]of10.GetConfigReply{"alice": {Flags: of10.FragDrop, MissSendLen: 77}, "bob": {MissSendLen: 128}} {
		got := r.send(slice, &of10.GetConfigRequest{XID: 5})[0].(*of10.GetConfigReply)
		want.XID = 5
		if *got != want {
			t.Errorf("%s: %+v, want %+v", slice, *got, want)
		}
	}
	frag := pkt{}.bytes()
	frag[20], frag[21] = 0x20, 0 // more fragments
	r.frame(2, frag)
	r.frame(1, frag)
	if len(r.take("bob")) != 1 || len(r.take("alice")) != 0 {
		t.Error("fragments did not go to bob alone")
	}
}

// Hole 7 is TestScenario5Flood: FLOOD never leaves the slice.

// Hole 8: flags other than SEND_FLOW_REM are lost without error.
func TestHole08Flags(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 in_port=1 alice=4", "100 in_port=2 bob=4")
	r.add("alice", "priority=5,dl_type=0x800 actions=drop")
	m := flowMod(t, "priority=5,dl_vlan=7 actions=drop")
	m.Flags = of10.FlowModCheckOverlap
	r.wantError("alice", m, of10.ErrorFlowModFailed, of10.FlowModFailedOverlap)
	if got := r.send("bob", flowMod(t, "priority=5,dl_vlan=7,check_overlap actions=drop")); len(got) != 0 {
		t.Errorf("bob's flow overlaps only with alice's: %v", got)
	}
	m = flowMod(t, "idle_timeout=5 actions=drop")
	m.Flags = of10.FlowModEmerg
	r.wantError("alice", m, of10.ErrorFlowModFailed, of10.FlowModFailedBadEmergTimeout)
	m.XID, m.IdleTimeout = 0, 0
	if got := r.send("alice", m); len(got) != 0 {
		t.Errorf("emergency flow: %v", got)
	}
	m.XID, m.Command = 0, of10.FlowModCommand(9)
	r.wantError("alice", m, of10.ErrorFlowModFailed, of10.FlowModFailedBadCommand)
}

// Hole 9 is TestScenario2LowerRankCannotStarve: what protects another slice's space
// carries no actions of the intruder.

// Hole 10, as far as it concerns the core: an unknown type costs one message.
func TestHole10UnknownTypes(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=4")
	for typ := range 256 {
		frame := []byte{1, byte(typ), 0, 8, 0, 0, 0, 9}
		var out Out
		r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out)
		r.pump(&out)
		r.d.FromSwitch(r.now, frame, &out)
		r.pump(&out)
		for _, m := range r.take("alice") {
			if e, ok := m.(*of10.Error); ok && (e.XID != 9 || typ < 22 && e.Code == of10.BadRequestBadType && !switchOnly(of10.Type(typ))) {
				t.Errorf("type %d: %v", typ, e)
			}
		}
	}
	r.add("alice", "actions=output:2")
	if got := ports(r.frame(1, pkt{}.bytes())); !cmp.Equal(got, []int{2}) {
		t.Errorf("afterwards: left by %v", got)
	}
}

func switchOnly(t of10.Type) bool {
	switch t {
	case of10.TypeError, of10.TypeFeaturesReply, of10.TypeGetConfigReply, of10.TypePacketIn, of10.TypeFlowRemoved, of10.TypePortStatus,
		of10.TypeStatsReply, of10.TypeBarrierReply, of10.TypeQueueGetConfigReply:
		return true
	}
	return false
}

// Read-only controllers may ask and not change.
func TestReadOnlyController(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=4")
	for _, m := range []of10.Message{flowMod(t, "actions=output:2"), &of10.PacketOut{BufferID: of10.NoBuffer, Data: pkt{}.bytes()}, &of10.PortMod{}, &of10.SetConfig{}} {
		m.SetTransactionID(3)
		var out Out
		r.d.FromController(r.now, "alice", Conn{ID: 2, ReadOnly: true}, encode(t, m), &out)
		if out.Len() != 1 || out.At(0).Conn != 2 || len(out.Switch()) != 0 {
			t.Errorf("%T: %d answers", m, out.Len())
		}
	}
	var out Out
	r.d.FromController(r.now, "alice", Conn{ID: 2, ReadOnly: true}, encode(t, &of10.FeaturesRequest{}), &out)
	if out.Len() != 1 || of10.PeekType(out.At(0).Frame) != of10.TypeFeaturesReply {
		t.Error("features request not answered")
	}
}

// A slave may ask, and set what is its own. Roles that there are not are refused.
func TestSlaveController(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=4")
	from := Conn{ID: 1, Slave: true}
	for _, c := range []struct {
		m  of10.Message
		ok bool
	}{
		{flowMod(t, "actions=output:2"), false},
		{&of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Data: pkt{}.bytes()}, false},
		{&of10.PortMod{PortNo: 1, HWAddr: [6]byte{2, 0, 0, 0, 0, 1}}, false},
		{&of10.SetConfig{MissSendLen: 9}, true},
		{&of10.Vendor{Vendor: of10.VendorNicira, Data: []byte{0, 0, 0, 10, 0, 0, 0, 1}}, true},
	} {
		c.m.SetTransactionID(3)
		var out Out
		r.d.FromController(r.now, "alice", from, encode(t, c.m), &out)
		refused := out.Len() == 1 && of10.PeekType(out.At(0).Frame) == of10.TypeError && of10.ErrorCodeOf(out.At(0).Frame) == of10.BadRequestEPerm
		if refused == c.ok {
			t.Errorf("%T: refused %v", c.m, refused)
		}
	}
	r.wantError("alice", &of10.Vendor{Vendor: of10.VendorNicira, Data: []byte{0, 0, 0, 10, 0, 0, 0, 3}}, of10.ErrorBadRequest, of10.BadRequestBadVendor)
}

// A slice in strict mode hears of what would have to be rewritten.
func TestStrict(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1-2 alice=4", "10 in_port=3 bob=4")
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: -1, Strict: true}, &out)
	r.wantError("alice", flowMod(t, "actions=output:1"), of10.ErrorFlowModFailed, of10.FlowModFailedEPerm)
	r.wantError("alice", flowMod(t, "in_port=1 actions=flood"), of10.ErrorBadAction, of10.BadActionEPerm)
	r.add("alice", "in_port=1 actions=output:2")
	for _, command := range []of10.FlowModCommand{of10.FlowAdd, of10.FlowModify} {
		m := flowMod(t, "in_port=1 actions=flood")
		m.Command = command
		r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
	}
	r.add("alice", "in_port=1 actions=output:2")
}

// A flow_mod that would need too many physical flows is refused, with a reason.
func TestExpansionLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 dl_vlan=1-2000 bob=4 name=wide", "10 any alice=4")
	var events []Event
	r.d.cfg.Report = func(e Event) { events = append(events, e) }
	r.wantError("alice", flowMod(t, "actions=output:1"), of10.ErrorFlowModFailed, of10.FlowModFailedAllTablesFull)
	if len(events) != 1 || !strings.Contains(events[0].What, "wide") && !strings.Contains(events[0].Err.Error(), "wide") && !strings.Contains(events[0].What, "rule") {
		t.Errorf("reported %v", events)
	}
	r.add("alice", "dl_vlan=2001 actions=output:1")
}

// A flow that lies in several of the slice's rules with nobody else around stays one.
func TestMerged(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 dl_vlan=5,in_port=1 alice=4", "100 dl_vlan=5 alice=4")
	r.add("alice", "dl_vlan=5,priority=9 actions=output:2")
	n := 0
	for _, l := range r.table() {
		if strings.Contains(l, "prio=9 ") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d pieces: %v", n, r.table())
	}
}

// ENQUEUE needs a granted queue; a forced queue takes every output.
func TestQueues(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1-2 alice=4 queue=2", "100 in_port=3 bob=4 force=1")
	r.add("alice", "in_port=1 actions=enqueue:2:2")
	r.wantError("alice", flowMod(t, "in_port=1 actions=enqueue:2:1"), of10.ErrorBadAction, of10.BadActionBadQueue)
	r.wantError("alice", flowMod(t, "in_port=1 actions=enqueue:3:2"), of10.ErrorBadAction, of10.BadActionBadOutPort)
	r.add("bob", "dl_vlan=1 actions=output:3,in_port")
	reply := r.send("alice", &of10.QueueGetConfigRequest{Port: 2})[0].(*of10.QueueGetConfigReply)
	if len(reply.Queues) != 1 || reply.Queues[0].QueueID != 2 {
		t.Errorf("queues: %+v", reply.Queues)
	}
	r.wantError("alice", &of10.QueueGetConfigRequest{Port: 3}, of10.ErrorQueueOpFailed, of10.QueueOpFailedBadPort)
	stats := r.send("alice", &of10.StatsRequest{StatsType: of10.StatsQueue, Body: of10.QueueStatsRequest{PortNo: of10.PortAll, QueueID: of10.QueueAll}})
	if b := stats[0].(*of10.StatsReply).Body.(of10.QueueStatsReply); len(b) != 2 {
		t.Errorf("queue stats: %+v", b)
	}
	stats = r.send("alice", &of10.StatsRequest{StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: of10.PortNone}})
	if b := stats[0].(*of10.StatsReply).Body.(of10.PortStatsReply); len(b) != 2 {
		t.Errorf("port stats: %+v", b)
	}
	desc := r.send("alice", &of10.StatsRequest{XID: 99, StatsType: of10.StatsDesc})
	if len(desc) != 1 || desc[0].TransactionID() != 99 {
		t.Errorf("desc: %v", desc)
	}
}

// A barrier is answered only when everything before it is done.
func TestBarrier(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=4")
	var out Out
	r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, flowMod(t, "actions=output:2")), &out)
	r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, &of10.BarrierRequest{XID: 8}), &out)
	if out.Len() != 0 {
		t.Fatal("answered at once")
	}
	r.pump(&out)
	if got := r.take("alice"); len(got) != 1 || got[0].Type() != of10.TypeBarrierReply || got[0].TransactionID() != 8 {
		t.Errorf("got %v", got)
	}
	r.pass(5 * time.Second)
	if r.d.pending.n != 0 {
		t.Errorf("%d messages still pending", r.d.pending.n)
	}
}
