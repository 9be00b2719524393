package hypervisor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

// as is the account of a slice.
func as(slice string) hypervisor.Principal {
	return hypervisor.Principal{Account: slice, Role: hypervisor.RoleSlice, Scope: hypervisor.ScopeFull}
}

func (w *world) limit(by hypervisor.Principal, slice string, l hypervisor.LimitsPatch) error {
	_, err := w.svc.UpdateSlice(w.t.Context(), by, slice, hypervisor.SlicePatch{LimitsPatch: l}, nil)
	synctest.Wait()
	return err
}

func (w *world) limitOn(by hypervisor.Principal, slice string, l hypervisor.LimitsPatch) error {
	_, err := w.svc.SetLimits(w.t.Context(), by, 1, slice, l, nil)
	synctest.Wait()
	return err
}

// flowMods sends n flow_mods from a slice's controller and returns how many flows are
// in the switch after each second.
func flowMods(c *fakeController, sw *fakeSwitch, n int, inPort of10.Port, seconds int) []int {
	m := of10.MatchAll()
	m.Wildcards &^= of10.WildInPort | of10.WildDLVLAN
	m.InPort = inPort
	for i := range n {
		m.DLVLAN = uint16(i)
		c.send(&of10.FlowMod{Match: m, Command: of10.FlowAdd, Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone})
	}
	var got []int
	for range seconds {
		synctest.Wait()
		here := 0
		for _, f := range sw.flows() {
			if f.Match.InPort == inPort {
				here++
			}
		}
		got = append(got, here)
		bubble.Sleep(time.Second)
	}
	return got
}

// The rates of a slice, over all and on a datapath, hold for a running session from
// the moment they are set; they are as many as set, and neither survive their removal
// nor concern another slice.
func TestRatesWhileRunning(t *testing.T) {
	t.Parallel()
	forms := map[string]func(*world, hypervisor.LimitsPatch) error{
		"over all": func(w *world, l hypervisor.LimitsPatch) error { return w.limit(hypervisor.Local(), "red", l) },
		"on one":   func(w *world, l hypervisor.LimitsPatch) error { return w.limitOn(hypervisor.Local(), "red", l) },
	}
	for name, set := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { ratesWhileRunning(t, set) })
		})
	}
}

func ratesWhileRunning(t *testing.T, set func(*world, hypervisor.LimitsPatch) error) {
	w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: time.Hour})
	red, blue := w.controller("red", nil), w.controller("blue", nil)
	w.slice("red")
	w.slice("blue")
	w.rule("r", 100, "in_port=1|2", "red")
	w.rule("b", 100, "in_port=3|4", "blue")
	sw := w.newSwitch(1, 4)
	sw.connect()
	ten, none := 10, -1

	if err := set(w, hypervisor.LimitsPatch{PacketInRate: &ten}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		take[*of10.PacketIn](red)
		for i := range 30 {
			sw.inject(1, ethernet(1, byte(i)))
			sw.inject(3, ethernet(3, byte(i)))
		}
		if r, b := len(take[*of10.PacketIn](red)), len(take[*of10.PacketIn](blue)); r != 10 || b != 30 {
			t.Errorf("red heard %d and blue %d of 30 packet_ins, want 10 and 30", r, b)
		}
		bubble.Sleep(time.Second)
	}
	if err := set(w, hypervisor.LimitsPatch{PacketInRate: &none}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		sw.inject(1, ethernet(1, byte(i)))
	}
	if r := len(take[*of10.PacketIn](red)); r != 30 {
		t.Errorf("red heard %d of 30 packet_ins without a limit", r)
	}

	if err := set(w, hypervisor.LimitsPatch{FlowModRate: &ten}); err != nil {
		t.Fatal(err)
	}
	red.send(&of10.BarrierRequest{XID: 1})
	if got := flowMods(red, sw, 30, 1, 4); got[0] < 10 || got[0] > 11 || got[1] < 19 || got[1] > 21 || got[3] != 30 {
		t.Errorf("flows after each second: %v, want 10 more each time", got)
	}
	for i := range 50 { // other messages are not counted
		red.send(&of10.EchoRequest{XID: uint32(i)})
	}
	synctest.Wait()
	if n := len(take[*of10.EchoReply](red)); n != 50 {
		t.Errorf("%d of 50 echo requests were answered at once", n)
	}
	if got := flowMods(blue, sw, 30, 3, 1); got[0] != 30 {
		t.Errorf("another slice got %d of 30 flows", got[0])
	}
	if err := set(w, hypervisor.LimitsPatch{FlowModRate: &none, RateLimit: &ten}); err != nil {
		t.Fatal(err)
	}
	if got := flowMods(red, sw, 30, 2, 4); got[0] < 10 || got[0] > 11 || got[3] != 30 {
		t.Errorf("flows after each second with a limit for all messages: %v", got)
	}
}

