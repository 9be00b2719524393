package ofconn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/ofwire"
)

// Errors a connection ends with, besides what the network says.
var (
	ErrClosed    = errors.New("connection closed")
	ErrKeepAlive = errors.New("peer does not answer echo requests")
	ErrOverflow  = errors.New("peer does not read")
	ErrPanic     = errors.New("internal fault while handling a message")
	// ErrStopping as the cause of a context lets its connections send what is
	// queued, for a few seconds at most, before they end with it.
	ErrStopping = errors.New("govisor stops")
)

// The message types this package acts on itself; they are the same in every
// version of OpenFlow.
const (
	typeHello       = 0
	typeError       = 1
	typeEchoRequest = 2
	typeEchoReply   = 3
)

// Handler gets what the peer sends. Its methods are called one after the other.
type Handler interface {
	// HandleFrame gets one message of the agreed version. The frame is the
	// handler's, to read and to patch, until it returns. An error ends the
	// connection. HELLO and ECHO never arrive here.
	HandleFrame(frame []byte) error
	// BatchDone is called when no further complete message has been received
	// yet: time to flush what the handler appended to other connections, by way of
	// out, which may be nil. Nothing in it waits.
	BatchDone(out *Batch)
}

// Config is how a connection is run. It is copied.
type Config struct {
	Handler Handler
	// EchoInterval: silence for this long sends an ECHO_REQUEST, silence for
	// twice as long ends the connection. 0 means 10 s, below 0 never.
	EchoInterval time.Duration
	// SoftLimit is the number of queued bytes from which on droppable messages
	// are dropped and WaitRoom waits. 0 means 512 KiB.
	SoftLimit int
	// HardLimit is the number of queued bytes at which the connection is ended,
	// since its peer does not read. 0 means 64 MiB.
	HardLimit int
	// ReadBuffer is the size of the read buffer. 0 means 8 KiB; a longer
	// message makes it grow for a while.
	ReadBuffer int
	// Loop, if not nil, handles the connection together with others, when it is a
	// plain socket and the system has a way to. Otherwise it gets goroutines of its
	// own.
	Loop *Loop
	// Source: the peer is a switch. Those of a loop that send without end take turns
	// with other sources, the others of the loop among themselves.
	Source bool
	// Counters to count in; nil gives the connection its own.
	Counters *Counters
	// Log is for what is worth a line (a fault in the handler). nil is silent.
	Log *logrus.Entry
}

func (c Config) withDefaults() Config {
	if c.EchoInterval == 0 {
		c.EchoInterval = 10 * time.Second
	}
	if c.SoftLimit == 0 {
		c.SoftLimit = 512 << 10
	}
	if c.HardLimit == 0 {
		c.HardLimit = 64 << 20
	}
	if c.ReadBuffer == 0 {
		c.ReadBuffer = 8 << 10
	}
	if c.Counters == nil {
		c.Counters = new(Counters)
	}
	return c
}

// Conn is one running connection. Append, Flush, WaitRoom, Probe, Close and
// Shutdown may be called by any goroutine.
type Conn struct {
	// Static after construction.
	cfg    Config
	nc     net.Conn
	raw    syscall.RawConn // nil when a write cannot be tried without blocking
	wake   chan struct{}   // capacity 1; the writer has something to do
	closed chan struct{}   // the connection has ended
	down   chan struct{}   // the transport is closed too

	// Owned by the reading goroutine, or whoever the loop lets serve.
	r       *ofwire.Reader
	handled bool // messages since the last BatchDone
	reads   int  // since then; a loop does not count them

	link link // guarded by the loop's mu

	received atomic.Uint64 // messages; the keep-alive looks at it
	taken    atomic.Uint64 // how often the peer took something while too much was queued; likewise
	held     atomic.Bool   // the reader waits for room elsewhere
	queued   atomic.Int64  // bytes appended and not yet taken by the kernel

	// Guarded by mu.
	mu       sync.Mutex
	sock     *sock         // nil unless a loop has it; then in place of nc
	buf      []byte        // appended, not yet being written
	spare    []byte        // the other buffer, when nobody writes from it
	rest     []byte        // what a tried write left for the writer
	state    writeState    // who is writing; it will look at buf again
	draining error         // not nil: take no more, and end with this when everything is written
	farewell bool          // everything is written, and the peer has been told
	room     chan struct{} // closed when queued falls below the soft limit; nil without waiters
	probes   []chan struct{}
	cause    error // why the connection ended; set once

	try tryWriter // owned by whoever set state to flushing
}

