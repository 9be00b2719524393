// Package shortestpath forwards over the shortest paths of a network of switches
// whose links it discovers itself. Loops in the network do no harm: what is for
// everybody goes to the edge ports directly, never over a link.
package shortestpath

import (
	"cmp"
	"sync"
	"time"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/discovery"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Config is how the application behaves. The zero value is ready for use.
type Config struct {
	// IdleTimeout of the flows, in seconds. 0 means 60.
	IdleTimeout uint16
	// Priority of the flows. 0 means of10.DefaultPriority.
	Priority uint16
	// Settle is how long a port must be up before it may count as an edge: the
	// time for a probe to come in at the other end of a link. 0 means 1 s.
	Settle time.Duration
	// Discovery is how links are found.
	Discovery discovery.Config
}

func (c Config) withDefaults() Config {
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 60)
	c.Priority = cmp.Or(c.Priority, of10.DefaultPriority)
	c.Settle = cmp.Or(c.Settle, time.Second)
	return c
}

// App is the application.
type App struct {
	cfg       Config
	discovery *discovery.App

	mu sync.Mutex
	// Guarded by mu.
	c     *ofcontroller.Controller
	graph *graph
	since map[discovery.Endpoint]time.Time // when a port came up
	hosts map[station]discovery.Endpoint
	paths map[pair][]hop // for which flows were made
}

type station struct {
	vlan uint16
	mac  ofwire.MAC
}

type pair struct{ src, dst station }

var _ ofcontroller.App = (*App)(nil)

// New returns the application without knowledge of any network.
func New(cfg Config) *App {
	a := &App{
		cfg: cfg.withDefaults(), graph: newGraph(), since: make(map[discovery.Endpoint]time.Time),
		hosts: make(map[station]discovery.Endpoint), paths: make(map[pair][]hop),
	}
	told := cfg.Discovery.Changed
	cfg.Discovery.Changed = func(change discovery.LinkChange) {
		a.linkChanged(change)
		if told != nil {
			told(change)
		}
	}
	a.discovery = discovery.New(cfg.Discovery)
	return a
}

// Open makes it from the parameter interval: seconds between probes.
func Open(params ofcontroller.Params) (ofcontroller.App, error) {
	cfg, err := discovery.ParseConfig(params)
	if err != nil {
		return nil, err
	}
	return New(Config{Discovery: cfg}), nil
}

// Discovery is the application that finds the links.
func (a *App) Discovery() *discovery.App { return a.discovery }

// Attach adds the application's handlers, those of its discovery first.
func (a *App) Attach(c *ofcontroller.Controller) error {
	a.mu.Lock()
	a.c = c
	a.mu.Unlock()
	// Frames are sent out elsewhere than they came in, so they have to come whole.
	c.NeedMissSendLen(0xffff)
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, p := range sw.Ports() {
			a.setPortLocked(sw.ID(), p.PortNo, ofcontroller.PortChange{Reason: of10.PortAdded, Port: p}.Up())
		}
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.PortChange) ofcontroller.Verdict {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.setPortLocked(sw.ID(), e.Port.PortNo, e.Up())
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchDown) ofcontroller.Verdict {
		a.switchDown(sw)
		return ofcontroller.Continue
	})
	ofcontroller.On(c, a.flowRemoved)
	if err := a.discovery.Attach(c); err != nil {
		return err
	}
	ofcontroller.On(c, a.packetIn)
	return nil
}

func (a *App) setPortLocked(id ofwire.DatapathID, n of10.Port, up bool) {
	at := discovery.Endpoint{ID: id, Port: n}
	if _, known := a.since[at]; !n.IsPhysical() || known == up {
		return
	}
	if up {
		a.since[at] = time.Now()
		return
	}
	delete(a.since, at)
	a.forgetHostsLocked(at)
	a.breakPathsLocked(func(h hop) bool { return h.id == id && (h.in == n || h.out == n) })
}

func (a *App) switchDown(sw *ofcontroller.Switch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.c.Switch(sw.ID()) != nil {
		return // it is back already, as another connection
	}
	for at := range a.since {
		if at.ID == sw.ID() {
			delete(a.since, at)
			a.forgetHostsLocked(at)
		}
	}
	a.breakPathsLocked(func(h hop) bool { return h.id == sw.ID() })
}

// linkChanged is called by the discovery, in order.
func (a *App) linkChanged(change discovery.LinkChange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.graph.set(change.Link, change.Up) {
		return
	}
	from, to := change.Link.From, change.Link.To
	if change.Up {
		// No host is behind a port that leads to a switch.
		a.forgetHostsLocked(from)
		a.forgetHostsLocked(to)
		return
	}
	a.breakPathsLocked(func(h hop) bool {
		return h.id == from.ID && h.out == from.Port || h.id == to.ID && h.in == to.Port
	})
}

func (a *App) forgetHostsLocked(at discovery.Endpoint) {
	for s, where := range a.hosts {
		if where == at {
			a.forgetHostLocked(s)
		}
	}
}

func (a *App) forgetHostLocked(s station) {
	delete(a.hosts, s)
	for key := range a.paths {
		if key.src == s || key.dst == s {
			a.removePathLocked(key)
		}
	}
}

// breakPathsLocked takes back the flows of every path with such a hop.
func (a *App) breakPathsLocked(broken func(hop) bool) {
	for key, path := range a.paths {
		for _, h := range path {
			if broken(h) {
				a.removePathLocked(key)
				break
			}
		}
	}
}

