package hypervisor

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
)

func account(name string) Principal {
	return Principal{Account: name, Role: RoleSlice, Scope: ScopeFull, Via: "password", From: "test"}
}

// newRule is a rule of priority 900, above what mustRule makes.
func newRule(t *testing.T, name, dpids, match, grants string) *flowspace.Rule {
	t.Helper()
	m, err1 := flowspace.ParseMatch(match)
	d, err2 := flowspace.ParseDPIDs(dpids)
	g, err3 := flowspace.ParseGrants(grants)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	return &flowspace.Rule{Name: name, DPIDs: d, Match: m, Grants: g, Priority: 900}
}

func addAs(t *testing.T, s *Service, who string, r *flowspace.Rule) error {
	t.Helper()
	_, err := s.ChangeRules(t.Context(), account(who), []RuleChange{{Op: flowspace.Add, Rule: r}}, false)
	return err
}

func subSlice(t *testing.T, s *Service, who, name string) {
	t.Helper()
	if _, err := s.CreateSlice(t.Context(), account(who), SliceSpec{Name: name, SlicePatch: SlicePatch{Controllers: []string{"tcp:h:2"}}}); err != nil {
		t.Fatal(err)
	}
}

// delegated is a world where parent has VLANs 1 to 9 of datapath 1 but 5, which
// is other's, shares 8 with other, may only pass on reading in 9, and made child.
func delegated(t *testing.T) *Service {
	t.Helper()
	s := newService(t)
	mustSlice(t, s, "parent")
	mustSlice(t, s, "other")
	for _, r := range []*flowspace.Rule{
		newRule(t, "read", "1", "dl_vlan=9", "parent=3"), newRule(t, "shared", "1", "dl_vlan=8", "parent=7,other=2"), newRule(t, "hers", "1", "dl_vlan=5", "other=7"),
		{Name: "all", DPIDs: flowspace.DPIDs(1), Match: newRule(t, "x", "1", "dl_vlan=1-9", "parent=7").Match, Grants: []flowspace.Grant{{Slice: "parent", Perm: 7}}, Priority: 5, Queues: []uint32{1}},
	} {
		if _, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Add, Rule: r}}, false); err != nil {
			t.Fatal(err)
		}
	}
	subSlice(t, s, "parent", "child")
	return s
}

func TestDelegationBounds(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	queued := func(r *flowspace.Rule, q uint32) *flowspace.Rule { r.Queues = []uint32{q}; return r }
	for _, c := range []struct {
		name, who string
		rule      *flowspace.Rule
		ok        bool
	}{
		{"inside", "parent", newRule(t, "ok1", "1", "dl_vlan=1", "child=7"), true},
		{"to itself", "parent", newRule(t, "ok2", "1", "dl_vlan=2", "parent=7,child=2"), true},
		{"reading on", "parent", newRule(t, "ok3", "1", "dl_vlan=9", "child=2"), true},
		{"its queue", "parent", queued(newRule(t, "ok4", "1", "dl_vlan=6", "child=6"), 1), true},
		{"another queue", "parent", queued(newRule(t, "q", "1", "dl_vlan=7", "child=6"), 2), false},
		{"more than it has", "parent", newRule(t, "w", "1", "dl_vlan=9", "child=6"), false},
		{"another datapath", "parent", newRule(t, "d", "2", "dl_vlan=1", "child=7"), false},
		{"every datapath", "parent", newRule(t, "any", "any", "dl_vlan=1", "child=7"), false},
		{"partly outside", "parent", newRule(t, "p", "1", "dl_vlan=7|10", "child=7"), false},
		{"over a stronger rule", "parent", newRule(t, "s", "1", "dl_vlan=4-6", "child=7"), false},
		{"shared", "parent", newRule(t, "sh", "1", "dl_vlan=8", "child=7"), false},
		{"to a stranger", "parent", newRule(t, "o", "1", "dl_vlan=3", "other=2"), false},
		{"to nobody known", "parent", newRule(t, "n", "1", "dl_vlan=3", "ghost=2"), false},
		{"everything", "parent", newRule(t, "e", "1", "any", "child=7"), false},
		{"the child, outside its part", "child", newRule(t, "c", "1", "dl_vlan=3", "child=7"), false},
		{"the child, inside", "child", newRule(t, "c2", "1", "dl_vlan=1,in_port=1", "child=6"), true},
		{"the child, to its parent", "child", newRule(t, "c3", "1", "dl_vlan=1,in_port=2", "parent=2"), false},
	} {
		before := s.Revision()
		err := addAs(t, s, c.who, c.rule)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if !c.ok && s.Revision() != before {
			t.Errorf("%s: refused, but something changed", c.name)
		}
		if r := s.Flowspace().RuleByName(c.rule.Name); c.ok && (r == nil || r.Owner != c.who) {
			t.Errorf("%s: stored as %+v", c.name, r)
		}
	}
}

