package ofwire

import (
	"fmt"
	"strconv"
	"strings"
)

// MAC is an Ethernet address.
type MAC [6]byte

// Broadcast is ff:ff:ff:ff:ff:ff.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ParseMAC reads six colon-separated groups of one or two hexadecimal digits.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	groups := strings.Split(s, ":")
	if len(groups) != len(m) {
		return MAC{}, fmt.Errorf("MAC address %q: want six groups like 02:00:00:00:00:01", s)
	}
	for i, g := range groups {
		v, err := strconv.ParseUint(g, 16, 8)
		if err != nil || len(g) > 2 {
			return MAC{}, fmt.Errorf("MAC address %q: %q is not one or two hexadecimal digits", s, g)
		}
		m[i] = byte(v)
	}
	return m, nil
}

func (m MAC) String() string { return string(m.Append(make([]byte, 0, 17))) }

// Append adds the text form to b.
func (m MAC) Append(b []byte) []byte { return appendHexGroups(b, m[:]) }

// IsMulticast reports whether the group bit is set; broadcast is multicast too.
func (m MAC) IsMulticast() bool { return m[0]&1 != 0 }

// IsZero reports whether all bits are zero.
func (m MAC) IsZero() bool { return m == MAC{} }

// MarshalText writes the form of String.
func (m MAC) MarshalText() ([]byte, error) { return m.Append(nil), nil }

// UnmarshalText accepts what ParseMAC accepts.
func (m *MAC) UnmarshalText(b []byte) error {
	v, err := ParseMAC(string(b))
	if err == nil {
		*m = v
	}
	return err
}
