package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
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
	clock *Clockwork // never nil
	share bool       // the clock is shared with a responder
	tmpl  []byte

	conn atomic.Pointer[net.Conn] // replaced by a switch that tries again
	// writing is held for each write. Unlike a connection's own lock it lets nobody
	// starve: floods would keep answers back until the flood's end.
	writing sync.Mutex

	// Owned by run.
	r          *ofwire.Reader
	waitsFor   time.Duration // of the read deadline that is set
	waitsSince uint64        // answers when it was set
	out        []byte

	// Guarded by mu, which run holds while it handles a batch, so that a measurement begins and ends between two.
	mu        sync.Mutex
	sent      []time.Duration // by slot: when the request left; 0 is free
	nextSlot  uint32
	oldest    uint32 // for answers that name no slot
	inflight  int
	windows   []int // outstanding by slice; nil: cfg.Window for all slices together
	once      bool  // no more to a slice that has answered
	bySlice   []sliceState
	unserved  int // slices that have not had an answer yet
	measuring bool
	figures   figures

	ready   chan struct{} // closed when the controller has asked for the features
	first   chan struct{} // closed at the first answer
	served  chan struct{} // closed when every slice has answered
	running atomic.Bool   // set by the generator: send packet_ins
	roused  atomic.Bool   // running or the windows have changed
	answers atomic.Uint64

	// Over the whole life; flow_mods are those with a slot, which a controller of this package sent.
	packetIns, flowMods, packetOuts atomic.Uint64
}

// sliceState is what is outstanding in one slice.
type sliceState struct {
	inflight int
	next     uint32
	answered bool
}

// figures are what one switch has measured.
type figures struct {
	responses, lost, errors uint64
	delay                   Histogram
	perSlice                []Histogram
}

const (
	// patience is how long a switch waits for an answer during the warm-up before it tries again.
	patience = 50 * time.Millisecond
	// idleWait is how long one sleeps that waits for nothing: who wants something of it wakes it.
	idleWait = time.Second
)

func newFakeSwitch(cfg *GeneratorConfig, dpid uint64) *fakeSwitch {
	s := &fakeSwitch{
		cfg: cfg, dpid: dpid, clock: cfg.Clock, share: cfg.Clock != nil, tmpl: packetInTemplate(dpid),
		sent: make([]time.Duration, cfg.MACs), bySlice: make([]sliceState, cfg.Slices), unserved: cfg.Slices, windows: cfg.Windows, once: cfg.Once,
		figures: figures{perSlice: make([]Histogram, cfg.Slices)},
		ready:   make(chan struct{}), first: make(chan struct{}), served: make(chan struct{}),
	}
	if s.clock == nil {
		s.clock = NewClockwork()
	}
	return s
}

// run serves one connection until it fails or is closed. The read deadline doubles as the wake-up for starting and for lost packet_ins; it is renewed
// when it passes and not for each message, which would cost more than the message.
func (s *fakeSwitch) run(conn net.Conn, ended *atomic.Bool) error {
	s.conn.Store(&conn)
	if ended.Load() { // close has seen the connection before, if any
		return net.ErrClosed
	}
	s.r = ofwire.NewReader(conn, 64<<10)
	s.out = append(s.out[:0], 1, 0, 0, 8, 0, 0, 0, 0) // HELLO
	for passed := true; ; {
		s.roused.Store(false)
		if s.running.Load() {
			s.mu.Lock()
			s.fill()
			s.mu.Unlock()
		}
		if err := s.flush(conn); err != nil {
			return err
		}
		if passed {
			if err := s.renewDeadline(conn); err != nil {
				return err
			}
			if s.roused.Load() {
				continue
			}
			passed = false
		}
		err := s.serveBuffered()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.giveUpIfStuck()
			passed, err = true, nil
		}
		if err != nil {
			return fmt.Errorf("switch %d: %w", s.dpid, err)
		}
	}
}

// rouse lets run look again at what it is to do.
func (s *fakeSwitch) rouse() {
	s.roused.Store(true)
	if c := s.conn.Load(); c != nil {
		_ = (*c).SetReadDeadline(time.Now())
	}
}

// close ends the connection, if there is one.
func (s *fakeSwitch) close() {
	if c := s.conn.Load(); c != nil {
		(*c).Close()
	}
}

// serveBuffered waits for one message and handles it and all that came with it.
func (s *fakeSwitch) serveBuffered() error {
	frame, err := s.r.Next()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if err := s.handle(frame); err != nil {
			return err
		}
		if !s.r.Buffered() {
			return nil
		}
		if frame, err = s.r.Next(); err != nil {
			return err
		}
	}
}

