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

// Slice is what one slice uses, on all datapaths together or on one. The zero value
// has no limits.
type Slice struct {
	within *Slice // what this one uses counts there as well; static

	// Read on the message path; nil is no limit.
	messages, flowMods, packetIns atomic.Pointer[Bucket]

	Flows Flows

	mu    sync.Mutex
	rates Rates // guarded by mu
}

// Within returns what a slice uses that another one made: all of it counts against
// that one's limits as well. parent may be nil.
func Within(parent *Slice) *Slice {
	s := &Slice{within: parent}
	if parent != nil {
		s.Flows.within = &parent.Flows
	}
	return s
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
func (s *Slice) Pause(flowMod bool) (wait time.Duration) {
	var now time.Time
	for ; s != nil; s = s.within {
		m := s.messages.Load()
		var f *Bucket
		if flowMod {
			f = s.flowMods.Load()
		}
		if m == nil && f == nil {
			continue
		}
		if now.IsZero() {
			now = time.Now()
		}
		wait = max(wait, m.Reserve(now), f.Reserve(now))
	}
	return wait
}

// PacketIn reports whether one more packet_in may go to the slice now.
func (s *Slice) PacketIn() bool {
	for ; s != nil; s = s.within {
		if b := s.packetIns.Load(); b != nil && !b.Take(time.Now()) {
			return false
		}
	}
	return true
}
