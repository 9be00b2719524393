package bubble_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/bubble"
)

func TestSleepInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		since := time.Now()
		bubble.Sleep(time.Hour)
		if d := time.Since(since); d != time.Hour {
			t.Errorf("slept %v", d)
		}
	})
}

func TestSleepOutsideOfABubble(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("real time passed")
		}
	}()
	bubble.Sleep(time.Nanosecond)
}
