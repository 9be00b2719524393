package slicing

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

var (
	crossingSeeds = flag.Int("crossing.seeds", 150, "worlds of the test of messages that cross")
	crossingFirst = flag.Uint64("crossing.seed", 0, "first seed")
)

// onWay are the messages that the core has sent and the switch has not got yet. What
// the switch has sent and the core has not got is in rig.queue.
type onWay struct{ down [][]byte }

// letDown gives the switch its next n messages.
func (r *rig) letDown(n int) {
	for ; n > 0 && len(r.onWay.down) > 0; n-- {
		b := r.onWay.down[0]
		r.onWay.down = r.onWay.down[1:]
		m, err := of10.Parse(b)
		if err != nil {
			r.t.Fatal(err)
		}
		if fm, ok := m.(*of10.FlowMod); ok && r.refuse != nil && r.refuse(fm) {
			r.queue = append(r.queue, encode(r.t, of10.NewError(of10.ErrorFlowModFailed, of10.FlowModFailedAllTablesFull, b)))
			continue
		}
		var po ofswitch.Out
		r.phys.HandleMessage(r.now, 1, b, &po)
		r.fromSwitch(&po)
	}
}

// letUp gives the core the next n messages of the switch.
func (r *rig) letUp(n int) {
	for ; n > 0 && len(r.queue) > 0; n-- {
		frame := r.queue[0]
		r.queue = r.queue[1:]
		var out Out
		r.d.FromSwitch(r.now, frame, &out)
		r.pump(&out)
	}
}

// quiet lets everything through until all is quiet.
func (r *rig) quiet() {
	for len(r.onWay.down)+len(r.queue) > 0 {
		r.letDown(len(r.onWay.down))
		r.letUp(len(r.queue))
	}
}

// crossing is a world in which messages and frames meet on their way.
type crossing struct {
	*world
	rng     *rand.Rand
	live    bool // the flowspace changes meanwhile
	foreign string
	answers map[string]int // by slice and xid
	asked   map[string]string
	removed map[string]int // flow_removed by flow
}

// hear counts what the controllers have got.
func (c *crossing) hear() {
	for _, name := range c.names {
		for _, m := range c.r.take(name) {
			switch m := m.(type) {
			case *of10.FlowRemoved:
				c.removed[fmt.Sprint(name, m.Match, m.Priority, m.Cookie)]++
			case *of10.StatsReply:
				if m.Flags&of10.StatsReplyMore == 0 {
					c.answers[fmt.Sprint(name, m.XID)]++
				}
			case *of10.Error:
				if m.ErrType != of10.ErrorBadRequest { // the buffer, which has nothing to do with the flow
					c.answers[fmt.Sprint(name, m.XID)]++
				}
			case *of10.BarrierReply:
				c.answers[fmt.Sprint(name, m.TransactionID())]++
			}
		}
	}
}

// once checks that every question was answered once, nothing was refused twice, and no
// flow ended twice.
func (c *crossing) once() error {
	for id, what := range c.asked {
		if n := c.answers[id]; n != 1 {
			return fmt.Errorf("%s, %s, got %d answers", what, id, n)
		}
	}
	for id, n := range c.answers {
		if n > 1 && c.asked[id] == "" {
			return fmt.Errorf("%s got %d errors", id, n)
		}
	}
	for flow, n := range c.removed {
		if n > 1 {
			return fmt.Errorf("%d flow_removed of %s", n, flow)
		}
	}
	return nil
}

// ask sends a question to which there is one answer.
func (c *crossing) ask() {
	name := pick(c.rng, c.names)
	all := of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}
	m := pick(c.rng, []of10.Message{
		&of10.BarrierRequest{}, &of10.StatsRequest{StatsType: of10.StatsFlow, Body: all}, &of10.StatsRequest{StatsType: of10.StatsAggregate, Body: of10.AggregateStatsRequest(all)},
		&of10.StatsRequest{StatsType: of10.StatsTable}, &of10.StatsRequest{StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: of10.PortNone}},
	})
	c.xid++
	m.SetTransactionID(c.xid)
	c.asked[fmt.Sprint(name, c.xid)] = fmt.Sprintf("%T", m)
	var out Out
	c.r.d.FromController(c.r.now, name, Conn{ID: 1}, encode(c.r.t, m), &out)
	c.r.pump(&out)
}

