package hypervisor

import (
	"testing"
	"time"

	"github.com/govisor/govisor/ofwire"
)

func TestHealthTellsMeasuredDelays(t *testing.T) {
	t.Parallel()
	s := newService(t)
	if h := s.Health(Local()); h.AverageUsec != 0 || h.LastUsec != 0 {
		t.Errorf("before there was a message: average %v, last %v", h.AverageUsec, h.LastUsec)
	}
	one := &fakeSession{m: DatapathMetrics{FromSwitch: LatencyMetrics{Count: 3, Sum: 30 * time.Microsecond, Last: 9 * time.Microsecond}}}
	two := &fakeSession{m: DatapathMetrics{FromController: LatencyMetrics{Count: 1, Sum: 50 * time.Microsecond, Last: 50 * time.Microsecond}}}
	for id, sess := range map[ofwire.DatapathID]*fakeSession{1: one, 2: two} {
		if _, err := s.Attach(id, sess); err != nil {
			t.Fatal(err)
		}
	}
	if h := s.Health(Local()); h.AverageUsec != 20 || h.LastUsec != 50 {
		t.Errorf("average %v us, last %v us; want 20 and 50", h.AverageUsec, h.LastUsec)
	}
}

// TestHealthCountsWhatIsVisible: a slice's account is told how many rules and
// datapaths of those it may see there are, not none and not everybody's.
func TestHealthCountsWhatIsVisible(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	mustRule(t, s, "r1", "1", "in_port=1", "a=7")
	mustRule(t, s, "r2", "1", "in_port=2", "a=7")
	mustRule(t, s, "r3", "2", "any", "b=7")
	for id := range ofwire.DatapathID(4) {
		if _, err := s.Attach(id+1, &fakeSession{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		by                       Principal
		slices, rules, datapaths int
	}{{Local(), 2, 3, 4}, {account("a"), 1, 2, 1}, {account("b"), 1, 1, 1}} {
		if h := s.Health(tc.by); h.Slices != tc.slices || h.Rules != tc.rules || h.Datapaths != tc.datapaths {
			t.Errorf("%s: %d slices, %d rules, %d datapaths; want %+v", tc.by.Account, h.Slices, h.Rules, h.Datapaths, tc)
		}
	}
}
