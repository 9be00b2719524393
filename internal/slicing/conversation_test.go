package slicing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// The steps of the equivalence test that controllers take.

func (w *world) flowMod(r *rand.Rand) {
	name := pick(r, w.names)
	cmd := of10.FlowAdd
	if r.IntN(3) == 0 {
		cmd = of10.FlowModCommand(r.IntN(5))
	}
	m, err := of10.ParseFlow(fmt.Sprintf("%s actions=%s", randomMatchText(r), randomActions(r, false)), cmd)
	if err != nil {
		panic(err)
	}
	m.Priority = pick(r, []uint16{0, 1, 2, 3, 100, 32768, 65535})
	m.Cookie = r.Uint64()
	m.BufferID, m.OutPort = of10.NoBuffer, of10.PortNone
	if cmd == of10.FlowAdd && m.Cookie%4 == 0 {
		w.again(name, m)
	}
	if r.IntN(2) == 0 {
		m.Flags = of10.FlowModSendFlowRem
	}
	if r.IntN(6) == 0 {
		m.Flags |= of10.FlowModCheckOverlap
	}
	if r.IntN(4) == 0 {
		m.HardTimeout = uint16(1 + r.IntN(6))
	}
	if !w.shared && r.IntN(3) == 0 && m.Match.Wildcards&of10.WildDLSrc != 0 {
		m.IdleTimeout = uint16(1 + r.IntN(5))
	}
	deletes := cmd == of10.FlowDelete || cmd == of10.FlowDeleteStrict
	if deletes {
		if r.IntN(3) == 0 {
			m.OutPort = of10.Port(1 + r.IntN(worldPorts))
		}
		if r.IntN(3) == 0 {
			m.Match = of10.MatchAll()
		}
		m.Actions = nil
	}
	if !deletes && w.ambiguous(name, m) {
		return
	}
	ded := *m
	// A frame outside of the flow could be rewritten into foreign space, which only the
	// virtual switch prevents; so no buffers for rewriting flows.
	if b := w.bufs[name]; len(b) > 0 && r.IntN(3) == 0 && !setsFields(m.Actions) {
		i := r.IntN(len(b))
		m.BufferID, ded.BufferID = b[i].virt, w.dedicatedBuffer(name, b[i])
	} else if r.IntN(40) == 0 {
		m.BufferID, ded.BufferID = unknownBuffer, unknownBuffer
	}
	w.logf("%s flow_mod %v", name, m)
	w.virtual(name, m)
	if !deletes {
		if code, must := w.mustRefuse(name, m.Actions); must {
			if !w.refused(name, of10.ErrorBadAction, code) {
				w.wrong = fmt.Sprintf("not refused with BAD_ACTION %d", code)
			}
			return
		}
		if w.refused(name, of10.ErrorFlowModFailed, of10.FlowModFailedEPerm) {
			if w.writes(name, m.Match) {
				w.wrong = "refused with EPERM"
			}
			return
		}
		if setsFields(m.Actions) && w.refused(name, of10.ErrorBadAction, of10.BadActionEPerm) {
			return
		}
	}
	if m.BufferID != of10.NoBuffer && w.refused(name, of10.ErrorBadRequest, of10.BadRequestEPerm) {
		ded.BufferID = of10.NoBuffer // likewise; only the frame stays behind
		w.bufs[name] = slices.DeleteFunc(w.bufs[name], func(b bufferPair) bool { return b.virt == m.BufferID })
	}
	fresh := !deletes && len(w.selected(name, m)) == 0 || cmd == of10.FlowAdd
	w.real(name, &ded, m.XID)
	if !deletes {
		w.spent(name, m.BufferID, ded.BufferID)
	}
	if fresh {
		w.nextSeq++
		w.seq[flowKey(name, m.Match, m.Priority)] = w.nextSeq
	}
}

// again makes a flow_mod replace one of the slice's flows, half the time by the same.
func (w *world) again(name string, m *of10.FlowMod) {
	list := w.ded[name].flows(w)
	if len(list) == 0 {
		return
	}
	old := list[m.Cookie>>8%uint64(len(list))]
	m.Match, m.Priority = old.Match, old.Priority
	if m.Cookie&4 == 0 {
		m.Actions = old.Actions
	}
}

func (w *world) selected(name string, m *of10.FlowMod) (list of10.FlowStatsReply) {
	want := m.Match.Normalize()
	p := flowtable.MakePattern(&want)
	for _, f := range w.ded[name].flows(w) {
		fp := flowtable.MakePattern(&f.Match)
		if m.Command == of10.FlowModifyStrict && fp == p && levelOfStats(f.Match, f.Priority) == levelOfStats(want, m.Priority) || m.Command == of10.FlowModify && p.Covers(&fp) {
			list = append(list, f)
		}
	}
	return list
}