// away takes a slice's controller away, brings it back, or takes the whole slice away.
func (c *crossing) away() {
	var out Out
	name := pick(c.rng, c.names)
	s := c.r.d.slices[name]
	switch {
	case c.rng.IntN(2) == 0:
		c.r.d.RemoveSlice(c.r.now, name, &out)
		for id := range c.asked {
			if strings.HasPrefix(id, name) {
				delete(c.asked, id)
			}
		}
		clear(c.removed)
		c.r.d.SetSlice(c.r.now, SliceConfig{Name: name, MaxFlows: -1}, &out)
	case s.up:
		c.r.d.ControllerDown(c.r.now, name)
	}
	c.r.d.ControllerUp(c.r.now, name, &out)
	c.r.pump(&out)
}

// in lets a frame come in and checks that nothing of it leaves its owner's space.
func (c *crossing) in() {
	in, data := of10.Port(1+c.rng.IntN(worldPorts)), randomPacket(c.rng)
	var po ofswitch.Out
	c.r.phys.HandleFrame(c.r.now, in, ofswitch.InFrame{Data: slices.Clone(data)}, &po)
	h := packet.Parse(data, uint32(in))
	owner := c.owner(h)
	for _, f := range po.Frames {
		now := c.owner(packet.Parse(f.Frame.Data, uint32(in)))
		if c.live || owner != nil && now != nil && slices.ContainsFunc(owner.Grants, func(g flowspace.Grant) bool {
			return g.Perm&flowspace.Write != 0 && now.Allows(g.Slice, flowspace.Write) && c.has(g.Slice, f.Port)
		}) {
			continue
		}
		c.foreign = fmt.Sprintf("a frame of rule %v, %+v, left by %d as %+v", owner, h, f.Port, packet.Parse(f.Frame.Data, uint32(in)))
	}
	po.Frames = nil
	c.r.fromSwitch(&po)
}

func (c *crossing) tick() {
	c.r.now = c.r.now.Add(time.Duration(1+c.rng.IntN(1000)) * time.Millisecond)
	var po ofswitch.Out
	c.r.phys.Tick(c.r.now, &po)
	c.r.fromSwitch(&po)
	for _, s := range c.ded { // only asked what is in their tables
		s.p.Tick(c.r.now, &s.out)
		s.collect()
	}
	var out Out
	c.r.d.Tick(c.r.now, &out)
	c.r.pump(&out)
}

// reconnect loses all that is on its way, and begins anew.
func (c *crossing) reconnect() {
	c.r.onWay.down, c.r.queue = nil, nil
	clear(c.asked)
	refuse := c.r.refuse
	c.r.refuse = nil
	var out Out
	c.r.d.Connect(c.r.now, c.r.features(), pick(c.rng, []Policy{Adopt, Adopt, Flush}), &out)
	c.r.pump(&out)
	c.r.quiet()
	c.r.refuse = refuse
	if !c.r.d.Ready() {
		c.foreign = "not ready after a reconnect"
	}
}

func (c *crossing) step() {
	switch k := c.rng.IntN(20); {
	case k < 6:
		c.flowMod(c.rng)
	case k < 9:
		c.r.letDown(1 + c.rng.IntN(4))
	case k < 12:
		c.r.letUp(1 + c.rng.IntN(4))
	case k < 15:
		c.in()
	case k < 17:
		c.tick()
	case k < 18:
		c.ask()
	case k < 19:
		c.packetOut(c.rng)
	case c.live && c.rng.IntN(3) == 0:
		c.respace(c.rng)
	case c.rng.IntN(5) == 0:
		c.away()
	case c.rng.IntN(5) == 0:
		c.reconnect()
	default:
		c.portMod(c.rng)
	}
	c.hear()
	c.wrong, c.r.sent = "", nil
}

