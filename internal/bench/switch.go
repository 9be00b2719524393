package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// fakeSwitch is one OpenFlow 1.0 switch as far as a controller can see: it answers every request truthfully (it has no flows) and sends packet_ins.
type fakeSwitch struct {
	// Static after construction.
	cfg   *GeneratorConfig
	dpid  uint64
	conn  net.Conn
	clock *Clockwork // never nil
	share bool       // the clock is shared with a responder
	tmpl  []byte

	// Owned by run.
	r          *ofwire.Reader
	out        []byte
	sent       []time.Duration // by slot: when the request left; 0 is free
	nextSlot   uint32
	oldest     uint32 // for answers that name no slot
	inflight   int
	waitsFor   time.Duration // of the read deadline that is set
	waitsSince uint64        // answers when it was set
	delay      Histogram
	perSlice   []Histogram

	ready     chan struct{} // closed when the controller has asked for the features
	first     chan struct{} // closed at the first answer
	running   atomic.Bool   // set by the generator: send packet_ins
	measuring atomic.Bool
	answers   atomic.Uint64
	measured  atomic.Uint64
	lost      atomic.Uint64
	errors    atomic.Uint64
}

// stall is how long a switch waits for any answer before it takes its outstanding packet_ins for lost.
const stall = time.Second

// idleWait is how long a switch without anything to wait for sleeps at most, and how long one waits for an answer
// during the warm-up before it tries again.
const idleWait = 50 * time.Millisecond

func newFakeSwitch(cfg *GeneratorConfig, dpid uint64, conn net.Conn) *fakeSwitch {
	s := &fakeSwitch{
		cfg: cfg, dpid: dpid, conn: conn, clock: cfg.Clock, share: cfg.Clock != nil, tmpl: packetInTemplate(dpid),
		r: ofwire.NewReader(conn, 64<<10), sent: make([]time.Duration, cfg.MACs), perSlice: make([]Histogram, cfg.Slices), ready: make(chan struct{}), first: make(chan struct{}),
	}
	if s.clock == nil {
		s.clock = NewClockwork()
	}
	return s
}

// run serves the connection until it fails or is closed. The read deadline doubles as the wake-up for starting and for lost packet_ins; it is renewed
// when it passes and not for each message, which would cost more than the message.
func (s *fakeSwitch) run() error {
	s.out = append(s.out, 1, 0, 0, 8, 0, 0, 0, 0) // HELLO
	if err := s.renewDeadline(); err != nil {
		return err
	}
	for {
		if s.running.Load() {
			s.fill()
		}
		if err := s.flush(); err != nil {
			return err
		}
		err := s.serveBuffered()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.giveUpIfStuck()
			err = s.renewDeadline()
		}
		if err != nil {
			return fmt.Errorf("switch %d: %w", s.dpid, err)
		}
	}
}

// serveBuffered waits for one message and handles it and all that came with it.
func (s *fakeSwitch) serveBuffered() error {
	for {
		frame, err := s.r.Next()
		if err != nil {
			return err
		}
		if err := s.handle(frame); err != nil {
			return err
		}
		if !s.r.Buffered() {
			return nil
		}
	}
}

func (s *fakeSwitch) renewDeadline() error {
	s.waitsSince = s.answers.Load()
	s.waitsFor = idleWait
	if s.inflight > 0 && s.measuring.Load() {
		s.waitsFor = stall
	}
	return s.conn.SetReadDeadline(time.Now().Add(s.waitsFor))
}

// giveUpIfStuck takes what is outstanding for lost when nothing at all was answered during a full stall.
func (s *fakeSwitch) giveUpIfStuck() {
	if s.inflight == 0 || s.answers.Load() != s.waitsSince || s.measuring.Load() && s.waitsFor < stall {
		return
	}
	if s.measuring.Load() { // before, a proxy may not have reached its controllers yet
		s.lost.Add(uint64(s.inflight))
	}
	s.inflight = 0
	clear(s.sent)
}

func (s *fakeSwitch) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

// fill sends packet_ins until the window is full.
func (s *fakeSwitch) fill() {
	for s.inflight < s.cfg.Window {
		slot := s.nextSlot
		s.nextSlot = (s.nextSlot + 1) % uint32(len(s.sent))
		if s.sent[slot] != 0 {
			continue
		}
		now := s.clock.Now()
		s.sent[slot] = max(now, 1)
		s.inflight++
		stamp(s.tmpl, slot, int(slot)%s.cfg.Slices, s.net(slot), now)
		s.out = append(s.out, s.tmpl...)
	}
}

// net is the destination network of a slot's frames. It is always the same one, so that a switch has as many different flows as source addresses
// however the load is spread; the switches' are different ones, so that together they name as many of the networks as they can.
func (s *fakeSwitch) net(slot uint32) int {
	perSlice := (len(s.sent) + s.cfg.Slices - 1) / s.cfg.Slices
	return (int(s.dpid-s.cfg.FirstDPID)*perSlice + int(slot)/s.cfg.Slices) % s.cfg.Nets
}

