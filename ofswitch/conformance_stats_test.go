package ofswitch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

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
