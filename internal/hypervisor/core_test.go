package hypervisor

import (
	"testing"
	"time"

	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire/of10"
)

// TestCoreTellsGenerationsApart: a session that skips the configuration in which a
// slice was gone has nothing of the old one under the new one's name.
func TestCoreTellsGenerationsApart(t *testing.T) {
	t.Parallel()
	s := newService(t)
	config := func() *DatapathConfig {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.configLocked(s.state.Load(), 1)
	}
	mustSlice(t, s, "red")
	mustRule(t, s, "r", "1", "any", "red=7")
	first := config()
	now := time.Now()
	k := &keptCore{dpid: 1, view: first.View, gens: map[string]uint64{}, now: map[string]slicing.SliceConfig{}, journaled: map[string]bool{}}
	k.dp = slicing.New(slicing.Config{DPID: 1, View: first.View, Features: &of10.FeaturesReply{DatapathID: 1, Ports: []of10.PhyPort{{PortNo: 1}, {PortNo: 2}}}})
	var out slicing.Out
	k.configure(now, first, &out)
	frame, err := (&of10.FlowMod{Match: of10.MatchAll(), Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	k.dp.FromController(now, "red", slicing.Conn{ID: 1}, frame, &out)
	k.configure(now, config(), &out) // nothing has changed
	if n := k.dp.FlowCount("red"); n != 1 {
		t.Fatalf("%d flows, want 1", n)
	}
	if err := s.RemoveSlice(t.Context(), Local(), "red", nil); err != nil {
		t.Fatal(err)
	}
	mustSlice(t, s, "red")
	mustRule(t, s, "r", "1", "any", "red=7")
	k.configure(now, config(), &out)
	if n := k.dp.FlowCount("red"); n != 0 {
		t.Errorf("the new slice has %d flows of the old one", n)
	}
}
