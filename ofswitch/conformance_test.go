package ofswitch

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// The subtests carry the names of the OpenFlow 1.0 reference distribution's
// black-box tests.
func TestConformance(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *rig)
	}{
		{"hello", func(t *testing.T, r *rig) { r.must(&of10.Hello{}) }},
		{"barrier", conformBarrier},
		{"echo", conformEcho},
		{"packet_in", conformPacketIn},
		{"packet_out", conformPacketOut},
		{"switch_config", conformConfig},
		{"flow_expired idle", conformExpiry},
		{"miss_send_length", conformMissSendLen},
		{"stats_desc", conformDesc},
		{"port_stats", conformPortStats},
		{"flow_stats and aggregate", conformFlowStats},
		{"table_stats", conformTableStats},
		{"forward", conformForward},
		{"after_expiration", conformAfterExpiration},
		{"overlapping", conformOverlap},
		{"delete", conformDelete},
		{"delete emergency and out_port", conformOutPort},
		{"drop", conformDrop},
		{"modify_action", conformModify},
		{"flow_mod_check", conformIdentical},
		{"set fields", conformSetFields},
		{"dl_nw_flip", conformFlip},
		{"ICMP", conformICMP},
		{"ARP", conformARP},
		{"cookies", conformCookies},
		{"queue_config and queue_forward", conformQueues},
		{"ip_options, ip_offset, tcp_options", conformOptions},
		{"fragments", conformFragments},
		{"exact before wildcard", conformExact},
		{"priority as given", conformPriority},
		{"buffers", conformBuffers},
		{"flow_mod with buffer", conformFlowModBuffer},
		{"port config", conformPortConfig},
		{"port status", conformPortStatus},
		{"controller_disconnect", conformEmergency},
		{"large replies", conformLargeReplies},
		{"table full", conformTableFull},
		{"roles", conformRoles},
		{"service connection", conformService},
		{"rate limit", conformRate},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, newRig(t, Config{DatapathID: 1, MaxFlows: 2000})) })
	}
}

func one[M of10.Message](t *testing.T, got []of10.Message) M {
	t.Helper()
	if len(got) == 1 {
		if m, ok := got[0].(M); ok {
			return m
		}
	}
	var want M
	t.Fatalf("got %v, want one %T", got, want)
	return want
}

func wantPorts(t *testing.T, r *rig, want ...of10.Port) {
	t.Helper()
	if diff := cmp.Diff(want, r.ports()); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

func conformBarrier(t *testing.T, r *rig) {
	m := one[*of10.BarrierReply](t, r.send(&of10.BarrierRequest{}))
	if m.XID != r.xid {
		t.Errorf("xid %d, want %d", m.XID, r.xid)
	}
	// What stands before the barrier is in force for the next frame, caches included.
	f := tcpFrame(1, 2, 1000, 80, 0)
	for i, to := range []of10.Port{2, 3, 4} {
		r.must(add(5, inPort(1), output(to)))
		one[*of10.BarrierReply](t, r.send(&of10.BarrierRequest{}))
		r.frame(1, f)
		wantPorts(t, r, to)
		r.frame(1, f) // now from the cache
		wantPorts(t, r, to)
		if got := r.flows()[0].PacketCount; got != 2 {
			t.Errorf("round %d: %d packets counted, want 2", i, got)
		}
	}
}

func conformEcho(t *testing.T, r *rig) {
	m := one[*of10.EchoReply](t, r.send(&of10.EchoRequest{Data: []byte("hello")}))
	if m.XID != r.xid || string(m.Data) != "hello" {
		t.Errorf("got %v %q", m, m.Data)
	}
}

func conformPacketIn(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 1000, 80, 100)
	r.frame(2, f)
	m := one[*of10.PacketIn](t, r.messages(ctl))
	if m.XID != 0 || m.InPort != 2 || m.Reason != of10.ReasonNoMatch || int(m.TotalLen) != len(f) ||
		m.BufferID == of10.NoBuffer || !bytes.Equal(m.Data, f[:128]) {
		t.Errorf("got %+v", m)
	}
	r.must(add(1, of10.MatchAll(), of10.Output(of10.PortController, 20)))
	r.frame(3, f)
	m = one[*of10.PacketIn](t, r.messages(ctl))
	if m.InPort != 3 || m.Reason != of10.ReasonAction || len(m.Data) != 20 || int(m.TotalLen) != len(f) {
		t.Errorf("by action: got %+v", m)
	}
}

