package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
		{"in_port LOCAL", Match{Wildcards: 0x3820fe, InPort: PortLocal}, `match wildcards=3820fe in_port=fffe  # LOCAL`},
		{"untagged", Match{Wildcards: 0x3820fd, DLVLAN: VLANNone}, `match wildcards=3820fd dl_vlan=ffff`},
		{"vlan 0", Match{Wildcards: 0x3820fd}, `match wildcards=3820fd`},
		{"vlan 4095", Match{Wildcards: 0x3820fd, DLVLAN: 4095}, `match wildcards=3820fd dl_vlan=0fff`},
		{"priority tag", Match{Wildcards: 0x2820fd, DLVLANPCP: 7}, `match wildcards=2820fd dl_vlan_pcp=07`},
		{"untagged with pcp 3", Match{Wildcards: 0x2820fd, DLVLAN: VLANNone, DLVLANPCP: 3}, `match wildcards=2820fd dl_vlan=ffff dl_vlan_pcp=03`},
		{"pcp alone", Match{Wildcards: 0x2820ff, DLVLANPCP: 1}, `match wildcards=2820ff dl_vlan_pcp=01`},
		{"dl_src", Match{Wildcards: 0x3820fb, DLSrc: macOf(0xfeffffffffff)}, `match wildcards=3820fb dl_src=feffffffffff`},
		{"dl_dst broadcast", Match{Wildcards: 0x3820f7, DLDst: macOf(0xffffffffffff)}, `match wildcards=3820f7 dl_dst=ffffffffffff`},
		{"LLDP", Match{Wildcards: 0x3820e7, DLDst: macOf(0x180c200000e), DLType: 0x88cc}, `match wildcards=3820e7 dl_dst=0180c200000e dl_type=88cc`},
		{"802.3", Match{Wildcards: 0x3820ef, DLType: 0x05ff}, `match wildcards=3820ef dl_type=05ff`},
		{"IPv6 by ethertype", Match{Wildcards: 0x3820ef, DLType: 0x86dd}, `match wildcards=3820ef dl_type=86dd`},
		{"ARP request", Match{Wildcards: 0x3820cf, DLType: 0x0806, NWProto: 1}, `match wildcards=3820cf dl_type=0806 nw_proto=01`},
		{"ICMP echo", Match{Wildcards: 0x38200f, DLType: 0x0800, NWProto: 1, TPSrc: 8}, `match wildcards=38200f dl_type=0800 nw_proto=01 tp_src=08`},
		{"TCP to 443", Match{Wildcards: 0x38204f, DLType: 0x0800, NWProto: 6, TPDst: 443}, `match wildcards=38204f dl_type=0800 nw_proto=06 tp_dst=01bb`},
		{"UDP from 67", Match{Wildcards: 0x38208f, DLType: 0x0800, NWProto: 17, TPSrc: 67}, `match wildcards=38208f dl_type=0800 nw_proto=11 tp_src=43`},
		{"OSPF", Match{Wildcards: 0x3820cf, DLType: 0x0800, NWProto: 89}, `match wildcards=3820cf dl_type=0800 nw_proto=59`},
		{"tos 0xb8", Match{Wildcards: 0x1820ef, DLType: 0x0800, NWTos: 184}, `match wildcards=1820ef dl_type=0800 nw_tos=b8`},
		{"tos with low bits", Match{Wildcards: 0x1820ef, DLType: 0x0800, NWTos: 35}, `match wildcards=1820ef dl_type=0800 nw_tos=23`},
		{"nw fields without dl_type", Match{Wildcards: 0x3000df, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002}, `match wildcards=3000df nw_proto=06 nw_src=0a000001 nw_dst=0a000002`},
		{"values under wild bits", Match{Wildcards: 0x3820ff, InPort: 5, DLSrc: macOf(0x1), DLDst: macOf(0x2), DLVLAN: 5, DLVLANPCP: 5, DLType: 0x0800, NWTos: 8, NWProto: 6, NWSrc: 0x01020304, NWDst: 0x05060708, TPSrc: 1, TPDst: 2}, `
match wildcards=3820ff in_port=05 dl_src=000000000001 dl_dst=000000000002 dl_vlan=05 dl_vlan_pcp=05 dl_type=0800 nw_tos=08 nw_proto=06 nw_src=01020304 nw_dst=05060708 tp_src=01 tp_dst=02
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
