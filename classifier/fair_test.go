package classifier_test

import (
	"io"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire/of10"
)

// One slice that never stops sending must not keep another one's message waiting
// for more than a few of its own.
func TestFloodingSliceTakesTurns(t *testing.T) {
	s, sw, _ := start(t)
	go func() { _, _ = io.Copy(io.Discard, sw) }()
	<-s.Ready()
	s.SetSlice("red", &sink{})
	ask := func(typ of10.Type) []byte { return []byte{1, byte(typ), 0, 8, 0, 0, 0, 1} }
	var flooded atomic.Uint64
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				s.FromController("red", slicing.Conn{ID: 1}, ask(of10.TypeFeaturesRequest))
				flooded.Add(1)
			}
		}
	}()
	var between []uint64
	for range 300 {
		for mark := flooded.Load(); flooded.Load() < mark+50; {
			runtime.Gosched()
		}
		before := flooded.Load()
		s.FromController("red", slicing.Conn{ID: 2}, ask(of10.TypeGetConfigRequest))
		between = append(between, flooded.Load()-before)
	}
	close(stop)
	<-ended
	slices.Sort(between)
	// Only the middle is held: the machine takes the processor away for as long as it
	// likes. Without turns it is some hundreds.
	if median := between[len(between)/2]; median > 32 {
		t.Errorf("%d messages of the flooding slice in between, want 32 at most", median)
	}
}
