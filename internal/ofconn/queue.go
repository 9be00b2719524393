package ofconn

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/govisor/govisor/ofwire"
)

// Class says what may happen to a message when the peer does not keep up.
type Class uint8

const (
	// Droppable messages (packet_in) are dropped and counted while the queue is
	// over the soft limit.
	Droppable Class = iota
	// Required messages are never dropped: whoever makes them calls WaitRoom
	// before it reads on. At the hard limit the connection ends.
	Required
)

// Append copies frame into the output queue and never blocks. It is sent with
// the next Flush at the latest. False means it was not queued: dropped by its
// class, or the connection has ended.
func (c *Conn) Append(frame []byte, class Class) bool {
	queued := c.queued.Load()
	if queued > int64(c.cfg.SoftLimit) && class == Droppable {
		c.cfg.Counters.CountDropped(frame)
		return false
	}
	c.mu.Lock()
	if c.cause != nil || c.draining != nil {
		c.mu.Unlock()
		c.cfg.Counters.CountDropped(frame)
		return false
	}
	if queued > int64(c.cfg.HardLimit) {
		c.mu.Unlock()
		c.Close(ErrOverflow)
		return false
	}
	c.buf = append(c.buf, frame...)
	c.queued.Add(int64(len(frame)))
	start := len(c.buf) >= flushSize && c.state == idle
	c.mu.Unlock()
	c.cfg.Counters.countTx(frame)
	if start {
		c.Flush()
	}
	return true
}

// AppendAll is Append for several required messages back to back.
func (c *Conn) AppendAll(frames []byte) bool {
	ok := true
	for len(frames) >= ofwire.HeaderLen {
		n := int(binary.BigEndian.Uint16(frames[2:4]))
		if n < ofwire.HeaderLen || n > len(frames) {
			return false
		}
		ok = c.Append(frames[:n], Required) && ok
		frames = frames[n:]
	}
	return ok
}

// flushSize is the number of appended bytes that are sent without waiting for
// the end of the batch.
const flushSize = 32 << 10

// keepBuffer is the largest output buffer an idle connection keeps.
const keepBuffer = 64 << 10

// writeState says who is writing. Only one goroutine does at a time, or bytes
// would change places.
type writeState uint8

const (
	idle     writeState = iota
	flushing            // a Flush
	handed              // the writer, or it is about to
)

// flushMost is about how much one Flush writes by itself. Others append all the time;
// whoever flushes must not become their writer and neglect its own peer.
const flushMost = 2 * flushSize

// Flush sends what has been appended. It writes by itself as long as that does
// not block and is not too much, and leaves the rest to the writer.
func (c *Conn) Flush() {
	if b, s := c.startFlush(); b != nil {
		n, err := c.tryWrite(s, b)
		c.endFlush(s, b, n, err)
	}
}

// startFlush takes what is to be written, if there is something and nobody else
// writes; endFlush must follow. s is where to, nil without a loop.
func (c *Conn) startFlush() (b []byte, s *sock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state != idle || len(c.buf) == 0 || c.cause != nil:
		return nil, nil
	case c.raw == nil:
		c.state = handed
		c.handLocked()
		return nil, nil
	}
	c.state = flushing
	return c.takeLocked(), c.sock
}

// endFlush is told how the writing of b to s went, and goes on with what has been
// appended meanwhile.
func (c *Conn) endFlush(s *sock, b []byte, n int, err error) {
	for done := len(b); ; done += len(b) {
		if err != nil {
			c.Close(err)
		}
		c.written(n)
		c.mu.Lock()
		if n < len(b) {
			c.rest = b[n:]
			break
		}
		c.giveLocked(b)
		if len(c.buf) == 0 || c.cause != nil || done >= flushMost {
			break
		}
		b = c.takeLocked()
		c.mu.Unlock()
		n, err = c.tryWrite(s, b)
	}
	more := len(c.buf)+len(c.rest) > 0
	c.state = idle
	if more {
		c.state = handed
	}
	if more || c.draining != nil {
		c.handLocked()
	}
	c.mu.Unlock()
}

func (c *Conn) tryWrite(s *sock, b []byte) (int, error) {
	if s != nil {
		return s.write(b)
	}
	return c.try.write(c.raw, b)
}

