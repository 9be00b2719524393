package hypervisor_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

// The flood permission, a switch's own or the default, decides how the flows of a slice
// that has every port flood, from the moment it is changed.
func TestFloodPermission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", nil)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 3)
		sw.connect()
		red.send(&of10.FlowMod{XID: 1, Match: of10.MatchAll(), Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(of10.PortFlood, 0)}})
		synctest.Wait()
		native := []of10.Action{of10.Output(of10.PortFlood, 0)}
		expanded := []of10.Action{of10.Output(1, 0), of10.Output(2, 0), of10.Output(3, 0)}
		check := func(when string, want []of10.Action) {
			t.Helper()
			synctest.Wait()
			got := sw.flows()
			if len(got) != 1 {
				t.Fatalf("%s: the switch has %v", when, got)
			}
			if diff := cmp.Diff(want, got[0].Actions); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		here := func(slice string) {
			t.Helper()
			if err := w.svc.UpdateDatapath(t.Context(), hypervisor.Local(), 1, hypervisor.DatapathPatch{FloodPerm: &slice}, nil); err != nil {
				t.Fatal(err)
			}
		}
		check("without", expanded)
		here("red")
		check("granted on the switch", native)
		here("")
		check("withdrawn", expanded)
		name := "red"
		if _, err := w.svc.UpdateSettings(t.Context(), hypervisor.Local(), hypervisor.SettingsPatch{DefaultFloodPerm: &name}); err != nil {
			t.Fatal(err)
		}
		check("granted as the default", native)
		w.slice("blue")
		here("blue")
		check("granted to another here", expanded)
	})
}
