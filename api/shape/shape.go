// Package shape checks JSON before it is decoded, in one pass and without decoding it:
// for what encoding/json is silent about, and would make something else of than the
// sender meant.
package shape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/bits"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// maxDepth bounds how deep JSON may nest.
const maxDepth = 32

// Kind is what is wrong.
type Kind uint8

// Kinds of fault. JSON with one that is Broken is not worth a further look.
const (
	Broken  Kind = iota // nested too deep, or a field twice
	Unknown             // a field that the type does not have
	Missing             // a field that must be there and is not
	Null                // null where a value must be
)

// Fault is one thing that is wrong.
type Fault struct {
	Kind   Kind
	Path   string // of the field, such as changes[3].add.priority
	Index  int    // of the element of the array that is nearest to the top, -1 outside of arrays
	Detail string
	Hint   string // or ""
}

// Check looks for objects with a field twice (which of the values counts would depend on
// who reads them) and nesting that is too deep; and, where the value goes to a struct, for
// fields that it does not have, spelt exactly, and fields without omitempty or omitzero
// that are not there. of is the type that it goes to, nil for none. With fold, fields
// elsewhere that differ in case only are the same.
//
// It ends after most faults, and after one that is Broken. What is no JSON at all, and
// values of a wrong type, are left to whoever decodes it.
func Check(text []byte, of reflect.Type, fold bool, most int) []Fault {
	s := scan{fold: fold, most: most, top: formOf(of)}
	for i := 0; i < len(text) && !s.done; i++ {
		switch text[i] {
		case '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if s.key && end < len(text) {
				s.field(text[i : end+1])
			}
			i = end
		case '{', '[':
			s.enter(text[i] == '{')
		case '}', ']':
			s.leave()
		case ',':
			s.comma()
		case 'n': // outside of strings it is null
			s.null()
		}
	}
	return s.faults
}

// scan is what Check knows of where it is.
type scan struct {
	fold   bool
	most   int
	top    *form
	key    bool // the next string is the name of a field
	open   []scope
	names  [][]byte // of the fields of all open objects without a form, until there are many
	faults []Fault
	done   bool
}

// scope is an open object or array.
type scope struct {
	form   *form // never nil
	object bool
	at     int    // the field of form that this is in, -1 for none; in an array the element
	seen   uint64 // fields of form
	name   []byte // of the field this is in, where there is no form
	from   int    // its first name
	many   map[string]struct{}
}

// fewNames is how many fields are compared one by one.
const fewNames = 16

// fault notes a fault of a field of the innermost object, or of an element of the innermost
// array. What is said of one that is missing begins with its path.
func (s *scan) fault(kind Kind, field, detail, hint string) {
	f := Fault{Kind: kind, Index: -1, Detail: detail, Hint: hint}
	var path strings.Builder
	for i := range s.open {
		o := &s.open[i]
		last := i == len(s.open)-1 // the field itself comes from the caller
		switch {
		case !o.object:
			if f.Index < 0 {
				f.Index = o.at
			}
			path.WriteString("[" + strconv.Itoa(o.at) + "]")
			continue
		case last:
			continue
		case o.form.kind == fields && o.at >= 0:
			dot(&path, o.form.names[o.at])
		default:
			dot(&path, string(o.name))
		}
	}
	dot(&path, field)
	f.Path = path.String()
	if kind >= Missing {
		f.Detail = f.Path + detail
	}
	s.faults = append(s.faults, f)
	s.done = kind == Broken || len(s.faults) >= s.most
}

func dot(path *strings.Builder, name string) {
	if name == "" {
		return
	}
	if path.Len() > 0 {
		path.WriteByte('.')
	}
	path.WriteString(Clip(name))
}

// enter begins an object or an array.
func (s *scan) enter(object bool) {
	if len(s.open) == maxDepth {
		s.faults = append(s.faults, Fault{Kind: Broken, Index: -1, Path: "body", Detail: fmt.Sprintf("the JSON is nested deeper than %d", maxDepth)})
		s.done = true
		return
	}
	f := s.top
	if n := len(s.open); n > 0 {
		f = s.open[n-1].inner()
	}
	if f.kind == array == object { // not what the type wants: whoever decodes it says so
		f = unknown
	}
	s.key = object
	at := -1
	if !object {
		at = 0
	}
	s.open = append(s.open, scope{form: f, object: object, at: at, from: len(s.names)})
}

