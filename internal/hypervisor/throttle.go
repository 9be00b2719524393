package hypervisor

import (
	"sync"
	"time"
)

const (
	freeAttempts  = 5                // failures before waiting begins
	firstWait     = time.Second      // doubles with each further failure
	longestWait   = time.Minute      //
	forgetAfter   = 15 * time.Minute // without failures
	throttleSlots = 4096             // bounds memory
)

// throttle slows down guessing: by account and address, and by address alone
// after four times as many failures.
type throttle struct {
	mu    sync.Mutex
	slots map[string]*attempts
}

type attempts struct {
	failures int
	last     time.Time
}

func newThrottle() *throttle { return &throttle{slots: map[string]*attempts{}} }

func throttleKeys(account, addr string) [2]string {
	return [2]string{"a/" + addr + "/" + account, "b/" + addr}
}

// wait returns how long this account and address must wait before the next attempt.
func (t *throttle) wait(account, addr string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var longest time.Duration
	for i, key := range throttleKeys(account, addr) {
		a := t.slots[key]
		if a == nil {
			continue
		}
		over := a.failures - freeAttempts
		if i == 1 {
			over = a.failures - 4*freeAttempts
		}
		if over < 0 {
			continue
		}
		d := longestWait
		if over < 6 {
			d = min(firstWait<<over, longestWait)
		}
		longest = max(longest, d-now.Sub(a.last))
	}
	return longest
}

// failed notes a failure.
func (t *throttle) failed(account, addr string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range throttleKeys(account, addr) {
		a := t.slots[key]
		if a == nil || now.Sub(a.last) > forgetAfter {
			t.makeRoomLocked(now)
			a = &attempts{}
			t.slots[key] = a
		}
		a.failures++
		a.last = now
	}
}

// succeeded forgets the failures of an account at an address. Those of the
// address alone stay: one good account must not clean the slate for others.
func (t *throttle) succeeded(account, addr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.slots, throttleKeys(account, addr)[0])
}

// makeRoomLocked drops what is forgotten, and failing that the stalest.
func (t *throttle) makeRoomLocked(now time.Time) {
	if len(t.slots) < throttleSlots {
		return
	}
	var stalest string
	for key, a := range t.slots {
		if now.Sub(a.last) > forgetAfter {
			delete(t.slots, key)
		} else if stalest == "" || a.last.Before(t.slots[stalest].last) {
			stalest = key
		}
	}
	if len(t.slots) >= throttleSlots {
		delete(t.slots, stalest)
	}
}
