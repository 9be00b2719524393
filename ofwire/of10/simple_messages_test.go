package of10

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// TestHeaderOnlyWire is all messages without a body.
func TestHeaderOnlyWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		typ  string
		of   func(xid uint32) Message
	}{
		{"FEATURES_REQUEST", "05", func(xid uint32) Message { return &FeaturesRequest{XID: xid} }},
		{"GET_CONFIG_REQUEST", "07", func(xid uint32) Message { return &GetConfigRequest{XID: xid} }},
		{"BARRIER_REQUEST", "12", func(xid uint32) Message { return &BarrierRequest{XID: xid} }},
		{"BARRIER_REPLY", "13", func(xid uint32) Message { return &BarrierReply{XID: xid} }},
	} {
		used := func() Message { return c.of(99) }
		checkWire(t, used,
			wireCase{c.name, c.of(0), "01\n" + c.typ + " # type\n00 08 # length\n00 00 00 00 # xid", "OFPT_" + c.name + " (xid=0x0):"},
			wireCase{c.name + ", top xid", c.of(0x80000001), "01\n" + c.typ + " # type\n00 08 # length\n80 00 00 01 # xid", "OFPT_" + c.name + " (xid=0x80000001):"},
		)
		checkBad(t,
			badCase{c.name + " and a byte", "01 " + c.typ + " 00 09 00 00 00 05 00", ErrorBadRequest, BadRequestBadLen},
			badCase{c.name + " and eight bytes", "01 " + c.typ + " 00 10 00 00 00 05 00 00 00 00 00 00 00 00", ErrorBadRequest, BadRequestBadLen},
			badCase{c.name + " of version 2", "02 " + c.typ + " 00 08 00 00 00 05", ErrorBadRequest, BadRequestBadVersion},
			badCase{c.name + " of version 0", "00 " + c.typ + " 00 08 00 00 00 05", ErrorBadRequest, BadRequestBadVersion},
			badCase{c.name + " of version 255", "ff " + c.typ + " 00 08 00 00 00 05", ErrorBadRequest, BadRequestBadVersion},
		)
	}
}

