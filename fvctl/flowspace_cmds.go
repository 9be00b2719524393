package fvctl

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

// ruleArgs reads DPID PRIORITY MATCH GRANTS.
func ruleArgs(name string, args []string) (apitype.RuleCreate, error) {
	r := apitype.RuleCreate{Name: name, DPIDs: splitDPIDs(args[0])}
	var err error
	if r.Priority, err = parsePriority(args[1]); err != nil {
		return r, err
	}
	m, err := parseMatchSpec(args[2])
	if err != nil {
		return r, err
	}
	r.Match, r.Queues, r.ForcedQueue = m.match, m.queues, m.forcedQueue
	r.Grants, err = parseGrants(args[3])
	return r, err
}

// ruleRef reads a rule's id (all digits, as FlowVisor's older commands have it) or its name.
func ruleRef(text string) string {
	if id, err := strconv.ParseUint(text, 10, 64); err == nil {
		return client.RuleID(id)
	}
	return text
}

const flowspaceHelp = `DPID is a datapath id (00:00:00:00:00:00:00:01, 0x1 or decimal 1), several separated by commas, or any. MATCH is any, or
key=value items separated by commas: in_port, dl_src, dl_dst, dl_type, dl_vlan, dl_vlan_pcp, nw_src, nw_dst, nw_proto,
nw_tos, tp_src, tp_dst; numbers take ranges and sets (dl_vlan=100-199, in_port=1|3), addresses prefixes (10.0.0.0/8).
A permission is the sum of delegate 1, read 2 and write 4, or letters of rwd; 7 is everything.`

