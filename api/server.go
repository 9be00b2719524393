package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/hypervisor"
)

const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second // for a body of ordinary size
	bulkTimeout   = 5 * time.Minute  // for a body only the administrator may send
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 30 * time.Second // for a client to take one piece of an answer
	drainTimeout  = 3 * time.Second

	maxHeader      = 16 << 10
	maxBody        = 1 << 20
	maxBulkBody    = 512 << 20
	maxConnections = 1024
)

// Options configure a Server; the zero value works.
type Options struct {
	// Log may be nil: nothing is logged.
	Log *logrus.Entry
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	svc     *hypervisor.Service
	log     *logrus.Entry
	routes  []route
	handler http.Handler
	spec    []byte
	methods map[string]rpcMethodEntry

	drainOnce sync.Once
	draining  chan struct{} // closed when the server begins to stop: event streams end
}

// New makes a server for a service.
func New(svc *hypervisor.Service, o Options) *Server {
	if o.Log == nil {
		silent := logrus.New()
		silent.SetOutput(io.Discard)
		o.Log = logrus.NewEntry(silent)
	}
	s := &Server{svc: svc, log: o.Log, draining: make(chan struct{})}
	s.routes = s.table()
	s.methods = rpcMethods()
	s.spec = openAPI(s.routes, svc.Version())
	s.handler = http.NewCrossOriginProtection().Handler(s.makeRouter())
	return s
}

// Handler answers requests that must say who they are.
func (s *Server) Handler() http.Handler { return s.guard(s.authenticate) }

// LocalHandler answers requests of whoever may open the unix socket: the administrator.
func (s *Server) LocalHandler() http.Handler { return s.guard(local) }

// Serve answers on a TCP listener until ctx ends, then finishes what is running
// and closes it. A nil cfg means without TLS.
func (s *Server) Serve(ctx context.Context, ln net.Listener, cfg *tls.Config) error {
	ln = &limitListener{ln, make(chan struct{}, maxConnections)}
	if cfg != nil {
		cfg = cfg.Clone()
		cfg.NextProtos = []string{"http/1.1"}
		ln = tls.NewListener(ln, cfg)
	}
	return s.serve(ctx, ln, s.Handler())
}

// ServeLocal is Serve for the unix socket in the data directory.
func (s *Server) ServeLocal(ctx context.Context, ln net.Listener) error {
	return s.serve(ctx, &limitListener{ln, make(chan struct{}, maxConnections)}, s.LocalHandler())
}

func (s *Server) serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) }}
	w := s.log.WriterLevel(logrus.DebugLevel)
	defer w.Close()
	srv.ErrorLog = log.New(w, "", 0)
	done := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		s.drainOnce.Do(func() { close(s.draining) })
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err := srv.Shutdown(limit)
		if err != nil {
			err = errors.Join(srv.Close())
		}
		done <- err
	})
	err := srv.Serve(ln)
	if !stop() && errors.Is(err, http.ErrServerClosed) {
		return <-done
	}
	return fmt.Errorf("serve API on %s: %w", ln.Addr(), err)
}

// limitListener closes connections beyond a number at once, so that a flood of
// them cannot use up memory or descriptors the switches need.
type limitListener struct {
	net.Listener
	slots chan struct{}
}

func (l *limitListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &releasingConn{Conn: c, release: func() { <-l.slots }}, nil
		default:
			c.Close()
		}
	}
}

// releasingConn gives its slot back when it is closed, and gives up on a client that
// does not take its answer.
type releasingConn struct {
	net.Conn
	once    sync.Once
	release func()
}

// writePiece is what a client has writeTimeout to take.
const writePiece = 64 << 10

// Write sends b, as long as the client takes it.
func (c *releasingConn) Write(b []byte) (n int, err error) {
	for err == nil && n < len(b) {
		if err := c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return n, err
		}
		var m int
		m, err = c.Conn.Write(b[n:min(len(b), n+writePiece)])
		n += m
	}
	return n, err
}

// Close closes the connection.
func (c *releasingConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.release)
	return err
}
