package of10

import (
	"testing"
)

// TestFlowModsOfControllers: what known controllers and tools send.
func TestFlowModsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowMod,
		onWire("ovs-ofctl del-flows", &FlowMod{XID: 2, Match: Match{Wildcards: 0x3820ff},
			Command: FlowDelete, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone},
			`01 0e 0048 00000002; match wildcards=3820ff; flow_mod command=03 priority=8000 buffer_id=ffffffff out_port=ffff`),
		onWire("ovs-ofctl add-flow actions=normal", &FlowMod{XID: 2, Match: Match{Wildcards: 0x3820ff},
			Command: FlowAdd, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(PortNormal, 0)}},
			`01 0e 0050 00000002; match wildcards=3820ff; flow_mod priority=8000 buffer_id=ffffffff out_port=ffff; output port=fffa`),
		onWire("NOX pyswitch, exact, buffered, idle 5", &FlowMod{XID: 17, Match: Match{InPort: 1, DLSrc: macOf(0x1), DLDst: macOf(0x2), DLVLAN: VLANNone, DLType: 0x0800, NWProto: 1, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 8},
			Command: FlowAdd, IdleTimeout: 5, Priority: 65535, BufferID: 0x101, OutPort: PortNone, Actions: []Action{Output(2, 0)}}, `
01 0e 0050 00000011  # FLOW_MOD
match in_port=01 dl_src=000000000001 dl_dst=000000000002 dl_vlan=ffff dl_type=0800 nw_proto=01 nw_src=0a000001 nw_dst=0a000002 tp_src=08
flow_mod idle_timeout=05 priority=ffff buffer_id=0101 out_port=ffff
output port=02
`),
		onWire("POX l2_learning, exact TCP, idle 10 hard 30", &FlowMod{XID: 42, Match: Match{InPort: 2, DLSrc: macOf(0x2), DLDst: macOf(0x1), DLVLAN: VLANNone, DLType: 0x0800, NWTos: 16, NWProto: 6, NWSrc: 0x0a000002, NWDst: 0x0a000001, TPSrc: 5001, TPDst: 43512},
			Command: FlowAdd, IdleTimeout: 10, HardTimeout: 30, Priority: 32768, BufferID: 0x105, OutPort: PortNone, Actions: []Action{Output(1, 0)}}, `
01 0e 0050 0000002a  # FLOW_MOD
match in_port=02 dl_src=000000000002 dl_dst=000000000001 dl_vlan=ffff dl_type=0800 nw_tos=10 nw_proto=06 nw_src=0a000002 nw_dst=0a000001 tp_src=1389 tp_dst=a9f8
flow_mod idle_timeout=0a hard_timeout=1e priority=8000 buffer_id=0105 out_port=ffff
output port=01
`),
		onWire("Floodlight forwarding, cookie of the module", &FlowMod{Match: Match{Wildcards: 0x3020f8, InPort: 1, DLSrc: macOf(0x1), DLDst: macOf(0x2), DLVLAN: VLANNone},
			Cookie: 0x20000000000000, Command: FlowAdd, IdleTimeout: 5, BufferID: NoBuffer, OutPort: PortNone, Flags: 1, Actions: []Action{Output(2, 65535)}}, `
01 0e 0050 00000000  # FLOW_MOD
match wildcards=3020f8 in_port=01 dl_src=000000000001 dl_dst=000000000002 dl_vlan=ffff
flow_mod cookie=20000000000000 idle_timeout=05 buffer_id=ffffffff out_port=ffff flags=01
output port=02 max_len=ffff
`),
		onWire("Floodlight static entry pusher, ARP to controller", &FlowMod{Match: Match{Wildcards: 0x3820ef, DLType: 0x0806},
			Cookie: 0xa0000000000000, Command: FlowAdd, Priority: 32767, BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(PortController, 32767)}},
			`01 0e 0050 00000000; match wildcards=3820ef dl_type=0806; flow_mod cookie=a0000000000000 priority=7fff buffer_id=ffffffff out_port=ffff; output port=fffd max_len=7fff`),
		onWire("Ryu simple_switch, L2, SEND_FLOW_REM", &FlowMod{XID: 1866214673, Match: Match{Wildcards: 0x3820f2, InPort: 3, DLSrc: macOf(0x3), DLDst: macOf(0x1)},
			Command: FlowAdd, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone, Flags: 1, Actions: []Action{Output(1, 65509)}}, `
01 0e 0050 6f3c2d11  # FLOW_MOD
match wildcards=3820f2 in_port=03 dl_src=000000000003 dl_dst=000000000001
flow_mod priority=8000 buffer_id=ffffffff out_port=ffff flags=01
output port=01 max_len=ffe5
`),
		onWire("Trema learning switch, ExactMatch hard timeout", &FlowMod{XID: 65537, Match: Match{InPort: 1, DLSrc: macOf(0x1), DLDst: macOf(0x2), DLVLAN: 10, DLVLANPCP: 7, DLType: 0x0806, NWProto: 1, NWSrc: 0xc0a80001, NWDst: 0xc0a80002},
			Cookie: 0x1000000000001, Command: FlowAdd, HardTimeout: 60, Priority: 65535, BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(2, 65535)}}, `
01 0e 0050 00010001  # FLOW_MOD
match in_port=01 dl_src=000000000001 dl_dst=000000000002 dl_vlan=0a dl_vlan_pcp=07 dl_type=0806 nw_proto=01 nw_src=c0a80001 nw_dst=c0a80002
flow_mod cookie=01000000000001 hard_timeout=3c priority=ffff buffer_id=ffffffff out_port=ffff
output port=02 max_len=ffff
`),
		onWire("reference C drop flow, OFPFW_ALL with 63 bits", &FlowMod{XID: 7, Match: Match{Wildcards: 0x3fffff},
			Command: FlowAdd, BufferID: NoBuffer, OutPort: PortNone},
			`01 0e 0048 00000007; match wildcards=3fffff; flow_mod buffer_id=ffffffff out_port=ffff`),
		onWire("wildcards of all ones", &FlowMod{XID: 7, Match: Match{Wildcards: 0xffffffff},
			Command: FlowAdd, Priority: 1, BufferID: NoBuffer, OutPort: PortNone},
			`01 0e 0048 00000007; match wildcards=ffffffff; flow_mod priority=01 buffer_id=ffffffff out_port=ffff`),
		onWire("undefined wildcard bits beside exact fields", &FlowMod{XID: 7, Match: Match{Wildcards: 0xffc00000, InPort: 9},
			Command: FlowAdd, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(1, 0)}},
			`01 0e 0050 00000007; match wildcards=ffc00000 in_port=09; flow_mod priority=8000 buffer_id=ffffffff out_port=ffff; output port=01`),
	)
}

