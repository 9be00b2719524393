package hypervisor_test

import (
	"testing"
	"testing/synctest"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

// A switch tells a changed port to all controllers but the one that changed it, and
// so does a slice's virtual switch.
func TestPortModIsToldToTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		one, spy := w.controller("one", nil), w.controller("spy", nil)
		w.slice("red", "module:one", "ro+module:spy")
		w.rule("r", 100, "any", "red")
		w.newSwitch(1, 2).connect()
		one.send(&of10.FeaturesRequest{XID: 1})
		synctest.Wait()
		features := take[*of10.FeaturesReply](one)
		if len(features) != 1 || len(features[0].Ports) != 2 {
			t.Fatalf("features are %v", features)
		}
		take[of10.Message](spy)
		p := features[0].Ports[0]
		one.send(&of10.PortMod{XID: 2, PortNo: p.PortNo, HWAddr: p.HWAddr, Config: of10.PortConfigNoFlood, Mask: of10.PortConfigNoFlood})
		synctest.Wait()
		if got := take[*of10.PortStatus](one); len(got) != 0 {
			t.Errorf("who changed the port is told of it: %v", got)
		}
		if got := take[*of10.PortStatus](spy); len(got) != 1 || got[0].Desc.Config != of10.PortConfigNoFlood || got[0].Reason != of10.PortModified {
			t.Errorf("the other controller is told %v, want the new config once", got)
		}
	})
}
