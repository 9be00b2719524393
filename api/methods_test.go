package api_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// heading sends a request without a body and returns the answer with what it has for one.
func (p *population) heading(who byte, method, path string) (*http.Response, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.identify(req, who)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if method == http.MethodGet && strings.HasSuffix(path, "/events") {
		return resp, "" // has no end
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, string(text)
}

// TestHead: HEAD is GET without the body, also of what has no end, for whom GET is for.
func TestHead(t *testing.T) {
	t.Parallel()
	p := populate(t)
	n := 0
	for path, ops := range readSpec(t, p.server).Paths {
		if _, ok := ops["get"]; !ok {
			continue
		}
		path = p.vars.Replace(path)
		if strings.HasSuffix(path, "/free") {
			path += "?field=dl_vlan"
		}
		n++
		for _, who := range []byte("AOn") {
			get, _ := p.heading(who, http.MethodGet, path)
			head, body := p.heading(who, http.MethodHead, path)
			if get.StatusCode != head.StatusCode || get.Header.Get("Content-Type") != head.Header.Get("Content-Type") || get.Header.Get("ETag") != head.Header.Get("ETag") || body != "" {
				t.Errorf("%c %s: GET %d %v, HEAD %d %v %q", who, path, get.StatusCode, get.Header, head.StatusCode, head.Header, body)
			}
			if head.StatusCode == http.StatusMethodNotAllowed || who == 'A' && head.StatusCode != http.StatusOK {
				t.Errorf("%c HEAD %s: %d", who, path, head.StatusCode)
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d paths", n)
	}
	put, _ := p.heading('A', http.MethodPut, "/api/v1/slices/alice")
	if allow := strings.Split(put.Header.Get("Allow"), ", "); put.StatusCode != http.StatusMethodNotAllowed || !slices.Equal(allow, []string{"DELETE", "GET", "HEAD", "PATCH"}) {
		t.Errorf("%d, Allow %v", put.StatusCode, allow)
	}
}

// TestBodiesNobodyReads: what is sent to a route that takes no body is refused, as fields
// that are not known are, and nothing happens.
func TestBodiesNobodyReads(t *testing.T) {
	t.Parallel()
	for _, row := range restTable {
		if row.method == http.MethodGet || row.body != "" || row.path == "/slices/{slice}/password" {
			continue
		}
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			t.Parallel()
			p := populate(t)
			before := p.changes()
			for _, body := range []string{`{"enabled":false}`, `[]`, `x`, `null`, `{"a":`} {
				if status := p.ask('A', row.method, "/api/v1"+p.vars.Replace(row.path), body); status != http.StatusBadRequest {
					t.Errorf("%s: %d", body, status)
				}
			}
			if p.changes() != before {
				t.Error("something was changed")
			}
			if status := p.ask('A', row.method, "/api/v1"+p.vars.Replace(row.path), ` {} `); status/100 != 2 {
				t.Errorf("an empty object: %d", status)
			}
		})
	}
}

// TestGapsInLists: a list of datapaths with nothing between two commas is refused
// everywhere; a script's empty variable is the usual reason.
func TestGapsInLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	for text, ok := range map[string]bool{"1,2": true, "1, 2": true, "1|2": true, "1 2": true, "1,,2": false, "1,": false, ",1": false, "1,|2": false, "1, ,2": false, "": false, ",": false, " ": false, "any,": false} {
		name := "r" + strings.NewReplacer(",", "c", " ", "s", "|", "p").Replace(text)
		_, answer := w.rpc(hypervisor.AdminName, `{"jsonrpc":"2.0","id":1,"method":"add-flowspace","params":[{"name":"`+name+`","dpid":"`+text+`","priority":1,"match":{},"slice-action":[{"slice-name":"alice","permission":7}]}]}`)
		if strings.Contains(answer, `"result"`) != ok || !ok && !strings.Contains(answer, "-32602") {
			t.Errorf("JSON-RPC, %q: %s", text, answer)
		}
		if strings.ContainsAny(text, " |") || text == "" {
			continue
		}
		if _, err := w.admin.Free(t.Context(), "dl_vlan", strings.Split(text, ",")); (err == nil) != ok {
			t.Errorf("free, %q: %v", text, err)
		}
		_, err := w.admin.CreateRule(t.Context(), apitype.RuleCreate{Name: "rest" + name, DPIDs: strings.Split(text, ","), Match: "any", Grants: []apitype.Grant{{Slice: "alice", Permission: 7}}})
		if (err == nil) != ok {
			t.Errorf("REST, %q: %v", text, err)
		}
	}
}

// A callback must say which method to call.
func TestCallbackNeedsAMethod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.svc.UpdateSettings(t.Context(), hypervisor.Local(), hypervisor.SettingsPatch{CallbackAllow: new("127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"GENERAL", "DEVICE_CONNECTED", "FLOWTABLE_CALLBACK"} {
		_, err := w.admin.CreateCallback(t.Context(), apitype.CallbackCreate{URL: "http://127.0.0.1:9/", Event: event, Cookie: "c"})
		wantKind(t, err, apitype.KindInvalid, "method")
		if _, text := w.rpc(hypervisor.AdminName, `{"jsonrpc":"2.0","id":1,"method":"register-event-callback","params":{"url":"http://127.0.0.1:9/","method":"","event-type":"`+event+`","cookie":"c"}}`); !strings.Contains(text, "-32602") {
			t.Error(text)
		}
	}
	if diff := cmp.Diff(0, len(w.svc.Callbacks(hypervisor.Local()))); diff != "" {
		t.Error(diff)
	}
}
