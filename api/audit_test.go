package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// secrets are what the rows of the tables set, and what must be in no log.
var secrets = []string{"correct horse", "s3cr3t", "argon2", `"p"`}

// audited returns the entries after the last one of before.
func (w *world) audited(before uint64) []apitype.AuditEntry {
	w.t.Helper()
	all, _, err := w.svc.Audit(hypervisor.Local(), 0, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []apitype.AuditEntry
	for _, e := range all {
		if e.ID > before {
			out = append(out, e)
		}
	}
	return out
}

func newest(entries []apitype.AuditEntry) (id uint64) {
	for _, e := range entries {
		id = max(id, e.ID)
	}
	return id
}

// TestEveryChangeIsAudited makes each change that REST and JSON-RPC have as who may and tries
// it as who may not: the audit log says who, from where, what, and whether it was done,
// and never a secret.
func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	type attempt struct{ what, method, path, body, who string }
	var all []attempt
	for _, row := range restTable {
		if row.method == http.MethodGet || row.path == "/trace" || strings.Contains(row.path, "dry_run") || strings.Contains(row.path, "callback") {
			continue
		}
		all = append(all, attempt{row.method + " " + row.path, row.method, "/api/v1" + row.path, strings.ReplaceAll(row.body, `"password":"p"`, `"password":"s3cr3t"`), row.who})
	}
	for _, row := range rpcTable {
		if strings.HasPrefix(row.method, "list-") || row.method == "get-config" || row.method == "save-config" || row.method == "unregister-event-callback" {
			continue
		}
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, row.method, strings.ReplaceAll(row.params, `"password":"p"`, `"password":"s3cr3t"`))
		all = append(all, attempt{row.method + " " + row.params, http.MethodPost, "/", body, row.who})
	}
	for _, a := range all {
		t.Run(a.what, func(t *testing.T) {
			t.Parallel()
			p := populate(t)
			last := newest(p.audited(0))
			if !strings.ContainsRune(a.who, 'O') && a.path != "/api/v1/tokens" && !strings.HasPrefix(a.path, "/api/v1/tokens/") {
				p.ask('O', a.method, p.vars.Replace(a.path), a.body)
				for _, e := range p.audited(last) {
					if e.OK || e.Who != "other" || e.Action == "" {
						t.Errorf("refused, and audited as %+v", e)
					}
				}
				last = newest(p.audited(0))
			}
			if status := p.ask('A', a.method, p.vars.Replace(a.path), a.body); status/100 != 2 {
				t.Fatalf("status %d", status)
			}
			entries := p.audited(last)
			done := 0
			for _, e := range entries {
				if e.OK && e.Who == hypervisor.AdminName && e.From != "" && e.Action != "" && !e.Time.IsZero() {
					done++
				}
			}
			if done != 1 && !(a.what == "DELETE /slices/{slice}" || strings.HasPrefix(a.what, "remove-slice")) {
				t.Errorf("%d entries: %+v", done, entries)
			}
			text, err := json.Marshal(p.audited(0))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range secrets {
				if strings.Contains(string(text), s) {
					t.Errorf("%q is in the audit log: %s", s, text)
				}
			}
		})
	}
}

// TestEventStream breaks a stream of events off and goes on where it ended; a slice's
// account is sent what concerns it only.
func TestEventStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("red")
	follow := func(account, query, last string, n int) (ids []string, types []string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v1/events"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.token(account, "read"))
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if ct := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || ct != "text/event-stream" {
			t.Fatalf("%d %s", resp.StatusCode, ct)
		}
		for s := bufio.NewScanner(resp.Body); len(types) < n && s.Scan(); {
			if id, ok := strings.CutPrefix(s.Text(), "id: "); ok {
				ids = append(ids, id)
			}
			if typ, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				types = append(types, typ)
			}
		}
		return ids, types
	}
	w.slice("blue")
	w.rule("r", "1", 5, "any", "red")
	ids, types := follow(hypervisor.AdminName, "?after=0", "", 3)
	if diff := cmp.Diff([]string{"slice-created", "slice-created", "flowspace-changed"}, types); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if err := w.admin.DeleteRule(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if err := w.admin.DeleteSlice(t.Context(), "blue"); err != nil {
		t.Fatal(err)
	}
	want := []string{"slice-created", "flowspace-changed", "flowspace-changed", "slice-removed"}
	for _, how := range [][2]string{{"", ids[0]}, {"?after=" + ids[0], ""}, {"?after=999999", ids[0]}} {
		if _, types := follow(hypervisor.AdminName, how[0], how[1], 4); !cmp.Equal(want, types) {
			t.Errorf("after %v: %v", how, types)
		}
	}
	// An id from before a restart: nothing of what happened since is left out.
	if _, types := follow(hypervisor.AdminName, "", "999999", 5); !cmp.Equal(append([]string{"slice-created"}, want...), types) {
		t.Errorf("after a restart: %v", types)
	}
	if _, err := w.admin.UpdateSlice(t.Context(), "red", apitype.SliceUpdate{Contact: new("x")}, ""); err != nil {
		t.Fatal(err)
	}
	if _, types := follow("red", "?after=0", "", 2); !cmp.Equal([]string{"slice-created", "slice-updated"}, types) {
		t.Errorf("red hears %v", types)
	}
	for _, bad := range []string{"?after=x", "?after=-1", "?after=18446744073709551616"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v1/events"+bad, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.token("red", "read"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, resp.StatusCode)
		}
	}
}

// TestNotReadyWhileStopping: who asks whether to send requests here is told no from the
// moment the server begins to stop; that it is alive it goes on saying.
func TestNotReadyWhileStopping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status := func(path string) int {
		rec := httptest.NewRecorder()
		w.server.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1"+path, nil))
		return rec.Code
	}
	if status("/ready") != http.StatusOK || status("/live") != http.StatusOK {
		t.Errorf("ready %d, live %d", status("/ready"), status("/live"))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.server.Serve(ctx, ln, nil); err != nil {
		t.Fatal(err)
	}
	if status("/ready") != http.StatusServiceUnavailable || status("/live") != http.StatusOK {
		t.Errorf("while stopping: ready %d, live %d", status("/ready"), status("/live"))
	}
}

// TestRequestIDsOutliveARestart: what add-flowspace answered with can be asked about after
// a restart, and what was never given out is unknown.
func TestRequestIDsOutliveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorldIn(t, dir)
	w.slice("alice")
	ask := func(method, params string) any {
		t.Helper()
		_, text := w.rpc(hypervisor.AdminName, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params))
		var out struct{ Result any }
		if err := json.Unmarshal([]byte(text), &out); err != nil || out.Result == nil {
			t.Fatalf("%s: %s", method, text)
		}
		return out.Result
	}
	id := ask("add-flowspace", `[{"name":"r","dpid":"any","priority":1,"match":{},"slice-action":[{"slice-name":"alice","permission":7}]}]`)
	for range 2 {
		if got := ask("list-fs-status", fmt.Sprintf(`{"fs-id":%v}`, id)); got != "SUCCESS" {
			t.Errorf("%v: %v", id, got)
		}
		for _, n := range []string{"0", "-1", "999999"} {
			if got := ask("list-fs-status", `{"fs-id":`+n+`}`); got != "UNKNOWN" {
				t.Errorf("%s: %v", n, got)
			}
		}
		w.stop()
		w = newWorldIn(t, dir)
	}
}
