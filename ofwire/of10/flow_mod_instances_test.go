package of10

import (
	"testing"

	"github.com/govisor/govisor/ofwire"
)

// TestFlowModsOfControllers: what known controllers and tools send.
func TestFlowModsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowMod,
		wireCase{"ovs-ofctl del-flows", &FlowMod{XID: 2, Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x0, Command: FlowDelete, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: nil}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 02              # xid
00 38 20 ff              # match: wildcards, all
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 03                    # command DELETE
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
80 00                    # priority 32768
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
`, ""},
		wireCase{"ovs-ofctl add-flow actions=normal", &FlowMod{XID: 2, Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: []Action{Output(PortNormal, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 02              # xid
00 38 20 ff              # match: wildcards, all
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
80 00                    # priority 32768
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fa                    # action: port NORMAL
00 00                    # action: max_len
`, ""},
		wireCase{"NOX pyswitch, exact, buffered, idle 5", &FlowMod{XID: 17, Match: Match{Wildcards: 0x0, InPort: 1, DLSrc: ofwire.MAC{0, 0, 0, 0, 0, 0x01}, DLDst: ofwire.MAC{0, 0, 0, 0, 0, 0x02}, DLVLAN: VLANNone, DLType: 0x0800, NWProto: 1, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 8},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 5, HardTimeout: 0, Priority: 65535, BufferID: 0x101, OutPort: PortNone, Flags: 0, Actions: []Action{Output(2, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 11              # xid
00 00 00 00              # match: wildcards, none
00 01                    # match: in_port 1
00 00 00 00 00 01        # match: dl_src
00 00 00 00 00 02        # match: dl_dst
ff ff                    # match: dl_vlan none
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
00                       # match: nw_tos
01                       # match: nw_proto 1
00 00                    # pad
0a 00 00 01              # match: nw_src 10.0.0.1
0a 00 00 02              # match: nw_dst 10.0.0.2
00 08                    # match: tp_src 8
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 05                    # idle_timeout 5
00 00                    # hard_timeout 0
ff ff                    # priority 65535
00 00 01 01              # buffer_id
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len
`, ""},
		wireCase{"POX l2_learning, exact TCP, idle 10 hard 30", &FlowMod{XID: 42, Match: Match{Wildcards: 0x0, InPort: 2, DLSrc: ofwire.MAC{0, 0, 0, 0, 0, 0x02}, DLDst: ofwire.MAC{0, 0, 0, 0, 0, 0x01}, DLVLAN: VLANNone, DLType: 0x0800, NWTos: 16, NWProto: 6, NWSrc: 0x0a000002, NWDst: 0x0a000001, TPSrc: 5001, TPDst: 43512},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 10, HardTimeout: 30, Priority: 32768, BufferID: 0x105, OutPort: PortNone, Flags: 0, Actions: []Action{Output(1, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 2a              # xid
00 00 00 00              # match: wildcards, none
00 02                    # match: in_port 2
00 00 00 00 00 02        # match: dl_src
00 00 00 00 00 01        # match: dl_dst
ff ff                    # match: dl_vlan none
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
10                       # match: nw_tos 16
06                       # match: nw_proto 6
00 00                    # pad
0a 00 00 02              # match: nw_src 10.0.0.2
0a 00 00 01              # match: nw_dst 10.0.0.1
13 89                    # match: tp_src 5001
a9 f8                    # match: tp_dst 43512
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 0a                    # idle_timeout 10
00 1e                    # hard_timeout 30
80 00                    # priority 32768
00 00 01 05              # buffer_id
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`, ""},
		wireCase{"Floodlight forwarding, cookie of the module", &FlowMod{XID: 0, Match: Match{Wildcards: 0x3020f8, InPort: 1, DLSrc: ofwire.MAC{0, 0, 0, 0, 0, 0x01}, DLDst: ofwire.MAC{0, 0, 0, 0, 0, 0x02}, DLVLAN: VLANNone},
			Cookie: 0x20000000000000, Command: FlowAdd, IdleTimeout: 5, HardTimeout: 0, Priority: 0, BufferID: 0xffffffff, OutPort: PortNone, Flags: 1, Actions: []Action{Output(2, 65535)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 00              # xid
00 30 20 f8              # match: wildcards, all but L2
00 01                    # match: in_port 1
00 00 00 00 00 01        # match: dl_src
00 00 00 00 00 02        # match: dl_dst
ff ff                    # match: dl_vlan none
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 20 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 05                    # idle_timeout 5
00 00                    # hard_timeout 0
00 00                    # priority 0
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 01                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
ff ff                    # action: max_len
`, ""},
		wireCase{"Floodlight static entry pusher, ARP to controller", &FlowMod{XID: 0, Match: Match{Wildcards: 0x3820ef, DLType: 0x0806},
			Cookie: 0xa0000000000000, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 32767, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: []Action{Output(PortController, 32767)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 00              # xid
00 38 20 ef              # match: wildcards, all but dl_type
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 06                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 a0 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
7f ff                    # priority 32767
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
7f ff                    # action: max_len
`, ""},
		wireCase{"Ryu simple_switch, L2, SEND_FLOW_REM", &FlowMod{XID: 1866214673, Match: Match{Wildcards: 0x3820f2, InPort: 3, DLSrc: ofwire.MAC{0, 0, 0, 0, 0, 0x03}, DLDst: ofwire.MAC{0, 0, 0, 0, 0, 0x01}},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 1, Actions: []Action{Output(1, 65509)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
6f 3c 2d 11              # xid
00 38 20 f2              # match: wildcards, all but in_port, dl_src, dl_dst
00 03                    # match: in_port 3
00 00 00 00 00 03        # match: dl_src
00 00 00 00 00 01        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
80 00                    # priority 32768
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 01                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
ff e5                    # action: max_len
`, ""},
		wireCase{"Trema learning switch, ExactMatch hard timeout", &FlowMod{XID: 65537, Match: Match{Wildcards: 0x0, InPort: 1, DLSrc: ofwire.MAC{0, 0, 0, 0, 0, 0x01}, DLDst: ofwire.MAC{0, 0, 0, 0, 0, 0x02}, DLVLAN: 10, DLVLANPCP: 7, DLType: 0x0806, NWProto: 1, NWSrc: 0xc0a80001, NWDst: 0xc0a80002},
			Cookie: 0x1000000000001, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 60, Priority: 65535, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: []Action{Output(2, 65535)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 01 00 01              # xid
00 00 00 00              # match: wildcards, none
00 01                    # match: in_port 1
00 00 00 00 00 01        # match: dl_src
00 00 00 00 00 02        # match: dl_dst
00 0a                    # match: dl_vlan
07                       # match: dl_vlan_pcp 7
00                       # pad
08 06                    # match: dl_type
00                       # match: nw_tos
01                       # match: nw_proto 1
00 00                    # pad
c0 a8 00 01              # match: nw_src 192.168.0.1
c0 a8 00 02              # match: nw_dst 192.168.0.2
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 01 00 00 00 00 00 01  # cookie
00 00                    # command ADD
00 00                    # idle_timeout 0
00 3c                    # hard_timeout 60
ff ff                    # priority 65535
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
ff ff                    # action: max_len
`, ""},
		wireCase{"reference C drop flow, OFPFW_ALL with 63 bits", &FlowMod{XID: 7, Match: Match{Wildcards: 0x3fffff},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 0, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: nil}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 07              # xid
00 3f ff ff              # match: wildcards, all, 63 bits of each address
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
00 00                    # priority 0
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
`, ""},
		wireCase{"wildcards of all ones", &FlowMod{XID: 7, Match: Match{Wildcards: 0xffffffff},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 1, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: nil}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 07              # xid
ff ff ff ff              # match: wildcards, all, and undefined bits
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
00 01                    # priority 1
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
`, ""},
		wireCase{"undefined wildcard bits beside exact fields", &FlowMod{XID: 7, Match: Match{Wildcards: 0xffc00000, InPort: 9},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: []Action{Output(1, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 07              # xid
ff c0 00 00              # match: wildcards, only undefined bits
00 09                    # match: in_port 9
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
80 00                    # priority 32768
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`, ""},
	)
}
