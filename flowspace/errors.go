package flowspace

import (
	"errors"
	"fmt"
	"strings"
)

// Kinds of refusal, for errors.Is.
var (
	ErrNotFound  = errors.New("no such rule")
	ErrDuplicate = errors.New("already exists")
)

// FieldError says which field of a rule or text is wrong and what would be right.
type FieldError struct {
	Field  string // name of the field, "match" for the text as a whole
	Value  string // as given
	Reason string // what is wrong with it
	Hint   string // what to write instead; may be empty
	Err    error  // the kind, may be nil
}

// Error is one line: field "value" reason; hint.
func (e *FieldError) Error() string {
	var b strings.Builder
	b.WriteString(e.Field)
	if e.Value != "" {
		fmt.Fprintf(&b, " %q", e.Value)
	}
	b.WriteByte(' ')
	b.WriteString(e.Reason)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns the kind.
func (e *FieldError) Unwrap() error { return e.Err }

// ChangeError says which of several changes was refused. Unwrap gives the
// *FieldError.
type ChangeError struct {
	Index int    // in the list given to Apply, from 0
	Rule  string // name of the rule, if it has one
	Err   error
}

// Error is one line that begins with the index.
func (e *ChangeError) Error() string {
	if e.Rule == "" {
		return fmt.Sprintf("change %d: %v", e.Index, e.Err)
	}
	return fmt.Sprintf("change %d (rule %q): %v", e.Index, e.Rule, e.Err)
}

// Unwrap returns the reason.
func (e *ChangeError) Unwrap() error { return e.Err }
