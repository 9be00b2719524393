package fvctl

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// connected lists the datapaths that are connected now, in order of their ids.
func (a *app) connected(cmd *cobra.Command) (all, up []apitype.Datapath, err error) {
	all, err = a.c.ListDatapaths(cmd.Context())
	for _, d := range all {
		if d.Connected {
			up = append(up, d)
		}
	}
	slices.SortFunc(up, func(x, y apitype.Datapath) int { return strings.Compare(x.DPID, y.DPID) })
	return all, up, err
}

func datapathTable(all []apitype.Datapath) func() *table {
	return func() *table {
		t := &table{head: []string{"DATAPATH", "STATE", "PORTS", "SLICES", "FLOWS", "REMOTE", "SWITCH", "FLOOD"}, wide: 5}
		for _, d := range all {
			flows, software := 0, "-"
			for _, n := range d.FlowMods {
				flows += n
			}
			if d.Description != nil {
				software = d.Description.Manufacturer + " " + d.Description.Hardware
			}
			var names []string
			for _, c := range d.Connections {
				names = append(names, c.Slice)
			}
			t.add(d.DPID, onOff(d.Connected, "connected", "away"), strconv.Itoa(len(d.Ports)), orDash(strings.Join(names, ",")),
				strconv.Itoa(flows), orDash(d.Remote), software, orDash(d.FloodPerm))
		}
		return t
	}
}

func (a *app) listDatapaths() *cobra.Command {
	return &cobra.Command{
		Use:     "list-datapaths",
		Short:   "List the connected switches",
		Example: "  fvctl list-datapaths\n  fvctl list-datapaths -o wide",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, up, err := a.connected(cmd)
			if err != nil {
				return err
			}
			return a.show(all, datapathTable(all), func(w io.Writer) error {
				if len(up) == 0 {
					fmt.Fprintln(w, "No switches connected")
					return nil
				}
				fmt.Fprintln(w, "Connected switches: ")
				for i, d := range up {
					fmt.Fprintf(w, "  %d : %s\n", i+1, d.DPID)
				}
				return nil
			})
		},
	}
}

func (a *app) listDevices() *cobra.Command {
	return &cobra.Command{
		Use:     "listDevices",
		Short:   "List the connected switches",
		Example: "  fvctl listDevices",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, up, err := a.connected(cmd)
			if err != nil {
				return err
			}
			return a.show(all, datapathTable(all), func(w io.Writer) error {
				for i, d := range up {
					fmt.Fprintf(w, "Device %d: %s\n", i, d.DPID)
				}
				return nil
			})
		},
	}
}

func portTable(d apitype.Datapath) func() *table {
	return func() *table {
		t := &table{head: []string{"PORT", "NAME", "STATE", "SLICES", "ADDRESS", "CONFIG", "FEATURES"}, wide: 4}
		for _, p := range d.Ports {
			t.add(strconv.FormatUint(uint64(p.Number), 10), p.Name, onOff(p.Up, "up", "down"), orDash(strings.Join(p.Slices, ",")),
				p.Address, orDash(strings.Join(p.Config, ",")), orDash(strings.Join(p.Features, ",")))
		}
		return t
	}
}

// datapathInfo is a switch as FlowVisor's list-datapath-info shows it.
func datapathInfo(d apitype.Datapath) map[string]any {
	ports, names := []uint32{}, []string{}
	for _, p := range d.Ports {
		ports, names = append(ports, p.Number), append(names, p.Name)
	}
	usage := d.FlowMods
	if usage == nil {
		usage = map[string]int{}
	}
	connection := "NONE"
	if d.Connected {
		connection = d.Local + "-->" + d.Remote
	}
	return map[string]any{"dpid": d.DPID, "num-ports": len(d.Ports), "port-list": ports, "port-names": names,
		"connection": connection, "current-flowmod-usage": usage}
}

func (a *app) listDatapathInfo() *cobra.Command {
	return &cobra.Command{
		Use:     "list-datapath-info DPID",
		Short:   "Show a switch",
		Example: "  fvctl list-datapath-info 00:00:00:00:00:00:00:01\n  fvctl list-datapath-info 1 -o table",
		Args:    exact("DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.c.GetDatapath(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(d, portTable(d), func(w io.Writer) error { return writeJSON(w, datapathInfo(d)) })
		},
	}
}

