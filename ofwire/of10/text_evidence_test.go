package of10

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// TestStoredFlows: what was given to ovs-ofctl add-flow, and the line Open vSwitch listed
// it with afterwards.
func TestStoredFlows(t *testing.T) {
	t.Parallel()
	for given, listed := range map[string]string{
		"priority=100,idle_timeout=50000,tcp,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80,actions=mod_dl_dst:00:1e:0b:ea:fb:7e,mod_nw_dst:192.168.2.23,mod_tp_dst:9002,local":    "idle_timeout=50000, priority=100,tcp,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80 actions=mod_dl_dst:00:1e:0b:ea:fb:7e,mod_nw_dst:192.168.2.23,mod_tp_dst:9002,LOCAL",
		"priority=100,idle_timeout=50000,tcp,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002,actions=mod_dl_src:88:43:e1:42:4f:60,mod_nw_src:169.254.169.254,mod_tp_src:80,output:2": "idle_timeout=50000, priority=100,tcp,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002 actions=mod_dl_src:88:43:e1:42:4f:60,mod_nw_src:169.254.169.254,mod_tp_src:80,output:2",
		"priority=0,actions=normal": "priority=0 actions=NORMAL",
		"priority=200,tcp,in_port=3,dl_dst=00:1e:0b:ea:fb:7e,nw_dst=169.254.169.254,tp_dst=80,actions=drop":                                                                                    "priority=200,tcp,in_port=3,dl_dst=00:1e:0b:ea:fb:7e,nw_dst=169.254.169.254,tp_dst=80 actions=drop",
		"priority=100,tcp,nw_dst=169.254.169.254,tp_dst=80,actions=controller":                                                                                                                 "priority=100,tcp,nw_dst=169.254.169.254,tp_dst=80 actions=CONTROLLER:65535",
		"priority=5,arp,arp_tpa=10.0.0.0/24,cookie=0xabc,send_flow_rem,hard_timeout=600,actions=flood,enqueue:1:7":                                                                             "cookie=0xabc, hard_timeout=600, priority=5,arp,arp_tpa=10.0.0.0/24 actions=FLOOD,enqueue:1:7",
		"priority=6,icmp,icmp_type=8,icmp_code=0,nw_tos=32,dl_vlan=12,dl_vlan_pcp=3,actions=mod_vlan_vid:20,mod_vlan_pcp:5,strip_vlan,mod_nw_tos:40,all,in_port,controller(max_len=128),table": "priority=6,icmp,dl_vlan=12,dl_vlan_pcp=3,nw_tos=32,icmp_type=8,icmp_code=0 actions=mod_vlan_vid:20,mod_vlan_pcp:5,strip_vlan,mod_nw_tos:40,ALL,IN_PORT,CONTROLLER:128,TABLE",
		"priority=9,udp,nw_dst=10.0.0.0/255.255.255.0,actions=output:LOCAL":                                                                                                                    "priority=9,udp,nw_dst=10.0.0.0/24 actions=LOCAL",
		"priority=100,tcp,in_port=local,nw_src:10.0.0.1,tp_src=9002,actions=normal":                                                                                                            "priority=100,tcp,in_port=LOCAL,nw_src=10.0.0.1,tp_src=9002 actions=NORMAL",
		"check_overlap,priority=10,ip,nw_dst=10.0.0.0/24,actions=1":                                                                                                                            "priority=10,ip,nw_dst=10.0.0.0/24 actions=output:1",
		"priority=10,in_port=1,actions=output:77":                                                                                                                                              "priority=10,in_port=1 actions=output:77",
		"priority=11,ip,nw_proto=0,actions=drop":                                                                                                                                               "priority=11,ip,nw_proto=0 actions=drop",
		"priority=12,dl_vlan_pcp=3,actions=drop":                                                                                                                                               "priority=12,dl_vlan_pcp=3 actions=drop",
		"priority=12,dl_type=0x05ff,actions=drop":                                                                                                                                              "priority=12,dl_type=0x05ff actions=drop",
		"priority=12,dl_type=0x88cc,actions=controller:128":                                                                                                                                    "priority=12,dl_type=0x88cc actions=CONTROLLER:128",
		"priority=12,arp,arp_op=1,arp_spa=10.0.0.1,actions=drop":                                                                                                                               "priority=12,arp,arp_spa=10.0.0.1,arp_op=1 actions=drop",
		"priority=12,arp,nw_proto=2,nw_src=10.0.0.1,actions=drop":                                                                                                                              "priority=12,arp,arp_spa=10.0.0.1,arp_op=2 actions=drop",
		"priority=90,arp,actions=mod_nw_src:1.2.3.4,mod_nw_dst:5.6.7.8,output:2":                                                                                                               "priority=90,arp actions=mod_nw_src:1.2.3.4,mod_nw_dst:5.6.7.8,output:2",
	} {
		f, err := ParseFlow(given, FlowAdd)
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		stored := FlowStats{Match: f.Match, Priority: f.Priority, IdleTimeout: f.IdleTimeout, HardTimeout: f.HardTimeout, Cookie: f.Cookie, Actions: f.Actions}
		if d := cmp.Diff(listed, stored.Format(FlowFormat{NoStats: true})); d != "" {
			t.Errorf("%s (-ovs +govisor)\n%s", given, d)
		}
		back, err := ParseFlowStats(listed)
		if d := cmp.Diff(stored, back); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got)\n%s", listed, err, d)
		}
		// With counters, and with idle_age as the Nicira form has it.
		stored.DurationSec, stored.DurationNsec, stored.PacketCount, stored.ByteCount = 3, 41e6, 8, 656
		long := stored.String()
		if !strings.Contains(long, ", duration=3.041s, table=0, n_packets=8, n_bytes=656, ") {
			t.Errorf("no counters in %s", long)
		}
		for _, line := range []string{long, " " + strings.Replace(long, "n_bytes=656, ", "n_bytes=656, idle_age=0, ", 1)} {
			back, err := ParseFlowStats(line)
			if d := cmp.Diff(stored, back); err != nil || d != "" {
				t.Errorf("%s: %v (-want +got)\n%s", line, err, d)
			}
		}
	}
}

