package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch/ofctl"
	"github.com/govisor/govisor/ofwire/of10"
)

// ofctlFlags are the options all ofctl commands have.
type ofctlFlags struct {
	timeout   int
	format    []string
	protocols string
	strict    bool
	noStats   bool
	names     bool
	noNames   bool
	sort      string
	rsort     string
	stamp     bool
	files     ofconn.TLSFiles
}

// silentError ends the program with a code; what there is to say has been said.
type silentError struct{ code int }

func (e silentError) Error() string { return "" }

func ofctlCommand() *cobra.Command {
	f := &ofctlFlags{}
	cmd := &cobra.Command{
		Use:   "ofctl",
		Short: "Ask and change any OpenFlow 1.0 switch",
		Long: `Ask and change OpenFlow 1.0 switches, with ovs-ofctl's commands and syntax.

SWITCH is tcp:HOST[:PORT], ssl:HOST[:PORT], unix:FILE, the name of a socket file,
or ptcp:[PORT], pssl:[PORT], punix:FILE to wait until the switch connects.
Errors of the switch go to standard error, and the exit code is 1.`,
	}
	fl := cmd.PersistentFlags()
	fl.IntVarP(&f.timeout, "timeout", "t", 0, "give up after so many seconds (0: never)")
	fl.StringArrayVarP(&f.format, "flow-format", "F", nil, "only OpenFlow10 is possible; accepted for ovs-ofctl's sake")
	fl.StringVarP(&f.protocols, "protocols", "O", "OpenFlow10", "only OpenFlow10 is possible; accepted for ovs-ofctl's sake")
	fl.StringVar(&f.files.Cert, "certificate", "", "certificate (PEM)")
	fl.StringVar(&f.files.Key, "private-key", "", "private key (PEM)")
	fl.StringVar(&f.files.CA, "ca-cert", "", "certificates that may sign the peer's (PEM)")
	fl.BoolVar(&f.strict, "strict", false, "mod-flows, del-flows: match and priority must be the same, not only covered")
	fl.BoolVar(&f.noStats, "no-stats", false, "dump-flows: leave out durations and counters")
	fl.BoolVar(&f.names, "names", false, "dump-flows: names instead of port numbers")
	fl.BoolVar(&f.noNames, "no-names", false, "dump-flows: port numbers, as by default")
	fl.StringVar(&f.sort, "sort", "", "dump-flows: sort by a field, ascending")
	fl.StringVar(&f.rsort, "rsort", "", "dump-flows: sort by a field, descending")
	fl.Lookup("sort").NoOptDefVal, fl.Lookup("rsort").NoOptDefVal = "priority", "priority"
	fl.BoolVar(&f.stamp, "timestamp", false, "monitor, snoop: print the time before each message")
	fl.CountP("more", "m", "accepted for ovs-ofctl's sake")
	fl.CountP("verbose", "v", "accepted for ovs-ofctl's sake")
	for _, c := range ofctlTable {
		cmd.AddCommand(f.command(c))
	}
	cmd.AddCommand(f.offlineCommands()...)
	return cmd
}

// ofctlEntry is one command on a switch.
type ofctlEntry struct {
	use      string
	short    string
	min, max int // arguments, the switch included; max below 0 for no limit
	run      func(f *ofctlFlags, c *ofctl.Client, w io.Writer, args []string) error
}

