package slicing

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// dedicated is the switch a slice would have if nobody else were there: the
// reference switch, with the slice's ports, fed only what the slice owns.
type dedicated struct {
	name string
	p    *ofswitch.Pipeline
	out  ofswitch.Out
	msgs []of10.Message
	sent []wireFrame
}

func (s *dedicated) collect() {
	for _, f := range s.out.Frames {
		s.sent = append(s.sent, wireFrame{f.Port, string(f.Frame.Data)})
	}
	for _, m := range s.out.Messages {
		p, err := of10.Parse(slices.Clone(m.Data))
		if err != nil {
			panic(err)
		}
		s.msgs = append(s.msgs, p)
	}
	s.out.Reset()
}

// flows are what is in the dedicated switch's table.
func (s *dedicated) flows(w *world) of10.FlowStatsReply {
	var out ofswitch.Out
	m := &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}}
	s.p.HandleMessage(w.r.now, 1, encode(w.r.t, m), &out)
	var list of10.FlowStatsReply
	for _, m := range out.Messages {
		p, _ := of10.Parse(slices.Clone(m.Data))
		list = append(list, p.(*of10.StatsReply).Body.(of10.FlowStatsReply)...)
	}
	return list
}

func (w *world) frameFor(name string, in of10.Port, data []byte) {
	s := w.ded[name]
	s.p.HandleFrame(w.r.now, in, ofswitch.InFrame{Data: slices.Clone(data)}, &s.out)
	s.collect()
}

// owner is the rule that owns a frame, by looking at all of them.
func (w *world) owner(h packet.Header) *flowspace.Rule {
	for _, r := range w.r.fs.View(testDPID).Rules() {
		if r.Match.Matches(&h) {
			return r
		}
	}
	return nil
}

func (w *world) has(name string, p of10.Port) bool {
	set, ok := w.r.fs.View(testDPID).PortsOf(name)
	return ok && set.Has(uint32(p))
}

// closed reports whether a dedicated switch would not let the frame in.
func (w *world) closed(name string, in of10.Port, data []byte) bool {
	for _, p := range w.ded[name].p.Ports() {
		if p.PortNo != in {
			continue
		}
		stp := string(data[:6]) == "\x01\x80\xc2\x00\x00\x00"
		switch {
		case p.Config&of10.PortConfigDown != 0:
			return true
		case stp:
			return p.Config&of10.PortConfigNoRecvSTP != 0
		}
		return p.Config&of10.PortConfigNoRecv != 0
	}
	return false
}

type modelFlow struct {
	slice string
	f     of10.FlowStats
	level int
	seq   int
}

func levelOfStats(m of10.Match, prio uint16) int {
	if m.Exact() {
		return 65536
	}
	return int(prio)
}

func flowKey(name string, m of10.Match, prio uint16) string {
	return fmt.Sprint(name, m.Normalize(), levelOfStats(m, prio))
}

// winner says which of the writers' flows a header hits.
func (w *world) winner(writers []string, h packet.Header) (best *modelFlow) {
	words := flowtable.HeaderWords(&h)
	for _, name := range writers {
		for _, f := range w.ded[name].flows(w) {
			p := flowtable.MakePattern(&f.Match)
			if !p.Matches(&words) {
				continue
			}
			c := &modelFlow{name, f, levelOfStats(f.Match, f.Priority), w.seq[flowKey(name, f.Match, f.Priority)]}
			switch {
			case best == nil || c.level > best.level:
				best = c
			case c.level == best.level && c.slice != best.slice && c.f.Match == best.f.Match && c.seq > best.seq:
				best = c
			case c.level == best.level && (c.slice == best.slice || c.f.Match != best.f.Match) && c.seq < best.seq:
				best = c
			}
		}
	}
	return best
}

