package slicing

import (
	"fmt"
	"testing"

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
