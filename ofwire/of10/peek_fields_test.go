package of10

import (
	"bytes"
	"fmt"
	"testing"
)

// peekCase is one field read and written in place.
type peekCase struct {
	name     string
	at, size int
	get      func(b []byte) uint64
	put      func(b []byte, v uint64) // nil: read only
}

// peekOf makes a case from the typed functions.
func peekOf[T ~uint8 | ~uint16 | ~uint32 | ~uint64](name string, at, size int, get func([]byte) T, put func([]byte, T)) peekCase {
	c := peekCase{name: name, at: at, size: size, get: func(b []byte) uint64 { return uint64(get(b)) }}
	if put != nil {
		c.put = func(b []byte, v uint64) { put(b, T(v)) }
	}
	return c
}

// peekCases holds the place of each field to the specification.
func peekCases() []peekCase {
	return []peekCase{
		peekOf("xid", 4, 4, XID, PutXID),
		peekOf("packet_in buffer_id", 8, 4, PacketInBufferID, PutPacketInBufferID),
		peekOf("packet_in total_len", 12, 2, PacketInTotalLen, PutPacketInTotalLen),
		peekOf("packet_in in_port", 14, 2, PacketInInPort, PutPacketInInPort),
		peekOf("packet_in reason", 16, 1, PacketInReasonOf, PutPacketInReason),
		peekOf("flow_mod cookie", 48, 8, FlowModCookie, PutFlowModCookie),
		peekOf("flow_mod command", 56, 2, FlowModCommandOf, PutFlowModCommand),
		peekOf("flow_mod priority", 62, 2, FlowModPriority, PutFlowModPriority),
		peekOf("flow_mod buffer_id", 64, 4, FlowModBufferID, PutFlowModBufferID),
		peekOf("flow_mod out_port", 68, 2, FlowModOutPort, PutFlowModOutPort),
		peekOf("flow_mod flags", 70, 2, FlowModFlagsOf, PutFlowModFlags),
		peekOf("packet_out buffer_id", 8, 4, PacketOutBufferID, PutPacketOutBufferID),
		peekOf("packet_out in_port", 12, 2, PacketOutInPort, PutPacketOutInPort),
		peekOf("flow_removed cookie", 48, 8, FlowRemovedCookie, PutFlowRemovedCookie),
		peekOf("flow_removed priority", 56, 2, FlowRemovedPriority, PutFlowRemovedPriority),
		peekOf("flow_removed reason", 58, 1, FlowRemovedReasonOf, nil),
		peekOf("stats type", 8, 2, StatsTypeOf, nil),
		peekOf("stats flags", 10, 2, StatsFlagsOf, nil),
		peekOf("error type", 8, 2, ErrorTypeOf, nil),
		peekOf("error code", 10, 2, ErrorCodeOf, nil),
	}
}

// TestPeekPlaces: a field is read from and written to its own bytes and no others, in
// every frame that has it, and not at all in a shorter one.
func TestPeekPlaces(t *testing.T) {
	t.Parallel()
	g := newGen(31)
	for _, c := range peekCases() {
		for n := range 100 {
			b := g.bytes(n)
			whole := n >= c.at+c.size
			var want uint64
			if whole {
				for _, x := range b[c.at : c.at+c.size] {
					want = want<<8 | uint64(x)
				}
			}
			if got := c.get(b); got != want {
				t.Errorf("%s of %d bytes: %#x, want %#x", c.name, n, got, want)
			}
			if c.put == nil {
				continue
			}
			v := g.Uint64() >> (64 - 8*c.size)
			expect := bytes.Clone(b)
			if whole {
				putUint(expect[c.at:c.at+c.size], v)
			}
			if c.put(b, v); !bytes.Equal(expect, b) {
				t.Errorf("%s of %d bytes: wrote %x, want %x", c.name, n, b, expect)
			}
		}
	}
}

