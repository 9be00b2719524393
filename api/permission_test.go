package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api"
	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// Kinds of caller: the administrator, the administrator's token of scope read,
// a viewer, its token of scope read, the slice the request is about, its token of
// scope read, another slice, an expired token of the administrator, and nobody.
const callers = "AaVvSsOen"

// may reads a row: v may what V may if it reads only, e may what n may.
func may(row string, who byte, reads bool) bool {
	switch who {
	case 'v':
		return reads && strings.IndexByte(row, 'V') >= 0
	case 'e':
		who = 'n'
	}
	return strings.IndexByte(row, who) >= 0
}

// restTable says for each route who may: the letters of callers. {slice} is
// alice, {rule} one of hers, {dpid} 1, {snapshot}, {token}, {callback} and {account} exist.
var restTable = []struct{ method, path, body, who string }{
	{"GET", "/version", "", "AaVSsO"},
	{"GET", "/health", "", "AaVSsO"},
	{"GET", "/live", "", "AaVSsOn"},
	{"GET", "/ready", "", "AaVSsOn"},
	{"GET", "/openapi.json", "", "AaVSsOn"},
	{"GET", "/whoami", "", "AaVSsO"},
	{"GET", "/settings", "", "AaVSsO"},
	{"PATCH", "/settings", `{"flow_tracking":true}`, "A"},
	{"PATCH", "/settings", `{"flowmod_limits":[{"slice":"alice","dpid":"1","limit":5}]}`, "AS"},
	{"PATCH", "/settings", `{"flood_perms":[{"slice":"alice","dpid":"1"}]}`, "A"},
	{"GET", "/links", "", "AaVSsO"},
	{"GET", "/backup", "", "A"},
	{"GET", "/slices", "", "AaVSsO"},
	{"POST", "/slices", `{"name":"new","controllers":["tcp:h"],"contact":""}`, "ASO"}, // both have space to pass on
	{"GET", "/slices/{slice}", "", "AaVSs"},
	{"PATCH", "/slices/{slice}", `{"contact":"x"}`, "AS"},
	{"DELETE", "/slices/{slice}", "", "AS"},
	{"POST", "/slices/{slice}/enable", "", "AS"},
	{"POST", "/slices/{slice}/disable", "", "AS"},
	{"PUT", "/slices/{slice}/password", `{"password":"new"}`, "AS"},
	{"GET", "/slices/{slice}/flowspace", "", "AaVSs"},
	{"GET", "/slices/{slice}/health", "", "AaVSs"},
	{"GET", "/slices/{slice}/stats", "", "AaVSs"},
	{"GET", "/slices/{slice}/limits", "", "AaVSs"},
	{"GET", "/flowspace", "", "AaVSsO"},
	{"POST", "/flowspace", `{"name":"new","dpids":["any"],"priority":1,"match":"any","grants":[{"slice":"alice","permission":7}]}`, "A"},
	{"POST", "/flowspace/bulk", `{"changes":[{"op":"remove","ref":"a1"}]}`, "A"},
	{"GET", "/flowspace/conflicts", "", "AaVSsO"},
	{"GET", "/flowspace/free?field=dl_vlan", "", "AaVSsO"},
	{"GET", "/flowspace/{rule}", "", "AaVSs"},
	{"PATCH", "/flowspace/{rule}", `{"priority":3}`, "A"},
	{"DELETE", "/flowspace/{rule}", "", "A"},
	{"GET", "/datapaths", "", "AaVSsO"},
	{"GET", "/datapaths/{dpid}", "", "AaVSs"},
	{"PATCH", "/datapaths/{dpid}", `{"flood_perm":"alice"}`, "A"},
	{"GET", "/datapaths/{dpid}/ports", "", "AaVSs"},
	{"GET", "/datapaths/{dpid}/stats", "", "AaV"},
	{"GET", "/datapaths/{dpid}/flows", "", "AaVSs"},
	{"GET", "/datapaths/{dpid}/slices/{slice}/flows", "", "AaVSs"},
	{"GET", "/datapaths/{dpid}/limits/{slice}", "", "AaVSs"},
	{"PUT", "/datapaths/{dpid}/limits/{slice}", `{"rate_limit":5}`, "AS"},
	{"GET", "/accounts", "", "Aa"},
	{"POST", "/accounts", `{"name":"new","password":"p"}`, "A"},
	{"DELETE", "/accounts/{account}", "", "A"},
	{"PUT", "/accounts/{account}/password", `{"password":"p"}`, "AV"},
	{"GET", "/tokens", "", "AaVSsO"},
	{"POST", "/tokens", `{"name":"t"}`, "AVSO"},
	{"POST", "/tokens", `{"name":"t","account":"alice"}`, "AS"},
	{"DELETE", "/tokens/{token}", "", "AS"},
	{"GET", "/audit", "", "Aa"},
	{"GET", "/config", "", "Aa"},
	{"GET", "/config?hashes=true", "", "A"},
	{"PUT", "/config?dry_run=true", `{"govisor_config":1}`, "A"},
	{"POST", "/apply?dry_run=true", `{"govisor_config":1}`, "A"},
	{"GET", "/snapshots", "", "Aa"},
	{"POST", "/snapshots", `{"note":""}`, "A"},
	{"POST", "/snapshots/{snapshot}/restore", "", "A"},
	{"DELETE", "/snapshots/{snapshot}", "", "A"},
	{"GET", "/events", "", "AaVSsO"},
	{"GET", "/callbacks", "", "AaVSsO"},
	{"POST", "/callbacks", `{"url":"http://127.0.0.1:9/","method":"m","event":"GENERAL","cookie":"c"}`, "AVSO"},
	{"DELETE", "/callbacks/{callback}", "", "AS"},
	{"POST", "/trace", `{"dpid":"1","header":"in_port=1"}`, "AaV"},
	{"POST", "/trace", `{"dpid":"1","slice":"alice","flow_mod":"actions=drop"}`, "AaVSs"},
}

