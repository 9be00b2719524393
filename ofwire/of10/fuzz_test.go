package of10

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// canonical is what a decoded message must encode to: the input with its padding zeroed. It
// knows the layout on its own, from the specification.
func canonical(b []byte) []byte {
	c := append([]byte(nil), b...)
	zero := func(from, n int) {
		clear(c[from : from+n])
	}
	text := func(from, n int) { // what follows a NUL
		if i := bytes.IndexByte(c[from:from+n], 0); i >= 0 {
			zero(from+i, n-i)
		}
	}
	match := func(at int) { zero(at+21, 1); zero(at+26, 2) }
	actions := func(from, to int) {
		for at := from; at < to; at += int(be.Uint16(c[at+2:])) {
			switch be.Uint16(c[at:]) {
			case 1, 9, 10: // vlan_vid, tp_src, tp_dst
				zero(at+6, 2)
			case 2, 8: // vlan_pcp, nw_tos
				zero(at+5, 3)
			case 3: // strip_vlan
				zero(at+4, 4)
			case 4, 5: // dl_src, dl_dst
				zero(at+10, 6)
			case 11: // enqueue
				zero(at+6, 6)
			}
		}
	}
	switch Type(c[1]) {
	case TypeFeaturesReply:
		zero(21, 3)
		for at := 32; at < len(c); at += 48 {
			text(at+8, 16)
		}
	case TypePacketIn:
		zero(17, 1)
	case TypeFlowRemoved:
		match(8)
		zero(59, 1)
		zero(70, 2)
	case TypePortStatus:
		zero(9, 7)
		text(24, 16)
	case TypePacketOut:
		actions(16, 16+int(be.Uint16(c[14:])))
	case TypeFlowMod:
		match(8)
		actions(72, len(c))
	case TypePortMod:
		zero(28, 4)
	case TypeQueueGetConfigRequest:
		zero(10, 2)
	case TypeQueueGetConfigReply:
		zero(10, 6)
		canonicalQueues(c[16:])
	case TypeStatsRequest:
		switch StatsType(be.Uint16(c[8:])) {
		case StatsFlow, StatsAggregate:
			match(12)
			zero(53, 1)
		case StatsPort:
			zero(14, 6)
		case StatsQueue:
			zero(14, 2)
		}
	case TypeStatsReply:
		canonicalStats(c, zero, text, match, actions)
	}
	return c
}

func canonicalQueues(c []byte) {
	for at := 0; at < len(c); {
		end := at + int(be.Uint16(c[at+4:]))
		clear(c[at+6 : at+8])
		for at += 8; at < end; {
			n := int(be.Uint16(c[at+2:]))
			switch {
			case be.Uint16(c[at:]) == 0 && n == 8:
				clear(c[at+4 : at+8])
			case be.Uint16(c[at:]) == 1:
				clear(c[at+4 : at+8])
				clear(c[at+10 : at+16])
			}
			at += n
		}
	}
}

func canonicalStats(c []byte, zero, text func(int, int), match func(int), actions func(int, int)) {
	switch StatsType(be.Uint16(c[8:])) {
	case StatsDesc:
		for _, f := range [][2]int{{12, 256}, {268, 256}, {524, 256}, {780, 32}, {812, 256}} {
			text(f[0], f[1])
		}
	case StatsFlow:
		for at := 12; at < len(c); {
			n := int(be.Uint16(c[at:]))
			zero(at+3, 1)
			match(at + 4)
			zero(at+58, 6)
			actions(at+88, at+n)
			at += n
		}
	case StatsAggregate:
		zero(32, 4)
	case StatsTable:
		for at := 12; at < len(c); at += 64 {
			zero(at+1, 3)
			text(at+4, 32)
		}
	case StatsPort:
		for at := 12; at < len(c); at += 104 {
			zero(at+2, 6)
		}
	case StatsQueue:
		for at := 12; at < len(c); at += 32 {
			zero(at+2, 2)
		}
	}
}

// seed adds the golden frames and some random messages.
func seed(f *testing.F) {
	for _, g := range readGoldens(f) {
		f.Add(g.frame)
	}
	g := newGen(3)
	for i := range 60 {
		f.Add(encodeOrPanic(g.message(i)))
	}
}

// FuzzParse: any bytes decode to a message that encodes to the same bytes, padding aside,
// or fail with an error that can be answered.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		checkParse(t, b)
		if framed := reframe(b); framed != nil {
			checkParse(t, framed)
		}
	})
}

