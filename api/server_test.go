package api_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api"
	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

const adminPassword = "correct horse"

// world is a service with both of its doors open.
type world struct {
	t      *testing.T
	svc    *hypervisor.Service
	server *api.Server
	url    string // plain HTTP, password needed
	admin  *client.Client
	tokens map[string]string
	stop   func() // before the end of the test
}

// token returns a token of an account: cheaper than a password.
func (w *world) token(account, scope string) string {
	w.t.Helper()
	key := account + " " + scope
	if w.tokens[key] == "" {
		t, err := w.svc.CreateToken(w.t.Context(), hypervisor.Local(), apitype.TokenCreate{Account: account, Scope: scope})
		if err != nil {
			w.t.Fatal(err)
		}
		w.tokens[key] = t.Secret
	}
	return w.tokens[key]
}

func (w *world) bearer(token string) *client.Client {
	w.t.Helper()
	c, err := client.New(client.Options{URL: w.url, Token: token})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, t.TempDir())
}

func newWorldIn(t *testing.T, dir string) *world {
	t.Helper()
	return newWorldWith(t, hypervisor.Options{Dir: dir})
}

func newWorldWith(t *testing.T, o hypervisor.Options) *world {
	t.Helper()
	o.AdminPassword, o.Version = adminPassword, "govisor-test"
	svc, err := hypervisor.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := api.New(svc, api.Options{})
	ts := httptest.NewServer(held(t, readSpec(t, server), server.Handler()))
	w := &world{t: t, svc: svc, server: server, url: ts.URL, tokens: map[string]string{}}
	w.stop = sync.OnceFunc(func() {
		ts.Close()
		if err := svc.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
	w.admin = w.as(hypervisor.AdminName, adminPassword)
	return w
}

func (w *world) as(user, password string) *client.Client {
	w.t.Helper()
	c, err := client.New(client.Options{URL: w.url, User: user, Password: password})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// local is a client on the unix socket.
func (w *world) local() *client.Client {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.server.ServeLocal(ctx, ln) }()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
	c, err := client.New(client.Options{URL: "unix:" + path})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// rule2 adds a rule with everything a rule can have.
func (w *world) rule2(c *client.Client) {
	w.t.Helper()
	if _, err := c.CreateRule(w.t.Context(), apitype.RuleCreate{Name: "full", DPIDs: []string{"1", "0xff00000000000001"}, Priority: 9,
		Match: "in_port=1-3,dl_type=0x0800,nw_dst=224.0.0.0/4,nw_proto=17,tp_dst=60000", Grants: []apitype.Grant{{Slice: "alice", Permission: 7}, {Slice: "bob", Permission: 2}},
		Queues: []uint32{1, 2}, ForcedQueue: new(uint32(2))}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) slice(name string) apitype.Slice {
	w.t.Helper()
	s, err := w.admin.CreateSlice(w.t.Context(), apitype.SliceCreate{Name: name, Controllers: []string{"tcp:127.0.0.1:6634"},
		Contact: name + "@example.com", Password: name + "-password"})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) rule(name, dpid string, prio uint32, match, slice string) apitype.Rule {
	w.t.Helper()
	r, err := w.admin.CreateRule(w.t.Context(), apitype.RuleCreate{Name: name, DPIDs: []string{dpid}, Priority: prio,
		Match: apitype.Match(match), Grants: []apitype.Grant{{Slice: slice, Permission: 7}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// wantKind fails unless err is a problem of that kind that says all of words.
func wantKind(t *testing.T, err error, kind apitype.Kind, words ...string) {
	t.Helper()
	p := client.AsProblem(err)
	if p == nil || p.Kind != kind {
		t.Errorf("error = %v, want kind %s", err, kind)
		return
	}
	text, _ := json.Marshal(p)
	for _, word := range words {
		if !strings.Contains(string(text), word) {
			t.Errorf("%s does not say %q", text, word)
		}
	}
}

func TestSliceLife(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	made := w.slice("fl-1")
	want := apitype.Slice{Name: "fl-1", Controllers: []string{"tcp:127.0.0.1:6634"}, Contact: "fl-1@example.com", DropPolicy: "exact",
		Enabled: true, FlowModLimit: -1, RateLimit: -1, FlowModRate: -1, PacketInRate: -1, Creator: "fvadmin", Created: made.Created}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	_, tag, err := w.admin.GetSlice(ctx, "fl-1")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := w.admin.UpdateSlice(ctx, "fl-1", apitype.SliceUpdate{Controllers: []string{"ssl:[::1]:1,ro+unix:/tmp/x"}, DropPolicy: new("rule"),
		Enabled: new(false), RateLimit: new(10)}, tag)
	if err != nil {
		t.Fatal(err)
	}
	want.Controllers, want.DropPolicy, want.Enabled, want.RateLimit = []string{"ssl:[::1]:1", "ro+unix:/tmp/x"}, "rule", false, 10
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	_, err = w.admin.UpdateSlice(ctx, "fl-1", apitype.SliceUpdate{Contact: new("x")}, tag)
	wantKind(t, err, apitype.KindStale)
	if err := w.admin.EnableSlice(ctx, "fl-1"); err != nil {
		t.Error(err)
	}
	if err := w.admin.DeleteSlice(ctx, "fl-1"); err != nil {
		t.Error(err)
	}
	wantKind(t, w.admin.DeleteSlice(ctx, "fl-1"), apitype.KindNotFound, "fl-1")
	if all, err := w.admin.ListSlices(ctx); err != nil || len(all) != 0 {
		t.Errorf("slices left: %v, %v", all, err)
	}
}

func TestFlowspaceLife(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("a")
	w.slice("b")
	r := w.rule("one", "00:00:00:00:00:00:00:02", 1000, "any", "a")
	want := apitype.Rule{ID: 1, Name: "one", DPIDs: []string{"00:00:00:00:00:00:00:02"}, Priority: 1000, Match: "any", Grants: []apitype.Grant{{Slice: "a", Permission: 7}}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	changed, err := w.admin.UpdateRule(ctx, "one", apitype.RuleUpdate{Priority: new(uint32(7)), ForcedQueue: new(int64(3))}, "")
	want.Priority, want.ForcedQueue = 7, new(uint32(3))
	if diff := cmp.Diff(want, changed); diff != "" || err != nil {
		t.Errorf("changed, %v (-want +got):\n%s", err, diff)
	}
	res, err := w.admin.BulkRules(ctx, []apitype.Change{
		{Op: "add", Add: &apitype.RuleCreate{Name: "two", DPIDs: []string{"any"}, Priority: 1, Match: "dl_vlan=100-199", Grants: []apitype.Grant{{Slice: "b", Permission: 4}}}},
		{Op: "update", Ref: "id:1", Update: &apitype.RuleUpdate{Match: new(apitype.Match("in_port=1|3"))}},
	}, false)
	if diff := cmp.Diff(apitype.BulkResult{Applied: true, IDs: []uint64{2, 1}, Datapaths: []string{"any", "00:00:00:00:00:00:00:02"}, Slices: []string{"a", "b"}}, res); diff != "" || err != nil {
		t.Errorf("bulk, %v (-want +got):\n%s", err, diff)
	}
	before, _ := w.admin.ListRules(ctx, apitype.RuleFilter{})
	_, err = w.admin.BulkRules(ctx, []apitype.Change{{Op: "remove", Ref: "one"}, {Op: "remove", Ref: "three"}}, false)
	wantKind(t, err, apitype.KindNotFound, `"index":1`, "three")
	if _, err := w.admin.BulkRules(ctx, []apitype.Change{{Op: "remove", Ref: "one"}}, true); err != nil {
		t.Error(err)
	}
	after, _ := w.admin.ListRules(ctx, apitype.RuleFilter{})
	if diff := cmp.Diff(before, after); diff != "" || len(after) != 2 {
		t.Errorf("a failed bulk or a dry run changed something (-before +after):\n%s", diff)
	}
	if err := w.admin.DeleteSlice(ctx, "b"); err != nil {
		t.Error(err)
	}
	rest, _ := w.admin.ListRules(ctx, apitype.RuleFilter{})
	if len(rest) != 1 || rest[0].Name != "one" || rest[0].Match != "in_port=1|3" {
		t.Errorf("after removing slice b: %v", rest)
	}
	if err := w.admin.DeleteRule(ctx, "one"); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("a")
	slice := func(name, url string) error {
		_, err := w.admin.CreateSlice(ctx, apitype.SliceCreate{Name: name, Controllers: []string{url}})
		return err
	}
	wantKind(t, slice("with space", "tcp:h"), apitype.KindInvalid, `"field":"name"`, "with space", "A-Z")
	wantKind(t, slice(strings.Repeat("x", 46), "tcp:h"), apitype.KindInvalid, "46 characters")
	wantKind(t, slice("", "tcp:h"), apitype.KindInvalid, "empty")
	wantKind(t, slice("..", "tcp:h"), apitype.KindInvalid, "path")
	wantKind(t, slice("<b>", "tcp:h"), apitype.KindInvalid)
	wantKind(t, slice("a\n", "tcp:h"), apitype.KindInvalid)
	wantKind(t, slice("x", "udp:h:1"), apitype.KindInvalid, `"field":"controllers"`, "udp", "tcp:HOST")
	wantKind(t, slice("x", "tcp:h:99999"), apitype.KindInvalid, "99999")
	wantKind(t, slice("x", "ptcp:6633"), apitype.KindInvalid, "ptcp")
	wantKind(t, slice("x", ""), apitype.KindInvalid, "controllers")
	wantKind(t, slice("x", "ro+tcp:h"), apitype.KindInvalid, "read-only")
	wantKind(t, slice("a", "tcp:h"), apitype.KindConflict, "already exists")
	wantKind(t, slice("fvadmin", "tcp:h"), apitype.KindConflict)

	rule := func(edit func(*apitype.RuleCreate)) error {
		r := apitype.RuleCreate{DPIDs: []string{"1"}, Match: "any", Grants: []apitype.Grant{{Slice: "a", Permission: 7}}}
		edit(&r)
		_, err := w.admin.CreateRule(ctx, r)
		return err
	}
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.DPIDs = []string{"00:00:00:00:00:00:00:00:1"} }), apitype.KindInvalid, "dpids")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.DPIDs = nil }), apitype.KindInvalid, "dpids")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Grants = nil }), apitype.KindInvalid, "grants")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Grants[0].Permission = 0 }), apitype.KindInvalid, "permission")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Grants[0].Slice = "nobody" }), apitype.KindUnresolved, "nobody", "unknown slice")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Match = "nw_src=10.0.0.0/33" }), apitype.KindInvalid, "nw_src")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Match = "nw_src=10.0.0.0/8" }), apitype.KindInvalid, "dl_type=0x0800")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Match = "frob=1" }), apitype.KindInvalid, "frob")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Match = "dl_vlan=200-100" }), apitype.KindInvalid, "dl_vlan")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Priority = 1 << 31 }), apitype.KindInvalid, "priority")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Name = strings.Repeat("n", 65) }), apitype.KindInvalid, "name")
	wantKind(t, rule(func(r *apitype.RuleCreate) { r.Match = "" }), apitype.KindInvalid, "match")

	_, err := w.admin.GetDatapath(ctx, "00:00:00:00:00:00:00:99")
	wantKind(t, err, apitype.KindNotFound)
	_, err = w.as("fvadmin", "wrong").ListSlices(ctx)
	wantKind(t, err, apitype.KindUnauthorized)
	_, err = w.as("", "").Version(ctx)
	wantKind(t, err, apitype.KindUnauthorized)
}

