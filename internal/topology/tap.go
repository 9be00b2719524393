package topology

import (
	"cmp"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Tap is one datapath's side of the service.
type Tap struct {
	// Static after construction.
	s    *Service
	id   ofwire.DatapathID
	send func(frame []byte)

	// plug is nil while the service does not look.
	plug atomic.Pointer[plug]

	// Guarded by Service.mu.
	ports  map[of10.Port]of10.PhyPort
	closed bool
}

// plug is one pipe to the discovery, which sees a switch at its end.
type plug struct {
	t    *Tap
	stop context.CancelFunc
	done chan struct{}
	conn atomic.Pointer[ofconn.Conn] // nil until the handshake is done
}

// PacketIn is shown what the switch sends to govisor, by the one goroutine that
// reads from the switch. It reports whether the frame was one of our probes, with
// which nobody else has to do.
func (t *Tap) PacketIn(message []byte) bool {
	p := t.plug.Load()
	if p == nil || len(message) < 32 || !mayBeLLDP(message[18:]) || !t.s.app.Claims(message[18:]) {
		return false
	}
	if conn := p.conn.Load(); conn != nil {
		conn.Append(message, ofconn.Droppable)
		conn.Flush()
	}
	return true
}

// mayBeLLDP is a quick look at the ethertype of a frame of 14 bytes at least.
func mayBeLLDP(frame []byte) bool {
	kind := binary.BigEndian.Uint16(frame[12:])
	return kind == packet.TypeLLDP || packet.IsTag(kind)
}

// PortStatus tells of a port that came, went or changed.
func (t *Tap) PortStatus(m *of10.PortStatus) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if m.Reason == of10.PortDeleted {
		delete(t.ports, m.Desc.PortNo)
	} else {
		t.ports[m.Desc.PortNo] = m.Desc
	}
	p := t.plug.Load()
	if p == nil {
		return
	}
	if conn := p.conn.Load(); conn != nil {
		if b, err := m.AppendBinary(nil); err == nil {
			conn.Append(b, ofconn.Required)
			conn.Flush()
		}
	}
}

// Close takes the datapath away from the service. send is not called any more
// when it has returned.
func (t *Tap) Close() {
	t.s.mu.Lock()
	t.closed = true
	delete(t.s.taps, t)
	p := t.unplugLocked()
	t.s.mu.Unlock()
	if p != nil {
		<-p.done
	}
}

func (t *Tap) plugLocked() {
	s := t.s
	if !s.enabled || s.running == nil || s.running.Err() != nil || t.closed || t.plug.Load() != nil {
		return
	}
	ctx, stop := context.WithCancel(s.running)
	p := &plug{t: t, stop: stop, done: make(chan struct{})}
	t.plug.Store(p)
	near, far := ofwire.Pipe()
	s.wg.Go(func() { _ = s.c.Attach(ctx, far) })
	s.wg.Go(func() {
		defer close(p.done)
		defer near.Close()
		if ofconn.Handshake(ctx, near, 10*time.Second) != nil {
			return
		}
		conn := ofconn.New(near, ofconn.Config{Handler: p, EchoInterval: -1})
		p.conn.Store(conn)
		_ = conn.Run(ctx)
	})
}

func (t *Tap) unplugLocked() *plug {
	p := t.plug.Swap(nil)
	if p != nil {
		p.stop()
	}
	return p
}

// HandleFrame plays the switch towards the discovery.
func (p *plug) HandleFrame(frame []byte) error {
	xid := binary.BigEndian.Uint32(frame[4:])
	switch of10.Type(frame[1]) {
	case of10.TypePacketOut:
		p.t.send(frame)
	case of10.TypeFeaturesRequest:
		p.answer(p.t.features(xid))
	case of10.TypeBarrierRequest:
		p.answer(&of10.BarrierReply{XID: xid})
	}
	return nil
}

// BatchDone is called by the connection, which flushes itself.
func (p *plug) BatchDone(*ofconn.Batch) {}

func (p *plug) answer(m of10.Message) {
	if b, err := m.AppendBinary(nil); err == nil {
		p.conn.Load().Append(b, ofconn.Required)
	}
}

func (t *Tap) features(xid uint32) *of10.FeaturesReply {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	f := &of10.FeaturesReply{XID: xid, DatapathID: t.id, NTables: 1, Ports: slices.Collect(maps.Values(t.ports))}
	slices.SortFunc(f.Ports, func(a, b of10.PhyPort) int { return cmp.Compare(a.PortNo, b.PortNo) })
	return f
}
