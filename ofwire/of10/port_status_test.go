package of10

import (
	"strings"
	"testing"
)

func usedPortStatus() Message { return &PortStatus{XID: 99, Reason: 99, Desc: samplePort()} }

func TestPortStatusWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPortStatus,
		wireCase{"link down", &PortStatus{XID: 0, Reason: PortModified, Desc: PhyPort{PortNo: 2, HWAddr: mac(2), Name: "s1-eth2",
			State: PortStateLinkDown, Curr: PortFeature10GbFD | PortFeatureCopper}}, `
01                                               # version 1.0
0c                                               # type PORT_STATUS
00 40                                            # length 64
00 00 00 00                                      # xid
02                                               # reason MODIFY
00 00 00 00 00 00 00                             # pad
00 02                                            # port_no 2
02 00 00 00 00 02                                # hw_addr
73 31 2d 65 74 68 32 00 00 00 00 00 00 00 00 00  # name s1-eth2
00 00 00 00                                      # config
00 00 00 01                                      # state LINK_DOWN
00 00 00 c0                                      # curr 10GB_FD, COPPER
00 00 00 00                                      # advertised
00 00 00 00                                      # supported
00 00 00 00                                      # peer
`, "OFPT_PORT_STATUS (xid=0x0): MOD: 2(s1-eth2): addr:02:00:00:00:00:02\n     config:     0\n     state:      LINK_DOWN\n" +
			"     current:    10GB-FD COPPER\n     speed: 10000 Mbps now, 0 Mbps max"},
		wireCase{"every bit, and a name of 16 bytes", &PortStatus{XID: 1, Reason: PortDeleted, Desc: PhyPort{PortNo: PortMax, HWAddr: macOf(1<<48 - 1),
			Name: "sixteen-bytes-ab", Config: 1<<32 - 1, State: 1<<32 - 1, Curr: 1<<32 - 1, Advertised: 1<<32 - 1, Supported: 1<<32 - 1, Peer: 1<<32 - 1}}, `
01                                               # version 1.0
0c                                               # type PORT_STATUS
00 40                                            # length 64
00 00 00 01                                      # xid
01                                               # reason DELETE
00 00 00 00 00 00 00                             # pad
ff 00                                            # port_no 65280
ff ff ff ff ff ff                                # hw_addr
73 69 78 74 65 65 6e 2d 62 79 74 65 73 2d 61 62  # name, without a NUL
ff ff ff ff                                      # config
ff ff ff ff                                      # state
ff ff ff ff                                      # curr
ff ff ff ff                                      # advertised
ff ff ff ff                                      # supported
ff ff ff ff                                      # peer
`, ""},
	)
}

func TestPortStatusFields(t *testing.T) {
	t.Parallel()
	// The other letters of the name, behind a NUL here, are in TestPhyPortName.
	checkFields(t, &PortStatus{}, []gap{{9, 7}, {25, 15}}, append(phyPortFieldsAt(16, func(m *PortStatus) *PhyPort { return &m.Desc }),
		wireField[*PortStatus]{"reason", 8, 1, func(m *PortStatus, v uint64) { m.Reason = PortReason(v) }},
		wireField[*PortStatus]{"first letter", 24, 1, func(m *PortStatus, v uint64) { m.Desc.Name = strings.Trim(string([]byte{byte(v)}), "\x00") }},
	)...)
}

func TestPortStatusBad(t *testing.T) {
	t.Parallel()
	port := strings.Repeat("00", 47)
	checkBad(t,
		badCase{"header only", "01 0c 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"reason only", "01 0c 00 10 00 00 00 01 00 00 00 00 00 00 00 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"a byte short", "01 0c 00 3f 00 00 00 01 00 00 00 00 00 00 00 00" + port, ErrorBadRequest, BadRequestBadLen},
		badCase{"a byte too much", "01 0c 00 41 00 00 00 01 00 00 00 00 00 00 00 00" + port + "00 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"a port of OpenFlow 1.3", "04 0c 00 40 00 00 00 01 00 00 00 00 00 00 00 00" + port + "00", ErrorBadRequest, BadRequestBadVersion},
	)
}

func TestPortReasonText(t *testing.T) {
	t.Parallel()
	for r, want := range map[PortReason]string{PortAdded: "ADD", PortDeleted: "DEL", PortModified: "MOD", 3: "3", 255: "255"} {
		if r.String() != want {
			t.Errorf("%d: %q, want %q", uint8(r), r, want)
		}
	}
}

// TestPhyPortName: names of every length, bytes behind the NUL, and what cannot be said.
func TestPhyPortName(t *testing.T) {
	t.Parallel()
	const long = "abcdefghijklmnopq"
	for n := range portNameLen + 1 {
		b := encode(t, &PortStatus{Desc: PhyPort{Name: long[:n]}})
		for i := 24 + n + 1; i < 40; i++ {
			b[i] = 'z' // behind the NUL, as switches that do not clear their buffer send
		}
		m, err := Parse(b)
		if err != nil || m.(*PortStatus).Desc.Name != long[:n] {
			t.Errorf("%d bytes: %v, %v", n, m, err)
		}
	}
	for _, name := range []string{long, "\x00", "a\x00", "a\x00b"} {
		if b, err := (&PortStatus{Desc: PhyPort{Name: name}}).AppendBinary(nil); err == nil {
			t.Errorf("%q encodes to %x", name, b)
		}
	}
	for name, want := range map[string]string{"eth0": "eth0", "a b": "a b", "\x1b[2J": `\033[2J`, `q"\`: `q\042\134`, "\xc3\xa4": `\303\244`} {
		if got, _, _ := strings.Cut(PhyPort{PortNo: 1, Name: name}.String(), "):"); got != "1("+want {
			t.Errorf("%q prints %q, want %q", name, got, "1("+want)
		}
	}
}
