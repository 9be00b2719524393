package ofconn

import (
	"encoding/binary"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/govisor/govisor/ofwire"
)

// A Loop handles the messages of many plain sockets in one goroutine, its leader. A
// round is: wait for all of them with one system call, read and handle a buffer full
// of each that has something (some more of a switch), send what that caused.
//
// Nobody waits for a handler for long. One that is about to wait (WaitRoom, Pause)
// says so, and one that does not return is found by the watch after 5 to 10 ms; then
// another goroutine becomes the leader of the rest of the round, and this one finishes
// its buffer alone and gives the connection back.
//
// A connection that fills its buffer some times in a row is heavy until it does not,
// and then another goroutine, the carrier, has it; see turns.
type Loop struct {
	mu      sync.Mutex
	conns   table
	taken   int32 // counts the connections
	ep      int   // the epoll instance; valid while running
	wake    int   // an eventfd in it, to end a wait
	running bool

	term    uint64 // counts the passings on; the leader of an older term is one no more
	current *Conn  // whose messages are being handled by the leader
	visits  uint64 // how many connections have been handled
	seen    uint64 // visits at the last look of the watch
	watch   *time.Timer
	watched bool

	turns    [2]turns // of the controllers, and of the switches (Source)
	other    bool     // whose turns are looked at first
	carrying bool     // there is a carrier
	shift    uint64   // counts the carriers that were left alone with a connection
	carried  *Conn    // whose messages are being handled by the carrier
	carries  uint64   // how many buffers it has handled
	noted    uint64   // carries at the last look of the watch

	events [maxEvents]unix.EpollEvent // of this round; from next on they are to be handled
	next   int
	count  int

	// Owned by the leader; passed on with mu.
	pending []*Conn // have handled something in this round
	batch   Batch   // what that has caused
}

const (
	maxEvents = 128
	// watchEvery is how often the watch looks whether a handler has been at it for
	// so long that the others should not wait for it.
	watchEvery = 5 * time.Millisecond
)

// link is what a loop knows of a connection, guarded by the loop's mu.
type link struct {
	number   int32 // of this connection; its file descriptor may have been another's
	interest uint32
	detached bool          // a goroutine of its own handles it
	parked   bool          // detached, and has failed: not in the epoll instance
	pending  bool          // BatchDone is due
	full     int           // how many buffers in a row were
	heavy    bool          // detached, and the carrier's
	counted  uint64        // the epoch in which it was last counted as light, and one
	served   chan struct{} // closed when nobody handles it any more; not nil: it is to leave
}

// take moves the socket of c from the Go runtime to the loop.
func (l *Loop) take(c *Conn) bool {
	for {
		c.mu.Lock()
		if c.state != flushing {
			break
		}
		c.mu.Unlock() // it does not take long
		runtime.Gosched()
	}
	defer c.mu.Unlock()
	if c.raw == nil || c.cause != nil {
		return false
	}
	fd, err := -1, error(nil)
	if e := c.raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3) }); e != nil || err != nil {
		return false
	}
	s := newSock(fd)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.startLocked() {
		s.close()
		return false
	}
	_ = c.nc.Close()
	c.sock = s
	c.r = ofwire.NewReader(s, c.cfg.ReadBuffer)
	l.taken++
	c.link.number, c.link.interest = l.taken, unix.EPOLLIN
	if c.state == handed || c.draining != nil {
		c.link.interest |= unix.EPOLLOUT
	}
	l.conns.put(int32(fd), c)
	l.controlLocked(unix.EPOLL_CTL_ADD, c)
	return true
}

// event is what a wait tells of c.
func (c *Conn) event(events uint32) unix.EpollEvent {
	return unix.EpollEvent{Events: events, Fd: int32(c.sock.fd), Pad: c.link.number}
}

func (l *Loop) controlLocked(op int, c *Conn) {
	ev := c.event(c.link.interest)
	if err := unix.EpollCtl(l.ep, op, c.sock.fd, &ev); err != nil && op != unix.EPOLL_CTL_DEL {
		go c.Close(err)
	}
}

// drainWhenReady and drained are called with c.mu held, so that what is wanted last
// stays.
func (l *Loop) drainWhenReady(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wantLocked(c, unix.EPOLLOUT, 0)
}

func (l *Loop) drained(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wantLocked(c, 0, unix.EPOLLOUT)
}

func (l *Loop) wantLocked(c *Conn, on, off uint32) {
	next := c.link.interest&^off | on
	if next == c.link.interest || l.conns.get(int32(c.sock.fd)) != c {
		return
	}
	c.link.interest = next
	if c.link.parked {
		c.link.parked = false
		l.controlLocked(unix.EPOLL_CTL_ADD, c)
		return
	}
	l.controlLocked(unix.EPOLL_CTL_MOD, c)
}

func (l *Loop) removeLocked(c *Conn) {
	fd := int32(c.sock.fd)
	if l.conns.get(fd) == c {
		l.conns.drop(fd)
		if !c.link.parked {
			l.controlLocked(unix.EPOLL_CTL_DEL, c)
		}
	}
}

// leave ends what the loop has to do with c, waits until nobody handles it, and
// closes the socket.
func (l *Loop) leave(c *Conn) {
	l.mu.Lock()
	l.removeLocked(c)
	var served chan struct{}
	if l.current == c || c.link.detached || c.link.pending {
		served = make(chan struct{})
		c.link.served = served
	}
	if l.conns.n == 0 && l.running {
		l.wakeLocked()
	}
	l.mu.Unlock()
	if served != nil {
		<-served
	}
	c.sock.close()
}

