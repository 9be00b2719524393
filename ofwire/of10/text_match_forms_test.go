package of10

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// inIP is a match on IPv4 with some more fields exact.
func inIP(wild uint32, set func(m *Match)) Match {
	return with(WildDLType|wild, func(m *Match) { m.DLType = EtherTypeIPv4; set(m) })
}

// inProto is a match on an IPv4 protocol with some more fields exact.
func inProto(proto uint8, wild uint32, set func(m *Match)) Match {
	return inIP(WildNWProto|wild, func(m *Match) { m.NWProto = proto; set(m) })
}

// inARP is a match on ARP with some more fields exact.
func inARP(wild uint32, set func(m *Match)) Match {
	return with(WildDLType|wild, func(m *Match) { m.DLType = EtherTypeARP; set(m) })
}

func asIs(*Match) {}

// forms are the ways to write one match.
type forms struct {
	want  Match
	text  string // what it prints
	ways  []string
	parse *Parser // nil: without port names
}

func checkForms(t *testing.T, list []forms) {
	t.Helper()
	for _, c := range list {
		p := c.parse
		if p == nil {
			p = new(Parser)
		}
		for _, in := range append(c.ways, c.text) {
			got, err := p.ParseMatch(in)
			if err != nil {
				t.Errorf("%q: %v", in, err)
				continue
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%q (-want +got)\n%s", in, d)
			}
			if got.String() != c.text {
				t.Errorf("%q: prints %q, want %q", in, got, c.text)
			}
			// In a flow the match is read by the same rules and may stand anywhere.
			f, err := p.ParseFlow("priority=3 "+in+",idle_timeout=4 actions=drop", FlowAdd)
			if err != nil || f.Match != c.want || f.Priority != 3 || f.IdleTimeout != 4 {
				t.Errorf("%q in a flow: %v, %v", in, f, err)
			}
		}
	}
}

func TestInPortForms(t *testing.T) {
	t.Parallel()
	port := func(p Port) Match { return with(WildInPort, func(m *Match) { m.InPort = p }) }
	checkForms(t, []forms{
		{want: port(0), text: "in_port=0", ways: []string{"in_port=0x0", "in_port:0", "in_port(0)"}},
		{want: port(1), text: "in_port=1", ways: []string{"in_port:1", "in_port=0x1", "in_port=0X1", "in_port=01", "in_port=s1-p1", `in_port="s1-p1"`, `in_port:"s1-p1"`, " in_port=1 ", ",in_port=1,"}, parse: &testPorts},
		{want: port(5), text: "in_port=5", ways: []string{"in_port=10g", `in_port="10g"`}, parse: &testPorts},
		{want: port(255), text: "in_port=255", ways: []string{"in_port=0xff", "in_port=0xFF", "in_port=0x00ff", "in_port=0255"}},
		{want: port(PortMax), text: "in_port=65280", ways: []string{"in_port=0xff00", "in_port=0xFF00"}},
		{want: port(0xfff7), text: "in_port=65527", ways: []string{"in_port=0xfff7"}},
		{want: port(PortInPort), text: "in_port=IN_PORT", ways: []string{"in_port=in_port", "in_port=65528", "in_port=0xfff8"}},
		{want: port(PortTable), text: "in_port=TABLE", ways: []string{"in_port=table", "in_port=0xfff9"}},
		{want: port(PortNormal), text: "in_port=NORMAL", ways: []string{"in_port=Normal", "in_port=0xfffa"}},
		{want: port(PortFlood), text: "in_port=FLOOD", ways: []string{"in_port=flood", "in_port=0xfffb"}},
		{want: port(PortAll), text: "in_port=ALL", ways: []string{"in_port=all", "in_port=0xfffc"}},
		{want: port(PortController), text: "in_port=CONTROLLER", ways: []string{"in_port=controller", "in_port=0xfffd"}},
		{want: port(PortLocal), text: "in_port=LOCAL", ways: []string{"in_port=local", "in_port=Local", "in_port:LOCAL", "in_port=65534", "in_port=0xfffe"}},
		{want: port(PortNone), text: "in_port=NONE", ways: []string{"in_port=none", "in_port=65535", "in_port=0xffff"}},
		{want: MatchAll(), text: "", ways: []string{"in_port=*", "in_port=ANY", "in_port=any", "in_port:*"}},
	})
}

