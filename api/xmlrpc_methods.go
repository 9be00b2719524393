package api

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// xmlMethods are the methods of FlowVisor's XML-RPC.
func xmlMethods() map[string]xmlArgs {
	return map[string]xmlArgs{
		"ping":            {xmlPing, []int{1}},
		"createSlice":     {xmlCreateSlice, []int{4, 5}},
		"changeSlice":     {xmlChangeSlice, []int{3}},
		"deleteSlice":     {xmlVia("remove-slice", "slice-name"), []int{1}},
		"changePasswd":    {xmlVia("update-slice-password", "slice-name", "password"), []int{2}},
		"change_password": {xmlVia("update-slice-password", "slice-name", "password"), []int{2}},
		"listSlices":      {xmlListSlices, []int{0}},
		"getSliceInfo":    {xmlSliceInfo, []int{1}},
		"listFlowSpace":   {xmlListFlowSpace, []int{0}},
		"changeFlowSpace": {nil, []int{1}},
		"listDevices":     {xmlListDevices, []int{0}},
		"getDeviceInfo":   {xmlDeviceInfo, []int{1}},
		"getLinks":        {xmlLinks, []int{0}},
		"setFloodPerm":    {xmlSetFloodPerm, []int{1, 2}},
		"getFloodPerm":    {xmlGetFloodPerm, []int{0, 1}},

		"setMaximumFlowMods": {xmlSetMaximum, []int{3}},
		"getMaximumFlowMods": {xmlGetMaximum, []int{2}},
		"getCurrentFlowMods": {xmlGetCurrent, []int{2}},
		"setRateLimit":       {xmlSetRate, []int{2}},
		"setFlowTracking":    {xmlSetTracking, []int{1}},
		"getFlowTracking":    {xmlGetTracking, []int{0}},
		"getSliceStats":      {xmlSliceStats, []int{1}},
		"getSwitchStats":     {xmlSwitchStats, []int{1}},
		"getSwitchFlowDB":    {xmlFlowDB, []int{1}},
		"getSliceRewriteDB":  {xmlRewriteDB, []int{2}},
		"dumpConfig":         {xmlVia("save-config"), []int{0}},

		"registerTopologyChangeCallback":   {xmlRegister, []int{3}},
		"getTopologyCallback":              {xmlTopologyCallback, []int{0}},
		"unregisterTopologyChangeCallback": {xmlUnregister, []int{0}},

		"revertToLastCheckpoint": {func(*Server, *rpcCall, []string) (any, error) { return false, nil }, []int{0}},
	}
}

// xmlVia passes arguments on under the names JSON-RPC has for them.
func xmlVia(method string, names ...string) func(*Server, *rpcCall, []string) (any, error) {
	return func(s *Server, c *rpcCall, args []string) (any, error) {
		fields := map[string]any{}
		for i, n := range names {
			fields[n] = args[i]
		}
		return s.viaRPC(c, method, fields)
	}
}

func xmlPing(_ *Server, c *rpcCall, args []string) (any, error) {
	return fmt.Sprintf("PONG(%s): FV version=%s::%s", c.by.Account, fvVersion, args[0]), nil
}

func xmlCreateSlice(s *Server, c *rpcCall, a []string) (any, error) {
	fields := map[string]any{"slice-name": a[0], "password": a[1], "controller-url": a[2], "admin-contact": a[len(a)-1], "recv-lldp": true}
	if len(a) == 5 && a[3] != "" {
		fields["drop-policy"] = a[3]
	}
	return s.viaRPC(c, "add-slice", fields)
}

func xmlChangeSlice(s *Server, c *rpcCall, a []string) (any, error) {
	fields := map[string]any{"slice-name": a[0]}
	switch a[1] {
	case "contact_email":
		fields["admin-contact"] = a[2]
	case "controller_hostname", "controller_host":
		fields["controller-host"] = a[2]
	case "controller_port":
		port, err := strconv.Atoi(a[2])
		if err != nil {
			return nil, rpcErrorf(rpcParams, "controller_port %q is not a number", a[2])
		}
		fields["controller-port"] = port
	case "drop_policy":
		fields["drop-policy"] = a[2]
	default:
		return nil, rpcErrorf(rpcParams, "invalid key %q; want contact_email, controller_hostname, controller_port or drop_policy", a[1])
	}
	return s.viaRPC(c, "update-slice", fields)
}

func xmlListSlices(s *Server, c *rpcCall, _ []string) (any, error) {
	out := []string{}
	if c.by.Role != hypervisor.RoleSlice {
		out = append(out, hypervisor.AdminName)
	}
	for _, sl := range s.svc.Slices(c.by) {
		out = append(out, sl.Name)
	}
	return out, nil
}

