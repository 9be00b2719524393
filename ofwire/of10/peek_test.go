package of10

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// peeked checks that a reader sees want, that the writer changes just this field, and
// that neither panics on a frame cut anywhere.
func peeked[V comparable](t *testing.T, name string, m Message, want V, get func([]byte) V, put func([]byte, V), set func(V), v V) {
	t.Helper()
	b := encode(t, m)
	if got := get(b); got != want {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
	for i := range b {
		cut := append([]byte(nil), b[:i]...)
		if got := get(cut); got != want && got != *new(V) {
			t.Errorf("%s of %d bytes: got %v", name, i, got)
		}
		if put != nil {
			put(cut, v)
		}
	}
	if put == nil {
		return
	}
	put(b, v)
	set(v)
	if d := cmp.Diff(encode(t, m), b); d != "" {
		t.Errorf("Put%s (-want +got)\n%s", name, d)
	}
}

func TestPeekPatch(t *testing.T) {
	t.Parallel()
	in := samples()["packet in"].(*PacketIn)
	peeked(t, "PacketInBufferID", in, in.BufferID, PacketInBufferID, PutPacketInBufferID, func(v uint32) { in.BufferID = v }, 0x01020304)
	peeked(t, "PacketInTotalLen", in, in.TotalLen, PacketInTotalLen, PutPacketInTotalLen, func(v uint16) { in.TotalLen = v }, 0x0102)
	peeked(t, "PacketInInPort", in, in.InPort, PacketInInPort, PutPacketInInPort, func(v Port) { in.InPort = v }, 0x0102)
	peeked(t, "PacketInReason", in, in.Reason, PacketInReasonOf, PutPacketInReason, func(v PacketInReason) { in.Reason = v }, 9)
	peeked(t, "XID", in, in.XID, XID, PutXID, in.SetTransactionID, 0xdeadbeef)
	mod := samples()["flow mod"].(*FlowMod)
	peeked(t, "FlowModCookie", mod, mod.Cookie, FlowModCookie, PutFlowModCookie, func(v uint64) { mod.Cookie = v }, 0x0102030405060708)
	peeked(t, "FlowModCommand", mod, mod.Command, FlowModCommandOf, PutFlowModCommand, func(v FlowModCommand) { mod.Command = v }, FlowModify)
	peeked(t, "FlowModPriority", mod, mod.Priority, FlowModPriority, PutFlowModPriority, func(v uint16) { mod.Priority = v }, 0x0a0b)
	peeked(t, "FlowModBufferID", mod, mod.BufferID, FlowModBufferID, PutFlowModBufferID, func(v uint32) { mod.BufferID = v }, NoBuffer)
	peeked(t, "FlowModOutPort", mod, mod.OutPort, FlowModOutPort, PutFlowModOutPort, func(v Port) { mod.OutPort = v }, PortNone)
	peeked(t, "FlowModFlags", mod, mod.Flags, FlowModFlagsOf, PutFlowModFlags, func(v FlowModFlags) { mod.Flags = v }, FlowModEmerg)
	put := func(b []byte, m Match) { PutMatch(b, &m) }
	peeked(t, "FlowModMatch", mod, mod.Match, FlowModMatch, put, func(v Match) { mod.Match = v }, MatchAll())
	out := samples()["packet out"].(*PacketOut)
	peeked(t, "PacketOutBufferID", out, out.BufferID, PacketOutBufferID, PutPacketOutBufferID, func(v uint32) { out.BufferID = v }, 7)
	peeked(t, "PacketOutInPort", out, out.InPort, PacketOutInPort, PutPacketOutInPort, func(v Port) { out.InPort = v }, 7)
	gone := samples()["flow removed"].(*FlowRemoved)
	peeked(t, "FlowRemovedCookie", gone, gone.Cookie, FlowRemovedCookie, PutFlowRemovedCookie, func(v uint64) { gone.Cookie = v }, 7)
	peeked(t, "FlowRemovedPriority", gone, gone.Priority, FlowRemovedPriority, PutFlowRemovedPriority, func(v uint16) { gone.Priority = v }, 7)
	peeked(t, "FlowRemovedReason", gone, gone.Reason, FlowRemovedReasonOf, nil, nil, 0)
	peeked(t, "FlowRemovedMatch", gone, gone.Match, FlowRemovedMatch, put, func(v Match) { gone.Match = v }, MatchAll())
	stats := samples()["flow reply"].(*StatsReply)
	peeked(t, "StatsType", stats, stats.StatsType, StatsTypeOf, nil, nil, 0)
	peeked(t, "StatsFlags", stats, stats.Flags, StatsFlagsOf, nil, nil, 0)
	bad := samples()["error"].(*Error)
	peeked(t, "ErrorType", bad, bad.ErrType, ErrorTypeOf, nil, nil, 0)
	peeked(t, "ErrorCode", bad, bad.Code, ErrorCodeOf, nil, nil, 0)
	peeked(t, "Type", bad, TypeError, PeekType, nil, nil, 0)
}

func TestPeekTails(t *testing.T) {
	t.Parallel()
	out := samples()["packet out"].(*PacketOut)
	list, err := AppendActions(nil, out.Actions)
	if err != nil {
		t.Fatal(err)
	}
	frame := encode(t, out)
	for _, c := range []struct {
		name      string
		want, got []byte
	}{
		{"packet_out actions", list, PacketOutActions(frame)},
		{"packet_out data", out.Data, PacketOutData(frame)},
		{"packet_out actions of a short frame", nil, PacketOutActions(frame[:15])},
		{"packet_out data of a short frame", nil, PacketOutData(frame[:20])},
		{"flow_mod actions", list, FlowModActions(encode(t, samples()["flow mod"]))},
		{"packet_in data", []byte{1, 2, 3}, PacketInData(encode(t, samples()["packet in"]))},
		{"error data", []byte{1, 2, 3}, ErrorData(encode(t, samples()["error"]))},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
}

func TestTruncatePacketIn(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{-1: 3, 0: 0, 2: 2, 3: 3, 9: 3, math.MaxInt: 3, math.MinInt: 3} {
		b := TruncatePacketIn(encode(t, samples()["packet in"]), n)
		var m PacketIn
		if err := m.UnmarshalBinary(b); err != nil {
			t.Fatalf("cut to %d: %v", n, err)
		}
		if len(m.Data) != want || m.TotalLen != 1500 {
			t.Errorf("cut to %d: %d bytes of %d, want %d of 1500", n, len(m.Data), m.TotalLen, want)
		}
	}
}

// TestCheck compares Check with the smallest body of every type.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, m := range samples() {
		b := encode(t, m)
		if m.Type() == TypeHello && b[0] != 1 {
			continue
		}
		if err := Check(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range b {
			if Check(b[:n]) == nil {
				t.Errorf("%s: %d of %d bytes pass", name, n, len(b))
			}
		}
		if m.Type() >= numTypes {
			continue
		}
		short := append([]byte(nil), b[:minLens[m.Type()]-1]...)
		if len(short) >= headerLen {
			be.PutUint16(short[2:], uint16(len(short)))
			if Check(short) == nil {
				t.Errorf("%s: a body that is one byte too short passes", name)
			}
		}
	}
}
