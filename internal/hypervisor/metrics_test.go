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
