package hypervisor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/ofwire"
)

// Whatever part of a patch is refused, no other part is made, and the error says which it was.
func TestConfigureIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	if _, err := s.CreateViewer(ctx, Local(), "v", "p"); err != nil {
		t.Fatal(err)
	}
	slice := Principal{Account: "a", Role: RoleSlice, Scope: ScopeFull}
	all, here := (*ofwire.DatapathID)(nil), new(ofwire.DatapathID(7))
	good := func() ConfigPatch {
		return ConfigPatch{SettingsPatch: SettingsPatch{FlowTracking: new(true), DefaultFloodPerm: new("b")},
			FloodPerms: []FloodPerm{{7, "a"}}, FlowLimits: []FlowLimit{{"a", all, 500}, {"b", here, 50}}}
	}
	before, _ := s.Export(Local(), true)
	for _, tc := range []struct {
		by    Principal
		spoil func(*ConfigPatch)
		kind  apitype.Kind
		field string
	}{
		{Local(), func(p *ConfigPatch) { p.FlowStatsCache = new(-1) }, apitype.KindInvalid, "flow_stats_cache"},
		{Local(), func(p *ConfigPatch) { p.DefaultFloodPerm = new("c") }, apitype.KindNotFound, "default_flood_perm"},
		{Local(), func(p *ConfigPatch) { p.FloodPerms[0].Slice = "c" }, apitype.KindNotFound, "flood_perms[0].flood_perm"},
		{Local(), func(p *ConfigPatch) { p.FlowLimits[0].Slice = "c" }, apitype.KindNotFound, "flowmod_limits[0].slice"},
		{Local(), func(p *ConfigPatch) { p.FlowLimits[1].Limit = -2 }, apitype.KindInvalid, "flowmod_limits[1].flowmod_limit"},
		{slice, func(*ConfigPatch) {}, apitype.KindDenied, ""},
		{slice, func(p *ConfigPatch) { p.SettingsPatch = SettingsPatch{} }, apitype.KindDenied, "flood_perms[0]"},
		{slice, func(p *ConfigPatch) { p.SettingsPatch, p.FloodPerms = SettingsPatch{}, nil }, apitype.KindNotFound, "flowmod_limits[1].slice"},
		{Principal{Account: "v", Role: RoleViewer, Scope: ScopeFull}, func(p *ConfigPatch) { p.SettingsPatch, p.FloodPerms = SettingsPatch{}, nil }, apitype.KindDenied, "flowmod_limits[0]"},
		{Principal{Account: AdminName, Role: RoleAdmin, Scope: ScopeRead}, func(*ConfigPatch) {}, apitype.KindDenied, ""},
	} {
		patch := good()
		tc.spoil(&patch)
		_, err := s.Configure(ctx, tc.by, patch, nil)
		e, _ := err.(*Error) //nolint:errorlint // it is one
		if e == nil || e.Kind != tc.kind || e.Field != tc.field {
			t.Errorf("%s, want %s of %q: %+v", tc.by.Account, tc.kind, tc.field, e)
		}
		if now, _ := s.Export(Local(), true); cmp.Diff(before, now) != "" {
			t.Fatalf("%s %q changed something:\n%s", tc.by.Account, tc.field, cmp.Diff(before, now))
		}
	}
	if _, err := s.Configure(ctx, Local(), good(), nil); err != nil {
		t.Fatal(err)
	}
	set := s.Settings()
	a, _ := s.Slice(Local(), "a")
	conf, _ := s.DatapathConfig(Local(), 7)
	if !set.FlowTracking || set.DefaultFloodPerm != "b" || a.FlowModLimit != 500 || conf.FloodPerm != "a" || len(conf.Limits) != 1 || conf.Limits[0].FlowModLimit != 50 {
		t.Errorf("settings %+v, slice %+v, datapath %+v", set, a, conf)
	}
	if _, err := s.Configure(ctx, slice, ConfigPatch{FlowLimits: []FlowLimit{{"a", all, 400}, {"a", here, 4}}}, nil); err != nil {
		t.Errorf("a slice lowers its own limits: %v", err)
	}
}
