package slicing

import (
	"fmt"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// PacketTrace tells what becomes of a frame, and why. Nothing is sent or counted.
type PacketTrace struct {
	Header   packet.Header
	Rules    []*flowspace.Rule // that the header lies in, in order; the first owns it
	Owner    *flowspace.Rule   // nil if nobody owns it
	Probe    string            // the slice whose link discovery mark the frame carries
	Slices   []SliceTrace      // those the owner grants READ or WRITE
	Physical *PhysicalFlow     // what the switch's table does, nil for a miss
	Outputs  []PortOutput      // where the switch or govisor sends it
	Verdict  string            // in words
}

// SliceTrace is what the virtual switch of one slice does with a frame.
type SliceTrace struct {
	Slice     string
	Perm      flowspace.Permission
	Listening bool         // a controller of it is there
	Hit       *VirtualFlow // in its own table, nil for a miss
	Closed    bool         // the slice lets nothing in by this port
}

// VirtualFlow is a flow as its controller sees it.
type VirtualFlow struct {
	Slice    string
	Match    of10.Match
	Priority uint16
	Cookie   uint64
	Actions  []of10.Action
	Pieces   int // physical flows it has
	Packets  uint64
	Created  time.Time
}

// PhysicalFlow is a flow as it is in the switch.
type PhysicalFlow struct {
	Match    of10.Match
	Priority uint16
	Cookie   uint64
	Kind     string // piece, sentinel, guard or drop
	Slice    string // "" for a guard
	Rule     string // name of the rule it lies in
	Actions  []of10.Action
}

// PortOutput is one copy of a frame that leaves.
type PortOutput struct {
	Port   of10.Port
	Queue  uint32
	Queued bool
}

// TracePacket tells what would happen to a frame received on a port.
func (d *Datapath) TracePacket(in of10.Port, frame []byte) PacketTrace {
	t := d.TraceHeader(packet.Parse(frame, uint32(in)))
	if isLLDP(t.Header.DLType) {
		if _, name := d.unmarkLLDP(frame); name != "" {
			t.Probe = name
			t.Verdict = fmt.Sprintf("a link discovery probe of slice %s: it goes to its controller alone, if it has the port", name)
		}
	}
	return t
}

// TraceHeader is TracePacket when only the header is known.
func (d *Datapath) TraceHeader(h packet.Header) PacketTrace {
	t := PacketTrace{Header: h}
	w := flowtable.HeaderWords(&h)
	point := flowspace.PointMatch(&h)
	t.Rules = d.view.Overlapping(point, nil)
	t.Owner = d.view.Owner(&h)
	e := d.physicalAt(&w)
	if e != nil {
		p := d.physical(e)
		t.Physical = &p
	}
	if t.Owner == nil {
		t.Verdict = "no rule owns the header: dropped and counted"
		return t
	}
	for _, g := range t.Owner.Grants {
		s := d.slices[g.Slice]
		if g.Perm&(flowspace.Read|flowspace.Write) == 0 {
			continue
		}
		st := SliceTrace{Slice: g.Slice, Perm: g.Perm}
		if s != nil {
			st.Listening = s.up
			st.Closed = s.closed(of10.Port(h.InPort), h.DLDst)
			if f := s.inTable(&w); f != nil && g.Perm&flowspace.Write != 0 {
				st.Hit = f.view()
			}
		}
		t.Slices = append(t.Slices, st)
	}
	d.traceVerdict(&t, &w, e)
	return t
}

// traceVerdict fills in where the frame goes.
func (d *Datapath) traceVerdict(t *PacketTrace, w *flowtable.Words, e *entry) {
	f := d.winnerAt(d.info(t.Owner), w)
	switch {
	case f == nil && isLLDP(t.Header.DLType):
		t.Verdict = fmt.Sprintf("unmarked link discovery: a miss for the slices of rule %s, else for slices that want such frames", t.Owner.Name)
	case f == nil && len(t.Slices) == 0:
		t.Verdict = fmt.Sprintf("rule %s grants nobody READ or WRITE: dropped and counted", t.Owner.Name)
	case f == nil:
		t.Verdict = fmt.Sprintf("a table miss: packet_in to the slices of rule %s", t.Owner.Name)
	case f.isDrop():
		t.Verdict = fmt.Sprintf("slice %s has closed port %d", f.slice.name, t.Header.InPort)
	case e != nil && e.kind == kindFlow:
		t.Verdict = fmt.Sprintf("hits a flow of slice %s in the switch", f.slice.name)
		t.Outputs = outputsOf(e.actions, of10.Port(t.Header.InPort))
	default:
		t.Verdict = fmt.Sprintf("hits a flow of slice %s; govisor forwards the frame itself", f.slice.name)
		acts := d.compileFor(nil, f.slice, of10.Port(t.Header.InPort), t.Owner, f.flow.Actions, nil)
		t.Outputs = outputsOf(acts, of10.Port(t.Header.InPort))
	}
}

// outputsOf lists the ports of a physical action list.
func outputsOf(list []of10.Action, in of10.Port) (out []PortOutput) {
	for i := range list {
		a := &list[i]
		if a.Type != of10.ActionOutput && a.Type != of10.ActionEnqueue || a.Port == in {
			continue
		}
		o := PortOutput{Port: a.Port, Queue: a.QueueID, Queued: a.Type == of10.ActionEnqueue}
		if a.Port == of10.PortInPort {
			o.Port = in
		}
		out = append(out, o)
	}
	return out
}

// physicalAt is the entry the switch's table hits for a header, nil for a miss.
func (d *Datapath) physicalAt(w *flowtable.Words) *entry {
	if s := d.points[*w]; s != nil && s.entry != nil {
		return s.entry
	}
	var best *entry
	for _, e := range d.cookies.all() {
		if e.dead || e.slot.point || !e.slot.pat.Matches(w) {
			continue
		}
		if best == nil || e.number > best.number || e.number == best.number && e.cookie < best.cookie {
			best = e
		}
	}
	return best
}

func (d *Datapath) physical(e *entry) PhysicalFlow {
	p := PhysicalFlow{Match: e.match(), Priority: e.number, Cookie: e.cookie, Actions: e.actions, Rule: e.slot.rule.rule.Name}
	p.Kind = [...]string{kindFlow: "piece", kindSentinel: "sentinel", kindGuard: "guard", kindDrop: "drop"}[e.kind]
	if e.flow != nil {
		p.Slice = e.flow.slice.name
	}
	return p
}

func (f *vflow) view() *VirtualFlow {
	fl := f.flow
	return &VirtualFlow{f.slice.name, fl.Match, fl.Priority, fl.Cookie, fl.Actions, int(f.live), f.packets, fl.Created}
}

// PhysicalFlows returns what the switch has of govisor's, oldest first.
func (d *Datapath) PhysicalFlows() []PhysicalFlow {
	var list []PhysicalFlow
	for _, e := range d.entries() {
		list = append(list, d.physical(e))
	}
	return list
}

// VirtualFlows returns the flows of a slice as its controller sees them, oldest
// first. The counters lack what is still in the switch's.
func (d *Datapath) VirtualFlows(name string) []VirtualFlow {
	s := d.slices[name]
	if s == nil {
		return nil
	}
	var list []VirtualFlow
	for _, fl := range s.table.Flows() {
		list = append(list, *fl.Aux.(*vflow).view())
	}
	return list
}

// FlowKey names a flow within one table.
type FlowKey struct {
	Match    of10.Match
	Priority uint16
}

// Became returns what each flow of a slice became in the switch, oldest first.
func (d *Datapath) Became(name string) map[FlowKey][]PhysicalFlow {
	out := map[FlowKey][]PhysicalFlow{}
	for _, e := range d.entries() {
		if e.flow != nil && e.flow.slice.name == name {
			key := FlowKey{e.flow.flow.Match, e.flow.flow.Priority}
			out[key] = append(out[key], d.physical(e))
		}
	}
	return out
}

// FlowTrace tells what a flow_mod becomes, or why it is refused.
type FlowTrace struct {
	Rules   []*flowspace.Rule // that overlap the match, in order
	Pieces  []PieceTrace
	Guards  []PieceTrace
	Selects []VirtualFlow // what a MODIFY or DELETE applies to
	Refused *of10.Error   // nil if it is not
	Because string        // in words, when refused or without effect
}

// PieceTrace is one physical flow that a flow_mod needs.
type PieceTrace struct {
	Match    of10.Match
	Rule     *flowspace.Rule
	Rank     int    // of the rule among those in use, from 0; -1 if it is in use by nobody yet
	Priority uint16 // in the switch; 0 with New
	New      bool   // the pair of rank and priority is not in use yet
	Actions  []of10.Action
	ByHand   bool // frames here come to govisor, which forwards them itself
}

// TraceFlowMod tells what a flow_mod of a slice would do, without doing it.
func (d *Datapath) TraceFlowMod(now time.Time, name string, m *of10.FlowMod) FlowTrace {
	var t FlowTrace
	s := d.slices[name]
	if s == nil {
		t.Because = fmt.Sprintf("slice %s is not on this datapath", name)
		return t
	}
	f := newFlow(now, s, m)
	t.Rules = d.view.Overlapping(f.region(), nil)
	for _, fl := range s.table.Selected(m) {
		t.Selects = append(t.Selects, *fl.Aux.(*vflow).view())
	}
	if m.Command == of10.FlowDelete || m.Command == of10.FlowDeleteStrict {
		if len(t.Selects) == 0 {
			t.Because = "no flow of the slice is selected"
		}
		return t
	}
	if err := d.allowed(s, m.Actions, false); err != nil {
		t.Refused, t.Because = err, "an action is not allowed to this slice: "+err.Error()
		return t
	}
	d.work, d.checks = 0, 0
	specs, err := d.admit(f, nil)
	if err != nil {
		t.Refused, t.Because = err, d.explainRefusal(f, err)
		return t
	}
	guards := map[guardSpec]bool{}
	for i := range specs {
		sp := &specs[i]
		p := d.traceSlot(&sp.pat, sp.rule, sp.level)
		p.ByHand = sp.carve
		if !sp.carve {
			p.Actions = d.compile(nil, f, &sp.pat, sp.rule, m.Actions)
		}
		t.Pieces = append(t.Pieces, p)
		for _, g := range sp.guards {
			if guards[g] {
				continue
			}
			guards[g] = true
			level := levelGuard
			if g.rule.lldp {
				level = levelLLDP
			}
			t.Guards = append(t.Guards, d.traceSlot(&g.pat, g.rule, level))
		}
	}
	return t
}

func (d *Datapath) traceSlot(pat *flowtable.Pattern, i *ruleInfo, level int32) PieceTrace {
	p := PieceTrace{Match: pat.Match(), Rule: i.rule, Rank: -1, New: true}
	if pat.Exact() {
		p.Priority, p.New = maxNumber, false
	}
	if i.rank == nil {
		return p
	}
	p.Rank = i.rank.pos
	if at, ok := d.numbers.find(i.rank, level); ok && !pat.Exact() {
		p.Priority, p.New = d.numbers.order[at].number, false
	}
	return p
}

// explainRefusal says in words why a flow is refused.
func (d *Datapath) explainRefusal(f *vflow, err *of10.Error) string {
	switch {
	case err.ErrType == of10.ErrorFlowModFailed && err.Code == of10.FlowModFailedEPerm:
		return fmt.Sprintf("no rule grants slice %s WRITE in any part of the match, or the slice is strict and the match would have to be cut", f.slice.name)
	case err.ErrType == of10.ErrorFlowModFailed:
		return fmt.Sprintf("it needs more than %d physical flows, or the switch's priorities are used up", d.cfg.MaxExpansion)
	}
	return "a rewritten frame would not belong to the slice any more, or the slice is strict and an action would have to be rewritten"
}