func (a *app) getDeviceInfo() *cobra.Command {
	return &cobra.Command{
		Use:     "getDeviceInfo DPID",
		Short:   "Show a switch",
		Example: "  fvctl getDeviceInfo 00:00:00:00:00:00:00:01",
		Args:    exact("DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.c.GetDatapath(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(d, portTable(d), func(w io.Writer) error {
				var ports, names []string
				for _, p := range d.Ports {
					ports, names = append(ports, strconv.FormatUint(uint64(p.Number), 10)), append(names, p.Name)
				}
				writeKeyValues(w, map[string]string{"dpid": d.DPID, "nPorts": strconv.Itoa(len(d.Ports)), "portList": strings.Join(ports, ","),
					"portNames": strings.Join(names, ","), "remote": d.Local + "-->" + d.Remote})
				return nil
			})
		},
	}
}

func (a *app) listDatapathStats(name string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " DPID",
		Short:   "Show the message counters of a switch",
		Example: "  fvctl " + name + " 00:00:00:00:00:00:00:01",
		Args:    exact("DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			st, err := a.c.DatapathStats(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.showStats(st, name == "getSwitchStats")
		},
	}
}

func flowTable(flows []apitype.Flow) func() *table {
	return func() *table {
		t := &table{head: []string{"DATAPATH", "SLICE", "KIND", "PRIORITY", "MATCH", "ACTIONS", "PACKETS", "SECONDS", "IDLE", "HARD", "COOKIE", "BYTES"}, wide: 8}
		for _, f := range flows {
			t.add(f.DPID, orDash(f.Slice), orDash(f.Kind), strconv.FormatUint(uint64(f.Priority), 10), orDash(f.Match), orDash(f.Actions),
				strconv.FormatUint(f.Packets, 10), strconv.FormatUint(f.Seconds, 10), strconv.Itoa(f.IdleTimeout), strconv.Itoa(f.HardTimeout),
				f.Cookie, strconv.FormatUint(f.Bytes, 10))
		}
		return t
	}
}

// flowVisorFlow is a flow as FlowVisor's list-datapath-flowdb shows it.
func flowVisorFlow(f apitype.Flow) map[string]any {
	return map[string]any{"dpid": f.DPID, "match": flowVisorMatch(apitype.Match(f.Match)), "actionsList": []string{f.Actions}, "priority": strconv.FormatUint(uint64(f.Priority), 10)}
}

func (a *app) listDatapathFlowDB() *cobra.Command {
	return &cobra.Command{
		Use:     "list-datapath-flowdb DPID",
		Short:   "Show the flows govisor holds in a switch",
		Example: "  fvctl list-datapath-flowdb 00:00:00:00:00:00:00:01 -o table",
		Args:    exact("DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flows, err := a.c.DatapathFlows(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(flows, flowTable(flows), func(w io.Writer) error {
				fmt.Fprintln(w, "Flows seen at FlowVisor: ")
				for _, f := range flows {
					line, err := pythonJSON(flowVisorFlow(f))
					if err != nil {
						return err
					}
					fmt.Fprintln(w, line)
				}
				return nil
			})
		},
	}
}

// bracketFlow is a flow as the older commands show it.
func bracketFlow(f apitype.Flow) string {
	match := strings.TrimSuffix(strings.TrimPrefix(bracketRule(apitype.Rule{Match: apitype.Match(f.Match)}), "FlowEntry[dpid=[all_dpids],ruleMatch=["), "],actionsList=[],id=[0],priority=[0],]")
	return fmt.Sprintf("FlowEntry[dpid=[%s],ruleMatch=[%s],actionsList=[%s],id=[0],priority=[%d],cookie=[%s],slice=[%s],duration=[%d],]",
		f.DPID, match, f.Actions, f.Priority, f.Cookie, f.Slice, f.Seconds*1000)
}