// Whatever is on its way at the same time: in the end the switch has what compiling
// from scratch makes, and at no time anybody's frames are taken by somebody else.
func TestMessagesThatCross(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*crossingSeeds) {
		messagesThatCross(t, seed, *crossingFirst)
	}
	messagesThatCross(t, 5, 1017616) // the switch refuses to close a port, while another is closed
}

func messagesThatCross(t *testing.T, seed, first uint64) {
	t.Helper()
	w := newWorld(t, 900000+seed+first)
	w.r.ids, w.r.onWay = nil, &onWay{}
	c := &crossing{
		world: w, rng: rand.New(rand.NewPCG(seed+first, 11)), live: seed%3 == 0,
		answers: map[string]int{}, asked: map[string]string{}, removed: map[string]int{},
	}
	if seed%4 == 1 {
		c.r.refuse = func(m *of10.FlowMod) bool { return m.Command != of10.FlowDeleteStrict && c.rng.IntN(12) == 0 }
	}
	for n := range 80 {
		c.step()
		if c.foreign != "" && c.r.refuse == nil { // else a flow is there without its guard until the core hears of it
			t.Fatalf("seed %d step %d: %s", seed, n, c.foreign)
		}
	}
	c.r.refuse = nil
	c.r.quiet()
	for range 8 {
		c.tick()
		c.r.quiet()
	}
	c.hear()
	if err := cmp.Or(c.once(), w.invariants()); err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(w.log, "\n"))
	}
}

// crossed is a rig with messages on their way.
func crossed(t *testing.T, rules ...string) *rig {
	t.Helper()
	r := newRig(t, 4, rules...)
	r.onWay = &onWay{}
	return r
}

// A MODIFY that comes too late, when the flow has run out or was never taken, makes a
// switch add it. Nobody would know of that flow.
func TestModifyThatComesTooLate(t *testing.T) {
	t.Parallel()
	modify := func(r *rig) {
		m := flowMod(t, "dl_vlan=5 actions=output:2")
		m.Command = of10.FlowModify
		r.send("alice", m)
	}
	t.Run("behind the end", func(t *testing.T) {
		r := crossed(t, "100 in_port=1-2 alice=7")
		r.add("alice", "dl_vlan=5,idle_timeout=2,cookie=9 actions=output:1")
		r.quiet()
		var po ofswitch.Out
		r.now = r.now.Add(3 * time.Second)
		r.phys.Tick(r.now, &po) // the switch says so
		r.fromSwitch(&po)
		modify(r)
		r.quiet()
		got := r.take("alice")
		if len(got) != 1 || got[0].(*of10.FlowRemoved).Reason != of10.RemovedIdleTimeout {
			t.Errorf("alice got %v, want one flow_removed", got)
		}
		r.nothingLeft("alice")
	})
	t.Run("behind a refusal", func(t *testing.T) {
		r := crossed(t, "100 in_port=1-2 alice=7")
		r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd && m.Match.InPort == 1 }
		r.add("alice", "dl_vlan=5 actions=output:1")
		modify(r)
		r.quiet()
		m := flowMod(t, "actions=drop")
		m.Command = of10.FlowDelete
		r.send("alice", m)
		r.quiet()
		r.nothingLeft("alice")
	})
}

// nothingLeft checks that a slice has no flow, neither in its table nor in the switch.
func (r *rig) nothingLeft(slice string) {
	r.t.Helper()
	if n := r.d.FlowCount(slice); n != 0 {
		r.t.Errorf("%s has %d flows", slice, n)
	}
	for _, l := range r.table() {
		if !strings.Contains(l, "CONTROLLER") {
			r.t.Errorf("still in the switch: %s", l)
		}
	}
}

