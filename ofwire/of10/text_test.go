package of10

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// with is MatchAll with some fields exact.
func with(wild uint32, set func(m *Match)) Match {
	m := MatchAll()
	m.Wildcards &^= wild
	set(&m)
	return m
}

var testPorts = Parser{PortByName: func(name string) (Port, bool) {
	p, ok := map[string]Port{"s1-p1": 1, "s1-p3": 3, "drop-off": 4, "10g": 5}[name]
	return p, ok
}}

func TestMatchText(t *testing.T) {
	t.Parallel()
	ip := func(wild uint32, set func(m *Match)) Match {
		return with(wild|WildDLType, func(m *Match) { m.DLType = EtherTypeIPv4; set(m) })
	}
	proto := func(p uint8, wild uint32, set func(m *Match)) Match {
		return ip(wild|WildNWProto, func(m *Match) { m.NWProto = p; set(m) })
	}
	none := func(*Match) {}
	for _, c := range []struct {
		in, out string // out "": the same
		want    Match
	}{
		{"", "", MatchAll()},
		{"ip", "", ip(0, none)},
		{"dl_type=0x800", "ip", ip(0, none)},
		{"eth_type=2048", "ip", ip(0, none)},
		{"arp", "", with(WildDLType, func(m *Match) { m.DLType = EtherTypeARP })},
		{"icmp", "", proto(ProtoICMP, 0, none)},
		{"tcp", "", proto(ProtoTCP, 0, none)},
		{"udp", "", proto(ProtoUDP, 0, none)},
		{"sctp", "", proto(132, 0, none)},
		{"rarp", "", with(WildDLType, func(m *Match) { m.DLType = 0x8035 })},
		{"ipv6", "", with(WildDLType, func(m *Match) { m.DLType = 0x86dd })},
		{"mpls", "", with(WildDLType, func(m *Match) { m.DLType = 0x8847 })},
		{"mplsm", "", with(WildDLType, func(m *Match) { m.DLType = 0x8848 })},
		{"dl_type=0x05ff", "", with(WildDLType, func(m *Match) { m.DLType = EtherTypeNone })},
		{"ip,nw_proto=6", "tcp", proto(ProtoTCP, 0, none)},
		{"nw_proto=6 ip", "tcp", proto(ProtoTCP, 0, none)},
		{"ip,ip_proto=0", "ip,nw_proto=0", proto(0, 0, none)},
		{"in_port=1", "", with(WildInPort, func(m *Match) { m.InPort = 1 })},
		{"in_port=local", "in_port=LOCAL", with(WildInPort, func(m *Match) { m.InPort = PortLocal })},
		{"in_port=0xff05", "in_port=65285", with(WildInPort, func(m *Match) { m.InPort = 0xff05 })},
		{"in_port=NONE", "", with(WildInPort, func(m *Match) { m.InPort = PortNone })},
		{`in_port="s1-p3"`, "in_port=3", with(WildInPort, func(m *Match) { m.InPort = 3 })},
		{"in_port=s1-p3", "in_port=3", with(WildInPort, func(m *Match) { m.InPort = 3 })},
		{"in_port=10g", "in_port=5", with(WildInPort, func(m *Match) { m.InPort = 5 })},
		{"in_port=ANY,dl_type=*,nw_src=*,dl_vlan=any", "", MatchAll()},
		{"dl_vlan=12", "", with(WildDLVLAN, func(m *Match) { m.DLVLAN = 12 })},
		{"dl_vlan=0", "", with(WildDLVLAN, func(m *Match) { m.DLVLAN = 0 })},
		{"dl_vlan=0xffff", "", with(WildDLVLAN, func(m *Match) { m.DLVLAN = VLANNone })},
		{"dl_vlan=65535,dl_vlan_pcp=0", "vlan_tci=0x0000", with(WildDLVLAN|WildDLVLANPCP, func(m *Match) { m.DLVLAN = VLANNone })},
		{"vlan_tci=0x0000", "", with(WildDLVLAN|WildDLVLANPCP, func(m *Match) { m.DLVLAN = VLANNone })},
		{"vlan_tci=0x700c", "dl_vlan=12,dl_vlan_pcp=3", with(WildDLVLAN|WildDLVLANPCP, func(m *Match) { m.DLVLAN, m.DLVLANPCP = 12, 3 })},
		{"dl_vlan=12,vlan_tci=0x700c,dl_vlan_pcp=3,vlan_vid=0x100c", "dl_vlan=12,dl_vlan_pcp=3", with(WildDLVLAN|WildDLVLANPCP, func(m *Match) { m.DLVLAN, m.DLVLANPCP = 12, 3 })},
		{"vlan_vid=0x100c", "dl_vlan=12", with(WildDLVLAN, func(m *Match) { m.DLVLAN = 12 })},
		{"vlan_vid=0", "dl_vlan=0xffff", with(WildDLVLAN, func(m *Match) { m.DLVLAN = VLANNone })},
		{"dl_vlan_pcp=3", "", with(WildDLVLANPCP, func(m *Match) { m.DLVLANPCP = 3 })},
		{"dl_src=02:0:0:0:0:01,dl_dst=ff:ff:ff:ff:ff:ff", "dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff",
			with(WildDLSrc|WildDLDst, func(m *Match) { m.DLSrc, m.DLDst = mac(1), ofwire.Broadcast })},
		{"eth_src=02:00:00:00:00:01/ff:ff:ff:ff:ff:ff,eth_dst=02:00:00:00:00:01/00:00:00:00:00:00", "dl_src=02:00:00:00:00:01",
			with(WildDLSrc, func(m *Match) { m.DLSrc = mac(1) })},
		{"ip,nw_src=10.0.0.1", "", ip(0, func(m *Match) { m.NWSrc = 0x0a000001; m.SetNWSrcBits(0) })},
		{"ip,nw_src:10.0.0.1", "ip,nw_src=10.0.0.1", ip(0, func(m *Match) { m.NWSrc = 0x0a000001; m.SetNWSrcBits(0) })},
		{"ip,nw_src=10.1.2.3/8,nw_dst=10.1.2.3/255.255.0.0", "ip,nw_src=10.0.0.0/8,nw_dst=10.1.0.0/16",
			ip(0, func(m *Match) { m.NWSrc, m.NWDst = 0x0a000000, 0x0a010000; m.SetNWSrcBits(24); m.SetNWDstBits(16) })},
		{"ip,nw_src=10.1.2.3/0,ip_dst=1.2.3.4/32", "ip,nw_dst=1.2.3.4", ip(0, func(m *Match) { m.NWDst = 0x01020304; m.SetNWDstBits(0) })},
		{"ip,nw_tos=32", "", ip(WildNWTos, func(m *Match) { m.NWTos = 32 })},
		{"ip,ip_dscp=8", "ip,nw_tos=32", ip(WildNWTos, func(m *Match) { m.NWTos = 32 })},
		{"arp,arp_spa=10.0.0.1,arp_tpa=10.0.0.0/24,arp_op=1", "", with(WildDLType|WildNWProto, func(m *Match) {
			m.DLType, m.NWProto, m.NWSrc, m.NWDst = EtherTypeARP, 1, 0x0a000001, 0x0a000000
			m.SetNWSrcBits(0)
			m.SetNWDstBits(8)
		})},
		{"arp,nw_proto=2,nw_src=10.0.0.1", "arp,arp_spa=10.0.0.1,arp_op=2", with(WildDLType|WildNWProto, func(m *Match) {
			m.DLType, m.NWProto, m.NWSrc = EtherTypeARP, 2, 0x0a000001
			m.SetNWSrcBits(0)
		})},
		{"tcp,tp_src=80,tp_dst=0x50", "tcp,tp_src=80,tp_dst=80", proto(ProtoTCP, WildTPSrc|WildTPDst, func(m *Match) { m.TPSrc, m.TPDst = 80, 80 })},
		{"udp,udp_dst=53", "udp,tp_dst=53", proto(ProtoUDP, WildTPDst, func(m *Match) { m.TPDst = 53 })},
		{"tcp,tcp_src=53", "tcp,tp_src=53", proto(ProtoTCP, WildTPSrc, func(m *Match) { m.TPSrc = 53 })},
		{"icmp,icmp_type=8,icmp_code=0", "", proto(ProtoICMP, WildTPSrc|WildTPDst, func(m *Match) { m.TPSrc = 8 })},
		{"icmp,tp_src=8", "icmp,icmp_type=8", proto(ProtoICMP, WildTPSrc, func(m *Match) { m.TPSrc = 8 })},
		{"icmp,tp_dst=511", "", proto(ProtoICMP, WildTPDst, func(m *Match) { m.TPDst = 511 })},
		{"ip,ip,in_port=1,in_port=1", "ip,in_port=1", ip(WildInPort, func(m *Match) { m.InPort = 1 })},
	} {
		got, err := testPorts.ParseMatch(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q (-want +got)\n%s", c.in, d)
		}
		out := c.out
		if out == "" && c.want != MatchAll() {
			out = c.in
		}
		if got.String() != out {
			t.Errorf("%q: prints %q, want %q", c.in, got, out)
		}
		if back, err := ParseMatch(got.String()); err != nil || back != got {
			t.Errorf("%q: %q reads back as %v, %v", c.in, got, back, err)
		}
	}
}

