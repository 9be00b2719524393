package ofswitch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofswitch/sflow"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// FailMode says what the switch does without a controller.
type FailMode uint8

const (
	// FailSecure keeps the flows there are; without any, nothing is forwarded. If
	// the controller stored emergency flows, they take over.
	FailSecure FailMode = iota
	// FailStandalone makes the switch a learning switch: its only flow is NORMAL.
	FailStandalone
)

// SwitchConfig describes a live switch. Zero values are usable.
type SwitchConfig struct {
	Config

	// Controllers are dialled (tcp, ssl, unix, module) or listened for (ptcp, pssl,
	// punix). A connection that was accepted is a Service connection.
	Controllers []ofwire.Target
	FailMode    FailMode
	// FailAfter is how long all controllers must be away before FailStandalone
	// takes over; 0 means three times Probe.
	FailAfter  time.Duration
	Probe      time.Duration // silence before an echo request; 0 means 5 s, below 0 never
	MaxBackoff time.Duration // between attempts to reach a controller; 0 means 8 s
	ClientTLS  *tls.Config   // for ssl:
	ServerTLS  *tls.Config   // for pssl:
	// Module connects to module: targets; nil refuses them.
	Module func(ctx context.Context, name string) (net.Conn, error)
	// Snoop are passive targets whose clients get a copy of every message between
	// the switch and its controllers.
	Snoop []ofwire.Target
	// Listening is told the real address of every listener; nil for nobody.
	Listening func(t ofwire.Target, addr net.Addr)
	// SFlow, if its Collectors are set, samples frames.
	SFlow sflow.Config
	// FlowModDelay makes the switch as slow as hardware: every flow_mod takes this long.
	FlowModDelay time.Duration

	Log *logrus.Entry // nil is silent
}

func (c SwitchConfig) withDefaults() SwitchConfig {
	if c.Probe == 0 {
		c.Probe = 5 * time.Second
	}
	if c.FailAfter == 0 {
		c.FailAfter = 3 * max(c.Probe, 5*time.Second)
	}
	if c.MaxBackoff == 0 {
		c.MaxBackoff = 8 * time.Second
	}
	if c.Log == nil {
		l := logrus.New()
		l.SetOutput(io.Discard)
		c.Log = logrus.NewEntry(l)
	}
	return c
}

// Switch is a Pipeline with ports, control connections and the clock.
type Switch struct {
	// Static after construction.
	cfg     SwitchConfig
	log     *logrus.Entry
	sampler *sflow.Agent // nil: no sampling

	wg       sync.WaitGroup
	attached atomic.Pointer[[]*attachment] // by port number; LOCAL at 0

	// Guarded by mu.
	mu        sync.Mutex
	pipe      *Pipeline
	out       Out // for what happens outside of the loops
	conns     map[ConnID]*control
	snoopers  []*ofconn.Conn
	nextConn  ConnID
	lostSince time.Time // when the last primary went away; zero while there is one
	failOpen  bool
	ctx       context.Context // nil before Run
	stopped   bool
}

// NewSwitch makes a switch without ports. It does nothing before Run.
func NewSwitch(cfg SwitchConfig) (*Switch, error) {
	cfg = cfg.withDefaults()
	s := &Switch{cfg: cfg, pipe: New(cfg.Config), conns: map[ConnID]*control{}}
	s.log = cfg.Log.WithField("dpid", cfg.DatapathID.String())
	empty := []*attachment{nil}
	s.attached.Store(&empty)
	if len(cfg.SFlow.Collectors) > 0 {
		var err error
		if s.sampler, err = sflow.NewAgent(cfg.SFlow); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Run serves until ctx is done, then closes the ports and returns nil. An error
// means that a listener could not be opened.
func (s *Switch) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.ctx = ctx
	s.lostSince = time.Now()
	if s.primaries() == 0 && s.cfg.FailMode == FailStandalone {
		s.enterStandaloneLocked(time.Now())
	}
	for _, a := range s.attachments() {
		s.startPortLocked(a)
	}
	s.mu.Unlock()
	for _, l := range listeners {
		s.wg.Go(func() { s.serve(ctx, l) })
	}
	for _, t := range s.cfg.Controllers {
		if !t.Passive() {
			s.wg.Go(func() { s.dialLoop(ctx, t) })
		}
	}
	s.wg.Go(func() { s.clock(ctx) })
	if s.sampler != nil {
		s.wg.Go(func() { s.sampler.Run(ctx, s.interfaces) })
	}
	<-ctx.Done()
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	for _, a := range s.attachments() {
		_ = a.port.Close()
	}
	s.wg.Wait()
	return nil
}

// primaries counts the controllers that are dialled.
func (s *Switch) primaries() int {
	n := 0
	for _, t := range s.cfg.Controllers {
		if !t.Passive() {
			n++
		}
	}
	return n
}

// clock runs what depends on time alone.
func (s *Switch) clock(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.step(func(out *Out) {
				if at, ok := s.pipe.NextDeadline(); ok && !now.Before(at) {
					s.pipe.Tick(now, out)
				}
				s.checkFailLocked(now)
			})
		}
	}
}