func xmlSliceInfo(s *Server, c *rpcCall, a []string) (any, error) {
	sl, err := s.svc.Slice(c.by, a[0])
	if err != nil {
		return nil, err
	}
	first := sl.Controllers[0].Target
	out := map[string]any{"contact_email": sl.Contact, "controller_hostname": first.Host, "controller_port": strconv.Itoa(int(first.Port)),
		"creator": sl.Creator, "drop_policy": string(sl.DropPolicy)}
	h, err := s.svc.SliceHealth(c.by, sl.Name)
	if err != nil {
		return nil, err
	}
	for i, conn := range h.Connections {
		text := conn.Local + "-->" + conn.Remote
		if conn.State != "connected" {
			text = "NONE (" + cmp.Or(conn.LastError, conn.State) + ")"
		}
		out[fmt.Sprintf("connection_%d", i+1)] = conn.DPID + "-->" + text
	}
	return out, nil
}

func xmlListFlowSpace(s *Server, c *rpcCall, _ []string) (any, error) {
	rules, err := s.svc.Rules(c.by, hypervisor.RuleFilter{ShowDisabled: true})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rules, func(a, b *flowspace.Rule) int { return cmp.Compare(a.ID, b.ID) })
	out := []string{}
	for _, r := range rules {
		dpid := strings.Join(dpidsOut(r.DPIDs), "|")
		if r.DPIDs.IsAll() {
			dpid = allDPIDs
		}
		match := strings.ReplaceAll(r.Match.FlowVisor(), "dl_type=0x0", "dl_type=0x") // as FlowVisor wrote it
		match = withQueues(match, r)
		out = append(out, fmt.Sprintf("FlowEntry[dpid=[%s],ruleMatch=[%s],actionsList=[%s],id=[%d],priority=[%d],]",
			dpid, match, flowspace.FormatGrants(r.Grants), r.ID, r.Priority))
	}
	return out, nil
}

// withQueues writes the queues of a rule at the end of its match, where
// changeFlowSpace reads them.
func withQueues(match string, r *flowspace.Rule) string {
	var add []string
	if len(r.Queues) > 0 {
		ids := make([]string, len(r.Queues))
		for i, q := range r.Queues {
			ids[i] = fmt.Sprint(q)
		}
		add = append(add, "queues="+strings.Join(ids, ":"))
	}
	if r.HasForcedQueue {
		add = append(add, fmt.Sprintf("force_enqueue=%d", r.ForcedQueue))
	}
	body, closed := strings.CutSuffix(match, "]")
	if len(add) == 0 || !closed {
		return match
	}
	if !strings.HasSuffix(body, "[") {
		body += ","
	}
	return body + strings.Join(add, ",") + "]"
}

func xmlListDevices(s *Server, c *rpcCall, _ []string) (any, error) {
	out := []string{}
	for _, d := range s.svc.Datapaths(c.by) {
		if d.Connected {
			out = append(out, d.DPID)
		}
	}
	return out, nil
}

func xmlDeviceInfo(s *Server, c *rpcCall, a []string) (any, error) {
	id, all, err := xmlDPID(a[0])
	if err != nil {
		return nil, err
	}
	d, err := s.svc.Datapath(c.by, id)
	if err != nil || all || !d.Connected {
		return nil, rpcErrorf(rpcParams, "dpid does not exist: %s", a[0])
	}
	var ports, names []string
	for _, p := range d.Ports {
		ports = append(ports, strconv.FormatUint(uint64(p.Number), 10))
		names = append(names, fmt.Sprintf("%s(%d)", p.Name, p.Number))
	}
	return map[string]any{"dpid": d.DPID, "nPorts": strconv.Itoa(len(ports)), "portList": strings.Join(ports, ","), "portNames": strings.Join(names, ","),
		"remote": d.Remote}, nil
}

func xmlLinks(s *Server, c *rpcCall, _ []string) (any, error) {
	links, err := s.svc.Links(c.by)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, l := range links {
		out = append(out, map[string]any{"srcDPID": l.SrcDPID, "srcPort": fmt.Sprint(l.SrcPort), "dstDPID": l.DstDPID, "dstPort": fmt.Sprint(l.DstPort)})
	}
	return out, nil
}

func xmlSetFloodPerm(s *Server, c *rpcCall, a []string) (any, error) {
	flood := map[string]any{"slice-name": a[len(a)-1]}
	if len(a) == 2 {
		flood["dpid"] = a[0]
	}
	return s.viaRPC(c, "set-config", map[string]any{"flood-perm": flood})
}

func xmlGetFloodPerm(s *Server, c *rpcCall, a []string) (any, error) {
	set, err := s.svc.ReadSettings(c.by)
	if err != nil || len(a) == 0 {
		return set.DefaultFloodPerm, err
	}
	id, all, err := xmlDPID(a[0])
	if err != nil || all {
		return set.DefaultFloodPerm, err
	}
	d, err := s.svc.Datapath(c.by, id)
	return d.FloodPerm, err
}

func xmlNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, rpcErrorf(rpcParams, "%q is not a number", text)
	}
	return n, nil
}

