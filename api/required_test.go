package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/govisor/govisor/internal/hypervisor"
)

// request sends a body as administrator.
func (w *world) request(method, path, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.SetBasicAuth(hypervisor.AdminName, adminPassword)
	return carried(w.t, req)
}

// carried sends a request and reads the answer.
func carried(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestRequiredFields: what OpenAPI says must be there is missed wherever it is missing, and
// not taken for 0 or "".
func TestRequiredFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	w.rule("shared", "1", 9, "dl_vlan=99", "alice")
	before := w.svc.Revision()
	const good = `{"dpids":["1"],"match":"any","priority":1,"grants":[{"slice":"alice","permission":7}]}`
	limit := `{"dpid":"1","slice":"alice","flowmod_limit":1,"rate_limit":1,"flowmod_rate":1,"packet_in_rate":1}`
	settings := `{"flow_tracking":true,"stats_desc":true,"topology":false,"flow_stats_cache":1,"default_flood_perm":"","adoption":"adopt","callback_allow":"","controller_allow":""}`
	bulk := func(rule string) string {
		return fmt.Sprintf(`{"changes":[{"op":"add","add":%s},{"op":"add","add":%s}]}`, good, rule)
	}
	apply := func(rule string) string { return fmt.Sprintf(`{"govisor_config":1,"flowspace":[%s,%s]}`, good, rule) }
	cut := func(text, out string) string {
		if !strings.Contains(text, out) {
			t.Fatalf("%s has no %s", text, out)
		}
		return strings.Replace(text, out, "", 1)
	}
	type try struct{ method, path, body, field string }
	var all []try
	for field, rule := range map[string]string{
		"priority":             cut(good, `"priority":1,`),
		"match":                cut(good, `"match":"any",`),
		"dpids":                cut(good, `"dpids":["1"],`),
		"grants":               cut(good, `,"grants":[{"slice":"alice","permission":7}]`),
		"grants[0].slice":      cut(good, `"slice":"alice",`),
		"grants[0].permission": cut(good, `,"permission":7`),
	} {
		all = append(all, try{"POST", "/flowspace", rule, field}, try{"POST", "/flowspace/bulk", bulk(rule), "changes[1].add." + field},
			try{"POST", "/apply", apply(rule), "flowspace[1]." + field}, try{"PUT", "/config", apply(rule), "flowspace[1]." + field})
	}
	all = append(all,
		try{"POST", "/flowspace/bulk", bulk(strings.Replace(good, `"priority":1`, `"priority":null`, 1)), "changes[1].add.priority"},
		try{"POST", "/flowspace", strings.Replace(good, `"priority":1`, `"priority": null`, 1), "priority"},
		try{"POST", "/flowspace", strings.Replace(good, `"grants"`, `"queues":[1,null],"grants"`, 1), "queues[1]"},
		try{"POST", "/flowspace", strings.Replace(good, `"match":"any"`, `"match":null`, 1), "match"},
		try{"POST", "/flowspace", strings.Replace(good, `"permission":7`, `"permission":null`, 1), "grants[0].permission"},
		try{"POST", "/flowspace/bulk", bulk(strings.Replace(good, `"permission":7`, `"permission":null`, 1)), "changes[1].add.grants[0].permission"},
		try{"POST", "/flowspace/bulk", `{"changes":[null]}`, "changes[0]"},
		try{"POST", "/flowspace/bulk", `{"changes":[{"ref":"shared"}]}`, "changes[0].op"},
		try{"POST", "/flowspace/bulk", `{}`, "changes"},
		try{"POST", "/flowspace/bulk", strings.Replace(bulk(cut(good, `"priority":1,`)), "{", "{"+strings.Repeat(" ", 2<<20), 1), "changes[1].add.priority"},
		try{"PATCH", "/flowspace/shared", `{"grants":[{"slice":"alice"}]}`, "grants[0].permission"},
		try{"POST", "/flowspace/bulk", `{"changes":[{"op":"update","ref":"shared","update":{"grants":[{"permission":1}]}}]}`, "changes[0].update.grants[0].slice"},
		try{"POST", "/apply", `{"govisor_config":1,"slices":[{"name":"b","controllers":["tcp:h"]}]}`, "slices[0].contact"},
		try{"POST", "/apply", `{"govisor_config":1,"slices":[{"name":"b","contact":""}]}`, "slices[0].controllers"},
		try{"POST", "/apply", `{"govisor_config":1,"datapaths":[{"flood_perm":"alice"}]}`, "datapaths[0].dpid"},
		try{"POST", "/apply", `{"govisor_config":1,"callbacks":[{"account":"fvadmin","url":"http://h/","method":"m","cookie":"c"}]}`, "callbacks[0].event"},
	)
	for _, name := range []string{`,"rate_limit":1`, `,"flowmod_rate":1`, `"dpid":"1",`, `,"flowmod_limit":1`} {
		all = append(all, try{"POST", "/apply", fmt.Sprintf(`{"govisor_config":1,"datapaths":[{"dpid":"1","limits":[%s]}]}`, cut(limit, name)), "datapaths[0].limits[0]." + strings.Split(name, `"`)[1]})
	}
	for _, name := range []string{`,"flow_stats_cache":1`, `"flow_tracking":true,`, `,"topology":false`} {
		all = append(all, try{"POST", "/apply", fmt.Sprintf(`{"govisor_config":1,"settings":%s}`, cut(settings, name)), "settings." + strings.Split(name, `"`)[1]})
	}
	for _, tc := range all {
		status, text := w.request(tc.method, "/api/v1"+tc.path, tc.body)
		last := tc.field[strings.LastIndexByte(tc.field, '.')+1:]
		if status != http.StatusBadRequest || !strings.Contains(text, `"field":"`+tc.field+`"`) || !strings.HasSuffix(last, "]") && !strings.Contains(text, tc.field+" is missing") {
			t.Errorf("%s %s %.300s: want %s, got %d %s", tc.method, tc.path, strings.ReplaceAll(tc.body, "  ", ""), tc.field, status, text)
		}
	}
	if status, text := w.request("POST", "/api/v1/apply", `{"govisor_config":1,"flowspace":[{"dpids":["1"],"match":"any","grants":[]}],"slices":[{"name":"x","contact":""}]}`); status != http.StatusBadRequest ||
		!strings.Contains(text, "has 2 faults") || !strings.Contains(text, "flowspace[0].priority") || !strings.Contains(text, "slices[0].controllers") {
		t.Errorf("two faults: %d %s", status, text)
	}
	if w.svc.Revision() != before {
		t.Error("something was changed")
	}
	for _, ok := range []try{
		{"POST", "/flowspace/bulk?dry_run=true", bulk(good), ""}, {"POST", "/apply?dry_run=true", apply(good), ""},
		{"POST", "/apply?dry_run=true", fmt.Sprintf(`{"govisor_config":1,"settings":%s,"datapaths":[{"dpid":"1","limits":[%s]}]}`, settings, limit), ""},
		{"POST", "/flowspace?dry_run=true", strings.Replace(good, `"grants"`, `"queues":null,"forced_queue":null,"grants"`, 1), ""},
	} {
		if status, text := w.request(ok.method, "/api/v1"+ok.path, ok.body); status > 299 {
			t.Errorf("%s: %d %s", ok.body, status, text)
		}
	}
}

