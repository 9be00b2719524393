package of10

import "testing"

func usedFlowRemoved() Message {
	return &FlowRemoved{XID: 99, Match: tcpMatch(), Cookie: 99, Priority: 99, Reason: 99, DurationSec: 99, DurationNsec: 99,
		IdleTimeout: 99, PacketCount: 99, ByteCount: 99}
}

func TestFlowRemovedWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowRemoved,
		wireCase{"idle", &FlowRemoved{XID: 0, Match: dnsMatch(), Cookie: 0x0a0b, Priority: 7, Reason: RemovedIdleTimeout, DurationSec: 11,
			DurationNsec: 250_000_000, IdleTimeout: 10, PacketCount: 3, ByteCount: 258}, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 00              # xid` + dnsMatchWire + `
00 00 00 00 00 00 0a 0b  # cookie
00 07                    # priority 7
00                       # reason IDLE_TIMEOUT
00                       # pad
00 00 00 0b              # duration_sec 11
0e e6 b2 80              # duration_nsec 250000000
00 0a                    # idle_timeout 10
00 00                    # pad
00 00 00 00 00 00 00 03  # packet_count 3
00 00 00 00 00 00 01 02  # byte_count 258
`, "OFPT_FLOW_REMOVED (xid=0x0): priority=7,udp,in_port=LOCAL,dl_vlan_pcp=5,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02," +
			"nw_src=10.0.0.1,nw_dst=10.0.0.2/31,tp_dst=53 reason=idle cookie:0xa0b duration:11.250s idle:10 pkts:3 bytes:258"},
		wireCase{"deleted, counters not kept", &FlowRemoved{XID: 1, Match: MatchAll(), Priority: DefaultPriority, Reason: RemovedDelete,
			PacketCount: CounterUnsupported, ByteCount: CounterUnsupported}, `
01                       # version 1.0
0b                       # type FLOW_REMOVED
00 58                    # length 88
00 00 00 01              # xid` + wildMatchWire + `
00 00 00 00 00 00 00 00  # cookie
80 00                    # priority 32768
02                       # reason DELETE
00                       # pad
00 00 00 00              # duration_sec
00 00 00 00              # duration_nsec
00 00                    # idle_timeout
00 00                    # pad
ff ff ff ff ff ff ff ff  # packet_count not kept
ff ff ff ff ff ff ff ff  # byte_count not kept
`, "OFPT_FLOW_REMOVED (xid=0x1): reason=delete duration:0s idle:0 pkts:? bytes:?"},
	)
}

func TestFlowRemovedFields(t *testing.T) {
	t.Parallel()
	gaps, fields := matchFieldsAt(8, func(m *FlowRemoved) *Match { return &m.Match })
	checkFields(t, &FlowRemoved{}, append(gaps, gap{59, 1}, gap{70, 2}), append(fields,
		wireField[*FlowRemoved]{"cookie", 48, 8, func(m *FlowRemoved, v uint64) { m.Cookie = v }},
		wireField[*FlowRemoved]{"priority", 56, 2, func(m *FlowRemoved, v uint64) { m.Priority = uint16(v) }},
		wireField[*FlowRemoved]{"reason", 58, 1, func(m *FlowRemoved, v uint64) { m.Reason = FlowRemovedReason(v) }},
		wireField[*FlowRemoved]{"duration_sec", 60, 4, func(m *FlowRemoved, v uint64) { m.DurationSec = uint32(v) }},
		wireField[*FlowRemoved]{"duration_nsec", 64, 4, func(m *FlowRemoved, v uint64) { m.DurationNsec = uint32(v) }},
		wireField[*FlowRemoved]{"idle_timeout", 68, 2, func(m *FlowRemoved, v uint64) { m.IdleTimeout = uint16(v) }},
		wireField[*FlowRemoved]{"packet_count", 72, 8, func(m *FlowRemoved, v uint64) { m.PacketCount = v }},
		wireField[*FlowRemoved]{"byte_count", 80, 8, func(m *FlowRemoved, v uint64) { m.ByteCount = v }},
	)...)
}

func TestFlowRemovedBad(t *testing.T) {
	t.Parallel()
	rest := ` 00 00 00 00 00 00 00 00  80 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00 00 00 00 00`
	checkBad(t,
		badCase{"header only", "01 0b 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"no byte count", "01 0b 00 50 00 00 00 01" + wildMatchWire + rest, ErrorBadRequest, BadRequestBadLen},
		badCase{"a byte too much", "01 0b 00 59 00 00 00 01" + wildMatchWire + rest + "00 00 00 00 00 00 00 00 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"version 2", "02 0b 00 58 00 00 00 01" + wildMatchWire + rest + "00 00 00 00 00 00 00 00", ErrorBadRequest, BadRequestBadVersion},
	)
}

func TestFlowRemovedReasonText(t *testing.T) {
	t.Parallel()
	for r, want := range map[FlowRemovedReason]string{RemovedIdleTimeout: "idle", RemovedHardTimeout: "hard", RemovedDelete: "delete", 3: "3", 255: "255"} {
		if r.String() != want {
			t.Errorf("%d: %q, want %q", uint8(r), r, want)
		}
	}
}

// TestFlowRemovedDurationText: no digit is lost and none is made up.
func TestFlowRemovedDurationText(t *testing.T) {
	t.Parallel()
	for want, d := range map[string][2]uint32{
		"0s":                    {0, 0},
		"0.000000001s":          {0, 1},
		"0.001s":                {0, 1_000_000},
		"0.999s":                {0, 999_000_000},
		"0.999999999s":          {0, 999_999_999},
		"1.0000005s":            {1, 500},
		"1.500s":                {1, 500_000_000},
		"4294967295.100000001s": {1<<32 - 1, 100_000_001},
	} {
		var s text
		s.duration(d[0], d[1])
		if s.String() != want {
			t.Errorf("%v: %q, want %q", d, s.String(), want)
		}
		if sec, nsec, err := parseDuration(want); err != nil || sec != d[0] || nsec != d[1] {
			t.Errorf("%s reads as %d, %d, %v", want, sec, nsec, err)
		}
	}
}
