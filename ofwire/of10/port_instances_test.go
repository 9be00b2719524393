package of10

import (
	"testing"
)

// TestFeaturesOfSwitches: who answers a features_request with what.
func TestFeaturesOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFeaturesReply,
		onWire("Open vSwitch in Mininet", &FeaturesReply{XID: 2, DatapathID: 0x1, NTables: 254, Capabilities: 0xc7, Actions: 0xfff, Ports: []PhyPort{
			{PortNo: PortLocal, HWAddr: macOf(0xa2f2b5112240), Name: "s1", Config: 0x1, State: 0x1},
			{PortNo: 1, HWAddr: macOf(0x861f0c334401), Name: "s1-eth1", Curr: 0xc0},
			{PortNo: 2, HWAddr: macOf(0x861f0c334402), Name: "s1-eth2", Curr: 0xc0}}}, `
01 06 00b0 00000002  # FEATURES_REPLY
features datapath_id=01 n_tables=fe capabilities=c7 actions=0fff
phy_port port_no=fffe hw_addr=a2f2b5112240 name="s1" config=01 state=01  # LOCAL
phy_port port_no=01 hw_addr=861f0c334401 name="s1-eth1" curr=c0
phy_port port_no=02 hw_addr=861f0c334402 name="s1-eth2" curr=c0
`),
		onWire("Open vSwitch 1.x, buffering", &FeaturesReply{XID: 2, DatapathID: 0xa2f2b5112240, NBuffers: 256, NTables: 255, Capabilities: 0xc7, Actions: 0xfff, Ports: []PhyPort{
			{PortNo: 1, HWAddr: macOf(0x861f0c334401), Name: "s1-eth1", Curr: 0xc0},
			{PortNo: 2, HWAddr: macOf(0x861f0c334402), Name: "s1-eth2", Curr: 0xc0}}}, `
01 06 0080 00000002  # FEATURES_REPLY
features datapath_id=a2f2b5112240 n_buffers=0100 n_tables=ff capabilities=c7 actions=0fff
phy_port port_no=01 hw_addr=861f0c334401 name="s1-eth1" curr=c0
phy_port port_no=02 hw_addr=861f0c334402 name="s1-eth2" curr=c0
`),
		onWire("reference, without bit 8 of the actions", &FeaturesReply{XID: 21, DatapathID: 0x2320a1b2c3, NBuffers: 256, NTables: 2, Capabilities: 0xc7, Actions: 0xeff, Ports: []PhyPort{
			{PortNo: 1, HWAddr: macOf(0x2320000001), Name: "eth1", Curr: 0x2a0, Advertised: 0x2af, Supported: 0x2af},
			{PortNo: PortLocal, HWAddr: macOf(0x23200000fe), Name: "of0", State: 0x1}}}, `
01 06 0080 00000015  # FEATURES_REPLY
features datapath_id=2320a1b2c3 n_buffers=0100 n_tables=02 capabilities=c7 actions=0eff
phy_port port_no=01 hw_addr=002320000001 name="eth1" curr=02a0 advertised=02af supported=02af
phy_port port_no=fffe hw_addr=0023200000fe name="of0" state=01  # LOCAL
`),
		onWire("HP, VLAN in the upper 16 bits", &FeaturesReply{XID: 3, DatapathID: 0x64000102030405, NTables: 1, Capabilities: 0x87, Actions: 0xbff, Ports: []PhyPort{
			{PortNo: 1, HWAddr: macOf(0x102030401), Name: "1", Curr: 0x220, Advertised: 0x22f, Supported: 0x22f, Peer: 0x220},
			{PortNo: 48, HWAddr: macOf(0x102030430), Name: "48", Config: 0x1, State: 0x101, Supported: 0xf3f}}}, `
01 06 0080 00000003  # FEATURES_REPLY
features datapath_id=64000102030405 n_tables=01 capabilities=87 actions=0bff
phy_port port_no=01 hw_addr=000102030401 name="1" curr=0220 advertised=022f supported=022f peer=0220
phy_port port_no=30 hw_addr=000102030430 name="48" config=01 state=0101 supported=0f3f
`),
		onWire("NEC, sixteen letters in a name", &FeaturesReply{XID: 4, DatapathID: 0xffffffffffffffff, NBuffers: 1000, NTables: 1, Capabilities: 0xff, Actions: 0xffffffff, Ports: []PhyPort{
			{PortNo: PortMax, HWAddr: macOf(0xfeffffffffff), Name: "abcdefghijklmnop", Config: 0x7f, State: 0x301, Curr: 0xfff, Advertised: 0xfff, Supported: 0xfff, Peer: 0xfff}}}, `
01 06 0050 00000004  # FEATURES_REPLY
features datapath_id=ffffffffffffffff n_buffers=03e8 n_tables=01 capabilities=ff actions=ffffffff
phy_port port_no=ff00 hw_addr=feffffffffff name="abcdefghijklmnop" config=7f state=0301 curr=0fff advertised=0fff supported=0fff peer=0fff  # MAX
`),
		onWire("undefined bits of every bitmap", &FeaturesReply{XID: 5, NBuffers: 1<<32 - 1, Capabilities: 0xffffff10, Actions: 0xfffff000, Ports: []PhyPort{
			{HWAddr: macOf(0x0), Name: "", Config: 0xffffff80, State: 0xfffffcfe, Curr: 0xfffff000, Advertised: 0xfffff000, Supported: 0xfffff000, Peer: 0xfffff000}}}, `
01 06 0050 00000005  # FEATURES_REPLY
features n_buffers=ffffffff capabilities=ffffff10 actions=fffff000
phy_port config=ffffff80 state=fffffcfe curr=fffff000 advertised=fffff000 supported=fffff000 peer=fffff000
`),
	)
}

