package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// GeneratorConfig says what load to make. The zero value of a field means its default.
type GeneratorConfig struct {
	Network, Address string        // where the controller or proxy listens, as for net.Dial; no default
	Switches         int           // 1
	FirstDPID        uint64        // 1; the others count up from it
	MACs             int           // source addresses a switch, at least the window; 1000
	Slices           int           // slices the packet_ins are spread over: slice k arrives on port k+1; 1
	Nets             int           // destination networks 10.x.y.0/24 the packet_ins are spread over; 1
	Ports            int           // ports a switch shows; 4
	Window           int           // packet_ins outstanding a switch: 1 measures latency, more throughput; 1
	WarmUp           time.Duration // 1 s
	Duration         time.Duration // measured time; 5 s
	Idle             bool          // only be connected: answer, but send no packet_ins
	SetUp            time.Duration // how long all switches may take to be welcomed; 30 s
	Clock            *Clockwork    // shared with a Responder in a sandwich; nil: none
}

const maxMACs = 1 << 24

func (c GeneratorConfig) withDefaults() GeneratorConfig {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&c.Switches, 1)
	def(&c.MACs, 1000)
	def(&c.Slices, 1)
	def(&c.Nets, 1)
	def(&c.Ports, 4)
	def(&c.Window, 1)
	if c.FirstDPID == 0 {
		c.FirstDPID = 1
	}
	if c.WarmUp == 0 {
		c.WarmUp = time.Second
	}
	if c.Duration == 0 {
		c.Duration = 5 * time.Second
	}
	if c.SetUp == 0 {
		c.SetUp = 30 * time.Second
	}
	c.MACs = max(c.MACs, c.Window)
	return c
}

// validate names the field and the value that cannot be.
func (c GeneratorConfig) validate() error {
	check := func(name string, v, lo, hi int) error {
		if v < lo || v > hi {
			return fmt.Errorf("%s is %d: want %d to %d", name, v, lo, hi)
		}
		return nil
	}
	return errors.Join(
		check("switches", c.Switches, 1, 65535),
		check("macs", c.MACs, 1, maxMACs),
		check("slices", c.Slices, 1, 0xff00),
		check("nets", c.Nets, 1, 65536),
		check("ports", c.Ports, 1, 1000),
		check("window", c.Window, 1, 1<<16),
	)
}

// SwitchResult is what one fake switch saw during the measured time.
type SwitchResult struct {
	DPID      uint64  `json:"dpid"`
	Responses uint64  `json:"responses"`
	Rate      float64 `json:"rate"` // responses a second
	Lost      uint64  `json:"lost"` // packet_ins without an answer within a second
	Errors    uint64  `json:"errors"`
	Delay     Delays  `json:"delay"`
}

// GeneratorResult is the outcome of a run.
type GeneratorResult struct {
	Switches  int               `json:"switches"`
	Window    int               `json:"window"`
	Seconds   float64           `json:"seconds"`
	SetUp     float64           `json:"setup_seconds"` // until the last switch was asked for its features
	Responses uint64            `json:"responses"`
	Answered  uint64            `json:"answered"` // with those of the warm-up
	Rate      float64           `json:"rate"`
	Lost      uint64            `json:"lost"`
	Errors    uint64            `json:"errors"`
	Delay     Delays            `json:"delay"`
	PerSwitch []SwitchResult    `json:"per_switch"`
	PerSlice  []Delays          `json:"per_slice,omitempty"`
	OneWay    map[string]Delays `json:"one_way,omitempty"`
}

