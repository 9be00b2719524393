package hypervisor_test

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// crowdedSwitch answers every question, and sends packet_ins as fast as they are taken.
type crowdedSwitch struct {
	*gate // of its reader

	o  *overload
	nc net.Conn

	mu     sync.Mutex
	wake   sync.Cond
	out    []byte
	closed bool
	sentBy map[of10.Port]int // packet_ins
	got    map[of10.Port]arrivals
}

// arrivals are what of a slice has reached the switch. Each was in its place.
type arrivals struct{ flowMods, packetOuts int }

func newCrowdedSwitch(o *overload, nc net.Conn) *crowdedSwitch {
	s := &crowdedSwitch{gate: newGate(), o: o, nc: nc, sentBy: map[of10.Port]int{}, got: map[of10.Port]arrivals{}}
	s.wake.L = &s.mu
	s.out = []byte{1, 0, 0, 8, 0, 0, 0, 1}
	return s
}

// packetIns sends n packet_ins from a port.
func (s *crowdedSwitch) packetIns(port of10.Port, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.sayLocked(&of10.PacketIn{BufferID: of10.NoBuffer, InPort: port, TotalLen: frameLen, Data: numberedFrame(s.sentBy[port])})
		s.sentBy[port]++
	}
}

func (s *crowdedSwitch) sent(port of10.Port) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sentBy[port]
}

func (s *crowdedSwitch) seen(port of10.Port) arrivals {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[port]
}

func (s *crowdedSwitch) sayLocked(m of10.Message) {
	var err error
	if s.out, err = m.AppendBinary(s.out); err != nil {
		s.o.t.Error(err)
	}
	s.wake.Signal()
}

func (s *crowdedSwitch) close() {
	s.resume()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wake.Signal()
	_ = s.nc.Close()
}

func (s *crowdedSwitch) write() {
	for {
		s.mu.Lock()
		for len(s.out) == 0 && !s.closed {
			s.wake.Wait()
		}
		out := s.out
		s.out = nil
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return
		}
		if _, err := s.nc.Write(out); err != nil {
			return // read fails too
		}
	}
}

func (s *crowdedSwitch) read() {
	r := ofwire.NewReader(s.nc, 4096)
	for {
		frame, err := r.Next()
		if err != nil {
			return
		}
		s.pass()
		m, err := of10.Parse(slices.Clone(frame))
		if err != nil {
			s.o.t.Errorf("govisor sent the switch %x: %v", frame, err)
			return
		}
		s.mu.Lock()
		s.hearLocked(m)
		s.mu.Unlock()
	}
}

func (s *crowdedSwitch) hearLocked(m of10.Message) {
	switch m := m.(type) {
	case *of10.FeaturesRequest:
		s.sayLocked(&of10.FeaturesReply{XID: m.XID, DatapathID: 1, NTables: 1, Actions: 0xfff, Ports: []of10.PhyPort{{PortNo: 1, Name: "a"}, {PortNo: 2, Name: "b"}}})
	case *of10.GetConfigRequest:
		s.sayLocked(&of10.GetConfigReply{XID: m.XID, MissSendLen: 128})
	case *of10.BarrierRequest:
		s.sayLocked(&of10.BarrierReply{XID: m.XID})
	case *of10.EchoRequest:
		s.sayLocked(&of10.EchoReply{XID: m.XID, Data: m.Data})
	case *of10.StatsRequest:
		re := &of10.StatsReply{XID: m.XID, StatsType: m.StatsType}
		if m.StatsType == of10.StatsDesc {
			re.Body = &of10.DescStats{Manufacturer: "crowded"}
		}
		s.sayLocked(re)
	case *of10.FlowMod:
		if m.Command != of10.FlowAdd || m.Match.Wildcards&of10.WildInPort != 0 {
			return // of govisor's own
		}
		got := s.got[m.Match.InPort]
		if int(m.Match.DLVLAN) != got.flowMods {
			s.o.t.Errorf("flow_mod %d of port %d in place of %d", m.Match.DLVLAN, m.Match.InPort, got.flowMods)
		}
		got.flowMods++
		s.got[m.Match.InPort] = got
	case *of10.PacketOut:
		got := s.got[m.InPort]
		if n := frameNumber(m.Data); n != got.packetOuts {
			s.o.t.Errorf("packet_out %d of port %d in place of %d", n, m.InPort, got.packetOuts)
		}
		got.packetOuts++
		s.got[m.InPort] = got
	}
}

// askingController asks questions whose answers it can tell apart, and reads, unless
// it is stalled.
type askingController struct {
	*gate // of its reader

	o     *overload
	name  string
	port  of10.Port
	asked atomic.Int64 // questions

	connected chan struct{} // closed when it is
	wg        sync.WaitGroup

	mu   sync.Mutex
	nc   net.Conn
	last int // number of the last packet_in
	got  conversation
}

// conversation is what a controller has heard. Each was in its place.
type conversation struct{ packetIns, barriers, stats, echoes int }

func newAskingController(o *overload, name string, port of10.Port) *askingController {
	return &askingController{gate: newGate(), o: o, name: name, port: port, connected: make(chan struct{}), last: -1}
}

