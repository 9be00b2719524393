package api_test

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/govisor/govisor/api"
	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// FuzzRequest sends any request as the administrator and as a slice. The answer is never
// a fault of the server, and says what it is: a problem names itself, JSON-RPC answers
// are JSON-RPC.
func FuzzRequest(f *testing.F) {
	for _, row := range restTable {
		f.Add(row.method, "/api/v1"+strings.NewReplacer("{slice}", "alice", "{rule}", "a1", "{dpid}", "1").Replace(row.path), row.body, "application/json")
	}
	for _, row := range rpcTable {
		f.Add("POST", "/", `{"jsonrpc":"2.0","id":1,"method":"`+row.method+`","params":`+orNull(row.params)+`}`, "")
	}
	for _, body := range []string{"", "null", "[]", "[[[[", `{"name":"\u0000<script>"}`, `{"priority":1e400}`, "\xff\xfe", `{"flowmod_limit":-2147483649}`, `[{"jsonrpc":"2.0","id":1e999,"method":"x"}]`} {
		f.Add("POST", "/api/v1/slices", body, "application/json")
		f.Add("POST", "/", body, "text/plain; charset=\"")
	}
	f.Add("GET", "/api/v1/slices/..%2f..%2fetc?limit=-1&cursor=%00", "", "")
	f.Add("BREW", "/api/v1/slices//alice", "", ";")
	svc, err := hypervisor.Open(f.Context(), hypervisor.Options{Dir: f.TempDir(), AdminPassword: adminPassword, Version: "govisor-test"})
	if err != nil {
		f.Fatal(err)
	}
	defer svc.Close()
	server, slice := api.New(svc, api.Options{}), ""
	f.Fuzz(func(t *testing.T, method, target, body, contentType string) {
		if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "/api/v1/events") {
			return // a stream has no end
		}
		if _, err := svc.Slice(hypervisor.Local(), "alice"); err != nil { // at first, and when a request removed her
			if _, err := svc.CreateSlice(t.Context(), hypervisor.Local(), hypervisor.SliceSpec{Name: "alice", SlicePatch: hypervisor.SlicePatch{Controllers: []string{"tcp:h"}}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := svc.LoginToken(slice, "here"); err != nil {
			token, err := svc.CreateToken(t.Context(), hypervisor.Local(), apitype.TokenCreate{Account: "alice"})
			if err != nil {
				t.Fatal(err)
			}
			slice = token.Secret
		}
		for _, admin := range []bool{false, true} {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+target, strings.NewReader(body))
			if err != nil {
				return // the client would not send it
			}
			r.RequestURI = target
			r.Header["Content-Type"] = []string{contentType}
			rec := httptest.NewRecorder()
			if admin {
				server.LocalHandler().ServeHTTP(rec, r)
			} else {
				r.Header.Set("Authorization", "Bearer "+slice)
				server.Handler().ServeHTTP(rec, r)
			}
			checkAnswer(t, rec)
		}
	})
}

func checkAnswer(t *testing.T, rec *httptest.ResponseRecorder) {
	t.Helper()
	text := rec.Body.Bytes()
	kind, _, err := mime.ParseMediaType(rec.Header().Get("Content-Type"))
	switch {
	case rec.Code >= 500 && rec.Code != http.StatusServiceUnavailable:
		t.Errorf("status %d: %s", rec.Code, text)
	case rec.Code >= 400:
		var p apitype.Problem
		if err := json.Unmarshal(text, &p); kind != "application/problem+json" || err != nil || p.Status != rec.Code || p.Detail == "" || p.Kind == "" {
			t.Errorf("status %d, type %q: %s", rec.Code, kind, text)
		}
	case kind == "text/json":
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Errorf("no JSON-RPC: %s", text)
		}
		for _, word := range []string{"internal fault", "goroutine ", "runtime error"} {
			if strings.Contains(string(text), word) {
				t.Errorf("JSON-RPC answer %s", text)
			}
		}
	case rec.Code < 300 && len(text) > 0 && err != nil:
		t.Errorf("status %d without a type: %q", rec.Code, text)
	}
}
