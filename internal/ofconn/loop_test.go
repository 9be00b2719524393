package ofconn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// overTCP runs a test with goroutines for each connection and with all connections
// on one loop, with and without io_uring: nobody must be able to tell.
func overTCP(t *testing.T, f func(t *testing.T, r *tcpRig)) {
	t.Helper()
	t.Parallel()
	t.Run("goroutines", func(t *testing.T) {
		t.Parallel()
		f(t, &tcpRig{})
	})
	t.Run("loop", func(t *testing.T) {
		t.Parallel()
		f(t, &tcpRig{loop: ofconn.NewLoops(1)[0]})
	})
	t.Run("plain loop", func(t *testing.T) {
		t.Parallel()
		f(t, &tcpRig{loop: ofconn.PlainLoop()})
	})
}

type tcpRig struct{ loop *ofconn.Loop }

// pair connects two sockets.
func pair(t *testing.T) (ours, peer *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialled, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialled.Close() })
	return accepted.(*net.TCPConn), dialled.(*net.TCPConn)
}

// unixPair connects two unix sockets. Unlike two of TCP they do not stall the one
// direction, however little each message is, when the other is full.
func unixPair(t *testing.T) (ours, peer net.Conn) {
	t.Helper()
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if peer, err = net.Dial("unix", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	if ours, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, peer
}

// start runs a connection and returns its other end. wait returns what Run returned.
func (r *tcpRig) start(t *testing.T, cfg ofconn.Config) (c *ofconn.Conn, peer *net.TCPConn, wait func() error) {
	t.Helper()
	ours, peer := pair(t)
	_ = ours.SetWriteBuffer(16 << 10) // so that the socket stalls soon
	_ = peer.SetReadBuffer(256 << 10)
	c, wait = r.run(t, ours, cfg)
	return c, peer, wait
}

// run runs a connection on a socket. wait returns what Run returned.
func (r *tcpRig) run(t *testing.T, ours net.Conn, cfg ofconn.Config) (c *ofconn.Conn, wait func() error) {
	t.Helper()
	if cfg.Handler == nil {
		cfg.Handler = &recorder{}
	}
	cfg.Loop = r.loop
	if cfg.EchoInterval == 0 {
		cfg.EchoInterval = -1
	}
	c = ofconn.New(ours, cfg)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		done <- c.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return c, func() error {
		t.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(time.Minute):
			t.Fatal("the connection does not end")
			return nil
		}
	}
}

// eventually waits for a condition that nobody signals.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain until %s", what)
		}
		runtime.Gosched()
	}
}

// answerer echoes flow_mods to its own connection, which stands for anything that
// shows that a connection is being served.
type answerer struct{ c atomic.Pointer[ofconn.Conn] }

func (a *answerer) HandleFrame(frame []byte) error {
	a.c.Load().Append(frame, ofconn.Required)
	return nil
}

func (a *answerer) BatchDone(*ofconn.Batch) {}

func (r *tcpRig) answerer(t *testing.T) *net.TCPConn {
	t.Helper()
	h := &answerer{}
	ours, peer := pair(t)
	h.c.Store(ofconn.New(ours, ofconn.Config{Handler: h, EchoInterval: -1, Loop: r.loop}))
	go h.c.Load().Run(t.Context())
	return peer
}

func ask(t *testing.T, peer net.Conn, id uint32) {
	t.Helper()
	_ = peer.SetDeadline(time.Now().Add(time.Minute))
	send(t, peer, msg(typeFlowMod, id, 72))
	if got := xid(readFrame(t, peer)); got != id {
		t.Fatalf("answer %d to question %d", got, id)
	}
}

