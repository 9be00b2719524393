package hypervisor_test

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// BenchmarkIsolation measures how long a slice's barrier takes, one at a time, while
// another slice on the same switch does nothing, floods flow_mods, or does not read.
func BenchmarkIsolation(b *testing.B) {
	for _, neighbour := range []string{"quiet", "floods", "deaf"} {
		b.Run(neighbour, func(b *testing.B) { benchmarkIsolation(b, neighbour) })
	}
}

func benchmarkIsolation(b *testing.B, neighbour string) {
	svc, err := hypervisor.Open(b.Context(), hypervisor.Options{Dir: b.TempDir(), AdminPassword: "correct horse"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	controllers := map[string]net.Listener{}
	for _, name := range []string{"a", "b"} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		controllers[name] = ln
		spec := hypervisor.SliceSpec{Name: name}
		spec.Controllers = []string{"tcp:" + ln.Addr().String()}
		contact := "ops@example.org"
		spec.Contact = &contact
		if _, err := svc.CreateSlice(ctx, hypervisor.Local(), spec); err != nil {
			b.Fatal(err)
		}
		m, err := flowspace.ParseMatch(map[string]string{"a": "in_port=1", "b": "in_port=2"}[name])
		if err != nil {
			b.Fatal(err)
		}
		rule := &flowspace.Rule{Name: name, DPIDs: flowspace.AllDPIDs(), Priority: 100, Match: m, Grants: []flowspace.Grant{{Slice: name, Perm: 7}}}
		if _, err := svc.ChangeRules(ctx, hypervisor.Local(), []hypervisor.RuleChange{{Op: flowspace.Add, Rule: rule}}, false); err != nil {
			b.Fatal(err)
		}
	}
	far, near := loopback(b)
	go answerAll(far)
	sw := svc.NewSwitches(hypervisor.SwitchOptions{})
	go func() { defer close(ended); _ = sw.ServeConn(ctx, near) }()
	defer func() { cancel(); _ = far.Close(); <-ended; _ = svc.Close() }()

	noisy := accept(b, controllers["a"])
	defer noisy.Close()
	if neighbour == "floods" {
		go floodFlowMods(noisy)
		go func() { _, _ = io.Copy(io.Discard, noisy) }()
	}
	if neighbour == "deaf" {
		go floodStats(noisy)
	}
	nc := accept(b, controllers["b"])
	defer nc.Close()
	barrier := []byte{1, byte(of10.TypeBarrierRequest), 0, 8, 0, 0, 0, 7}
	r := ofwire.NewReader(nc, 4096)
	var times []time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := nc.Write(barrier); err != nil {
			b.Fatal(err)
		}
		for {
			frame, err := r.Next()
			if err != nil {
				b.Fatal(err)
			}
			if of10.Type(frame[1]) == of10.TypeBarrierReply {
				break
			}
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-us")
}

func accept(b *testing.B, ln net.Listener) net.Conn {
	b.Helper()
	nc, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := nc.Write([]byte{1, 0, 0, 8, 0, 0, 0, 1}); err != nil {
		b.Fatal(err)
	}
	hello := make([]byte, 8)
	if _, err := io.ReadFull(nc, hello); err != nil {
		b.Fatal(err)
	}
	return nc
}

// answerAll is a switch that says yes to everything.
func answerAll(nc net.Conn) {
	write := func(m of10.Message, b []byte) []byte {
		b, _ = m.AppendBinary(b)
		return b
	}
	r := ofwire.NewReader(nc, 64<<10)
	out := write(&of10.Hello{}, nil)
	for {
		if !r.Buffered() && len(out) > 0 {
			if _, err := nc.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
		frame, err := r.Next()
		if err != nil {
			return
		}
		xid := of10.XID(frame)
		switch of10.Type(frame[1]) {
		case of10.TypeFeaturesRequest:
			ports := []of10.PhyPort{{PortNo: 1, Name: "a"}, {PortNo: 2, Name: "b"}}
			out = write(&of10.FeaturesReply{XID: xid, DatapathID: 1, NTables: 1, Actions: of10.AllActions, Ports: ports}, out)
		case of10.TypeStatsRequest:
			m, _ := of10.Parse(frame)
			out = write(&of10.StatsReply{XID: xid, StatsType: m.(*of10.StatsRequest).StatsType}, out)
		case of10.TypeBarrierRequest:
			out = write(&of10.BarrierReply{XID: xid}, out)
		}
	}
}

// floodFlowMods sends as fast as it is allowed to; 256 flows over and over.
func floodFlowMods(nc net.Conn) {
	var batch []byte
	for i := range 256 {
		match := of10.MatchAll()
		match.Wildcards &^= of10.WildInPort | of10.WildDLSrc
		match.InPort = 1
		match.DLSrc[5] = byte(i)
		m := &of10.FlowMod{Match: match, Priority: 10, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(of10.PortInPort, 0)}}
		batch, _ = m.AppendBinary(batch)
	}
	for {
		if _, err := nc.Write(batch); err != nil {
			return
		}
	}
}

// floodStats asks and does not read the answers.
func floodStats(nc net.Conn) {
	ask := &of10.StatsRequest{StatsType: of10.StatsDesc}
	b, _ := ask.AppendBinary(nil)
	for {
		if _, err := nc.Write(b); err != nil {
			return
		}
	}
}