func (a *app) getSwitchFlowDB() *cobra.Command {
	return &cobra.Command{
		Use:     "getSwitchFlowDB DPID",
		Short:   "Show the flows govisor holds in a switch, or in all",
		Example: "  fvctl getSwitchFlowDB all",
		Args:    exact("DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flows := []apitype.Flow{} // not null in JSON
			ids := args
			if splitDPIDs(args[0])[0] == "any" {
				_, up, err := a.connected(cmd)
				if err != nil {
					return err
				}
				ids = nil
				for _, d := range up {
					ids = append(ids, d.DPID)
				}
			}
			for _, id := range ids {
				more, err := a.c.DatapathFlows(cmd.Context(), id)
				if err != nil {
					return err
				}
				flows = append(flows, more...)
			}
			return a.show(flows, flowTable(flows), func(w io.Writer) error {
				for i, f := range flows {
					fmt.Fprintf(w, "DBEntry %d: %s\n", i, bracketFlow(f))
				}
				return nil
			})
		},
	}
}

func (a *app) listDatapathFlowRewriteDB() *cobra.Command {
	return a.rewriteDB("list-datapath-flowrewritedb", func(w io.Writer, flows []apitype.Flow) {
		fmt.Fprintln(w, "Rewrites applied by FlowVisor: ")
		for _, f := range flows {
			fmt.Fprintln(w, bracketFlow(f))
			for _, r := range f.Rewritten {
				fmt.Fprintf(w, "    %s\n", bracketFlow(r))
			}
		}
	})
}

func (a *app) getSliceRewriteDB() *cobra.Command {
	return a.rewriteDB("getSliceRewriteDB", func(w io.Writer, flows []apitype.Flow) {
		for _, f := range flows {
			fmt.Fprintf(w, "============ Original\n%s\n\n=========== Rewritten to:\n", bracketFlow(f))
			for _, r := range f.Rewritten {
				fmt.Fprintf(w, "\t\t%s\n", bracketFlow(r))
			}
		}
	})
}

func (a *app) rewriteDB(name string, print func(io.Writer, []apitype.Flow)) *cobra.Command {
	return &cobra.Command{
		Use:     name + " SLICENAME DPID",
		Short:   "Show what became of the flows of a slice",
		Example: "  fvctl " + name + " fl-1 00:00:00:00:00:00:00:01",
		Args:    exact("SLICENAME", "DPID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flows, err := a.c.SliceFlows(cmd.Context(), args[1], args[0])
			if err != nil {
				return err
			}
			return a.show(flows, flowTable(flows), func(w io.Writer) error {
				print(w, flows)
				return nil
			})
		},
	}
}

func linkTable(links []apitype.Link) func() *table {
	return func() *table {
		t := &table{head: []string{"FROM", "PORT", "TO", "PORT"}}
		for _, l := range links {
			t.add(l.SrcDPID, strconv.FormatUint(uint64(l.SrcPort), 10), l.DstDPID, strconv.FormatUint(uint64(l.DstPort), 10))
		}
		return t
	}
}

func (a *app) listLinks() *cobra.Command {
	return &cobra.Command{
		Use:     "list-links",
		Short:   "List the discovered links between switches",
		Example: "  fvctl list-links -o table",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			links, err := a.c.Links(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(links, linkTable(links), func(w io.Writer) error {
				old := make([]map[string]string, 0, len(links))
				for _, l := range links {
					m := map[string]string{"srcDPID": l.SrcDPID, "srcPort": strconv.FormatUint(uint64(l.SrcPort), 10), "dstDPID": l.DstDPID, "dstPort": strconv.FormatUint(uint64(l.DstPort), 10)}
					maps.Copy(m, l.Attributes)
					old = append(old, m)
				}
				return writeJSON(w, old)
			})
		},
	}
}

func (a *app) getLinks() *cobra.Command {
	return &cobra.Command{
		Use:     "getLinks",
		Short:   "List the discovered links between switches",
		Example: "  fvctl getLinks",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			links, err := a.c.Links(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(links, linkTable(links), func(w io.Writer) error {
				for i, l := range links {
					attrs := ""
					if len(l.Attributes) > 0 {
						var kv []string
						for _, k := range slices.Sorted(maps.Keys(l.Attributes)) {
							kv = append(kv, k+"="+l.Attributes[k])
						}
						attrs = ",attributes={" + strings.Join(kv, ", ") + "}"
					}
					fmt.Fprintf(w, "Link %d: Link[srcDPID=%s,srcPort=%d,dstDPID=%s,dstPort=%d%s]\n", i, l.SrcDPID, l.SrcPort, l.DstDPID, l.DstPort, attrs)
				}
				return nil
			})
		},
	}
}
