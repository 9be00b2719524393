package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/govisor/govisor/api"
)

// spec is the served OpenAPI document.
type spec struct {
	Paths map[string]map[string]struct {
		Summary   string
		Responses map[string]struct {
			Content map[string]struct{ Schema any }
		}
		OperationID string `json:"operationId"`
	}
	Components struct{ Schemas map[string]any }

	patterns map[string]*regexp.Regexp
}

func readSpec(t *testing.T, server *api.Server) *spec {
	t.Helper()
	rec := httptest.NewRecorder()
	server.LocalHandler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/openapi.json", nil))
	s := &spec{patterns: map[string]*regexp.Regexp{}}
	if err := json.Unmarshal(rec.Body.Bytes(), s); err != nil {
		t.Fatal(err)
	}
	for path := range s.Paths {
		s.patterns[path] = regexp.MustCompile("^" + regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
	}
	return s
}

// find returns the path template of a request, the most literal one first.
func (s *spec) find(path string) string {
	var found []string
	for p, re := range s.patterns {
		if re.MatchString(path) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

// check says how an answer differs from what the document promises.
func (s *spec) check(method, path string, status int, header http.Header, body []byte) error {
	template := s.find(path)
	op, ok := s.Paths[template][strings.ToLower(method)]
	if !ok {
		if status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusUnauthorized || status == http.StatusTooManyRequests {
			return nil
		}
		return fmt.Errorf("%s %s is served but not described", method, path)
	}
	want, ok := op.Responses[strconv.Itoa(status)]
	if !ok {
		if status == http.StatusNotModified {
			return nil
		}
		if status < 400 {
			return fmt.Errorf("%s %s: status %d is not described", method, template, status)
		}
		want = op.Responses["default"]
	}
	if len(want.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("%s %s: a body that is not described: %s", method, template, body)
		}
		return nil
	}
	media, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	content, ok := want.Content[media]
	if !ok {
		return fmt.Errorf("%s %s: content type %q is not described", method, template, media)
	}
	if content.Schema == nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("%s %s: %w", method, template, err)
	}
	if err := s.valid(content.Schema, v); err != nil {
		return fmt.Errorf("%s %s: %w in %.300s", method, template, err, body)
	}
	return nil
}

// valid checks a value against the part of JSON Schema the document uses.
func (s *spec) valid(schema, v any) error {
	m := schema.(map[string]any) //nolint:forcetypeassert // a test
	if ref, ok := m["$ref"].(string); ok {
		return s.valid(s.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")], v)
	}
	if types, ok := m["type"]; ok && !typeFits(types, v) {
		return fmt.Errorf("%v is not %v", v, types)
	}
	switch v := v.(type) {
	case map[string]any:
		props, _ := m["properties"].(map[string]any)
		for name, sub := range v {
			p, ok := props[name]
			if !ok {
				if p, ok = m["additionalProperties"].(map[string]any); !ok {
					return fmt.Errorf("field %q is not described", name)
				}
			}
			if err := s.valid(p, sub); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		required, _ := m["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok { //nolint:forcetypeassert // a test
				return fmt.Errorf("field %v is missing", name)
			}
		}
	case []any:
		for i, sub := range v {
			if err := s.valid(m["items"], sub); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
	}
	return nil
}

func typeFits(types, v any) bool {
	list, ok := types.([]any)
	if !ok {
		list = []any{types}
	}
	got := map[bool]string{true: "null"}[v == nil]
	switch v := v.(type) {
	case string:
		got = "string"
	case bool:
		got = "boolean"
	case float64:
		got = "number"
		if v == float64(int64(v)) {
			got = "integer"
		}
	case []any:
		got = "array"
	case map[string]any:
		got = "object"
	}
	return slices.Contains(list, any(got)) || got == "integer" && slices.Contains(list, any("number"))
}

// held passes requests on and holds every answer to the document.
func held(t *testing.T, s *spec, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/events" || r.Method == http.MethodHead || !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		if err := s.check(r.Method, r.URL.EscapedPath(), rec.Code, rec.Header(), bytes.TrimSpace(rec.Body.Bytes())); err != nil {
			t.Errorf("the answer is not as described: %v", err)
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func TestSpec(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := readSpec(t, w.server)
	ids := map[string]bool{}
	for path, ops := range s.Paths {
		for method, op := range ops {
			if op.Summary == "" || op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s %s: summary %q, operation id %q", method, path, op.Summary, op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
	if len(ids) < 45 {
		t.Errorf("only %d operations", len(ids))
	}
	// The checker itself must find faults.
	ok := http.Header{"Content-Type": {"application/json"}}
	for _, body := range []string{`{}`, `{"account":1,"role":"","scope":"","via":""}`, `{"account":"","role":"","scope":"","via":"","more":1}`, `[]`, `null`} {
		if s.check("GET", "/api/v1/whoami", 200, ok, []byte(body)) == nil {
			t.Errorf("%s passes for a whoami", body)
		}
	}
	if s.check("GET", "/api/v1/whoami", 200, http.Header{}, []byte(`{"account":"","role":"","scope":"","via":""}`)) == nil {
		t.Error("an answer without content type passes")
	}
}
