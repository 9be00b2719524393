package ofswitch

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// helloTimeout is how long a peer may take to say who it is.
const helloTimeout = 5 * time.Second

// control is one running control connection.
type control struct {
	s    *Switch
	id   ConnID
	conn *ofconn.Conn
	ctx  context.Context
	out  Out
	tx   sender
}

// listener is an open passive target.
type listener struct {
	target ofwire.Target
	ln     net.Listener
	snoop  bool
}

// listen opens all passive targets, or none.
func (s *Switch) listen(ctx context.Context) ([]listener, error) {
	var open []listener
	add := func(targets []ofwire.Target, snoop bool) error {
		for _, t := range targets {
			if !t.Passive() && !snoop {
				continue
			}
			ln, err := ofconn.Listen(ctx, t, s.cfg.ServerTLS)
			if err != nil {
				return err
			}
			if s.cfg.Listening != nil {
				s.cfg.Listening(t, ln.Addr())
			}
			open = append(open, listener{t, ln, snoop})
		}
		return nil
	}
	err := add(s.cfg.Controllers, false)
	if err == nil {
		err = add(s.cfg.Snoop, true)
	}
	if err != nil {
		for _, l := range open {
			_ = l.ln.Close()
		}
		return nil, err
	}
	return open, nil
}

func (s *Switch) serve(ctx context.Context, l listener) {
	_ = ofconn.Serve(ctx, l.ln, func(ctx context.Context, nc net.Conn) {
		defer nc.Close()
		if l.snoop {
			s.serveSnooper(ctx, nc)
			return
		}
		s.log.WithField("peer", nc.RemoteAddr().String()).WithError(s.Serve(ctx, nc, Service)).Debug("management connection ended")
	})
}

// dialLoop keeps one controller connected.
func (s *Switch) dialLoop(ctx context.Context, t ofwire.Target) {
	log := s.log.WithField("controller", t.String())
	dialer := ofconn.Dialer{TLS: s.cfg.ClientTLS, Module: s.cfg.Module}
	backoff := ofconn.Backoff{Max: s.cfg.MaxBackoff}
	quiet := false
	for ctx.Err() == nil {
		nc, err := dialer.Dial(ctx, t)
		if err == nil {
			log.Info("connected")
			since := time.Now()
			err = s.Serve(ctx, nc, Primary)
			backoff.Lived(time.Since(since))
			quiet = false
		}
		if ctx.Err() != nil {
			return
		}
		if !quiet {
			log.WithError(err).Warn("no connection to the controller; trying again")
			quiet = true // once per outage
		}
		pause := time.NewTimer(backoff.Next())
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// Serve runs one control connection over an established transport until it ends,
// and closes it. Programs with a transport of their own call it beside Run.
func (s *Switch) Serve(ctx context.Context, nc net.Conn, role Role) error {
	defer nc.Close()
	if err := ofconn.Handshake(ctx, nc, helloTimeout); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &control{s: s, ctx: ctx}
	c.conn = ofconn.New(nc, ofconn.Config{Handler: c, EchoInterval: s.cfg.Probe, Log: s.log})
	s.mu.Lock()
	s.nextConn++
	c.id = s.nextConn
	s.conns[c.id] = c
	s.pipe.Connect(c.id, role)
	if role == Primary {
		s.lostSince = time.Time{}
		if s.failOpen {
			s.failOpen = false
			s.pipe.Flush()
			s.log.Info("controller is back: no longer a learning switch")
		}
	}
	s.mu.Unlock()
	err := c.conn.Run(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.id)
	s.pipe.Disconnect(c.id)
	if role == Primary && s.pipe.Primaries() == 0 {
		s.lostSince = time.Now()
		if s.cfg.FailMode == FailSecure && ctx.Err() == nil && s.pipe.EnterEmergency(s.lostSince, &s.out) {
			s.log.Warn("no controller: the emergency flows are in force")
		}
	}
	return err
}

// HandleFrame implements ofconn.Handler.
func (c *control) HandleFrame(frame []byte) error {
	s := c.s
	if d := s.cfg.FlowModDelay; d > 0 && of10.Type(frame[1]) == of10.TypeFlowMod {
		slow := time.NewTimer(d)
		defer slow.Stop()
		select {
		case <-slow.C:
		case <-c.conn.Done():
			return c.conn.Err()
		}
	}
	s.mu.Lock()
	dirty := s.snoopLocked(frame)
	s.pipe.HandleMessage(time.Now(), c.id, frame, &c.out)
	dirty = append(dirty, s.deliverLocked(&c.out)...)
	var admin []func()
	if of10.Type(frame[1]) == of10.TypePortMod {
		admin = s.administerLocked()
	}
	s.mu.Unlock()
	for _, do := range admin {
		do()
	}
	c.tx.send(s, c.out.Frames)
	c.out.Reset()
	for _, d := range dirty {
		if d != c.conn { // its own reader flushes at the end of the batch
			d.Flush()
		}
	}
	// A controller that asks and does not read the answers is not asked for more.
	return c.conn.WaitRoom(c.ctx, c.conn)
}

// BatchDone implements ofconn.Handler.
func (c *control) BatchDone(*ofconn.Batch) {}

// snooper is a client of a snoop socket; what it says is ignored.
type snooper struct{}

func (snooper) HandleFrame([]byte) error { return nil }
func (snooper) BatchDone(*ofconn.Batch)  {}

func (s *Switch) serveSnooper(ctx context.Context, nc net.Conn) {
	if err := ofconn.Handshake(ctx, nc, helloTimeout); err != nil {
		return
	}
	conn := ofconn.New(nc, ofconn.Config{Handler: snooper{}})
	s.mu.Lock()
	s.snoopers = append(s.snoopers, conn)
	s.mu.Unlock()
	_ = conn.Run(ctx)
	s.mu.Lock()
	s.snoopers = slices.DeleteFunc(s.snoopers, func(c *ofconn.Conn) bool { return c == conn })
	s.mu.Unlock()
}

// snoopLocked copies a message to the snoopers. One that does not read loses
// messages; it cannot slow the switch.
func (s *Switch) snoopLocked(frame []byte) []*ofconn.Conn {
	for _, c := range s.snoopers {
		c.Append(frame, ofconn.Droppable)
	}
	return slices.Clone(s.snoopers)
}
