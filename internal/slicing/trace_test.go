package slicing

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

func TestTracePacket(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=6,bob=2 name=high", "10 any bob=4 name=low", "5 in_port=4 alice=1 name=deleg")
	r.add("bob", "priority=7 actions=output:3")
	r.add("alice", "dl_type=0x800,priority=5 actions=flood")
	check := func(in of10.Port, p pkt, owner, kind, verdict string, outs ...of10.Port) {
		t.Helper()
		before := r.table()
		tr := r.d.TracePacket(in, p.bytes())
		if diff := cmp.Diff(before, r.table()); diff != "" {
			t.Errorf("tracing changed something:\n%s", diff)
		}
		if tr.Owner == nil || tr.Owner.Name != owner || !strings.Contains(tr.Verdict, verdict) {
			t.Errorf("port %d: owner %v verdict %q, want %s, %q", in, tr.Owner, tr.Verdict, owner, verdict)
		}
		if tr.Physical == nil && kind != "" || tr.Physical != nil && tr.Physical.Kind != kind {
			t.Errorf("port %d: physical %+v, want %s", in, tr.Physical, kind)
		}
		var got []of10.Port
		for _, o := range tr.Outputs {
			got = append(got, o.Port)
		}
		if !cmp.Equal(got, outs) {
			t.Errorf("port %d: outputs %v, want %v", in, got, outs)
		}
		var left []of10.Port
		for _, f := range r.frame(in, p.bytes()) {
			left = append(left, f.port)
		}
		if len(left) != len(outs) {
			t.Errorf("port %d: really left by %v, traced %v", in, left, outs)
		}
	}
	check(2, pkt{}, "low", "piece", "hits a flow of slice bob", 3)
	check(1, pkt{typ: 0x806}, "high", "guard", "table miss")
	check(1, pkt{}, "high", "piece", "hits a flow of slice alice")
	tr := r.d.TracePacket(1, pkt{}.bytes())
	if len(tr.Rules) != 2 || len(tr.Slices) != 2 || tr.Slices[0].Hit == nil || tr.Slices[0].Hit.Priority != 5 || tr.Slices[1].Hit != nil {
		t.Errorf("trace: %+v", tr)
	}
	probe := r.d.markLLDP(r.d.slices["alice"], lldpFrame(1))
	if tr := r.d.TracePacket(1, probe); tr.Probe != "alice" {
		t.Errorf("probe: %+v", tr)
	}
	empty := newRig(t, 2, "10 in_port=1 bob=4")
	if tr := empty.d.TraceHeader(packet.Header{InPort: 2}); tr.Owner != nil || !strings.Contains(tr.Verdict, "no rule") {
		t.Errorf("without owner: %+v", tr)
	}
}

func TestTraceFlowMod(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=4 name=high", "10 any bob=4 name=low", "5 in_port=3 alice=4 name=hidden")
	parse := func(text string) *of10.FlowMod {
		m, err := of10.ParseFlow(text, of10.FlowAdd)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := parse("priority=7 actions=output:3")
	tr := r.d.TraceFlowMod(r.now, "bob", m)
	if tr.Refused != nil || len(tr.Pieces) != 1 || len(tr.Guards) != 4 || !tr.Pieces[0].New || len(tr.Rules) != 3 {
		t.Errorf("bob's match-all: %+v", tr)
	}
	if got := r.table(); len(got) != 0 {
		t.Errorf("tracing installed %v", got)
	}
	r.send("bob", m)
	m.XID = 0
	tr = r.d.TraceFlowMod(r.now, "bob", m)
	var want []string
	for _, p := range append(tr.Pieces, tr.Guards...) {
		acts := p.Actions
		if acts == nil {
			acts = toController
		}
		want = append(want, entryLine(p.Match, p.Priority, acts))
	}
	if diff := cmp.Diff(set(want), set(r.table())); diff != "" {
		t.Errorf("the trace is not what is installed:\n%s", diff)
	}
	for _, c := range []struct{ slice, text, why string }{
		{"alice", "in_port=2 actions=output:1", "no rule grants"},
		{"alice", "in_port=1 actions=output:2", "an action is not allowed"},
		{"nobody", "actions=drop", "not on this datapath"},
	} {
		if tr := r.d.TraceFlowMod(r.now, c.slice, parse(c.text)); !strings.Contains(tr.Because, c.why) || len(tr.Pieces) != 0 {
			t.Errorf("%+v: %+v", c, tr)
		}
	}
	del := parse("actions=drop")
	del.Command = of10.FlowDelete
	if tr := r.d.TraceFlowMod(r.now, "bob", del); len(tr.Selects) != 1 || tr.Selects[0].Priority != 7 {
		t.Errorf("delete: %+v", tr)
	}
	if n := len(r.d.PhysicalFlows()); n != len(r.table()) {
		t.Errorf("PhysicalFlows has %d", n)
	}
	if f := r.d.VirtualFlows("bob"); len(f) != 1 || f[0].Pieces != 1 {
		t.Errorf("VirtualFlows: %+v", f)
	}
}
