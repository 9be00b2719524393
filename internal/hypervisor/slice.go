package hypervisor

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

const (
	// AdminName is the administrator's account. There is a slice record of
	// that name only in FlowVisor's listings.
	AdminName = "fvadmin"

	maxSliceName   = 45
	maxContact     = 150
	maxControllers = 16
	readOnlyPrefix = "ro+"
)

// Slice is one slice; values are immutable once published.
type Slice struct {
	Name        string
	Generation  uint64
	Order       uint64
	Controllers []Controller
	Contact     string
	DropPolicy  DropPolicy
	RecvLLDP    bool
	Strict      bool
	Enabled     bool
	DisabledBy  string // the account that did; "" for the administrator, or not disabled
	Limits
	Creator string
	Created time.Time
}

// SlicePatch changes the fields that are not nil.
type SlicePatch struct {
	Controllers []string
	Contact     *string
	DropPolicy  *string
	RecvLLDP    *bool
	Strict      *bool
	Enabled     *bool
	LimitsPatch
}

// String is the URL, with "ro+" in front of a read-only controller.
func (c Controller) String() string {
	if c.ReadOnly {
		return readOnlyPrefix + c.Target.String()
	}
	return c.Target.String()
}

// ParseController reads tcp:HOST[:PORT], ssl:HOST[:PORT], unix:PATH or
// module:NAME, with "ro+" in front for a controller that may not change anything.
func ParseController(s string) (Controller, error) {
	const hint = "want tcp:HOST[:PORT], ssl:HOST[:PORT], unix:PATH or module:NAME, with ro+ in front for read-only"
	rest, readOnly := strings.CutPrefix(s, readOnlyPrefix)
	t, err := ofwire.ParseTarget(rest)
	if err != nil {
		return Controller{}, &Error{Kind: "invalid", Field: "controllers", Value: clip(s), Detail: "controller " + err.Error(), Hint: hint, Index: -1, Err: err}
	}
	if t.Passive() {
		return Controller{}, invalid("controllers", s, fmt.Sprintf("controller %q: govisor connects to controllers, it does not wait for them", clip(s)), hint)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == ',' || r == 0x7f }) {
		return Controller{}, invalid("controllers", s, fmt.Sprintf("controller %q contains white space, a comma or a control character", clip(s)), hint)
	}
	return Controller{Target: t, ReadOnly: readOnly}, nil
}

func parseControllers(urls []string) ([]Controller, error) {
	var out []Controller
	for _, list := range urls {
		for u := range strings.SplitSeq(list, ",") {
			c, err := ParseController(strings.TrimSpace(u))
			if err != nil {
				return nil, err
			}
			if slices.Contains(out, c) {
				return nil, invalid("controllers", u, fmt.Sprintf("controller %s is there twice", c), "")
			}
			out = append(out, c)
		}
	}
	switch {
	case len(out) == 0:
		return nil, invalid("controllers", "", "a slice needs a controller", "for example tcp:localhost:6633")
	case len(out) > maxControllers:
		return nil, invalid("controllers", "", fmt.Sprintf("%d controllers are more than %d", len(out), maxControllers), "")
	}
	if !slices.ContainsFunc(out, func(c Controller) bool { return !c.ReadOnly }) {
		return nil, invalid("controllers", out[0].String(), "a slice needs a controller that is not read-only", "leave out ro+ for one of them")
	}
	return out, nil
}

// checkName applies the rule for names of slices and accounts.
func checkName(field, name string) error {
	hint := fmt.Sprintf("1 to %d characters out of A-Z a-z 0-9 _ + . -", maxSliceName)
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+.-", r))
	}
	switch {
	case name == "":
		return invalid(field, name, "the name is empty", hint)
	case len(name) > maxSliceName:
		return invalid(field, name, fmt.Sprintf("name %q has %d characters", clip(name), len(name)), hint)
	case name == "." || name == "..":
		return invalid(field, name, fmt.Sprintf("name %q means something else in a path", name), hint)
	}
	if i := strings.IndexFunc(name, bad); i >= 0 {
		return invalid(field, name, fmt.Sprintf("name %q contains %q", clip(name), []rune(name[i:])[0]), hint)
	}
	return nil
}

// with returns a changed copy, all fields checked.
func (s Slice) with(p SlicePatch) (Slice, error) {
	var err error
	if p.Controllers != nil {
		if s.Controllers, err = parseControllers(p.Controllers); err != nil {
			return s, err
		}
	}
	if p.Contact != nil {
		if s.Contact, err = checkText("contact", *p.Contact, maxContact); err != nil {
			return s, err
		}
	}
	if p.DropPolicy != nil {
		switch d := DropPolicy(*p.DropPolicy); d {
		case DropExact, DropRule:
			s.DropPolicy = d
		default:
			return s, invalid("drop_policy", *p.DropPolicy, fmt.Sprintf("unknown drop policy %q", clip(*p.DropPolicy)), "want exact or rule")
		}
	}
	if s.Limits, err = s.Limits.with(p.LimitsPatch, ""); err != nil {
		return s, err
	}
	for _, b := range []struct {
		to   *bool
		from *bool
	}{{&s.RecvLLDP, p.RecvLLDP}, {&s.Strict, p.Strict}, {&s.Enabled, p.Enabled}} {
		if b.from != nil {
			*b.to = *b.from
		}
	}
	if p.Enabled != nil {
		s.DisabledBy = ""
	}
	return s, nil
}

func checkText(field, v string, most int) (string, error) {
	if len(v) > most {
		return "", invalid(field, v, fmt.Sprintf("%s has %d characters, more than %d", field, len(v), most), "")
	}
	if strings.ContainsFunc(v, deceives) {
		return "", invalid(field, v, field+" contains control characters, characters that cannot be seen, or bad UTF-8", "")
	}
	return v, nil
}

// deceives reports whether a character makes a text look like another, or does
// something to a terminal: controls, changes of direction, breaks and what has no width.
func deceives(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune("\u200b\u2028\u2029\u2060\ufeff\ufffd", r)
}

func (s *Slice) record() store.Slice {
	urls := make([]string, len(s.Controllers))
	for i, c := range s.Controllers {
		urls[i] = c.String()
	}
	return store.Slice{Name: s.Name, Generation: s.Generation, Order: s.Order, Controllers: urls, Contact: s.Contact,
		DropPolicy: string(s.DropPolicy), RecvLLDP: s.RecvLLDP, Strict: s.Strict, Enabled: s.Enabled, DisabledBy: s.DisabledBy,
		FlowModLimit: s.FlowModLimit, RateLimit: s.RateLimit, FlowModRate: s.FlowModRate, PacketInRate: s.PacketInRate,
		Creator: s.Creator, Created: s.Created}
}

func sliceFromRecord(r store.Slice) (*Slice, error) {
	controllers, err := parseControllers(r.Controllers)
	if err != nil {
		return nil, fmt.Errorf("stored slice %q: %w", r.Name, err)
	}
	return &Slice{Name: r.Name, Generation: r.Generation, Order: r.Order, Controllers: controllers, Contact: r.Contact,
		DropPolicy: DropPolicy(r.DropPolicy), RecvLLDP: r.RecvLLDP, Strict: r.Strict, Enabled: r.Enabled, DisabledBy: r.DisabledBy,
		Limits:  Limits{r.FlowModLimit, r.RateLimit, orNone(r.FlowModRate), orNone(r.PacketInRate)},
		Creator: r.Creator, Created: r.Created}, nil
}

// CheckSliceName says what is wrong with a name for a slice.
func CheckSliceName(name string) error { return checkName("name", name) }
