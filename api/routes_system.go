package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

func (s *Server) systemRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/version", summary: "which program answers", out: typeOf[apitype.Version](), serve: s.getVersion},
		{method: http.MethodGet, path: "/health", summary: "state of the hypervisor, and what is missing next", out: typeOf[apitype.Health](), serve: s.getHealth},
		{method: http.MethodGet, path: "/live", summary: "is the process there", out: typeOf[apitype.HealthCheck](), serve: s.getLive, noAuth: true},
		{method: http.MethodGet, path: "/ready", summary: "does it serve", out: typeOf[apitype.HealthCheck](), serve: s.getReady, noAuth: true},
		{method: http.MethodGet, path: "/whoami", summary: "who the caller is", out: typeOf[apitype.Whoami](), serve: getWhoami},
		{method: http.MethodGet, path: "/openapi.json", summary: "this description", raw: s.getSpec, media: "application/json", noAuth: true},
		{method: http.MethodGet, path: "/settings", summary: "settings of the installation", out: typeOf[apitype.Settings](), serve: s.getSettings},
		{method: http.MethodPatch, path: "/settings", summary: "change settings, flood permissions and flow limits, all or none; If-Match is honoured", in: typeOf[apitype.ConfigUpdate](), out: typeOf[apitype.Settings](), serve: s.patchSettings},
		{method: http.MethodGet, path: "/links", summary: "discovered links", query: pageParams, out: typeOf[apitype.List[apitype.Link]](), serve: s.listLinks},
		{method: http.MethodGet, path: "/backup", summary: "a consistent copy of the database", raw: s.getBackup, media: "application/octet-stream"},
	}
}

func (s *Server) getVersion(*call) (answer, error) {
	v := apitype.Version{Version: s.svc.Version(), Go: runtime.Version(), API: "v1", DBVersion: store.SchemaVersion}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, set := range info.Settings {
			if set.Key == "vcs.revision" {
				v.Commit = set.Value
			}
		}
	}
	return answer{body: v}, nil
}

func (s *Server) getHealth(c *call) (answer, error) { return answer{body: s.svc.Health(c.by)}, nil }

func (s *Server) getLive(*call) (answer, error) {
	return answer{body: apitype.HealthCheck{Name: "live", OK: true}}, nil
}

func (s *Server) getReady(*call) (answer, error) {
	select {
	case <-s.draining:
		return answer{}, &hypervisor.Error{Kind: apitype.KindUnavailable, Detail: "govisor is stopping", Index: -1}
	default:
		return answer{body: apitype.HealthCheck{Name: "ready", OK: true}}, nil
	}
}

func getWhoami(c *call) (answer, error) {
	return answer{body: apitype.Whoami{Account: c.by.Account, Role: string(c.by.Role), Scope: string(c.by.Scope), Via: c.by.Via}}, nil
}

func (s *Server) getSpec(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.spec) // the caller may be gone
}

func settingsOut(in hypervisor.Settings) apitype.Settings {
	return apitype.Settings{FlowTracking: in.FlowTracking, StatsDesc: in.StatsDesc, Topology: in.Topology, FlowStatsCache: in.FlowStatsCache,
		DefaultFloodPerm: in.DefaultFloodPerm, Adoption: in.Adoption, CallbackAllow: in.CallbackAllow, ControllerAllow: in.ControllerAllow}
}

func settingsTag(in hypervisor.Settings) string { return etagOf(settingsOut(in)) }

func (s *Server) getSettings(c *call) (answer, error) {
	set, err := s.svc.ReadSettings(c.by)
	return answer{body: settingsOut(set), etag: settingsTag(set)}, err
}

func (s *Server) patchSettings(c *call) (answer, error) {
	var in apitype.ConfigUpdate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	patch, err := configPatch(&in)
	if err != nil {
		return answer{}, err
	}
	set, err := s.svc.Configure(c.r.Context(), c.by, patch, ifMatch(c, settingsTag))
	return answer{body: settingsOut(set), etag: settingsTag(set)}, err
}

func configPatch(in *apitype.ConfigUpdate) (hypervisor.ConfigPatch, error) {
	out := hypervisor.ConfigPatch{SettingsPatch: hypervisor.SettingsPatch(in.SettingsUpdate)}
	for i, f := range in.FloodPerms {
		id, err := ofwire.ParseDatapathID(f.DPID)
		if err != nil {
			return out, bad(fmt.Sprintf("flood_perms[%d].dpid", i), f.DPID, err.Error(), "default_flood_perm is for all datapaths")
		}
		out.FloodPerms = append(out.FloodPerms, hypervisor.FloodPerm{DPID: id, Slice: f.Slice})
	}
	for i, l := range in.FlowLimits {
		limit := hypervisor.FlowLimit{Slice: l.Slice, Limit: l.Limit}
		if !isAll(l.DPID) {
			id, err := ofwire.ParseDatapathID(l.DPID)
			if err != nil {
				return out, bad(fmt.Sprintf("flowmod_limits[%d].dpid", i), l.DPID, err.Error(), "")
			}
			limit.DPID = &id
		}
		out.FlowLimits = append(out.FlowLimits, limit)
	}
	for i, l := range in.Limits {
		limit := hypervisor.LimitsOn{Slice: l.Slice, LimitsPatch: hypervisor.LimitsPatch(l.LimitsUpdate)}
		if !isAll(l.DPID) {
			id, err := ofwire.ParseDatapathID(l.DPID)
			if err != nil {
				return out, bad(fmt.Sprintf("limits[%d].dpid", i), l.DPID, err.Error(), "")
			}
			limit.DPID = &id
		}
		out.Limits = append(out.Limits, limit)
	}
	return out, nil
}

func (s *Server) listLinks(c *call) (answer, error) {
	links, err := s.svc.Links(c.by)
	if err != nil {
		return answer{}, err
	}
	return page(c, links)
}

// getBackup sends the database; an error after the first byte cuts the answer off.
func (s *Server) getBackup(w http.ResponseWriter, r *http.Request) {
	out := &lateHeader{w: w, only: r.Method == http.MethodHead}
	if err := s.svc.Backup(principal(r), out); err != nil {
		if errors.Is(err, errHeaderOnly) {
			return
		}
		if !out.begun {
			s.fail(w, r, err)
			return
		}
		s.log.WithError(err).Warn("backup was cut off")
		panic(http.ErrAbortHandler)
	}
}

// lateHeader sends the header with the first byte of the body.
type lateHeader struct {
	w     http.ResponseWriter
	begun bool
	only  bool // for HEAD
}

// errHeaderOnly ends what would go on writing a body.
var errHeaderOnly = errors.New("only the header was asked for")

func (l *lateHeader) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", "application/octet-stream")
		l.w.Header().Set("Content-Disposition", `attachment; filename="govisor.db"`)
	}
	if l.only {
		return 0, errHeaderOnly
	}
	return l.w.Write(b)
}