// answered closes the request in a slot; without a slot, the oldest one.
func (s *fakeSwitch) answered(slot uint32, ok bool) {
	if !ok {
		slot = s.findOldest()
	}
	if int(slot) >= len(s.sent) || s.sent[slot] == 0 {
		return // a second answer to the same packet_in
	}
	d := s.clock.Now() - s.sent[slot]
	s.sent[slot] = 0
	s.inflight--
	if s.answers.Add(1) == 1 {
		close(s.first)
	}
	if s.measuring.Load() {
		s.measured.Add(1)
		s.delay.Add(d)
		s.perSlice[int(slot)%s.cfg.Slices].Add(d)
	}
}

func (s *fakeSwitch) findOldest() uint32 {
	for range s.sent {
		if s.sent[s.oldest] != 0 {
			return s.oldest
		}
		s.oldest = (s.oldest + 1) % uint32(len(s.sent))
	}
	return s.oldest
}

func (s *fakeSwitch) handle(b []byte) error {
	switch of10.Type(b[1]) {
	case of10.TypePacketOut:
		slot, frame, ok := slotOfPacketOut(b)
		if s.share && ok {
			if at, ok := stampOf(frame); ok {
				s.clock.Stamped(KindPacketOut, at)
			}
		}
		s.answered(slot, ok)
	case of10.TypeFlowMod:
		if cmd := binary.BigEndian.Uint16(b[flowModCookieAt+8:]); cmd >= uint16(of10.FlowDelete) {
			return nil // a clean-up, not an answer
		}
		slot, ok := slotOfFlowMod(b)
		if s.share && ok {
			s.clock.Arrived(s.dpid, KindFlowMod, slot)
		}
		s.answered(slot, ok)
	case of10.TypeError:
		s.errors.Add(1)
	case of10.TypeHello, of10.TypeEchoReply, of10.TypeSetConfig, of10.TypePortMod:
	default:
		return s.reply(b)
	}
	return nil
}

// reply answers a request; a type that only a switch may send ends the connection, since the peer is no controller.
func (s *fakeSwitch) reply(b []byte) error {
	m, err := of10.Parse(b)
	if err != nil {
		return fmt.Errorf("not OpenFlow 1.0 from the controller: %w", err)
	}
	var re of10.Message
	switch m := m.(type) {
	case *of10.EchoRequest:
		re = &of10.EchoReply{XID: m.XID, Data: m.Data}
	case *of10.FeaturesRequest:
		re = s.features(m.XID)
		select {
		case <-s.ready:
		default:
			close(s.ready)
		}
	case *of10.GetConfigRequest:
		re = &of10.GetConfigReply{XID: m.XID, MissSendLen: 128}
	case *of10.BarrierRequest:
		s.note(KindBarrierRequest, KindBarrierReply)
		re = &of10.BarrierReply{XID: m.XID}
	case *of10.StatsRequest:
		if m.StatsType == of10.StatsTable {
			s.note(KindStatsRequest, KindStatsReply)
		}
		re = emptyStats(m)
	case *of10.QueueGetConfigRequest:
		re = &of10.QueueGetConfigReply{XID: m.XID, Port: m.Port}
	case *of10.Vendor:
		re = of10.NewError(of10.ErrorBadRequest, of10.BadRequestBadVendor, b)
		re.SetTransactionID(m.XID)
	default:
		return fmt.Errorf("a controller does not send %v", m.Type())
	}
	s.out, err = re.AppendBinary(s.out)
	return err
}

func (s *fakeSwitch) note(in, out Kind) {
	if s.share {
		s.clock.Arrived(s.dpid, in, 0)
		s.clock.Sent(s.dpid, out, 0)
	}
}

func (s *fakeSwitch) features(xid uint32) *of10.FeaturesReply {
	f := &of10.FeaturesReply{XID: xid, DatapathID: ofwire.DatapathID(s.dpid), NTables: 1, Capabilities: of10.CapFlowStats | of10.CapPortStats | of10.CapTableStats, Actions: 0xfff}
	for p := range max(s.cfg.Ports, s.cfg.Slices) {
		f.Ports = append(f.Ports, of10.PhyPort{
			PortNo: of10.Port(p + 1), HWAddr: ofwire.MAC{0x02, byte(s.dpid >> 8), byte(s.dpid), 0, byte(p >> 8), byte(p + 1)}, Name: fmt.Sprintf("s%d-eth%d", s.dpid, p+1),
		})
	}
	return f
}

// emptyStats is what a switch without flows, tables' contents or counters answers.
func emptyStats(m *of10.StatsRequest) *of10.StatsReply {
	re := &of10.StatsReply{XID: m.XID, StatsType: m.StatsType}
	switch m.StatsType {
	case of10.StatsDesc:
		re.Body = &of10.DescStats{Manufacturer: "govisor", Hardware: "bench", Software: "bench", Datapath: "generator"}
	case of10.StatsAggregate:
		re.Body = &of10.AggregateStats{}
	case of10.StatsTable:
		re.Body = of10.TableStatsReply{{TableID: 0, Name: "bench", Wildcards: of10.WildAll, MaxEntries: 1 << 20}}
	}
	return re
}
