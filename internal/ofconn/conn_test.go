package ofconn_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

const (
	typeError     = 1
	typeEchoReq   = 2
	typeEchoReply = 3
	typePacketIn  = 10
	typeFlowMod   = 14
)

// msg is a frame of n bytes.
func msg(typ uint8, xid uint32, n int) []byte {
	b := make([]byte, n)
	b[0], b[1] = ofwire.Version10, typ
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	binary.BigEndian.PutUint32(b[4:], xid)
	return b
}

func xid(b []byte) uint32 { return binary.BigEndian.Uint32(b[4:]) }

// recorder is a handler that keeps what it gets.
type recorder struct {
	mu      sync.Mutex
	frames  [][]byte
	batches int
	each    func(frame []byte) error
}

func (r *recorder) HandleFrame(frame []byte) error {
	r.mu.Lock()
	r.frames = append(r.frames, bytes.Clone(frame))
	r.mu.Unlock()
	if r.each != nil {
		return r.each(frame)
	}
	return nil
}

func (r *recorder) BatchDone(*ofconn.Batch) {
	r.mu.Lock()
	r.batches++
	r.mu.Unlock()
}

// start runs a connection over one end of a pipe of size bytes and returns the
// other end. wait returns what Run returned.
func start(t *testing.T, size int, cfg ofconn.Config) (c *ofconn.Conn, peer net.Conn, wait func() error) {
	t.Helper()
	ours, peer := ofwire.PipeSize(size)
	if cfg.Handler == nil {
		cfg.Handler = &recorder{}
	}
	c = ofconn.New(ours, cfg)
	done := make(chan error, 1)
	go func() { done <- c.Run(t.Context()) }()
	t.Cleanup(func() { _ = peer.Close() })
	return c, peer, func() error { return <-done }
}

func readFrame(t *testing.T, r io.Reader) []byte {
	t.Helper()
	b := make([]byte, 8)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatalf("reading a header: %v", err)
	}
	b = append(b, make([]byte, binary.BigEndian.Uint16(b[2:])-8)...)
	if _, err := io.ReadFull(r, b[8:]); err != nil {
		t.Fatalf("reading a body: %v", err)
	}
	return b
}

func send(t *testing.T, w io.Writer, frames ...[]byte) {
	t.Helper()
	if _, err := w.Write(bytes.Join(frames, nil)); err != nil {
		t.Fatal(err)
	}
}

func TestFramesReachTheHandlerInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		c, peer, wait := start(t, 1<<16, ofconn.Config{Handler: rec})
		send(t, peer, msg(typePacketIn, 1, 100), msg(0, 9, 8), msg(typeEchoReq, 2, 12), msg(typeFlowMod, 3, 72))
		synctest.Wait()
		if diff := cmp.Diff([][]byte{msg(typePacketIn, 1, 100), msg(typeFlowMod, 3, 72)}, rec.frames); diff != "" {
			t.Errorf("handled frames (-want +got):\n%s", diff)
		}
		if rec.batches != 1 {
			t.Errorf("BatchDone called %d times for one batch", rec.batches)
		}
		if diff := cmp.Diff(msg(typeEchoReply, 2, 12), readFrame(t, peer)); diff != "" {
			t.Errorf("echo reply (-want +got):\n%s", diff)
		}
		if got := c.Counters().Received(typePacketIn); got != 1 {
			t.Errorf("counted %d packet_ins, want 1", got)
		}
		_ = peer.Close()
		if err := wait(); !errors.Is(err, io.EOF) {
			t.Errorf("Run = %v, want EOF", err)
		}
		if c.Append(msg(typeFlowMod, 4, 72), ofconn.Required) {
			t.Error("a closed connection takes messages")
		}
	})
}

func TestOtherVersionIsRefusedAndTheConnectionGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		_, peer, _ := start(t, 1<<16, ofconn.Config{Handler: rec})
		odd := msg(typePacketIn, 7, 16)
		odd[0] = 4
		send(t, peer, odd, msg(typeFlowMod, 8, 72))
		want := append(msg(typeError, 7, 28)[:8], 0, 1, 0, 0)
		if diff := cmp.Diff(append(want, odd...), readFrame(t, peer)); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
		synctest.Wait()
		if len(rec.frames) != 1 || xid(rec.frames[0]) != 8 {
			t.Errorf("handled %x, want only the second message", rec.frames)
		}
	})
}

func TestBadLengthEndsTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, peer, wait := start(t, 1<<16, ofconn.Config{})
		send(t, peer, []byte{1, 10, 0, 3, 0, 0, 0, 0})
		if err := wait(); !errors.Is(err, ofwire.ErrLength) {
			t.Errorf("Run = %v, want ErrLength", err)
		}
	})
}