func TestConfigWire(t *testing.T) {
	t.Parallel()
	checkWire(t, func() Message { return &GetConfigReply{XID: 99, Flags: 99, MissSendLen: 99} },
		wireCase{"get_config_reply", &GetConfigReply{XID: 2, Flags: FragReasm, MissSendLen: 0xffff}, `
01           # version 1.0
08           # type GET_CONFIG_REPLY
00 0c        # length 12
00 00 00 02  # xid
00 02        # flags FRAG_REASM
ff ff        # miss_send_len 65535
`, "OFPT_GET_CONFIG_REPLY (xid=0x2): frags=reassemble miss_send_len=65535"},
		wireCase{"get_config_reply, unknown flags", &GetConfigReply{XID: 2, Flags: 0x8004}, `
01           # version 1.0
08           # type GET_CONFIG_REPLY
00 0c        # length 12
00 00 00 02  # xid
80 04        # flags
00 00        # miss_send_len 0
`, "OFPT_GET_CONFIG_REPLY (xid=0x2): frags=normal flags=0x8004 miss_send_len=0"})
	checkWire(t, func() Message { return &SetConfig{XID: 99, Flags: 99, MissSendLen: 99} },
		wireCase{"set_config", &SetConfig{XID: 3, Flags: FragDrop, MissSendLen: 128}, `
01           # version 1.0
09           # type SET_CONFIG
00 0c        # length 12
00 00 00 03  # xid
00 01        # flags FRAG_DROP
00 80        # miss_send_len 128
`, "OFPT_SET_CONFIG (xid=0x3): frags=drop miss_send_len=128"})
	checkFields(t, &GetConfigReply{}, nil,
		wireField[*GetConfigReply]{"flags", 8, 2, func(m *GetConfigReply, v uint64) { m.Flags = ConfigFlags(v) }},
		wireField[*GetConfigReply]{"miss_send_len", 10, 2, func(m *GetConfigReply, v uint64) { m.MissSendLen = uint16(v) }})
	checkFields(t, &SetConfig{}, nil,
		wireField[*SetConfig]{"flags", 8, 2, func(m *SetConfig, v uint64) { m.Flags = ConfigFlags(v) }},
		wireField[*SetConfig]{"miss_send_len", 10, 2, func(m *SetConfig, v uint64) { m.MissSendLen = uint16(v) }})
	for _, typ := range []string{"08", "09"} {
		checkBad(t,
			badCase{"header only", "01" + typ + "00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
			badCase{"flags only", "01" + typ + "00 0a 00 00 00 01 00 01", ErrorBadRequest, BadRequestBadLen},
			badCase{"a byte too much", "01" + typ + "00 0d 00 00 00 01 00 01 00 80 00", ErrorBadRequest, BadRequestBadLen},
			badCase{"version 5", "05" + typ + "00 0c 00 00 00 01 00 01 00 80", ErrorBadRequest, BadRequestBadVersion})
	}
}

func TestConfigFlagsText(t *testing.T) {
	t.Parallel()
	for f, want := range map[ConfigFlags]string{FragNormal: "normal", FragDrop: "drop", FragReasm: "reassemble", 4: "normal flags=0x4", 0xfffd: "drop flags=0xfffc"} {
		if f.String() != want {
			t.Errorf("%#x: %q, want %q", uint16(f), f, want)
		}
	}
}

func TestQueueGetConfigRequestWire(t *testing.T) {
	t.Parallel()
	checkWire(t, func() Message { return &QueueGetConfigRequest{XID: 99, Port: 99} },
		wireCase{"one port", &QueueGetConfigRequest{XID: 1, Port: 0x0102}, `
01           # version 1.0
14           # type QUEUE_GET_CONFIG_REQUEST
00 0c        # length 12
00 00 00 01  # xid
01 02        # port 258
00 00        # pad
`, "OFPT_QUEUE_GET_CONFIG_REQUEST (xid=0x1): port=258"})
	checkFields(t, &QueueGetConfigRequest{}, []gap{{10, 2}},
		wireField[*QueueGetConfigRequest]{"port", 8, 2, func(m *QueueGetConfigRequest, v uint64) { m.Port = Port(v) }})
	checkBad(t,
		badCase{"header only", "01 14 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"without pad", "01 14 00 0a 00 00 00 01 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"a byte too much", "01 14 00 0d 00 00 00 01 00 01 00 00 00", ErrorBadRequest, BadRequestBadLen})
}

func TestEchoWire(t *testing.T) {
	t.Parallel()
	checkWire(t, func() Message { return &EchoRequest{XID: 99, Data: []byte("old")} },
		wireCase{"empty request", &EchoRequest{XID: 1}, "01\n02 # type ECHO_REQUEST\n00 08 # length\n00 00 00 01 # xid",
			"OFPT_ECHO_REQUEST (xid=0x1): 0 bytes of payload"},
		wireCase{"request with 17 bytes", &EchoRequest{XID: 1, Data: []byte("0123456789abcdef\x7f")}, `
01                                               # version 1.0
02                                               # type ECHO_REQUEST
00 19                                            # length 25
00 00 00 01                                      # xid
30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  # data
7f                                               # data
`, "OFPT_ECHO_REQUEST (xid=0x1): 17 bytes of payload\n00000000  30 31 32 33 34 35 36 37-38 39 61 62 63 64 65 66 |0123456789abcdef|\n" +
			"00000010  7f                                              |.               |"})
	checkWire(t, func() Message { return &EchoReply{XID: 99, Data: []byte("old")} },
		wireCase{"reply with 8 bytes", &EchoReply{XID: 2, Data: []byte{0, 1, 0xfe, 0xff, ' ', '~', '|', 0x80}}, `
01                       # version 1.0
03                       # type ECHO_REPLY
00 10                    # length 16
00 00 00 02              # xid
00 01 fe ff 20 7e 7c 80  # data
`, ""})
	checkBad(t,
		badCase{"request of version 4", "04 02 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadVersion},
		badCase{"reply of version 4", "04 03 00 09 00 00 00 01 00", ErrorBadRequest, BadRequestBadVersion})
}

func TestVendorWire(t *testing.T) {
	t.Parallel()
	checkWire(t, func() Message { return &Vendor{XID: 99, Vendor: 99, Data: []byte("old")} },
		wireCase{"nicira set_flow_format", &Vendor{XID: 4, Vendor: VendorNicira, Data: []byte{0, 0, 0, 12, 0, 0, 0, 2}}, `
01           # version 1.0
04           # type VENDOR
00 14        # length 20
00 00 00 04  # xid
00 00 23 20  # vendor Nicira
00 00 00 0c  # data: subtype
00 00 00 02  # data: format
`, ""},
		wireCase{"no data", &Vendor{XID: 5, Vendor: 0xffffffff}, `
01           # version 1.0
04           # type VENDOR
00 0c        # length 12
00 00 00 05  # xid
ff ff ff ff  # vendor
`, "OFPT_VENDOR (xid=0x5): vendor=0xffffffff 0 bytes of payload"})
	checkFields(t, &Vendor{}, nil, wireField[*Vendor]{"vendor", 8, 4, func(m *Vendor, v uint64) { m.Vendor = uint32(v) }})
	checkBad(t,
		badCase{"header only", "01 04 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"half a vendor", "01 04 00 0a 00 00 00 01 00 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"experimenter of 1.3", "04 04 00 10 00 00 00 01 00 00 23 20 00 00 00 01", ErrorBadRequest, BadRequestBadVersion})
}

func TestUnknownWire(t *testing.T) {
	t.Parallel()
	for typ := int(numTypes); typ < 256; typ += 13 {
		want := &Unknown{XID: uint32(typ), RawType: Type(typ), Body: []byte{byte(typ), 2, 3}}
		b := encode(t, want)
		if d := cmp.Diff([]byte{1, byte(typ), 0, 11, 0, 0, 0, byte(typ), byte(typ), 2, 3}, b); d != "" {
			t.Errorf("type %d (-want +got)\n%s", typ, d)
		}
		got, err := Parse(b)
		if d := cmp.Diff(Message(want), got); err != nil || d != "" {
			t.Errorf("type %d: %v (-want +got)\n%s", typ, err, d)
		}
		if err := Check(b); err != nil {
			t.Errorf("type %d: %v", typ, err)
		}
	}
	checkBad(t,
		badCase{"first unknown type, version 4", "04 16 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadVersion},
		badCase{"last type, version 4", "04 ff 00 09 00 00 00 01 00", ErrorBadRequest, BadRequestBadVersion})
}

func TestHelloWire(t *testing.T) {
	t.Parallel()
	checkWire(t, func() Message { return &Hello{XID: 99, Version: 99, Body: []byte("old")} },
		wireCase{"of 1.0", &Hello{XID: 1}, "01 # version 1.0\n00 # type HELLO\n00 08 # length\n00 00 00 01 # xid", "OFPT_HELLO (xid=0x1):"},
		wireCase{"of 1.3 with a bitmap", &Hello{XID: 0x8001, Version: ofwire.Version13, Body: []byte{0, 1, 0, 8, 0, 0, 0, 0x12}}, `
04           # version 1.3
00           # type HELLO
00 10        # length 16
00 00 80 01  # xid
00 01        # element: type VERSIONBITMAP
00 08        # element: length 8
00 00 00 12  # element: 1.0 and 1.3
`, "OFPT_HELLO (OF1.3) (xid=0x8001):\n version bitmap: 0x01, 0x04"},
		wireCase{"of a version to come", &Hello{XID: 2, Version: 0x20}, "20 # version 0x20\n00 # type HELLO\n00 08 # length\n00 00 00 02 # xid",
			"OFPT_HELLO (OF 0x20) (xid=0x2):"},
		wireCase{"with a body that is no element", &Hello{XID: 3, Body: []byte("hi")}, `
01           # version 1.0
00           # type HELLO
00 0a        # length 10
00 00 00 03  # xid
68 69        # body
`, "OFPT_HELLO (xid=0x3):"})
	// Every version but 0 is a HELLO; what it says is Negotiate's matter.
	for v := 1; v < 256; v++ {
		b := []byte{byte(v), 0, 0, 8, 0, 0, 0, 1}
		m, err := Parse(b)
		if err != nil {
			t.Errorf("version %d: %v", v, err)
			continue
		}
		if d := cmp.Diff(b, encode(t, m)); d != "" {
			t.Errorf("version %d comes back as (-want +got)\n%s", v, d)
		}
		if text := m.String(); v > 1 == !strings.Contains(text, "(OF") || !strings.HasSuffix(text, "(xid=0x1):") {
			t.Errorf("version %d: prints %q", v, text)
		}
	}
}

func TestErrorWire(t *testing.T) {
	t.Parallel()
	checkWire(t, func() Message { return &Error{XID: 99, ErrType: 99, Code: 99, Data: []byte("old")} },
		wireCase{"flow table is full", &Error{XID: 9, ErrType: ErrorFlowModFailed, Code: FlowModFailedAllTablesFull, Data: []byte{1, 14, 0, 72, 0, 0, 0, 9}}, `
01           # version 1.0
01           # type ERROR
00 14        # length 20
00 00 00 09  # xid
00 03        # type FLOW_MOD_FAILED
00 00        # code ALL_TABLES_FULL
01           # data: version 1.0
0e           # data: type FLOW_MOD
00 48        # data: length 72
00 00 00 09  # data: xid
`, "OFPT_ERROR (xid=0x9): OFPFMFC_TABLE_FULL\nOFPT_FLOW_MOD (xid=0x9):\n(***truncated to 8 bytes from 72***)\n" +
			"00000000  01 0e 00 48 00 00 00 09-                        |...H....        |"},
		wireCase{"about an echo_request, whole", &Error{XID: 2, ErrType: ErrorBadRequest, Code: BadRequestEPerm, Data: []byte{1, 2, 0, 8, 0, 0, 0, 2}}, `
01           # version 1.0
01           # type ERROR
00 14        # length 20
00 00 00 02  # xid
00 01        # type BAD_REQUEST
00 05        # code EPERM
01           # data: version 1.0
02           # data: type ECHO_REQUEST
00 08        # data: length 8
00 00 00 02  # data: xid
`, "OFPT_ERROR (xid=0x2): OFPBRC_EPERM\nOFPT_ECHO_REQUEST (xid=0x2): 0 bytes of payload"},
		wireCase{"about an error", &Error{XID: 3, ErrType: ErrorBadRequest, Code: BadRequestBadType, Data: []byte{1, 1, 0, 12, 0, 0, 0, 3, 0, 1, 0, 1}}, `
01           # version 1.0
01           # type ERROR
00 18        # length 24
00 00 00 03  # xid
00 01        # type BAD_REQUEST
00 01        # code BAD_TYPE
01           # data: version 1.0
01           # data: type ERROR
00 0c        # data: length 12
00 00 00 03  # data: xid
00 01 00 01  # data: type, code
`, ""},
		wireCase{"hello failed with text", &Error{XID: 4, ErrType: ErrorHelloFailed, Code: HelloFailedEPerm, Data: []byte("no \x1b!")}, `
01                 # version 1.0
01                 # type ERROR
00 11              # length 17
00 00 00 04        # xid
00 00              # type HELLO_FAILED
00 01              # code EPERM
6e 6f 20 1b 21     # data: text
`, "OFPT_ERROR (xid=0x4): OFPHFC_EPERM\nno \\033!"},
		wireCase{"a vendor's type, no data", &Error{XID: 5, ErrType: ErrorVendor, Code: 0xffff}, `
01           # version 1.0
01           # type ERROR
00 0c        # length 12
00 00 00 05  # xid
b0 c2        # type of Open vSwitch's vendor errors
ff ff        # code
`, "OFPT_ERROR (xid=0x5): error type 45250 code 65535"})
	checkFields(t, &Error{}, nil,
		wireField[*Error]{"type", 8, 2, func(m *Error, v uint64) { m.ErrType = ErrorType(v) }},
		wireField[*Error]{"code", 10, 2, func(m *Error, v uint64) { m.Code = uint16(v) }})
	checkBad(t,
		badCase{"header only", "01 01 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"no code", "01 01 00 0a 00 00 00 01 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"version 4", "04 01 00 0c 00 00 00 01 00 01 00 01", ErrorBadRequest, BadRequestBadVersion})
}