var ofctlTable = []ofctlEntry{
	{"show SWITCH", "Show features, ports and configuration", 1, 1,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, _ []string) error { return c.Show(w) }},
	{"dump-desc SWITCH", "Show the switch's description", 1, 1,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, _ []string) error {
			return c.DumpStats(w, of10.StatsDesc, nil)
		}},
	{"dump-tables SWITCH", "Show table statistics", 1, 1,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, _ []string) error {
			return c.DumpStats(w, of10.StatsTable, nil)
		}},
	{"dump-ports SWITCH [PORT]", "Show port statistics", 1, 2,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error {
			return c.DumpPorts(w, strings.Join(a, ""))
		}},
	{"dump-ports-desc SWITCH", "Show the ports", 1, 1,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, _ []string) error { return c.DumpPortsDesc(w) }},
	{"mod-port SWITCH PORT ACTION", "Change a port: up, down, [no-]stp, [no-]receive, [no-]receive-stp, [no-]forward, [no-]flood, [no-]packet-in", 3, 3,
		func(_ *ofctlFlags, c *ofctl.Client, _ io.Writer, a []string) error { return c.ModPort(a[0], a[1]) }},
	{"get-frags SWITCH", "Show the fragment handling mode", 1, 1,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, _ []string) error { return c.GetFrags(w) }},
	{"set-frags SWITCH MODE", "Set the fragment handling mode: normal, drop, reassemble", 2, 2,
		func(_ *ofctlFlags, c *ofctl.Client, _ io.Writer, a []string) error { return c.SetFrags(a[0]) }},
	{"dump-flows SWITCH [FLOW]", "Show flows", 1, 2,
		func(f *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error {
			return c.DumpFlows(w, strings.Join(a, ""), f.dump())
		}},
	{"dump-aggregate SWITCH [FLOW]", "Show the sum over flows", 1, 2,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error {
			return c.DumpAggregate(w, strings.Join(a, ""))
		}},
	{"queue-stats SWITCH [PORT [QUEUE]]", "Show queue statistics", 1, 3,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error { return c.QueueStats(w, a) }},
	{"queue-get-config SWITCH [PORT [QUEUE]]", "Show queues", 1, 3,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error { return c.QueueConfig(w, a) }},
	{"add-flow SWITCH FLOW", "Add a flow", 2, 2, flowMod(of10.FlowAdd, of10.FlowAdd)},
	{"mod-flows SWITCH FLOW", "Change the actions of flows", 2, 2, flowMod(of10.FlowModify, of10.FlowModifyStrict)},
	{"del-flows SWITCH [FLOW]", "Delete flows", 1, 2, flowMod(of10.FlowDelete, of10.FlowDeleteStrict)},
	{"add-flows SWITCH FILE", "Add the flows of a file, - for standard input", 2, 2,
		func(_ *ofctlFlags, c *ofctl.Client, _ io.Writer, a []string) error {
			flows, err := ofctl.ReadFlows(c.Parser(), a[0], os.Stdin, of10.FlowAdd)
			if err != nil {
				return err
			}
			return c.FlowMods(flows)
		}},
	{"replace-flows SWITCH FILE", "Make the flows those of a file", 2, 2,
		func(_ *ofctlFlags, c *ofctl.Client, _ io.Writer, a []string) error {
			want, err := fileSource(c.Parser(), a[0])
			if err != nil {
				return err
			}
			return c.Replace(want)
		}},
	{"packet-out SWITCH FLOW", "Send a frame: in_port=PORT,packet=HEX,actions=..., or PORT ACTIONS HEX...", 2, -1,
		func(_ *ofctlFlags, c *ofctl.Client, _ io.Writer, a []string) error { return c.PacketOut(a) }},
	{"monitor SWITCH [MISS_LEN]", "Print what the switch sends; with MISS_LEN, packet_ins too", 1, 2,
		func(f *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error {
			missLen := -1
			if len(a) > 0 {
				n, err := strconv.ParseUint(a[0], 0, 16)
				if err != nil {
					return usageError{fmt.Errorf("MISS_LEN %q: want 0 to 65535 (watch: and the like are not in OpenFlow 1.0)", a[0])}
				}
				missLen = int(n)
			}
			return c.Monitor(w, missLen, f.stamp)
		}},
	{"snoop SWITCH", "Print the messages of a switch's snoop socket", 1, 1,
		func(f *ofctlFlags, c *ofctl.Client, w io.Writer, _ []string) error { return c.Monitor(w, -1, f.stamp) }},
	{"probe SWITCH", "Find out whether the switch answers", 1, 1,
		func(_ *ofctlFlags, c *ofctl.Client, _ io.Writer, _ []string) error { return c.Probe() }},
	{"ping SWITCH [N]", "Measure ten echoes of N bytes", 1, 2,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error {
			n := 0
			if len(a) > 0 {
				var err error
				if n, err = size(a[0]); err != nil {
					return err
				}
			}
			return c.Ping(w, n)
		}},
	{"benchmark SWITCH N COUNT", "Measure COUNT echoes of N bytes", 3, 3,
		func(_ *ofctlFlags, c *ofctl.Client, w io.Writer, a []string) error {
			n, err := size(a[0])
			if err != nil {
				return err
			}
			count, err := strconv.Atoi(a[1])
			if err != nil || count < 1 {
				return usageError{fmt.Errorf("COUNT %q: want a number from 1", a[1])}
			}
			return c.Benchmark(w, n, count)
		}},
}

func size(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 65535-8 {
		return 0, usageError{fmt.Errorf("%q: want 0 to %d bytes", text, 65535-8)}
	}
	return n, nil
}

func flowMod(loose, strict of10.FlowModCommand) func(*ofctlFlags, *ofctl.Client, io.Writer, []string) error {
	return func(f *ofctlFlags, c *ofctl.Client, _ io.Writer, args []string) error {
		command := loose
		if f.strict {
			command = strict
		}
		m, err := c.Parser().ParseFlow(strings.Join(args, ""), command)
		if err != nil {
			return err
		}
		return c.Do(m)
	}
}

func fileSource(p *of10.Parser, file string) (ofctl.Source, error) {
	flows, err := ofctl.ReadFlows(p, file, os.Stdin, of10.FlowAdd)
	if err != nil {
		return nil, err
	}
	return ofctl.FileSource(flows)
}

func (f *ofctlFlags) dump() ofctl.DumpOptions {
	o := ofctl.DumpOptions{NoStats: f.noStats, Names: f.names && !f.noNames}
	if f.sort != "" {
		o.Sort = append(o.Sort, strings.Split(f.sort, ",")...)
	}
	if f.rsort != "" {
		for _, field := range strings.Split(f.rsort, ",") {
			o.Sort = append(o.Sort, "-"+field)
		}
	}
	return o
}

// check refuses protocols and formats that are not OpenFlow 1.0's.
func (f *ofctlFlags) check() error {
	for _, p := range strings.Split(f.protocols, ",") {
		if strings.EqualFold(p, "OpenFlow10") || p == "any" {
			return nil
		}
	}
	return usageError{fmt.Errorf("protocols %s: only OpenFlow10 is possible", f.protocols)}
}

// open connects to a switch.
func (f *ofctlFlags) open(ctx context.Context, target string) (*ofctl.Client, error) {
	var client, server *tls.Config
	var err error
	if f.files.Cert != "" || f.files.CA != "" {
		if client, err = ofconn.ClientTLS(f.files); err != nil {
			return nil, err
		}
	}
	if f.files.Cert != "" {
		if server, err = ofconn.ServerTLS(f.files); err != nil {
			return nil, err
		}
	}
	return ofctl.Open(ctx, target, client, server)
}

func (f *ofctlFlags) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.timeout > 0 {
		return context.WithTimeoutCause(ctx, time.Duration(f.timeout)*time.Second, fmt.Errorf("no answer in %d s", f.timeout))
	}
	return context.WithCancel(ctx)
}

func (f *ofctlFlags) command(e ofctlEntry) *cobra.Command {
	return &cobra.Command{
		Use: e.use, Short: e.short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < e.min || e.max >= 0 && len(args) > e.max {
				return usageError{fmt.Errorf("wrong number of arguments; want %s %s", cmd.Parent().CommandPath(), e.use)}
			}
			if err := f.check(); err != nil {
				return err
			}
			ctx, cancel := f.withTimeout(cmd.Context())
			defer cancel()
			c, err := f.open(ctx, args[0])
			if err == nil {
				defer c.Close()
				err = e.run(f, c, cmd.OutOrStdout(), args[1:])
			}
			switch {
			case err != nil && cmd.Context().Err() != nil:
				return nil // interrupted: a monitor ends that way
			case err != nil && ctx.Err() != nil:
				return context.Cause(ctx)
			}
			return sayRefused(cmd, err)
		},
	}
}

// sayRefused prints errors of the switch the way ovs-ofctl does.
func sayRefused(cmd *cobra.Command, err error) error {
	var refused *ofctl.Refused
	if !errors.As(err, &refused) {
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), err)
	return silentError{exitFailed}
}
