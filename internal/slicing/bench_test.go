package slicing

import (
	"fmt"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire/of10"
)

// benchRules are n rules of two slices, disjoint by destination.
func benchRules(n int) []string {
	var rules []string
	for i := range n {
		rules = append(rules, fmt.Sprintf("100 dl_type=0x800,nw_dst=10.%d.%d.0/24 %s=7", i>>8, i&255, []string{"alice", "bob"}[i%2]))
	}
	return rules
}

func missFrame(t testing.TB) []byte {
	return encode(t, &of10.PacketIn{BufferID: 7, TotalLen: 60, InPort: 1, Data: pkt{}.bytes()})
}

func TestFastPacketInAllocatesNothing(t *testing.T) {
	r := newRig(t, 4, benchRules(1000)...)
	frame := missFrame(t)
	var out Out
	if n := testing.AllocsPerRun(1000, func() {
		out.Reset()
		if !r.d.FastPacketIn(frame, &out) || out.Len() != 1 {
			t.Fatal("not taken")
		}
	}); n != 0 {
		t.Errorf("%v allocations per packet_in", n)
	}
}

func BenchmarkFastPacketIn(b *testing.B) {
	r := newRig(b, 4, benchRules(1000)...)
	frame := missFrame(b)
	var out Out
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		r.d.FastPacketIn(frame, &out)
	}
}

// BenchmarkFlowMod is a learning switch's flow_mod per packet: exact, then deleted by
// a later one every 1000.
func BenchmarkFlowMod(b *testing.B) {
	r := newRig(b, 4, benchRules(1000)...)
	m, err := of10.ParseFlow("tcp,in_port=1,dl_vlan=0xffff,dl_vlan_pcp=0,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.99,nw_tos=0,tp_src=1,tp_dst=2,idle_timeout=60 actions=output:2", of10.FlowAdd)
	if err != nil {
		b.Fatal(err)
	}
	var out Out
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		m.Match.TPSrc, m.Match.TPDst = uint16(n%50000), uint16(n%50000)
		n++
		frame := encode(b, m)
		out.Reset()
		r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out)
		if n%256 == 0 {
			r.d.passed(r.now, r.d.xid, &out)
		}
	}
}

// BenchmarkWildFlowMod replaces flows that lie in many rules of both slices.
func BenchmarkWildFlowMod(b *testing.B) {
	r := newRig(b, 4, benchRules(100)...)
	m, err := of10.ParseFlow("ip,in_port=1 actions=output:2", of10.FlowAdd)
	if err != nil {
		b.Fatal(err)
	}
	var out Out
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		m.Priority = uint16(n % 16)
		n++
		frame := encode(b, m)
		out.Reset()
		r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out)
		if n%8 == 0 {
			r.d.passed(r.now, r.d.xid, &out)
		}
	}
}

// BenchmarkSetView adds and removes one of 10,000 rules while 1,000 flows are in.
func BenchmarkSetView(b *testing.B) {
	r := newRig(b, 4, benchRules(10000)...)
	for i := range 1000 {
		r.add([]string{"alice", "bob"}[i%2], fmt.Sprintf("dl_type=0x800,nw_dst=10.%d.%d.7,priority=%d actions=output:2", i>>8, i&255, i%8))
	}
	with, _, err := r.fs.Apply(parseRules(b, "200 dl_type=0x800,nw_dst=10.0.0.0/26 bob=7"))
	if err != nil {
		b.Fatal(err)
	}
	views := []*flowspace.View{with.View(testDPID), r.fs.View(testDPID)}
	var out Out
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		r.d.SetView(r.now, views[n%2], &out)
		r.d.passed(r.now, r.d.xid, &out)
		n++
	}
}

// A slice cannot use up the switch's priorities.
func TestGreedySlice(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=7", "10 any bob=7")
	r.d.scarce = 1000
	m := flowMod(t, "dl_vlan=1 actions=drop")
	var out Out
	refused := 0
	for n := range 1500 {
		m.XID, m.Priority = uint32(n+1), uint16(n)
		out.Reset()
		r.d.FromController(r.now, "bob", Conn{ID: 1}, encode(t, m), &out)
		refused += out.Len()
		if n%128 == 0 {
			r.d.passed(r.now, r.d.xid, &out)
		}
	}
	if refused < 490 || refused > 510 {
		t.Errorf("bob was refused %d of 1500 priorities, want the last third", refused)
	}
	for n := range 100 {
		m.XID, m.Priority = uint32(n+1), uint16(n*7)
		m.Match = flowMod(t, "in_port=1 actions=drop").Match
		out.Reset()
		r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, m), &out)
		if out.Len() != 0 {
			t.Fatalf("alice was refused flow %d", n)
		}
	}
}
