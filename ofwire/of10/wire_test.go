package of10

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// unannotate reads hexadecimal bytes, and layouts with their fields, each in a line or up to
// a ";", and a comment after "#". A message begins with its version, type, length and xid.
func unannotate(t testing.TB, s string) []byte {
	t.Helper()
	var all []byte
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		for part := range strings.SplitSeq(line, ";") {
			words := strings.Fields(part)
			var b []byte
			var err error
			if len(words) > 0 && layouts[words[0]] != "" {
				b, err = layOut(layouts[words[0]], words[1:])
			} else {
				b, err = hex.DecodeString(strings.Join(words, ""))
			}
			if err != nil {
				t.Fatalf("%q: %v", part, err)
			}
			all = append(all, b...)
		}
	}
	return all
}

// wireCase is a message with its bytes, as unannotate reads them, and its text.
type wireCase struct {
	name string
	m    Message
	wire string
	text string // "": not compared
}

// onWire is a case whose text is not compared.
func onWire(name string, m Message, wire string) wireCase { return wireCase{name, m, wire, ""} }

// checkWire compares encode, decode and text of each message, decodes into a value that
// was used before, and cuts the message everywhere.
func checkWire(t *testing.T, used func() Message, cases ...wireCase) {
	t.Helper()
	for _, c := range cases {
		b := unannotate(t, c.wire)
		if d := cmp.Diff(b, encode(t, c.m)); d != "" {
			t.Errorf("%s: encoded (-want +got)\n%s", c.name, d)
			continue
		}
		if c.m.Len() != len(b) {
			t.Errorf("%s: Len is %d, want %d", c.name, c.m.Len(), len(b))
		}
		for kind, m := range map[string]Message{"new": nil, "used": used()} {
			var err error
			if kind == "new" {
				m, err = Parse(b)
			} else {
				err = m.UnmarshalBinary(b)
			}
			if err != nil {
				t.Errorf("%s: decode into a %s value: %v", c.name, kind, err)
				continue
			}
			if d := cmp.Diff(c.m, m, nilIsEmpty); d != "" {
				t.Errorf("%s: decoded into a %s value (-want +got)\n%s", c.name, kind, d)
			}
		}
		if got := c.m.String(); c.text != "" && got != c.text {
			t.Errorf("%s: prints (-want +got)\n%s", c.name, cmp.Diff(c.text, got))
		}
		for n := range b {
			if err := used().UnmarshalBinary(b[:n]); !errors.Is(err, ofwire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v, want ErrShort", c.name, n, len(b), err)
			}
		}
		if err := used().UnmarshalBinary(append(bytes.Clone(b), 0)); !errors.Is(err, ofwire.ErrLength) {
			t.Errorf("%s: a byte behind the message: %v, want ErrLength", c.name, err)
		}
	}
}

// nilIsEmpty lets an action list that is reused be empty instead of nil.
var nilIsEmpty = cmp.Transformer("actions", func(list []Action) []Action {
	if len(list) == 0 {
		return nil
	}
	return list
})

// wireField is one field at its place in the message. set puts a number into the decoded
// value; it is nil for a type or length that cannot have any other value.
type wireField[P any] struct {
	name     string
	at, size int
	set      func(m P, v uint64)
}

// gap is padding: where and how many bytes.
type gap struct{ at, size int }