// New makes a connection from an established transport. The version must
// already be agreed (Handshake). Nothing runs before Run.
func New(nc net.Conn, cfg Config) *Conn {
	c := &Conn{
		cfg:    cfg.withDefaults(),
		nc:     nc,
		wake:   make(chan struct{}, 1),
		closed: make(chan struct{}),
		down:   make(chan struct{}),
	}
	c.raw = rawConn(nc)
	c.try.init()
	return c
}

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Counters are the counters this connection counts in.
func (c *Conn) Counters() *Counters { return c.cfg.Counters }

// Queued is the number of bytes waiting to be sent.
func (c *Conn) Queued() int { return int(c.queued.Load()) }

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.closed }

// Err is why the connection ended, nil while it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Run reads and writes until the connection ends and returns why. Both loops
// have ended and the transport is closed when it returns. ctx being done closes the connection.
func (c *Conn) Run(ctx context.Context) error {
	if c.cfg.Loop != nil && c.runOn(ctx, c.cfg.Loop) {
		return c.Err()
	}
	stop := context.AfterFunc(ctx, func() { c.done(context.Cause(ctx)) })
	defer stop()
	keeper := c.keepAlive()
	defer keeper.stop()
	var wg sync.WaitGroup
	wg.Go(c.writeLoop)
	c.Close(c.readLoop())
	wg.Wait()
	<-c.down
	return c.Err()
}

// Close ends the connection at once; what is queued is lost. The first cause
// stays.
func (c *Conn) Close(cause error) {
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return
	}
	if cause == nil {
		cause = ErrClosed
	}
	if c.farewell {
		cause = c.draining
	}
	c.cause = cause
	close(c.closed)
	room, probes, looped := c.room, c.probes, c.sock != nil
	c.room, c.probes = nil, nil
	c.mu.Unlock()
	if room != nil {
		close(room)
	}
	for _, p := range probes {
		close(p)
	}
	if looped {
		return // Run takes it from the loop and closes it
	}
	// Closing waits for whoever is inside the transport, which may be the caller.
	go func() {
		_ = c.nc.Close()
		close(c.down)
	}()
}

// drainTime is how long a connection may take to send what is queued when govisor
// stops, and farewellTime how long its peer may take then to close its end.
const (
	drainTime    = 3 * time.Second
	farewellTime = 500 * time.Millisecond
)

// done is called when the context of Run is done.
func (c *Conn) done(cause error) {
	if errors.Is(cause, ErrStopping) {
		c.shutdown(drainTime, cause)
		return
	}
	c.Close(cause)
}

// Shutdown ends the connection when what is queued has been sent, or after
// timeout.
func (c *Conn) Shutdown(timeout time.Duration) { c.shutdown(timeout, ErrClosed) }

func (c *Conn) shutdown(timeout time.Duration, cause error) {
	time.AfterFunc(timeout, func() { c.Close(os.ErrDeadlineExceeded) })
	c.mu.Lock()
	if c.draining == nil {
		c.draining = cause
		c.handLocked()
	}
	c.mu.Unlock()
}

