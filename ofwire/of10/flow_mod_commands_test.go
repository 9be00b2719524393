package of10

import (
	"testing"
)

// TestFlowModCommands: each command with the fields it uses.
func TestFlowModCommands(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowMod,
		wireCase{"add with CHECK_OVERLAP and SEND_FLOW_REM", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ef, DLType: 0x88cc},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 40000, BufferID: 0xffffffff, OutPort: PortNone, Flags: 3, Actions: []Action{Output(PortController, 65535)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 01              # xid
00 38 20 ef              # match: wildcards, all but dl_type
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
88 cc                    # match: dl_type
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
9c 40                    # priority 40000
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 03                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
ff ff                    # action: max_len
`, ""},
		wireCase{"add EMERG", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fe, InPort: 4},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 4, Actions: []Action{Output(PortFlood, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 01              # xid
00 38 20 fe              # match: wildcards, all but in_port
00 04                    # match: in_port 4
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
00 04                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fb                    # action: port FLOOD
00 00                    # action: max_len
`, ""},
		wireCase{"add of unknown flags", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fe, InPort: 4},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 65528, Actions: []Action{Output(PortFlood, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 01              # xid
00 38 20 fe              # match: wildcards, all but in_port
00 04                    # match: in_port 4
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
ff f8                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fb                    # action: port FLOOD
00 00                    # action: max_len
`, ""},
		wireCase{"modify", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fe, InPort: 1},
			Cookie: 0xffffffffffffffff, Command: FlowModify, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: []Action{Output(3, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 01              # xid
00 38 20 fe              # match: wildcards, all but in_port
00 01                    # match: in_port 1
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
ff ff ff ff ff ff ff ff  # cookie
00 01                    # command MODIFY
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
80 00                    # priority 32768
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 03                    # action: port 3
00 00                    # action: max_len
`, ""},
		wireCase{"modify strict", &FlowMod{XID: 1, Match: Match{Wildcards: 0x38205f, DLType: 0x0800, NWProto: 17},
			Cookie: 0x0, Command: FlowModifyStrict, IdleTimeout: 0, HardTimeout: 0, Priority: 1, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: []Action{Output(PortAll, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 01              # xid
00 38 20 5f              # match: wildcards, dl_type, nw_proto
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
00                       # match: nw_tos
11                       # match: nw_proto 17
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 02                    # command MODIFY_STRICT
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
00 01                    # priority 1
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fc                    # action: port ALL
00 00                    # action: max_len
`, ""},
		wireCase{"delete by out_port", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x0, Command: FlowDelete, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: 7, Flags: 0, Actions: nil}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 01              # xid
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
00 07                    # out_port 7
00 00                    # flags
`, ""},
		wireCase{"delete by out_port CONTROLLER", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x0, Command: FlowDelete, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortController, Flags: 0, Actions: nil}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 01              # xid
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
ff fd                    # out_port CONTROLLER
00 00                    # flags
`, ""},
		wireCase{"delete strict by priority", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820fd, DLVLAN: VLANNone},
			Cookie: 0x0, Command: FlowDeleteStrict, IdleTimeout: 0, HardTimeout: 0, Priority: 65535, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: nil}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 01              # xid
00 38 20 fd              # match: wildcards, all but dl_vlan
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
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
00 00 00 00 00 00 00 00  # cookie
00 04                    # command DELETE_STRICT
00 00                    # idle_timeout 0
00 00                    # hard_timeout 0
ff ff                    # priority 65535
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
`, ""},
		wireCase{"delete with actions, which do not count", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x0, Command: FlowDelete, IdleTimeout: 0, HardTimeout: 0, Priority: 32768, BufferID: 0xffffffff, OutPort: PortNone, Flags: 0, Actions: []Action{Output(1, 0)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 01              # xid
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
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`, ""},
		wireCase{"largest timeouts", &FlowMod{XID: 1, Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x0, Command: FlowAdd, IdleTimeout: 65535, HardTimeout: 65535, Priority: 65535, BufferID: 0x0, OutPort: 0, Flags: 0, Actions: nil}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 01              # xid
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
ff ff                    # idle_timeout 65535
ff ff                    # hard_timeout 65535
ff ff                    # priority 65535
00 00 00 00              # buffer_id
00 00                    # out_port 0
00 00                    # flags
`, ""},
	)
}