// handLocked leaves what is to be written to whoever waits for the socket.
func (c *Conn) handLocked() {
	if c.sock != nil {
		c.cfg.Loop.drainWhenReady(c)
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// WaitRoom waits until less than the soft limit is queued. from is the
// connection whose reader waits (nil: none); what is queued for it is sent before,
// and unless it waits for itself, its peer is not given up meanwhile for what it
// could not be asked.
func (c *Conn) WaitRoom(ctx context.Context, from *Conn) error {
	if c.queued.Load() <= int64(c.cfg.SoftLimit) {
		return nil
	}
	c.Flush()
	if from != nil {
		from.stepAside()
	}
	if from != nil && from != c {
		from.Flush()
		from.held.Store(true)
		defer from.held.Store(false)
	}
	for {
		c.mu.Lock()
		if c.cause != nil {
			err := c.cause
			c.mu.Unlock()
			return err
		}
		if c.queued.Load() <= int64(c.cfg.SoftLimit) {
			c.mu.Unlock()
			return nil
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		var gone <-chan struct{}
		if from != nil {
			gone = from.closed
		}
		select {
		case <-room:
		case <-gone:
			return from.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Pause makes the reader that calls it wait, for a rate to be kept. The peer is
// not given up meanwhile. It returns early with the cause when the connection
// ends.
func (c *Conn) Pause(d time.Duration) error {
	c.stepAside()
	c.held.Store(true)
	defer c.held.Store(false)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.closed:
		return c.Err()
	}
}

// stepAside is called by a handler of c that is about to wait.
func (c *Conn) stepAside() {
	if c.cfg.Loop != nil {
		c.cfg.Loop.pass(c)
	}
}

// drain sends what a Flush could not send without blocking, as far as the socket
// takes it now. A loop calls it, two of its goroutines at a time even.
func (c *Conn) drain() {
	c.mu.Lock()
	if c.state == flushing { // whoever it is hands over again when something is left
		c.mu.Unlock()
		return
	}
	c.state = flushing
	for c.cause == nil {
		b := c.rest
		c.rest = nil
		if b == nil {
			if len(c.buf) == 0 {
				break
			}
			b = c.takeLocked()
		}
		c.mu.Unlock()
		n, err := c.sock.write(b)
		if err != nil {
			c.Close(err)
		}
		c.written(n)
		c.mu.Lock()
		if n < len(b) {
			c.rest = b[n:]
			c.state = handed
			c.mu.Unlock()
			return
		}
		c.giveLocked(b)
	}
	c.cfg.Loop.drained(c)
	c.state = idle
	drained := c.draining != nil
	c.mu.Unlock()
	if drained {
		c.sayFarewell()
	}
}

// writeLoop sends what a Flush could not send without blocking.
func (c *Conn) writeLoop() {
	for {
		select {
		case <-c.closed:
			return
		case <-c.wake:
		}
		c.mu.Lock()
		if c.state == flushing { // it signals again when something is left
			c.mu.Unlock()
			continue
		}
		c.state = handed
		if err := c.drainLocked(); err != nil {
			c.Close(err)
			return
		}
	}
}

// drainLocked writes until nothing is left. It is called with mu held and state
// handed, and returns with mu released.
func (c *Conn) drainLocked() error {
	for c.cause == nil {
		b := c.rest
		c.rest = nil
		if b == nil {
			if len(c.buf) == 0 {
				break
			}
			b = c.takeLocked()
		}
		c.mu.Unlock()
		n, err := c.nc.Write(b[:min(len(b), flushSize)]) // so that it is seen how much the peer takes
		c.written(n)
		if err != nil {
			return err
		}
		c.mu.Lock()
		if n < len(b) {
			c.rest = b[n:]
			continue
		}
		c.giveLocked(b)
	}
	c.state = idle
	drained := c.draining != nil
	c.mu.Unlock()
	if drained {
		c.sayFarewell()
	}
	return nil
}

// takeLocked swaps the two buffers and returns the one to write.
func (c *Conn) takeLocked() []byte {
	b := c.buf
	c.buf, c.spare = c.spare[:0], nil
	return b
}

// giveLocked takes back a buffer that has been written, unless it is so large
// that an idle connection should not hold it.
func (c *Conn) giveLocked(b []byte) {
	if c.spare == nil && cap(b) <= keepBuffer {
		c.spare = b[:0]
	}
}

// written accounts for n bytes that the kernel took and lets waiters go on. They wait
// only while too much is queued, and look again once they have said so.
func (c *Conn) written(n int) {
	left, soft := c.queued.Add(int64(-n)), int64(c.cfg.SoftLimit)
	switch {
	case left > soft:
		if n > 0 {
			c.taken.Add(1)
		}
		return
	case left+int64(n) <= soft:
		return
	}
	c.mu.Lock()
	room := c.room
	c.room = nil
	c.mu.Unlock()
	if room != nil {
		close(room)
	}
}
