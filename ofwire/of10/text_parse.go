package of10

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Parser reads ovs-ofctl's flow, match and action syntax. The zero value knows ports by
// number and reserved name only.
type Parser struct {
	// PortByName finds a switch's port; nil for none.
	PortByName func(name string) (Port, bool)
}

// item is one KEY, KEY=VALUE, KEY:VALUE or KEY(VALUE).
type item struct {
	key, value string
	hasValue   bool
}

func (it item) String() string {
	if !it.hasValue {
		return it.key
	}
	return it.key + "=" + it.value
}

const separators = ", \t\r\n"

// nextItem cuts the first item off s. ok is false when nothing is left.
func nextItem(s string) (it item, rest string, ok bool, err error) {
	s = strings.TrimLeft(s, separators)
	if s == "" {
		return item{}, "", false, nil
	}
	i := strings.IndexAny(s, "=:("+separators)
	if i < 0 {
		return item{key: s}, "", true, nil
	}
	it.key = s[:i]
	switch s[i] {
	case '(':
		n, err := closing(s[i:])
		if err != nil {
			return item{}, "", false, err
		}
		it.value, it.hasValue = s[i+1:i+n], true
		return it, s[i+n+1:], true, nil
	case '=', ':':
		it.value, rest = cutValue(s[i+1:])
		it.hasValue = true
		return it, rest, true, nil
	}
	return it, s[i:], true, nil
}

// cutValue ends a value at the first separator outside parentheses and quotes.
func cutValue(s string) (value, rest string) {
	depth, quoted := 0, false
	for i, c := range []byte(s) {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth <= 0 && strings.IndexByte(separators, c) >= 0:
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// closing is the index of the parenthesis that closes the one s starts with.
func closing(s string) (int, error) {
	depth := 0
	for i, c := range []byte(s) {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("%s: no closing parenthesis", s)
}

// number reads a decimal or 0x number of at most limit.
func number(what, s string, limit uint64) (uint64, error) {
	digits, base := s, 10
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		digits, base = s[2:], 16
	}
	v, err := strconv.ParseUint(digits, base, 64)
	tooBig := errors.Is(err, strconv.ErrRange)
	if err != nil && !tooBig || digits == "" || digits[0] == '+' {
		return 0, fmt.Errorf("invalid %s %q: not a number", what, s)
	}
	if tooBig || v > limit {
		return 0, fmt.Errorf("invalid %s %q: more than %d", what, s, limit)
	}
	return v, nil
}

// number16 is number for 16-bit values.
func number16(what, s string) (uint16, error) {
	v, err := number(what, s, 0xffff)
	return uint16(v), err
}

// reservedPorts are the names of ports, in lower case.
var reservedPorts = map[string]Port{
	"in_port": PortInPort, "table": PortTable, "normal": PortNormal, "flood": PortFlood, "all": PortAll,
	"controller": PortController, "local": PortLocal, "none": PortNone, "any": PortNone,
}

// ParsePort reads a port number, a reserved name in any case, or a name in or without
// quotes that PortByName knows.
func (p *Parser) ParsePort(s string) (Port, error) {
	if s != "" && s[0] >= '0' && s[0] <= '9' {
		v, err := number16("port", s)
		if err == nil {
			return Port(v), nil
		}
	}
	if port, ok := reservedPorts[strings.ToLower(s)]; ok {
		return port, nil
	}
	name := s
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = name[1 : len(name)-1]
	}
	if p.PortByName != nil {
		if port, ok := p.PortByName(name); ok {
			return port, nil
		}
	}
	return 0, fmt.Errorf("invalid or unknown port %q: want a number (0 to 65535), LOCAL or another reserved name, or a port's name", s)
}

// ParsePort reads a port number or reserved name.
func ParsePort(s string) (Port, error) { return new(Parser).ParsePort(s) }

// parseIPv4 reads a dotted address; host names are refused.
func parseIPv4(what, s string) (uint32, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return 0, fmt.Errorf("invalid %s %q: want an IPv4 address like 10.0.0.1", what, s)
	}
	v := a.As4()
	return be.Uint32(v[:]), nil
}

// parsePrefix reads ADDR, ADDR/LEN or ADDR/MASK and returns the number of ignored bits.
func parsePrefix(what, s string) (addr uint32, ignored int, err error) {
	a, mask, masked := strings.Cut(s, "/")
	if addr, err = parseIPv4(what, a); err != nil || !masked {
		return addr, 0, err
	}
	if !strings.Contains(mask, ".") {
		n, err := number(what+" prefix length", mask, 32)
		return addr, 32 - int(n), err
	}
	m, err := parseIPv4(what+" mask", mask)
	if err != nil {
		return 0, 0, err
	}
	for ignored = 0; ignored < 32 && m>>ignored&1 == 0; ignored++ {
	}
	if m != ^uint32(0)<<ignored {
		return 0, 0, fmt.Errorf("invalid %s %q: OpenFlow 1.0 has prefixes only, no mask with holes", what, s)
	}
	return addr, ignored, nil
}