// A slice lowers its own rates and those of slices it made, but raises none above what
// it was given; what was set is there after a restart and in an export.
func TestWhoSetsRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := newWorldIn(t, dir, hypervisor.SwitchOptions{})
		w.controller("red", nil)
		w.slice("red")
		w.rule("r", 100, "in_port=1|2", "red")
		five, ten, eleven, none, zero := 5, 10, 11, -1, 0
		admin := hypervisor.Local()
		for _, tc := range []struct {
			name string
			err  error
			want apitype.Kind
		}{
			{"set", w.limit(admin, "red", hypervisor.LimitsPatch{FlowModRate: &ten, PacketInRate: &ten}), ""},
			{"set on one", w.limitOn(admin, "red", hypervisor.LimitsPatch{FlowModRate: &ten, PacketInRate: &ten}), ""},
			{"raise flow_mods", w.limit(as("red"), "red", hypervisor.LimitsPatch{FlowModRate: &eleven}), apitype.KindDenied},
			{"raise packet_ins", w.limit(as("red"), "red", hypervisor.LimitsPatch{PacketInRate: &eleven}), apitype.KindDenied},
			{"lift packet_ins", w.limit(as("red"), "red", hypervisor.LimitsPatch{PacketInRate: &none}), apitype.KindDenied},
			{"raise on one", w.limitOn(as("red"), "red", hypervisor.LimitsPatch{FlowModRate: &none}), apitype.KindDenied},
			{"raise packet_ins on one", w.limitOn(as("red"), "red", hypervisor.LimitsPatch{PacketInRate: &eleven}), apitype.KindDenied},
			{"lower", w.limit(as("red"), "red", hypervisor.LimitsPatch{PacketInRate: &five}), ""},
			{"none at all", w.limit(admin, "red", hypervisor.LimitsPatch{PacketInRate: &zero}), apitype.KindInvalid},
			{"none at all on one", w.limitOn(admin, "red", hypervisor.LimitsPatch{FlowModRate: &zero}), apitype.KindInvalid},
		} {
			if tc.err == nil && tc.want != "" || tc.err != nil && hypervisor.KindOf(tc.err) != tc.want {
				t.Errorf("%s: %v, want %q", tc.name, tc.err, tc.want)
			}
		}
		want := hypervisor.Limits{FlowModLimit: -1, RateLimit: -1, FlowModRate: 10, PacketInRate: 5}
		before, err := w.svc.Export(admin, false)
		if err != nil {
			t.Fatal(err)
		}
		w.restart(dir, hypervisor.SwitchOptions{})
		sl, err := w.svc.Slice(admin, "red")
		if err != nil || sl.Limits != want {
			t.Errorf("after a restart: %v, %v; want %v", sl.Limits, err, want)
		}
		if on, err := w.svc.LimitOn(admin, 1, "red"); err != nil || on.FlowModRate != 10 || on.PacketInRate != 10 {
			t.Errorf("on one after a restart: %+v, %v", on, err)
		}
		if err := w.limit(admin, "red", hypervisor.LimitsPatch{FlowModRate: &none, PacketInRate: &none}); err != nil {
			t.Fatal(err)
		}
		if err := w.limitOn(admin, "red", hypervisor.LimitsPatch{FlowModRate: &none, PacketInRate: &none}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Apply(t.Context(), admin, before, hypervisor.ApplyOptions{Replace: true}); err != nil {
			t.Fatal(err)
		}
		sl, _ = w.svc.Slice(admin, "red")
		if on, err := w.svc.LimitOn(admin, 1, "red"); err != nil || sl.Limits != want || on.FlowModRate != 10 || on.PacketInRate != 10 {
			t.Errorf("after an import: %v and %+v, %v", sl.Limits, on, err)
		}
	})
}

