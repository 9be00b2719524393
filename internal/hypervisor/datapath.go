package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/classifier"
	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
	"github.com/govisor/govisor/slicer"
)

// datapath wires one switch's classifier, its slicers and the slicing core.
type datapath struct {
	// Static after construction.
	w        *Switches
	dpid     ofwire.DatapathID
	features *of10.FeaturesReply
	nc       net.Conn
	log      *logrus.Entry
	since    time.Time
	loop     *ofconn.Loop  // of all its connections; nil: each has goroutines of its own
	ended    chan struct{} // closed when run has returned the core
	kick     chan struct{} // capacity 1: there is a configuration to apply
	changed  chan struct{} // capacity 1: flows or ports may be others since the journal was looked after

	touched atomic.Bool // the journal knows that

	// Guarded by mu.
	mu      sync.Mutex
	cls     *classifier.Session // nil before run
	core    *keptCore           // nil before run
	greeted bool                // the core knows the switch's ports
	next    *DatapathConfig     // nil when none waits
	waiters []chan struct{}     // closed when next is in force
	slices  map[string]*sliceOnDPID
	order   []string             // of slices, as configured
	desc    *apitype.Description // nil until the switch has told
	reason  error                // why Disconnect was called
	over    bool                 // nothing will be applied any more
}

// errSliceRemoved closes the connections of a slice that is removed or disabled,
// or has no rule here any more.
var errSliceRemoved = errors.New("slice is no longer on this datapath")

var _ Session = (*datapath)(nil)

// sliceOnDPID is the running session of one slice.
type sliceOnDPID struct {
	name       string
	generation uint64
	rate       msgRate // guarded by the datapath's mu
	sess       *slicer.Session
	cancel     context.CancelCauseFunc
	done       chan struct{}
}

func newDatapath(w *Switches, nc net.Conn, features *of10.FeaturesReply, log *logrus.Entry) *datapath {
	return &datapath{
		w: w, dpid: features.DatapathID, features: features, nc: nc, log: log, since: time.Now(), loop: w.loop(),
		kick: make(chan struct{}, 1), changed: make(chan struct{}, 1), ended: make(chan struct{}), slices: map[string]*sliceOnDPID{},
	}
}

// readyTimeout is how long a switch has to tell which flows it has; after that
// they are removed.
const readyTimeout = 10 * time.Second

// switchQueue is how much may wait for a switch before its slices are slowed. It is
// shared by all of them: what one has put there, the others wait behind.
const switchQueue = 128 << 10

// run moves messages until the switch is gone or ctx is done. arrived is called
// when it has been asked what it has.
func (d *datapath) run(ctx context.Context, cfg *DatapathConfig, arrived func()) error {
	stopped := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer close(d.ended)
	core := d.w.takeCore(d, cfg)
	cls := classifier.New(d.nc, core.dp, classifier.Options{
		Conn: ofconn.Config{EchoInterval: d.w.opts.EchoInterval, SoftLimit: switchQueue, Loop: d.loop},
		Log:  d.log, Touched: d.touch,
	})
	defer func() { d.w.giveCore(core, cls.Retire()) }()
	d.mu.Lock()
	d.cls, d.core = cls, core
	reason := d.reason
	d.mu.Unlock()
	if reason != nil {
		cls.Conn().Close(reason)
	}
	if t := d.w.opts.Topology; t != nil {
		tap := t.Attach(d.dpid, d.features.Ports, cls.Probe)
		defer tap.Close()
		cls.SetTap(tap)
	}
	policy := slicing.Adopt
	if cfg.Settings.Adoption == AdoptionFlush {
		policy = slicing.Flush
	}
	cls.Connect(d.features, policy)
	d.mu.Lock()
	d.greeted = true
	d.mu.Unlock()
	arrived()
	var wg sync.WaitGroup
	wg.Go(func() { d.follow(ctx, cfg) })
	err := cls.Run(ctx)
	cancel(err)
	if leave, err := d.w.arrival.enterShort(stopped); err == nil { // govisor stops without delay
		defer leave()
	}
	wg.Wait()
	d.stopSlices(err)
	return err
}

