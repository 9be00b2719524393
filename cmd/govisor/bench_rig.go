package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/bench"
)

// figure is one line of a report.
type figure struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Reach string  `json:"to_reach,omitempty"`
	Met   *bool   `json:"met,omitempty"`
}

// report is what the benchmarks with aims of their own print.
type report struct {
	Benchmark string   `json:"benchmark"`
	Figures   []figure `json:"figures"`
}

func (r *report) add(what string, value float64, unit string) {
	r.Figures = append(r.Figures, figure{What: what, Value: value, Unit: unit})
}

// atMost and atLeast add a figure that has an aim.
func (r *report) atMost(what string, value, limit float64, unit string) {
	met := value <= limit
	r.Figures = append(r.Figures, figure{What: what, Value: value, Unit: unit, Reach: "<= " + number(limit), Met: &met})
}

func (r *report) atLeast(what string, value, limit float64, unit string) {
	met := value >= limit
	r.Figures = append(r.Figures, figure{What: what, Value: value, Unit: unit, Reach: ">= " + number(limit), Met: &met})
}

// ratio is a/b, and 0 where there is nothing to compare with.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// number is v with three digits that count, whole from 100 on.
func number(v float64) string {
	if v >= 100 || v <= -100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func (r *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "%s\tvalue\t\tto reach\t\n", r.Benchmark)
	for _, f := range r.Figures {
		met := ""
		switch {
		case f.Met != nil && *f.Met:
			met = "met"
		case f.Met != nil:
			met = "missed"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t\n", f.What, number(f.Value), f.Unit, f.Reach, met)
	}
	return tw.Flush()
}

// roundFlags are what the benchmarks in rounds have in common.
type roundFlags struct {
	rounds, switches, slices, window int
	duration                         time.Duration
	json                             bool
}

func (f *roundFlags) add(cmd *cobra.Command, switches, slices, window int) {
	fl := cmd.Flags()
	fl.IntVar(&f.rounds, "rounds", 5, "rounds; each measures everything once")
	fl.DurationVar(&f.duration, "duration", time.Second, "measured time of each part of a round")
	fl.IntVar(&f.switches, "switches", switches, "number of switches")
	fl.IntVar(&f.slices, "slices", slices, "number of slices")
	fl.IntVar(&f.window, "window", window, "packet_ins outstanding a switch and slice")
	fl.BoolVar(&f.json, "json", false, "print the result as JSON")
}

func (f *roundFlags) check(minSlices, minSwitches int) error {
	for _, v := range []struct {
		name   string
		n, low int
	}{{"rounds", f.rounds, 1}, {"switches", f.switches, minSwitches}, {"slices", f.slices, minSlices}, {"window", f.window, 1}} {
		if v.n < v.low {
			return usageError{fmt.Errorf("--%s is %d: want at least %d", v.name, v.n, v.low)}
		}
	}
	if f.duration <= 0 {
		return usageError{fmt.Errorf("--duration is %v: want more than 0", f.duration)}
	}
	return nil
}

// rig is a govisor between a controller a slice, in this process, and whatever switches come.
type rig struct {
	*proxyUnderTest
	controllers []*bench.Responder
	stops       []func()
}

// anyPort is a loopback port that is free.
const anyPort = "127.0.0.1:0"

// newRig starts the controllers and a govisor with a slice for each; slice k has ports k+1 and an equal share of the rules.
func newRig(ctx context.Context, rules int, controllers ...*bench.Responder) (r *rig, err error) {
	r = &rig{controllers: controllers}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	var addrs []string
	for _, c := range controllers {
		stop, listening, err := startResponders(ctx, []string{anyPort}, c)
		if err != nil {
			return r, err
		}
		r.stops = append(r.stops, stop)
		addrs = append(addrs, listening...)
	}
	r.proxyUnderTest, err = startGovisor(ctx, "", addrs, rules)
	return r, err
}

func (r *rig) close() {
	if r.proxyUnderTest != nil {
		r.stop()
	}
	for _, stop := range r.stops {
		stop()
	}
}

// load is what switches at this rig send, with nothing outstanding yet.
func (r *rig) load(switches int, first uint64) bench.GeneratorConfig {
	return bench.GeneratorConfig{
		Network: "tcp", Address: r.addr, Switches: switches, FirstDPID: first, MACs: 1024 * r.slices, Slices: r.slices, Nets: r.nets, Ports: max(4, r.slices),
		Windows: make([]int, r.slices),
	}
}

// windows is a window for every slice from the given one on, and none before.
func windows(slices, from, window int) []int {
	w := make([]int, slices)
	for k := from; k < slices; k++ {
		w[k] = window
	}
	return w
}

// samples are the lines of /metrics.
type samples map[string]float64

// scrape reads the metrics of a govisor.
func (p *proxyUnderTest) scrape(ctx context.Context) (samples, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.metrics, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", p.metrics, resp.Status)
	}
	s := samples{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		v, err := strconv.ParseFloat(value, 64)
		if ok && err == nil && name != "#" {
			s[name] = v
		}
	}
	return s, lines.Err()
}

// sum adds up the samples of a name that have all these labels, written like slice="bench1".
func (s samples) sum(name string, labels ...string) (total float64) {
	for k, v := range s {
		head, _, _ := strings.Cut(k, "{")
		if head != name {
			continue
		}
		has := true
		for _, l := range labels {
			has = has && strings.Contains(k, l)
		}
		if has {
			total += v
		}
	}
	return total
}

// until scrapes until the condition holds, for 20 s at most.
func (p *proxyUnderTest) until(ctx context.Context, what string, cond func(samples) bool) (samples, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 20*time.Second, fmt.Errorf("govisor did not get so far in 20 s: %s", what))
	defer cancel()
	for {
		s, err := p.scrape(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		if cond(s) {
			return s, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}
