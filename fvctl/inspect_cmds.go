package fvctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/govisor/govisor/api/apitype"
)

func (a *app) trace() *cobra.Command {
	var req apitype.TraceRequest
	cmd := &cobra.Command{
		Use:   "trace DPID [HEADER]",
		Short: "Say whose a packet is, or what becomes of a flow, and why",
		Example: `  fvctl trace 1 in_port=1,dl_type=0x800,nw_proto=17,tp_dst=53
  fvctl trace 1 --packet ffffffffffff0000000000010806 --in-port 1
  fvctl trace 1 --slice fl-1 --flow priority=10,dl_type=0x800,actions=output:2`,
		Args: between(1, 2, "DPID [HEADER]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.DPID = args[0]
			if len(args) > 1 {
				req.Header = args[1]
			}
			if (req.Slice != "") != (req.FlowMod != "") {
				return usagef("--slice and --flow go together")
			}
			r, err := a.c.Trace(cmd.Context(), req)
			if err != nil {
				return err
			}
			return a.show(r, nil, func(w io.Writer) error { return a.traceText(w, r) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Packet, "packet", "", "the frame, in hexadecimal")
	f.Uint32Var(&req.InPort, "in-port", 0, "the port it comes in by")
	f.StringVarP(&req.Slice, "slice", "s", "", "the slice that sends the flow")
	f.StringVar(&req.FlowMod, "flow", "", "a flow in ovs-ofctl syntax")
	return cmd
}

func (a *app) traceText(w io.Writer, r apitype.TraceResult) error {
	if r.Header != "" {
		fmt.Fprintf(w, "header:   %s\n", r.Header)
	}
	fmt.Fprintf(w, "verdict:  %s\n", r.Verdict)
	if r.Reason != "" {
		fmt.Fprintf(w, "because:  %s\n", r.Reason)
	}
	if r.Slice != "" {
		fmt.Fprintf(w, "slice:    %s\n", r.Slice)
	}
	if len(r.Readers) > 0 {
		fmt.Fprintf(w, "heard by: %s\n", strings.Join(r.Readers, ", "))
	}
	if len(r.Considered) > 0 {
		fmt.Fprintln(w, "\nmatching rules, the first one decides:")
		ruleTable(r.Considered)().write(w, a.opt.output == formatWide, a.colour)
	}
	if len(r.Flows) > 0 {
		fmt.Fprintln(w, "\nflows:")
		flowTable(r.Flows)().write(w, a.opt.output == formatWide, a.colour)
	}
	return nil
}

// errEnough ends a watch that has shown as many events as were asked for.
var errEnough = errors.New("enough")

func (a *app) watch() *cobra.Command {
	var limit int
	var after uint64
	cmd := &cobra.Command{
		Use:     "watch",
		Short:   "Follow what happens, until interrupted",
		Example: "  fvctl watch\n  fvctl watch -o json | jq .type",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			seen := 0
			err := a.c.Events(cmd.Context(), after, func(e apitype.Event) error {
				if a.opt.output == formatJSON {
					if err := json.NewEncoder(a.out).Encode(e); err != nil {
						return err
					}
				} else {
					fmt.Fprintln(a.out, strings.TrimRight(strings.Join([]string{stamp(e.Time), e.Type, orDash(e.DPID), orDash(e.Slice), e.Detail}, "  "), " "))
				}
				if seen++; seen == limit {
					return errEnough
				}
				return nil
			})
			if errors.Is(err, errEnough) || errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		},
	}
	cmd.Flags().IntVar(&limit, "count", 0, "stop after that many events")
	cmd.Flags().Uint64Var(&after, "after", 0, "begin after the event with this id")
	return cmd
}

func (a *app) conflicts() *cobra.Command {
	var slice, dpid string
	cmd := &cobra.Command{
		Use:     "conflicts",
		Short:   "List rules that overlap or never win",
		Example: "  fvctl conflicts -s fl-1",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, more, err := a.c.Conflicts(cmd.Context(), slice, dpid)
			if err != nil {
				return err
			}
			if more {
				fmt.Fprintf(a.err, "these are the first %d conflicts; name a slice (-s) or a datapath (-d) to see others\n", len(all))
			}
			return a.show(all, func() *table {
				t := &table{head: []string{"KIND", "RULE", "OTHER", "REGION", "DETAIL"}}
				for _, c := range all {
					t.add(c.Kind, c.Rule.Name, c.Other.Name, string(c.Region), orDash(c.Detail))
				}
				return t
			}, nil)
		},
	}
	cmd.Flags().StringVarP(&slice, "slice-name", "s", "", "only rules of this slice")
	cmd.Flags().StringVarP(&dpid, "dpid", "d", "", "only rules of this datapath")
	return cmd
}

func (a *app) free() *cobra.Command {
	return &cobra.Command{
		Use:     "free FIELD [DPID...]",
		Short:   "Show which values of a field no rule uses",
		Example: "  fvctl free dl_vlan\n  fvctl free in_port 1 2",
		Args:    between(1, -1, "FIELD [DPID...]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.c.Free(cmd.Context(), args[0], args[1:])
			if err != nil {
				return err
			}
			return a.show(f, nil, func(w io.Writer) error {
				fmt.Fprintf(w, "%s\n", orDash(f.Values))
				return nil
			})
		},
	}
}

func (a *app) flows() *cobra.Command {
	var slice string
	cmd := &cobra.Command{
		Use:     "flows DPID",
		Short:   "Show the flows in a switch, or (-s) what a slice's controller believes to be there",
		Example: "  fvctl flows 1\n  fvctl flows 1 -s fl-1 -o wide",
		Args:    exact("DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []apitype.Flow
			var err error
			if slice != "" {
				all, err = a.c.SliceFlows(cmd.Context(), args[0], slice)
			} else {
				all, err = a.c.DatapathFlows(cmd.Context(), args[0])
			}
			if err != nil {
				return err
			}
			return a.show(all, flowTable(all), nil)
		},
	}
	cmd.Flags().StringVarP(&slice, "slice-name", "s", "", "the slice's own view")
	return cmd
}

func (a *app) audit() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "Show who changed what, when and from where",
		Example: "  fvctl audit --last 20",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.c.Audit(cmd.Context(), limit)
			if err != nil {
				return err
			}
			return a.show(all, func() *table {
				t := &table{head: []string{"TIME", "WHO", "FROM", "RESULT", "ACTION", "TARGET", "DETAIL"}}
				for _, e := range all {
					t.add(stamp(e.Time), e.Who, e.From, onOff(e.OK, "ok", "denied"), e.Action, orDash(e.Target), orDash(e.Detail))
				}
				return t
			}, nil)
		},
	}
	cmd.Flags().IntVar(&limit, "last", 0, "only the newest N")
	return cmd
}