func xmlSetMaximum(s *Server, c *rpcCall, a []string) (any, error) {
	n, err := xmlNumber(a[2])
	if err != nil {
		return nil, err
	}
	return s.viaRPC(c, "set-config", map[string]any{"flowmod-limit": map[string]any{"slice-name": a[0], "dpid": a[1], "limit": n}})
}

func xmlGetMaximum(s *Server, c *rpcCall, a []string) (any, error) {
	sl, err := s.svc.Slice(c.by, a[0])
	if err != nil {
		return nil, err
	}
	id, all, err := xmlDPID(a[1])
	if err != nil || all {
		return sl.FlowModLimit, err
	}
	for _, l := range s.svc.SliceLimits(sl.Name) {
		if l.DPID == id.String() {
			return l.FlowModLimit, nil
		}
	}
	return -1, nil
}

func xmlGetCurrent(s *Server, c *rpcCall, a []string) (any, error) {
	h, err := s.svc.SliceHealth(c.by, a[0])
	if err != nil {
		return nil, err
	}
	id, all, err := xmlDPID(a[1])
	if err != nil || all {
		return h.FlowMods, err
	}
	d, err := s.svc.Datapath(c.by, id)
	return d.FlowMods[a[0]], err
}

func xmlSetRate(s *Server, c *rpcCall, a []string) (any, error) {
	n, err := xmlNumber(a[1])
	if err != nil {
		return nil, err
	}
	return s.viaRPC(c, "update-slice", map[string]any{"slice-name": a[0], "rate-limit": n})
}

func xmlSetTracking(s *Server, c *rpcCall, a []string) (any, error) {
	return s.viaRPC(c, "set-config", map[string]any{"track-flows": strings.EqualFold(a[0], "true")})
}

func xmlGetTracking(s *Server, c *rpcCall, _ []string) (any, error) {
	set, err := s.svc.ReadSettings(c.by)
	return set.FlowTracking, err
}

// xmlStats writes counters as FlowVisor's text: the MRTG scripts read it.
func xmlStats(sent, received, dropped map[string]map[string]uint64) string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		m     map[string]map[string]uint64
	}{{"Sent", sent}, {"Recv", received}, {"Drop", dropped}} {
		fmt.Fprintf(&b, "---%s---\n", part.title)
		for _, component := range slices.Sorted(maps.Keys(part.m)) {
			var counts []string
			for _, typ := range slices.Sorted(maps.Keys(part.m[component])) {
				counts = append(counts, fmt.Sprintf("%s=%d", typ, part.m[component][typ]))
			}
			fmt.Fprintf(&b, "%s :: %s\n", component, strings.Join(counts, ","))
		}
	}
	return b.String()
}

func xmlSliceStats(s *Server, c *rpcCall, a []string) (any, error) {
	st, err := s.svc.SliceStats(c.by, a[0])
	if err == nil && len(st.Tx) == 0 && len(st.Rx) == 0 {
		return "No stats exist for this slice", nil
	}
	return xmlStats(st.Tx, st.Rx, st.Drop), err
}

func xmlSwitchStats(s *Server, c *rpcCall, a []string) (any, error) {
	id, _, err := xmlDPID(a[0])
	if err != nil {
		return nil, err
	}
	st, err := s.svc.DatapathStats(c.by, id)
	return xmlStats(st.Tx, st.Rx, st.Drop), err
}

// xmlFlow writes a flow as a map of texts.
func xmlFlow(f *apitype.Flow) map[string]any {
	return map[string]any{"ObjectName": "FlowEntry", "dpid": f.DPID, "ruleMatch": bracketMatch(f), "actionsList": f.Actions, "id": "0",
		"priority": strconv.FormatUint(uint64(f.Priority), 10), "cookie": strconv.FormatUint(cookieOf(f), 10), "slice": f.Slice,
		"duration": strconv.FormatUint(f.Seconds*1000, 10)}
}

func xmlFlowDB(s *Server, c *rpcCall, a []string) (any, error) {
	id, all, err := xmlDPID(a[0])
	if err != nil {
		return nil, err
	}
	ids := []ofwire.DatapathID{id}
	if all {
		ids = nil
		for _, d := range s.svc.Datapaths(c.by) {
			if one, err := ofwire.ParseDatapathID(d.DPID); err == nil && d.Connected {
				ids = append(ids, one)
			}
		}
	}
	out := []any{}
	for _, id := range ids {
		flows, err := s.svc.DatapathFlows(c.ctx, c.by, id)
		if err != nil {
			return nil, err
		}
		for i := range flows {
			out = append(out, xmlFlow(&flows[i]))
		}
	}
	return out, nil
}

func xmlRewriteDB(s *Server, c *rpcCall, a []string) (any, error) {
	id, _, err := xmlDPID(a[1])
	if err != nil {
		return nil, err
	}
	flows, err := s.svc.SliceFlows(c.ctx, c.by, id, a[0])
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for i := range flows {
		list := []any{}
		for j := range flows[i].Rewritten {
			list = append(list, xmlFlow(&flows[i].Rewritten[j]))
		}
		out[bracketText(&flows[i])] = list
	}
	return out, nil
}
