package of10

import (
	"testing"

	"github.com/govisor/govisor/ofwire"
)

// TestFlowRemovedOfSwitches: each reason.
func TestFlowRemovedOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowRemoved,
		wireCase{"idle timeout of an exact flow", &FlowRemoved{Match: Match{Wildcards: 0x0, InPort: 1, DLSrc: ofwire.MAC{0x02, 0, 0, 0, 0, 0x01}, DLDst: ofwire.MAC{0x02, 0, 0, 0, 0, 0x02}, DLVLAN: VLANNone, DLType: 0x0800, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 43516, TPDst: 80},
			Cookie: 0x0, Priority: 65535, Reason: 0, DurationSec: 12, DurationNsec: 345000000, IdleTimeout: 10, PacketCount: 20, ByteCount: 1960}, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 00              # xid
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
00 00 00 00 00 00 00 00  # cookie
ff ff                    # priority 65535
00                       # reason
00                       # pad
00 00 00 0c              # duration_sec 12
14 90 48 40              # duration_nsec 345000000
00 0a                    # idle_timeout 10
00 00                    # pad
00 00 00 00 00 00 00 14  # packet_count
00 00 00 00 00 00 07 a8  # byte_count
`, ""},
		wireCase{"hard timeout", &FlowRemoved{Match: Match{Wildcards: 0x3820fe, InPort: 2},
			Cookie: 0xa, Priority: 100, Reason: 1, DurationSec: 60, DurationNsec: 0, IdleTimeout: 0, PacketCount: 0, ByteCount: 0}, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 00              # xid
00 38 20 fe              # match: wildcards, all but in_port
00 02                    # match: in_port 2
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
00 00 00 00 00 00 00 0a  # cookie
00 64                    # priority 100
01                       # reason
00                       # pad
00 00 00 3c              # duration_sec 60
00 00 00 00              # duration_nsec 0
00 00                    # idle_timeout 0
00 00                    # pad
00 00 00 00 00 00 00 00  # packet_count
00 00 00 00 00 00 00 00  # byte_count
`, ""},
		wireCase{"deleted", &FlowRemoved{Match: Match{Wildcards: 0x3820ff},
			Cookie: 0xffffffffffffffff, Priority: 32768, Reason: 2, DurationSec: 86400, DurationNsec: 999999999, IdleTimeout: 0, PacketCount: 1000000000, ByteCount: 1000000000000}, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 00              # xid
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
ff ff ff ff ff ff ff ff  # cookie
80 00                    # priority 32768
02                       # reason
00                       # pad
00 01 51 80              # duration_sec 86400
3b 9a c9 ff              # duration_nsec 999999999
00 00                    # idle_timeout 0
00 00                    # pad
00 00 00 00 3b 9a ca 00  # packet_count
00 00 00 e8 d4 a5 10 00  # byte_count
`, ""},
		wireCase{"unknown reason", &FlowRemoved{Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x1, Priority: 0, Reason: 7, DurationSec: 0, DurationNsec: 0, IdleTimeout: 65535, PacketCount: 1, ByteCount: 64}, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 00              # xid
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
00 00 00 00 00 00 00 01  # cookie
00 00                    # priority 0
07                       # reason
00                       # pad
00 00 00 00              # duration_sec 0
00 00 00 00              # duration_nsec 0
ff ff                    # idle_timeout 65535
00 00                    # pad
00 00 00 00 00 00 00 01  # packet_count
00 00 00 00 00 00 00 40  # byte_count
`, ""},
		wireCase{"largest numbers", &FlowRemoved{Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x0, Priority: 65535, Reason: 0, DurationSec: 4294967295, DurationNsec: 4294967295, IdleTimeout: 65535, PacketCount: 18446744073709551615, ByteCount: 18446744073709551615}, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 00              # xid
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
00 00 00 00 00 00 00 00  # cookie
ff ff                    # priority 65535
00                       # reason
00                       # pad
ff ff ff ff              # duration_sec 4294967295
ff ff ff ff              # duration_nsec 4294967295
ff ff                    # idle_timeout 65535
00 00                    # pad
ff ff ff ff ff ff ff ff  # packet_count
ff ff ff ff ff ff ff ff  # byte_count
`, ""},
	)
}
