package slicing

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// watcher follows the switch's table message by message: also between the messages
// of one change no frame may be taken by a flow of a slice that does not own it.
type watcher struct {
	rng    *rand.Rand
	table  *flowtable.Table
	slices map[uint64]string // by cookie
	before *flowspace.View
	wrong  string
	looked int
}

func (w *watcher) sent(r *rig, m of10.Message) {
	fm, ok := m.(*of10.FlowMod)
	if !ok {
		return
	}
	for _, e := range r.d.cookies.all() {
		if e.flow != nil {
			w.slices[e.cookie] = e.flow.slice.name
		}
	}
	if _, err := w.table.Apply(r.now, fm); err != nil {
		w.wrong = err.Error()
	}
	for range 12 {
		in := uint32(1 + w.rng.IntN(worldPorts))
		h := packet.Parse(randomPacket(w.rng), in)
		f := w.table.Lookup(&h)
		if f == nil || of10.ActionsEqual(f.Actions, toController) {
			continue
		}
		w.looked++
		name := w.slices[f.Cookie]
		now, before := r.d.view.Owner(&h), w.before.Owner(&h)
		if (now == nil || !now.Allows(name, flowspace.Write)) && (before == nil || !before.Allows(name, flowspace.Write)) {
			w.wrong = fmt.Sprintf("after %v: %+v is taken by %v of %s, its owner is %v", fm, h, f.Match, name, now)
		}
	}
}

func (w *watcher) heard(frame []byte) {
	if of10.PeekType(frame) != of10.TypeFlowRemoved {
		return
	}
	m := of10.FlowRemovedMatch(frame)
	if f := w.table.Find(m, of10.FlowRemovedPriority(frame)); f != nil && f.Cookie == of10.FlowRemovedCookie(frame) {
		w.table.Remove(f)
	}
}

func TestIsolationBetweenMessages(t *testing.T) {
	t.Parallel()
	looked := 0
	for seed := range uint64(120) {
		w := newWorld(t, 500000+seed)
		watch := &watcher{rng: rand.New(rand.NewPCG(seed, 9)), table: flowtable.NewTable(0), slices: map[uint64]string{}}
		w.r.watch = watch
		r := rand.New(rand.NewPCG(seed, 10))
		for range 60 {
			watch.before = w.r.d.view
			switch r.IntN(8) {
			case 0:
				w.respace(r)
			case 1:
				w.portMod(r)
			case 2:
				w.pass(1)
			case 3:
				in := of10.Port(1 + r.IntN(worldPorts))
				w.r.frame(in, randomPacket(r))
			default:
				w.flowMod(r)
			}
			w.r.got, w.r.sent, w.wrong = map[string][]Delivery{}, nil, ""
			if watch.wrong != "" {
				t.Fatalf("seed %d: %s\n%v", seed, watch.wrong, w.log)
			}
		}
		looked += watch.looked
	}
	if looked < 1000 {
		t.Errorf("only %d frames were looked at", looked)
	}
}
