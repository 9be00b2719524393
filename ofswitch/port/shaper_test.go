package port

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/bubble"
)

// sink counts the bytes written per first byte of the frame.
type sink struct {
	Port
	got map[byte]int
}

func (s *sink) Write(batch []Frame) (int, error) {
	for _, f := range batch {
		s.got[f.Data[0]] += len(f.Data)
	}
	return len(batch), nil
}

// TestShaper fills queues faster than the port sends and compares what each got
// in ten seconds with the rate and its guarantee.
func TestShaper(t *testing.T) {
	const rate = 8_000_000 // bits: a megabyte a second
	for _, tt := range []struct {
		name    string
		offered map[uint32]int // frames of 1000 bytes per 100 ms
		want    map[byte][2]int
	}{
		{"one queue has it all", map[uint32]int{NoQueue: 200}, map[byte][2]int{'-': {97, 101}}},
		{"below its guarantee nothing is lost", map[uint32]int{7: 40, NoQueue: 200}, map[byte][2]int{7: {39, 41}, '-': {57, 61}}},
		{"guarantees hold", map[uint32]int{7: 200, 1: 200, NoQueue: 200}, map[byte][2]int{7: {50, 100}, 1: {20, 50}, '-': {1, 30}}},
		{"the rest is shared", map[uint32]int{3: 200, NoQueue: 200}, map[byte][2]int{3: {47, 52}, '-': {47, 52}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &sink{got: map[byte]int{}}
				s := NewShaper(to, rate, []QueueRate{{7, 500}, {1, 200}, {3, 0xffff}})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { s.Run(ctx); close(done) }()
				frame := func(q uint32) Frame {
					b := make([]byte, 1000)
					b[0] = byte(q)
					if q == NoQueue {
						b[0] = '-'
					}
					return Frame{Data: b}
				}
				for range 100 {
					for q, n := range tt.offered {
						for range n {
							_, _ = s.WriteQueue(q, []Frame{frame(q)})
						}
					}
					bubble.Sleep(100 * time.Millisecond)
				}
				cancel()
				<-done
				for q, want := range tt.want {
					if percent := to.got[q] / 100_000; percent < want[0] || percent > want[1] {
						t.Errorf("queue %d got %d %% of the rate, want %d to %d", q, percent, want[0], want[1])
					}
				}
			})
		})
	}
}

func TestShaperDrops(t *testing.T) {
	s := NewShaper(&sink{}, 1000, nil)
	big := make([]Frame, 2000)
	for i := range big {
		big[i].Data = make([]byte, 1000)
	}
	if n, err := s.WriteQueue(9, big); n != shaperQueue/1000 || err != nil {
		t.Errorf("took %d (%v), want %d", n, err, shaperQueue/1000)
	}
}