// All that a slice and the slices it made use together stays within its limits, on a
// connected switch, and follows when they are lowered.
func TestSubSlicesShareTheLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: time.Hour})
		parent, one, two := w.controller("parent", nil), w.controller("one", nil), w.controller("two", nil)
		w.slice("parent")
		w.rule("p", 100, "any", "parent")
		if _, err := w.svc.UpdateSettings(t.Context(), hypervisor.Local(), hypervisor.SettingsPatch{ControllerAllow: new("module:*")}); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"one", "two"} {
			spec := hypervisor.SliceSpec{Name: name, SlicePatch: hypervisor.SlicePatch{Controllers: []string{"module:" + name}}}
			if _, err := w.svc.CreateSlice(t.Context(), as("parent"), spec); err != nil {
				t.Fatal(err)
			}
			m, err := flowspace.ParseMatch([]string{"in_port=1", "in_port=2"}[i])
			if err != nil {
				t.Fatal(err)
			}
			r := &flowspace.Rule{Name: name, DPIDs: flowspace.AllDPIDs(), Priority: 200, Match: m, Grants: []flowspace.Grant{{Slice: name, Perm: 6}}}
			if _, err := w.svc.ChangeRules(t.Context(), as("parent"), []hypervisor.RuleChange{{Op: flowspace.Add, Rule: r}}, false); err != nil {
				t.Fatal(err)
			}
		}
		sw := w.newSwitch(1, 4)
		sw.connect()
		if n := one.connections() + two.connections() + parent.connections(); n != 3 {
			t.Fatalf("%d connections", n)
		}
		six, none := 6, -1
		if err := w.limit(hypervisor.Local(), "parent", hypervisor.LimitsPatch{FlowModLimit: &six}); err != nil { // lower than before
			t.Fatal(err)
		}
		a, b, c := flowMods(one, sw, 4, 1, 1)[0], flowMods(two, sw, 4, 2, 1)[0], flowMods(parent, sw, 4, 3, 1)[0]
		if a != 4 || b != 2 || c != 0 {
			t.Errorf("sub-slices got %d and %d flows, the parent %d; want 4, 2 and 0 of 6", a, b, c)
		}
		del := &of10.FlowMod{Match: of10.MatchAll(), Command: of10.FlowDelete, BufferID: of10.NoBuffer, OutPort: of10.PortNone}
		for _, c := range []*fakeController{one, two, parent} {
			c.send(del)
		}
		synctest.Wait()
		if err := w.limit(hypervisor.Local(), "parent", hypervisor.LimitsPatch{FlowModLimit: &none}); err != nil {
			t.Fatal(err)
		}
		if err := w.limitOn(hypervisor.Local(), "parent", hypervisor.LimitsPatch{FlowModLimit: &six}); err != nil {
			t.Fatal(err)
		}
		a, b = flowMods(one, sw, 4, 1, 1)[0], flowMods(two, sw, 4, 2, 1)[0]
		if a != 4 || b != 2 {
			t.Errorf("with a limit on the datapath sub-slices got %d and %d flows, want 4 and 2 of 6", a, b)
		}
		if err := w.limit(hypervisor.Local(), "parent", hypervisor.LimitsPatch{PacketInRate: &six}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*fakeController{one, two, parent} {
			c.send(del)
			synctest.Wait()
			take[*of10.PacketIn](c)
		}
		for i := range 4 {
			sw.inject(1, ethernet(1, byte(i)))
			sw.inject(2, ethernet(2, byte(i)))
			sw.inject(3, ethernet(3, byte(i)))
		}
		if n := len(take[*of10.PacketIn](one)) + len(take[*of10.PacketIn](two)) + len(take[*of10.PacketIn](parent)); n != 6 {
			t.Errorf("%d packet_ins in all, want 6", n)
		}
	})
}