func TestTCPConversation(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		rec := &recorder{}
		c, peer, wait := r.start(t, ofconn.Config{Handler: rec})
		odd := msg(typeFlowMod, 7, 16)
		odd[0] = 4
		send(t, peer, msg(typePacketIn, 1, 100), msg(0, 9, 8), msg(typeEchoReq, 2, 12), odd, msg(typeFlowMod, 3, 72)[:70])
		if diff := cmp.Diff(msg(typeEchoReply, 2, 12), readFrame(t, peer)); diff != "" {
			t.Errorf("echo reply (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(append(append(msg(typeError, 7, 28)[:8], 0, 1, 0, 0), odd...), readFrame(t, peer)); diff != "" {
			t.Errorf("answer to another version (-want +got):\n%s", diff)
		}
		send(t, peer, msg(typeFlowMod, 3, 72)[70:])
		_ = peer.CloseWrite()
		if err := wait(); !errors.Is(err, io.EOF) {
			t.Errorf("Run = %v, want EOF", err)
		}
		if diff := cmp.Diff([][]byte{msg(typePacketIn, 1, 100), msg(typeFlowMod, 3, 72)}, rec.frames); diff != "" {
			t.Errorf("handled frames (-want +got):\n%s", diff)
		}
		if rec.batches != 2 {
			t.Errorf("BatchDone called %d times for two batches, the last one before the end", rec.batches)
		}
		if got := c.Counters().Received(typePacketIn); got != 1 {
			t.Errorf("counted %d packet_ins, want 1", got)
		}
		if c.Append(msg(typeFlowMod, 4, 72), ofconn.Required) {
			t.Error("a closed connection takes messages")
		}
	})
}

// hose passes on what it gets and slows its sender when the receiver is slow.
type hose struct{ from, to atomic.Pointer[ofconn.Conn] }

func (r *hose) HandleFrame(frame []byte) error {
	r.to.Load().Append(frame, ofconn.Required)
	return r.to.Load().WaitRoom(context.Background(), r.from.Load())
}

func (r *hose) BatchDone(out *ofconn.Batch) { out.Flush(r.to.Load()) }

