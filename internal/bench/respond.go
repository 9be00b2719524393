package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Answer is what a Responder sends for a packet_in.
type Answer int

// The answers. Each leaves by the port the frame came from, which is a port of the slice in any slicing.
const (
	AnswerPacketOut Answer = iota
	AnswerFlowMod
)

// ParseAnswer reads "packet-out" or "flow-mod".
func ParseAnswer(s string) (Answer, error) {
	switch s {
	case "packet-out", "packet_out":
		return AnswerPacketOut, nil
	case "flow-mod", "flow_mod":
		return AnswerFlowMod, nil
	}
	return 0, fmt.Errorf("answer is %q: want packet-out or flow-mod", s)
}

func (a Answer) String() string {
	if a == AnswerFlowMod {
		return "flow-mod"
	}
	return "packet-out"
}

// Responder is a controller that answers each packet_in at once and does nothing else, unless SetMode says otherwise.
type Responder struct {
	Answer  Answer
	Clock   *Clockwork    // shared with a Generator in a sandwich; nil: none
	Probe   time.Duration // send a barrier, a description request and an echo this often on each connection; 0: never
	Slow    time.Duration // in ModeSlow, the pause after each message
	Receive int           // size of the receive buffer of its sockets; 0: the system's

	Hushed atomic.Bool // no further probes

	PacketIns atomic.Uint64 // received so far
	FlowMods  atomic.Uint64 // sent so far, those of floods included
	Flooded   atomic.Uint64 // messages of floods sent so far
	Asked     atomic.Uint64 // barriers, requests and echoes of Probe sent so far
	Answered  atomic.Uint64 // and their answers

	mu      sync.Mutex
	mode    Mode          // guarded by mu
	changed chan struct{} // guarded by mu; closed when mode changes; nil before anybody waits
}

// Serve answers connections on l until ctx ends or l fails; it returns after the last connection has ended.
func (r *Responder) Serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		if tcp, ok := conn.(*net.TCPConn); ok && r.Receive > 0 {
			_ = tcp.SetReadBuffer(r.Receive) // a larger buffer only means a longer run
		}
		wg.Go(func() {
			ctx, cancel := context.WithCancel(ctx)
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			c := &responderConn{r: r, conn: conn, in: ofwire.NewReader(conn, 64<<10), flowMod: flowModTemplate(), wake: make(chan struct{}, 1)}
			var flooder sync.WaitGroup
			flooder.Go(func() { c.keepFlooding(ctx) })
			_ = c.run(ctx) // a peer that goes away is the normal end
			cancel()
			flooder.Wait()
		})
	}
}

type responderConn struct {
	r       *Responder
	conn    net.Conn
	in      *ofwire.Reader
	out     []byte
	flowMod []byte
	dpid    uint64
	probed  time.Time
	wake    chan struct{} // capacity 1; for the flooder

	mu       sync.Mutex
	flooding bool   // guarded by mu; the flooder writes what run leaves in queued
	queued   []byte // guarded by mu
	seen     []byte // guarded by mu; the first packet_in
}

func (c *responderConn) run(ctx context.Context) error {
	for _, m := range []of10.Message{&of10.Hello{XID: 1}, &of10.FeaturesRequest{XID: 2}, &of10.SetConfig{XID: 3, MissSendLen: 0xffff}} {
		c.out, _ = m.AppendBinary(c.out)
	}
	for {
		mode, changed := c.r.Mode()
		for mode == ModeStall {
			select {
			case <-changed:
			case <-ctx.Done():
				return ctx.Err()
			}
			mode, changed = c.r.Mode()
		}
		if mode == ModeSlow {
			time.Sleep(c.r.Slow)
		}
		if !c.in.Buffered() {
			c.probe()
			if err := c.write(); err != nil {
				return err
			}
		}
		b, err := c.in.Next()
		if err != nil {
			return err
		}
		if err := c.handle(b, mode); err != nil {
			return err
		}
	}
}

// write sends what has been collected, itself or through the flooder.
func (c *responderConn) write() error {
	if len(c.out) == 0 {
		return nil
	}
	c.mu.Lock()
	if c.flooding {
		c.queued = append(c.queued, c.out...)
		c.mu.Unlock()
		c.rouse()
	} else {
		c.mu.Unlock()
		if _, err := c.conn.Write(c.out); err != nil {
			return err
		}
	}
	c.out = c.out[:0]
	return nil
}

func (c *responderConn) handle(b []byte, mode Mode) error {
	switch of10.Type(b[1]) {
	case of10.TypePacketIn:
		return c.packetIn(b, mode == ModeAnswer || mode == ModeSlow)
	case of10.TypeEchoRequest:
		at := len(c.out)
		c.out = append(c.out, b...)
		c.out[at+1] = byte(of10.TypeEchoReply)
	case of10.TypeFeaturesReply:
		if len(b) >= 16 {
			c.dpid = binary.BigEndian.Uint64(b[8:])
		}
	case of10.TypeBarrierReply:
		c.arrived(KindBarrierReply)
	case of10.TypeStatsReply:
		c.arrived(KindStatsReply)
	case of10.TypeEchoReply:
		c.arrived(KindEcho)
	}
	return nil
}

