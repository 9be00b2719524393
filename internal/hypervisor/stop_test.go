package hypervisor_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// What waits for a slow controller when govisor stops is sent before the end.
func TestStopSendsWhatIsQueued(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		slow := w.controller("red", nil)
		slow.pipe, slow.deaf = 1000, true
		w.slice("red")
		w.rule("all", 100, "in_port=1", "red")
		sw := w.newSwitch(1, 2)
		ours, theirs := ofwire.Pipe()
		w.wg.Go(func() { _ = sw.sw.Serve(w.ctx, theirs, ofswitch.Primary) })
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.switches.ServeConn(ctx, ours) }()
		synctest.Wait()
		const n = 100
		for range n {
			sw.inject(1, ethernet(1, 2))
		}
		stop()
		synctest.Wait()
		got := 0
		for r := ofwire.NewReader(slow.conns[0], 4096); ; {
			frame, err := r.Next()
			if err != nil {
				break
			}
			if m, err := of10.Parse(bytes.Clone(frame)); err == nil && m.Type() == of10.TypePacketIn {
				got++
			}
		}
		if got != n {
			t.Errorf("the controller got %d packet_ins of %d", got, n)
		}
		if err := <-ended; !errors.Is(err, ofconn.ErrStopping) {
			t.Errorf("ServeConn = %v, want ErrStopping", err)
		}
	})
}
