package ofswitch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

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

func conformTableFull(t *testing.T, _ *rig) {
	r := newRig(t, Config{MaxFlows: 2})
	r.must(add(1, inPort(1)))
	r.must(add(1, inPort(2)))
	r.must(add(1, inPort(2), output(1))) // identical: replaces
	fm := add(1, inPort(3))
	wantError(t, r.send(fm), of10.ErrorFlowModFailed, of10.FlowModFailedAllTablesFull, r.xid, encode(fm))
}
