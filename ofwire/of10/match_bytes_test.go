package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// TestMatchBytes: one kind of match each, kept as it came: undefined bits, values under
// wild bits and counts over 32 survive, whatever Normalize would make of them.
func TestMatchBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		m    Match
		wire string
	}{
		{"in_port LOCAL", Match{Wildcards: 0x3820fe, InPort: PortLocal}, `
00 38 20 fe              # match: wildcards, 0x3820fe
ff fe                    # match: in_port LOCAL
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
`},
		{"untagged", Match{Wildcards: 0x3820fd, DLVLAN: VLANNone}, `
00 38 20 fd              # match: wildcards, 0x3820fd
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
ff ff                    # match: dl_vlan none
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
`},
		{"vlan 0", Match{Wildcards: 0x3820fd, DLVLAN: 0}, `
00 38 20 fd              # match: wildcards, 0x3820fd
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
`},
		{"vlan 4095", Match{Wildcards: 0x3820fd, DLVLAN: 4095}, `
00 38 20 fd              # match: wildcards, 0x3820fd
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
0f ff                    # match: dl_vlan
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
`},
		{"priority tag", Match{Wildcards: 0x2820fd, DLVLAN: 0, DLVLANPCP: 7}, `
00 28 20 fd              # match: wildcards, 0x2820fd
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
07                       # match: dl_vlan_pcp 7
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"untagged with pcp 3", Match{Wildcards: 0x2820fd, DLVLAN: VLANNone, DLVLANPCP: 3}, `
00 28 20 fd              # match: wildcards, 0x2820fd
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
ff ff                    # match: dl_vlan none
03                       # match: dl_vlan_pcp 3
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"pcp alone", Match{Wildcards: 0x2820ff, DLVLANPCP: 1}, `
00 28 20 ff              # match: wildcards, 0x2820ff
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
01                       # match: dl_vlan_pcp 1
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"dl_src", Match{Wildcards: 0x3820fb, DLSrc: ofwire.MAC{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff}}, `
00 38 20 fb              # match: wildcards, 0x3820fb
00 00                    # match: in_port
fe ff ff ff ff ff        # match: dl_src
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
`},
		{"dl_dst broadcast", Match{Wildcards: 0x3820f7, DLDst: ofwire.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, `
00 38 20 f7              # match: wildcards, 0x3820f7
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
ff ff ff ff ff ff        # match: dl_dst
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
`},
		{"LLDP", Match{Wildcards: 0x3820e7, DLDst: ofwire.MAC{0x01, 0x80, 0xc2, 0, 0, 0x0e}, DLType: 0x88cc}, `
00 38 20 e7              # match: wildcards, 0x3820e7
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
01 80 c2 00 00 0e        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
88 cc                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"802.3", Match{Wildcards: 0x3820ef, DLType: 0x05ff}, `
00 38 20 ef              # match: wildcards, 0x3820ef
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
05 ff                    # match: dl_type
00                       # match: nw_tos
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"IPv6 by ethertype", Match{Wildcards: 0x3820ef, DLType: 0x86dd}, `
00 38 20 ef              # match: wildcards, 0x3820ef
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
`},
		{"ARP request", Match{Wildcards: 0x3820cf, DLType: 0x0806, NWProto: 1}, `
00 38 20 cf              # match: wildcards, 0x3820cf
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 06                    # match: dl_type
00                       # match: nw_tos
01                       # match: nw_proto 1
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"ICMP echo", Match{Wildcards: 0x38200f, DLType: 0x0800, NWProto: 1, TPSrc: 8, TPDst: 0}, `
00 38 20 0f              # match: wildcards, 0x38200f
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
00                       # match: nw_tos
01                       # match: nw_proto 1
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 08                    # match: tp_src 8
00 00                    # match: tp_dst 0
`},
		{"TCP to 443", Match{Wildcards: 0x38204f, DLType: 0x0800, NWProto: 6, TPDst: 443}, `
00 38 20 4f              # match: wildcards, 0x38204f
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
00                       # match: nw_tos
06                       # match: nw_proto 6
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
01 bb                    # match: tp_dst 443
`},
		{"UDP from 67", Match{Wildcards: 0x38208f, DLType: 0x0800, NWProto: 17, TPSrc: 67}, `
00 38 20 8f              # match: wildcards, 0x38208f
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
00                       # match: nw_tos
11                       # match: nw_proto 17
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 43                    # match: tp_src 67
00 00                    # match: tp_dst
`},
		{"OSPF", Match{Wildcards: 0x3820cf, DLType: 0x0800, NWProto: 89}, `
00 38 20 cf              # match: wildcards, 0x3820cf
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
00                       # match: nw_tos
59                       # match: nw_proto 89
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"tos 0xb8", Match{Wildcards: 0x1820ef, DLType: 0x0800, NWTos: 184}, `
00 18 20 ef              # match: wildcards, 0x1820ef
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
b8                       # match: nw_tos 184
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"tos with low bits", Match{Wildcards: 0x1820ef, DLType: 0x0800, NWTos: 35}, `
00 18 20 ef              # match: wildcards, 0x1820ef
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type
23                       # match: nw_tos 35
00                       # match: nw_proto
00 00                    # pad
00 00 00 00              # match: nw_src
00 00 00 00              # match: nw_dst
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"nw fields without dl_type", Match{Wildcards: 0x3000df, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002}, `
00 30 00 df              # match: wildcards, 0x3000df
00 00                    # match: in_port
00 00 00 00 00 00        # match: dl_src
00 00 00 00 00 00        # match: dl_dst
00 00                    # match: dl_vlan
00                       # match: dl_vlan_pcp
00                       # pad
00 00                    # match: dl_type
00                       # match: nw_tos
06                       # match: nw_proto 6
00 00                    # pad
0a 00 00 01              # match: nw_src 10.0.0.1
0a 00 00 02              # match: nw_dst 10.0.0.2
00 00                    # match: tp_src
00 00                    # match: tp_dst
`},
		{"values under wild bits", Match{Wildcards: 0x3820ff, InPort: 5, DLSrc: ofwire.MAC{0, 0, 0, 0, 0, 0x01}, DLDst: ofwire.MAC{0, 0, 0, 0, 0, 0x02}, DLVLAN: 5, DLVLANPCP: 5, DLType: 0x0800, NWTos: 8, NWProto: 6, NWSrc: 0x01020304, NWDst: 0x05060708, TPSrc: 1, TPDst: 2}, `
00 38 20 ff              # match: wildcards, 0x3820ff
00 05                    # match: in_port 5
00 00 00 00 00 01        # match: dl_src
00 00 00 00 00 02        # match: dl_dst
00 05                    # match: dl_vlan
05                       # match: dl_vlan_pcp 5
00                       # pad
08 00                    # match: dl_type
08                       # match: nw_tos 8
06                       # match: nw_proto 6
00 00                    # pad
01 02 03 04              # match: nw_src 1.2.3.4
05 06 07 08              # match: nw_dst 5.6.7.8
00 01                    # match: tp_src 1
00 02                    # match: tp_dst 2
`},
	} {
		b := unannotate(t, c.wire)
		if d := cmp.Diff(b, c.m.Append(nil)); d != "" {
			t.Errorf("%s: encoded (-want +got)\n%s", c.name, d)
		}
		var got Match
		got.decode((*[MatchLen]byte)(b))
		if d := cmp.Diff(c.m, got); d != "" {
			t.Errorf("%s: decoded (-want +got)\n%s", c.name, d)
		}
		// By peek and by patch in the two messages that begin with a match.
		for _, host := range []Message{&FlowMod{XID: 1, Match: dnsMatch(), Cookie: 1<<64 - 1}, &FlowRemoved{XID: 2, Match: dnsMatch(), Cookie: 1<<64 - 1}} {
			before := encode(t, host)
			patched := append([]byte(nil), before...)
			PutMatch(patched, &c.m)
			want := append(append(append([]byte(nil), before[:8]...), b...), before[48:]...)
			if d := cmp.Diff(want, patched); d != "" {
				t.Errorf("%s: patched into %v (-want +got)\n%s", c.name, host.Type(), d)
			}
			if fm, fr := FlowModMatch(want), FlowRemovedMatch(want); fm != c.m || fr != c.m {
				t.Errorf("%s: peeked as %+v and %+v", c.name, fm, fr)
			}
		}
	}
}
