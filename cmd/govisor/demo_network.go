package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/learning"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/fabric"
	"github.com/govisor/govisor/ofswitch/host"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

const (
	demoSwitches = 3
	demoModule   = "demo" // the name of the linked-in controller
)

// demoSlice is one of the two slices; its hosts are every other one.
type demoSlice struct {
	name   string
	module bool // its controller is linked in
	first  int  // its first host, from 1
	color  int  // ANSI
}

var demoSlices = []demoSlice{{"red", false, 1, 31}, {"blue", true, 2, 34}}

// hosts are the numbers of the slice's hosts.
func (s demoSlice) hosts() (list []int) {
	for n := s.first; n <= 2*demoSwitches; n += len(demoSlices) {
		list = append(list, n)
	}
	return list
}

func demoHost(n int) string { return fmt.Sprintf("h%d", n) }

// demoMAC is the address Mininet would give as well.
func demoMAC(n int) ofwire.MAC { return ofwire.MAC{0, 0, 0, 0, 0, byte(n)} }

// demoRules give each slice what its hosts send to each other and to all. There
// is no rule for frames between hosts of different slices: nobody owns them.
func demoRules() (rules []apitype.RuleCreate) {
	for _, s := range demoSlices {
		for _, src := range s.hosts() {
			to := []ofwire.MAC{ofwire.Broadcast}
			for _, dst := range s.hosts() {
				if dst != src {
					to = append(to, demoMAC(dst))
				}
			}
			for i, dst := range to {
				rules = append(rules, apitype.RuleCreate{
					Name: fmt.Sprintf("%s-%s-%d", s.name, demoHost(src), i+1), DPIDs: []string{"any"}, Priority: 100,
					Match:  apitype.Match(fmt.Sprintf("dl_src=%v,dl_dst=%v", demoMAC(src), dst)),
					Grants: []apitype.Grant{{Slice: s.name, Permission: apitype.Delegate | apitype.Read | apitype.Write}},
				})
			}
		}
	}
	return rules
}

// memoryNetwork is the bundled switches in a line, with two bundled hosts each.
type memoryNetwork struct {
	ready chan struct{} // closed when fabric is set
	f     *fabric.Fabric
}

func newMemoryNetwork() *memoryNetwork { return &memoryNetwork{ready: make(chan struct{})} }

func (m *memoryNetwork) Run(ctx context.Context, addr string) error {
	target, err := ofwire.ParseTarget("tcp:" + addr)
	if err != nil {
		return err
	}
	f := fabric.New()
	for id := ofwire.DatapathID(1); id <= demoSwitches; id++ {
		cfg := ofswitch.SwitchConfig{Controllers: []ofwire.Target{target}, FailMode: ofswitch.FailSecure}
		cfg.DatapathID = id
		if _, err := f.AddSwitch(cfg); err != nil {
			return err
		}
		for port := 1; port <= 2; port++ {
			n := 2*(int(id)-1) + port
			addr := host.Address{MAC: demoMAC(n), IP: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})}
			if _, err := f.AddHost(demoHost(n), addr, fabric.Socket{Switch: id, Port: of10.Port(port)}); err != nil {
				return err
			}
		}
		if id > 1 {
			if _, err := f.Link(fabric.Socket{Switch: id - 1, Port: 3}, fabric.Socket{Switch: id, Port: 4}); err != nil {
				return err
			}
		}
	}
	m.f = f
	close(m.ready)
	return f.Run(ctx)
}

func (m *memoryNetwork) PingAll(ctx context.Context) (fabric.Matrix, error) {
	select {
	case <-m.ready:
		return m.f.PingAll(ctx, 3*time.Second), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// watcher is the bundled learning switch, with an eye on what it is shown.
type watcher struct {
	learner *learning.App

	mu   sync.Mutex
	seen map[ofwire.MAC]int // packet_ins by sender; guarded by mu
}

func newWatcher() *watcher {
	return &watcher{learner: learning.New(learning.Config{}), seen: make(map[ofwire.MAC]int)}
}

// Attach counts before the learning switch acts.
func (w *watcher) Attach(c *ofcontroller.Controller) error {
	ofcontroller.OnInline(c, func(_ *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
		if len(in.Data) >= 14 {
			w.mu.Lock()
			w.seen[ofwire.MAC(in.Data[6:12])]++
			w.mu.Unlock()
		}
		return ofcontroller.Continue
	})
	return w.learner.Attach(c)
}

// sum returns the packet_ins from these hosts, and those from others.
func (w *watcher) sum(hosts []int) (own, foreign int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.seen {
		foreign += n
	}
	for _, h := range hosts {
		own += w.seen[demoMAC(h)]
	}
	return own, foreign - own
}
