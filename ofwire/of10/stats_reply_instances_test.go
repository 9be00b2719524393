package of10

import (
	"testing"
)

// TestStatsRepliesOfSwitches: every type as switches answer.
func TestStatsRepliesOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedStatsReply,
		onWire("one flow of Open vSwitch", &StatsReply{XID: 4, StatsType: StatsFlow, Body: FlowStatsReply{{Match: Match{Wildcards: 0x3820ff},
			DurationSec: 12, DurationNsec: 345000000, PacketCount: 17, ByteCount: 1462, Actions: []Action{Output(PortNormal, 0)}}}}, `
01 11 006c 00000004 0001 0000  # STATS_REPLY FLOW
flow length=60
match wildcards=3820ff
flow_counts duration_sec=0c duration_nsec=14904840 packet_count=11 byte_count=05b6
output port=fffa  # NORMAL
`),
		onWire("reference: exact flow first, then a drop", &StatsReply{XID: 5, StatsType: StatsFlow, Body: FlowStatsReply{{Match: Match{InPort: 1, DLSrc: macOf(0x20000000001), DLDst: macOf(0x20000000002), DLVLAN: VLANNone, DLType: 0x0800, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 43516, TPDst: 80},
			DurationSec: 3, Priority: 65535, IdleTimeout: 60, PacketCount: 2, ByteCount: 196, Actions: []Action{Output(2, 0)}},
			{TableID: 1, Match: Match{Wildcards: 0x3820ef, DLType: 0x86dd},
				DurationSec: 100, DurationNsec: 1, Priority: 10, HardTimeout: 300, Cookie: 0xabcdef}}}, `
01 11 00c4 00000005 0001 0000  # STATS_REPLY FLOW
flow length=60
match in_port=01 dl_src=020000000001 dl_dst=020000000002 dl_vlan=ffff dl_type=0800 nw_proto=06 nw_src=0a000001 nw_dst=0a000002 tp_src=a9fc tp_dst=50
flow_counts duration_sec=03 priority=ffff idle_timeout=3c packet_count=02 byte_count=c4
output port=02
flow length=58 table_id=01
match wildcards=3820ef dl_type=86dd
flow_counts duration_sec=64 duration_nsec=01 priority=0a hard_timeout=012c cookie=abcdef
`),
		onWire("part with MORE", &StatsReply{XID: 6, StatsType: StatsFlow, Flags: 1, Body: FlowStatsReply{{Match: Match{Wildcards: 0x3820fe, InPort: 1},
			DurationSec: 1, Priority: 1, Cookie: 0x1, PacketCount: 1<<64 - 1, ByteCount: 1<<64 - 1, Actions: []Action{SetVLANVID(7), Output(PortController, 65535)}}}}, `
01 11 0074 00000006 0001 0001  # STATS_REPLY FLOW, MORE
flow length=68
match wildcards=3820fe in_port=01
flow_counts duration_sec=01 priority=01 cookie=01 packet_count=ffffffffffffffff byte_count=ffffffffffffffff
set_vlan_vid vlan_vid=07
output port=fffd max_len=ffff  # CONTROLLER
`),
		onWire("internal table 254, vendor action", &StatsReply{XID: 1, StatsType: StatsFlow, Body: FlowStatsReply{{TableID: 254, Match: Match{Wildcards: 0x3820ff},
			Actions: []Action{VendorAction(0x00002320, unannotate(t, "00010002 00000000"))}}}}, `
01 11 0074 00000001 0001 0000  # STATS_REPLY FLOW
flow length=68 table_id=fe
match wildcards=3820ff
flow_counts
vendor_action length=10 vendor=00002320
0001000200000000  # action: NXAST_RESUBMIT
`),
		onWire("three flows of different lengths", &StatsReply{XID: 1, StatsType: StatsFlow, Body: FlowStatsReply{{Match: Match{Wildcards: 0x3820ff},
			Priority: 3, Cookie: 0x3, Actions: []Action{SetDLSrc(macOf(0x20000000001)), Output(1, 0)}},
			{Match: Match{Wildcards: 0x3820ff},
				Priority: 2, Cookie: 0x2, Actions: []Action{Enqueue(1, 2)}},
			{Match: Match{Wildcards: 0x3820ff},
				Priority: 1, Cookie: 0x1}}}, `
01 11 013c 00000001 0001 0000  # STATS_REPLY FLOW
flow length=70
match wildcards=3820ff
flow_counts priority=03 cookie=03
set_dl_src dl_addr=020000000001
output port=01
flow length=68
match wildcards=3820ff
flow_counts priority=02 cookie=02
enqueue port=01 queue_id=02
flow length=58
match wildcards=3820ff
flow_counts priority=01 cookie=01
`),
		onWire("nothing", &StatsReply{XID: 1, StatsType: StatsAggregate, Body: AggregateStats{}}, `01 11 0024 00000001 0002 0000; aggregate`),
		onWire("many flows", &StatsReply{XID: 1, StatsType: StatsAggregate, Body: AggregateStats{PacketCount: 123456789, ByteCount: 9876543210, FlowCount: 4000}},
			`01 11 0024 00000001 0002 0000; aggregate packet_count=075bcd15 byte_count=024cb016ea flow_count=0fa0`),
		onWire("all ones", &StatsReply{XID: 1, StatsType: StatsAggregate, Body: AggregateStats{PacketCount: 1<<64 - 1, ByteCount: 1<<64 - 1, FlowCount: 1<<32 - 1}},
			`01 11 0024 00000001 0002 0000; aggregate packet_count=ffffffffffffffff byte_count=ffffffffffffffff flow_count=ffffffff`),
		onWire("reference: hash2 and linear", &StatsReply{XID: 1, StatsType: StatsTable, Body: TableStatsReply{{Name: "hash2", MaxEntries: 131072, ActiveCount: 5, LookupCount: 1000, MatchedCount: 900},
			{TableID: 1, Name: "linear", Wildcards: 0x3fffff, MaxEntries: 100, ActiveCount: 2, LookupCount: 100, MatchedCount: 60}}}, `
01 11 008c 00000001 0003 0000  # STATS_REPLY TABLE
table name="hash2" max_entries=020000 active_count=05 lookup_count=03e8 matched_count=0384
table table_id=01 name="linear" wildcards=3fffff max_entries=64 active_count=02 lookup_count=64 matched_count=3c
`),
		onWire("Open vSwitch: classifier", &StatsReply{XID: 1, StatsType: StatsTable, Body: TableStatsReply{{Name: "classifier", Wildcards: 0x3fffff, MaxEntries: 1000000, ActiveCount: 1, LookupCount: 1099511627776, MatchedCount: 549755813888}}},
			`01 11 004c 00000001 0003 0000; table name="classifier" wildcards=3fffff max_entries=0f4240 active_count=01 lookup_count=010000000000 matched_count=8000000000`),
		onWire("a name of 32 letters, unknown wildcards", &StatsReply{XID: 1, StatsType: StatsTable, Body: TableStatsReply{{TableID: 255, Name: "abcdefghijklmnopqrstuvwxyz012345", Wildcards: 0xffffffff, MaxEntries: 1<<32 - 1, ActiveCount: 1<<32 - 1, LookupCount: 1<<64 - 1, MatchedCount: 1<<64 - 1}}}, `
01 11 004c 00000001 0003 0000  # STATS_REPLY TABLE
table table_id=ff name="abcdefghijklmnopqrstuvwxyz012345" wildcards=ffffffff max_entries=ffffffff active_count=ffffffff lookup_count=ffffffffffffffff matched_count=ffffffffffffffff
`),
		onWire("Open vSwitch: LOCAL and a port", &StatsReply{XID: 1, StatsType: StatsPort, Body: PortStatsReply{{PortNo: PortLocal},
			{PortNo: 1, RxPackets: 10, TxPackets: 20, RxBytes: 980, TxBytes: 1960}}},
			`01 11 00dc 00000001 0004 0000; port_counts port_no=fffe; port_counts port_no=01 rx_packets=0a tx_packets=14 rx_bytes=03d4 tx_bytes=07a8`),
		onWire("reference: some counters not kept", &StatsReply{XID: 1, StatsType: StatsPort, Flags: 1, Body: PortStatsReply{{PortNo: 1, RxPackets: 5, TxPackets: 6, RxBytes: 500, TxBytes: 600, RxDropped: 1, TxDropped: 2, RxErrors: 3, TxErrors: 4, RxFrameErr: CounterUnsupported, RxOverErr: CounterUnsupported, RxCRCErr: CounterUnsupported, Collisions: CounterUnsupported}}}, `
01 11 0074 00000001 0004 0001  # STATS_REPLY PORT, MORE
port_counts port_no=01 rx_packets=05 tx_packets=06 rx_bytes=01f4 tx_bytes=0258 rx_dropped=01 tx_dropped=02 rx_errors=03 tx_errors=04 rx_frame_err=ffffffffffffffff rx_over_err=ffffffffffffffff rx_crc_err=ffffffffffffffff collisions=ffffffffffffffff
`),
		onWire("each counter by itself", &StatsReply{XID: 1, StatsType: StatsPort, Body: PortStatsReply{{PortNo: 3, RxPackets: 1, TxPackets: 32, RxBytes: 1024, TxBytes: 32768, RxDropped: 1048576, TxDropped: 33554432, RxErrors: 1073741824, TxErrors: 34359738368, RxFrameErr: 1099511627776, RxOverErr: 35184372088832, RxCRCErr: 1125899906842624, Collisions: 36028797018963968}}}, `
01 11 0074 00000001 0004 0000  # STATS_REPLY PORT
port_counts port_no=03 rx_packets=01 tx_packets=20 rx_bytes=0400 tx_bytes=8000 rx_dropped=100000 tx_dropped=02000000 rx_errors=40000000 tx_errors=0800000000 rx_frame_err=010000000000 rx_over_err=200000000000 rx_crc_err=04000000000000 collisions=80000000000000
`),
		onWire("two queues of a port", &StatsReply{XID: 1, StatsType: StatsQueue, Body: QueueStatsReply{{PortNo: 1, TxBytes: 1000, TxPackets: 10}, {PortNo: 1, QueueID: 0x1, TxBytes: 2000, TxPackets: 20, TxErrors: 3}}},
			`01 11 004c 00000001 0005 0000; queue_counts port_no=01 tx_bytes=03e8 tx_packets=0a; queue_counts port_no=01 queue_id=01 tx_bytes=07d0 tx_packets=14 tx_errors=03`),
		onWire("counters not kept", &StatsReply{XID: 1, StatsType: StatsQueue, Body: QueueStatsReply{{PortNo: PortLocal, QueueID: 0xffffffff, TxBytes: 1<<64 - 1, TxPackets: 1<<64 - 1, TxErrors: 1<<64 - 1}}},
			`01 11 002c 00000001 0005 0000; queue_counts port_no=fffe queue_id=ffffffff tx_bytes=ffffffffffffffff tx_packets=ffffffffffffffff tx_errors=ffffffffffffffff`),
		onWire("queues of three ports", &StatsReply{XID: 1, StatsType: StatsQueue, Body: QueueStatsReply{{PortNo: 1, QueueID: 0x1, TxBytes: 1, TxPackets: 2, TxErrors: 3}, {PortNo: 2, QueueID: 0x1, TxBytes: 4, TxPackets: 5, TxErrors: 6}, {PortNo: PortMax, QueueID: 0x80000000, TxBytes: 7, TxPackets: 8, TxErrors: 9}}}, `
01 11 006c 00000001 0005 0000  # STATS_REPLY QUEUE
queue_counts port_no=01 queue_id=01 tx_bytes=01 tx_packets=02 tx_errors=03
queue_counts port_no=02 queue_id=01 tx_bytes=04 tx_packets=05 tx_errors=06
queue_counts port_no=ff00 queue_id=80000000 tx_bytes=07 tx_packets=08 tx_errors=09  # MAX
`),
	)
}
