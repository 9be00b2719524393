package ofcontroller

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Errors of this package that callers test for.
var (
	// ErrGone: the switch's connection has ended.
	ErrGone = errors.New("switch is gone")
	// ErrBehind: the handlers are so far behind that no more events are queued.
	ErrBehind = errors.New("handlers are too far behind")
	// ErrSlow: the switch did not take what was sent within Config.SendTimeout.
	ErrSlow = errors.New("switch does not read")
	// ErrNoAnswer: no reply came in time.
	ErrNoAnswer = errors.New("switch does not answer")
	// ErrDuplicate: another live connection has the same datapath id.
	ErrDuplicate = errors.New("datapath id is connected already")
)

// Config is how a controller behaves. The zero value is ready for use.
type Config struct {
	// MissSendLen is how much of a missed frame switches send. 0 means 128, the
	// specification's default; an App may ask for more, see NeedMissSendLen.
	MissSendLen uint16
	// HandshakeTimeout is for HELLO and FEATURES together. 0 means 10 s.
	HandshakeTimeout time.Duration
	// RequestTimeout is for requests whose context has no deadline. 0 means 10 s.
	RequestTimeout time.Duration
	// SendTimeout is how long Send waits for a switch that does not read. 0 means 5 s.
	SendTimeout time.Duration
	// EchoInterval is the silence after which a switch is probed; after twice of
	// it the connection ends. 0 means 10 s, below 0 never.
	EchoInterval time.Duration
	// PortDebounce is how long a port must have changed before a PortChange. 0 means 100 ms.
	PortDebounce time.Duration
	// QueueLimit is how many packet_ins of one switch wait for handlers that are
	// busy; more are dropped and counted. 0 means 1024.
	QueueLimit int
	// ServerTLS is for pssl: targets, ClientTLS for ssl: ones; nil refuses them.
	ServerTLS, ClientTLS *tls.Config
	// Log gets what is worth a line. nil is silent.
	Log *logrus.Entry
}

func (c Config) withDefaults() Config {
	c.MissSendLen = cmp.Or(c.MissSendLen, of10.DefaultMissSendLen)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, 10*time.Second)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 10*time.Second)
	c.SendTimeout = cmp.Or(c.SendTimeout, 5*time.Second)
	c.PortDebounce = cmp.Or(c.PortDebounce, 100*time.Millisecond)
	c.QueueLimit = cmp.Or(c.QueueLimit, 1024)
	return c
}

// Controller is the controller of any number of switches. Its methods may be
// called by any goroutine.
type Controller struct {
	events registry

	mu sync.Mutex
	// Guarded by mu.
	cfg        Config
	switches   map[ofwire.DatapathID]*Switch
	background []func(context.Context) error
}

// New returns a controller without handlers. Nothing runs before Run, Serve,
// Connect or Attach.
func New(cfg Config) *Controller {
	return &Controller{cfg: cfg.withDefaults(), switches: make(map[ofwire.DatapathID]*Switch)}
}

func (c *Controller) config() Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg
}

// Log is the configured log, or a silent one; never nil.
func (c *Controller) Log() *logrus.Entry {
	if log := c.config().Log; log != nil {
		return log
	}
	return silent
}

var silent = func() *logrus.Entry {
	l := logrus.New()
	l.SetLevel(logrus.PanicLevel)
	return logrus.NewEntry(l)
}()

// NeedMissSendLen raises Config.MissSendLen for switches that connect from now on.
func (c *Controller) NeedMissSendLen(n uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg.MissSendLen = max(c.cfg.MissSendLen, n)
}

// Background adds something for Run to run beside the connections. An App calls
// it in Attach.
func (c *Controller) Background(run func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.background = append(c.background, run)
}

// Switch returns the connected switch with this id, or nil.
func (c *Controller) Switch(id ofwire.DatapathID) *Switch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.switches[id]
}

// Switches returns the connected switches in the order of their ids.
func (c *Controller) Switches() []*Switch {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*Switch, 0, len(c.switches))
	for _, sw := range c.switches {
		all = append(all, sw)
	}
	slices.SortFunc(all, func(a, b *Switch) int { return cmp.Compare(a.id, b.id) })
	return all
}

