package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofswitch/fabric"
)

type demoOptions struct {
	data    string // empty: a temporary one
	once    bool
	mininet bool
	color   bool
}

// demoStep bounds every step of the demo: on a machine that is not dead slow
// each takes a fraction of it.
const demoStep = time.Minute

func demoCommand() *cobra.Command {
	var o demoOptions
	var noColor bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole thing on one terminal",
		Long: `Builds a network of three switches and six hosts in memory, puts govisor between it and two
controllers, gives each controller a slice of the hosts, and shows who reaches whom. Then it
keeps running, so that fvctl can be tried on it, until Ctrl-C. It needs no root, and nothing
else to be installed.`,
		Example: `  govisor demo
  govisor demo --once        exit with 0 if all is as it should be, else 1
  govisor demo --mininet     on a Mininet network of Open vSwitch bridges, as root`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.color = !noColor && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(os.Stdout.Fd()))
			return runDemo(cmd.Context(), cmd.OutOrStdout(), o)
		},
	}
	cmd.Flags().StringVar(&o.data, "data", "", "data directory to keep (default: a temporary one)")
	cmd.Flags().BoolVar(&o.once, "once", false, "show it, then exit with 0 or 1")
	cmd.Flags().BoolVar(&o.mininet, "mininet", false, "use a Mininet network of Open vSwitch bridges (needs root and Debian's mininet)")
	cmd.Flags().BoolVar(&noColor, "no-color", false, "no colours")
	return cmd
}

// demoNetwork is a network to slice.
type demoNetwork interface {
	// Run connects the switches to addr and runs the network until ctx is done.
	Run(ctx context.Context, addr string) error
	// PingAll lets every host ping every other one; those in the same slice may
	// take a while, since nothing is learned yet.
	PingAll(ctx context.Context) (fabric.Matrix, error)
}

// demo is the running show.
type demo struct {
	opts   demoOptions
	out    *paper
	dir    string
	net    demoNetwork
	red    *watcher // the tcp: slice's controller
	blue   *watcher // the module: slice's
	client *client.Client

	openflow string // where switches connect to
	api      string
	redAddr  string // where the red controller listens
}

// linkedIn is the controller of the module: slice, registered as any Go program
// with govisor linked in may register its own.
var (
	linkedIn     atomic.Pointer[watcher]
	registerDemo = sync.OnceFunc(func() {
		ofcontroller.Register(demoModule, func(ofcontroller.Params) (ofcontroller.App, error) { return linkedIn.Load(), nil })
	})
)

var errDemo = errors.New("this is not as it should be")

// runDemo runs until ctx is done, or with once until the end of the show.
func runDemo(ctx context.Context, out io.Writer, o demoOptions) (err error) {
	d := &demo{opts: o, out: &paper{w: out, color: o.color}, dir: o.data}
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "govisor-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	}
	d.net = newMemoryNetwork()
	if o.mininet {
		if d.net, err = newMininetNetwork(); err != nil {
			return err
		}
	}
	d.red, d.blue = newWatcher(), newWatcher()
	linkedIn.Store(d.blue)
	registerDemo()

	ctx, stop := context.WithCancel(ctx)
	g, running := errgroup.WithContext(ctx)
	err = d.start(running, g)
	if err == nil {
		err = d.show(running)
	}
	if err == nil && !o.once {
		d.hints()
		<-running.Done()
	}
	stop()
	if failed := g.Wait(); failed != nil && !errors.Is(failed, context.Canceled) && err == nil {
		err = failed
	}
	if errors.Is(err, context.Canceled) {
		return nil // Ctrl-C
	}
	return err
}

// start starts controller, hypervisor and network.
func (d *demo) start(ctx context.Context, g *errgroup.Group) error {
	c := ofcontroller.New(ofcontroller.Config{})
	if err := d.red.Attach(c); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.redAddr = ln.Addr().String()
	g.Go(func() error { return c.Serve(ctx, ln) })

	if err := d.startServer(ctx, g); err != nil {
		return err
	}
	g.Go(func() error { return d.net.Run(ctx, d.openflow) })
	d.client, err = client.New(client.Options{URL: "unix:" + filepath.Join(d.dir, socketName)})
	return err
}

