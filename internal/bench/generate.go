package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	Windows          []int         // by slice, instead of Window: packet_ins outstanding a switch and slice; as many as Slices
	Once             bool          // until SetWindows, a slice that has answered is sent nothing more; with Windows
	Idle             bool          // only be connected: answer, but send no packet_ins
	SetUp            time.Duration // how long all switches may take to be welcomed; 30 s
	Retry            bool          // a switch that is turned away before it is welcomed tries again, until SetUp is over
	Clock            *Clockwork    // shared with a Responder in a sandwich; nil: none

	stall time.Duration // how long a switch waits for any answer before it takes its outstanding packet_ins for lost; 1 s
}

const (
	maxMACs  = 1 << 24
	maxSlots = 1 << 26 // switches times addresses: half a gigabyte of times of sending
)

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
	if c.stall == 0 {
		c.stall = time.Second
	}
	c.MACs = max(c.MACs, c.Window)
	if c.Windows != nil {
		c.MACs = max(c.MACs, slices.Max(c.Windows)*c.Slices)
	}
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
	if c.Windows != nil && len(c.Windows) != c.Slices {
		return fmt.Errorf("%d windows for %d slices", len(c.Windows), c.Slices)
	}
	if c.Duration < 0 || c.WarmUp < 0 || c.SetUp < 0 {
		return fmt.Errorf("duration %v, warm-up %v, set-up %v: none can be negative", c.Duration, c.WarmUp, c.SetUp)
	}
	return errors.Join(
		check("switches", c.Switches, 1, 65535),
		check("macs", c.MACs, 1, maxMACs),
		check("slices", c.Slices, 1, 0xff00),
		check("nets", c.Nets, 1, 65536),
		check("ports", c.Ports, 1, 1000),
		check("window", c.Window, 1, 1<<16),
		check("switches times macs", c.Switches*c.MACs, 1, maxSlots),
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
	if cfg.Address == "" {
		return nil, errors.New("no address to send load to")
	}
	f, err := Connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.cfg.Idle {
		return f.Measure(ctx, f.cfg.Duration)
	}
	if err := f.StartAll(ctx); err != nil {
		return nil, err
	}
	if err := f.Pause(ctx, f.cfg.WarmUp); err != nil {
		return nil, err
	}
	if f.cfg.Clock != nil {
		f.cfg.Clock.Reset()
	}
	return f.Measure(ctx, f.cfg.Duration)
}