// sayFarewell is called when everything is written after Shutdown. What the peer
// has sent meanwhile must still be read: closing a socket with something unread in
// it takes back what the peer has not read yet.
func (c *Conn) sayFarewell() {
	c.mu.Lock()
	again, sock := c.farewell, c.sock
	c.farewell = true
	c.mu.Unlock()
	if again {
		return
	}
	err := errors.ErrUnsupported
	if sock != nil {
		err = sock.closeWrite()
	} else if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		err = half.CloseWrite()
	}
	if err != nil {
		c.Close(err)
		return
	}
	time.AfterFunc(farewellTime, func() { c.Close(ErrClosed) })
}

func (c *Conn) readLoop() (err error) {
	defer c.batchDone(nil)
	defer c.fault(&err)
	var src io.Reader = c.nc
	if c.raw != nil {
		src = newTryReader(c.raw, func() { c.batchDone(nil) })
	}
	c.r = ofwire.NewReader(src, c.cfg.ReadBuffer)
	for {
		frame, err := c.r.Next()
		if err != nil {
			return err
		}
		if err := c.handle(frame); err != nil {
			return err
		}
		if c.r.Buffered() {
			continue
		}
		// A plain socket tells when it has nothing more; others are taken to have
		// nothing more.
		if c.reads++; c.raw == nil || c.reads >= maxReads {
			c.batchDone(nil)
		}
	}
}

// fault is the last resort of whoever calls the handler.
func (c *Conn) fault(err *error) {
	p := recover()
	if p == nil {
		return
	}
	c.cfg.Counters.CountPanic()
	if c.cfg.Log != nil {
		c.cfg.Log.WithField("stack", string(debug.Stack())).Errorf("handling a message: %v", p)
	}
	*err = fmt.Errorf("%w: %v", ErrPanic, p)
}

func (c *Conn) handle(frame []byte) error {
	c.handled = true
	c.received.Add(1)
	c.cfg.Counters.countRx(frame)
	return c.dispatch(c.cfg.Handler, frame)
}

// maxReads bounds how many buffers full of messages are handled before their
// consequences are sent.
const maxReads = 4

// batchDone sends what the messages handled so far have caused.
func (c *Conn) batchDone(out *Batch) {
	if !c.handled {
		return
	}
	c.handled, c.reads = false, 0
	if err := c.settle(out); err != nil {
		c.Close(err)
	}
}

func (c *Conn) settle(out *Batch) (err error) {
	defer c.fault(&err)
	c.cfg.Handler.BatchDone(out)
	out.Flush(c)
	return nil
}

// dispatch keeps what concerns the connection only and hands on the rest.
func (c *Conn) dispatch(h Handler, frame []byte) error {
	if frame[0] != ofwire.Version10 {
		c.refuse(frame)
		return c.keepPace()
	}
	switch frame[1] {
	case typeHello:
		return nil
	case typeEchoRequest:
		frame[1] = typeEchoReply
		c.Append(frame, Required)
		return c.keepPace()
	case typeEchoReply:
		c.answered()
		return nil
	}
	return h.HandleFrame(frame)
}

// keepPace slows a peer that does not take its answers. A switch is not slowed: what
// it has to say to others would wait, and many read only when they have written.
func (c *Conn) keepPace() error {
	if c.cfg.Source {
		return nil
	}
	return c.WaitRoom(context.Background(), c)
}

// refuse answers a message of another version with BAD_REQUEST/BAD_VERSION.
func (c *Conn) refuse(frame []byte) {
	if frame[1] == typeError {
		return
	}
	data := frame[:min(len(frame), 64)]
	b := make([]byte, 12, 12+len(data))
	b[0], b[1] = ofwire.Version10, typeError
	binary.BigEndian.PutUint16(b[2:4], uint16(12+len(data)))
	copy(b[4:8], frame[4:8])
	binary.BigEndian.PutUint16(b[8:10], 1) // OFPET_BAD_REQUEST, code 0 OFPBRC_BAD_VERSION
	c.Append(append(b, data...), Required)
}
