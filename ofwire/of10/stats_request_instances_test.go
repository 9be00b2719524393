package of10

import (
	"testing"

	"github.com/govisor/govisor/ofwire"
)

// TestStatsRequestsOfControllers: every type as tools and controllers ask.
func TestStatsRequestsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedStatsRequest,
		wireCase{"dump-flows", &StatsRequest{XID: 1, StatsType: StatsFlow, Flags: 0, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xff, OutPort: PortNone}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 01              # xid
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
ff                       # table_id
00                       # pad
ff ff                    # out_port NONE
`, ""},
		wireCase{"Floodlight, 63 bits wild", &StatsRequest{XID: 1, StatsType: StatsFlow, Flags: 0, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3fffff}, TableID: 0xff, OutPort: PortNone}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 01              # xid
00 01                    # stats type FLOW
00 00                    # flags
00 3f ff ff              # match: wildcards, all
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
ff                       # table_id
00                       # pad
ff ff                    # out_port NONE
`, ""},
		wireCase{"emergency table", &StatsRequest{XID: 1, StatsType: StatsFlow, Flags: 0, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xfe, OutPort: PortNone}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 01              # xid
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
fe                       # table_id
00                       # pad
ff ff                    # out_port NONE
`, ""},
		wireCase{"table 0, one exact flow", &StatsRequest{XID: 119, StatsType: StatsFlow, Flags: 0, Body: FlowStatsRequest{Match: Match{Wildcards: 0x0, InPort: 1, DLSrc: ofwire.MAC{0x02, 0, 0, 0, 0, 0x01}, DLDst: ofwire.MAC{0x02, 0, 0, 0, 0, 0x02}, DLVLAN: VLANNone, DLType: 0x0800, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 43516, TPDst: 80}, TableID: 0x0, OutPort: PortNone}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 77              # xid
00 01                    # stats type FLOW
00 00                    # flags
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
00                       # table_id
00                       # pad
ff ff                    # out_port NONE
`, ""},
		wireCase{"by out_port", &StatsRequest{XID: 1, StatsType: StatsFlow, Flags: 0, Body: FlowStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xff, OutPort: 2}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 01              # xid
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
ff                       # table_id
00                       # pad
00 02                    # out_port 2
`, ""},
		wireCase{"dump-aggregate", &StatsRequest{XID: 1, StatsType: StatsAggregate, Flags: 0, Body: AggregateStatsRequest{Match: Match{Wildcards: 0x3820ff}, TableID: 0xff, OutPort: PortNone}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 01              # xid
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
ff                       # table_id
00                       # pad
ff ff                    # out_port NONE
`, ""},
		wireCase{"aggregate to the controller", &StatsRequest{XID: 1, StatsType: StatsAggregate, Flags: 0, Body: AggregateStatsRequest{Match: Match{Wildcards: 0x3820ef, DLType: 0x0806}, TableID: 0xff, OutPort: PortController}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 38                    # length 56
00 00 00 01              # xid
00 02                    # stats type AGGREGATE
00 00                    # flags
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
ff                       # table_id
00                       # pad
ff fd                    # out_port CONTROLLER
`, ""},
		wireCase{"port NONE", &StatsRequest{XID: 1, StatsType: StatsPort, Flags: 0, Body: PortStatsRequest{PortNo: PortNone}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 04                    # stats type PORT
00 00                    # flags
ff ff                    # port_no NONE
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"port 1", &StatsRequest{XID: 1, StatsType: StatsPort, Flags: 0, Body: PortStatsRequest{PortNo: 1}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 04                    # stats type PORT
00 00                    # flags
00 01                    # port_no 1
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"port LOCAL", &StatsRequest{XID: 1, StatsType: StatsPort, Flags: 0, Body: PortStatsRequest{PortNo: PortLocal}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 04                    # stats type PORT
00 00                    # flags
ff fe                    # port_no LOCAL
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"port MAX", &StatsRequest{XID: 1, StatsType: StatsPort, Flags: 0, Body: PortStatsRequest{PortNo: PortMax}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 04                    # stats type PORT
00 00                    # flags
ff 00                    # port_no MAX
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"port ALL queue 4294967295", &StatsRequest{XID: 1, StatsType: StatsQueue, Flags: 0, Body: QueueStatsRequest{PortNo: PortAll, QueueID: 0xffffffff}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 05                    # stats type QUEUE
00 00                    # flags
ff fc                    # port_no ALL
00 00                    # pad
ff ff ff ff              # queue_id ALL
`, ""},
		wireCase{"port 1 queue 4294967295", &StatsRequest{XID: 1, StatsType: StatsQueue, Flags: 0, Body: QueueStatsRequest{PortNo: 1, QueueID: 0xffffffff}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 05                    # stats type QUEUE
00 00                    # flags
00 01                    # port_no 1
00 00                    # pad
ff ff ff ff              # queue_id ALL
`, ""},
		wireCase{"port ALL queue 0", &StatsRequest{XID: 1, StatsType: StatsQueue, Flags: 0, Body: QueueStatsRequest{PortNo: PortAll, QueueID: 0x0}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 05                    # stats type QUEUE
00 00                    # flags
ff fc                    # port_no ALL
00 00                    # pad
00 00 00 00              # queue_id
`, ""},
		wireCase{"port LOCAL queue 7", &StatsRequest{XID: 1, StatsType: StatsQueue, Flags: 0, Body: QueueStatsRequest{PortNo: PortLocal, QueueID: 0x7}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 14                    # length 20
00 00 00 01              # xid
00 05                    # stats type QUEUE
00 00                    # flags
ff fe                    # port_no LOCAL
00 00                    # pad
00 00 00 07              # queue_id
`, ""},
		wireCase{"Nicira flow", &StatsRequest{XID: 1, StatsType: StatsVendor, Flags: 0, Body: VendorStats{Vendor: 0x2320, Data: []byte{0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 18                    # length 24
00 00 00 01              # xid
ff ff                    # stats type VENDOR
00 00                    # flags
00 00 23 20              # vendor
00 00 00 00 00 00 00 00  # NXST_FLOW
`, ""},
		wireCase{"OpenFlow vendor without data", &StatsRequest{XID: 1, StatsType: StatsVendor, Flags: 0, Body: VendorStats{Vendor: 0x26e1, Data: nil}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 10                    # length 16
00 00 00 01              # xid
ff ff                    # stats type VENDOR
00 00                    # flags
00 00 26 e1              # vendor
`, ""},
		wireCase{"odd size", &StatsRequest{XID: 1, StatsType: StatsVendor, Flags: 0, Body: VendorStats{Vendor: 0xff000001, Data: []byte{0x01, 0x02, 0x03}}}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 13                    # length 19
00 00 00 01              # xid
ff ff                    # stats type VENDOR
00 00                    # flags
ff 00 00 01              # vendor
01 02 03                 # data
`, ""},
		wireCase{"desc with flags", &StatsRequest{XID: 1, StatsType: StatsDesc, Flags: 65535, Body: nil}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 0c                    # length 12
00 00 00 01              # xid
00 00                    # stats type DESC
ff ff                    # flags
`, ""},
		wireCase{"table", &StatsRequest{XID: 1, StatsType: StatsTable, Flags: 0, Body: nil}, `
01                       # version 1.0
10                       # type STATS_REQUEST
00 0c                    # length 12
00 00 00 01              # xid
00 03                    # stats type TABLE
00 00                    # flags
`, ""},
	)
}