// reframe copies b with a header that fits, so that the bodies are reached more often.
func reframe(b []byte) []byte {
	if len(b) < headerLen || len(b) > ofwire.MaxFrameLen {
		return nil
	}
	b = bytes.Clone(b)
	b[0] = ofwire.Version10
	be.PutUint16(b[2:], uint16(len(b)))
	return b
}

func checkParse(t *testing.T, b []byte) {
	in := bytes.Clone(b)
	m, err := Parse(b)
	if !bytes.Equal(b, in) {
		t.Fatal("decoding changed the input")
	}
	if err != nil {
		checkDecodeError(t, b, err)
		return
	}
	if m.Len() != len(b) {
		t.Fatalf("%T: Len %d of %d bytes", m, m.Len(), len(b))
	}
	out, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatalf("%T decodes but does not encode: %v", m, err)
	}
	if want := canonical(b); !bytes.Equal(want, out) {
		t.Fatalf("%T\ndecoded %x\nencoded %x", m, want, out)
	}
	if m.Type() != PeekType(b) || m.TransactionID() != XID(b) {
		t.Fatalf("%T: type %v, xid %#x", m, m.Type(), m.TransactionID())
	}
	if m.String() == "" {
		t.Fatalf("%T prints nothing", m)
	}
	if mod, ok := m.(*FlowMod); ok {
		checkFlowText(t, mod)
	}
}

func checkDecodeError(t *testing.T, b []byte, err error) {
	var e *Error
	if !errors.As(err, &e) {
		if ofwire.SpoilsMessage(err) {
			t.Fatalf("%v spoils a message but is no *Error", err)
		}
		return
	}
	if e.XID != XID(b) || !bytes.Equal(e.Data, b[:min(len(b), ofwire.MaxFrameLen-errorLen)]) {
		t.Fatalf("%v does not quote the message", err)
	}
	if _, err := e.AppendBinary(nil); err != nil {
		t.Fatalf("the answer does not encode: %v", err)
	}
}

// checkFlowText prints a flow that came from the wire and, if its values can be said in
// text, reads it back.
func checkFlowText(t *testing.T, m *FlowMod) {
	want := *m
	want.XID = 0
	want.Match = m.Match.Normalize()
	want.Actions = CloneActions(m.Actions)
	for i := range want.Actions {
		if a := &want.Actions[i]; a.Type == ActionOutput && a.Port != PortController {
			a.MaxLen = 0 // has no meaning, and no place in the text
		}
	}
	got, err := ParseFlow(want.FlowText(), want.Command)
	if err != nil {
		return // an argument out of range, like vlan 5000
	}
	if list := got.Actions; !ActionsEqual(want.Actions, list) {
		t.Fatalf("%s reads back with actions %v", want.FlowText(), list)
	}
	got.Actions, want.Actions = nil, nil
	if d := cmp.Diff(&want, got); d != "" {
		t.Fatalf("%s (-want +got)\n%s", want.FlowText(), d)
	}
}

// FuzzReuse: decoding into a used value gives the same as into a new one.
func FuzzReuse(f *testing.F) {
	seed(f)
	var mod FlowMod
	var out PacketOut
	var in PacketIn
	f.Fuzz(func(t *testing.T, input []byte) {
		b := reframe(input)
		if b == nil {
			return
		}
		for _, c := range []struct {
			used, fresh Message
		}{{&mod, new(FlowMod)}, {&out, new(PacketOut)}, {&in, new(PacketIn)}} {
			b[1] = byte(c.used.Type())
			before := c.used.String()
			usedErr, freshErr := c.used.UnmarshalBinary(b), c.fresh.UnmarshalBinary(b)
			if (usedErr == nil) != (freshErr == nil) {
				t.Fatalf("used %v, fresh %v", usedErr, freshErr)
			}
			if usedErr != nil {
				if after := c.used.String(); after != before {
					t.Fatalf("a failed decode changed\n%s\nto\n%s", before, after)
				}
				continue
			}
			got, want := encodeOrPanic(c.used), encodeOrPanic(c.fresh)
			if !bytes.Equal(want, got) {
				t.Fatalf("fresh %x\nused  %x", want, got)
			}
		}
		mod.Actions, out.Actions = CloneActions(mod.Actions), CloneActions(out.Actions)
		out.Data, in.Data = bytes.Clone(out.Data), bytes.Clone(in.Data)
	})
}