func (a *App) removePathLocked(key pair) {
	path := a.paths[key]
	delete(a.paths, key)
	for _, h := range path {
		a.sendLocked(h.id, &of10.FlowMod{
			Match: match(key, h.in), Command: of10.FlowDeleteStrict, Priority: a.cfg.Priority,
			BufferID: of10.NoBuffer, OutPort: of10.PortNone,
		})
	}
}

// flowRemoved: when the first flow of a path has idled out, so may the others.
func (a *App) flowRemoved(sw *ofcontroller.Switch, m *of10.FlowRemoved) ofcontroller.Verdict {
	if m.Reason == of10.RemovedDelete {
		return ofcontroller.Continue
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := pair{station{m.Match.DLVLAN, m.Match.DLSrc}, station{m.Match.DLVLAN, m.Match.DLDst}}
	for _, h := range a.paths[key] {
		if h.id == sw.ID() && h.in == m.Match.InPort {
			a.removePathLocked(key)
			break
		}
	}
	return ofcontroller.Continue
}

// sendLocked sends without waiting for a switch that does not read: what is
// lost then is a frame, or a flow that a later frame asks for again.
func (a *App) sendLocked(id ofwire.DatapathID, messages ...of10.Message) {
	sw := a.c.Switch(id)
	if sw == nil {
		return
	}
	for _, m := range messages {
		sw.Offer(m)
	}
	sw.Flush()
}

func match(key pair, in of10.Port) of10.Match {
	m := of10.MatchAll()
	m.Wildcards &^= of10.WildInPort | of10.WildDLSrc | of10.WildDLDst | of10.WildDLVLAN
	m.InPort, m.DLSrc, m.DLDst, m.DLVLAN = in, key.src.mac, key.dst.mac, key.src.vlan
	return m
}

func (a *App) packetIn(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
	if in.BufferID != of10.NoBuffer {
		// The frame is sent from here; free the switch's buffer.
		_ = sw.Send(&of10.PacketOut{BufferID: in.BufferID, InPort: in.InPort})
	}
	h := packet.Parse(in.Data, uint32(in.InPort))
	key := pair{station{h.DLVLAN, h.DLSrc}, station{h.DLVLAN, h.DLDst}}
	if key.src.mac.IsMulticast() || h.DLType == packet.TypeLLDP || int(in.TotalLen) > len(in.Data) {
		return ofcontroller.Continue
	}
	at := discovery.Endpoint{ID: sw.ID(), Port: in.InPort}
	a.mu.Lock()
	defer a.mu.Unlock()
	inner := a.graph.isInner(at)
	if !inner {
		if !a.isEdgeLocked(at, time.Now()) {
			return ofcontroller.Continue // perhaps a link: too early to tell
		}
		a.learnLocked(key.src, at)
	}
	dst, known := a.hosts[key.dst]
	switch {
	case known && dst != at:
		a.connectLocked(key, at, dst, in.Data)
	case !known && !inner:
		a.floodLocked(at, in.Data)
	}
	return ofcontroller.Continue
}

// isEdgeLocked reports whether a port is known to lead to no other switch.
func (a *App) isEdgeLocked(at discovery.Endpoint, now time.Time) bool {
	since, up := a.since[at]
	return up && !a.graph.isInner(at) && now.Sub(since) >= a.cfg.Settle
}

func (a *App) learnLocked(s station, at discovery.Endpoint) {
	if was, known := a.hosts[s]; known && was != at {
		a.forgetHostLocked(s)
	}
	a.hosts[s] = at
}

// restLocked is what is left of a path that exists already, for a frame that was
// faster than its flows.
func (a *App) restLocked(key pair, at discovery.Endpoint) []hop {
	path := a.paths[key]
	for i, h := range path {
		if h.id == at.ID && h.in == at.Port {
			return path[i:]
		}
	}
	return nil
}

// connectLocked makes the flows of a path, the last one first so that nothing
// gets stuck half way, and sends the frame out at the end of it.
func (a *App) connectLocked(key pair, at, dst discovery.Endpoint, frame []byte) {
	path := a.restLocked(key, at)
	if path == nil {
		links, ok := a.graph.path(at.ID, dst.ID)
		if !ok {
			return // the network is in pieces
		}
		path = hops(at, links, dst)
		a.removePathLocked(key)
		a.paths[key] = path
	}
	for i := len(path) - 1; i >= 0; i-- {
		out := path[i].out
		if out == path[i].in {
			out = of10.PortInPort
		}
		a.sendLocked(path[i].id, &of10.FlowMod{
			Match: match(key, path[i].in), Command: of10.FlowAdd, Priority: a.cfg.Priority,
			IdleTimeout: a.cfg.IdleTimeout, Flags: of10.FlowModSendFlowRem,
			BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(out, 0)},
		})
	}
	a.sendLocked(dst.ID, packetOut(frame, dst.Port))
}

// floodLocked sends a frame out of every edge port but its own.
func (a *App) floodLocked(from discovery.Endpoint, frame []byte) {
	now := time.Now()
	ports := make(map[ofwire.DatapathID][]of10.Port)
	for at := range a.since {
		if at != from && a.isEdgeLocked(at, now) {
			ports[at.ID] = append(ports[at.ID], at.Port)
		}
	}
	for id, list := range ports {
		a.sendLocked(id, packetOut(frame, list...))
	}
}

func packetOut(frame []byte, ports ...of10.Port) *of10.PacketOut {
	out := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Data: frame}
	for _, p := range ports {
		out.Actions = append(out.Actions, of10.Output(p, 0))
	}
	return out
}