func conformPacketOut(t *testing.T, r *rig) {
	f := udpFrame(1, 2, 1, 2, []byte("x"))
	out := func(in of10.Port, actions ...of10.Action) {
		t.Helper()
		r.send(&of10.PacketOut{BufferID: of10.NoBuffer, InPort: in, Actions: actions, Data: f})
	}
	out(of10.PortNone, output(3))
	wantPorts(t, r, 3)
	if !bytes.Equal(r.out.Frames[0].Frame.Data, f) {
		t.Error("the frame was changed")
	}
	out(1, output(of10.PortFlood))
	wantPorts(t, r, 2, 3, 4)
	out(of10.PortNone, output(of10.PortFlood))
	wantPorts(t, r, 1, 2, 3, 4)
	out(2, output(of10.PortInPort))
	wantPorts(t, r, 2)
	out(9999, output(of10.PortAll))
	wantPorts(t, r, 1, 2, 3, 4)
	out(1)
	wantPorts(t, r)

	out(1, output(of10.PortTable))
	if m := one[*of10.PacketIn](t, r.messages(ctl)); m.Reason != of10.ReasonNoMatch || m.InPort != 1 {
		t.Errorf("TABLE without flows: %+v", m)
	}
	r.must(add(1, inPort(1), output(4)))
	out(1, of10.SetDLDst([6]byte{2, 9, 9, 9, 9, 9}), output(of10.PortTable), output(2))
	wantPorts(t, r, 4, 2)
	if got := r.out.Frames[0].Frame.Data[:6]; !bytes.Equal(got, []byte{2, 9, 9, 9, 9, 9}) {
		t.Errorf("TABLE saw destination %x", got)
	}
	out(1, of10.Output(of10.PortController, 16))
	if m := one[*of10.PacketIn](t, r.messages(ctl)); m.Reason != of10.ReasonAction || len(m.Data) != 16 || m.XID != 0 {
		t.Errorf("CONTROLLER: %+v", m)
	}
}

func conformConfig(t *testing.T, r *rig) {
	get := func() of10.GetConfigReply {
		m := one[*of10.GetConfigReply](t, r.send(&of10.GetConfigRequest{}))
		m.XID = 0
		return *m
	}
	if diff := cmp.Diff(of10.GetConfigReply{MissSendLen: 128}, get()); diff != "" {
		t.Error(diff)
	}
	r.must(&of10.SetConfig{Flags: of10.FragDrop, MissSendLen: 64})
	if diff := cmp.Diff(of10.GetConfigReply{Flags: of10.FragDrop, MissSendLen: 64}, get()); diff != "" {
		t.Error(diff)
	}
	r.send(&of10.SetConfig{Flags: of10.FragReasm, MissSendLen: 5})
	if diff := cmp.Diff(of10.GetConfigReply{Flags: of10.FragDrop, MissSendLen: 64}, get()); diff != "" {
		t.Errorf("a refused set_config changed something: %s", diff)
	}
}

func conformExpiry(t *testing.T, r *rig) {
	rem := func(prio uint16, idle, hard uint16) *of10.FlowMod {
		fm := add(prio, inPort(1), output(2))
		fm.IdleTimeout, fm.HardTimeout, fm.Flags, fm.Cookie = idle, hard, of10.FlowModSendFlowRem, 0xc0
		return fm
	}
	tick := func(d time.Duration) []of10.Message {
		r.now = r.now.Add(d)
		r.out.Reset()
		r.p.Tick(r.now, &r.out)
		return r.messages(ctl)
	}
	for _, tt := range []struct {
		name       string
		idle, hard uint16
		busy       int // seconds with a packet each
		after      time.Duration
		reason     of10.FlowRemovedReason
	}{
		{"idle", 1, 0, 0, time.Second, of10.RemovedIdleTimeout},
		{"hard", 0, 1, 0, time.Second, of10.RemovedHardTimeout},
		{"idle before hard", 2, 9, 0, 2 * time.Second, of10.RemovedIdleTimeout},
		{"hard before idle", 9, 2, 0, 2 * time.Second, of10.RemovedHardTimeout},
		{"kept busy", 2, 4, 3, time.Second, of10.RemovedHardTimeout},
	} {
		r.must(rem(7, tt.idle, tt.hard))
		for range tt.busy {
			if m := tick(time.Second); len(m) != 0 {
				t.Fatalf("%s: ended early: %v", tt.name, m)
			}
			r.frame(1, ethFrame(1, 2, 0x88b5, 60))
		}
		if m := tick(tt.after - time.Nanosecond); len(m) != 0 {
			t.Fatalf("%s: ended a nanosecond early: %v", tt.name, m)
		}
		m := one[*of10.FlowRemoved](t, tick(time.Nanosecond))
		want := of10.FlowRemoved{
			Match: inPort(1).Normalize(), Cookie: 0xc0, Priority: 7, Reason: tt.reason, IdleTimeout: tt.idle,
			DurationSec: uint32(tt.busy) + uint32(tt.after/time.Second), PacketCount: uint64(tt.busy), ByteCount: uint64(60 * tt.busy),
		}
		if diff := cmp.Diff(want, *m); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func conformMissSendLen(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 1000, 80, 300)
	for _, n := range []uint16{0, 1, 64, 128, 0xffff} {
		r.must(&of10.SetConfig{MissSendLen: n})
		r.frame(1, f)
		if m := one[*of10.PacketIn](t, r.messages(ctl)); len(m.Data) != min(int(n), len(f)) {
			t.Errorf("miss_send_len %d: %d bytes of %d", n, len(m.Data), len(f))
		}
	}
}

func conformDesc(t *testing.T, r *rig) {
	m := one[*of10.StatsReply](t, r.send(&of10.StatsRequest{StatsType: of10.StatsDesc}))
	if diff := cmp.Diff(of10.StatsBody(New(Config{}).cfg.Desc), m.Body); diff != "" {
		t.Error(diff)
	}
}

func conformPortStats(t *testing.T, r *rig) {
	r.must(add(1, inPort(1), output(2)))
	f := ethFrame(1, 2, 0x88b5, 77)
	r.frame(1, f)
	r.frame(1, f)
	r.frame(1, f[:5])
	get := func(no of10.Port) []of10.PortStats {
		m := one[*of10.StatsReply](t, r.send(&of10.StatsRequest{StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: no}}))
		return m.Body.(of10.PortStatsReply)
	}
	want := []of10.PortStats{
		{PortNo: 1, RxPackets: 2, RxBytes: 154, RxErrors: 1, RxFrameErr: 1},
		{PortNo: 2, TxPackets: 2, TxBytes: 154},
		{PortNo: 3}, {PortNo: 4},
	}
	if diff := cmp.Diff(want, get(of10.PortNone)); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:2], get(2)); diff != "" {
		t.Errorf("one (-want +got):\n%s", diff)
	}
	if got := get(99); len(got) != 0 {
		t.Errorf("port 99: %v", got)
	}
}

