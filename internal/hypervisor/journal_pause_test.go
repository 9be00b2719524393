package hypervisor

import (
	"testing"
	"time"
)

// A burst is written once and saving takes a small part of the time, but a change that
// comes long after the last saving does not wait for what that has taken.
func TestJournalPause(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ took, idle, want time.Duration }{
		{0, 0, time.Second},
		{0, time.Hour, time.Second},
		{200 * time.Millisecond, 0, 10 * time.Second},
		{200 * time.Millisecond, 4 * time.Second, 6 * time.Second},
		{200 * time.Millisecond, time.Hour, time.Second},
	} {
		if got := journalPause(c.took, c.idle); got != c.want {
			t.Errorf("took %v, idle for %v: pause %v, want %v", c.took, c.idle, got, c.want)
		}
	}
}