var unknown = &form{}

// inner is the form of the value that comes next.
func (o *scope) inner() *form {
	switch {
	case o.form.kind == fields && o.at >= 0:
		return o.form.of[o.at]
	case o.form.kind == values || o.form.kind == array:
		return o.form.elem
	}
	return unknown
}

// leave ends an object or an array.
func (s *scan) leave() {
	s.key = false
	n := len(s.open) - 1
	if n < 0 {
		return
	}
	o := &s.open[n]
	for rest := o.form.must &^ o.seen; o.object && rest != 0 && !s.done; rest &= rest - 1 {
		name := o.form.names[bits.TrailingZeros64(rest)]
		s.fault(Missing, name, " is missing", "")
	}
	s.names, s.open = s.names[:o.from], s.open[:n]
}

// comma goes on to the next field or element.
func (s *scan) comma() {
	n := len(s.open) - 1
	if s.key = n >= 0 && s.open[n].object; n >= 0 && !s.key {
		s.open[n].at++
	}
}

// null is refused where it would count as the zero of a value that must be there.
func (s *scan) null() {
	n := len(s.open) - 1
	if n < 0 || s.key {
		return
	}
	o := &s.open[n]
	switch {
	case o.form.kind == array && !o.object:
		s.fault(Null, "", ": null is not possible here", "leave it out")
	case o.form.kind == fields && o.object && o.at >= 0 && (o.form.must&^o.form.null)>>o.at&1 != 0:
		name := o.form.names[o.at]
		s.fault(Null, name, " is missing: it is null", "")
	}
}

// field notes the name of a field, in quotes.
func (s *scan) field(quoted []byte) {
	s.key = false
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var text string
		if json.Unmarshal(quoted, &text) != nil {
			return // whoever decodes it says so
		}
		name = []byte(text)
	}
	o := &s.open[len(s.open)-1]
	if o.form.kind == fields {
		s.known(o, name)
		return
	}
	o.name = name
	twice := false
	if o.many == nil {
		for _, have := range s.names[o.from:] {
			twice = twice || bytes.Equal(have, name) || s.fold && bytes.EqualFold(have, name)
		}
		s.names = append(s.names, name)
		if len(s.names)-o.from > fewNames {
			o.many = map[string]struct{}{}
			for _, have := range s.names[o.from:] {
				o.many[s.folded(have)] = struct{}{}
			}
			s.names = s.names[:o.from]
		}
	} else {
		key := s.folded(name)
		_, twice = o.many[key]
		o.many[key] = struct{}{}
	}
	if twice {
		s.twice(name)
	}
}

func (s *scan) twice(name []byte) {
	s.fault(Broken, string(name), fmt.Sprintf("field %q is there twice", Clip(string(name))), "")
}

// known notes a field of an object that has a form.
func (s *scan) known(o *scope, name []byte) {
	i := o.form.find(name, o.at+1)
	hint := ""
	for like := 0; i < 0 && hint == "" && like < len(o.form.names); like++ {
		if bytes.EqualFold([]byte(o.form.names[like]), name) { // encoding/json would take it
			hint = fmt.Sprintf("want %q: upper and lower case are not the same", o.form.names[like])
			if o.seen>>like&1 != 0 {
				s.twice(name)
				return
			}
			o.seen |= 1 << like
		}
	}
	switch o.at = i; {
	case i < 0:
		s.fault(Unknown, string(name), fmt.Sprintf("unknown field %q", Clip(string(name))), hint)
	case o.seen>>i&1 != 0:
		s.twice(name)
	default:
		o.seen |= 1 << i
	}
}

// folded is the same for names that count as the same.
func (s *scan) folded(name []byte) string {
	if !s.fold {
		return string(name)
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, string(name))
}

// Clip keeps the beginning of a text.
func Clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
