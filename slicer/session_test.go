package slicer_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
	"github.com/govisor/govisor/slicer"
)

func TestControllerConnects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1")
		s, d := start(t, n, controllers("c1"))
		c1 := n.accept(t, "c1")
		send(t, c1, msg(of10.TypeFeaturesRequest, 7, 8))
		if got := receive(t, c1); of10.Type(got[1]) != of10.TypeFeaturesRequest || got[7] != 7 {
			t.Errorf("answer is %x", got)
		}
		synctest.Wait()
		if got := s.Status(); got.State != slicer.Connected || got.Connects != 1 || got.Attempts != 1 {
			t.Errorf("status is %+v", got)
		}
		if diff := cmp.Diff([]of10.Type{of10.TypeFeaturesRequest}, d.got); diff != "" {
			t.Errorf("handled (-want +got):\n%s", diff)
		}
	})
}

func TestBackoffAndReconnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1")
		n.set("c1", true)
		begin := time.Now()
		s, _ := start(t, n, controllers("c1"))
		bubble.Sleep(time.Minute)
		// 0, 1, 3, 7, 15, 30, 45, 60 s, each pause up to a quarter shorter.
		if got := len(n.dialled()); got < 7 || got > 10 {
			t.Errorf("%d attempts in a minute", got)
		}
		if got := s.Status(); got.State != slicer.Waiting || got.LastError != "connection refused" || !got.Retry.After(time.Now()) {
			t.Errorf("status is %+v", got)
		}
		n.set("c1", false)
		c1 := n.accept(t, "c1")
		if got := time.Since(begin); got > 80*time.Second {
			t.Errorf("reconnected after %v", got)
		}
		bubble.Sleep(time.Minute)
		_ = c1.Close()
		synctest.Wait()
		lost := time.Now()
		n.accept(t, "c1")
		if got := time.Since(lost); got != 0 {
			t.Errorf("a connection that held for a minute was tried again after %v", got)
		}
		synctest.Wait()
		if got := s.Status(); got.State != slicer.Connected || got.Connects != 2 {
			t.Errorf("status is %+v", got)
		}
	})
}

// A controller that accepts and closes at once must not be dialled in a loop.
func TestNoTightLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1")
		go func() {
			for {
				select {
				case nc := <-n.accepted["c1"]:
					_, _ = nc.Write(msg(of10.TypeHello, 1, 8))
					_ = nc.Close()
				case <-t.Context().Done():
					return
				}
			}
		}()
		start(t, n, controllers("c1"))
		bubble.Sleep(time.Minute)
		if got := len(n.dialled()); got > 10 {
			t.Errorf("%d attempts in a minute", got)
		}
	})
}

func TestFailOverAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1", "c2")
		s, d := start(t, n, controllers("c1", "c2"))
		c1 := n.accept(t, "c1")
		bubble.Sleep(time.Minute)
		n.set("c1", true)
		_ = c1.Close()
		lost := time.Now()
		c2 := n.accept(t, "c2")
		if got := time.Since(lost); got != 0 {
			t.Errorf("fail-over took %v", got)
		}
		synctest.Wait()
		if got := s.Status(); got.State != slicer.Connected || got.Controller.Name != "c2" {
			t.Errorf("status is %+v", got)
		}
		n.set("c1", false)
		bubble.Sleep(time.Hour)
		send(t, c2, msg(of10.TypeBarrierRequest, 1, 8))
		receive(t, c2)
		if diff := cmp.Diff([]string{"c1", "c2"}, n.dialled()); diff != "" {
			t.Errorf("dialled (-want +got):\n%s", diff)
		}
		if d.peak != 1 || d.up != 1 {
			t.Errorf("up is %d and was %d at most, want 1", d.up, d.peak)
		}
	})
}

func TestHandshakeFailureTriesTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1", "c2")
		s, _ := start(t, n, controllers("c1", "c2"))
		nc := <-n.accepted["c1"]
		send(t, nc, []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		n.accept(t, "c2")
		synctest.Wait()
		if got := s.Status(); got.State != slicer.Connected || got.Controller.Name != "c2" {
			t.Errorf("status is %+v", got)
		}
		if _, err := io.ReadAll(nc); err != nil {
			t.Errorf("the first connection was not closed: %v", err)
		}
	})
}

