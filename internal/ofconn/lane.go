package ofconn

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Who handles a connection whose peer always has more never lets go of its processor by
// itself, and Go looks for other work only when a processor has nothing to do, or every
// 10 ms. So such connections take turns in lanes, of which there are fewer than
// processors, and after a turn they rest as long as the others would have had turns of
// their own.
var (
	lanes = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))
	turns atomic.Uint64 // ended so far
	bulk  atomic.Int64  // connections in a lane or waiting for one
	busy  atomic.Int64  // others that have had something to say since a turn ended
)

const (
	maxTurn = 200 * time.Microsecond // a turn ends with the buffer in which it gets longer
	maxRest = time.Millisecond
	minRest = 20 * time.Microsecond // less cannot be slept
)

// lane is one connection's part in this; only who handles the connection uses it.
type lane struct {
	fair   bool // whether it takes part
	source bool // rests outside of its lane: those who wait for what it sends are the busy ones
	in     bool
	began  time.Time // of the turn
	seen   uint64    // turns and one, when it was counted as busy
}

// next goes on with the turn, or ends it and waits for another one.
func (l *lane) next(closed <-chan struct{}) {
	if l.fair && (!l.in || time.Since(l.began) > maxTurn) {
		l.take(closed)
	}
}

// take ends a turn, if there was one, and waits for the next, behind everybody who waits
// already.
func (l *lane) take(closed <-chan struct{}) {
	if l.in {
		turns.Add(1)
		rest := time.Since(l.began) * time.Duration(max(busy.Swap(0), 0)) / time.Duration(max(bulk.Load(), 1))
		if l.source {
			l.leave()
		}
		if rest = min(rest, maxRest); rest >= minRest {
			time.Sleep(rest)
		}
		l.leave()
	} else if l.seen == turns.Load()+1 {
		busy.Add(-1) // no longer one of those
	}
	bulk.Add(1)
	select {
	case lanes <- struct{}{}:
		l.in, l.began = true, time.Now()
	case <-closed:
		bulk.Add(-1)
	}
}

// leave gives the lane back, before waiting for something else.
func (l *lane) leave() {
	if l.in {
		l.in = false
		bulk.Add(-1)
		<-lanes
	}
}

// handled notes that the peer had something to say.
func (l *lane) handled() {
	if !l.fair {
		return
	}
	if t := turns.Load() + 1; l.seen != t && !l.in {
		l.seen = t
		busy.Add(1)
	}
}
