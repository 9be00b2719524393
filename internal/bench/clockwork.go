package bench

import (
	"sync"
	"time"
)

// Kind is a message type whose one-way delay a sandwich measures.
type Kind int

// The kinds, in the order they are reported.
const (
	KindPacketIn Kind = iota
	KindPacketOut
	KindFlowMod
	KindStatsRequest
	KindStatsReply
	KindBarrierRequest
	KindBarrierReply
	KindEcho
	kinds
)

var kindNames = [kinds]string{"packet_in", "packet_out", "flow_mod", "stats_request", "stats_reply", "barrier_request", "barrier_reply", "echo"}

func (k Kind) String() string { return kindNames[k] }

// Clockwork is what the two sides of a sandwich share: one clock, the times of sending of messages that carry no stamp of their own, and the delays.
type Clockwork struct {
	start time.Time

	mu      sync.Mutex
	pending map[pendingKey][]time.Duration // guarded by mu; FIFO per datapath and kind
	delays  [kinds]Histogram               // guarded by mu
}

type pendingKey struct {
	dpid uint64
	kind Kind
	slot uint32
}

// NewClockwork starts the common clock.
func NewClockwork() *Clockwork {
	return &Clockwork{start: time.Now(), pending: make(map[pendingKey][]time.Duration)}
}

// Now is the time since the start; it is what stamps carry.
func (c *Clockwork) Now() time.Duration { return time.Since(c.start) }

// Sent notes that a message of this kind left for (or from) a datapath now.
func (c *Clockwork) Sent(dpid uint64, kind Kind, slot uint32) {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	k := pendingKey{dpid, kind, slot}
	if q := c.pending[k]; len(q) < 1024 { // a peer that never answers must not grow the map without end
		c.pending[k] = append(q, now)
	}
}

// Arrived closes the oldest note of the same key and counts its delay; false means that there was none: a proxy asks on its own account too.
func (c *Clockwork) Arrived(dpid uint64, kind Kind, slot uint32) bool {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	k := pendingKey{dpid, kind, slot}
	q := c.pending[k]
	if len(q) == 0 {
		return false
	}
	c.delays[kind].Add(now - q[0])
	if len(q) == 1 {
		delete(c.pending, k)
		return true
	}
	c.pending[k] = q[1:]
	return true
}

// Stamped counts the delay of a message that carried its own time of sending.
func (c *Clockwork) Stamped(kind Kind, sent time.Duration) {
	now := c.Now()
	if sent <= 0 || sent > now {
		return
	}
	c.mu.Lock()
	c.delays[kind].Add(now - sent)
	c.mu.Unlock()
}

// Reset forgets all delays, for the end of the warm-up.
func (c *Clockwork) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delays = [kinds]Histogram{}
	clear(c.pending)
}

// Delays returns the figures of every kind that was seen.
func (c *Clockwork) Delays() map[string]Delays {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := make(map[string]Delays)
	for k := range c.delays {
		if c.delays[k].Count() > 0 {
			m[Kind(k).String()] = c.delays[k].Delays()
		}
	}
	return m
}