func conformFlowStats(t *testing.T, r *rig) {
	fm := add(7, matchType(0x88b5), of10.SetVLANVID(3), output(2))
	fm.Cookie, fm.IdleTimeout, fm.HardTimeout = 0xabc, 60, 300
	r.must(fm)
	r.must(add(8, inPort(4)))
	r.now = r.now.Add(5250 * time.Millisecond)
	r.frame(1, ethFrame(1, 2, 0x88b5, 60))
	want := of10.FlowStats{
		Match: matchType(0x88b5).Normalize(), DurationSec: 5, DurationNsec: 250e6, Priority: 7, IdleTimeout: 60, HardTimeout: 300,
		Cookie: 0xabc, PacketCount: 1, ByteCount: 60, Actions: []of10.Action{of10.SetVLANVID(3), output(2)},
	}
	if diff := cmp.Diff(want, r.flows()[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	count := func(table uint8, m of10.Match, out of10.Port) (flows int, agg of10.AggregateStats) {
		req := of10.FlowStatsRequest{Match: m, TableID: table, OutPort: out}
		a := one[*of10.StatsReply](t, r.send(&of10.StatsRequest{StatsType: of10.StatsFlow, Body: req}))
		b := one[*of10.StatsReply](t, r.send(&of10.StatsRequest{StatsType: of10.StatsAggregate, Body: of10.AggregateStatsRequest(req)}))
		return len(a.Body.(of10.FlowStatsReply)), b.Body.(of10.AggregateStats)
	}
	for _, tt := range []struct {
		table uint8
		m     of10.Match
		out   of10.Port
		flows int
		pkts  uint64
	}{
		{0xff, of10.MatchAll(), of10.PortNone, 2, 1},
		{0, of10.MatchAll(), of10.PortNone, 2, 1},
		{5, of10.MatchAll(), of10.PortNone, 0, 0},
		{0xfe, of10.MatchAll(), of10.PortNone, 0, 0},
		{0xff, of10.MatchAll(), 2, 1, 1},
		{0xff, of10.MatchAll(), 3, 0, 0},
		{0xff, inPort(4), of10.PortNone, 1, 0},
		{0xff, inPort(3), of10.PortNone, 0, 0},
	} {
		flows, agg := count(tt.table, tt.m, tt.out)
		if flows != tt.flows || int(agg.FlowCount) != tt.flows || agg.PacketCount != tt.pkts || agg.ByteCount != 60*tt.pkts {
			t.Errorf("%+v: %d flows, %+v", tt, flows, agg)
		}
	}
}

func conformTableStats(t *testing.T, r *rig) {
	r.must(add(1, inPort(1), output(2)))
	r.frame(1, ethFrame(1, 2, 0x88b5, 60))
	r.frame(2, ethFrame(1, 2, 0x88b5, 60))
	m := one[*of10.StatsReply](t, r.send(&of10.StatsRequest{StatsType: of10.StatsTable}))
	want := of10.TableStatsReply{{Name: "classifier", Wildcards: of10.WildAll, MaxEntries: 2000, ActiveCount: 1, LookupCount: 2, MatchedCount: 1}}
	if diff := cmp.Diff(of10.StatsBody(want), m.Body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func conformForward(t *testing.T, r *rig) {
	r.addPort(of10.PortLocal)
	f := tcpFrame(1, 2, 1000, 80, 0)
	exact := exactMatch(f, 1)
	for _, m := range []of10.Match{exact, inPort(1), of10.MatchAll()} {
		for _, tt := range []struct {
			to   of10.Port
			want []of10.Port
		}{
			{3, []of10.Port{3}},
			{1, nil},
			{77, nil},
			{of10.PortInPort, []of10.Port{1}},
			{of10.PortLocal, []of10.Port{of10.PortLocal}},
			{of10.PortAll, []of10.Port{2, 3, 4, of10.PortLocal}},
			{of10.PortFlood, []of10.Port{2, 3, 4, of10.PortLocal}},
		} {
			r.must(add(5, m, output(tt.to)))
			r.frame(1, f)
			wantPorts(t, r, tt.want...)
			r.must(with(add(5, of10.MatchAll()), func(m *of10.FlowMod) { m.Command = of10.FlowDelete }))
		}
	}
	// NORMAL learns.
	r.must(add(5, of10.MatchAll(), output(of10.PortNormal)))
	r.frame(1, f)
	wantPorts(t, r, 2, 3, 4, of10.PortLocal)
	r.frame(2, tcpFrame(2, 1, 80, 1000, 0))
	wantPorts(t, r, 1)
	r.frame(1, f)
	wantPorts(t, r, 2)
	r.now = r.now.Add(301 * time.Second)
	r.frame(1, f)
	wantPorts(t, r, 2, 3, 4, of10.PortLocal)
	r.frame(1, append([]byte{1, 0x80, 0xc2, 0, 0, 0x0e}, f[6:]...)) // LLDP's address
	wantPorts(t, r)
	r.frame(1, append([]byte{1, 0x80, 0xc2, 0, 0, 0x21}, f[6:]...))
	wantPorts(t, r, 2, 3, 4, of10.PortLocal)
}

// exactMatch is the match without wildcards for a frame.
func exactMatch(f []byte, in of10.Port) of10.Match {
	h := packet.Parse(f, uint32(in))
	return of10.Match{
		InPort: in, DLSrc: h.DLSrc, DLDst: h.DLDst, DLVLAN: h.DLVLAN, DLVLANPCP: h.DLVLANPCP, DLType: h.DLType,
		NWTos: h.NWTos, NWProto: h.NWProto, NWSrc: h.NWSrc, NWDst: h.NWDst, TPSrc: h.TPSrc, TPDst: h.TPDst,
	}
}

func conformAfterExpiration(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 1000, 80, 0)
	r.must(with(add(5, inPort(1), output(2)), func(m *of10.FlowMod) { m.HardTimeout = 1 }))
	r.frame(1, f)
	wantPorts(t, r, 2)
	r.now = r.now.Add(time.Second) // nobody called Tick: the frame itself must not see it
	r.frame(1, f)
	wantPorts(t, r)
	one[*of10.PacketIn](t, r.messages(ctl))
}

func conformOverlap(t *testing.T, r *rig) {
	check := func(m *of10.FlowMod) { m.Flags = of10.FlowModCheckOverlap }
	r.must(with(add(10, inPort(1), output(2)), check))
	r.must(with(add(10, inPort(1), output(3)), check)) // identical is no overlap
	r.must(with(add(11, matchType(0x800), output(3)), check))
	fm := with(add(10, matchType(0x800), output(3)), check)
	got := r.send(fm)
	wantError(t, got, of10.ErrorFlowModFailed, of10.FlowModFailedOverlap, r.xid, encode(fm))
	r.must(add(10, matchType(0x800), output(3)))
	if n := len(r.flows()); n != 3 {
		t.Errorf("%d flows, want 3", n)
	}
}

func conformDelete(t *testing.T, r *rig) {
	del := func(strict bool, prio uint16, m of10.Match) {
		cmd := of10.FlowDelete
		if strict {
			cmd = of10.FlowDeleteStrict
		}
		r.send(with(add(prio, m), func(fm *of10.FlowMod) { fm.Command = cmd }))
	}
	r.must(with(add(10, inPort(1), output(2)), func(m *of10.FlowMod) { m.Flags = of10.FlowModSendFlowRem }))
	r.must(add(11, inPort(1), output(2)))
	del(true, 12, inPort(1))
	del(true, 10, of10.MatchAll())
	if n := len(r.flows()); n != 2 {
		t.Fatalf("strict delete took too much: %d flows left", n)
	}
	del(true, 10, inPort(1))
	if m := one[*of10.FlowRemoved](t, r.messages(ctl)); m.Reason != of10.RemovedDelete || m.Priority != 10 {
		t.Errorf("got %v", m)
	}
	del(false, 0, inPort(2))
	if n := len(r.flows()); n != 1 {
		t.Fatalf("%d flows, want 1", n)
	}
	del(false, 0, of10.MatchAll())
	if n := len(r.flows()); n != 0 {
		t.Fatalf("%d flows, want 0", n)
	}
}

func conformOutPort(t *testing.T, r *rig) {
	r.must(add(1, inPort(1), output(2)))
	r.must(add(1, inPort(2), of10.Enqueue(2, 1)))
	r.must(add(1, inPort(3), output(3)))
	r.must(with(add(1, inPort(1), output(2)), func(m *of10.FlowMod) { m.Flags = of10.FlowModEmerg }))
	r.must(with(add(0, of10.MatchAll()), func(m *of10.FlowMod) { m.Command, m.OutPort = of10.FlowDelete, 2 }))
	if f := r.flows(); len(f) != 1 || f[0].Match.InPort != 3 {
		t.Errorf("left %v", f)
	}
	emerg := func() int {
		m := one[*of10.StatsReply](t, r.send(&of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{
			Match: of10.MatchAll(), TableID: of10.TableEmerg, OutPort: of10.PortNone}}))
		return len(m.Body.(of10.FlowStatsReply))
	}
	if n := emerg(); n != 1 {
		t.Errorf("%d emergency flows, want 1", n)
	}
	r.must(with(add(0, of10.MatchAll()), func(m *of10.FlowMod) { m.Command, m.Flags = of10.FlowDelete, of10.FlowModEmerg }))
	if n := emerg(); n != 0 || len(r.flows()) != 1 {
		t.Errorf("%d emergency flows and %d others, want 0 and 1", n, len(r.flows()))
	}
}

func conformDrop(t *testing.T, r *rig) {
	r.must(add(1, of10.MatchAll()))
	r.frame(1, tcpFrame(1, 2, 3, 4, 0))
	if len(r.out.Frames)+len(r.out.Messages) != 0 || r.flows()[0].PacketCount != 1 {
		t.Errorf("not dropped: %v %v", r.out.Frames, r.out.Messages)
	}
}

func conformModify(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 3, 4, 0)
	modify := func(cmd of10.FlowModCommand, prio uint16, m of10.Match, to of10.Port) {
		r.must(with(add(prio, m, output(to)), func(fm *of10.FlowMod) {
			fm.Command, fm.Cookie, fm.IdleTimeout = cmd, 9, 99
		}))
	}
	r.must(with(add(7, inPort(1), output(2)), func(m *of10.FlowMod) { m.Cookie, m.IdleTimeout = 1, 5 }))
	r.frame(1, f)
	modify(of10.FlowModify, 3, of10.MatchAll(), 3)
	r.frame(1, f)
	wantPorts(t, r, 3)
	modify(of10.FlowModifyStrict, 7, inPort(1), 4)
	r.frame(1, f)
	wantPorts(t, r, 4)
	fs := r.flows()
	if len(fs) != 1 || fs[0].PacketCount != 3 || fs[0].IdleTimeout != 5 || fs[0].Priority != 7 || fs[0].Cookie != 9 {
		t.Errorf("after modify: %+v", fs)
	}
	modify(of10.FlowModifyStrict, 8, inPort(1), 2) // no such flow: an ADD
	modify(of10.FlowModify, 9, inPort(3), 2)
	if n := len(r.flows()); n != 3 {
		t.Errorf("%d flows, want 3", n)
	}
	r.frame(1, f)
	wantPorts(t, r, 2)
}

func conformIdentical(t *testing.T, r *rig) {
	rem := func(m *of10.FlowMod) { m.Flags = of10.FlowModSendFlowRem }
	r.must(with(add(5, inPort(1), output(2)), rem))
	r.frame(1, tcpFrame(1, 2, 3, 4, 0))
	r.must(with(add(5, inPort(1), output(3)), rem)) // must: no flow_removed
	if fs := r.flows(); len(fs) != 1 || fs[0].PacketCount != 0 {
		t.Errorf("an identical ADD does not start over: %+v", fs)
	}
}

func conformCookies(t *testing.T, r *rig) {
	r.must(with(add(5, inPort(1), output(2)), func(m *of10.FlowMod) { m.Cookie = 1<<64 - 1 }))
	r.must(with(add(5, inPort(2), output(2)), func(m *of10.FlowMod) { m.Cookie, m.Flags = 0xdead, of10.FlowModSendFlowRem }))
	if fs := r.flows(); fs[0].Cookie != 1<<64-1 || fs[1].Cookie != 0xdead {
		t.Errorf("cookies %x %x", fs[0].Cookie, fs[1].Cookie)
	}
	got := r.send(with(add(0, inPort(2)), func(m *of10.FlowMod) { m.Command = of10.FlowDelete }))
	if m := one[*of10.FlowRemoved](t, got); m.Cookie != 0xdead {
		t.Errorf("removed cookie %x", m.Cookie)
	}
}

func conformExact(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 3, 4, 0)
	r.must(add(65535, of10.MatchAll(), output(2)))
	r.must(add(1, exactMatch(f, 1), output(3)))
	r.frame(1, f)
	wantPorts(t, r, 3)
	// Nothing of a non-IP flow's network fields counts, so it is not exact.
	l2 := ethFrame(1, 2, 0x88b5, 60)
	r.must(add(2, exactMatch(l2, 1), output(4)))
	r.frame(1, l2)
	wantPorts(t, r, 2)
}

