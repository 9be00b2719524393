package of10

import "testing"

func usedPacketOut() Message {
	return &PacketOut{XID: 99, BufferID: 99, InPort: 99, Actions: everyAction(), Data: []byte("something else")}
}

func TestPacketOutWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPacketOut,
		wireCase{"lldp probe", &PacketOut{XID: 5, BufferID: NoBuffer, InPort: PortController, Actions: []Action{Output(3, 0)}, Data: []byte{
			1, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 3, 0x88, 0xcc, 2, 2, 7, 0x31, 0, 0}}, `
01                 # version 1.0
0d                 # type PACKET_OUT
00 2c              # length 44
00 00 00 05        # xid
ff ff ff ff        # buffer_id none
ff fd              # in_port CONTROLLER
00 08              # actions_len 8
00 00              # action: type OUTPUT
00 08              # action: length 8
00 03              # action: port 3
00 00              # action: max_len
01 80 c2 00 00 0e  # data: dl_dst
02 00 00 00 00 03  # data: dl_src
88 cc              # data: dl_type LLDP
02 02 07 31        # data: chassis id
00 00              # data: end
`, "OFPT_PACKET_OUT (xid=0x5): in_port=CONTROLLER actions=output:3 data_len=20\n" +
			"vlan_tci=0x0000,dl_src=02:00:00:00:00:03,dl_dst=01:80:c2:00:00:0e,dl_type=0x88cc"},
		wireCase{"buffer with rewriting", &PacketOut{XID: 6, BufferID: 0, InPort: 1, Actions: []Action{SetDLDst(mac(9)), Enqueue(PortInPort, 1)}}, `
01                 # version 1.0
0d                 # type PACKET_OUT
00 30              # length 48
00 00 00 06        # xid
00 00 00 00        # buffer_id 0
00 01              # in_port 1
00 20              # actions_len 32
00 05              # action: type SET_DL_DST
00 10              # action: length 16
02 00 00 00 00 09  # action: dl_addr
00 00 00 00 00 00  # pad
00 0b              # action: type ENQUEUE
00 10              # action: length 16
ff f8              # action: port IN_PORT
00 00 00 00 00 00  # pad
00 00 00 01        # action: queue_id 1
`, "OFPT_PACKET_OUT (xid=0x6): in_port=1 actions=mod_dl_dst:02:00:00:00:00:09,enqueue:IN_PORT:1 buffer=0x00000000"},
		wireCase{"drop a buffer", &PacketOut{XID: 7, BufferID: 0x80000000, InPort: PortNone}, `
01           # version 1.0
0d           # type PACKET_OUT
00 10        # length 16
00 00 00 07  # xid
80 00 00 00  # buffer_id
ff ff        # in_port NONE
00 00        # actions_len 0
`, "OFPT_PACKET_OUT (xid=0x7): in_port=ANY actions=drop buffer=0x80000000"},
		wireCase{"data that looks like an action", &PacketOut{XID: 8, BufferID: NoBuffer, InPort: PortNone, Data: []byte{0, 0, 0, 8, 0, 1, 0, 0}}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 18                    # length 24
00 00 00 08              # xid
ff ff ff ff              # buffer_id none
ff ff                    # in_port NONE
00 00                    # actions_len 0
00 00 00 08 00 01 00 00  # data
`, "OFPT_PACKET_OUT (xid=0x8): in_port=ANY actions=drop data_len=8"},
	)
}

func TestPacketOutFields(t *testing.T) {
	t.Parallel()
	checkFields(t, &PacketOut{}, nil,
		wireField[*PacketOut]{"buffer_id", 8, 4, func(m *PacketOut, v uint64) { m.BufferID = uint32(v) }},
		wireField[*PacketOut]{"in_port", 12, 2, func(m *PacketOut, v uint64) { m.InPort = Port(v) }},
		wireField[*PacketOut]{"actions_len", 14, 2, nil})
}

func TestPacketOutBad(t *testing.T) {
	t.Parallel()
	checkBad(t,
		badCase{"header only", "01 0d 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"no actions_len", "01 0d 00 0e 00 00 00 01  ff ff ff ff 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"actions_len one over the end", "01 0d 00 18 00 00 00 01  ff ff ff ff 00 01 00 09  00 00 00 08 00 01 00 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"actions_len 65535", "01 0d 00 18 00 00 00 01  ff ff ff ff 00 01 ff ff  00 00 00 08 00 01 00 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"actions_len inside an action", "01 0d 00 20 00 00 00 01  ff ff ff ff 00 01 00 08  00 04 00 10 02 00 00 00 00 01 00 00 00 00 00 00", ErrorBadAction, BadActionBadLen},
		badCase{"actions_len 4", "01 0d 00 18 00 00 00 01  ff ff ff ff 00 01 00 04  00 00 00 08 00 01 00 00", ErrorBadAction, BadActionBadLen},
		badCase{"enqueue of 8 bytes", "01 0d 00 18 00 00 00 01  ff ff ff ff 00 01 00 08  00 0b 00 08 00 01 00 00", ErrorBadAction, BadActionBadLen},
		badCase{"version 4", "04 0d 00 10 00 00 00 01  ff ff ff ff 00 01 00 00", ErrorBadRequest, BadRequestBadVersion},
	)
}

// TestPacketOutSplit: wherever the actions end, the rest is the frame, and the peek
// functions agree with the decoder.
func TestPacketOutSplit(t *testing.T) {
	t.Parallel()
	all, data := everyAction(), newGen(22).bytes(64)
	for n := range len(all) + 1 {
		for _, size := range []int{0, 1, 8, 64} {
			want := &PacketOut{XID: uint32(n), BufferID: NoBuffer, InPort: Port(size), Actions: all[:n:n], Data: data[:size:size]}
			b := encode(t, want)
			got := usedPacketOut().(*PacketOut)
			if err := got.UnmarshalBinary(b); err != nil {
				t.Errorf("%d actions, %d bytes: %v", n, size, err)
				continue
			}
			if !ActionsEqual(want.Actions, got.Actions) || string(got.Data) != string(want.Data) {
				t.Errorf("%d actions, %d bytes: got %v and %x", n, size, got.Actions, got.Data)
			}
			if len(b) != 16+ActionsLen(all[:n])+size || len(b) != want.Len() {
				t.Errorf("%d actions, %d bytes: %d bytes encoded, Len %d", n, size, len(b), want.Len())
			}
			list, err := ParseActions(PacketOutActions(b), nil)
			if err != nil || !ActionsEqual(list, want.Actions) || string(PacketOutData(b)) != string(want.Data) {
				t.Errorf("%d actions, %d bytes: peeked %v, %x, %v", n, size, list, PacketOutData(b), err)
			}
		}
	}
}
