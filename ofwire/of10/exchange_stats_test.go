package of10

// statsExchange has statistics in parts.
var statsExchange = []spoken{
	{'c', TypeStatsRequest, 0x10, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 10              # xid
00 01                    # stats type FLOW
00 00                    # flags
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
ff                       # table_id all
00                       # pad
ff ff                    # out_port NONE
`},
	{'s', TypeStatsReply, 0x10, `
01                       # version 1.0
11                       # type STATS_REPLY
00 cc                    # length 204
00 00 00 10              # xid
00 01                    # stats type FLOW
00 01                    # flags MORE
00 60                    # flow: length 96
00                       # flow: table_id
00                       # pad
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
00 00 00 01              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 03                    # flow: priority 3
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 03  # flow: cookie
00 00 00 00 00 00 00 01  # flow: packet_count
00 00 00 00 00 00 00 3c  # flow: byte_count
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
00 60                    # flow: length 96
00                       # flow: table_id
00                       # pad
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
00 00 00 01              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 02                    # flow: priority 2
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 02  # flow: cookie
00 00 00 00 00 00 00 01  # flow: packet_count
00 00 00 00 00 00 00 3c  # flow: byte_count
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`},
	{'s', TypeEchoRequest, 0x0, `
01                       # version 1.0
02                       # type ECHO_REQUEST
00 08                    # length 8
00 00 00 00              # xid
`},
	{'s', TypeStatsReply, 0x10, `
01                       # version 1.0
11                       # type STATS_REPLY
00 6c                    # length 108
00 00 00 10              # xid
00 01                    # stats type FLOW
00 01                    # flags MORE
00 60                    # flow: length 96
00                       # flow: table_id
00                       # pad
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
00 00 00 01              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 01                    # flow: priority 1
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 01  # flow: cookie
00 00 00 00 00 00 00 01  # flow: packet_count
00 00 00 00 00 00 00 3c  # flow: byte_count
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
`},
	{'c', TypeEchoReply, 0x0, `
01                       # version 1.0
03                       # type ECHO_REPLY
00 08                    # length 8
00 00 00 00              # xid
`},
	{'s', TypeStatsReply, 0x10, `
01                       # version 1.0
11                       # type STATS_REPLY
00 0c                    # length 12
00 00 00 10              # xid
00 01                    # stats type FLOW
00 00                    # flags
`},
	{'c', TypeStatsRequest, 0x11, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 11              # xid
00 02                    # stats type AGGREGATE
00 00                    # flags
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
ff                       # table_id all
00                       # pad
ff ff                    # out_port NONE
`},
	{'s', TypeStatsReply, 0x11, `
01                       # version 1.0
11                       # type STATS_REPLY
00 24                    # length 36
00 00 00 11              # xid
00 02                    # stats type AGGREGATE
00 00                    # flags
00 00 00 00 00 00 00 03  # packet_count
00 00 00 00 00 00 00 b4  # byte_count
00 00 00 03              # flow_count
00 00 00 00              # pad
`},
	{'c', TypeStatsRequest, 0x12, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 0c                    # length 12
00 00 00 12              # xid
00 03                    # stats type TABLE
00 00                    # flags
`},
	{'s', TypeStatsReply, 0x12, `
01                       # version 1.0
11                       # type STATS_REPLY
00 4c                    # length 76
00 00 00 12              # xid
00 03                    # stats type TABLE
00 00                    # flags
00                       # table_id
00 00 00                 # pad
63 6c 61 73 73 69 66 69 65 72 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # name classifier
00 3f ff ff              # wildcards
00 0f 42 40              # max_entries
00 00 00 03              # active_count
00 00 00 00 00 00 00 64  # lookup_count
00 00 00 00 00 00 00 32  # matched_count
`},
	{'c', TypeStatsRequest, 0x13, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 13              # xid
00 05                    # stats type QUEUE
00 00                    # flags
ff fc                    # port_no ALL
00 00                    # pad
ff ff ff ff              # queue_id ALL
`},
	{'s', TypeStatsReply, 0x13, `
01                       # version 1.0
11                       # type STATS_REPLY
00 0c                    # length 12
00 00 00 13              # xid
00 05                    # stats type QUEUE
00 00                    # flags
`},
	{'c', TypeStatsRequest, 0x14, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 18                    # length 24
00 00 00 14              # xid
ff ff                    # stats type VENDOR
00 00                    # flags
00 00 23 20              # vendor Nicira
00 00 00 00 00 00 00 00  # data
`},
	{'s', TypeStatsReply, 0x14, `
01                       # version 1.0
11                       # type STATS_REPLY
00 14                    # length 20
00 00 00 14              # xid
ff ff                    # stats type VENDOR
00 01                    # flags MORE
00 00 23 20              # vendor Nicira
00 00 00 00              # data
`},
}