func TestHandlerErrorAndPanicEndOneConnection(t *testing.T) {
	t.Parallel()
	wrong := errors.New("wrong")
	for _, tt := range []struct {
		each func([]byte) error
		want error
	}{
		{func([]byte) error { return wrong }, wrong},
		{func(b []byte) error { _ = b[1<<20]; return nil }, ofconn.ErrPanic},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, peer, wait := start(t, 1<<16, ofconn.Config{Handler: &recorder{each: tt.each}})
			send(t, peer, msg(typePacketIn, 1, 8))
			if err := wait(); !errors.Is(err, tt.want) {
				t.Errorf("Run = %v, want %v", err, tt.want)
			}
			if got := c.Counters().Panics(); (got == 1) != (tt.want == ofconn.ErrPanic) {
				t.Errorf("counted %d panics", got)
			}
			if _, err := peer.Read(make([]byte, 1)); err == nil {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestSlowPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer, wait := start(t, 100, ofconn.Config{SoftLimit: 1000, HardLimit: 3000, EchoInterval: -1})
		for i := range uint32(20) {
			c.Append(msg(typePacketIn, i, 100), ofconn.Droppable)
		}
		c.Flush()
		synctest.Wait()
		dropped := c.Counters().Dropped(typePacketIn)
		if dropped == 0 || c.Counters().Sent(typePacketIn)+dropped != 20 {
			t.Errorf("%d packet_ins dropped and %d sent of 20", dropped, c.Counters().Sent(typePacketIn))
		}
		if !c.Append(msg(typeFlowMod, 1, 100), ofconn.Required) {
			t.Error("a required message was not queued beyond the soft limit")
		}
		for range 30 {
			c.Append(msg(typeFlowMod, 2, 100), ofconn.Required)
		}
		if err := wait(); !errors.Is(err, ofconn.ErrOverflow) {
			t.Errorf("Run = %v, want ErrOverflow", err)
		}
		_ = peer
	})
}

func TestWaitRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from, _, _ := start(t, 100, ofconn.Config{EchoInterval: time.Second})
		c, peer, _ := start(t, 100, ofconn.Config{SoftLimit: 1000, EchoInterval: -1})
		for i := range uint32(20) {
			c.Append(msg(typeFlowMod, i, 100), ofconn.Required)
		}
		room := make(chan error, 1)
		go func() { room <- c.WaitRoom(t.Context(), from) }()
		bubble.Sleep(time.Minute) // from's peer is silent, but its reader was not reading
		synctest.Wait()
		select {
		case err := <-room:
			t.Fatalf("WaitRoom = %v while %d bytes are queued", err, c.Queued())
		default:
		}
		if from.Err() != nil {
			t.Errorf("the waiting connection was given up: %v", from.Err())
		}
		for i := range uint32(20) {
			if got := xid(readFrame(t, peer)); got != i {
				t.Fatalf("frame %d has xid %d", i, got)
			}
		}
		if err := <-room; err != nil {
			t.Errorf("WaitRoom = %v", err)
		}
		for range 20 {
			c.Append(msg(typeFlowMod, 0, 100), ofconn.Required)
		}
		go func() { room <- c.WaitRoom(t.Context(), from) }()
		synctest.Wait()
		from.Close(nil)
		if err := <-room; !errors.Is(err, ofconn.ErrClosed) {
			t.Errorf("WaitRoom after its own connection closed = %v", err)
		}
		go func() { room <- c.WaitRoom(t.Context(), nil) }()
		synctest.Wait()
		c.Close(io.ErrUnexpectedEOF)
		if err := <-room; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("WaitRoom on a closed connection = %v", err)
		}
	})
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, peer, wait := start(t, 1<<16, ofconn.Config{EchoInterval: 10 * time.Second})
		begin := time.Now()
		for range 3 { // answered: lives on
			req := readFrame(t, peer)
			if req[1] != typeEchoReq {
				t.Fatalf("got %x, want an echo request", req)
			}
			req[1] = typeEchoReply
			send(t, peer, req)
		}
		readFrame(t, peer)
		if err := wait(); !errors.Is(err, ofconn.ErrKeepAlive) {
			t.Errorf("Run = %v, want ErrKeepAlive", err)
		}
		// Requests at 10, 30, 50 and 70 s (an answer counts as traffic), the end at 80 s.
		if got := time.Since(begin); got != 80*time.Second {
			t.Errorf("given up after %v, want 80s", got)
		}
	})
}

