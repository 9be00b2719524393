package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// maxDepth bounds how deep JSON may nest.
const maxDepth = 32

// checkShape refuses JSON that is nested too deep, and objects with a field twice: which
// of the values counts would depend on who reads them. With fold, fields that differ in
// case only are the same, as they are to encoding/json when it fills a struct. What is
// no JSON at all is left to whoever decodes it.
func checkShape(text []byte, fold bool) error {
	s := shape{fold: fold}
	for i := 0; i < len(text); i++ {
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
				if err := s.field(text[i : end+1]); err != nil {
					return err
				}
			}
			i = end
		case '{', '[':
			if len(s.open) == maxDepth {
				return bad("body", "", fmt.Sprintf("the JSON is nested deeper than %d", maxDepth), "")
			}
			s.key = text[i] == '{'
			s.open = append(s.open, scope{is: s.key, from: len(s.names)})
		case '}', ']':
			s.leave()
		case ',':
			s.key = len(s.open) > 0 && s.open[len(s.open)-1].is
		}
	}
	return nil
}

// shape is what checkShape knows of where it is.
type shape struct {
	fold  bool
	key   bool // the next string is the name of a field
	open  []scope
	names [][]byte // of the fields of all open objects, until there are many
}

// scope is an open object or array.
type scope struct {
	is   bool // an object
	from int  // its first name
	many map[string]struct{}
}

// fewNames is how many fields are compared one by one.
const fewNames = 16

func (s *shape) leave() {
	if n := len(s.open) - 1; n >= 0 {
		s.names, s.open = s.names[:s.open[n].from], s.open[:n]
	}
	s.key = false
}

// field notes the name of a field, in quotes.
func (s *shape) field(quoted []byte) error {
	s.key = false
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var text string
		if json.Unmarshal(quoted, &text) != nil {
			return nil //nolint:nilerr // whoever decodes it says so
		}
		name = []byte(text)
	}
	o := &s.open[len(s.open)-1]
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
		return bad(clip(string(name)), "", fmt.Sprintf("field %q is there twice", clip(string(name))), "")
	}
	return nil
}

// folded is the same for names that count as the same.
func (s *shape) folded(name []byte) string {
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