// start2 runs two connections that relay to each other.
func (r *tcpRig) start2(t *testing.T, soft int) (left, right *net.TCPConn) {
	t.Helper()
	lr, rl := &hose{}, &hose{}
	a, left := pair(t)
	b, right := pair(t)
	for _, nc := range []*net.TCPConn{a, b} {
		_ = nc.SetWriteBuffer(128 << 10)
		_ = nc.SetReadBuffer(128 << 10)
	}
	_ = left.SetReadBuffer(128 << 10)
	_ = right.SetReadBuffer(128 << 10)
	ca := ofconn.New(a, ofconn.Config{Handler: lr, SoftLimit: soft, EchoInterval: -1, Loop: r.loop})
	cb := ofconn.New(b, ofconn.Config{Handler: rl, SoftLimit: soft, EchoInterval: -1, Loop: r.loop})
	lr.from.Store(ca)
	lr.to.Store(cb)
	rl.from.Store(cb)
	rl.to.Store(ca)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() { _ = ca.Run(ctx) })
	wg.Go(func() { _ = cb.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return left, right
}

// Whatever the pieces are that a stream comes in, and however the receiver reads,
// all of it arrives, in order, in both directions.
func TestTCPRelay(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		left, right := r.start2(t, 64<<10)
		const n = 3000
		size := func(i int) int {
			if i%500 == 499 {
				return 0xffff
			}
			return 8 + (i*37)%1500
		}
		var wg sync.WaitGroup
		for i, ends := range [][2]*net.TCPConn{{left, right}, {right, left}} {
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			wg.Go(func() {
				var out bytes.Buffer
				for i := range n {
					out.Write(msg(typeFlowMod, uint32(i), size(i)))
					for out.Len() > 4000 || i == n-1 && out.Len() > 0 {
						if _, err := ends[0].Write(out.Next(1 + rnd.IntN(9000))); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
			wg.Go(func() {
				in := ofwire.NewReader(ends[1], 600)
				for i := range n {
					f, err := in.Next()
					if err != nil {
						t.Error(err)
						return
					}
					if xid(f) != uint32(i) || len(f) != size(i) {
						t.Errorf("got message %d of %d bytes, want %d of %d", xid(f), len(f), i, size(i))
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// A peer that does not read slows its senders and nobody else.
func TestTCPSlowPeerDelaysNobody(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		left, right := r.start2(t, 20<<10)
		other := r.answerer(t)
		const n = 10000
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range uint32(n) {
				if _, err := left.Write(msg(typeFlowMod, i, 1000)); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		for i := range uint32(50) {
			ask(t, other, i)
		}
		select {
		case <-sent:
			t.Error("10 MB went to a peer that does not read")
		default:
		}
		for i := range uint32(n) {
			if got := xid(readFrame(t, right)); got != i {
				t.Fatalf("message %d in place of %d", got, i)
			}
			if i%500 == 0 {
				ask(t, other, i)
			}
		}
		<-sent
	})
}

// A handler that does not return soon, for whatever reason, delays its own
// connection and nobody else.
func TestTCPBusyHandlerDelaysNobody(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		in, free := make(chan struct{}, 1), make(chan struct{})
		rec := &recorder{each: func(frame []byte) error {
			if xid(frame) == 1 {
				in <- struct{}{}
				<-free
			}
			return nil
		}}
		c, peer, _ := r.start(t, ofconn.Config{Handler: rec})
		other, third := r.answerer(t), r.answerer(t)
		send(t, peer, msg(typePacketIn, 1, 100), msg(typePacketIn, 2, 100))
		<-in
		send(t, peer, msg(typePacketIn, 3, 100), msg(typeEchoReq, 4, 8))
		for i := range uint32(100) {
			ask(t, other, i)
			ask(t, third, i)
		}
		c.Append(msg(typeFlowMod, 9, 100), ofconn.Required) // it still sends
		c.Flush()
		if got := xid(readFrame(t, peer)); got != 9 {
			t.Errorf("got message %d, want 9", got)
		}
		close(free)
		if got := xid(readFrame(t, peer)); got != 4 {
			t.Errorf("got message %d, want the echo reply", got)
		}
		rec.mu.Lock()
		defer rec.mu.Unlock()
		for i, f := range rec.frames {
			if xid(f) != uint32(i+1) {
				t.Errorf("message %d was handled as number %d", xid(f), i+1)
			}
		}
	})
}

// A connection whose handler waits may fail meanwhile; it ends when the handler
// has returned.
func TestTCPResetWhileItsHandlerWaits(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		in, free := make(chan struct{}, 1), make(chan struct{})
		rec := &recorder{each: func([]byte) error {
			in <- struct{}{}
			<-free
			return nil
		}}
		c, peer, wait := r.start(t, ofconn.Config{Handler: rec})
		other := r.answerer(t)
		send(t, peer, msg(typePacketIn, 1, 100))
		<-in
		ask(t, other, 1) // the loop goes on
		_ = peer.SetLinger(0)
		_ = peer.Close()
		if r.loop != nil {
			eventually(t, "the failed socket is waited for no more", func() bool { return ofconn.Parked(c) })
		}
		ask(t, other, 2)
		close(free)
		if err := wait(); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want what the network says", err)
		}
	})
}

// Run returns when the handler has.
func TestTCPRunWaitsForItsHandler(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		in, free := make(chan struct{}, 1), make(chan struct{})
		var over atomic.Bool
		rec := &recorder{each: func([]byte) error {
			in <- struct{}{}
			<-free
			over.Store(true)
			return nil
		}}
		c, peer, wait := r.start(t, ofconn.Config{Handler: rec})
		other := r.answerer(t)
		send(t, peer, msg(typePacketIn, 1, 100))
		<-in
		c.Close(nil)
		for i := range uint32(20) {
			ask(t, other, i)
		}
		time.AfterFunc(20*time.Millisecond, func() { close(free) })
		if err := wait(); !errors.Is(err, ofconn.ErrClosed) || !over.Load() {
			t.Errorf("Run = %v, the handler has returned: %v", err, over.Load())
		}
	})
}

type faultyBatch struct{ recorder }

func (*faultyBatch) BatchDone(*ofconn.Batch) { panic("after the batch") }

func TestTCPFaultsEndOneConnection(t *testing.T) {
	fault := errors.New("no")
	overTCP(t, func(t *testing.T, r *tcpRig) {
		other := r.answerer(t)
		ask(t, other, 1)
		short := msg(typePacketIn, 1, 8)
		short[3] = 7
		for _, c := range []struct {
			name  string
			h     ofconn.Handler
			frame []byte
			want  error
		}{
			{"handler says no", &recorder{each: func([]byte) error { return fault }}, msg(typePacketIn, 1, 8), fault},
			{"handler panics", &recorder{each: func([]byte) error { panic("oh") }}, msg(typePacketIn, 1, 8), ofconn.ErrPanic},
			{"panic after the batch", &faultyBatch{}, msg(typePacketIn, 1, 8), ofconn.ErrPanic},
			{"bad length", &recorder{}, short, ofwire.ErrLength},
			{"bad length behind a message", &recorder{}, append(msg(typeFlowMod, 1, 72), short...), ofwire.ErrLength},
		} {
			_, peer, wait := r.start(t, ofconn.Config{Handler: c.h})
			send(t, peer, c.frame)
			if err := wait(); !errors.Is(err, c.want) {
				t.Errorf("%s: Run = %v, want %v", c.name, err, c.want)
			}
			if rec, ok := c.h.(*recorder); ok && (len(rec.frames) > 0) != (rec.batches > 0) {
				t.Errorf("%s: BatchDone called %d times after %d messages", c.name, rec.batches, len(rec.frames))
			}
			if _, err := io.ReadAll(peer); err != nil && !errors.Is(err, io.EOF) && !isReset(err) {
				t.Errorf("%s: the peer reads %v, want the end", c.name, err)
			}
			ask(t, other, 2)
		}
		_, peer, wait := r.start(t, ofconn.Config{})
		send(t, peer, msg(typePacketIn, 1, 20)[:19])
		_ = peer.CloseWrite()
		if err := wait(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("end inside a message: Run = %v, want ErrUnexpectedEOF", err)
		}
		ask(t, other, 3)
	})
}

func TestTCPOverflow(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		c, _, wait := r.start(t, ofconn.Config{SoftLimit: 10 << 10, HardLimit: 1 << 20})
		for c.Counters().Dropped(typePacketIn) == 0 {
			c.Append(msg(typePacketIn, 1, 1000), ofconn.Droppable)
		}
		if !c.Append(msg(typeFlowMod, 1, 100), ofconn.Required) {
			t.Error("a required message was not queued beyond the soft limit")
		}
		for c.Append(msg(typeFlowMod, 1, 1000), ofconn.Required) {
		}
		if err := wait(); !errors.Is(err, ofconn.ErrOverflow) {
			t.Errorf("Run = %v, want ErrOverflow", err)
		}
	})
}

func TestTCPKeepAlive(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		_, peer, wait := r.start(t, ofconn.Config{EchoInterval: 20 * time.Millisecond})
		if f := readFrame(t, peer); f[1] != typeEchoReq {
			t.Errorf("got % x, want an echo request", f)
		}
		if err := wait(); !errors.Is(err, ofconn.ErrKeepAlive) {
			t.Errorf("Run = %v, want ErrKeepAlive", err)
		}
	})
}