func TestMatchRefusals(t *testing.T) {
	t.Parallel()
	for in, hint := range map[string]string{
		"nw_src=10.0.0.1":                      "nw_src=10.0.0.1 would be ignored: add ip or arp",
		"ipv6,nw_dst=10.0.0.1":                 "would be ignored: add ip or arp",
		"nw_proto=6":                           "would be ignored: add ip or arp",
		"nw_tos=32":                            "would be ignored: add ip",
		"arp,nw_tos=32":                        "would be ignored: add ip",
		"ip_dscp=8":                            "would be ignored: add ip",
		"tp_dst=80":                            "tp_dst=80 would be ignored: add tcp, udp or icmp",
		"ip,tp_dst=80":                         "add tcp, udp or icmp",
		"sctp,tp_src=80":                       "add tcp, udp or icmp",
		"ip,nw_proto=2,tp_src=1":               "add tcp, udp or icmp",
		"arp,tp_src=1":                         "add tcp, udp or icmp",
		"ip,arp_spa=10.0.0.1":                  "needs arp",
		"udp,tcp_dst=80":                       "needs tcp",
		"tcp,icmp_type=8":                      "needs icmp",
		"tcp,arp":                              "dl_type is given twice: tcp and arp",
		"tcp,udp":                              "nw_proto is given twice: tcp and udp",
		"tcp,nw_proto=17":                      "given twice",
		"in_port=1,in_port=2":                  "given twice",
		"vlan_tci=0x1005,dl_vlan=6":            "dl_vlan is given twice: vlan_tci=0x1005 and dl_vlan=6",
		"vlan_tci=0x1005,dl_vlan_pcp=3":        "dl_vlan_pcp is given twice: vlan_tci=0x1005 and dl_vlan_pcp=3",
		"dl_vlan=6,vlan_tci=0x1005":            "dl_vlan is given twice: dl_vlan=6 and vlan_tci=0x1005",
		"dl_vlan_pcp=1,vlan_tci=0x1005":        "dl_vlan_pcp is given twice: dl_vlan_pcp=1 and vlan_tci=0x1005",
		"dl_vlan=5,vlan_vid=0x1006":            "dl_vlan is given twice: dl_vlan=5 and vlan_vid=0x1006",
		"ip,nw_tos=32,ip_dscp=4":               "nw_tos is given twice: nw_tos=32 and ip_dscp=4",
		"vlan_vid=0,dl_vlan_pcp=3":             "dl_vlan_pcp=3 with vlan_vid=0: an untagged frame",
		"in_port=":                             "missing value",
		"in_port":                              "missing value",
		"in_port=65536":                        "unknown port",
		"in_port=s1-p9":                        "unknown port",
		"dl_src=1:2:3:4:5:6/x":                 "six groups",
		"ip,nw_src=10.0.0.0/255.x":             "want an IPv4 address",
		"ip=5":                                 "takes no value",
		"nosuch=3":                             "unknown keyword nosuch",
		"metadata=1":                           "OpenFlow 1.0 cannot match",
		"tcp6":                                 "OpenFlow 1.0 cannot match",
		"arp,arp_sha=02:00:00:00:00:01":        "OpenFlow 1.0 cannot match",
		"dl_vlan=4096":                         "not a valid VLAN VID",
		"dl_vlan=5/0xfff":                      "not a number",
		"dl_vlan_pcp=8":                        "more than 7",
		"dl_vlan=0xffff,dl_vlan_pcp=3":         "untagged frame has no priority",
		"vlan_vid=5":                           "use dl_vlan",
		"vlan_tci=5":                           "use dl_vlan",
		"vlan_tci=0x1000/0x1000":               "not a number",
		"dl_type=65536":                        "more than 65535",
		"dl_src=1:2:3":                         "six groups",
		"dl_src=1:2:3:4:5:6/ff:ff:ff:00:00:00": "whole or not at all",
		"ip,nw_tos=3":                          "use nw_tos=0",
		"ip,nw_tos=300":                        "more than 255",
		"ip,nw_proto=256":                      "more than 255",
		"ip,nw_src=10.0.0.1/33":                "more than 32",
		"ip,nw_src=10.0.0.0/255.0.255.0":       "prefixes only",
		"ip,nw_src=example.org":                "want an IPv4 address",
		"ip,nw_src=::1":                        "want an IPv4 address",
		"tcp,tp_src=0x50/0xfff0":               "whole or not at all",
		"tcp,tp_dst=http":                      "not a number",
		"icmp,icmp_type=256":                   "more than 255",
		"arp,arp_op=256":                       "more than 255",
		"priority=5":                           "unknown keyword priority",
		"in_port=+1":                           "unknown port",
		"tcp,tp_dst=1_0":                       "not a number",
		"in_port(1":                            "closing parenthesis",
		"dl_vlan=12,dl_vlan=0xffff,dl_vlan_pcp=0x00": "given twice",
	} {
		if got, err := ParseMatch(in); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, %v; want an error that says %q", in, got, err, hint)
		}
	}
}

