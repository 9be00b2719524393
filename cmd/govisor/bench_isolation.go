package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/bench"
)

// isolationFlood is how many packet_ins a second each switch sends to the slice whose controller stalls, whether it does or not.
const isolationFlood = 2000

func benchIsolationCommand() *cobra.Command {
	var f roundFlags
	cmd := &cobra.Command{
		Use:   "isolation",
		Short: "Let one controller stop reading and measure what the others notice",
		Long: `Starts a govisor of its own with a controller for each slice. In one half of every round all
controllers read; in the other half the first one reads nothing, its socket and its queue are full, and
packet_ins for it go on coming. Prints the delays of the other slices in both halves and their ratio:
medians over the rounds.`,
		Example: "  govisor bench isolation --rounds 5 --duration 2s",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(2, 1); err != nil {
				return err
			}
			r, err := benchIsolation(cmd.Context(), f, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), f.json)
		},
	}
	f.add(cmd, 4, 4, 1)
	return cmd
}

func benchIsolation(ctx context.Context, f roundFlags, progress io.Writer) (*report, error) {
	controllers := []*bench.Responder{{Receive: 128 << 10}} // full soon, and twice the largest segment of the loopback
	for range f.slices - 1 {
		controllers = append(controllers, &bench.Responder{})
	}
	controllers[0].SetMode(bench.ModeIgnore)
	rig, err := newRig(ctx, 1000, controllers...)
	if err != nil {
		return nil, err
	}
	defer rig.close()
	cfg := rig.load(f.switches, 1)
	cfg.Windows = windows(f.slices, 1, f.window)
	fleet, err := bench.Connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer fleet.Close()
	if err := fleet.Start(ctx); err != nil {
		return nil, err
	}
	if _, err := rig.until(ctx, "every controller connected", func(s samples) bool {
		return s.sum("govisor_controller_up") == float64(f.slices*f.switches)
	}); err != nil {
		return nil, err
	}
	defer fleet.Flood(0, isolationFlood)()
	var reading, stalled halves
	shedAll := 0.0
	for round := range f.rounds {
		fmt.Fprintf(progress, "\rround %d of %d\x1b[K", round+1, f.rounds)
		if err := reading.measure(ctx, fleet, f); err != nil {
			return nil, err
		}
		shed, err := stalledHalf(ctx, rig, fleet, f, &stalled)
		if err != nil {
			return nil, err
		}
		shedAll += shed
	}
	fmt.Fprint(progress, "\r\x1b[K")
	r := &report{Benchmark: fmt.Sprintf("isolation: %d switches, %d slices, %d outstanding", f.switches, f.slices, f.window)}
	r.add("others' p50, all controllers read", median(reading.p50), "us")
	r.add("others' p50, one controller does not read", median(stalled.p50), "us")
	r.add("others' p99, all controllers read", median(reading.p99), "us")
	r.add("others' p99, one controller does not read", median(stalled.p99), "us")
	r.atMost("ratio of the p99", ratio(median(stalled.p99), median(reading.p99)), 1.2, "")
	r.add("ratio of the rates", ratio(median(stalled.rate), median(reading.rate)), "")
	r.add("packet_ins shed for the one that does not read, while measured", shedAll, "")
	r.atMost("packet_ins of the others lost", float64(reading.lost+stalled.lost), 0, "")
	return r, nil
}

// stalledHalf measures while the first controller does not read, and returns how many packet_ins for it were shed meanwhile.
func stalledHalf(ctx context.Context, rig *rig, fleet *bench.Fleet, f roundFlags, h *halves) (float64, error) {
	shed := func(s samples) float64 { return s.sum("govisor_shed_total", `slice="bench1"`) }
	before, err := rig.scrape(ctx)
	if err != nil {
		return 0, err
	}
	rig.controllers[0].SetMode(bench.ModeStall)
	full, err := rig.until(ctx, "the queue of the stalled controller is full", func(s samples) bool { return shed(s) > shed(before) })
	if err != nil {
		return 0, err
	}
	if err := h.measure(ctx, fleet, f); err != nil {
		return 0, err
	}
	after, err := rig.scrape(ctx)
	if err != nil {
		return 0, err
	}
	rig.controllers[0].SetMode(bench.ModeIgnore)
	_, err = rig.until(ctx, "the stalled controller has read what was waiting", func(s samples) bool { return s.sum("govisor_queue_bytes", `slice="bench1"`) < 64<<10 })
	return shed(after) - shed(full), err
}

// halves are the figures of one half of the rounds.
type halves struct {
	p50, p99, rate []float64
	max            float64
	lost           uint64
}

func (h *halves) measure(ctx context.Context, fleet *bench.Fleet, f roundFlags) error {
	if err := fleet.Pause(ctx, f.duration/4); err != nil {
		return err
	}
	res, err := fleet.Measure(ctx, f.duration)
	if err != nil {
		return err
	}
	h.p50, h.p99, h.rate = append(h.p50, res.Delay.P50), append(h.p99, res.Delay.P99), append(h.rate, res.Rate)
	h.max = max(h.max, res.Delay.Max)
	h.lost += res.Lost
	return nil
}