// writes reports whether some rule lets the slice write in a match.
func (w *world) writes(name string, m of10.Match) bool {
	m = m.Normalize()
	p := flowtable.MakePattern(&m)
	region := regionOf(&p)
	for _, r := range w.r.fs.View(testDPID).SliceRules(name) {
		if r.Allows(name, flowspace.Write) && r.Match.Overlaps(&region) {
			return true
		}
	}
	return false
}

// ambiguous reports whether a flow would overlap another of its level, which the
// specification leaves undefined.
func (w *world) ambiguous(name string, m *of10.FlowMod) bool {
	if m.Flags&of10.FlowModCheckOverlap != 0 && m.Command == of10.FlowAdd && !w.shared {
		return false
	}
	match := m.Match.Normalize()
	p := flowtable.MakePattern(&match)
	for other, s := range w.ded {
		if other != name && !w.shared {
			continue
		}
		for _, f := range s.flows(w) {
			fp := flowtable.MakePattern(&f.Match)
			if levelOfStats(f.Match, f.Priority) == levelOfStats(match, m.Priority) && fp != p && fp.Overlaps(&p) {
				return true
			}
		}
	}
	return false
}

func (w *world) packetOut(r *rand.Rand) {
	name := pick(r, w.names)
	m, err := of10.ParseFlow("actions="+randomActions(r, !w.shared), of10.FlowAdd)
	if err != nil {
		panic(err)
	}
	po := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: pick(r, []of10.Port{1, 2, 3, 4, 1, 2, 3, 4, of10.PortNone, of10.PortController}), Actions: m.Actions}
	ded := *po
	var data []byte
	if b := w.bufs[name]; len(b) > 0 && r.IntN(2) == 0 {
		e := pick(r, b)
		po.BufferID, ded.BufferID = e.virt, w.dedicatedBuffer(name, e)
		po.InPort, ded.InPort = e.in, e.in
		if r.IntN(2) == 0 {
			po.Actions = slices.DeleteFunc(po.Actions, func(a of10.Action) bool { return a.Port == of10.PortTable })
		}
		ded.Actions = po.Actions
		data = e.data
	} else {
		data = randomPacket(r)
		po.Data, ded.Data = data, data
	}
	h := packet.Parse(data, uint32(po.InPort))
	if isLLDP(h.DLType) {
		return
	}
	if tables(po.Actions) && po.BufferID != of10.NoBuffer && len(data) < 50 {
		return // cut too short to tell whose it is
	}
	if owner := w.owner(h); tables(po.Actions) && (owner == nil || len(owner.Grants) > 1 || setsFields(po.Actions)) {
		return // others may hear of it too
	}
	w.logf("%s packet_out in=%d buffer=%x %v %+v", name, po.InPort, po.BufferID, po.Actions, h)
	w.virtual(name, po)
	if code, must := w.mustRefuse(name, po.Actions); must {
		if !w.refused(name, of10.ErrorBadAction, code) {
			w.wrong = fmt.Sprintf("not refused with BAD_ACTION %d", code)
		}
		return
	}
	if po.BufferID != of10.NoBuffer && w.refused(name, of10.ErrorBadAction, of10.BadActionEPerm) {
		// The slice itself had rewritten the frame into foreign space.
		w.bufs[name] = slices.DeleteFunc(w.bufs[name], func(b bufferPair) bool { return b.virt == po.BufferID })
		return
	}
	if po.BufferID == of10.NoBuffer && !w.maySend(name, po.InPort, h) {
		if !w.refused(name, of10.ErrorBadAction, of10.BadActionEPerm) {
			w.wrong = "not refused with EPERM"
		}
		return
	}
	if setsFields(po.Actions) && w.refused(name, of10.ErrorBadAction, of10.BadActionEPerm) {
		w.bufs[name] = slices.DeleteFunc(w.bufs[name], func(b bufferPair) bool { return b.virt == po.BufferID })
		return
	}
	w.real(name, &ded, po.XID)
	w.spent(name, po.BufferID, ded.BufferID)
}

// spent notes that a dedicated switch has used a buffer, unless it has refused the
// message as a whole.
func (w *world) spent(name string, virt, ded uint32) {
	if msgs := w.ded[name].msgs; len(msgs) > 0 {
		if e, ok := msgs[len(msgs)-1].(*of10.Error); ok && e.XID == w.xid && (e.ErrType == of10.ErrorFlowModFailed || e.ErrType == of10.ErrorBadAction) {
			return
		}
	}
	if virt != of10.NoBuffer && ded != unknownBuffer {
		w.used[virtualID{name, virt}] = true
	}
}

