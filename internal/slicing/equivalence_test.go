package slicing

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
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
	equivalenceSteps = flag.Int("equivalence.steps", 6000, "random steps of the equivalence test")
	equivalenceSeed  = flag.Uint64("equivalence.seed", 0, "first seed; 0 takes 1, or the time in a long run")
)

// world is one random case: a flowspace with slices over one switch, and one
// dedicated switch per slice.
type world struct {
	r       *rig
	names   []string
	ded     map[string]*dedicated
	seq     map[string]int
	nextSeq int
	miss    map[string]int
	bufs    map[string][]bufferPair
	used    map[virtualID]bool // buffers that a dedicated switch has been told to use
	spoiled map[*of10.PacketIn]bool
	marked  []markedFrame
	shared  bool // some rule has several writers
	xid     uint32
	log     []string
	wrong   string // what the core did not refuse, or should not have
}

const worldPorts = 4

func newWorld(t testing.TB, seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 0))
	w := &world{
		names: []string{"alice", "bob", "carol"}[:2+rng.IntN(2)], ded: map[string]*dedicated{}, seq: map[string]int{}, miss: map[string]int{},
		bufs: map[string][]bufferPair{}, used: map[virtualID]bool{}, spoiled: map[*of10.PacketIn]bool{}, shared: rng.IntN(4) == 0,
	}
	var rules []string
	for range 1 + rng.IntN(6) {
		rules = append(rules, w.randomRule(rng))
	}
	w.log = append(w.log, "rules: "+strings.Join(rules, "; "))
	w.r = newRigOver(t, testPorts(worldPorts), space(t, rules...), 4096)
	if seed%2 == 0 {
		w.r.d.few = 0 // as if there were many rules
	}
	if rng.IntN(2) == 0 {
		w.r.ids = reuse(uint32(3 + rng.IntN(6)))
	}
	var out Out
	for _, n := range w.names {
		w.r.d.SetSlice(w.r.now, SliceConfig{Name: n, MaxFlows: -1, Flood: rng.IntN(2) == 0}, &out)
		w.r.d.ControllerUp(w.r.now, n, &out)
		w.miss[n] = 128
		p := ofswitch.New(ofswitch.Config{DatapathID: testDPID})
		w.ded[n] = &dedicated{name: n, p: p}
		for _, desc := range testPorts(worldPorts) {
			if w.has(n, desc.PortNo) {
				if err := p.AddPort(w.r.now, desc, queues, &w.ded[n].out); err != nil {
					t.Fatal(err)
				}
			}
		}
		p.Connect(1, ofswitch.Primary)
	}
	w.r.pump(&out)
	w.r.got = map[string][]Delivery{}
	return w
}

var queues = []ofswitch.QueueConfig{{ID: 1}, {ID: 2}}

func (w *world) randomRule(r *rand.Rand) string {
	var m []string
	add := func(chance int, list ...string) {
		if r.IntN(100) < chance {
			m = append(m, pick(r, list))
		}
	}
	add(50, "in_port=1", "in_port=2", "in_port=1-2", "in_port=3|4", "in_port=4")
	add(30, "dl_vlan=10", "dl_vlan=20", "dl_vlan=0xffff", "dl_vlan=10|20")
	add(15, "dl_dst=00:00:00:00:00:01", "dl_dst=00:00:00:00:00:02")
	add(10, "dl_src=00:00:00:00:00:01")
	add(35, "dl_type=0x800", "dl_type=0x806", "dl_type=0x800,nw_src=10.0.0.0/16", "dl_type=0x800,nw_src=10.0.1.1", "dl_type=0x800,nw_proto=6,tp_dst=80")
	match := strings.Join(m, ",")
	if match == "" {
		match = "any"
	}
	grants := pick(r, w.names) + "=" + pick(r, []string{"4", "6", "7", "7", "4", "2", "1"})
	if other := pick(r, w.names); r.IntN(4) == 0 && !strings.HasPrefix(grants, other) {
		perm := "2"
		if w.shared {
			perm = "4"
		}
		grants += "," + other + "=" + perm
	}
	extra := ""
	switch r.IntN(8) {
	case 0:
		extra = " force=1"
	case 1:
		extra = " queue=2"
	}
	return fmt.Sprintf("%d %s %s%s", 10*(1+r.IntN(3)), match, grants, extra)
}