// The datapath of all ones is one like others: who has it does not have those that no
// rule names.
func TestDelegationOfAllOnes(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	mustSlice(t, s, "edge")
	mustRule(t, s, "ones", "0xffffffffffffffff,0xfffffffffffffffe,1", "dl_vlan=20", "edge=7")
	if err := addAs(t, s, "edge", newRule(t, "every", "any", "dl_vlan=20", "edge=7")); err == nil {
		t.Error("a rule of every datapath was made by whoever has three")
	}
	if err := addAs(t, s, "edge", newRule(t, "those", "0xffffffffffffffff,1", "dl_vlan=20", "edge=7")); err != nil {
		t.Error(err)
	}
}

func TestDelegationKeepsOthersRules(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	if err := addAs(t, s, "parent", newRule(t, "sub", "1", "dl_vlan=1", "child=7")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who, ref string
		kind     apitype.Kind
	}{
		{"parent", "all", apitype.KindDenied}, {"parent", "hers", apitype.KindNotFound}, {"child", "sub", apitype.KindDenied}, {"other", "sub", apitype.KindNotFound},
	} {
		for _, op := range []flowspace.Op{flowspace.Update, flowspace.Remove} {
			_, err := s.ChangeRules(t.Context(), account(c.who), []RuleChange{{Op: op, Ref: c.ref, Patch: RulePatch{Priority: new(uint32(1))}}}, false)
			if KindOf(err) != c.kind {
				t.Errorf("%s: %s %s: %v", c.who, op, c.ref, err)
			}
		}
	}
	out := newRule(t, "x", "1", "dl_vlan=5", "child=7").Match
	if _, err := s.ChangeRules(t.Context(), account("parent"), []RuleChange{{Op: flowspace.Update, Ref: "sub", Patch: RulePatch{Match: &out}}}, false); KindOf(err) != apitype.KindDenied {
		t.Errorf("moved into another's space: %v", err)
	}
	if _, err := s.ChangeRules(t.Context(), account("parent"), []RuleChange{{Op: flowspace.Update, Ref: "sub", Patch: RulePatch{Priority: new(uint32(7))}}, {Op: flowspace.Remove, Ref: "sub"}}, false); err != nil {
		t.Error(err)
	}
}

