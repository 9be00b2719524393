package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/bench"
)

func benchScaleCommand() *cobra.Command {
	var f roundFlags
	var idle time.Duration
	cmd := &cobra.Command{
		Use:   "scale",
		Short: "Connect many switches at once, let them idle, load them and let all reconnect",
		Long: `Starts a govisor of its own with a controller for each slice, connects the switches all at once, and
prints its memory and processor time while they are idle and under load. Then all of them reconnect at
once, while 4 other switches go on; prints how long it takes until every slice of every switch has been
served, and the others' delays before and meanwhile; and again with the 4 at a govisor of their own.`,
		Example: "  govisor bench scale --switches 1000 --slices 2\n  govisor bench scale --switches 100 --slices 32",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.rounds, f.window = 1, 1
			if err := f.check(1, 1); err != nil {
				return err
			}
			if idle <= 0 {
				return usageError{fmt.Errorf("--idle is %v: want more than 0", idle)}
			}
			if f.switches > 60000 {
				return usageError{fmt.Errorf("--switches is %d: want at most 60000", f.switches)}
			}
			r, err := benchScale(cmd.Context(), f, idle, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), f.json)
		},
	}
	fl := cmd.Flags()
	fl.DurationVar(&f.duration, "duration", 2*time.Second, "measured time under load")
	fl.DurationVar(&idle, "idle", 10*time.Second, "measured time without load")
	fl.IntVar(&f.switches, "switches", 1000, "number of switches")
	fl.IntVar(&f.slices, "slices", 2, "number of slices")
	fl.BoolVar(&f.json, "json", false, "print the result as JSON")
	return cmd
}

// bystanders are the switches that go on while all others reconnect; their datapath ids begin here.
const (
	bystanders     = 4
	firstBystander = 100001
)

// usage is what a govisor needs.
type usage struct{ cpu, memory float64 } // seconds since the start; MiB

func (p *proxyUnderTest) usage(ctx context.Context) (usage, error) {
	s, err := p.scrape(ctx)
	if err != nil {
		return usage{}, err
	}
	if s["process_resident_memory_bytes"] == 0 {
		return usage{}, errors.New("this system does not tell how much memory a process has")
	}
	return usage{s["process_cpu_seconds_total"], s["process_resident_memory_bytes"] / (1 << 20)}, nil
}

func benchScale(ctx context.Context, f roundFlags, idle time.Duration, progress io.Writer) (*report, error) {
	var controllers []*bench.Responder
	for range f.slices {
		controllers = append(controllers, &bench.Responder{})
	}
	rig, err := newRig(ctx, 1000, controllers...)
	if err != nil {
		return nil, err
	}
	defer rig.close()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(32)) // or what this process does for the many would delay what it measures of the others
	r := &report{Benchmark: fmt.Sprintf("scale: %d switches, %d slices", f.switches, f.slices)}
	say := func(what string) { fmt.Fprintf(progress, "\r%s\x1b[K", what) }
	cfg := rig.load(f.switches, 1)
	cfg.Retry, cfg.Once, cfg.MACs, cfg.Windows = true, true, f.slices, windows(f.slices, 0, 1)

	say("all connect")
	began := time.Now()
	fleet, err := bench.Connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { fleet.Close() }()
	if err := fleet.StartAll(ctx); err != nil {
		return nil, err
	}
	r.atMost("all connect at once: every slice served after", time.Since(began).Seconds(), 10, "s")

	fleet.SetWindows(windows(f.slices, 0, 0))
	say("idle")
	from, to, _, err := span(ctx, rig, fleet, idle)
	if err != nil {
		return nil, err
	}
	if f.switches == 1000 && f.slices == 2 {
		r.atMost("memory while idle", to.memory, 300, "MiB")
		r.atMost("processor time while idle", 100*(to.cpu-from.cpu)/idle.Seconds(), 5, "% of a core")
	} else {
		r.add("memory while idle", to.memory, "MiB")
		r.add("processor time while idle", 100*(to.cpu-from.cpu)/idle.Seconds(), "% of a core")
	}

	fleet.SetWindows(windows(f.slices, 0, 1))
	say("under load")
	from, to, res, err := span(ctx, rig, fleet, f.duration)
	if err != nil {
		return nil, err
	}
	r.add("rate under load, one outstanding a switch and slice", res.Rate, "/s")
	r.add("memory under load", to.memory, "MiB")
	r.add("processor time under load", 1e6*(to.cpu-from.cpu)/max(float64(res.Responses), 1), "us a response")
	fleet.SetWindows(windows(f.slices, 0, 0))
	say("all reconnect")
	return r, storms(ctx, rig, f, cfg, &fleet, r)
}

