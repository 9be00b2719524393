package slicing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// rig is a datapath's core over one reference switch.
type rig struct {
	t    testing.TB
	now  time.Time
	fs   *flowspace.Snapshot
	d    *Datapath
	phys *ofswitch.Pipeline
	got  map[string][]Delivery // messages for the slices' controllers
	sent []wireFrame           // frames that left the switch
	log  []string              // messages to the switch
	xid  uint32

	refuse func(*of10.FlowMod) bool // makes the switch refuse flow_mods

	watch *watcher // looks at the switch's table after every message

	ids *idReuse // makes the switch use few buffer ids, over and over

	queue [][]byte // from the switch, in order
	busy  bool     // somebody works it off

	versions *versionWatch // looks at the slices' tables, with a testing.T

	onWay *onWay // keeps messages between core and switch until they are let through
}

type wireFrame struct {
	port of10.Port
	data string
}

func (f wireFrame) String() string {
	h := packet.Parse([]byte(f.data), 0)
	return fmt.Sprintf("port %d %+v (%d bytes)", f.port, h, len(f.data))
}

const testDPID = 1

var testStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func testPorts(n int) []of10.PhyPort {
	var ports []of10.PhyPort
	for i := 1; i <= n; i++ {
		ports = append(ports, of10.PhyPort{PortNo: of10.Port(i), HWAddr: [6]byte{2, 0, 0, 0, 0, byte(i)}, Name: fmt.Sprintf("p%d", i)})
	}
	return ports
}

func newPipeline(ports []of10.PhyPort, buffers int) *ofswitch.Pipeline {
	p := ofswitch.New(ofswitch.Config{DatapathID: testDPID, Buffers: buffers})
	var out ofswitch.Out
	for _, d := range ports {
		if err := p.AddPort(testStart, d, []ofswitch.QueueConfig{{ID: 1}, {ID: 2}}, &out); err != nil {
			panic(err)
		}
	}
	p.Connect(1, ofswitch.Primary)
	return p
}

