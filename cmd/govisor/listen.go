package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// listenTarget reads ADDR of --listen: HOST:PORT or :PORT, ptcp:..., pssl:..., or punix:PATH.
// tcp:HOST:PORT, ssl:HOST:PORT and unix:PATH are read the same way, since they cannot mean anything else here.
func listenTarget(text string) (ofwire.Target, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "ptcp", "pssl", "punix":
		return ofwire.ParseTarget(text)
	case "unix":
		return ofwire.ParseTarget("p" + text)
	case "tcp", "ssl":
		text = rest
	default:
		scheme = "tcp"
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil && strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "[") && strings.Trim(text, "0123456789abcdefABCDEF:.") == "" {
		return ofwire.Target{}, fmt.Errorf("address %q: an IPv6 address stands in brackets, like [::1]:6633", text)
	}
	if err != nil {
		return ofwire.Target{}, fmt.Errorf("address %q: want HOST:PORT, :PORT, pssl:PORT or punix:PATH", text)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return ofwire.Target{}, fmt.Errorf("address %q: the port is a number from 0 to 65535", text)
	}
	return ofwire.Target{Scheme: "p" + scheme, Host: host, Port: uint16(n)}, nil
}

// listenOpenFlow opens a listener for switches.
func listenOpenFlow(ctx context.Context, text string, cfg *tls.Config) (net.Listener, ofwire.Target, error) {
	t, err := listenTarget(text)
	if err != nil {
		return nil, t, usageError{err}
	}
	ln, err := ofconn.Listen(ctx, t, cfg)
	return ln, t, explainInUse(err, t.Address(), "--listen")
}

// listenAPI opens a TCP listener for the API.
func listenAPI(ctx context.Context, addr, flag string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, usageError{fmt.Errorf("%s %q: want HOST:PORT or :PORT", flag, addr)}
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return ln, explainInUse(err, addr, flag)
}

// fullListener says in the log, once a minute, that no file descriptor is left for a
// connection: whoever waits for one hears nothing.
type fullListener struct {
	net.Listener
	log  logrus.FieldLogger
	told time.Time // by the one goroutine that accepts
}

func (l *fullListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) && time.Since(l.told) > time.Minute {
		l.told = time.Now()
		l.log.WithError(err).WithField("address", l.Addr()).
			Error("connections wait: no file descriptor is left; a switch takes one, and one for each of its slices (ulimit -n, LimitNOFILE= of systemd)")
	}
	return nc, err
}

// explainInUse says who has the address and what to do. Other errors pass.
func explainInUse(err error, addr, flag string) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	by := ""
	if _, port, serr := net.SplitHostPort(addr); serr == nil {
		if n, perr := strconv.Atoi(port); perr == nil {
			by = holder(n)
		}
	}
	if by == "" {
		by = "another program"
	}
	return fmt.Errorf("cannot listen on %s: %s listens there; stop it, or choose another address with %s", addr, by, flag)
}
