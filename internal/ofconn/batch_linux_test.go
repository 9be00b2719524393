package ofconn_test

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"

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
