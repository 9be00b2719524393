package of10

import (
	"testing"
)

// TestStatsRequestsOfControllers: every type as tools and controllers ask.
func TestStatsRequestsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedStatsRequest,
		onWire("dump-flows", &StatsRequest{XID: 1, StatsType: StatsFlow, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xff, OutPort: PortNone}},
			`01 10 0038 00000001 0001 0000; match wildcards=3820ff; flows_of table_id=ff out_port=ffff`),
		onWire("Floodlight, 63 bits wild", &StatsRequest{XID: 1, StatsType: StatsFlow, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3fffff}, TableID: 0xff, OutPort: PortNone}},
			`01 10 0038 00000001 0001 0000; match wildcards=3fffff; flows_of table_id=ff out_port=ffff`),
		onWire("emergency table", &StatsRequest{XID: 1, StatsType: StatsFlow, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xfe, OutPort: PortNone}},
			`01 10 0038 00000001 0001 0000; match wildcards=3820ff; flows_of table_id=fe out_port=ffff`),
		onWire("table 0, one exact flow", &StatsRequest{XID: 119, StatsType: StatsFlow, Body: FlowStatsRequest{Match: Match{InPort: 1, DLSrc: macOf(0x20000000001), DLDst: macOf(0x20000000002), DLVLAN: VLANNone, DLType: 0x0800, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 43516, TPDst: 80}, OutPort: PortNone}}, `
01 10 0038 00000077 0001 0000  # STATS_REQUEST FLOW
match in_port=01 dl_src=020000000001 dl_dst=020000000002 dl_vlan=ffff dl_type=0800 nw_proto=06 nw_src=0a000001 nw_dst=0a000002 tp_src=a9fc tp_dst=50
flows_of out_port=ffff
`),
		onWire("by out_port", &StatsRequest{XID: 1, StatsType: StatsFlow, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xff, OutPort: 2}},
			`01 10 0038 00000001 0001 0000; match wildcards=3820ff; flows_of table_id=ff out_port=02`),
		onWire("dump-aggregate", &StatsRequest{XID: 1, StatsType: StatsAggregate, Body: AggregateStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xff, OutPort: PortNone}},
			`01 10 0038 00000001 0002 0000; match wildcards=3820ff; flows_of table_id=ff out_port=ffff`),
		onWire("aggregate to the controller", &StatsRequest{XID: 1, StatsType: StatsAggregate, Body: AggregateStatsRequest{Match: Match{Wildcards: 0x3820ef, DLType: 0x0806}, TableID: 0xff, OutPort: PortController}},
			`01 10 0038 00000001 0002 0000; match wildcards=3820ef dl_type=0806; flows_of table_id=ff out_port=fffd`),
		onWire("port NONE", &StatsRequest{XID: 1, StatsType: StatsPort, Body: PortStatsRequest{PortNo: PortNone}}, `01 10 0014 00000001 0004 0000; counts_of_port port_no=ffff`),
		onWire("port 1", &StatsRequest{XID: 1, StatsType: StatsPort, Body: PortStatsRequest{PortNo: 1}}, `01 10 0014 00000001 0004 0000; counts_of_port port_no=01`),
		onWire("port LOCAL", &StatsRequest{XID: 1, StatsType: StatsPort, Body: PortStatsRequest{PortNo: PortLocal}}, `01 10 0014 00000001 0004 0000; counts_of_port port_no=fffe`),
		onWire("port MAX", &StatsRequest{XID: 1, StatsType: StatsPort, Body: PortStatsRequest{PortNo: PortMax}}, `01 10 0014 00000001 0004 0000; counts_of_port port_no=ff00`),
		onWire("port ALL queue ALL", &StatsRequest{XID: 1, StatsType: StatsQueue, Body: QueueStatsRequest{PortNo: PortAll, QueueID: 0xffffffff}},
			`01 10 0014 00000001 0005 0000; counts_of_queue port_no=fffc queue_id=ffffffff`),
		onWire("port 1 queue ALL", &StatsRequest{XID: 1, StatsType: StatsQueue, Body: QueueStatsRequest{PortNo: 1, QueueID: 0xffffffff}},
			`01 10 0014 00000001 0005 0000; counts_of_queue port_no=01 queue_id=ffffffff`),
		onWire("port ALL queue 0", &StatsRequest{XID: 1, StatsType: StatsQueue, Body: QueueStatsRequest{PortNo: PortAll}}, `01 10 0014 00000001 0005 0000; counts_of_queue port_no=fffc`),
		onWire("port LOCAL queue 7", &StatsRequest{XID: 1, StatsType: StatsQueue, Body: QueueStatsRequest{PortNo: PortLocal, QueueID: 0x7}},
			`01 10 0014 00000001 0005 0000; counts_of_queue port_no=fffe queue_id=07`),
		onWire("Nicira flow", &StatsRequest{XID: 1, StatsType: StatsVendor, Body: VendorStats{Vendor: 0x2320, Data: unannotate(t, "00000000 00000000")}},
			`01 10 0018 00000001 ffff 0000; 00002320 0000000000000000  # vendor, NXST_FLOW`),
		onWire("OpenFlow vendor without data", &StatsRequest{XID: 1, StatsType: StatsVendor, Body: VendorStats{Vendor: 0x26e1}}, `01 10 0010 00000001 ffff 0000; 000026e1  # vendor`),
		onWire("odd size", &StatsRequest{XID: 1, StatsType: StatsVendor, Body: VendorStats{Vendor: 0xff000001, Data: []byte{0x01, 0x02, 0x03}}},
			`01 10 0013 00000001 ffff 0000; ff000001 010203  # vendor, data`),
		onWire("desc with flags", &StatsRequest{XID: 1, StatsType: StatsDesc, Flags: 65535}, `01 10 000c 00000001 0000 ffff  # STATS_REQUEST DESC`),
		onWire("table", &StatsRequest{XID: 1, StatsType: StatsTable}, `01 10 000c 00000001 0003 0000  # STATS_REQUEST TABLE`),
	)
}
