package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/govisor/govisor/api"
	"github.com/govisor/govisor/fvctl"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/bundled"
	"github.com/govisor/govisor/ofwire"
)

// server is a running govisor: the service and everything that listens.
type server struct {
	opts serveOptions
	out  io.Writer
	log  *logrus.Logger
	svc  *hypervisor.Service
	cert *certificate

	openflow []net.Listener
	https    net.Listener // nil: none
	plain    net.Listener // nil: none
	xmlrpc   net.Listener // nil: none
	metrics  net.Listener // nil: none
	socket   net.Listener
	lines    []string // what to print when all is ready
}

// spareProcessor lets Go run one goroutine more than there are processors: every loop
// keeps its place while it waits in the kernel, and with none to spare Go's monitor would
// take the place away each time, and everything else would wait for a loop to pause.
var spareProcessor = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
})

// serve runs until ctx ends, then drains. Listeners are all open before the first is served.
func serve(ctx context.Context, o serveOptions, out io.Writer, log *logrus.Logger) (err error) {
	s := &server{opts: o, out: out, log: log}
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := o.checkFiles(); err != nil {
		return err
	}
	password, err := o.adminPassword(ctx)
	if err != nil {
		return ignoreCancel(err)
	}
	bundled.Register()
	spareProcessor()
	s.svc, err = hypervisor.Open(ctx, hypervisor.Options{
		Dir: o.data, AdminPassword: password, Version: fvctl.BuildVersion(), CheckModule: checkModule, Log: logrus.NewEntry(log),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.svc.Close()) }()
	defer s.closeListeners()
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// checkModule refuses a controller that is not linked in, and bad parameters of one that is.
func checkModule(spec string) error {
	_, err := ofcontroller.Open(spec)
	return err
}

// open makes the certificate if need be and opens every listener.
func (s *server) open(ctx context.Context) error {
	cert, key, err := certificateFiles(s.opts)
	if err != nil {
		return err
	}
	if s.cert, err = loadCertificate(cert, key, s.opts.tlsCA); err != nil {
		return err
	}
	for _, addr := range s.opts.listen {
		ln, target, err := listenOpenFlow(ctx, addr, s.cert.switchTLS())
		if err != nil {
			return err
		}
		s.openflow = append(s.openflow, &fullListener{Listener: ln, log: s.log})
		scheme := "tcp"
		if target.TLS() {
			scheme = "tls"
		}
		if target.Network() == "unix" {
			scheme = "unix"
		}
		s.say("listening for OpenFlow switches on %s %s", scheme, ln.Addr())
	}
	if s.opts.api != "" {
		if s.https, err = listenAPI(ctx, s.opts.api, "--api"); err != nil {
			return err
		}
		s.say("listening for the API on https://%s", s.https.Addr())
	}
	if s.opts.apiPlain != "" {
		if s.plain, err = listenAPI(ctx, s.opts.apiPlain, "--api-plain"); err != nil {
			return err
		}
		s.say("listening for the API, without TLS, on http://%s", s.plain.Addr())
	}
	if s.opts.xmlrpc != "" {
		if s.xmlrpc, err = listenAPI(ctx, s.opts.xmlrpc, "--xmlrpc"); err != nil {
			return err
		}
		s.say("listening for XML-RPC on https://%s", s.xmlrpc.Addr())
	}
	if s.opts.metrics != "" {
		if s.metrics, err = listenAPI(ctx, s.opts.metrics, "--metrics"); err != nil {
			return err
		}
		s.say("listening for Prometheus on http://%s/metrics", s.metrics.Addr())
	}
	path := filepath.Join(s.opts.data, socketName)
	socket, err := listenSocket(path)
	if err != nil {
		return err
	}
	s.socket = &fullListener{Listener: socket, log: s.log}
	s.say("listening for fvctl on unix %s", path)
	if file := s.svc.GeneratedPasswordFile(); file != "" {
		s.say("the administrator is %s, the password is in %s", hypervisor.AdminName, file)
	} else {
		s.say("the administrator is %s", hypervisor.AdminName)
	}
	return nil
}

func (s *server) say(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// listenSocket opens the local socket for its owner only. Whatever is there was left behind by a govisor that
// was killed: the database of this directory is ours, so no other one runs.
func listenSocket(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("socket: %w", err)
	}
	old := syscall.Umask(0o177) // no moment in which others may open it
	ln, err := net.Listen("unix", path)
	syscall.Umask(old)
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; err != nil && len(path) > most {
		return nil, fmt.Errorf("socket: the name %s has %d bytes, the system takes %d; choose a shorter --data", path, len(path), most)
	}
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	return ln, nil
}

func (s *server) closeListeners() {
	for _, ln := range append(s.openflow, s.https, s.plain, s.xmlrpc, s.metrics, s.socket) {
		if ln != nil {
			_ = ln.Close() // a second time for those that were served
		}
	}
}

// run serves everything until ctx ends or a part of it fails. Management starts first and ends last, so that what
// was configured is there before the first switch is heard and can be seen until the last one is gone.
func (s *server) run(ctx context.Context) error {
	manage, stopManage := context.WithCancel(context.WithoutCancel(ctx))
	defer stopManage()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	var management errgroup.Group
	part := func(f func(context.Context) error) {
		management.Go(func() error {
			err := f(manage)
			if err != nil && manage.Err() == nil {
				fail(err)
			}
			return err
		})
	}
	web := api.New(s.svc, api.Options{Log: logrus.NewEntry(s.log)})
	part(s.svc.Run)
	part(func(ctx context.Context) error { return web.ServeLocal(ctx, s.socket) })
	if s.https != nil {
		part(func(ctx context.Context) error { return web.Serve(ctx, s.https, s.cert.apiTLS()) })
	}
	if s.plain != nil {
		part(func(ctx context.Context) error { return web.Serve(ctx, s.plain, nil) })
	}
	if s.xmlrpc != nil {
		part(func(ctx context.Context) error { return web.ServeXMLRPC(ctx, s.xmlrpc, s.cert.apiTLS()) })
	}
	if s.metrics != nil {
		part(func(ctx context.Context) error { return serveMetrics(ctx, s.metrics, s.svc, s.opts.pprof) })
	}

	err := s.configure(ctx)
	if err == nil {
		err = s.forward(ctx)
	}
	err = ignoreCancel(err) // stopped before all was read
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	stopManage()
	return errors.Join(err, ignoreCancel(management.Wait()))
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// forward prints the lines and serves switches until ctx ends.
func (s *server) forward(ctx context.Context) error {
	var g errgroup.Group
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	g.Go(func() error {
		s.reloadAt(ctx, hangup)
		return nil
	})
	if err := s.serveSwitches(ctx, &g); err != nil {
		return err
	}
	for _, line := range s.lines {
		fmt.Fprintln(s.out, line)
	}
	err := g.Wait()
	s.log.Info("stopped")
	return ignoreCancel(err)
}

// reloadAt reloads at each signal until ctx ends. A file that never comes, a pipe say, keeps
// nobody from stopping.
func (s *server) reloadAt(ctx context.Context, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.reload(ctx)
		}()
		select {
		case <-ctx.Done():
			return
		case <-done:
		}
	}
}