func randomPacket(r *rand.Rand) []byte {
	p := pkt{
		src: byte(1 + r.IntN(2)), dst: byte(1 + r.IntN(2)), vlan: pick(r, []int{0, 0, 10, 20, 30}), typ: pick(r, []uint16{0x800, 0x800, 0x800, 0x806, 0x88b5}),
		nwSrc: pick(r, []uint32{0x0a000001, 0x0a000101, 0x0b000001}), tpDst: pick(r, []uint16{80, 22}), bigPayload: pick(r, []int{0, 0, 0, 200, 700}),
	}
	switch r.IntN(20) {
	case 0:
		p.typ = 0x88cc
	case 1:
		p.typ, p.vlan, p.payload = 0x8100, 10, []byte{0, 20, 8, 0} // two tags
		if r.IntN(2) == 0 {
			p.typ = 0x88a8
		}
	}
	if p.vlan != 0 && r.IntN(8) == 0 {
		p.tpid = 0x88a8
	}
	b := p.bytes()
	if p.typ == 0x806 {
		copy(b[len(b)-46:], []byte{0, 1, 8, 0, 6, 4, 0, byte(1 + r.IntN(2))})
	}
	if r.IntN(30) == 0 {
		copy(b, []byte{1, 0x80, 0xc2, 0, 0, 0})
	}
	if l3 := packet.ParseInto(b, 0, new(packet.Header)).L3; p.typ == 0x800 {
		switch r.IntN(20) {
		case 0, 1:
			copy(b[l3+6:], pick(r, [][]byte{{0x20, 0}, {0, 5}})) // a first or later fragment
		case 2:
			b = b[:int(l3)+pick(r, []int{10, 20, 25})] // cut short
		}
	}
	return b
}

func randomMatchText(r *rand.Rand) string {
	var m []string
	add := func(chance int, list ...string) {
		if r.IntN(100) < chance {
			m = append(m, pick(r, list))
		}
	}
	all := 40
	if r.IntN(5) == 0 {
		all = 100
	}
	add(all, "in_port=1", "in_port=2", "in_port=3", "in_port=4")
	add(all, "dl_src=00:00:00:00:00:01", "dl_src=00:00:00:00:00:02")
	add(all, "dl_dst=00:00:00:00:00:01", "dl_dst=00:00:00:00:00:02")
	switch {
	case all == 100 && r.IntN(2) == 0:
		m = append(m, "dl_vlan=0xffff,dl_vlan_pcp=0")
	default:
		add(all, "dl_vlan=10", "dl_vlan=20", "dl_vlan=0xffff", "dl_vlan=10,dl_vlan_pcp=0")
	}
	if r.IntN(2) == 0 || all == 100 {
		switch r.IntN(4) {
		case 0:
			m = append(m, "dl_type=0x806")
			add(all, "nw_proto=1,nw_src=0.0.0.0,nw_dst=0.0.0.0")
		case 1:
			m = append(m, pick(r, []string{"dl_type=0x88b5", "dl_type=0x88b5", "dl_type=0x8100", "dl_type=0x88a8"}))
		default:
			m = append(m, "dl_type=0x800")
			add(all, "nw_src=10.0.0.0/16", "nw_src=10.0.0.1", "nw_src=10.0.1.1", "nw_src=8.0.0.0/6")
			add(all, "nw_dst=10.0.0.99")
			add(all, "nw_tos=0")
			if all == 100 || r.IntN(2) == 0 {
				m = append(m, "nw_proto=6")
				add(all, "tp_src=7")
				add(all, "tp_dst=80", "tp_dst=22")
			}
		}
	}
	return strings.Join(m, ",")
}

