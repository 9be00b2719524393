package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/hypervisor"
)

// TestXMLRPC runs the conversation in testdata/xmlrpc.txt: "@ account", then
// "> METHOD|ARG|ARG" and "< " the value of the answer. changeFlowSpace takes
// key=value pairs, each argument one change.
func TestXMLRPC(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/xmlrpc.txt")
	if err != nil {
		t.Fatal(err)
	}
	w := fixture(t)
	h := w.server.XMLRPCHandler()
	var got bytes.Buffer
	account := hypervisor.AdminName
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "< ") {
			continue
		}
		got.WriteString(line)
		if name, ok := strings.CutPrefix(line, "@ "); ok {
			account = strings.TrimSpace(name)
		}
		if call, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "> "); ok {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/xmlrpc", strings.NewReader(xmlBody(call)))
			req.Header.Set("Authorization", "Bearer "+w.token(account, "full"))
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if rec.Code != http.StatusOK {
				t.Errorf("%s: HTTP %d", call, rec.Code)
			}
			answer := strings.TrimSpace(rec.Body.String())
			answer = answer[strings.Index(answer, "<methodResponse>"):]
			got.WriteString("< " + strings.NewReplacer("<methodResponse><params><param>", "", "</param></params></methodResponse>", "", "\n", "\\n").Replace(answer) + "\n")
		}
	}
	if *update {
		if err := os.WriteFile("testdata/xmlrpc.txt", got.Bytes(), 0o644); err != nil { //nolint:gosec // test data
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/xmlrpc", strings.NewReader(xmlBody("api.listSlices"))))
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("nobody got %d", rec.Code)
	}
}

func xmlBody(call string) string {
	parts := strings.Split(call, "|")
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?><methodCall><methodName>" + parts[0] + "</methodName><params>")
	if parts[0] == "api.changeFlowSpace" {
		b.WriteString("<param><value><array><data>")
		for _, change := range parts[1:] {
			b.WriteString("<value><struct>")
			for pair := range strings.SplitSeq(change, ";") {
				k, v, _ := strings.Cut(pair, ":")
				b.WriteString("<member><name>" + k + "</name><value><string>" + v + "</string></value></member>")
			}
			b.WriteString("</struct></value>")
		}
		b.WriteString("</data></array></value></param>")
	} else {
		for _, arg := range parts[1:] {
			b.WriteString("<param><value>" + arg + "</value></param>") // untyped is a string
		}
	}
	return b.String() + "</params></methodCall>"
}

// An account has one callback for changes of the topology.
func TestXMLRPCTopologyCallback(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	if _, err := w.svc.UpdateSettings(t.Context(), hypervisor.Local(), hypervisor.SettingsPatch{CallbackAllow: new("127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	h := w.server.XMLRPCHandler()
	for _, step := range []struct{ account, call, want string }{
		{"fvadmin", "api.registerTopologyChangeCallback|http://127.0.0.1:9/a|m1|noc", "<boolean>1</boolean>"},
		{"fvadmin", "api.registerTopologyChangeCallback|http://127.0.0.1:9/b|m2|noc", "<boolean>1</boolean>"},
		{"alice", "api.getTopologyCallback", "<string>No callback defined yet</string>"},
		{"alice", "api.unregisterTopologyChangeCallback", "<boolean>0</boolean>"},
		{"fvadmin", "api.getTopologyCallback", "<string>http://127.0.0.1:9/b -- XMLRPC method name=m2</string>"},
		{"fvadmin", "api.unregisterTopologyChangeCallback", "<boolean>1</boolean>"},
		{"fvadmin", "api.getTopologyCallback", "<string>No callback defined yet</string>"},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/xmlrpc", strings.NewReader(xmlBody(step.call)))
		req.Header.Set("Authorization", "Bearer "+w.token(step.account, "full"))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if !strings.Contains(rec.Body.String(), step.want) {
			t.Errorf("%s %s: %s", step.account, step.call, rec.Body)
		}
	}
}

// What is no call, or has a list where text is wanted, is a fault that says so.
func TestXMLRPCFaults(t *testing.T) {
	w := newWorld(t)
	h := w.server.XMLRPCHandler()
	for _, tt := range []struct{ body, want string }{
		{"<html>", "the body is not an XML-RPC call"},
		{"<methodCall><methodName>api.ping</methodName><params><param><value><array><data><value>x</value></data></array></value></param></params></methodCall>", "ping: argument 1 is not text"},
		{"<methodCall><methodName>api.changeFlowSpace</methodName><params><param><value>x</value></param></params></methodCall>", "changeFlowSpace takes a list of changes"},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/xmlrpc", strings.NewReader(tt.body))
		req.Header.Set("Authorization", "Bearer "+w.token("fvadmin", "full"))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if got := rec.Body.String(); !strings.Contains(got, "<fault>") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want a fault that says %q", tt.body, got, tt.want)
		}
	}
}

// A change says all that a rule is made of, and nothing else: what is left out or misspelt
// would make the rule match everything.
func TestXMLRPCChangesAreWhole(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	h := w.server.XMLRPCHandler()
	before := w.svc.Revision()
	for change, want := range map[string]string{
		"operation:ADD;dpid:2;priority:1;actions:Slice:alice=7":                           "match is missing",
		"operation:ADD;dpid:2;priority:1;mach:in_port=1;actions:Slice:alice=7":            "unknown member &#34;mach&#34;",
		"operation:ADD;dpid:2;priority:1;match:in_port=1;match:any;actions:Slice:alice=7": "match is there twice",
		"operation:ADD;dpid:2;match:any;actions:Slice:alice=7":                            "priority is missing",
		"operation:ADD;priority:1;match:any;actions:Slice:alice=7":                        "dpid is missing",
		"operation:ADD;dpid:2;priority:1;match:any":                                       "actions is missing",
		"operation:CHANGE;id:1;dpid:2;priority:1;actions:Slice:alice=7":                   "match is missing",
		"operation:CHANGE;dpid:2;priority:1;match:any;actions:Slice:alice=7":              "id is missing",
		"operation:REMOVE":                                  "id is missing",
		"operation:REMOVE;id:1;priority:1;name:x":           "unknown member &#34;name&#34;",
		"dpid:2;priority:1;match:any;actions:Slice:alice=7": "operation is missing",
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/xmlrpc", strings.NewReader(xmlBody("api.changeFlowSpace|"+change)))
		req.Header.Set("Authorization", "Bearer "+w.token("fvadmin", "full"))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if got := rec.Body.String(); !strings.Contains(got, "<fault>") || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want a fault that says %q", change, got, want)
		}
	}
	if n := w.svc.Revision() - before; n > 1 { // the token
		t.Errorf("%d changes were made", n)
	}
}