// TestPeekAgreesWithDecode patches random messages and decodes them.
func TestPeekAgreesWithDecode(t *testing.T) {
	t.Parallel()
	g := newGen(32)
	for i := range 2000 {
		b := encode(t, g.message(i))
		PutXID(b, uint32(i))
		switch PeekType(b) {
		case TypePacketIn:
			PutPacketInBufferID(b, uint32(i)*3)
			PutPacketInTotalLen(b, uint16(i)*5)
			PutPacketInInPort(b, Port(i)*7)
			PutPacketInReason(b, PacketInReason(i))
		case TypePacketOut:
			PutPacketOutBufferID(b, uint32(i)*3)
			PutPacketOutInPort(b, Port(i)*7)
		case TypeFlowMod:
			PutFlowModCookie(b, uint64(i)<<33)
			PutFlowModCommand(b, FlowModCommand(i))
			PutFlowModPriority(b, uint16(i)*5)
			PutFlowModBufferID(b, uint32(i)*3)
			PutFlowModOutPort(b, Port(i)*7)
			PutFlowModFlags(b, FlowModFlags(i)*11)
		case TypeFlowRemoved:
			PutFlowRemovedCookie(b, uint64(i)<<33)
			PutFlowRemovedPriority(b, uint16(i)*5)
		}
		m, err := Parse(b)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if m.TransactionID() != uint32(i) {
			t.Fatalf("message %d: xid %#x", i, m.TransactionID())
		}
		type values [6]uint64
		var got, want values
		switch m := m.(type) {
		case *PacketIn:
			got = values{uint64(m.BufferID), uint64(m.TotalLen), uint64(m.InPort), uint64(m.Reason)}
			want = values{uint64(i) * 3, uint64(uint16(i) * 5), uint64(uint16(i) * 7), uint64(uint8(i))}
		case *PacketOut:
			got, want = values{uint64(m.BufferID), uint64(m.InPort)}, values{uint64(i) * 3, uint64(uint16(i) * 7)}
		case *FlowMod:
			got = values{m.Cookie, uint64(m.Command), uint64(m.Priority), uint64(m.BufferID), uint64(m.OutPort), uint64(m.Flags)}
			want = values{uint64(i) << 33, uint64(i), uint64(uint16(i) * 5), uint64(i) * 3, uint64(uint16(i) * 7), uint64(uint16(i) * 11)}
			if FlowModMatch(b) != m.Match {
				t.Fatalf("message %d: peeked match %v, decoded %v", i, FlowModMatch(b), m.Match)
			}
		case *FlowRemoved:
			got, want = values{m.Cookie, uint64(m.Priority)}, values{uint64(i) << 33, uint64(uint16(i) * 5)}
			if FlowRemovedReasonOf(b) != m.Reason || FlowRemovedMatch(b) != m.Match {
				t.Fatalf("message %d: peeked %v %v, decoded %v %v", i, FlowRemovedReasonOf(b), FlowRemovedMatch(b), m.Reason, m.Match)
			}
		case *StatsReply:
			got, want = values{uint64(StatsTypeOf(b)), uint64(StatsFlagsOf(b))}, values{uint64(m.StatsType), uint64(m.Flags)}
		case *StatsRequest:
			got, want = values{uint64(StatsTypeOf(b)), uint64(StatsFlagsOf(b))}, values{uint64(m.StatsType), uint64(m.Flags)}
		case *Error:
			got, want = values{uint64(ErrorTypeOf(b)), uint64(ErrorCodeOf(b))}, values{uint64(m.ErrType), uint64(m.Code)}
			if !bytes.Equal(ErrorData(b), m.Data) {
				t.Fatalf("message %d: peeked %x, decoded %x", i, ErrorData(b), m.Data)
			}
		}
		if got != want {
			t.Fatalf("message %d, %v: %v, want %v", i, m.Type(), got, want)
		}
	}
}

// TestPutMatch puts matches into frames of every length.
func TestPutMatch(t *testing.T) {
	t.Parallel()
	g := newGen(33)
	for n := range 100 {
		m, b := g.match(), g.bytes(n)
		want := bytes.Clone(b)
		if n >= 48 {
			copy(want[8:48], m.Append(nil))
		}
		if PutMatch(b, &m); !bytes.Equal(want, b) {
			t.Errorf("%d bytes: %x, want %x", n, b, want)
		}
		if n >= 48 && FlowModMatch(b) != m {
			t.Errorf("%d bytes: reads back as %v", n, FlowModMatch(b))
		}
		if n < 48 && FlowModMatch(b) != (Match{}) {
			t.Errorf("%d bytes have the match %v", n, FlowModMatch(b))
		}
	}
}

// TestCheckAgainstParse: what Check refuses, Parse refuses with the same error; what Parse
// takes, Check takes.
func TestCheckAgainstParse(t *testing.T) {
	t.Parallel()
	for typ := range 40 {
		for n := range 110 {
			for _, version := range []byte{0, 1, 4} {
				b := make([]byte, n)
				if n >= headerLen {
					copy(b, []byte{version, byte(typ), 0, byte(n)})
				}
				checked := Check(b)
				m, parsed := Parse(b)
				if Type(typ) == TypeHello && version != 1 && n >= headerLen {
					if checked == nil {
						t.Fatalf("Check takes a HELLO of version %d", version)
					}
					continue // which Parse takes: only HELLO may have another version
				}
				if checked != nil && (parsed == nil || fmt.Sprint(checked) != fmt.Sprint(parsed)) {
					t.Fatalf("type %d, %d bytes, version %d: Check says %v, Parse %v, %v", typ, n, version, checked, m, parsed)
				}
			}
		}
	}
}