func TestReadOnlyControllers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1", "spy")
		s, d := start(t, n, controllers("c1", "!spy"))
		c1, spy := n.accept(t, "c1"), n.accept(t, "spy")
		synctest.Wait()
		s.Send(slicing.AllConns, 0, msg(of10.TypePacketIn, 5, 40))
		s.Flush(nil)
		for _, nc := range []net.Conn{c1, spy} {
			if got := receive(t, nc); of10.Type(got[1]) != of10.TypePacketIn {
				t.Errorf("got %x, want the packet_in", got)
			}
		}
		send(t, spy, msg(of10.TypeStatsRequest, 9, 12))
		if got := receive(t, spy); got[7] != 9 {
			t.Errorf("got %x, want the answer", got)
		}
		send(t, c1, msg(of10.TypeBarrierRequest, 10, 8))
		if got := receive(t, c1); got[7] != 10 {
			t.Errorf("c1 got %x, want only its own answer", got)
		}
		if !d.ids[0].ReadOnly || d.ids[1].ReadOnly {
			t.Errorf("messages came from %+v", d.ids)
		}
		if got := s.Status(); got.Controller.Name != "c1" {
			t.Errorf("status is of %v", got.Controller)
		}
		// Losing the primary leaves the reader alone, and the other way round.
		_ = c1.Close()
		synctest.Wait()
		s.Send(slicing.AllConns, 0, msg(of10.TypePacketIn, 6, 40))
		s.Flush(nil)
		if got := receive(t, spy); got[7] != 6 {
			t.Errorf("spy got %x", got)
		}
	})
}

// A controller that asks for the role of a slave hears of ports only and changes nothing,
// until it asks for another.
func TestSlaveRole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1")
		s, d := start(t, n, controllers("c1"))
		c1 := n.accept(t, "c1")
		tell := func(xid uint32) {
			for _, typ := range []of10.Type{of10.TypePacketIn, of10.TypeFlowRemoved, of10.TypePortStatus} {
				s.Send(slicing.AllConns, 0, msg(typ, xid, 40))
			}
			s.Flush(nil)
		}
		for role, hears := range []bool{true, true, false} { // other, master, slave
			request := append(msg(of10.TypeVendor, 1, 20)[:8], 0, 0, 0x23, 0x20, 0, 0, 0, 10, 0, 0, 0, byte(role))
			send(t, c1, request)
			receive(t, c1) // its answer
			tell(uint32(10 + role))
			if hears {
				receive(t, c1)
				receive(t, c1)
			}
			if got := receive(t, c1); of10.Type(got[1]) != of10.TypePortStatus || got[7] != byte(10+role) {
				t.Errorf("role %d: got %x, want the port_status", role, got)
			}
			if d.mu.Lock(); d.ids[role].Slave == hears {
				t.Errorf("role %d: messages come from %+v", role, d.ids[role])
			}
			d.mu.Unlock()
		}
	})
}

func TestConfigChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1", "c2", "spy")
		s, d := start(t, n, controllers())
		synctest.Wait()
		if got := s.Status(); got.State != slicer.Idle {
			t.Errorf("status without controllers is %+v", got)
		}
		s.SetConfig(controllers("c1", "!spy"))
		c1, spy := n.accept(t, "c1"), n.accept(t, "spy")
		s.SetConfig(controllers("c2", "c1")) // c1 stays: it works
		if b, err := io.ReadAll(spy); err != nil || len(b) != 0 {
			t.Errorf("spy: read %x, %v; want only the end", b, err)
		}
		send(t, c1, msg(of10.TypeBarrierRequest, 3, 8))
		receive(t, c1)
		s.SetConfig(controllers("c2"))
		begin := time.Now()
		if b, err := io.ReadAll(c1); err != nil || len(b) != 0 {
			t.Errorf("c1: read %x, %v; want only the end", b, err)
		}
		n.accept(t, "c2")
		if got := time.Since(begin); got != 0 {
			t.Errorf("the change took %v", got)
		}
		synctest.Wait()
		if got := s.Status(); got.State != slicer.Connected || got.Controller.Name != "c2" || d.up != 1 {
			t.Errorf("status is %+v, %d controllers up", got, d.up)
		}
		// A change ends a pause too.
		n.set("c2", true)
		s.SetConfig(controllers())
		synctest.Wait()
		s.SetConfig(controllers("c2"))
		bubble.Sleep(time.Hour)
		s.SetConfig(controllers("c1"))
		begin = time.Now()
		n.accept(t, "c1")
		if got := time.Since(begin); got != 0 {
			t.Errorf("the change took %v during a pause", got)
		}
	})
}

func TestNothingOfAnOldConnectionReachesTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1")
		s, d := start(t, n, controllers("c1"))
		c1 := n.accept(t, "c1")
		send(t, c1, msg(of10.TypeStatsRequest, 9, 12))
		receive(t, c1)
		old := d.ids[0].ID
		bubble.Sleep(time.Minute)
		_ = c1.Close()
		n.accept(t, "c1")
		synctest.Wait()
		if s.Send(old, 0, msg(of10.TypeStatsReply, 9, 12)) {
			t.Error("a late answer was queued")
		}
		if got := s.Counters().Dropped(uint8(of10.TypeStatsReply)); got != 1 {
			t.Errorf("%d late answers counted", got)
		}
	})
}

func TestRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1")
		cfg := controllers("c1")
		lim := &limits.Slice{}
		lim.SetRates(limits.Rates{Messages: 10, PacketIns: 2}, time.Now())
		cfg.Limits = []*limits.Slice{nil, lim}
		s, d := start(t, n, cfg)
		c1 := n.accept(t, "c1")
		for i := range uint32(40) {
			send(t, c1, msg(of10.TypeFlowMod, i, 72))
		}
		bubble.Sleep(1950 * time.Millisecond)
		// 10 at once and 10 a second; the one that waits has been handled already.
		if got := d.received(); got != 30 {
			t.Errorf("%d messages handled in two seconds at 10/s, want 30", got)
		}
		bubble.Sleep(2 * time.Second)
		if got := d.received(); got != 40 {
			t.Errorf("%d messages handled in the end, want 40: none is dropped", got)
		}
		for range 5 {
			s.Send(slicing.AllConns, 0, msg(of10.TypePacketIn, 1, 20))
		}
		if got := s.Counters().Dropped(uint8(of10.TypePacketIn)); got != 3 {
			t.Errorf("%d packet_ins dropped, want 3", got)
		}
	})
}

// A switch that does not read stops the reader of the controller, not its
// messages' order; and a controller that does not read is not read from.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork("c1")
		n.size = 1000
		_, d := start(t, n, controllers("c1"))
		ours, far := ofwire.PipeSize(100)
		d.sw = ofconn.New(ours, ofconn.Config{Handler: nopHandler{}, SoftLimit: 500, EchoInterval: -1})
		go func() { _ = d.sw.Run(t.Context()) }()
		defer d.sw.Close(nil)
		c1 := n.accept(t, "c1")
		sent := make(chan struct{})
		go func() {
			for i := range uint32(200) {
				if _, err := c1.Write(msg(of10.TypeFlowMod, i, 100)); err != nil {
					t.Error(err)
				}
			}
			close(sent)
		}()
		synctest.Wait()
		stuck := d.received()
		if stuck > 60 || d.sw.Queued() > 2200 {
			t.Errorf("%d messages handled and %d bytes queued although nobody reads", stuck, d.sw.Queued())
		}
		go func() { _, _ = io.Copy(io.Discard, far) }()
		synctest.Wait()
		if got := d.received(); got == stuck || got == 200 {
			t.Errorf("%d messages handled although the controller does not read its answers", got)
		}
		for i := range uint32(200) {
			if got := binary.BigEndian.Uint32(receive(t, c1)[4:]); got != i {
				t.Fatalf("answer %d has xid %d", i, got)
			}
		}
		<-sent
	})
}

type nopHandler struct{}

func (nopHandler) HandleFrame([]byte) error { return nil }
func (nopHandler) BatchDone(*ofconn.Batch)  {}
