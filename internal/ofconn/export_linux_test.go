package ofconn

// Parked reports whether the loop has stopped waiting for c, which has failed while
// its handler was busy.
func Parked(c *Conn) bool {
	l := c.cfg.Loop
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.link.parked
}

// Running reports whether l has a goroutine.
func Running(l *Loop) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running
}

// PlainLoop is a loop on a system without io_uring.
func PlainLoop() *Loop { return &Loop{batch: Batch{plain: true}} }

// HasRing reports whether l, which runs, has the kernel send for many with one call.
func HasRing(l *Loop) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.batch.ring != nil
}

// OpenBatch is a batch as a loop has it, with a ring if the system has one; end sends
// what has begun.
func OpenBatch() (b *Batch, end func()) {
	b = &Batch{}
	b.open()
	return b, func() { b.send(); b.close() }
}

// Descriptor is the number of the socket of c, which a loop has.
func Descriptor(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sock.fd
}