func conformPriority(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 3, 4, 0)
	r.must(add(5, exactMatch(f, 1), output(3)))
	r.must(add(6, inPort(1), output(2)))
	r.must(add(7, inPort(1), output(4)))
	var got []uint16
	for _, s := range r.flows() {
		got = append(got, s.Priority)
	}
	if diff := cmp.Diff([]uint16{5, 6, 7}, got); diff != "" {
		t.Errorf("priorities (-want +got):\n%s", diff)
	}
	r.frame(1, tcpFrame(1, 2, 3, 5, 0))
	wantPorts(t, r, 4)
	// Equal priority: the older flow.
	r.must(add(7, matchType(0x800), output(2)))
	r.frame(1, tcpFrame(1, 2, 3, 6, 0))
	wantPorts(t, r, 4)
}

func conformBuffers(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 3, 4, 200)
	r.frame(1, f)
	id := one[*of10.PacketIn](t, r.messages(ctl)).BufferID
	po := &of10.PacketOut{BufferID: id, InPort: 1, Actions: []of10.Action{output(of10.PortNone)}}
	r.send(po) // refused: the buffer must survive
	po.Actions = []of10.Action{output(4)}
	r.must(po)
	wantPorts(t, r, 4)
	if !bytes.Equal(r.out.Frames[0].Frame.Data, f) {
		t.Error("another frame came out of the buffer")
	}
	got := r.send(po)
	wantError(t, got, of10.ErrorBadRequest, of10.BadRequestBufferEmpty, r.xid, encode(po))
	r.frame(1, f)
	id = one[*of10.PacketIn](t, r.messages(ctl)).BufferID
	r.must(&of10.PacketOut{BufferID: id, InPort: 1}) // discards
	wantPorts(t, r)
	if n := r.p.buffers.held(); n != 0 {
		t.Errorf("%d buffers leak", n)
	}
	seen := map[uint32]bool{}
	unbuffered := 0
	for range 300 { // within one second
		r.frame(1, f)
		m := one[*of10.PacketIn](t, r.messages(ctl))
		if m.BufferID == of10.NoBuffer {
			unbuffered++
			if len(m.Data) != len(f) {
				t.Fatalf("unbuffered packet_in has %d of %d bytes", len(m.Data), len(f))
			}
			continue
		}
		if seen[m.BufferID] {
			t.Fatalf("buffer id %x twice", m.BufferID)
		}
		seen[m.BufferID] = true
	}
	if unbuffered != 300-256 {
		t.Errorf("%d unbuffered, want 44", unbuffered)
	}
	r.now = r.now.Add(2 * time.Second)
	r.frame(1, f)
	if m := one[*of10.PacketIn](t, r.messages(ctl)); m.BufferID == of10.NoBuffer || seen[m.BufferID] {
		t.Errorf("an old slot is not reused with a new id: %x", m.BufferID)
	}
}

