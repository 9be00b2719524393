package classifier

import (
	"context"
	"fmt"
	"maps"
	"net"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire/of10"
)

// Slice is the session of one slice on this datapath, as far as this package has
// to know it. Neither method blocks.
type Slice interface {
	// Send queues a copy of frame for the slice's controllers with that id, but not
	// for except.
	Send(id, except slicing.ConnID, frame []byte) bool
	// Flush sends what has been queued, with out, which may be nil.
	Flush(out *ofconn.Batch)
}

// Options are what a session is made from.
type Options struct {
	// Conn configures the connection to the switch; handler and log are set by the
	// session.
	Conn ofconn.Config
	// Log has the field dpid set. It must not be nil.
	Log *logrus.Entry
	// Touched, if not nil, is called after each message or deadline that may have
	// changed flows or ports. It must be quick.
	Touched func()
}

// Session is the live session of one datapath.
type Session struct {
	// Static after construction.
	opts Options
	conn *ofconn.Conn

	// slices is read on the message path and replaced as a whole.
	slices atomic.Pointer[members]

	// How long messages of the switch and of controllers took.
	fromSwitch, fromController Latency

	// Owned by the reading goroutine.
	fast slicing.Out

	tap     atomic.Pointer[Tap]
	ours    questions
	isReady chan struct{} // closed when the core knows what the switch has

	waiting atomic.Int32 // goroutines that wait for mu

	mu        sync.Mutex
	inRow     int               // guarded by mu; how often it was taken while nobody waited
	dp        *slicing.Datapath // guarded by mu, except for what it allows without
	out       slicing.Out       // guarded by mu
	unready   chan struct{}     // guarded by mu; closed and nil once the core is ready
	faulty    bool              // guarded by mu; the core has had a fault
	connected bool              // guarded by mu; Connect has been called
	timer     *time.Timer       // guarded by mu; nil before Run and after it
	armed     time.Time         // guarded by mu; when timer fires, zero for not at all
}

// member is one slice with whether something is queued for it.
type member struct {
	Slice
	dirty atomic.Bool
}

// members are the slices of a datapath. They are replaced as a whole, and looked
// through with each batch of messages.
type members struct {
	named map[string]*member
	all   []*member // in no order
}

// with returns the members with another session for one slice, or none.
func (m *members) with(name string, sl Slice) *members {
	next := &members{named: maps.Clone(m.named)}
	switch {
	case sl == nil:
		delete(next.named, name)
	case next.named == nil:
		next.named = map[string]*member{name: {Slice: sl}}
	default:
		next.named[name] = &member{Slice: sl}
	}
	next.all = slices.Collect(maps.Values(next.named))
	return next
}

// New makes the session of an identified switch on nc. Nothing runs before Run.
func New(nc net.Conn, dp *slicing.Datapath, opts Options) *Session {
	s := &Session{opts: opts, dp: dp, isReady: make(chan struct{})}
	s.unready = s.isReady
	if opts.Touched == nil {
		s.opts.Touched = func() {}
	}
	s.slices.Store(new(members))
	cfg := opts.Conn
	cfg.Handler, cfg.Log, cfg.Source = s, opts.Log, true
	s.conn = ofconn.New(nc, cfg)
	return s
}

// Conn is the connection to the switch.
func (s *Session) Conn() *ofconn.Conn { return s.conn }

// Run moves messages until the switch is gone or ctx is done, and returns why.
func (s *Session) Run(ctx context.Context) error {
	s.mu.Lock()
	s.timer = time.AfterFunc(time.Hour, s.tick)
	s.timer.Stop()
	s.armLocked()
	s.mu.Unlock()
	s.conn.Flush()
	err := s.conn.Run(ctx)
	s.mu.Lock()
	s.timer.Stop()
	s.timer = nil
	s.mu.Unlock()
	return err
}

// Retire lets go of the core. It is called after Run has returned and all slices
// have ended; from then on nothing happens here any more. False means that the core
// has had a fault and must not be used again.
func (s *Session) Retire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dp = nil
	return !s.faulty
}

// Do runs f with the core, alone, and sends what f appended. After Retire f is not
// called.
func (s *Session) Do(f func(now time.Time, dp *slicing.Datapath, out *slicing.Out)) {
	defer s.contain()
	s.locked(f)
	s.Flush()
}

// contain ends the session when the core has a fault outside of a connection's
// reader, which has its own last resort.
func (s *Session) contain() {
	if p := recover(); p != nil {
		s.conn.Counters().CountPanic()
		s.opts.Log.WithField("stack", string(debug.Stack())).Errorf("fault in the slicing core: %v", p)
		s.conn.Close(fmt.Errorf("%w: %v", ofconn.ErrPanic, p))
	}
}

// locked runs f with the core, alone. A fault is the caller's: it ends the one
// connection whose message it was.
func (s *Session) locked(f func(now time.Time, dp *slicing.Datapath, out *slicing.Out)) {
	s.lock()
	ok := false
	defer func() {
		s.faulty = s.faulty || !ok
		s.unlock()
	}()
	if s.dp == nil {
		ok = true
		return
	}
	s.out.Reset()
	f(time.Now(), s.dp, &s.out)
	s.emit(&s.out)
	s.armLocked()
	if s.unready != nil && s.connected && s.dp.Ready() {
		close(s.unready)
		s.unready = nil
	}
	ok = true
}

