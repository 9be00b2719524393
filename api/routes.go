package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

// prefix is the path of the REST API; everything else is JSON-RPC.
const prefix = "/api/v1"

// call is one request on its way through a handler.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	by   hypervisor.Principal
	bulk bool
}

// answer is what a handler has to say; status 0 is 200, or 204 without a body.
type answer struct {
	status int
	body   any
	etag   string
}

// route is one method of one path: what serves it and what OpenAPI says.
type route struct {
	method, path string
	summary      string
	query        []param
	in, out      reflect.Type // JSON bodies, nil for none
	status       int          // of success
	bulk         bool         // a large body is possible
	serve        func(*call) (answer, error)
	raw          http.HandlerFunc // instead of serve, where the answer is not JSON
	media        string           // of raw's answer
	noAuth       bool
}

// param is a query parameter.
type param struct{ name, kind, about string }

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

var (
	pageParams = []param{{"limit", "integer", "most items on a page"}, {"after", "string", "next of the page before"}}
	dryParam   = param{"dry_run", "boolean", "only check and tell, change nothing"}
)

func (s *Server) makeRouter() http.Handler {
	m := mux.NewRouter().UseEncodedPath()
	methods := map[string][]string{}
	for _, rt := range s.routes {
		verbs := []string{rt.method}
		if rt.method == http.MethodGet {
			verbs = append(verbs, http.MethodHead) // net/http leaves the body out
		}
		methods[rt.path] = append(methods[rt.path], verbs...)
		h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.run(rt, w, r) }))
		if rt.raw != nil {
			h = rt.raw
		}
		m.Handle(prefix+rt.path, h).Methods(verbs...)
	}
	for path, allowed := range methods {
		slices.Sort(allowed)
		m.HandleFunc(prefix+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			s.fail(w, r, &hypervisor.Error{Kind: apitype.KindMethod, Detail: fmt.Sprintf("%s is not possible here", r.Method),
				Hint: "want " + strings.Join(allowed, " or "), Index: -1})
		})
	}
	unknown := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &hypervisor.Error{Kind: apitype.KindNotFound, Field: "path", Value: r.URL.Path, Detail: fmt.Sprintf("there is nothing at %s", r.URL.Path),
			Hint: "see " + prefix + "/openapi.json", Index: -1})
	})
	m.PathPrefix("/api").Handler(unknown)
	m.PathPrefix("/").HandlerFunc(s.serveRPC)
	return m
}

// run serves a route whose answer is JSON.
func (s *Server) run(rt route, w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r, by: principal(r), bulk: rt.bulk}
	if err := checkQuery(rt, r); err != nil {
		s.fail(w, r, err)
		return
	}
	if rt.in == nil && rt.method != http.MethodGet {
		if err := checkNoBody(w, r); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	a, err := rt.serve(c)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bulkTimeout)) // not on recorders
	if a.etag != "" {
		w.Header().Set("ETag", a.etag)
		if rt.method == http.MethodGet && r.Header.Get("If-None-Match") == a.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if a.body == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if err := json.NewEncoder(w).Encode(a.body); err != nil {
		s.log.WithError(err).Debug("answer not delivered")
	}
}

// checkQuery refuses parameters the route does not know.
func checkQuery(rt route, r *http.Request) error {
	for name := range r.URL.Query() {
		if !slices.ContainsFunc(rt.query, func(p param) bool { return p.name == name }) {
			return bad(name, "", fmt.Sprintf("unknown query parameter %q", name), "see "+prefix+"/openapi.json")
		}
	}
	return nil
}

func (c *call) decode(v any) error { return decode(c.w, c.r, c.bulk, v) }

// path returns a variable of the path, decoded.
func (c *call) path(name string) string {
	v, err := url.PathUnescape(mux.Vars(c.r)[name])
	if err != nil {
		return mux.Vars(c.r)[name]
	}
	return v
}

func (c *call) dpid() (ofwire.DatapathID, error) {
	text := c.path("dpid")
	id, err := ofwire.ParseDatapathID(text)
	if err != nil {
		return 0, bad("dpid", text, err.Error(), "")
	}
	return id, nil
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

func (c *call) flag(name string) (bool, error) {
	switch v := c.query(name); v {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	default:
		return false, bad(name, v, fmt.Sprintf("%s is true or false", name), "")
	}
}

// number reads a query parameter between 0 and most.
func (c *call) number(name string, absent, most uint64) (uint64, error) {
	v := c.query(name)
	if v == "" {
		return absent, nil
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n > most {
		return 0, bad(name, v, fmt.Sprintf("%s %q is out of range", name, v), fmt.Sprintf("want 0 to %d", most))
	}
	return n, nil
}

const (
	defaultPage = 1000
	maxPage     = 50_000
)

// page cuts one page out of a listing; the cursor is the position.
func page[T any](c *call, items []T) (answer, error) {
	limit, err := c.number("limit", defaultPage, maxPage)
	if err != nil {
		return answer{}, err
	}
	after, err := c.number("after", 0, 1<<62)
	if err != nil {
		return answer{}, err
	}
	out := apitype.List[T]{Items: []T{}, Total: len(items)}
	begin := min(int(after), len(items))
	end := min(begin+int(max(limit, 1)), len(items))
	out.Items = append(out.Items, items[begin:end]...)
	if end < len(items) {
		out.Next = strconv.Itoa(end)
	}
	return answer{body: out}, nil
}

// etagOf condenses what a resource is configured as.
func etagOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// ifMatch makes a check for If-Match, nil without one.
func ifMatch[T any](c *call, tag func(T) string) func(T) error {
	want := c.r.Header.Get("If-Match")
	if want == "" || want == "*" {
		return nil
	}
	return func(present T) error {
		if strings.Contains(want, tag(present)) {
			return nil
		}
		return &hypervisor.Error{Kind: apitype.KindStale, Field: "If-Match", Value: want,
			Detail: "it was changed in the meantime", Hint: "read it again", Index: -1}
	}
}