// accept takes the first connection and no other: none may be lost.
func (c *askingController) accept(nc net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nc != nil {
		if c.o.over.Load() {
			return false
		}
		c.o.t.Errorf("%s's controller has lost its connection", c.name)
		return false
	}
	c.nc = nc
	c.wg.Go(c.read)
	return true
}

// begin waits until the controller is its slice's, which then gets whole frames.
func (c *askingController) begin() {
	<-c.connected
	c.say(&of10.SetConfig{MissSendLen: 0xffff}, &of10.BarrierRequest{XID: first})
	c.o.wait(c.name+" to be served", func() bool { return c.heard().barriers == 1 })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = conversation{}
}

// first is the question before the numbered ones.
const first = 1 << 31

func (c *askingController) close() {
	c.resume()
	c.mu.Lock()
	if c.nc != nil {
		_ = c.nc.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *askingController) heard() conversation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got
}

func (c *askingController) say(messages ...of10.Message) {
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = m.AppendBinary(b); err != nil {
			c.o.t.Error(err)
		}
	}
	if _, err := c.nc.Write(b); err != nil && !c.o.over.Load() {
		c.o.t.Errorf("%s: %v", c.name, err)
	}
}

// statsEach keeps the statistics that a slice asks for at once below what it may.
const statsEach = 8

// ask asks n questions of that size, some of which are several, between flow_mods and
// packet_outs. It returns when the connection has taken them.
func (c *askingController) ask(n, size int) {
	for range n {
		i := int(c.asked.Add(1)) - 1
		m := of10.MatchAll()
		m.Wildcards &^= of10.WildInPort | of10.WildDLVLAN
		m.InPort, m.DLVLAN = c.port, uint16(i)
		back := []of10.Action{of10.Output(of10.PortInPort, 0)}
		if i%statsEach == 0 {
			c.say(&of10.StatsRequest{XID: uint32(i / statsEach), StatsType: of10.StatsDesc})
		}
		c.say(
			&of10.FlowMod{XID: uint32(i), Match: m, Command: of10.FlowAdd, Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: back},
			&of10.PacketOut{XID: uint32(i), BufferID: of10.NoBuffer, InPort: c.port, Actions: back, Data: numberedFrame(i)[:size]},
			&of10.EchoRequest{XID: uint32(i), Data: make([]byte, size)},
			&of10.BarrierRequest{XID: uint32(i)},
		)
	}
}

// askBeside is ask in a goroutine that closes asked at its end.
func (c *askingController) askBeside(n, size int) (asked <-chan struct{}) {
	done := make(chan struct{})
	c.wg.Go(func() {
		defer close(done)
		c.ask(n, size)
	})
	return done
}

func (c *askingController) read() {
	r := ofwire.NewReader(c.nc, 4096)
	if _, err := c.nc.Write([]byte{1, 0, 0, 8, 0, 0, 0, 1}); err != nil {
		return
	}
	for {
		frame, err := r.Next()
		if err != nil {
			return
		}
		c.pass()
		m, err := of10.Parse(slices.Clone(frame))
		if err != nil {
			c.o.t.Errorf("govisor sent %s %x: %v", c.name, frame, err)
			return
		}
		c.hear(m)
	}
}

func (c *askingController) hear(m of10.Message) {
	flowMods := c.o.sw.seen(c.port).flowMods
	c.mu.Lock()
	defer c.mu.Unlock()
	inPlace := func(xid uint32, n *int) {
		if int(xid) != *n && xid != first {
			c.o.t.Errorf("%s: %v %d in place of %d", c.name, m.Type(), xid, *n)
		}
		*n++
	}
	switch m := m.(type) {
	case *of10.Hello:
		close(c.connected)
	case *of10.PacketIn:
		if n := frameNumber(m.Data); n <= c.last || m.InPort != c.port || len(m.Data) != frameLen {
			c.o.t.Errorf("%s: packet_in %d of port %d, %d bytes, after %d", c.name, n, m.InPort, len(m.Data), c.last)
		} else {
			c.last = n
		}
		c.got.packetIns++
	case *of10.BarrierReply:
		inPlace(m.XID, &c.got.barriers)
		if m.XID != first && flowMods <= int(m.XID) {
			c.o.t.Errorf("%s: barrier %d is answered after %d flow_mods", c.name, m.XID, flowMods)
		}
	case *of10.StatsReply:
		inPlace(m.XID, &c.got.stats)
	case *of10.EchoReply:
		inPlace(m.XID, &c.got.echoes)
	default:
		c.o.t.Errorf("%s hears %+v", c.name, m)
	}
}

func numberedFrame(n int) []byte {
	b := append(ethernet(1, 2), make([]byte, frameLen-60)...)
	binary.BigEndian.PutUint64(b[20:], uint64(n))
	return b
}

func frameNumber(frame []byte) int {
	if len(frame) < 28 {
		return -1
	}
	return int(binary.BigEndian.Uint64(frame[20:]))
}

// gate lets a goroutine be stopped.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when it is open
}

func newGate() *gate {
	g := &gate{opened: make(chan struct{})}
	close(g.opened)
	return g
}

func (g *gate) stall() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = make(chan struct{})
}

func (g *gate) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.opened:
	default:
		close(g.opened)
	}
}

func (g *gate) pass() {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	<-opened
}
