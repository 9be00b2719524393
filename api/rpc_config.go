package api

import (
	"errors"
	"strconv"
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
	text, _, err := s.exportText(c.by, "flowvisor", false)
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
	s.rateTables(c, slice, keys, out)
	return out, nil
}

// rateTables adds the rates of slices that have one, which FlowVisor's clients do not
// know, in the shape of flowmod-limit.
func (s *Server) rateTables(c *rpcCall, slice *string, keys []string, out map[string]any) {
	for _, o := range limitOptions[1:] {
		table := map[string]map[string]int{}
		note := func(name, key string, rate int) {
			if rate >= 0 && contains(keys, key) {
				if table[name] == nil {
					table[name] = map[string]int{}
				}
				table[name][key] = rate
			}
		}
		for _, sl := range s.svc.Slices(c.by) {
			if slice != nil && *slice != sl.Name {
				continue
			}
			if o.name != "rate-limit" { // that one FlowVisor had, but showed it with the slice
				note(sl.Name, "any", o.get(sl.Limits))
			}
			for _, l := range s.svc.SliceLimits(sl.Name) {
				note(sl.Name, l.DPID, o.get(hypervisor.Limits{RateLimit: l.RateLimit, FlowModRate: l.FlowModRate, PacketInRate: l.PacketInRate}))
			}
		}
		if len(table) > 0 {
			out[o.name] = table
		}
	}
}

// limitOption is an option of set-config that limits a slice on a datapath or on all.
type limitOption struct {
	name string
	get  func(hypervisor.Limits) int
	set  func(*hypervisor.LimitsPatch, *int)
}

var limitOptions = [4]limitOption{
	{"flowmod-limit", func(l hypervisor.Limits) int { return l.FlowModLimit }, func(p *hypervisor.LimitsPatch, n *int) { p.FlowModLimit = n }},
	{"rate-limit", func(l hypervisor.Limits) int { return l.RateLimit }, func(p *hypervisor.LimitsPatch, n *int) { p.RateLimit = n }},
	{"flowmod-rate", func(l hypervisor.Limits) int { return l.FlowModRate }, func(p *hypervisor.LimitsPatch, n *int) { p.FlowModRate = n }},
	{"packet-in-rate", func(l hypervisor.Limits) int { return l.PacketInRate }, func(p *hypervisor.LimitsPatch, n *int) { p.PacketInRate = n }},
}

// limitOption is the name of the option that became limit n of the patch.
func (c *rpcCall) limitOption(n string) string {
	var given []string
	for _, o := range limitOptions {
		if c.params.has(o.name) {
			given = append(given, o.name)
		}
	}
	if i, err := strconv.Atoi(n); err == nil && i < len(given) {
		return given[i]
	}
	return ""
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
	if len(c.params.fields) == 0 {
		return nil, rpcErrorf(rpcParams, "set-config No parameters are specified. Please input the parameters and the value you want them to be set.")
	}
	patch, err := c.configPatch()
	if err != nil {
		return nil, err
	}
	_, err = s.svc.Configure(c.ctx, c.by, patch, nil)
	return true, c.optionError(err)
}

// configPatch reads all that is to change; set-config makes all of it or nothing.
func (c *rpcCall) configPatch() (patch hypervisor.ConfigPatch, err error) {
	var errs [9]error
	patch.FlowTracking, errs[0] = c.params.optBool("track-flows")
	patch.StatsDesc, errs[1] = c.params.optBool("stats-desc")
	patch.Topology, errs[2] = c.params.optBool("enable-topo-ctrl")
	patch.FlowStatsCache, errs[3] = c.params.optInt("flow-stats-cache")
	errs[4] = c.floodChange(&patch)
	for i, option := range limitOptions {
		errs[5+i] = c.limitChange(option, &patch)
	}
	for _, err := range errs {
		if err != nil {
			return patch, err
		}
	}
	return patch, nil
}

// optionError names the option that an error of Configure is about.
func (c *rpcCall) optionError(err error) error {
	e, ok := errors.AsType[*hypervisor.Error](err)
	if !ok {
		return err
	}
	option := ""
	switch field, rest, _ := strings.Cut(e.Field, "["); field {
	case "flood_perms", "default_flood_perm":
		option = "flood-perm"
	case "limits":
		n, _, _ := strings.Cut(rest, "]")
		option = c.limitOption(n)
	case "flow_stats_cache":
		option = "flow-stats-cache"
	}
	if option == "" {
		return err
	}
	named := *e
	named.Detail = option + ": " + e.Detail
	return &named
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// floodChange reads flood-perm; without a datapath it is the default.
func (c *rpcCall) floodChange(patch *hypervisor.ConfigPatch) error {
	if !c.params.has("flood-perm") {
		return nil
	}
	p, err := c.params.child("flood-perm", "slice-name", "dpid")
	if err != nil {
		return err
	}
	slice, err := p.text("slice-name")
	if err != nil {
		return err
	}
	dpid, err := p.optText("dpid")
	if err != nil {
		return err
	}
	if dpid == nil || isAll(*dpid) {
		patch.DefaultFloodPerm = &slice
		return nil
	}
	id, err := ofwire.ParseDatapathID(*dpid)
	if err != nil {
		return rpcErrorf(rpcParams, "set-config: flood-perm: %v", err)
	}
	patch.FloodPerms = []hypervisor.FloodPerm{{DPID: id, Slice: slice}}
	return nil
}

func (c *rpcCall) limitChange(o limitOption, patch *hypervisor.ConfigPatch) error {
	if !c.params.has(o.name) {
		return nil
	}
	p, err := c.params.child(o.name, "slice-name", "dpid", "limit")
	if err != nil {
		return err
	}
	var l hypervisor.LimitsOn
	if l.Slice, err = p.text("slice-name"); err != nil {
		return err
	}
	dpid, err := p.text("dpid")
	if err != nil {
		return err
	}
	if err := p.required("limit"); err != nil {
		return err
	}
	n, err := p.optInt("limit")
	if err != nil {
		return err
	}
	o.set(&l.LimitsPatch, n)
	if !isAll(dpid) {
		id, err := ofwire.ParseDatapathID(dpid)
		if err != nil {
			return rpcErrorf(rpcParams, "set-config: %s: %v", o.name, err)
		}
		l.DPID = &id
	}
	patch.Limits = append(patch.Limits, l)
	return nil
}

func (s *Server) rpcRegisterCallback(c *rpcCall) (any, error) {
	cb, err := c.callback("url", "method", "event-type", "cookie")
	if err != nil {
		return nil, err
	}
	return true, s.svc.RegisterCallback(c.ctx, c.by, cb, false)
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
