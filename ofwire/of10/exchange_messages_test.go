package of10

// learningExchange is what a learning switch and its controller say.
var learningExchange = []spoken{
	{'s', TypeHello, 0x1, `01 00 0008 00000001  # HELLO`},
	{'c', TypeHello, 0x0, `01 00 0008 00000000  # HELLO`},
	{'c', TypeFeaturesRequest, 0x2, `01 05 0008 00000002  # FEATURES_REQUEST`},
	{'s', TypeFeaturesReply, 0x2, `
01 06 0080 00000002  # FEATURES_REPLY
features datapath_id=2a n_buffers=0100 n_tables=01 capabilities=c7 actions=0fff
phy_port port_no=01 hw_addr=020000000011 name="eth1" curr=02a0
phy_port port_no=02 hw_addr=020000000012 name="eth2" state=0200 curr=02a0
`},
	{'c', TypeSetConfig, 0x3, `01 09 000c 00000003; switch_config miss_send_len=80`},
	{'c', TypeFlowMod, 0x4, `01 0e 0048 00000004; match wildcards=3820ff; flow_mod command=03 priority=8000 buffer_id=ffffffff out_port=ffff`},
	{'c', TypeBarrierRequest, 0x5, `01 12 0008 00000005  # BARRIER_REQUEST`},
	{'s', TypeBarrierReply, 0x5, `01 13 0008 00000005  # BARRIER_REPLY`},
	{'s', TypePacketIn, 0x0, `01 0a 003c 00000000; packet_in buffer_id=0101 total_len=2a in_port=01` + arpRequestWire},
	{'c', TypePacketOut, 0x6, `01 0d 0018 00000006; packet_out buffer_id=0101 in_port=01 actions_len=08; output port=fffb`},
	{'s', TypePacketIn, 0x0, `01 0a 003c 00000000; packet_in buffer_id=0102 total_len=2a in_port=02` + arpRequestWire},
	{'c', TypeFlowMod, 0x7, `
01 0e 0050 00000007  # FLOW_MOD
match wildcards=3820f2 in_port=01 dl_src=020000000001 dl_dst=020000000002
flow_mod idle_timeout=3c priority=8000 buffer_id=0102 out_port=ffff flags=01
output port=02
`},
	{'s', TypeFlowRemoved, 0x0, `
01 0b 0058 00000000  # FLOW_REMOVED
match wildcards=3820f2 in_port=01 dl_src=020000000001 dl_dst=020000000002
flow_removed priority=8000 duration_sec=4b idle_timeout=3c packet_count=0f byte_count=0384
`},
}

// statsExchange has statistics in parts.
var statsExchange = []spoken{
	{'c', TypeStatsRequest, 0x10, `01 10 0038 00000010 0001 0000; match wildcards=3820ff; flows_of table_id=ff out_port=ffff`},
	{'s', TypeStatsReply, 0x10, `
01 11 00cc 00000010 0001 0001  # STATS_REPLY FLOW, MORE
flow length=60
match wildcards=3820ff
flow_counts duration_sec=01 priority=03 cookie=03 packet_count=01 byte_count=3c
output port=01
flow length=60
match wildcards=3820ff
flow_counts duration_sec=01 priority=02 cookie=02 packet_count=01 byte_count=3c
output port=01
`},
	{'s', TypeEchoRequest, 0x0, `01 02 0008 00000000  # ECHO_REQUEST`},
	{'s', TypeStatsReply, 0x10, `01 11 006c 00000010 0001 0001; flow length=60; match wildcards=3820ff; flow_counts duration_sec=01 priority=01 cookie=01 packet_count=01 byte_count=3c; output port=01`},
	{'c', TypeEchoReply, 0x0, `01 03 0008 00000000  # ECHO_REPLY`},
	{'s', TypeStatsReply, 0x10, `01 11 000c 00000010 0001 0000  # STATS_REPLY FLOW`},
	{'c', TypeStatsRequest, 0x11, `01 10 0038 00000011 0002 0000; match wildcards=3820ff; flows_of table_id=ff out_port=ffff`},
	{'s', TypeStatsReply, 0x11, `01 11 0024 00000011 0002 0000; aggregate packet_count=03 byte_count=b4 flow_count=03`},
	{'c', TypeStatsRequest, 0x12, `01 10 000c 00000012 0003 0000  # STATS_REQUEST TABLE`},
	{'s', TypeStatsReply, 0x12, `01 11 004c 00000012 0003 0000; table name="classifier" wildcards=3fffff max_entries=0f4240 active_count=03 lookup_count=64 matched_count=32`},
	{'c', TypeStatsRequest, 0x13, `01 10 0014 00000013 0005 0000; counts_of_queue port_no=fffc queue_id=ffffffff`},
	{'s', TypeStatsReply, 0x13, `01 11 000c 00000013 0005 0000  # STATS_REPLY QUEUE`},
	{'c', TypeStatsRequest, 0x14, `01 10 0018 00000014 ffff 0000; 00002320 0000000000000000  # vendor Nicira, data`},
	{'s', TypeStatsReply, 0x14, `01 11 0014 00000014 ffff 0001; 00002320 00000000  # vendor Nicira, data`},
}

// refusalExchange has what is refused, and how.
var refusalExchange = []spoken{
	{'c', TypeFlowMod, 0x20, `01 0e 0050 00000020; match wildcards=3820ff; flow_mod priority=8000 buffer_id=ffffffff out_port=ffff; output port=ffff`},
	{'s', TypeError, 0x20, `
01 01 004c 00000020  # ERROR
0002 0004  # BAD_ACTION, BAD_OUT_PORT
010e005000000020003820ff00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008000  # data: the first 64 bytes
`},
	{'c', TypeVendor, 0x21, `01 04 0014 00000021; 00002320 0000000a00000001  # vendor Nicira, NXT_ROLE_REQUEST master`},
	{'s', TypeError, 0x21, `
01 01 0020 00000021  # ERROR
0001 0003  # BAD_REQUEST, BAD_VENDOR
0104001400000021 000023200000000a00000001  # data: header, body
`},
	{'c', TypeQueueGetConfigRequest, 0x22, `01 14 000c 00000022; 0063 0000  # port 99, pad`},
	{'s', TypeError, 0x22, `
01 01 0018 00000022  # ERROR
0005 0000  # QUEUE_OP_FAILED, BAD_PORT
0114000c00000022 00630000  # data: header, body
`},
	{'c', TypePacketOut, 0x23, `01 0d 0042 00000023; packet_out buffer_id=ffffffff in_port=ffff actions_len=08; output port=01` + arpRequestWire},
	{'c', TypePortMod, 0x24, `01 0f 0020 00000024; port_mod port_no=01 hw_addr=020000000011 config=01 mask=01`},
	{'s', TypePortStatus, 0x0, `01 0c 0040 00000000; port_status reason=02; phy_port port_no=01 hw_addr=020000000011 name="eth1" config=01 state=01 curr=02a0`},
	{'c', TypeGetConfigRequest, 0x25, `01 07 0008 00000025  # GET_CONFIG_REQUEST`},
	{'s', TypeGetConfigReply, 0x25, `01 08 000c 00000025; switch_config flags=01 miss_send_len=ffff`},
	{'c', TypeQueueGetConfigRequest, 0x26, `01 14 000c 00000026; 0001 0000  # port 1, pad`},
	{'s', TypeQueueGetConfigReply, 0x26, `01 15 0028 00000026; queues_of port=01; queue queue_id=01 length=18; min_rate rate=01f4`},
	{'s', TypeVendor, 0x0, `01 04 000c 00000000; 000026e1  # vendor OpenFlow`},
}
