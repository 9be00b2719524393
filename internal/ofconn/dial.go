package ofconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/govisor/govisor/ofwire"
)

// Dialer connects to active targets (tcp, ssl, unix, module).
type Dialer struct {
	// TLS is for ssl: targets; nil refuses them.
	TLS *tls.Config
	// Module connects to a controller linked into the process; nil refuses
	// module: targets.
	Module func(ctx context.Context, name string) (net.Conn, error)
	// Timeout for one attempt, TLS handshake included. 0 means 5 s.
	Timeout time.Duration
	// Refuse is asked with the established connection; an error closes it. It is
	// how a connection to ourselves is found out. nil refuses nothing.
	Refuse func(net.Conn) error
}

// Dial makes one attempt.
func (d *Dialer) Dial(ctx context.Context, t ofwire.Target) (net.Conn, error) {
	timeout := d.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nc, err := d.dial(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("connect to %v: %w", t, err)
	}
	if d.Refuse != nil {
		if err := d.Refuse(nc); err != nil {
			_ = nc.Close()
			return nil, fmt.Errorf("connect to %v: %w", t, err)
		}
	}
	return nc, nil
}

func (d *Dialer) dial(ctx context.Context, t ofwire.Target) (net.Conn, error) {
	var nd net.Dialer
	switch t.Scheme {
	case "tcp", "unix":
		return nd.DialContext(ctx, t.Network(), t.Address())
	case "ssl":
		if d.TLS == nil {
			return nil, errors.New("no TLS certificates configured")
		}
		cfg := d.TLS.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName = t.Host
		}
		td := tls.Dialer{NetDialer: &nd, Config: cfg}
		return td.DialContext(ctx, t.Network(), t.Address())
	case "module":
		if d.Module == nil {
			return nil, errors.New("no controllers linked in")
		}
		return d.Module(ctx, t.Name)
	}
	return nil, fmt.Errorf("cannot connect to a %s: target", t.Scheme)
}
