package hypervisor

import (
	"slices"
	"strings"
	"testing"

	"github.com/govisor/govisor/api/apitype"
)

// TestWhoMayEnable: a slice starts again what it stopped itself, also after a restart.
// What the administrator, or the slice that made it, stopped it does not. What the status
// says is missing is what the one who asks can do.
func TestWhoMayEnable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		steps string // who stops (-) or starts (+) the slice child, in order
		may   string // of child, parent, other and fvadmin, who may start it then
	}{
		{"by itself", "child-", "child parent fvadmin"},
		{"by its maker", "parent-", "parent fvadmin"},
		{"by the administrator", "fvadmin-", "parent fvadmin"},
		{"by itself, then the administrator", "child- fvadmin-", "parent fvadmin"},
		{"by itself, then its maker", "child- parent-", "parent fvadmin"},
		{"by the administrator, then itself", "fvadmin- child-", "parent fvadmin"},
		{"by the administrator, started, then by itself", "fvadmin- fvadmin+ child-", "child parent fvadmin"},
		{"by itself, started, then by the administrator", "child- child+ fvadmin-", "parent fvadmin"},
	} {
		for _, who := range []string{"child", "parent", "other", AdminName} {
			t.Run(tc.name+", then "+who, func(t *testing.T) {
				t.Parallel()
				s := delegated(t)
				set := func(who string, on bool) error {
					_, err := s.UpdateSlice(t.Context(), by(who), "child", SlicePatch{Enabled: &on}, nil)
					return err
				}
				for step := range strings.FieldsSeq(tc.steps) {
					if err := set(step[:len(step)-1], strings.HasSuffix(step, "+")); err != nil {
						t.Fatalf("%s: %v", step, err)
					}
				}
				st, err := loadState(s.db)
				if err != nil {
					t.Fatal(err)
				}
				s.state.Store(st) // as after a restart
				may := slices.Contains(strings.Fields(tc.may), who)
				missing := strings.Join(s.Health(by(who)).Missing, "\n")
				if told := strings.Contains(missing, "fvctl update-slice child --enable-slice"); told != may {
					t.Errorf("told to enable it: %v, want %v: %s", told, may, missing)
				}
				if !may && who == "child" && !strings.Contains(missing, "slice child is disabled: only ") {
					t.Errorf("not told why: %s", missing)
				}
				if err := set(who, true); (err == nil) != may {
					t.Errorf("may %v: %v", may, err)
				} else if who == "child" && !may && KindOf(err) != apitype.KindDenied {
					t.Error(err)
				}
			})
		}
	}
}

func by(who string) Principal {
	if who == AdminName {
		return Local()
	}
	return account(who)
}

// A slice without rules is told what to do by who can do it.
func TestMissingFlowspace(t *testing.T) {
	t.Parallel()
	s := delegated(t)
	mustSlice(t, s, "empty")
	for who, want := range map[string]string{
		"empty": "slice empty has no flowspace: the administrator has to give it some", AdminName: "slice empty has no flowspace: fvctl add-flowspace RULE",
		"parent": "slice child has no flowspace: fvctl add-flowspace RULE", "child": "slice child has no flowspace: who made it has to give it some",
	} {
		if missing := s.Health(by(who)).Missing; !strings.Contains(strings.Join(missing, "\n"), want) {
			t.Errorf("%s is told %q, want %q", who, missing, want)
		}
	}
}
