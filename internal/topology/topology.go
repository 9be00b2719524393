// Package topology finds the links between all datapaths: it runs the bundled
// discovery application, an ordinary controller, and gives it each datapath as a
// switch on a memory pipe that can do nothing but send and receive its probes.
package topology

import (
	"context"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/discovery"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Config is how links are looked for.
type Config struct {
	// Interval at which each port is probed. 0 means 15 s; a link that is not
	// seen for three of them is gone.
	Interval time.Duration
	// Key signs the probes. nil makes a random one.
	Key []byte
	// Changed, if set, is told of each link found or lost, one after the other. It
	// may not block and may not call the Service.
	Changed func(link discovery.Link, up bool)
	// Log gets what is worth a line. nil is silent.
	Log *logrus.Entry
}

// Service looks for links while it is enabled, which it is not at first. Its
// methods may be called by any goroutine.
type Service struct {
	cfg Config
	app *discovery.App
	c   *ofcontroller.Controller

	mu sync.Mutex
	// Guarded by mu.
	running context.Context // nil before Run and after it
	enabled bool
	taps    map[*Tap]bool
	wg      sync.WaitGroup
}

// New returns a service that is disabled.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg, taps: make(map[*Tap]bool)}
	changed := func(c discovery.LinkChange) {}
	if cfg.Changed != nil {
		changed = func(c discovery.LinkChange) { cfg.Changed(c.Link, c.Up) }
	}
	s.app = discovery.New(discovery.Config{Interval: cfg.Interval, Key: cfg.Key, Changed: changed})
	s.c = ofcontroller.New(ofcontroller.Config{EchoInterval: -1, Log: quiet(cfg.Log)})
	// The application only adds handlers; it cannot fail.
	_ = s.app.Attach(s.c)
	return s
}

// quiet keeps what the library says of connections: they are ours, and their
// coming and going is logged where the switches' is.
func quiet(log *logrus.Entry) *logrus.Entry {
	if log == nil {
		return nil
	}
	l := logrus.New()
	l.SetOutput(log.Logger.Out)
	l.SetFormatter(log.Logger.Formatter)
	l.SetLevel(logrus.ErrorLevel)
	return l.WithFields(log.Data)
}

// Run looks for links until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	s.mu.Lock()
	s.running = ctx
	s.plugAllLocked()
	s.mu.Unlock()
	err := s.c.Run(ctx)
	s.mu.Lock()
	s.running = nil
	for t := range s.taps {
		t.unplugLocked()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

// SetEnabled begins or ends looking. When it ends, all links are lost.
func (s *Service) SetEnabled(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.enabled == on {
		return
	}
	s.enabled = on
	if on {
		s.plugAllLocked()
		return
	}
	for t := range s.taps {
		t.unplugLocked()
	}
}

func (s *Service) plugAllLocked() {
	for t := range s.taps {
		t.plugLocked()
	}
}

// Links returns the links known now, sorted.
func (s *Service) Links() []discovery.Link { return s.app.Links() }

// Since tells when a link was found.
func (s *Service) Since(l discovery.Link) time.Time {
	at, _ := s.app.Since(l)
	return at
}

// Attach gives the service a datapath. send takes an encoded OpenFlow message,
// may drop it, and does not block; it is called until Close has returned.
func (s *Service) Attach(id ofwire.DatapathID, ports []of10.PhyPort, send func(frame []byte)) *Tap {
	t := &Tap{s: s, id: id, send: send, ports: make(map[of10.Port]of10.PhyPort)}
	for _, p := range ports {
		t.ports[p.PortNo] = p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taps[t] = true
	t.plugLocked()
	return t
}
