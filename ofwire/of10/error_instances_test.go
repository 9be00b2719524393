package of10

import (
	"testing"
)

func usedErrorMessage() Message { return &Error{XID: 99, ErrType: 99, Code: 99, Data: []byte{99}} }

// TestErrorsOfPeers: errors with the message, a part of it, or text.
func TestErrorsOfPeers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedErrorMessage,
		wireCase{"HELLO_FAILED with text", &Error{XID: 0x1, ErrType: 0x0, Code: 0, Data: []byte{0x57, 0x65, 0x20, 0x73, 0x75, 0x70, 0x70, 0x6f, 0x72, 0x74, 0x20, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0x73, 0x20, 0x30, 0x78, 0x30, 0x31, 0x20, 0x74, 0x6f, 0x20, 0x30, 0x78, 0x30, 0x31}}, `
01                       # version 1.0
01                       # type ERROR
00 2c                    # length 44
00 00 00 01              # xid
00 00                    # type HELLO_FAILED
00 00                    # code INCOMPATIBLE
57 65 20 73 75 70 70 6f 72 74 20 76 65 72 73 69 6f 6e 73 20 30 78 30 31 20 74 6f 20 30 78 30 31 # data: text
`, ""},
		wireCase{"features_request refused", &Error{XID: 0x3, ErrType: 0x1, Code: 5, Data: []byte{0x01, 0x05, 0x00, 0x08, 0x00, 0x00, 0x00, 0x03}}, `
01                       # version 1.0
01                       # type ERROR
00 14                    # length 20
00 00 00 03              # xid
00 01                    # type BAD_REQUEST
00 05                    # code EPERM
01                       # data: version 1.0
05                       # data: type
00 08                    # data: length
00 00 00 03              # data: xid
`, ""},
		wireCase{"unknown type 30", &Error{XID: 0x4, ErrType: 0x1, Code: 1, Data: []byte{0x01, 0x1e, 0x00, 0x08, 0x00, 0x00, 0x00, 0x04}}, `
01                       # version 1.0
01                       # type ERROR
00 14                    # length 20
00 00 00 04              # xid
00 01                    # type BAD_REQUEST
00 01                    # code BAD_TYPE
01                       # data: version 1.0
1e                       # data: type
00 08                    # data: length
00 00 00 04              # data: xid
`, ""},
		wireCase{"unknown statistics", &Error{XID: 0x5, ErrType: 0x1, Code: 2, Data: []byte{0x01, 0x10, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x05, 0x00, 0x63, 0x00, 0x00}}, `
01                       # version 1.0
01                       # type ERROR
00 18                    # length 24
00 00 00 05              # xid
00 01                    # type BAD_REQUEST
00 02                    # code BAD_STAT
01                       # data: version 1.0
10                       # data: type
00 0c                    # data: length
00 00 00 05              # data: xid
00 63                    # data: stats type 99
00 00                    # data: flags
`, ""},
		wireCase{"vendor unknown", &Error{XID: 0x6, ErrType: 0x1, Code: 3, Data: []byte{0x01, 0x04, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x06, 0xde, 0xad, 0xbe, 0xef}}, `
01                       # version 1.0
01                       # type ERROR
00 18                    # length 24
00 00 00 06              # xid
00 01                    # type BAD_REQUEST
00 03                    # code BAD_VENDOR
01                       # data: version 1.0
04                       # data: type
00 0c                    # data: length
00 00 00 06              # data: xid
de ad be ef              # data: vendor
`, ""},
		wireCase{"buffer unknown", &Error{XID: 0x7, ErrType: 0x1, Code: 8, Data: []byte{0x01, 0x0d, 0x00, 0x10, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x01, 0x01, 0x00, 0x01, 0x00, 0x00}}, `
01                       # version 1.0
01                       # type ERROR
00 1c                    # length 28
00 00 00 07              # xid
00 01                    # type BAD_REQUEST
00 08                    # code BUFFER_UNKNOWN
01                       # data: version 1.0
0d                       # data: type
00 10                    # data: length
00 00 00 07              # data: xid
00 00 01 01              # data: buffer_id
00 01                    # data: in_port
00 00                    # data: actions_len
`, ""},
		wireCase{"port_mod of another address", &Error{XID: 0x8, ErrType: 0x4, Code: 1, Data: []byte{0x01, 0x0f, 0x00, 0x20, 0x00, 0x00, 0x00, 0x08, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}}, `
01                       # version 1.0
01                       # type ERROR
00 2c                    # length 44
00 00 00 08              # xid
00 04                    # type PORT_MOD_FAILED
00 01                    # code BAD_HW_ADDR
01                       # data: version 1.0
0f                       # data: type
00 20                    # data: length
00 00 00 08              # data: xid
00 01                    # data: port_no
02 00 00 00 00 09        # data: hw_addr
00 00 00 01              # data: config
00 00 00 01              # data: mask
00 00 00 00              # data: advertise
00 00 00 00              # data: pad
`, ""},
		wireCase{"queues of a port that is not there", &Error{XID: 0x9, ErrType: 0x5, Code: 0, Data: []byte{0x01, 0x14, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x09, 0x00, 0x63, 0x00, 0x00}}, `
01                       # version 1.0
01                       # type ERROR
00 18                    # length 24
00 00 00 09              # xid
00 05                    # type QUEUE_OP_FAILED
00 00                    # code BAD_PORT
01                       # data: version 1.0
14                       # data: type
00 0c                    # data: length
00 00 00 09              # data: xid
00 63                    # data: port 99
00 00                    # data: pad
`, ""},
		wireCase{"Open vSwitch vendor error", &Error{XID: 0xa, ErrType: 0xb0c2, Code: 0, Data: []byte{0x00, 0x00, 0x23, 0x20, 0x00, 0x01, 0x02, 0x09, 0x01, 0x0e, 0x00, 0x48, 0x00, 0x00, 0x00, 0x0a}}, `
01                       # version 1.0
01                       # type ERROR
00 1c                    # length 28
00 00 00 0a              # xid
b0 c2                    # type vendor
00 00                    # code 0
00 00 23 20              # data: vendor Nicira
00 01                    # data: type
02 09                    # data: code
01                       # data: version 1.0
0e                       # data: type
00 48                    # data: length
00 00 00 0a              # data: xid
`, ""},
		wireCase{"no data", &Error{XID: 0xb, ErrType: 0x3, Code: 0, Data: nil}, `
01                       # version 1.0
01                       # type ERROR
00 0c                    # length 12
00 00 00 0b              # xid
00 03                    # type FLOW_MOD_FAILED
00 00                    # code ALL_TABLES_FULL
`, ""},
		wireCase{"all ones", &Error{XID: 0xffffffff, ErrType: 0xffff, Code: 65535, Data: []byte{0xff}}, `
01                       # version 1.0
01                       # type ERROR
00 0d                    # length 13
ff ff ff ff              # xid
ff ff                    # type unknown
ff ff                    # code unknown
ff                       # data: one byte
`, ""},
	)
}
