package api

import (
	"strings"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

func (s *Server) rpcVersion(*rpcCall) (any, error) {
	return map[string]any{"flowvisor-version": fvVersion, "db-version": "2", "govisor-version": s.svc.Version()}, nil
}

// rpcSaveConfig leaves the password hashes out: FlowVisor gave them to anybody.
func (s *Server) rpcSaveConfig(c *rpcCall) (any, error) {
	text, err := s.exportText(c.by, "flowvisor", false)
	return strings.TrimSuffix(string(text), "\n"), err
}

// isAll reports whether a dpid text means every datapath.
func isAll(dpid string) bool {
	d, err := flowspace.ParseDPIDs(dpid)
	return err == nil && d.IsAll()
}

func (s *Server) rpcGetConfig(c *rpcCall) (any, error) {
	slice, err := c.params.optText("slice-name")
	if err != nil {
		return nil, err
	}
	dpid, err := c.params.optText("dpid")
	if err != nil {
		return nil, err
	}
	set, err := s.svc.ReadSettings(c.by)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"track-flows": set.FlowTracking, "stats-desc": set.StatsDesc, "enable-topo-ctrl": set.Topology, "flow-stats-cache": set.FlowStatsCache,
		"api_webserver_port": -1, "api_jetty_webserver_port": 8081, "config_name": "default", "log_facility": "LOG_LOCAL7", "logging": "NOTE", "log_ident": "flowvisor",
		"version": fvVersion, "host": "localhost", "checkpointing": false, "db_version": "2"}
	flood := map[string]any{"dpid": "all", "slice-name": set.DefaultFloodPerm}
	var keys []string
	switch {
	case dpid == nil:
		keys = append(keys, "any")
		for _, d := range s.svc.Datapaths(c.by) {
			keys = append(keys, d.DPID)
		}
	case isAll(*dpid):
		keys = []string{"any"}
		flood["dpid"] = *dpid
	default:
		id, err := ofwire.ParseDatapathID(*dpid)
		if err != nil {
			return nil, rpcErrorf(rpcParams, "get-config: %v", err)
		}
		keys = []string{id.String()}
		flood["dpid"], flood["slice-name"] = id.String(), ""
		if d, err := s.svc.Datapath(c.by, id); err == nil {
			flood["slice-name"] = d.FloodPerm
		}
	}
	out["flood-perm"] = flood
	limits := map[string]any{}
	for _, sl := range s.svc.Slices(c.by) {
		if slice == nil || *slice == sl.Name {
			limits[sl.Name] = s.limitTable(sl, keys)
		}
	}
	if slice != nil && limits[*slice] == nil {
		return nil, rpcErrorf(rpcParams, "get-config: slice does not exist : %s", *slice)
	}
	out["flowmod-limit"] = limits
	return out, nil
}

func (s *Server) limitTable(sl hypervisor.Slice, keys []string) map[string]int {
	table := map[string]int{}
	for _, k := range keys {
		table[k] = -1
	}
	if _, ok := table["any"]; ok {
		table["any"] = sl.FlowModLimit
	}
	for _, l := range s.svc.SliceLimits(sl.Name) {
		if _, ok := table[l.DPID]; ok {
			table[l.DPID] = l.FlowModLimit
		}
	}
	return table
}

