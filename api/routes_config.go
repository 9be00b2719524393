package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

func (s *Server) configRoutes() []route {
	report, snap := typeOf[apitype.ImportReport](), typeOf[apitype.Snapshot]()
	return []route{
		{method: http.MethodGet, path: "/config", summary: "the whole configuration", media: "application/json", raw: s.getConfig,
			query: []param{{"format", "string", "govisor or flowvisor"}, {"hashes", "boolean", "with password hashes"}}},
		{method: http.MethodPut, path: "/config", summary: "replace the configuration, in either format; a snapshot is taken before; If-Match is honoured", query: []param{dryParam},
			in: typeOf[apitype.Config](), out: report, bulk: true, serve: s.putConfig},
		{method: http.MethodPost, path: "/apply", summary: "make the sections that are present so, and tell the difference; If-Match is honoured", bulk: true,
			query: []param{dryParam, {"prune", "boolean", "also remove what the sections do not name"}}, in: typeOf[apitype.Config](), out: typeOf[apitype.Diff](), serve: s.postApply},
		{method: http.MethodGet, path: "/snapshots", summary: "saved configurations, oldest first", query: pageParams, out: typeOf[apitype.List[apitype.Snapshot]](), serve: s.listSnapshots},
		{method: http.MethodPost, path: "/snapshots", summary: "save the configuration", in: typeOf[apitype.SnapshotCreate](), out: snap, status: http.StatusCreated, serve: s.createSnapshot},
		{method: http.MethodPost, path: "/snapshots/{snapshot}/restore", summary: "replace the configuration by a saved one", out: report, serve: s.restoreSnapshot},
		{method: http.MethodDelete, path: "/snapshots/{snapshot}", summary: "forget a saved configuration", serve: s.deleteSnapshot},
	}
}

// noteHeader says, once a note, what an export could not carry.
const noteHeader = "X-Govisor-Note"

// exportText writes the configuration in a format. notes say what is left out.
func (s *Server) exportText(p hypervisor.Principal, format string, hashes bool) (text []byte, notes []string, err error) {
	cfg, err := s.svc.Export(p, hashes)
	if err != nil {
		return nil, nil, err
	}
	switch format {
	case "", "govisor":
		text, err = json.MarshalIndent(cfg, "", "  ")
	case "flowvisor":
		text, notes, err = toFlowVisor(cfg)
	default:
		err = bad("format", format, fmt.Sprintf("unknown format %q", clip(format)), "want govisor or flowvisor")
	}
	return append(text, '\n'), notes, err
}

func (s *Server) getConfig(w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r, by: principal(r)}
	hashes, err := c.flag("hashes")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	tag := revisionTag(s.svc.ConfigVersion()) // before reading, so that it is never too new
	text, notes, err := s.exportText(c.by, c.query("format"), hashes)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, n := range notes {
		w.Header().Add(noteHeader, n)
	}
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the caller may be gone
}

// revisionTag is the ETag of the whole configuration.
func revisionTag(v hypervisor.Version) string { return versionTag("r", v) }

// versionTag is the ETag of what changes often and is too large to condense.
func versionTag(of string, v hypervisor.Version) string {
	return fmt.Sprintf(`"%s%d-%x"`, of, v.Revision, v.Stamp)
}

// parseConfig reads either format.
func parseConfig(text []byte) (cfg apitype.Config, format string, notes []string, err error) {
	var probe struct {
		Ours   *int            `json:"govisor_config"`
		Theirs json.RawMessage `json:"flowvisor"`
	}
	if err := checkShape(text, false); err != nil {
		return cfg, "", nil, err
	}
	if err := json.Unmarshal(text, &probe); err != nil {
		return cfg, "", nil, jsonError(err)
	}
	if probe.Ours == nil && probe.Theirs != nil {
		cfg, notes, err = fromFlowVisor(text)
		return cfg, "flowvisor", notes, err
	}
	if probe.Ours == nil {
		return cfg, "", nil, bad("govisor_config", "", "this is no configuration: govisor_config is missing", `want "govisor_config": 1, or a configuration FlowVisor saved; for a file that only adds and changes there is fvctl apply -f`)
	}
	return cfg, "govisor", []string{}, unmarshal(text, &cfg)
}

// importConfig replaces the configuration by a text of either format.
func (s *Server) importConfig(ctx context.Context, p hypervisor.Principal, text []byte, dryRun bool, check func(hypervisor.Version) error) (apitype.ImportReport, error) {
	cfg, format, notes, err := parseConfig(bytes.TrimPrefix(text, []byte("\ufeff")))
	if err != nil {
		return apitype.ImportReport{}, err
	}
	res, err := s.svc.Apply(ctx, p, cfg, hypervisor.ApplyOptions{Replace: true, DryRun: dryRun, Note: "import of a " + format + " configuration", Check: check})
	if err != nil {
		return apitype.ImportReport{}, err
	}
	return importReport(cfg, res, format, notes, dryRun), nil
}

func importReport(cfg apitype.Config, res hypervisor.ApplyResult, format string, notes []string, dryRun bool) apitype.ImportReport {
	return apitype.ImportReport{Applied: !dryRun, Format: format, Slices: len(cfg.Slices), Rules: len(cfg.Flowspace), Datapaths: len(cfg.Datapaths),
		Snapshot: res.Snapshot, Notes: append([]string{}, notes...)}
}

func (s *Server) putConfig(c *call) (answer, error) {
	dry, err := c.flag("dry_run")
	if err != nil {
		return answer{}, err
	}
	if err := s.svc.MayConfigure(c.by); err != nil {
		return answer{}, err
	}
	text, err := readBody(c.w, c.r, c.bulk)
	if err != nil {
		return answer{}, err
	}
	report, err := s.importConfig(c.r.Context(), c.by, text, dry, ifMatch(c, revisionTag))
	return answer{body: report}, err
}

func (s *Server) postApply(c *call) (answer, error) {
	dry, err := c.flag("dry_run")
	if err != nil {
		return answer{}, err
	}
	prune, err := c.flag("prune")
	if err != nil {
		return answer{}, err
	}
	if err := s.svc.MayConfigure(c.by); err != nil {
		return answer{}, err
	}
	var cfg apitype.Config
	if err := c.decode(&cfg); err != nil {
		return answer{}, err
	}
	res, err := s.svc.Apply(c.r.Context(), c.by, cfg, hypervisor.ApplyOptions{Prune: prune, DryRun: dry, Note: "apply", Check: ifMatch(c, revisionTag)})
	return answer{body: apitype.Diff{Applied: !dry, Items: append([]apitype.DiffItem{}, res.Items...)}}, err
}

func (s *Server) listSnapshots(c *call) (answer, error) {
	all, err := s.svc.Snapshots(c.by)
	if err != nil {
		return answer{}, err
	}
	return page(c, all)
}

func (s *Server) createSnapshot(c *call) (answer, error) {
	var in apitype.SnapshotCreate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	snap, err := s.svc.CreateSnapshot(c.r.Context(), c.by, in.Note)
	return answer{body: snap, status: http.StatusCreated}, err
}

func (s *Server) restoreSnapshot(c *call) (answer, error) {
	cfg, res, err := s.svc.RestoreSnapshot(c.r.Context(), c.by, c.path("snapshot"))
	return answer{body: importReport(cfg, res, "govisor", nil, false)}, err
}

func (s *Server) deleteSnapshot(c *call) (answer, error) {
	return answer{}, s.svc.DeleteSnapshot(c.r.Context(), c.by, c.path("snapshot"))
}
