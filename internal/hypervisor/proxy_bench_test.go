package hypervisor_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// BenchmarkProxy sends packet_ins through a whole govisor to a controller that
// answers each with a packet_out or a flow_mod, pipelined over loopback TCP.
func BenchmarkProxy(b *testing.B) {
	for _, answer := range []string{"packet-out", "flow-mod"} {
		b.Run(answer, func(b *testing.B) { benchmarkProxy(b, answer) })
	}
}

func benchmarkProxy(b *testing.B, answer string) {
	svc, err := hypervisor.Open(b.Context(), hypervisor.Options{Dir: b.TempDir(), AdminPassword: "correct horse"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	defer func() { cancel(); <-ended; _ = svc.Close() }()
	up := make(chan struct{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go respond(ln, answer, up)
	spec := hypervisor.SliceSpec{Name: "s"}
	spec.Controllers = []string{"tcp:" + ln.Addr().String()}
	contact := "ops@example.org"
	spec.Contact = &contact
	if _, err := svc.CreateSlice(ctx, hypervisor.Local(), spec); err != nil {
		b.Fatal(err)
	}
	rule := &flowspace.Rule{Name: "r", DPIDs: flowspace.AllDPIDs(), Priority: 100, Grants: []flowspace.Grant{{Slice: "s", Perm: 7}}}
	if _, err := svc.ChangeRules(ctx, hypervisor.Local(), []hypervisor.RuleChange{{Op: flowspace.Add, Rule: rule}}, false); err != nil {
		b.Fatal(err)
	}
	far, near := loopback(b)
	sw := svc.NewSwitches(hypervisor.SwitchOptions{})
	go func() { defer close(ended); _ = sw.ServeConn(ctx, near) }()
	generate(b, far, up)
}

func loopback(b *testing.B) (net.Conn, net.Conn) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	x, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	y, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	return x, y
}

// generate plays the switch: 64 packet_ins outstanding.
func generate(b *testing.B, nc net.Conn, up <-chan struct{}) {
	defer nc.Close()
	say := func(m of10.Message) {
		buf, err := m.AppendBinary(nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := nc.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	say(&of10.Hello{})
	r := ofwire.NewReader(nc, 64<<10)
	ports := []of10.PhyPort{{PortNo: 1, Name: "a"}, {PortNo: 2, Name: "b"}}
	serve := func(frame []byte) (answer bool) {
		switch of10.Type(frame[1]) {
		case of10.TypeFeaturesRequest:
			say(&of10.FeaturesReply{XID: of10.XID(frame), DatapathID: 1, NBuffers: 256, NTables: 1, Actions: of10.AllActions, Ports: ports})
		case of10.TypeStatsRequest:
			m, _ := of10.Parse(frame)
			say(&of10.StatsReply{XID: of10.XID(frame), StatsType: m.(*of10.StatsRequest).StatsType})
		case of10.TypeBarrierRequest:
			say(&of10.BarrierReply{XID: of10.XID(frame)})
		case of10.TypeEchoRequest:
			say(&of10.EchoReply{XID: of10.XID(frame)})
		case of10.TypePacketOut:
			return true
		case of10.TypeFlowMod:
			return of10.XID(frame) > 0x67760010
		}
		return false
	}
	go func() { <-up; _ = nc.SetReadDeadline(time.Unix(1, 0)) }()
	for {
		frame, err := r.Next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		serve(frame)
	}
	_ = nc.SetReadDeadline(time.Time{})
	packetIn := func(n int) []byte {
		data := ethernet(byte(n), byte(n>>8))
		data[8], data[9] = byte(n>>16), byte(n>>8)
		m := &of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: 60, InPort: 1, Data: data}
		buf, _ := m.AppendBinary(nil)
		return buf
	}
	frames := make([][]byte, 1024)
	for i := range frames {
		frames[i] = packetIn(i)
	}
	var out bytes.Buffer
	sent, credit := 0, 64
	b.ReportAllocs()
	for b.Loop() {
		for {
			if credit > 0 && !r.Buffered() {
				for ; credit > 0; credit-- {
					out.Write(frames[sent%len(frames)])
					sent++
				}
				if _, err := nc.Write(out.Bytes()); err != nil {
					b.Fatal(err)
				}
				out.Reset()
			}
			frame, err := r.Next()
			if err != nil {
				b.Fatal(err)
			}
			if serve(frame) {
				credit++
				break
			}
		}
	}
}

// respond plays the controller.
func respond(ln net.Listener, answer string, up chan struct{}) {
	nc, err := ln.Accept()
	if err != nil {
		return
	}
	defer nc.Close()
	_, _ = nc.Write([]byte{1, 0, 0, 8, 0, 0, 0, 1})
	r := ofwire.NewReader(nc, 64<<10)
	var out []byte
	actions := []of10.Action{of10.Output(2, 0)}
	started := false
	for {
		frame, err := r.Next()
		if err != nil {
			return
		}
		if !started {
			started = true
			_, _ = nc.Write([]byte{1, 5, 0, 8, 0, 0, 0, 1})
			continue
		}
		switch of10.Type(frame[1]) {
		case of10.TypeFeaturesReply:
			close(up)
		case of10.TypeEchoRequest:
			frame[1] = uint8(of10.TypeEchoReply)
			out = append(out, frame...)
		case of10.TypePacketIn:
			var m of10.Message
			data := of10.PacketInData(frame)
			if answer == "packet-out" {
				m = &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: actions, Data: data}
			} else {
				match := of10.MatchAll()
				match.Wildcards &^= of10.WildDLSrc | of10.WildDLDst | of10.WildInPort
				match.InPort = 1
				copy(match.DLDst[:], data)
				copy(match.DLSrc[:], data[6:])
				m = &of10.FlowMod{Match: match, Priority: 10, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: actions}
			}
			out, _ = m.AppendBinary(out)
		}
		if !r.Buffered() && len(out) > 0 {
			if _, err := nc.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
	}
}