// TestFlowModCommands: each command with the fields it uses.
func TestFlowModCommands(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowMod,
		onWire("add with CHECK_OVERLAP and SEND_FLOW_REM", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ef, DLType: 0x88cc},
			Command: FlowAdd, Priority: 40000, BufferID: NoBuffer, OutPort: PortNone, Flags: 3, Actions: []Action{Output(PortController, 65535)}},
			`01 0e 0050 00000001; match wildcards=3820ef dl_type=88cc; flow_mod priority=9c40 buffer_id=ffffffff out_port=ffff flags=03; output port=fffd max_len=ffff`),
		onWire("add EMERG", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fe, InPort: 4},
			Command: FlowAdd, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone, Flags: 4, Actions: []Action{Output(PortFlood, 0)}},
			`01 0e 0050 00000001; match wildcards=3820fe in_port=04; flow_mod priority=8000 buffer_id=ffffffff out_port=ffff flags=04; output port=fffb`),
		onWire("add of unknown flags", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fe, InPort: 4},
			Command: FlowAdd, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone, Flags: 65528, Actions: []Action{Output(PortFlood, 0)}},
			`01 0e 0050 00000001; match wildcards=3820fe in_port=04; flow_mod priority=8000 buffer_id=ffffffff out_port=ffff flags=fff8; output port=fffb`),
		onWire("modify", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fe, InPort: 1},
			Cookie: 0xffffffffffffffff, Command: FlowModify, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(3, 0)}},
			`01 0e 0050 00000001; match wildcards=3820fe in_port=01; flow_mod cookie=ffffffffffffffff command=01 priority=8000 buffer_id=ffffffff out_port=ffff; output port=03`),
		onWire("modify strict", &FlowMod{XID: 1, Match: Match{Wildcards: 0x38205f, DLType: 0x0800, NWProto: 17},
			Command: FlowModifyStrict, Priority: 1, BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(PortAll, 0)}},
			`01 0e 0050 00000001; match wildcards=38205f dl_type=0800 nw_proto=11; flow_mod command=02 priority=01 buffer_id=ffffffff out_port=ffff; output port=fffc`),
		onWire("delete by out_port", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Command: FlowDelete, Priority: 32768, BufferID: NoBuffer, OutPort: 7},
			`01 0e 0048 00000001; match wildcards=3820ff; flow_mod command=03 priority=8000 buffer_id=ffffffff out_port=07`),
		onWire("delete by out_port CONTROLLER", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Command: FlowDelete, Priority: 32768, BufferID: NoBuffer, OutPort: PortController},
			`01 0e 0048 00000001; match wildcards=3820ff; flow_mod command=03 priority=8000 buffer_id=ffffffff out_port=fffd`),
		onWire("delete strict by priority", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fd, DLVLAN: VLANNone},
			Command: FlowDeleteStrict, Priority: 65535, BufferID: NoBuffer, OutPort: PortNone},
			`01 0e 0048 00000001; match wildcards=3820fd dl_vlan=ffff; flow_mod command=04 priority=ffff buffer_id=ffffffff out_port=ffff`),
		onWire("delete with actions, which do not count", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Command: FlowDelete, Priority: 32768, BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(1, 0)}},
			`01 0e 0050 00000001; match wildcards=3820ff; flow_mod command=03 priority=8000 buffer_id=ffffffff out_port=ffff; output port=01`),
		onWire("largest timeouts", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Command: FlowAdd, IdleTimeout: 65535, HardTimeout: 65535, Priority: 65535},
			`01 0e 0048 00000001; match wildcards=3820ff; flow_mod idle_timeout=ffff hard_timeout=ffff priority=ffff`),
	)
}
