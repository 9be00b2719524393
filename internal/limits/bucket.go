package limits

import (
	"sync/atomic"
	"time"
)

// Bucket is a token bucket that many goroutines may take from without a lock
// (the generic cell rate algorithm: one number says when the bucket will be full
// again). A nil *Bucket is no limit.
type Bucket struct {
	// Static after construction.
	start    time.Time
	interval time.Duration // one token
	depth    time.Duration // as long as the burst takes to refill
	rate     int

	full atomic.Int64 // when the bucket is full again, as time since start
}

// NewBucket returns a bucket refilled by rate tokens a second that holds burst
// of them (at least one; 0 means as many as come in a second) and is full now.
// A rate of 0 or below means no limit: nil.
func NewBucket(rate, burst int, now time.Time) *Bucket {
	if rate <= 0 {
		return nil
	}
	if burst <= 0 {
		burst = rate
	}
	interval := max(time.Second/time.Duration(rate), 1)
	return &Bucket{start: now, interval: interval, depth: interval * time.Duration(burst), rate: rate}
}

// Rate is the number of tokens per second, 0 for no limit.
func (b *Bucket) Rate() int {
	if b == nil {
		return 0
	}
	return b.rate
}

// Take takes one token if there is one.
func (b *Bucket) Take(now time.Time) bool {
	if b == nil {
		return true
	}
	t := int64(now.Sub(b.start))
	for {
		full := b.full.Load()
		next := max(full, t) + int64(b.interval)
		if next-t > int64(b.depth) {
			return false
		}
		if b.full.CompareAndSwap(full, next) {
			return true
		}
	}
}

// Reserve takes one token, if need be one that is still to come, and returns how
// long to wait for it.
func (b *Bucket) Reserve(now time.Time) time.Duration {
	if b == nil {
		return 0
	}
	t := int64(now.Sub(b.start))
	for {
		full := b.full.Load()
		next := max(full, t) + int64(b.interval)
		if b.full.CompareAndSwap(full, next) {
			return max(time.Duration(next-t)-b.depth, 0)
		}
	}
}
