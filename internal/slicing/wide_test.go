package slicing

import (
	"fmt"
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// wideSpaces are flowspaces of many rules and a flow_mod of alice over all of them.
func wideSpaces(n int) map[string][]string {
	spaces := map[string][]string{"disjoint, every other hers": benchRules(n)}
	var under, among, own, ranges []string
	under = append(under, "1 any alice=7")
	for i := range n {
		dst := fmt.Sprintf("dl_type=0x800,nw_dst=10.%d.%d.0/24", i>>8, i&255)
		under = append(under, fmt.Sprintf("100 %s bob=7", dst))
		own = append(own, fmt.Sprintf("100 %s alice=7", dst))
		if i%16 == 0 {
			among = append(among, fmt.Sprintf("50 dl_type=0x800,nw_src=10.%d.%d.0/24 alice=7", i>>8, i&255))
		} else {
			among = append(among, fmt.Sprintf("%d %s bob=7", 100+i%7, dst))
		}
		ranges = append(ranges, fmt.Sprintf("%d dl_type=0x800,nw_proto=17,nw_dst=10.%d.%d.0/24,tp_dst=1000-2%03d %s=7", 100+i%7, i>>8, i&255, i%999, []string{"alice", "bob"}[i%2]))
	}
	spaces["all of bob's above hers"] = under
	spaces["all hers"] = own
	spaces["one in 16 hers, under bob's"] = among
	spaces["ranges"] = ranges
	return spaces
}

// BenchmarkWideFlowMod is what one flow_mod of a slice can cost when the flowspace has
// 10,000 rules.
func BenchmarkWideFlowMod10k(b *testing.B) {
	for name, rules := range wideSpaces(10000) {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, 4, rules...)
			frame := encode(b, flowMod(b, "ip actions=output:2"))
			var out Out
			pieces := 0
			r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out) // meets the rules for the first time
			b.ReportAllocs()
			stop := cpuTime(b)
			for b.Loop() {
				out.Reset()
				r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out)
				r.d.passed(r.now, r.d.xid, &out)
				pieces = len(out.Switch()) / 80
			}
			stop()
			b.ReportMetric(float64(pieces), "messages")
		})
	}
}

// BenchmarkManyFlows deletes, modifies and asks for 10,000 flows of a slice at once.
func BenchmarkManyFlows(b *testing.B) {
	const n = 10000
	r := newRig(b, 4, benchRules(1000)...)
	var out Out
	fill := func() {
		for i := range n {
			out.Reset()
			m := flowMod(b, fmt.Sprintf("priority=7,udp,dl_src=02:00:00:00:%02x:%02x,nw_dst=10.0.%d.1 actions=output:2", i>>8, i&255, i%100*2))
			r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(b, m), &out)
		}
		r.d.passed(r.now, r.d.xid, &out)
	}
	all := func(cmd of10.FlowModCommand, text string) []byte {
		m := flowMod(b, text)
		m.Command = cmd
		return encode(b, m)
	}
	fill()
	b.Run("modify", func(b *testing.B) {
		b.ReportAllocs()
		stop := cpuTime(b)
		k := 0
		for b.Loop() {
			out.Reset()
			r.d.FromController(r.now, "alice", Conn{ID: 1}, all(of10.FlowModify, fmt.Sprintf("actions=output:%d", 1+k%3)), &out)
			r.d.passed(r.now, r.d.xid, &out)
			k++
		}
		stop()
	})
	b.Run("delete", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			fill()
			if got := r.d.slices["alice"].table.Len(); got != n {
				b.Fatalf("%d flows", got)
			}
			stop := cpuTime(b)
			b.StartTimer()
			out.Reset()
			r.d.FromController(r.now, "alice", Conn{ID: 1}, all(of10.FlowDelete, "actions=drop"), &out)
			stop() // of one round, since b.N is not known yet
		}
	})
}
