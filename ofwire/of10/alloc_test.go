package of10

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// hotFrames are the messages of the hot path: a 12-tuple flow_mod with two actions, and a
// 128-byte packet_in and packet_out.
func hotFrames() (mod, in, out []byte) {
	mod = encodeOrPanic(&FlowMod{XID: 1, Match: tcpMatch(), Priority: 100, BufferID: NoBuffer, OutPort: PortNone,
		Actions: []Action{SetDLDst(mac(9)), Output(2, 0)}})
	in = encodeOrPanic(&PacketIn{XID: 2, BufferID: NoBuffer, TotalLen: 110, InPort: 1, Data: make([]byte, 128-packetInLen)})
	out = encodeOrPanic(&PacketOut{XID: 3, BufferID: NoBuffer, InPort: 1, Actions: []Action{Output(2, 0)}, Data: make([]byte, 104)})
	return mod, in, out
}

// TestNoAllocations is the promise of the package comment; the hot path relies on it.
func TestNoAllocations(t *testing.T) {
	modFrame, inFrame, outFrame := hotFrames()
	var mod FlowMod
	var in PacketIn
	var out PacketOut
	buf := make([]byte, 0, 4096)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var actions []Action
	every, err := AppendActions(nil, everyAction())
	must(err)
	for name, f := range map[string]func(){
		"decode flow_mod":   func() { must(mod.UnmarshalBinary(modFrame)) },
		"decode packet_in":  func() { must(in.UnmarshalBinary(inFrame)) },
		"decode packet_out": func() { must(out.UnmarshalBinary(outFrame)) },
		"decode actions": func() {
			list, err := ParseActions(every, actions[:0])
			must(err)
			actions = list
		},
		"encode flow_mod": func() {
			b, err := mod.AppendBinary(buf)
			must(err)
			buf = b[:0]
		},
		"encode packet_in": func() {
			b, err := in.AppendBinary(buf)
			must(err)
			buf = b[:0]
		},
		"encode packet_out": func() {
			b, err := out.AppendBinary(buf)
			must(err)
			buf = b[:0]
		},
		"check":        func() { must(Check(modFrame)) },
		"normalise":    func() { mod.Match = mod.Match.Normalize() },
		"peek a match": func() { mod.Match = FlowModMatch(modFrame) },
		"peek and patch": func() {
			PutXID(inFrame, XID(inFrame)+1)
			PutPacketInBufferID(inFrame, PacketInBufferID(inFrame))
		},
		"compare actions": func() {
			if !ActionsEqual(mod.Actions, mod.Actions) {
				t.Fatal("not equal")
			}
		},
	} {
		f() // grow what is reused
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// TestFlowStatsAllocations: a reply costs two allocations for all its flows, one for the
// interface, not some for each.
func TestFlowStatsAllocations(t *testing.T) {
	flows := make(FlowStatsReply, 500)
	for i := range flows {
		flows[i] = FlowStats{Match: tcpMatch(), Priority: uint16(i), Actions: []Action{SetVLANVID(1), Output(2, 0)}}
	}
	want := &StatsReply{XID: 1, StatsType: StatsFlow, Body: flows}
	b := encode(t, want)
	var got StatsReply
	if n := testing.AllocsPerRun(20, func() {
		if err := got.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
	}); n > 3 {
		t.Errorf("%v allocations for 500 flows, want at most 3", n)
	}
	if d := cmp.Diff(want, &got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestReuseKeepsActions: decoding into a used value reuses its list and its memory.
func TestReuseKeepsActions(t *testing.T) {
	t.Parallel()
	frame, _, _ := hotFrames()
	m := FlowMod{Actions: make([]Action, 3, 8)}
	first := &m.Actions[0]
	if err := m.UnmarshalBinary(frame); err != nil {
		t.Fatal(err)
	}
	if len(m.Actions) != 2 || &m.Actions[0] != first {
		t.Errorf("%d actions, reused %v", len(m.Actions), &m.Actions[0] == first)
	}
}

func BenchmarkDecodeFlowMod(b *testing.B) {
	frame, _, _ := hotFrames()
	var m FlowMod
	b.ReportAllocs()
	for b.Loop() {
		if err := m.UnmarshalBinary(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePacketIn(b *testing.B) {
	_, frame, _ := hotFrames()
	var m PacketIn
	b.ReportAllocs()
	for b.Loop() {
		if err := m.UnmarshalBinary(frame); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadPacketIns cuts back-to-back 128-byte packet_ins from a stream in memory and
// decodes them; an operation is one message.
func BenchmarkReadPacketIns(b *testing.B) {
	const batch = 4096
	_, frame, _ := hotFrames()
	stream := bytes.Repeat(frame, batch)
	src := bytes.NewReader(stream)
	r := ofwire.NewReader(src, 64<<10)
	var m PacketIn
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	left := batch
	for b.Loop() {
		if left == 0 {
			src.Reset(stream)
			left = batch
		}
		left--
		f, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		if err := m.UnmarshalBinary(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePacketOut(b *testing.B) {
	_, _, frame := hotFrames()
	var m PacketOut
	b.ReportAllocs()
	for b.Loop() {
		if err := m.UnmarshalBinary(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkEncode(b *testing.B, frame []byte) {
	m, err := Parse(frame)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = m.AppendBinary(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeFlowMod(b *testing.B) {
	frame, _, _ := hotFrames()
	benchmarkEncode(b, frame)
}

func BenchmarkEncodePacketIn(b *testing.B) {
	_, frame, _ := hotFrames()
	benchmarkEncode(b, frame)
}

func BenchmarkEncodePacketOut(b *testing.B) {
	_, _, frame := hotFrames()
	benchmarkEncode(b, frame)
}

// sink keeps results alive.
var sink uint64

func BenchmarkPeek(b *testing.B) {
	_, frame, _ := hotFrames()
	for b.Loop() {
		sink += uint64(PacketInBufferID(frame))
	}
}

func BenchmarkPeekFive(b *testing.B) {
	_, frame, _ := hotFrames()
	for b.Loop() {
		sink += uint64(PeekType(frame)) + uint64(XID(frame)) + uint64(PacketInBufferID(frame)) +
			uint64(PacketInInPort(frame)) + uint64(PacketInReasonOf(frame))
	}
}

func BenchmarkPatch(b *testing.B) {
	_, frame, _ := hotFrames()
	for b.Loop() {
		PutXID(frame, XID(frame)+1)
	}
}

func BenchmarkCheck(b *testing.B) {
	frame, _, _ := hotFrames()
	for b.Loop() {
		if err := Check(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	m := tcpMatch()
	for b.Loop() {
		m = m.Normalize()
	}
}

func BenchmarkParseFlow(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseFlow("priority=100,tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80,actions=mod_vlan_vid:5,output:2", FlowAdd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFlowModString(b *testing.B) {
	frame, _, _ := hotFrames()
	m, err := Parse(frame)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		sink += uint64(len(m.String()))
	}
}
