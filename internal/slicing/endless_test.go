package slicing

import (
	"slices"
	"strings"
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// part passes a part of an answer in that promises more, and returns what it was answered with.
func (r *rig) part(xid uint32, body of10.StatsBody) *Out {
	r.t.Helper()
	typ := of10.StatsPort
	switch body.(type) {
	case of10.FlowStatsReply:
		typ = of10.StatsFlow
	case of10.QueueStatsReply:
		typ = of10.StatsQueue
	}
	out := new(Out)
	r.d.FromSwitch(r.now, encode(r.t, &of10.StatsReply{XID: xid, StatsType: typ, Flags: of10.StatsReplyMore, Body: body}), out)
	return out
}

// A switch whose statistics do not end does not fill the memory: what it has told is the answer.
func TestStatisticsWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ask  of10.StatsRequest
		part of10.StatsBody
		most int // entries in the answer
	}{
		"ports": {of10.StatsRequest{StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: of10.PortNone}},
			of10.PortStatsReply(slices.Repeat([]of10.PortStats{{PortNo: 1}}, 500)), 1 << 16},
		"queues": {of10.StatsRequest{StatsType: of10.StatsQueue, Body: of10.QueueStatsRequest{PortNo: of10.PortAll, QueueID: of10.QueueAll}},
			of10.QueueStatsReply(slices.Repeat([]of10.QueueStats{{PortNo: 1, QueueID: 1}}, 500)), 1 << 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 2, "100 any alice=7 queue=1")
			var out Out
			tt.ask.XID = 7
			r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, &tt.ask), &out)
			xid := of10.XID(out.Switch())
			answers, entries, ended := 0, 0, false
			for range 3 * tt.most / 500 {
				for d := range r.part(xid, tt.part).Deliveries() {
					m, err := of10.Parse(d.Frame)
					if err != nil {
						t.Fatal(err)
					}
					s, ok := m.(*of10.StatsReply)
					if !ok || s.XID != 7 {
						t.Fatalf("alice got %v", m)
					}
					answers++
					switch b := s.Body.(type) {
					case of10.PortStatsReply:
						entries += len(b)
					case of10.QueueStatsReply:
						entries += len(b)
					}
					ended = s.Flags&of10.StatsReplyMore == 0
				}
			}
			if answers == 0 || !ended || entries > tt.most+500 {
				t.Errorf("%d parts with %d entries, ended %v; want the last part, and at most %d entries", answers, entries, ended, tt.most)
			}
			if r.d.slices["alice"].jobs != 0 {
				t.Error("the request is still open")
			}
		})
	}
}

// A switch that goes on telling of its flows for ever is told to remove them.
func TestFlowsToAdoptWithoutEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=7")
	r.add("alice", "priority=5 actions=output:2")
	want := r.table()
	var events []string
	r.d.cfg.Report = func(e Event) { events = append(events, e.What) }
	var out Out
	r.d.Connect(r.now, r.features(), Adopt, &out)
	xid := r.d.adoption.xid
	flows := slices.Repeat(of10.FlowStatsReply{{Match: of10.MatchAll(), Priority: 9, Cookie: 1, Actions: []of10.Action{of10.Output(1, 0)}}}, 600)
	sent := 0
	for !r.d.Ready() {
		if sent += 600 * 96; sent > 2*MaxStatsReply {
			t.Fatalf("%d bytes of flows are kept", sent)
		}
		r.pump(r.part(xid, flows))
	}
	if sent < MaxStatsReply {
		t.Errorf("gave up after %d bytes", sent)
	}
	if len(events) != 1 || !strings.Contains(events[0], "more flows") {
		t.Errorf("reported %q", events)
	}
	if got := r.table(); !slices.Equal(got, want) {
		t.Errorf("in the switch are %q, want %q", got, want)
	}
	if r.part(xid, flows).Len() != 0 {
		t.Error("what comes later is not ignored")
	}
}
