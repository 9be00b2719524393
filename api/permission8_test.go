package api_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
)

// FlowVisor's code, and so its dumps and scripts, have delegate at 8, its manual at 1.
// Every way in reads 8 as delegate, and every way out writes 1.
func TestPermissionEight(t *testing.T) {
	t.Parallel()
	w, ctx := fixture(t), t.Context()
	want := map[string]string{}
	for perm, letters := range map[int]string{8: "d", 10: "rd", 12: "wd", 14: "rwd", 15: "rwd"} {
		rest, rpc := fmt.Sprint("rest", perm), fmt.Sprint("rpc", perm)
		if code, p := w.post("POST", "/api/v1/flowspace", fmt.Sprintf(`{"name":%q,"dpids":["any"],"priority":1,"match":"in_port=9","grants":[{"slice":"alice","permission":%d}]}`, rest, perm)); code != 201 {
			t.Errorf("%s: %d %v", rest, code, p)
		}
		if code, answer := w.rpc("fvadmin", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"add-flowspace","params":[{"name":%q,"dpid":"any","priority":1,"match":{"in_port":9},"slice-action":[{"slice-name":"alice","permission":%d}]}]}`, rpc, perm)); code != 200 {
			t.Errorf("%s: %d %s", rpc, code, answer)
		}
		want[rest], want[rpc] = letters, letters
	}
	if code, _ := w.post("POST", "/api/v1/flowspace", `{"dpids":["any"],"priority":1,"match":"any","grants":[{"slice":"alice","permission":16}]}`); code != 400 {
		t.Errorf("permission 16: %d", code)
	}
	listed := func(names map[string]string) map[string]string {
		t.Helper()
		rules, err := w.admin.ListRules(ctx, apitype.RuleFilter{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range rules {
			if _, ok := names[r.Name]; ok {
				got[r.Name] = r.Grants[0].Permission.String()
			}
		}
		return got
	}
	if d := cmp.Diff(want, listed(want)); d != "" {
		t.Errorf("(-want +got) %s", d)
	}

	saved := savedConfig(t)
	if changed := bytes.Replace(saved, []byte(`"bob": 6`), []byte(`"bob": 8`), 1); bytes.Equal(changed, saved) {
		t.Error("the saved configuration has no such rule")
	} else if _, err := w.local().ImportConfig(ctx, changed, false); err != nil {
		t.Fatal(err)
	}
	want = map[string]string{"b6": "d"}
	if d := cmp.Diff(want, listed(want)); d != "" {
		t.Errorf("imported (-want +got) %s", d)
	}
}
