package ofconn

import (
	"context"
	"sync"
	"time"

	"github.com/govisor/govisor/ofwire"
)

// echoXID marks our own echo requests in a capture ("gv").
const echoXID = 0x67760001

var echoRequest = []byte{ofwire.Version10, typeEchoRequest, 0, 8, echoXID >> 24, echoXID >> 16 & 0xff, echoXID >> 8 & 0xff, echoXID & 0xff}

// keeper probes a silent peer. Nothing is done per message: a timer compares
// the number of messages received with the last time's. A peer behind on reading
// lives as long as it goes on: the request waits behind what it has not read.
type keeper struct {
	c *Conn

	mu      sync.Mutex
	timer   *time.Timer // nil when keep-alive is off
	seen    uint64
	waiting bool // an echo request has been sent and nothing came since
	stopped bool
}

func (c *Conn) keepAlive() *keeper {
	k := &keeper{c: c}
	if c.cfg.EchoInterval > 0 {
		k.mu.Lock()
		k.timer = time.AfterFunc(k.pause(), k.tick)
		k.mu.Unlock()
	}
	return k
}

func (k *keeper) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	if k.timer != nil {
		k.timer.Stop()
	}
}

func (k *keeper) tick() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	seen := k.c.received.Load() + k.c.taken.Load()
	switch {
	case seen != k.seen, k.c.held.Load():
		k.seen, k.waiting = seen, false
	case k.waiting:
		k.c.Close(ErrKeepAlive)
		return
	default:
		k.waiting = true
		k.c.Append(echoRequest, Required)
		k.c.Flush()
	}
	k.timer.Reset(k.pause())
}

// pause is the interval, and up to a thirty-second part more, so that many thousands
// of connections wake the process a few times a second and not each for itself.
func (k *keeper) pause() time.Duration {
	now := time.Now()
	step := k.c.cfg.EchoInterval / 32
	due := now.Add(k.c.cfg.EchoInterval)
	return due.Add(step - 1).Truncate(max(step, 1)).Sub(now)
}

// Probe asks the peer for a sign of life and reports whether one came before
// ctx was done.
func (c *Conn) Probe(ctx context.Context) bool {
	answer := make(chan struct{})
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return false
	}
	c.probes = append(c.probes, answer)
	c.mu.Unlock()
	c.Append(echoRequest, Required)
	c.Flush()
	select {
	case <-answer:
		return c.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// answered lets every Probe know that an ECHO_REPLY came.
func (c *Conn) answered() {
	c.mu.Lock()
	probes := c.probes
	c.probes = nil
	c.mu.Unlock()
	for _, p := range probes {
		close(p)
	}
}
