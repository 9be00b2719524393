package hypervisor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
)

// Export returns the whole configuration, with password hashes, accounts,
// callbacks and tokens only when asked for. Exported, imported and exported again it is the same.
func (s *Service) Export(p Principal, hashes bool) (apitype.Config, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadConfig, "") {
		return apitype.Config{}, denied(p, "export the configuration")
	}
	if hashes && p.Scope != ScopeFull {
		return apitype.Config{}, denied(p, "export password hashes")
	}
	cfg := st.export(hashes)
	if hashes { // a snapshot lacks them: a token revoked meanwhile must not come back
		cfg.Tokens = st.exportTokens()
	}
	return cfg, nil
}

func (st *state) export(hashes bool) apitype.Config {
	cfg := apitype.Config{Version: apitype.ConfigVersion, Settings: st.settingsOut(), Slices: []apitype.SliceConfig{},
		Flowspace: []apitype.RuleCreate{}, Datapaths: []apitype.DatapathConfig{}}
	for _, sl := range st.order {
		c := apitype.SliceConfig{SliceCreate: sl.spec(), Creator: sl.Creator}
		if hashes {
			c.PasswordHash = st.accounts[sl.Name].Hash
		}
		cfg.Slices = append(cfg.Slices, c)
	}
	st.flows.Each(func(r *flowspace.Rule) bool {
		cfg.Flowspace = append(cfg.Flowspace, RuleToConfig(r))
		return true
	})
	for _, id := range slices.Sorted(maps.Keys(st.datapaths)) {
		cfg.Datapaths = append(cfg.Datapaths, st.datapathConfig(id))
	}
	if hashes {
		for _, name := range slices.Sorted(maps.Keys(st.accounts)) {
			if a := st.accounts[name]; a.Role != string(RoleSlice) {
				cfg.Accounts = append(cfg.Accounts, apitype.AccountConfig{Name: name, Role: a.Role, PasswordHash: a.Hash})
			}
		}
		cfg.Callbacks = st.exportCallbacks()
	}
	return cfg
}

func (st *state) settingsOut() *apitype.Settings {
	return &apitype.Settings{FlowTracking: st.settings.FlowTracking, StatsDesc: st.settings.StatsDesc, Topology: st.settings.Topology,
		FlowStatsCache: st.settings.FlowStatsCache, DefaultFloodPerm: st.settings.DefaultFloodPerm, Adoption: st.settings.Adoption,
		CallbackAllow: st.settings.CallbackAllow, ControllerAllow: st.settings.ControllerAllow}
}

func (s *Slice) spec() apitype.SliceCreate {
	policy := string(s.DropPolicy)
	urls := make([]string, len(s.Controllers))
	for i, c := range s.Controllers {
		urls[i] = c.String()
	}
	return apitype.SliceCreate{Name: s.Name, Controllers: urls, Contact: s.Contact, DropPolicy: &policy, RecvLLDP: &s.RecvLLDP, Strict: &s.Strict,
		Enabled: &s.Enabled, FlowModLimit: &s.FlowModLimit, RateLimit: &s.RateLimit, FlowModRate: &s.FlowModRate, PacketInRate: &s.PacketInRate}
}

// RuleToConfig writes a rule as a configuration does.
func RuleToConfig(r *flowspace.Rule) apitype.RuleCreate {
	out := apitype.RuleCreate{ID: r.ID, Name: r.Name, DPIDs: []string{"any"}, Priority: r.Priority, Match: apitype.Match(r.Match.String()), Queues: r.Queues, Owner: r.Owner}
	if !r.DPIDs.IsAll() {
		out.DPIDs = nil
		for id := range r.DPIDs.List() {
			out.DPIDs = append(out.DPIDs, flowspace.FormatDPID(id))
		}
	}
	for _, g := range r.Grants {
		out.Grants = append(out.Grants, apitype.Grant{Slice: g.Slice, Permission: apitype.Permission(g.Perm)})
	}
	if r.HasForcedQueue {
		out.ForcedQueue = new(r.ForcedQueue)
	}
	return out
}

