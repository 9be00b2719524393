package ofconn

import (
	"net"

	"github.com/govisor/govisor/internal/uring"
)

// A Batch sends together what is queued on many connections. nil, or without a ring,
// it sends each at once. It belongs to the leader of a loop, for the end of a round.
type Batch struct {
	ring  *uring.Ring
	plain bool         // has no ring even if the system has
	begun []flush      // in the order of sends
	sends []uring.Send // at most batchMost
}

// flush is one that has begun: nobody else writes to its connection until it ends.
type flush struct {
	c *Conn
	s *sock
}

// batchMost is how many connections are sent to with one system call, and batchBytes
// how much to each: the Go scheduler is not told of it, as such a send takes a few
// microseconds. More goes out by itself.
const (
	batchMost  = 32
	batchBytes = 16 << 10
)

// open makes the ring, if the system has one.
func (b *Batch) open() {
	if b.plain {
		return
	}
	if ring, err := uring.New(batchMost); err == nil {
		b.ring = ring
	}
}

func (b *Batch) close() {
	if b.ring != nil {
		b.ring.Close()
		b.ring = nil
	}
}

// Flush is c.Flush, now or when the batch is sent.
func (b *Batch) Flush(c *Conn) {
	if b == nil || b.ring == nil {
		c.Flush()
		return
	}
	out, s := c.startFlush()
	switch {
	case out == nil:
		return
	case s == nil, len(out) > batchBytes:
		n, err := c.tryWrite(s, out)
		c.endFlush(s, out, n, err)
		return
	}
	b.begun = append(b.begun, flush{c, s})
	b.sends = append(b.sends, uring.Send{FD: s.fd, Bytes: out})
	if len(b.sends) == batchMost {
		b.send()
	}
}

// send ends all flushes that have begun.
func (b *Batch) send() {
	if len(b.sends) == 0 {
		return
	}
	if len(b.sends) == 1 {
		f, out := b.begun[0], b.sends[0].Bytes
		n, err := f.c.tryWrite(f.s, out)
		f.c.endFlush(f.s, out, n, err)
	} else {
		b.sendAll()
	}
	clear(b.begun)
	clear(b.sends)
	b.begun, b.sends = b.begun[:0], b.sends[:0]
}

func (b *Batch) sendAll() {
	for i, f := range b.begun {
		if !f.s.use() { // closed meanwhile, and the number may be another's
			b.sends[i].FD = -1
		}
	}
	b.ring.Send(b.sends)
	for i, f := range b.begun {
		s, err := &b.sends[i], net.ErrClosed
		if s.FD >= 0 {
			f.s.release()
			err = writeError(s.Err)
		}
		f.c.endFlush(f.s, s.Bytes, s.N, err)
	}
}