// checkFailLocked goes standalone when the controllers have been away too long.
func (s *Switch) checkFailLocked(now time.Time) {
	if s.cfg.FailMode != FailStandalone || s.failOpen || s.lostSince.IsZero() || now.Sub(s.lostSince) < s.cfg.FailAfter {
		return
	}
	s.log.Warn("no controller: acting as a learning switch")
	s.enterStandaloneLocked(now)
}

func (s *Switch) enterStandaloneLocked(now time.Time) {
	s.failOpen = true
	s.pipe.Flush()
	_ = s.pipe.AddFlow(now, &of10.FlowMod{
		Match: of10.MatchAll(), Command: of10.FlowAdd, BufferID: of10.NoBuffer, OutPort: of10.PortNone,
		Actions: []of10.Action{of10.Output(of10.PortNormal, 0)},
	}, &s.out)
}

// step does something to the pipeline outside of the port loops and lets what
// comes of it out.
func (s *Switch) step(do func(out *Out)) {
	s.mu.Lock()
	s.out.Reset()
	do(&s.out)
	dirty := s.deliverLocked(&s.out)
	frames := slices.Clone(s.out.Frames)
	for i := range frames {
		frames[i].Frame.Data = slices.Clone(frames[i].Frame.Data)
	}
	s.mu.Unlock()
	for _, c := range dirty {
		c.Flush()
	}
	if len(frames) > 0 {
		var tx sender
		tx.send(s, frames)
	}
}

// deliverLocked queues the messages for their connections and returns those to
// be flushed when the lock has been released.
func (s *Switch) deliverLocked(out *Out) []*ofconn.Conn {
	var dirty []*ofconn.Conn
	for _, m := range out.Messages {
		c := s.conns[m.Conn]
		if c == nil {
			continue
		}
		class := ofconn.Required
		if of10.Type(m.Data[1]) == of10.TypePacketIn {
			class = ofconn.Droppable
		}
		c.conn.Append(m.Data, class)
		if !slices.Contains(dirty, c.conn) {
			dirty = append(dirty, c.conn)
		}
		dirty = append(dirty, s.snoopLocked(m.Data)...)
	}
	return dirty
}

// Ports returns the descriptions of the ports.
func (s *Switch) Ports() []of10.PhyPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pipe.Ports()
}

// Counters returns the pipeline's totals.
func (s *Switch) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pipe.Counters()
}

// AddFlow installs a flow without a controller.
func (s *Switch) AddFlow(m *of10.FlowMod) (err error) {
	s.step(func(out *Out) { err = s.pipe.AddFlow(time.Now(), m, out) })
	return err
}

// Connected is the number of primary controllers that are connected.
func (s *Switch) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pipe.Primaries()
}

// AttachPort gives the switch a port and announces it. The switch closes it when
// it is detached or the switch ends.
func (s *Switch) AttachPort(no of10.Port, p port.Port, queues ...QueueConfig) error {
	info := p.Info()
	desc := describe(no, info)
	a := &attachment{no: no, port: p, ifIndex: info.IfIndex}
	var err error
	s.step(func(out *Out) {
		if s.stopped {
			err = errors.New("the switch has ended")
			return
		}
		if err = s.pipe.AddPort(time.Now(), desc, queues, out); err != nil {
			err = fmt.Errorf("attach %s: %w", info.Name, err)
			return
		}
		s.placeLocked(no, a)
		if s.ctx != nil {
			s.startPortLocked(a)
		}
	})
	return err
}

// DetachPort closes a port and announces that it is gone.
func (s *Switch) DetachPort(no of10.Port) error {
	var a *attachment
	s.step(func(out *Out) {
		if a = s.attachment(no); a != nil {
			s.placeLocked(no, nil)
			s.pipe.RemovePort(time.Now(), no, out)
		}
	})
	if a == nil {
		return fmt.Errorf("no port %v", no)
	}
	return a.port.Close()
}