// follow starts the slices when the core knows what the switch has, and applies
// configurations as they come.
func (d *datapath) follow(ctx context.Context, cfg *DatapathConfig) {
	timer := time.NewTimer(readyTimeout)
	select {
	case <-d.cls.Ready():
	case <-timer.C:
		d.log.Warn("the switch does not tell which flows it has; they are removed")
		d.cls.Connect(nil, slicing.Flush)
	case <-ctx.Done():
	}
	timer.Stop()
	if ctx.Err() != nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.describe(ctx) })
	wg.Go(func() { d.keepJournal(ctx) })
	if !d.arrive(ctx, cfg) {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.kick:
		}
		d.mu.Lock()
		cfg, waiters := d.next, d.waiters
		d.next, d.waiters = nil, nil
		d.mu.Unlock()
		if cfg != nil {
			d.apply(ctx, cfg)
		}
		for _, w := range waiters {
			close(w)
		}
	}
}

// arrive starts the slices when it is this datapath's turn; false when ctx was done
// before.
func (d *datapath) arrive(ctx context.Context, cfg *DatapathConfig) bool {
	leave, err := d.w.arrival.enter(ctx)
	if err != nil {
		return false
	}
	defer leave()
	d.apply(ctx, cfg)
	return true
}

// Apply gives the session a newer configuration.
func (d *datapath) Apply(cfg *DatapathConfig) <-chan struct{} {
	done := make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		close(done)
		return done
	}
	d.next = cfg
	d.waiters = append(d.waiters, done)
	select {
	case d.kick <- struct{}{}:
	default:
	}
	return done
}

// apply puts a configuration in force: slices that are gone first, then the view
// together with how slices are treated, then new slices.
func (d *datapath) apply(ctx context.Context, cfg *DatapathConfig) {
	for _, s := range d.sliceSessions() {
		if c := cfg.Slice(s.name); c == nil || c.Generation != s.generation {
			d.stopSlice(s, errSliceRemoved)
		}
	}
	d.cls.Do(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) { d.core.configure(now, cfg, out) })
	d.touch()
	order := make([]string, 0, len(cfg.Slices))
	for i := range cfg.Slices {
		c := &cfg.Slices[i]
		order = append(order, c.Name)
		d.mu.Lock()
		s := d.slices[c.Name]
		d.mu.Unlock()
		if s != nil {
			s.sess.SetConfig(slicerConfig(c))
		} else {
			d.startSlice(ctx, *c)
		}
	}
	d.mu.Lock()
	d.order = order
	d.mu.Unlock()
}

func (d *datapath) startSlice(ctx context.Context, c SliceConfig) {
	dialer := &ofconn.Dialer{TLS: d.w.opts.ControllerTLS, Refuse: d.w.refuseSelf}
	if module := d.w.opts.Module; module != nil {
		dialer.Module = func(ctx context.Context, name string) (net.Conn, error) { return module(ctx, c.Name, name) }
	}
	sess := slicer.New(slicer.Options{
		Slice:            c.Name,
		Datapath:         &sliceSide{d: d, slice: c.Name},
		Dial:             d.inTurn(dialer.Dial),
		HandshakeTimeout: d.w.opts.HandshakeTimeout,
		Conn:             ofconn.Config{EchoInterval: d.w.opts.EchoInterval, Loop: d.loop},
		Backoff:          d.w.opts.Backoff,
		Log:              d.log.WithField("slice", c.Name),
		Changed:          d.sliceChanged(c.Name),
	}, slicerConfig(&c))
	sctx, cancel := context.WithCancelCause(ctx)
	s := &sliceOnDPID{name: c.Name, generation: c.Generation, sess: sess, cancel: cancel, done: make(chan struct{})}
	d.mu.Lock()
	d.slices[c.Name] = s
	d.mu.Unlock()
	d.cls.SetSlice(c.Name, sess)
	go func() {
		defer close(s.done)
		_ = sess.Run(sctx)
	}()
}

