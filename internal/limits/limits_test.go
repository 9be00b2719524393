package limits_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/limits"
)

func TestBucketTake(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	b := limits.NewBucket(10, 3, now)
	steps := []struct {
		after time.Duration
		want  bool
	}{
		{0, true},
		{0, true},
		{0, true},
		{0, false},
		{99 * time.Millisecond, false},
		{time.Millisecond, true},
		{0, false},
		{time.Hour, true}, // an hour refills no more than the burst
		{0, true},
		{0, true},
		{0, false},
	}
	for i, s := range steps {
		now = now.Add(s.after)
		if got := b.Take(now); got != s.want {
			t.Errorf("step %d: Take = %v, want %v", i, got, s.want)
		}
	}
}

func TestBucketReserve(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	b := limits.NewBucket(10, 2, now)
	var got []time.Duration
	for range 4 {
		got = append(got, b.Reserve(now))
	}
	want := []time.Duration{0, 0, 100 * time.Millisecond, 200 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func TestNoBucket(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{0, -1} {
		b := limits.NewBucket(rate, 1, time.Now())
		if b != nil || !b.Take(time.Now()) || b.Reserve(time.Now()) != 0 || b.Rate() != 0 {
			t.Errorf("rate %d is a limit", rate)
		}
	}
}

// However many goroutines take, no more than burst tokens come out at one instant.
func TestBucketConcurrent(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	b := limits.NewBucket(1, 100, now)
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if b.Take(now) {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if taken.Load() != 100 {
		t.Errorf("took %d tokens of 100", taken.Load())
	}
}

func TestSliceRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s limits.Slice
		if s.Pause(true) != 0 || !s.PacketIn() {
			t.Error("a slice without limits is limited")
		}
		s.SetRates(limits.Rates{Messages: 2, FlowMods: 1, PacketIns: 1}, time.Now())
		if d := s.Pause(true); d != 0 {
			t.Errorf("first flow_mod waits %v", d)
		}
		if d := s.Pause(false); d != 0 {
			t.Errorf("another message waits %v", d)
		}
		if d := s.Pause(true); d != time.Second {
			t.Errorf("second flow_mod waits %v, want 1s", d)
		}
		if !s.PacketIn() || s.PacketIn() {
			t.Error("not exactly one packet_in allowed")
		}
		s.SetRates(limits.Rates{Messages: 5, PacketIns: 1}, time.Now())
		if s.PacketIn() {
			t.Error("an unchanged rate got a fresh bucket")
		}
		bubble.Sleep(time.Second)
		if !s.PacketIn() {
			t.Error("no packet_in after a second")
		}
		s.SetRates(limits.Rates{}, time.Now())
		if s.Pause(true) != 0 || !s.PacketIn() || !s.PacketIn() {
			t.Error("limits taken away still hold")
		}
	})
}

func TestFlows(t *testing.T) {
	t.Parallel()
	var f limits.Flows
	if f.Limit() != -1 || !f.Reserve(1000) {
		t.Error("the zero value has a limit")
	}
	f.SetLimit(1001)
	if f.Reserve(2) || !f.Reserve(1) || f.Reserve(1) {
		t.Error("limit of 1001 not kept")
	}
	f.SetLimit(0)
	f.Release(1001)
	if f.Reserve(1) || f.Used() != 0 {
		t.Error("limit 0 allows flows")
	}
	f.SetLimit(-1)
	if !f.Reserve(5) || f.Used() != 5 {
		t.Error("limit taken away still holds")
	}
}

// What a slice uses counts against the limits of those it is within, however many
// share them.
func TestWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		parent := limits.Within(nil)
		a, b := limits.Within(parent), limits.Within(parent)
		grandchild := limits.Within(a)
		parent.Flows.SetLimit(3)
		a.Flows.SetLimit(2)
		got := []bool{a.Flows.Reserve(1), grandchild.Flows.Reserve(1), a.Flows.Reserve(1), b.Flows.Reserve(1), b.Flows.Reserve(1)}
		if diff := cmp.Diff([]bool{true, true, false, true, false}, got); diff != "" {
			t.Errorf("flows allowed (-want +got):\n%s", diff)
		}
		if a.Flows.Used() != 2 || b.Flows.Used() != 1 || parent.Flows.Used() != 3 {
			t.Errorf("used %d, %d and %d, want 2, 1 and 3", a.Flows.Used(), b.Flows.Used(), parent.Flows.Used())
		}
		a.Flows.Count(1) // one that is there whatever the limit says
		a.Flows.Release(3)
		b.Flows.Release(1)
		if a.Flows.Used() != 0 || parent.Flows.Used() != 0 {
			t.Errorf("after all were given back %d and %d are in use", a.Flows.Used(), parent.Flows.Used())
		}
		parent.SetRates(limits.Rates{Messages: 2, FlowMods: 1, PacketIns: 2}, time.Now())
		if d := a.Pause(true); d != 0 {
			t.Errorf("the first flow_mod waits %v", d)
		}
		if d := b.Pause(true); d != time.Second {
			t.Errorf("the second flow_mod waits %v, want 1s", d)
		}
		if d := grandchild.Pause(false); d != 500*time.Millisecond {
			t.Errorf("the third message waits %v, want 500ms", d)
		}
		if !a.PacketIn() || !grandchild.PacketIn() || b.PacketIn() {
			t.Error("not exactly two packet_ins allowed")
		}
	})
}