// probeInterval is how often each port is probed for links while the setting is
// on. A link that is silent for three of them is gone.
const probeInterval = 5 * time.Second

// serveSwitches starts the sessions of switches that connect and of those to connect to.
func (s *server) serveSwitches(ctx context.Context, g *errgroup.Group) error {
	tlsConfig := s.cert.clientTLS()
	var err error
	passive := make([]ofwire.Target, len(s.opts.connect))
	for i, text := range s.opts.connect {
		if passive[i], err = ofwire.ParseAddress(text); err != nil {
			return usageError{fmt.Errorf("--connect: %w", err)}
		}
	}
	log := logrus.NewEntry(s.log)
	modules := ofcontroller.NewModules(ofcontroller.Config{Log: log})
	context.AfterFunc(ctx, modules.Close)
	links := s.svc.NewTopology(probeInterval, log)
	g.Go(func() error { return ignoreCancel(links.Run(ctx)) })
	switches := s.svc.NewSwitches(hypervisor.SwitchOptions{
		Log: log, ControllerTLS: tlsConfig, SwitchTLS: tlsConfig, Module: modules.Dial, Topology: links,
	})
	for _, ln := range s.openflow {
		g.Go(func() error { return ignoreCancel(switches.Serve(ctx, ln)) })
	}
	for _, target := range passive {
		g.Go(func() error { return ignoreCancel(switches.Connect(ctx, target)) })
	}
	return nil
}
