package fvctl

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

func (a *app) getConfig() *cobra.Command {
	var slice, dpid string
	cmd := &cobra.Command{
		Use:     "get-config",
		Short:   "Show the settings, limits and flood permissions",
		Example: "  fvctl get-config\n  fvctl get-config -s fl-1",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := a.c.GetSettings(cmd.Context())
			if err != nil {
				return err
			}
			v, err := a.c.Version(cmd.Context())
			if err != nil {
				return err
			}
			flood, err := a.floodPerm(cmd, dpid)
			if err != nil {
				return err
			}
			limits, err := a.limits(cmd, slice, dpid)
			if err != nil {
				return err
			}
			dp := dpid
			if dp == "" {
				dp = "all"
			}
			return a.show(map[string]any{
				"track-flows": st.FlowTracking, "stats-desc": st.StatsDesc, "enable-topo-ctrl": st.Topology, "flow-stats-cache": st.FlowStatsCache,
				"adoption": st.Adoption, "callback-allow": st.CallbackAllow, "controller-allow": st.ControllerAllow, "version": v.Version, "db_version": strconv.Itoa(v.DBVersion),
				"flood-perm": map[string]string{"dpid": dp, "slice-name": flood}, "flowmod-limit": limits,
			}, nil, nil)
		},
	}
	cmd.Flags().StringVarP(&slice, "slice-name", "s", "", "only this slice's limits")
	cmd.Flags().StringVarP(&dpid, "dpid", "d", "", "of this datapath")
	return cmd
}

// floodPerm is the slice that may flood on a datapath, or by default.
func (a *app) floodPerm(cmd *cobra.Command, dpid string) (string, error) {
	if dpid == "" || splitDPIDs(dpid)[0] == "any" {
		st, err := a.c.GetSettings(cmd.Context())
		return st.DefaultFloodPerm, err
	}
	d, err := a.c.GetDatapath(cmd.Context(), dpid)
	return d.FloodPerm, err
}

// limits collects slice → (any or dpid) → limit, as FlowVisor's get-config shows them.
func (a *app) limits(cmd *cobra.Command, slice, dpid string) (map[string]map[string]int, error) {
	var all []apitype.Slice
	if slice != "" {
		s, _, err := a.c.GetSlice(cmd.Context(), slice)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	} else {
		var err error
		if all, err = a.c.ListSlices(cmd.Context()); err != nil {
			return nil, err
		}
	}
	out := map[string]map[string]int{}
	for _, s := range all {
		out[s.Name] = map[string]int{"any": s.FlowModLimit}
		for _, l := range s.Limits {
			if dpid == "" || dpid == l.DPID {
				out[s.Name][l.DPID] = l.FlowModLimit
			}
		}
	}
	return out, nil
}

// configure makes all of an update or nothing, and names the option that is at fault.
func (a *app) configure(cmd *cobra.Command, u apitype.ConfigUpdate) (apitype.Settings, error) {
	st, err := a.c.Configure(cmd.Context(), u)
	var p *apitype.Problem
	if !errors.As(err, &p) || cmd.Name() != "set-config" {
		return st, err
	}
	option := map[string]string{"flood_perms": "--flood-perm", "default_flood_perm": "--flood-perm", "flowmod_limits": "--flowmod-limit",
		"flow_stats_cache": "--flow-stats-cache", "adoption": "--adoption", "callback_allow": "--callback-allow",
		"controller_allow": "--controller-allow"}
	field, rest, _ := strings.Cut(p.Field, "[")
	if field == "limits" {
		option[field] = limitOption(cmd, rest)
	}
	if name := option[field]; name != "" {
		named := *p
		named.Detail = name + ": " + p.Detail
		return st, &named
	}
	return st, err
}

// limitUpdate sets the flow limit of a slice on a datapath, or (any) over all.
func limitUpdate(slice, dpid string, limit int) apitype.ConfigUpdate {
	return apitype.ConfigUpdate{FlowLimits: []apitype.FlowLimit{{Slice: slice, DPID: splitDPIDs(dpid)[0], Limit: limit}}}
}