// An ADD that is refused leaves the flow in the switch whose place it would have taken.
func TestRefusedReplacement(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=7")
	r.add("alice", "dl_vlan=5 actions=output:1,in_port") // its flow_removed is asked for
	plain := flowMod(t, "dl_vlan=5 actions=output:1")
	r.send("alice", plain)
	m := flowMod(t, "dl_vlan=5 actions=output:1,output:1")
	r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd }
	r.send("alice", m) // what it replaced cannot be put in again either
	r.refuse = nil
	r.pass(2 * time.Second)
	m = flowMod(t, "actions=drop")
	m.Command = of10.FlowDelete
	r.send("alice", m)
	r.pass(2 * time.Second)
	r.nothingLeft("alice")
}

// What keeps frames of one slice from coming up must not take another's where the switch
// refuses the guard in between.
func TestRefusedGuardOfADrop(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]func(r *rig){
		"closed port": func(r *rig) {
			r.send("alice", &of10.PortMod{PortNo: 1, HWAddr: [6]byte{2, 0, 0, 0, 0, 1}, Config: of10.PortConfigNoRecv, Mask: of10.PortConfigNoRecv})
		},
		"nobody there": func(r *rig) {
			var out Out
			r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: -1, Drop: DropRule}, &out)
			r.d.ControllerDown(r.now, "alice")
			r.pump(&out)
			r.frame(1, pkt{}.bytes())
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 4, "20 dl_vlan=5 bob=7", "10 any alice=7")
			r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd && m.Match.DLVLAN == 5 }
			drop(r)
			r.refuse = nil
			if r.frame(1, pkt{vlan: 5}.bytes()); len(packetIns(r.take("bob"))) != 1 {
				t.Errorf("bob did not hear of his frame; the switch has %v", r.table())
			}
		})
	}
}

// A barrier is answered when what the switch refused before it has been taken back.
func TestBarrierBehindARefusal(t *testing.T) {
	t.Parallel()
	r := crossed(t, "100 in_port=1 alice=7", "100 in_port=2 alice=7")
	r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd && m.Match.InPort == 2 }
	r.add("alice", "dl_vlan=5 actions=output:1,in_port")
	r.send("alice", &of10.BarrierRequest{XID: 77})
	for len(r.onWay.down)+len(r.queue) > 0 {
		r.letDown(1)
		r.letUp(1)
		got := r.take("alice")
		for _, m := range got {
			if m.Type() != of10.TypeBarrierReply {
				continue
			}
			if m.TransactionID() != 77 {
				t.Errorf("barrier reply with xid %d", m.TransactionID())
			}
			r.nothingLeft("alice")
			return
		}
	}
	t.Error("no barrier reply")
}

// Of emergency flows, too, each message that is refused is answered with one error.
func TestRefusedEmergencyFlowsThatCross(t *testing.T) {
	t.Parallel()
	r := crossed(t, "100 in_port=1 alice=7", "100 in_port=2 alice=7")
	r.refuse = func(m *of10.FlowMod) bool { return m.Flags&of10.FlowModEmerg != 0 }
	for xid, c := range []of10.FlowModCommand{of10.FlowAdd, of10.FlowAdd, of10.FlowModify, of10.FlowDelete} {
		m := flowMod(t, "actions=output:1")
		m.XID, m.Flags, m.Command = uint32(xid+1), of10.FlowModEmerg, c
		r.send("alice", m)
	}
	r.quiet()
	var got []uint32
	for _, m := range r.take("alice") {
		got = append(got, m.TransactionID())
	}
	slices.Sort(got)
	if !slices.Equal(got, []uint32{1, 2, 3, 4}) {
		t.Errorf("errors for %v, want one for each of 1 to 4", got)
	}
	if n := r.d.slices["alice"].table.EmergencyLen(); n != 0 {
		t.Errorf("%d emergency flows", n)
	}
}