// startServer runs "govisor serve" in this process and waits for its addresses.
func (d *demo) startServer(ctx context.Context, g *errgroup.Group) error {
	file, err := os.OpenFile(filepath.Join(d.dir, "govisor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	log := logrus.New()
	log.SetOutput(file)
	log.SetFormatter(&logrus.TextFormatter{FullTimestamp: true, DisableColors: true})
	lines, printed := io.Pipe()
	o := serveOptions{data: d.dir, listen: []string{"127.0.0.1:0"}, api: "127.0.0.1:0"}
	g.Go(func() error {
		defer file.Close()
		err := serve(ctx, o, printed, log)
		printed.CloseWithError(cmpErr(err, io.EOF))
		return err
	})
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		line := scanner.Text()
		if addr, ok := strings.CutPrefix(line, "listening for OpenFlow switches on tcp "); ok {
			d.openflow = addr
		}
		if addr, ok := strings.CutPrefix(line, "listening for the API on "); ok {
			d.api = addr
		}
		if strings.HasPrefix(line, "the administrator is ") {
			go func() { _, _ = io.Copy(io.Discard, lines) }() // ends with the server
			return nil
		}
	}
	return fmt.Errorf("govisor does not start: %w", cmpErr(scanner.Err(), io.ErrUnexpectedEOF))
}

// cmpErr is err, or other without one.
func cmpErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// show builds the slices and prints what comes of it.
func (d *demo) show(ctx context.Context) error {
	d.picture()
	if err := d.await(ctx, "all switches", func(ctx context.Context) error {
		list, err := d.client.ListDatapaths(ctx)
		n := 0
		for _, dp := range list {
			if dp.Connected {
				n++
			}
		}
		if err == nil && n < demoSwitches {
			err = fmt.Errorf("%d of %d switches are connected", n, demoSwitches)
		}
		return err
	}); err != nil {
		return err
	}
	if err := d.slice(ctx); err != nil {
		return err
	}
	d.out.line("Every host pings every other one.")
	m, err := d.pingAll(ctx)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	good := d.matrix(m)
	good = d.saw() && good
	if !good {
		return errDemo
	}
	d.out.line("Within a slice everybody answers, across slices nobody does, and no controller saw a frame of the other slice.")
	return nil
}

// pingAll lets everybody ping everybody, and again while a slow machine still owes an answer within a slice. What once
// came across slices stays.
func (d *demo) pingAll(ctx context.Context) (fabric.Matrix, error) {
	all, err := d.net.PingAll(ctx)
	for end := time.Now().Add(demoStep); err == nil && ctx.Err() == nil && lost(all) && time.Now().Before(end); {
		var again fabric.Matrix
		again, err = d.net.PingAll(ctx)
		for src, row := range again {
			for dst, ok := range row {
				all[src][dst] = all[src][dst] || ok
			}
		}
	}
	return all, err
}

// lost reports whether an answer within a slice is missing.
func lost(m fabric.Matrix) bool {
	for _, s := range demoSlices {
		for _, src := range s.hosts() {
			for _, dst := range s.hosts() {
				if src != dst && !m[demoHost(src)][demoHost(dst)] {
					return true
				}
			}
		}
	}
	return false
}

// slice makes the two slices and their flowspace, unless a kept data directory
// has them, and waits for their controllers.
func (d *demo) slice(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoStep)
	defer cancel()
	cfg := apitype.Config{Version: apitype.ConfigVersion}
	for _, s := range demoSlices {
		cfg.Slices = append(cfg.Slices, apitype.SliceConfig{SliceCreate: apitype.SliceCreate{
			Name: s.name, Controllers: []string{d.controllerOf(s)}, Contact: s.name + "@example.org",
		}})
	}
	cfg.Flowspace = demoRules()
	if _, err := d.client.Apply(ctx, cfg, false, true); err != nil {
		return fmt.Errorf("making the slices: %w", err)
	}
	return d.await(ctx, "controllers", func(ctx context.Context) error {
		for _, s := range demoSlices {
			h, err := d.client.SliceHealth(ctx, s.name)
			if err != nil {
				return err
			}
			n := 0
			for _, c := range h.Connections {
				if c.State == "connected" {
					n++
				}
			}
			if n < demoSwitches {
				return fmt.Errorf("slice %s has %d of %d connections", s.name, n, demoSwitches)
			}
		}
		return nil
	})
}

// controllerOf is the URL of a slice's controller.
func (d *demo) controllerOf(s demoSlice) string {
	if s.module {
		return "module:" + demoModule
	}
	return "tcp:" + d.redAddr
}

// await polls until check passes.
func (d *demo) await(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, demoStep)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
				return cause
			}
			return fmt.Errorf("waiting for %s: %w (see %s)", what, err, filepath.Join(d.dir, "govisor.log"))
		case <-tick.C:
		}
	}
}
