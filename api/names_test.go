package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

// names are such as people give by accident or by malice.
var names = []string{
	"plain", "with space", " before", "after ", " ", "", "\t", "a\x00b", "a\nb", "a\x1b[31mb", "a\x7fb", "a\u009bb", "a\u202eb", "a\u200fb", "\ufeffa", "a\u200bb", "a\u2028b",
	"<script>alert(1)</script>", `"quoted"`, "it's", "a&b", "a;b", "a?b", "a#b", "a%b", "%2e%2e", "%2F", "a=b", "a,b", "a:b", "id:1", "id:99", "1", "-1", "--help", "-f", "a*b", `a\b`, "$HOME", "`id`",
	".", "..", "...", "../x", "a/b", "/", "a/", "/a", "a//b", "a/../b", "~",
	"é", "e\u0301", "ключ", "名前", "😀", "ﬁ",
	strings.Repeat("x", 45), strings.Repeat("x", 46), strings.Repeat("x", 64), strings.Repeat("x", 65), strings.Repeat("é", 32), strings.Repeat("é", 33),
	"links", "slices", "flowspace", "bulk", "conflicts", "free", "openapi.json", "events", "limits", "enable", "stats", "fvadmin", "all", "any", "none", "null", "true", "id", "name", "new",
}

// TestRuleNames: a name is either refused, with the field and the value, or every
// face finds the rule by it, changes it and removes it.
func TestRuleNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin = w.bearer(w.token("fvadmin", "full"))
	w.slice("a")
	w.rule("first", "any", 1, "any", "a") // id 1
	accepted := 0
	for _, name := range names {
		if name == "" {
			continue // govisor gives it one
		}
		t.Run(fmt.Sprintf("%.20q", name), func(t *testing.T) {
			if w.ruleName(t, name) {
				accepted++
			}
		})
	}
	if accepted < 20 {
		t.Errorf("only %d names are accepted", accepted)
	}
}

func (w *world) ruleName(t *testing.T, name string) (accepted bool) {
	ctx := t.Context()
	create := apitype.RuleCreate{Name: name, DPIDs: []string{"any"}, Priority: 5, Match: "any", Grants: []apitype.Grant{{Slice: "a", Permission: 7}}}
	made, err := w.admin.CreateRule(ctx, create)
	params, _ := json.Marshal([]any{map[string]any{"name": name, "dpid": "any", "priority": 5, "match": map[string]any{}, "slice-action": []any{map[string]any{"slice-name": "a", "permission": 7}}}})
	if err != nil {
		p := client.AsProblem(err)
		if p == nil || p.Status/100 != 4 || p.Field != "name" || p.Value == "" {
			t.Errorf("refused by %+v", p)
		}
		if code, text := w.rpcAdmin(t, "add-flowspace", string(params)); code == 0 {
			t.Errorf("JSON-RPC accepts it: %s", text)
		}
		return false
	}
	got, _, err := w.admin.GetRule(ctx, name)
	if err != nil || got.ID != made.ID || got.Name != name {
		t.Errorf("GetRule: %+v, %v; made %+v", got, err, made)
	}
	if got, err = w.admin.UpdateRule(ctx, name, apitype.RuleUpdate{Priority: new(uint32(6))}, ""); err != nil || got.ID != made.ID {
		t.Errorf("UpdateRule: %+v, %v", got, err)
	}
	quoted, _ := json.Marshal(name)
	if code, text := w.rpcAdmin(t, "update-flowspace", fmt.Sprintf(`[{"name":%s,"priority":7}]`, quoted)); code != 0 {
		t.Errorf("update-flowspace: %s", text)
	}
	if got, _, err = w.admin.GetRule(ctx, fmt.Sprint("id:", made.ID)); err != nil || got.Priority != 7 {
		t.Errorf("by id, after the updates: %+v, %v", got, err)
	}
	if err := w.admin.DeleteRule(ctx, name); err != nil {
		t.Errorf("DeleteRule: %v", err)
		_ = w.admin.DeleteRule(ctx, fmt.Sprint("id:", made.ID)) // for those after it
	}
	if code, text := w.rpcAdmin(t, "add-flowspace", string(params)); code != 0 {
		t.Errorf("add-flowspace: %s", text)
	}
	if code, text := w.rpcAdmin(t, "remove-flowspace", fmt.Sprintf(`[%s]`, quoted)); code != 0 {
		t.Errorf("remove-flowspace: %s", text)
	}
	if rules, err := w.admin.ListRules(ctx, apitype.RuleFilter{}); err != nil || len(rules) != 1 || rules[0].Name != "first" {
		t.Errorf("left: %+v, %v", rules, err)
	}
	return true
}

