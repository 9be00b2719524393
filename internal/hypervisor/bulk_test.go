package hypervisor

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
)

// TestBulkStepsBuildOnEachOther: each step of a bulk sees what those before it made, by
// name and by number, as if they had been sent one by one.
func TestBulkStepsBuildOnEachOther(t *testing.T) {
	t.Parallel()
	add := func(name string, vlan int) RuleChange {
		return RuleChange{Op: flowspace.Add, Rule: newRule(t, name, "1", fmt.Sprintf("dl_vlan=%d", vlan), "a=7")}
	}
	prio := func(ref string, p uint32) RuleChange {
		return RuleChange{Op: flowspace.Update, Ref: ref, Patch: RulePatch{Priority: &p}}
	}
	match := func(ref, text string) RuleChange {
		return RuleChange{Op: flowspace.Update, Ref: ref, Patch: RulePatch{Match: &newRule(t, "x", "1", text, "a=7").Match}}
	}
	remove := func(ref string) RuleChange { return RuleChange{Op: flowspace.Remove, Ref: ref} }
	for _, tc := range []struct {
		name  string
		steps []RuleChange
		want  string // rules by name with priority, match and id
		fails int    // index of the step at fault, -1 for none
		kind  apitype.Kind
	}{
		{"update what was added", []RuleChange{add("new", 1), prio("new", 5)}, "new 5 dl_vlan=1 2; old 5 dl_vlan=9 1", -1, ""},
		{"twice", []RuleChange{add("new", 1), prio("new", 5), match("new", "dl_vlan=2"), prio("new", 6)}, "new 6 dl_vlan=2 2; old 5 dl_vlan=9 1", -1, ""},
		{"by a name that means a path", []RuleChange{add("free", 1), prio("name:free", 5)}, "free 5 dl_vlan=1 2; old 5 dl_vlan=9 1", -1, ""},
		{"update, then remove", []RuleChange{add("new", 1), prio("new", 5), remove("new")}, "old 5 dl_vlan=9 1", -1, ""},
		{"remove by a name that means a path", []RuleChange{add("free", 1), remove("name:free")}, "old 5 dl_vlan=9 1", -1, ""},
		{"a name used again", []RuleChange{remove("old"), add("old", 1), prio("old", 5)}, "old 5 dl_vlan=1 2", -1, ""},
		{"and again", []RuleChange{remove("old"), add("old", 1), remove("old"), add("old", 2), prio("old", 7)}, "old 7 dl_vlan=2 3", -1, ""},
		{"removed by number, added by name", []RuleChange{remove("id:1"), add("old", 1), match("old", "dl_vlan=3")}, "old 900 dl_vlan=3 2", -1, ""},
		{"an old one twice", []RuleChange{prio("old", 5), match("id:1", "dl_vlan=3")}, "old 5 dl_vlan=3 1", -1, ""},
		{"update before it is there", []RuleChange{prio("new", 5), add("new", 1)}, "", 0, apitype.KindNotFound},
		{"update what was removed", []RuleChange{remove("old"), prio("old", 5)}, "", 1, apitype.KindNotFound},
		{"update what was added and removed", []RuleChange{add("new", 1), remove("new"), prio("new", 5)}, "", 2, apitype.KindNotFound},
		{"remove twice", []RuleChange{remove("old"), remove("id:1")}, "", 1, apitype.KindNotFound},
		{"add twice", []RuleChange{add("new", 1), add("new", 2)}, "", 1, apitype.KindConflict},
		{"a bad update of what was added", []RuleChange{add("new", 1), {Op: flowspace.Update, Ref: "new", Patch: RulePatch{Grants: []flowspace.Grant{{Slice: "ghost", Perm: 7}}}}}, "", 1, apitype.KindUnresolved},
		{"a bad match of what was added", []RuleChange{add("new", 1), match("new", "dl_vlan=2"), {Op: flowspace.Update, Ref: "new", Patch: RulePatch{Match: &flowspace.Match{TPDst: flowspace.Span(1, 1)}}}}, "", 2, apitype.KindInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			mustSlice(t, s, "a")
			mustRule(t, s, "old", "1", "dl_vlan=9", "a=7")
			before := s.Revision()
			res, err := s.ChangeRules(t.Context(), Local(), tc.steps, false)
			if tc.fails >= 0 {
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Index != tc.fails || e.Kind != tc.kind || s.Revision() != before {
					t.Errorf("%v at %+v, %d changes", err, e, s.Revision()-before)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Rules) != len(tc.steps) {
				t.Errorf("%d results of %d steps", len(res.Rules), len(tc.steps))
			}
			texts := map[string]string{}
			s.Flowspace().Each(func(r *flowspace.Rule) bool {
				texts[r.Name] = fmt.Sprintf("%s %d %s %d", r.Name, r.Priority, r.Match, r.ID)
				return true
			})
			got := ""
			for _, name := range []string{"free", "new", "old"} {
				if texts[name] != "" {
					got += "; " + texts[name]
				}
			}
			if diff := cmp.Diff("; "+tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What a slice's account adds in a bulk it may change there, as far as it may have it.
func TestBulkOfASlice(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	one, wide := newRule(t, "x", "1", "dl_vlan=2", "child=7").Match, newRule(t, "x", "1", "dl_vlan=2|5", "child=7").Match
	update := func(m *flowspace.Match) []RuleChange {
		return []RuleChange{{Op: flowspace.Add, Rule: newRule(t, "new", "1", "dl_vlan=1", "child=7")}, {Op: flowspace.Update, Ref: "new", Patch: RulePatch{Match: m}}}
	}
	if _, err := s.ChangeRules(t.Context(), account("parent"), update(&wide), false); KindOf(err) != apitype.KindDenied {
		t.Errorf("beyond its space: %v", err)
	}
	if _, err := s.ChangeRules(t.Context(), account("parent"), update(&one), false); err != nil {
		t.Error(err)
	}
	if r := s.Flowspace().RuleByName("new"); r == nil || r.Owner != "parent" || r.Match.String() != "dl_vlan=2" {
		t.Errorf("stored as %v", r)
	}
}
