package of10

import (
	"testing"

	"github.com/govisor/govisor/ofwire"
)

// TestFeaturesOfSwitches: who answers a features_request with what.
func TestFeaturesOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFeaturesReply,
		wireCase{"Open vSwitch in Mininet", &FeaturesReply{XID: 2, DatapathID: 0x1, NBuffers: 0, NTables: 254, Capabilities: 0xc7, Actions: 0xfff, Ports: []PhyPort{
			{PortNo: PortLocal, HWAddr: ofwire.MAC{0xa2, 0xf2, 0xb5, 0x11, 0x22, 0x40}, Name: "s1", Config: 0x1, State: 0x1},
			{PortNo: 1, HWAddr: ofwire.MAC{0x86, 0x1f, 0x0c, 0x33, 0x44, 0x01}, Name: "s1-eth1", Curr: 0xc0},
			{PortNo: 2, HWAddr: ofwire.MAC{0x86, 0x1f, 0x0c, 0x33, 0x44, 0x02}, Name: "s1-eth2", Curr: 0xc0}}}, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 b0                    # length 176
00 00 00 02              # xid
00 00 00 00 00 00 00 01  # datapath_id
00 00 00 00              # n_buffers 0
fe                       # n_tables 254
00 00 00                 # pad
00 00 00 c7              # capabilities
00 00 0f ff              # actions
ff fe                    # port_no LOCAL
a2 f2 b5 11 22 40        # hw_addr
73 31                    # name "s1"
00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 01              # config
00 00 00 01              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
00 01                    # port_no 1
86 1f 0c 33 44 01        # hw_addr
73 31 2d 65 74 68 31     # name "s1-eth1"
00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 00 c0              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
00 02                    # port_no 2
86 1f 0c 33 44 02        # hw_addr
73 31 2d 65 74 68 32     # name "s1-eth2"
00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 00 c0              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"Open vSwitch 1.x, buffering", &FeaturesReply{XID: 2, DatapathID: 0xa2f2b5112240, NBuffers: 256, NTables: 255, Capabilities: 0xc7, Actions: 0xfff, Ports: []PhyPort{
			{PortNo: 1, HWAddr: ofwire.MAC{0x86, 0x1f, 0x0c, 0x33, 0x44, 0x01}, Name: "s1-eth1", Curr: 0xc0},
			{PortNo: 2, HWAddr: ofwire.MAC{0x86, 0x1f, 0x0c, 0x33, 0x44, 0x02}, Name: "s1-eth2", Curr: 0xc0}}}, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 80                    # length 128
00 00 00 02              # xid
00 00 a2 f2 b5 11 22 40  # datapath_id
00 00 01 00              # n_buffers 256
ff                       # n_tables 255
00 00 00                 # pad
00 00 00 c7              # capabilities
00 00 0f ff              # actions
00 01                    # port_no 1
86 1f 0c 33 44 01        # hw_addr
73 31 2d 65 74 68 31     # name "s1-eth1"
00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 00 c0              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
00 02                    # port_no 2
86 1f 0c 33 44 02        # hw_addr
73 31 2d 65 74 68 32     # name "s1-eth2"
00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 00 c0              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"reference, without bit 8 of the actions", &FeaturesReply{XID: 21, DatapathID: 0x2320a1b2c3, NBuffers: 256, NTables: 2, Capabilities: 0xc7, Actions: 0xeff, Ports: []PhyPort{
			{PortNo: 1, HWAddr: ofwire.MAC{0, 0x23, 0x20, 0, 0, 0x01}, Name: "eth1", Curr: 0x2a0, Advertised: 0x2af, Supported: 0x2af},
			{PortNo: PortLocal, HWAddr: ofwire.MAC{0, 0x23, 0x20, 0, 0, 0xfe}, Name: "of0", State: 0x1}}}, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 80                    # length 128
00 00 00 15              # xid
00 00 00 23 20 a1 b2 c3  # datapath_id
00 00 01 00              # n_buffers 256
02                       # n_tables 2
00 00 00                 # pad
00 00 00 c7              # capabilities
00 00 0e ff              # actions
00 01                    # port_no 1
00 23 20 00 00 01        # hw_addr
65 74 68 31              # name "eth1"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 02 a0              # curr
00 00 02 af              # advertised
00 00 02 af              # supported
00 00 00 00              # peer
ff fe                    # port_no LOCAL
00 23 20 00 00 fe        # hw_addr
6f 66 30                 # name "of0"
00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 01              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"HP, VLAN in the upper 16 bits", &FeaturesReply{XID: 3, DatapathID: 0x64000102030405, NBuffers: 0, NTables: 1, Capabilities: 0x87, Actions: 0xbff, Ports: []PhyPort{
			{PortNo: 1, HWAddr: ofwire.MAC{0, 0x01, 0x02, 0x03, 0x04, 0x01}, Name: "1", Curr: 0x220, Advertised: 0x22f, Supported: 0x22f, Peer: 0x220},
			{PortNo: 48, HWAddr: ofwire.MAC{0, 0x01, 0x02, 0x03, 0x04, 0x30}, Name: "48", Config: 0x1, State: 0x101, Supported: 0xf3f}}}, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 80                    # length 128
00 00 00 03              # xid
00 64 00 01 02 03 04 05  # datapath_id
00 00 00 00              # n_buffers 0
01                       # n_tables 1
00 00 00                 # pad
00 00 00 87              # capabilities
00 00 0b ff              # actions
00 01                    # port_no 1
00 01 02 03 04 01        # hw_addr
31                       # name "1"
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 02 20              # curr
00 00 02 2f              # advertised
00 00 02 2f              # supported
00 00 02 20              # peer
00 30                    # port_no 48
00 01 02 03 04 30        # hw_addr
34 38                    # name "48"
00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 01              # config
00 00 01 01              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 0f 3f              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"NEC, sixteen letters in a name", &FeaturesReply{XID: 4, DatapathID: 0xffffffffffffffff, NBuffers: 1000, NTables: 1, Capabilities: 0xff, Actions: 0xffffffff, Ports: []PhyPort{
			{PortNo: PortMax, HWAddr: ofwire.MAC{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff}, Name: "abcdefghijklmnop", Config: 0x7f, State: 0x301, Curr: 0xfff, Advertised: 0xfff, Supported: 0xfff, Peer: 0xfff}}}, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 50                    # length 80
00 00 00 04              # xid
ff ff ff ff ff ff ff ff  # datapath_id
00 00 03 e8              # n_buffers 1000
01                       # n_tables 1
00 00 00                 # pad
00 00 00 ff              # capabilities
ff ff ff ff              # actions
ff 00                    # port_no MAX
fe ff ff ff ff ff        # hw_addr
61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70 # name "abcdefghijklmnop"
00 00 00 7f              # config
00 00 03 01              # state
00 00 0f ff              # curr
00 00 0f ff              # advertised
00 00 0f ff              # supported
00 00 0f ff              # peer
`, ""},
		wireCase{"undefined bits of every bitmap", &FeaturesReply{XID: 5, DatapathID: 0x0, NBuffers: 4294967295, NTables: 0, Capabilities: 0xffffff10, Actions: 0xfffff000, Ports: []PhyPort{
			{PortNo: 0, HWAddr: ofwire.MAC{0, 0, 0, 0, 0, 0}, Name: "", Config: 0xffffff80, State: 0xfffffcfe, Curr: 0xfffff000, Advertised: 0xfffff000, Supported: 0xfffff000, Peer: 0xfffff000}}}, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 50                    # length 80
00 00 00 05              # xid
00 00 00 00 00 00 00 00  # datapath_id
ff ff ff ff              # n_buffers 4294967295
00                       # n_tables 0
00 00 00                 # pad
ff ff ff 10              # capabilities
ff ff f0 00              # actions
00 00                    # port_no 0
00 00 00 00 00 00        # hw_addr
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
ff ff ff 80              # config
ff ff fc fe              # state
ff ff f0 00              # curr
ff ff f0 00              # advertised
ff ff f0 00              # supported
ff ff f0 00              # peer
`, ""},
	)
}