func (s *Server) rpcSetConfig(c *rpcCall) (any, error) {
	known := []string{"flood-perm", "flowmod-limit", "track-flows", "stats-desc", "enable-topo-ctrl", "flow-stats-cache"}
	if len(c.params.fields) == 0 {
		return nil, rpcErrorf(rpcParams, "set-config No parameters are specified. Please input the parameters and the value you want them to be set.")
	}
	for name := range c.params.fields {
		if !contains(known, name) {
			return nil, rpcErrorf(rpcParams, "set-config: unknown parameter %q; known are %s", name, strings.Join(known, ", "))
		}
	}
	var patch hypervisor.SettingsPatch
	var errs [4]error
	patch.FlowTracking, errs[0] = c.params.optBool("track-flows")
	patch.StatsDesc, errs[1] = c.params.optBool("stats-desc")
	patch.Topology, errs[2] = c.params.optBool("enable-topo-ctrl")
	patch.FlowStatsCache, errs[3] = c.params.optInt("flow-stats-cache")
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	// Everything is read before anything is changed.
	flood, err := c.floodChange(&patch)
	if err != nil {
		return nil, err
	}
	limit, err := c.limitChange()
	if err != nil {
		return nil, err
	}
	if limit != nil {
		if _, err := s.svc.Slice(c.by, limit.slice); err != nil {
			return nil, rpcErrorf(rpcParams, "set-config: slice does not exist : %s", limit.slice)
		}
	}
	if patch != (hypervisor.SettingsPatch{}) {
		if _, err := s.svc.UpdateSettings(c.ctx, c.by, patch); err != nil {
			return nil, err
		}
	}
	if flood != nil {
		if err := s.svc.UpdateDatapath(c.ctx, c.by, flood.dpid, hypervisor.DatapathPatch{FloodPerm: &flood.slice}); err != nil {
			return nil, err
		}
	}
	return true, s.setLimit(c, limit)
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

type floodChange struct {
	dpid  ofwire.DatapathID
	slice string
}

// floodChange reads flood-perm; without a datapath it is the default.
func (c *rpcCall) floodChange(patch *hypervisor.SettingsPatch) (*floodChange, error) {
	if !c.params.has("flood-perm") {
		return nil, nil //nolint:nilnil // nothing asked for
	}
	p, err := c.params.child("flood-perm")
	if err != nil {
		return nil, err
	}
	slice, err := p.text("slice-name")
	if err != nil {
		return nil, err
	}
	dpid, err := p.optText("dpid")
	if err != nil {
		return nil, err
	}
	if dpid == nil || isAll(*dpid) {
		patch.DefaultFloodPerm = &slice
		return nil, nil //nolint:nilnil // it is in the patch
	}
	id, err := ofwire.ParseDatapathID(*dpid)
	if err != nil {
		return nil, rpcErrorf(rpcParams, "set-config: %v", err)
	}
	return &floodChange{id, slice}, nil
}

type limitChange struct {
	slice string
	dpid  string
	limit int
}

func (c *rpcCall) limitChange() (*limitChange, error) {
	if !c.params.has("flowmod-limit") {
		return nil, nil //nolint:nilnil // nothing asked for
	}
	p, err := c.params.child("flowmod-limit")
	if err != nil {
		return nil, err
	}
	var l limitChange
	if l.slice, err = p.text("slice-name"); err != nil {
		return nil, err
	}
	if l.dpid, err = p.text("dpid"); err != nil {
		return nil, err
	}
	if err := p.required("limit"); err != nil {
		return nil, err
	}
	n, err := p.optInt("limit")
	if err != nil {
		return nil, err
	}
	l.limit = *n
	return &l, nil
}

func (s *Server) setLimit(c *rpcCall, l *limitChange) error {
	if l == nil {
		return nil
	}
	if isAll(l.dpid) {
		_, err := s.svc.UpdateSlice(c.ctx, c.by, l.slice, hypervisor.SlicePatch{FlowModLimit: &l.limit}, nil)
		return err
	}
	id, err := ofwire.ParseDatapathID(l.dpid)
	if err != nil {
		return rpcErrorf(rpcParams, "set-config: %v", err)
	}
	_, err = s.svc.SetLimits(c.ctx, c.by, id, l.slice, &l.limit, nil)
	return err
}

func (s *Server) rpcRegisterCallback(c *rpcCall) (any, error) {
	cb, err := c.callback("url", "method", "event-type", "cookie")
	if err != nil {
		return nil, err
	}
	return true, s.svc.RegisterCallback(c.ctx, c.by, cb)
}

func (s *Server) rpcUnregisterCallback(c *rpcCall) (any, error) {
	cb, err := c.callback("method", "event-type", "cookie")
	if err != nil {
		return nil, err
	}
	return s.svc.UnregisterCallback(c.ctx, c.by, cb)
}

// callback reads a registration; those fields must be there.
func (c *rpcCall) callback(required ...string) (cb hypervisor.Callback, err error) {
	for _, name := range required {
		text, err := c.params.text(name)
		if err != nil {
			return cb, err
		}
		*map[string]*string{"url": &cb.URL, "method": &cb.Method, "event-type": &cb.Event, "cookie": &cb.Cookie}[name] = text
	}
	dpid, err := c.params.optText("dpid")
	if err != nil || dpid == nil || isAll(*dpid) {
		return cb, err
	}
	id, err := ofwire.ParseDatapathID(*dpid)
	if err != nil {
		return cb, rpcErrorf(rpcParams, "%s: %v", c.name, err)
	}
	cb.DPID = id.String()
	return cb, nil
}
