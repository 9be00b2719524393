package ofcontroller

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/govisor/govisor/ofwire"
)

// App is a controller application. Attach adds its handlers to a controller;
// several applications may be attached to one, and the order counts.
type App interface {
	Attach(c *Controller) error
}

// Params are the parameters of an application, as in module:learning?idle=30.
type Params map[string]string

// Factory makes an application. It refuses parameters it does not know.
type Factory func(Params) (App, error)

var registered = struct {
	mu     sync.Mutex
	byName map[string]Factory
}{byName: make(map[string]Factory)}

// Register makes an application available under a name: to "govisor controller"
// and as module:NAME. It panics if the name is taken or has a comma in it.
func Register(name string, f Factory) {
	registered.mu.Lock()
	defer registered.mu.Unlock()
	if _, taken := registered.byName[name]; taken || name == "" || f == nil || strings.ContainsAny(name, ",? \t\n") {
		panic(fmt.Sprintf("ofcontroller: cannot register %q", name))
	}
	registered.byName[name] = f
}

// Registered returns the names of the available applications, sorted.
func Registered() []string {
	registered.mu.Lock()
	defer registered.mu.Unlock()
	return slices.Sorted(maps.Keys(registered.byName))
}

// Open makes a registered application from "NAME", "NAME,key=value,..." or, where
// a comma has another meaning, "NAME?key=value&...".
func Open(spec string) (App, error) {
	separator := ","
	name, rest, more := strings.Cut(spec, "?")
	if more {
		separator = "&"
	} else {
		name, rest, more = strings.Cut(spec, ",")
	}
	registered.mu.Lock()
	f := registered.byName[name]
	registered.mu.Unlock()
	if f == nil {
		return nil, fmt.Errorf("no application %q; there are %s", name, strings.Join(Registered(), ", "))
	}
	params := make(Params)
	for more {
		var param string
		param, rest, more = strings.Cut(rest, separator)
		key, value, ok := strings.Cut(param, "=")
		if _, twice := params[key]; !ok || key == "" || twice {
			return nil, fmt.Errorf("application %s: bad parameter %q; want key=value, each key once", name, param)
		}
		params[key] = value
	}
	app, err := f(params)
	if err != nil {
		return nil, fmt.Errorf("application %s: %w", name, err)
	}
	return app, nil
}

// Module is a controller inside the process, for a peer that dials.
type Module struct {
	c      *Controller
	cancel context.CancelCauseFunc
	ctx    context.Context // ends the module; carried to its connections
	wg     sync.WaitGroup
}

// StartModule opens an application and runs it on a controller of its own
// until Close.
func StartModule(spec string, cfg Config) (*Module, error) {
	app, err := Open(spec)
	if err != nil {
		return nil, err
	}
	m := &Module{c: New(cfg)}
	if err := app.Attach(m.c); err != nil {
		return nil, fmt.Errorf("module %s: %w", spec, err)
	}
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	m.wg.Go(func() { _ = m.c.Run(m.ctx) }) // what it does in the background
	return m, nil
}

// Controller is the controller the application is attached to.
func (m *Module) Controller() *Controller { return m.c }

// Dial returns a new connection to the module, which sees a switch there.
func (m *Module) Dial(context.Context) (net.Conn, error) {
	conn, _, err := m.dial()
	return conn, err
}

// dial also returns a channel that is closed when the connection has ended.
func (m *Module) dial() (net.Conn, <-chan struct{}, error) {
	if m.ctx.Err() != nil {
		return nil, nil, net.ErrClosed
	}
	near, far := ofwire.Pipe()
	ended := make(chan struct{})
	m.wg.Go(func() {
		defer close(ended)
		_ = m.c.Attach(m.ctx, far) // logged there
	})
	return near, ended, nil
}

// Close ends the module's connections and waits for its handlers.
func (m *Module) Close() {
	m.cancel(net.ErrClosed)
	m.wg.Wait()
}
