package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
)

func TestConflictsAndFree(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("a")
	w.slice("b")
	w.rule("low", "1", 5, "in_port=1", "a")
	w.rule("same", "1", 9, "in_port=1,dl_vlan=7", "a") // a slice does not stand in its own way
	w.rule("high", "any", 10, "dl_vlan=100-199", "b")
	w.rule("shadowed", "2", 3, "dl_vlan=150,in_port=4", "a")
	w.rule("half1", "3", 9, "in_port=1|2", "b")
	w.rule("half2", "3", 9, "in_port=3|4", "b")
	w.rule("covered", "3", 1, "in_port=1-4", "a")
	got := map[string]string{}
	all, _, err := w.admin.Conflicts(ctx, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		got[c.Kind+" "+c.Rule.Name+" "+c.Other.Name] = string(c.Region)
	}
	want := map[string]string{
		"overlap low high":      "in_port=1,dl_vlan=100-199",
		"overlap shadowed high": "in_port=4,dl_vlan=150", "shadowed shadowed high": "in_port=4,dl_vlan=150",
		"overlap covered high": "in_port=1-4,dl_vlan=100-199", "overlap covered half1": "in_port=1-2", "overlap covered half2": "in_port=3-4",
		"shadowed covered high": "in_port=1-4,dl_vlan=100-199",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	one, more, err := w.admin.Conflicts(ctx, "a", "1")
	if err != nil || len(one) != 1 || more {
		t.Errorf("of slice a on 1: %+v, %v", one, err)
	}
	hers, _, err := w.as("a", "a-password").Conflicts(ctx, "", "1")
	if err != nil || len(hers) != 1 || hers[0].Other.Name != "" || len(hers[0].Other.Grants) != 0 {
		t.Errorf("slice a sees of b's rule: %+v, %v", hers, err)
	}
	free, err := w.admin.Free(ctx, "dl_vlan", []string{"1"})
	if err != nil || free.Values != "1-6|8-99|200-4094" || free.Count != 4094-101 {
		t.Errorf("free VLANs: %+v, %v", free, err)
	}
	free, err = w.admin.Free(ctx, "in_port", []string{"3"})
	if err != nil || free.Values != "5-65280" {
		t.Errorf("free ports: %+v, %v", free, err)
	}
	_, err = w.admin.Free(ctx, "nw_src", nil)
	wantKind(t, err, apitype.KindInvalid, "nw_src")
}

// A list of conflicts that is cut says so, also on its later pages.
func TestConflictsSayThatThereAreMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("a")
	w.slice("b")
	var bulk []apitype.Change
	for i := range 10_001 {
		bulk = append(bulk, apitype.Change{Op: "add", Add: &apitype.RuleCreate{DPIDs: []string{"1"}, Priority: 9, Match: apitype.Match(fmt.Sprintf("dl_vlan=%d,in_port=%d", i%100, i/100)),
			Grants: []apitype.Grant{{Slice: "a", Permission: 7}}}})
	}
	if _, err := w.admin.BulkRules(t.Context(), bulk, false); err != nil {
		t.Fatal(err)
	}
	w.rule("below", "1", 1, "any", "b")
	all, more, err := w.admin.Conflicts(t.Context(), "", "")
	if err != nil || len(all) != 10_000 || !more {
		t.Errorf("%d conflicts, more %v, %v", len(all), more, err)
	}
	for _, tc := range []struct{ query, want string }{{"?limit=1&after=9998", `"total":10000,"next":"9999","truncated":true}`}, {"?limit=1&after=9999", `"total":10000,"truncated":true}`}} {
		if _, _, text := w.send("GET", "/flowspace/conflicts"+tc.query, "", nil); !strings.HasSuffix(strings.TrimSpace(text), tc.want) {
			t.Errorf("%s: ...%s", tc.query, text[max(0, len(text)-100):])
		}
	}
	if err := w.admin.DeleteRule(t.Context(), "id:1"); err != nil {
		t.Fatal(err)
	}
	if _, _, text := w.send("GET", "/flowspace/conflicts?limit=1", "", nil); strings.Contains(text, "truncated") || !strings.Contains(text, `"total":10000`) {
		t.Errorf("of exactly as many as are listed: %.200s", text)
	}
}

