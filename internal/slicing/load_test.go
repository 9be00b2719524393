package slicing

import (
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/govisor/govisor/ofwire/of10"
)

// cpuTime starts to count the processor time of the process; the returned function
// reports it. Other work on the machine does not spoil it.
func cpuTime(b *testing.B) func() {
	used := func() float64 {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric((used()-before)/float64(max(b.N, 1)), "cpu-ns/op") }
}

// exactFlow is the flow_mod of a learning switch for flow n of a slice that owns a
// port, as `govisor bench respond` sends it.
func exactFlow(t testing.TB, port, n, nets int) []byte {
	m := flowMod(t, fmt.Sprintf("priority=100,idle_timeout=60,udp,in_port=%d,dl_vlan=0xffff,dl_vlan_pcp=0,dl_src=02:00:00:00:%02x:%02x,dl_dst=02:ff:00:00:00:01,nw_src=10.255.0.1,nw_dst=10.%d.%d.1,nw_tos=0,tp_src=4000,tp_dst=4001 actions=in_port",
		port, n>>8&255, n&255, n%nets>>8, n%nets&255))
	m.Cookie = uint64(n)
	return encode(t, m)
}

// BenchmarkFlowModLoad is the load of `govisor bench compare`: sixteen datapaths,
// 1,000 rules, 1,024 flows on each that are put in again and again, sixteen messages of
// a slice at a time, and a switch that confirms late.
func BenchmarkFlowModLoad(b *testing.B) {
	for _, slices := range []int{1, 16} {
		b.Run(fmt.Sprintf("slices=%d", slices), func(b *testing.B) { benchFlowModLoad(b, slices) })
	}
}

func benchFlowModLoad(b *testing.B, slices int) {
	const datapaths, rules, flows, batch = 16, 1000, 1024, 16
	nets := rules / slices
	var lines []string
	for i := range rules {
		n := i / slices
		lines = append(lines, fmt.Sprintf("100 in_port=%d,dl_type=0x800,nw_dst=10.%d.%d.0/24 s%d=7", i%slices+1, n>>8, n&255, i%slices))
	}
	fs := space(b, lines...)
	var dps []*rig
	for range datapaths {
		dps = append(dps, newRigOver(b, testPorts(max(slices, 4)), fs, 0))
	}
	frames, names := make([][]byte, flows), make([]string, slices)
	for i := range frames {
		frames[i] = exactFlow(b, i%slices+1, i/slices, nets)
	}
	for i := range names {
		names[i] = fmt.Sprintf("s%d", i)
	}
	// What the switch has not confirmed yet are the packet_ins outstanding: 64 a slice.
	late := make([][]uint32, datapaths)
	var out Out
	one := func(n int) {
		d, turn := n/batch%datapaths, n/batch/datapaths
		slice := turn % slices
		flow := (turn/slices*batch + n%batch) % (flows / slices)
		r := dps[d]
		out.Reset()
		r.d.FromController(r.now, names[slice], Conn{ID: 1}, frames[flow*slices+slice], &out)
		b := out.Switch()
		if len(b) > 80 && b[len(b)-7] == byte(of10.TypeBarrierRequest) {
			late[d] = append(late[d], binary.BigEndian.Uint32(b[len(b)-4:]))
		}
		if n%batch == 0 && len(late[d]) > 1+64*slices/confirmEvery {
			r.d.FromSwitch(r.now, encodeBarrierReply(late[d][0]), &out)
			late[d] = late[d][1:]
		}
	}
	for n := range 4 * flows * datapaths {
		one(n)
	}
	b.ReportAllocs()
	b.ResetTimer()
	stop := cpuTime(b)
	for n := range b.N {
		one(n)
	}
	b.StopTimer()
	stop()
	if n := len(dps[0].d.slices["s0"].table.Flows()); n != flows/slices {
		b.Errorf("%d flows in a slice, want %d", n, flows/slices)
	}
}

func encodeBarrierReply(xid uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{1, byte(of10.TypeBarrierReply), 0, 8}, xid)
}