// A frame that a slice makes the switch send up comes to nobody else's ears, and nobody
// else's frame to its own, also when its header is the same.
func TestFramesSentUpThatLookAlike(t *testing.T) {
	t.Parallel()
	buffer := func(r *rig, frame []byte) uint32 {
		r.frame(1, frame)
		r.letUp(1)
		in := packetIns(r.take("alice"))
		if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
			t.Fatalf("alice got %v", in)
		}
		return in[0].BufferID
	}
	up := []of10.Action{of10.Output(of10.PortController, 0xffff)}
	t.Run("a probe of another slice", func(t *testing.T) {
		r := crossed(t, "100 dl_vlan=0xffff alice=7", "100 dl_vlan=5 bob=7")
		r.send("bob", &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Actions: []of10.Action{of10.Output(2, 0)}, Data: lldpFrame(7)})
		r.letDown(100)
		probe := []byte(r.takeSent()[0].data)
		id := buffer(r, lldpFrame(9)) // a host's, with bob's addresses
		r.frame(1, probe)
		r.send("alice", &of10.PacketOut{BufferID: id, InPort: 1, Actions: up})
		r.quiet()
		if in := packetIns(r.take("alice")); len(in) != 1 || string(in[0].Data) != string(lldpFrame(9)) {
			t.Errorf("alice got %v, want what she asked for", in)
		}
		if in := packetIns(r.take("bob")); len(in) != 1 || string(in[0].Data) != string(lldpFrame(7)) {
			t.Errorf("bob got %v, want his probe", in)
		}
	})
	t.Run("a frame of the next owner", func(t *testing.T) {
		for _, in := range []of10.Port{1, of10.PortNone} {
			r := crossed(t, "100 in_port=2-3 bob=7", "90 any alice=7")
			id := buffer(r, pkt{}.bytes())
			r.send("alice", &of10.PacketOut{BufferID: id, InPort: in, Actions: up})
			r.respace(parseRules(t, "110 in_port=1 bob=7")...)
			r.quiet()
			if a := packetIns(r.take("alice")); (len(a) != 0) != (in == of10.PortNone) { // port 4 is hers yet
				t.Errorf("alice got %v", a)
			}
			if b := packetIns(r.take("bob")); len(b) != 0 {
				t.Errorf("bob got %v", b)
			}
		}
	})
}

// An error that comes when its guard has been given up already leaves the guard alone that
// has come in its place.
func TestErrorOfAGuardThatIsGone(t *testing.T) {
	t.Parallel()
	r := crossed(t, "20 dl_vlan=5 bob=7", "10 any alice=7")
	r.add("bob", "dl_vlan=5,in_port=3 actions=output:4") // keeps his rank
	r.quiet()
	refused := false
	r.refuse = func(m *of10.FlowMod) bool {
		no := !refused && m.Command == of10.FlowAdd && m.Match.DLVLAN == 5
		refused = refused || no
		return no
	}
	r.add("alice", "priority=1 actions=output:2")
	r.flow("alice", of10.FlowDelete, "actions=drop")
	r.add("alice", "priority=2,in_port=1 actions=output:2")
	r.quiet()
	r.take("alice")
	r.add("alice", "priority=3,in_port=2 actions=output:2")
	r.quiet()
	r.flow("alice", of10.FlowDelete, "in_port=2 actions=drop")
	r.quiet()
	if r.frame(1, pkt{vlan: 5}.bytes()); !refused || len(r.queue) == 0 {
		t.Fatalf("bob's frame did not come up; the switch has %v", r.table())
	}
	r.quiet()
	if in := packetIns(r.take("bob")); len(in) != 1 {
		t.Errorf("bob got %v", in)
	}
}

// The end of a flow is told at once, also if a MODIFY of it has not been confirmed.
func TestEndBehindAModify(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 any alice=7")
	r.add("alice", "hard_timeout=2 actions=flood")
	r.pass(1500 * time.Millisecond)
	r.send("alice", &of10.PortMod{PortNo: 1, HWAddr: [6]byte{2, 0, 0, 0, 0, 1}, Config: of10.PortConfigNoFlood, Mask: of10.PortConfigNoFlood})
	r.pass(500 * time.Millisecond)
	if got := r.take("alice"); len(got) != 1 || got[0].Type() != of10.TypeFlowRemoved {
		t.Errorf("alice got %v, want flow_removed", got)
	}
}
