package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
output port=fff8  # INPORT
output port=fff9  # TABLE
output port=fffa  # NORMAL
output port=fffb  # FLOOD
output port=fffc  # ALL
output port=fffd  # CONTROLLER
output port=fffe  # LOCAL
output port=ffff
output port=ff00  # MAX
output port=ff01
output
output port=01
`},
		{"controller with max_len", []Action{Output(PortController, 0), Output(PortController, 1), Output(PortController, 64), Output(PortController, 128), Output(PortController, 65509), Output(PortController, 65535)}, `output port=fffd; output port=fffd max_len=01; output port=fffd max_len=40; output port=fffd max_len=80; output port=fffd max_len=ffe5; output port=fffd max_len=ffff`},
		{"push a tag", []Action{SetVLANVID(100), SetVLANPCP(5), Output(2, 0)}, `set_vlan_vid vlan_vid=64; set_vlan_pcp vlan_pcp=05; output port=02`},
		{"vlan ids at their edges", []Action{SetVLANVID(0), SetVLANVID(1), SetVLANVID(4094), SetVLANVID(4095), SetVLANVID(4096), SetVLANVID(65535)}, `set_vlan_vid; set_vlan_vid vlan_vid=01; set_vlan_vid vlan_vid=0ffe; set_vlan_vid vlan_vid=0fff; set_vlan_vid vlan_vid=1000; set_vlan_vid vlan_vid=ffff`},
		{"priorities at their edges", []Action{SetVLANPCP(0), SetVLANPCP(7), SetVLANPCP(8), SetVLANPCP(255)}, `set_vlan_pcp; set_vlan_pcp vlan_pcp=07; set_vlan_pcp vlan_pcp=08; set_vlan_pcp vlan_pcp=ff`},
		{"pop a tag", []Action{StripVLAN(), Output(1, 0)}, `strip_vlan; output port=01`},
		{"router hop", []Action{SetDLSrc(macOf(0x200000000aa)), SetDLDst(macOf(0x200000000bb)), Output(4, 0)}, `set_dl_src dl_addr=0200000000aa; set_dl_dst dl_addr=0200000000bb; output port=04`},
		{"broadcast and zero addresses", []Action{SetDLSrc(macOf(0x0)), SetDLDst(macOf(0xffffffffffff))}, `set_dl_src; set_dl_dst dl_addr=ffffffffffff`},
		{"NAT to the outside", []Action{SetNWSrc(0xc6336407), SetTPSrc(40001), Output(1, 0)}, `set_nw_src nw_addr=c6336407; set_tp_src tp_port=9c41; output port=01`},
		{"NAT to the inside", []Action{SetNWDst(0x0a000005), SetTPDst(80), SetDLDst(macOf(0x2005e100001)), Output(2, 0)}, `set_nw_dst nw_addr=0a000005; set_tp_dst tp_port=50; set_dl_dst dl_addr=02005e100001; output port=02`},
		{"addresses at their edges", []Action{SetNWSrc(0x00000000), SetNWDst(0xffffffff)}, `set_nw_src; set_nw_dst nw_addr=ffffffff`},
		{"transport ports at their edges", []Action{SetTPSrc(0), SetTPDst(65535)}, `set_tp_src; set_tp_dst tp_port=ffff`},
		{"DSCP EF", []Action{SetNWTos(184), Output(3, 0)}, `set_nw_tos nw_tos=b8; output port=03`},
		{"tos with the two low bits set", []Action{SetNWTos(3), SetNWTos(255)}, `set_nw_tos nw_tos=03; set_nw_tos nw_tos=ff`},
		{"queues", []Action{Enqueue(1, 0), Enqueue(2, 1), Enqueue(PortInPort, 1<<32-1), Enqueue(PortLocal, 7)}, `enqueue port=01; enqueue port=02 queue_id=01; enqueue port=fff8 queue_id=ffffffff; enqueue port=fffe queue_id=07`},
		{"order counts: output, rewrite, output", []Action{Output(1, 0), SetVLANVID(7), Output(2, 0), StripVLAN(), Output(3, 0)}, `output port=01; set_vlan_vid vlan_vid=07; output port=02; strip_vlan; output port=03`},
		{"Nicira resubmit", []Action{VendorAction(0x00002320, unannotate(t, "00010002 00000000")), Output(1, 0)}, `
vendor_action length=10 vendor=00002320
0001000200000000  # action: NXAST_RESUBMIT in_port 2
output port=01
`},
		{"Nicira set_tunnel", []Action{VendorAction(0x00002320, unannotate(t, "00020000 0000002a"))}, `vendor_action length=10 vendor=00002320; 000200000000002a  # action: NXAST_SET_TUNNEL 42`},
		{"Nicira note", []Action{VendorAction(0x00002320, unannotate(t, "00080011 22334455"))}, `vendor_action length=10 vendor=00002320; 0008001122334455  # action: NXAST_NOTE`},
		{"Nicira reg_load", []Action{VendorAction(0x00002320, unannotate(t, "0007001f 00010004 00000000 00000005"))}, `vendor_action length=18 vendor=00002320; 0007001f000100040000000000000005  # action: NXAST_REG_LOAD 5 to reg0`},
		{"vendor action without a body", []Action{VendorAction(0xdeadbeef, nil)}, `vendor_action length=08 vendor=deadbeef`},
		{"OpenFlow 1.1 action type 12", []Action{{Type: 12, Raw: unannotate(t, "000c0008 00000001")}, Output(1, 0)}, `
000c 0008 00000001  # action: type 12, unknown, length 8, body
output port=01
`},
		{"unknown types between known", []Action{Output(1, 0), {Type: 4660, Raw: unannotate(t, "12340010 00010203 04050607 08090a0b")}, StripVLAN(), {Type: 65534, Raw: unannotate(t, "fffe0008 ffffffff")}}, `
output port=01
1234 0010 000102030405060708090a0b  # action: type 4660, unknown, length 16, body
strip_vlan
fffe 0008 ffffffff  # action: type 65534, unknown, length 8, body
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
