package shape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type base struct {
	Name string `json:"name"`
}

type whole struct {
	base
	Count  int             `json:"count"`
	Opt    *int            `json:"opt,omitempty"`
	When   time.Time       `json:"when,omitzero"`
	List   []whole         `json:"list"`
	Table  map[string]base `json:"table,omitempty"`
	Inner  *base           `json:"inner,omitempty"`
	Any    any             `json:"any,omitempty"`
	Raw    json.RawMessage `json:"raw,omitempty"`
	Hidden int             `json:"-"`
}

func TestTyped(t *testing.T) {
	t.Parallel()
	of := reflect.TypeFor[*whole]()
	for text, want := range map[string][]string{
		`{"name":"a","count":0,"list":[]}`:    nil,
		`{"list":null,"count":1,"name":""}`:   nil,
		`{"name":"a","count":0}`:              {"list -1 list is missing"},
		`{}`:                                  {"name -1 name is missing", "count -1 count is missing", "list -1 list is missing"},
		`{"name":"a","count":null,"list":[]}`: {"count -1 count is missing: it is null"},
		`{"name":"a","count":0,"list":[{"name":"b","count":1,"list":[]},{"name":"\\\"","count":1}]}`: {"list[1].list 1 list[1].list is missing"},
		`{"name":"a","count":0,"list":[null]}`:                                                       {"list[0] 0 list[0]: null is not possible here"},
		`{"name":"a","count":0,"list":[],"opt":null,"inner":null,"any":null}`:                        nil,
		`{"name":"a","count":0,"list":[],"inner":{}}`:                                                {"inner.name -1 inner.name is missing"},
		`{"name":"a","count":0,"list":[],"table":{"x":{"name":"n"},"y":{}}}`:                         {"table.y.name -1 table.y.name is missing"},
		`{"name":"a","count":0,"list":[],"any":{"COUNT":1,"x":[null,{}]}}`:                           nil,
		`{"name":"a","count":0,"list":[],"raw":{"COUNT":1,"x":[null,{}]}}`:                           nil,
		`{"name":"a","Count":0,"list":[]}`:                                                           {`Count -1 unknown field "Count" want "count": upper and lower case are not the same`},
		`{"name":"a","count":0,"COUNT":0,"list":[]}`:                                                 {`COUNT -1 field "COUNT" is there twice`},
		`{"name":"a","count":0,"c\u006funt":0,"list":[]}`:                                            {`count -1 field "count" is there twice`},
		`{"name":"a","count":0,"list":[],"colour":{"a":{}},"Hidden":1}`:                              {`colour -1 unknown field "colour"`, `Hidden -1 unknown field "Hidden"`},
		`{"name":"a","count":0,"list":[],"colour":{"a":1,"a":2}}`:                                    {`colour -1 unknown field "colour"`, `a -1 field "a" is there twice`},
		`[]`: nil, `[{}]`: nil, `{"name":{},"count":[null],"list":{"a":null}`: nil, `null`: nil, `{"name":"null"`: nil,
	} {
		var got []string
		for _, f := range Check([]byte(text), of, true, 10) {
			got = append(got, strings.TrimSpace(fmt.Sprint(f.Path, " ", f.Index, " ", f.Detail, " ", f.Hint)))
		}
		for i := range got {
			got[i] = strings.TrimSuffix(got[i], " leave it out")
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
	if got := Check([]byte(`{}`), of, true, 2); len(got) != 2 {
		t.Errorf("most: %v", got)
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	many := func(n int, last string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"f%d":{"f%d":[]},`, i, i)
		}
		return "{" + b.String() + `"` + last + `":1}`
	}
	for _, tc := range []struct {
		text        string
		exact, fold bool // is refused
	}{
		{`{}`, false, false},
		{`{"a":1,"b":{"a":2,"c":["a","a",{"a":1},{"a":1}]},"c":"a"}`, false, false},
		{`{"a":1,"a":1}`, true, true},
		{`{"a":{"b":1,"c":[{}],"b":1}}`, true, true},
		{`[{"a":1},{"b":{"x":1},"a":"\\\"","a":2}]`, true, true},
		{`{"a":1,"A":1}`, false, true},
		{`{"k":1,"\u212a":1}`, false, true}, // the sign for kelvin is a k to encoding/json
		{`{"":1,"":1}`, true, true},
		{many(15, "f3"), true, true}, {many(15, "F3"), false, true}, {many(15, "x"), false, false},
		{many(16, "f3"), true, true}, {many(16, "F3"), false, true}, {many(16, "x"), false, false},
		{many(17, "f16"), true, true}, {many(17, "F16"), false, true}, {many(17, "x"), false, false},
		{many(5000, "f4999"), true, true}, {many(5000, "F0"), false, true}, {many(5000, "x"), false, false},
		{strings.Repeat("[", 32) + strings.Repeat("]", 32), false, false},
		{strings.Repeat(`{"a":`, 33), true, true},
		{`"]}],,"`, false, false}, {`]}],,"a":{"`, false, false}, {`{"a`, false, false}, {`{"a\`, false, false}, {`,"a","a"`, false, false},
	} {
		for fold, refused := range map[bool]bool{false: tc.exact, true: tc.fold} {
			if got := Check([]byte(tc.text), nil, fold, 1); (len(got) > 0) != refused {
				t.Errorf("%.80s, fold %v: %v", tc.text, fold, got)
			}
		}
	}
}

// An object with very many fields takes no more time than its length.
func BenchmarkShape(b *testing.B) {
	var text strings.Builder
	text.WriteString("{")
	for i := range 500_000 {
		fmt.Fprintf(&text, `"field%d":1,`, i)
	}
	text.WriteString(`"x":1}`)
	for b.Loop() {
		if got := Check([]byte(text.String()), nil, true, 1); got != nil {
			b.Fatal(got)
		}
	}
}

// FuzzCheck holds Check to the decoder: what it lets pass has no field that the decoder does
// not know, and what it calls unknown the decoder refuses or takes for another name.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		`{"name":"a","count":0,"list":[{"name":"b","count":1,"list":null}],"table":{"x":{"name":"n"}},"raw":{"a":[null]}}`,
		`{"Name":"a","co\u0075nt":0,"list":[]}`, `{"name":{"x":1},"count":[{}],"list":{"name":1}}`, `{"name":"\\\"","colour":{"a":1}}`, `[null,{"a":1}]`, `{"list":[null],"inner":null}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		faults := Check(text, reflect.TypeFor[whole](), true, 100)
		if !json.Valid(text) {
			return
		}
		var kinds [4]int
		for _, fault := range faults {
			kinds[fault.Kind]++
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		var v whole
		err := dec.Decode(&v)
		strange := err != nil && strings.Contains(err.Error(), "unknown field")
		if strange && kinds[Unknown]+kinds[Broken] == 0 {
			t.Errorf("%q: %v, not found: %v", text, err, faults)
		}
		exact := true
		for _, fault := range faults {
			exact = exact && (fault.Kind != Unknown || fault.Hint != "")
		}
		if err == nil && !exact {
			t.Errorf("%q: the decoder knows all fields: %v", text, faults)
		}
	})
}