// rateOptions are the options of set-config that limit a rate.
var rateOptions = []string{"rate-limit", "flowmod-rate", "packet-in-rate"}

// limitOption is the option that became limits[N]; rest is what follows the bracket.
func limitOption(cmd *cobra.Command, rest string) string {
	n := 0
	for _, name := range rateOptions {
		if !cmd.Flags().Changed(name) {
			continue
		}
		if strings.HasPrefix(rest, strconv.Itoa(n)+"]") {
			return "--" + name
		}
		n++
	}
	return ""
}

// addRates adds the rates that were given to an update.
func addRates(cmd *cobra.Command, u *apitype.ConfigUpdate) error {
	for _, name := range rateOptions {
		if !cmd.Flags().Changed(name) {
			continue
		}
		text, _ := cmd.Flags().GetString(name)
		f := strings.Split(text, ",")
		if len(f) != 3 {
			return usagef("--%s %q: want SLICE,DPID,RATE", name, text)
		}
		n, err := parseLimit(f[2])
		if err != nil {
			return err
		}
		l := apitype.LimitsOn{Slice: f[0], DPID: splitDPIDs(f[1])[0]}
		*map[string]**int{"rate-limit": &l.RateLimit, "flowmod-rate": &l.FlowModRate, "packet-in-rate": &l.PacketInRate}[name] = &n
		u.Limits = append(u.Limits, l)
	}
	return nil
}

// setFlood adds a flood permission to an update: on one datapath, or by default.
func setFlood(u *apitype.ConfigUpdate, slice, dpid string) {
	if dpid == "" || splitDPIDs(dpid)[0] == "any" {
		u.DefaultFloodPerm = &slice
		return
	}
	u.FloodPerms = append(u.FloodPerms, apitype.FloodPerm{DPID: dpid, Slice: slice})
}

// parseLimitArg reads SLICE,DPID,LIMIT.
func parseLimitArg(text string) (u apitype.ConfigUpdate, err error) {
	f := strings.Split(text, ",")
	if len(f) != 3 {
		return u, usagef("-l %q: want SLICE,DPID,LIMIT", text)
	}
	n, err := parseLimit(f[2])
	return limitUpdate(f[0], f[1], n), err
}

func (a *app) setConfig() *cobra.Command {
	var flood, limit, adoption, callbacks, controllers string
	var cache int
	cmd := &cobra.Command{
		Use:   "set-config",
		Short: "Change settings, limits and flood permissions, all that is given or nothing",
		Example: `  fvctl set-config --enable-topo-ctrl
  fvctl set-config -l fl-1,any,500
  fvctl set-config --packet-in-rate fl-1,any,1000
  fvctl set-config -f fl-1,00:00:00:00:00:00:00:01`,
		Args: exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !anyChanged(cmd) {
				return usagef("nothing to change: give at least one option (see fvctl set-config --help)")
			}
			var u apitype.ConfigUpdate
			if cmd.Flags().Changed("flowmod-limit") {
				var err error
				if u, err = parseLimitArg(limit); err != nil {
					return err
				}
			}
			u.SettingsUpdate = apitype.SettingsUpdate{FlowTracking: a.pair(cmd, "tracking"), StatsDesc: a.pair(cmd, "stats-desc"), Topology: a.pair(cmd, "topo-ctrl"),
				FlowStatsCache: given(cmd, "flow-stats-cache", &cache), Adoption: given(cmd, "adoption", &adoption), CallbackAllow: given(cmd, "callback-allow", &callbacks),
				ControllerAllow: given(cmd, "controller-allow", &controllers)}
			if err := addRates(cmd, &u); err != nil {
				return err
			}
			if cmd.Flags().Changed("flood-perm") {
				slice, dpid, _ := strings.Cut(flood, ",")
				setFlood(&u, slice, dpid)
			}
			if _, err := a.configure(cmd, u); err != nil {
				return err
			}
			return a.done(map[string]bool{"updated": true}, "Configuration has been updated")
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flood, "flood-perm", "f", "", "SLICE[,DPID] that may use the switch's own flooding; an empty SLICE takes it away")
	f.StringVarP(&limit, "flowmod-limit", "l", "", "SLICE,DPID,LIMIT: flows a slice may hold on a datapath, or any; -1 for no limit")
	f.String("rate-limit", "", "SLICE,DPID,RATE: messages per second from its controller, on a datapath or any; -1 for no limit")
	f.String("flowmod-rate", "", "SLICE,DPID,RATE: flow_mods per second likewise")
	f.String("packet-in-rate", "", "SLICE,DPID,RATE: packet_ins per second to its controller, the others are dropped")
	f.IntVarP(&cache, "flow-stats-cache", "c", 0, "seconds flow statistics are kept")
	f.StringVar(&adoption, "adoption", "", "what happens to the flows of a switch that connects: adopt or flush")
	f.StringVar(&callbacks, "callback-allow", "", "where callbacks may go: hosts, HOST:PORT and networks, separated by commas; empty for nowhere")
	f.StringVar(&controllers, "controller-allow", "", "which unix:PATH and module:NAME slices' accounts may use, separated by commas, with * at the end for anything; empty for none")
	for _, p := range []string{"tracking", "stats-desc", "topo-ctrl"} {
		f.Bool("enable-"+p, false, "turn "+p+" on")
		f.Bool("disable-"+p, false, "turn "+p+" off")
		cmd.MarkFlagsMutuallyExclusive("enable-"+p, "disable-"+p)
	}
	return cmd
}

