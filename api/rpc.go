package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/shape"
	"github.com/govisor/govisor/internal/hypervisor"
)

// JSON-RPC 2.0 error codes, as FlowVisor used them.
const (
	rpcParse    = -32700
	rpcRequest  = -32600 // also: not permitted
	rpcMethod   = -32601
	rpcParams   = -32602
	rpcInternal = -32603
)

// maxBatch bounds the requests in one body.
const maxBatch = 1000

// rpcError is an error answer.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string { return e.Message }

func rpcErrorf(code int, format string, args ...any) *rpcError {
	return &rpcError{code, fmt.Sprintf(format, args...)}
}

type rpcRequestBody struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params,omitempty"`
}

type rpcResult struct {
	Result  any             `json:"result"`
	ID      json.RawMessage `json:"id"`
	JSONRPC string          `json:"jsonrpc"`
}

type rpcFailure struct {
	ID      json.RawMessage `json:"id"`
	Error   *rpcError       `json:"error"`
	JSONRPC string          `json:"jsonrpc"`
}

// rpcShape is what a method wants for params.
type rpcShape string

const (
	rpcNone   rpcShape = "NO_PARAMS"
	rpcObject rpcShape = "OBJECT"
	rpcArray  rpcShape = "ARRAY"
)

// rpcCall is one call of a method.
type rpcCall struct {
	ctx    context.Context //nolint:containedctx // lives as long as the request
	by     hypervisor.Principal
	name   string
	params params
	list   []json.RawMessage
}

type rpcMethodEntry struct {
	shape rpcShape
	known []string // parameters of an object
	run   func(*Server, *rpcCall) (any, error)
}

// sliceFields are the parameters that add-slice and update-slice have in common.
func sliceFields() []string {
	return []string{"slice-name", "admin-contact", "drop-policy", "recv-lldp", "flowmod-limit", "rate-limit", "flowmod-rate", "packet-in-rate", "admin-status"}
}

// rpcMethods are the methods of FlowVisor 1.4.
func rpcMethods() map[string]rpcMethodEntry {
	return map[string]rpcMethodEntry{
		"list-slices":                 {rpcNone, nil, (*Server).rpcListSlices},
		"add-slice":                   {rpcObject, append(sliceFields(), "controller-url", "password"), (*Server).rpcAddSlice},
		"update-slice":                {rpcObject, append(sliceFields(), "controller-host", "controller-port"), (*Server).rpcUpdateSlice},
		"remove-slice":                {rpcObject, []string{"slice-name"}, (*Server).rpcRemoveSlice},
		"update-slice-password":       {rpcObject, []string{"slice-name", "password"}, (*Server).rpcSlicePassword},
		"update-admin-password":       {rpcObject, []string{"password"}, (*Server).rpcAdminPassword},
		"list-slice-info":             {rpcObject, []string{"slice-name"}, (*Server).rpcSliceInfo},
		"list-slice-stats":            {rpcObject, []string{"slice-name"}, (*Server).rpcSliceStats},
		"list-slice-health":           {rpcObject, []string{"slice-name"}, (*Server).rpcSliceHealth},
		"list-flowspace":              {rpcObject, []string{"slice-name", "show-disabled"}, (*Server).rpcListFlowspace},
		"add-flowspace":               {rpcArray, nil, (*Server).rpcAddFlowspace},
		"update-flowspace":            {rpcArray, nil, (*Server).rpcUpdateFlowspace},
		"remove-flowspace":            {rpcArray, nil, (*Server).rpcRemoveFlowspace},
		"list-fs-status":              {rpcObject, []string{"fs-id"}, (*Server).rpcFSStatus},
		"list-version":                {rpcNone, nil, (*Server).rpcVersion},
		"save-config":                 {rpcNone, nil, (*Server).rpcSaveConfig},
		"get-config":                  {rpcObject, []string{"slice-name", "dpid"}, (*Server).rpcGetConfig},
		"set-config":                  {rpcObject, []string{"flood-perm", "flowmod-limit", "track-flows", "stats-desc", "enable-topo-ctrl", "flow-stats-cache", "rate-limit", "flowmod-rate", "packet-in-rate"}, (*Server).rpcSetConfig},
		"list-datapaths":              {rpcNone, nil, (*Server).rpcListDatapaths},
		"list-datapath-info":          {rpcObject, []string{"dpid"}, (*Server).rpcDatapathInfo},
		"list-datapath-stats":         {rpcObject, []string{"dpid"}, (*Server).rpcDatapathStats},
		"list-datapath-flowdb":        {rpcObject, []string{"dpid"}, (*Server).rpcFlowDB},
		"list-datapath-flowrewritedb": {rpcObject, []string{"slice-name", "dpid"}, (*Server).rpcRewriteDB},
		"list-fv-health":              {rpcNone, nil, (*Server).rpcHealth},
		"list-links":                  {rpcNone, nil, (*Server).rpcLinks},
		"register-event-callback":     {rpcObject, []string{"url", "method", "event-type", "cookie", "dpid"}, (*Server).rpcRegisterCallback},
		"unregister-event-callback":   {rpcObject, []string{"method", "event-type", "cookie", "dpid"}, (*Server).rpcUnregisterCallback},
	}
}