// unknownBuffer is an id that no switch gives.
const unknownBuffer = 0x7fffffff

// dedicatedBuffer is the id to name to a slice's dedicated switch. The switch below
// the virtual one may have fewer buffers; what it has used for another frame since
// must be unknown.
func (w *world) dedicatedBuffer(name string, b bufferPair) uint32 {
	if w.r.ids.stale(name, b.virt) && !w.used[virtualID{name, b.virt}] {
		return unknownBuffer
	}
	return b.ded
}

func tables(list []of10.Action) bool {
	return slices.ContainsFunc(list, func(a of10.Action) bool { return a.Port == of10.PortTable })
}

func (w *world) maySend(name string, in of10.Port, h packet.Header) bool {
	list := []of10.Port{in}
	if in > of10.PortMax {
		list = []of10.Port{1, 2, 3, 4}
		list = slices.DeleteFunc(list, func(p of10.Port) bool { return w.r.d.port(p) == nil })
	}
	for _, p := range list {
		h.InPort = uint32(p)
		if o := w.owner(h); w.has(name, p) && o != nil && o.Allows(name, flowspace.Write) {
			return true
		}
	}
	return false
}

// lldp sends a probe, or lets one that was sent come in somewhere.
func (w *world) lldp(r *rand.Rand) {
	if len(w.marked) > 0 && r.IntN(2) == 0 {
		f, in := pick(r, w.marked), of10.Port(1+r.IntN(worldPorts))
		if w.r.d.port(in) == nil {
			return
		}
		w.logf("probe of %s comes in by %d", f.slice, in)
		w.r.sent = append(w.r.sent, w.r.frame(in, f.raw)...)
		if w.has(f.slice, in) {
			w.frameFor(f.slice, in, f.clean)
		}
		return
	}
	name, out := pick(r, w.names), of10.Port(1+r.IntN(worldPorts))
	if !w.has(name, out) {
		return
	}
	data := lldpFrame(byte(out))
	for r.IntN(2) == 0 && len(data) < 60 {
		data = append(data, make([]byte, 60-len(data))...)
	}
	w.logf("%s sends a probe by %d", name, out)
	m := of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Actions: []of10.Action{of10.Output(out, 0)}, Data: data}
	ded := m
	w.both(name, &m, &ded)
}

func (w *world) stats(r *rand.Rand) {
	name := pick(r, w.names)
	m, err := of10.ParseFlow(randomMatchText(r)+" actions=drop", of10.FlowAdd)
	if err != nil {
		panic(err)
	}
	match := m.Match
	if r.IntN(2) == 0 {
		match = of10.MatchAll()
	}
	out := of10.PortNone
	if r.IntN(4) == 0 {
		out = of10.Port(1 + r.IntN(worldPorts))
	}
	req := of10.FlowStatsRequest{Match: match, TableID: pick(r, []uint8{0xff, 0xff, 0, 5, 0xfe}), OutPort: out}
	var s of10.StatsRequest
	switch r.IntN(4) {
	case 0:
		s = of10.StatsRequest{StatsType: of10.StatsAggregate, Body: of10.AggregateStatsRequest(req)}
	case 1:
		s = of10.StatsRequest{StatsType: of10.StatsTable}
	default:
		s = of10.StatsRequest{StatsType: of10.StatsFlow, Body: req}
	}
	w.logf("%s asks for %v", name, &s)
	d := s
	w.both(name, &s, &d)
}

func (w *world) pass(seconds int) {
	w.logf("%d seconds pass", seconds)
	for range seconds {
		w.r.pass(time.Second)
		for _, s := range w.ded {
			s.p.Tick(w.r.now, &s.out)
			s.collect()
		}
	}
}

func (w *world) portMod(r *rand.Rand) {
	name, no := pick(r, w.names), of10.Port(1+r.IntN(worldPorts))
	bits := of10.PortConfig(1) << pick(r, []int{0, 2, 3, 4, 4, 5, 6})
	m := of10.PortMod{PortNo: no, HWAddr: [6]byte{2, 0, 0, 0, 0, byte(no)}, Mask: bits}
	if r.IntN(3) > 0 {
		m.Config = bits
	}
	w.logf("%s port_mod %d %x/%x", name, no, m.Config, m.Mask)
	d := m
	w.both(name, &m, &d)
}

