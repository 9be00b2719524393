package ofswitch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// slowLookup is the oracle: every flow is tried against the twelve fields one by
// one, as the specification words it.
func slowLookup(flows []*flowtable.Flow, h packet.Header) *flowtable.Flow {
	var best *flowtable.Flow
	level := func(f *flowtable.Flow) int {
		if f.Match.Wildcards == 0 {
			return 1 << 16
		}
		return int(f.Priority)
	}
	for _, f := range flows { // oldest first
		if slowMatches(f.Match, h) && (best == nil || level(f) > level(best)) {
			best = f
		}
	}
	return best
}

func slowMatches(m of10.Match, h packet.Header) bool {
	w := m.Wildcards
	field := func(bit uint32, equal bool) bool { return w&bit != 0 || equal }
	prefix := func(ignored int, a, b uint32) bool { return ignored >= 32 || a>>ignored == b>>ignored }
	return field(of10.WildInPort, uint32(m.InPort) == h.InPort) &&
		field(of10.WildDLSrc, m.DLSrc == h.DLSrc) && field(of10.WildDLDst, m.DLDst == h.DLDst) &&
		field(of10.WildDLVLAN, m.DLVLAN == h.DLVLAN) && field(of10.WildDLVLANPCP, m.DLVLANPCP == h.DLVLANPCP) &&
		field(of10.WildDLType, m.DLType == h.DLType) && field(of10.WildNWTos, m.NWTos == h.NWTos) &&
		field(of10.WildNWProto, m.NWProto == h.NWProto) &&
		prefix(m.NWSrcBits(), m.NWSrc, h.NWSrc) && prefix(m.NWDstBits(), m.NWDst, h.NWDst) &&
		field(of10.WildTPSrc, m.TPSrc == h.TPSrc) && field(of10.WildTPDst, m.TPDst == h.TPDst)
}

// TestLookupOracle runs random flow_mods and frames over a small header space and
// compares what the switch did with the oracle, frame by frame.
func TestLookupOracle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { lookupOracle(t, seed) })
	}
}

func lookupOracle(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	r := newRig(t, Config{})
	frames := randomFrames(rnd, 60)
	for step := range 4000 {
		if rnd.IntN(4) == 0 {
			r.send(randomFlowMod(rnd))
			continue
		}
		if rnd.IntN(40) == 0 {
			r.now = r.now.Add(time.Duration(rnd.IntN(1500)) * time.Millisecond)
		}
		f := frames[rnd.IntN(len(frames))]
		in := of10.Port(1 + rnd.IntN(3))
		r.out.Reset()
		r.p.Tick(r.now, &r.out)
		want := slowLookup(r.p.table.Flows(), packet.Parse(f, uint32(in)))
		var before uint64
		if want != nil {
			before = want.Packets
		}
		r.frame(in, f)
		miss := len(r.messages(ctl)) == 1
		if miss != (want == nil) || want != nil && want.Packets != before+1 {
			t.Fatalf("step %d: frame %x on %d: miss %v, oracle says %+v", step, f, in, miss, want)
		}
	}
}

func randomFrames(rnd *rand.Rand, n int) [][]byte {
	var list [][]byte
	for range n {
		a, b := byte(1+rnd.IntN(3)), byte(1+rnd.IntN(3))
		var f []byte
		switch rnd.IntN(5) {
		case 0:
			f = ethFrame(a, b, 0x88b5, 60)
		case 1:
			f = arpFrame(uint16(1+rnd.IntN(2)), a, b)
		case 2:
			f = icmpFrame(a, b, uint8(rnd.IntN(2)*8), 0)
		case 3:
			f = udpFrame(a, b, uint16(1+rnd.IntN(2)), uint16(1+rnd.IntN(2)), nil)
		default:
			f = tcpFrame(a, b, uint16(1+rnd.IntN(2)), uint16(1+rnd.IntN(2)), 0)
		}
		if rnd.IntN(3) == 0 {
			f = tag(f, uint16(rnd.IntN(2)), uint8(rnd.IntN(2)))
		}
		list = append(list, f)
	}
	return list
}