// TestSliceNames is the same for slices, which are accounts as well.
func TestSliceNames(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.admin = w.bearer(w.token("fvadmin", "full"))
	for _, name := range names {
		t.Run(fmt.Sprintf("%.20q", name), func(t *testing.T) {
			quoted, _ := json.Marshal(name)
			add := fmt.Sprintf(`{"slice-name":%s,"controller-url":"tcp:h","admin-contact":"x@y","password":""}`, quoted)
			_, err := w.admin.CreateSlice(ctx, apitype.SliceCreate{Name: name, Controllers: []string{"tcp:h"}})
			if err != nil {
				p := client.AsProblem(err)
				if p == nil || p.Status/100 != 4 || p.Field != "name" || p.Value == "" && name != "" {
					t.Errorf("refused by %+v", p)
				}
				if code, text := w.rpcAdmin(t, "add-slice", add); code == 0 {
					t.Errorf("JSON-RPC accepts it: %s", text)
				}
				if code, p := w.post("POST", "/api/v1/accounts", fmt.Sprintf(`{"name":%s,"password":"p"}`, quoted)); code/100 != 4 || p.Field != "name" {
					t.Errorf("viewer: %d %+v", code, p)
				}
				if _, _, err := w.admin.GetSlice(ctx, name); err == nil {
					t.Error("there is a slice of that name")
				}
				if name != "fvadmin" {
					wantKind(t, w.admin.DeleteSlice(ctx, name), apitype.KindNotFound)
				}
				return
			}
			if s, _, err := w.admin.GetSlice(ctx, name); err != nil || s.Name != name {
				t.Errorf("GetSlice: %+v, %v", s, err)
			}
			if who, err := w.bearer(w.token(name, "full")).Whoami(ctx); err != nil || who.Account != name {
				t.Errorf("its token: %+v, %v", who, err)
			}
			rule, err := w.admin.CreateRule(ctx, apitype.RuleCreate{DPIDs: []string{"any"}, Match: "any", Grants: []apitype.Grant{{Slice: name, Permission: 7}}})
			if err != nil || rule.Grants[0].Slice != name {
				t.Errorf("a rule for it: %+v, %v", rule, err)
			}
			if h, err := w.admin.SliceHealth(ctx, name); err != nil {
				t.Errorf("SliceHealth: %+v, %v", h, err)
			}
			if code, text := w.rpcAdmin(t, "list-slice-info", fmt.Sprintf(`{"slice-name":%s}`, quoted)); code != 0 {
				t.Errorf("list-slice-info: %s", text)
			}
			if err := w.admin.DeleteSlice(ctx, name); err != nil {
				t.Errorf("DeleteSlice: %v", err)
			}
			if code, text := w.rpcAdmin(t, "add-slice", add); code != 0 {
				t.Errorf("add-slice: %s", text)
			}
			if code, text := w.rpcAdmin(t, "remove-slice", fmt.Sprintf(`{"slice-name":%s}`, quoted)); code != 0 {
				t.Errorf("remove-slice: %s", text)
			}
		})
	}
}

// TestTexts: names of tokens and notes of snapshots, which are for people, hold
// nothing that would deceive them; each can be removed by its id.
func TestTexts(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.admin = w.bearer(w.token("fvadmin", "full"))
	for _, name := range names {
		bad := strings.ContainsAny(name, "\t\x00\n\x1b\x7f\u009b\u202e\u200f\ufeff\u200b\u2028")
		token, err := w.admin.CreateToken(ctx, apitype.TokenCreate{Name: name})
		if (err != nil) != bad {
			t.Errorf("token %q: %v", name, err)
		}
		if p := client.AsProblem(err); err != nil && (p.Status != http.StatusBadRequest || p.Field != "name" || p.Value == "") {
			t.Errorf("token %q: %+v", name, p)
		}
		if err == nil {
			if err := w.admin.DeleteToken(ctx, token.ID); err != nil {
				t.Errorf("token %q: %v", name, err)
			}
		}
		snap, err := w.admin.CreateSnapshot(ctx, name)
		if (err != nil) != bad {
			t.Errorf("snapshot %q: %v", name, err)
		}
		if err == nil {
			if err := w.admin.DeleteSnapshot(ctx, snap.ID); err != nil {
				t.Errorf("snapshot %q: %v", name, err)
			}
		}
	}
}

// rpcAdmin calls a method of JSON-RPC; code 0 is success.
func (w *world) rpcAdmin(t *testing.T, method, params string) (code int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token("fvadmin", "full"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Error *struct {
			Code    int
			Message string
		} `json:"error"`
		Result any `json:"result"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: HTTP %d, %v", method, resp.StatusCode, err)
	}
	if out.Error != nil {
		return out.Error.Code, out.Error.Message
	}
	return 0, fmt.Sprint(out.Result)
}
