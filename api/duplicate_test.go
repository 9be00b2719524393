package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/govisor/govisor/internal/hypervisor"
)

// TestFieldsGivenTwice: which of two values counts would depend on who reads them, so
// neither does.
func TestFieldsGivenTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	w.rule("shared", "1", 9, "dl_vlan=99", "alice")
	before := w.svc.Revision()
	post := func(path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(hypervisor.AdminName, adminPassword)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var text strings.Builder
		_ = resp.Write(&text)
		return resp.StatusCode, text.String()
	}
	for _, tc := range []struct{ path, body, field string }{
		{"/api/v1/slices", `{"name":"a","name":"b","controllers":["tcp:h"],"contact":""}`, "name"},
		{"/api/v1/slices", `{"name":"a","controllers":["tcp:h"],"contact":"","n\u0061me":"b"}`, "name"},
		{"/api/v1/slices", `{"name":"a","controllers":["tcp:h"],"contact":"","NAME":"b"}`, "NAME"},
		{"/api/v1/slices", `{"name":"a", "controllers" : ["tcp:h"] ,"contact":"\"name\":{","controllers":["tcp:i"]}`, "controllers"},
		{"/api/v1/flowspace/bulk", `{"changes":[{"op":"add","add":{"name":"x","dpids":["1"],"match":"any","priority":1,"grants":[{"slice":"alice","permission":7,"slice":"alice"}]}}]}`, "slice"},
		{"/api/v1/flowspace/bulk", `{"changes":[{"op":"update","ref":"shared","update":{"priority":1,"match":{"in_port":"1","in_port":"2"}}}]}`, "in_port"},
		{"/api/v1/flowspace/bulk", `{"changes":[],"changes":[]}`, "changes"},
		{"/", `{"jsonrpc":"2.0","id":1,"method":"remove-slice","params":{"slice-name":"nobody","slice-name":"alice"}}`, "slice-name"},
		{"/", `{"jsonrpc":"2.0","id":1,"method":"list-slices","method":"remove-slice","params":{"slice-name":"alice"}}`, "method"},
		{"/", `[{"jsonrpc":"2.0","id":1,"method":"list-slices","Method":"remove-slice","params":{"slice-name":"alice"}}]`, "Method"},
		{"/api/v1/apply", `{"govisor_config":1,"slices":[],"slices":[{"name":"a","controllers":["tcp:h"],"contact":""}]}`, "slices"},
	} {
		status, text := post(tc.path, tc.body)
		if want := map[bool]int{true: 200, false: 400}[tc.path == "/"]; status != want || !strings.Contains(text, `\"`+tc.field+`\" is there twice`) {
			t.Errorf("%s: %d %s", tc.body, status, text)
		}
	}
	if w.svc.Revision() != before {
		t.Error("something was changed")
	}
	for _, ok := range []struct{ path, body string }{
		{"/api/v1/slices", `{"name":"a","controllers":["tcp:h"],"contact":"name: \\\\"}`},
		{"/api/v1/flowspace/bulk", `{"changes":[{"op":"remove","ref":"shared"},{"op":"add","add":{"name":"ref","dpids":["1"],"match":"any","priority":1,"grants":[{"slice":"alice","permission":7},{"slice":"a","permission":7}]}}]}`},
	} {
		if status, text := post(ok.path, ok.body); status/100 != 2 {
			t.Errorf("%s: %d %s", ok.body, status, text)
		}
	}
	// Names of slices are keys in FlowVisor's configuration, and differ in case.
	w.slice("b")
	w.slice("B")
	export, _, err := w.admin.ExportConfig(t.Context(), "flowvisor", false)
	if err != nil {
		t.Fatal(err)
	}
	shared := strings.Replace(string(export), `"slice_action": [`, `"slice_action": [{"B": 4, "b": 2},`, 1)
	if _, err := w.admin.ImportConfig(t.Context(), []byte(shared), true); err != nil {
		t.Errorf("names that differ in case: %v", err)
	}
	if _, err := w.admin.ImportConfig(t.Context(), []byte(strings.Replace(shared, `"B": 4, "b": 2`, `"b": 4, "b": 2`, 1)), true); err == nil || !strings.Contains(err.Error(), `"b" is there twice`) {
		t.Errorf("a name that is there twice: %v", err)
	}
}