// TestPortStatusOfSwitches: a port comes, is switched off in two steps as Open vSwitch does, blocks and goes.
func TestPortStatusOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPortStatus,
		onWire("added", &PortStatus{Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", Curr: 0x202, Advertised: 0x2ff, Supported: 0x2ff}},
			`01 0c 0040 00000000; port_status; phy_port port_no=05 hw_addr=020000000105 name="tap5" curr=0202 advertised=02ff supported=02ff`),
		onWire("config down first", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", Config: 0x1, Curr: 0x202}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=05 hw_addr=020000000105 name="tap5" config=01 curr=0202`),
		onWire("then link down", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", Config: 0x1, State: 0x1}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=05 hw_addr=020000000105 name="tap5" config=01 state=01`),
		onWire("up, listening", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", Curr: 0x202}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=05 hw_addr=020000000105 name="tap5" curr=0202`),
		onWire("learning", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", State: 0x100, Curr: 0x202}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=05 hw_addr=020000000105 name="tap5" state=0100 curr=0202`),
		onWire("forwarding", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", State: 0x200, Curr: 0x202}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=05 hw_addr=020000000105 name="tap5" state=0200 curr=0202`),
		onWire("blocking, NO_FLOOD", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", Config: 0x10, State: 0x300, Curr: 0x202}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=05 hw_addr=020000000105 name="tap5" config=10 state=0300 curr=0202`),
		onWire("no packet_in, no forwarding, no receiving", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5", Config: 0x64}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=05 hw_addr=020000000105 name="tap5" config=64`),
		onWire("deleted", &PortStatus{Reason: 1, Desc: PhyPort{PortNo: 5, HWAddr: macOf(0x20000000105), Name: "tap5"}},
			`01 0c 0040 00000000; port_status reason=01; phy_port port_no=05 hw_addr=020000000105 name="tap5"`),
		onWire("LOCAL of a bridge", &PortStatus{Reason: 2, Desc: PhyPort{PortNo: PortLocal, HWAddr: macOf(0x20000000105), Name: "br0", Config: 0x1, State: 0x1}},
			`01 0c 0040 00000000; port_status reason=02; phy_port port_no=fffe hw_addr=020000000105 name="br0" config=01 state=01`),
		onWire("unknown reason and an xid", &PortStatus{XID: 127, Reason: 255, Desc: PhyPort{PortNo: 6, HWAddr: macOf(0x20000000105), Name: "p6"}},
			`01 0c 0040 0000007f; port_status reason=ff; phy_port port_no=06 hw_addr=020000000105 name="p6"`),
	)
}

// TestPortModsOfControllers: each config bit on and off.
func TestPortModsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPortMod,
		onWire("PORT_DOWN on", &PortMod{PortNo: 1, HWAddr: macOf(0x20000000105), Config: 0x1, Mask: 0x1},
			`01 0f 0020 00000000; port_mod port_no=01 hw_addr=020000000105 config=01 mask=01`),
		onWire("PORT_DOWN off", &PortMod{PortNo: 1, HWAddr: macOf(0x20000000105), Mask: 0x1},
			`01 0f 0020 00000000; port_mod port_no=01 hw_addr=020000000105 mask=01`),
		onWire("NO_STP on", &PortMod{XID: 1, PortNo: 2, HWAddr: macOf(0x20000000105), Config: 0x2, Mask: 0x2},
			`01 0f 0020 00000001; port_mod port_no=02 hw_addr=020000000105 config=02 mask=02`),
		onWire("NO_STP off", &PortMod{XID: 1, PortNo: 2, HWAddr: macOf(0x20000000105), Mask: 0x2},
			`01 0f 0020 00000001; port_mod port_no=02 hw_addr=020000000105 mask=02`),
		onWire("NO_RECV on", &PortMod{XID: 2, PortNo: 3, HWAddr: macOf(0x20000000105), Config: 0x4, Mask: 0x4},
			`01 0f 0020 00000002; port_mod port_no=03 hw_addr=020000000105 config=04 mask=04`),
		onWire("NO_RECV off", &PortMod{XID: 2, PortNo: 3, HWAddr: macOf(0x20000000105), Mask: 0x4},
			`01 0f 0020 00000002; port_mod port_no=03 hw_addr=020000000105 mask=04`),
		onWire("NO_RECV_STP on", &PortMod{XID: 3, PortNo: 4, HWAddr: macOf(0x20000000105), Config: 0x8, Mask: 0x8},
			`01 0f 0020 00000003; port_mod port_no=04 hw_addr=020000000105 config=08 mask=08`),
		onWire("NO_RECV_STP off", &PortMod{XID: 3, PortNo: 4, HWAddr: macOf(0x20000000105), Mask: 0x8},
			`01 0f 0020 00000003; port_mod port_no=04 hw_addr=020000000105 mask=08`),
		onWire("NO_FLOOD on", &PortMod{XID: 4, PortNo: 5, HWAddr: macOf(0x20000000105), Config: 0x10, Mask: 0x10},
			`01 0f 0020 00000004; port_mod port_no=05 hw_addr=020000000105 config=10 mask=10`),
		onWire("NO_FLOOD off", &PortMod{XID: 4, PortNo: 5, HWAddr: macOf(0x20000000105), Mask: 0x10},
			`01 0f 0020 00000004; port_mod port_no=05 hw_addr=020000000105 mask=10`),
		onWire("NO_FWD on", &PortMod{XID: 5, PortNo: 6, HWAddr: macOf(0x20000000105), Config: 0x20, Mask: 0x20},
			`01 0f 0020 00000005; port_mod port_no=06 hw_addr=020000000105 config=20 mask=20`),
		onWire("NO_FWD off", &PortMod{XID: 5, PortNo: 6, HWAddr: macOf(0x20000000105), Mask: 0x20},
			`01 0f 0020 00000005; port_mod port_no=06 hw_addr=020000000105 mask=20`),
		onWire("NO_PACKET_IN on", &PortMod{XID: 6, PortNo: 7, HWAddr: macOf(0x20000000105), Config: 0x40, Mask: 0x40},
			`01 0f 0020 00000006; port_mod port_no=07 hw_addr=020000000105 config=40 mask=40`),
		onWire("NO_PACKET_IN off", &PortMod{XID: 6, PortNo: 7, HWAddr: macOf(0x20000000105), Mask: 0x40},
			`01 0f 0020 00000006; port_mod port_no=07 hw_addr=020000000105 mask=40`),
		onWire("advertise 1 Gb/s copper only", &PortMod{XID: 9, PortNo: 1, HWAddr: macOf(0x20000000105), Advertise: 0x2a0},
			`01 0f 0020 00000009; port_mod port_no=01 hw_addr=020000000105 advertise=02a0`),
		onWire("all bits of the reserved port", &PortMod{XID: 1<<32 - 1, PortNo: PortNone, HWAddr: macOf(0xffffffffffff), Config: 0xffffffff, Mask: 0xffffffff, Advertise: 0xffffffff},
			`01 0f 0020 ffffffff; port_mod port_no=ffff hw_addr=ffffffffffff config=ffffffff mask=ffffffff advertise=ffffffff`),
	)
}
