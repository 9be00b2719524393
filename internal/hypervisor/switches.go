package hypervisor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/classifier"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/topology"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// SwitchOptions configure the sessions.
type SwitchOptions struct {
	// Log may be nil: nothing is logged.
	Log *logrus.Entry
	// ControllerTLS is for ssl: controllers, SwitchTLS for ssl: passive switches;
	// nil refuses them.
	ControllerTLS, SwitchTLS *tls.Config
	// Module connects a slice to a controller linked into the process
	// (ofcontroller.Modules.Dial); nil refuses module:.
	Module func(ctx context.Context, slice, name string) (net.Conn, error)
	// Topology looks for links between the switches; nil looks for none.
	Topology *topology.Service
	// HandshakeTimeout is how long a peer has to say who it is. 0 means 5 s.
	HandshakeTimeout time.Duration
	// EchoInterval is the silence after which a peer is probed. 0 means 10 s.
	EchoInterval time.Duration
	// Backoff between attempts to reach a controller or a passive switch.
	Backoff ofconn.Backoff
}

func (o SwitchOptions) withDefaults() SwitchOptions {
	if o.Log == nil {
		silent := logrus.New()
		silent.SetOutput(io.Discard)
		o.Log = logrus.NewEntry(silent)
	}
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = 5 * time.Second
	}
	return o
}

// maxUnknown bounds the connections that have not identified themselves, so that
// whoever opens sockets and says nothing cannot use up the process. A network of
// some thousand switches that all come back at once fits in.
const maxUnknown = 4096

// probeTimeout is how long a switch whose id somebody else claims has to prove
// that it is alive.
const probeTimeout = 2 * time.Second

// Switches runs the sessions of all switches that connect.
type Switches struct {
	svc  *Service
	opts SwitchOptions

	mu        sync.Mutex
	listeners []net.Addr // guarded by mu

	loops     []*ofconn.Loop
	turn      atomic.Uint32 // of loops, for the next datapath
	cores     cores
	arrival   *admission   // what coming and going costs is paid in turn
	unknown   atomic.Int32 // connections that have not said yet who they are
	strangers logLimit     // what is said of those that never did
}

// NewSwitches returns the service's side towards the switches.
func (s *Service) NewSwitches(o SwitchOptions) *Switches {
	return &Switches{svc: s, opts: o.withDefaults(), loops: ofconn.NewLoops(runtime.GOMAXPROCS(0) - 1), cores: cores{away: map[ofwire.DatapathID]*keptCore{}}, arrival: newAdmission(runtime.GOMAXPROCS(0) / 2)}
}

// Serve runs a session for each switch that connects to ln, until ctx is done.
func (w *Switches) Serve(ctx context.Context, ln net.Listener) error {
	w.mu.Lock()
	w.listeners = append(w.listeners, ln.Addr())
	w.mu.Unlock()
	return ofconn.Serve(ctx, ln, func(ctx context.Context, nc net.Conn) { _ = w.ServeConn(ctx, nc) })
}

