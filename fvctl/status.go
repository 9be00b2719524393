package fvctl

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// overview is what status shows, also as JSON.
type overview struct {
	Version   apitype.Version           `json:"version"`
	Health    apitype.Health            `json:"health"`
	Slices    []apitype.Slice           `json:"slices"`
	Datapaths []apitype.Datapath        `json:"datapaths"`
	Sessions  []apitype.SliceConnection `json:"sessions"`
	Next      []string                  `json:"next"`
}

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show how everything is doing, and what is missing next",
		Example: "  fvctl status\n  fvctl status -o json",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			var o overview
			var err error
			if o.Version, err = a.c.Version(ctx); err != nil {
				return err
			}
			if o.Health, err = a.c.Health(ctx); err != nil {
				return err
			}
			if o.Slices, err = a.c.ListSlices(ctx); err != nil {
				return err
			}
			if o.Datapaths, err = a.c.ListDatapaths(ctx); err != nil {
				return err
			}
			for _, d := range o.Datapaths {
				o.Sessions = append(o.Sessions, d.Connections...)
			}
			o.Next = next(o)
			return a.show(o, nil, func(w io.Writer) error { return a.statusText(w, o) })
		},
	}
}

func (a *app) statusText(w io.Writer, o overview) error {
	h := o.Health
	fmt.Fprintf(w, "govisor %s, %s, up %s\n", o.Version.Version, h.Status, h.Uptime)
	fmt.Fprintf(w, "%s connected, %s, %s\n", count(h.Datapaths, "switch"), count(h.Slices, "slice"), count(h.Rules, "rule"))
	for _, c := range h.Checks {
		if !c.OK && !slices.Contains(o.Next, c.Detail) { // said below
			fmt.Fprintf(w, "not ok: %s: %s\n", c.Name, c.Detail)
		}
	}
	wide := a.opt.output == formatWide
	if len(o.Datapaths) > 0 {
		fmt.Fprintln(w)
		datapathTable(o.Datapaths)().write(w, wide, a.colour)
	}
	if len(o.Slices) > 0 {
		fmt.Fprintln(w)
		sliceTable(o.Slices)().write(w, wide, a.colour)
	}
	if len(o.Sessions) > 0 {
		fmt.Fprintln(w)
		connectionTable(o.Sessions)().write(w, wide, a.colour)
	}
	if len(o.Next) > 0 {
		fmt.Fprintln(w, "\nNext:")
		for _, n := range o.Next {
			fmt.Fprintf(w, "  - %s\n", n)
		}
	}
	return nil
}

// next says what is missing: the server's own list, or in the order things are set up.
func next(o overview) []string {
	if len(o.Health.Missing) > 0 {
		return o.Health.Missing
	}
	var todo []string
	up := 0
	for _, d := range o.Datapaths {
		if d.Connected {
			up++
		}
	}
	if up == 0 {
		todo = append(todo, "no switch is connected: point one at govisor's OpenFlow port")
	}
	own := 0
	for _, s := range o.Slices {
		if s.Name == "fvadmin" {
			continue
		}
		own++
		if s.Enabled && s.Rules == 0 {
			todo = append(todo, fmt.Sprintf("slice %s has no flowspace: fvctl add-flowspace NAME any 100 any %s=7", s.Name, s.Name))
		}
	}
	if own == 0 {
		todo = append(todo, "there is no slice: fvctl add-slice NAME tcp:HOST:PORT EMAIL")
	}
	for _, c := range o.Sessions {
		if c.State == "backoff" || c.State == "connecting" {
			line := fmt.Sprintf("slice %s on %s: controller %s: %s", c.Slice, c.DPID, c.Controller, orDash(c.LastError))
			if !c.Since.IsZero() {
				line += ", since " + stamp(c.Since)
			}
			todo = append(todo, line)
		}
	}
	return todo
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