// TestDelegatedSpaceLost takes the space away in every way there is.
func TestDelegatedSpaceLost(t *testing.T) {
	t.Parallel()
	narrow := newRule(t, "x", "1", "dl_vlan=3-9", "parent=7").Match
	for _, c := range []struct {
		name          string
		lose          func(*Service) error
		rules, slices string
	}{
		{"rule removed", func(s *Service) error {
			_, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Remove, Ref: "all"}, {Op: flowspace.Remove, Ref: "read"}, {Op: flowspace.Remove, Ref: "shared"}}, false)
			return err
		}, "hers", "parent other"},
		{"rule removed, some space left", func(s *Service) error {
			_, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Remove, Ref: "all"}}, false)
			return err
		}, "read shared hers", "parent other child"},
		{"rule narrowed", func(s *Service) error {
			_, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Update, Ref: "all", Patch: RulePatch{Match: &narrow}}}, false)
			return err
		}, "read shared hers sub2 all", "parent other child"},
		{"a stronger rule", func(s *Service) error {
			_, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Add, Rule: newRule(t, "new", "any", "dl_vlan=1", "other=7")}}, false)
			return err
		}, "read shared hers sub2 new all", "parent other child"},
		{"delegate taken", func(s *Service) error {
			_, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Update, Ref: "all", Patch: RulePatch{Grants: []flowspace.Grant{{Slice: "parent", Perm: 6}}}}}, false)
			return err
		}, "read shared hers all", "parent other child"},
		{"parent removed", func(s *Service) error { return s.RemoveSlice(t.Context(), Local(), "parent", nil) }, "shared hers", "other"},
		{"parent removes itself", func(s *Service) error { return s.RemoveSlice(t.Context(), account("parent"), "parent", nil) }, "shared hers", "other"},
		{"child removed", func(s *Service) error { return s.RemoveSlice(t.Context(), account("parent"), "child", nil) }, "read shared hers all", "parent other"},
		{"imported without", func(s *Service) error {
			_, err := s.Apply(t.Context(), Local(), apitype.Config{Version: apitype.ConfigVersion}, ApplyOptions{Replace: true})
			return err
		}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := delegated(t)
			if err := addAs(t, s, "parent", newRule(t, "sub", "1", "dl_vlan=1", "child=7")); err != nil {
				t.Fatal(err)
			}
			if err := addAs(t, s, "parent", newRule(t, "sub2", "1", "dl_vlan=4", "child=6")); err != nil {
				t.Fatal(err)
			}
			subSlice(t, s, "child", "grand")
			if err := addAs(t, s, "child", newRule(t, "subsub", "1", "dl_vlan=1,in_port=1", "grand=7")); err != nil {
				t.Fatal(err)
			}
			revision := s.Revision()
			if err := c.lose(s); err != nil {
				t.Fatal(err)
			}
			if s.Revision() != revision+1 {
				t.Errorf("%d changes, not one", s.Revision()-revision)
			}
			want := []string{c.rules, c.slices}
			if diff := cmp.Diff(want, []string{ruleNames(s), namesOfSlices(s)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func ruleNames(s *Service) string {
	var names []string
	s.Flowspace().Each(func(r *flowspace.Rule) bool { names = append(names, r.Name); return true })
	return strings.Join(names, " ")
}

func namesOfSlices(s *Service) string {
	var names []string
	for _, sl := range s.Slices(Local()) {
		names = append(names, sl.Name)
	}
	return strings.Join(names, " ")
}

func TestSubSliceLimits(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	ten, twenty := 10, 20
	if _, err := s.UpdateSlice(t.Context(), Local(), "parent", SlicePatch{LimitsPatch: LimitsPatch{FlowModLimit: &ten}}, nil); err != nil {
		t.Fatal(err)
	}
	subSlice(t, s, "parent", "two")
	if sl, err := s.Slice(Local(), "two"); err != nil || sl.FlowModLimit != 10 || sl.Creator != "parent" {
		t.Errorf("%+v, %v", sl, err)
	}
	if _, err := s.UpdateSlice(t.Context(), account("parent"), "two", SlicePatch{LimitsPatch: LimitsPatch{FlowModLimit: &twenty}}, nil); KindOf(err) != apitype.KindDenied {
		t.Errorf("limit raised above its own: %v", err)
	}
	_, err := s.CreateSlice(t.Context(), account("child"), SliceSpec{Name: "three", SlicePatch: SlicePatch{Controllers: []string{"tcp:h:2"}}})
	if KindOf(err) != apitype.KindDenied {
		t.Errorf("a slice without space made another: %v", err)
	}
}

// TestOwnersSurvive: the owner is there after a restart, and after an export and
// import.
func TestOwnersSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openService(t, dir)
	mustSlice(t, s, "parent")
	mustRule(t, s, "all", "1", "dl_vlan=1", "parent=7")
	subSlice(t, s, "parent", "child")
	if err := addAs(t, s, "parent", newRule(t, "sub", "1", "dl_vlan=1,in_port=1", "child=7")); err != nil {
		t.Fatal(err)
	}
	cfg, err := s.Export(Local(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openService(t, dir)
	defer s.Close()
	if r := s.Flowspace().RuleByName("sub"); r == nil || r.Owner != "parent" {
		t.Errorf("after a restart: %+v", r)
	}
	again := newService(t)
	if _, err := again.Apply(t.Context(), Local(), cfg, ApplyOptions{Replace: true}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Service{s, again} {
		if _, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Remove, Ref: "all"}}, false); err != nil {
			t.Fatal(err)
		}
		if s.Flowspace().Len() != 0 {
			t.Error("the rule outlived the space it lay in")
		}
	}
	if err := s.db.View(func(tx *store.Tx) error {
		return tx.EachRule(func(r store.Rule) error { t.Error("left on disk:", r.Name); return nil })
	}); err != nil {
		t.Fatal(err)
	}
	cfg.Flowspace = append(cfg.Flowspace, apitype.RuleCreate{Name: "bad", DPIDs: []string{"any"}, Match: "any", Owner: "parent", Grants: []apitype.Grant{{Slice: "child", Permission: 7}}})
	if _, err := again.Apply(t.Context(), Local(), cfg, ApplyOptions{Replace: true}); KindOf(err) != apitype.KindInvalid {
		t.Errorf("a rule beyond its owner's space was imported: %v", err)
	}
}

// A rule beyond its owner's space is told by its place in the file, whatever else is in
// there and changes nothing.
func TestPlaceOfAnOwnersFault(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	rule := func(name, dpid, owner, slice string) apitype.RuleCreate {
		return apitype.RuleCreate{Name: name, DPIDs: []string{dpid}, Priority: 900, Match: "dl_vlan=5", Owner: owner, Grants: []apitype.Grant{{Slice: slice, Permission: 7}}}
	}
	cfg := apitype.Config{Version: 1, Flowspace: []apitype.RuleCreate{rule("hers", "1", "", "other"), rule("new", "3", "", "other"), rule("bad", "any", "parent", "child")}}
	_, err := s.Apply(t.Context(), Local(), cfg, ApplyOptions{})
	e, _ := errors.AsType[*Error](err)
	if e == nil || len(e.Faults) != 1 || e.Faults[0].Field != "flowspace[2].match" || e.Faults[0].Index != 2 {
		t.Errorf("the fault is not that of the third rule: %+v", e)
	}
}

// TestSubSliceNumber: a slice may make 64 slices, and what those make counts.
func TestSubSliceNumber(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	if err := addAs(t, s, "parent", newRule(t, "on", "1", "dl_vlan=2", "child=7")); err != nil {
		t.Fatal(err)
	}
	spec := func(n int) SliceSpec {
		return SliceSpec{Name: fmt.Sprint("n", n), SlicePatch: SlicePatch{Controllers: []string{"tcp:h:2"}}}
	}
	for n := range 63 { // with child there are 64
		if _, err := s.CreateSlice(t.Context(), account([]string{"parent", "child"}[n%2]), spec(n)); err != nil {
			t.Fatalf("slice %d: %v", n+2, err)
		}
	}
	for _, who := range []string{"parent", "child"} {
		if _, err := s.CreateSlice(t.Context(), account(who), spec(100)); KindOf(err) != apitype.KindConflict {
			t.Errorf("%s made a slice more: %v", who, err)
		}
	}
	if err := s.RemoveSlice(t.Context(), account("parent"), "n1", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateSlice(t.Context(), account("child"), spec(100)); err != nil {
		t.Errorf("after one was removed: %v", err)
	}
	if _, err := s.CreateSlice(t.Context(), Local(), spec(101)); err != nil {
		t.Errorf("the administrator: %v", err)
	}
}

// TestCreatorsOfAnImport: who an import says made a slice must be there and cannot be
// made by it in turn; a name that comes to be later gets no power over it.
func TestCreatorsOfAnImport(t *testing.T) {
	t.Parallel()
	s := newService(t)
	slice := func(name, creator string) apitype.SliceConfig {
		return apitype.SliceConfig{SliceCreate: apitype.SliceCreate{Name: name, Controllers: []string{"tcp:h"}}, Creator: creator}
	}
	load := func(slices ...apitype.SliceConfig) error {
		_, err := s.Apply(t.Context(), Local(), apitype.Config{Version: 1, Slices: slices}, ApplyOptions{Replace: true})
		return err
	}
	if err := load(slice("a", "c"), slice("b", "a"), slice("c", "b")); KindOf(err) != apitype.KindInvalid {
		t.Errorf("slices that made each other: %v", err)
	}
	if err := load(slice("a", "a")); KindOf(err) != apitype.KindInvalid {
		t.Errorf("a slice that made itself: %v", err)
	}
	if err := load(slice("sub", "maker"), slice("maker", "fvadmin"), slice("orphan", "ghost")); err != nil {
		t.Fatal(err)
	}
	mustSlice(t, s, "ghost")
	if err := s.RemoveSlice(t.Context(), account("ghost"), "orphan", nil); KindOf(err) != apitype.KindNotFound {
		t.Errorf("ghost has power over a slice it did not make: %v", err)
	}
	if sl, err := s.Slice(account("maker"), "sub"); err != nil || sl.Creator != "maker" {
		t.Errorf("%+v, %v", sl, err)
	}
}
