package slicing

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire/of10"
)

// unreferenced fails the test if anything refers to a flow whose memory is about to be
// used again.
func (r *rig) unreferenced(f *vflow) {
	fail := func(by string) { panic(fmt.Sprintf("%v, which is to be used again, is known to %s", f.flow.Match, by)) }
	entry := func(e *entry, by string) {
		if e != nil && (e.flow == f || e == &f.firstEntry) {
			fail(by)
		}
	}
	for i := range r.d.pending.n {
		p := r.d.pending.at(i)
		entry(p.entry, "a message")
		entry(p.replaced, "a message that replaces it")
		if t := p.txn; t != nil {
			if t.added == f || t.replaced == f {
				fail("a flow_mod")
			}
			for _, u := range t.modified {
				if u.flow == f {
					fail("a MODIFY")
				}
			}
		}
		if p.full != nil && p.full.stats != nil {
			if _, ok := p.full.stats.sums[f]; ok {
				fail("statistics")
			}
		}
	}
	for _, e := range r.d.cookies.all() {
		entry(e, "the cookies")
	}
	slot := func(s *slot) {
		entry(s.entry, "a slot")
		for _, p := range s.cands {
			if p.flow == f || p == &f.first {
				fail("a slot")
			}
		}
	}
	for _, s := range r.d.slots {
		slot(s)
	}
	for _, s := range r.d.points {
		slot(s)
	}
	for _, list := range [][]*vflow{r.d.deadlines, r.d.touched, r.d.aways, r.d.placed()} {
		for _, v := range list {
			if v == f {
				fail("the datapath")
			}
		}
	}
	if _, ok := r.d.dependent[f]; ok {
		fail("the flows that depend on rules elsewhere")
	}
}

// What is replaced makes room for what replaces it, once the switch has confirmed that.
func TestMemoryOfReplacedFlows(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "10 in_port=1 alice=7", "10 in_port=2 alice=7", "10 in_port=3 alice=7", "5 any bob=7")
	var spare []*vflow
	r.d.reusing = func(f *vflow) {
		r.unreferenced(f)
		spare = append(spare, f)
	}
	r.onWay = &onWay{}
	for n := range 5 {
		r.add("alice", fmt.Sprintf("in_port=1,idle_timeout=%d actions=output:%d", n+9, 2+n%2))
	}
	if len(spare) != 0 {
		t.Errorf("%d flows are spare before the switch has confirmed anything", len(spare))
	}
	r.send("alice", &of10.BarrierRequest{})
	r.quiet()
	if len(spare) != 4 {
		t.Errorf("%d flows of 5 are spare, want all but the last", len(spare))
	}
}

// The fast path and other datapaths run beside flows that replace each other, whose memory
// all of them share; the race detector watches.
func TestFastPacketInBesideReplacedFlows(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 2 {
		r := newRig(t, 4, "100 in_port=1 alice=7", "100 in_port=2 alice=7", "50 any bob=7,carol=2")
		stop := make(chan struct{})
		wg.Go(func() {
			var out Out
			frame := encode(t, &of10.PacketIn{BufferID: 9, TotalLen: 60, InPort: 1, Data: pkt{}.bytes()})
			for {
				select {
				case <-stop:
					return
				default:
				}
				out.Reset()
				r.d.FastPacketIn(frame, &out)
			}
		})
		wg.Go(func() {
			defer close(stop)
			pound(t, r)
		})
	}
	wg.Wait()
}

// pound lets flows replace each other in many ways.
func pound(t *testing.T, r *rig) {
	views := []*flowspace.View{r.fs.View(testDPID), space(t, "100 in_port=1 alice=7", "100 in_port=2 alice=7", "70 in_port=3 carol=7", "50 any bob=7,carol=2").View(testDPID)}
	reused := 0
	r.d.reusing = func(f *vflow) { r.unreferenced(f); reused++ }
	for n := range 400 {
		var out Out
		say := func(slice, text string) {
			m := flowMod(t, text)
			m.Flags |= of10.FlowModSendFlowRem
			r.d.FromController(r.now, slice, Conn{ID: 1}, encode(t, m), &out)
		}
		say("alice", fmt.Sprintf("in_port=1,idle_timeout=%d,hard_timeout=9 actions=output:%d", 1+n%5, 1+n%2))
		say("alice", "in_port=2 actions=output:1")
		say("bob", fmt.Sprintf("in_port=3,priority=%d actions=output:2", n%3))
		r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, &of10.StatsRequest{XID: 1, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}}), &out)
		say("alice", fmt.Sprintf("%s actions=output:%d", exactPoint, 1+n%2))
		r.d.AppendSaved(nil, "alice")
		switch n % 8 {
		case 2:
			r.d.SetView(r.now, views[n/8%2], &out)
		case 4:
			for _, e := range r.d.entries() {
				if e.kind == kindFlow && e.cookie%3 == 0 {
					r.d.FromSwitch(r.now, encode(t, &of10.FlowRemoved{Match: e.match(), Cookie: e.cookie, Reason: of10.RemovedIdleTimeout, PacketCount: 1}), &out)
				}
			}
		case 6:
			r.now = r.now.Add(3 * time.Second)
			r.d.Tick(r.now, &out)
		case 7:
			r.d.FromController(r.now, "bob", Conn{ID: 1}, encode(t, &of10.BarrierRequest{XID: 4}), &out)
			r.d.FromSwitch(r.now, encode(t, &of10.BarrierReply{XID: r.d.xid}), &out)
		}
	}
	if reused < 50 {
		t.Errorf("the memory of %d flows was used again, want many", reused)
	}
}