// TestNormalFormText is how matches that switches rewrite are printed after Normalize,
// next to what Open vSwitch listed for the same flow_mod.
func TestNormalFormText(t *testing.T) {
	t.Parallel()
	ip := Match{DLType: EtherTypeIPv4}
	for _, c := range []struct {
		name  string
		m     Match
		wild  uint32 // after Normalize
		text  string
		exact bool
	}{
		{"nw without dl_type", Match{Wildcards: 0x3820ff &^ (WildNWProto | WildNWSrcMask), NWProto: 6, NWSrc: 0x0a000001}, 0x3820ff, "", false},
		{"tp without dl_type", Match{Wildcards: 0x3820ff &^ (WildTPSrc | WildTPDst), TPDst: 80}, 0x3820ff, "", false},
		{"tp without nw_proto", Match{Wildcards: 0x3820ff &^ (WildDLType | WildTPDst), DLType: EtherTypeIPv4, TPDst: 80}, 0x3820ef, "ip", false},
		{"tp with gre", Match{Wildcards: 0x3820ff &^ (WildDLType | WildNWProto | WildTPDst), DLType: EtherTypeIPv4, NWProto: 47, TPDst: 80}, 0x3820cf, "ip,nw_proto=47", false},
		{"arp with tp", Match{Wildcards: 0x3820ff &^ (WildDLType | WildTPSrc | WildTPDst), DLType: EtherTypeARP, TPSrc: 1}, 0x3820ef, "arp", false},
		{"0x88b5 with nw and tp", Match{Wildcards: WildDLVLANPCP | 0xf, DLType: 0x88b5, NWProto: 6}, 0x3820ef&^WildNWTos&^WildDLVLANPCP | WildNWTos | WildDLVLANPCP, "dl_type=0x88b5", false},
		{"tos 0x23", Match{Wildcards: 0x3820ff &^ (WildDLType | WildNWTos), DLType: EtherTypeIPv4, NWTos: 0x23}, 0x1820ef, "ip,nw_tos=32", false},
		{"host bits", Match{Wildcards: 0x3808ef, DLType: EtherTypeIPv4, NWSrc: 0x0a0b0c0d}, 0x3808ef, "ip,nw_src=10.11.12.0/24", false},
		{"40 wild bits", Match{Wildcards: 0x3828ef, DLType: EtherTypeIPv4, NWSrc: 0x0a0b0c0d}, 0x3820ef, "ip", false},
		{"untagged with pcp", Match{Wildcards: 0x2820fd, DLVLAN: VLANNone, DLVLANPCP: 3}, 0x2820fd, "vlan_tci=0x0000", false},
		{"all bits", Match{Wildcards: 0xffffffff}, 0x3820ff, "", false},
		{"specification's all", Match{Wildcards: 0x3fffff}, 0x3820ff, "", false},
		{"all exact, tcp", tcpMatch(), 0, "tcp,in_port=1,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,tp_src=1,tp_dst=2", true},
		{"all exact, other ip", Match{DLType: ip.DLType, NWProto: 47, DLVLAN: 1}, WildTPSrc | WildTPDst, "ip,in_port=0,dl_vlan=1,dl_vlan_pcp=0,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=47,nw_tos=0", false},
		{"exact L2, not ip", Match{DLType: 0x88b5, DLVLAN: 1}, 0x2820e0, "in_port=0,dl_vlan=1,dl_vlan_pcp=0,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,dl_type=0x88b5", false},
	} {
		n := c.m.Normalize()
		if n.Wildcards != c.wild || n.String() != c.text || n.Exact() != c.exact {
			t.Errorf("%s: wildcards %#x, %q, exact %v; want %#x, %q, %v", c.name, n.Wildcards, n, n.Exact(), c.wild, c.text, c.exact)
		}
		if n.Normalize() != n {
			t.Errorf("%s: not stable: %v becomes %v", c.name, n, n.Normalize())
		}
		if back, err := ParseMatch(c.text); err != nil || back != n {
			t.Errorf("%s: %q reads back as %+v, %v; want %+v", c.name, c.text, back, err, n)
		}
	}
}

