package hypervisor_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// waitFor polls what happens on real sockets.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A passive switch is connected to, again and again until it is there.
func TestPassiveSwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hypervisor.SwitchOptions{Backoff: ofconn.Backoff{Min: 10 * time.Millisecond, Max: 20 * time.Millisecond}})
	red := w.controller("red", flood)
	w.slice("red")
	w.rule("r", 100, "any", "red")
	path := filepath.Join(t.TempDir(), "sw.sock")
	w.wg.Go(func() {
		if err := w.switches.Connect(w.ctx, ofwire.Target{Scheme: "unix", Path: path}); !errors.Is(err, context.Canceled) {
			t.Errorf("Connect = %v", err)
		}
	})
	waitFor(t, "the first failure", func() bool { return logged(w, "cannot reach switch") })
	cfg := ofswitch.SwitchConfig{Controllers: []ofwire.Target{{Scheme: "punix", Path: path}}}
	cfg.DatapathID = 7
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.wg.Go(func() { _ = sw.Run(w.ctx) })
	waitFor(t, "the slice's controller", func() bool { return red.connections() == 1 })
	if _, err := w.svc.Datapath(hypervisor.Local(), 7); err != nil {
		t.Error(err)
	}
}

// chaos writes well-framed messages of random types and bodies until the other
// side hangs up.
func chaos(nc net.Conn, r *rand.Rand, n int) {
	for range n {
		b := make([]byte, 8+r.IntN(200))
		for i := range b {
			b[i] = byte(r.Uint32())
			if r.IntN(3) == 0 {
				b[i] = 0
			}
		}
		b[0], b[1] = ofwire.Version10, byte(r.IntN(24))
		b[2], b[3] = 0, byte(len(b))
		if _, err := nc.Write(b); err != nil {
			return
		}
	}
}

// Nonsense in well-formed frames, from a controller and from another switch,
// disturbs nobody else and faults nothing.
func TestNonsenseFromPeers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		nonsenseFromPeers(t, seed)
	}
}

func nonsenseFromPeers(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: -1})
		w.controller("red", flood)
		mad := w.controller("mad", nil)
		w.slice("red")
		w.slice("mad")
		w.rule("r", 100, "in_port=1|2", "red")
		w.rule("m", 100, "in_port=3|4", "mad")
		sw := w.newSwitch(1, 4)
		sw.connect()
		mad.mu.Lock()
		conn := mad.conns[0]
		mad.mu.Unlock()
		r := rand.New(rand.NewPCG(seed, 0))
		chaos(conn, r, 5000)
		synctest.Wait()
		sw.received()
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 || len(got) != 1 {
			t.Errorf("seed %d: frame of the other slice arrived at %v", seed, got)
		}
		if mad.connections() != 1 {
			t.Errorf("seed %d: messages that are refused ended the connection", seed)
		}
		ours, theirs := ofwire.Pipe()
		w.wg.Go(func() { _ = w.switches.ServeConn(w.ctx, ours) })
		defer theirs.Close()
		for _, m := range []of10.Message{&of10.Hello{}, &of10.FeaturesReply{DatapathID: 2, Ports: []of10.PhyPort{{PortNo: 1}, {PortNo: 3}}}, &of10.StatsReply{XID: 0x67760001, StatsType: of10.StatsFlow}} {
			b, err := m.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = theirs.Write(b)
		}
		go func() {
			buf := make([]byte, 4096)
			for {
				if _, err := theirs.Read(buf); err != nil {
					return
				}
			}
		}()
		chaos(theirs, r, 5000)
		synctest.Wait()
		sw.inject(2, ethernet(2, 1))
		if got := sw.received(); got[1] != 1 || len(got) != 1 {
			t.Errorf("seed %d: frame on the other switch arrived at %v", seed, got)
		}
		for _, e := range w.logs.AllEntries() {
			if e.Data["stack"] != nil {
				t.Errorf("seed %d: %s\n%s", seed, e.Message, e.Data["stack"])
			}
		}
	})
}
