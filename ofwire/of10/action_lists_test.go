package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// TestActionLists: each action in the lists it comes in, values at their edges and unknown
// types between known ones; both directions, alone and within the messages that carry lists.
func TestActionLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		list []Action
		wire string
	}{
		{"output to every reserved port", []Action{Output(PortInPort, 0), Output(PortTable, 0), Output(PortNormal, 0), Output(PortFlood, 0), Output(PortAll, 0), Output(PortController, 0), Output(PortLocal, 0), Output(PortNone, 0), Output(PortMax, 0), Output(65281, 0), Output(0, 0), Output(1, 0)}, `
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff f8                    # action: port INPORT
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff f9                    # action: port TABLE
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fa                    # action: port NORMAL
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fb                    # action: port FLOOD
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fc                    # action: port ALL
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fe                    # action: port LOCAL
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff ff                    # action: port NONE
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff 00                    # action: port MAX
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff 01                    # action: port 65281
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 00                    # action: port 0
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`},
		{"controller with max_len", []Action{Output(PortController, 0), Output(PortController, 1), Output(PortController, 64), Output(PortController, 128), Output(PortController, 65509), Output(PortController, 65535)}, `
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
00 00                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
00 01                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
00 40                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
00 80                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
ff e5                    # action: max_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
ff ff                    # action: max_len
`},
		{"push a tag", []Action{SetVLANVID(100), SetVLANPCP(5), Output(2, 0)}, `
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
00 64                    # action: vlan_vid 100
00 00                    # pad
00 02                    # action: type SET_VLAN_PCP
00 08                    # action: length 8
05                       # action: vlan_pcp 5
00 00 00                 # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len
`},
		{"vlan ids at their edges", []Action{SetVLANVID(0), SetVLANVID(1), SetVLANVID(4094), SetVLANVID(4095), SetVLANVID(4096), SetVLANVID(65535)}, `
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
00 00                    # action: vlan_vid 0
00 00                    # pad
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
00 01                    # action: vlan_vid 1
00 00                    # pad
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
0f fe                    # action: vlan_vid 4094
00 00                    # pad
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
0f ff                    # action: vlan_vid 4095
00 00                    # pad
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
10 00                    # action: vlan_vid 4096
00 00                    # pad
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
ff ff                    # action: vlan_vid 65535
00 00                    # pad
`},
		{"priorities at their edges", []Action{SetVLANPCP(0), SetVLANPCP(7), SetVLANPCP(8), SetVLANPCP(255)}, `
00 02                    # action: type SET_VLAN_PCP
00 08                    # action: length 8
00                       # action: vlan_pcp 0
00 00 00                 # pad
00 02                    # action: type SET_VLAN_PCP
00 08                    # action: length 8
07                       # action: vlan_pcp 7
00 00 00                 # pad
00 02                    # action: type SET_VLAN_PCP
00 08                    # action: length 8
08                       # action: vlan_pcp 8
00 00 00                 # pad
00 02                    # action: type SET_VLAN_PCP
00 08                    # action: length 8
ff                       # action: vlan_pcp 255
00 00 00                 # pad
`},
		{"pop a tag", []Action{StripVLAN(), Output(1, 0)}, `
00 03                    # action: type STRIP_VLAN
00 08                    # action: length 8
00 00 00 00              # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`},
		{"router hop", []Action{SetDLSrc(ofwire.MAC{0x02, 0, 0, 0, 0, 0xaa}), SetDLDst(ofwire.MAC{0x02, 0, 0, 0, 0, 0xbb}), Output(4, 0)}, `
00 04                    # action: type SET_DL_SRC
00 10                    # action: length 16
02 00 00 00 00 aa        # action: dl_addr
00 00 00 00 00 00        # pad
00 05                    # action: type SET_DL_DST
00 10                    # action: length 16
02 00 00 00 00 bb        # action: dl_addr
00 00 00 00 00 00        # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 04                    # action: port 4
00 00                    # action: max_len
`},
		{"broadcast and zero addresses", []Action{SetDLSrc(ofwire.MAC{0, 0, 0, 0, 0, 0}), SetDLDst(ofwire.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})}, `
00 04                    # action: type SET_DL_SRC
00 10                    # action: length 16
00 00 00 00 00 00        # action: dl_addr
00 00 00 00 00 00        # pad
00 05                    # action: type SET_DL_DST
00 10                    # action: length 16
ff ff ff ff ff ff        # action: dl_addr
00 00 00 00 00 00        # pad
`},
		{"NAT to the outside", []Action{SetNWSrc(0xc6336407), SetTPSrc(40001), Output(1, 0)}, `
00 06                    # action: type SET_NW_SRC
00 08                    # action: length 8
c6 33 64 07              # action: nw_addr 198.51.100.7
00 09                    # action: type SET_TP_SRC
00 08                    # action: length 8
9c 41                    # action: tp_port 40001
00 00                    # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`},
		{"NAT to the inside", []Action{SetNWDst(0x0a000005), SetTPDst(80), SetDLDst(ofwire.MAC{0x02, 0, 0x5e, 0x10, 0, 0x01}), Output(2, 0)}, `
00 07                    # action: type SET_NW_DST
00 08                    # action: length 8
0a 00 00 05              # action: nw_addr 10.0.0.5
00 0a                    # action: type SET_TP_DST
00 08                    # action: length 8
00 50                    # action: tp_port 80
00 00                    # pad
00 05                    # action: type SET_DL_DST
00 10                    # action: length 16
02 00 5e 10 00 01        # action: dl_addr
00 00 00 00 00 00        # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len
`},
		{"addresses at their edges", []Action{SetNWSrc(0x00000000), SetNWDst(0xffffffff)}, `
00 06                    # action: type SET_NW_SRC
00 08                    # action: length 8
00 00 00 00              # action: nw_addr 0.0.0.0
00 07                    # action: type SET_NW_DST
00 08                    # action: length 8
ff ff ff ff              # action: nw_addr 255.255.255.255
`},
		{"transport ports at their edges", []Action{SetTPSrc(0), SetTPDst(65535)}, `
00 09                    # action: type SET_TP_SRC
00 08                    # action: length 8
00 00                    # action: tp_port 0
00 00                    # pad
00 0a                    # action: type SET_TP_DST
00 08                    # action: length 8
ff ff                    # action: tp_port 65535
00 00                    # pad
`},
		{"DSCP EF", []Action{SetNWTos(184), Output(3, 0)}, `
00 08                    # action: type SET_NW_TOS
00 08                    # action: length 8
b8                       # action: nw_tos 184
00 00 00                 # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 03                    # action: port 3
00 00                    # action: max_len
`},
		{"tos with the two low bits set", []Action{SetNWTos(3), SetNWTos(255)}, `
00 08                    # action: type SET_NW_TOS
00 08                    # action: length 8
03                       # action: nw_tos 3
00 00 00                 # pad
00 08                    # action: type SET_NW_TOS
00 08                    # action: length 8
ff                       # action: nw_tos 255
00 00 00                 # pad
`},
		{"queues", []Action{Enqueue(1, 0), Enqueue(2, 1), Enqueue(PortInPort, 4294967295), Enqueue(PortLocal, 7)}, `
00 0b                    # action: type ENQUEUE
00 10                    # action: length 16
00 01                    # action: port 1
00 00 00 00 00 00        # pad
00 00 00 00              # action: queue_id 0
00 0b                    # action: type ENQUEUE
00 10                    # action: length 16
00 02                    # action: port 2
00 00 00 00 00 00        # pad
00 00 00 01              # action: queue_id 1
00 0b                    # action: type ENQUEUE
00 10                    # action: length 16
ff f8                    # action: port INPORT
00 00 00 00 00 00        # pad
ff ff ff ff              # action: queue_id 4294967295
00 0b                    # action: type ENQUEUE
00 10                    # action: length 16
ff fe                    # action: port LOCAL
00 00 00 00 00 00        # pad
00 00 00 07              # action: queue_id 7
`},
		{"order counts: output, rewrite, output", []Action{Output(1, 0), SetVLANVID(7), Output(2, 0), StripVLAN(), Output(3, 0)}, `
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
00 07                    # action: vlan_vid 7
00 00                    # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len
00 03                    # action: type STRIP_VLAN
00 08                    # action: length 8
00 00 00 00              # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 03                    # action: port 3
00 00                    # action: max_len
`},
		{"Nicira resubmit", []Action{VendorAction(0x00002320, []byte{0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00}), Output(1, 0)}, `
ff ff                    # action: type VENDOR
00 10                    # action: length 16
00 00 23 20              # action: vendor
00 01 00 02 00 00 00 00  # action: NXAST_RESUBMIT in_port 2
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`},
		{"Nicira set_tunnel", []Action{VendorAction(0x00002320, []byte{0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2a})}, `
ff ff                    # action: type VENDOR
00 10                    # action: length 16
00 00 23 20              # action: vendor
00 02 00 00 00 00 00 2a  # action: NXAST_SET_TUNNEL 42
`},
		{"Nicira note", []Action{VendorAction(0x00002320, []byte{0x00, 0x08, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55})}, `
ff ff                    # action: type VENDOR
00 10                    # action: length 16
00 00 23 20              # action: vendor
00 08 00 11 22 33 44 55  # action: NXAST_NOTE
`},
		{"Nicira reg_load", []Action{VendorAction(0x00002320, []byte{0x00, 0x07, 0x00, 0x1f, 0x00, 0x01, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05})}, `
ff ff                    # action: type VENDOR
00 18                    # action: length 24
00 00 23 20              # action: vendor
00 07 00 1f 00 01 00 04 00 00 00 00 00 00 00 05 # action: NXAST_REG_LOAD 5 to reg0
`},
		{"vendor action without a body", []Action{VendorAction(0xdeadbeef, nil)}, `
ff ff                    # action: type VENDOR
00 08                    # action: length 8
de ad be ef              # action: vendor
`},
		{"OpenFlow 1.1 action type 12", []Action{{Type: 12, Raw: []byte{0x00, 0x0c, 0x00, 0x08, 0x00, 0x00, 0x00, 0x01}}, Output(1, 0)}, `
00 0c                    # action: type 12, unknown
00 08                    # action: length 8
00 00 00 01              # action: body
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`},
		{"unknown types between known", []Action{Output(1, 0), {Type: 4660, Raw: []byte{0x12, 0x34, 0x00, 0x10, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b}}, StripVLAN(), {Type: 65534, Raw: []byte{0xff, 0xfe, 0x00, 0x08, 0xff, 0xff, 0xff, 0xff}}}, `
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
12 34                    # action: type 4660, unknown
00 10                    # action: length 16
00 01 02 03 04 05 06 07 08 09 0a 0b # action: body
00 03                    # action: type STRIP_VLAN
00 08                    # action: length 8
00 00 00 00              # pad
ff fe                    # action: type 65534, unknown
00 08                    # action: length 8
ff ff ff ff              # action: body
`},
	} {
		b := unannotate(t, c.wire)
		got, err := AppendActions(nil, c.list)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(b, got); d != "" {
			t.Errorf("%s: encoded (-want +got)\n%s", c.name, d)
		}
		if n := ActionsLen(c.list); n != len(b) {
			t.Errorf("%s: ActionsLen is %d, want %d", c.name, n, len(b))
		}
		list, err := ParseActions(b, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := cmp.Diff(c.list, list); d != "" {
			t.Errorf("%s: decoded (-want +got)\n%s", c.name, d)
		}
		for _, m := range []Message{
			&FlowMod{Match: MatchAll(), Actions: c.list},
			&PacketOut{Actions: c.list, Data: []byte{1, 2, 3}},
			&StatsReply{StatsType: StatsFlow, Body: FlowStatsReply{{Actions: c.list}, {Actions: c.list}}},
		} {
			back, err := Parse(encode(t, m))
			if err != nil {
				t.Errorf("%s in %v: %v", c.name, m.Type(), err)
				continue
			}
			if d := cmp.Diff(m, back); d != "" {
				t.Errorf("%s in %v (-want +got)\n%s", c.name, m.Type(), d)
			}
		}
	}
}