func conformFlowModBuffer(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 3, 4, 200)
	r.frame(1, f)
	id := one[*of10.PacketIn](t, r.messages(ctl)).BufferID
	fm := with(add(5, inPort(1), output(3)), func(m *of10.FlowMod) { m.BufferID = id })
	r.must(fm)
	wantPorts(t, r, 3)
	if fs := r.flows(); fs[0].PacketCount != 1 || fs[0].ByteCount != uint64(len(f)) {
		t.Errorf("the buffered packet is not counted: %+v", fs[0])
	}
	fm.Match = inPort(2)
	got := r.send(fm)
	wantError(t, got, of10.ErrorBadRequest, of10.BadRequestBufferEmpty, r.xid, encode(fm))
	fm.Match, fm.BufferID = inPort(3), 0x12345678
	got = r.send(fm)
	wantError(t, got, of10.ErrorBadRequest, of10.BadRequestBufferUnknown, r.xid, encode(fm))
	if n := len(r.flows()); n != 3 {
		t.Errorf("%d flows: an unusable buffer must not keep the flow out", n)
	}
}

func conformPortStatus(t *testing.T, r *rig) {
	r.out.Reset()
	r.addPort(9)
	m := one[*of10.PortStatus](t, r.messages(ctl))
	if m.Reason != of10.PortAdded || m.Desc.PortNo != 9 || m.Desc.Name != "p9" {
		t.Errorf("got %v", m)
	}
	desc := m.Desc
	desc.State = of10.PortStateLinkDown
	r.out.Reset()
	r.p.SetPortState(r.now, 9, desc, &r.out)
	r.p.SetPortState(r.now, 9, desc, &r.out) // no change, no message
	if m = one[*of10.PortStatus](t, r.messages(ctl)); m.Reason != of10.PortModified || m.Desc.State != of10.PortStateLinkDown {
		t.Errorf("got %v", m)
	}
	r.must(add(1, of10.MatchAll(), output(9)))
	r.frame(1, ethFrame(1, 2, 0x88b5, 60))
	wantPorts(t, r) // its link is down
	r.out.Reset()
	r.p.RemovePort(r.now, 9, &r.out)
	if m = one[*of10.PortStatus](t, r.messages(ctl)); m.Reason != of10.PortDeleted || m.Desc.PortNo != 9 {
		t.Errorf("got %v", m)
	}
	if r.p.RemovePort(r.now, 9, &r.out) {
		t.Error("removed twice")
	}
	if err := r.p.AddPort(r.now, of10.PhyPort{PortNo: 1, Name: "x"}, nil, &r.out); err == nil {
		t.Error("port number 1 given twice")
	}
	if err := r.p.AddPort(r.now, of10.PhyPort{PortNo: 0xff00, Name: "x"}, nil, &r.out); err == nil {
		t.Error("port number 0xff00 accepted")
	}
	f := one[*of10.FeaturesReply](t, r.send(&of10.FeaturesRequest{}))
	if len(f.Ports) != 4 || f.DatapathID != 1 || f.NBuffers != 256 || f.Actions != of10.AllActions {
		t.Errorf("features %v", f)
	}
}

