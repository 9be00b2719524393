package hypervisor

import (
	"context"
	"sync"
	"time"
)

// admission keeps the work that comes with a switch's arrival and departure from
// taking all processors when a whole network reconnects at once: those who are
// connected already would wait behind it. At most so many are at work, and each
// rests for as long as it worked before the next one begins. Nobody waits for a
// peer with a turn for longer than patience.
type admission struct {
	turns chan struct{}
}

// patience is how long a peer that does not answer may keep the next one waiting,
// and maxRest is so that a machine busy with other things stops nobody: even
// maxUnknown peers that are all silent are through in about four seconds.
const (
	patience = 500 * time.Microsecond
	maxRest  = 500 * time.Microsecond
)

func newAdmission(n int) *admission { return &admission{turns: make(chan struct{}, max(n, 1))} }

// enter waits for a turn, in order of arrival, or until ctx is done. The function
// it returns ends the turn; calling it again does nothing.
func (a *admission) enter(ctx context.Context) (leave func(), err error) {
	select {
	case a.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	begin := time.Now()
	return sync.OnceFunc(func() {
		if rest := min(time.Since(begin), maxRest); rest > 0 {
			time.AfterFunc(rest, func() { <-a.turns })
		} else {
			<-a.turns
		}
	}), nil
}

// enterShort is enter for what may wait for a peer: the turn also ends by itself
// when patience does.
func (a *admission) enterShort(ctx context.Context) (leave func(), err error) {
	end, err := a.enter(ctx)
	if err != nil {
		return nil, err
	}
	t := time.AfterFunc(patience, end)
	return func() {
		t.Stop()
		end()
	}, nil
}