// Connect keeps a connection to a passive switch until ctx is done.
func (w *Switches) Connect(ctx context.Context, t ofwire.Target) error {
	dialer := ofconn.Dialer{TLS: w.opts.SwitchTLS, Refuse: w.refuseSelf}
	log := w.opts.Log.WithField("switch", t.String())
	backoff := w.opts.Backoff
	last := ""
	for ctx.Err() == nil {
		nc, err := dialer.Dial(ctx, t)
		if err == nil {
			begin := time.Now()
			_ = w.ServeConn(ctx, nc) // it logs why
			backoff.Lived(time.Since(begin))
			last = ""
		} else if err.Error() != last && ctx.Err() == nil {
			last = err.Error()
			log.WithError(err).Warn("cannot reach switch")
		}
		timer := time.NewTimer(backoff.Next())
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return context.Cause(ctx)
}

// ServeConn runs the session of one switch that has connected, until it ends. It
// closes nc and returns why.
func (w *Switches) ServeConn(ctx context.Context, nc net.Conn) (err error) {
	defer nc.Close()
	ctx, cancel := stopping(ctx)
	defer cancel()
	log := w.opts.Log.WithField("remote", addressOf(nc.RemoteAddr()))
	defer func() { // the last resort: whatever a peer sends ends its connection at most
		if p := recover(); p != nil {
			log.WithField("stack", string(debug.Stack())).Errorf("fault in the session of a switch: %v", p)
			err = fmt.Errorf("%w: %v", ofconn.ErrPanic, p)
		}
	}()
	features, err := w.identify(ctx, nc)
	if err != nil {
		switch {
		case ctx.Err() != nil: // govisor stops
		case errors.Is(err, ofconn.ErrNothingSaid):
			w.strangers.say(log, logrus.DebugLevel, "nothing said", "somebody looked whether this port is open")
		case errors.Is(err, errTLS):
			w.strangers.say(log.WithError(err), logrus.WarnLevel, reasonOf(err), "no TLS with a switch, connection dropped")
		default:
			w.strangers.say(log.WithError(err), logrus.WarnLevel, reasonOf(err), "not a switch, connection dropped")
		}
		return err
	}
	log = log.WithField("dpid", features.DatapathID.String())
	if err := w.makeRoom(ctx, features.DatapathID); err != nil {
		log.WithError(err).Error("newcomer refused")
		return err
	}
	leave, err := w.arrival.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	d := newDatapath(w, nc, features, log)
	cfg, err := w.svc.Attach(features.DatapathID, d)
	if err != nil {
		log.WithError(err).Error("newcomer refused")
		return err
	}
	defer w.svc.Detach(features.DatapathID, d)
	log.Info("switch connected")
	err = d.run(ctx, cfg, leave)
	level := logrus.WarnLevel
	if ctx.Err() != nil { // govisor stops
		level = logrus.InfoLevel
	}
	log.WithError(err).Log(level, "switch disconnected")
	return err
}

// stopping returns a context that is done with the parent, with a cause that lets
// connections send what is queued.
func stopping(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() { cancel(fmt.Errorf("%w: %w", ofconn.ErrStopping, context.Cause(parent))) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// identify asks who has connected, unless too many are being asked already.
func (w *Switches) identify(ctx context.Context, nc net.Conn) (*of10.FeaturesReply, error) {
	defer w.unknown.Add(-1)
	if w.unknown.Add(1) > maxUnknown {
		return nil, errCrowded
	}
	if err := handshakeTLS(ctx, nc, w.opts.HandshakeTimeout); err != nil {
		return nil, err
	}
	leave, err := w.arrival.enterShort(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return classifier.Identify(ctx, nc, w.opts.HandshakeTimeout)
}

// makeRoom ends an earlier session of the same datapath if its switch gives no
// sign of life any more.
func (w *Switches) makeRoom(ctx context.Context, dpid ofwire.DatapathID) error {
	old, ok := w.svc.session(dpid).(*datapath)
	if !ok {
		return nil
	}
	pctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if old.probe(pctx) {
		return fmt.Errorf("%w, at %s", ErrDuplicate, addressOf(old.nc.RemoteAddr()))
	}
	old.Disconnect("its switch is dead and has come back on another connection")
	select {
	case <-old.ended: // it has returned the core of the datapath
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refuseSelf finds out a connection to one of our own listeners: a slice whose
// controller is govisor itself would make connections without end.
func (w *Switches) refuseSelf(nc net.Conn) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ln := range w.listeners {
		if sameEnd(ln, nc) {
			return fmt.Errorf("%v is govisor's own address for switches", nc.RemoteAddr())
		}
	}
	return nil
}

func sameEnd(ln net.Addr, nc net.Conn) bool {
	switch ln := ln.(type) {
	case *net.UnixAddr:
		remote, ok := nc.RemoteAddr().(*net.UnixAddr)
		return ok && remote.Name == ln.Name
	case *net.TCPAddr:
		remote, ok := nc.RemoteAddr().(*net.TCPAddr)
		if !ok || remote.Port != ln.Port {
			return false
		}
		if !ln.IP.IsUnspecified() {
			return remote.IP.Equal(ln.IP)
		}
		return ofThisHost(remote.IP)
	}
	return false
}

// ofThisHost reports whether ip is one of this machine's addresses.
func ofThisHost(ip net.IP) bool {
	if ip.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
			return true
		}
	}
	return false
}

func addressOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

var errCrowded = errors.New("too many connections that have not said who they are")

// errDisconnected wraps the reason an operator or the service gave.
var errDisconnected = errors.New("disconnected by govisor")

// loop is what the connections of the next datapath are run on: all of them on one,
// so that they do not get in each other's way.
func (w *Switches) loop() *ofconn.Loop {
	if len(w.loops) == 0 {
		return nil
	}
	return w.loops[int(w.turn.Add(1)%uint32(len(w.loops)))]
}