// plain sends what has a simple answer.
func (w *world) plain(r *rand.Rand) {
	name := pick(r, w.names)
	list := []of10.Message{
		&of10.BarrierRequest{}, &of10.EchoRequest{Data: []byte("hello")}, &of10.FeaturesRequest{}, &of10.GetConfigRequest{},
		&of10.SetConfig{MissSendLen: pick(r, []uint16{0, 60, 128, 1000})}, &of10.SetConfig{Flags: of10.FragReasm, MissSendLen: 5},
		&of10.Vendor{Vendor: 0x1234, Data: []byte("1234")}, &of10.BarrierReply{}, &of10.PacketIn{},
		&of10.StatsRequest{StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: 77}},
		&of10.QueueGetConfigRequest{Port: 99},
	}
	m := pick(r, list)
	w.logf("%s %T", name, m)
	if c, ok := m.(*of10.SetConfig); ok && c.Flags == 0 {
		w.miss[name] = int(c.MissSendLen)
	}
	w.both(name, m, m)
}

// plug removes a port of the switch, or adds it again.
func (w *world) plug(r *rand.Rand) {
	no := of10.Port(1 + r.IntN(worldPorts))
	var po ofswitch.Out
	desc := testPorts(worldPorts)[no-1]
	gone := w.r.d.port(no) != nil
	w.logf("port %d unplugged %v", no, gone)
	change := func(p *ofswitch.Pipeline, out *ofswitch.Out) {
		if gone {
			p.RemovePort(w.r.now, no, out)
		} else if err := p.AddPort(w.r.now, desc, queues, out); err != nil {
			panic(err)
		}
	}
	change(w.r.phys, &po)
	w.r.fromSwitch(&po)
	for name, s := range w.ded {
		if w.has(name, no) {
			change(s.p, &s.out)
			s.collect()
		}
	}
}

// respace changes the flowspace. Flows whose treatment depends on rules elsewhere, or
// whose idle time would start anew, are deleted first.
func (w *world) respace(r *rand.Rand) {
	for _, name := range w.names {
		for _, f := range w.ded[name].flows(w) {
			enqueues := slices.ContainsFunc(f.Actions, func(a of10.Action) bool { return a.Type == of10.ActionEnqueue })
			if f.IdleTimeout == 0 && !setsFields(f.Actions) && !enqueues {
				continue
			}
			m := of10.FlowMod{Match: f.Match, Priority: f.Priority, Command: of10.FlowDeleteStrict, BufferID: of10.NoBuffer, OutPort: of10.PortNone}
			d := m
			w.both(name, &m, &d)
		}
	}
	rules := w.r.fs.View(testDPID).Rules()
	var c flowspace.Change
	switch n := r.IntN(4); {
	case n == 0 && len(rules) > 1:
		c = flowspace.Change{Op: flowspace.Remove, Rule: &flowspace.Rule{ID: pick(r, rules).ID}}
	case n == 1 && len(rules) > 0:
		c = parseRules(w.r.t, w.randomRule(r))[0]
		c.Op, c.Rule.ID = flowspace.Update, pick(r, rules).ID
	default:
		c = parseRules(w.r.t, w.randomRule(r))[0]
	}
	before := map[string]map[of10.Port]bool{}
	for _, name := range w.names {
		before[name] = map[of10.Port]bool{}
		for p := of10.Port(1); p <= worldPorts; p++ {
			before[name][p] = w.has(name, p)
		}
	}
	w.r.respace(c)
	w.logf("rules now:")
	for _, rule := range w.r.fs.View(testDPID).Rules() {
		w.logf("   %v", rule)
	}
	for _, name := range w.names {
		w.bufs[name] = nil
		s := w.ded[name]
		for p := of10.Port(1); p <= worldPorts; p++ {
			has := w.has(name, p)
			switch {
			case w.r.d.port(p) == nil || has == before[name][p]:
			case has:
				if err := s.p.AddPort(w.r.now, testPorts(worldPorts)[p-1], queues, &s.out); err != nil {
					panic(err)
				}
			default:
				s.p.RemovePort(w.r.now, p, &s.out)
			}
		}
		for _, f := range s.flows(w) {
			if !w.writes(name, f.Match) {
				m := &of10.FlowMod{Match: f.Match, Priority: f.Priority, Command: of10.FlowDeleteStrict, BufferID: of10.NoBuffer, OutPort: of10.PortNone}
				s.p.HandleMessage(w.r.now, 1, encode(w.r.t, m), &s.out)
			}
		}
		s.collect()
	}
}
