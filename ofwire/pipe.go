package ofwire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	pipeSize  = 256 << 10 // most that a direction buffers, about as a local socket
	pipeStart = 2 << 10   // first buffer
	pipeKeep  = 32 << 10  // largest buffer an empty direction keeps
)

// Pipe returns the two ends of an in-memory connection that buffers 256 KiB each way.
// Unlike net.Pipe a write returns when the bytes are in the buffer, as on a socket. It
// blocks on sync.Cond only, so it may be used in a testing/synctest bubble.
func Pipe() (net.Conn, net.Conn) { return PipeSize(pipeSize) }

// PipeSize is Pipe with room for size bytes each way.
func PipeSize(size int) (net.Conn, net.Conn) {
	ab, ba := newPipeHalf(size), newPipeHalf(size)
	return &pipeConn{in: ba, out: ab}, &pipeConn{in: ab, out: ba}
}

// pipeHalf is one direction.
type pipeHalf struct {
	mu   sync.Mutex
	wake sync.Cond
	// guarded by mu
	size          int
	buf           []byte // ring, grows from nothing to size
	start, length int
	writerGone    bool // reads drain, then end
	readerGone    bool // writes fail
	reading       deadline
	writing       deadline
}

func newPipeHalf(size int) *pipeHalf {
	h := &pipeHalf{size: max(size, 1)}
	h.wake.L = &h.mu
	return h
}

// deadline is guarded by the mutex of the half it belongs to.
type deadline struct {
	timer   *time.Timer
	expired bool
	set     int // counts changes, so that a timer that lost the race does nothing
}

func (h *pipeHalf) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.set++
	d.expired = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.expired = true
		h.wake.Broadcast()
		return
	}
	set := d.set
	d.timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.set == set {
			d.expired = true
			h.wake.Broadcast()
		}
	})
}

func (h *pipeHalf) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readerGone:
			return 0, net.ErrClosed
		case h.reading.expired:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case h.length > 0:
			n := copy(b, h.buf[h.start:min(h.start+h.length, len(h.buf))])
			if m := h.length - n; m > 0 && n < len(b) {
				n += copy(b[n:], h.buf[:m])
			}
			h.start, h.length = (h.start+n)%len(h.buf), h.length-n
			if h.length == 0 {
				h.drained()
			}
			h.wake.Broadcast()
			return n, nil
		case h.writerGone:
			return 0, io.EOF
		}
		h.wake.Wait()
	}
}

func (h *pipeHalf) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	total := 0
	for {
		switch {
		case h.writerGone:
			return total, net.ErrClosed
		case h.readerGone:
			return total, io.ErrClosedPipe
		case h.writing.expired:
			return total, os.ErrDeadlineExceeded
		}
		if n := h.put(b); n > 0 {
			b, total = b[n:], total+n
			h.wake.Broadcast()
		}
		if len(b) == 0 {
			return total, nil
		}
		h.wake.Wait()
	}
}

// put copies what fits.
func (h *pipeHalf) put(b []byte) int {
	h.grow(len(b))
	total := 0
	for len(b) > 0 && h.length < len(h.buf) {
		at := (h.start + h.length) % len(h.buf)
		n := copy(h.buf[at:min(at+len(h.buf)-h.length, len(h.buf))], b)
		b, total, h.length = b[n:], total+n, h.length+n
	}
	return total
}

// grow makes room for n more bytes, up to size.
func (h *pipeHalf) grow(n int) {
	if h.length+n <= len(h.buf) || len(h.buf) == h.size {
		return
	}
	grown := make([]byte, min(max(2*len(h.buf), h.length+n, pipeStart), h.size))
	n = copy(grown, h.buf[h.start:min(h.start+h.length, len(h.buf))])
	copy(grown[n:], h.buf[:h.length-n])
	h.buf, h.start = grown, 0
}

// drained gives a large buffer back: a thousand idle pipes must not keep what one burst
// needed.
func (h *pipeHalf) drained() {
	h.start = 0
	if len(h.buf) > pipeKeep {
		h.buf = nil
	}
}

func (h *pipeHalf) closeWrite() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writerGone = true
	h.wake.Broadcast()
	return nil
}

func (h *pipeHalf) closeRead() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readerGone = true
	h.wake.Broadcast()
}

// pipeConn is one end.
type pipeConn struct{ in, out *pipeHalf }

var _ net.Conn = (*pipeConn)(nil)

func (c *pipeConn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, pipeError("read", err)
}

func (c *pipeConn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, pipeError("write", err)
}

// Close ends both directions; the peer still reads what was written before.
func (c *pipeConn) Close() error {
	c.in.setDeadline(&c.in.reading, time.Time{}) // stops the timer
	c.out.setDeadline(&c.out.writing, time.Time{})
	c.in.closeRead()
	return c.out.closeWrite()
}

// CloseWrite ends this end's direction: the peer reads io.EOF, this end still reads.
func (c *pipeConn) CloseWrite() error { return c.out.closeWrite() }

func (c *pipeConn) LocalAddr() net.Addr  { return pipeAddr{} }
func (c *pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }

func (c *pipeConn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reading, t)
	c.out.setDeadline(&c.out.writing, t)
	return nil
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reading, t)
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writing, t)
	return nil
}

func pipeError(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: "pipe", Addr: pipeAddr{}, Err: err}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
