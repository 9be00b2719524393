package hypervisor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

// A slice that is removed and made again under the same name has nothing of the old
// one: neither flows in the connected switch nor anything else, and a restart brings
// nothing back. between is what happens in the meantime.
func TestSliceMadeAgain(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(w *world, dir string, hang func()) (again bool){
		"at once":       func(*world, string, func()) bool { return false },
		"a while later": func(*world, string, func()) bool { bubble.Sleep(time.Minute); return false },
		"switch away":   func(_ *world, _ string, hang func()) bool { hang(); return true },
		"after a restart": func(w *world, dir string, hang func()) bool {
			hang()
			w.restart(dir, hypervisor.SwitchOptions{})
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { sliceMadeAgain(t, between) })
		})
	}
}

func sliceMadeAgain(t *testing.T, between func(*world, string, func()) bool) {
	dir, ctx, admin := t.TempDir(), t.Context(), hypervisor.Local()
	w := newWorldIn(t, dir, hypervisor.SwitchOptions{EchoInterval: time.Hour})
	red := w.controller("red", learn)
	w.slice("red")
	w.rule("r", 100, "any", "red")
	sw := w.newSwitch(1, 4)
	hang := sw.connect()
	sw.inject(1, ethernet(1, 2))
	sw.inject(3, ethernet(3, 4))
	five := 5
	token, err := w.svc.CreateToken(ctx, admin, apitype.TokenCreate{Account: "red"})
	for _, err := range []error{
		err, w.limit(admin, "red", hypervisor.LimitsPatch{FlowModLimit: &five, PacketInRate: &five}), w.limitOn(admin, "red", hypervisor.LimitsPatch{FlowModRate: &five}),
		w.svc.SetPassword(ctx, admin, "red", "old password"),
		w.svc.UpdateDatapath(ctx, admin, 1, hypervisor.DatapathPatch{FloodPerm: new("red")}, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.svc.UpdateSettings(ctx, admin, hypervisor.SettingsPatch{CallbackAllow: new("127.0.0.1"), DefaultFloodPerm: new("red")}); err != nil {
		t.Fatal(err)
	}
	before, err := w.svc.Login(ctx, "red", "old password", "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.svc.RegisterCallback(ctx, before, hypervisor.Callback{URL: "http://127.0.0.1:9/", Event: "GENERAL", Method: "m", Cookie: "c"}, false); err != nil {
		t.Fatal(err)
	}
	bubble.Sleep(10 * time.Second) // it is in the journal
	if n := len(sw.flows()); n != 2 {
		t.Fatalf("%d flows, want 2", n)
	}
	stats, err := w.svc.SliceStats(admin, "red")
	if err != nil || len(stats.Rx) == 0 {
		t.Fatalf("%+v, %v", stats, err)
	}

	if err := w.svc.RemoveSlice(ctx, admin, "red", nil); err != nil {
		t.Fatal(err)
	}
	away := between(w, dir, hang)
	w.mu.Lock()
	w.controllers["red"].react = nil
	w.mu.Unlock()
	take[of10.Message](red)
	w.slice("red")
	w.rule("r", 100, "any", "red")
	if away {
		sw.connect()
	}
	bubble.Sleep(5 * time.Second)

	if got := sw.flows(); len(got) != 0 {
		t.Errorf("flows in the switch: %v", got)
	}
	if got := take[*of10.FlowRemoved](red); len(got) != 0 {
		t.Errorf("the new slice hears of old flows: %v", got)
	}
	red.send(&of10.StatsRequest{XID: 3, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}})
	synctest.Wait()
	if got := take[*of10.StatsReply](red); len(got) != 1 || len(got[0].Body.(of10.FlowStatsReply)) != 0 {
		t.Errorf("the new slice is told of flows: %v", got)
	}
	sl, err := w.svc.Slice(admin, "red")
	if err != nil || sl.Limits != (hypervisor.Limits{FlowModLimit: -1, RateLimit: -1, FlowModRate: -1, PacketInRate: -1}) {
		t.Errorf("limits %v, %v", sl.Limits, err)
	}
	if l := w.svc.SliceLimits("red"); len(l) != 0 {
		t.Errorf("limits on datapaths: %v", l)
	}
	if _, err := w.svc.LoginToken(token.Secret, "x"); err == nil {
		t.Error("the old token is good")
	}
	if _, err := w.svc.Login(ctx, "red", "old password", "x"); err == nil {
		t.Error("the old password is good")
	}
	if _, err := w.svc.Slice(before, "red"); hypervisor.KindOf(err) != apitype.KindNotFound {
		t.Errorf("who logged in before reads the new slice: %v", err)
	}
	if _, err := w.svc.UpdateSlice(ctx, before, "red", hypervisor.SlicePatch{Contact: new("x")}, nil); err == nil {
		t.Error("who logged in before changes the new slice")
	}
	if l := w.svc.Callbacks(admin); len(l) != 0 {
		t.Errorf("callbacks: %+v", l)
	}
	if set, err := w.svc.ReadSettings(admin); err != nil || set.DefaultFloodPerm != hypervisor.AdminName {
		t.Errorf("default flood permission %q, %v", set.DefaultFloodPerm, err)
	}
	if d, err := w.svc.DatapathConfig(admin, 1); err != nil || d.FloodPerm != "" || len(d.Limits) != 0 {
		t.Errorf("datapath: %+v, %v", d, err)
	}
	stats, err = w.svc.SliceStats(admin, "red")
	if diff := cmp.Diff(uint64(0), stats.Rx["Total"]["FlowMod"]); err != nil || diff != "" {
		t.Errorf("counters, %v (-want +got):\n%s", err, diff)
	}
	h, err := w.svc.SliceHealth(admin, "red")
	if err != nil || h.FlowMods != 0 || len(h.Connections) != 1 || h.Connections[0].Connects != 1 {
		t.Errorf("health: %+v, %v", h, err)
	}
	sw.received()
	sw.inject(1, ethernet(1, 2))
	if in := take[*of10.PacketIn](red); len(in) != 1 || len(sw.received()) != 0 {
		t.Errorf("a frame gives %d packet_ins, want 1 and nothing forwarded", len(in))
	}
}

// A rule of a removed slice, or of one that shared it, does not come back with a new
// slice of the name.
func TestRulesOfASliceMadeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red, blue := w.controller("red", nil), w.controller("blue", nil)
		w.slice("red")
		w.slice("blue")
		m, _ := flowspace.ParseMatch("any")
		w.change(hypervisor.RuleChange{Op: flowspace.Add, Rule: &flowspace.Rule{Name: "shared", DPIDs: flowspace.AllDPIDs(), Priority: 5, Match: m,
			Grants: []flowspace.Grant{{Slice: "red", Perm: 2}, {Slice: "blue", Perm: 4}}}})
		sw := w.newSwitch(1, 2)
		sw.connect()
		sw.inject(1, ethernet(1, 2))
		if r, b := len(take[*of10.PacketIn](red)), len(take[*of10.PacketIn](blue)); r != 1 || b != 1 {
			t.Fatalf("red heard %d and blue %d", r, b)
		}
		if err := w.svc.RemoveSlice(t.Context(), hypervisor.Local(), "red", nil); err != nil {
			t.Fatal(err)
		}
		w.slice("red")
		sw.inject(1, ethernet(1, 2))
		if r, b := len(take[*of10.PacketIn](red)), len(take[*of10.PacketIn](blue)); r != 0 || b != 1 || red.connections() != 0 {
			t.Errorf("red, made again without rules, heard %d on %d connections, and blue %d", r, red.connections(), b)
		}
	})
}
