package hypervisor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// However many arrive at once, no more than so many are at work, each rests after
// it, and all have their turn.
func TestAdmissionTurns(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3} { // 0 is a machine with one processor
		synctest.Test(t, func(t *testing.T) {
			a := newAdmission(n)
			atOnce := int32(max(n, 1))
			var working, most, served atomic.Int32
			var wg sync.WaitGroup
			const all, work = 60, 200 * time.Microsecond
			begin := time.Now()
			for range all {
				wg.Go(func() {
					leave, err := a.enter(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					for now := working.Add(1); ; {
						if was := most.Load(); now <= was || most.CompareAndSwap(was, now) {
							break
						}
					}
					<-time.After(work)
					working.Add(-1)
					served.Add(1)
					leave()
					leave() // does nothing
				})
			}
			wg.Wait()
			if most.Load() != atOnce || served.Load() != all {
				t.Errorf("%d at a time: %d were at once, %d of %d served", n, most.Load(), served.Load(), all)
			}
			// The last ones' rest is nobody's wait.
			if took, want := time.Since(begin), 2*work*all/time.Duration(atOnce)-work; took != want {
				t.Errorf("%d at a time: took %v, want %v: as much rest as work", n, took, want)
			}
		})
	}
}

// Whoever waits for a silent peer loses the turn soon; who gives up waiting does
// not take one.
func TestAdmissionOfSilentPeers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(1)
		silent := make(chan struct{})
		var wg sync.WaitGroup
		for range maxUnknown {
			wg.Go(func() {
				leave, err := a.enterShort(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				<-silent
				leave()
			})
		}
		synctest.Wait()
		tired, giveUp := context.WithCancelCause(t.Context())
		errTired := errors.New("tired")
		wg.Go(func() {
			if _, err := a.enter(tired); !errors.Is(err, errTired) {
				t.Errorf("after giving up: %v", err)
			}
		})
		synctest.Wait()
		giveUp(errTired)
		begin := time.Now()
		leave, err := a.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%d silent peers kept the next one waiting for %v", maxUnknown, took)
		}
		leave()
		close(silent)
		wg.Wait()
	})
}
