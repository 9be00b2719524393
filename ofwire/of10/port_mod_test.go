package of10

import "testing"

func usedPortMod() Message {
	return &PortMod{XID: 99, PortNo: 99, HWAddr: mac(99), Config: 99, Mask: 99, Advertise: 99}
}

func TestPortModWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPortMod,
		wireCase{"shut down", &PortMod{XID: 1, PortNo: 3, HWAddr: mac(3), Config: PortConfigDown, Mask: PortConfigDown | PortConfigNoFlood}, `
01                 # version 1.0
0f                 # type PORT_MOD
00 20              # length 32
00 00 00 01        # xid
00 03              # port_no 3
02 00 00 00 00 03  # hw_addr
00 00 00 01        # config PORT_DOWN
00 00 00 11        # mask PORT_DOWN, NO_FLOOD
00 00 00 00        # advertise as before
00 00 00 00        # pad
`, "OFPT_PORT_MOD (xid=0x1): port: 3: addr:02:00:00:00:00:03\n     config: PORT_DOWN\n     mask:   PORT_DOWN NO_FLOOD\n     advertise: UNCHANGED"},
		wireCase{"advertise", &PortMod{XID: 2, PortNo: PortLocal, Config: PortConfigNoFwd, Advertise: PortFeatureAutoneg | PortFeature100MbFD}, `
01                 # version 1.0
0f                 # type PORT_MOD
00 20              # length 32
00 00 00 02        # xid
ff fe              # port_no LOCAL
00 00 00 00 00 00  # hw_addr
00 00 00 20        # config NO_FWD, not in the mask
00 00 00 00        # mask
00 00 02 08        # advertise 100MB_FD, AUTONEG
00 00 00 00        # pad
`, "OFPT_PORT_MOD (xid=0x2): port: LOCAL: addr:00:00:00:00:00:00\n     config: 0\n     mask:   0\n     advertise: 100MB-FD AUTO_NEG"},
	)
}

func TestPortModFields(t *testing.T) {
	t.Parallel()
	checkFields(t, &PortMod{}, []gap{{28, 4}},
		wireField[*PortMod]{"port_no", 8, 2, func(m *PortMod, v uint64) { m.PortNo = Port(v) }},
		wireField[*PortMod]{"hw_addr", 10, 6, func(m *PortMod, v uint64) { m.HWAddr = macOf(v) }},
		wireField[*PortMod]{"config", 16, 4, func(m *PortMod, v uint64) { m.Config = PortConfig(v) }},
		wireField[*PortMod]{"mask", 20, 4, func(m *PortMod, v uint64) { m.Mask = PortConfig(v) }},
		wireField[*PortMod]{"advertise", 24, 4, func(m *PortMod, v uint64) { m.Advertise = PortFeatures(v) }},
	)
}

func TestPortModBad(t *testing.T) {
	t.Parallel()
	checkBad(t,
		badCase{"header only", "01 0f 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"without pad", "01 0f 00 1c 00 00 00 01 0003 020000000003 00000001 00000001 00000000", ErrorBadRequest, BadRequestBadLen},
		badCase{"a byte too much", "01 0f 00 21 00 00 00 01 0003 020000000003 00000001 00000001 00000000 00000000 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"version 3", "03 0f 00 20 00 00 00 01 0003 020000000003 00000001 00000001 00000000 00000000", ErrorBadRequest, BadRequestBadVersion},
	)
}
