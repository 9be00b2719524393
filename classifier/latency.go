package classifier

import (
	"sync/atomic"
	"time"
)

// sampleEvery is how many messages go by for each whose handling is timed: reading the clock for all of them would show in the rate.
const sampleEvery = 64

// LatencyBounds are the upper bounds of the buckets of a Latency, in ascending order; one more bucket holds what is above.
var LatencyBounds = [...]time.Duration{
	time.Microsecond, 2 * time.Microsecond, 5 * time.Microsecond, 10 * time.Microsecond, 20 * time.Microsecond, 50 * time.Microsecond,
	100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond,
}

// Latency is a histogram of how long the handling of a message took, from whole in memory to queued for its receivers. Any goroutine may use it.
type Latency struct {
	buckets [len(LatencyBounds) + 1]atomic.Uint64
	sum     atomic.Int64 // nanoseconds
	last    atomic.Int64 // nanoseconds
	skip    atomic.Uint32
}

// sampled reports whether the message at hand is one to time.
func (l *Latency) sampled() bool { return l.skip.Add(1)%sampleEvery == 0 }

func (l *Latency) observe(d time.Duration) {
	at := 0
	for at < len(LatencyBounds) && d > LatencyBounds[at] {
		at++
	}
	l.buckets[at].Add(1)
	l.sum.Add(int64(d))
	l.last.Store(int64(d))
}

// Last returns the time of the message timed last, 0 before there was one.
func (l *Latency) Last() time.Duration { return time.Duration(l.last.Load()) }

// Snapshot returns the number of messages up to each bound of LatencyBounds, of all, and the sum of their times.
func (l *Latency) Snapshot() (upTo [len(LatencyBounds)]uint64, all uint64, sum time.Duration) {
	for i := range l.buckets {
		all += l.buckets[i].Load()
		if i < len(upTo) {
			upTo[i] = all
		}
	}
	return upTo, all, time.Duration(l.sum.Load())
}
