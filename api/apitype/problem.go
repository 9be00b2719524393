package apitype

import "strings"

// Kind classifies a Problem; programs decide by it.
type Kind string

// Kinds of problem.
const (
	KindInvalid      Kind = "invalid"          // 400
	KindUnresolved   Kind = "unresolved"       // 422: it names something that does not exist
	KindUnauthorized Kind = "unauthorized"     // 401: who are you
	KindDenied       Kind = "denied"           // 403: you may not
	KindNotFound     Kind = "not-found"        // 404
	KindConflict     Kind = "conflict"         // 409: exists, in use
	KindStale        Kind = "stale"            // 412: If-Match failed
	KindTooLarge     Kind = "too-large"        // 413
	KindTooMany      Kind = "too-many"         // 429
	KindUnavailable  Kind = "unavailable"      // 503, or the answer cannot be made now
	KindInternal     Kind = "internal"         // 500
	KindUnreachable  Kind = "unreachable"      // made by the client: no answer at all
	KindMethod       Kind = "method"           // 405
	KindMediaType    Kind = "unsupported-type" // 415
)

// Problem is an error answer (RFC 9457) and an error.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Kind   Kind   `json:"kind"`
	Detail string `json:"detail"`
	// Field is the path of the faulty field, Value what it held, Hint what to
	// write instead.
	Field string `json:"field,omitempty"`
	Value string `json:"value,omitempty"`
	Hint  string `json:"hint,omitempty"`
	// Index is the position in a bulk request.
	Index  *int    `json:"index,omitempty"`
	Errors []Fault `json:"errors,omitempty"`
}

// Fault is one of several faults of a request.
type Fault struct {
	Index  int    `json:"index"`
	Field  string `json:"field"`
	Value  string `json:"value,omitempty"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// Error is the detail, with the hint after it.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Detail)
	if p.Detail == "" {
		b.WriteString(p.Title)
	}
	if p.Hint != "" {
		b.WriteString(" (")
		b.WriteString(p.Hint)
		b.WriteString(")")
	}
	return b.String()
}

// List is one page of a listing; Next is the value for ?after= of the next
// page, empty on the last.
type List[T any] struct {
	Items []T    `json:"items"`
	Total int    `json:"total"`
	Next  string `json:"next,omitempty"`
}