// expectFrame does in the dedicated switches what a frame should do.
func (w *world) expectFrame(in of10.Port, data []byte) {
	h := packet.Parse(data, uint32(in))
	r := w.owner(h)
	if r == nil || w.r.d.port(in) == nil {
		return
	}
	var writers, readers []string
	for _, g := range r.Grants {
		switch {
		case g.Perm&flowspace.Write != 0:
			writers = append(writers, g.Slice)
		case g.Perm&flowspace.Read != 0:
			readers = append(readers, g.Slice)
		}
	}
	hit := ""
	for _, name := range writers {
		if w.closed(name, in, data) {
			return
		}
	}
	if f := w.winner(writers, h); f != nil {
		hit = f.slice
	}
	w.isolated(hit, in, data)
	before := map[string]int{}
	for _, name := range writers {
		if hit == "" || hit == name {
			before[name] = len(w.ded[name].msgs)
			w.frameFor(name, in, data)
			w.keepIn(name, in, h)
		}
	}
	shared := len(writers) > 1
	if shared {
		for name, n := range before {
			for _, m := range w.ded[name].msgs[n:] {
				if p, ok := m.(*of10.PacketIn); ok {
					w.spoiled[p] = true
				}
			}
		}
	}
	if hit == "" {
		for _, name := range readers {
			if !w.closed(name, in, data) && w.config(name, in)&of10.PortConfigNoPacketIn == 0 {
				p := &of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(data)), InPort: in, Data: data[:min(len(data), w.miss[name])]}
				w.ded[name].msgs = append(w.ded[name].msgs, p)
			}
		}
		return
	}
	for _, m := range slices.Clone(w.ded[hit].msgs[before[hit]:]) {
		p, ok := m.(*of10.PacketIn)
		if !ok {
			continue
		}
		for _, name := range writers {
			if name != hit {
				c := *p
				w.spoiled[&c] = true
				w.ded[name].msgs = append(w.ded[name].msgs, &c)
			}
		}
		for _, name := range readers {
			c := *p
			c.BufferID = of10.NoBuffer
			w.ded[name].msgs = append(w.ded[name].msgs, &c)
		}
	}
}

// keepIn takes back what a dedicated switch has sent of a frame with two tags and what
// is another slice's by its inner tag. A flow_mod cannot be refused for that, as the
// frames are not known yet.
func (w *world) keepIn(name string, in of10.Port, h packet.Header) {
	if h.DLVLAN == packet.VLANNone || !packet.IsTag(h.DLType) {
		return
	}
	s := w.ded[name]
	s.sent = slices.DeleteFunc(s.sent, func(f wireFrame) bool {
		r := w.owner(packet.Parse([]byte(f.data), uint32(in)))
		return r == nil || !r.Allows(name, flowspace.Write)
	})
}

// isolated checks that what has left the switch, if it is not the frame that came in,
// is still the slice's: a dedicated switch would not know.
func (w *world) isolated(name string, in of10.Port, data []byte) {
	for _, f := range w.r.sent {
		if f.data == string(data) || isLLDP(packet.Parse([]byte(f.data), 0).DLType) {
			continue
		}
		if r := w.owner(packet.Parse([]byte(f.data), uint32(in))); r == nil || !r.Allows(name, flowspace.Write) {
			w.wrong = fmt.Sprintf("a frame of %q left as %v, which is not its own", name, f)
		}
	}
}

func (w *world) config(name string, in of10.Port) of10.PortConfig {
	for _, p := range w.ded[name].p.Ports() {
		if p.PortNo == in {
			return p.Config
		}
	}
	return 0
}

