package ofconn

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govisor/govisor/ofwire"
)

// count is a handler that counts, and answers each message with itself.
type count struct {
	n    atomic.Int64
	conn *Conn
}

func (h *count) HandleFrame(frame []byte) error {
	h.n.Add(1)
	h.conn.Append(frame, Droppable)
	return nil
}

func (h *count) BatchDone() {}

// dial runs a connection that takes turns over TCP and returns its peer.
func dial(t *testing.T, loop *Loop, h *count) net.Conn {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	h.conn = New(ours, Config{Handler: h, EchoInterval: -1, Loop: loop})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = h.conn.Run(context.Background()) }()
	t.Cleanup(func() { _ = peer.Close(); <-ended })
	return peer
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("waited 20 s: ", what)
		}
	}
}

// A peer that sends without end gets no further while all lanes are taken; one that
// sends a message now and then is served meanwhile. When a lane is free it goes on.
func TestEndlessPeersTakeTurns(t *testing.T) {
	for range cap(lanes) {
		lanes <- struct{}{}
	}
	var endless, modest count
	loop := NewLoops(1)[0]
	flooding, asking := dial(t, loop, &endless), dial(t, loop, &modest)
	message := []byte{ofwire.Version10, 4, 0, 8, 0, 0, 0, 1}
	go func() { _, _ = io.Copy(io.Discard, flooding) }()
	go func() {
		batch := make([]byte, 0, 64<<10)
		for len(batch) < cap(batch) {
			batch = append(batch, message...)
		}
		for {
			if _, err := flooding.Write(batch); err != nil {
				return
			}
		}
	}()
	await(t, "the endless peer waits for a lane", func() bool { return bulk.Load() == 1 })
	before := endless.n.Load()
	for range 100 {
		if _, err := asking.Write(message); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(asking, make([]byte, len(message))); err != nil {
			t.Fatal(err)
		}
	}
	if n := endless.n.Load(); n != before {
		t.Errorf("without a lane the endless peer got %d messages further", n-before)
	}
	for range cap(lanes) {
		<-lanes
	}
	await(t, "the endless peer goes on", func() bool { return endless.n.Load() > before+100_000 })
	_ = flooding.Close()
	await(t, "it leaves its lane", func() bool { return bulk.Load() == 0 && len(lanes) == 0 })
}

// Whoever has something to do counts once between two turns, and not when it is one of
// those who take them.
func TestWhoIsBusy(t *testing.T) {
	busy.Store(0)
	a, b, open := lane{fair: true}, lane{fair: true}, make(chan struct{})
	a.handled()
	a.handled()
	b.handled()
	if n := busy.Load(); n != 2 {
		t.Errorf("%d are busy, want 2", n)
	}
	b.take(open)
	b.handled()
	if n := busy.Load(); n != 1 || !b.in {
		t.Errorf("beside the one in a lane %d are busy, want 1", n)
	}
	b.take(open)
	a.handled()
	if n := busy.Load(); n != 1 {
		t.Errorf("after a turn %d are busy, want 1", n)
	}
	b.leave()
	unfair := lane{}
	unfair.next(open)
	unfair.handled()
	if n := busy.Load(); n != 1 || unfair.in || bulk.Load() != 0 {
		t.Errorf("one that takes no part counts: %d busy, %d in lanes", n, bulk.Load())
	}
	busy.Store(0)
}
