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
// scope read, the slice that made it, another slice, an expired token of the
// administrator, and nobody; then certificates: of the administrator, the viewer, the
// slice, and one with the slice's name that is not an account's.
const callers = "AaVvSsPOenFWCx"

// sameAs has the kinds of caller that may what another kind may.
var sameAs = map[byte]byte{'F': 'A', 'W': 'V', 'C': 'S', 'e': 'n', 'x': 'n'}

// nobody reports whether nobody can be who is calling.
func nobody(who byte) bool { return who == 'n' || sameAs[who] == 'n' }

// may reads a row: v may what V may if it reads only.
func may(row string, who byte, reads bool) bool {
	if who == 'v' {
		return reads && strings.IndexByte(row, 'V') >= 0
	}
	if same, ok := sameAs[who]; ok {
		who = same
	}
	return strings.IndexByte(row, who) >= 0
}

// restTable says for each route who may: the letters of callers. {slice} is
// alice, {rule} one of hers, {dpid} 1, {snapshot}, {token}, {callback} and {account} exist.
var restTable = []struct{ method, path, body, who string }{
	{"GET", "/version", "", "AaVSsPO"},
	{"GET", "/health", "", "AaVSsPO"},
	{"GET", "/live", "", "AaVSsPOn"},
	{"GET", "/ready", "", "AaVSsPOn"},
	{"GET", "/openapi.json", "", "AaVSsPOn"},
	{"GET", "/whoami", "", "AaVSsPO"},
	{"GET", "/settings", "", "AaVSsPO"},
	{"PATCH", "/settings", `{"flow_tracking":true}`, "A"},
	{"PATCH", "/settings", `{"flowmod_limits":[{"slice":"alice","dpid":"1","limit":5}]}`, "ASP"},
	{"PATCH", "/settings", `{"flood_perms":[{"slice":"alice","dpid":"1"}]}`, "A"},
	{"GET", "/links", "", "AaVSsPO"},
	{"GET", "/backup", "", "A"},
	{"GET", "/slices", "", "AaVSsPO"},
	{"POST", "/slices", `{"name":"new","controllers":["tcp:h"],"contact":""}`, "ASPO"}, // both have space to pass on
	{"GET", "/slices/{slice}", "", "AaVSsP"},
	{"PATCH", "/slices/{slice}", `{"contact":"x"}`, "ASP"},
	{"DELETE", "/slices/{slice}", "", "ASP"},
	{"POST", "/slices/{slice}/enable", "", "ASP"},
	{"POST", "/slices/{slice}/disable", "", "ASP"},
	{"PUT", "/slices/{slice}/password", `{"password":"new"}`, "ASP"},
	{"GET", "/slices/{slice}/flowspace", "", "AaVSsP"},
	{"GET", "/slices/{slice}/health", "", "AaVSsP"},
	{"GET", "/slices/{slice}/stats", "", "AaVSsP"},
	{"GET", "/slices/{slice}/limits", "", "AaVSsP"},
	{"GET", "/flowspace", "", "AaVSsPO"},
	{"POST", "/flowspace", `{"name":"new","dpids":["any"],"priority":1,"match":"any","grants":[{"slice":"alice","permission":7}]}`, "A"},
	{"POST", "/flowspace/bulk", `{"changes":[{"op":"update","ref":"a1","update":{"priority":4}}]}`, "A"},
	{"GET", "/flowspace/conflicts", "", "AaVSsPO"},
	{"GET", "/flowspace/free?field=dl_vlan", "", "AaVSsPO"},
	{"GET", "/flowspace/{rule}", "", "AaVSsP"},
	{"PATCH", "/flowspace/{rule}", `{"priority":3}`, "A"},
	{"DELETE", "/flowspace/{rule}", "", "A"},
	{"GET", "/datapaths", "", "AaVSsPO"},
	{"GET", "/datapaths/{dpid}", "", "AaVSsP"},
	{"PATCH", "/datapaths/{dpid}", `{"flood_perm":"alice"}`, "A"},
	{"GET", "/datapaths/{dpid}/ports", "", "AaVSsP"},
	{"GET", "/datapaths/{dpid}/stats", "", "AaV"},
	{"GET", "/datapaths/{dpid}/flows", "", "AaVSsP"},
	{"GET", "/datapaths/{dpid}/slices/{slice}/flows", "", "AaVSsP"},
	{"GET", "/datapaths/{dpid}/limits/{slice}", "", "AaVSsP"},
	{"PUT", "/datapaths/{dpid}/limits/{slice}", `{"rate_limit":5}`, "ASP"},
	{"GET", "/accounts", "", "Aa"},
	{"POST", "/accounts", `{"name":"new","password":"p"}`, "A"},
	{"DELETE", "/accounts/{account}", "", "A"},
	{"PUT", "/accounts/{account}/password", `{"password":"p"}`, "AV"},
	{"GET", "/tokens", "", "AaVSsPO"},
	{"POST", "/tokens", `{"name":"t"}`, "AVSPO"},
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
	{"GET", "/events", "", "AaVSsPO"},
	{"GET", "/callbacks", "", "AaVSsPO"},
	{"POST", "/callbacks", `{"url":"http://127.0.0.1:9/","method":"m","event":"GENERAL","cookie":"c"}`, "AVSPO"},
	{"DELETE", "/callbacks/{callback}", "", "AS"},
	{"POST", "/trace", `{"dpid":"1","header":"in_port=1"}`, "AaV"},
	{"POST", "/trace", `{"dpid":"1","slice":"alice","flow_mod":"actions=drop"}`, "AaVSsP"},
}

