package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestRPCSaysWhichEntry: what is wrong with one of several entries is told with its place
// in the request, also behind entries that became one rule, and changes nothing.
func TestRPCSaysWhichEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("a")
	w.token("fvadmin", "full") // a change of its own
	w.rule("there", "any", 1, "any", "a")
	entry := func(name, match, grants string) string {
		return fmt.Sprintf(`{"name":%q,"dpid":"1","priority":5,"match":{%s},"slice-action":[%s]}`, name, match, grants)
	}
	const full = `{"slice-name":"a","permission":7}`
	good := []string{entry("run", `"dl_vlan":1`, full), entry("run", `"dl_vlan":2`, full), entry("run", `"dl_vlan":3`, full), entry("other", "", full)}
	for _, c := range []struct{ bad, field string }{
		{entry("x", "", ""), "slice-action"},
		{entry("x", "", `{"slice-name":"zoe","permission":7}`), `"zoe"`},
		{entry("x", `"dl_vlan":4097`, full), `dl_vlan "4097"`},
		{entry("x", `"dl_vlan":"200-100"`, full), "upside down"},
		{entry("x", `"dl_type":2048,"nw_src":"10.0.0.0/33"`, full), "nw_src"},
		{entry("x", `"colour":1`, full), "colour"},
		{entry(strings.Repeat("n", 65), "", full), "65 characters"},
		{`{"name":"x","dpid":"1","match":{},"slice-action":[]}`, "priority"},
		{`{"name":"x","dpid":"zz","priority":1,"match":{},"slice-action":[]}`, "dpid"},
		{`7`, "is not an object"},
	} {
		before := w.svc.Revision()
		params := "[" + strings.Join(append(good[:4:4], c.bad), ",") + "]"
		code, text := w.rpcAdmin(t, "add-flowspace", params)
		if code != -32602 || !strings.HasPrefix(text, "add-flowspace: entry 4") || !strings.Contains(text, c.field) {
			t.Errorf("%s: %d %s", c.bad, code, text)
		}
		if now := w.svc.Revision(); now != before {
			t.Errorf("%s: revision %d, was %d", c.bad, now, before)
		}
	}
	if code, text := w.rpcAdmin(t, "update-flowspace", `[{"name":"there","priority":2},{"name":"there","match":{"dl_vlan":4097}}]`); code != -32602 || !strings.Contains(text, "entry 1: dl_vlan") {
		t.Errorf("%d %s", code, text)
	}
	if code, text := w.rpcAdmin(t, "add-flowspace", "["+strings.Join(good, ",")+"]"); code != 0 {
		t.Errorf("%d %s", code, text)
	}
}
