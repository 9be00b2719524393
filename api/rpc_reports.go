package api

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

const noDatapath = "%s: dpid does not exist or has not yet connected: %s"

func (s *Server) rpcListDatapaths(c *rpcCall) (any, error) {
	out := []string{}
	for _, d := range s.svc.Datapaths(c.by) {
		if d.Connected {
			out = append(out, d.DPID)
		}
	}
	return out, nil
}

// rpcDatapath reads dpid and finds a connected datapath the caller may see.
func (s *Server) rpcDatapath(c *rpcCall) (apitype.Datapath, ofwire.DatapathID, error) {
	text, err := c.params.text("dpid")
	if err != nil {
		return apitype.Datapath{}, 0, err
	}
	if isAll(text) {
		return apitype.Datapath{}, 0, rpcErrorf(rpcParams, noDatapath, c.name, allDPIDs)
	}
	id, err := ofwire.ParseDatapathID(text)
	if err != nil {
		return apitype.Datapath{}, 0, rpcErrorf(rpcParams, "%s: %v", c.name, err)
	}
	d, err := s.svc.Datapath(c.by, id)
	if err != nil || !d.Connected {
		return d, id, rpcErrorf(rpcParams, noDatapath, c.name, id)
	}
	return d, id, nil
}

func (s *Server) rpcDatapathInfo(c *rpcCall) (any, error) {
	d, _, err := s.rpcDatapath(c)
	if err != nil {
		return nil, err
	}
	ports, names := []uint32{}, []string{}
	for _, p := range d.Ports {
		ports, names = append(ports, p.Number), append(names, p.Name)
	}
	usage := map[string]int{}
	for _, sl := range s.svc.Slices(c.by) {
		usage[sl.Name] = d.FlowMods[sl.Name]
	}
	return map[string]any{"dpid": d.DPID, "num-ports": len(ports), "port-list": ports, "port-names": names,
		"connection": d.Local + "-->" + d.Remote, "current-flowmod-usage": usage}, nil
}

func (s *Server) rpcDatapathStats(c *rpcCall) (any, error) {
	_, id, err := s.rpcDatapath(c)
	if err != nil {
		return nil, err
	}
	return s.svc.DatapathStats(c.by, id)
}

func (s *Server) rpcFlowDB(c *rpcCall) (any, error) {
	_, id, err := s.rpcDatapath(c)
	if err != nil {
		return nil, err
	}
	flows, err := s.svc.DatapathFlows(c.ctx, c.by, id)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for i := range flows {
		out = append(out, rpcFlow(&flows[i]))
	}
	return out, nil
}

// rpcFlow writes a flow as the flow database did, and adds what it left out.
func rpcFlow(f *apitype.Flow) map[string]any {
	actions := []map[string]any{}
	for a := range strings.SplitSeq(f.Actions, ",") {
		name, arg, _ := strings.Cut(a, ":")
		actions = append(actions, map[string]any{"type": name, "value": arg})
	}
	out := map[string]any{"dpid": f.DPID, "match": flowMatch(f), "actionsList": actions, "priority": strconv.FormatUint(uint64(f.Priority), 10)}
	if f.Slice != "" {
		out["slice"] = f.Slice
	}
	return out
}

func flowMatch(f *apitype.Flow) map[string]any {
	m, err := of10.ParseMatch(f.Match)
	if err != nil {
		return map[string]any{"text": f.Match}
	}
	fields := hypervisor.FlowVisorMatch(m)
	delete(fields, "wildcards")
	return fields
}

func (s *Server) rpcRewriteDB(c *rpcCall) (any, error) {
	name, err := c.params.text("slice-name")
	if err != nil {
		return nil, err
	}
	_, id, err := s.rpcDatapath(c)
	if err != nil {
		return nil, err
	}
	flows, err := s.svc.SliceFlows(c.ctx, c.by, id, name)
	if hypervisor.KindOf(err) == apitype.KindNotFound {
		return nil, rpcErrorf(rpcParams, "%s: slice does not exist : %s", c.name, name)
	}
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for i := range flows {
		f := &flows[i]
		list := []map[string]any{}
		for j := range f.Rewritten {
			list = append(list, rpcFlow(&f.Rewritten[j]))
		}
		out[bracketText(f)] = list
	}
	return out, nil
}

// bracketMatch writes a flow's match as FlowVisor's databases did.
func bracketMatch(f *apitype.Flow) string {
	fields := flowMatch(f)
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, fmt.Sprintf("%s=%v", k, fields[k]))
	}
	return "OFMatch[" + strings.Join(parts, ",") + "]"
}

func cookieOf(f *apitype.Flow) uint64 {
	cookie, err := strconv.ParseUint(strings.TrimPrefix(f.Cookie, "0x"), 16, 64)
	if err != nil {
		return 0
	}
	return cookie
}

// bracketText is how FlowVisor wrote a flow of its database.
func bracketText(f *apitype.Flow) string {
	return fmt.Sprintf("FlowEntry[dpid=[%s],ruleMatch=[%s],actionsList=[%s],id=[0],priority=[%d],cookie=[%d],slice=[%s],duration=[%d],]",
		f.DPID, bracketMatch(f), f.Actions, f.Priority, cookieOf(f), f.Slice, f.Seconds*1000)
}

func (s *Server) rpcHealth(c *rpcCall) (any, error) {
	h := s.svc.Health(c.by)
	return map[string]any{"average-delay": int(h.AverageUsec / 1000), "instant-delay": int(h.LastUsec / 1000)}, nil
}

func (s *Server) rpcLinks(c *rpcCall) (any, error) {
	links, err := s.svc.Links(c.by)
	if err != nil {
		return nil, err
	}
	out := []map[string]string{}
	for _, l := range links {
		one := map[string]string{"srcDPID": l.SrcDPID, "srcPort": fmt.Sprint(l.SrcPort), "dstDPID": l.DstDPID, "dstPort": fmt.Sprint(l.DstPort)}
		var attrs []string
		for _, k := range slices.Sorted(maps.Keys(l.Attributes)) {
			attrs = append(attrs, k+"="+l.Attributes[k])
		}
		if len(attrs) > 0 {
			one["attributes"] = strings.Join(attrs, ",")
		}
		out = append(out, one)
	}
	return out, nil
}