// ApplyOptions say how a configuration is made so.
type ApplyOptions struct {
	// Replace makes the configuration all there is: absent sections are
	// empty ones, and what is not named goes. It is an import.
	Replace bool
	// Prune removes what the sections that are present do not name.
	Prune  bool
	DryRun bool
	// Note is for the audit log and the snapshot taken before an import.
	Note string
	// Check, if not nil, sees the present version first.
	Check func(Version) error
}

// ApplyResult says what Apply did or would do.
type ApplyResult struct {
	Items    []apitype.DiffItem
	Snapshot string // taken before an import that changed something
}

// Apply makes a configuration so, whole or not at all. An error that is about
// the configuration lists every fault found.
func (s *Service) Apply(ctx context.Context, p Principal, cfg apitype.Config, o ApplyOptions) (ApplyResult, error) {
	r := request{by: p, act: actWriteSettings, action: "apply", target: o.Note, dryRun: o.DryRun}
	if o.Replace {
		r.action = "import"
	}
	if err := s.mayConfigure(r); err != nil {
		return ApplyResult{}, err
	}
	hashes, err := s.hashesFor(ctx, cfg)
	if err != nil {
		return ApplyResult{}, err
	}
	var out ApplyResult
	_, err = s.do(ctx, r, func(c *change) error {
		if o.Check != nil {
			if err := o.Check(c.st.version()); err != nil {
				return err
			}
		}
		c.declared = true
		a := applier{c: c, cfg: cfg, o: o, hashes: hashes, was: s.state.Load(), modules: func(urls []string) error { return s.checkModules(p, urls) }}
		if o.Replace {
			a.o.Prune = true
		}
		if err := a.run(); err != nil {
			return err
		}
		out.Items = a.items
		if o.Replace && !o.DryRun && len(a.items) > 0 {
			snap, err := c.snapshot(a.was, "before "+cmp.Or(o.Note, "an import"))
			if err != nil {
				return err
			}
			out.Snapshot = snap.ID
		}
		c.detail = fmt.Sprintf("%d differences", len(a.items))
		return nil
	})
	return out, err
}

// MayConfigure refuses who may not change the configuration, before it is read.
func (s *Service) MayConfigure(p Principal) error {
	return s.mayConfigure(request{by: p, act: actWriteSettings, action: "import"})
}

func (s *Service) mayConfigure(r request) error {
	if s.state.Load().allowed(r.by, r.act, "") {
		return nil
	}
	s.refused(r, "not permitted")
	return denied(r.by, "change the configuration")
}

// hashesFor hashes the passwords in a configuration that are not in force.
func (s *Service) hashesFor(ctx context.Context, cfg apitype.Config) (map[string]string, error) {
	st := s.state.Load()
	out := map[string]string{}
	for _, sl := range cfg.Slices {
		if sl.Password == "" {
			continue
		}
		if err := checkPassword(sl.Password); err != nil {
			return nil, err
		}
		if a, ok := st.accounts[sl.Name]; ok {
			if same, _, err := s.hasher.verify(ctx, a.Hash, sl.Password); err != nil || same {
				continue
			}
		}
		hash, err := s.hasher.hash(ctx, sl.Password)
		if err != nil {
			return nil, err
		}
		out[sl.Name] = hash
	}
	return out, nil
}

// snapshotsKept is how many snapshots stay, the newest.
const snapshotsKept = 100

// snapshot saves a state's configuration as part of the change.
func (c *change) snapshot(st *state, note string) (store.Snapshot, error) {
	text, err := json.Marshal(st.export(true))
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("encode snapshot: %w", err)
	}
	snap := store.Snapshot{ID: c.now.UTC().Format("20060102T150405.000000"), Created: c.now.UTC(), Who: c.by.Account, Note: clip(note),
		Slices: len(st.slices), Rules: st.flows.Len(), Config: text}
	c.write(func(tx *store.Tx) error {
		all, err := tx.Snapshots()
		if err != nil {
			return err
		}
		for ; len(all) >= snapshotsKept; all = all[1:] {
			if err := tx.DeleteSnapshot(all[0].ID); err != nil {
				return err
			}
		}
		return tx.PutSnapshot(snap)
	})
	return snap, nil
}
