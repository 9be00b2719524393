package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestStepsThatSayTwoThings: a step of a bulk that has what belongs to another op is not
// done by half; "remove" with an update in it removed the rule.
func TestStepsThatSayTwoThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	w.rule("shared", "1", 9, "dl_vlan=99", "alice")
	before := w.svc.Revision()
	const add = `{"dpids":["1"],"match":"any","priority":1,"grants":[{"slice":"alice","permission":7}]}`
	for step, field := range map[string]string{
		`{"op":"remove","ref":"shared","update":{"priority":4}}`:                   "update",
		`{"op":"remove","ref":"shared","add":` + add + `}`:                         "add",
		`{"op":"update","ref":"shared","update":{"priority":4},"add":` + add + `}`: "add",
		`{"op":"add","ref":"shared","add":` + add + `}`:                            "ref",
		`{"op":"add","update":{"priority":4},"add":` + add + `}`:                   "update",
	} {
		status, text := w.request("POST", "/api/v1/flowspace/bulk", `{"changes":[{"op":"add","add":`+add+`},`+step+`]}`)
		if status != http.StatusBadRequest || !strings.Contains(text, `"field":"changes[1].`+field+`"`) {
			t.Errorf("%s: %d %s", step, status, text)
		}
	}
	if w.svc.Revision() != before {
		t.Error("something was changed")
	}
}
