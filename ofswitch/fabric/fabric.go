// Package fabric is a whole network in memory: switches, the links between them
// and the hosts behind them.
package fabric

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/host"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Fabric is a network. It is built, then run.
type Fabric struct {
	switches map[ofwire.DatapathID]*ofswitch.Switch
	order    []*ofswitch.Switch
	hosts    []*host.Host
	byName   map[string]*host.Host
	cables   []*Cable
}

// New returns a network of nothing.
func New() *Fabric {
	return &Fabric{switches: make(map[ofwire.DatapathID]*ofswitch.Switch), byName: make(map[string]*host.Host)}
}

// AddSwitch adds a switch. Its ports are made by Link and AddHost.
func (f *Fabric) AddSwitch(cfg ofswitch.SwitchConfig) (*ofswitch.Switch, error) {
	if f.switches[cfg.DatapathID] != nil {
		return nil, fmt.Errorf("there are two switches %v", cfg.DatapathID)
	}
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		return nil, err
	}
	f.switches[cfg.DatapathID] = sw
	f.order = append(f.order, sw)
	return sw, nil
}

// Socket is a port of a switch.
type Socket struct {
	Switch ofwire.DatapathID
	Port   of10.Port
}

// Name is the name of the port, as OpenFlow shows it.
func (s Socket) Name() string { return fmt.Sprintf("s%d-eth%d", uint64(s.Switch), s.Port) }

func (f *Fabric) attach(at Socket, p port.Port) error {
	sw := f.switches[at.Switch]
	if sw == nil {
		return fmt.Errorf("no switch %v", at.Switch)
	}
	return sw.AttachPort(at.Port, p)
}

// Link connects two switches by a cable.
func (f *Fabric) Link(a, b Socket) (*Cable, error) {
	pa, pb := port.Pipe(a.Name(), b.Name())
	cable := &Cable{}
	f.cables = append(f.cables, cable)
	return cable, errors.Join(f.attach(a, &plug{Memory: pa, cable: cable}), f.attach(b, &plug{Memory: pb, cable: cable}))
}

// AddHost adds a host behind a port of a switch.
func (f *Fabric) AddHost(name string, addr host.Address, at Socket) (*host.Host, error) {
	if f.byName[name] != nil {
		return nil, fmt.Errorf("there are two hosts %s", name)
	}
	mine, theirs := port.Pipe(name+"-eth0", at.Name())
	h := host.New(name, addr, mine)
	f.hosts = append(f.hosts, h)
	f.byName[name] = h
	return h, f.attach(at, theirs)
}

// Host returns the host of this name, or nil.
func (f *Fabric) Host(name string) *host.Host { return f.byName[name] }

// Hosts returns all hosts, in the order in which they were added.
func (f *Fabric) Hosts() []*host.Host { return f.hosts }

// Switch returns the switch with this id, or nil.
func (f *Fabric) Switch(id ofwire.DatapathID) *ofswitch.Switch { return f.switches[id] }

// Run runs switches and hosts until ctx is done, which is no error.
func (f *Fabric) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, sw := range f.order {
		g.Go(func() error { return sw.Run(ctx) })
	}
	for _, h := range f.hosts {
		g.Go(func() error { return h.Run(ctx) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Matrix tells which host got an answer from which: by source and destination.
type Matrix map[string]map[string]bool

// PingAll lets every host ping every other one, all sources at once, and gives
// each ping so long.
func (f *Fabric) PingAll(ctx context.Context, limit time.Duration) Matrix {
	m := make(Matrix)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, src := range f.hosts {
		row := make(map[string]bool) // m itself grows meanwhile
		m[src.Name()] = row
		for _, dst := range f.hosts {
			if src == dst {
				continue
			}
			wg.Go(func() {
				ok := ping(ctx, src, dst.Address().IP, limit)
				mu.Lock()
				defer mu.Unlock()
				row[dst.Name()] = ok
			})
		}
	}
	wg.Wait()
	return m
}

// ping tries until limit: a network that learns may lose the first frames.
func ping(ctx context.Context, src *host.Host, dst netip.Addr, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for ctx.Err() == nil {
		try, stop := context.WithTimeout(ctx, max(limit/3, 100*time.Millisecond))
		_, err := src.Ping(try, dst)
		stop()
		if err == nil {
			return true
		}
	}
	return false
}
