package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/govisor/govisor/internal/hypervisor"
)

// hostile are values put in the place of every value of a request, as JSON.
var hostile = []string{
	`null`, `true`, `-1`, `1.5`, `1e400`, `-9223372036854775809`, `18446744073709551616`, `1e9`, `""`, `" "`, `"\u0000"`, `"a\u0000b"`, `"\u202eevil"`, `"\ud800"`, `"\u200b"`, "\"\xff\"",
	`"<script>alert(1)</script>"`, `"../../etc/passwd"`, `"%00"`, `"Ünïcödé \ud83d\ude00"`, `"` + strings.Repeat("x", 100_000) + `"`,
	`[]`, `{}`, `[null]`, `[[[[]]]]`, `{"a":{"b":{}}}`, `[{"":""}]`,
}

// places returns a JSON text once for every value in it, with that value replaced.
func places(t *testing.T, text, by string) (out []string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	const mark = "\"\U0001F4CD\""
	emit := func() {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Replace(string(b), mark, by, 1))
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, old := range v {
				v[k] = "\U0001F4CD"
				emit()
				v[k] = old
				walk(old)
			}
		case []any:
			for i, old := range v {
				v[i] = "\U0001F4CD"
				emit()
				v[i] = old
				walk(old)
			}
		}
	}
	walk(v)
	return append(out, by)
}

// TestHostileValues puts every hostile value in the place of every value of every request.
// Each is answered in the way the document promises, with a 4xx that says something if it
// is refused; what is taken can be exported and taken by another govisor as it is.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	for _, row := range restTable {
		if row.body == "" {
			continue
		}
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			t.Parallel()
			p := populate(t)
			taken := 0
			for _, bad := range hostile {
				for _, body := range places(t, row.body, bad) {
					status, text := p.answer('A', row.method, "/api/v1"+p.vars.Replace(row.path), body)
					switch {
					case status/100 == 2:
						taken++
					case status/100 != 4:
						t.Errorf("%.200s: %d %s", body, status, text)
					default:
						var problem struct{ Kind, Detail string }
						if err := json.Unmarshal([]byte(text), &problem); err != nil || problem.Detail == "" || problem.Kind == "" || len(text) > 4000 {
							t.Errorf("%.200s: %d %.500s", body, status, text)
						}
					}
				}
			}
			p.sound(t)
		})
	}
	for _, row := range rpcTable {
		if row.params == "" {
			continue
		}
		t.Run(row.method+" "+row.params, func(t *testing.T) {
			t.Parallel()
			p := populate(t)
			for _, bad := range hostile {
				for _, params := range places(t, row.params, bad) {
					body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, row.method, params)
					status, text := p.answer('A', http.MethodPost, "/", body)
					var answer struct {
						Result any
						Error  *struct {
							Code    int
							Message string
						}
					}
					if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK || len(text) > 4000 && answer.Error != nil {
						t.Errorf("%.200s: %d %.500s", body, status, text)
						continue
					}
					if e := answer.Error; e != nil && (e.Code != -32602 && e.Code != -32600 && e.Code != -32700 && !(e.Code == -32603 && known(e.Message)) || e.Message == "") {
						t.Errorf("%.200s: %.500s", body, text)
					}
				}
			}
			p.sound(t)
		})
	}
}

// known reports whether an internal error is one that FlowVisor gave for what is not there.
func known(message string) bool {
	for _, words := range []string{"Unable to find flowspace entry", "unable to find flow entry", "No such slice", "Unable to set slice password", "No stats exist"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// answer is ask with the body of the answer.
func (p *population) answer(who byte, method, path, body string) (status int, text string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	p.identify(req, who)
	return carried(p.t, req)
}

// sound fails unless another govisor takes what this one has become.
func (p *population) sound(t *testing.T) {
	t.Helper()
	for _, format := range []string{"govisor", "flowvisor"} {
		text, _, err := p.admin.ExportConfig(t.Context(), format, format == "govisor")
		if err != nil {
			t.Errorf("export: %v", err)
			continue
		}
		fresh := newWorld(t)
		if _, err := fresh.local().ImportConfig(t.Context(), text, true); err != nil {
			t.Errorf("what it has become cannot be imported: %v", err)
		}
	}
	if h := p.svc.Health(hypervisor.Local()); h.Status == "" {
		t.Errorf("health %+v", h)
	}
}
