package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// What cannot be read is told with its place in a bulk, too.
func TestWrongTypeInABulk(t *testing.T) {
	t.Parallel()
	const good = `{"op":"add","add":{"name":"a,]}\"[","dpids":["1","2"],"priority":1,"match":{"in_port":1},"grants":[{"slice":"a","permission":7}]}}`
	for _, tt := range []struct {
		change, field string
	}{
		{`{"op":"add","add":{"priority":-1}}`, ".add.priority"},
		{`{"op":"add","add":{"dpids":["1",2]}}`, ".add.dpids"},
		{`{"op":"add","add":{"grants":[{"slice":"a","permission":7},{"slice":5}]}}`, ".add.grants.slice"},
		{`{"op":5}`, ".op"},
		{`{"op":"add","colour":1}`, ".colour"},
		{`{"op":"add","add":{"match":{"in_port":[1]}}}`, ""},
		{`{"op":"add","add":{"grants":[{"slice":"a","permission":"x"}]}}`, ""},
		{`[]`, ""},
	} {
		for _, n := range []int{0, 1, 100} {
			text := "\n {\"changes\" : [" + strings.Repeat(good+" ,\n", n) + tt.change + "," + good + "]}"
			var in apitype.Bulk
			e, _ := errors.AsType[*hypervisor.Error](unmarshal([]byte(text), &in))
			if want := fmt.Sprintf("changes[%d]%s", n, tt.field); e == nil || e.Index != n || e.Field != want {
				t.Errorf("%s after %d: want %s, got %+v", tt.change, n, want, e)
			}
		}
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
			if err := checkShape([]byte(tc.text), fold); (err != nil) != refused {
				t.Errorf("%.80s, fold %v: %v", tc.text, fold, err)
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
		if err := checkShape([]byte(text.String()), true); err != nil {
			b.Fatal(err)
		}
	}
}