func (a *app) whoami() *cobra.Command {
	return &cobra.Command{
		Use:     "whoami",
		Short:   "Show which account this is",
		Example: "  fvctl whoami",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.c.Whoami(cmd.Context())
			if err != nil {
				return err
			}
			return a.done(w, "%s (%s, by %s)", w.Account, w.Role, w.Via)
		},
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Print the version of fvctl (list-version: that of the server)",
		Example:     "  fvctl version",
		Annotations: map[string]string{"local": "true"},
		Args:        exact(),
		RunE: func(*cobra.Command, []string) error {
			return a.done(map[string]string{"version": BuildVersion()}, "fvctl %s", BuildVersion())
		},
	}
}

func (a *app) backup() *cobra.Command {
	return &cobra.Command{
		Use:     "backup FILE",
		Short:   "Write a consistent copy of the running database to a file on this machine",
		Example: "  fvctl backup govisor.db",
		Args:    exact("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			tmp := args[0] + ".part"
			f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			stop := a.busy("copying the database")
			err = a.c.Backup(cmd.Context(), f)
			stop()
			if cerr := f.Close(); err == nil {
				err = cerr
			}
			if err == nil {
				err = os.Rename(tmp, args[0])
			}
			if err != nil {
				_ = os.Remove(tmp) // err is the one to report
				return err
			}
			return a.done(map[string]string{"file": args[0]}, "Backup written to %s.", args[0])
		},
	}
}

// manual writes the man pages; packagers run it.
func (a *app) manual() *cobra.Command {
	return &cobra.Command{
		Use:         "man DIR",
		Short:       "Write the man pages into a directory",
		Example:     "  fvctl man /usr/local/share/man/man1",
		Hidden:      true,
		Args:        exact("DIR"),
		Annotations: map[string]string{"local": "true"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.DisableAutoGenTag = true
			entries := 0
			err := doc.GenManTree(root, &doc.GenManHeader{Title: "FVCTL", Section: "1", Source: "govisor", Manual: "govisor"}, args[0])
			if err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			files, err := os.ReadDir(args[0])
			for _, f := range files {
				if strings.HasPrefix(f.Name(), "fvctl") {
					entries++
				}
			}
			fmt.Fprintln(a.out, strconv.Itoa(entries)+" pages in "+args[0])
			return err
		},
	}
}
