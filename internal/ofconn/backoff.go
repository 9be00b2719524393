package ofconn

import (
	"math/rand/v2"
	"time"
)

// Backoff gives the pauses between attempts to reach a peer: doubling from Min
// to Max, each shortened by up to a quarter so that many peers do not come at
// the same instant. The zero value goes from 1 s to 15 s.
type Backoff struct {
	Min, Max time.Duration // 0 means 1 s and 15 s

	next time.Duration
}

// Next is the pause before the next attempt.
func (b *Backoff) Next() time.Duration {
	lo, hi := b.Min, b.Max
	if lo <= 0 {
		lo = time.Second
	}
	if hi <= 0 {
		hi = 15 * time.Second
	}
	d := min(max(b.next, lo), max(hi, lo))
	b.next = 2 * d
	return d - rand.N(d/4+1)
}

// Lived tells how long the last connection held. Only one that outlived the
// pause before it begins again at Min; a peer that accepts and closes at once is
// not dialled in a tight loop.
func (b *Backoff) Lived(d time.Duration) {
	if d > b.next {
		b.next = 0
	}
}