func conformPortConfig(t *testing.T, r *rig) {
	r.must(add(1, of10.MatchAll(), output(of10.PortFlood)))
	r.must(add(2, matchType(0x88b6), output(of10.PortAll)))
	set := func(no of10.Port, bits of10.PortConfig) {
		r.must(&of10.PortMod{PortNo: no, HWAddr: portMAC(no), Config: bits, Mask: of10.PortConfigAll})
	}
	f, all := ethFrame(1, 2, 0x88b5, 60), ethFrame(1, 2, 0x88b6, 60)
	stp := append([]byte{1, 0x80, 0xc2, 0, 0, 0}, f[6:]...)
	in := func(frame []byte, want ...of10.Port) {
		t.Helper()
		r.frame(1, frame)
		wantPorts(t, r, want...)
	}
	set(2, of10.PortConfigNoFlood)
	in(f, 3, 4)
	in(all, 2, 3, 4)
	set(2, of10.PortConfigNoFwd)
	in(all, 3, 4)
	set(2, of10.PortConfigDown)
	in(all, 3, 4)
	set(2, 0)
	in(all, 2, 3, 4)
	set(1, of10.PortConfigDown)
	in(all)
	set(1, of10.PortConfigNoRecv)
	in(f)
	in(stp, 2, 3, 4)
	set(1, of10.PortConfigNoRecvSTP)
	in(f, 2, 3, 4)
	in(stp)
	r.must(with(add(0, of10.MatchAll()), func(m *of10.FlowMod) { m.Command = of10.FlowDelete }))
	set(1, of10.PortConfigNoPacketIn)
	r.frame(1, f)
	if got := r.messages(ctl); len(got) != 0 {
		t.Errorf("NO_PACKET_IN: got %v", got)
	}
	r.frame(2, f)
	one[*of10.PacketIn](t, r.messages(ctl))
	m := one[*of10.FeaturesReply](t, r.send(&of10.FeaturesRequest{}))
	if m.Ports[0].Config != of10.PortConfigNoPacketIn {
		t.Errorf("config reads back as %v", m.Ports[0].Config)
	}
	// Other connections hear of it, the one that did it does not.
	r.p.Connect(7, Primary)
	set(3, of10.PortConfigNoFlood)
	if got := r.messages(7); len(got) != 1 || got[0].Type() != of10.TypePortStatus {
		t.Errorf("the other controller got %v", got)
	}
}