// TestNamesAreExact: fields whose names are written with other letters are not these fields.
func TestNamesAreExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	before := w.svc.Revision()
	for _, tc := range []struct{ path, body, field, hint string }{
		{"/flowspace", `{"dpids":["1"],"match":"any","Priority":1,"grants":[{"slice":"alice","permission":7}]}`, "Priority", "priority"},
		{"/flowspace", `{"dpids":["1"],"match":"any","priority":1,"grants":[{"\u0053lice":"alice","permission":7}]}`, "grants[0].Slice", "slice"},
		{"/flowspace", `{"dpids":["1"],"match":"any","priority":1,"grants":[{"\u017flice":"alice","permission":7}]}`, "grants[0].\u017flice", "slice"},
		{"/flowspace/bulk", `{"changes":[{"op":"remove","ref":"x"},{"OP":"remove","ref":"y"}]}`, "changes[1].OP", "op"},
		{"/apply", `{"govisor_config":1,"settings":{"Topology":true}}`, "settings.Topology", "topology"},
		{"/slices", `{"name":"b","Controllers":["tcp:h"],"contact":""}`, "Controllers", "controllers"},
	} {
		status, text := w.request("POST", "/api/v1"+tc.path, tc.body)
		last := tc.field[strings.LastIndexByte(tc.field, '.')+1:]
		if status != http.StatusBadRequest || !strings.Contains(text, `"field":"`+tc.field+`"`) || !strings.Contains(text, `unknown field \"`+last) || !strings.Contains(text, `want \"`+tc.hint+`\"`) {
			t.Errorf("%s: %d %s", tc.body, status, text)
		}
	}
	if status, text := w.request("POST", "/", `{"jsonrpc":"2.0","id":1,"Method":"list-slices"}`); status != http.StatusOK || !strings.Contains(text, "-32600") || !strings.Contains(text, `Method`) {
		t.Errorf("JSON-RPC: %d %s", status, text)
	}
	if w.svc.Revision() != before {
		t.Error("something was changed")
	}
}
