package ofwire

import (
	"fmt"
	"strconv"
	"strings"
)

// DatapathID is the 64-bit identity of one OpenFlow switch.
type DatapathID uint64

// ParseDatapathID reads "00:00:00:00:00:00:00:01" (up to eight groups of hexadecimal
// digits), "0x1" (hexadecimal) or "1" (digits only: decimal, up to 16 of them).
func ParseDatapathID(s string) (DatapathID, error) {
	digits, base := s, 10
	switch {
	case strings.Contains(s, ":"):
		if strings.Count(s, ":") > 7 {
			return 0, fmt.Errorf("datapath id %q: more than eight groups", s)
		}
		var id uint64
		for g := range strings.SplitSeq(s, ":") {
			v, err := strconv.ParseUint(g, 16, 8)
			if err != nil || len(g) > 2 {
				return 0, fmt.Errorf("datapath id %q: %q is not one or two hexadecimal digits", s, g)
			}
			id = id<<8 | v
		}
		return DatapathID(id), nil
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		digits, base = s[2:], 16
		if len(digits) > 16 {
			return 0, fmt.Errorf("datapath id %q: more than 16 hexadecimal digits", s)
		}
	case len(s) > 16 || len(s) == 16 && s[0] == '0':
		return 0, fmt.Errorf("datapath id %q: as long as a hexadecimal one without its colons: write it with colons or 0x", s)
	}
	v, err := strconv.ParseUint(digits, base, 64)
	if err != nil || strings.HasPrefix(digits, "+") {
		return 0, fmt.Errorf("datapath id %q: want 00:00:00:00:00:00:00:01, 0x1 or a decimal number", s)
	}
	return DatapathID(v), nil
}

const hexDigits = "0123456789abcdef"

func appendHexGroups(b []byte, v []byte) []byte {
	for i, c := range v {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// String returns eight colon-separated groups of two hexadecimal digits.
func (d DatapathID) String() string {
	var v [8]byte
	for i := range v {
		v[i] = byte(d >> (56 - 8*i))
	}
	return string(appendHexGroups(make([]byte, 0, 23), v[:]))
}

// MarshalText writes the form of String.
func (d DatapathID) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText accepts every form of ParseDatapathID.
func (d *DatapathID) UnmarshalText(b []byte) error {
	v, err := ParseDatapathID(string(b))
	if err == nil {
		*d = v
	}
	return err
}
