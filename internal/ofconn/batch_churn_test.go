package ofconn_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// churn is two sources, each on a loop of its own, that send all they get to the same
// targets, on both loops, some of which are always being replaced.
type churn struct {
	t     *testing.T
	loops []*ofconn.Loop
	slots [40]atomic.Pointer[churnTarget]
	ids   atomic.Uint32
	wg    sync.WaitGroup
}

type churnTarget struct {
	id    uint32 // the xid of all that is for it
	c     *ofconn.Conn
	peer  net.Conn
	ended chan struct{}
	done  chan struct{} // peer has been read to its end
	last  [2]uint32     // of each source; valid after done
}

type churnSource struct {
	n   *churn
	me  uint32
	seq uint32
	c   atomic.Pointer[ofconn.Conn]
}

func (s *churnSource) HandleFrame(frame []byte) error {
	s.seq++
	b := msg(typePacketIn, 0, len(frame))
	binary.BigEndian.PutUint32(b[8:], s.me)
	binary.BigEndian.PutUint32(b[12:], s.seq)
	for i := range s.n.slots {
		to := s.n.slots[i].Load()
		binary.BigEndian.PutUint32(b[4:], to.id)
		to.c.Append(b, ofconn.Required)
	}
	to := s.n.slots[rand.IntN(len(s.n.slots))].Load()
	_ = to.c.WaitRoom(context.Background(), s.c.Load()) // its end is no error of ours
	return nil
}

func (s *churnSource) BatchDone(out *ofconn.Batch) {
	for i := range s.n.slots {
		out.Flush(s.n.slots[i].Load().c)
	}
}

func (n *churn) target() *churnTarget {
	ours, peer := pair(n.t)
	_ = ours.SetWriteBuffer(32 << 10) // stalls now and then
	id := n.ids.Add(1)
	to := &churnTarget{id: id, peer: peer, ended: make(chan struct{}), done: make(chan struct{})}
	to.c = ofconn.New(ours, ofconn.Config{Handler: &recorder{}, EchoInterval: -1, SoftLimit: 64 << 10, Loop: n.loops[id%2]})
	n.wg.Go(func() { _ = to.c.Run(context.Background()); close(to.ended) })
	n.wg.Go(func() { defer close(to.done); to.read(n.t) })
	return to
}

// read sees that all is for this one, whole and in order.
func (to *churnTarget) read(t *testing.T) {
	r := ofwire.NewReader(to.peer, 4096)
	for {
		b, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !isReset(err) && !errors.Is(err, net.ErrClosed) {
				t.Errorf("target %d: %v", to.id, err)
			}
			return
		}
		me, seq := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
		if xid(b) != to.id || me > 1 || to.last[me] != 0 && seq != to.last[me]+1 {
			t.Errorf("target %d: message %d of source %d for %d after %v", to.id, seq, me, xid(b), to.last)
			return
		}
		to.last[me] = seq
	}
}

// replace ends what is in a slot, in one of the ways there are, and puts another there.
func (n *churn) replace(rnd *rand.Rand) {
	i := rnd.IntN(len(n.slots) - 5) // some stay
	old := n.slots[i].Load()
	switch rnd.IntN(3) { // while the sources still send to it
	case 0:
		old.c.Close(nil)
	case 1:
		_ = old.peer.Close()
	case 2:
		old.c.Shutdown(100 * time.Millisecond)
	}
	old = n.slots[i].Swap(n.target())
	old.c.Close(nil) // if it was not that one
	if rnd.IntN(2) == 0 {
		<-old.ended
	}
}

// Whoever comes and goes meanwhile, nobody gets what is another's, and all that stay
// get everything in order.
func TestBatchWhileTargetsComeAndGo(t *testing.T) {
	t.Parallel()
	n := &churn{t: t, loops: ofconn.NewLoops(2)}
	for i := range n.slots {
		n.slots[i].Store(n.target())
	}
	stop := make(chan struct{})
	time.AfterFunc(time.Second, func() { close(stop) })
	var sources [2]*churnSource
	var conns [2]*ofconn.Conn
	var driven, churning, running sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for i := range sources {
		s := &churnSource{n: n, me: uint32(i)}
		sources[i] = s
		ours, peer := pair(t)
		conns[i] = ofconn.New(ours, ofconn.Config{Handler: s, EchoInterval: -1, Loop: n.loops[i]})
		s.c.Store(conns[i])
		running.Go(func() { _ = conns[i].Run(ctx) })
		driven.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				send(t, peer, msg(typePacketIn, 1, 16+rnd.IntN(3000)))
			}
		})
		churning.Go(func() {
			rnd := rand.New(rand.NewPCG(2, uint64(i)))
			for {
				select {
				case <-stop:
					return
				default:
					n.replace(rnd)
				}
			}
		})
	}
	churning.Wait()
	driven.Wait()
	last := [2]uint32{}
	for _, c := range conns {
		c.Shutdown(time.Minute)
	}
	running.Wait()
	cancel()
	for i, s := range sources {
		last[i] = s.seq
	}
	for i := range n.slots {
		n.slots[i].Load().c.Shutdown(time.Minute)
	}
	for i := range n.slots {
		to := n.slots[i].Load()
		<-to.done
		if i >= len(n.slots)-5 && to.last != last {
			t.Errorf("target %d got up to %v of %v", to.id, to.last, last)
		}
		_ = to.peer.Close()
	}
	n.wg.Wait()
	t.Logf("%v messages, %d targets", last, n.ids.Load())
}
