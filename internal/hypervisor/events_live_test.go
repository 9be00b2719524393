package hypervisor_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofswitch/port"
)

// ears collect what one account hears.
type ears struct {
	mu    sync.Mutex
	heard []string
}

func (w *world) listen(p hypervisor.Principal) *ears {
	w.t.Helper()
	_, sub, filter, err := w.svc.Subscribe(p, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(sub.Close)
	e := &ears{}
	w.wg.Go(func() {
		for {
			select {
			case ev, ok := <-sub.C:
				if !ok {
					return
				}
				if filter(ev) {
					e.mu.Lock()
					e.heard = append(e.heard, fmt.Sprintf("%s %s %s", ev.Type, ev.DPID, ev.Slice))
					e.mu.Unlock()
				}
			case <-w.ctx.Done():
				return
			}
		}
	})
	return e
}

// take returns how often each was heard since the last time.
func (e *ears) take() map[string]int {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]int{}
	for _, h := range e.heard {
		out[h]++
	}
	e.heard = nil
	return out
}

// TestEventsOfEveryKind has everything happen that there is an event for, at a running
// hypervisor with switches, a cable and controllers. The administrator hears each once;
// a slice's account what concerns it; another one nothing.
func TestEventsOfEveryKind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, eventsOfEveryKind)
}

func eventsOfEveryKind(t *testing.T) {
	w := newWorld(t, hypervisor.SwitchOptions{})
	log, _ := logtest.NewNullLogger()
	links := w.svc.NewTopology(time.Second, logrus.NewEntry(log))
	w.switches = w.svc.NewSwitches(hypervisor.SwitchOptions{EchoInterval: 10 * time.Second, Log: logrus.NewEntry(log), Module: w.module, Topology: links})
	w.wg.Go(func() { _ = links.Run(w.ctx) })
	ctx := t.Context()
	red := w.controller("red", nil)
	w.slice("red")
	w.slice("blue", "module:nobody")
	w.rule("r", 100, "any", "red")
	admin, hers, his := w.listen(hypervisor.Local()), w.listen(as("red")), w.listen(as("blue"))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	expect := func(what string, want, wantHers map[string]int) {
		t.Helper()
		got := admin.take()
		for k := range got {
			var typ string
			_, _ = fmt.Sscan(k, &typ)
			seen[typ] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the administrator hears (-want +got):\n%s", what, diff)
		}
		if diff := cmp.Diff(wantHers, hers.take()); diff != "" {
			t.Errorf("%s: red hears (-want +got):\n%s", what, diff)
		}
		if got := his.take(); len(got) > 0 {
			t.Errorf("%s: blue hears %v", what, got)
		}
	}
	none := map[string]int{}

	one, two := w.newSwitch(1, 2), w.newSwitch(2, 2)
	near, far := port.Pipe("cable-1", "cable-2")
	must(one.sw.AttachPort(9, near))
	must(two.sw.AttachPort(9, far))
	one.connect()
	bubble.Sleep(2 * time.Second)
	arrived := map[string]int{"datapath-connected " + dpid1 + " ": 1, "controller-connected " + dpid1 + " red": 1}
	expect("a switch connects", arrived, arrived)

	must(one.sw.DetachPort(2))
	bubble.Sleep(5 * time.Second)
	updated := map[string]int{"datapath-updated " + dpid1 + " ": 1}
	expect("a port goes", updated, updated)

	_, err := w.svc.UpdateSlice(ctx, hypervisor.Local(), "red", hypervisor.SlicePatch{Contact: new("x")}, nil)
	must(err)
	expect("a slice is changed", map[string]int{"slice-updated  red": 1}, map[string]int{"slice-updated  red": 1})
	w.rule("r2", 200, "in_port=1", "red")
	expect("a rule is added", map[string]int{"flowspace-changed  ": 1}, none)
	_, err = w.svc.CreateSlice(ctx, hypervisor.Local(), hypervisor.SliceSpec{Name: "new", SlicePatch: hypervisor.SlicePatch{Controllers: []string{"module:nobody"}}})
	must(err)
	must(w.svc.RemoveSlice(ctx, hypervisor.Local(), "new", nil))
	expect("a slice is made and removed", map[string]int{"slice-created  new": 1, "slice-removed  new": 1}, none)

	hang := two.connect()
	bubble.Sleep(2 * time.Second)
	_, _ = admin.take(), hers.take()
	_, err = w.svc.UpdateSettings(ctx, hypervisor.Local(), hypervisor.SettingsPatch{Topology: new(true)})
	must(err)
	bubble.Sleep(20 * time.Second)
	expect("links are looked for", map[string]int{"settings-changed  ": 1, "link-added " + dpid1 + " ": 1, "link-added " + dpid2 + " ": 1}, none)

	hang()
	bubble.Sleep(30 * time.Second)
	got := admin.take()
	for _, want := range []string{"datapath-disconnected " + dpid2 + " ", "controller-disconnected " + dpid2 + " red", "link-removed " + dpid1 + " ", "link-removed " + dpid2 + " "} {
		if got[want] != 1 {
			t.Errorf("a switch goes: %q heard %d times: %v", want, got[want], got)
		}
		var typ string
		_, _ = fmt.Sscan(want, &typ)
		seen[typ] = true
	}
	if got := hers.take(); got["datapath-disconnected "+dpid2+" "] != 1 || got["link-removed "+dpid1+" "] != 0 {
		t.Errorf("red hears %v", got)
	}
	_ = his.take()

	red.close()
	bubble.Sleep(time.Minute)
	again := map[string]int{"controller-disconnected " + dpid1 + " red": 1, "controller-connected " + dpid1 + " red": 1}
	expect("a controller goes and comes", again, again)

	_, err = w.svc.Apply(ctx, hypervisor.Local(), apitype.Config{Version: 1, Slices: []apitype.SliceConfig{{SliceCreate: apitype.SliceCreate{Name: "blue", Controllers: []string{"module:nobody"}, Contact: "y"}}}}, hypervisor.ApplyOptions{Note: "test"})
	must(err)
	got = admin.take()
	if got["config-imported  "] != 1 || got["slice-updated  blue"] != 1 {
		t.Errorf("a configuration is applied: %v", got)
	}
	seen["config-imported"] = true
	for _, typ := range []string{hypervisor.EventDatapathConnected, hypervisor.EventDatapathDisconnected, hypervisor.EventDatapathUpdated, hypervisor.EventSliceCreated,
		hypervisor.EventSliceUpdated, hypervisor.EventSliceRemoved, hypervisor.EventFlowspaceChanged, hypervisor.EventControllerConnected, hypervisor.EventControllerLost,
		hypervisor.EventLinkAdded, hypervisor.EventLinkRemoved, hypervisor.EventSettingsChanged, hypervisor.EventConfigImported} {
		if !seen[typ] {
			t.Errorf("nobody heard %s", typ)
		}
	}
}