func TestEthernetForms(t *testing.T) {
	t.Parallel()
	src := with(WildDLSrc, func(m *Match) { m.DLSrc = ofwire.MAC{0, 0x1e, 0x0b, 0xea, 0xfb, 0x7e} })
	dst := with(WildDLDst, func(m *Match) { m.DLDst = ofwire.MAC{0x88, 0x43, 0xe1, 0x42, 0x4f, 0x60} })
	typ := func(v uint16) Match { return with(WildDLType, func(m *Match) { m.DLType = v }) }
	checkForms(t, []forms{
		{want: src, text: "dl_src=00:1e:0b:ea:fb:7e", ways: []string{"dl_src:00:1e:0b:ea:fb:7e", "eth_src=00:1e:0b:ea:fb:7e", "dl_src=0:1e:b:ea:fb:7e",
			"dl_src=00:1E:0B:EA:FB:7E", "dl_src=00:1e:0b:ea:fb:7e/ff:ff:ff:ff:ff:ff", "dl_src=00:1e:0b:ea:fb:7e/FF:FF:FF:FF:FF:FF", "eth_src:0:1E:B:EA:FB:7E"}},
		{want: dst, text: "dl_dst=88:43:e1:42:4f:60", ways: []string{"dl_dst:88:43:e1:42:4f:60", "eth_dst=88:43:E1:42:4F:60", "dl_dst=88:43:e1:42:4f:60/ff:ff:ff:ff:ff:ff"}},
		{want: with(WildDLDst, asIs), text: "dl_dst=00:00:00:00:00:00", ways: []string{"dl_dst=0:0:0:0:0:0"}},
		{want: with(WildDLDst, func(m *Match) { m.DLDst = ofwire.Broadcast }), text: "dl_dst=ff:ff:ff:ff:ff:ff", ways: []string{"dl_dst=FF:FF:FF:FF:FF:FF"}},
		{want: with(WildDLDst, func(m *Match) { m.DLDst = ofwire.MAC{1} }), text: "dl_dst=01:00:00:00:00:00", ways: []string{"eth_dst=1:0:0:0:0:0"}},
		{want: MatchAll(), text: "", ways: []string{"dl_src=*", "dl_dst=ANY", "eth_src=*,eth_dst=any", "dl_dst=1:2:3:4:5:6/0:0:0:0:0:0"}},
		{want: typ(EtherTypeIPv4), text: "ip", ways: []string{"dl_type=0x0800", "dl_type=0x800", "dl_type=2048", "dl_type:0x800", "eth_type=0X0800", "ip ip", "ip,dl_type=0x800"}},
		{want: typ(EtherTypeARP), text: "arp", ways: []string{"dl_type=0x806", "dl_type=2054", "eth_type:0x0806", "arp,dl_type=0x806"}},
		{want: typ(0x8035), text: "rarp", ways: []string{"dl_type=0x8035", "dl_type=32821"}},
		{want: typ(0x86dd), text: "ipv6", ways: []string{"dl_type=0x86dd", "dl_type=0x86DD"}},
		{want: typ(0x8847), text: "mpls", ways: []string{"dl_type=0x8847"}},
		{want: typ(0x8848), text: "mplsm", ways: []string{"dl_type=0x8848"}},
		{want: typ(0x88cc), text: "dl_type=0x88cc", ways: []string{"dl_type=35020", "dl_type:0x88CC", "eth_type=0x88cc"}},
		{want: typ(EtherTypeNone), text: "dl_type=0x05ff", ways: []string{"dl_type=0x5ff", "dl_type=1535"}},
		{want: typ(0), text: "dl_type=0x0000", ways: []string{"dl_type=0", "dl_type=0x0"}},
		{want: typ(0xffff), text: "dl_type=0xffff", ways: []string{"dl_type=65535"}},
		{want: MatchAll(), text: "", ways: []string{"dl_type=*", "eth_type=any"}},
	})
}