func TestTrafficNeedsNoEcho(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer, _ := start(t, 1<<16, ofconn.Config{EchoInterval: 10 * time.Second})
		for range 50 {
			send(t, peer, msg(typePacketIn, 1, 8))
			bubble.Sleep(5 * time.Second)
		}
		if got := c.Counters().Sent(typeEchoReq); got != 0 || c.Err() != nil {
			t.Errorf("%d echo requests, Err %v", got, c.Err())
		}
	})
}

func TestProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer, _ := start(t, 1<<16, ofconn.Config{EchoInterval: -1})
		probe := func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			return c.Probe(ctx)
		}
		if probe() {
			t.Error("a silent peer is alive")
		}
		readFrame(t, peer)
		go func() {
			req := readFrame(t, peer)
			req[1] = typeEchoReply
			send(t, peer, req)
		}()
		if !probe() {
			t.Error("a peer that answers is dead")
		}
		c.Close(nil)
		if probe() {
			t.Error("a closed connection is alive")
		}
	})
}

func TestShutdownSendsWhatIsQueued(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, peer, wait := start(t, 100, ofconn.Config{EchoInterval: -1})
		for i := range uint32(10) {
			c.Append(msg(typeFlowMod, i, 100), ofconn.Required)
		}
		c.Shutdown(time.Second)
		if c.Append(msg(typeFlowMod, 99, 100), ofconn.Required) {
			t.Error("a message was taken after Shutdown")
		}
		all, err := io.ReadAll(peer)
		if err != nil || len(all) != 1000 {
			t.Errorf("peer read %d bytes (%v), want 1000 and EOF", len(all), err)
		}
		if err := wait(); !errors.Is(err, ofconn.ErrClosed) {
			t.Errorf("Run = %v, want ErrClosed", err)
		}
		// A peer that does not read does not hold it up.
		c, _, wait = start(t, 100, ofconn.Config{EchoInterval: -1})
		c.Append(msg(typeFlowMod, 1, 1000), ofconn.Required)
		begin := time.Now()
		c.Shutdown(time.Second)
		if err := wait(); err == nil || time.Since(begin) != time.Second {
			t.Errorf("Run = %v after %v, want an error after 1s", err, time.Since(begin))
		}
	})
}

func TestContextEndsTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, peer := ofwire.Pipe()
		defer peer.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		c := ofconn.New(ours, ofconn.Config{Handler: &recorder{}})
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		synctest.Wait()
		why := errors.New("slice removed")
		cancel(why)
		if err := <-done; !errors.Is(err, why) {
			t.Errorf("Run = %v, want the cause", err)
		}
	})
}

// The order of one sender's messages holds whoever flushes and however the
// socket stalls, and nothing is lost or torn.
func TestOrderOverTCP(t *testing.T) {
	overTCP(t, func(t *testing.T, rig *tcpRig) {
		c, peer, _ := rig.start(t, ofconn.Config{SoftLimit: 64 << 10})
		const senders, each = 4, 5000
		for s := range senders {
			go func() {
				for i := range each {
					m := msg(typeFlowMod, uint32(s<<24|i), 8+(i*37)%1500)
					c.Append(m, ofconn.Required)
					if i%3 == 0 {
						c.Flush()
					}
					if c.WaitRoom(t.Context(), nil) != nil {
						return
					}
				}
				c.Flush()
			}()
		}
		r := ofwire.NewReader(peer, 1<<10)
		var next [senders]int
		for range senders * each {
			f, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			s, i := xid(f)>>24, int(xid(f)&0xffffff)
			if f[1] != typeFlowMod || next[s] != i || len(f) != 8+(i*37)%1500 {
				t.Fatalf("sender %d: got message %d of %d bytes, want message %d", s, i, len(f), next[s])
			}
			next[s]++
		}
	})
}

func TestAppendAllocatesNothing(t *testing.T) {
	ours, peer := ofwire.Pipe()
	c := ofconn.New(ours, ofconn.Config{Handler: &recorder{}})
	done := make(chan error, 1)
	go func() { done <- c.Run(t.Context()) }()
	drained := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, peer); close(drained) }()
	m := msg(typePacketIn, 1, 128)
	for range 1000 {
		c.Append(m, ofconn.Required)
		c.Flush()
	}
	if n := testing.AllocsPerRun(2000, func() { c.Append(m, ofconn.Droppable); c.Flush() }); n >= 1 {
		t.Errorf("Append and Flush allocate %v times", n)
	}
	c.Close(nil)
	<-done
	<-drained
}
