package api_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

func savedConfig(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/flowvisor-saved-config.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestImportFlowVisor reads what a real FlowVisor 1.4.0 saved.
func TestImportFlowVisor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	local := w.local()
	report, err := local.ImportConfig(ctx, savedConfig(t), false)
	if err != nil {
		t.Fatal(err)
	}
	if report.Slices != 5 || report.Format != "flowvisor" || !report.Applied || report.Snapshot == "" || report.Datapaths != 3 {
		t.Errorf("report = %+v", report)
	}
	got := map[string]string{}
	rules, err := local.ListRules(ctx, apitype.RuleFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		grants := []string{}
		for _, g := range r.Grants {
			grants = append(grants, g.Slice+"="+g.Permission.String())
		}
		got[r.Name] = strings.Join(r.DPIDs, "|") + " " + string(r.Match) + " " + strings.Join(grants, ",")
	}
	const d77 = "00:00:00:00:00:00:00:77 "
	want := map[string]string{
		"a1": "any dl_src=00:00:00:00:00:01 alice=rwd", "a2": "any dl_src=00:00:00:00:00:02 alice=rwd", "a3": "any dl_src=00:00:00:00:00:03 alice=rwd",
		"b4": "any dl_src=00:00:00:00:00:04 bob=rwd", "b5": "any dl_src=00:00:00:00:00:05 bob=rwd", "b6": "any dl_src=00:00:00:00:00:06 bob=rw",
		"shared": d77 + "dl_type=0x0806 alice=rwd,bob=rwd", "mac2": d77 + "dl_src=00:00:00:00:00:04,dl_dst=00:00:00:00:00:05 bob=rwd",
		"web": d77 + "dl_type=0x0800,nw_proto=6,tp_dst=80 alice=w,bob=r", "websrc": d77 + "dl_type=0x0800,nw_proto=6,tp_src=80 alice=rwd",
		"net10": d77 + "dl_type=0x0800,nw_src=10.0.0.0/24,nw_dst=10.0.0.5 bob=rwd", "everything": d77 + "any bob=rwd", "everything2": d77 + "any bob=rwd",
		"vr": d77 + "in_port=7,dl_vlan=100-103 carol=rwd", "p1": "00:00:00:00:00:00:01:19 any alice=rwd",
		"tos": "00:00:00:00:00:00:00:78 dl_type=0x0800,nw_tos=64 alice=w",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	bob, _, err := local.GetSlice(ctx, "bob")
	if err != nil || bob.DropPolicy != "rule" || !bob.RecvLLDP || bob.FlowModLimit != 5000 || bob.RateLimit != 1000 || bob.Controllers[0] != "tcp:localhost:6636" || len(bob.Limits) != 0 {
		t.Errorf("bob = %+v, %v", bob, err)
	}
	if _, err := w.as("bob", "bobpw").Whoami(ctx); err != nil {
		t.Errorf("bob's old password: %v", err)
	}
	d, err := local.GetDatapath(ctx, "2")
	if err != nil || d.FloodPerm != "bob" {
		t.Errorf("datapath 2: %+v, %v", d, err)
	}
}

func TestExportImportExport(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	local := w.local()
	if _, err := local.ImportConfig(ctx, savedConfig(t), false); err != nil {
		t.Fatal(err)
	}
	w.rule2(local)
	for _, format := range []string{"govisor", "flowvisor"} {
		first, _, err := local.ExportConfig(ctx, format, true)
		if err != nil {
			t.Fatal(err)
		}
		if format == "flowvisor" { // rules with ranges become several
			if _, err := local.ImportConfig(ctx, first, false); err != nil {
				t.Fatal(err)
			}
			if first, _, err = local.ExportConfig(ctx, format, true); err != nil {
				t.Fatal(err)
			}
		}
		other := newWorld(t).local()
		if _, err := other.ImportConfig(ctx, first, false); err != nil {
			t.Fatal(err)
		}
		second, _, err := other.ExportConfig(ctx, format, true)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Errorf("%s: export, import, export (-first +second):\n%s", format, diff)
		}
		again, err := other.ImportConfig(ctx, second, false)
		if err != nil || again.Snapshot != "" {
			t.Errorf("%s: importing the same again: %+v, %v", format, again, err)
		}
	}
	plain, _, err := local.ExportConfig(ctx, "govisor", false)
	if err != nil || bytes.Contains(plain, []byte("argon2")) || bytes.Contains(plain, []byte("hash")) {
		t.Errorf("hashes are in an export that did not ask for them: %v", err)
	}
}