func TestVLANForms(t *testing.T) {
	t.Parallel()
	vid := func(v uint16) Match { return with(WildDLVLAN, func(m *Match) { m.DLVLAN = v }) }
	pcp := func(v uint8) Match { return with(WildDLVLANPCP, func(m *Match) { m.DLVLANPCP = v }) }
	tag := func(v uint16, p uint8) Match {
		return with(WildDLVLAN|WildDLVLANPCP, func(m *Match) { m.DLVLAN, m.DLVLANPCP = v, p })
	}
	checkForms(t, []forms{
		{want: vid(0), text: "dl_vlan=0", ways: []string{"dl_vlan=0x0", "dl_vlan:0", "vlan_vid=0x1000", "vlan_vid=4096"}},
		{want: vid(12), text: "dl_vlan=12", ways: []string{"dl_vlan=0xc", "dl_vlan=0x00C", "dl_vlan:12", "vlan_vid=0x100c", "vlan_vid:4108"}},
		{want: vid(4095), text: "dl_vlan=4095", ways: []string{"dl_vlan=0xfff", "vlan_vid=0x1fff"}},
		{want: vid(VLANNone), text: "dl_vlan=0xffff", ways: []string{"dl_vlan=65535", "dl_vlan=0xFFFF", "vlan_vid=0", "vlan_vid=0x0"}},
		{want: pcp(0), text: "dl_vlan_pcp=0", ways: []string{"vlan_pcp=0", "dl_vlan_pcp=0x0"}},
		{want: pcp(7), text: "dl_vlan_pcp=7", ways: []string{"dl_vlan_pcp:7", "dl_vlan_pcp=0x7", "vlan_pcp=7"}},
		{want: tag(12, 3), text: "dl_vlan=12,dl_vlan_pcp=3", ways: []string{"dl_vlan_pcp=3,dl_vlan=12", "vlan_tci=0x700c", "vlan_tci=28684", "vlan_pcp=3 vlan_vid=0x100c"}},
		{want: tag(0, 0), text: "dl_vlan=0,dl_vlan_pcp=0", ways: []string{"vlan_tci=0x1000"}},
		{want: tag(4095, 7), text: "dl_vlan=4095,dl_vlan_pcp=7", ways: []string{"vlan_tci=0xffff"}},
		{want: tag(VLANNone, 0), text: "vlan_tci=0x0000", ways: []string{"vlan_tci=0", "dl_vlan=0xffff,dl_vlan_pcp=0", "dl_vlan_pcp=0,vlan_vid=0"}},
		{want: MatchAll(), text: "", ways: []string{"dl_vlan=*", "dl_vlan_pcp=*", "vlan_vid=*,vlan_tci=ANY,vlan_pcp=any"}},
	})
}

// TestAddressForms has every prefix length of both addresses, as CIDR and as a mask.
func TestAddressForms(t *testing.T) {
	t.Parallel()
	const addr = 0xac1effa5 // 172.30.255.165
	dotted := func(a uint32) string { var s text; s.ipv4(a); return s.String() }
	for n := 0; n <= 32; n++ {
		ignored := 32 - n
		mask := uint32(uint64(0xffffffff) << ignored)
		suffix := map[bool]string{true: "", false: "/" + decimal(n)}[n == 32]
		for _, key := range []string{"nw_src", "nw_dst"} {
			want := inIP(0, func(m *Match) {
				if key == "nw_src" {
					m.NWSrc = addr & mask
					m.SetNWSrcBits(ignored)
				} else {
					m.NWDst = addr & mask
					m.SetNWDstBits(ignored)
				}
			})
			printed := "ip," + key + "=" + dotted(addr&mask) + suffix
			if n == 0 {
				printed = "ip"
			}
			arp := want
			arp.DLType = EtherTypeARP
			arpKey := map[string]string{"nw_src": "arp_spa", "nw_dst": "arp_tpa"}[key]
			arpPrinted := "arp" + strings.Replace(strings.TrimPrefix(printed, "ip"), key, arpKey, 1)
			values := []string{dotted(addr) + "/" + decimal(n), dotted(addr) + "/" + dotted(mask), dotted(addr&mask) + "/" + dotted(mask)}
			var ip, inArp []string
			for _, v := range values {
				ip = append(ip, "ip,"+key+"="+v, key+":"+v+",ip", "ip ip"+key[2:]+"="+v, "dl_type=0x800,"+key+"="+v)
				inArp = append(inArp, "arp,"+key+"="+v, "arp "+arpKey+"="+v, arpKey+":"+v+",arp", "dl_type=2054,ip"+key[2:]+"="+v)
			}
			checkForms(t, []forms{{want: want, text: printed, ways: ip}, {want: arp, text: arpPrinted, ways: inArp}})
		}
	}
}

