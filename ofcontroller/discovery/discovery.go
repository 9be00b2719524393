// Package discovery finds the links between switches: it sends a signed LLDP
// probe out of every port and sees where it comes in.
package discovery

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Endpoint is a port of a switch.
type Endpoint struct {
	ID   ofwire.DatapathID
	Port of10.Port
}

func (e Endpoint) String() string { return fmt.Sprintf("%v:%d", e.ID, e.Port) }

func (e Endpoint) compare(o Endpoint) int {
	return cmp.Or(cmp.Compare(e.ID, o.ID), cmp.Compare(e.Port, o.Port))
}

// Link is one direction of a link: what leaves by From comes in by To.
type Link struct{ From, To Endpoint }

func (l Link) String() string { return l.From.String() + " > " + l.To.String() }

// Compare orders links by From, then To.
func (l Link) Compare(o Link) int { return cmp.Or(l.From.compare(o.From), l.To.compare(o.To)) }

// LinkChange is the event of a link found or lost. It is told among the events
// of the switch at its To end, or of the From end when that one has gone.
type LinkChange struct {
	Link Link
	Up   bool
}

// Config is how the application behaves. The zero value is ready for use.
type Config struct {
	// Interval at which each port is probed. 0 means 15 s.
	Interval time.Duration
	// Expiry is the silence after which a link is given up. 0 means three intervals.
	Expiry time.Duration
	// Key signs the probes. nil makes a random one: only probes of this instance
	// are believed.
	Key []byte
	// Changed, if set, is called for each change, one after the other. It may not
	// block and may not call the App.
	Changed func(LinkChange)
}

func (c Config) withDefaults() Config {
	c.Interval = cmp.Or(c.Interval, 15*time.Second)
	c.Expiry = cmp.Or(c.Expiry, 3*c.Interval)
	if c.Key == nil {
		c.Key = make([]byte, 32)
		rand.Read(c.Key)
	}
	return c
}

// App is the application. Its methods may be called by any goroutine.
type App struct {
	cfg  Config
	wake chan struct{} // capacity 1: a port is due before the timer

	mu sync.Mutex
	// Guarded by mu.
	ports    map[Endpoint]*port
	links    map[Link]sighting
	schedule schedule
	ignored  Ignored
}

// port is a port that is up and probed.
type port struct {
	sw     *ofcontroller.Switch
	at     Endpoint
	addr   ofwire.MAC
	serial uint64    // of the probe sent last; begins anywhere
	sent   time.Time // the last one; zero before the first
	prev   time.Time // the one before
	due    time.Time
	index  int // in the schedule
}

// sighting is when a link was seen.
type sighting struct{ first, last time.Time }

// Ignored counts LLDP frames that made no link.
type Ignored struct {
	Foreign uint64 // not ours, or not signed by us
	Stale   uint64 // ours, but from a probe that is out of date, or a port that has gone
}

var _ ofcontroller.App = (*App)(nil)

// New returns a discovery without links.
func New(cfg Config) *App {
	return &App{
		cfg: cfg.withDefaults(), wake: make(chan struct{}, 1),
		ports: make(map[Endpoint]*port), links: make(map[Link]sighting),
	}
}

// Open makes it from the parameter interval, in seconds.
func Open(params ofcontroller.Params) (ofcontroller.App, error) {
	cfg, err := ParseConfig(params)
	if err != nil {
		return nil, err
	}
	return New(cfg), nil
}

// ParseConfig reads the parameter interval, in seconds, and refuses others.
func ParseConfig(params ofcontroller.Params) (Config, error) {
	var cfg Config
	for key, value := range params {
		n, err := strconv.ParseUint(value, 10, 16)
		switch {
		case key != "interval":
			return Config{}, fmt.Errorf("unknown parameter %q; there is interval", key)
		case err != nil || n == 0:
			return Config{}, fmt.Errorf("interval=%q; want seconds, from 1 to 65535", value)
		}
		cfg.Interval = time.Duration(n) * time.Second
	}
	return cfg, nil
}

// Attach adds the application's handlers. Attach it before applications that
// forward, since it takes its own probes out of the packet_ins.
func (a *App) Attach(c *ofcontroller.Controller) error {
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		for _, p := range sw.Ports() {
			a.setPort(sw, p, true)
		}
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.PortChange) ofcontroller.Verdict {
		a.setPort(sw, e.Port, e.Up())
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchDown) ofcontroller.Verdict {
		a.removeSwitch(sw)
		return ofcontroller.Continue
	})
	ofcontroller.OnInline(c, a.packetIn)
	c.Background(a.run)
	return nil
}

