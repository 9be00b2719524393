package of10

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// spoken is one message: who sends it, its type and xid, and its bytes one field a line.
type spoken struct {
	from byte // c or s
	typ  Type
	xid  uint32
	wire string
}

// exchanges are conversations of a controller and a switch after or with the handshake.
var exchanges = map[string][]spoken{
	"a learning switch": {
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
	},
	"statistics in parts": {
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
	},
	"refusals": {
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
	},
}

// TestExchangesOverPipe: both sides write their part through a Writer into a small Pipe, at
// once and message by message; what the other reads, parses and encodes again is the same.
func TestExchangesOverPipe(t *testing.T) {
	t.Parallel()
	for name, list := range exchanges {
		for _, size := range []int{1, 7, 64, 4096} {
			for _, flushEach := range []bool{true, false} {
				controller, datapath := ofwire.PipeSize(size)
				var wg sync.WaitGroup
				send := func(side byte, w io.WriteCloser) {
					defer w.Close()
					out := ofwire.NewWriter(w, 0)
					for _, m := range list {
						if m.from != side {
							continue
						}
						if err := out.WriteFrame(unannotate(t, m.wire)); err != nil {
							t.Errorf("%s: %v", name, err)
						}
						if flushEach {
							if err := out.Flush(); err != nil {
								t.Errorf("%s: %v", name, err)
							}
						}
					}
					if err := out.Flush(); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				hear := func(side byte, src io.Reader) {
					in := ofwire.NewReader(src, 0)
					for _, want := range list {
						if want.from != side {
							continue
						}
						frame, err := in.Next()
						if err != nil {
							t.Errorf("%s: %v", name, err)
							return
						}
						if !bytes.Equal(unannotate(t, want.wire), frame) {
							t.Errorf("%s: heard %x, want a %v", name, frame, want.typ)
						}
					}
					if _, err := in.Next(); !errors.Is(err, io.EOF) {
						t.Errorf("%s: at the end %v", name, err)
					}
				}
				wg.Go(func() { send('c', writeEnd{controller}) })
				wg.Go(func() { send('s', writeEnd{datapath}) })
				wg.Go(func() { hear('s', controller) })
				wg.Go(func() { hear('c', datapath) })
				wg.Wait()
			}
		}
	}
}

// writeEnd closes only the direction it writes to.
type writeEnd struct{ io.Writer }

func (w writeEnd) Close() error { return w.Writer.(interface{ CloseWrite() error }).CloseWrite() }

// TestExchangeMessages: each message says its type and xid to Parse and to the peeking
// functions, encodes to its own bytes, and differs in nothing but the xid after PutXID.
func TestExchangeMessages(t *testing.T) {
	t.Parallel()
	for name, list := range exchanges {
		for i, c := range list {
			b := unannotate(t, c.wire)
			if err := Check(b); err != nil {
				t.Errorf("%s, message %d: %v", name, i, err)
			}
			if PeekType(b) != c.typ || XID(b) != c.xid {
				t.Errorf("%s, message %d: peeked %v xid %#x, want %v %#x", name, i, PeekType(b), XID(b), c.typ, c.xid)
			}
			m, err := Parse(b)
			if err != nil {
				t.Errorf("%s, message %d: %v", name, i, err)
				continue
			}
			if m.Type() != c.typ || m.TransactionID() != c.xid || m.Len() != len(b) {
				t.Errorf("%s, message %d: %v xid %#x of %d bytes", name, i, m.Type(), m.TransactionID(), m.Len())
			}
			if d := cmp.Diff(b, encode(t, m)); d != "" {
				t.Errorf("%s, message %d (-want +got)\n%s", name, i, d)
			}
			patched := bytes.Clone(b)
			PutXID(patched, ^c.xid)
			m.SetTransactionID(^c.xid)
			if d := cmp.Diff(encode(t, m), patched); d != "" {
				t.Errorf("%s, message %d, another xid (-want +got)\n%s", name, i, d)
			}
			if XID(patched) != ^c.xid || !bytes.Equal(b[:4], patched[:4]) || !bytes.Equal(b[8:], patched[8:]) {
				t.Errorf("%s, message %d: PutXID changes other bytes: %x", name, i, patched)
			}
		}
	}
}

// TestStatsParts: the parts of a reply, put together until one comes without MORE.
func TestStatsParts(t *testing.T) {
	t.Parallel()
	var priorities []uint16
	parts, done := 0, false
	for _, c := range exchanges["statistics in parts"] {
		if c.typ != TypeStatsReply || c.xid != 0x10 {
			continue
		}
		b := unannotate(t, c.wire)
		m, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		reply := m.(*StatsReply)
		if done || reply.StatsType != StatsFlow || StatsTypeOf(b) != StatsFlow || StatsFlagsOf(b) != reply.Flags {
			t.Errorf("part %d: %v, done %v", parts, reply, done)
		}
		for _, f := range reply.Body.(FlowStatsReply) {
			priorities = append(priorities, f.Priority)
			if f.Cookie != uint64(f.Priority) || f.ByteCount != 60 || len(f.Actions) != 1 {
				t.Errorf("part %d: %+v", parts, f)
			}
		}
		parts, done = parts+1, reply.Flags&StatsReplyMore == 0
	}
	if d := cmp.Diff([]uint16{3, 2, 1}, priorities); d != "" || parts != 3 || !done {
		t.Errorf("%d parts, done %v (-want +got)\n%s", parts, done, d)
	}
}

// TestExchangeRefusals: each error carries the beginning of the message it refuses.
func TestExchangeRefusals(t *testing.T) {
	t.Parallel()
	said, seen := map[uint32][]byte{}, 0
	for _, c := range exchanges["refusals"] {
		b := unannotate(t, c.wire)
		if c.typ != TypeError {
			said[c.xid] = b
			continue
		}
		seen++
		if data := ErrorData(b); len(data) == 0 || !bytes.HasPrefix(said[c.xid], data) || len(data) < min(64, len(said[c.xid])) {
			t.Errorf("error %#x: data %x of %x", c.xid, data, said[c.xid])
		}
	}
	if seen != 3 {
		t.Errorf("%d errors", seen)
	}
}