func TestTCPShutdownSendsWhatIsQueued(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		c, peer, wait := r.start(t, ofconn.Config{EchoInterval: -1})
		const n = 3000
		for i := range uint32(n) {
			c.Append(msg(typeFlowMod, i, 1000), ofconn.Required)
		}
		c.Shutdown(time.Minute)
		all, err := io.ReadAll(peer)
		if err != nil || len(all) != n*1000 {
			t.Errorf("peer read %d bytes (%v), want %d and EOF", len(all), err, n*1000)
		}
		if err := wait(); !errors.Is(err, ofconn.ErrClosed) {
			t.Errorf("Run = %v, want ErrClosed", err)
		}
		c, _, wait = r.start(t, ofconn.Config{EchoInterval: -1})
		for i := range uint32(n) {
			c.Append(msg(typeFlowMod, i, 1000), ofconn.Required)
		}
		c.Shutdown(50 * time.Millisecond) // a peer that does not read does not hold it up
		if err := wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Run = %v, want a timeout", err)
		}
	})
}

// Connections come and go, from both sides and in every state, while others work.
func TestTCPChurn(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		other := r.answerer(t)
		var wg sync.WaitGroup
		for worker := range 8 {
			rnd := rand.New(rand.NewPCG(2, uint64(worker)))
			wg.Go(func() {
				for i := range 25 {
					h := &answerer{}
					ours, peer := pair(t)
					c := ofconn.New(ours, ofconn.Config{Handler: h, Loop: r.loop, ReadBuffer: 512})
					h.c.Store(c)
					ctx, cancel := context.WithCancel(context.Background())
					done := make(chan error, 1)
					go func() { done <- c.Run(ctx) }()
					for range rnd.IntN(3) {
						send(t, peer, bytes.Repeat(msg(typeFlowMod, 1, 72), 1+rnd.IntN(20)))
						readFrame(t, peer)
					}
					switch (worker + i) % 4 {
					case 0:
						_ = peer.Close()
					case 1:
						c.Close(fmt.Errorf("enough"))
					case 2:
						cancel()
					case 3:
						c.Shutdown(time.Second)
					}
					<-done
					cancel()
					_ = peer.Close()
				}
			})
		}
		for i := range uint32(100) {
			ask(t, other, i)
		}
		wg.Wait()
		ask(t, other, 1)
	})
}

