package slicing

import (
	"fmt"
	"strings"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// A flow that is replaced or modified time and again keeps nothing of its past.
func TestReplacedFlowsAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1-2 alice=7")
	for n := range 4 {
		r.add("alice", "priority=5 actions=output:1")
		if n%2 == 0 {
			r.flow("alice", of10.FlowModify, "actions=output:2")
		}
		r.send("alice", &of10.BarrierRequest{})
	}
	if len(r.d.spareTxns) == 0 || r.d.pending.n > 0 {
		t.Errorf("%d flow_mods are done with, %d messages not confirmed", len(r.d.spareTxns), r.d.pending.n)
	}
	for _, x := range r.d.spareTxns {
		if x.added != nil || x.replaced != nil || len(x.modified) > 0 {
			t.Error("a confirmed flow can still be undone, and what it replaced is held on to")
		}
	}
}

// Lists of actions that are short for the slice may be long for the switch. Nothing
// is accepted that cannot be passed on, read back, or checked in a moment.
func TestActionsWithoutEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, 48, "100 in_port=1-40 alice=7", "50 dl_src=00:00:00:00:00:01 alice=7", "10 any bob=7")
	repeat := func(n int, a ...of10.Action) (list []of10.Action) {
		for range n {
			list = append(list, a...)
		}
		return list
	}
	lists := map[string][]of10.Action{
		"floods":      repeat(8000, of10.Output(of10.PortFlood, 0)),
		"too long":    repeat(8180, of10.Output(1, 0)),
		"controllers": repeat(2000, of10.Output(of10.PortController, 0xffff)),
	}
	for name, list := range lists {
		m := flowMod(t, "actions=drop")
		m.Actions = list
		r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionTooMany)
		if name == "too long" {
			continue
		}
		po := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: list[:min(len(list), 8000)], Data: pkt{}.bytes()}
		r.wantError("alice", po, of10.ErrorBadAction, of10.BadActionTooMany)
	}
	// A MODIFY of many flows is as heavy as all of them.
	for n := range 200 {
		r.add("alice", fmt.Sprintf("in_port=1,dl_vlan=%d actions=output:1", n))
	}
	m := flowMod(t, "actions=drop")
	m.Command, m.Actions = of10.FlowModify, repeat(1500, of10.Output(1, 0))
	if got := r.send("alice", m); len(got) != 0 {
		t.Fatal(got)
	}
	m = flowMod(t, "actions=drop")
	m.Command, m.Actions = of10.FlowModify, repeat(4000, of10.Output(1, 0), of10.Output(2, 0))[:4000]
	for n := range 200 {
		r.flow("alice", of10.FlowAdd, fmt.Sprintf("in_port=2,dl_vlan=%d actions=output:1", n))
	}
	r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionTooMany)
}

// Whether rewritten frames stay in the slice's space is not looked into for ever.
func TestRewritingWithoutEnd(t *testing.T) {
	t.Parallel()
	var rules []string
	for n := range 6 {
		rules = append(rules, fmt.Sprintf("200 tcp,nw_dst=10.0.%d.0/24,tp_dst=%d bob=7", n, n+1))
	}
	r := newRig(t, 4, append(rules, "100 any alice=7")...)
	m := flowMod(t, "tcp actions=drop")
	for n := range 1000 {
		m.Actions = append(m.Actions, of10.Action{Type: of10.ActionSetDLSrc, DLAddr: [6]byte{byte(n)}}, of10.Output(1, 0))
	}
	r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionTooMany)
	many := flowMod(t, "actions=drop")
	for n := range 5000 {
		many.Actions = append(many.Actions, of10.Action{Type: of10.ActionSetTPSrc + of10.ActionType(n%2), TPPort: uint16(n)})
	}
	many.Actions = append(many.Actions, of10.Output(1, 0))
	if got := r.send("alice", many); len(got) != 0 {
		t.Errorf("many ports set before one output: %v", got)
	}
	m.Actions, m.XID = m.Actions[:20], 0
	if got := r.send("alice", m); len(got) != 0 {
		t.Errorf("a short list: %v", got)
	}
}

