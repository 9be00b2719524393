package ofconn

import "time"

// turns are what a loop knows of connections that compete with each other: those of
// the controllers, and those of the switches. (They do not compete, as the ones answer
// the others.)
//
// The heavy ones have their turns one after the other, and all rest then for as long
// as the light ones, those that have said less lately, would take with turns like
// theirs. So whoever floods gets what one connection of many gets, and the rest only
// when nobody else has anything to say.
type turns struct {
	heavy []*Conn   // in the order of their turns
	left  int       // how many have not had theirs, of those that have one now
	began time.Time // when the first of them had
	next  time.Time // when the first of the next has

	epoch uint64 // the number of this one
	since time.Time
	light [2]int // how many others have had something to say in this epoch, and in the last
}

const (
	// heavyFrom is how many full buffers in a row make a connection heavy: more than
	// the answers to a window of requests are. A switch, whose buffers are so many
	// more, is heavy later.
	heavyFrom       = 4
	heavySourceFrom = 50
	// sourceReads is how many buffers a switch has in a turn: what it sends goes to
	// many, and is sent on more cheaply together.
	sourceReads = 16
	// maxRest bounds how long heavy connections rest, and less than minRest cannot be
	// slept.
	maxRest = time.Millisecond
	minRest = 20 * time.Microsecond
	// minEpoch is how long it is counted who has something to say.
	minEpoch = 4 * time.Millisecond
)

func (l *Loop) turnsOf(c *Conn) *turns {
	if c.cfg.Source {
		return &l.turns[1]
	}
	return &l.turns[0]
}

// weighLocked decides after a buffer of c whether it is heavy, and counts it if not.
func (l *Loop) weighLocked(c *Conn, on bool) {
	t, from := &l.turns[0], heavyFrom
	if c.cfg.Source {
		t, from = &l.turns[1], heavySourceFrom
	}
	c.link.heavy = false
	if c.link.full++; !c.sock.full {
		c.link.full = 0
	}
	switch {
	case !on:
		l.removeLocked(c)
	case l.conns.get(int32(c.sock.fd)) != c:
	case c.link.full >= from:
		c.link.heavy = true
		l.detachLocked(c)
		t.heavy = append(t.heavy, c)
		if !l.carrying {
			l.carrying = true
			go l.carry(l.shift)
		}
	case c.link.counted != t.epoch+1:
		c.link.counted = t.epoch + 1
		t.light[0]++
	}
}

// carry handles the heavy connections until there are none, or one leaves it alone.
func (l *Loop) carry(shift uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		c, rest := l.nextLocked(time.Now())
		if c == nil && rest == 0 {
			l.carrying = false
			return
		}
		if c == nil {
			l.mu.Unlock()
			time.Sleep(rest)
			l.mu.Lock()
			continue
		}
		l.carried = c
		l.carries++
		l.watchLocked()
		l.mu.Unlock()
		c.batchDone(nil) // of when it was not heavy yet
		on := c.visit()
		c.batchDone(nil)
		l.mu.Lock()
		alone := l.shift != shift
		if !alone {
			l.carried = nil
		}
		l.weighLocked(c, on)
		l.backLocked(c, on)
		if alone {
			return
		}
		l.restLocked(l.turnsOf(c), time.Now())
	}
}

// visit handles what c has, as much as it may have in a turn.
func (c *Conn) visit() bool {
	on := c.serve()
	for n := 1; on && n < sourceReads && c.cfg.Source && c.sock.full; n++ {
		on = c.serve()
	}
	return on
}

// relieveLocked lets another carrier go on, as the handler of the connection that is
// being carried is about to wait.
func (l *Loop) relieveLocked() {
	l.carried = nil
	l.shift++
	go l.carry(l.shift)
}

// nextLocked takes the connection whose turn it is; if there is none, rest is when
// there will be, or 0.
func (l *Loop) nextLocked(now time.Time) (c *Conn, rest time.Duration) {
	l.other = !l.other
	for i := range l.turns {
		if l.other {
			i = 1 - i
		}
		t := &l.turns[i]
		if len(t.heavy) == 0 {
			continue
		}
		if t.left == 0 {
			if r := t.next.Sub(now); r >= minRest {
				if rest == 0 || r < rest {
					rest = r
				}
				continue
			}
			t.began, t.left = now, len(t.heavy)
		}
		t.left--
		c = t.heavy[0]
		t.heavy[0] = nil
		t.heavy = t.heavy[1:]
		return c, 0
	}
	return nil, rest
}

// restLocked ends a turn, and if it was the last one, lets the heavy ones rest.
func (l *Loop) restLocked(t *turns, now time.Time) {
	if now.Sub(t.since) > minEpoch {
		t.since, t.epoch, t.light = now, t.epoch+1, [2]int{0, t.light[0]}
	}
	if t.left > 0 {
		return
	}
	took := now.Sub(t.began)
	t.next = now.Add(min(took*time.Duration(max(t.light[0], t.light[1]))/time.Duration(max(len(t.heavy), 1)), maxRest))
}
