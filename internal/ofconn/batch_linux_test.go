package ofconn_test

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/uring"
)

// hub passes on what it gets to many.
type hub struct {
	to atomic.Pointer[[]*ofconn.Conn]
}

func (h *hub) HandleFrame(frame []byte) error {
	for _, c := range *h.to.Load() {
		c.Append(frame, ofconn.Required)
	}
	return nil
}

func (h *hub) BatchDone(out *ofconn.Batch) {
	for _, c := range *h.to.Load() {
		out.Flush(c)
		out.Flush(c) // as when it is due to two
	}
}

// What one message causes for many is sent with few system calls, and it makes no
// difference to anybody that some of the many do not read, have hung up, are not
// sockets of the loop, or are being closed.
func TestBatchToMany(t *testing.T) {
	t.Parallel()
	for name, loop := range map[string]*ofconn.Loop{"ring": ofconn.NewLoops(1)[0], "plain": ofconn.PlainLoop()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			batchToMany(t, &tcpRig{loop: loop})
		})
	}
}

func batchToMany(t *testing.T, r *tcpRig) {
	const many, messages, size = 100, 60, 8000
	h := &hub{}
	h.to.Store(new([]*ofconn.Conn))
	_, source, _ := r.start(t, ofconn.Config{Handler: h})
	var conns []*ofconn.Conn
	var peers []net.Conn
	for i := range many {
		rig := r
		if i%10 == 5 {
			rig = &tcpRig{} // this one has goroutines
		}
		ours, peer := unixPair(t)
		_ = ours.(*net.UnixConn).SetWriteBuffer(16 << 10)
		c, _ := rig.run(t, ours, ofconn.Config{SoftLimit: 16 << 20})
		conns, peers = append(conns, c), append(peers, peer)
	}
	h.to.Store(&conns)
	want := func(peer net.Conn, n int) {
		t.Helper()
		if got := readFrame(t, peer); !bytes.Equal(got, msg(typePacketIn, uint32(n), size)) {
			t.Fatalf("message %d: got %d bytes, the header %x", n, len(got), got[:8])
		}
	}
	_ = peers[7].Close()
	for i := range messages {
		send(t, source, msg(typePacketIn, uint32(i), size))
		want(peers[0], i) // or the loop would handle the source beside its rounds
		if i == messages/2 {
			conns[8].Close(nil)
		}
	}
	for i, peer := range peers {
		if i == 0 || i == 7 || i == 8 {
			continue
		}
		for n := range messages {
			want(peer, n)
		}
	}
	for _, i := range []int{7, 8} {
		<-conns[i].Done()
	}
}

// A loop has the ring if the system lets it, and gives it back.
func TestLoopHasRing(t *testing.T) {
	t.Parallel()
	r := &tcpRig{loop: ofconn.NewLoops(1)[0]}
	c, peer, wait := r.start(t, ofconn.Config{})
	send(t, peer, msg(typeEchoReq, 1, 8))
	readFrame(t, peer)
	if got, want := ofconn.HasRing(r.loop), systemHasRings(); got != want {
		t.Errorf("the loop has a ring: %v; the system has: %v", got, want)
	}
	c.Close(nil)
	_ = wait()
	eventually(t, "the loop has ended", func() bool { return !ofconn.Running(r.loop) })
	if ofconn.HasRing(r.loop) {
		t.Error("the loop has ended, but not given back its ring")
	}
}

func systemHasRings() bool {
	ring, err := uring.New(1)
	if err != nil {
		return false
	}
	ring.Close()
	return true
}

// halfDone has a fault when it has begun to flush.
type halfDone struct{ hub }

func (h *halfDone) BatchDone(out *ofconn.Batch) {
	for _, c := range (*h.to.Load())[:3] {
		out.Flush(c)
	}
	panic("half done")
}

// What a handler has begun to flush when it has a fault is sent, and those it did not
// come to are not held up.
func TestBatchHalfDone(t *testing.T) {
	t.Parallel()
	r := &tcpRig{loop: ofconn.NewLoops(1)[0]}
	h := &halfDone{}
	var conns []*ofconn.Conn
	var peers []net.Conn
	for range 6 {
		c, peer, _ := r.start(t, ofconn.Config{})
		conns, peers = append(conns, c), append(peers, peer)
	}
	h.to.Store(&conns)
	c, source, _ := r.start(t, ofconn.Config{Handler: h})
	send(t, source, msg(typePacketIn, 1, 100))
	<-c.Done()
	for i, peer := range peers {
		if i >= 3 {
			conns[i].Flush() // as the next who has something for it does
		}
		if got := readFrame(t, peer); xid(got) != 1 {
			t.Errorf("peer %d got message %d", i, xid(got))
		}
	}
}

// The number of a socket that was closed since a flush has begun may be another's.
func TestBatchOfOneThatWasClosed(t *testing.T) {
	t.Parallel()
	r := &tcpRig{loop: ofconn.NewLoops(1)[0]}
	gone, gonePeer, wait := r.start(t, ofconn.Config{})
	var stay [2]net.Conn
	b, end := ofconn.OpenBatch()
	ask := func(peer net.Conn) { // once it has been answered, the loop has it
		send(t, peer, msg(typeEchoReq, 9, 8))
		readFrame(t, peer)
	}
	begin := func(c *ofconn.Conn) {
		c.Append(msg(typePacketIn, 5, 100), ofconn.Required)
		b.Flush(c)
	}
	ask(gonePeer)
	number := ofconn.Descriptor(gone)
	begin(gone)
	for i := range stay {
		c, peer, _ := r.start(t, ofconn.Config{})
		ask(peer)
		begin(c)
		stay[i] = peer
	}
	gone.Close(nil)
	_ = wait()
	var peer int // of who has got the number
	for range 100 {
		p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(p[0])
		defer unix.Close(p[1])
		if p[0] == number {
			peer = p[1]
		} else if p[1] == number {
			peer = p[0]
		}
	}
	end()
	for _, peer := range stay {
		if got := readFrame(t, peer); xid(got) != 5 {
			t.Errorf("got message %d", xid(got))
		}
	}
	if peer == 0 {
		t.Logf("nobody here has got the number %d", number)
		return
	}
	if n, err := unix.Read(peer, make([]byte, 100)); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("who has got the number got %d bytes, too (%v)", n, err)
	}
}