func span(ctx context.Context, rig *rig, fleet *bench.Fleet, d time.Duration) (from, to usage, res *bench.GeneratorResult, err error) {
	if err = fleet.Pause(ctx, d/4); err != nil {
		return
	}
	if from, err = rig.usage(ctx); err != nil {
		return
	}
	if res, err = fleet.Measure(ctx, d); err != nil {
		return
	}
	to, err = rig.usage(ctx)
	return
}

// noticed is what others have noticed of a storm.
type noticed struct {
	before    halves
	meanwhile *bench.GeneratorResult
	took      time.Duration // until every slice of the switches that reconnect was served again
}

func (n *noticed) share() float64 { return ratio(n.meanwhile.Rate, median(n.before.rate)) }

// storms lets all switches reconnect at once, twice: with others beside them, and with others at a govisor of their own, as generator and controllers
// of so many take processor time from everybody.
func storms(ctx context.Context, rig *rig, f roundFlags, cfg bench.GeneratorConfig, fleet **bench.Fleet, r *report) error {
	beside, err := storm(ctx, rig, f, cfg, fleet)
	if err != nil {
		return err
	}
	var controllers []*bench.Responder
	for range f.slices {
		controllers = append(controllers, &bench.Responder{})
	}
	own, err := newRig(ctx, 1000, controllers...)
	if err != nil {
		return err
	}
	defer own.close()
	apart, err := storm(ctx, own, f, cfg, fleet)
	if err != nil {
		return err
	}
	r.atMost("all reconnect at once: every slice served again after", beside.took.Seconds(), 10, "s")
	r.add("others' p99 before", median(beside.before.p99), "us")
	r.add("others' p99 while all reconnect", beside.meanwhile.Delay.P99, "us")
	r.add("the same at a govisor of their own", apart.meanwhile.Delay.P99, "us")
	r.add("others' longest delay before", beside.before.max, "us")
	r.add("others' longest delay while all reconnect", beside.meanwhile.Delay.Max, "us")
	r.add("the same at a govisor of their own", apart.meanwhile.Delay.Max, "us")
	r.add("others' rate while all reconnect, against before", beside.share(), "")
	r.add("the same at a govisor of their own", apart.share(), "")
	r.atLeast("the one against the other", ratio(beside.share(), apart.share()), 0.9, "")
	r.atMost("packet_ins of the others lost", float64(beside.meanwhile.Lost), 0, "")
	return nil
}

// storm lets all switches reconnect at once, and measures what others, who connect to the given govisor, notice: before, and from the first to the last
// that is served again.
func storm(ctx context.Context, at *rig, f roundFlags, cfg bench.GeneratorConfig, fleet **bench.Fleet) (*noticed, error) {
	c := at.load(bystanders, firstBystander)
	c.Windows = windows(f.slices, 0, 1)
	others, err := bench.Connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer others.Close()
	if err := others.StartAll(ctx); err != nil {
		return nil, err
	}
	var n noticed
	if err := n.before.measure(ctx, others, f); err != nil {
		return nil, err
	}
	type outcome struct {
		fleet *bench.Fleet
		err   error
	}
	began := time.Now()
	done := make(chan outcome, 1)
	meanwhile, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		(*fleet).Close()
		again, err := bench.Connect(ctx, cfg)
		if err == nil {
			err = again.StartAll(ctx)
		}
		n.took = time.Since(began)
		stop()
		done <- outcome{again, err}
	}()
	n.meanwhile, err = others.MeasureUntil(meanwhile)
	o := <-done
	if o.fleet != nil {
		*fleet = o.fleet
	}
	return &n, errors.Join(err, o.err, ctx.Err())
}
