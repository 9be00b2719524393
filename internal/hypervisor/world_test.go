package hypervisor_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// world is a hypervisor between bundled switches and scripted controllers, all
// over memory pipes, in a synctest bubble.
type world struct {
	t        *testing.T
	ctx      context.Context
	svc      *hypervisor.Service
	switches *hypervisor.Switches
	logs     *logtest.Hook
	wg       sync.WaitGroup

	mu          sync.Mutex
	controllers map[string]*fakeController
}

func newWorld(t *testing.T, o hypervisor.SwitchOptions) *world {
	t.Helper()
	return newWorldIn(t, t.TempDir(), o)
}

func newWorldIn(t *testing.T, dir string, o hypervisor.SwitchOptions) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{t: t, ctx: ctx, controllers: map[string]*fakeController{}}
	w.open(dir, o)
	t.Cleanup(func() {
		cancel()
		w.mu.Lock()
		for _, c := range w.controllers {
			c.close()
		}
		w.mu.Unlock()
		w.wg.Wait()
		if err := w.svc.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) open(dir string, o hypervisor.SwitchOptions) {
	w.t.Helper()
	svc, err := hypervisor.Open(w.t.Context(), hypervisor.Options{Dir: dir, AdminPassword: "correct horse"})
	if err != nil {
		w.t.Fatal(err)
	}
	log, hook := logtest.NewNullLogger()
	w.svc, w.logs = svc, hook
	o.Log, o.Module = logrus.NewEntry(log), w.module
	w.switches = svc.NewSwitches(o)
}

// restart ends the service, without a switch connected, and opens it again.
func (w *world) restart(dir string, o hypervisor.SwitchOptions) {
	w.t.Helper()
	if err := w.svc.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open(dir, o)
}

// module connects a slice to the scripted controller of that name.
func (w *world) module(_ context.Context, _, name string) (net.Conn, error) {
	w.mu.Lock()
	c := w.controllers[name]
	w.mu.Unlock()
	if c == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := ofwire.PipeSize(c.pipe)
	c.accept(theirs)
	if c.tap != nil {
		return c.tap.on(ours), nil
	}
	return ours, nil
}

// controller adds a scripted controller; module:NAME reaches it.
func (w *world) controller(name string, react func(c *fakeController, m of10.Message)) *fakeController {
	c := &fakeController{w: w, pipe: 1 << 18, react: react}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.controllers[name] = c
	return c
}

func (w *world) slice(name string, controllers ...string) {
	w.t.Helper()
	spec := hypervisor.SliceSpec{Name: name}
	spec.Controllers = controllers
	if len(controllers) == 0 {
		spec.Controllers = []string{"module:" + name}
	}
	contact := "ops@example.org"
	spec.Contact = &contact
	if _, err := w.svc.CreateSlice(w.t.Context(), hypervisor.Local(), spec); err != nil {
		w.t.Fatal(err)
	}
}

// rule adds a rule for every datapath that gives one slice everything.
func (w *world) rule(name string, priority uint32, match, slice string) {
	w.t.Helper()
	m, err := flowspace.ParseMatch(match)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &flowspace.Rule{Name: name, DPIDs: flowspace.AllDPIDs(), Priority: priority, Match: m, Grants: []flowspace.Grant{{Slice: slice, Perm: 7}}}
	w.change(hypervisor.RuleChange{Op: flowspace.Add, Rule: r})
}

func (w *world) change(changes ...hypervisor.RuleChange) {
	w.t.Helper()
	if _, err := w.svc.ChangeRules(w.t.Context(), hypervisor.Local(), changes, false); err != nil {
		w.t.Fatal(err)
	}
}

// fakeController is a controller that keeps what it hears.
type fakeController struct {
	w     *world
	pipe  int // buffer of its connections
	deaf  bool
	tap   *wiretap // counts what goes over its connections, if not nil
	react func(c *fakeController, m of10.Message)

	mu     sync.Mutex
	conns  []net.Conn
	heard  []of10.Message
	closed int // connections that ended
}

func (c *fakeController) accept(nc net.Conn) {
	c.mu.Lock()
	c.conns = append(c.conns, nc)
	c.mu.Unlock()
	_, _ = nc.Write([]byte{1, 0, 0, 8, 0, 0, 0, 1})
	if c.deaf {
		return
	}
	c.w.wg.Go(func() {
		r := ofwire.NewReader(nc, 4096)
		for {
			frame, err := r.Next()
			if err != nil {
				break
			}
			m, err := of10.Parse(slices.Clone(frame))
			if err != nil {
				c.w.t.Errorf("govisor sent %x: %v", frame, err)
				continue
			}
			if _, ok := m.(*of10.Hello); ok {
				continue
			}
			if e, ok := m.(*of10.EchoRequest); ok {
				c.send(&of10.EchoReply{XID: e.XID, Data: e.Data})
				continue
			}
			c.mu.Lock()
			c.heard = append(c.heard, m)
			c.mu.Unlock()
			if c.react != nil {
				c.react(c, m)
			}
		}
		_ = nc.Close()
		c.mu.Lock()
		c.closed++
		c.conns = slices.DeleteFunc(c.conns, func(o net.Conn) bool { return o == nc })
		c.mu.Unlock()
	})
}

// send writes to all datapaths' connections.
func (c *fakeController) send(messages ...of10.Message) {
	c.mu.Lock()
	conns := slices.Clone(c.conns)
	c.mu.Unlock()
	for _, m := range messages {
		b, err := m.AppendBinary(nil)
		if err != nil {
			c.w.t.Error(err)
		}
		for _, nc := range conns {
			_, _ = nc.Write(b)
		}
	}
}

func (c *fakeController) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.conns {
		_ = nc.Close()
	}
}

