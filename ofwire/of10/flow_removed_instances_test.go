package of10

import (
	"testing"
)

// TestFlowRemovedOfSwitches: each reason.
func TestFlowRemovedOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowRemoved,
		onWire("idle timeout of an exact flow", &FlowRemoved{Match: Match{InPort: 1, DLSrc: macOf(0x20000000001), DLDst: macOf(0x20000000002), DLVLAN: VLANNone, DLType: 0x0800, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 43516, TPDst: 80},
			Priority: 65535, DurationSec: 12, DurationNsec: 345000000, IdleTimeout: 10, PacketCount: 20, ByteCount: 1960}, `
01 0b 0058 00000000  # FLOW_REMOVED
match in_port=01 dl_src=020000000001 dl_dst=020000000002 dl_vlan=ffff dl_type=0800 nw_proto=06 nw_src=0a000001 nw_dst=0a000002 tp_src=a9fc tp_dst=50
flow_removed priority=ffff duration_sec=0c duration_nsec=14904840 idle_timeout=0a packet_count=14 byte_count=07a8
`),
		onWire("hard timeout", &FlowRemoved{Match: Match{Wildcards: 0x3820fe, InPort: 2},
			Cookie: 0xa, Priority: 100, Reason: 1, DurationSec: 60},
			`01 0b 0058 00000000; match wildcards=3820fe in_port=02; flow_removed cookie=0a priority=64 reason=01 duration_sec=3c`),
		onWire("deleted", &FlowRemoved{Match: Match{Wildcards: 0x3820ff},
			Cookie: 0xffffffffffffffff, Priority: 32768, Reason: 2, DurationSec: 86400, DurationNsec: 999999999, PacketCount: 1000000000, ByteCount: 1000000000000}, `
01 0b 0058 00000000  # FLOW_REMOVED
match wildcards=3820ff
flow_removed cookie=ffffffffffffffff priority=8000 reason=02 duration_sec=015180 duration_nsec=3b9ac9ff packet_count=3b9aca00 byte_count=e8d4a51000
`),
		onWire("unknown reason", &FlowRemoved{Match: Match{Wildcards: 0x3820ff},
			Cookie: 0x1, Reason: 7, IdleTimeout: 65535, PacketCount: 1, ByteCount: 64},
			`01 0b 0058 00000000; match wildcards=3820ff; flow_removed cookie=01 reason=07 idle_timeout=ffff packet_count=01 byte_count=40`),
		onWire("largest numbers", &FlowRemoved{Match: Match{Wildcards: 0x3820ff},
			Priority: 65535, DurationSec: 1<<32 - 1, DurationNsec: 1<<32 - 1, IdleTimeout: 65535, PacketCount: 1<<64 - 1, ByteCount: 1<<64 - 1}, `
01 0b 0058 00000000  # FLOW_REMOVED
match wildcards=3820ff
flow_removed priority=ffff duration_sec=ffffffff duration_nsec=ffffffff idle_timeout=ffff packet_count=ffffffffffffffff byte_count=ffffffffffffffff
`),
	)
}
