package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Fleet is a number of connected switches. Its methods are for one goroutine, except where they say otherwise.
type Fleet struct {
	cfg      GeneratorConfig
	switches []*fakeSwitch
	wg       sync.WaitGroup
	ended    atomic.Bool // Close has been called
	failed   chan error
	setUp    time.Duration
	flooded  atomic.Uint64
}

// atOnce is how many switches dial at the same time.
const atOnce = 256

// Connect makes the switches and returns when each has been asked for its features. It returns an error when a switch cannot connect or is not
// welcomed in time. Close ends what it made.
func Connect(ctx context.Context, cfg GeneratorConfig) (*Fleet, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	f := &Fleet{cfg: cfg, failed: make(chan error, cfg.Switches)}
	began := time.Now()
	turns := make(chan struct{}, atOnce)
	for i := range cfg.Switches {
		s := newFakeSwitch(&f.cfg, cfg.FirstDPID+uint64(i))
		f.switches = append(f.switches, s)
		f.wg.Go(func() { f.failed <- f.keep(ctx, s, turns) })
	}
	if err := f.awaitWelcome(ctx); err != nil {
		f.Close()
		return nil, err
	}
	f.setUp = time.Since(began)
	return f, nil
}

// keep connects one switch and serves it until the connection ends; with Retry, again until it is welcomed.
func (f *Fleet) keep(ctx context.Context, s *fakeSwitch, turns chan struct{}) error {
	d := net.Dialer{Timeout: min(5*time.Second, f.cfg.SetUp)}
	limit := time.Now().Add(f.cfg.SetUp)
	for {
		turns <- struct{}{}
		conn, err := d.DialContext(ctx, f.cfg.Network, f.cfg.Address)
		<-turns
		if err != nil {
			err = fmt.Errorf("switch %d of %d cannot connect to %s (is a controller listening there?): %w", s.dpid-f.cfg.FirstDPID+1, f.cfg.Switches, f.cfg.Address, err)
		} else {
			err = s.run(conn, &f.ended)
			conn.Close()
		}
		if !f.cfg.Retry || f.ended.Load() || ctx.Err() != nil || isClosed(s.ready) || time.Now().After(limit) {
			return err
		}
		t := time.NewTimer(20 * time.Millisecond)
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (f *Fleet) awaitWelcome(ctx context.Context) error {
	limit := time.NewTimer(f.cfg.SetUp)
	defer limit.Stop()
	for _, s := range f.switches {
		select {
		case <-s.ready:
		case err := <-f.failed:
			if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
				return err
			}
			return fmt.Errorf("%s hung up before it asked for the features; is it an OpenFlow 1.0 controller? %w", f.cfg.Address, err)
		case <-limit.C:
			return fmt.Errorf("%s did not ask switch %d for its features within %v; is it an OpenFlow 1.0 controller?", f.cfg.Address, s.dpid, f.cfg.SetUp)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Start lets the load begin and waits until every switch has had an answer: a proxy welcomes its switches before it has reached its controllers.
func (f *Fleet) Start(ctx context.Context) error {
	return f.await(ctx, func(s *fakeSwitch) <-chan struct{} { return s.first })
}

// StartAll is Start, but waits until every slice of every switch has answered.
func (f *Fleet) StartAll(ctx context.Context) error {
	return f.await(ctx, func(s *fakeSwitch) <-chan struct{} { return s.served })
}

func (f *Fleet) await(ctx context.Context, event func(*fakeSwitch) <-chan struct{}) error {
	for _, s := range f.switches {
		s.running.Store(true)
		s.rouse()
	}
	limit := time.NewTimer(f.cfg.SetUp)
	defer limit.Stop()
	for _, s := range f.switches {
		select {
		case <-event(s):
		case err := <-f.failed:
			return fmt.Errorf("connection lost before the first answer: %w", err)
		case <-limit.C:
			return fmt.Errorf("%s has not answered any packet_in of switch %d within %v: does it have a controller that answers?", f.cfg.Address, s.dpid, f.cfg.SetUp)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// SetWindows changes how many packet_ins are outstanding by slice; what is outstanding already stays.
func (f *Fleet) SetWindows(windows []int) {
	w := slices.Clone(windows)
	for _, s := range f.switches {
		s.mu.Lock()
		s.windows, s.once = w, false
		s.mu.Unlock()
		s.rouse()
	}
}

// Pause lets the load go on unmeasured.
func (f *Fleet) Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case err := <-f.failed:
		return fmt.Errorf("connection lost under load: %w", err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Measure lets the load go on for d and returns what came back meanwhile.
func (f *Fleet) Measure(ctx context.Context, d time.Duration) (*GeneratorResult, error) {
	return f.measure(func() error { return f.Pause(ctx, d) })
}

// MeasureUntil is Measure until ctx ends.
func (f *Fleet) MeasureUntil(ctx context.Context) (*GeneratorResult, error) {
	return f.measure(func() error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-f.failed:
			return fmt.Errorf("connection lost under load: %w", err)
		}
	})
}

func (f *Fleet) measure(pause func() error) (*GeneratorResult, error) {
	began := time.Now()
	for _, s := range f.switches {
		s.mu.Lock()
		s.figures = figures{perSlice: make([]Histogram, f.cfg.Slices), errors: s.figures.errors}
		s.measuring = true
		s.mu.Unlock()
	}
	err := pause()
	all := make([]figures, len(f.switches))
	for i, s := range f.switches {
		s.mu.Lock()
		s.measuring = false
		all[i] = s.figures
		s.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	return f.result(all, time.Since(began)), nil
}

// Sent is the number of packet_ins that have been sent so far, those of floods included.
func (f *Fleet) Sent() (n uint64) {
	for _, s := range f.switches {
		n += s.packetIns.Load()
	}
	return n + f.flooded.Load()
}

// Received is the number of packet_outs and of flow_mods from controllers of this package that have arrived so far.
func (f *Fleet) Received() (packetOuts, flowMods uint64) {
	for _, s := range f.switches {
		packetOuts += s.packetOuts.Load()
		flowMods += s.flowMods.Load()
	}
	return packetOuts, flowMods
}

// floodBatch is how many packet_ins of a flood are written at once.
const floodBatch = 128

// Flood sends packet_ins of one slice that wait for no answer, rate a second on each switch (0: as fast as they are taken), until stop is called,
// which waits for the last one to be written.
func (f *Fleet) Flood(slice, rate int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, s := range f.switches {
		wg.Go(func() { f.flood(ctx, s, slice, rate) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

func (f *Fleet) flood(ctx context.Context, s *fakeSwitch, slice, rate int) {
	conn := *s.conn.Load()
	one := packetInTemplate(s.dpid)
	stamp(one, noSlot, slice, 0, 0)
	batch := slices.Repeat(one, floodBatch)
	var tick <-chan time.Time
	if rate > 0 {
		t := time.NewTicker(max(time.Second*floodBatch/time.Duration(rate), 1))
		defer t.Stop()
		tick = t.C
	}
	for ctx.Err() == nil {
		if err := s.write(conn, batch); err != nil {
			return // the connection's reader says why
		}
		f.flooded.Add(floodBatch)
		if tick == nil {
			continue
		}
		select {
		case <-tick:
		case <-ctx.Done():
		}
	}
}

// Close disconnects all switches at once and waits for them.
func (f *Fleet) Close() {
	f.ended.Store(true)
	for _, s := range f.switches {
		s.close()
	}
	f.wg.Wait()
}

func (f *Fleet) result(all []figures, measured time.Duration) *GeneratorResult {
	res := &GeneratorResult{Switches: len(all), Window: f.cfg.Window, Seconds: measured.Seconds(), SetUp: f.setUp.Seconds()}
	var delay Histogram
	perSlice := make([]Histogram, f.cfg.Slices)
	for i := range all {
		n := all[i].responses
		res.PerSwitch = append(res.PerSwitch, SwitchResult{
			DPID: f.switches[i].dpid, Responses: n, Rate: float64(n) / measured.Seconds(), Lost: all[i].lost, Errors: all[i].errors, Delay: all[i].delay.Delays(),
		})
		res.Responses += n
		res.Answered += f.switches[i].answers.Load()
		res.Lost += all[i].lost
		res.Errors += all[i].errors
		delay.Merge(&all[i].delay)
		for k := range perSlice {
			perSlice[k].Merge(&all[i].perSlice[k])
		}
	}
	res.Rate = float64(res.Responses) / measured.Seconds()
	res.Delay = delay.Delays()
	if f.cfg.Slices > 1 {
		for k := range perSlice {
			res.PerSlice = append(res.PerSlice, perSlice[k].Delays())
		}
	}
	if f.cfg.Clock != nil {
		res.OneWay = f.cfg.Clock.Delays()
	}
	return res
}
