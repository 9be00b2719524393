package apitype

import (
	"encoding/json"
	"testing"
)

func TestPermission(t *testing.T) {
	for in, want := range map[string]Permission{
		"7": 7, "r": Read, "rw": Read | Write, "rwd": 7, "wdr": 7, "14": 7, "8": Delegate, "4": Write,
		"0": 0, "": 0, "rr": 0, "x": 0, "16": 0, "-1": 0, "7r": 0, "rwdx": 0,
	} {
		got, err := ParsePermission(in)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("ParsePermission(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	if got := Permission(7).String(); got != "rwd" {
		t.Errorf("String = %q", got)
	}
}

func TestRuleInput(t *testing.T) {
	for _, in := range []string{
		`{"dpids":["any"],"priority":5,"match":"dl_type=0x800,nw_dst=10.0.0.0/8","grants":[{"slice":"a","permission":"rwd"}]}`,
		`{"dpids":["any"],"priority":5,"match":{"nw_dst":"10.0.0.0/8","dl_type":"0x800"},"grants":[{"slice":"a","permission":7}]}`,
	} {
		var r RuleCreate
		if err := json.Unmarshal([]byte(in), &r); err != nil {
			t.Fatal(err)
		}
		if r.Match != "dl_type=0x800,nw_dst=10.0.0.0/8" || r.Grants[0].Permission != 7 {
			t.Errorf("%s: got %+v", in, r)
		}
	}
	for _, in := range []string{`{"match":5}`, `{"match":[1]}`, `{"match":null}`, `{"match":{"in_port":"1,dl_vlan=5"}}`, `{"match":{"in_port=1,dl_vlan":5}}`, `{"match":{"in_port":null}}`, `{"match":{"a":{}}}`, `{"grants":[{"permission":0}]}`} {
		if err := json.Unmarshal([]byte(in), &RuleCreate{}); err == nil {
			t.Errorf("%s: no error", in)
		}
	}
	var m Match
	if err := json.Unmarshal([]byte(`{}`), &m); err != nil || m != "any" {
		t.Errorf("empty object: %q %v", m, err)
	}
}
