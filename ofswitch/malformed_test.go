package ofswitch

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// message builds a raw message with a correct length.
func message(version, typ uint8, body ...byte) []byte {
	b := append([]byte{version, typ, 0, 0, 0, 0, 0x77, 1}, body...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// flowModWith is an otherwise good ADD with these action bytes.
func flowModWith(actions string) []byte {
	fm := add(10, of10.MatchAll())
	b, _ := fm.AppendBinary(nil)
	return message(1, 14, append(b[8:], unhex(actions)...)...)
}

func packetOutWith(actions string) []byte {
	a := unhex(actions)
	body := append(unhex("ffffffff 0001"), byte(len(a)>>8), byte(len(a)))
	body = append(body, a...)
	return message(1, 13, append(body, ethFrame(1, 2, 0x88b5, 60)...)...)
}

// badMessage is one malformed message and the error it deserves.
type badMessage struct {
	name string
	msg  []byte
	typ  of10.ErrorType
	code uint16
}

func malformed() []badMessage {
	const (
		req, act, flow, port, queue = of10.ErrorBadRequest, of10.ErrorBadAction, of10.ErrorFlowModFailed, of10.ErrorPortModFailed, of10.ErrorQueueOpFailed
	)
	return []badMessage{
		{"version 4", message(4, 5), req, of10.BadRequestBadVersion},
		{"version 0x81", message(0x81, 18), req, of10.BadRequestBadVersion},
		{"type 30", message(1, 30), req, of10.BadRequestBadType},
		{"type 255", message(1, 255, 1, 2, 3), req, of10.BadRequestBadType},
		{"packet_in", message(1, 10, make([]byte, 70)...), req, of10.BadRequestBadType},
		{"features_reply", message(1, 6, make([]byte, 24)...), req, of10.BadRequestBadType},
		{"error", message(1, 1, 0, 1, 0, 1), req, of10.BadRequestBadType},
		{"barrier_reply", message(1, 19), req, of10.BadRequestBadType},
		{"get_config_reply", message(1, 8, 0, 0, 0, 128), req, of10.BadRequestBadType},
		{"stats_reply", message(1, 17, 0, 0, 0, 0), req, of10.BadRequestBadType},
		{"port_status", message(1, 12, make([]byte, 56)...), req, of10.BadRequestBadType},
		{"short flow_mod", message(1, 14, make([]byte, 32)...), req, of10.BadRequestBadLen},
		{"features_request with a tail", message(1, 5, 1, 2), req, of10.BadRequestBadLen},
		{"barrier with a tail", message(1, 18, 1, 2), req, of10.BadRequestBadLen},
		{"get_config with a tail", message(1, 7, 0), req, of10.BadRequestBadLen},
		{"short set_config", message(1, 9, 0, 0), req, of10.BadRequestBadLen},
		{"long set_config", message(1, 9, 0, 0, 0, 1, 0), req, of10.BadRequestBadLen},
		{"set_config reassemble", message(1, 9, 0, 2, 0, 1), req, of10.BadRequestEPerm},
		{"set_config mode 3", message(1, 9, 0, 3, 0, 1), req, of10.BadRequestEPerm},
		{"short stats", message(1, 16, 0), req, of10.BadRequestBadLen},
		{"stats type 9", message(1, 16, 0, 9, 0, 0), req, of10.BadRequestBadStat},
		{"stats type 9 with a body", message(1, 16, 0, 9, 0, 0, 1, 2, 3), req, of10.BadRequestBadStat},
		{"desc with a body", message(1, 16, 0, 0, 0, 0, 1, 2, 3, 4), req, of10.BadRequestBadLen},
		{"flow stats cut short", message(1, 16, 0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8), req, of10.BadRequestBadLen},
		{"port stats too long", message(1, 16, append([]byte{0, 4, 0, 0}, make([]byte, 9)...)...), req, of10.BadRequestBadLen},
		{"vendor stats", message(1, 16, unhex("ffff0000 00abcdef 00000001")...), req, of10.BadRequestBadVendor},
		{"vendor", message(1, 4, unhex("00abcdef 00000001")...), req, of10.BadRequestBadVendor},
		{"short vendor", message(1, 4, 1, 2), req, of10.BadRequestBadLen},
		{"nicira subtype", message(1, 4, unhex("00002320 00000063")...), req, of10.BadRequestBadSubtype},
		{"nicira role cut short", message(1, 4, unhex("00002320 0000000a 0000")...), req, of10.BadRequestBadLen},

		{"queue stats port 99", message(1, 16, unhex("00050000 00630000 ffffffff")...), queue, of10.QueueOpFailedBadPort},
		{"queue stats queue 5", message(1, 16, unhex("00050000 00010000 00000005")...), queue, of10.QueueOpFailedBadQueue},
		{"queue config port 99", message(1, 20, 0, 99, 0, 0), queue, of10.QueueOpFailedBadPort},
		{"queue config ALL", message(1, 20, 0xff, 0xfc, 0, 0), queue, of10.QueueOpFailedBadPort},
		{"queue config LOCAL", message(1, 20, 0xff, 0xfe, 0, 0), queue, of10.QueueOpFailedBadPort},
		{"queue config cut short", message(1, 20, 0, 1), req, of10.BadRequestBadLen},

		{"packet_out unknown buffer", message(1, 13, unhex("00001234 0001 0008 0000000800020000")...), req, of10.BadRequestBufferUnknown},
		{"packet_out buffer 0 no actions", message(1, 13, unhex("00000000 0001 0000")...), req, of10.BadRequestBufferUnknown},
		{"packet_out NONE", packetOutWith("00000008ffff0000"), act, of10.BadActionBadOutPort},
		{"packet_out 0xff00", packetOutWith("00000008ff000000"), act, of10.BadActionBadOutPort},
		{"packet_out 0xfff7", packetOutWith("00000008fff70000"), act, of10.BadActionBadOutPort},
		{"packet_out actions beyond the end", message(1, 13, unhex("ffffffff 0001 0040 0000000800020000")...), req, of10.BadRequestBadLen},
		{"packet_out action type 12", packetOutWith("000c000800000000"), act, of10.BadActionBadType},
		{"packet_out cut short", message(1, 13, 0, 0, 0), req, of10.BadRequestBadLen},

		{"action type 12", flowModWith("000c000800000000"), act, of10.BadActionBadType},
		{"action length 0", flowModWith("0000000000020000"), act, of10.BadActionBadLen},
		{"action length 4", flowModWith("0000000400020000"), act, of10.BadActionBadLen},
		{"action length 12", flowModWith("0000000c0002000000000000"), act, of10.BadActionBadLen},
		{"output length 16", flowModWith("00000010000200000000000000000000"), act, of10.BadActionBadLen},
		{"action beyond the end", flowModWith("0000001000020000"), act, of10.BadActionBadLen},
		{"4 bytes after the actions", flowModWith("0000000800020000 00000000"), act, of10.BadActionBadLen},
		{"output NONE", flowModWith("00000008ffff0000"), act, of10.BadActionBadOutPort},
		{"output TABLE", flowModWith("00000008fff90000"), act, of10.BadActionBadOutPort},
		{"output 0xff05", flowModWith("00000008ff050000"), act, of10.BadActionBadOutPort},
		{"enqueue FLOOD", flowModWith("000b0010fffb0000 00000000 00000001"), act, of10.BadActionBadOutPort},
		{"vid 5000", flowModWith("0001000813880000"), act, of10.BadActionBadArgument},
		{"pcp 9", flowModWith("0002000809000000"), act, of10.BadActionBadArgument},
		{"tos 3", flowModWith("0008000803000000"), act, of10.BadActionBadArgument},
		{"vendor action", flowModWith("ffff000800abcdef"), act, of10.BadActionBadVendor},
		{"good then bad", flowModWith("0000000800020000 0001000813880000"), act, of10.BadActionBadArgument},

		{"port_mod port 99", message(1, 15, unhex("0063 020000000163 00000000 00000000 00000000 00000000")...), port, of10.PortModFailedBadPort},
		{"port_mod address", message(1, 15, unhex("0001 020000000999 00000010 00000010 00000000 00000000")...), port, of10.PortModFailedBadHWAddr},
		{"port_mod cut short", message(1, 15, 0, 1), req, of10.BadRequestBadLen},
		{"port_mod too long", message(1, 15, make([]byte, 28)...), req, of10.BadRequestBadLen},

		{"command 9", encode(with(add(1, of10.MatchAll()), func(m *of10.FlowMod) { m.Command = 9 })), flow, of10.FlowModFailedBadCommand},
		{"emergency with timeout", encode(with(add(1, of10.MatchAll()), func(m *of10.FlowMod) { m.Flags, m.IdleTimeout = of10.FlowModEmerg, 5 })), flow, of10.FlowModFailedBadEmergTimeout},
	}
}

// TestMalformed sends one bad message of each kind and wants the error the
// specification has for it, quoting the message, and a switch that is unchanged.
func TestMalformed(t *testing.T) {
	for _, tt := range malformed() {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{})
			msg := append([]byte(nil), tt.msg...)
			binary.BigEndian.PutUint32(msg[4:], 0x7701)
			got := r.raw(msg)
			wantError(t, got, tt.typ, tt.code, 0x7701, msg)
			if len(got) != 1 || len(r.out.Frames) != 0 {
				t.Errorf("%d answers and %d frames, want one error only", len(got), len(r.out.Frames))
			}
			if flows := r.flows(); len(flows) != 0 {
				t.Errorf("a refused message left %d flows", len(flows))
			}
			if m := r.send(&of10.BarrierRequest{}); len(m) != 1 || m[0].Type() != of10.TypeBarrierReply {
				t.Errorf("afterwards a barrier gives %v", m)
			}
		})
	}
}

