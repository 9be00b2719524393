package of10

// learningExchange is what a learning switch and its controller say.
var learningExchange = []spoken{
	{'s', TypeHello, 0x1, `
01                       # version 1.0
00                       # type HELLO
00 08                    # length 8
00 00 00 01              # xid
`},
	{'c', TypeHello, 0x0, `
01                       # version 1.0
00                       # type HELLO
00 08                    # length 8
00 00 00 00              # xid
`},
	{'c', TypeFeaturesRequest, 0x2, `
01                       # version 1.0
05                       # type FEATURES_REQUEST
00 08                    # length 8
00 00 00 02              # xid
`},
	{'s', TypeFeaturesReply, 0x2, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 80                    # length 128
00 00 00 02              # xid
00 00 00 00 00 00 00 2a  # datapath_id
00 00 01 00              # n_buffers
01                       # n_tables
00 00 00                 # pad
00 00 00 c7              # capabilities
00 00 0f ff              # actions
00 01                    # port_no 1
02 00 00 00 00 11        # hw_addr
65 74 68 31              # name "eth1"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 02 a0              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
00 02                    # port_no 2
02 00 00 00 00 12        # hw_addr
65 74 68 32              # name "eth2"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 02 00              # state
00 00 02 a0              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`},
	{'c', TypeSetConfig, 0x3, `
01                       # version 1.0
09                       # type SET_CONFIG
00 0c                    # length 12
00 00 00 03              # xid
00 00                    # flags
00 80                    # miss_send_len
`},
	{'c', TypeFlowMod, 0x4, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 04              # xid
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
00 00                    # idle_timeout
00 00                    # hard_timeout
80 00                    # priority
ff ff ff ff              # buffer_id
ff ff                    # out_port NONE
00 00                    # flags
`},
	{'c', TypeBarrierRequest, 0x5, `
01                       # version 1.0
12                       # type BARRIER_REQUEST
00 08                    # length 8
00 00 00 05              # xid
`},
	{'s', TypeBarrierReply, 0x5, `
01                       # version 1.0
13                       # type BARRIER_REPLY
00 08                    # length 8
00 00 00 05              # xid
`},
	{'s', TypePacketIn, 0x0, `
01                       # version 1.0
0a                       # type PACKET_IN
00 3c                    # length 60
00 00 00 00              # xid
00 00 01 01              # buffer_id
00 2a                    # total_len
00 01                    # in_port
00                       # reason NO_MATCH
00                       # pad
ff ff ff ff ff ff        # frame: dl_dst
02 00 00 00 00 01        # frame: dl_src
08 06                    # frame: ARP
00 01 08 00 06 04 00 01  # frame: request
02 00 00 00 00 01        # frame: sender
0a 00 00 01              # frame: 10.0.0.1
00 00 00 00 00 00        # frame: target
0a 00 00 02              # frame: 10.0.0.2
`},
	{'c', TypePacketOut, 0x6, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 18                    # length 24
00 00 00 06              # xid
00 00 01 01              # buffer_id
00 01                    # in_port 1
00 08                    # actions_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fb                    # action: port FLOOD
00 00                    # action: max_len
`},
	{'s', TypePacketIn, 0x0, `
01                       # version 1.0
0a                       # type PACKET_IN
00 3c                    # length 60
00 00 00 00              # xid
00 00 01 02              # buffer_id
00 2a                    # total_len
00 02                    # in_port
00                       # reason NO_MATCH
00                       # pad
ff ff ff ff ff ff        # frame: dl_dst
02 00 00 00 00 01        # frame: dl_src
08 06                    # frame: ARP
00 01 08 00 06 04 00 01  # frame: request
02 00 00 00 00 01        # frame: sender
0a 00 00 01              # frame: 10.0.0.1
00 00 00 00 00 00        # frame: target
0a 00 00 02              # frame: 10.0.0.2
`},
	{'c', TypeFlowMod, 0x7, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 07              # xid
00 38 20 f2              # match: wildcards, all but in_port, dl_src, dl_dst
00 01                    # match: in_port 1
02 00 00 00 00 01        # match: dl_src
02 00 00 00 00 02        # match: dl_dst
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
00 3c                    # idle_timeout
00 00                    # hard_timeout
80 00                    # priority
00 00 01 02              # buffer_id
ff ff                    # out_port NONE
00 01                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len
`},
	{'s', TypeFlowRemoved, 0x0, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 00              # xid
00 38 20 f2              # match: wildcards, all but in_port, dl_src, dl_dst
00 01                    # match: in_port 1
02 00 00 00 00 01        # match: dl_src
02 00 00 00 00 02        # match: dl_dst
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
80 00                    # priority
00                       # reason IDLE_TIMEOUT
00                       # pad
00 00 00 4b              # duration_sec
00 00 00 00              # duration_nsec
00 3c                    # idle_timeout
00 00                    # pad
00 00 00 00 00 00 00 0f  # packet_count
00 00 00 00 00 00 03 84  # byte_count
`},
}
