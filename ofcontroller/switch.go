package ofcontroller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Switch is one connected switch. Its methods may be called by any goroutine;
// when the switch connects again it is another Switch.
type Switch struct {
	// Static after construction.
	c     *Controller
	cfg   Config
	conn  *ofconn.Conn
	queue *queue
	log   *logrus.Entry // dpid set once it is known
	ended chan struct{} // closed when the last handler has returned

	// Set during the handshake, before the first event.
	id       ofwire.DatapathID
	features *of10.FeaturesReply

	up       atomic.Bool   // the handshake is done
	batching atomic.Bool   // the reader runs inline handlers and will flush
	failed   atomic.Bool   // a handler panicked
	xid      atomic.Uint32 // last one given out

	requests requests
	ports    ports
	faults   faults

	in of10.PacketIn // owned by the reader
}

func newSwitch(c *Controller, cfg Config, nc net.Conn, log *logrus.Entry) *Switch {
	sw := &Switch{c: c, cfg: cfg, queue: newQueue(cfg.QueueLimit), log: log, ended: make(chan struct{})}
	sw.requests.byXID = make(map[uint32]*request)
	sw.conn = ofconn.New(nc, ofconn.Config{Handler: sw, EchoInterval: cfg.EchoInterval, Log: log})
	return sw
}

// ID is the datapath id.
func (sw *Switch) ID() ofwire.DatapathID { return sw.id }

// Controller is the controller the switch is connected to.
func (sw *Switch) Controller() *Controller { return sw.c }

// Features is the switch's FEATURES_REPLY; Ports knows later changes. Shared.
func (sw *Switch) Features() *of10.FeaturesReply { return sw.features }

// RemoteAddr is the switch's address.
func (sw *Switch) RemoteAddr() net.Addr { return sw.conn.RemoteAddr() }

// Done is closed when the connection has ended. Handlers may still run.
func (sw *Switch) Done() <-chan struct{} { return sw.conn.Done() }

func (sw *Switch) String() string { return "switch " + sw.id.String() }

// Close ends the connection. The cause is what SwitchDown and Attach tell.
func (sw *Switch) Close(cause error) { sw.conn.Close(cause) }

// run runs the connection from the handshake to the last handler.
func (sw *Switch) run(ctx context.Context, handshake time.Duration) error {
	defer close(sw.ended)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { sw.queue.run(sw.guard) })
	reading := make(chan error, 1)
	wg.Go(func() { reading <- sw.conn.Run(ctx) })

	err := sw.greet(ctx, handshake)
	if err != nil {
		sw.conn.Close(err)
	}
	err = <-reading
	sw.requests.fail(fmt.Errorf("%w: %w", ErrGone, err))
	sw.ports.stop()
	sw.c.leave(sw)
	sw.queue.finish(func() {
		if sw.up.Load() {
			sw.failed.Store(false) // the last event is told even then
			Emit(sw, SwitchDown{Err: err})
		}
	})
	return err
}

// greet asks for the features, sets the configuration and makes the switch known.
func (sw *Switch) greet(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	reply, err := sw.Request(ctx, &of10.FeaturesRequest{})
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	sw.features = reply.(*of10.FeaturesReply)
	sw.id = sw.features.DatapathID
	sw.log = sw.log.WithField("dpid", sw.id.String())
	if err := sw.c.join(ctx, sw); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if err := sw.Send(&of10.SetConfig{MissSendLen: sw.c.config().MissSendLen}); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	// In this order, so that nothing overtakes the first event.
	err = sw.queue.push(func() { Emit(sw, SwitchUp{Features: sw.features}) })
	sw.up.Store(true)
	sw.watchPorts() // what changed since the features reply
	sw.log.Info("switch is up")
	return err
}

// guard runs a handler of the queue and survives its panic.
func (sw *Switch) guard(task func()) {
	if sw.failed.Load() && !sw.queueEnding() {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			err := &PanicError{Value: p, Stack: debug.Stack()}
			sw.failed.Store(true)
			sw.log.WithField("stack", string(err.Stack)).Errorf("%v; closing the connection", err)
			sw.conn.Close(err)
		}
	}()
	task()
}

// queueEnding reports whether only the last task is left.
func (sw *Switch) queueEnding() bool {
	sw.queue.mu.Lock()
	defer sw.queue.mu.Unlock()
	return sw.queue.closed && sw.queue.waiting.Load() == 1
}

func (sw *Switch) goneError() error {
	if err := sw.conn.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// Send sends messages, in order. A message with transaction id 0 is given one,
// which is stored in it. Send waits at most Config.SendTimeout for a switch that
// does not read; the error is then ErrSlow, and ErrGone when the connection has
// ended. It does not keep the messages.
func (sw *Switch) Send(messages ...of10.Message) error {
	for _, m := range messages {
		if err := sw.enqueue(m); err != nil {
			return err
		}
	}
	if !sw.batching.Load() {
		sw.conn.Flush()
	}
	return nil
}

// Offer queues a message that may be lost: it is dropped when the switch does
// not keep up. It never blocks, and leaves the sending to Flush.
func (sw *Switch) Offer(m of10.Message) bool {
	buf := encodeBuffers.Get().(*[]byte)
	defer encodeBuffers.Put(buf)
	b, err := m.AppendBinary((*buf)[:0])
	if err != nil {
		return false
	}
	*buf = b
	return sw.conn.Append(b, ofconn.Droppable)
}

// Flush sends what Offer has queued. It does not block.
func (sw *Switch) Flush() { sw.conn.Flush() }

// NextXID returns a transaction id that no recent message of this connection has.
func (sw *Switch) NextXID() uint32 {
	for {
		if x := sw.xid.Add(1); x != 0 {
			return x
		}
	}
}

var encodeBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (sw *Switch) enqueue(m of10.Message) error {
	if m.TransactionID() == 0 {
		m.SetTransactionID(sw.NextXID())
	}
	if want, ok := replyType(m.Type()); ok {
		sw.requests.expect(m.TransactionID(), want)
	}
	return sw.write(m)
}

func (sw *Switch) write(m of10.Message) error {
	buf := encodeBuffers.Get().(*[]byte)
	defer encodeBuffers.Put(buf)
	b, err := m.AppendBinary((*buf)[:0])
	if err != nil {
		return fmt.Errorf("sending %v: %w", m.Type(), err)
	}
	*buf = b
	if err := sw.room(); err != nil {
		return err
	}
	if !sw.conn.Append(b, ofconn.Required) {
		if err := sw.goneError(); err != nil {
			return err
		}
		return ErrSlow
	}
	return nil
}

// room waits for room in the output queue, but not forever.
func (sw *Switch) room() error {
	if sw.conn.Queued() < 256<<10 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sw.cfg.SendTimeout)
	defer cancel()
	err := sw.conn.WaitRoom(ctx, nil)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return ErrSlow
	}
	return fmt.Errorf("%w: %w", ErrGone, err)
}

// Ports returns the ports as they are now, in the order of their numbers.
func (sw *Switch) Ports() []of10.PhyPort {
	all := sw.ports.all()
	slices.SortFunc(all, func(a, b of10.PhyPort) int { return cmp.Compare(a.PortNo, b.PortNo) })
	return all
}

// Port returns one port as it is now.
func (sw *Switch) Port(number of10.Port) (of10.PhyPort, bool) { return sw.ports.get(number) }