// Emergency flows follow the flowspace like others, count against the slice's limit,
// and are refused once, however many pieces they have.
func TestEmergencyFlowsStayInTheSpace(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1 alice=7", "100 in_port=2 alice=7", "50 in_port=3 bob=7")
	emerg := func(cmd of10.FlowModCommand, text string) []of10.Message {
		m := flowMod(t, text)
		m.Flags, m.Command = of10.FlowModEmerg, cmd
		return r.send("alice", m)
	}
	r.refuse = func(m *of10.FlowMod) bool { return m.Flags&of10.FlowModEmerg != 0 }
	if got := emerg(of10.FlowAdd, "actions=output:2"); len(got) != 1 {
		t.Errorf("refused by the switch: %v, want one error", got)
	}
	r.refuse = nil
	for _, text := range []string{"actions=output:1,output:2", "in_port=2 actions=output:1"} {
		if got := emerg(of10.FlowAdd, text); len(got) != 0 {
			t.Fatal(got)
		}
	}
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: 2}, &out)
	r.pump(&out)
	if got := emerg(of10.FlowAdd, "in_port=1 actions=output:2"); len(got) != 1 || got[0].(*of10.Error).Code != of10.FlowModFailedAllTablesFull {
		t.Errorf("beyond the limit: %v", got)
	}
	// Port 2 becomes bob's.
	var id uint64
	for _, rule := range r.fs.View(testDPID).Rules() {
		if rule.Match.InPort.Has(2) {
			id = rule.ID
		}
	}
	r.respace(append([]flowspace.Change{{Op: flowspace.Remove, Rule: &flowspace.Rule{ID: id}}}, parseRules(t, "100 in_port=2 bob=7")...)...)
	if n := r.d.slices["alice"].table.EmergencyLen(); n != 1 {
		t.Errorf("%d emergency flows left, want 1", n)
	}
	for _, policy := range []Policy{Adopt, Flush} {
		out.Reset()
		r.d.Connect(r.now, r.features(), policy, &out)
		r.pump(&out)
		if n, m := r.d.slices["alice"].table.EmergencyLen(), len(r.d.slices["alice"].emerg); n != 1 || m != 1 {
			t.Errorf("after a reconnect: %d emergency flows, %d of them in the switch; want 1", n, m)
		}
	}
	var po ofswitch.Out
	r.phys.EnterEmergency(r.now, &po)
	for in := of10.Port(1); in <= 3; in++ {
		if got := r.frame(in, pkt{}.bytes()); len(got) != 0 {
			t.Errorf("in an emergency a frame of port %d left by %v", in, got)
		}
	}
}

// A forced queue cannot be got round by way of IN_PORT, and a packet_out whose
// in_port is no port sends nothing back to it.
func TestInPortTricks(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 any alice=7 force=2")
	r.add("alice", "in_port=1 actions=in_port")
	if got := fmt.Sprint(r.table()); !strings.Contains(got, "in_port=1 prio=32768 actions=[enqueue:IN_PORT:2]") {
		t.Errorf("table: %v, want the forced queue", got)
	}
	for _, in := range []of10.Port{of10.PortInPort, of10.PortFlood, of10.PortAll, of10.PortController, of10.PortNormal, of10.PortTable, of10.PortNone} {
		r.log = nil
		r.send("alice", &of10.PacketOut{BufferID: of10.NoBuffer, InPort: in, Data: pkt{}.bytes(), Actions: []of10.Action{of10.Output(of10.PortInPort, 0)}})
		for _, l := range r.log {
			if !strings.Contains(l, "BARRIER") {
				t.Errorf("in_port %v: %s", in, l)
			}
		}
	}
}
