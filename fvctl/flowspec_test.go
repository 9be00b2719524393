package fvctl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
)

func TestParseMatchSpec(t *testing.T) {
	t.Parallel()
	one := uint32(1)
	for _, c := range []struct {
		in      string
		want    matchSpec
		wantErr string
	}{
		{in: "any", want: matchSpec{match: "any"}},
		{in: "", want: matchSpec{match: "any"}},
		{in: "OFMatch[in_port=1,eth_type=0x800]", want: matchSpec{match: "OFMatch[in_port=1,eth_type=0x800]"}},
		{in: " tcp,tp_dst=80 ", want: matchSpec{match: "tcp,tp_dst=80"}},
		{in: "queues=1:2,force_enqueue=1", want: matchSpec{match: "any", queues: []uint32{1, 2}, forcedQueue: &one}},
		{in: "OFMatch[in_port=1,Queues=7,dl_vlan=1-5]", want: matchSpec{match: "in_port=1,dl_vlan=1-5", queues: []uint32{7}}},
		{in: "queues=x", wantErr: `queue "x": want a number`},
		{in: "force_enqueue=1:2", wantErr: `force_enqueue "1:2": want one queue number`},
	} {
		got, err := parseMatchSpec(c.in)
		if text := errText(err); text != c.wantErr {
			t.Errorf("parseMatchSpec(%q): error %q, want %q", c.in, text, c.wantErr)
			continue
		}
		if err == nil {
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(matchSpec{})); d != "" {
				t.Errorf("parseMatchSpec(%q) (-want +got):\n%s", c.in, d)
			}
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestParseGrants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in      string
		want    []apitype.Grant
		wantErr string
	}{
		{in: "Slice:fl-1=7", want: []apitype.Grant{{Slice: "fl-1", Permission: 7}}},
		{in: "fl-1=7", want: []apitype.Grant{{Slice: "fl-1", Permission: 7}}},
		{in: "Slice:a=4,b=r", want: []apitype.Grant{{Slice: "a", Permission: 4}, {Slice: "b", Permission: 2}}},
		{in: "slice:a=rwd", want: []apitype.Grant{{Slice: "a", Permission: 7}}},
		{in: "a=12", want: []apitype.Grant{{Slice: "a", Permission: 5}}}, // FlowVisor's delegate is 8
		{in: "a=0", wantErr: `slice a: permission "0": want 1 to 7 (delegate 1 + read 2 + write 4) or letters of rwd`},
		{in: "a=rr", wantErr: `slice a: permission "rr": want 1 to 7 (delegate 1 + read 2 + write 4) or letters of rwd`},
		{in: "a=7,a=2", wantErr: "slice a is granted twice"},
		{in: "a", wantErr: `grant "a" does not have the form SLICE=PERMISSION or Slice:SLICE=PERMISSION`},
		{in: "", wantErr: `grant "" does not have the form SLICE=PERMISSION or Slice:SLICE=PERMISSION`},
	} {
		got, err := parseGrants(c.in)
		if text := errText(err); text != c.wantErr {
			t.Errorf("parseGrants(%q): error %q, want %q", c.in, text, c.wantErr)
			continue
		}
		if d := cmp.Diff(c.want, got); err == nil && d != "" {
			t.Errorf("parseGrants(%q) (-want +got):\n%s", c.in, d)
		}
	}
}

func TestFlowVisorMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   apitype.Match
		want map[string]any
	}{
		{"any", map[string]any{"wildcards": uint32(4194303)}},
		{"in_port=1", map[string]any{"in_port": uint64(1), "wildcards": uint32(4194302)}},
		{"dl_type=0x800,nw_src=10.0.0.0/8", map[string]any{"dl_type": uint64(2048), "nw_src": "10.0.0.0/8", "wildcards": uint32(4194303)&^0x10&^(0x3f<<8) | 24<<8}},
		{"dl_type=0x800,nw_dst=10.0.0.1", map[string]any{"dl_type": uint64(2048), "nw_dst": "10.0.0.1", "wildcards": uint32(4194303) &^ 0x10 &^ (0x3f << 14)}},
		{"dl_vlan=100-199,dl_vlan_pcp=3", map[string]any{"dl_vlan": "100-199", "dl_vpcp": uint64(3), "wildcards": uint32(4194303) &^ 2 &^ 0x100000}},
	} {
		if d := cmp.Diff(c.want, flowVisorMatch(c.in)); d != "" {
			t.Errorf("flowVisorMatch(%q) (-want +got):\n%s", c.in, d)
		}
	}
}

