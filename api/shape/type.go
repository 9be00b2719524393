package shape

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// kind is what a JSON value may be, as far as the shape goes.
type kind uint8

const (
	free   kind = iota // anything: scalars, and types that read themselves
	fields             // an object with the fields of a struct
	values             // an object with any names
	array
)

// form is the shape of a Go type in JSON.
type form struct {
	kind  kind
	elem  *form // of an array, or of an object with any names
	names []string
	of    []*form // of each name
	must  uint64  // the names that must be there, a bit for each
	null  uint64  // those of must that may be null: an array without elements is that to Go's encoder
}

var (
	mu    sync.Mutex
	known = map[reflect.Type]*form{}
)

// formOf returns the form of a type, which it makes once; nil is that of nothing known.
func formOf(t reflect.Type) *form {
	if t == nil {
		return &form{}
	}
	mu.Lock()
	defer mu.Unlock()
	return formIn(t)
}

var (
	reader     = reflect.TypeFor[json.Unmarshaler]()
	textReader = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func formIn(t reflect.Type) *form {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if f, ok := known[t]; ok {
		return f
	}
	f := &form{}
	known[t] = f // before what is inside, which ends recursion
	if p := reflect.PointerTo(t); p.Implements(reader) || p.Implements(textReader) {
		return f
	}
	switch t.Kind() { //nolint:exhaustive // the others are scalars
	case reflect.Struct:
		f.kind = fields
		f.add(t)
	case reflect.Map:
		f.kind, f.elem = values, formIn(t.Elem())
	case reflect.Slice, reflect.Array:
		f.kind, f.elem = array, formIn(t.Elem())
	}
	return f
}

// add adds the fields of a struct, those of structs inside it without a name too.
func (f *form) add(t reflect.Type) {
	for field := range t.Fields() {
		name, opts, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			f.add(field.Type)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		bit := uint64(1) << len(f.names)
		if bit == 0 {
			panic("shape: " + t.String() + " has more than 64 fields")
		}
		if !strings.Contains(opts, "omit") {
			f.must |= bit
			if field.Type.Kind() == reflect.Slice || field.Type.Kind() == reflect.Map {
				f.null |= bit
			}
		}
		f.names, f.of = append(f.names, name), append(f.of, formIn(field.Type))
	}
}

// find returns the number of a name, -1 if there is none. It begins at next, since most
// who write JSON keep the order of the fields.
func (f *form) find(name []byte, next int) int {
	for i := next; i < len(f.names); i++ {
		if f.names[i] == string(name) {
			return i
		}
	}
	for i := range min(next, len(f.names)) {
		if f.names[i] == string(name) {
			return i
		}
	}
	return -1
}
