package limits

import (
	"sync"
	"sync/atomic"
	"time"
)

// Rates are the rate limits of one slice, in messages per second; 0 is no limit.
type Rates struct {
	Messages  int // from its controllers, all types together
	FlowMods  int // from its controllers
	PacketIns int // to its controllers
}

// Slice is what one slice uses, on all datapaths together. The zero value has no
// limits.
type Slice struct {
	// Read on the message path; nil is no limit.
	messages, flowMods, packetIns atomic.Pointer[Bucket]

	Flows Flows // on all datapaths together

	mu    sync.Mutex
	rates Rates // guarded by mu
}

// SetRates puts new limits in force at once. Buckets whose rate does not change
// keep their level.
func (s *Slice) SetRates(r Rates, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == s.rates {
		return
	}
	set := func(p *atomic.Pointer[Bucket], before, after int) {
		if before != after {
			p.Store(NewBucket(after, 0, now))
		}
	}
	set(&s.messages, s.rates.Messages, r.Messages)
	set(&s.flowMods, s.rates.FlowMods, r.FlowMods)
	set(&s.packetIns, s.rates.PacketIns, r.PacketIns)
	s.rates = r
}

// Pause takes the tokens for one message of the slice's controller and returns
// how long its reader has to wait: such messages are never dropped.
func (s *Slice) Pause(flowMod bool) time.Duration {
	m := s.messages.Load()
	var f *Bucket
	if flowMod {
		f = s.flowMods.Load()
	}
	if m == nil && f == nil {
		return 0
	}
	now := time.Now()
	return max(m.Reserve(now), f.Reserve(now))
}

// PacketIn reports whether one more packet_in may go to the slice now.
func (s *Slice) PacketIn() bool {
	b := s.packetIns.Load()
	return b == nil || b.Take(time.Now())
}
