package slicer

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire/of10"
)

// peer is one connected controller.
type peer struct {
	s     *Session
	id    slicing.Conn // Slave is the reader's alone
	conn  *ofconn.Conn
	slave atomic.Bool // as id says, for those who send to it
}

var _ ofconn.Handler = (*peer)(nil)

// runPeer runs an established connection until it ends and returns why.
func (s *Session) runPeer(ctx context.Context, nc net.Conn, readOnly bool) error {
	p := &peer{s: s, id: slicing.Conn{ID: slicing.ConnID(s.lastID.Add(1)), ReadOnly: readOnly}}
	cfg := s.opts.Conn
	cfg.Handler, cfg.Counters, cfg.Log = p, s.counters, s.opts.Log
	p.conn = ofconn.New(nc, cfg)
	s.changePeers(func(ps []*peer) []*peer { return append(ps, p) })
	defer s.changePeers(func(ps []*peer) []*peer {
		return slices.DeleteFunc(ps, func(o *peer) bool { return o == p })
	})
	return p.conn.Run(ctx)
}

// HandleFrame gives one message to the datapath and then, if the switch, the
// controller itself or the slice's rate asks for it, stops reading for a while.
func (p *peer) HandleFrame(frame []byte) error {
	flowMod := of10.Type(frame[1]) == of10.TypeFlowMod
	if slave, ok := slicing.AsksForRole(frame); ok {
		p.id.Slave = slave
		p.slave.Store(slave)
	}
	if err := p.s.opts.Datapath.FromController(p.id, frame); err != nil {
		return err
	}
	if d := pause(*p.s.limits.Load(), flowMod); d > 0 {
		p.s.opts.Datapath.Flush(nil)
		if err := p.conn.Pause(d); err != nil {
			return err
		}
	}
	ctx := context.Background() // one of the connections ending ends the waits
	if err := p.s.opts.Datapath.WaitRoom(ctx, p.conn); err != nil {
		return err
	}
	return p.conn.WaitRoom(ctx, p.conn)
}

// BatchDone sends what the last messages caused.
func (p *peer) BatchDone(out *ofconn.Batch) { p.s.opts.Datapath.Flush(out) }

// Send queues one message for the controllers with that id, but not for except, which
// is 0 for none. It never blocks; it is sent with the next Flush. False means that
// nobody got it.
func (s *Session) Send(id, except slicing.ConnID, frame []byte) bool {
	class, typ := ofconn.Required, of10.Type(frame[1])
	if typ == of10.TypePacketIn {
		class = ofconn.Droppable
		if !packetInAllowed(*s.limits.Load()) {
			s.counters.CountDropped(frame)
			return false
		}
	}
	unasked := typ == of10.TypePacketIn || typ == of10.TypeFlowRemoved // a slave hears of ports only
	sent, found := false, false
	for _, p := range *s.peers.Load() {
		if id == slicing.AllConns || id == p.id.ID {
			found = true
			if p.id.ID == except || unasked && p.slave.Load() {
				continue
			}
			sent = p.conn.Append(frame, class) || sent
		}
	}
	if !found {
		s.counters.CountDropped(frame)
	}
	return sent
}

// Flush sends what has been queued by Send, with out, which may be nil.
func (s *Session) Flush(out *ofconn.Batch) {
	for _, p := range *s.peers.Load() {
		out.Flush(p.conn)
	}
}

// Queued is the number of bytes waiting for the controllers.
func (s *Session) Queued() int {
	n := 0
	for _, p := range *s.peers.Load() {
		n += p.conn.Queued()
	}
	return n
}

// changePeers replaces the list that Send reads without a lock, and tells the
// datapath when the first peer comes and the last one goes.
func (s *Session) changePeers(change func([]*peer) []*peer) {
	s.peersMu.Lock()
	defer s.peersMu.Unlock()
	before := *s.peers.Load()
	after := change(slices.Clone(before))
	s.peers.Store(&after)
	switch {
	case len(before) == 0 && len(after) > 0:
		s.opts.Datapath.ControllerUp()
	case len(before) > 0 && len(after) == 0:
		s.opts.Datapath.ControllerDown()
	}
}

func pause(lims []*limits.Slice, flowMod bool) (d time.Duration) {
	for _, l := range lims {
		if l != nil {
			d = max(d, l.Pause(flowMod))
		}
	}
	return d
}

func packetInAllowed(lims []*limits.Slice) bool {
	for _, l := range lims {
		if l != nil && !l.PacketIn() {
			return false
		}
	}
	return true
}