func (c *fakeController) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

// take returns what the controller has heard and forgets it.
func take[M of10.Message](c *fakeController) []M {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []M
	for _, m := range c.heard {
		if m, ok := m.(M); ok {
			out = append(out, m)
		}
	}
	c.heard = nil
	return out
}

// flood answers each packet_in by flooding the frame.
func flood(c *fakeController, m of10.Message) {
	if p, ok := m.(*of10.PacketIn); ok {
		c.send(&of10.PacketOut{XID: 9, BufferID: p.BufferID, InPort: p.InPort, Actions: []of10.Action{of10.Output(of10.PortFlood, 0)}, Data: p.Data})
	}
}

// fakeSwitch is a bundled switch with a host on each of its ports.
type fakeSwitch struct {
	w     *world
	sw    *ofswitch.Switch
	hosts []*port.Memory // hosts[i] is on port i+1

	mu  sync.Mutex
	got map[int]int // frames each port's host has received
}

func (w *world) newSwitch(dpid ofwire.DatapathID, ports int) *fakeSwitch {
	w.t.Helper()
	cfg := ofswitch.SwitchConfig{Probe: -1}
	cfg.DatapathID = dpid
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	f := &fakeSwitch{w: w, sw: sw, got: map[int]int{}}
	for i := range ports {
		name := string(rune('a' + i))
		near, far := port.Pipe("sw-"+name, "host-"+name)
		if err := sw.AttachPort(of10.Port(i+1), near); err != nil {
			w.t.Fatal(err)
		}
		f.hosts = append(f.hosts, far)
		w.wg.Go(func() { f.listen(i+1, far) })
	}
	context.AfterFunc(w.ctx, func() {
		for _, h := range f.hosts {
			_ = h.Close()
		}
	})
	w.wg.Go(func() { _ = sw.Run(w.ctx) })
	synctest.Wait()
	return f
}

// connect connects the switch to govisor; hang breaks the connection.
func (f *fakeSwitch) connect() (hang func()) {
	ours, theirs := ofwire.Pipe()
	f.w.wg.Go(func() { _ = f.sw.Serve(f.w.ctx, theirs, ofswitch.Primary) })
	f.w.wg.Go(func() { _ = f.w.switches.ServeConn(f.w.ctx, ours) })
	synctest.Wait()
	return func() { _ = theirs.Close(); synctest.Wait() }
}

// inject sends a frame from the host on a port.
func (f *fakeSwitch) inject(portNo int, frame []byte) {
	f.w.t.Helper()
	if _, err := f.hosts[portNo-1].Write([]port.Frame{{Data: frame}}); err != nil {
		f.w.t.Fatal(err)
	}
	synctest.Wait()
}

// listen counts what the host on a port receives.
func (f *fakeSwitch) listen(portNo int, host *port.Memory) {
	batch := make([]port.Frame, 16)
	for {
		n, err := host.Read(batch)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.got[portNo] += n
		f.mu.Unlock()
	}
}

// received returns how many frames each host has received since the last time.
func (f *fakeSwitch) received() map[int]int {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.got
	f.got = map[int]int{}
	return got
}

// flows asks the switch itself for its flows, link discovery's left out.
func (f *fakeSwitch) flows() []of10.FlowStats {
	f.w.t.Helper()
	ours, theirs := ofwire.Pipe()
	defer ours.Close()
	f.w.wg.Go(func() { _ = f.sw.Serve(f.w.ctx, theirs, ofswitch.Service) })
	all := of10.MatchAll()
	req := &of10.StatsRequest{XID: 7, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: all, TableID: 0xff, OutPort: of10.PortNone}}
	b, err := req.AppendBinary([]byte{1, 0, 0, 8, 0, 0, 0, 1})
	if err != nil {
		f.w.t.Fatal(err)
	}
	if _, err := ours.Write(b); err != nil {
		f.w.t.Fatal(err)
	}
	r := ofwire.NewReader(ours, 4096)
	for {
		frame, err := r.Next()
		if err != nil {
			f.w.t.Fatal(err)
		}
		m, err := of10.Parse(slices.Clone(frame))
		if err != nil {
			f.w.t.Fatal(err)
		}
		if rep, ok := m.(*of10.StatsReply); ok {
			list, _ := rep.Body.(of10.FlowStatsReply)
			return slices.DeleteFunc(list, func(f of10.FlowStats) bool {
				return f.Match.Wildcards&of10.WildDLType == 0 && slices.Contains([]uint16{0x88cc, 0x8942, 0x8999}, f.Match.DLType)
			})
		}
	}
}

// ethernet is a frame from one MAC address to another (their last bytes).
func ethernet(src, dst byte) []byte {
	b := make([]byte, 60)
	b[5], b[11] = dst, src
	b[0], b[6] = 2, 2
	b[12], b[13] = 0x88, 0xb5
	return b
}