func conformQueues(t *testing.T, r *rig) {
	r.addPort(9, QueueConfig{7, 500}, QueueConfig{1, 0xffff})
	m := one[*of10.QueueGetConfigReply](t, r.send(&of10.QueueGetConfigRequest{Port: 9}))
	want := []of10.PacketQueue{{QueueID: 1}, {QueueID: 7, Properties: []of10.QueueProperty{{Property: of10.QueuePropertyMinRate, MinRate: 500}}}}
	if diff := cmp.Diff(want, m.Queues); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f := ethFrame(1, 2, 0x88b5, 60)
	r.must(add(1, of10.MatchAll(), of10.Enqueue(9, 7)))
	r.frame(1, f)
	if len(r.out.Frames) != 1 || r.out.Frames[0].Queue != 7 || r.out.Frames[0].Port != 9 {
		t.Errorf("got %v", r.out.Frames)
	}
	r.must(add(1, of10.MatchAll(), of10.Enqueue(9, 8)))
	r.frame(1, f)
	wantPorts(t, r)
	r.must(add(1, of10.MatchAll(), of10.Enqueue(of10.PortInPort, 1)))
	r.frame(9, f)
	if len(r.out.Frames) != 1 || r.out.Frames[0].Queue != 1 || r.out.Frames[0].Port != 9 {
		t.Errorf("IN_PORT: got %v", r.out.Frames)
	}
	stats := func(port of10.Port, id uint32) of10.QueueStatsReply {
		m := one[*of10.StatsReply](t, r.send(&of10.StatsRequest{StatsType: of10.StatsQueue, Body: of10.QueueStatsRequest{PortNo: port, QueueID: id}}))
		return m.Body.(of10.QueueStatsReply)
	}
	both := of10.QueueStatsReply{{PortNo: 9, QueueID: 1, TxBytes: 60, TxPackets: 1}, {PortNo: 9, QueueID: 7, TxBytes: 60, TxPackets: 1}}
	if diff := cmp.Diff(both, stats(of10.PortAll, of10.QueueAll)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(both[1:], stats(9, 7)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := stats(1, of10.QueueAll); len(got) != 0 {
		t.Errorf("port without queues: %v", got)
	}
}

func conformEmergency(t *testing.T, r *rig) {
	if r.p.EnterEmergency(r.now, &r.out) {
		t.Error("entered emergency without emergency flows")
	}
	r.must(add(5, inPort(1), output(2)))
	r.must(with(add(5, inPort(2), output(3)), func(m *of10.FlowMod) { m.Flags = of10.FlowModEmerg }))
	r.frame(2, ethFrame(1, 2, 0x88b5, 60))
	wantPorts(t, r) // no frame meets an emergency flow
	r.p.Disconnect(ctl)
	r.out.Reset()
	if !r.p.EnterEmergency(r.now, &r.out) {
		t.Fatal("did not enter emergency")
	}
	r.frame(1, ethFrame(1, 2, 0x88b5, 60))
	wantPorts(t, r)
	r.frame(2, ethFrame(1, 2, 0x88b5, 60))
	wantPorts(t, r, 3)
	r.p.Connect(ctl, Primary)
	if fs := r.flows(); len(fs) != 1 || fs[0].Match.InPort != 2 {
		t.Errorf("flows %v", fs)
	}
}

func conformLargeReplies(t *testing.T, r *rig) {
	for i := range 1500 {
		m := of10.MatchAll()
		m.Wildcards &^= of10.WildDLVLAN
		m.DLVLAN = uint16(i)
		r.must(add(uint16(i), m, output(2), output(3)))
	}
	got := r.send(&of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{
		Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}})
	n := 0
	for i, m := range got {
		s := m.(*of10.StatsReply)
		if more := s.Flags&of10.StatsReplyMore != 0; more != (i < len(got)-1) || s.XID != r.xid {
			t.Errorf("part %d of %d: more %v, xid %d", i, len(got), more, s.XID)
		}
		n += len(s.Body.(of10.FlowStatsReply))
	}
	if n != 1500 || len(got) < 2 {
		t.Errorf("%d flows in %d parts", n, len(got))
	}
}

func conformTableFull(t *testing.T, _ *rig) {
	r := newRig(t, Config{MaxFlows: 2})
	r.must(add(1, inPort(1)))
	r.must(add(1, inPort(2)))
	r.must(add(1, inPort(2), output(1))) // identical: replaces
	fm := add(1, inPort(3))
	wantError(t, r.send(fm), of10.ErrorFlowModFailed, of10.FlowModFailedAllTablesFull, r.xid, encode(fm))
}

func conformRoles(t *testing.T, r *rig) {
	r.p.Connect(2, Primary)
	role := func(id ConnID, n byte) {
		t.Helper()
		r.out.Reset()
		r.p.HandleMessage(r.now, id, message(1, 4, 0, 0, 0x23, 0x20, 0, 0, 0, 10, 0, 0, 0, n), &r.out)
		m := one[*of10.Vendor](t, r.messages(id))
		if want := []byte{0, 0, 0, 11, 0, 0, 0, n}; !bytes.Equal(want, m.Data) {
			t.Errorf("role reply %x", m.Data)
		}
	}
	role(ctl, 1)
	role(2, 1) // the second master makes the first a slave
	fm := add(1, inPort(1))
	wantError(t, r.send(fm), of10.ErrorBadRequest, of10.BadRequestEPerm, r.xid, encode(fm))
	r.frame(1, ethFrame(1, 2, 0x88b5, 60))
	if len(r.messages(ctl)) != 0 || len(r.messages(2)) != 1 {
		t.Errorf("packet_in: slave got %d, master %d", len(r.messages(ctl)), len(r.messages(2)))
	}
	role(ctl, 0)
	r.must(fm)
}

func conformService(t *testing.T, r *rig) {
	r.p.Connect(5, Service)
	f := ethFrame(1, 2, 0x88b5, 60)
	r.frame(1, f)
	if got := r.messages(5); len(got) != 0 {
		t.Errorf("unasked: %v", got)
	}
	r.out.Reset()
	r.p.HandleMessage(r.now, 5, encode(&of10.SetConfig{MissSendLen: 20}), &r.out)
	r.frame(1, f)
	if got := one[*of10.PacketIn](t, r.messages(5)); len(got.Data) != 20 {
		t.Errorf("got %d bytes", len(got.Data))
	}
	if got := one[*of10.PacketIn](t, r.messages(ctl)); len(got.Data) != 60 {
		t.Errorf("the other connection's miss_send_len changed too: %d", len(got.Data))
	}
}

func conformRate(t *testing.T, _ *rig) {
	r := newRig(t, Config{PacketInRate: 100, PacketInBurst: 10})
	r.must(add(1, inPort(2), output(of10.PortController)))
	count := func(in of10.Port, n int) (got int) {
		for range n {
			r.frame(in, ethFrame(1, 2, 0x88b5, 60))
			got += len(r.messages(ctl))
		}
		return got
	}
	if got := count(1, 50); got != 10 {
		t.Errorf("%d misses passed, want the burst of 10", got)
	}
	if got := count(2, 50); got != 10 {
		t.Errorf("%d actions passed: they have a limit of their own", got)
	}
	r.now = r.now.Add(50 * time.Millisecond)
	if got := count(1, 50); got != 5 {
		t.Errorf("%d passed after 50 ms, want 5", got)
	}
	if n := r.p.Counters().PacketInsLimits; n != 50*3-25 {
		t.Errorf("%d counted as limited", n)
	}
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
