package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/bench"
)

func benchOverloadCommand() *cobra.Command {
	f := roundFlags{rounds: 1}
	cmd := &cobra.Command{
		Use:   "overload",
		Short: "Send more packet_ins than the controllers take and account for every message",
		Long: `Starts a govisor of its own. Controllers that are too slow answer with flow_mods and ask for barriers,
statistics and echoes, while every switch sends packet_ins as fast as they are taken. Afterwards every
packet_in must have been delivered or counted in /metrics as dropped, every question answered, every
flow_mod must have arrived, and the delays must be what they were before.`,
		Example: "  govisor bench overload --duration 3s",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(1, 1); err != nil {
				return err
			}
			r, err := benchOverload(cmd.Context(), f, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), f.json)
		},
	}
	fl := cmd.Flags()
	fl.DurationVar(&f.duration, "duration", 2*time.Second, "how long the overload lasts")
	fl.IntVar(&f.switches, "switches", 4, "number of switches")
	fl.IntVar(&f.slices, "slices", 2, "number of slices")
	fl.BoolVar(&f.json, "json", false, "print the result as JSON")
	f.window = 1
	return cmd
}

func benchOverload(ctx context.Context, f roundFlags, progress io.Writer) (*report, error) {
	var controllers []*bench.Responder
	for range f.slices {
		controllers = append(controllers, &bench.Responder{Answer: bench.AnswerFlowMod, Probe: 5 * time.Millisecond, Slow: time.Millisecond, Receive: 128 << 10})
	}
	rig, err := newRig(ctx, 1000, controllers...)
	if err != nil {
		return nil, err
	}
	defer rig.close()
	cfg := rig.load(f.switches, 1)
	cfg.Windows = windows(f.slices, 0, 1)
	fleet, err := bench.Connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer fleet.Close()
	if err := fleet.StartAll(ctx); err != nil {
		return nil, err
	}
	var before, after halves
	if err := before.measure(ctx, fleet, f); err != nil {
		return nil, err
	}
	fmt.Fprint(progress, "\roverload\x1b[K")
	setMode(controllers, bench.ModeSlow)
	var stops []func()
	for k := range f.slices {
		stops = append(stops, fleet.Flood(k, 0))
	}
	err = fleet.Pause(ctx, f.duration)
	for _, stop := range stops {
		stop()
	}
	setMode(controllers, bench.ModeAnswer)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(progress, "\rafterwards\x1b[K")
	fleet.SetWindows(windows(f.slices, 0, 0))
	c, err := accounts(ctx, rig, fleet)
	if err != nil {
		return nil, err
	}
	fleet.SetWindows(windows(f.slices, 0, 1))
	if err := after.measure(ctx, fleet, f); err != nil {
		return nil, err
	}
	fmt.Fprint(progress, "\r\x1b[K")
	r := &report{Benchmark: fmt.Sprintf("overload: %d switches, %d slices", f.switches, f.slices)}
	r.add("packet_ins sent", c.sent, "")
	r.add("delivered to the controllers", c.delivered, "")
	r.add("counted as shed or dropped", c.dropped, "")
	r.atMost("packet_ins nobody knows of", max(c.sent-c.delivered-c.dropped, c.delivered+c.dropped-c.sent), 0, "")
	r.add("flow_mods sent by the controllers", c.flowMods, "")
	r.atMost("flow_mods that did not arrive", max(c.flowMods-c.flowModsHere, 0), 0, "")
	r.add("questions of the controllers", c.asked, "")
	r.atMost("questions without an answer", c.asked-c.answered, 0, "")
	r.add("p50 before", median(before.p50), "us")
	r.add("p50 afterwards", median(after.p50), "us")
	return r, nil
}

func setMode(controllers []*bench.Responder, m bench.Mode) {
	for _, c := range controllers {
		c.SetMode(m)
	}
}

// account is where everything went.
type account struct {
	sent, delivered, dropped float64
	flowMods, flowModsHere   float64
	asked, answered, queued  float64
}

// settled reports whether nothing is missing.
func (a account) settled() bool {
	return a.sent == a.delivered+a.dropped && a.flowMods <= a.flowModsHere && a.asked == a.answered
}

// giveUp is how long nothing must have moved before what is missing is taken for lost.
const giveUp = 20 * time.Second

// accounts waits until nothing is on its way any more.
func accounts(ctx context.Context, rig *rig, fleet *bench.Fleet) (account, error) {
	for _, c := range rig.controllers {
		c.Hushed.Store(true)
	}
	var last account
	still := time.Now()
	for !last.settled() || time.Since(still) < 200*time.Millisecond {
		s, err := rig.scrape(ctx)
		if err != nil {
			return last, err
		}
		_, here := fleet.Received()
		now := account{
			sent: float64(fleet.Sent()), dropped: s.sum("govisor_shed_total", `type="packet_in"`) + s.sum("govisor_dropped_total"), flowModsHere: float64(here),
			queued: s.sum("govisor_queue_bytes"),
		}
		for _, c := range rig.controllers {
			now.delivered += float64(c.PacketIns.Load())
			now.flowMods += float64(c.FlowMods.Load())
			now.asked += float64(c.Asked.Load())
			now.answered += float64(c.Answered.Load())
		}
		if now != last {
			last, still = now, time.Now()
		}
		if time.Since(still) > giveUp {
			break
		}
		if err := fleet.Pause(ctx, 50*time.Millisecond); err != nil {
			return last, err
		}
	}
	return last, nil
}
