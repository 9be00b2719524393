package fvctl

import (
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// sliceInfo is a slice as FlowVisor's list-slice-info shows it, plus its limits.
func sliceInfo(s apitype.Slice, h apitype.SliceHealth) map[string]any {
	info := map[string]any{
		"slice-name": s.Name, "controller-url": strings.Join(s.Controllers, ","), "admin-contact": s.Contact, "drop-policy": s.DropPolicy,
		"recv-lldp": s.RecvLLDP, "admin-status": s.Enabled, "flowmod-limit": s.FlowModLimit, "rate-limit": s.RateLimit,
		"current-flowmod-usage": h.FlowMods,
	}
	for name, rate := range map[string]int{"flowmod-rate": s.FlowModRate, "packet-in-rate": s.PacketInRate} {
		if rate >= 0 {
			info[name] = rate
		}
	}
	rate := 0.0
	for _, c := range h.Connections {
		rate += c.Rate
	}
	if len(h.Connections) > 0 {
		info["current-rate"] = int(rate)
	} else {
		info["msg"] = "no switch of this slice is connected"
	}
	return info
}

func (a *app) listSliceInfo() *cobra.Command {
	return &cobra.Command{
		Use:     "list-slice-info SLICENAME",
		Short:   "Show a slice",
		Example: "  fvctl list-slice-info fl-1",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, h, err := a.slice(cmd, args[0])
			if err != nil {
				return err
			}
			info := sliceInfo(s, h)
			return a.show(s, sliceTable([]apitype.Slice{s}), func(w io.Writer) error {
				if msg, ok := info["msg"]; ok {
					fmt.Fprintf(w, "Note: %s\n", msg)
					delete(info, "msg")
				}
				return writeJSON(w, info)
			})
		},
	}
}

func (a *app) slice(cmd *cobra.Command, name string) (apitype.Slice, apitype.SliceHealth, error) {
	s, _, err := a.c.GetSlice(cmd.Context(), name)
	if err != nil {
		return s, apitype.SliceHealth{}, err
	}
	h, err := a.c.SliceHealth(cmd.Context(), name)
	return s, h, err
}

func (a *app) getSliceInfo() *cobra.Command {
	return &cobra.Command{
		Use:     "getSliceInfo SLICENAME",
		Short:   "Show a slice",
		Example: "  fvctl getSliceInfo fl-1",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, h, err := a.slice(cmd, args[0])
			if err != nil {
				return err
			}
			return a.show(s, sliceTable([]apitype.Slice{s}), func(w io.Writer) error {
				kv := map[string]string{"contact_email": s.Contact, "creator": s.Creator, "drop_policy": s.DropPolicy}
				if len(s.Controllers) > 0 {
					_, rest, _ := strings.Cut(s.Controllers[0], ":")
					host, port, err := net.SplitHostPort(rest)
					if err != nil {
						host, port = rest, ""
					}
					kv["controller_hostname"], kv["controller_port"] = host, port
				}
				for i, c := range h.Connections {
					kv[fmt.Sprintf("connection_%d", i+1)] = c.DPID + "-->" + c.Controller + " " + c.State
				}
				fmt.Fprintln(w, "Got reply:")
				writeKeyValues(w, kv)
				return nil
			})
		},
	}
}

func writeKeyValues(w io.Writer, kv map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(kv)) {
		fmt.Fprintf(w, "%s=%s\n", k, kv[k])
	}
}

func (a *app) listSliceHealth() *cobra.Command {
	return &cobra.Command{
		Use:     "list-slice-health SLICENAME",
		Short:   "Show how a slice's controllers are doing",
		Example: "  fvctl list-slice-health fl-1 -o table",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := a.c.SliceHealth(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(h, connectionTable(h.Connections), func(w io.Writer) error { return writeJSON(w, sliceHealth(h)) })
		},
	}
}

// sliceHealth is what FlowVisor's list-slice-health shows, plus each connection.
func sliceHealth(h apitype.SliceHealth) map[string]any {
	dpids, connects := []string{}, uint64(0)
	for _, c := range h.Connections {
		connects += c.Connects
		if c.State == "connected" {
			dpids = append(dpids, c.DPID)
		}
	}
	return map[string]any{"is-connected": h.Connected, "connect-drop-count": connects, "fs-entries": h.Rules, "connected-dpids": dpids, "connections": h.Connections}
}

func connectionTable(all []apitype.SliceConnection) func() *table {
	return func() *table {
		t := &table{head: []string{"SLICE", "DATAPATH", "CONTROLLER", "STATE", "FLOWS", "LAST-ERROR", "PORTS", "CONNECTS", "LOCAL", "REMOTE"}, wide: 6}
		for _, c := range all {
			ports := make([]string, len(c.Ports))
			for i, p := range c.Ports {
				ports[i] = strconv.FormatUint(uint64(p), 10)
			}
			t.add(c.Slice, c.DPID, orDash(c.Controller), c.State, strconv.Itoa(c.FlowMods), orDash(c.LastError),
				orDash(strings.Join(ports, ",")), strconv.FormatUint(c.Connects, 10), orDash(c.Local), orDash(c.Remote))
		}
		return t
	}
}

func (a *app) listSliceStats(name string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " SLICENAME",
		Short:   "Show the message counters of a slice",
		Example: "  fvctl " + name + " fl-1",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			st, err := a.c.SliceStats(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.showStats(st, name == "getSliceStats")
		},
	}
}

// showStats prints counters as the generation did: JSON, or FlowVisor's lines of TYPE=N.
func (a *app) showStats(st apitype.MessageStats, camel bool) error {
	return a.show(st, statsTable(st), func(w io.Writer) error {
		if !camel {
			return writeJSON(w, st)
		}
		fmt.Fprintln(w, "Got reply:")
		for _, section := range []struct {
			title string
			by    map[string]map[string]uint64
		}{{"Sent", st.Tx}, {"Recv", st.Rx}, {"Drop", st.Drop}} {
			fmt.Fprintf(w, "---%s---\n", section.title)
			for _, who := range slices.Sorted(maps.Keys(section.by)) {
				var parts []string
				for _, typ := range slices.Sorted(maps.Keys(section.by[who])) {
					parts = append(parts, fmt.Sprintf("%s=%d", typ, section.by[who][typ]))
				}
				fmt.Fprintf(w, "%s :: %s\n", who, strings.Join(parts, ","))
			}
		}
		return nil
	})
}

func statsTable(st apitype.MessageStats) func() *table {
	return func() *table {
		t := &table{head: []string{"COMPONENT", "TYPE", "RECEIVED", "SENT", "DROPPED"}}
		type key struct{ who, typ string }
		seen := map[key][3]uint64{}
		for i, by := range []map[string]map[string]uint64{st.Rx, st.Tx, st.Drop} {
			for who, types := range by {
				for typ, n := range types {
					v := seen[key{who, typ}]
					v[i] = n
					seen[key{who, typ}] = v
				}
			}
		}
		keys := slices.SortedFunc(maps.Keys(seen), func(x, y key) int { return strings.Compare(x.who+"\x00"+x.typ, y.who+"\x00"+y.typ) })
		for _, k := range keys {
			v := seen[k]
			t.add(k.who, k.typ, strconv.FormatUint(v[0], 10), strconv.FormatUint(v[1], 10), strconv.FormatUint(v[2], 10))
		}
		return t
	}
}