func (a *app) listVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "list-version",
		Short:   "Show the versions of govisor and its database",
		Example: "  fvctl list-version",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := a.c.Version(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(v, nil, func(w io.Writer) error {
				fmt.Fprintf(w, "FlowVisor version : %s\nFlowVisor DB version : %d\n", v.Version, v.DBVersion)
				return nil
			})
		},
	}
}

func (a *app) listFVHealth() *cobra.Command {
	return &cobra.Command{
		Use:     "list-fv-health",
		Short:   "Show how govisor is doing",
		Example: "  fvctl list-fv-health",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.c.Health(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(h, nil, func(w io.Writer) error {
				return writeJSON(w, map[string]any{"average-delay": int(h.AverageUsec / 1000), "instant-delay": int(h.LastUsec / 1000), // FlowVisor's, in ms
					"status": h.Status, "ready": h.Ready, "uptime": h.Uptime, "datapaths": h.Datapaths, "slices": h.Slices, "rules": h.Rules,
					"checks": h.Checks, "missing": h.Missing})
			})
		},
	}
}

func (a *app) ping() *cobra.Command {
	return &cobra.Command{
		Use:     "ping MESSAGE",
		Short:   "See whether govisor answers",
		Example: "  fvctl ping hello",
		Args:    exact("MESSAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := a.c.Version(cmd.Context())
			if err != nil {
				return err
			}
			return a.done(map[string]string{"pong": args[0], "version": v.Version}, "Got reply:\nPONG(%s): FV version=%s::%s", a.user(), v.Version, args[0])
		},
	}
}

func (a *app) setFlowTracking() *cobra.Command {
	return &cobra.Command{
		Use:     "setFlowTracking true|false",
		Short:   "Turn flow tracking on or off",
		Example: "  fvctl setFlowTracking true",
		Args:    exact("true|false"),
		RunE: func(cmd *cobra.Command, args []string) error {
			on, err := strconv.ParseBool(strings.ToLower(args[0]))
			if err != nil {
				return usagef("%q: want true or false", args[0])
			}
			st, err := a.configure(cmd, apitype.ConfigUpdate{SettingsUpdate: apitype.SettingsUpdate{FlowTracking: &on}})
			if err != nil {
				return err
			}
			return a.done(st, "success!")
		},
	}
}

func (a *app) getFlowTracking() *cobra.Command {
	return &cobra.Command{
		Use:     "getFlowTracking",
		Short:   "Show whether flow tracking is on",
		Example: "  fvctl getFlowTracking",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := a.c.GetSettings(cmd.Context())
			if err != nil {
				return err
			}
			return a.done(map[string]bool{"flow_tracking": st.FlowTracking}, "%s", onOff(st.FlowTracking, "enabled", "disabled"))
		},
	}
}
