package fvctl

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/bubble"
)

// On a terminal somebody who waits is told, and what was told is wiped out; in a
// script nothing is.
func TestBusy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		terminal bool
		takes    time.Duration
		want     string
	}{
		{true, 500 * time.Millisecond, ""},
		{true, 2500 * time.Millisecond, "\rcomparing 3 rules, 1 s ...\rcomparing 3 rules, 2 s ...\r" + strings.Repeat(" ", 26) + "\r"},
		{false, 2500 * time.Millisecond, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var b strings.Builder
			a := &app{err: &b, terminal: tc.terminal}
			stop := a.busy("comparing 3 rules")
			bubble.Sleep(tc.takes)
			stop()
			if b.String() != tc.want {
				t.Errorf("terminal %v, %v: %q", tc.terminal, tc.takes, b.String())
			}
		})
	}
}
