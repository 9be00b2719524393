package of10

import (
	"testing"

	"github.com/govisor/govisor/ofwire"
)

// TestStatsRepliesOfSwitches: every type as switches answer.
func TestStatsRepliesOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedStatsReply,
		wireCase{"one flow of Open vSwitch", &StatsReply{XID: 4, StatsType: StatsFlow, Flags: 0, Body: FlowStatsReply{{TableID: 0, Match: Match{Wildcards: 0x3820ff},
			DurationSec: 12, DurationNsec: 345000000, Priority: 0, IdleTimeout: 0, HardTimeout: 0, Cookie: 0x0, PacketCount: 17, ByteCount: 1462, Actions: []Action{Output(PortNormal, 0)}}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 6c                    # length 108
00 00 00 04              # xid
00 01                    # stats type FLOW
00 00                    # flags
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
00 00 00 0c              # flow: duration_sec
14 90 48 40              # flow: duration_nsec
00 00                    # flow: priority
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 00  # flow: cookie
00 00 00 00 00 00 00 11  # flow: packet_count
00 00 00 00 00 00 05 b6  # flow: byte_count
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fa                    # action: port NORMAL
00 00                    # action: max_len
`, ""},
		wireCase{"reference: exact flow first, then a drop", &StatsReply{XID: 5, StatsType: StatsFlow, Flags: 0, Body: FlowStatsReply{{TableID: 0, Match: Match{Wildcards: 0x0, InPort: 1, DLSrc: ofwire.MAC{0x02, 0, 0, 0, 0, 0x01}, DLDst: ofwire.MAC{0x02, 0, 0, 0, 0, 0x02}, DLVLAN: VLANNone, DLType: 0x0800, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 43516, TPDst: 80},
			DurationSec: 3, DurationNsec: 0, Priority: 65535, IdleTimeout: 60, HardTimeout: 0, Cookie: 0x0, PacketCount: 2, ByteCount: 196, Actions: []Action{Output(2, 0)}},
			{TableID: 1, Match: Match{Wildcards: 0x3820ef, DLType: 0x86dd},
				DurationSec: 100, DurationNsec: 1, Priority: 10, IdleTimeout: 0, HardTimeout: 300, Cookie: 0xabcdef, PacketCount: 0, ByteCount: 0, Actions: nil}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 c4                    # length 196
00 00 00 05              # xid
00 01                    # stats type FLOW
00 00                    # flags
00 60                    # flow: length 96
00                       # flow: table_id
00                       # pad
00 00 00 00              # match: wildcards, none
00 01                    # match: in_port 1
02 00 00 00 00 01        # match: dl_src
02 00 00 00 00 02        # match: dl_dst
ff ff                    # match: dl_vlan none
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
00                       # match: nw_tos
06                       # match: nw_proto 6
00 00                    # pad
0a 00 00 01              # match: nw_src 10.0.0.1
0a 00 00 02              # match: nw_dst 10.0.0.2
a9 fc                    # match: tp_src 43516
00 50                    # match: tp_dst 80
00 00 00 03              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
ff ff                    # flow: priority
00 3c                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 00  # flow: cookie
00 00 00 00 00 00 00 02  # flow: packet_count
00 00 00 00 00 00 00 c4  # flow: byte_count
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len
00 58                    # flow: length 88
01                       # flow: table_id
00                       # pad
00 38 20 ef              # match: wildcards, all but dl_type
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
86 dd                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
00 00 00 64              # flow: duration_sec
00 00 00 01              # flow: duration_nsec
00 0a                    # flow: priority
00 00                    # flow: idle_timeout
01 2c                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 ab cd ef  # flow: cookie
00 00 00 00 00 00 00 00  # flow: packet_count
00 00 00 00 00 00 00 00  # flow: byte_count
`, ""},
		wireCase{"part with MORE", &StatsReply{XID: 6, StatsType: StatsFlow, Flags: 1, Body: FlowStatsReply{{TableID: 0, Match: Match{Wildcards: 0x3820fe, InPort: 1},
			DurationSec: 1, DurationNsec: 0, Priority: 1, IdleTimeout: 0, HardTimeout: 0, Cookie: 0x1, PacketCount: 18446744073709551615, ByteCount: 18446744073709551615, Actions: []Action{SetVLANVID(7), Output(PortController, 65535)}}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 74                    # length 116
00 00 00 06              # xid
00 01                    # stats type FLOW
00 01                    # flags MORE
00 68                    # flow: length 104
00                       # flow: table_id
00                       # pad
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
00 00 00 01              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 01                    # flow: priority
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 01  # flow: cookie
ff ff ff ff ff ff ff ff  # flow: packet_count
ff ff ff ff ff ff ff ff  # flow: byte_count
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
00 07                    # action: vlan_vid 7
00 00                    # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
ff ff                    # action: max_len
`, ""},
		wireCase{"internal table 254, vendor action", &StatsReply{XID: 1, StatsType: StatsFlow, Flags: 0, Body: FlowStatsReply{{TableID: 254, Match: Match{Wildcards: 0x3820ff},
			DurationSec: 0, DurationNsec: 0, Priority: 0, IdleTimeout: 0, HardTimeout: 0, Cookie: 0x0, PacketCount: 0, ByteCount: 0, Actions: []Action{VendorAction(0x00002320, []byte{0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00})}}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 74                    # length 116
00 00 00 01              # xid
00 01                    # stats type FLOW
00 00                    # flags
00 68                    # flow: length 104
fe                       # flow: table_id
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
00 00 00 00              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 00                    # flow: priority
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 00  # flow: cookie
00 00 00 00 00 00 00 00  # flow: packet_count
00 00 00 00 00 00 00 00  # flow: byte_count
ff ff                    # action: type VENDOR
00 10                    # action: length 16
00 00 23 20              # action: vendor
00 01 00 02 00 00 00 00  # action: NXAST_RESUBMIT
`, ""},
		wireCase{"three flows of different lengths", &StatsReply{XID: 1, StatsType: StatsFlow, Flags: 0, Body: FlowStatsReply{{TableID: 0, Match: Match{Wildcards: 0x3820ff},
			DurationSec: 0, DurationNsec: 0, Priority: 3, IdleTimeout: 0, HardTimeout: 0, Cookie: 0x3, PacketCount: 0, ByteCount: 0, Actions: []Action{SetDLSrc(ofwire.MAC{0x02, 0, 0, 0, 0, 0x01}), Output(1, 0)}},
			{TableID: 0, Match: Match{Wildcards: 0x3820ff},
				DurationSec: 0, DurationNsec: 0, Priority: 2, IdleTimeout: 0, HardTimeout: 0, Cookie: 0x2, PacketCount: 0, ByteCount: 0, Actions: []Action{Enqueue(1, 2)}},
			{TableID: 0, Match: Match{Wildcards: 0x3820ff},
				DurationSec: 0, DurationNsec: 0, Priority: 1, IdleTimeout: 0, HardTimeout: 0, Cookie: 0x1, PacketCount: 0, ByteCount: 0, Actions: nil}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
01 3c                    # length 316
00 00 00 01              # xid
00 01                    # stats type FLOW
00 00                    # flags
00 70                    # flow: length 112
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
00 00 00 00              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 03                    # flow: priority
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 03  # flow: cookie
00 00 00 00 00 00 00 00  # flow: packet_count
00 00 00 00 00 00 00 00  # flow: byte_count
00 04                    # action: type SET_DL_SRC
00 10                    # action: length 16
02 00 00 00 00 01        # action: dl_addr
00 00 00 00 00 00        # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
00 68                    # flow: length 104
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
00 00 00 00              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 02                    # flow: priority
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 02  # flow: cookie
00 00 00 00 00 00 00 00  # flow: packet_count
00 00 00 00 00 00 00 00  # flow: byte_count
00 0b                    # action: type ENQUEUE
00 10                    # action: length 16
00 01                    # action: port 1
00 00 00 00 00 00        # pad
00 00 00 02              # action: queue_id 2
00 58                    # flow: length 88
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
00 00 00 00              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
00 01                    # flow: priority
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 01  # flow: cookie
00 00 00 00 00 00 00 00  # flow: packet_count
00 00 00 00 00 00 00 00  # flow: byte_count
`, ""},
		wireCase{"nothing", &StatsReply{XID: 1, StatsType: StatsAggregate, Flags: 0, Body: AggregateStats{PacketCount: 0, ByteCount: 0, FlowCount: 0}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 24                    # length 36
00 00 00 01              # xid
00 02                    # stats type AGGREGATE
00 00                    # flags
00 00 00 00 00 00 00 00  # packet_count
00 00 00 00 00 00 00 00  # byte_count
00 00 00 00              # flow_count
00 00 00 00              # pad
`, ""},
		wireCase{"many flows", &StatsReply{XID: 1, StatsType: StatsAggregate, Flags: 0, Body: AggregateStats{PacketCount: 123456789, ByteCount: 9876543210, FlowCount: 4000}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 24                    # length 36
00 00 00 01              # xid
00 02                    # stats type AGGREGATE
00 00                    # flags
00 00 00 00 07 5b cd 15  # packet_count
00 00 00 02 4c b0 16 ea  # byte_count
00 00 0f a0              # flow_count
00 00 00 00              # pad
`, ""},
		wireCase{"all ones", &StatsReply{XID: 1, StatsType: StatsAggregate, Flags: 0, Body: AggregateStats{PacketCount: 18446744073709551615, ByteCount: 18446744073709551615, FlowCount: 4294967295}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 24                    # length 36
00 00 00 01              # xid
00 02                    # stats type AGGREGATE
00 00                    # flags
ff ff ff ff ff ff ff ff  # packet_count
ff ff ff ff ff ff ff ff  # byte_count
ff ff ff ff              # flow_count
00 00 00 00              # pad
`, ""},
		wireCase{"reference: hash2 and linear", &StatsReply{XID: 1, StatsType: StatsTable, Flags: 0, Body: TableStatsReply{{TableID: 0, Name: "hash2", Wildcards: 0x0, MaxEntries: 131072, ActiveCount: 5, LookupCount: 1000, MatchedCount: 900},
			{TableID: 1, Name: "linear", Wildcards: 0x3fffff, MaxEntries: 100, ActiveCount: 2, LookupCount: 100, MatchedCount: 60}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 8c                    # length 140
00 00 00 01              # xid
00 03                    # stats type TABLE
00 00                    # flags
00                       # table_id
00 00 00                 # pad
68 61 73 68 32           # name "hash2"
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # wildcards
00 02 00 00              # max_entries
00 00 00 05              # active_count
00 00 00 00 00 00 03 e8  # lookup_count
00 00 00 00 00 00 03 84  # matched_count
01                       # table_id
00 00 00                 # pad
6c 69 6e 65 61 72        # name "linear"
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 3f ff ff              # wildcards
00 00 00 64              # max_entries
00 00 00 02              # active_count
00 00 00 00 00 00 00 64  # lookup_count
00 00 00 00 00 00 00 3c  # matched_count
`, ""},
		wireCase{"Open vSwitch: classifier", &StatsReply{XID: 1, StatsType: StatsTable, Flags: 0, Body: TableStatsReply{{TableID: 0, Name: "classifier", Wildcards: 0x3fffff, MaxEntries: 1000000, ActiveCount: 1, LookupCount: 1099511627776, MatchedCount: 549755813888}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 4c                    # length 76
00 00 00 01              # xid
00 03                    # stats type TABLE
00 00                    # flags
00                       # table_id
00 00 00                 # pad
63 6c 61 73 73 69 66 69 65 72 # name "classifier"
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 3f ff ff              # wildcards
00 0f 42 40              # max_entries
00 00 00 01              # active_count
00 00 01 00 00 00 00 00  # lookup_count
00 00 00 80 00 00 00 00  # matched_count
`, ""},
		wireCase{"a name of 32 letters, unknown wildcards", &StatsReply{XID: 1, StatsType: StatsTable, Flags: 0, Body: TableStatsReply{{TableID: 255, Name: "abcdefghijklmnopqrstuvwxyz012345", Wildcards: 0xffffffff, MaxEntries: 4294967295, ActiveCount: 4294967295, LookupCount: 18446744073709551615, MatchedCount: 18446744073709551615}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 4c                    # length 76
00 00 00 01              # xid
00 03                    # stats type TABLE
00 00                    # flags
ff                       # table_id
00 00 00                 # pad
61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70 71 72 73 74 75 76 77 78 79 7a 30 31 32 33 34 35 # name "abcdefghijklmnopqrstuvwxyz012345"
ff ff ff ff              # wildcards
ff ff ff ff              # max_entries
ff ff ff ff              # active_count
ff ff ff ff ff ff ff ff  # lookup_count
ff ff ff ff ff ff ff ff  # matched_count
`, ""},
		wireCase{"Open vSwitch: LOCAL and a port", &StatsReply{XID: 1, StatsType: StatsPort, Flags: 0, Body: PortStatsReply{{PortNo: PortLocal, RxPackets: 0, TxPackets: 0, RxBytes: 0, TxBytes: 0, RxDropped: 0, TxDropped: 0, RxErrors: 0, TxErrors: 0, RxFrameErr: 0, RxOverErr: 0, RxCRCErr: 0, Collisions: 0},
			{PortNo: 1, RxPackets: 10, TxPackets: 20, RxBytes: 980, TxBytes: 1960, RxDropped: 0, TxDropped: 0, RxErrors: 0, TxErrors: 0, RxFrameErr: 0, RxOverErr: 0, RxCRCErr: 0, Collisions: 0}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 dc                    # length 220
00 00 00 01              # xid
00 04                    # stats type PORT
00 00                    # flags
ff fe                    # port_no LOCAL
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 00  # rx_packets
00 00 00 00 00 00 00 00  # tx_packets
00 00 00 00 00 00 00 00  # rx_bytes
00 00 00 00 00 00 00 00  # tx_bytes
00 00 00 00 00 00 00 00  # rx_dropped
00 00 00 00 00 00 00 00  # tx_dropped
00 00 00 00 00 00 00 00  # rx_errors
00 00 00 00 00 00 00 00  # tx_errors
00 00 00 00 00 00 00 00  # rx_frame_err
00 00 00 00 00 00 00 00  # rx_over_err
00 00 00 00 00 00 00 00  # rx_crc_err
00 00 00 00 00 00 00 00  # collisions
00 01                    # port_no 1
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 0a  # rx_packets
00 00 00 00 00 00 00 14  # tx_packets
00 00 00 00 00 00 03 d4  # rx_bytes
00 00 00 00 00 00 07 a8  # tx_bytes
00 00 00 00 00 00 00 00  # rx_dropped
00 00 00 00 00 00 00 00  # tx_dropped
00 00 00 00 00 00 00 00  # rx_errors
00 00 00 00 00 00 00 00  # tx_errors
00 00 00 00 00 00 00 00  # rx_frame_err
00 00 00 00 00 00 00 00  # rx_over_err
00 00 00 00 00 00 00 00  # rx_crc_err
00 00 00 00 00 00 00 00  # collisions
`, ""},
		wireCase{"reference: some counters not kept", &StatsReply{XID: 1, StatsType: StatsPort, Flags: 1, Body: PortStatsReply{{PortNo: 1, RxPackets: 5, TxPackets: 6, RxBytes: 500, TxBytes: 600, RxDropped: 1, TxDropped: 2, RxErrors: 3, TxErrors: 4, RxFrameErr: CounterUnsupported, RxOverErr: CounterUnsupported, RxCRCErr: CounterUnsupported, Collisions: CounterUnsupported}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 74                    # length 116
00 00 00 01              # xid
00 04                    # stats type PORT
00 01                    # flags MORE
00 01                    # port_no 1
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 05  # rx_packets
00 00 00 00 00 00 00 06  # tx_packets
00 00 00 00 00 00 01 f4  # rx_bytes
00 00 00 00 00 00 02 58  # tx_bytes
00 00 00 00 00 00 00 01  # rx_dropped
00 00 00 00 00 00 00 02  # tx_dropped
00 00 00 00 00 00 00 03  # rx_errors
00 00 00 00 00 00 00 04  # tx_errors
ff ff ff ff ff ff ff ff  # rx_frame_err
ff ff ff ff ff ff ff ff  # rx_over_err
ff ff ff ff ff ff ff ff  # rx_crc_err
ff ff ff ff ff ff ff ff  # collisions
`, ""},
		wireCase{"each counter by itself", &StatsReply{XID: 1, StatsType: StatsPort, Flags: 0, Body: PortStatsReply{{PortNo: 3, RxPackets: 1, TxPackets: 32, RxBytes: 1024, TxBytes: 32768, RxDropped: 1048576, TxDropped: 33554432, RxErrors: 1073741824, TxErrors: 34359738368, RxFrameErr: 1099511627776, RxOverErr: 35184372088832, RxCRCErr: 1125899906842624, Collisions: 36028797018963968}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 74                    # length 116
00 00 00 01              # xid
00 04                    # stats type PORT
00 00                    # flags
00 03                    # port_no 3
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 01  # rx_packets
00 00 00 00 00 00 00 20  # tx_packets
00 00 00 00 00 00 04 00  # rx_bytes
00 00 00 00 00 00 80 00  # tx_bytes
00 00 00 00 00 10 00 00  # rx_dropped
00 00 00 00 02 00 00 00  # tx_dropped
00 00 00 00 40 00 00 00  # rx_errors
00 00 00 08 00 00 00 00  # tx_errors
00 00 01 00 00 00 00 00  # rx_frame_err
00 00 20 00 00 00 00 00  # rx_over_err
00 04 00 00 00 00 00 00  # rx_crc_err
00 80 00 00 00 00 00 00  # collisions
`, ""},
		wireCase{"two queues of a port", &StatsReply{XID: 1, StatsType: StatsQueue, Flags: 0, Body: QueueStatsReply{{PortNo: 1, QueueID: 0x0, TxBytes: 1000, TxPackets: 10, TxErrors: 0}, {PortNo: 1, QueueID: 0x1, TxBytes: 2000, TxPackets: 20, TxErrors: 3}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 4c                    # length 76
00 00 00 01              # xid
00 05                    # stats type QUEUE
00 00                    # flags
00 01                    # port_no 1
00 00                    # pad
00 00 00 00              # queue_id
00 00 00 00 00 00 03 e8  # tx_bytes
00 00 00 00 00 00 00 0a  # tx_packets
00 00 00 00 00 00 00 00  # tx_errors
00 01                    # port_no 1
00 00                    # pad
00 00 00 01              # queue_id
00 00 00 00 00 00 07 d0  # tx_bytes
00 00 00 00 00 00 00 14  # tx_packets
00 00 00 00 00 00 00 03  # tx_errors
`, ""},
		wireCase{"counters not kept", &StatsReply{XID: 1, StatsType: StatsQueue, Flags: 0, Body: QueueStatsReply{{PortNo: PortLocal, QueueID: 0xffffffff, TxBytes: 18446744073709551615, TxPackets: 18446744073709551615, TxErrors: 18446744073709551615}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 2c                    # length 44
00 00 00 01              # xid
00 05                    # stats type QUEUE
00 00                    # flags
ff fe                    # port_no LOCAL
00 00                    # pad
ff ff ff ff              # queue_id
ff ff ff ff ff ff ff ff  # tx_bytes
ff ff ff ff ff ff ff ff  # tx_packets
ff ff ff ff ff ff ff ff  # tx_errors
`, ""},
		wireCase{"queues of three ports", &StatsReply{XID: 1, StatsType: StatsQueue, Flags: 0, Body: QueueStatsReply{{PortNo: 1, QueueID: 0x1, TxBytes: 1, TxPackets: 2, TxErrors: 3}, {PortNo: 2, QueueID: 0x1, TxBytes: 4, TxPackets: 5, TxErrors: 6}, {PortNo: PortMax, QueueID: 0x80000000, TxBytes: 7, TxPackets: 8, TxErrors: 9}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 6c                    # length 108
00 00 00 01              # xid
00 05                    # stats type QUEUE
00 00                    # flags
00 01                    # port_no 1
00 00                    # pad
00 00 00 01              # queue_id
00 00 00 00 00 00 00 01  # tx_bytes
00 00 00 00 00 00 00 02  # tx_packets
00 00 00 00 00 00 00 03  # tx_errors
00 02                    # port_no 2
00 00                    # pad
00 00 00 01              # queue_id
00 00 00 00 00 00 00 04  # tx_bytes
00 00 00 00 00 00 00 05  # tx_packets
00 00 00 00 00 00 00 06  # tx_errors
ff 00                    # port_no MAX
00 00                    # pad
80 00 00 00              # queue_id
00 00 00 00 00 00 00 07  # tx_bytes
00 00 00 00 00 00 00 08  # tx_packets
00 00 00 00 00 00 00 09  # tx_errors
`, ""},
	)
}