// show writes a message without what may differ: buffer ids and asynchronous xids.
func show(m of10.Message) string {
	switch m := m.(type) {
	case *of10.PacketIn:
		return fmt.Sprintf("packet_in reason=%d in=%d total=%d buffered=%v data=%x", m.Reason, m.InPort, m.TotalLen, m.BufferID != of10.NoBuffer, m.Data)
	case *of10.FlowRemoved:
		c := *m
		c.XID = 0
		return fmt.Sprintf("flow_removed %+v", c)
	case *of10.PortStatus:
		return fmt.Sprintf("port_status %v %+v", m.Reason, m.Desc)
	case *of10.Error:
		data := slices.Clone(m.Data)
		switch of10.PeekType(data) {
		case of10.TypeFlowMod:
			of10.PutFlowModBufferID(data, 0)
		case of10.TypePacketOut:
			of10.PutPacketOutBufferID(data, 0)
		}
		return fmt.Sprintf("error xid=%d %d/%d data=%x", m.XID, m.ErrType, m.Code, data)
	case *of10.StatsReply:
		c := *m
		switch b := c.Body.(type) {
		case of10.TableStatsReply:
			c.Body = of10.TableStatsReply{{ActiveCount: b[0].ActiveCount}}
		case of10.FlowStatsReply:
			var list []string
			for _, f := range b {
				list = append(list, fmt.Sprintf("%v cookie=%x prio=%d n=%d/%d t=%d/%d age=%d.%d %v", f.Match, f.Cookie, f.Priority, f.PacketCount, f.ByteCount, f.IdleTimeout, f.HardTimeout, f.DurationSec, f.DurationNsec, f.Actions))
			}
			return fmt.Sprintf("flow_stats xid=%d more=%d\n   %s", m.XID, m.Flags, strings.Join(list, "\n   "))
		}
		return fmt.Sprintf("stats xid=%d %v %d %+v", c.XID, c.StatsType, c.Flags, c.Body)
	case *of10.FeaturesReply:
		c := *m
		c.NBuffers = 0
		return fmt.Sprintf("features %+v", c)
	}
	return fmt.Sprintf("%T %+v", m, m)
}

// compare checks everything that came out of both sides since the last call.
func (w *world) compare() error {
	if w.wrong != "" {
		return errors.New(w.wrong)
	}
	var want []string
	for name, s := range w.ded {
		got := w.r.take(name)
		a, b := make([]string, 0, len(got)), make([]string, 0, len(s.msgs))
		for _, m := range got {
			a = append(a, show(m))
		}
		for _, m := range s.msgs {
			b = append(b, show(m))
		}
		w.learnBuffers(name, got, s.msgs)
		sort.Strings(a)
		sort.Strings(b)
		if !slices.Equal(a, b) {
			return fmt.Errorf("controller of %s got\n  %s\na dedicated switch would send\n  %s", name, strings.Join(a, "\n  "), strings.Join(b, "\n  "))
		}
		for _, f := range s.sent {
			want = append(want, fmt.Sprintf("%d %x", f.port, f.data))
		}
		s.msgs, s.sent = nil, nil
	}
	var sent []string
	for _, f := range w.r.takeSent() {
		clean, name := w.r.d.unmarkLLDP([]byte(f.data))
		if name != "" {
			w.marked = append(w.marked, markedFrame{name, []byte(f.data), clean})
		}
		sent = append(sent, fmt.Sprintf("%d %x", f.port, clean))
	}
	sort.Strings(sent)
	sort.Strings(want)
	if !slices.Equal(sent, want) {
		return fmt.Errorf("frames left\n  %s\nwant\n  %s", strings.Join(sent, "\n  "), strings.Join(want, "\n  "))
	}
	clear(w.spoiled)
	return nil
}

type markedFrame struct {
	slice      string
	raw, clean []byte
}

type bufferPair struct {
	virt, ded uint32
	in        of10.Port
	data      []byte
}

// learnBuffers notes which virtual buffer stands for which of the dedicated switch.
func (w *world) learnBuffers(name string, got, want []of10.Message) {
	a, b := packetIns(got), packetIns(want)
	if len(a) != len(b) {
		return
	}
	for i := range a {
		if show(a[i]) != show(b[i]) || a[i].BufferID == of10.NoBuffer || w.spoiled[b[i]] {
			continue
		}
		w.bufs[name] = append(w.bufs[name], bufferPair{a[i].BufferID, b[i].BufferID, a[i].InPort, slices.Clone(a[i].Data)})
	}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