func encode(m of10.Message) []byte {
	b, err := m.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return b
}

// TestTolerated lists odd messages that are no errors.
func TestTolerated(t *testing.T) {
	tests := []struct {
		name string
		msg  []byte
	}{
		{"hello later", message(1, 0)},
		{"hello with a body", message(1, 0, 0, 1, 0, 8, 0, 0, 0, 2)},
		{"echo_reply", message(1, 3, 1, 2)},
		{"packet_out to absent port 77", packetOutWith("00000008004d0000")},
		{"packet_out to port 0", packetOutWith("0000000800000000")},
		{"packet_out without data", message(1, 13, unhex("ffffffff 0001 0008 0000000800020000")...)},
		{"packet_out with 13 bytes", message(1, 13, append(unhex("ffffffff 0001 0008 0000000800020000"), make([]byte, 13)...)...)},
		{"packet_out back to its in_port", packetOutWith("0000000800010000")},
		{"flow with absent port", flowModWith("00000008004d0000")},
		{"flow out of its own in_port", encode(add(3, inPort(1), output(1)))},
		{"enqueue an absent queue", flowModWith("000b001000010000 00000000 00000063")},
		{"unknown flags", encode(with(add(1, of10.MatchAll()), func(m *of10.FlowMod) { m.Flags = 0x80 }))},
		{"set_nw_src without ip", encode(add(1, of10.MatchAll(), of10.SetNWSrc(1)))},
		{"unknown port config bits", message(1, 15, unhex("0001 020000000101 00100000 00100000 00000000 00000000")...)},
		{"delete what is not there", encode(with(add(1, inPort(3)), func(m *of10.FlowMod) { m.Command = of10.FlowDelete }))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{})
			if got := r.raw(tt.msg); len(got) != 0 {
				t.Errorf("answered with %v", got)
			}
			if len(r.out.Frames) != 0 {
				t.Errorf("sent frames to %v", r.ports())
			}
		})
	}
}