func decimal(n int) string { return Port(n).String() }

func TestNetworkForms(t *testing.T) {
	t.Parallel()
	tos := func(v uint8) Match { return inIP(WildNWTos, func(m *Match) { m.NWTos = v }) }
	op := func(v uint8) Match { return inARP(WildNWProto, func(m *Match) { m.NWProto = v }) }
	checkForms(t, []forms{
		{want: inProto(ProtoICMP, 0, asIs), text: "icmp", ways: []string{"ip,nw_proto=1", "ip,nw_proto:0x1", "dl_type=0x800,ip_proto=1", "icmp,ip,nw_proto=1"}},
		{want: inProto(ProtoTCP, 0, asIs), text: "tcp", ways: []string{"ip,nw_proto=6", "nw_proto=6,ip", "ip,tcp", "tcp,tcp", "tcp,nw_proto=6", "nw_proto=6,tcp", "dl_type=2048 nw_proto=0x06"}},
		{want: inProto(ProtoUDP, 0, asIs), text: "udp", ways: []string{"ip,nw_proto=17", "ip,nw_proto=0x11", "udp ip_proto=17"}},
		{want: inProto(132, 0, asIs), text: "sctp", ways: []string{"ip,nw_proto=132", "ip,nw_proto=0x84"}},
		{want: inProto(0, 0, asIs), text: "ip,nw_proto=0", ways: []string{"ip,nw_proto=0x0"}},
		{want: inProto(255, 0, asIs), text: "ip,nw_proto=255", ways: []string{"ip,nw_proto=0xff", "ip_proto=0xFF,ip"}},
		{want: inIP(0, asIs), text: "ip", ways: []string{"ip,nw_proto=*", "ip,nw_src=*,nw_dst=any", "ip,nw_tos=ANY", "ip,tp_src=*,tp_dst=*", "ip,ip_dscp=*"}},
		{want: op(1), text: "arp,arp_op=1", ways: []string{"arp,nw_proto=1", "arp,arp_op:0x1", "arp_op=1 arp", "dl_type=0x806,ip_proto=1"}},
		{want: op(255), text: "arp,arp_op=255", ways: []string{"arp,arp_op=0xff"}},
		{want: tos(0), text: "ip,nw_tos=0", ways: []string{"ip,nw_tos=0x00", "ip,ip_dscp=0"}},
		{want: tos(4), text: "ip,nw_tos=4", ways: []string{"ip,nw_tos=0x4", "ip,ip_dscp=1", "ip,nw_tos:4"}},
		{want: tos(184), text: "ip,nw_tos=184", ways: []string{"ip,nw_tos=0xb8", "ip,ip_dscp=46", "ip_dscp=0x2e,ip"}},
		{want: tos(252), text: "ip,nw_tos=252", ways: []string{"ip,nw_tos=0xFC", "ip,ip_dscp=63"}},
		{want: inProto(ProtoTCP, WildNWTos, func(m *Match) { m.NWTos = 32 }), text: "tcp,nw_tos=32", ways: []string{"nw_tos=32,tcp", "tcp,ip_dscp=8", "tcp,nw_tos=32,ip_dscp=8"}},
	})
}