func randomActions(r *rand.Rand, packetOut bool) string {
	var a []string
	for range r.IntN(4) {
		switch n := r.IntN(20); {
		case n < 8:
			a = append(a, fmt.Sprintf("output:%d", 1+r.IntN(worldPorts)))
		case n < 9:
			a = append(a, "in_port")
		case n < 11:
			a = append(a, "flood")
		case n < 12:
			a = append(a, "all")
		case n < 14:
			a = append(a, pick(r, []string{"controller:65535", "controller:30"}))
		case n < 15:
			a = append(a, fmt.Sprintf("enqueue:%d:%d", 1+r.IntN(worldPorts), 1+r.IntN(2)))
		case n < 16 && packetOut:
			a = append(a, "output:table")
		default:
			a = append(a, pick(r, []string{"mod_vlan_vid:10", "mod_vlan_vid:20", "strip_vlan", "mod_vlan_pcp:0", "mod_dl_dst:00:00:00:00:00:02", "mod_dl_src:00:00:00:00:00:01", "mod_nw_src:10.0.0.1", "mod_nw_dst:10.0.0.98", "mod_nw_tos:4", "mod_tp_dst:80", "mod_tp_src:9"}))
		}
	}
	if len(a) == 0 {
		return "drop"
	}
	return strings.Join(a, ",")
}

// step does the n-th random thing. It returns what the two sides differ in.
func (w *world) step(seed uint64, n int) error {
	if w.r.d.restarted > 0 {
		return nil // from here on idle timeouts differ, see Datapath.restarted
	}
	compared++
	r := rand.New(rand.NewPCG(seed, uint64(n)+1))
	switch k := r.IntN(100); {
	case k < 35:
		in, data := of10.Port(1+r.IntN(worldPorts)), randomPacket(r)
		w.logf("frame in=%d %+v len %d", in, packet.Parse(data, uint32(in)), len(data))
		w.r.sent = append(w.r.sent, w.r.frame(in, data)...)
		w.expectFrame(in, data)
	case k < 62:
		w.flowMod(r)
	case k < 72:
		w.packetOut(r)
	case k < 76:
		w.lldp(r)
	case k < 82:
		w.stats(r)
	case k < 88:
		w.pass(1 + r.IntN(3))
	case k < 92:
		w.portMod(r)
	case k < 95:
		w.plain(r)
	case k < 96:
		w.plug(r)
	default:
		w.respace(r)
	}
	if w.r.d.restarted > 0 {
		return nil
	}
	return w.compare()
}