func (l *Loop) wakeLocked() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(l.wake, one[:])
}

func (l *Loop) startLocked() bool {
	if l.running {
		return true
	}
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(ep)
		return false
	}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)}); err != nil {
		_ = unix.Close(wake)
		_ = unix.Close(ep)
		return false
	}
	l.ep, l.wake, l.running = ep, wake, true
	l.batch.open()
	l.next, l.count, l.current, l.pending = 0, 0, nil, nil
	if l.watch == nil {
		l.watch = time.AfterFunc(time.Hour, l.look)
		l.watch.Stop()
	}
	go l.lead(l.term)
	return true
}

// lead handles rounds until the last connection has gone or the loop has been
// passed on.
func (l *Loop) lead(term uint64) {
	l.mu.Lock()
	l.watchLocked() // there may be the rest of a round
	for {
		if !l.roundLocked(term) {
			l.mu.Unlock()
			return
		}
		if l.conns.n == 0 {
			l.running = false
			_ = unix.Close(l.wake)
			_ = unix.Close(l.ep)
			l.batch.close()
			l.mu.Unlock()
			return
		}
		ep := l.ep
		l.mu.Unlock()
		n, err := unix.EpollWait(ep, l.events[:], -1)
		if err != nil {
			n = 0 // EINTR; nothing else can be
		}
		l.mu.Lock()
		l.next, l.count = 0, n
		l.watchLocked()
	}
}

func (l *Loop) watchLocked() {
	if !l.watched {
		l.watched = true
		l.watch.Reset(watchEvery)
	}
}

// roundLocked handles what the last wait has brought; false means that the loop has
// been passed on meanwhile.
func (l *Loop) roundLocked(term uint64) bool {
	for l.next < l.count {
		ev := l.events[l.next]
		l.next++
		c := l.conns.get(ev.Fd)
		switch {
		case c == nil:
			if int(ev.Fd) == l.wake {
				var b [8]byte
				_, _ = unix.Read(l.wake, b[:])
			}
		case c.link.number != ev.Pad: // it was told of one that has gone since
		case c.link.detached:
			l.besideLocked(c, ev.Events)
		default:
			if !l.visitLocked(c, ev.Events, term) {
				return false
			}
		}
	}
	l.settleLocked()
	return true
}

// visitLocked lets the leader handle one connection.
func (l *Loop) visitLocked(c *Conn, events uint32, term uint64) bool {
	l.current = c
	l.visits++
	l.mu.Unlock()
	on := true
	if events&unix.EPOLLOUT != 0 {
		c.drain()
	}
	if events&^unix.EPOLLOUT != 0 {
		on = c.visit()
	}
	l.mu.Lock()
	if l.term != term {
		l.mu.Unlock()
		l.alone(c, on)
		l.mu.Lock()
		return false
	}
	l.current = nil
	if l.weighLocked(c, on); c.link.heavy {
		return true
	}
	if c.handled {
		c.link.pending = true
		l.pending = append(l.pending, c)
	}
	l.servedLocked(c)
	return true
}

// settleLocked ends a round: what it has caused is sent.
func (l *Loop) settleLocked() {
	l.mu.Unlock()
	for _, c := range l.pending {
		c.batchDone(&l.batch)
	}
	l.batch.send()
	l.mu.Lock()
	for i, c := range l.pending {
		c.link.pending = false
		l.servedLocked(c)
		l.pending[i] = nil
	}
	l.pending = l.pending[:0]
}

// besideLocked does for a connection that goes on alone what it cannot do itself.
func (l *Loop) besideLocked(c *Conn, events uint32) {
	if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 && !c.link.parked { // they would be told of again and again
		c.link.parked = true
		l.controlLocked(unix.EPOLL_CTL_DEL, c)
	}
	if events&unix.EPOLLOUT != 0 {
		l.mu.Unlock()
		c.drain()
		l.mu.Lock()
	}
}

func (l *Loop) servedLocked(c *Conn) {
	if c.link.served != nil && !c.link.pending {
		close(c.link.served)
		c.link.served = nil
	}
}

// alone ends the visit of a connection without which the loop went on, and gives it
// back.
func (l *Loop) alone(c *Conn, on bool) {
	c.batchDone(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.weighLocked(c, on)
	l.backLocked(c, on)
}

func (l *Loop) backLocked(c *Conn, on bool) {
	if c.link.heavy {
		return
	}
	c.link.detached = false
	if on {
		l.wantLocked(c, unix.EPOLLIN, 0)
	}
	l.servedLocked(c)
}

// pass lets another goroutine go on with everything but c, whose handler is about
// to wait.
func (l *Loop) pass(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch c {
	case l.current:
		l.passLocked()
	case l.carried:
		l.relieveLocked()
	}
}

func (l *Loop) passLocked() {
	l.detachLocked(l.current)
	l.current = nil
	l.term++
	go l.lead(l.term)
}

func (l *Loop) detachLocked(c *Conn) {
	c.link.detached = true
	l.wantLocked(c, 0, unix.EPOLLIN)
}

// look is the watch: it runs while there is something to do.
func (l *Loop) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil && l.carried == nil && l.visits == l.seen && l.carries == l.noted {
		l.watched = false
		return
	}
	if l.current != nil && l.visits == l.seen {
		l.passLocked()
	}
	if l.carried != nil && l.carries == l.noted {
		l.relieveLocked()
	}
	l.seen, l.noted = l.visits, l.carries
	l.watch.Reset(watchEvery)
}
