package hypervisor_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

// journal is what it has for each slice on the datapath 1.
func (w *world) journal() map[string]string {
	w.t.Helper()
	values, err := w.svc.Journal().Load(1)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for k, v := range values {
		name, _, _ := strings.Cut(k, "/")
		out[name] = string(v)
	}
	return out
}

func flowOn(port of10.Port, idle uint16) *of10.FlowMod {
	m := of10.MatchAll()
	m.InPort, m.Wildcards = port, m.Wildcards&^of10.WildInPort
	return &of10.FlowMod{XID: 7, Match: m, IdleTimeout: idle, Priority: 9, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(port, 0)}}
}

// What goes with one slice does not make up for what another one gets.
func TestJournalWhenSliceGoesAndAnotherChanges(t *testing.T) {
	t.Parallel()
	for before := range 16 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, hypervisor.SwitchOptions{})
			red, blue := w.controller("red", nil), w.controller("blue", nil)
			w.slice("red")
			w.slice("blue")
			w.rule("r", 100, "in_port=1", "red")
			w.rule("b", 100, "in_port=2", "blue")
			w.newSwitch(1, 4).connect()
			for range before {
				red.send(flowOn(1, 0))
			}
			bubble.Sleep(time.Minute)
			if err := w.svc.RemoveSlice(t.Context(), hypervisor.Local(), "red", nil); err != nil {
				t.Fatal(err)
			}
			blue.send(flowOn(2, 0))
			bubble.Sleep(time.Minute)
			if got := w.journal(); len(got) != 1 || got["blue"] == "" {
				t.Errorf("red had sent %d flow_mods: the journal has %x, want blue's flow", before, got)
			}
		})
	}
}

// A flow that ends where the switch has nothing of it ends in the journal too.
func TestJournalOfFlowThatIsNowhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", nil)
		w.slice("red")
		w.rule("r", 100, "in_port=1", "red")
		w.slice("blue")
		w.newSwitch(1, 4).connect()
		red.send(flowOn(1, 100))
		bubble.Sleep(10 * time.Second)
		w.rule("b", 200, "in_port=1", "blue") // hides r
		bubble.Sleep(10 * time.Second)
		if got := w.journal(); got["red"] == "" {
			t.Fatal("the flow has ended with its space; this tests nothing")
		}
		bubble.Sleep(200 * time.Second)
		if got := w.journal(); got["red"] != "" {
			t.Errorf("the flow has ended long ago; the journal has %x", got)
		}
	})
}
