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

// A bulk has hundreds of thousands of these texts.
func TestParseDoesNotAllocate(t *testing.T) {
	for _, text := range []string{"in_port=1,dl_vlan=100", "OFMatch[in_port=17,dl_type=0x0800,nw_dst=10.1.2.0/24]", "tcp, dl_vlan=5-9, tp_dst=80", "dl_src=00:11:22:33:44:55", "any"} {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := ParseMatch(text); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := ParseDPIDs("00:00:00:00:00:00:00:0a"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("datapath: %v allocations", n)
	}
}

// One id is read by itself, and it means the same in a list.
func TestParseDPIDsOfOne(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]DPIDSet{
		"1": DPIDs(1), " 1 ": DPIDs(1), "1 1": DPIDs(1), "1 2": DPIDs(1, 2), "0xA": DPIDs(10), "00:0A": DPIDs(10), "0xa|0xB": DPIDs(10, 11),
		"any": AllDPIDs(), "ALL": AllDPIDs(), "*": AllDPIDs(),
		"": {}, " ": {}, "a": {}, "0x": {}, "x1": {}, "fa": {}, "1:": {}, "1,": {},
	} {
		if got, err := ParseDPIDs(text); got != want || (err == nil) != (want != DPIDSet{}) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}