// Run runs what applications do in the background and, for each target,
// listens (ptcp: pssl: punix:) or connects and reconnects (tcp: ssl: unix:). It
// returns when ctx is done, or with the error of a target it cannot listen on.
// All connections have ended when it returns.
func (c *Controller) Run(ctx context.Context, targets ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parsed []ofwire.Target
	for _, s := range targets {
		t, err := ofwire.ParseTarget(s)
		if err != nil {
			return err
		}
		parsed = append(parsed, t)
	}
	c.mu.Lock()
	background := slices.Clone(c.background)
	c.mu.Unlock()
	var wg sync.WaitGroup
	start := func(run func() error) {
		wg.Go(func() {
			if err := run(); err != nil {
				cancel(err)
			}
		})
	}
	for _, run := range background {
		start(func() error { return run(ctx) })
	}
	for _, t := range parsed {
		if t.Passive() {
			start(func() error { return c.Listen(ctx, t.String()) })
		} else {
			start(func() error { return c.Connect(ctx, t.String()) })
		}
	}
	<-ctx.Done()
	wg.Wait()
	return context.Cause(ctx)
}

// Listen listens on a target (ptcp: pssl: punix:) and serves the switches that
// connect until ctx is done.
func (c *Controller) Listen(ctx context.Context, target string) error {
	t, err := ofwire.ParseTarget(target)
	if err != nil {
		return err
	}
	ln, err := ofconn.Listen(ctx, t, c.config().ServerTLS)
	if err != nil {
		return err
	}
	return c.Serve(ctx, ln)
}

// Serve serves the switches that connect to ln until ctx is done, and closes it.
func (c *Controller) Serve(ctx context.Context, ln net.Listener) error {
	c.Log().WithField("address", ln.Addr().String()).Info("listening for switches")
	return ofconn.Serve(ctx, ln, func(ctx context.Context, nc net.Conn) {
		_ = c.Attach(ctx, nc) // logged there
	})
}

// Connect connects to a switch that listens (tcp: ssl: unix:), again and again
// with growing pauses, until ctx is done.
func (c *Controller) Connect(ctx context.Context, target string) error {
	t, err := ofwire.ParseTarget(target)
	if err != nil {
		return err
	}
	if t.Passive() || t.Network() == "" {
		return fmt.Errorf("cannot connect to %v: want tcp, ssl or unix", t)
	}
	dialer := ofconn.Dialer{TLS: c.config().ClientTLS}
	var pause ofconn.Backoff
	for {
		nc, err := dialer.Dial(ctx, t)
		if err == nil {
			began := time.Now()
			_ = c.Attach(ctx, nc) // logged there
			pause.Lived(time.Since(began))
		} else if ctx.Err() == nil {
			c.Log().WithError(err).Warn("no connection to the switch")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause.Next()):
		}
	}
}

// Attach takes over an established connection to a switch, in-memory ones
// included, and returns why it ended. The last handler has returned by then.
func (c *Controller) Attach(ctx context.Context, nc net.Conn) error {
	defer nc.Close()
	cfg := c.config()
	log := c.Log().WithField("peer", nc.RemoteAddr().String())
	began := time.Now()
	if err := ofconn.Handshake(ctx, nc, cfg.HandshakeTimeout); err != nil {
		log.WithError(err).Warn("switch turned away")
		return err
	}
	sw := newSwitch(c, cfg, nc, log)
	err := sw.run(ctx, cfg.HandshakeTimeout-time.Since(began))
	entry := sw.log.WithError(err)
	switch {
	case ctx.Err() != nil:
		entry.Debug("connection closed")
	case errors.Is(err, io.EOF): // the switch has closed it, or govisor for a slice that has left
		entry.Info("connection to the switch ended")
	default:
		entry.Warn("connection to the switch ended")
	}
	return err
}

// join makes the switch known, unless a live connection has its id.
func (c *Controller) join(ctx context.Context, sw *Switch) error {
	for {
		c.mu.Lock()
		old := c.switches[sw.id]
		if old == nil {
			c.switches[sw.id] = sw
			c.mu.Unlock()
			return nil
		}
		c.mu.Unlock()
		probe, cancel := context.WithTimeout(ctx, time.Second)
		alive := old.conn.Probe(probe)
		cancel()
		if alive || ctx.Err() != nil {
			return fmt.Errorf("%w: %v, from %v", ErrDuplicate, sw.id, old.conn.RemoteAddr())
		}
		old.conn.Close(fmt.Errorf("%w: silent, and another connection has its id", ErrGone))
		select {
		case <-old.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *Controller) leave(sw *Switch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.switches[sw.id] == sw {
		delete(c.switches, sw.id)
	}
}
