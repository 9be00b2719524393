package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/shape"
	"github.com/govisor/govisor/internal/hypervisor"
)

// readBody reads a whole body. Only the administrator may send a large one,
// and only where bulk is true.
func readBody(w http.ResponseWriter, r *http.Request, bulk bool) ([]byte, error) {
	limit, wait := int64(maxBody), bodyTimeout
	if bulk && principal(r).Role == hypervisor.RoleAdmin {
		limit, wait = maxBulkBody, bulkTimeout
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(wait)) // not on recorders
	var buf bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= limit {
		buf.Grow(int(n) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &hypervisor.Error{Kind: apitype.KindTooLarge, Detail: fmt.Sprintf("the body is larger than %d bytes", limit), Index: -1}
	}
	if err != nil {
		return nil, &hypervisor.Error{Kind: apitype.KindInvalid, Detail: "the body did not arrive whole", Index: -1, Err: err}
	}
	_ = conn.SetReadDeadline(time.Time{}) // the handler may take its time
	return buf.Bytes(), nil
}

// decode reads a JSON body into v: no unknown fields, nothing after it.
func decode(w http.ResponseWriter, r *http.Request, bulk bool, v any) error {
	if ct := r.Header.Get("Content-Type"); ct != "" {
		// The form type is what curl -d sends; pages of other sites are refused by their origin.
		mt, _, err := mime.ParseMediaType(ct)
		if err != nil || mt != "application/json" && !strings.HasSuffix(mt, "+json") && mt != "application/x-www-form-urlencoded" {
			return &hypervisor.Error{Kind: apitype.KindMediaType, Field: "Content-Type", Value: ct,
				Detail: fmt.Sprintf("cannot read a body of type %q", ct), Hint: "send application/json", Index: -1}
		}
	}
	text, err := readBody(w, r, bulk)
	if err != nil {
		return err
	}
	return unmarshal(text, v)
}

// checkNoBody refuses a body where none means anything; an empty object is none.
func checkNoBody(w http.ResponseWriter, r *http.Request) error {
	text, err := readBody(w, r, false)
	if err != nil {
		return err
	}
	switch text = bytes.TrimSpace(text); {
	case len(text) == 0:
		return nil
	case text[0] != '{':
		return bad("body", "", "nothing is expected in the body", "leave it out")
	}
	return unmarshal(text, &struct{}{})
}

// unmarshal decodes the one JSON value of text into v: no unknown fields, none twice, and
// none missing that must be there.
func unmarshal(text []byte, v any) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return bad("body", "", "the body is empty", "send JSON")
	}
	most := 1
	if _, ok := v.(*apitype.Config); ok { // usually a file, whose faults are all listed
		most = mostFaults
	}
	faults := shape.Check(text, reflect.TypeOf(v), true, most)
	if len(faults) > 0 && faults[0].Kind < shape.Missing {
		return faultsError(faults)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if len(faults) > 0 && faults[0].Kind == shape.Null && readsItself(err) {
			return faultsError(faults)
		}
		if _, ok := v.(*apitype.Bulk); ok {
			return changeError(text, err)
		}
		return jsonError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad("body", "", "there is something after the JSON value", "")
	}
	return faultsError(faults)
}

// readsItself reports whether err is of a type that reads itself, which cannot say where.
func readsItself(err error) bool {
	_, typed := errors.AsType[*json.UnmarshalTypeError](err)
	_, syntax := errors.AsType[*json.SyntaxError](err)
	return !typed && !syntax && !errors.Is(err, io.ErrUnexpectedEOF)
}

// mostFaults is how many faults of one body are listed.
const mostFaults = 100

// faultsError is about the first fault, nil for none; it lists them if they are several.
func faultsError(faults []shape.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	first := faults[0]
	e := &hypervisor.Error{Kind: apitype.KindInvalid, Field: first.Path, Detail: first.Detail, Hint: first.Hint, Index: first.Index}
	if first.Kind == shape.Unknown && e.Hint == "" {
		e.Hint = "see " + prefix + "/openapi.json"
	}
	if first.Kind < shape.Missing && first.Index >= 0 { // of which element
		e.Detail = first.Path + ": " + first.Detail
	}
	if len(faults) == 1 {
		return e
	}
	e.Field, e.Hint, e.Index = "", "", -1
	e.Detail = fmt.Sprintf("the configuration has %d faults; nothing was changed", len(faults))
	if len(faults) == mostFaults {
		e.Detail = fmt.Sprintf("the configuration has %d faults and perhaps more; nothing was changed", len(faults))
	}
	for _, f := range faults {
		e.Faults = append(e.Faults, apitype.Fault{Index: max(f.Index, 0), Field: f.Path, Detail: f.Detail, Hint: f.Hint})
	}
	return e
}

// checkShape refuses JSON, of whatever type, that is nested too deep or has a field twice.
func checkShape(text []byte, fold bool) error {
	return faultsError(shape.Check(text, nil, fold, 1))
}

func jsonError(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		names := slices.DeleteFunc(strings.Split(t.Field, "."), func(n string) bool { return n != strings.ToLower(n) }) // of embedded structs
		field := strings.Join(names, ".")
		if field == "" {
			field = "body"
		}
		return bad(field, t.Value, fmt.Sprintf("%s: a JSON %s is not possible here", field, t.Value), "want "+kindName(t.Type.Kind().String()))
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return bad("body", "", fmt.Sprintf("the body is not JSON: %v at byte %d", s, s.Offset), "")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name = strings.Trim(name, `"`)
		return bad(name, "", fmt.Sprintf("unknown field %q", name), "see "+prefix+"/openapi.json")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return bad("body", "", "the JSON ends too early", "")
	}
	return bad("body", "", strings.TrimPrefix(err.Error(), "json: "), "")
}

// changeError is jsonError for a bulk: it looks for the change that err is about.
func changeError(text []byte, err error) error {
	var bulk struct {
		Changes []json.RawMessage `json:"changes"`
	}
	if json.Unmarshal(text, &bulk) != nil {
		return jsonError(err)
	}
	for i, raw := range bulk.Changes {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		var c apitype.Change
		if err := dec.Decode(&c); err != nil {
			e, ok := errors.AsType[*hypervisor.Error](jsonError(err))
			if !ok {
				return err
			}
			e.Index = i
			place := fmt.Sprintf("changes[%d]", i)
			if e.Field != "body" {
				place += "." + e.Field
			}
			e.Field = place
			return e
		}
	}
	return jsonError(err)
}

// kindName says a Go kind in JSON's words.
func kindName(kind string) string {
	switch {
	case strings.HasPrefix(kind, "uint"):
		return "a whole number, not negative"
	case strings.HasPrefix(kind, "int"):
		return "a whole number"
	case kind == "slice":
		return "an array"
	case kind == "struct" || kind == "map":
		return "an object"
	case kind == "bool":
		return "true or false"
	}
	return "a " + kind
}
