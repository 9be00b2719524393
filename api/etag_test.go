package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/govisor/govisor/internal/hypervisor"
)

// Everything that can be changed has an ETag. A change made with one that is out of
// date is refused and changes nothing; with the present one it is made, and the
// answer has the next.
func TestIfMatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ read, method, write, body string }{
		{"/slices/alice", "PATCH", "/slices/alice", `{"contact":"new"}`},
		{"/slices/alice", "POST", "/slices/alice/disable", ``},
		{"/slices/alice", "DELETE", "/slices/alice", ``},
		{"/flowspace/a1", "PATCH", "/flowspace/a1", `{"priority":9}`},
		{"/flowspace/a1", "DELETE", "/flowspace/a1", ``},
		{"/datapaths/1", "PATCH", "/datapaths/1", `{"flood_perm":"alice"}`},
		{"/datapaths/1/limits/alice", "PUT", "/datapaths/1/limits/alice", `{"rate_limit":5}`},
		{"/settings", "PATCH", "/settings", `{"flow_tracking":true}`},
		{"/flowspace", "POST", "/flowspace", `{"name":"new","dpids":["1"],"priority":1,"match":"dl_vlan=9","grants":[{"slice":"alice","permission":7}]}`},
		{"/flowspace?limit=1", "POST", "/flowspace/bulk", `{"changes":[{"op":"update","ref":"a1","update":{"priority":9}}]}`},
		{"/slices/alice/flowspace", "POST", "/flowspace/bulk", `{"changes":[{"op":"remove","ref":"a1"}]}`},
		{"/config", "PUT", "/config", `{"govisor_config":1}`},
		{"/config", "POST", "/apply", `{"govisor_config":1,"slices":[{"name":"new","controllers":["tcp:h"],"contact":""}]}`},
	} {
		t.Run(tc.method+" "+tc.write, func(t *testing.T) {
			t.Parallel()
			w := fixture(t)
			ask := func(method, path, body, match string) (status int, tag, text string) {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), method, w.url+"/api/v1"+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+w.token(hypervisor.AdminName, "full"))
				if match != "" {
					req.Header.Set("If-Match", match)
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				out, _ := io.ReadAll(resp.Body)
				return resp.StatusCode, resp.Header.Get("ETag"), string(out)
			}
			_, tag, before := ask("GET", tc.read, "", "")
			if tag == "" {
				t.Fatalf("%s has no ETag: %s", tc.read, before)
			}
			if status, _, text := ask(tc.method, tc.write, tc.body, `"stale"`); status != http.StatusPreconditionFailed || !strings.Contains(text, `"stale"`) {
				t.Errorf("out of date: %d %s", status, text)
			}
			if _, again, after := ask("GET", tc.read, "", ""); again != tag || after != before {
				t.Errorf("a refused change changed something: %s %s", again, after)
			}
			status, next, text := ask(tc.method, tc.write, tc.body, `"other", `+tag)
			if status/100 != 2 {
				t.Fatalf("up to date: %d %s", status, text)
			}
			if next == tag {
				t.Errorf("after the change the ETag is the same: %s", next)
			}
			if status, _, text := ask(tc.method, tc.write, tc.body, tag); status != http.StatusPreconditionFailed && tc.method != "DELETE" {
				t.Errorf("a second time: %d %s", status, text)
			}
		})
	}
}

// dry_run tells whether a rule could be removed, and leaves it.
func TestDryRunOfARemoval(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.url+"/api/v1/flowspace/a1?dry_run=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token(hypervisor.AdminName, "full"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("status %d", resp.StatusCode)
	}
	if _, _, err := w.admin.GetRule(t.Context(), "a1"); err != nil {
		t.Errorf("the rule is gone: %v", err)
	}
}