func (a *app) addFlowSpace() *cobra.Command {
	var queues string
	var forced int64
	cmd := &cobra.Command{
		Use:   "add-flowspace NAME DPID PRIORITY MATCH SLICE=PERM[,SLICE=PERM...]",
		Short: "Add a flowspace rule",
		Long:  "Add a flowspace rule.\n\n" + flowspaceHelp,
		Example: `  fvctl add-flowspace s2-all 00:00:00:00:00:00:00:02 1000 any fl-1=7
  fvctl add-flowspace web any 2000 dl_type=0x800,nw_proto=6,tp_dst=80 fl-1=rw,monitor=r`,
		Args: exact("NAME", "DPID", "PRIORITY", "MATCH", "SLICE=PERM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := ruleArgs(args[0], args[1:])
			if err != nil {
				return err
			}
			if args[0] == "" {
				return usagef("the name of a rule cannot be empty")
			}
			if cmd.Flags().Changed("queues") {
				if r.Queues, err = parseQueues(queues, ","); err != nil {
					return err
				}
			}
			if cmd.Flags().Changed("forced-queue") {
				if r.ForcedQueue, err = queueNumber(forced); err != nil {
					return err
				}
			}
			made, err := a.c.CreateRule(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.done(made, "FlowSpace %s was added with request id %d.", made.Name, made.ID)
		},
	}
	cmd.Flags().StringVarP(&queues, "queues", "q", "", "queues the slices may use, as 1,2,3")
	cmd.Flags().Int64VarP(&forced, "forced-queue", "f", -1, "queue every output goes to, -1 for none")
	return cmd
}

func queueNumber(n int64) (*uint32, error) {
	if n == -1 {
		return nil, nil
	}
	if n < 0 || n > 0xffffffff {
		return nil, usagef("forced queue %d: want a queue number, or -1 for none", n)
	}
	q := uint32(n)
	return &q, nil
}

func (a *app) camelAddFlowSpace() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:     "addFlowSpace DPID PRIORITY MATCH Slice:NAME=PERM[,Slice:NAME=PERM...]",
		Short:   "Add a flowspace rule",
		Long:    "Add a flowspace rule.\n\n" + flowspaceHelp,
		Example: `  fvctl addFlowSpace 00:00:00:00:00:00:00:02 1000 any "Slice:fl-1=7"`,
		Args:    exact("DPID", "PRIORITY", "MATCH", "Slice:NAME=PERM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := ruleArgs(name, args)
			if err != nil {
				return err
			}
			made, err := a.c.CreateRule(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.done(made, "success: %d", made.ID)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the rule (a unique one is made unless given)")
	return cmd
}

func (a *app) changeFlowSpace() *cobra.Command {
	return &cobra.Command{
		Use:     "changeFlowSpace ID DPID PRIORITY MATCH Slice:NAME=PERM[,Slice:NAME=PERM...]",
		Short:   "Replace a flowspace rule, by its id",
		Long:    "Replace a flowspace rule.\n\n" + flowspaceHelp,
		Example: `  fvctl changeFlowSpace 3 any 500 dl_vlan=10 "Slice:fl-1=7"`,
		Args:    exact("ID", "DPID", "PRIORITY", "MATCH", "Slice:NAME=PERM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := ruleArgs("", args[1:])
			if err != nil {
				return err
			}
			forced := int64(-1)
			if r.ForcedQueue != nil {
				forced = int64(*r.ForcedQueue)
			}
			if r.Queues == nil {
				r.Queues = []uint32{}
			}
			made, err := a.c.UpdateRule(cmd.Context(), ruleRef(args[0]), apitype.RuleUpdate{
				DPIDs: r.DPIDs, Priority: &r.Priority, Match: &r.Match, Grants: r.Grants, Queues: &r.Queues, ForcedQueue: &forced,
			}, "")
			if err != nil {
				return err
			}
			return a.done(made, "success: %d", made.ID)
		},
	}
}

func (a *app) updateFlowSpace() *cobra.Command {
	var dpid, priority, match, grants, queues string
	var forced int64
	cmd := &cobra.Command{
		Use:   "update-flowspace NAME",
		Short: "Change a flowspace rule; what is not given stays",
		Long:  "Change a flowspace rule; what is not given stays.\n\n" + flowspaceHelp,
		Example: `  fvctl update-flowspace web -p 3000
  fvctl update-flowspace web -m dl_type=0x800,nw_proto=6,tp_dst=8080 -s fl-2=7`,
		Args: exact("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !anyChanged(cmd) {
				return usagef("You may want to actually specify something to update. (see fvctl update-flowspace --help)")
			}
			u, err := ruleUpdate(cmd, dpid, priority, match, grants, queues, forced)
			if err != nil {
				return err
			}
			r, err := a.c.UpdateRule(cmd.Context(), args[0], u, "")
			if err != nil {
				return err
			}
			return a.done(r, "Flowspace %s was updated with request id %d", r.Name, r.ID)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dpid, "dpid", "d", "", "datapath ids")
	f.StringVarP(&priority, "priority", "p", "", "priority")
	f.StringVarP(&match, "match", "m", "", "match")
	f.StringVarP(&grants, "slice-action", "s", "", "SLICE=PERM,...")
	f.StringVarP(&queues, "queues", "q", "", "queues the slices may use, as 1,2,3")
	f.Int64VarP(&forced, "forced-queue", "f", -1, "queue every output goes to, -1 for none")
	return cmd
}

func ruleUpdate(cmd *cobra.Command, dpid, priority, match, grants, queues string, forced int64) (u apitype.RuleUpdate, err error) {
	set := cmd.Flags().Changed
	if set("dpid") {
		u.DPIDs = splitDPIDs(dpid)
	}
	if set("priority") {
		n, err := parsePriority(priority)
		if err != nil {
			return u, err
		}
		u.Priority = &n
	}
	if set("match") {
		m, err := parseMatchSpec(match)
		if err != nil {
			return u, err
		}
		u.Match = &m.match
		if m.queues != nil {
			u.Queues = &m.queues
		}
		if m.forcedQueue != nil {
			n := int64(*m.forcedQueue)
			u.ForcedQueue = &n
		}
	}
	if set("slice-action") {
		if u.Grants, err = parseGrants(grants); err != nil {
			return u, err
		}
	}
	if set("queues") {
		q, err := parseQueues(queues, ",")
		if err != nil {
			return u, err
		}
		u.Queues = &q
	}
	if set("forced-queue") {
		if _, err := queueNumber(forced); err != nil {
			return u, err
		}
		u.ForcedQueue = &forced
	}
	return u, nil
}

func (a *app) removeFlowSpace() *cobra.Command {
	return &cobra.Command{
		Use:     "remove-flowspace NAME...",
		Short:   "Remove flowspace rules by name, all or none",
		Example: "  fvctl remove-flowspace web mail",
		Args:    between(1, -1, "NAME..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			var changes []apitype.Change
			for i, name := range args {
				if !slices.Contains(args[:i], name) { // given twice, it is still one to remove
					changes = append(changes, apitype.Change{Op: "remove", Ref: name})
				}
			}
			res, err := a.c.BulkRules(cmd.Context(), changes, false)
			if err != nil {
				return err
			}
			return a.done(res, "Flowspace entries have been removed.")
		},
	}
}

func (a *app) camelRemoveFlowSpace() *cobra.Command {
	return &cobra.Command{
		Use:     "removeFlowSpace ID",
		Short:   "Remove a flowspace rule by its id, or name",
		Example: "  fvctl removeFlowSpace 3",
		Args:    exact("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.c.DeleteRule(cmd.Context(), ruleRef(args[0])); err != nil {
				return err
			}
			return a.done(map[string]string{"removed": args[0]}, "success: %s", args[0])
		},
	}
}

func ruleTable(rules []apitype.Rule) func() *table {
	return func() *table {
		t := &table{head: []string{"NAME", "ID", "DATAPATHS", "PRIORITY", "MATCH", "GRANTS", "QUEUES", "FORCED", "OWNER"}, wide: 6}
		for _, r := range rules {
			grants := make([]string, len(r.Grants))
			for i, g := range r.Grants {
				grants[i] = g.Slice + "=" + g.Permission.String()
			}
			queues := make([]string, len(r.Queues))
			for i, q := range r.Queues {
				queues[i] = strconv.FormatUint(uint64(q), 10)
			}
			forced := "-"
			if r.ForcedQueue != nil {
				forced = strconv.FormatUint(uint64(*r.ForcedQueue), 10)
			}
			t.add(r.Name, strconv.FormatUint(r.ID, 10), strings.Join(r.DPIDs, ","), strconv.FormatUint(uint64(r.Priority), 10),
				string(r.Match), strings.Join(grants, ","), orDash(strings.Join(queues, ",")), forced, orAdmin(r.Owner))
		}
		return t
	}
}

// orAdmin names the owner of a rule: the slice that passed it on, or the administrator.
func orAdmin(owner string) string {
	if owner == "" {
		return admin
	}
	return owner
}

func (a *app) listFlowSpace() *cobra.Command {
	var slice, dpid, name string
	var hex, pretty, disabled bool
	cmd := &cobra.Command{
		Use:     "list-flowspace",
		Short:   "List the flowspace rules, highest priority first",
		Example: "  fvctl list-flowspace\n  fvctl list-flowspace -s fl-1 -o table",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := a.c.ListRules(cmd.Context(), apitype.RuleFilter{Slice: slice, DPID: dpid, Name: name})
			if err != nil {
				return err
			}
			return a.show(rules, ruleTable(rules), func(w io.Writer) error {
				if slice != "" {
					fmt.Fprintf(w, "Configured Flow entries for slice %s:\n", slice)
				} else {
					fmt.Fprintln(w, "Configured Flow entries:")
				}
				return writeFlowVisorRules(w, rules, hex, pretty)
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&slice, "slice-name", "s", "", "only rules that grant this slice something")
	f.StringVarP(&dpid, "dpid", "d", "", "only rules of this datapath")
	f.StringVar(&name, "name", "", "only rules with this in their name")
	f.BoolVarP(&hex, "output-hex", "x", false, "dl_type, dl_vlan and dl_vpcp in hexadecimal")
	f.BoolVarP(&pretty, "pretty-print", "p", false, "several lines a rule")
	f.BoolVar(&disabled, "show-disabled", false, "accepted for FlowVisor's sake: rules of disabled slices are always shown")
	return cmd
}

func writeFlowVisorRules(w io.Writer, rules []apitype.Rule, hex, pretty bool) error {
	if len(rules) == 0 {
		fmt.Fprintln(w, "  None")
	}
	for i, r := range rules {
		if pretty {
			if i > 0 {
				fmt.Fprintln(w)
			}
			if err := writeJSON(w, flowVisorRule(r, hex)); err != nil {
				return err
			}
			continue
		}
		line, err := pythonJSON(flowVisorRule(r, hex))
		if err != nil {
			return err
		}
		fmt.Fprintln(w, line)
	}
	return nil
}

func (a *app) camelListFlowSpace() *cobra.Command {
	return &cobra.Command{
		Use:     "listFlowSpace",
		Short:   "List the flowspace rules, highest priority first",
		Example: "  fvctl listFlowSpace",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := a.c.ListRules(cmd.Context(), apitype.RuleFilter{})
			if err != nil {
				return err
			}
			return a.show(rules, ruleTable(rules), func(w io.Writer) error {
				fmt.Fprintln(w, "Got reply:")
				for i, r := range rules {
					fmt.Fprintf(w, "rule %d: %s\n", i, bracketRule(r))
				}
				return nil
			})
		},
	}
}

func (a *app) listFSStatus() *cobra.Command {
	return &cobra.Command{
		Use:     "list-fs-status REQUEST-ID",
		Short:   "Say what became of an add-flowspace request",
		Long:    "Say what became of an add-flowspace request. govisor answers such a request only when it is done, so its id is the id of the rule.",
		Example: "  fvctl list-fs-status 1",
		Args:    exact("REQUEST-ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return usagef("request id %q: want a number", args[0])
			}
			status := "SUCCESS"
			if _, _, err := a.c.GetRule(cmd.Context(), client.RuleID(id)); exitCode(err) == ExitNotFound {
				status = "UNKNOWN"
			} else if err != nil {
				return err
			}
			return a.done(map[string]any{"fs-id": id, "status": status}, "FlowSpace Request id %d : %s", id, status)
		},
	}
}