// checkFields puts the smallest, the largest and other values into each field, on the wire
// and in the value, and compares; and ones into the padding, which must not matter.
func checkFields[T any, P interface {
	*T
	Message
}](t *testing.T, base P, gaps []gap, fields ...wireField[P]) {
	t.Helper()
	covered := make([]bool, base.Len())
	for i := range headerLen {
		covered[i] = true
	}
	cover := func(name string, at, size int) {
		for i := at; i < at+size; i++ {
			if covered[i] && at >= headerLen {
				t.Errorf("%s: byte %d belongs to two fields of the test", name, i)
			}
			covered[i] = true
		}
	}
	for _, f := range append(fields, wireField[P]{"xid", 4, 4, func(m P, v uint64) { m.SetTransactionID(uint32(v)) }}) {
		cover(f.name, f.at, f.size)
		if f.set == nil {
			continue
		}
		top := uint64(1) << (8*f.size - 1)
		for _, v := range []uint64{0, 1, 0x5a, top - 1, top, top | top>>1 | 3, top<<1 - 1} {
			b := encode(t, base)
			putUint(b[f.at:f.at+f.size], v)
			want := P(new(T))
			if err := want.UnmarshalBinary(encode(t, base)); err != nil {
				t.Fatal(err)
			}
			f.set(want, v)
			got := P(new(T))
			if err := got.UnmarshalBinary(b); err != nil {
				t.Errorf("%s=%#x: %v", f.name, v, err)
				continue
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s=%#x: decoded (-want +got)\n%s", f.name, v, d)
			}
			if d := cmp.Diff(b, encode(t, want)); d != "" {
				t.Errorf("%s=%#x: encoded (-want +got)\n%s", f.name, v, d)
			}
			if got.String() == "" {
				t.Errorf("%s=%#x: prints nothing", f.name, v)
			}
		}
	}
	for _, g := range gaps {
		cover("padding", g.at, g.size)
		clean, b := encode(t, base), encode(t, base)
		for i := g.at; i < g.at+g.size; i++ {
			b[i] = 0xff
		}
		got := P(new(T))
		if err := got.UnmarshalBinary(b); err != nil {
			t.Errorf("padding at %d: %v", g.at, err)
			continue
		}
		if !bytes.Equal(clean, encode(t, got)) {
			t.Errorf("padding at %d is part of the value, or not zero when encoded", g.at)
		}
	}
	for i, c := range covered {
		if !c {
			t.Errorf("byte %d belongs to no field of the test", i)
		}
	}
}

func putUint(b []byte, v uint64) {
	for i := range b {
		b[i] = byte(v >> (8 * (len(b) - 1 - i)))
	}
}

// macOf is the address with the number v.
func macOf(v uint64) (m ofwire.MAC) {
	putUint(m[:], v)
	return m
}

// badCase is a message that must be answered with an error.
type badCase struct {
	name string
	wire string // with the length it states
	typ  ErrorType
	code uint16
}

// checkBad decodes each message and compares the error: its type and code, the message's
// own xid, and the whole message as data, which must be a copy.
func checkBad(t *testing.T, cases ...badCase) {
	t.Helper()
	for _, c := range cases {
		b := unannotate(t, c.wire)
		m, err := Parse(b)
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v, %v; want an *Error", c.name, m, err)
			continue
		}
		if d := cmp.Diff(&Error{XID: be.Uint32(b[4:]), ErrType: c.typ, Code: c.code, Data: b}, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
		if &got.Data[0] == &b[0] {
			t.Errorf("%s: the error aliases the frame", c.name)
		}
		if !ofwire.SpoilsMessage(err) {
			t.Errorf("%s: spoils the connection", c.name)
		}
		if answer, err := Parse(encode(t, got)); err != nil || !cmp.Equal(answer, Message(got)) {
			t.Errorf("%s: the answer comes back as %v, %v", c.name, answer, err)
		}
	}
}

const (
	// wildMatchWire is MatchAll.
	wildMatchWire = `
00 38 20 ff        # match: wildcards all, 32 bits of each address
00 00              # match: in_port
00 00 00 00 00 00  # match: dl_src
00 00 00 00 00 00  # match: dl_dst
00 00              # match: dl_vlan
00                 # match: dl_vlan_pcp
00                 # pad
00 00              # match: dl_type
00                 # match: nw_tos
00                 # match: nw_proto
00 00              # pad
00 00 00 00        # match: nw_src
00 00 00 00        # match: nw_dst
00 00              # match: tp_src
00 00              # match: tp_dst
`
	// dnsMatchWire is dnsMatch.
	dnsMatchWire = `
00 20 40 42        # match: wildcards nw_tos, dl_vlan, tp_src, all of nw_src, 1 bit of nw_dst
ff fe              # match: in_port LOCAL
02 00 00 00 00 01  # match: dl_src
02 00 00 00 00 02  # match: dl_dst
00 00              # match: dl_vlan
05                 # match: dl_vlan_pcp
00                 # pad
08 00              # match: dl_type IPv4
00                 # match: nw_tos
11                 # match: nw_proto UDP
00 00              # pad
0a 00 00 01        # match: nw_src
0a 00 00 02        # match: nw_dst
00 00              # match: tp_src
00 35              # match: tp_dst 53
`
)

