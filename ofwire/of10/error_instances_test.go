package of10

import (
	"testing"
)

func usedErrorMessage() Message { return &Error{XID: 99, ErrType: 99, Code: 99, Data: []byte{99}} }

// TestErrorsOfPeers: errors with the message, a part of it, or text.
func TestErrorsOfPeers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedErrorMessage,
		onWire("HELLO_FAILED with text", &Error{XID: 0x1, Data: []byte("We support versions 0x01 to 0x01")},
			`01 01 002c 00000001; error; 576520737570706f72742076657273696f6e73203078303120746f2030783031  # data: text`),
		onWire("features_request refused", &Error{XID: 0x3, ErrType: ErrorBadRequest, Code: 5, Data: unannotate(t, "01050008 00000003")},
			`01 01 0014 00000003; error type=01 code=05; 01 05 0008 00000003  # data: version 1.0, type, length, xid`),
		onWire("unknown type 30", &Error{XID: 0x4, ErrType: ErrorBadRequest, Code: 1, Data: unannotate(t, "011e0008 00000004")},
			`01 01 0014 00000004; error type=01 code=01; 01 1e 0008 00000004  # data: version 1.0, type, length, xid`),
		onWire("unknown statistics", &Error{XID: 0x5, ErrType: ErrorBadRequest, Code: 2, Data: unannotate(t, "0110000c 00000005 00630000")},
			`01 01 0018 00000005; error type=01 code=02; 01 10 000c 00000005 0063 0000  # data: version 1.0, type, length, xid, stats type 99, flags`),
		onWire("vendor unknown", &Error{XID: 0x6, ErrType: ErrorBadRequest, Code: 3, Data: unannotate(t, "0104000c 00000006 deadbeef")},
			`01 01 0018 00000006; error type=01 code=03; 01 04 000c 00000006 deadbeef  # data: version 1.0, type, length, xid, vendor`),
		onWire("buffer unknown", &Error{XID: 0x7, ErrType: ErrorBadRequest, Code: 8, Data: unannotate(t, "010d0010 00000007 00000101 00010000")},
			`01 01 001c 00000007; error type=01 code=08; 01 0d 0010 00000007 00000101 0001 0000  # data: version 1.0, type, length, xid, buffer_id, in_port, actions_len`),
		onWire("port_mod of another address", &Error{XID: 0x8, ErrType: ErrorPortModFailed, Code: 1, Data: unannotate(t, "010f0020 00000008 00010200 00000009 00000001 00000001 00000000 00000000")},
			`01 01 002c 00000008; error type=04 code=01; 01 0f 0020 00000008 0001 020000000009 00000001 00000001; 00000000 00000000  # data: advertise, pad`),
		onWire("queues of a port that is not there", &Error{XID: 0x9, ErrType: ErrorQueueOpFailed, Data: unannotate(t, "0114000c 00000009 00630000")},
			`01 01 0018 00000009; error type=05; 01 14 000c 00000009 0063 0000  # data: version 1.0, type, length, xid, port 99, pad`),
		onWire("Open vSwitch vendor error", &Error{XID: 0xa, ErrType: ErrorVendor, Data: unannotate(t, "00002320 00010209 010e0048 0000000a")},
			`01 01 001c 0000000a; error type=b0c2; 00002320 0001 0209 01 0e 0048 0000000a  # data: vendor Nicira, type, code, version 1.0, type, length, xid`),
		onWire("no data", &Error{XID: 0xb, ErrType: ErrorFlowModFailed}, `01 01 000c 0000000b; error type=03`),
		onWire("all ones", &Error{XID: 0xffffffff, ErrType: 0xffff, Code: 65535, Data: []byte{0xff}},
			`01 01 000d ffffffff; error type=ffff code=ffff; ff  # data: one byte`),
	)
}