// serveRPC answers one body: a request, a notification or a batch of them.
func (s *Server) serveRPC(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.fail(w, r, &hypervisor.Error{Kind: apitype.KindMethod, Detail: "JSON-RPC wants POST", Hint: "the REST API is under " + prefix, Index: -1})
		return
	}
	text, err := readBody(w, r, true)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var out []any
	text = bytes.TrimSpace(text)
	batch := len(text) > 0 && text[0] == '['
	switch err := checkShape(text, true); {
	case err != nil:
		out, batch = append(out, rpcFailed(nil, rpcErrorf(rpcParse, "%v", err))), false
	case batch:
		out, batch = s.runBatch(r, text)
	default:
		if a := s.runOne(r, text); a != nil {
			out = append(out, a)
		}
	}
	if len(out) == 0 { // notifications only
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "text/json; charset=utf-8") // as FlowVisor said
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if batch {
		_ = enc.Encode(out) // the caller may be gone
		return
	}
	_ = enc.Encode(out[0]) // likewise
}

// runBatch runs the requests in order; many is false when the answer is one
// error about the whole.
func (s *Server) runBatch(r *http.Request, text []byte) (out []any, many bool) {
	var all []json.RawMessage
	switch err := json.Unmarshal(text, &all); {
	case err != nil:
		return []any{rpcFailed(nil, rpcErrorf(rpcParse, "%v", jsonError(err)))}, false
	case len(all) == 0 || len(all) > maxBatch:
		return []any{rpcFailed(nil, rpcErrorf(rpcRequest, "a batch has 1 to %d requests", maxBatch))}, false
	}
	for _, one := range all {
		if a := s.runOne(r, one); a != nil {
			out = append(out, a)
		}
	}
	return out, true
}

func rpcFailed(id json.RawMessage, err *rpcError) rpcFailure {
	if id == nil {
		id = json.RawMessage("null")
	}
	return rpcFailure{id, &rpcError{err.Code, shorten(err.Message)}, "2.0"}
}

// runOne returns the answer to one request, nil for a notification.
func (s *Server) runOne(r *http.Request, text []byte) any {
	var req rpcRequestBody
	if err := json.Unmarshal(text, &req); err != nil {
		if _, typed := errors.AsType[*json.UnmarshalTypeError](err); typed {
			return rpcFailed(nil, rpcErrorf(rpcRequest, "a request is an object with jsonrpc, method, id and params"))
		}
		return rpcFailed(nil, rpcErrorf(rpcParse, "%v", jsonError(err)))
	}
	if len(req.ID) > 0 && (req.ID[0] == '{' || req.ID[0] == '[') {
		return rpcFailed(nil, rpcErrorf(rpcRequest, "the id is a string or a number"))
	}
	if req.JSONRPC != "2.0" || req.Method == "" {
		return rpcFailed(req.ID, rpcErrorf(rpcRequest, `a request has "jsonrpc":"2.0" and a method`))
	}
	for _, f := range shape.Check(text, reflect.TypeFor[rpcRequestBody](), true, 100) {
		if f.Kind == shape.Unknown && f.Hint != "" { // others were never refused
			return rpcFailed(req.ID, rpcErrorf(rpcRequest, "%s (%s)", f.Detail, f.Hint))
		}
	}
	result, err := s.callRPC(r, &req)
	switch {
	case req.ID == nil:
		return nil
	case err != nil:
		return rpcFailed(req.ID, s.rpcErrorOf(r, req.Method, err))
	}
	return rpcResult{result, req.ID, "2.0"}
}