// randomFlowMod keeps some fields of a random frame's exact match.
func randomFlowMod(rnd *rand.Rand) *of10.FlowMod {
	m := exactMatch(randomFrames(rnd, 1)[0], of10.Port(1+rnd.IntN(3)))
	if rnd.IntN(3) != 0 {
		m.Wildcards = rnd.Uint32() & of10.WildAll
		if rnd.IntN(2) == 0 {
			m.Wildcards |= rnd.Uint32() & of10.WildAll
		}
	}
	fm := add(uint16(rnd.IntN(4)), m)
	fm.Command = of10.FlowModCommand(rnd.IntN(8))
	if fm.Command > of10.FlowDeleteStrict {
		fm.Command = of10.FlowAdd
	}
	fm.IdleTimeout, fm.HardTimeout = uint16(rnd.IntN(3)), uint16(rnd.IntN(4))
	if rnd.IntN(3) == 0 {
		fm.Actions = []of10.Action{output(2), of10.SetVLANVID(7), output(3)}
	}
	return fm
}

// FuzzHandleMessage: no message makes the switch panic, answer with something
// that does not decode, or lose the ability to answer.
func FuzzHandleMessage(f *testing.F) {
	for _, m := range []of10.Message{
		&of10.FeaturesRequest{}, &of10.EchoRequest{Data: []byte("x")}, &of10.SetConfig{MissSendLen: 1}, &of10.BarrierRequest{},
		add(1, matchType(0x800), of10.SetVLANVID(2), of10.SetNWSrc(1), of10.Enqueue(2, 3), output(of10.PortFlood)),
		&of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{output(of10.PortTable)}, Data: tcpFrame(1, 2, 3, 4, 5)},
		&of10.PortMod{PortNo: 1, HWAddr: portMAC(1), Config: 0x10, Mask: 0x10},
		&of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: 255, OutPort: of10.PortNone}},
		&of10.QueueGetConfigRequest{Port: 1},
	} {
		f.Add(encode(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 8 || len(b) > 4096 {
			return
		}
		b[2], b[3] = byte(len(b)>>8), byte(len(b))
		r := newRig(t, Config{})
		r.must(add(2, inPort(1), of10.SetVLANVID(9), output(of10.PortAll)))
		r.raw(b)
		r.frame(1, tcpFrame(1, 2, 3, 4, 5))
		if m := r.send(&of10.BarrierRequest{}); len(m) != 1 || m[0].Type() != of10.TypeBarrierReply {
			t.Fatalf("barrier answered with %v", m)
		}
	})
}

// FuzzHandleFrame: no frame makes the switch panic, and what is only forwarded
// leaves as it came.
func FuzzHandleFrame(f *testing.F) {
	f.Add(tcpFrame(1, 2, 3, 4, 5))
	f.Add(tag(arpFrame(1, 1, 2), 5, 3))
	f.Add(icmpFrame(1, 2, 8, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 70000 {
			return
		}
		r := newRig(t, Config{})
		r.must(add(1, of10.MatchAll(), output(2),
			of10.SetVLANVID(1), of10.SetVLANPCP(2), of10.SetDLSrc([6]byte{2}), of10.SetDLDst([6]byte{4}),
			of10.SetNWSrc(1), of10.SetNWDst(2), of10.SetNWTos(4), of10.SetTPSrc(5), of10.SetTPDst(6), output(3),
			of10.StripVLAN(), output(4), output(of10.PortController)))
		before := string(b)
		out := r.frame(1, b)
		if len(b) < 14 {
			if len(out) != 0 {
				t.Fatal("a runt was forwarded")
			}
			return
		}
		if len(out) != 3 || string(out[0].Frame.Data) != before || string(b) != before {
			t.Fatalf("%d outputs, or the input changed", len(out))
		}
	})
}
