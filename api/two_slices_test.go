package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/internal/hypervisor"
)

// twoSlices is a world of two slices with space of their own to pass on.
func twoSlices(t *testing.T) (w *world, by map[string]*client.Client) {
	w = newWorld(t)
	by = map[string]*client.Client{}
	for i, name := range []string{"red", "blue"} {
		w.slice(name)
		w.rule(name+"-all", "1", 10, fmt.Sprintf("dl_vlan=%d-%d", 100*i+1, 100*i+99), name)
		by[name] = w.bearer(w.token(name, "full"))
	}
	return w, by
}

// TestTwoSlicesWantTheSame: when two accounts ask for the same name at once, for a
// sub-slice or a rule, exactly one gets it, and the other changes nothing of it.
func TestTwoSlicesWantTheSame(t *testing.T) {
	t.Parallel()
	w, by := twoSlices(t)
	vlan := map[string]int{"red": 1, "blue": 101}
	for round := range 30 {
		name := fmt.Sprint("sub", round)
		got, ruled := map[string]error{}, map[string]error{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for who, c := range by {
			wg.Go(func() {
				_, err := c.CreateSlice(t.Context(), apitype.SliceCreate{Name: name, Controllers: []string{"tcp:" + who}, Contact: who})
				_, err2 := c.CreateRule(t.Context(), apitype.RuleCreate{Name: "for-" + name, DPIDs: []string{"1"}, Priority: 20, Match: apitype.Match(fmt.Sprintf("dl_vlan=%d", vlan[who]+round)),
					Grants: []apitype.Grant{{Slice: name, Permission: 6}}})
				mu.Lock()
				defer mu.Unlock()
				got[who], ruled[who] = err, err2
			})
		}
		wg.Wait()
		winner, loser := "red", "blue"
		if got[winner] != nil {
			winner, loser = loser, winner
		}
		if got[winner] != nil {
			t.Fatalf("nobody got %s: %v", name, got)
		}
		wantKind(t, got[loser], apitype.KindConflict)
		if ruled[winner] != nil || ruled[loser] == nil {
			t.Errorf("round %d: rules %v", round, ruled)
		}
		sl, err := w.svc.Slice(hypervisor.Local(), name)
		if err != nil || sl.Creator != winner || sl.Contact != winner || sl.Controllers[0].Target.Host != winner {
			t.Errorf("round %d: %s is %+v, %v", round, winner, sl, err)
		}
		// It does not even exist for the other, who may try everything.
		other := by[loser]
		_, _, err = other.GetSlice(t.Context(), name)
		wantKind(t, err, apitype.KindNotFound)
		_, err = other.UpdateSlice(t.Context(), name, apitype.SliceUpdate{Contact: new("mine")}, "")
		wantKind(t, err, apitype.KindNotFound)
		wantKind(t, other.DeleteSlice(t.Context(), name), apitype.KindNotFound)
		wantKind(t, other.DeleteRule(t.Context(), "for-"+name), apitype.KindNotFound)
		wantKind(t, other.SetPassword(t.Context(), name, "x"), apitype.KindDenied) // as for a name that nobody has
		wantKind(t, other.SetPassword(t.Context(), "nobody", "x"), apitype.KindDenied)
	}
}

// TestTwoSlicesSideBySide: two accounts change what is theirs at once, in every way there
// is, and try what is the other's in between. Afterwards each has exactly what it asked for.
func TestTwoSlicesSideBySide(t *testing.T) {
	t.Parallel()
	w, by := twoSlices(t)
	const rounds = 40
	other := map[string]string{"red": "blue", "blue": "red"}
	first := map[string]int{"red": 1, "blue": 101}
	var wg sync.WaitGroup
	for who, c := range by {
		wg.Go(func() {
			ctx := t.Context()
			must := func(err error) {
				if err != nil {
					t.Errorf("%s: %v", who, err)
				}
			}
			never := func(what string, err error) {
				if err == nil {
					t.Errorf("%s could %s", who, what)
				}
			}
			_, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: who + "-sub", Controllers: []string{"tcp:h"}})
			must(err)
			for i := range rounds {
				rule := apitype.RuleCreate{Name: fmt.Sprint(who, i), DPIDs: []string{"1"}, Priority: 20, Match: apitype.Match(fmt.Sprintf("dl_vlan=%d", first[who]+i)), Grants: []apitype.Grant{{Slice: who + "-sub", Permission: 6}}}
				_, err := c.CreateRule(ctx, rule)
				must(err)
				_, err = c.UpdateSlice(ctx, who, apitype.SliceUpdate{Contact: new(fmt.Sprint(who, i))}, "")
				must(err)
				_, err = c.UpdateSlice(ctx, who+"-sub", apitype.SliceUpdate{FlowModLimit: new(i)}, "")
				must(err)
				if i%2 == 1 {
					must(c.DeleteRule(ctx, fmt.Sprint(who, i-1)))
				}
				rule.Name, rule.Match = fmt.Sprint("stolen-", who, i), apitype.Match(fmt.Sprintf("dl_vlan=%d", first[other[who]]+i))
				_, err = c.CreateRule(ctx, rule)
				never("have a rule in the other's space", err)
				_, err = c.UpdateSlice(ctx, other[who], apitype.SliceUpdate{Contact: new("stolen")}, "")
				never("change the other", err)
				_, err = c.BulkRules(ctx, []apitype.Change{{Op: "add", Add: &apitype.RuleCreate{Name: fmt.Sprint("half-", who, i), DPIDs: []string{"1"}, Priority: 21, Match: rule.Match, Grants: rule.Grants}},
					{Op: "remove", Ref: other[who] + "-all"}}, false)
				never("remove the other's rule", err)
				if _, text := w.rpc(who, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"remove-slice","params":{"slice-name":%q}}`, other[who])); !strings.Contains(text, "-32600") {
					t.Errorf("%s removing %s: %s", who, other[who], text)
				}
			}
		})
	}
	wg.Wait()
	for who := range by {
		sl, err := w.svc.Slice(hypervisor.Local(), who)
		if err != nil || sl.Contact != fmt.Sprint(who, rounds-1) {
			t.Errorf("%s: %+v, %v", who, sl, err)
		}
		if sub, err := w.svc.Slice(hypervisor.Local(), who+"-sub"); err != nil || sub.FlowModLimit != rounds-1 {
			t.Errorf("%s-sub: %+v, %v", who, sub, err)
		}
		want := map[string]bool{who + "-all": true}
		for i := 1; i < rounds; i += 2 {
			want[fmt.Sprint(who, i)] = true
		}
		rules, err := by[who].ListRules(t.Context(), apitype.RuleFilter{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, r := range rules {
			got[r.Name] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s sees (-want +got):\n%s", who, diff)
		}
	}
	if n := w.svc.Flowspace().Len(); n != 2+rounds {
		t.Errorf("%d rules, want %d", n, 2+rounds)
	}
}