// post sends a body as it is.
func (w *world) post(method, path, body string) (int, apitype.Problem) {
	w.t.Helper()
	status, text := w.request(method, path, body)
	var p apitype.Problem
	_ = json.Unmarshal([]byte(text), &p) // not always JSON
	return status, p
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", "/api/v1/slices", "", 400, "body"},
		{"POST", "/api/v1/slices", "{", 400, "body"},
		{"POST", "/api/v1/slices", "[]", 400, "body"},
		{"POST", "/api/v1/slices", "{}", 400, "name"},
		{"POST", "/api/v1/slices", `{"name":5}`, 400, "name"},
		{"POST", "/api/v1/slices", `{"name":"x","frob":1}`, 400, "frob"},
		{"POST", "/api/v1/slices", `{"name":"x","controllers":["tcp:h"],"contact":""} {}`, 400, "body"},
		{"POST", "/api/v1/slices", `{"name":"x","controllers":["tcp:h"],"contact":"` + "\\u0007" + `"}`, 400, "contact"},
		{"POST", "/api/v1/slices", strings.Repeat("[", 100_000), 400, "body"},
		{"POST", "/api/v1/flowspace", `{"dpids":["any"],"match":"any","grants":[]}`, 400, "priority"},
		{"POST", "/api/v1/flowspace", `{"dpids":["any"],"priority":-1,"match":"any","grants":[]}`, 400, "priority"},
		{"POST", "/api/v1/slices", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, ""},
		{"PUT", "/api/v1/slices", "{}", 405, ""},
		{"GET", "/api/v1/nothing", "", 404, "path"},
		{"GET", "/api/v2/slices", "", 404, "path"},
		{"GET", "/api/v1/slices?frob=1", "", 400, "frob"},
		{"GET", "/api/v1/slices?limit=x", "", 400, "limit"},
		{"GET", "/api/v1/slices/..%2f..%2fetc", "", 404, "slice"},
		{"GET", "/api/v1/datapaths/00:00:00:00:00:00:00:00:1", "", 400, "dpid"},
	} {
		status, p := w.post(tc.method, tc.path, tc.body)
		if status != tc.status || p.Field != tc.field || p.Detail == "" || p.Status != status {
			t.Errorf("%s %s %.60q: %d, %+v; want %d, field %q", tc.method, tc.path, tc.body, status, p, tc.status, tc.field)
		}
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("a")
	var changes []apitype.Change
	for i := range 25 {
		changes = append(changes, apitype.Change{Op: "add", Add: &apitype.RuleCreate{DPIDs: []string{"any"}, Priority: uint32(i % 3), Match: "any",
			Grants: []apitype.Grant{{Slice: "a", Permission: 2}}}})
	}
	if _, err := w.admin.BulkRules(ctx, changes, false); err != nil {
		t.Fatal(err)
	}
	whole, err := w.admin.ListRules(ctx, apitype.RuleFilter{})
	if err != nil || len(whole) != 25 {
		t.Fatal(len(whole), err)
	}
	var pages []apitype.Rule
	var after uint64
	for {
		page, err := w.admin.ListRules(ctx, apitype.RuleFilter{Limit: 7, After: after})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		pages = append(pages, page...)
		after = page[len(page)-1].ID
	}
	if diff := cmp.Diff(whole, pages); diff != "" {
		t.Errorf("pages (-whole +pages):\n%s", diff)
	}
}

func TestSocketNeedsNoPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "api.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.server.ServeLocal(ctx, ln) }()
	c, err := client.New(client.Options{URL: "unix:" + path})
	if err != nil {
		t.Fatal(err)
	}
	who, err := c.Whoami(t.Context())
	if err != nil || who.Account != "fvadmin" || who.Via != "socket" {
		t.Errorf("whoami = %+v, %v", who, err)
	}
	events := make(chan apitype.Event, 10)
	go func() {
		_ = c.Events(t.Context(), 0, func(e apitype.Event) error { events <- e; return nil }) // ends with the server
		close(events)
	}()
	tick := time.NewTicker(5 * time.Millisecond) // until the subscription is there
	defer tick.Stop()
	for heard := false; !heard; {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatal("the event stream ended")
			}
			heard = e.Type == "hello"
		case <-tick.C:
			w.svc.Emit("hello", "", "", "")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	for range events {
	}
	_, err = c.Whoami(t.Context())
	wantKind(t, err, apitype.KindUnreachable)
}

func hypervisorDPID(n uint64) ofwire.DatapathID { return ofwire.DatapathID(n) }
