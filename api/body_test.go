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
