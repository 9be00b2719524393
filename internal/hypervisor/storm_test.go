package hypervisor_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

// A network that comes back at once, behind a crowd that says nothing: every switch
// and slice is served, and again after all have gone and come back.
func TestStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: -1})
		red, blue := w.controller("red", flood), w.controller("blue", flood)
		w.slice("red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1", "red")
		w.rule("b", 100, "in_port=2", "blue")
		var quiet []net.Conn
		for range 1000 {
			ours, theirs := ofwire.Pipe()
			quiet = append(quiet, theirs)
			w.wg.Go(func() { _ = w.switches.ServeConn(w.ctx, ours) })
		}
		const n = 40
		var fleet []*fakeSwitch
		for i := range n {
			fleet = append(fleet, w.newSwitch(ofwire.DatapathID(i+1), 2))
		}
		var hang []func()
		for round := range 2 {
			begin := time.Now()
			for _, f := range fleet {
				hang = append(hang, f.connect())
			}
			for red.connections() < n || blue.connections() < n {
				if time.Since(begin) > 4*time.Second { // before the silent ones are thrown out
					t.Fatalf("round %d: %d and %d of %d switches reached their controllers", round, red.connections(), blue.connections(), n)
				}
				<-time.After(10 * time.Millisecond)
			}
			for _, h := range hang {
				h()
			}
			hang = nil
			<-time.After(time.Second)
			if red.connections() != 0 || blue.connections() != 0 {
				t.Fatalf("round %d: %d and %d connections are left over", round, red.connections(), blue.connections())
			}
		}
		for _, c := range quiet {
			_ = c.Close()
		}
	})
}
