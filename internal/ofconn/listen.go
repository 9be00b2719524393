package ofconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/govisor/govisor/ofwire"
)

// Listen opens a passive target (ptcp, pssl, punix). An address in use is named
// with what to do about it. A socket file that nobody listens on is replaced.
func Listen(ctx context.Context, t ofwire.Target, tlsConfig *tls.Config) (net.Listener, error) {
	if !t.Passive() {
		return nil, fmt.Errorf("cannot listen on %v: want ptcp, pssl or punix", t)
	}
	if t.TLS() && tlsConfig == nil {
		return nil, fmt.Errorf("cannot listen on %v: no TLS certificate configured", t)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, t.Network(), t.Address())
	if errors.Is(err, syscall.EADDRINUSE) && t.Network() == "unix" && staleSocket(ctx, t.Path) {
		ln, err = lc.Listen(ctx, t.Network(), t.Address())
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %v: another program listens there; stop it or choose another address: %w", t, err)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %v: %w", t, err)
	}
	if t.TLS() {
		ln = tls.NewListener(ln, tlsConfig)
	}
	return ln, nil
}

// Serve accepts connections until ctx is done and runs handle for each in a
// goroutine of its own; handle closes its connection. It returns when all have
// ended. Running out of file descriptors makes it pause, not stop.
func Serve(ctx context.Context, ln net.Listener, handle func(context.Context, net.Conn)) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	pause := Backoff{Min: 5 * time.Millisecond, Max: time.Second}
	for {
		nc, err := ln.Accept()
		if err == nil {
			pause.Lived(time.Hour)
			wg.Go(func() { handle(ctx, nc) })
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !passing(err) {
			return fmt.Errorf("accept on %v: %w", ln.Addr(), err)
		}
		select {
		case <-time.After(pause.Next()):
		case <-ctx.Done():
		}
	}
}

// passing reports whether accepting may work again a moment later.
func passing(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