// turn is how many messages in a row may be handled while somebody else waits.
const turn = 16

// lock takes mu. Who must wait is counted, since a mutex goes to whoever is running:
// a slice that floods would keep the others out for a millisecond each time.
func (s *Session) lock() {
	if s.mu.TryLock() {
		s.inRow++
		return
	}
	s.waiting.Add(1)
	s.mu.Lock()
	s.waiting.Add(-1)
	s.inRow = 0
}

// unlock releases mu and, after a turn, lets those who wait go first.
func (s *Session) unlock() {
	yield := s.inRow >= turn && s.waiting.Load() > 0
	if yield {
		s.inRow = 0
	}
	s.mu.Unlock()
	if yield {
		runtime.Gosched()
	}
}

// Connect tells the core that its switch is there. It is called before Run, and
// again without features and with another policy when Ready does not come.
func (s *Session) Connect(features *of10.FeaturesReply, policy slicing.Policy) {
	s.Do(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) {
		s.connected = true
		dp.Connect(now, features, policy, out)
	})
}

// Ready is closed when the core knows what the switch has, and slices may be
// served.
func (s *Session) Ready() <-chan struct{} { return s.isReady }

// SetSlice makes a slice's session known to whom messages are given; nil removes it.
func (s *Session) SetSlice(name string, sl Slice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slices.Store(s.slices.Load().with(name, sl))
}

// Latencies are the times that messages of the switch and of controllers took; one in a few is timed.
func (s *Session) Latencies() (fromSwitch, fromController *Latency) {
	return &s.fromSwitch, &s.fromController
}

// HandleFrame handles one message of the switch.
func (s *Session) HandleFrame(frame []byte) error {
	if s.fromSwitch.sampled() {
		begin := time.Now()
		defer func() { s.fromSwitch.observe(time.Since(begin)) }()
	}
	if t := s.tap.Load(); t != nil && tapped(*t, frame) {
		return nil
	}
	if of10.Type(frame[1]) == of10.TypePacketIn {
		s.fast.Reset()
		if s.dp.FastPacketIn(frame, &s.fast) {
			s.emit(&s.fast)
			return nil
		}
	}
	if s.ownAnswer(frame) {
		return nil
	}
	s.locked(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) { dp.FromSwitch(now, frame, out) })
	s.opts.Touched()
	return nil
}

// BatchDone sends what the last messages caused.
func (s *Session) BatchDone(out *ofconn.Batch) { s.flushSlices(out) }

// FromController handles one message of a controller of the slice.
func (s *Session) FromController(slice string, from slicing.Conn, frame []byte) {
	if s.fromController.sampled() {
		begin := time.Now()
		defer func() { s.fromController.observe(time.Since(begin)) }()
	}
	s.locked(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) {
		dp.FromController(now, slice, from, frame, out)
	})
	s.opts.Touched()
}

// WaitRoom waits while the switch does not keep up.
func (s *Session) WaitRoom(ctx context.Context, from *ofconn.Conn) error {
	return s.conn.WaitRoom(ctx, from)
}

// FlushBatch is Flush at the end of what one controller sent. Other slices that
// have something for the switch go first, so that it goes out in one write.
func (s *Session) FlushBatch(out *ofconn.Batch) {
	if s.opts.Conn.Loop == nil && len(s.slices.Load().all) > 1 { // a loop waits for the end of its round anyway
		runtime.Gosched()
	}
	out.Flush(s.conn)
	s.flushSlices(out)
}

// Flush sends everything that is queued, to the switch and to the slices.
func (s *Session) Flush() {
	s.conn.Flush()
	s.flushSlices(nil)
}

func (s *Session) flushSlices(out *ofconn.Batch) {
	for _, m := range s.slices.Load().all {
		if m.dirty.Load() && m.dirty.Swap(false) {
			m.Flush(out)
		}
	}
}

// emit queues what the core wants sent. Nothing in it blocks.
func (s *Session) emit(out *slicing.Out) {
	if b := out.Switch(); len(b) > 0 {
		s.conn.AppendAll(b)
	}
	for i := range out.Len() {
		d := out.At(i)
		if d.Conn&askMask == askConn {
			s.ours.answer(uint16(d.Conn), d.Frame)
			continue
		}
		if m := s.slices.Load().named[d.Slice]; m != nil {
			m.Send(d.Conn, d.Except, d.Frame)
			m.dirty.Store(true)
		}
	}
}

// armLocked sets the timer to the core's next deadline.
func (s *Session) armLocked() {
	if s.timer == nil {
		return
	}
	next, ok := s.dp.NextDeadline()
	switch {
	case !ok:
		if !s.armed.IsZero() {
			s.timer.Stop()
			s.armed = time.Time{}
		}
	case !next.Equal(s.armed):
		s.armed = next
		s.timer.Reset(max(time.Until(next), 0))
	}
}

// tick lets the core do what is due.
func (s *Session) tick() {
	defer s.contain()
	s.locked(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) {
		s.armed = time.Time{}
		dp.Tick(now, out)
	})
	s.opts.Touched()
	s.Flush()
}

// SliceNames are the slices messages are given to, in order.
func (s *Session) SliceNames() []string {
	return slices.Sorted(maps.Keys(s.slices.Load().named))
}
