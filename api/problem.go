package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// statuses is the one place that says which status a kind of problem has.
var statuses = map[apitype.Kind]int{
	apitype.KindInvalid:      http.StatusBadRequest,
	apitype.KindUnresolved:   http.StatusUnprocessableEntity,
	apitype.KindUnauthorized: http.StatusUnauthorized,
	apitype.KindDenied:       http.StatusForbidden,
	apitype.KindNotFound:     http.StatusNotFound,
	apitype.KindMethod:       http.StatusMethodNotAllowed,
	apitype.KindConflict:     http.StatusConflict,
	apitype.KindStale:        http.StatusPreconditionFailed,
	apitype.KindTooLarge:     http.StatusRequestEntityTooLarge,
	apitype.KindMediaType:    http.StatusUnsupportedMediaType,
	apitype.KindTooMany:      http.StatusTooManyRequests,
	apitype.KindUnavailable:  http.StatusServiceUnavailable,
	apitype.KindInternal:     http.StatusInternalServerError,
}

// problemOf turns any error into the answer's body. What is not meant for the
// caller stays in the log.
func problemOf(err error) *apitype.Problem {
	e, ok := errors.AsType[*hypervisor.Error](err)
	if !ok {
		e = &hypervisor.Error{Kind: apitype.KindInternal, Detail: "internal fault; the log has more", Index: -1}
	}
	status := statuses[e.Kind]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	p := &apitype.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Kind: e.Kind,
		Detail: shorten(e.Detail), Field: shorten(e.Field), Value: shorten(e.Value), Hint: e.Hint, Errors: e.Faults}
	if e.Index >= 0 {
		p.Index = &e.Index
	}
	return p
}

// shorten keeps what is repeated from a request from making the answer as long as that:
// the beginning of a text says what it is about, the end what is wrong with it.
func shorten(text string) string {
	const most, first, last = 1000, 400, 300
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:first], "") + "..." + strings.ToValidUTF8(text[len(text)-last:], "")
}

// fail answers with a problem.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status == http.StatusInternalServerError {
		s.log.WithError(err).WithField("path", r.URL.Path).Error("request failed")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller may be gone
}

// bad refuses a field of a request.
func bad(field, value, detail, hint string) error {
	return &hypervisor.Error{Kind: apitype.KindInvalid, Field: field, Value: value, Detail: detail, Hint: hint, Index: -1}
}
