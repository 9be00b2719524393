package slicing

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// scaleRig is one datapath with sixteen slices of 1,000 rules in all; install puts n
// flows of each slice in, and the switch takes them.
func scaleRig(b *testing.B, slices int) *rig {
	var rules []string
	for i := range 1000 {
		rules = append(rules, fmt.Sprintf("100 in_port=%d,dl_type=0x800,nw_dst=10.%d.%d.0/24 s%d=7", i%slices+1, i/slices>>8, i/slices&255, i%slices))
	}
	return newRigOver(b, testPorts(slices), space(b, rules...), 0)
}

func scaleFrames(b *testing.B, slice, slices, n int) [][]byte {
	var frames [][]byte
	for i := range n {
		frames = append(frames, exactFlow(b, slice+1, i, 1000/slices))
	}
	return frames
}

func installAll(r *rig, slice int, frames [][]byte) {
	var out Out
	var po ofswitch.Out
	for _, f := range frames {
		out.Reset()
		r.d.FromController(r.now, fmt.Sprintf("s%d", slice), Conn{ID: 1}, f, &out)
		for msgs := out.Switch(); len(msgs) > 0; {
			n := int(binary.BigEndian.Uint16(msgs[2:]))
			po.Reset()
			r.phys.HandleMessage(r.now, 1, msgs[:n], &po)
			msgs = msgs[n:]
		}
		r.d.passed(r.now, r.d.xid, &out)
	}
}

func heapInUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkInstall16x10k is the scale asked for: 10,000 virtual flows in each of sixteen slices
// on one datapath, without the switch's own cost.
func BenchmarkInstall16x10k(b *testing.B) {
	const slices, n = 16, 10000
	var frames [slices][][]byte
	for s := range frames {
		frames[s] = scaleFrames(b, s, slices, n)
	}
	var grown float64
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r := scaleRig(b, slices)
		before := heapInUse()
		b.StartTimer()
		stop := cpuTime(b) // of one round, since b.N is not known yet
		var out Out
		for k := range n {
			for s := range frames {
				out.Reset()
				r.d.FromController(r.now, fmt.Sprintf("s%d", s), Conn{ID: 1}, frames[s][k], &out)
				r.d.passed(r.now, r.d.xid, &out)
			}
		}
		stop()
		b.StopTimer()
		grown = heapInUse() - before
		runtime.KeepAlive(r)
		b.StartTimer()
	}
	b.ReportMetric(grown/slices/n, "B/flow")
}

// BenchmarkFlowStats10k is one slice asking for its 10,000 flows: the core's part, with
// the answer of the switch.
func BenchmarkFlowStats10k(b *testing.B) {
	const slices, n = 16, 10000
	r := scaleRig(b, slices)
	installAll(r, 3, scaleFrames(b, 3, slices, n))
	req := encode(b, &of10.StatsRequest{XID: 9, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}})
	var out Out
	var answer [][]byte
	ask := func() {
		out.Reset()
		r.d.FromController(r.now, "s3", Conn{ID: 1}, req, &out)
	}
	var po ofswitch.Out
	ask()
	xid := of10.XID(out.Switch())
	r.phys.HandleMessage(r.now, 1, out.Switch(), &po)
	for _, m := range po.Messages {
		answer = append(answer, append([]byte(nil), m.Data...))
	}
	if len(answer) < 10 || of10.XID(answer[0]) != xid {
		b.Fatalf("the switch answers %d parts", len(answer))
	}
	r.d.answered(xid)
	b.ReportAllocs()
	stop := cpuTime(b)
	entries := 0
	for b.Loop() {
		ask()
		xid := of10.XID(out.Switch())
		entries = 0
		for _, m := range answer {
			of10.PutXID(m, xid)
			r.d.FromSwitch(r.now, m, &out)
		}
		for i := range out.Len() {
			m, err := of10.Parse(out.At(i).Frame)
			if err != nil {
				b.Fatal(err)
			}
			entries += len(m.(*of10.StatsReply).Body.(of10.FlowStatsReply))
		}
	}
	stop()
	if entries != n {
		b.Errorf("%d entries, want %d", entries, n)
	}
}
