package hypervisor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

// The rate of a connection is what its controller has sent from one look to the next, to the message; looks within a second see
// the same, and another slice's messages are not in it.
func TestRateOfConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: time.Hour})
		red, blue := w.controller("red", nil), w.controller("blue", nil)
		w.slice("red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1", "red")
		w.rule("b", 100, "in_port=2", "blue")
		w.newSwitch(1, 2).connect()
		rates := func() map[string]float64 {
			synctest.Wait()
			got := map[string]float64{}
			for _, slice := range []string{"red", "blue"} {
				h, err := w.svc.SliceHealth(hypervisor.Local(), slice)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range h.Connections {
					got[slice] += c.Rate
				}
			}
			return got
		}
		pass := func(d time.Duration) { <-time.After(d) }
		for i, step := range []struct {
			red, blue int // messages sent
			then      time.Duration
			want      map[string]float64
		}{
			{0, 0, 0, map[string]float64{"red": 0, "blue": 0}}, // the first look has nothing to compare with
			{0, 0, time.Second, map[string]float64{"red": 0, "blue": 0}},
			{10, 3, time.Second, map[string]float64{"red": 10, "blue": 3}},
			{50, 50, 999 * time.Millisecond, map[string]float64{"red": 10, "blue": 3}},
			{50, 4, 1001 * time.Millisecond, map[string]float64{"red": 50, "blue": 27}},
			{5, 0, 10 * time.Second, map[string]float64{"red": 0.5, "blue": 0}},
			{0, 0, time.Second, map[string]float64{"red": 0, "blue": 0}},
		} {
			for range step.red {
				red.send(&of10.EchoRequest{XID: 1})
			}
			for range step.blue {
				blue.send(&of10.BarrierRequest{XID: 1})
			}
			pass(step.then)
			if diff := cmp.Diff(step.want, rates()); diff != "" {
				t.Errorf("look %d (-want +got):\n%s", i, diff)
			}
		}
	})
}
