package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/govisor/govisor/api/apitype"
)

// damage returns the saved configuration with values put at paths, as
// Slice/1/controller_port.
func damage(t *testing.T, put map[string]any) []byte {
	t.Helper()
	var top map[string]any
	if err := json.Unmarshal(savedConfig(t), &top); err != nil {
		t.Fatal(err)
	}
	for path, v := range put {
		at := any(top)
		parts := strings.Split(path, "/")
		for _, p := range parts[:len(parts)-1] {
			if list, ok := at.([]any); ok {
				var i int
				if _, err := fmt.Sscan(p, &i); err != nil {
					t.Fatal(err)
				}
				at = list[i]
				continue
			}
			at = at.(map[string]any)[p] //nolint:errcheck,forcetypeassert // a wrong path stops the test
		}
		if last := parts[len(parts)-1]; v == nil {
			delete(at.(map[string]any), last) //nolint:forcetypeassert // see above
		} else {
			at.(map[string]any)[last] = v //nolint:forcetypeassert // see above
		}
	}
	text, err := json.Marshal(top)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestFlowVisorFaults damages FlowVisor's configuration in many ways: every fault is
// listed with the place and value as they are in that file, not in ours.
func TestFlowVisorFaults(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	for name, tc := range map[string]struct {
		put  map[string]any
		want []string // all faults: field, value, words
	}{
		"text for a number":  {map[string]any{"Slice/1/controller_port": "6635"}, []string{`Slice[1].controller_port|"6635"|whole number`}},
		"half a number":      {map[string]any{"FlowSpaceRule/3/priority": 1.5}, []string{`FlowSpaceRule[3].priority|1.5|whole number`}},
		"text for a boolean": {map[string]any{"Slice/2/lldp_spam": "yes"}, []string{`Slice[2].lldp_spam|"yes"|true or false`}},
		"a limit":            {map[string]any{"switches/1/limits/bob/rate_limit": "x"}, []string{`switches[1].limits.bob.rate_limit|"x"|whole number`}},
		"a limit's number":   {map[string]any{"switches/1/limits/bob/rate_limit": -5}, []string{`switches[1].limits.bob.rate_limit|-5|-1`}},
		"a permission":       {map[string]any{"FlowSpaceRule/0/slice_action": []any{map[string]any{"alice": "rw"}}}, []string{`FlowSpaceRule[0].slice_action|[{"alice":"rw"}]|"rw" is not a whole number`}},
		"drop policy":        {map[string]any{"Slice/1/drop_policy": "zzz"}, []string{"Slice[1].drop_policy|zzz|exact or rule"}},
		"flow limit":         {map[string]any{"Slice/1/max_flow_rules": -9}, []string{"Slice[1].max_flow_rules|-9|-1"}},
		"password":           {map[string]any{"Slice/1/passwd_crypt": "zz"}, []string{"Slice[1].passwd_crypt||32"}},
		"host":               {map[string]any{"Slice/1/controller_hostname": "a b"}, []string{"Slice[1].controller_hostname|a b|not a host"}},
		"empty name":         {map[string]any{"Slice/5/name": ""}, []string{"Slice[5].name||empty"}},
		"unknown slice":      {map[string]any{"FlowSpaceRule/0/slice_action": []any{map[string]any{"nobody": 7}}}, []string{`FlowSpaceRule[0].slice_action|nobody|unknown slice "nobody"`}},
		"address":            {map[string]any{"FlowSpaceRule/0/wildcards": 4194303 &^ 8, "FlowSpaceRule/0/dl_dst": "1:2"}, []string{"FlowSpaceRule[0].dl_dst|1:2|MAC"}},
		"port too high":      {map[string]any{"FlowSpaceRule/0/wildcards": 4194302, "FlowSpaceRule/0/in_port": 70000}, []string{"FlowSpaceRule[0].in_port|70000|out of range"}},
		"queue too high":     {map[string]any{"FlowSpaceRule/0/queue_id": []any{4294967297}}, []string{"FlowSpaceRule[0].queue_id|4294967297|out of range"}},
		"forced queue":       {map[string]any{"FlowSpaceRule/0/forced_queue": 4294967297}, []string{"FlowSpaceRule[0].forced_queue|4294967297|out of range"}},
		"no wildcards":       {map[string]any{"FlowSpaceRule/0/wildcards": nil}, []string{"FlowSpaceRule[0].wildcards||missing"}},
		"wildcards too high": {map[string]any{"FlowSpaceRule/0/wildcards": 1 << 33}, []string{"FlowSpaceRule[0].wildcards|8589934592|out of range"}},
		"all at once": {map[string]any{"Slice/1/controller_port": "x", "Slice/2/drop_policy": "q", "FlowSpaceRule/0/dpid": "x", "FlowSpaceRule/1/priority": -4,
			"FlowSpaceRule/2/priority": "s", "switches/0/dpid": "u"}, []string{"Slice[1].controller_port|\"x\"|number", "Slice[2].drop_policy|q|rule", "FlowSpaceRule[0].dpid|x|datapath",
			"FlowSpaceRule[1].priority|-4|range", "FlowSpaceRule[2].priority|\"s\"|number", "switches[0].dpid|u|datapath"}},
	} {
		_, err := w.admin.ImportConfig(ctx, damage(t, tc.put), false)
		p, ok := errors.AsType[*apitype.Problem](err)
		if !ok || p.Kind != apitype.KindInvalid || len(p.Errors) != len(tc.want) {
			t.Errorf("%s: %v, want %d faults: %+v", name, err, len(tc.want), p)
			continue
		}
		have := map[string]apitype.Fault{}
		for _, f := range p.Errors {
			have[f.Field] = f
		}
		for _, want := range tc.want {
			parts := strings.Split(want, "|")
			f, ok := have[parts[0]]
			if !ok || f.Value != parts[1] || !strings.Contains(f.Detail+" "+f.Hint, parts[2]) {
				t.Errorf("%s: no fault %s in %+v", name, want, p.Errors)
			}
		}
		if strings.Contains(p.Detail, "1 faults") {
			t.Errorf("%s: %s", name, p.Detail)
		}
	}
}

// TestManyFlowVisorFaults: all faults are counted, a thousand are listed.
func TestManyFlowVisorFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rules := make([]any, 2000)
	for i := range rules {
		rules[i] = i
	}
	_, err := w.admin.ImportConfig(t.Context(), damage(t, map[string]any{"FlowSpaceRule": rules}), false)
	p, ok := errors.AsType[*apitype.Problem](err)
	if !ok || len(p.Errors) != 1000 || !strings.Contains(p.Detail, "2000 faults") {
		t.Errorf("%v with %d faults, want 1000 of 2000", err, len(p.Errors))
	}
}

// TestFlowVisorNotes checks that what the import leaves out is said.
func TestFlowVisorNotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, err := w.admin.ImportConfig(t.Context(), damage(t, map[string]any{"frob": 5, "FlowSpaceRule/0/frob": 1, "FlowSpaceRule/1/frob": 1,
		"switches/1/limits/nobody": map[string]any{"rate_limit": 3, "maximum_flow_mods": 4}}), true)
	notes := strings.Join(res.Notes, "\n")
	for _, want := range []string{`the section "frob"`, `FlowSpaceRule: the unknown field "frob"`, `switches[1]: limits of the unknown slice "nobody"`} {
		if !strings.Contains(notes, want) {
			t.Errorf("%v, the notes lack %q:\n%s", err, want, notes)
		}
	}
	if strings.Count(notes, `unknown field "frob"`) != 1 {
		t.Errorf("a field is told more than once:\n%s", notes)
	}
}
