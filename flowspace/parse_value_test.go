package flowspace

import (
	"errors"
	"testing"
)

// TestNegativeNumbers: the message repeats all of what was written.
func TestNegativeNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"in_port=-1": "-1", "tp_dst=-80,tcp": "-80", "dl_vlan=3|-4": "-4", "dl_vlan=3-": "3-", "dl_vlan=1-2-3": "1-2-3", "dl_vlan=|": ""} {
		_, err := ParseMatch(text)
		f, ok := errors.AsType[*FieldError](err)
		if !ok || f.Value != want {
			t.Errorf("%s: %v, want one about %q", text, err, want)
		}
	}
}
