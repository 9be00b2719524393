package hypervisor

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
)

// badRules are rules nobody may add beside one called "there", for a slice "a".
var badRules = []struct {
	name  string
	field string
	spoil func(*apitype.RuleCreate)
}{
	{"duplicate name", "name", func(r *apitype.RuleCreate) { r.Name = "there" }},
	{"name of the rule before", "name", func(r *apitype.RuleCreate) { r.Name = "n0" }},
	{"unknown slice", "grants", func(r *apitype.RuleCreate) { r.Grants[0].Slice = "nobody" }},
	{"empty grants", "grants", func(r *apitype.RuleCreate) { r.Grants = nil }},
	{"range upside down", "match.dl_vlan", func(r *apitype.RuleCreate) { r.Match = "dl_vlan=200-100" }},
	{"ports upside down", "match.in_port", func(r *apitype.RuleCreate) { r.Match = "in_port=1|9-5" }},
	{"prefix of 33", "match.nw_src", func(r *apitype.RuleCreate) { r.Match = "ip,nw_src=10.0.0.0/33" }},
	{"65 characters", "name", func(r *apitype.RuleCreate) { r.Name = strings.Repeat("x", 65) }},
	{"4097 VLANs", "match.dl_vlan", func(r *apitype.RuleCreate) { r.Match = "dl_vlan=0-4096" }},
	{"no datapath", "dpids", func(r *apitype.RuleCreate) { r.DPIDs = nil }},
	{"address without protocol", "match.nw_dst", func(r *apitype.RuleCreate) { r.Match = "nw_dst=10.0.0.0/8" }},
}

// service with a slice "a" and a rule "there", and what shows that nothing changed.
func quietService(t *testing.T) (s *Service, unchanged func(what string)) {
	dir := t.TempDir()
	s = openService(t, dir)
	t.Cleanup(func() { s.Close() })
	mustSlice(t, s, "a")
	mustRule(t, s, "there", "1", "in_port=1", "a=7")
	flows, revision := s.Flowspace(), s.Revision()
	return s, func(what string) {
		t.Helper()
		if s.Flowspace() != flows || s.Revision() != revision || flows.Len() != 1 {
			t.Errorf("%s: the flowspace changed", what)
		}
	}
}

// Every rule that cannot be is refused with its index and field, alone, in the middle
// of a bulk and in a configuration, and changes nothing, on disk neither.
func TestBadRulesChangeNothing(t *testing.T) {
	t.Parallel()
	s, unchanged := quietService(t)
	for _, tt := range badRules {
		good := func(i int) apitype.RuleCreate {
			return apitype.RuleCreate{Name: fmt.Sprint("n", i), DPIDs: []string{"1"}, Priority: 7, Match: "any", Grants: []apitype.Grant{{Slice: "a", Permission: 7}}}
		}
		var changes []RuleChange
		cfg := apitype.Config{Version: apitype.ConfigVersion}
		var early error // what cannot even be read, as the API finds it
		for i := range 3 {
			in := good(i)
			if i == 1 {
				tt.spoil(&in)
			}
			cfg.Flowspace = append(cfg.Flowspace, in)
			r, err := RuleFromConfig(&in)
			early = errors.Join(early, err)
			changes = append(changes, RuleChange{Op: flowspace.Add, Rule: r})
		}
		if early != nil {
			if e, ok := errors.AsType[*Error](early); !ok || e.Field != tt.field {
				t.Errorf("%s: reading it: %v", tt.name, early)
			}
		} else {
			_, err := s.ChangeRules(t.Context(), Local(), changes, false)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Index != 1 || e.Field != tt.field {
				t.Errorf("%s: got %#v", tt.name, err)
			}
			unchanged(tt.name)
		}
		if tt.name == "duplicate name" {
			continue // a configuration with that name changes the rule
		}
		_, err := s.Apply(t.Context(), Local(), cfg, ApplyOptions{})
		e, ok := errors.AsType[*Error](err)
		if !ok || len(e.Faults) != 1 || e.Faults[0].Index != 1 || !strings.HasSuffix(e.Faults[0].Field, "."+tt.field) {
			t.Errorf("%s: as a configuration: %+v", tt.name, err)
		}
		unchanged(tt.name)
	}
	dir := s.opts.Dir
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openService(t, dir)
	defer again.Close()
	if rules := again.Flowspace().Rules(); len(rules) != 1 || rules[0].Name != "there" || again.Flowspace().NextID() != 2 {
		t.Errorf("on disk: %v, next id %d", rules, again.Flowspace().NextID())
	}
}

// A bulk of 100,000 whose last rule is wrong leaves nothing behind.
func TestBulkWithTheLastOneWrong(t *testing.T) {
	t.Parallel()
	s, unchanged := quietService(t)
	grants := []flowspace.Grant{{Slice: "a", Perm: 7}}
	changes := make([]RuleChange, 100_000)
	for i := range changes {
		changes[i] = RuleChange{Op: flowspace.Add, Rule: &flowspace.Rule{Name: fmt.Sprint("n", i), DPIDs: flowspace.DPIDs(uint64(i%40 + 1)), Grants: grants,
			Match: flowspace.Match{DLVLAN: flowspace.One(uint32(i / 40))}}}
	}
	good := changes[99_999].Rule
	for field, spoil := range map[string]func(*flowspace.Rule){
		"name":    func(r *flowspace.Rule) { r.Name = "n5" },
		"grants":  func(r *flowspace.Rule) { r.Grants = []flowspace.Grant{{Slice: "nobody", Perm: 7}} },
		"dl_vlan": func(r *flowspace.Rule) { r.Match.DLVLAN = flowspace.Span(0, 4096) },
	} {
		bad := *good
		spoil(&bad)
		changes[99_999].Rule = &bad
		_, err := s.ChangeRules(t.Context(), Local(), changes, false)
		if e, ok := errors.AsType[*Error](err); !ok || e.Index != 99_999 || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
		unchanged(field)
	}
	changes[99_999].Rule = good
	res, err := s.ChangeRules(t.Context(), Local(), changes, false)
	if err != nil || len(res.Rules) != 100_000 || s.Flowspace().Len() != 100_001 {
		t.Fatalf("the good ones: %v, %d rules", err, s.Flowspace().Len())
	}
	if d := cmp.Diff([]string{"a"}, res.Affected.Slices); d != "" || len(res.Affected.Datapaths) != 40 {
		t.Errorf("affected: %s, %d datapaths", d, len(res.Affected.Datapaths))
	}
}
