package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/bench"
)

func benchFairnessCommand() *cobra.Command {
	var f roundFlags
	var only string
	cmd := &cobra.Command{
		Use:   "fairness",
		Short: "Let one slice or one switch flood and measure what the others still get",
		Long: `Starts a govisor of its own with a controller for each slice. In every round the others are measured
alone, then with the first one loaded just like them (their fair share), then while the first one floods:
its controller sends packet_outs or flow_mods as fast as they are taken, or one switch sends packet_ins as
fast as they are taken. Prints the others' rates and the last one as a ratio of the lesser of the first two:
medians over the rounds.`,
		Example: "  govisor bench fairness --rounds 5\n  govisor bench fairness --only flow_mods --slices 8",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(2, 1); err != nil {
				return err
			}
			if f.switches < 2 && strings.Contains(floods[2].name, only) {
				return usageError{fmt.Errorf("--switches is %d: want at least 2 when one of them floods", f.switches)}
			}
			r, err := benchFairness(cmd.Context(), f, only, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), f.json)
		},
	}
	f.add(cmd, 4, 4, 32)
	cmd.Flags().StringVar(&only, "only", "", "only floods with this text in their name")
	return cmd
}

// flood is one way to be a bad neighbour.
type flood struct {
	name   string
	answer bench.Answer // what all controllers answer, so that the others' work is of the same kind
	mode   bench.Mode   // of the first controller; ModeIgnore: the first switch floods
}

var floods = []flood{
	{"one controller floods packet_outs", bench.AnswerPacketOut, bench.ModeFloodPacketOut},
	{"one controller floods flow_mods", bench.AnswerFlowMod, bench.ModeFloodFlowMod},
	{"one switch floods packet_ins", bench.AnswerPacketOut, bench.ModeIgnore},
}

func benchFairness(ctx context.Context, f roundFlags, only string, progress io.Writer) (*report, error) {
	// With fewer, goroutines that always have something to do keep this process from noticing input for the others, and its own unfairness would be measured.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8 * f.switches))
	r := &report{Benchmark: fmt.Sprintf("fairness: %d switches, %d slices, %d outstanding each", f.switches, f.slices, f.window)}
	for _, kind := range floods {
		if !strings.Contains(kind.name, only) {
			continue
		}
		if err := benchFlood(ctx, f, kind, r, progress); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	if len(r.Figures) == 0 {
		return nil, usageError{fmt.Errorf("no flood has %q in its name", only)}
	}
	return r, nil
}

func benchFlood(ctx context.Context, f roundFlags, kind flood, r *report, progress io.Writer) error {
	var controllers []*bench.Responder
	for range f.slices {
		controllers = append(controllers, &bench.Responder{Answer: kind.answer})
	}
	rig, err := newRig(ctx, 1000, controllers...)
	if err != nil {
		return err
	}
	defer rig.close()
	n := &neighbours{rig: rig, f: f, kind: kind}
	defer n.close()
	if err := n.connect(ctx); err != nil {
		return err
	}
	var alone, equal, flooded halves
	var taken float64
	for round := range f.rounds {
		fmt.Fprintf(progress, "\r%s: round %d of %d\x1b[K", kind.name, round+1, f.rounds)
		n.first(f.window)
		if err := n.measure(ctx, &equal); err != nil {
			return err
		}
		n.first(0)
		if err := n.measure(ctx, &alone); err != nil {
			return err
		}
		before := n.flooded()
		stop := n.flood()
		err := n.measure(ctx, &flooded)
		stop()
		if err != nil {
			return err
		}
		taken += float64(n.flooded()-before) / (1.25 * f.duration.Seconds()) / float64(f.rounds)
	}
	fmt.Fprint(progress, "\r\x1b[K")
	r.add(kind.name+": flood taken", taken, "/s")
	r.add("  others alone", median(alone.rate), "/s")
	r.add("  others beside one like them", median(equal.rate), "/s")
	r.add("  others beside the flood", median(flooded.rate), "/s")
	r.add("  others' p99 beside one like them", median(equal.p99), "us")
	r.add("  others' p99 beside the flood", median(flooded.p99), "us")
	r.atLeast("  ratio of the rates", ratio(median(flooded.rate), min(median(alone.rate), median(equal.rate))), 0.9, "")
	r.atMost("  packet_ins of the others lost", float64(alone.lost+equal.lost+flooded.lost), 0, "")
	return nil
}

// neighbours are the first slice on all switches, or the first switch with all slices, and the others.
type neighbours struct {
	rig    *rig
	f      roundFlags
	kind   flood
	others *bench.Fleet
	one    *bench.Fleet // the switch that floods; nil when a slice does
}

func (n *neighbours) connect(ctx context.Context) (err error) {
	first := uint64(1)
	if n.kind.mode == bench.ModeIgnore {
		cfg := n.rig.load(1, first)
		cfg.Windows = windows(n.f.slices, 1, n.f.window)
		if n.one, err = bench.Connect(ctx, cfg); err != nil {
			return err
		}
		if err := n.one.Start(ctx); err != nil {
			return err
		}
		first++
	}
	cfg := n.rig.load(n.f.switches-int(first)+1, first)
	cfg.Windows = windows(n.f.slices, 0, n.f.window)
	if n.others, err = bench.Connect(ctx, cfg); err != nil {
		return err
	}
	if err := n.others.StartAll(ctx); err != nil {
		return err
	}
	n.others.SetWindows(windows(n.f.slices, 1, n.f.window))
	return nil
}

// first loads whoever is to flood later.
func (n *neighbours) first(window int) {
	if n.one != nil {
		w := windows(n.f.slices, 1, window)
		n.one.SetWindows(w)
		return
	}
	w := windows(n.f.slices, 1, n.f.window)
	w[0] = window
	n.others.SetWindows(w)
}

// flood begins; stop ends it.
func (n *neighbours) flood() (stop func()) {
	c := n.rig.controllers[0]
	c.SetMode(n.kind.mode)
	end := func() {}
	if n.one != nil {
		end = n.one.Flood(0, 0)
	}
	return func() {
		end()
		c.SetMode(bench.ModeAnswer)
	}
}

// flooded is how many messages of the flood have been taken.
func (n *neighbours) flooded() uint64 {
	if n.one != nil {
		return n.one.Sent()
	}
	return n.rig.controllers[0].Flooded.Load()
}

// measure counts the others' answers only.
func (n *neighbours) measure(ctx context.Context, h *halves) error {
	if err := n.others.Pause(ctx, n.f.duration/4); err != nil {
		return err
	}
	res, err := n.others.Measure(ctx, n.f.duration)
	if err != nil {
		return err
	}
	var others, p99 float64
	for _, d := range res.PerSlice[1:] {
		others += float64(d.Count)
		p99 = max(p99, d.P99)
	}
	h.rate, h.p99 = append(h.rate, others/res.Seconds), append(h.p99, p99)
	h.lost += res.Lost
	return nil
}

func (n *neighbours) close() {
	for _, fleet := range []*bench.Fleet{n.one, n.others} {
		if fleet != nil {
			fleet.Close()
		}
	}
}