// TestMatchStringOfSenseless: fields that do not count are shown, not hidden.
func TestMatchStringOfSenseless(t *testing.T) {
	t.Parallel()
	m := with(WildNWProto|WildNWTos|WildTPSrc|WildTPDst, func(m *Match) {
		m.NWSrc, m.NWProto, m.NWTos, m.TPSrc, m.TPDst = 0x0a000001, 6, 4, 1, 2
		m.SetNWSrcBits(8)
	})
	if want := "nw_src=10.0.0.0/24,nw_proto=6,nw_tos=4,tp_src=1,tp_dst=2"; m.String() != want {
		t.Errorf("got %q, want %q", m, want)
	}
	if m.Normalize() != MatchAll() {
		t.Errorf("normalised: %q", m.Normalize())
	}
}

func TestActionText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, out string
		want    []Action
	}{
		{"drop", "", nil},
		{"", "drop", nil},
		{"DROP", "drop", nil},
		{"1", "output:1", []Action{Output(1, 0)}},
		{"output:1,2 3", "output:1,output:2,output:3", []Action{Output(1, 0), Output(2, 0), Output(3, 0)}},
		{"output=0xff05", "output:65285", []Action{Output(0xff05, 0)}},
		{"normal,flood,all,in_port,local,table", "NORMAL,FLOOD,ALL,IN_PORT,LOCAL,TABLE",
			[]Action{Output(PortNormal, 0), Output(PortFlood, 0), Output(PortAll, 0), Output(PortInPort, 0), Output(PortLocal, 0), Output(PortTable, 0)}},
		{"controller", "CONTROLLER:65535", []Action{Output(PortController, 0xffff)}},
		{"output:controller", "CONTROLLER:65535", []Action{Output(PortController, 0xffff)}},
		{"CONTROLLER:0", "", []Action{Output(PortController, 0)}},
		{"controller(max_len=77)", "CONTROLLER:77", []Action{Output(PortController, 77)}},
		{"controller()", "CONTROLLER:65535", []Action{Output(PortController, 0xffff)}},
		{"output:LOCAL", "LOCAL", []Action{Output(PortLocal, 0)}},
		{"output:NONE", "", []Action{Output(PortNone, 0)}},
		{"s1-p1", "output:1", []Action{Output(1, 0)}},
		{`output:"s1-p1"`, "output:1", []Action{Output(1, 0)}},
		{"drop-off", "output:4", []Action{Output(4, 0)}},
		{"enqueue:1:7", "", []Action{Enqueue(1, 7)}},
		{"enqueue(1, 7)", "enqueue:1:7", []Action{Enqueue(1, 7)}},
		{"enqueue:in_port:4294967295", "enqueue:IN_PORT:4294967295", []Action{Enqueue(PortInPort, QueueAll)}},
		{"mod_vlan_vid:20,mod_vlan_pcp:5,strip_vlan", "", []Action{SetVLANVID(20), SetVLANPCP(5), StripVLAN()}},
		{"pop_vlan", "strip_vlan", []Action{StripVLAN()}},
		{"mod_dl_src:02:00:00:00:00:03,mod_dl_dst=2:0:0:0:0:4", "mod_dl_src:02:00:00:00:00:03,mod_dl_dst:02:00:00:00:00:04",
			[]Action{SetDLSrc(mac(3)), SetDLDst(mac(4))}},
		{"mod_nw_src:169.254.169.254,mod_nw_dst:10.0.0.3,mod_nw_tos:32,mod_tp_src:80,mod_tp_dst:9002", "",
			[]Action{SetNWSrc(0xa9fea9fe), SetNWDst(0x0a000003), SetNWTos(32), SetTPSrc(80), SetTPDst(9002)}},
		{"vendor:0x2320:0001020304050607,raw:1234000801020304", "", everyAction()[12:]},
		{"vendor:9:", "vendor:0x9:", []Action{VendorAction(9, nil)}},
	} {
		got, err := testPorts.ParseActionList(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q (-want +got)\n%s", c.in, d)
		}
		out := c.out
		if out == "" {
			out = c.in
		}
		if ActionsString(got) != out {
			t.Errorf("%q: prints %q, want %q", c.in, ActionsString(got), out)
		}
		if back, err := ParseActionList(out); err != nil || !ActionsEqual(back, got) {
			t.Errorf("%q: %q reads back as %v, %v", c.in, out, back, err)
		}
	}
}