func TestTransportForms(t *testing.T) {
	t.Parallel()
	for proto, word := range map[uint8]string{ProtoTCP: "tcp", ProtoUDP: "udp"} {
		for v, hex := range map[uint16]string{0: "0x0", 1: "0x1", 80: "0x50", 1234: "0x4D2", 65535: "0xffff"} {
			n := decimal(int(v))
			src := inProto(proto, WildTPSrc, func(m *Match) { m.TPSrc = v })
			dst := inProto(proto, WildTPDst, func(m *Match) { m.TPDst = v })
			if v == 65535 {
				n = "65535"
			}
			checkForms(t, []forms{
				{want: src, text: word + ",tp_src=" + n, ways: []string{word + ",tp_src=" + hex, "tp_src:" + n + "," + word, word + " " + word + "_src=" + n, "ip,nw_proto=" + decimal(int(proto)) + ",tp_src=" + n}},
				{want: dst, text: word + ",tp_dst=" + n, ways: []string{word + ",tp_dst=" + hex, "tp_dst:" + n + "," + word, word + " " + word + "_dst=" + hex, "nw_proto=" + decimal(int(proto)) + ",ip,tp_dst=" + n}},
			})
		}
	}
	icmp := func(wild uint32, set func(m *Match)) Match { return inProto(ProtoICMP, wild, set) }
	checkForms(t, []forms{
		{want: icmp(WildTPSrc, func(m *Match) { m.TPSrc = 8 }), text: "icmp,icmp_type=8", ways: []string{"icmp,tp_src=8", "icmp icmp_type:0x8", "ip,nw_proto=1,icmp_type=8"}},
		{want: icmp(WildTPSrc, asIs), text: "icmp,icmp_type=0", ways: []string{"icmp,tp_src=0"}},
		{want: icmp(WildTPSrc, func(m *Match) { m.TPSrc = 255 }), text: "icmp,icmp_type=255", ways: []string{"icmp,icmp_type=0xff", "icmp,tp_src=255"}},
		{want: icmp(WildTPSrc, func(m *Match) { m.TPSrc = 256 }), text: "icmp,tp_src=256", ways: []string{"icmp,tp_src=0x100"}},
		{want: icmp(WildTPDst, func(m *Match) { m.TPDst = 3 }), text: "icmp,icmp_code=3", ways: []string{"icmp,tp_dst=3", "icmp_code:3,icmp"}},
		{want: icmp(WildTPSrc|WildTPDst, func(m *Match) { m.TPSrc, m.TPDst = 3, 1 }), text: "icmp,icmp_type=3,icmp_code=1", ways: []string{"icmp_code=1,icmp,icmp_type=3", "icmp,tp_src=3,tp_dst=1", "icmp,tp_src=3,icmp_code=1"}},
		{want: icmp(0, asIs), text: "icmp", ways: []string{"icmp,icmp_type=*,icmp_code=ANY"}},
		{want: inProto(ProtoTCP, 0, asIs), text: "tcp", ways: []string{"tcp,tp_src=*", "tcp,tcp_dst=any"}},
		{want: inProto(ProtoTCP, WildTPSrc|WildTPDst, func(m *Match) { m.TPSrc, m.TPDst = 9002, 4444 }), text: "tcp,tp_src=9002,tp_dst=4444", ways: []string{"tp_dst=4444,tp_src=9002,tcp", "tcp,tcp_dst=4444,tcp_src=9002"}},
	})
}

// TestMatchSeparators: commas, spaces and newlines, in any number, between all twelve fields in any order.
func TestMatchSeparators(t *testing.T) {
	t.Parallel()
	fields := strings.Fields("in_port=1 dl_src=02:00:00:00:00:01 dl_dst=02:00:00:00:00:02 dl_vlan=0xffff dl_vlan_pcp=0 dl_type=0x800 " +
		"nw_tos=0 nw_proto=6 nw_src=10.0.0.1 nw_dst=10.0.0.2 tp_src=1 tp_dst=2")
	const text = "tcp,in_port=1,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,tp_src=1,tp_dst=2"
	var ways []string
	for _, sep := range []string{",", " ", ", ", "\t", "\r\n", " , ,", ",,"} {
		ways = append(ways, strings.Join(fields, sep), sep+strings.Join(fields, sep)+sep)
	}
	for turn := range fields {
		ways = append(ways, strings.Join(append(append([]string(nil), fields[turn:]...), fields[:turn]...), ","))
	}
	checkForms(t, []forms{{want: tcpMatch(), text: text, ways: ways}})
}