func (s *Server) callRPC(r *http.Request, req *rpcRequestBody) (any, error) {
	m, ok := s.methods[req.Method]
	if !ok {
		return nil, rpcErrorf(rpcMethod, "unknown method %q", clip(req.Method))
	}
	c := &rpcCall{ctx: r.Context(), by: principal(r), name: req.Method}
	got := rpcNone
	switch p := bytes.TrimSpace(req.Params); {
	case len(p) == 0 || string(p) == "null":
	case p[0] == '{':
		got = rpcObject
		if err := json.Unmarshal(p, &c.params.fields); err != nil {
			return nil, rpcErrorf(rpcParse, "%v", jsonError(err))
		}
	case p[0] == '[':
		got = rpcArray
		if err := json.Unmarshal(p, &c.list); err != nil {
			return nil, rpcErrorf(rpcParse, "%v", jsonError(err))
		}
	default:
		return nil, rpcErrorf(rpcRequest, "params is an object or an array")
	}
	if m.shape != rpcNone && got != m.shape {
		return nil, rpcErrorf(rpcParams, "%s requires: %s; got: %s", req.Method, m.shape, got)
	}
	c.params.method = req.Method
	if m.shape == rpcObject {
		if err := c.params.only(m.known...); err != nil {
			return nil, err
		}
	}
	return m.run(s, c)
}

// rpcErrorOf gives an error FlowVisor's code. The text names field and value.
func (s *Server) rpcErrorOf(r *http.Request, method string, err error) *rpcError {
	if e, ok := errors.AsType[*rpcError](err); ok {
		return e
	}
	p := problemOf(err)
	text := method + ": " + p.Error()
	if p.Index != nil {
		text = fmt.Sprintf("%s: entry %d: %s", method, *p.Index, p.Error())
	}
	switch p.Kind {
	case apitype.KindDenied:
		return rpcErrorf(rpcRequest, "%s", text)
	case apitype.KindInvalid, apitype.KindUnresolved, apitype.KindConflict, apitype.KindNotFound:
		return rpcErrorf(rpcParams, "%s", text)
	case apitype.KindInternal:
		s.log.WithError(err).WithField("path", r.URL.Path).WithField("method", method).Error("request failed")
	}
	return rpcErrorf(rpcInternal, "%s", text)
}

// params are the fields of an object, read with FlowVisor's complaints.
type params struct {
	method string
	fields map[string]json.RawMessage
}

func (p *params) has(name string) bool {
	v, ok := p.fields[name]
	return ok && string(v) != "null"
}

// only refuses fields that are none of those.
func (p *params) only(known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(p.fields)) {
		if !slices.Contains(known, name) {
			return rpcErrorf(rpcParams, "%s: unknown parameter %q; known are %s", p.method, clip(name), strings.Join(known, ", "))
		}
	}
	return nil
}

// clip keeps a text of the caller's short enough to be repeated.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

func (p *params) required(name string) error {
	if !p.has(name) {
		return rpcErrorf(rpcParams, "%s: %s is required ", p.method, name)
	}
	return nil
}

// read decodes a field into v, if it is there.
func (p *params) read(name, want string, v any) error {
	if !p.has(name) {
		return nil
	}
	if err := json.Unmarshal(p.fields[name], v); err != nil {
		return rpcErrorf(rpcParams, "%s: %s is %s, not %s", p.method, name, want, clip(string(p.fields[name])))
	}
	return nil
}

func (p *params) text(name string) (s string, err error) {
	if err := p.required(name); err != nil {
		return "", err
	}
	return s, p.read(name, "text", &s)
}

// optional fields are nil when they are not there.
func (p *params) optText(name string) (s *string, err error) {
	return s, p.read(name, "text", &s)
}

func (p *params) optBool(name string) (b *bool, err error) {
	return b, p.read(name, "true or false", &b)
}

func (p *params) optInt(name string) (*int, error) {
	var n *number
	if err := p.read(name, "a whole number", &n); err != nil || n == nil {
		return nil, err
	}
	return new(int(*n)), nil
}

// child is a field that is itself an object, with no other fields than those.
func (p *params) child(name string, known ...string) (params, error) {
	c := params{method: p.method}
	if err := p.read(name, "an object", &c.fields); err != nil {
		return c, err
	}
	return c, c.only(known...)
}

// quoteList writes names for a message: [a, b].
func quoteList(names []string) string { return "[" + strings.Join(names, ", ") + "]" }