// FuzzPeek: reading and writing fields of any bytes does not panic, and changes nothing
// else.
func FuzzPeek(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		b := bytes.Clone(in)
		if err := Check(b); err == nil && len(b) < int(minLens[min(PeekType(b), numTypes-1)]) && PeekType(b) < numTypes {
			t.Fatal("a short frame passes Check")
		}
		PutXID(b, XID(b))
		PutPacketInBufferID(b, PacketInBufferID(b))
		PutPacketInTotalLen(b, PacketInTotalLen(b))
		PutPacketInInPort(b, PacketInInPort(b))
		PutPacketInReason(b, PacketInReasonOf(b))
		PutFlowModCookie(b, FlowModCookie(b))
		PutFlowModCommand(b, FlowModCommandOf(b))
		PutFlowModPriority(b, FlowModPriority(b))
		PutFlowModBufferID(b, FlowModBufferID(b))
		PutFlowModOutPort(b, FlowModOutPort(b))
		PutFlowModFlags(b, FlowModFlagsOf(b))
		PutPacketOutBufferID(b, PacketOutBufferID(b))
		PutPacketOutInPort(b, PacketOutInPort(b))
		PutFlowRemovedCookie(b, FlowRemovedCookie(b))
		PutFlowRemovedPriority(b, FlowRemovedPriority(b))
		if !bytes.Equal(in, b) {
			t.Fatal("writing back what was read changed the frame")
		}
		_, _, _, _ = PacketInData(b), FlowModActions(b), PacketOutActions(b), PacketOutData(b)
		_, _, _ = ErrorData(b), FlowModMatch(b), FlowRemovedMatch(b)
		_, _, _, _, _ = FlowRemovedReasonOf(b), StatsTypeOf(b), StatsFlagsOf(b), ErrorTypeOf(b), ErrorCodeOf(b)
	})
}

// FuzzParseFlow: what is read prints as something that reads the same.
func FuzzParseFlow(f *testing.F) {
	for _, line := range dumped {
		f.Add(line)
	}
	f.Add("cookie:1 idle:2 hard:3 buf:0x4 out_port:5 emerg actions=controller(max_len=7),enqueue(1,2)")
	f.Add("ip,nw_src=10.0.0.1/255.0.0.0,dl_src=02:00:00:00:00:01,vlan_tci=0x1005 action=vendor:0x2320:0001020304050607")
	f.Add("icmp,icmp_type=8,in_port=LOCAL,dl_vlan=0xffff actions=raw:1234000801020304,drop")
	g := newGen(4)
	for range 30 {
		f.Add(g.flowMod().FlowText())
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseFlow(s, FlowDelete)
		if err != nil {
			return
		}
		if m.Match != m.Match.Normalize() {
			t.Fatalf("%q: the match is not normalised: %+v", s, m.Match)
		}
		back, err := ParseFlow(m.FlowText(), FlowDelete)
		if d := cmp.Diff(m, back); err != nil || d != "" {
			t.Fatalf("%q: %q reads back %v (-want +got)\n%s", s, m.FlowText(), err, d)
		}
		wire, err := Parse(encodeOrPanic(m))
		if d := cmp.Diff(m, wire); err != nil || d != "" {
			t.Fatalf("%q on the wire: %v (-want +got)\n%s", s, err, d)
		}
	})
}

// FuzzParseMatch: what is read prints as something that reads the same.
func FuzzParseMatch(f *testing.F) {
	g := newGen(5)
	for range 40 {
		f.Add(g.match().String())
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMatch(s)
		if err != nil {
			return
		}
		if back, err := ParseMatch(m.String()); err != nil || back != m {
			t.Fatalf("%q: %q reads back as %q, %v", s, m, back, err)
		}
	})
}

// FuzzNormalize: normalising twice is normalising once, does not change what is matched
// exactly, and survives text and wire.
func FuzzNormalize(f *testing.F) {
	for _, g := range readGoldens(f) {
		f.Add(g.frame)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < MatchLen {
			return
		}
		var m Match
		m.decode((*[MatchLen]byte)(b))
		n := m.Normalize()
		if n != n.Normalize() {
			t.Fatalf("%+v normalises to %+v, then to %+v", m, n, n.Normalize())
		}
		if n.Wildcards&^WildAll != 0 || m.Wildcards&WildAll&^n.Wildcards&^(WildNWSrcMask|WildNWDstMask) != 0 {
			t.Fatalf("%+v: wildcards become %#x", m, n.Wildcards)
		}
		if back, err := ParseMatch(n.String()); err == nil && back != n {
			t.Fatalf("%+v prints %q, which reads as %+v", n, n, back)
		} else if err != nil {
			t.Fatalf("%+v prints %q: %v", n, n, err)
		}
	})
}