// What govisor's own format carries with hashes is everything: another govisor
// that loads it is the same one, and lets the same people in.
func TestCompleteExport(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("maker")
	w.slice("other")
	w.rule("given", "1", 100, "dl_vlan=1-99", "maker")
	maker := w.bearer(w.token("maker", "full"))
	if _, err := maker.CreateSlice(ctx, apitype.SliceCreate{Name: "sub", Controllers: []string{"tcp:h"}, Password: "sub-password", Strict: new(true), FlowModRate: new(30), PacketInRate: new(40)}); err != nil {
		t.Fatal(err)
	}
	if _, err := maker.CreateRule(ctx, apitype.RuleCreate{Name: "passed-on", DPIDs: []string{"1"}, Priority: 200, Match: "dl_vlan=5-6", Grants: []apitype.Grant{{Slice: "sub", Permission: 6}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin.CreateAccount(ctx, apitype.AccountCreate{Name: "noc", Role: "viewer", Password: "noc-password"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin.Configure(ctx, apitype.ConfigUpdate{
		SettingsUpdate: apitype.SettingsUpdate{FlowTracking: new(true), StatsDesc: new(true), Topology: new(true), FlowStatsCache: new(7), DefaultFloodPerm: new("other"),
			Adoption: new("flush"), CallbackAllow: new("127.0.0.1"), ControllerAllow: new("unix:/run/*")},
		FloodPerms: []apitype.FloodPerm{{DPID: "1", Slice: "maker"}}, FlowLimits: []apitype.FlowLimit{{Slice: "sub", DPID: "2", Limit: 9}, {Slice: "other", DPID: "any", Limit: 90}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client.Client{w.admin, maker} {
		if _, err := c.CreateCallback(ctx, apitype.CallbackCreate{URL: "http://127.0.0.1:9/", Method: "m", Event: "FLOWTABLE_CALLBACK", Cookie: "c", DPID: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	expiring, err := w.admin.CreateToken(ctx, apitype.TokenCreate{Name: "job", Account: "sub", Scope: "read", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	first, notes, err := w.admin.ExportConfig(ctx, "govisor", true)
	if err != nil || len(notes) != 0 {
		t.Fatalf("%v, %v", notes, err)
	}
	fresh := newWorld(t)
	other := fresh.local()
	if _, err := other.ImportConfig(ctx, first, false); err != nil {
		t.Fatal(err)
	}
	second, _, err := other.ExportConfig(ctx, "govisor", true)
	if diff := cmp.Diff(string(first), string(second)); diff != "" || err != nil {
		t.Errorf("%v, export, import, export (-first +second):\n%s", err, diff)
	}
	if again, err := other.ImportConfig(ctx, second, false); err != nil || again.Snapshot != "" {
		t.Errorf("importing the same again: %+v, %v", again, err)
	}
	if sub, _, err := other.GetSlice(ctx, "sub"); err != nil || sub.Creator != "maker" {
		t.Errorf("sub is %+v, %v", sub, err)
	}
	if me, err := fresh.bearer(expiring.Secret).Whoami(ctx); err != nil || me.Account != "sub" || me.Scope != "read" {
		t.Errorf("the token is %+v, %v", me, err)
	}
	for user, password := range map[string]string{"sub": "sub-password", "noc": "noc-password"} {
		if _, err := fresh.as(user, password).Whoami(ctx); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
	if err := fresh.bearer(w.token("maker", "full")).DeleteRule(ctx, "passed-on"); err != nil {
		t.Errorf("the owner of a rule may not remove it: %v", err)
	}

	// A snapshot does not bring back a token that was revoked after it.
	snap, err := other.CreateSnapshot(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.DeleteToken(ctx, expiring.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := other.RestoreSnapshot(ctx, snap.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.bearer(expiring.Secret).Whoami(ctx); err == nil {
		t.Error("a revoked token is good again")
	}
	if all, err := other.ListCallbacks(ctx); err != nil || len(all) != 2 {
		t.Errorf("callbacks after restoring: %+v, %v", all, err)
	}

	// What FlowVisor's format cannot carry is said.
	_, notes, err = w.admin.ExportConfig(ctx, "flowvisor", true)
	text := strings.Join(notes, "\n")
	for _, want := range []string{"rule passed-on (maker): ", "slice sub: strict", "slice sub: the limits of its flow_mods", "4 accounts: their passwords", "account noc: FlowVisor has no viewers", "where callbacks may go", "local controllers", "adoption is left out", "callbacks and tokens"} {
		if !strings.Contains(text, want) {
			t.Errorf("%v, the notes lack %q:\n%s", err, want, text)
		}
	}
}

// TestBadImportChangesNothing checks that every fault is reported.
func TestBadImportChangesNothing(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("a")
	w.rule("r", "any", 5, "dl_vlan=1-9", "a")
	before, _, err := w.admin.ExportConfig(ctx, "govisor", true)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		text   string
		faults int
		words  []string
	}{
		"not JSON":       {"{", 0, []string{"JSON"}},
		"neither format": {"{}", 0, []string{"govisor_config", "fvctl apply -f"}},
		"newer":          {`{"govisor_config":2}`, 0, []string{"2"}},
		"unknown field":  {`{"govisor_config":1,"frob":1}`, 0, []string{"frob"}},
		"a wrong type":   {`{"govisor_config":1,"slices":[{"name":7,"controllers":["tcp:h"]}]}`, 0, []string{"slices.name: a JSON number"}},
		"ours": {`{"govisor_config":1,"slices":[{"name":"x y","controllers":["tcp:h"],"contact":""},{"name":"b","controllers":["tcp:h"],"contact":""},{"name":"b","controllers":["tcp:h"],"contact":""},{"name":"c","controllers":["frob:h"],"contact":""}],
			"flowspace":[{"dpids":["any"],"priority":1,"match":"any","grants":[{"slice":"nobody","permission":7}]},{"dpids":["any"],"priority":1,"match":"nw_src=1.2.3.4","grants":[{"slice":"b","permission":7}]},{"dpids":["x"],"priority":1,"match":"any","grants":[{"slice":"b","permission":7}]}],
			"datapaths":[{"dpid":"1","flood_perm":"zz"}]}`, 7, []string{"slices[0].name", "slices[2].name", "slices[3].controllers", "flowspace[0].grants", "flowspace[1].match.nw_src", "flowspace[2].dpids", "datapaths[0].flood_perm"}},
		"access": {`{"govisor_config":1,"slices":[{"name":"b","controllers":["tcp:h"],"contact":""}],
			"callbacks":[{"account":"b","url":"http://h/","method":"","event":"NOSUCH","cookie":""},{"account":"nobody","url":"http://h/","method":"m","event":"GENERAL","cookie":""},
				{"account":"b","url":"http://h/","method":"m","event":"GENERAL","cookie":"","dpid":"zz"}],
			"tokens":[{"id":"a","name":"","account":"nobody","scope":"full","secret_hash":"","created":"2020-01-01T00:00:00Z"},
				{"id":"b","name":"","account":"b","scope":"all","secret_hash":"","created":"2020-01-01T00:00:00Z"},
				{"id":"c","name":"","account":"b","scope":"full","secret_hash":"ab","created":"2020-01-01T00:00:00Z"},
				{"id":"","name":"","account":"b","scope":"full","secret_hash":"ab","created":"2020-01-01T00:00:00Z"}]}`, 7,
			[]string{"callbacks[0].event-type", "callbacks[1].account", "callbacks[2].dpid", "tokens[0].account", "tokens[1].scope", "tokens[2].secret_hash", "tokens[3].id"}},
		"theirs": {strings.NewReplacer(`"all_dpids"`, `"nonsense"`, `"controller_port": 6637`, `"controller_port": 99999`).Replace(string(savedConfig(t))), 7, []string{"FlowSpaceRule[0].dpid", "Slice[3].controller_port"}},
	} {
		_, err := w.admin.ImportConfig(ctx, []byte(tc.text), false)
		wantKind(t, err, apitype.KindInvalid, tc.words...)
		if p, ok := err.(*apitype.Problem); ok && len(p.Errors) != tc.faults { //nolint:errorlint // made by the client
			t.Errorf("%s: %d faults, want %d: %+v", name, len(p.Errors), tc.faults, p.Errors)
		}
		after, _, err := w.admin.ExportConfig(ctx, "govisor", true)
		if diff := cmp.Diff(string(before), string(after)); diff != "" || err != nil {
			t.Fatalf("%s changed something (-before +after), %v:\n%s", name, err, diff)
		}
	}
}

func TestApplyAndSnapshots(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.slice("a")
	w.slice("b")
	w.rule("keep", "any", 5, "dl_vlan=1", "a")
	w.rule("change", "any", 5, "dl_vlan=2", "a")
	w.rule("go", "any", 5, "dl_vlan=3", "a")
	snap, err := w.admin.CreateSnapshot(ctx, "before")
	if err != nil {
		t.Fatal(err)
	}
	grants := []apitype.Grant{{Slice: "a", Permission: 7}}
	cfg := apitype.Config{Version: 1, Flowspace: []apitype.RuleCreate{
		{Name: "keep", DPIDs: []string{"any"}, Priority: 5, Match: "dl_vlan=1", Grants: grants},
		{Name: "change", DPIDs: []string{"any"}, Priority: 6, Match: "dl_vlan=2", Grants: grants},
		{Name: "new", DPIDs: []string{"1"}, Priority: 5, Match: "any", Grants: grants},
	}}
	ops := func(d apitype.Diff) (out []string) {
		for _, i := range d.Items {
			out = append(out, i.Op+" "+i.Name)
		}
		return out
	}
	for _, step := range []struct {
		dry, prune bool
		want       []string
	}{
		{true, true, []string{"change change", "remove go", "add new"}},
		{true, false, []string{"change change", "add new"}},
		{false, false, []string{"change change", "add new"}},
		{false, false, nil},
		{false, true, []string{"remove go"}},
	} {
		d, err := w.admin.Apply(ctx, cfg, step.dry, step.prune)
		if diff := cmp.Diff(step.want, ops(d)); diff != "" || err != nil {
			t.Errorf("%+v: %v (-want +got):\n%s", step, err, diff)
		}
	}
	if _, err := w.admin.RestoreSnapshot(ctx, snap.ID); err != nil {
		t.Fatal(err)
	}
	rules, _ := w.admin.ListRules(ctx, apitype.RuleFilter{})
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	if diff := cmp.Diff([]string{"keep", "change", "go"}, names); diff != "" {
		t.Errorf("after restoring (-want +got):\n%s", diff)
	}
	all, err := w.admin.ListSnapshots(ctx)
	if err != nil || len(all) != 2 {
		t.Errorf("snapshots: %+v, %v", all, err)
	}
	if err := w.admin.DeleteSnapshot(ctx, snap.ID); err != nil {
		t.Error(err)
	}
	_, err = w.admin.RestoreSnapshot(ctx, snap.ID)
	wantKind(t, err, apitype.KindNotFound)
}
