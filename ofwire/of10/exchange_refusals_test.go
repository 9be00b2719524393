package of10

// refusalExchange has what is refused, and how.
var refusalExchange = []spoken{
	{'c', TypeFlowMod, 0x20, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 50                    # length 80
00 00 00 20              # xid
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
00 00                    # idle_timeout
00 00                    # hard_timeout
80 00                    # priority
ff ff ff ff              # buffer_id
ff ff                    # out_port NONE
00 00                    # flags
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff ff                    # action: port NONE
00 00                    # action: max_len
`},
	{'s', TypeError, 0x20, `
01                       # version 1.0
01                       # type ERROR
00 4c                    # length 76
00 00 00 20              # xid
00 02                    # BAD_ACTION
00 04                    # BAD_OUT_PORT
01 0e 00 50 00 00 00 20 00 38 20 ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80 00 # data: the first 64 bytes
`},
	{'c', TypeVendor, 0x21, `
01                       # version 1.0
04                       # type VENDOR
00 14                    # length 20
00 00 00 21              # xid
00 00 23 20              # vendor Nicira
00 00 00 0a 00 00 00 01  # NXT_ROLE_REQUEST master
`},
	{'s', TypeError, 0x21, `
01                       # version 1.0
01                       # type ERROR
00 20                    # length 32
00 00 00 21              # xid
00 01                    # BAD_REQUEST
00 03                    # BAD_VENDOR
01 04 00 14 00 00 00 21  # data: header
00 00 23 20 00 00 00 0a 00 00 00 01 # data: body
`},
	{'c', TypeQueueGetConfigRequest, 0x22, `
01                       # version 1.0
14                       # type QUEUE_GET_CONFIG_REQUEST
00 0c                    # length 12
00 00 00 22              # xid
00 63                    # port 99
00 00                    # pad
`},
	{'s', TypeError, 0x22, `
01                       # version 1.0
01                       # type ERROR
00 18                    # length 24
00 00 00 22              # xid
00 05                    # QUEUE_OP_FAILED
00 00                    # BAD_PORT
01 14 00 0c 00 00 00 22  # data: header
00 63 00 00              # data: body
`},
	{'c', TypePacketOut, 0x23, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 42                    # length 66
00 00 00 23              # xid
ff ff ff ff              # buffer_id
ff ff                    # in_port NONE
00 08                    # actions_len
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
ff ff ff ff ff ff        # frame: dl_dst
02 00 00 00 00 01        # frame: dl_src
08 06                    # frame: ARP
00 01 08 00 06 04 00 01  # frame: request
02 00 00 00 00 01        # frame: sender
0a 00 00 01              # frame: 10.0.0.1
00 00 00 00 00 00        # frame: target
0a 00 00 02              # frame: 10.0.0.2
`},
	{'c', TypePortMod, 0x24, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 24              # xid
00 01                    # port_no
02 00 00 00 00 11        # hw_addr
00 00 00 01              # config PORT_DOWN
00 00 00 01              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`},
	{'s', TypePortStatus, 0x0, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason MODIFY
00 00 00 00 00 00 00     # pad
00 01                    # port_no 1
02 00 00 00 00 11        # hw_addr
65 74 68 31              # name "eth1"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 01              # config
00 00 00 01              # state
00 00 02 a0              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`},
	{'c', TypeGetConfigRequest, 0x25, `
01                       # version 1.0
07                       # type GET_CONFIG_REQUEST
00 08                    # length 8
00 00 00 25              # xid
`},
	{'s', TypeGetConfigReply, 0x25, `
01                       # version 1.0
08                       # type GET_CONFIG_REPLY
00 0c                    # length 12
00 00 00 25              # xid
00 01                    # flags DROP
ff ff                    # miss_send_len
`},
	{'c', TypeQueueGetConfigRequest, 0x26, `
01                       # version 1.0
14                       # type QUEUE_GET_CONFIG_REQUEST
00 0c                    # length 12
00 00 00 26              # xid
00 01                    # port 1
00 00                    # pad
`},
	{'s', TypeQueueGetConfigReply, 0x26, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 28                    # length 40
00 00 00 26              # xid
00 01                    # port 1
00 00 00 00 00 00        # pad
00 00 00 01              # queue: queue_id
00 18                    # queue: length
00 00                    # pad
00 01                    # property: MIN_RATE
00 10                    # property: length
00 00 00 00              # pad
01 f4                    # property: rate 500
00 00 00 00 00 00        # pad
`},
	{'s', TypeVendor, 0x0, `
01                       # version 1.0
04                       # type VENDOR
00 0c                    # length 12
00 00 00 00              # xid
00 00 26 e1              # vendor OpenFlow
`},
}