// TestPortStatusOfSwitches: a port comes, is switched off in two steps as Open vSwitch does, blocks and goes.
func TestPortStatusOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPortStatus,
		wireCase{"added", &PortStatus{XID: 0, Reason: 0, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", Curr: 0x202, Advertised: 0x2ff, Supported: 0x2ff}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
00                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 02 02              # curr
00 00 02 ff              # advertised
00 00 02 ff              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"config down first", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", Config: 0x1, Curr: 0x202}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 01              # config
00 00 00 00              # state
00 00 02 02              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"then link down", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", Config: 0x1, State: 0x1}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 01              # config
00 00 00 01              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"up, listening", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", Curr: 0x202}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 02 02              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"learning", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", State: 0x100, Curr: 0x202}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 01 00              # state
00 00 02 02              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"forwarding", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", State: 0x200, Curr: 0x202}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 02 00              # state
00 00 02 02              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"blocking, NO_FLOOD", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", Config: 0x10, State: 0x300, Curr: 0x202}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 10              # config
00 00 03 00              # state
00 00 02 02              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"no packet_in, no forwarding, no receiving", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5", Config: 0x64}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 64              # config
00 00 00 00              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"deleted", &PortStatus{XID: 0, Reason: 1, Desc: PhyPort{PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "tap5"}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
01                       # reason
00 00 00 00 00 00 00     # pad
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
74 61 70 35              # name "tap5"
00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"LOCAL of a bridge", &PortStatus{XID: 0, Reason: 2, Desc: PhyPort{PortNo: PortLocal, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "br0", Config: 0x1, State: 0x1}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 00              # xid
02                       # reason
00 00 00 00 00 00 00     # pad
ff fe                    # port_no LOCAL
02 00 00 00 01 05        # hw_addr
62 72 30                 # name "br0"
00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 01              # config
00 00 00 01              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
		wireCase{"unknown reason and an xid", &PortStatus{XID: 127, Reason: 255, Desc: PhyPort{PortNo: 6, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Name: "p6"}}, `
01                       # version 1.0
0c                       # type PORT_STATUS
00 40                    # length 64
00 00 00 7f              # xid
ff                       # reason
00 00 00 00 00 00 00     # pad
00 06                    # port_no 6
02 00 00 00 01 05        # hw_addr
70 36                    # name "p6"
00 00 00 00 00 00 00 00 00 00 00 00 00 00 # pad
00 00 00 00              # config
00 00 00 00              # state
00 00 00 00              # curr
00 00 00 00              # advertised
00 00 00 00              # supported
00 00 00 00              # peer
`, ""},
	)
}

// TestPortModsOfControllers: each config bit on and off.
func TestPortModsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPortMod,
		wireCase{"PORT_DOWN on", &PortMod{XID: 0, PortNo: 1, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x1, Mask: 0x1, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 00              # xid
00 01                    # port_no 1
02 00 00 00 01 05        # hw_addr
00 00 00 01              # config
00 00 00 01              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"PORT_DOWN off", &PortMod{XID: 0, PortNo: 1, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x1, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 00              # xid
00 01                    # port_no 1
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 01              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_STP on", &PortMod{XID: 1, PortNo: 2, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x2, Mask: 0x2, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 01              # xid
00 02                    # port_no 2
02 00 00 00 01 05        # hw_addr
00 00 00 02              # config
00 00 00 02              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_STP off", &PortMod{XID: 1, PortNo: 2, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x2, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 01              # xid
00 02                    # port_no 2
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 02              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_RECV on", &PortMod{XID: 2, PortNo: 3, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x4, Mask: 0x4, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 02              # xid
00 03                    # port_no 3
02 00 00 00 01 05        # hw_addr
00 00 00 04              # config
00 00 00 04              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_RECV off", &PortMod{XID: 2, PortNo: 3, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x4, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 02              # xid
00 03                    # port_no 3
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 04              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_RECV_STP on", &PortMod{XID: 3, PortNo: 4, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x8, Mask: 0x8, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 03              # xid
00 04                    # port_no 4
02 00 00 00 01 05        # hw_addr
00 00 00 08              # config
00 00 00 08              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_RECV_STP off", &PortMod{XID: 3, PortNo: 4, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x8, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 03              # xid
00 04                    # port_no 4
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 08              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_FLOOD on", &PortMod{XID: 4, PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x10, Mask: 0x10, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 04              # xid
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
00 00 00 10              # config
00 00 00 10              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_FLOOD off", &PortMod{XID: 4, PortNo: 5, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x10, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 04              # xid
00 05                    # port_no 5
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 10              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_FWD on", &PortMod{XID: 5, PortNo: 6, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x20, Mask: 0x20, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 05              # xid
00 06                    # port_no 6
02 00 00 00 01 05        # hw_addr
00 00 00 20              # config
00 00 00 20              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_FWD off", &PortMod{XID: 5, PortNo: 6, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x20, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 05              # xid
00 06                    # port_no 6
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 20              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_PACKET_IN on", &PortMod{XID: 6, PortNo: 7, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x40, Mask: 0x40, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 06              # xid
00 07                    # port_no 7
02 00 00 00 01 05        # hw_addr
00 00 00 40              # config
00 00 00 40              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"NO_PACKET_IN off", &PortMod{XID: 6, PortNo: 7, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x40, Advertise: 0x0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 06              # xid
00 07                    # port_no 7
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 40              # mask
00 00 00 00              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"advertise 1 Gb/s copper only", &PortMod{XID: 9, PortNo: 1, HWAddr: ofwire.MAC{0x02, 0, 0, 0, 0x01, 0x05}, Config: 0x0, Mask: 0x0, Advertise: 0x2a0}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
00 00 00 09              # xid
00 01                    # port_no 1
02 00 00 00 01 05        # hw_addr
00 00 00 00              # config
00 00 00 00              # mask
00 00 02 a0              # advertise
00 00 00 00              # pad
`, ""},
		wireCase{"all bits of the reserved port", &PortMod{XID: 4294967295, PortNo: PortNone, HWAddr: ofwire.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, Config: 0xffffffff, Mask: 0xffffffff, Advertise: 0xffffffff}, `
01                       # version 1.0
0f                       # type PORT_MOD
00 20                    # length 32
ff ff ff ff              # xid
ff ff                    # port_no NONE
ff ff ff ff ff ff        # hw_addr
ff ff ff ff              # config
ff ff ff ff              # mask
ff ff ff ff              # advertise
00 00 00 00              # pad
`, ""},
	)
}