// inTurn makes dialling wait until it is this datapath's turn.
func (d *datapath) inTurn(dial func(context.Context, ofwire.Target) (net.Conn, error)) func(context.Context, ofwire.Target) (net.Conn, error) {
	return func(ctx context.Context, t ofwire.Target) (net.Conn, error) {
		leave, err := d.w.arrival.enterShort(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
		return dial(ctx, t)
	}
}

// stopSlice ends a slice's session and waits for it. What the slice has in the
// switch is the core's business.
func (d *datapath) stopSlice(s *sliceOnDPID, cause error) {
	s.cancel(cause)
	<-s.done
	d.cls.SetSlice(s.name, nil)
	d.mu.Lock()
	delete(d.slices, s.name)
	d.mu.Unlock()
}

// stopSlices ends all of them and lets nobody wait for a configuration any more.
func (d *datapath) stopSlices(cause error) {
	all := d.sliceSessions()
	for _, s := range all {
		s.cancel(cause)
	}
	for _, s := range all {
		d.stopSlice(s, cause)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	for _, w := range d.waiters {
		close(w)
	}
	d.waiters = nil
}

func slicerConfig(c *SliceConfig) *slicer.Config {
	cfg := &slicer.Config{Limits: []*limits.Slice{c.Limits, c.DatapathLimits}}
	for _, ctl := range c.Controllers {
		cfg.Controllers = append(cfg.Controllers, slicer.Controller{Target: ctl.Target, ReadOnly: ctl.ReadOnly})
	}
	return cfg
}

// sliceSide is the datapath as one slicer sees it.
type sliceSide struct {
	d     *datapath
	slice string
}

var _ slicer.Datapath = (*sliceSide)(nil)

// FromController handles one message of a controller.
func (s *sliceSide) FromController(from slicing.Conn, frame []byte) error {
	s.d.cls.FromController(s.slice, from, frame)
	return nil
}

// ControllerUp says that a controller is there.
func (s *sliceSide) ControllerUp() {
	s.d.cls.Do(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) { dp.ControllerUp(now, s.slice, out) })
}

// ControllerDown says that none is.
func (s *sliceSide) ControllerDown() {
	s.d.cls.Do(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) { dp.ControllerDown(now, s.slice) })
}

// Flush sends what is queued, with out.
func (s *sliceSide) Flush(out *ofconn.Batch) { s.d.cls.FlushBatch(out) }

// WaitRoom waits while the switch does not keep up.
func (s *sliceSide) WaitRoom(ctx context.Context, from *ofconn.Conn) error {
	return s.d.cls.WaitRoom(ctx, from)
}

// probe asks the switch for a sign of life.
func (d *datapath) probe(ctx context.Context) bool {
	cls := d.classifier()
	return cls != nil && cls.Conn().Probe(ctx)
}

// Alive reports whether the switch is still believed to be there; the keep-alive
// ends the connection otherwise.
func (d *datapath) Alive() bool {
	d.mu.Lock()
	over := d.over || d.reason != nil
	d.mu.Unlock()
	cls := d.classifier()
	return !over && (cls == nil || cls.Conn().Err() == nil)
}

// Disconnect ends the session.
func (d *datapath) Disconnect(reason string) {
	err := fmt.Errorf("%w: %s", errDisconnected, reason)
	d.mu.Lock()
	if d.reason == nil {
		d.reason = err
	}
	cls := d.cls
	d.mu.Unlock()
	if cls != nil {
		cls.Conn().Close(err)
	}
}

func (d *datapath) classifier() *classifier.Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cls
}