// Generate connects the switches, waits until each was asked for its features, sends packet_ins for the warm-up and the measured time, and reports.
// It returns an error when a switch cannot connect, is not welcomed in time or loses its connection.
func Generate(ctx context.Context, cfg GeneratorConfig) (*GeneratorResult, error) {
	if cfg.Switches == 0 && cfg.Window == 0 && cfg.Address == "" {
		return nil, errors.New("no address to send load to")
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	g := &generator{cfg: cfg, failed: make(chan error, cfg.Switches)}
	defer g.close()
	began := time.Now()
	if err := g.connect(ctx); err != nil {
		return nil, err
	}
	if err := g.awaitWelcome(ctx); err != nil {
		return nil, err
	}
	setUp := time.Since(began)
	if err := g.load(ctx); err != nil {
		return nil, err
	}
	res := g.result()
	res.SetUp = setUp.Seconds()
	return res, nil
}

type generator struct {
	cfg      GeneratorConfig
	switches []*fakeSwitch
	wg       sync.WaitGroup
	failed   chan error
	measured time.Duration
}

func (g *generator) connect(ctx context.Context) error {
	d := net.Dialer{Timeout: 5 * time.Second}
	for i := range g.cfg.Switches {
		conn, err := d.DialContext(ctx, g.cfg.Network, g.cfg.Address)
		if err != nil {
			return fmt.Errorf("switch %d of %d cannot connect to %s (is a controller listening there?): %w", i+1, g.cfg.Switches, g.cfg.Address, err)
		}
		s := newFakeSwitch(&g.cfg, g.cfg.FirstDPID+uint64(i), conn)
		g.switches = append(g.switches, s)
		g.wg.Go(func() { g.failed <- s.run() })
	}
	return nil
}

func (g *generator) awaitWelcome(ctx context.Context) error {
	limit := time.NewTimer(g.cfg.SetUp)
	defer limit.Stop()
	for _, s := range g.switches {
		select {
		case <-s.ready:
		case err := <-g.failed:
			return fmt.Errorf("%s hung up before it asked for the features; is it an OpenFlow 1.0 controller? %w", g.cfg.Address, err)
		case <-limit.C:
			return fmt.Errorf("%s did not ask switch %d for its features within %v; is it an OpenFlow 1.0 controller?", g.cfg.Address, s.dpid, g.cfg.SetUp)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// awaitAnswers lets the load begin and waits until every switch has had an answer: a proxy welcomes its switches before it has reached its controllers.
func (g *generator) awaitAnswers(ctx context.Context) error {
	for _, s := range g.switches {
		s.running.Store(true)
	}
	limit := time.NewTimer(g.cfg.SetUp)
	defer limit.Stop()
	for _, s := range g.switches {
		select {
		case <-s.first:
		case err := <-g.failed:
			return fmt.Errorf("connection lost before the first answer: %w", err)
		case <-limit.C:
			return fmt.Errorf("%s has not answered any packet_in of switch %d within %v: does it have a controller that answers?", g.cfg.Address, s.dpid, g.cfg.SetUp)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (g *generator) load(ctx context.Context) error {
	if g.cfg.Idle {
		g.measured = g.cfg.Duration
		return g.pause(ctx, g.cfg.Duration)
	}
	if err := g.awaitAnswers(ctx); err != nil {
		return err
	}
	if err := g.pause(ctx, g.cfg.WarmUp); err != nil {
		return err
	}
	if g.cfg.Clock != nil {
		g.cfg.Clock.Reset()
	}
	began := time.Now()
	for _, s := range g.switches {
		s.measuring.Store(true)
	}
	err := g.pause(ctx, g.cfg.Duration)
	for _, s := range g.switches {
		s.measuring.Store(false)
	}
	g.measured = time.Since(began)
	return err
}

func (g *generator) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case err := <-g.failed:
		return fmt.Errorf("connection lost under load: %w", err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *generator) close() {
	for _, s := range g.switches {
		s.conn.Close()
	}
	g.wg.Wait()
	g.switches = nil
}

// result stops the switches first: their histograms belong to their goroutines.
func (g *generator) result() *GeneratorResult {
	switches := g.switches
	g.close()
	res := &GeneratorResult{Switches: len(switches), Window: g.cfg.Window, Seconds: g.measured.Seconds()}
	var all Histogram
	slices := make([]Histogram, g.cfg.Slices)
	for _, s := range switches {
		n := s.measured.Load()
		res.PerSwitch = append(res.PerSwitch, SwitchResult{
			DPID: s.dpid, Responses: n, Rate: float64(n) / g.measured.Seconds(), Lost: s.lost.Load(), Errors: s.errors.Load(), Delay: s.delay.Delays(),
		})
		res.Responses += n
		res.Answered += s.answers.Load()
		res.Lost += s.lost.Load()
		res.Errors += s.errors.Load()
		all.Merge(&s.delay)
		for i := range slices {
			slices[i].Merge(&s.perSlice[i])
		}
	}
	res.Rate = float64(res.Responses) / g.measured.Seconds()
	res.Delay = all.Delays()
	if g.cfg.Slices > 1 {
		for i := range slices {
			res.PerSlice = append(res.PerSlice, slices[i].Delays())
		}
	}
	if g.cfg.Clock != nil {
		res.OneWay = g.cfg.Clock.Delays()
	}
	return res
}