// TestRecordedReplies are whole outputs of ovs-ofctl 3.1 and the messages they stand for.
func TestRecordedReplies(t *testing.T) {
	t.Parallel()
	port := func(no Port, name string, addr ofwire.MAC) PhyPort {
		return PhyPort{PortNo: no, Name: name, HWAddr: addr, Curr: PortFeature10GbFD | PortFeatureCopper}
	}
	s1 := func(n byte) ofwire.MAC { return ofwire.MAC{2, 0, 0, 0, 1, n} }
	noFlood, local, down := port(1, "s1-p1", s1(1)), port(PortLocal, "br0", ofwire.MAC{0xea, 0xa9, 0xc3, 0xfb, 0xa5, 0x40}), port(3, "s1-p3", s1(3))
	noFlood.Config, down.Config = PortConfigNoFlood, PortConfigDown
	local.Config, local.State = PortConfigDown, PortStateLinkDown
	busy := func(no Port) PortStats {
		return PortStats{PortNo: no, RxPackets: 8, RxBytes: 656, TxPackets: 8, TxBytes: 656}
	}
	tables := make(TableStatsReply, 254)
	for i := range tables {
		tables[i] = TableStats{TableID: uint8(i), Wildcards: WildAll, MaxEntries: 1000000}
	}
	tables[0].LookupCount = 19
	const portTail = "\n     current:    10GB-FD COPPER\n     speed: 10000 Mbps now, 0 Mbps max"
	for _, c := range []struct {
		m    Message
		want string
	}{
		{&FeaturesReply{XID: 2, DatapathID: 1, NTables: 254, Capabilities: CapFlowStats | CapTableStats | CapPortStats | CapQueueStats | CapARPMatchIP,
			Actions: AllActions, Ports: []PhyPort{noFlood, port(2, "s1-p2", s1(2)), local}},
			`OFPT_FEATURES_REPLY (xid=0x2): dpid:0000000000000001
n_tables:254, n_buffers:0
capabilities: FLOW_STATS TABLE_STATS PORT_STATS QUEUE_STATS ARP_MATCH_IP
actions: output enqueue set_vlan_vid set_vlan_pcp strip_vlan mod_dl_src mod_dl_dst mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst
 1(s1-p1): addr:02:00:00:00:01:01
     config:     NO_FLOOD
     state:      0` + portTail + `
 2(s1-p2): addr:02:00:00:00:01:02
     config:     0
     state:      0` + portTail + `
 LOCAL(br0): addr:ea:a9:c3:fb:a5:40
     config:     PORT_DOWN
     state:      LINK_DOWN` + portTail},
		{&GetConfigReply{XID: 4}, "OFPT_GET_CONFIG_REPLY (xid=0x4): frags=normal miss_send_len=0"},
		{&StatsReply{XID: 2, StatsType: StatsDesc, Body: DescStats{Manufacturer: "Nicira, Inc.", Hardware: "Open vSwitch", Software: "3.1.0", SerialNum: "None", Datapath: "None"}},
			"OFPST_DESC reply (xid=0x2):\nManufacturer: Nicira, Inc.\nHardware: Open vSwitch\nSoftware: 3.1.0\nSerial Num: None\nDP Description: None"},
		{&StatsReply{XID: 2, StatsType: StatsTable, Body: tables}, `OFPST_TABLE reply (xid=0x2):
  table 0:
    active=0, lookup=19, matched=0
    max_entries=1000000
    matching:
      exact match or wildcard: in_port eth_{src,dst,type} vlan_{vid,pcp} ip_{src,dst} nw_{proto,tos} tcp_{src,dst}

  table 1:
    active=0, lookup=0, matched=0
    (same features)

  tables 2...253: ditto`},
		{&StatsReply{XID: 2, StatsType: StatsPort, Body: PortStatsReply{{PortNo: PortLocal}, busy(1), busy(2), busy(10)}}, `OFPST_PORT reply (xid=0x2): 4 ports
  port LOCAL: rx pkts=0, bytes=0, drop=0, errs=0, frame=0, over=0, crc=0
           tx pkts=0, bytes=0, drop=0, errs=0, coll=0
  port  1: rx pkts=8, bytes=656, drop=0, errs=0, frame=0, over=0, crc=0
           tx pkts=8, bytes=656, drop=0, errs=0, coll=0
  port  2: rx pkts=8, bytes=656, drop=0, errs=0, frame=0, over=0, crc=0
           tx pkts=8, bytes=656, drop=0, errs=0, coll=0
  port 10: rx pkts=8, bytes=656, drop=0, errs=0, frame=0, over=0, crc=0
           tx pkts=8, bytes=656, drop=0, errs=0, coll=0`},
		{&StatsReply{XID: 2, StatsType: StatsPort, Body: PortStatsReply{{1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}}, `OFPST_PORT reply (xid=0x2): 1 ports
  port  1: rx pkts=1, bytes=3, drop=5, errs=7, frame=9, over=10, crc=11
           tx pkts=2, bytes=4, drop=6, errs=8, coll=12`},
		{&StatsReply{XID: 2, StatsType: StatsPort, Body: PortStatsReply{}}, "OFPST_PORT reply (xid=0x2): 0 ports"},
		{&StatsReply{XID: 2, StatsType: StatsQueue, Body: QueueStatsReply{}}, "OFPST_QUEUE reply (xid=0x2): 0 queues"},
		{&StatsReply{XID: 2, StatsType: StatsQueue, Body: QueueStatsReply{{PortNo: 1, QueueID: 7}, {PortLocal, 0, 1, 2, 3}, {1, QueueAll, CounterUnsupported, CounterUnsupported, CounterUnsupported}}},
			"OFPST_QUEUE reply (xid=0x2): 3 queues\n  port 1 queue 7: bytes=0, pkts=0, errors=0, duration=?\n" +
				"  port LOCAL queue 0: bytes=1, pkts=2, errors=3, duration=?\n  port 1 queue ALL: bytes=?, pkts=?, errors=?, duration=?"},
		{&StatsReply{XID: 6, StatsType: StatsAggregate, Body: AggregateStats{FlowCount: 1}}, "OFPST_AGGREGATE reply (xid=0x6): packet_count=0 byte_count=0 flow_count=1"},
		{&QueueGetConfigReply{XID: 2, Port: 1, Queues: []PacketQueue{{QueueID: 0}, {QueueID: 1}, {QueueID: 7}}}, "OFPT_QUEUE_GET_CONFIG_REPLY (xid=0x2): port=1\nqueue 0:\nqueue 1:\nqueue 7:"},
		{&PortStatus{Reason: 2, Desc: down}, "OFPT_PORT_STATUS (xid=0x0): MOD: 3(s1-p3): addr:02:00:00:00:01:03\n     config:     PORT_DOWN\n     state:      0" + portTail},
		{&PortStatus{Reason: 1, Desc: local}, "OFPT_PORT_STATUS (xid=0x0): DEL: LOCAL(br0): addr:ea:a9:c3:fb:a5:40\n     config:     PORT_DOWN\n     state:      LINK_DOWN" + portTail},
		{&FlowRemoved{Match: inProto(ProtoUDP, 0, asIs), Priority: 7, Reason: RemovedDelete, DurationNsec: 411e6}, "OFPT_FLOW_REMOVED (xid=0x0): priority=7,udp reason=delete duration:0.411s idle:0 pkts:0 bytes:0"},
		{&PacketOut{XID: 4, BufferID: 0x105, InPort: 1, Actions: []Action{Output(PortFlood, 0)}}, "OFPT_PACKET_OUT (xid=0x4): in_port=1 actions=FLOOD buffer=0x00000105"},
		{&FlowMod{XID: 5, Match: with(WildInPort|WildDLVLAN|WildDLVLANPCP|WildDLType, func(m *Match) { m.InPort, m.DLVLAN, m.DLType = 2, VLANNone, 0x88b5 }), Priority: 1, IdleTimeout: 60,
			BufferID: NoBuffer, OutPort: PortNone, Actions: []Action{Output(1, 0)}}, "OFPT_FLOW_MOD (xid=0x5): ADD priority=1,in_port=2,vlan_tci=0x0000,dl_type=0x88b5 idle:60 actions=output:1"},
		{&Error{XID: 6, ErrType: ErrorFlowModFailed, Code: FlowModFailedOverlap, Data: encodeOrPanic(&FlowMod{XID: 6, Match: inIP(0, func(m *Match) { m.NWSrc = 0x0a000000; m.SetNWSrcBits(8) }), Priority: 10,
			BufferID: NoBuffer, OutPort: PortNone, Flags: FlowModCheckOverlap, Actions: []Action{Output(2, 0)}})},
			"OFPT_ERROR (xid=0x6): OFPFMFC_OVERLAP\nOFPT_FLOW_MOD (xid=0x6): ADD priority=10,ip,nw_src=10.0.0.0/24 check_overlap actions=output:2"},
	} {
		if d := cmp.Diff(c.want, c.m.String()); d != "" {
			t.Errorf("%T (-ovs +govisor)\n%s", c.m, d)
		}
		// The wire carries everything the text shows.
		back, err := Parse(encode(t, c.m))
		if err != nil || back.String() != c.want {
			t.Errorf("%T after the wire: %v\n%v", c.m, err, back)
		}
	}
}
