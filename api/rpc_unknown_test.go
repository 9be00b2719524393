package api_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/govisor/govisor/api"
	"github.com/govisor/govisor/internal/hypervisor"
)

// TestUnknownParameters: a parameter nobody knows is named and nothing is changed, wherever
// it stands: a misspelt one would otherwise be ignored. Methods without parameters ignore
// whatever comes, as FlowVisor did.
func TestUnknownParameters(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	tried := map[string]bool{}
	for _, row := range rpcTable {
		tried[row.method] = true
		if row.params == "" {
			if _, text := w.rpc(hypervisor.AdminName, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"bogus":1}}`, row.method)); strings.Contains(text, "bogus") {
				t.Errorf("%s without parameters: %s", row.method, text)
			}
			continue
		}
		for _, place := range objectsIn(row.params) {
			bad := row.params[:place+1] + `"bogus":1,` + row.params[place+1:]
			bad = strings.Replace(bad, `"bogus":1,}`, `"bogus":1}`, 1)
			before := w.svc.Revision()
			status, text := w.rpc(hypervisor.AdminName, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, row.method, bad))
			var out struct {
				Error struct {
					Code    int
					Message string
				}
			}
			if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 || out.Error.Code != -32602 || !strings.Contains(out.Error.Message, "bogus") || !strings.HasPrefix(out.Error.Message, row.method+": ") {
				if row.method == "remove-flowspace" {
					continue // names only
				}
				t.Errorf("%s %s: %d %s", row.method, bad, status, text)
			}
			if w.svc.Revision() != before {
				t.Errorf("%s %s changed something", row.method, bad)
			}
		}
	}
	for _, m := range api.RPCMethods() {
		if !tried[m] {
			t.Errorf("%s was not tried", m)
		}
	}
}

// objectsIn are the places of the opening braces in a JSON text without braces in texts.
func objectsIn(text string) (out []int) {
	for i, c := range text {
		if c == '{' {
			out = append(out, i)
		}
	}
	return out
}

// Every parameter that FlowVisor's own fvctl was recorded to send is known.
func TestRecordedParametersAreKnown(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	files, err := filepath.Glob("testdata/jsonrpc/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	request := regexp.MustCompile(`(?m)^> (\{.*\})$`)
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range request.FindAllStringSubmatch(string(text), -1) {
			n++
			if _, answer := w.rpc(hypervisor.AdminName, m[1]); strings.Contains(answer, "unknown parameter") && !strings.Contains(m[1], "bogus") {
				t.Errorf("%s\n%s", m[1], answer)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d recorded requests", n)
	}
}

// What list-flowspace writes can be given back to add-flowspace.
func TestListedRulesCanBeAdded(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	_, text := w.rpc(hypervisor.AdminName, `{"jsonrpc":"2.0","id":1,"method":"list-flowspace","params":{"show-disabled":true}}`)
	var listed struct{ Result []map[string]any }
	if err := json.Unmarshal([]byte(text), &listed); err != nil || len(listed.Result) == 0 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, r := range listed.Result {
		r["name"] = fmt.Sprint("again-", r["name"])
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "add-flowspace", "params": listed.Result})
	if err != nil {
		t.Fatal(err)
	}
	if _, text := w.rpc(hypervisor.AdminName, string(body)); !strings.Contains(text, `"result"`) {
		t.Error(text)
	}
}

// A field of a match without a proper value is refused, not read as 0 or as two fields.
func TestMatchValues(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	for _, match := range []string{`{"in_port":null}`, `{"in_port":"1,dl_vlan=5"}`, `{"in_port":true}`, `{"in_port":[1]}`, `{"in_port":""}`, `{"in_port":{}}`, `null`, `[]`, `""`} {
		if _, text := w.rpc(hypervisor.AdminName, `{"jsonrpc":"2.0","id":1,"method":"add-flowspace","params":[{"dpid":"any","priority":1,"match":`+match+`,"slice-action":[{"slice-name":"alice","permission":7}]}]}`); !strings.Contains(text, "-32602") {
			t.Errorf("%s: %s", match, text)
		}
	}
}