// parseRules makes changes of lines "priority match slice=perm,slice=perm [options]".
func parseRules(t testing.TB, lines ...string) []flowspace.Change {
	t.Helper()
	var changes []flowspace.Change
	for _, l := range lines {
		f := strings.Fields(l)
		r := &flowspace.Rule{DPIDs: flowspace.AllDPIDs()}
		if _, err := fmt.Sscan(f[0], &r.Priority); err != nil {
			t.Fatal(err)
		}
		var err error
		if r.Match, err = flowspace.ParseMatch(f[1]); err != nil {
			t.Fatal(err)
		}
		if r.Grants, err = flowspace.ParseGrants(f[2]); err != nil {
			t.Fatal(err)
		}
		for _, o := range f[3:] {
			var q uint32
			switch {
			case strings.HasPrefix(o, "queue="):
				_, err = fmt.Sscanf(o, "queue=%d", &q)
				r.Queues = append(r.Queues, q)
			case strings.HasPrefix(o, "force="):
				_, err = fmt.Sscanf(o, "force=%d", &q)
				r.ForcedQueue, r.HasForcedQueue = q, true
				r.Queues = append(r.Queues, q)
			case strings.HasPrefix(o, "name="):
				r.Name = o[5:]
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		changes = append(changes, flowspace.Change{Op: flowspace.Add, Rule: r})
	}
	return changes
}

func space(t testing.TB, lines ...string) *flowspace.Snapshot {
	t.Helper()
	s, _, err := flowspace.New(flowspace.Options{}).Apply(parseRules(t, lines...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRig(t testing.TB, nPorts int, rules ...string) *rig {
	t.Helper()
	return newRigOver(t, testPorts(nPorts), space(t, rules...), 4096)
}

func newRigOver(t testing.TB, ports []of10.PhyPort, fs *flowspace.Snapshot, buffers int) *rig {
	r := &rig{t: t, now: testStart, fs: fs, got: map[string][]Delivery{}}
	r.phys = newPipeline(ports, buffers)
	r.d = New(Config{DPID: testDPID, Features: r.features(), View: fs.View(testDPID), Key: []byte("key")})
	if _, ok := t.(*testing.T); ok {
		r.d.reusing = r.unreferenced
		r.versions = &versionWatch{core: r.d, seen: map[*slice]versionSeen{}}
	}
	var out Out
	for _, s := range fs.View(testDPID).Slices() {
		r.d.SetSlice(r.now, SliceConfig{Name: s, MaxFlows: -1}, &out)
		r.d.ControllerUp(r.now, s, &out)
	}
	out.Reset()
	r.d.Connect(r.now, r.features(), Adopt, &out)
	r.pump(&out)
	if !r.d.Ready() {
		t.Fatal("not ready after Connect")
	}
	r.got, r.log = map[string][]Delivery{}, nil
	return r
}

func (r *rig) features() *of10.FeaturesReply {
	var out ofswitch.Out
	r.phys.HandleMessage(r.now, 1, encode(r.t, &of10.FeaturesRequest{}), &out)
	m, err := of10.Parse(out.Messages[0].Data)
	if err != nil {
		r.t.Fatal(err)
	}
	return m.(*of10.FeaturesReply)
}

func encode(t testing.TB, m of10.Message) []byte {
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pump carries messages to and fro until all is quiet.
func (r *rig) pump(out *Out) {
	r.versions.look(r)
	if out.faults != 0 {
		r.t.Fatalf("%d messages could not be encoded", out.faults)
	}
	for m := range out.Deliveries() {
		if m.Except == 1 {
			continue // the rig's controllers are all connection 1
		}
		m.Frame = slices.Clone(m.Frame)
		r.got[m.Slice] = append(r.got[m.Slice], m)
	}
	var po ofswitch.Out
	for b := out.Switch(); len(b) > 0; {
		n := int(b[2])<<8 | int(b[3])
		m, err := of10.Parse(b[:n])
		if err != nil {
			r.t.Fatalf("the core sent what cannot be decoded: %v", err)
		}
		r.log = append(r.log, fmt.Sprintf("%v", m))
		if r.onWay != nil {
			r.onWay.down = append(r.onWay.down, slices.Clone(b[:n]))
			b = b[n:]
			continue
		}
		if fm, ok := m.(*of10.FlowMod); ok && r.refuse != nil && r.refuse(fm) {
			r.queue = append(r.queue, encode(r.t, of10.NewError(of10.ErrorFlowModFailed, of10.FlowModFailedAllTablesFull, b[:n])))
			b = b[n:]
			continue
		}
		frame := slices.Clone(b[:n])
		r.ids.toSwitch(frame)
		r.phys.HandleMessage(r.now, 1, frame, &po)
		if r.watch != nil {
			r.watch.sent(r, m)
		}
		b = b[n:]
	}
	r.fromSwitch(&po)
}

func (r *rig) fromSwitch(po *ofswitch.Out) {
	for _, f := range po.Frames {
		r.sent = append(r.sent, wireFrame{f.Port, string(f.Frame.Data)})
	}
	for _, m := range po.Messages {
		if r.watch != nil {
			r.watch.heard(m.Data)
		}
		frame := slices.Clone(m.Data)
		r.ids.fromSwitch(frame)
		r.queue = append(r.queue, frame)
	}
	if r.busy || r.onWay != nil {
		return
	}
	r.busy = true
	for len(r.queue) > 0 {
		frame := r.queue[0]
		r.queue = r.queue[1:]
		var out Out
		r.d.FromSwitch(r.now, frame, &out)
		r.ids.delivered(r.d, frame, &out)
		r.pump(&out)
	}
	r.busy = false
}

// send passes a message of a slice's controller in and returns what its controllers got.
func (r *rig) send(slice string, m of10.Message) []of10.Message {
	r.t.Helper()
	if m.TransactionID() == 0 {
		r.xid++
		m.SetTransactionID(r.xid)
	}
	var out Out
	r.d.FromController(r.now, slice, Conn{ID: 1}, encode(r.t, m), &out)
	r.pump(&out)
	return r.take(slice)
}

// take returns and forgets what a slice's controllers got.
func (r *rig) take(slice string) []of10.Message {
	r.t.Helper()
	var list []of10.Message
	for _, d := range r.got[slice] {
		m, err := of10.Parse(d.Frame)
		if err != nil {
			r.t.Fatal(err)
		}
		list = append(list, m)
	}
	delete(r.got, slice)
	return list
}

// flow sends a flow_mod given in ovs-ofctl syntax.
func (r *rig) flow(slice string, cmd of10.FlowModCommand, text string) []of10.Message {
	r.t.Helper()
	m, err := of10.ParseFlow(text, cmd)
	if err != nil {
		r.t.Fatalf("%s: %v", text, err)
	}
	m.Flags |= of10.FlowModSendFlowRem
	return r.send(slice, m)
}

// add is flow with ADD that must succeed.
func (r *rig) add(slice, text string) {
	r.t.Helper()
	if got := r.flow(slice, of10.FlowAdd, text); len(got) != 0 {
		r.t.Fatalf("add %s for %s: %v", text, slice, got)
	}
}

// frame lets a frame come in by a port and returns what left.
func (r *rig) frame(in of10.Port, data []byte) []wireFrame {
	var po ofswitch.Out
	r.phys.HandleFrame(r.now, in, ofswitch.InFrame{Data: slices.Clone(data)}, &po)
	r.fromSwitch(&po)
	return r.takeSent()
}

func (r *rig) takeSent() []wireFrame {
	s := r.sent
	r.sent = nil
	return s
}

// pass lets time go by.
func (r *rig) pass(d time.Duration) {
	end := r.now.Add(d)
	for r.now.Before(end) {
		r.now = r.now.Add(min(time.Second, end.Sub(r.now)))
		var po ofswitch.Out
		r.phys.Tick(r.now, &po)
		r.fromSwitch(&po)
		var out Out
		r.d.Tick(r.now, &out)
		r.pump(&out)
	}
}

// respace changes the flowspace.
func (r *rig) respace(changes ...flowspace.Change) {
	r.t.Helper()
	s, _, err := r.fs.Apply(changes)
	if err != nil {
		r.t.Fatal(err)
	}
	r.fs = s
	var out Out
	r.d.SetView(r.now, s.View(testDPID), &out)
	r.pump(&out)
}

// table is the reference switch's flow table in words.
func (r *rig) table() []string {
	var po ofswitch.Out
	m := &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}}
	r.phys.HandleMessage(r.now, 1, encode(r.t, m), &po)
	var list []string
	for _, m := range po.Messages {
		p, err := of10.Parse(m.Data)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, f := range p.(*of10.StatsReply).Body.(of10.FlowStatsReply) {
			list = append(list, entryLine(f.Match, f.Priority, f.Actions))
		}
	}
	return list
}

func entryLine(m of10.Match, priority uint16, actions []of10.Action) string {
	return fmt.Sprintf("%v prio=%d actions=%v", m, priority, actions)
}

// lldpFrame is a probe as controllers send them, naming a port.
func lldpFrame(port byte) []byte {
	return append([]byte{1, 0x80, 0xc2, 0, 0, 0x0e, 0, 0, 0, 0, 0, 9, 0x88, 0xcc},
		2, 7, 4, 0, 0, 0, 0, 0, port, 4, 3, 2, 0, port, 6, 2, 0, 120, 0, 0)
}

func ports(frames []wireFrame) (list []int) {
	for _, f := range frames {
		list = append(list, int(f.port))
	}
	slices.Sort(list)
	return list
}

// pkt describes a frame in the words of a test.
type pkt struct {
	src, dst   byte   // last byte of the MAC addresses
	vlan       int    // 0: untagged
	tpid       uint16 // of the tag, 0x8100 if not set
	typ        uint16
	nwSrc      uint32
	tpDst      uint16
	payload    []byte
	bigPayload int
}

func (p pkt) bytes() []byte {
	b := []byte{0, 0, 0, 0, 0, p.dst, 0, 0, 0, 0, 0, p.src}
	if p.vlan != 0 {
		tpid := cmp.Or(p.tpid, 0x8100)
		b = append(b, byte(tpid>>8), byte(tpid), byte(p.vlan>>8), byte(p.vlan))
	}
	typ := p.typ
	if typ == 0 {
		typ = 0x0800
	}
	b = append(b, byte(typ>>8), byte(typ))
	if typ == 0x0800 {
		ip := []byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, byte(p.nwSrc >> 24), byte(p.nwSrc >> 16), byte(p.nwSrc >> 8), byte(p.nwSrc), 10, 0, 0, 99}
		var sum uint32
		for i := 0; i < len(ip); i += 2 {
			sum += uint32(ip[i])<<8 | uint32(ip[i+1])
		}
		sum = sum&0xffff + sum>>16
		ip[10], ip[11] = byte(^sum>>8), byte(^sum)
		b = append(b, ip...)
		tcp := make([]byte, 20)
		tcp[1], tcp[2], tcp[3], tcp[12] = 7, byte(p.tpDst>>8), byte(p.tpDst), 0x50
		b = append(b, tcp...)
	}
	b = append(b, p.payload...)
	b = append(b, make([]byte, p.bigPayload)...)
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

func packetIns(list []of10.Message) (ins []*of10.PacketIn) {
	for _, m := range list {
		if p, ok := m.(*of10.PacketIn); ok {
			ins = append(ins, p)
		}
	}
	return ins
}

func pktHeader(in uint32) flowtable.Words {
	h := packet.Parse(pkt{}.bytes(), in)
	return flowtable.HeaderWords(&h)
}
