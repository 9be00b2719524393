package hypervisor

import (
	"errors"
	"fmt"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
)

// Error is a refusal, in terms of the request. Kind tells what sort.
type Error struct {
	Kind   apitype.Kind
	Detail string
	Field  string // path in the request
	Value  string // what it held
	Hint   string // what would be right
	Index  int    // in a bulk request; -1 otherwise
	Faults []apitype.Fault
	Err    error
}

func (e *Error) Error() string {
	if e.Hint != "" {
		return e.Detail + " (" + e.Hint + ")"
	}
	return e.Detail
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of an error of this package, internal for others.
func KindOf(err error) apitype.Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return apitype.KindInternal
}

// invalid refuses a field.
func invalid(field, value, detail, hint string) *Error {
	return &Error{Kind: apitype.KindInvalid, Field: field, Value: clip(value), Detail: detail, Hint: hint, Index: -1}
}

func notFound(what, name string) *Error {
	detail := fmt.Sprintf("unknown %s %q", what, clip(name))
	if what == "slice" && name == AdminName { // FlowVisor lists it among the slices, and so does fvctl
		detail = AdminName + " is the administrator, not a slice"
	}
	return &Error{Kind: apitype.KindNotFound, Field: what, Value: clip(name), Detail: detail, Index: -1}
}

func conflict(field, value, detail, hint string) *Error {
	return &Error{Kind: apitype.KindConflict, Field: field, Value: clip(value), Detail: detail, Hint: hint, Index: -1}
}

func denied(p Principal, what string) *Error {
	return &Error{Kind: apitype.KindDenied, Detail: fmt.Sprintf("%s may not %s", p.Account, what), Index: -1}
}

// clip keeps a value from the outside short enough to be repeated.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// FromFlowspace turns a refusal of package flowspace into an Error.
func FromFlowspace(err error) *Error {
	out := &Error{Kind: apitype.KindInvalid, Detail: err.Error(), Index: -1, Err: err}
	if ce, ok := errors.AsType[*flowspace.ChangeError](err); ok {
		out.Index = ce.Index
	}
	if fe, ok := errors.AsType[*flowspace.FieldError](err); ok {
		out.Field, out.Value, out.Hint = fe.Field, clip(fe.Value), fe.Hint
		plain := *fe
		plain.Hint, plain.Value = "", clip(fe.Value)
		out.Detail = plain.Error()
	}
	switch {
	case errors.Is(err, flowspace.ErrNotFound):
		out.Kind = apitype.KindNotFound
		if out.Field == "name" {
			out.Detail = fmt.Sprintf("unknown rule %q", out.Value)
		}
	case errors.Is(err, flowspace.ErrDuplicate):
		out.Kind = apitype.KindConflict
	}
	return out
}
