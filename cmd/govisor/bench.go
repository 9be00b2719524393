package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/bench"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Load OpenFlow 1.0 controllers and proxies and measure them",
		Long: `Fake switches send packet_ins and wait for a flow_mod or a packet_out for each; fake
controllers answer every packet_in at once. Put the thing to measure between them, or load
any OpenFlow 1.0 controller with the switches alone. compare, isolation, fairness, overload,
scale and flows start what they measure themselves.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown benchmark %q (see govisor bench --help)", args[0])}
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(benchGenerateCommand(), benchRespondCommand(), benchSandwichCommand(), benchCompareCommand(), benchIsolationCommand(), benchFairnessCommand(), benchOverloadCommand(), benchScaleCommand(), benchFlowsCommand())
	return cmd
}

// loadFlags are the flags that say what load to make.
type loadFlags struct {
	cfg  bench.GeneratorConfig
	json bool
}

func (f *loadFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.IntVar(&f.cfg.Switches, "switches", 1, "number of switches")
	fl.Uint64Var(&f.cfg.FirstDPID, "first-dpid", 1, "datapath id of the first switch; the others count up from it")
	fl.IntVar(&f.cfg.MACs, "macs", 1000, "source addresses a switch")
	fl.IntVar(&f.cfg.Slices, "slices", 1, "spread the packet_ins over this many input ports: slice k is port k+1")
	fl.IntVar(&f.cfg.Nets, "nets", 1, "spread the packet_ins over this many destination networks 10.x.y.0/24")
	fl.IntVar(&f.cfg.Window, "window", 1, "packet_ins outstanding a switch: 1 measures latency, more throughput")
	fl.DurationVar(&f.cfg.WarmUp, "warm-up", time.Second, "time before the measurement starts")
	fl.DurationVar(&f.cfg.Duration, "duration", 5*time.Second, "measured time")
	fl.BoolVar(&f.cfg.Idle, "idle", false, "only be connected: answer what is asked, send no packet_ins")
	fl.DurationVar(&f.cfg.SetUp, "set-up", 30*time.Second, "how long the switches may take to be welcomed")
	fl.BoolVar(&f.json, "json", false, "print the result as JSON")
}

// check refuses zeroes, which the library would take for its defaults.
func (f *loadFlags) check() error {
	for _, v := range []struct {
		name string
		n    int
	}{{"switches", f.cfg.Switches}, {"macs", f.cfg.MACs}, {"slices", f.cfg.Slices}, {"nets", f.cfg.Nets}, {"window", f.cfg.Window}} {
		if v.n < 1 {
			return usageError{fmt.Errorf("--%s is %d: want at least 1", v.name, v.n)}
		}
	}
	for _, v := range []struct {
		name string
		d    time.Duration
	}{{"duration", f.cfg.Duration}, {"warm-up", f.cfg.WarmUp}, {"set-up", f.cfg.SetUp}} {
		if v.d <= 0 {
			return usageError{fmt.Errorf("--%s is %v: want more than 0", v.name, v.d)}
		}
	}
	return nil
}

func (f *loadFlags) target(s string) error {
	t, err := ofwire.ParseAddress(s)
	if err != nil {
		return usageError{err}
	}
	if t.Scheme != "tcp" && t.Scheme != "unix" {
		return usageError{fmt.Errorf("target %q: want tcp:HOST[:PORT], HOST:PORT or unix:PATH", s)}
	}
	f.cfg.Network, f.cfg.Address = t.Network(), t.Address()
	return nil
}

func (f *loadFlags) print(w io.Writer, res *bench.GeneratorResult) error {
	if f.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(res)
	}
	fmt.Fprintf(w, "%d switches, window %d, %.1f s measured, welcomed in %.2f s\n", res.Switches, res.Window, res.Seconds, res.SetUp)
	fmt.Fprintf(w, "%.0f responses/s (%d in all, %d packet_ins lost, %d errors)\n\n", res.Rate, res.Responses, res.Lost, res.Errors)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "delay in us\tcount\tmean\tp50\tp90\tp99\tp99.9\tmax\t")
	row := func(name string, d bench.Delays) {
		fmt.Fprintf(tw, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", name, d.Count, d.Mean, d.P50, d.P90, d.P99, d.P999, d.Max)
	}
	row("all", res.Delay)
	for i, d := range res.PerSlice {
		row(fmt.Sprintf("slice %d", i+1), d)
	}
	if len(res.PerSwitch) > 1 && len(res.PerSwitch) <= 32 {
		for _, s := range res.PerSwitch {
			row(fmt.Sprintf("switch %d", s.DPID), s.Delay)
		}
	}
	for _, k := range []string{"packet_in", "packet_out", "flow_mod", "stats_request", "stats_reply", "barrier_request", "barrier_reply", "echo"} {
		if d, ok := res.OneWay[k]; ok {
			row("one way "+k, d)
		}
	}
	return tw.Flush()
}

func benchGenerateCommand() *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:     "generate TARGET",
		Short:   "Play switches: send packet_ins to a controller or proxy",
		Example: "  govisor bench generate tcp:127.0.0.1:6633 --switches 16 --window 64",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if err := f.target(args[0]); err != nil {
				return err
			}
			res, err := bench.Generate(cmd.Context(), f.cfg)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), res)
		},
	}
	f.add(cmd)
	return cmd
}

func benchRespondCommand() *cobra.Command {
	var answer string
	cmd := &cobra.Command{
		Use:     "respond ADDR...",
		Short:   "Play controllers: answer every packet_in at once, one controller an address",
		Example: "  govisor bench respond 127.0.0.1:6634 127.0.0.1:6635 --answer flow-mod",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := bench.ParseAnswer(answer)
			if err != nil {
				return usageError{err}
			}
			ends := make(chan error, len(args))
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			for _, addr := range args {
				l, err := listenResponder(ctx, addr)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "controller listening on %s:%s\n", l.Addr().Network(), l.Addr())
				go func() { ends <- (&bench.Responder{Answer: a}).Serve(ctx, l) }()
			}
			for range args {
				if err := <-ends; err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&answer, "answer", "packet-out", "what to answer: packet-out or flow-mod")
	return cmd
}

func benchSandwichCommand() *cobra.Command {
	var f loadFlags
	var answer string
	var listen []string
	var probe time.Duration
	cmd := &cobra.Command{
		Use:   "sandwich TARGET --listen ADDR...",
		Short: "Play both sides of a proxy and measure one-way delays by message type",
		Example: `  fvctl add-slice s1 tcp:127.0.0.1:6634 me@lab.org && fvctl add-flowspace all any 1 any s1=7
  govisor bench sandwich tcp:127.0.0.1:6633 --listen 127.0.0.1:6634`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := bench.ParseAnswer(answer)
			if err != nil {
				return usageError{err}
			}
			if err := f.check(); err != nil {
				return err
			}
			if err := f.target(args[0]); err != nil {
				return err
			}
			clock := bench.NewClockwork()
			f.cfg.Clock = clock
			stop, _, err := startResponders(cmd.Context(), listen, &bench.Responder{Answer: a, Clock: clock, Probe: probe})
			if err != nil {
				return err
			}
			defer stop()
			res, err := bench.Generate(cmd.Context(), f.cfg)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), res)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&answer, "answer", "packet-out", "what to answer: packet-out or flow-mod")
	cmd.Flags().StringSliceVar(&listen, "listen", []string{"127.0.0.1:6634"}, "addresses the proxy reaches its controllers at")
	cmd.Flags().DurationVar(&probe, "probe", 50*time.Millisecond, "how often each controller sends a barrier, a description request and an echo")
	return cmd
}

// listenResponder listens where a controller is to be: HOST:PORT, also with tcp: or ptcp: in
// front, or unix:PATH.
func listenResponder(ctx context.Context, addr string) (net.Listener, error) {
	t, err := listenTarget(addr)
	if err != nil {
		return nil, usageError{err}
	}
	if t.Scheme == "pssl" {
		return nil, usageError{fmt.Errorf("address %q: want HOST:PORT, tcp:HOST:PORT or unix:PATH", addr)}
	}
	return ofconn.Listen(ctx, t, nil)
}

// startResponders listens on every address and says which they are where port 0 was asked for; stop ends all of them.
func startResponders(ctx context.Context, addrs []string, r *bench.Responder) (stop func(), listening []string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	stop = func() {
		cancel()
		wg.Wait()
	}
	for _, addr := range addrs {
		l, err := listenResponder(ctx, strings.TrimSpace(addr))
		if err != nil {
			stop()
			return nil, nil, err
		}
		listening = append(listening, l.Addr().String())
		wg.Go(func() { _ = r.Serve(ctx, l) }) // fails only with its listener, which stop closes
	}
	return stop, listening, nil
}

// usageArgs makes a wrong number of arguments a usage error (exit code 2).
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
		}
		return nil
	}
}
