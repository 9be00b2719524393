package fvctl

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

func parseLimit(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < -1 {
		return 0, usagef("limit %q: want a number, -1 for no limit", text)
	}
	return n, nil
}

func (a *app) setMaximumFlowMods() *cobra.Command {
	return &cobra.Command{
		Use:     "setMaximumFlowMods SLICENAME DPID LIMIT",
		Short:   "Limit the flows a slice may hold on a datapath, or (any) over all; -1 for no limit",
		Example: "  fvctl setMaximumFlowMods fl-1 any 500",
		Args:    exact("SLICENAME", "DPID", "LIMIT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := parseLimit(args[2])
			if err != nil {
				return err
			}
			if _, err := a.configure(cmd, limitUpdate(args[0], args[1], n)); err != nil {
				return err
			}
			return a.done(map[string]any{"slice": args[0], "dpid": args[1], "flowmod_limit": n}, "success!")
		},
	}
}

func (a *app) getMaximumFlowMods() *cobra.Command {
	return &cobra.Command{
		Use:     "getMaximumFlowMods SLICENAME DPID",
		Short:   "Show how many flows a slice may hold on a datapath, or (any) over all",
		Example: "  fvctl getMaximumFlowMods fl-1 any",
		Args:    exact("SLICENAME", "DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, _, err := a.c.GetSlice(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			n := s.FlowModLimit
			if splitDPIDs(args[1])[0] != "any" {
				d, err := a.c.GetDatapath(cmd.Context(), args[1])
				if err != nil {
					return err
				}
				n = -1
				for _, l := range s.Limits {
					if l.DPID == d.DPID {
						n = l.FlowModLimit
					}
				}
			}
			return a.done(map[string]any{"slice": args[0], "dpid": args[1], "flowmod_limit": n}, "The maximum limit for slice %s on %s : %d", args[0], args[1], n)
		},
	}
}

func (a *app) getCurrentFlowMods() *cobra.Command {
	return &cobra.Command{
		Use:     "getCurrentFlowMods SLICENAME DPID",
		Short:   "Show how many flows a slice holds on a datapath, or (any) over all",
		Example: "  fvctl getCurrentFlowMods fl-1 any",
		Args:    exact("SLICENAME", "DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, h, err := a.slice(cmd, args[0])
			if err != nil {
				return err
			}
			n := h.FlowMods
			if splitDPIDs(args[1])[0] != "any" {
				d, err := a.c.GetDatapath(cmd.Context(), args[1])
				if err != nil {
					return err
				}
				n = d.FlowMods[args[0]]
			}
			return a.done(map[string]any{"slice": args[0], "dpid": args[1], "flow_mods": n}, "The current limit for slice %s on %s : %d", args[0], args[1], n)
		},
	}
}

func (a *app) setRateLimit() *cobra.Command {
	return &cobra.Command{
		Use:     "setRateLimit SLICENAME MESSAGES-PER-SECOND",
		Short:   "Limit the messages a slice's controller may send; -1 for no limit",
		Example: "  fvctl setRateLimit fl-1 1000",
		Args:    exact("SLICENAME", "MESSAGES-PER-SECOND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := parseLimit(args[1])
			if err != nil {
				return err
			}
			s, err := a.c.UpdateSlice(cmd.Context(), args[0], apitype.SliceUpdate{RateLimit: &n}, "")
			if err != nil {
				return err
			}
			return a.done(s, "success!")
		},
	}
}

func (a *app) setFloodPerm() *cobra.Command {
	return &cobra.Command{
		Use:     "setFloodPerm DPID SLICENAME",
		Short:   "Let a slice use a switch's own flooding",
		Example: "  fvctl setFloodPerm 00:00:00:00:00:00:00:01 fl-1",
		Args:    exact("DPID", "SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u apitype.ConfigUpdate
			setFlood(&u, args[1], args[0])
			if _, err := a.configure(cmd, u); err != nil {
				return err
			}
			return a.done(map[string]string{"dpid": args[0], "flood_perm": args[1]}, "success!")
		},
	}
}

func (a *app) getFloodPerm() *cobra.Command {
	return &cobra.Command{
		Use:     "getFloodPerm DPID",
		Short:   "Show which slice may use a switch's own flooding",
		Example: "  fvctl getFloodPerm 00:00:00:00:00:00:00:01",
		Args:    exact("DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			slice, err := a.floodPerm(cmd, args[0])
			if err != nil {
				return err
			}
			return a.done(map[string]string{"dpid": args[0], "flood_perm": slice}, "DPID %s can be flooded by slice %s", args[0], slice)
		},
	}
}

func (a *app) setDefaultFloodPerm() *cobra.Command {
	return &cobra.Command{
		Use:     "setDefaultFloodPerm SLICENAME",
		Short:   "Let a slice use the flooding of every switch that says nothing else",
		Example: "  fvctl setDefaultFloodPerm fl-1",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u apitype.ConfigUpdate
			setFlood(&u, args[0], "")
			if _, err := a.configure(cmd, u); err != nil {
				return err
			}
			return a.done(map[string]string{"default_flood_perm": args[0]}, "success!")
		},
	}
}

func (a *app) getDefaultFloodPerm() *cobra.Command {
	return &cobra.Command{
		Use:     "getDefaultFloodPerm",
		Short:   "Show which slice may flood by default",
		Example: "  fvctl getDefaultFloodPerm",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			slice, err := a.floodPerm(cmd, "")
			if err != nil {
				return err
			}
			return a.done(map[string]string{"default_flood_perm": slice}, "Default floodperm is enabled for slice %s", slice)
		},
	}
}