// dnsMatch has some fields wild and a prefix.
func dnsMatch() Match {
	m := Match{Wildcards: WildNWTos | WildDLVLAN | WildTPSrc, InPort: PortLocal, DLSrc: mac(1), DLDst: mac(2), DLVLANPCP: 5,
		DLType: EtherTypeIPv4, NWProto: ProtoUDP, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPDst: 53}
	m.SetNWDstBits(1)
	return m
}

// matchFieldsAt are the fields of a match that begins at a byte of a message.
func matchFieldsAt[P any](at int, match func(m P) *Match) ([]gap, []wireField[P]) {
	f := func(name string, off, size int, set func(m *Match, v uint64)) wireField[P] {
		return wireField[P]{"match " + name, at + off, size, func(m P, v uint64) { set(match(m), v) }}
	}
	return []gap{{at + 21, 1}, {at + 26, 2}}, []wireField[P]{
		f("wildcards", 0, 4, func(m *Match, v uint64) { m.Wildcards = uint32(v) }),
		f("in_port", 4, 2, func(m *Match, v uint64) { m.InPort = Port(v) }),
		f("dl_src", 6, 6, func(m *Match, v uint64) { m.DLSrc = macOf(v) }),
		f("dl_dst", 12, 6, func(m *Match, v uint64) { m.DLDst = macOf(v) }),
		f("dl_vlan", 18, 2, func(m *Match, v uint64) { m.DLVLAN = uint16(v) }),
		f("dl_vlan_pcp", 20, 1, func(m *Match, v uint64) { m.DLVLANPCP = uint8(v) }),
		f("dl_type", 22, 2, func(m *Match, v uint64) { m.DLType = uint16(v) }),
		f("nw_tos", 24, 1, func(m *Match, v uint64) { m.NWTos = uint8(v) }),
		f("nw_proto", 25, 1, func(m *Match, v uint64) { m.NWProto = uint8(v) }),
		f("nw_src", 28, 4, func(m *Match, v uint64) { m.NWSrc = uint32(v) }),
		f("nw_dst", 32, 4, func(m *Match, v uint64) { m.NWDst = uint32(v) }),
		f("tp_src", 36, 2, func(m *Match, v uint64) { m.TPSrc = uint16(v) }),
		f("tp_dst", 38, 2, func(m *Match, v uint64) { m.TPDst = uint16(v) }),
	}
}

// phyPortFieldsAt are the fields of a port description that begins at a byte of a message.
func phyPortFieldsAt[P any](at int, port func(m P) *PhyPort) []wireField[P] {
	f := func(name string, off, size int, set func(p *PhyPort, v uint64)) wireField[P] {
		return wireField[P]{"port " + name, at + off, size, func(m P, v uint64) { set(port(m), v) }}
	}
	return []wireField[P]{
		f("port_no", 0, 2, func(p *PhyPort, v uint64) { p.PortNo = Port(v) }),
		f("hw_addr", 2, 6, func(p *PhyPort, v uint64) { p.HWAddr = macOf(v) }),
		f("config", 24, 4, func(p *PhyPort, v uint64) { p.Config = PortConfig(v) }),
		f("state", 28, 4, func(p *PhyPort, v uint64) { p.State = PortState(v) }),
		f("curr", 32, 4, func(p *PhyPort, v uint64) { p.Curr = PortFeatures(v) }),
		f("advertised", 36, 4, func(p *PhyPort, v uint64) { p.Advertised = PortFeatures(v) }),
		f("supported", 40, 4, func(p *PhyPort, v uint64) { p.Supported = PortFeatures(v) }),
		f("peer", 44, 4, func(p *PhyPort, v uint64) { p.Peer = PortFeatures(v) }),
	}
}
