package slicer

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// heldLong is how long a connection must have held for the next attempt to be
// made without a pause.
const heldLong = time.Second

// errReconfigured ends a connection to a controller that is no longer one of the
// slice's.
var errReconfigured = errors.New("no longer a controller of this slice")

// Session is the live session of one slice on one datapath.
type Session struct {
	// Static after construction.
	opts     Options
	counters *ofconn.Counters

	// Read on the message path.
	peers  atomic.Pointer[[]*peer] // never nil
	limits atomic.Pointer[[]*limits.Slice]

	lastID  atomic.Uint32 // of a connection; none is used twice
	peersMu sync.Mutex    // held while peers changes; before the datapath's locks

	// Guarded by mu.
	mu       sync.Mutex
	cfg      *Config
	changed  chan struct{} // closed when cfg is replaced
	status   Status
	start    func(ofwire.Target) context.CancelFunc    // a read-only controller; nil unless Run runs
	readOnly map[ofwire.Target]context.CancelFunc      // those that run
	trying   map[ofwire.Target]context.CancelCauseFunc // the primary's attempt or connection
}

// New makes a session; nothing happens before Run.
func New(opts Options, cfg *Config) *Session {
	s := &Session{
		opts:     opts.withDefaults(),
		counters: new(ofconn.Counters),
		cfg:      cfg,
		changed:  make(chan struct{}),
		readOnly: map[ofwire.Target]context.CancelFunc{},
		trying:   map[ofwire.Target]context.CancelCauseFunc{},
	}
	s.limits.Store(&cfg.Limits)
	s.peers.Store(new([]*peer))
	return s
}

// Counters count the messages to and from all controllers of the session.
func (s *Session) Counters() *ofconn.Counters { return s.counters }

// SetConfig puts another configuration in force at once: connections to
// controllers that are no longer named are closed, new ones are tried.
func (s *Session) SetConfig(cfg *Config) {
	s.limits.Store(&cfg.Limits)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg = cfg
	close(s.changed)
	s.changed = make(chan struct{})
	s.followLocked()
}

// followLocked stops what the configuration no longer names and starts the
// read-only controllers that are new.
func (s *Session) followLocked() {
	for t, cancel := range s.trying {
		if !s.cfg.has(t, false) {
			cancel(errReconfigured)
		}
	}
	for t, cancel := range s.readOnly {
		if !s.cfg.has(t, true) {
			cancel()
			delete(s.readOnly, t)
		}
	}
	if s.start == nil {
		return
	}
	for _, c := range s.cfg.Controllers {
		if c.ReadOnly && s.readOnly[c.Target] == nil {
			s.readOnly[c.Target] = s.start(c.Target)
		}
	}
}

func (s *Session) config() (*Config, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg, s.changed
}

// Run keeps the controllers connected until ctx is done.
func (s *Session) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	s.mu.Lock()
	s.start = func(t ofwire.Target) context.CancelFunc {
		rctx, stop := context.WithCancel(ctx)
		wg.Go(func() { s.keepReadOnly(rctx, t) })
		return stop
	}
	s.followLocked()
	s.mu.Unlock()
	err := s.runPrimary(ctx)
	s.mu.Lock()
	s.start = nil
	s.mu.Unlock()
	cancel(err)
	wg.Wait()
	return err
}

// runPrimary keeps one connection to the first controller that can be reached.
// When it is lost the next one is tried at once; only after a round without
// success there is a pause.
func (s *Session) runPrimary(ctx context.Context) error {
	backoff := s.opts.Backoff
	next, failed := 0, 0
	for ctx.Err() == nil {
		cfg, changed := s.config()
		targets := cfg.primaries()
		if len(targets) == 0 {
			s.setStatus(func(st *Status) { *st = Status{State: Idle, Attempts: st.Attempts, Connects: st.Connects} })
			await(ctx, changed, nil)
			next, failed = 0, 0
			continue
		}
		if failed >= len(targets) {
			pause := backoff.Next()
			s.setStatus(func(st *Status) { st.State, st.Retry = Waiting, time.Now().Add(pause) })
			timer := time.NewTimer(pause)
			if await(ctx, changed, timer.C) {
				backoff, next = s.opts.Backoff, 0
			}
			timer.Stop()
			failed = 0
			continue
		}
		next %= len(targets)
		target := targets[next]
		lived, err := s.runTarget(ctx, target)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errReconfigured):
			next, failed, backoff = 0, 0, s.opts.Backoff
		case lived > heldLong:
			backoff.Lived(lived)
			failed = 0
			next++
		default:
			failed++
			next++
		}
	}
	return context.Cause(ctx)
}

// await waits for a change of configuration (true), the timer or the end.
func await(ctx context.Context, changed <-chan struct{}, timer <-chan time.Time) bool {
	select {
	case <-changed:
		return true
	case <-timer:
	case <-ctx.Done():
	}
	return false
}

// runTarget makes one attempt and, if it succeeds, runs the connection until it
// ends. lived is how long it held, 0 for a failed attempt.
func (s *Session) runTarget(ctx context.Context, target ofwire.Target) (lived time.Duration, err error) {
	s.setStatus(func(st *Status) {
		st.State, st.Controller, st.Retry = Connecting, target, time.Time{}
		st.Attempts++
	})
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !s.try(target, cancel) {
		return 0, errReconfigured
	}
	defer s.tried(target)
	nc, err := s.connect(ctx, target)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return 0, cause
		}
		s.attemptFailed(target, err)
		return 0, err
	}
	begin := time.Now()
	s.setStatus(func(st *Status) {
		st.State, st.LastError = Connected, ""
		st.Local, st.Remote = address(nc.LocalAddr()), address(nc.RemoteAddr())
		st.Connects++
	})
	s.opts.Log.WithField("controller", target.String()).Info("controller connected")
	err = s.runPeer(ctx, nc, false)
	level, last := logrus.WarnLevel, err.Error()
	if ctx.Err() != nil { // it was us
		level, last = logrus.InfoLevel, ""
	}
	s.setStatus(func(st *Status) {
		st.State, st.Local, st.Remote, st.LastError = Connecting, "", "", last
	})
	s.opts.Log.WithField("controller", target.String()).WithError(err).Log(level, "controller disconnected")
	return max(time.Since(begin), 1), err
}

func (s *Session) attemptFailed(target ofwire.Target, err error) {
	first := false
	s.setStatus(func(st *Status) {
		first = st.LastError != err.Error()
		st.LastError = err.Error()
	})
	if first { // the same fault again is not worth a line
		s.opts.Log.WithField("controller", target.String()).WithError(err).Warn("cannot reach controller")
	}
}

// try registers an attempt, so that it can be stopped when target is taken off
// the list; false when that has happened already.
func (s *Session) try(target ofwire.Target, cancel context.CancelCauseFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trying[target] = cancel
	return s.cfg.has(target, false)
}

func (s *Session) tried(target ofwire.Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.trying, target)
}

// connect dials and agrees on the version.
func (s *Session) connect(ctx context.Context, target ofwire.Target) (net.Conn, error) {
	nc, err := s.opts.Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	if err := ofconn.Handshake(ctx, nc, s.opts.HandshakeTimeout); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return nc, nil
}

func address(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
