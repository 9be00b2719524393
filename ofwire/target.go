package ofwire

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Ports of OpenFlow: the one everybody used first, and the one registered later.
const (
	DefaultPort uint16 = 6633
	IANAPort    uint16 = 6653
)

// A Target says where a peer is, or where to listen for peers:
//
//	tcp:HOST[:PORT]  ssl:HOST[:PORT]  unix:PATH          connect
//	ptcp:[PORT][:HOST]  pssl:[PORT][:HOST]  punix:PATH   listen
//	module:NAME                                          linked into the process
//
// PORT defaults to 6633. IPv6 addresses stand in brackets.
type Target struct {
	Scheme string
	Host   string // without brackets; empty when listening everywhere
	Port   uint16 // 0, when listening: any free port
	Path   string // unix, punix
	Name   string // module
}

// ParseTarget reads the text form of a Target.
func ParseTarget(s string) (Target, error) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return Target{}, targetError(s, "no scheme; want tcp:, ssl:, unix:, ptcp:, pssl:, punix: or module:")
	}
	t := Target{Scheme: scheme}
	switch scheme {
	case "tcp", "ssl":
		return parseActive(s, t, rest)
	case "ptcp", "pssl":
		return parsePassive(s, t, rest)
	case "unix", "punix":
		if rest == "" || strings.ContainsRune(rest, 0) {
			return Target{}, targetError(s, "no path")
		}
		t.Path = rest
		return t, nil
	case "module":
		if rest == "" {
			return Target{}, targetError(s, "no module name")
		}
		t.Name = rest
		return t, nil
	}
	reason := fmt.Sprintf("unknown scheme %q", scheme)
	if _, err := parseActive(s, Target{Scheme: "tcp"}, s); err == nil {
		reason += fmt.Sprintf("; did you mean tcp:%s?", s)
	}
	return Target{}, targetError(s, reason)
}

// ParseAddress is ParseTarget where nothing else is possible than a place to connect to:
// HOST:PORT is tcp:HOST:PORT.
func ParseAddress(s string) (Target, error) {
	t, err := ParseTarget(s)
	if err == nil {
		return t, nil
	}
	if _, port, perr := splitHostPort(s); perr == nil && port != "" {
		if t, terr := parseActive(s, Target{Scheme: "tcp"}, s); terr == nil {
			return t, nil
		}
	}
	return t, err
}

func parseActive(s string, t Target, rest string) (Target, error) {
	host, port, err := splitHostPort(rest)
	if err != nil {
		return Target{}, targetError(s, err.Error())
	}
	if host == "" {
		return Target{}, targetError(s, "no host")
	}
	t.Host, t.Port = host, DefaultPort
	if port != "" {
		if t.Port, err = parsePort(port); err != nil || t.Port == 0 {
			return Target{}, targetError(s, fmt.Sprintf("%q is not a port (1 to 65535)", port))
		}
	}
	return t, nil
}

// parsePassive takes PORT:HOST, and HOST:PORT too where HOST is not a number.
func parsePassive(s string, t Target, rest string) (Target, error) {
	port, host, _ := strings.Cut(rest, ":")
	if p, err := parsePort(port); port == "" || err == nil {
		t.Port = DefaultPort
		if port != "" {
			t.Port = p
		}
		if host == "" {
			return t, nil
		}
		h, extra, err := splitHostPort(host)
		if err != nil {
			return Target{}, targetError(s, err.Error())
		}
		if extra != "" {
			return Target{}, targetError(s, "two ports; want PORT:HOST")
		}
		t.Host = h
		return t, nil
	}
	host, port, err := splitHostPort(rest)
	if err != nil {
		return Target{}, targetError(s, err.Error())
	}
	if strings.Trim(host, "+-0123456789") == "" {
		// A port out of range must not become the name of a host.
		return Target{}, targetError(s, fmt.Sprintf("%q is not a port (0 to 65535)", host))
	}
	t.Host, t.Port = host, DefaultPort
	if port != "" {
		if t.Port, err = parsePort(port); err != nil {
			return Target{}, targetError(s, fmt.Sprintf("%q is not a port (0 to 65535)", port))
		}
	}
	return t, nil
}

// splitHostPort cuts HOST[:PORT] with HOST a name, an IPv4 address or [IPv6].
func splitHostPort(s string) (host, port string, err error) {
	if after, ok := strings.CutPrefix(s, "["); ok {
		host, rest, ok := strings.Cut(after, "]")
		if !ok {
			return "", "", fmt.Errorf("no closing bracket")
		}
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() {
			return "", "", fmt.Errorf("%q is not an IPv6 address", host)
		}
		if rest == "" {
			return host, "", nil
		}
		port, ok := strings.CutPrefix(rest, ":")
		if !ok || port == "" {
			return "", "", fmt.Errorf("%q after the address; want :PORT", rest)
		}
		return host, port, nil
	}
	switch strings.Count(s, ":") {
	case 0:
		host = s
	case 1:
		host, port, _ = strings.Cut(s, ":")
		if port == "" {
			return "", "", fmt.Errorf("no port after the colon")
		}
	default:
		return "", "", fmt.Errorf("an IPv6 address stands in brackets, like [::1]:6633")
	}
	if strings.ContainsAny(host, " \t\r\n[]/\x00%") {
		return "", "", fmt.Errorf("%q is not a host", host)
	}
	return host, port, nil
}

func parsePort(s string) (uint16, error) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, fmt.Errorf("no digit")
	}
	v, err := strconv.ParseUint(s, 10, 16)
	return uint16(v), err
}

func targetError(s, why string) error { return fmt.Errorf("target %q: %s", s, why) }

// String returns the form ParseTarget reads; the port is always written out.
func (t Target) String() string {
	switch t.Scheme {
	case "tcp", "ssl":
		return t.Scheme + ":" + net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
	case "ptcp", "pssl":
		s := t.Scheme + ":" + strconv.Itoa(int(t.Port))
		switch {
		case strings.Contains(t.Host, ":"):
			s += ":[" + t.Host + "]"
		case t.Host != "":
			s += ":" + t.Host
		}
		return s
	case "unix", "punix":
		return t.Scheme + ":" + t.Path
	}
	return t.Scheme + ":" + t.Name
}

// Network is the first argument of net.Dial and net.Listen: "tcp", "unix", or "" for a
// module.
func (t Target) Network() string {
	switch t.Scheme {
	case "tcp", "ssl", "ptcp", "pssl":
		return "tcp"
	case "unix", "punix":
		return "unix"
	}
	return ""
}

// Address is the second argument of net.Dial and net.Listen, or the module's name.
func (t Target) Address() string {
	switch t.Network() {
	case "tcp":
		return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
	case "unix":
		return t.Path
	}
	return t.Name
}

// Passive reports whether the target is to be listened on.
func (t Target) Passive() bool {
	return t.Scheme == "ptcp" || t.Scheme == "pssl" || t.Scheme == "punix"
}

// TLS reports whether the connection is encrypted.
func (t Target) TLS() bool { return t.Scheme == "ssl" || t.Scheme == "pssl" }