// population is a world with one of each kind of caller.
type population struct {
	*world
	tokens map[byte]string
	vars   *strings.Replacer
}

func populate(t *testing.T) *population {
	w, ctx := newWorld(t), t.Context()
	w.admin = w.bearer(w.token(hypervisor.AdminName, "full"))
	for _, name := range []string{"alice", "other"} {
		if _, err := w.admin.CreateSlice(ctx, apitype.SliceCreate{Name: name, Controllers: []string{"tcp:h"}}); err != nil {
			t.Fatal(err)
		}
	}
	w.rule("a1", "1", 5, "any", "alice")
	w.rule("o1", "2", 5, "any", "other")
	w.connect(1)
	if _, err := w.svc.CreateViewer(ctx, hypervisor.Local(), "viewer", "p"); err != nil {
		t.Fatal(err)
	}
	snap, err := w.admin.CreateSnapshot(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	hers, err := w.admin.CreateToken(ctx, apitype.TokenCreate{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.UpdateSettings(ctx, hypervisor.Local(), hypervisor.SettingsPatch{CallbackAllow: new("127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	hook, err := w.bearer(w.token("alice", "full")).CreateCallback(ctx, apitype.CallbackCreate{URL: "http://127.0.0.1:9/hers", Event: "GENERAL"})
	if err != nil {
		t.Fatal(err)
	}
	expires := time.Now().Add(20 * time.Millisecond)
	expired, err := w.svc.CreateToken(ctx, hypervisor.Local(), apitype.TokenCreate{Expires: expires})
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Until(expires))
	return &population{w, map[byte]string{'v': w.token("viewer", "read"), 'e': expired.Secret, 'A': w.token("fvadmin", "full"), 'a': w.token("fvadmin", "read"), 'V': w.token("viewer", "full"),
		'S': w.token("alice", "full"), 's': w.token("alice", "read"), 'O': w.token("other", "full"), 'n': ""},
		strings.NewReplacer("{slice}", "alice", "{rule}", "a1", "{dpid}", "1", "{snapshot}", snap.ID, "{token}", hers.ID, "{callback}", hook.ID, "{account}", "viewer")}
}

// ask sends a request as a caller; only the status counts.
func (p *population) ask(who byte, method, path, body string) int {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.tokens[who] != "" {
		req.Header.Set("Authorization", "Bearer "+p.tokens[who])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestWhoMayCall tries every route as every kind of caller. Each attempt is made
// on a world of its own, so that none is refused for what another did.
func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	described := map[string]bool{}
	for _, row := range restTable {
		path, _, _ := strings.Cut(row.path, "?")
		described[row.method+" "+path] = true
	}
	for path, ops := range readSpec(t, newWorld(t).server).Paths {
		for method := range ops {
			if key := strings.ToUpper(method) + " " + strings.TrimPrefix(path, "/api/v1"); !described[key] {
				t.Errorf("%s is not in the table", key)
			}
		}
	}
	for _, row := range restTable {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			t.Parallel()
			p := populate(t)
			before := p.svc.Revision()
			for _, order := range []bool{false, true} { // those who may not come first
				for _, who := range []byte(callers) {
					may := may(row.who, who, row.method == http.MethodGet || row.path == "/trace")
					if may != order {
						continue
					}
					status := p.ask(who, row.method, "/api/v1"+p.vars.Replace(row.path), row.body)
					switch refused := status == 401 || status == 403 || status == 404; {
					case status >= 500:
						t.Errorf("%c: status %d", who, status)
					case may && refused && !consumed(row.method, status):
						t.Errorf("%c may, but got %d", who, status)
					case !may && !refused:
						t.Errorf("%c may not, but got %d", who, status)
					case (who == 'n' || who == 'e') && !may && status != 401:
						t.Errorf("nobody got %d", status)
					}
					if !may && p.changes() != before && row.method != "GET" {
						before = p.changes()
						t.Errorf("%c was refused, but something changed", who)
					}
				}
			}
		})
	}
}

// consumed: of several who may delete a thing the first one does.
func consumed(method string, status int) bool { return method == "DELETE" && status != 403 }

// changes is the revision; refusals are in the audit log, but change nothing.
func (p *population) changes() uint64 { return p.svc.Revision() }

// rpcTable says the same for JSON-RPC. A refusal is code -32600, or the same
// answer as for something that does not exist.
var rpcTable = []struct{ method, params, who string }{
	{"list-slices", ``, "AaVSsO"},
	{"add-slice", `{"slice-name":"new","controller-url":"tcp:h","admin-contact":"","password":""}`, "ASO"},
	{"update-slice", `{"slice-name":"alice","admin-contact":"x"}`, "AS"},
	{"remove-slice", `{"slice-name":"alice"}`, "AS"},
	{"update-slice-password", `{"slice-name":"alice","password":"p"}`, "AS"},
	{"update-admin-password", `{"password":"p"}`, "A"},
	{"list-slice-info", `{"slice-name":"alice"}`, "AaVSs"},
	{"list-slice-stats", `{"slice-name":"alice"}`, "AaVSs"},
	{"list-slice-health", `{"slice-name":"alice"}`, "AaVSs"},
	{"list-flowspace", `{}`, "AaVSsO"},
	{"add-flowspace", `[{"name":"new","dpid":"any","priority":1,"match":{},"slice-action":[{"slice-name":"alice","permission":7}]}]`, "A"},
	{"update-flowspace", `[{"name":"a1","priority":9}]`, "A"},
	{"remove-flowspace", `["a1"]`, "A"},
	{"list-fs-status", `{"fs-id":1}`, "AaVSsO"},
	{"list-version", ``, "AaVSsO"},
	{"save-config", ``, "Aa"},
	{"get-config", `{}`, "AaVSsO"},
	{"set-config", `{"track-flows":true}`, "A"},
	{"set-config", `{"flood-perm":{"slice-name":"alice"}}`, "A"},
	{"set-config", `{"flowmod-limit":{"slice-name":"alice","dpid":"any","limit":5}}`, "AS"},
	{"register-event-callback", `{"url":"http://127.0.0.1:9/","method":"m","event-type":"FLOWTABLE_CALLBACK","cookie":"c"}`, "AVSO"},
	{"unregister-event-callback", `{"method":"m","event-type":"GENERAL","cookie":"c"}`, "AVSO"},
	{"list-datapaths", ``, "AaVSsO"},
	{"list-datapath-info", `{"dpid":"1"}`, "AaVSs"},
	{"list-datapath-stats", `{"dpid":"1"}`, "AaV"},
	{"list-datapath-flowdb", `{"dpid":"1"}`, "AaVSs"},
	{"list-datapath-flowrewritedb", `{"slice-name":"alice","dpid":"1"}`, "AaVSs"},
	{"list-fv-health", ``, "AaVSsO"},
	{"list-links", ``, "AaVSsO"},
}

func TestWhoMayCallRPC(t *testing.T) {
	t.Parallel()
	var described []string
	for _, row := range rpcTable {
		described = append(described, row.method)
	}
	slices.Sort(described)
	if diff := cmp.Diff(api.RPCMethods(), slices.Compact(described)); diff != "" {
		t.Errorf("methods in the table (-there are +described):\n%s", diff)
	}
	for i, row := range rpcTable {
		t.Run(fmt.Sprint(row.method, " ", i), func(t *testing.T) {
			t.Parallel()
			p := populate(t)
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, row.method, orNull(row.params))
			before := p.changes()
			for _, order := range []bool{false, true} {
				for _, who := range []byte(callers) {
					may := may(row.who, who, strings.HasPrefix(row.method, "list-") || strings.HasPrefix(row.method, "get-"))
					if may != order {
						continue
					}
					status, code := p.call(who, strings.ReplaceAll(body, `"new"`, fmt.Sprintf(`"new-%c"`, who)))
					if who == 'n' || who == 'e' {
						if status != http.StatusUnauthorized {
							t.Errorf("nobody got %d", status)
						}
						continue
					}
					if row.method == "remove-slice" && may && status == http.StatusUnauthorized {
						continue // the one before removed the account
					}
					if status != http.StatusOK {
						t.Errorf("%c: HTTP %d", who, status)
					}
					if refused := code == -32600 || code == -32602 || code == -32603; may == refused && !(may && row.method == "remove-slice") {
						t.Errorf("%c: may %v, code %d", who, may, code)
					}
					if !may && p.changes() != before {
						before = p.changes()
						t.Errorf("%c was refused, but something changed", who)
					}
				}
			}
		})
	}
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func (p *population) call(who byte, body string) (status, code int) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/any/path", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.tokens[who] != "" {
		req.Header.Set("Authorization", "Bearer "+p.tokens[who])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	var out struct{ Error struct{ Code int } }
	_ = json.Unmarshal(text, &out) // not JSON when unauthorised
	return resp.StatusCode, out.Error.Code
}