// population is a world with one of each kind of caller.
type population struct {
	*world
	url    string // with certificates
	tokens map[byte]string
	vars   *strings.Replacer
}

func populate(t *testing.T) *population {
	w, ctx := newWorld(t), t.Context()
	w.admin = w.bearer(w.token(hypervisor.AdminName, "full"))
	make := func(name string) {
		t.Helper()
		if _, err := w.admin.CreateSlice(ctx, apitype.SliceCreate{Name: name, Controllers: []string{"tcp:h"}}); err != nil {
			t.Fatal(err)
		}
	}
	make("other")
	make("parent")
	w.rule("p1", "3", 5, "any", "parent")
	parent := hypervisor.Principal{Account: "parent", Role: hypervisor.RoleSlice, Scope: hypervisor.ScopeFull}
	if _, err := w.svc.CreateSlice(ctx, parent, hypervisor.SliceSpec{Name: "alice", SlicePatch: hypervisor.SlicePatch{Controllers: []string{"tcp:h"}}}); err != nil {
		t.Fatal(err)
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
	hook, err := w.bearer(w.token("alice", "full")).CreateCallback(ctx, apitype.CallbackCreate{URL: "http://127.0.0.1:9/hers", Method: "m", Event: "GENERAL"})
	if err != nil {
		t.Fatal(err)
	}
	var expires time.Time
	var expired apitype.Token
	for life := 20 * time.Millisecond; expired.Secret == ""; life *= 2 { // none can be made that has expired already
		expires = time.Now().Add(life)
		if expired, err = w.svc.CreateToken(ctx, hypervisor.Local(), apitype.TokenCreate{Expires: expires}); err != nil && life > time.Minute {
			t.Fatal(err)
		}
	}
	<-time.After(time.Until(expires))
	return &population{w, certified(t, w.server.Handler()), map[byte]string{'v': w.token("viewer", "read"), 'e': expired.Secret, 'A': w.token("fvadmin", "full"), 'a': w.token("fvadmin", "read"), 'V': w.token("viewer", "full"),
		'P': w.token("parent", "full"), 'S': w.token("alice", "full"), 's': w.token("alice", "read"), 'O': w.token("other", "full"), 'n': ""},
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
	p.identify(req, who)
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
					case nobody(who) && !may && status != 401:
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
	{"list-slices", ``, "AaVSsPO"},
	{"add-slice", `{"slice-name":"new","controller-url":"tcp:h","admin-contact":"","password":""}`, "ASPO"},
	{"update-slice", `{"slice-name":"alice","admin-contact":"x"}`, "ASP"},
	{"remove-slice", `{"slice-name":"alice"}`, "ASP"},
	{"update-slice-password", `{"slice-name":"alice","password":"p"}`, "ASP"},
	{"update-admin-password", `{"password":"p"}`, "A"},
	{"list-slice-info", `{"slice-name":"alice"}`, "AaVSsP"},
	{"list-slice-stats", `{"slice-name":"alice"}`, "AaVSsP"},
	{"list-slice-health", `{"slice-name":"alice"}`, "AaVSsP"},
	{"list-flowspace", `{}`, "AaVSsPO"},
	{"add-flowspace", `[{"name":"new","dpid":"any","priority":1,"match":{},"slice-action":[{"slice-name":"alice","permission":7}]}]`, "A"},
	{"update-flowspace", `[{"name":"a1","priority":9}]`, "A"},
	{"remove-flowspace", `["a1"]`, "A"},
	{"list-fs-status", `{"fs-id":1}`, "AaVSsPO"},
	{"list-version", ``, "AaVSsPO"},
	{"save-config", ``, "Aa"},
	{"get-config", `{}`, "AaVSsPO"},
	{"set-config", `{"track-flows":true}`, "A"},
	{"set-config", `{"flood-perm":{"slice-name":"alice"}}`, "A"},
	{"set-config", `{"flowmod-limit":{"slice-name":"alice","dpid":"any","limit":5}}`, "ASP"},
	{"register-event-callback", `{"url":"http://127.0.0.1:9/","method":"m","event-type":"FLOWTABLE_CALLBACK","cookie":"c"}`, "AVSPO"},
	{"unregister-event-callback", `{"method":"m","event-type":"GENERAL","cookie":"c"}`, "AVSPO"},
	{"list-datapaths", ``, "AaVSsPO"},
	{"list-datapath-info", `{"dpid":"1"}`, "AaVSsP"},
	{"list-datapath-stats", `{"dpid":"1"}`, "AaV"},
	{"list-datapath-flowdb", `{"dpid":"1"}`, "AaVSsP"},
	{"list-datapath-flowrewritedb", `{"slice-name":"alice","dpid":"1"}`, "AaVSsP"},
	{"list-fv-health", ``, "AaVSsPO"},
	{"list-links", ``, "AaVSsPO"},
}

// wantDescribed holds a table of who may call what to the methods there are.
func wantDescribed(t *testing.T, methods, described []string) {
	t.Helper()
	slices.Sort(described)
	if diff := cmp.Diff(methods, slices.Compact(described)); diff != "" {
		t.Errorf("methods in the table (-there are +described):\n%s", diff)
	}
}

func TestWhoMayCallRPC(t *testing.T) {
	t.Parallel()
	var described []string
	for _, row := range rpcTable {
		described = append(described, row.method)
	}
	wantDescribed(t, api.RPCMethods(), described)
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
					if nobody(who) {
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
					if refused := code == -32600 || code == -32602 || code == -32603; may == refused && !(may && strings.HasPrefix(row.method, "remove-")) {
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
	p.identify(req, who)
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