func TestActionRefusals(t *testing.T) {
	t.Parallel()
	for in, hint := range map[string]string{
		"drop,1":                       `"drop" must not be accompanied`,
		"1,drop":                       `"drop" must not be accompanied`,
		"add_vlan:12":                  "unknown action add_vlan",
		"bogus":                        "unknown action bogus",
		"NONE":                         "not a port to send to",
		"resubmit(,5)":                 "OpenFlow 1.0 does not have",
		"load:1->NXM_NX_REG0[]":        "OpenFlow 1.0 does not have",
		"dec_ttl":                      "OpenFlow 1.0 does not have",
		"set_field:1->ip_dscp":         "OpenFlow 1.0 does not have",
		"push_vlan:0x8100":             "OpenFlow 1.0 does not have",
		"set_vlan_vid:5":               "use mod_vlan_vid",
		"mod_vlan_vid:5000":            "5000: not a valid VLAN VID",
		"mod_vlan_pcp:9":               "9: not a valid VLAN PCP",
		"mod_nw_tos:3":                 "3: not a valid TOS",
		"mod_nw_tos:256":               "invalid TOS",
		"mod_tp_src:65536":             "invalid mod_tp_src",
		"mod_nw_src:a.b":               "IPv4",
		"mod_dl_src:1:2":               "six groups",
		"mod_vlan_vid":                 "needs a value",
		"mod_vlan_vid:":                "needs a value",
		"strip_vlan:3":                 "takes no value",
		"output:1:5":                   "unknown port",
		"output:":                      "needs a value",
		"output(port=1,max_len=5)":     "output:PORT only",
		"output:NXM_NX_REG0[]":         "output:PORT only",
		"70000":                        "unknown port",
		"enqueue:1":                    "enqueue:PORT:QUEUE",
		"enqueue:x:1":                  "unknown port",
		"enqueue:1:x":                  "invalid queue",
		"controller(reason=no_match)":  "max_len only",
		"controller(max_len=77,id=1)":  "invalid max_len",
		"controller(max_len=77":        "closing parenthesis",
		"vendor:1:00":                  "multiple of eight",
		"vendor:x:00":                  "invalid vendor",
		"raw:12340010":                 "not one whole action",
		"raw:zz":                       "raw:zz",
		"raw:0000000800000001":         "this action has a name: output:0",
		"raw:00000008000100000000":     "not one whole action",
		"raw:0000000800010000" + "00":  "not one whole action",
		"normal,resubmit(1),strip_van": "OpenFlow 1.0 does not have",
	} {
		if got, err := ParseActionList(in); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, %v; want an error that says %q", in, got, err, hint)
		}
	}
}

func TestPortText(t *testing.T) {
	t.Parallel()
	for p := range 0x10000 {
		got, err := ParsePort(Port(p).String())
		if err != nil || got != Port(p) {
			t.Fatalf("port %d: %v reads back as %v, %v", p, Port(p), got, err)
		}
	}
}