func (w *world) logf(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// both gives a message to a slice's virtual and dedicated switch, in versions that
// differ only in the buffer id.
func (w *world) both(name string, virt, ded of10.Message) {
	w.virtual(name, virt)
	w.real(name, ded, virt.TransactionID())
}

func (w *world) virtual(name string, m of10.Message) []of10.Message {
	w.xid++
	m.SetTransactionID(w.xid)
	var out Out
	w.r.d.FromController(w.r.now, name, Conn{ID: 1}, encode(w.r.t, m), &out)
	n := len(w.r.got[name])
	w.r.pump(&out)
	var list []of10.Message
	for _, d := range w.r.got[name][n:] {
		p, err := of10.Parse(d.Frame)
		if err != nil {
			w.r.t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func (w *world) real(name string, m of10.Message, xid uint32) {
	m.SetTransactionID(xid)
	s := w.ded[name]
	s.p.HandleMessage(w.r.now, 1, encode(w.r.t, m), &s.out)
	s.collect()
}

// refused reports whether the core refused with this error, and takes the error off
// what is compared, as a dedicated switch has nobody to protect.
func (w *world) refused(name string, typ of10.ErrorType, code uint16) bool {
	list := w.r.got[name]
	for i, d := range list {
		m, _ := of10.Parse(d.Frame)
		if e, ok := m.(*of10.Error); ok && e.XID == w.xid && e.ErrType == typ && e.Code == code {
			w.r.got[name] = slices.Delete(list, i, i+1)
			return true
		}
	}
	return false
}

// mustRefuse tells which error the core has to give that a dedicated switch would
// not: for ports that are not the slice's.
func (w *world) mustRefuse(name string, list []of10.Action) (code uint16, refuse bool) {
	for _, a := range list {
		switch a.Type {
		case of10.ActionOutput:
			if a.Port <= of10.PortMax && !w.has(name, a.Port) {
				return of10.BadActionBadOutPort, true
			}
		case of10.ActionEnqueue:
			if !w.has(name, a.Port) {
				return of10.BadActionBadOutPort, true
			}
			ok := false
			for _, r := range w.r.fs.View(testDPID).SliceRules(name) {
				ok = ok || r.Allows(name, flowspace.Write) && r.Match.InPort.Has(uint32(a.Port)) && slices.Contains(r.Queues, a.QueueID)
			}
			if !ok {
				return of10.BadActionBadQueue, true
			}
		}
	}
	return 0, false
}

func setsFields(list []of10.Action) bool {
	return slices.ContainsFunc(list, func(a of10.Action) bool { return a.Type != of10.ActionOutput && a.Type != of10.ActionEnqueue })
}

func TestEquivalence(t *testing.T) {
	steps, first := *equivalenceSteps, max(*equivalenceSeed, 1)
	var until time.Time
	if v := os.Getenv("GOVISOR_EQUIVALENCE"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			t.Fatal(err)
		}
		until, steps = time.Now().Add(d), 1<<62
		if *equivalenceSeed == 0 {
			first = uint64(time.Now().UnixNano())
		}
	}
	if testing.Short() {
		steps = min(steps, 1500)
	}
	const each = 60
	done := 0
	seed := first
	for ; done < steps && (until.IsZero() || time.Now().Before(until)); seed++ {
		all := make([]int, each)
		for i := range all {
			all[i] = i
		}
		if at, err, _ := runCase(t, seed, all); err != nil {
			reportCase(t, seed, all[:at+1])
			return
		}
		done += each
	}
	t.Logf("%d steps (%d compared) in %d worlds from seed %d on, no difference", done, compared, seed-first, first)
}

// shrunk are cases that once showed a fault, as reportCase left them.
var shrunk = []struct {
	fault string
	seed  uint64
	steps []int
}{
	{"a point carved out of a piece had the piece's own priority", 16192, []int{12, 48}},
}

func TestShrunkCases(t *testing.T) {
	for _, c := range shrunk {
		if _, err, log := runCase(t, c.seed, c.steps); err != nil {
			t.Errorf("%s: seed %d steps %v:\n%s\n\n%v", c.fault, c.seed, c.steps, strings.Join(log, "\n"), err)
		}
	}
}

// compared counts the steps that were looked at; a world ends early when an idle
// timer had to start anew.
var compared int

// runCase runs the given steps of a case; at is where it failed.
func runCase(t testing.TB, seed uint64, steps []int) (at int, err error, log []string) {
	w := newWorld(t, seed)
	for i, n := range steps {
		if err := w.step(seed, n); err != nil {
			return i, err, w.log
		}
		if err := w.invariants(); err != nil {
			return i, err, w.log
		}
	}
	return 0, nil, nil
}

// reportCase makes a failing case smaller, step by step, and prints it.
func reportCase(t *testing.T, seed uint64, steps []int) {
	for again := true; again; {
		again = false
		for i := len(steps) - 2; i >= 0; i-- {
			fewer := slices.Delete(slices.Clone(steps), i, i+1)
			if at, err, _ := runCase(t, seed, fewer); err != nil {
				steps, again = fewer[:at+1], true
				i = min(i, len(steps)-1)
			}
		}
	}
	_, err, log := runCase(t, seed, steps)
	t.Errorf("seed %d steps %v:\n%s\n\n%v", seed, steps, strings.Join(log, "\n"), err)
}