func (c *responderConn) arrived(k Kind) {
	c.r.Answered.Add(1)
	if c.r.Clock != nil {
		c.r.Clock.Arrived(c.dpid, k, 0)
	}
}

func (c *responderConn) packetIn(b []byte, answer bool) error {
	if len(b) < packetInHead {
		return errors.New("short packet_in")
	}
	c.r.PacketIns.Add(1)
	if c.seen == nil {
		c.mu.Lock()
		c.seen = slices.Clone(b)
		c.mu.Unlock()
		c.rouse()
	}
	frame := b[packetInHead:]
	inPort := binary.BigEndian.Uint16(b[14:])
	if c.r.Clock != nil {
		if at, ok := stampOf(frame); ok {
			c.r.Clock.Stamped(KindPacketIn, at)
		}
	}
	if !answer {
		return nil
	}
	if c.r.Answer == AnswerFlowMod {
		c.r.FlowMods.Add(1)
		c.appendFlowMod(b[8:12], inPort, frame)
		return nil
	}
	c.appendPacketOut(b[8:12], inPort, frame)
	return nil
}

// appendPacketOut sends the frame (or its buffer) back out of the port it came from.
func (c *responderConn) appendPacketOut(buffer []byte, inPort uint16, frame []byte) {
	if binary.BigEndian.Uint32(buffer) != of10.NoBuffer {
		frame = nil
	}
	at := len(c.out)
	c.out = append(c.out, 1, byte(of10.TypePacketOut), 0, 0, 0, 0, 0, 9)
	c.out = append(c.out, buffer...)
	c.out = binary.BigEndian.AppendUint16(c.out, inPort)
	c.out = append(c.out, 0, 8)                                     // actions_len
	c.out = append(c.out, 0, 0, 0, 8, 0xff, 0xf8, 0, 0)             // OUTPUT:IN_PORT
	binary.BigEndian.PutUint16(c.out[at+2:], uint16(24+len(frame))) // length
	c.out = append(c.out, frame...)
	if c.r.Clock != nil && len(frame) >= payloadAt+8 {
		binary.BigEndian.PutUint64(c.out[at+24+payloadAt:], uint64(c.r.Clock.Now()))
	}
}

func flowModTemplate() []byte {
	m := &of10.FlowMod{XID: 10, Command: of10.FlowAdd, IdleTimeout: 60, Priority: 100, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(of10.PortInPort, 0)}}
	b, err := m.AppendBinary(nil)
	if err != nil {
		panic(err) // a constant message of ours
	}
	return b
}

// appendFlowMod installs an exact flow for the frame, as a learning switch does.
func (c *responderConn) appendFlowMod(buffer []byte, inPort uint16, frame []byte) {
	h := packet.Parse(frame, uint32(inPort))
	at := len(c.out)
	c.out = append(c.out, c.flowMod...)
	m := c.out[at+ofHeaderLen:]
	binary.BigEndian.PutUint32(m[0:], 0)
	binary.BigEndian.PutUint16(m[4:], inPort)
	copy(m[6:], h.DLSrc[:])
	copy(m[12:], h.DLDst[:])
	binary.BigEndian.PutUint16(m[18:], h.DLVLAN)
	m[20] = h.DLVLANPCP
	binary.BigEndian.PutUint16(m[22:], h.DLType)
	m[24], m[25] = h.NWTos, h.NWProto
	binary.BigEndian.PutUint32(m[28:], h.NWSrc)
	binary.BigEndian.PutUint32(m[32:], h.NWDst)
	binary.BigEndian.PutUint16(m[36:], h.TPSrc)
	binary.BigEndian.PutUint16(m[38:], h.TPDst)
	copy(c.out[at+64:], buffer)
	if c.r.Clock != nil {
		c.r.Clock.Sent(c.dpid, KindFlowMod, binary.BigEndian.Uint32(h.DLSrc[2:]))
	}
}

// probe adds the rare messages of a sandwich when their time has come.
func (c *responderConn) probe() {
	if c.r.Probe == 0 || c.r.Hushed.Load() || c.dpid == 0 || time.Since(c.probed) < c.r.Probe {
		return
	}
	c.probed = time.Now()
	for _, m := range []of10.Message{&of10.BarrierRequest{XID: 20}, &of10.StatsRequest{XID: 21, StatsType: of10.StatsDesc}, &of10.EchoRequest{XID: 22, Data: []byte("bench")}} {
		c.out, _ = m.AppendBinary(c.out)
	}
	c.r.Asked.Add(3)
	if c.r.Clock == nil {
		return
	}
	c.r.Clock.Sent(c.dpid, KindBarrierRequest, 0)
	c.r.Clock.Sent(c.dpid, KindStatsRequest, 0)
	c.r.Clock.Sent(c.dpid, KindEcho, 0)
}
