package ofcontroller

import (
	"context"
	"net"
	"sync"
)

// Modules runs applications as the controllers of several owners, such as the
// slices of a hypervisor. Each owner has an instance of its own of each
// application, from its first connection to the end of its last one.
type Modules struct {
	cfg Config

	mu sync.Mutex
	// Guarded by mu.
	running map[moduleKey]*instance
	closed  bool
	wg      sync.WaitGroup
}

type moduleKey struct{ owner, spec string }

type instance struct {
	module *Module
	conns  int
}

// NewModules returns a pool in which nothing runs. cfg is for all instances;
// its log gets the owner as the field "slice".
func NewModules(cfg Config) *Modules {
	return &Modules{cfg: cfg, running: make(map[moduleKey]*instance)}
}

// Dial connects to the owner's instance of an application, "NAME" or
// "NAME,key=value,...", and starts it if it does not run.
func (m *Modules) Dial(ctx context.Context, owner, spec string) (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, net.ErrClosed
	}
	key := moduleKey{owner, spec}
	in := m.running[key]
	if in == nil {
		cfg := m.cfg
		if cfg.Log != nil {
			cfg.Log = cfg.Log.WithField("slice", owner).WithField("module", spec)
		}
		module, err := StartModule(spec, cfg)
		if err != nil {
			return nil, err
		}
		in = &instance{module: module}
		m.running[key] = in
	}
	conn, ended, err := in.module.dial()
	if err != nil {
		return nil, err
	}
	in.conns++
	m.wg.Go(func() {
		<-ended
		m.leave(key, in)
	})
	return conn, nil
}

// leave ends an instance with its last connection.
func (m *Modules) leave(key moduleKey, in *instance) {
	m.mu.Lock()
	in.conns--
	last := in.conns == 0
	if last {
		delete(m.running, key)
	}
	m.mu.Unlock()
	if last {
		in.module.Close()
	}
}

// Running is the number of instances.
func (m *Modules) Running() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.running)
}

// Close ends all instances and waits for their handlers.
func (m *Modules) Close() {
	m.mu.Lock()
	m.closed = true
	for _, in := range m.running {
		in.module.cancel(net.ErrClosed)
	}
	m.mu.Unlock()
	m.wg.Wait()
}