// Links returns the links known now, sorted.
func (a *App) Links() []Link {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]Link, 0, len(a.links))
	for l := range a.links {
		list = append(list, l)
	}
	slices.SortFunc(list, Link.Compare)
	return list
}

// Since tells when a link was found; false if it is not known.
func (a *App) Since(l Link) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen, known := a.links[l]
	return seen.first, known
}

// Claims reports whether a frame is a probe signed by this application, however
// old. It does not keep the frame.
func (a *App) Claims(frame []byte) bool {
	tlvs, ok := isLLDP(frame)
	if ok {
		_, ok = readProbe(tlvs, a.cfg.Key)
	}
	return ok
}

// Ignored returns the counts so far.
func (a *App) Ignored() Ignored {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ignored
}

func (a *App) setPort(sw *ofcontroller.Switch, p of10.PhyPort, up bool) {
	if !p.PortNo.IsPhysical() {
		return
	}
	up = up && p.Config&of10.PortConfigDown == 0 && p.State&of10.PortStateLinkDown == 0
	at := Endpoint{sw.ID(), p.PortNo}
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.ports[at]
	switch {
	case up && old == nil:
		added := &port{sw: sw, at: at, addr: p.HWAddr, serial: mathrand.Uint64(), due: time.Now()}
		a.ports[at] = added
		a.schedule.add(added)
		select {
		case a.wake <- struct{}{}:
		default:
		}
	case up:
		old.sw, old.addr = sw, p.HWAddr
	case old != nil:
		a.dropPortLocked(old)
	}
}

// removeSwitch forgets the ports of a connection that has ended, unless a newer
// one of the same switch has taken them over.
func (a *App) removeSwitch(sw *ofcontroller.Switch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.ports {
		if p.sw == sw {
			a.dropPortLocked(p)
		}
	}
}

func (a *App) dropPortLocked(p *port) {
	delete(a.ports, p.at)
	a.schedule.remove(p)
	for l := range a.links {
		if l.From == p.at || l.To == p.at {
			a.loseLocked(l, p.sw)
		}
	}
}

// loseLocked forgets a link; last tells the event when its To end has gone.
func (a *App) loseLocked(l Link, last *ofcontroller.Switch) {
	delete(a.links, l)
	if to := a.ports[l.To]; to != nil {
		last = to.sw
	} else if from := a.ports[l.From]; from != nil && last == nil {
		last = from.sw
	}
	a.tellLocked(last, LinkChange{Link: l})
}

func (a *App) tellLocked(sw *ofcontroller.Switch, change LinkChange) {
	if a.cfg.Changed != nil {
		a.cfg.Changed(change)
	}
	if sw != nil {
		_ = ofcontroller.Post(sw, change) // fails only when nobody can hear it any more
	}
}

func (a *App) packetIn(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
	tlvs, ok := isLLDP(in.Data)
	if !ok {
		return ofcontroller.Continue
	}
	p, ok := readProbe(tlvs, a.cfg.Key)
	if ok && in.BufferID != of10.NoBuffer {
		// A probe goes no further than this; free the switch's buffer.
		_ = sw.Send(&of10.PacketOut{BufferID: in.BufferID, InPort: in.InPort})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !ok {
		a.ignored.Foreign++
		return ofcontroller.Continue
	}
	now := time.Now()
	from, to := a.ports[p.from], a.ports[Endpoint{sw.ID(), in.InPort}]
	if from == nil || to == nil || from == to || to.sw != sw || !from.believes(p.serial, now, a.cfg.Interval) {
		a.ignored.Stale++
		return ofcontroller.Stop
	}
	l := Link{from.at, to.at}
	seen, known := a.links[l]
	if !known {
		seen.first = now
	}
	seen.last = now
	a.links[l] = seen
	if !known {
		a.tellLocked(sw, LinkChange{Link: l, Up: true})
	}
	return ofcontroller.Stop
}

// believes reports whether a probe may still be on its way: it is one of the
// last two, and not older than an interval. What somebody kept and sends again
// later makes no link.
func (p *port) believes(serial uint64, now time.Time, interval time.Duration) bool {
	switch serial {
	case p.serial:
		return !p.sent.IsZero() && now.Sub(p.sent) < interval
	case p.serial - 1:
		return !p.prev.IsZero() && now.Sub(p.prev) < interval
	}
	return false
}

// run sends probes and gives up links until ctx is done.
func (a *App) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.wake:
		case <-timer.C:
		}
		timer.Reset(a.step(time.Now()))
	}
}
