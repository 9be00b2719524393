package hypervisor_test

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

// After any time in which nothing happened, each kind of change of a slice's flows is
// in the journal soon.
func TestJournalAfterSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", nil)
		w.slice("red")
		w.rule("r", 100, "in_port=1|2", "red")
		sw := w.newSwitch(1, 4)
		sw.connect()
		flow := func(command of10.FlowModCommand, port of10.Port, idle uint16) *of10.FlowMod {
			m := flowOn(port, idle)
			m.Command = command
			return m
		}
		for _, change := range []struct {
			what string
			make func()
		}{
			{"the controller puts a flow in", func() { red.send(flow(of10.FlowAdd, 1, 0)) }},
			{"the controller changes it", func() { m := flow(of10.FlowModify, 1, 0); m.Actions = nil; red.send(m) }},
			{"the controller removes it", func() { red.send(flow(of10.FlowDelete, 1, 0)) }},
			{"the controller puts one in that ends by itself", func() { red.send(flow(of10.FlowAdd, 2, 3604)) }},
			{"it ends by itself", func() {}},
			{"the controller puts another one in", func() { red.send(flow(of10.FlowAdd, 1, 0)) }},
			{"the slice is gone and its flows with it", func() {
				if err := w.svc.RemoveSlice(t.Context(), hypervisor.Local(), "red", nil); err != nil {
					t.Fatal(err)
				}
			}},
		} {
			before := w.journal()
			bubble.Sleep(time.Hour)
			change.make()
			bubble.Sleep(3 * time.Second)
			if maps.Equal(before, w.journal()) {
				t.Errorf("%s, and the journal does not know", change.what)
			}
		}
	})
}
