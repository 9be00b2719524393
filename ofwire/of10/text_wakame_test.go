package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// The addresses of the wakame-vdc recipes.
var (
	wakameHost     = ofwire.MAC{0x00, 0x1e, 0x0b, 0xea, 0xfb, 0x7e}
	wakameGateway  = ofwire.MAC{0x88, 0x43, 0xe1, 0x42, 0x4f, 0x60}
	wakameInstance = mac(1)
)

const (
	wakameHostIP     = 0xc0a80217 // 192.168.2.23
	wakameMetadata   = 0xa9fea9fe // 169.254.169.254
	wakameInstanceIP = 0x0a000001
)

// TestWakameRecipes is each flow recipe of the wakame-vdc notes: what it means, or why it is refused.
func TestWakameRecipes(t *testing.T) {
	t.Parallel()
	tcp := func(wild uint32, set func(m *Match)) Match { return inProto(ProtoTCP, wild, set) }
	srcIP := func(m *Match, a uint32) { m.NWSrc = a; m.SetNWSrcBits(0) }
	dstIP := func(m *Match, a uint32) { m.NWDst = a; m.SetNWDstBits(0) }
	out := []Action{SetDLDst(wakameHost), SetNWDst(wakameHostIP), SetTPDst(9002), Output(PortLocal, 0)}
	back := func(port Port) []Action {
		return []Action{SetDLSrc(wakameGateway), SetNWSrc(wakameMetadata), SetTPSrc(80), Output(port, 0)}
	}
	const (
		outText  = "actions=mod_dl_dst:00:1e:0b:ea:fb:7e,mod_nw_dst:192.168.2.23,mod_tp_dst:9002,local"
		backText = "actions=mod_dl_src:88:43:e1:42:4f:60,mod_nw_src:169.254.169.254,mod_tp_src:80,"
		lostSrc  = "nw_src=10.0.0.1 would be ignored: add ip or arp (dl_type=0x0800 or 0x0806)"
		lostDst  = "nw_dst=10.0.0.1 would be ignored: add ip or arp (dl_type=0x0800 or 0x0806)"
		noMeta   = "unknown action set_metadata"
		noMatch  = "metadata: OpenFlow 1.0 cannot match on it"
		noSubmit = "resubmit: OpenFlow 1.0 does not have this action"
	)
	instance := func(m *Match) {
		m.InPort, m.DLSrc, m.DLDst, m.TPDst = 3, wakameInstance, wakameGateway, 80
		srcIP(m, wakameInstanceIP)
		dstIP(m, wakameMetadata)
	}
	reply := func(m *Match) {
		m.InPort, m.DLSrc, m.DLDst, m.TPSrc = PortLocal, wakameHost, wakameInstance, 9002
		srcIP(m, wakameHostIP)
		dstIP(m, wakameInstanceIP)
	}
	fresh := func(prio, idle uint16, m Match, actions ...Action) *FlowMod {
		return flow(FlowAdd, func(f *FlowMod) { f.Priority, f.IdleTimeout, f.Match, f.Actions = prio, idle, m, actions })
	}
	inPort := func(p Port) Match { return with(WildInPort, func(m *Match) { m.InPort = p }) }
	const prio = DefaultPriority
	for _, c := range []struct {
		name, in string
		want     *FlowMod
		refusal  string
	}{
		{"R1", "priority=0,action=normal", fresh(0, 0, MatchAll(), Output(PortNormal, 0)), ""},
		{"R2", "priority=100,idle_timeout=50000,tcp,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80," + outText,
			fresh(100, 50000, tcp(WildDLDst|WildTPDst, func(m *Match) { m.DLDst, m.TPDst = wakameGateway, 80; dstIP(m, wakameMetadata) }), out...), ""},
		{"R3", "priority=100,idle_timeout=50000,tcp,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002," + backText + "output:2",
			fresh(100, 50000, tcp(WildDLSrc|WildTPSrc, func(m *Match) { m.DLSrc, m.TPSrc = wakameHost, 9002; srcIP(m, wakameHostIP) }), back(2)...), ""},
		{"R3 flood", "priority=100,idle_timeout=50000,tcp,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002," + backText + "flood",
			fresh(100, 50000, tcp(WildDLSrc|WildTPSrc, func(m *Match) { m.DLSrc, m.TPSrc = wakameHost, 9002; srcIP(m, wakameHostIP) }), back(PortFlood)...), ""},
		{"R4", "priority=200,tcp,in_port=3,dl_dst=00:1e:0b:ea:fb:7e,nw_dst=169.254.169.254,tp_dst=80,actions=drop",
			fresh(200, 0, tcp(WildInPort|WildDLDst|WildTPDst, func(m *Match) { m.InPort, m.DLDst, m.TPDst = 3, wakameHost, 80; dstIP(m, wakameMetadata) })), ""},
		{"R5", "priority=100,tcp,nw_dst=169.254.169.254,tp_dst=80,actions=controller",
			fresh(100, 0, tcp(WildTPDst, func(m *Match) { m.TPDst = 80; dstIP(m, wakameMetadata) }), Output(PortController, 0xffff)), ""},
		{"R6", "priority=101,tcp,idle_timeout=300,in_port=3,dl_src=02:00:00:00:00:01,nw_src=10.0.0.1,tp_src=4444,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80," + outText,
			fresh(101, 300, tcp(WildInPort|WildDLSrc|WildDLDst|WildTPSrc|WildTPDst, func(m *Match) { instance(m); m.TPSrc = 4444 }), out...), ""},
		{"R7", "priority=101,tcp,idle_timeout=300,in_port=local,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,tp_dst=4444," + backText + "output:1",
			fresh(101, 300, tcp(WildInPort|WildDLSrc|WildDLDst|WildTPSrc|WildTPDst, func(m *Match) { reply(m); m.TPDst = 4444 }), back(1)...), ""},
		{"R8", "priority=101,tcp,in_port=3,dl_src=02:00:00:00:00:01,nw_src=10.0.0.1,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80," + outText,
			fresh(101, 0, tcp(WildInPort|WildDLSrc|WildDLDst|WildTPDst, instance), out...), ""},
		{"R9", "priority=101,tcp,in_port=local,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1," + backText + "output:1",
			fresh(101, 0, tcp(WildInPort|WildDLSrc|WildDLDst|WildTPSrc, reply), back(1)...), ""},
		{"R10", "priority=100,tcp,nw_src=10.0.0.1,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80,actions=mod_nw_dst:169.254.169.252,mod_tp_dst:9002,local",
			fresh(100, 0, tcp(WildDLDst|WildTPDst, func(m *Match) {
				m.DLDst, m.TPDst = wakameGateway, 80
				srcIP(m, wakameInstanceIP)
				dstIP(m, wakameMetadata)
			}), SetNWDst(0xa9fea9fc), SetTPDst(9002), Output(PortLocal, 0)), ""},
		{"R11", "priority=100,tcp,in_port=local,dl_src=00:1e:0b:ea:fb:7e,nw_src:192.168.2.23,tp_src=9002,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,actions=mod_nw_src:169.254.169.254,mod_tp_src:80,output:1",
			fresh(100, 0, tcp(WildInPort|WildDLSrc|WildDLDst|WildTPSrc, reply), SetNWSrc(wakameMetadata), SetTPSrc(80), Output(1, 0)), ""},
		{"R12", "priority=100,tcp,in_port=local,dl_src=00:1e:0b:ea:fb:7e,nw_src:192.168.2.23,tp_src=9002,nw_dst=10.0.0.1,actions=mod_nw_src:169.254.169.254,mod_tp_src:80,normal",
			fresh(100, 0, tcp(WildInPort|WildDLSrc|WildTPSrc, func(m *Match) { reply(m); m.DLDst = ofwire.MAC{} }), SetNWSrc(wakameMetadata), SetTPSrc(80), Output(PortNormal, 0)), ""},
		{"R13", "priority=100,tcp,in_port=local,dl_src=00:1e:0b:ea:fb:7e,nw_src:192.168.2.23,tp_src=9002,actions=mod_nw_src:169.254.169.254,mod_tp_src:80,resubmit(,5)", nil, noSubmit},
		{"R14", "priority=1,in_port=3,dl_src=02:00:00:00:00:01,actions=resubmit(,1)", nil, noSubmit},
		{"R15", "priority=1,in_port=1,actions=resubmit(,1)", nil, noSubmit},
		{"R16", "dl_dst=02:00:00:00:00:01,actions=output:3", fresh(prio, 0, with(WildDLDst, func(m *Match) { m.DLDst = wakameInstance }), Output(3, 0)), ""},
		{"R17", "dl_dst=00:1e:0b:ea:fb:7e,actions=local", fresh(prio, 0, with(WildDLDst, func(m *Match) { m.DLDst = wakameHost }), Output(PortLocal, 0)), ""},
		{"R17 in its table", "table=1,dl_dst=02:00:00:00:00:01,actions=output:1", nil, "table=1: OpenFlow 1.0 cannot choose a table; for the emergency table add emerg"},
		{"R18", "in_port=3,nw_src=10.0.0.1,actions=output:1", nil, lostSrc},
		{"R18 whole", "ip,in_port=3,nw_src=10.0.0.1,action=set_metadata:1,resubmit(,2)", nil, noMeta},
		{"R19", "in_port=1,nw_dst=10.0.0.1,actions=output:3", nil, lostDst},
		{"R19 whole", "ip,in_port=1,nw_dst=10.0.0.1,actions=load:1->OXM_OF_METADATA[],resubmit(,3)", nil, "load: OpenFlow 1.0 does not have this action"},
		{"R20", "dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,actions=output:3", nil, lostDst},
		{"R20 whole", "ip,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,metadata=1,actions=output:3", nil, noMatch},
		{"R20 without metadata", "ip,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,actions=output:3",
			fresh(prio, 0, inIP(WildDLDst, func(m *Match) { m.DLDst = wakameInstance; dstIP(m, wakameInstanceIP) }), Output(3, 0)), ""},
		{"R21", "priority=0,actions=output:1", fresh(0, 0, MatchAll(), Output(1, 0)), ""},
		{"R22", "dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,actions=drop", nil, lostDst},
		{"R22 with ip", "ip,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,actions=drop",
			fresh(prio, 0, inIP(WildDLDst, func(m *Match) { m.DLDst = wakameInstance; dstIP(m, wakameInstanceIP) })), ""},
		{"R23", "priority=1,in_port=1,actions=drop", fresh(1, 0, inPort(1)), ""},
		{"R24", "nw_src=10.0.0.1,actions=normal", nil, lostSrc},
		{"R24 whole", "ip,nw_src=10.0.0.1,metadata=1,actions=resubmit(,4)", nil, noMatch},
		{"R25", "nw_dst=10.0.0.1,actions=output:3", nil, lostDst},
		{"R25 whole", "arp,nw_dst=10.0.0.1,metadata=1,actions=output:3", nil, noMatch},
		{"R26", "in_port=3,nw_src=10.0.0.1,actions=resubmit(,2)", nil, noSubmit},
		{"R26 without resubmit", "in_port=3,nw_src=10.0.0.1,actions=normal", nil, lostSrc},
		{"R27", "in_port=1,vlan=12,action=strip_vlan", nil, "unknown keyword vlan"},
		{"R27 in 1.0", "in_port=1,dl_vlan=12,action=strip_vlan",
			fresh(prio, 0, with(WildInPort|WildDLVLAN, func(m *Match) { m.InPort, m.DLVLAN = 1, 12 }), StripVLAN()), ""},
		{"R28", "dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,actions=output:4", nil, lostDst},
		{"R29", "priority=0,metadata=1,actions=output:1", nil, noMatch},
		{"R29 as printed", "in_port=1,action=add_vlan:12,output:2", nil, "unknown action add_vlan"},
		{"R29 in 1.0", "priority=0,actions=mod_vlan_vid:12,output:1", fresh(0, 0, MatchAll(), SetVLANVID(12), Output(1, 0)), ""},
		{"R30", "priority=1,in_port=2,actions=drop", fresh(1, 0, inPort(2)), ""},
		{"R31", "in_port=3,actions=set_metadata:1,resubmit(,2)", nil, noMeta},
		{"R32", "in_port=1,pbb_id=12,actions=strip_pbb", nil, "unknown keyword pbb_id"},
		{"R32 action", "in_port=1,action=strip_pbb", nil, "unknown action strip_pbb"},
		{"R33", "dl_dst=02:00:00:00:00:01,metadata=1,actions=output:3", nil, noMatch},
		{"R34", "in_port=2,action=add_pbb:12,output:1", nil, "unknown action add_pbb"},
		{"R34 pushed", "in_port=2,action=push_pbb:0x88e7", nil, "unknown action push_pbb"},
		{"R35", "arp,actions=controller", fresh(prio, 0, inARP(0, asIs), Output(PortController, 0xffff)), ""},
		{"R36 target", "arp,nw_dst=10.0.0.1,actions=drop", fresh(prio, 0, inARP(0, func(m *Match) { dstIP(m, wakameInstanceIP) })), ""},
		{"R36 sender", "arp,arp_spa=10.0.0.1,actions=drop", fresh(prio, 0, inARP(0, func(m *Match) { srcIP(m, wakameInstanceIP) })), ""},
		{"R36 opcode", "arp,arp_op=2,actions=drop", fresh(prio, 0, inARP(WildNWProto, func(m *Match) { m.NWProto = 2 })), ""},
	} {
		got, err := ParseFlow(c.in, FlowAdd)
		if c.want == nil {
			if err == nil || err.Error() != c.refusal {
				t.Errorf("%s: %v, %v; want the error %q", c.name, got, err, c.refusal)
			}
			continue
		}
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got)\n%s", c.name, err, d)
			continue
		}
		// What is printed means the same, and so does what goes over the wire.
		back, err := ParseFlow(got.FlowText(), FlowAdd)
		if d := cmp.Diff(c.want, back); err != nil || d != "" {
			t.Errorf("%s: %s: %v (-want +got)\n%s", c.name, got.FlowText(), err, d)
		}
		sent, err := Parse(encode(t, got))
		if d := cmp.Diff(Message(c.want), sent); err != nil || d != "" {
			t.Errorf("%s: %v after the wire (-want +got)\n%s", c.name, err, d)
		}
	}
}
