package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/bench"
)

// scenario is one kind of load; every proxy is measured under each.
type scenario struct {
	Name     string
	Answer   bench.Answer
	Switches int
	Window   int
}

func scenarios(window int) []scenario {
	var list []scenario
	for _, a := range []bench.Answer{bench.AnswerPacketOut, bench.AnswerFlowMod} {
		list = append(list,
			scenario{a.String() + ", 16 switches, pipelined", a, 16, window},
			scenario{a.String() + ", 16 switches, one outstanding each", a, 16, 1},
			scenario{a.String() + ", 1 switch, one outstanding", a, 1, 1},
		)
	}
	return list
}

// measurement is one cell of the table: the rounds of one proxy under one scenario.
type measurement struct {
	Scenario string    `json:"scenario"`
	Proxy    string    `json:"proxy"`
	Rates    []float64 `json:"rates"`  // responses a second, by round
	P50      []float64 `json:"p50_us"` // by round
	P99      []float64 `json:"p99_us"` // by round
	CPU      []float64 `json:"cpu_us"` // processor time of the proxy a response, by round; 0 where that cannot be told
	Lost     uint64    `json:"lost"`   // over all rounds
	Rate     float64   `json:"rate"`   // median
	Spread   float64   `json:"spread"` // (max-min)/median of the rates
	RateVs   float64   `json:"rate_vs_haproxy"`
	DelayVs  float64   `json:"added_delay_vs_haproxy,omitempty"` // (p50-direct)/(haproxy-direct); one outstanding on one switch only
}

type compareFlags struct {
	rounds   int
	duration time.Duration
	window   int
	slices   []int
	rules    []int
	only     string
	json     bool
	also     []string
}

func benchCompareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Measure direct, HAProxy and govisor in turn and print the ratios",
		Long: `Runs the same load directly against the responder, through HAProxy in mode tcp (a relay that looks
at nothing) and through govisor with several numbers of slices and rules, in turn, several rounds, and
prints medians, spread and ratios. Needs haproxy (Debian: apt-get install haproxy) and no root.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.rounds < 1 || f.duration <= 0 || f.window < 1 || slices.Min(append(f.slices, 1<<30)) < 1 || slices.Min(append(f.rules, 1<<30)) < 1 {
				return usageError{fmt.Errorf("rounds, duration, window, slices and rules must all be at least 1")}
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.IntVar(&f.rounds, "rounds", 3, "rounds; each measures everything once")
	fl.DurationVar(&f.duration, "duration", 2*time.Second, "measured time of each cell in each round")
	fl.IntVar(&f.window, "window", 64, "packet_ins outstanding a switch and slice when pipelined")
	fl.IntSliceVar(&f.slices, "slices", []int{1, 4, 16}, "numbers of slices; with the smallest number of rules that is at least 1000")
	fl.IntSliceVar(&f.rules, "rules", []int{10, 1000, 100000}, "numbers of flowspace rules; with one slice")
	fl.StringVar(&f.only, "only", "", "only scenarios with this text in their name")
	fl.BoolVar(&f.json, "json", false, "print the result as JSON")
	fl.StringArrayVar(&f.also, "also", nil, "another govisor to measure beside this one, by the path of its binary, with one slice; repeatable")
	return cmd
}

func (f *compareFlags) run(ctx context.Context, w, progress io.Writer) error {
	var cells []*measurement
	for _, a := range []bench.Answer{bench.AnswerPacketOut, bench.AnswerFlowMod} {
		part, err := f.runAnswer(ctx, a, progress)
		if err != nil {
			return err
		}
		cells = append(cells, part...)
	}
	ratios(cells)
	if f.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(cells)
	}
	return printCells(w, cells)
}

// runAnswer measures every scenario of one answer, with the proxies started once.
func (f *compareFlags) runAnswer(ctx context.Context, a bench.Answer, progress io.Writer) ([]*measurement, error) {
	var wanted []scenario
	for _, sc := range scenarios(f.window) {
		if sc.Answer == a && strings.Contains(sc.Name, f.only) {
			wanted = append(wanted, sc)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	addrs := slices.Repeat([]string{anyPort}, max(1, slices.Max(append(f.slices, 1))))
	stop, addrs, err := startResponders(ctx, addrs, &bench.Responder{Answer: a})
	if err != nil {
		return nil, err
	}
	defer stop()
	proxies, err := f.startProxies(ctx, addrs)
	defer func() {
		for _, p := range proxies {
			p.stop()
		}
	}()
	if err != nil {
		return nil, err
	}
	var cells []*measurement
	for _, sc := range wanted {
		for _, p := range proxies {
			cells = append(cells, &measurement{Scenario: sc.Name, Proxy: p.name})
		}
	}
	for round := range f.rounds {
		for i, c := range cells {
			fmt.Fprintf(progress, "\rround %d of %d: %s: %s\x1b[K", round+1, f.rounds, c.Scenario, c.Proxy)
			if err := f.measure(ctx, c, wanted[i/len(proxies)], proxies[i%len(proxies)]); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", c.Scenario, c.Proxy, err)
			}
		}
	}
	fmt.Fprint(progress, "\r\x1b[K")
	return cells, nil
}

func (f *compareFlags) startProxies(ctx context.Context, controllers []string) ([]*proxyUnderTest, error) {
	list := []*proxyUnderTest{{name: "direct", addr: controllers[0], slices: 1, nets: 1}}
	add := func(p *proxyUnderTest, err error) error {
		if err == nil {
			list = append(list, p)
		}
		return err
	}
	if err := add(startHAProxy(ctx, controllers[0], runtime.NumCPU())); err != nil {
		return list, err
	}
	for _, rules := range f.rules {
		if err := add(startGovisor(ctx, "", controllers[:1], rules)); err != nil {
			return list, err
		}
	}
	for _, binary := range f.also {
		for _, rules := range f.rules {
			if err := add(startGovisor(ctx, binary, controllers[:1], rules)); err != nil {
				return list, err
			}
		}
	}
	for _, n := range f.slices {
		if n == 1 && slices.Contains(f.rules, 1000) {
			continue
		}
		if err := add(startGovisor(ctx, "", controllers[:n], 1000)); err != nil {
			return list, err
		}
	}
	return list, nil
}

func (f *compareFlags) measure(ctx context.Context, c *measurement, sc scenario, p *proxyUnderTest) error {
	window := sc.Window
	if window > 1 {
		window *= p.slices // the same number outstanding for each controller: a quarter of the batch is no longer a batch
	}
	before := p.cpuTime()
	res, err := bench.Generate(ctx, bench.GeneratorConfig{
		Network: "tcp", Address: p.addr, Switches: sc.Switches, Window: window, MACs: 1000, Slices: p.slices, Nets: p.nets, Ports: max(4, p.slices),
		WarmUp: f.duration / 4, Duration: f.duration,
	})
	if err != nil {
		return err
	}
	c.Rates = append(c.Rates, res.Rate)
	c.P50 = append(c.P50, res.Delay.P50)
	c.P99 = append(c.P99, res.Delay.P99)
	c.CPU = append(c.CPU, float64((p.cpuTime()-before).Microseconds())/float64(max(res.Answered, 1)))
	c.Lost += res.Lost
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// ratios compares every cell with HAProxy's of the same scenario.
func ratios(cells []*measurement) {
	find := func(scenario, proxy string) *measurement {
		for _, c := range cells {
			if c.Scenario == scenario && c.Proxy == proxy {
				return c
			}
		}
		return nil
	}
	for _, c := range cells {
		c.Rate = median(c.Rates)
		c.Spread = (slices.Max(c.Rates) - slices.Min(c.Rates)) / c.Rate
	}
	for _, c := range cells {
		direct, relay := find(c.Scenario, "direct"), find(c.Scenario, "haproxy")
		c.RateVs = c.Rate / relay.Rate
		if strings.Contains(c.Scenario, "1 switch,") && c != direct {
			c.DelayVs = (median(c.P50) - median(direct.P50)) / (median(relay.P50) - median(direct.P50))
		}
	}
}

func printCells(w io.Writer, cells []*measurement) error {
	last := ""
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, c := range cells {
		if c.Scenario != last {
			last = c.Scenario
			fmt.Fprintf(tw, "\n%s\tresponses/s\tspread\tp50 us\tp99 us\tcpu us\tlost\trate vs haproxy\tadded delay vs haproxy\t\n", c.Scenario)
		}
		delay := ""
		if c.DelayVs != 0 {
			delay = fmt.Sprintf("%.2f", c.DelayVs)
		}
		cpu := ""
		if m := median(c.CPU); m > 0 {
			cpu = fmt.Sprintf("%.2f", m)
		}
		fmt.Fprintf(tw, "%s\t%.0f\t%.0f %%\t%.1f\t%.1f\t%s\t%d\t%.2f\t%s\t\n", c.Proxy, c.Rate, 100*c.Spread, median(c.P50), median(c.P99), cpu, c.Lost, c.RateVs, delay)
	}
	return tw.Flush()
}