// A rule is called shadowed when it has nothing anywhere, or on the datapath asked for.
// The datapath of all ones is one like others.
func TestShadowedWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("a")
	w.slice("b")
	w.rule("wide", "any", 5, "dl_vlan=7", "a")
	w.rule("lost", "1,0xffffffffffffffff", 4, "dl_vlan=7", "a")
	w.rule("part", "1,2", 3, "in_port=1", "a")
	w.rule("one", "1", 9, "in_port=1", "b")
	w.rule("ones", "0xffffffffffffffff", 8, "any", "b")
	const one, ones = "00:00:00:00:00:00:00:01", "ff:ff:ff:ff:ff:ff:ff:ff"
	for _, tt := range []struct {
		dpid string
		want []string
	}{
		{"", []string{
			"one wins over wide on " + one, "ones wins over wide on " + ones, "one wins over lost on " + one, "ones wins over lost on " + ones,
			"lost never gets a packet on " + one + "|" + ones + ": stronger rules, first wide, take all of it",
			"one wins over part on " + one,
		}},
		{"1", []string{
			"one wins over wide on " + one, "one wins over lost on " + one, "lost never gets a packet on " + one + ": stronger rules, first wide, take all of it",
			"one wins over part on " + one, "part never gets a packet on " + one + ": stronger rules, first one, take all of it",
		}},
		{ones, []string{
			"ones wins over wide on " + ones, "wide never gets a packet on " + ones + ": stronger rules, first ones, take all of it",
			"ones wins over lost on " + ones, "lost never gets a packet on " + ones + ": stronger rules, first ones, take all of it",
		}},
	} {
		all, _, err := w.admin.Conflicts(t.Context(), "", tt.dpid)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range all {
			got = append(got, c.Detail)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("conflicts on %q (-want +got):\n%s", tt.dpid, diff)
		}
	}
}

// Where a rule wins is said of all datapaths that both have, not of the first one looked at.
func TestConflictsWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("a")
	w.slice("b")
	var twenty []string
	for i := range 20 {
		twenty = append(twenty, fmt.Sprintf("%#x", 0x100+i))
	}
	w.rule("high", "any", 9, "tp_dst=80,nw_proto=6,dl_type=0x800", "b")
	w.rule("wide", "any", 5, "any", "a")
	w.rule("some", "1,2,3", 4, "in_port=1", "b")
	w.rule("few", "2,3,4", 3, "in_port=1", "a")
	w.rule("many", strings.Join(twenty, ","), 2, "in_port=1", "b")
	var got []string
	all, _, err := w.admin.Conflicts(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Kind == "overlap" {
			got = append(got, c.Detail)
		}
	}
	const prefix = "00:00:00:00:00:00:"
	var eight []string
	for i := range 8 {
		eight = append(eight, fmt.Sprintf("%s01:%02x", prefix, i))
	}
	want := []string{
		"high wins over wide on any",
		"wide wins over some on " + prefix + "00:01|" + prefix + "00:02|" + prefix + "00:03",
		"high wins over few on " + prefix + "00:02|" + prefix + "00:03|" + prefix + "00:04",
		"some wins over few on " + prefix + "00:02|" + prefix + "00:03",
		"wide wins over many on " + strings.Join(eight, "|") + " and 12 more",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("alice")
	w.slice("bob")
	w.rule("low", "any", 5, "any", "bob")
	if _, err := w.admin.CreateRule(ctx, apitype.RuleCreate{Name: "web", DPIDs: []string{"1"}, Priority: 80, Match: "dl_type=0x0800,nw_proto=6",
		Grants: []apitype.Grant{{Slice: "alice", Permission: 6}, {Slice: "bob", Permission: 2}}}); err != nil {
		t.Fatal(err)
	}
	w.connect(1)
	res, err := w.admin.Trace(ctx, apitype.TraceRequest{DPID: "1", Header: "in_port=1,dl_type=0x800,nw_dst=10.0.0.1,nw_proto=6"})
	if err != nil {
		t.Fatal(err)
	}
	if res.Rule == nil || res.Rule.Name != "web" || res.Slice != "alice" || cmp.Diff([]string{"alice", "bob"}, res.Readers) != "" || len(res.Considered) != 2 || len(res.Flows) != 1 {
		t.Errorf("trace = %+v", res)
	}
	frame := "ffffffffffff00000000000108060001080006040001000000000001" + "0a000001000000000000" + "0a000002"
	res, err = w.admin.Trace(ctx, apitype.TraceRequest{DPID: "1", Packet: frame, InPort: 2})
	if err != nil || res.Slice != "bob" || len(res.Flows) != 0 {
		t.Errorf("trace of an ARP frame = %+v, %v", res, err)
	}
	res, err = w.admin.Trace(ctx, apitype.TraceRequest{DPID: "1", Slice: "alice", FlowMod: "actions=output:1"})
	if err != nil || len(res.Flows) != 1 || res.Slice != "alice" {
		t.Errorf("trace of a flow_mod = %+v, %v", res, err)
	}
	for _, bad := range []apitype.TraceRequest{{DPID: "1"}, {DPID: "x", Header: "in_port=1"}, {DPID: "1", Header: "in_port=1|2"}, {DPID: "1", Header: "frob=1"}, {DPID: "1", Packet: "zz"}} {
		_, err = w.admin.Trace(ctx, bad)
		wantKind(t, err, apitype.KindInvalid)
	}
}