func (s *fakeSwitch) renewDeadline(conn net.Conn) error {
	s.waitsSince = s.answers.Load()
	s.waitsFor = idleWait
	s.mu.Lock()
	switch {
	case s.inflight > 0 && s.measuring:
		s.waitsFor = s.cfg.stall
	case s.inflight > 0:
		s.waitsFor = patience
	}
	s.mu.Unlock()
	return conn.SetReadDeadline(time.Now().Add(s.waitsFor))
}

// giveUpIfStuck takes what is outstanding for lost when nothing at all was answered during a full stall.
func (s *fakeSwitch) giveUpIfStuck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unserved == 0 || s.measuring { // else a proxy may have reached some controllers only, and what was for the others is lost
		if s.inflight == 0 || s.answers.Load() != s.waitsSince || s.measuring && s.waitsFor < s.cfg.stall {
			return
		}
	}
	if s.measuring { // before, a proxy may not have reached its controllers yet
		s.figures.lost += uint64(s.inflight)
	}
	s.forget()
}

// forget takes nothing for outstanding any more.
func (s *fakeSwitch) forget() {
	s.inflight = 0
	for i := range s.bySlice {
		s.bySlice[i].inflight = 0
	}
	clear(s.sent)
}

func (s *fakeSwitch) flush(conn net.Conn) error {
	if len(s.out) == 0 {
		return nil
	}
	err := s.write(conn, s.out)
	s.out = s.out[:0]
	return err
}

func (s *fakeSwitch) write(conn net.Conn, b []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := conn.Write(b)
	return err
}

// fill sends packet_ins until the windows are full.
func (s *fakeSwitch) fill() {
	if s.windows != nil {
		for slice := range s.bySlice {
			s.fillSlice(slice)
		}
		return
	}
	for s.inflight < s.cfg.Window {
		slot := s.nextSlot
		s.nextSlot = (s.nextSlot + 1) % uint32(len(s.sent))
		if s.sent[slot] == 0 {
			s.send(slot, int(slot)%s.cfg.Slices)
		}
	}
}

// fillSlice fills the window of one slice; its slots are those that are the slice modulo the number of slices.
func (s *fakeSwitch) fillSlice(slice int) {
	st := &s.bySlice[slice]
	if s.once && st.answered {
		return
	}
	slots := (len(s.sent) - slice + s.cfg.Slices - 1) / s.cfg.Slices
	for st.inflight < min(s.windows[slice], slots) {
		slot := uint32(slice + int(st.next)*s.cfg.Slices)
		st.next = (st.next + 1) % uint32(slots)
		if s.sent[slot] == 0 {
			s.send(slot, slice)
		}
	}
}

func (s *fakeSwitch) send(slot uint32, slice int) {
	now := s.clock.Now()
	s.sent[slot] = max(now, 1)
	s.inflight++
	s.bySlice[slice].inflight++
	stamp(s.tmpl, slot, slice, s.net(slot), now)
	s.out = append(s.out, s.tmpl...)
	s.packetIns.Add(1)
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
		return // a second answer to the same packet_in, or one to a flood
	}
	d := s.clock.Now() - s.sent[slot]
	slice := int(slot) % s.cfg.Slices
	st := &s.bySlice[slice]
	s.sent[slot] = 0
	s.inflight--
	st.inflight--
	if s.answers.Add(1) == 1 {
		close(s.first)
	}
	if !st.answered {
		st.answered = true
		if s.unserved--; s.unserved == 0 {
			if !s.measuring {
				s.forget() // some of it was for a controller that was not there yet
			}
			close(s.served)
		}
	}
	if s.measuring {
		s.figures.responses++
		s.figures.delay.Add(d)
		s.figures.perSlice[slice].Add(d)
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
		s.packetOuts.Add(1)
		slot, frame, ok := slotOfPacketOut(b)
		if s.share && ok {
			if at, ok := stampOf(frame); ok {
				s.clock.Stamped(KindPacketOut, at)
			}
		}
		s.answered(slot, ok)
	case of10.TypeFlowMod:
		if cmd := binary.BigEndian.Uint16(b[flowModCookieAt+8:]); cmd >= uint16(of10.FlowDelete) || len(b) == flowModLen {
			return nil // a clean-up, or a drop, as of a proxy whose controller is not there: not an answer
		}
		slot, ok := slotOfFlowMod(b)
		if ok {
			s.flowMods.Add(1)
		}
		if s.share && ok {
			s.clock.Arrived(s.dpid, KindFlowMod, slot)
		}
		s.answered(slot, ok)
	case of10.TypeError:
		s.figures.errors++
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
		if m.StatsType == of10.StatsDesc {
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
	if s.share && s.clock.Arrived(s.dpid, in, 0) {
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
