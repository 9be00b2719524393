package hypervisor

import (
	"testing"
	"time"
)

func TestTooManyInWords(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{0: "wait a second", 900 * time.Millisecond: "wait a second", time.Second: "wait 2 seconds", time.Minute: "wait 61 seconds"} {
		if got := (&TooManyError{wait}).Error(); got != "too many failed logins; "+want {
			t.Errorf("%v: %q, want %q", wait, got, want)
		}
	}
}