func TestBracketRule(t *testing.T) {
	t.Parallel()
	q := uint32(2)
	r := apitype.Rule{ID: 3, DPIDs: []string{"any"}, Priority: 10, Match: "in_port=1,dl_src=00:00:00:00:00:01,dl_vlan_pcp=1", Queues: []uint32{1, 2}, ForcedQueue: &q,
		Grants: []apitype.Grant{{Slice: "a", Permission: 7}, {Slice: "b", Permission: 2}}}
	want := "FlowEntry[dpid=[all_dpids],ruleMatch=[OFMatch[in_port=1,dl_src=00:00:00:00:00:01,dl_vpcp=1,queues=1:2,force_enqueue=2]],actionsList=[Slice:a=7,Slice:b=2],id=[3],priority=[10],]"
	if got := bracketRule(r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// What is printed can be typed again.
	m, err := parseMatchSpec("OFMatch[in_port=1,dl_src=00:00:00:00:00:01,dl_vpcp=1,queues=1:2,force_enqueue=2]")
	if err != nil || m.match != "in_port=1,dl_src=00:00:00:00:00:01,dl_vpcp=1" || len(m.queues) != 2 || *m.forcedQueue != q {
		t.Errorf("read back: %+v, %v", m, err)
	}
}

func TestMoveController(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, host, port, want string }{
		{"tcp:localhost:6633", "", "6635", "tcp:localhost:6635"},
		{"tcp:localhost", "10.0.0.1", "", "tcp:10.0.0.1:6633"},
		{"ssl:[::1]:6653", "", "6654", "ssl:[::1]:6654"},
		{"tcp:10.0.0.1:6633", "::1", "", "tcp:[::1]:6633"},
		{"unix:/run/c.sock", "h", "", ""},
	} {
		got, err := moveController([]string{c.url, "tcp:other:1"}, c.host, c.port)
		if (err != nil) != (c.want == "") || err == nil && (got[0] != c.want || got[1] != "tcp:other:1") {
			t.Errorf("moveController(%s, %q, %q) = %v, %v, want %s", c.url, c.host, c.port, got, err, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	tb := &table{head: []string{"NAME", "STATE", "MORE"}, wide: 2}
	tb.add("fl-1", "enabled", "x")
	tb.add("größer", "disabled", "y")
	for _, c := range []struct {
		wide, colour bool
		want         string
	}{
		{false, false, "NAME    STATE\nfl-1    enabled\ngrößer  disabled\n"},
		{true, false, "NAME    STATE     MORE\nfl-1    enabled   x\ngrößer  disabled  y\n"},
		{false, true, "\x1b[1mNAME\x1b[0m    \x1b[1mSTATE\x1b[0m\nfl-1    \x1b[32menabled\x1b[0m\ngrößer  \x1b[33mdisabled\x1b[0m\n"},
	} {
		var b strings.Builder
		tb.write(&b, c.wide, c.colour)
		if d := cmp.Diff(c.want, b.String()); d != "" {
			t.Errorf("wide %v colour %v (-want +got):\n%s", c.wide, c.colour, d)
		}
	}
}

func TestFitArgs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"-h", "--help"},
		{"-h host list-slices", "-h host list-slices"},
		{"setRateLimit fl-1 -1", "setRateLimit fl-1 -- -1"},
		{"setMaximumFlowMods -o json fl-1 any -1", "setMaximumFlowMods -o json fl-1 any -- -1"},
		{"addFlowSpace -name web any 1 any a=7", "addFlowSpace --name web any 1 any a=7"},
		{"addFlowSpace any -1 any a=7", "addFlowSpace any -1 any a=7"},
		{"update-slice a -r -1", "update-slice a -r -1"},
	} {
		if got := strings.Join(fitArgs(strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("fitArgs(%s) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestServerURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"https://localhost:8080/xmlrpc", "https://localhost:8080"},
		{"https://host:8081", "https://host:8081"},
		{"https://host", "https://host:8081"},
		{"host", "https://host:8081"},
		{"https://[::1]", "https://[::1]:8081"},
	} {
		if got := serverURL(c.in); got != c.want {
			t.Errorf("serverURL(%s) = %s, want %s", c.in, got, c.want)
		}
	}
}

// FuzzParseMatchSpec looks for a text whose queues stay in the match, where the server would refuse them.
func FuzzParseMatchSpec(f *testing.F) {
	for _, s := range []string{"any", "OFMatch[in_port=1]", "queues=1:2,force_enqueue=1", "dl_vlan=1-2,queues=,in_port=1|3", "[", "]", "OFMatch["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := parseMatchSpec(s)
		if err != nil {
			return
		}
		again, err := parseMatchSpec(string(m.match))
		if err != nil || again.queues != nil || again.forcedQueue != nil {
			t.Errorf("%q became %q and then %+v, %v", s, m.match, again, err)
		}
	})
}