// A loop has a goroutine only while it has connections.
func TestLoopEndsAndBeginsAgain(t *testing.T) {
	t.Parallel()
	r := &tcpRig{loop: ofconn.NewLoops(1)[0]}
	for range 3 {
		c, peer, wait := r.start(t, ofconn.Config{})
		send(t, peer, msg(typeEchoReq, 1, 8))
		readFrame(t, peer)
		if runtime.GOOS == "linux" && !ofconn.Running(r.loop) {
			t.Error("the loop does not run with a connection")
		}
		c.Close(nil)
		if err := wait(); !errors.Is(err, ofconn.ErrClosed) {
			t.Errorf("Run = %v, want ErrClosed", err)
		}
		eventually(t, "the loop has ended", func() bool { return !ofconn.Running(r.loop) })
	}
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

// When govisor stops, what is queued arrives, although the peer sends more than is
// still read.
func TestTCPStopSendsWhatIsQueued(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		ours, peer := pair(t)
		_ = ours.SetWriteBuffer(400 << 10)
		_ = peer.SetReadBuffer(4 << 10) // most of it stays on our side
		ctx, stop := context.WithCancelCause(t.Context())
		in, free := make(chan struct{}, 9), make(chan struct{})
		rec := &recorder{each: func([]byte) error {
			in <- struct{}{}
			<-free
			return nil
		}}
		c := ofconn.New(ours, ofconn.Config{Handler: rec, EchoInterval: -1, Loop: r.loop})
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		send(t, peer, msg(typePacketIn, 1, 100))
		<-in
		send(t, peer, msg(typePacketIn, 2, 100), msg(typePacketIn, 3, 9000))
		const n = 200
		for i := range uint32(n) {
			c.Append(msg(typeFlowMod, i, 1000), ofconn.Required)
		}
		stop(ofconn.ErrStopping)
		eventually(t, "the kernel has it all", func() bool { return c.Queued() == 0 })
		close(free)
		_ = peer.SetReadBuffer(1 << 20)
		for i := range uint32(n) {
			if got := xid(readFrame(t, peer)); got != i {
				t.Fatalf("message %d in place of %d", got, i)
			}
		}
		_ = peer.Close()
		if err := <-done; !errors.Is(err, ofconn.ErrStopping) {
			t.Errorf("Run = %v, want ErrStopping", err)
		}
	})
}
