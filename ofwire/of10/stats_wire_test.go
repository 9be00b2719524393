package of10

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func usedStatsRequest() Message {
	return &StatsRequest{XID: 99, StatsType: 99, Flags: 99, Body: RawStats("old")}
}

func usedStatsReply() Message {
	return &StatsReply{XID: 99, StatsType: StatsDesc, Flags: 99, Body: DescStats{Manufacturer: "old"}}
}

func TestStatsRequestWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedStatsRequest,
		wireCase{"desc", &StatsRequest{XID: 1, StatsType: StatsDesc}, "01\n10 # type STATS_REQUEST\n00 0c # length\n00 00 00 01 # xid\n00 00 # DESC\n00 00 # flags",
			"OFPST_DESC request (xid=0x1):"},
		wireCase{"table, with a flag", &StatsRequest{XID: 1, StatsType: StatsTable, Flags: 1}, "01\n10 # type STATS_REQUEST\n00 0c # length\n00 00 00 01 # xid\n00 03 # TABLE\n00 01 # flags",
			"OFPST_TABLE request (xid=0x1): flags=0x1"},
		wireCase{"flow", &StatsRequest{XID: 2, StatsType: StatsFlow, Body: FlowStatsRequest{Match: dnsMatch(), TableID: 1, OutPort: 3}}, `
01           # version 1.0
10           # type STATS_REQUEST
00 38        # length 56
00 00 00 02  # xid
00 01        # stats type FLOW
00 00        # flags` + dnsMatchWire + `
01           # table_id 1
00           # pad
00 03        # out_port 3
`, "OFPST_FLOW request (xid=0x2): table=1 out_port=3 udp,in_port=LOCAL,dl_vlan_pcp=5,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02," +
			"nw_src=10.0.0.1,nw_dst=10.0.0.2/31,tp_dst=53"},
		wireCase{"aggregate of all", &StatsRequest{XID: 3, StatsType: StatsAggregate, Body: AggregateStatsRequest{Match: MatchAll(), TableID: TableAll, OutPort: PortNone}}, `
01           # version 1.0
10           # type STATS_REQUEST
00 38        # length 56
00 00 00 03  # xid
00 02        # stats type AGGREGATE
00 00        # flags` + wildMatchWire + `
ff           # table_id all
00           # pad
ff ff        # out_port NONE
`, "OFPST_AGGREGATE request (xid=0x3):"},
		wireCase{"port", &StatsRequest{XID: 4, StatsType: StatsPort, Body: PortStatsRequest{PortNo: PortLocal}}, `
01                 # version 1.0
10                 # type STATS_REQUEST
00 14              # length 20
00 00 00 04        # xid
00 04              # stats type PORT
00 00              # flags
ff fe              # port_no LOCAL
00 00 00 00 00 00  # pad
`, "OFPST_PORT request (xid=0x4): port_no=LOCAL"},
		wireCase{"queue", &StatsRequest{XID: 5, StatsType: StatsQueue, Body: QueueStatsRequest{PortNo: 3, QueueID: 0x01020304}}, `
01           # version 1.0
10           # type STATS_REQUEST
00 14        # length 20
00 00 00 05  # xid
00 05        # stats type QUEUE
00 00        # flags
00 03        # port_no 3
00 00        # pad
01 02 03 04  # queue_id
`, "OFPST_QUEUE request (xid=0x5): port=3 queue=16909060"},
		wireCase{"vendor", &StatsRequest{XID: 6, StatsType: StatsVendor, Body: VendorStats{Vendor: VendorNicira, Data: []byte{0, 0, 0, 2}}}, `
01           # version 1.0
10           # type STATS_REQUEST
00 14        # length 20
00 00 00 06  # xid
ff ff        # stats type VENDOR
00 00        # flags
00 00 23 20  # vendor
00 00 00 02  # data: subtype
`, ""},
		wireCase{"type of a later version", &StatsRequest{XID: 7, StatsType: 13, Body: RawStats{0xff}}, `
01           # version 1.0
10           # type STATS_REQUEST
00 0d        # length 13
00 00 00 07  # xid
00 0d        # stats type 13
00 00        # flags
ff           # body
`, ""},
	)
}

func TestStatsRequestFields(t *testing.T) {
	t.Parallel()
	kind := wireField[*StatsRequest]{"type", 8, 2, nil}
	flags := wireField[*StatsRequest]{"flags", 10, 2, func(m *StatsRequest, v uint64) { m.Flags = uint16(v) }}
	change := func(m *StatsRequest, set func(s *FlowStatsRequest)) {
		switch body := m.Body.(type) {
		case FlowStatsRequest:
			set(&body)
			m.Body = body
		case AggregateStatsRequest:
			set((*FlowStatsRequest)(&body))
			m.Body = body
		}
	}
	for _, base := range []*StatsRequest{{StatsType: StatsFlow, Body: FlowStatsRequest{}}, {StatsType: StatsAggregate, Body: AggregateStatsRequest{}}} {
		gaps, fields := matchFieldsAt(12, func(m *FlowStatsRequest) *Match { return &m.Match })
		list := []wireField[*StatsRequest]{kind, flags,
			{"table_id", 52, 1, func(m *StatsRequest, v uint64) { change(m, func(s *FlowStatsRequest) { s.TableID = uint8(v) }) }},
			{"out_port", 54, 2, func(m *StatsRequest, v uint64) { change(m, func(s *FlowStatsRequest) { s.OutPort = Port(v) }) }}}
		for _, f := range fields {
			list = append(list, wireField[*StatsRequest]{f.name, f.at, f.size, func(m *StatsRequest, v uint64) { change(m, func(s *FlowStatsRequest) { f.set(s, v) }) }})
		}
		checkFields(t, base, append(gaps, gap{53, 1}), list...)
	}
	checkFields(t, &StatsRequest{StatsType: StatsPort, Body: PortStatsRequest{}}, []gap{{14, 6}}, kind, flags,
		wireField[*StatsRequest]{"port_no", 12, 2, func(m *StatsRequest, v uint64) { m.Body = PortStatsRequest{Port(v)} }})
	checkFields(t, &StatsRequest{StatsType: StatsQueue, Body: QueueStatsRequest{}}, []gap{{14, 2}}, kind, flags,
		wireField[*StatsRequest]{"port_no", 12, 2, func(m *StatsRequest, v uint64) { m.Body = QueueStatsRequest{PortNo: Port(v)} }},
		wireField[*StatsRequest]{"queue_id", 16, 4, func(m *StatsRequest, v uint64) { m.Body = QueueStatsRequest{QueueID: uint32(v)} }})
	checkFields(t, &StatsRequest{StatsType: StatsVendor, Body: VendorStats{}}, nil, kind, flags,
		wireField[*StatsRequest]{"vendor", 12, 4, func(m *StatsRequest, v uint64) { m.Body = VendorStats{Vendor: uint32(v)} }})
}

func TestStatsReplyWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedStatsReply,
		wireCase{"no flows", &StatsReply{XID: 1, StatsType: StatsFlow, Body: FlowStatsReply(nil)}, "01\n11 # type STATS_REPLY\n00 0c # length\n00 00 00 01 # xid\n00 01 # FLOW\n00 00 # flags",
			"OFPST_FLOW reply (xid=0x1):"},
		wireCase{"a part with two flows", &StatsReply{XID: 2, StatsType: StatsFlow, Flags: StatsReplyMore, Body: FlowStatsReply{
			{TableID: 1, Match: dnsMatch(), DurationSec: 2, DurationNsec: 3, Priority: 4, IdleTimeout: 5, HardTimeout: 6, Cookie: 7, PacketCount: 8, ByteCount: 9,
				Actions: []Action{StripVLAN(), Output(PortAll, 0)}},
			{Match: MatchAll(), Priority: DefaultPriority}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 cc                    # length 204
00 00 00 02              # xid
00 01                    # stats type FLOW
00 01                    # flags MORE
00 68                    # flow: length 104
01                       # flow: table_id 1
00                       # pad` + dnsMatchWire + `
00 00 00 02              # flow: duration_sec
00 00 00 03              # flow: duration_nsec
00 04                    # flow: priority
00 05                    # flow: idle_timeout
00 06                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 07  # flow: cookie
00 00 00 00 00 00 00 08  # flow: packet_count
00 00 00 00 00 00 00 09  # flow: byte_count
00 03                    # action: type STRIP_VLAN
00 08                    # action: length 8
00 00 00 00              # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fc                    # action: port ALL
00 00                    # action: max_len
00 58                    # flow: length 88
00                       # flow: table_id 0
00                       # pad` + wildMatchWire + `
00 00 00 00              # flow: duration_sec
00 00 00 00              # flow: duration_nsec
80 00                    # flow: priority
00 00                    # flow: idle_timeout
00 00                    # flow: hard_timeout
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 00  # flow: cookie
00 00 00 00 00 00 00 00  # flow: packet_count
00 00 00 00 00 00 00 00  # flow: byte_count
`, "OFPST_FLOW reply (xid=0x2): flags=[more]\n cookie=0x7, duration=2.000000003s, table=1, n_packets=8, n_bytes=9, idle_timeout=5, hard_timeout=6, " +
			"priority=4,udp,in_port=LOCAL,dl_vlan_pcp=5,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2/31,tp_dst=53 actions=strip_vlan,ALL\n" +
			" cookie=0x0, duration=0s, table=0, n_packets=0, n_bytes=0, actions=drop"},
		wireCase{"aggregate", &StatsReply{XID: 3, StatsType: StatsAggregate, Body: AggregateStats{PacketCount: 1 << 40, ByteCount: 1 << 50, FlowCount: 12}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 24                    # length 36
00 00 00 03              # xid
00 02                    # stats type AGGREGATE
00 00                    # flags
00 00 01 00 00 00 00 00  # packet_count
00 04 00 00 00 00 00 00  # byte_count
00 00 00 0c              # flow_count 12
00 00 00 00              # pad
`, "OFPST_AGGREGATE reply (xid=0x3): packet_count=1099511627776 byte_count=1125899906842624 flow_count=12"},
		wireCase{"a table", &StatsReply{XID: 4, StatsType: StatsTable, Body: TableStatsReply{{TableID: 2, Name: "classifier", Wildcards: WildInPort | WildDLSrc,
			MaxEntries: 1000000, ActiveCount: 3, LookupCount: 4, MatchedCount: 5}}}, `
01                                               # version 1.0
11                                               # type STATS_REPLY
00 4c                                            # length 76
00 00 00 04                                      # xid
00 03                                            # stats type TABLE
00 00                                            # flags
02                                               # table_id 2
00 00 00                                         # pad
63 6c 61 73 73 69 66 69 65 72 00 00 00 00 00 00  # name classifier
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # name
00 00 00 05                                      # wildcards in_port, dl_src
00 0f 42 40                                      # max_entries 1000000
00 00 00 03                                      # active_count
00 00 00 00 00 00 00 04                          # lookup_count
00 00 00 00 00 00 00 05                          # matched_count
`, "OFPST_TABLE reply (xid=0x4):\n  table 2 (\"classifier\"):\n    active=3, lookup=4, matched=5\n    max_entries=1000000\n    matching:\n" +
			"      exact match or wildcard: in_port eth_src"},
		wireCase{"a queue", &StatsReply{XID: 5, StatsType: StatsQueue, Body: QueueStatsReply{{PortNo: 1, QueueID: 2, TxBytes: 3, TxPackets: 4, TxErrors: 5}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 2c                    # length 44
00 00 00 05              # xid
00 05                    # stats type QUEUE
00 00                    # flags
00 01                    # port_no 1
00 00                    # pad
00 00 00 02              # queue_id 2
00 00 00 00 00 00 00 03  # tx_bytes
00 00 00 00 00 00 00 04  # tx_packets
00 00 00 00 00 00 00 05  # tx_errors
`, "OFPST_QUEUE reply (xid=0x5): 1 queues\n  port 1 queue 2: bytes=3, pkts=4, errors=5, duration=?"},
		wireCase{"a port", &StatsReply{XID: 6, StatsType: StatsPort, Body: PortStatsReply{{PortNo: 3, RxPackets: 1, TxPackets: 2, RxBytes: 3, TxBytes: 4,
			RxDropped: 5, TxDropped: 6, RxErrors: 7, TxErrors: 8, RxFrameErr: 9, RxOverErr: 10, RxCRCErr: 11, Collisions: CounterUnsupported}}}, `
01                       # version 1.0
11                       # type STATS_REPLY
00 74                    # length 116
00 00 00 06              # xid
00 04                    # stats type PORT
00 00                    # flags
00 03                    # port_no 3
00 00 00 00 00 00        # pad
00 00 00 00 00 00 00 01  # rx_packets
00 00 00 00 00 00 00 02  # tx_packets
00 00 00 00 00 00 00 03  # rx_bytes
00 00 00 00 00 00 00 04  # tx_bytes
00 00 00 00 00 00 00 05  # rx_dropped
00 00 00 00 00 00 00 06  # tx_dropped
00 00 00 00 00 00 00 07  # rx_errors
00 00 00 00 00 00 00 08  # tx_errors
00 00 00 00 00 00 00 09  # rx_frame_err
00 00 00 00 00 00 00 0a  # rx_over_err
00 00 00 00 00 00 00 0b  # rx_crc_err
ff ff ff ff ff ff ff ff  # collisions not kept
`, "OFPST_PORT reply (xid=0x6): 1 ports\n  port  3: rx pkts=1, bytes=3, drop=5, errs=7, frame=9, over=10, crc=11\n" +
			"           tx pkts=2, bytes=4, drop=6, errs=8, coll=?"},
	)
}

// recordField is a field of the i-th record of a reply of equal records.
func recordField[T any](name string, at, size int, records func(*StatsReply) []T, i int, set func(r *T, v uint64)) wireField[*StatsReply] {
	return wireField[*StatsReply]{fmt.Sprintf("record %d %s", i, name), at, size, func(m *StatsReply, v uint64) { set(&records(m)[i], v) }}
}

func TestStatsReplyFields(t *testing.T) {
	t.Parallel()
	kind := wireField[*StatsReply]{"type", 8, 2, nil}
	flags := wireField[*StatsReply]{"flags", 10, 2, func(m *StatsReply, v uint64) { m.Flags = uint16(v) }}
	aggregate := func(set func(s *AggregateStats, v uint64)) func(*StatsReply, uint64) {
		return func(m *StatsReply, v uint64) {
			s := m.Body.(AggregateStats)
			set(&s, v)
			m.Body = s
		}
	}
	checkFields(t, &StatsReply{StatsType: StatsAggregate, Body: AggregateStats{}}, []gap{{32, 4}}, kind, flags,
		wireField[*StatsReply]{"packet_count", 12, 8, aggregate(func(s *AggregateStats, v uint64) { s.PacketCount = v })},
		wireField[*StatsReply]{"byte_count", 20, 8, aggregate(func(s *AggregateStats, v uint64) { s.ByteCount = v })},
		wireField[*StatsReply]{"flow_count", 28, 4, aggregate(func(s *AggregateStats, v uint64) { s.FlowCount = uint32(v) })})

	var gaps []gap
	list := []wireField[*StatsReply]{kind, flags}
	for i := range 2 {
		at, ports := 12+104*i, func(m *StatsReply) []PortStats { return m.Body.(PortStatsReply) }
		gaps = append(gaps, gap{at + 2, 6})
		list = append(list, recordField("port_no", at, 2, ports, i, func(p *PortStats, v uint64) { p.PortNo = Port(v) }))
		for k, set := range []func(p *PortStats, v uint64){
			func(p *PortStats, v uint64) { p.RxPackets = v }, func(p *PortStats, v uint64) { p.TxPackets = v },
			func(p *PortStats, v uint64) { p.RxBytes = v }, func(p *PortStats, v uint64) { p.TxBytes = v },
			func(p *PortStats, v uint64) { p.RxDropped = v }, func(p *PortStats, v uint64) { p.TxDropped = v },
			func(p *PortStats, v uint64) { p.RxErrors = v }, func(p *PortStats, v uint64) { p.TxErrors = v },
			func(p *PortStats, v uint64) { p.RxFrameErr = v }, func(p *PortStats, v uint64) { p.RxOverErr = v },
			func(p *PortStats, v uint64) { p.RxCRCErr = v }, func(p *PortStats, v uint64) { p.Collisions = v },
		} {
			list = append(list, recordField(fmt.Sprintf("counter %d", k), at+8+8*k, 8, ports, i, set))
		}
	}
	checkFields(t, &StatsReply{StatsType: StatsPort, Body: make(PortStatsReply, 2)}, gaps, list...)

	gaps, list = nil, []wireField[*StatsReply]{kind, flags}
	for i := range 3 {
		at, queues := 12+32*i, func(m *StatsReply) []QueueStats { return m.Body.(QueueStatsReply) }
		gaps = append(gaps, gap{at + 2, 2})
		list = append(list,
			recordField("port_no", at, 2, queues, i, func(q *QueueStats, v uint64) { q.PortNo = Port(v) }),
			recordField("queue_id", at+4, 4, queues, i, func(q *QueueStats, v uint64) { q.QueueID = uint32(v) }),
			recordField("tx_bytes", at+8, 8, queues, i, func(q *QueueStats, v uint64) { q.TxBytes = v }),
			recordField("tx_packets", at+16, 8, queues, i, func(q *QueueStats, v uint64) { q.TxPackets = v }),
			recordField("tx_errors", at+24, 8, queues, i, func(q *QueueStats, v uint64) { q.TxErrors = v }))
	}
	checkFields(t, &StatsReply{StatsType: StatsQueue, Body: make(QueueStatsReply, 3)}, gaps, list...)

	gaps, list = nil, []wireField[*StatsReply]{kind, flags}
	for i := range 2 {
		at, tables := 12+64*i, func(m *StatsReply) []TableStats { return m.Body.(TableStatsReply) }
		gaps = append(gaps, gap{at + 1, 3}, gap{at + 5, 31})
		list = append(list,
			recordField("table_id", at, 1, tables, i, func(s *TableStats, v uint64) { s.TableID = uint8(v) }),
			recordField("first letter", at+4, 1, tables, i, func(s *TableStats, v uint64) { s.Name = strings.Trim(string([]byte{byte(v)}), "\x00") }),
			recordField("wildcards", at+36, 4, tables, i, func(s *TableStats, v uint64) { s.Wildcards = uint32(v) }),
			recordField("max_entries", at+40, 4, tables, i, func(s *TableStats, v uint64) { s.MaxEntries = uint32(v) }),
			recordField("active_count", at+44, 4, tables, i, func(s *TableStats, v uint64) { s.ActiveCount = uint32(v) }),
			recordField("lookup_count", at+48, 8, tables, i, func(s *TableStats, v uint64) { s.LookupCount = v }),
			recordField("matched_count", at+56, 8, tables, i, func(s *TableStats, v uint64) { s.MatchedCount = v }))
	}
	checkFields(t, &StatsReply{StatsType: StatsTable, Body: make(TableStatsReply, 2)}, gaps, list...)
}

func TestFlowStatsReplyFields(t *testing.T) {
	t.Parallel()
	list := []wireField[*StatsReply]{{"type", 8, 2, nil}, {"flags", 10, 2, func(m *StatsReply, v uint64) { m.Flags = uint16(v) }}}
	var gaps []gap
	for i := range 2 {
		at := 12 + 88*i
		flows := func(m *StatsReply) []FlowStats { return m.Body.(FlowStatsReply) }
		matchGaps, fields := matchFieldsAt(at+4, func(m *StatsReply) *Match { return &flows(m)[i].Match })
		gaps = append(append(gaps, matchGaps...), gap{at + 3, 1}, gap{at + 58, 6})
		list = append(append(list, fields...),
			wireField[*StatsReply]{"length", at, 2, nil},
			recordField("table_id", at+2, 1, flows, i, func(s *FlowStats, v uint64) { s.TableID = uint8(v) }),
			recordField("duration_sec", at+44, 4, flows, i, func(s *FlowStats, v uint64) { s.DurationSec = uint32(v) }),
			recordField("duration_nsec", at+48, 4, flows, i, func(s *FlowStats, v uint64) { s.DurationNsec = uint32(v) }),
			recordField("priority", at+52, 2, flows, i, func(s *FlowStats, v uint64) { s.Priority = uint16(v) }),
			recordField("idle_timeout", at+54, 2, flows, i, func(s *FlowStats, v uint64) { s.IdleTimeout = uint16(v) }),
			recordField("hard_timeout", at+56, 2, flows, i, func(s *FlowStats, v uint64) { s.HardTimeout = uint16(v) }),
			recordField("cookie", at+64, 8, flows, i, func(s *FlowStats, v uint64) { s.Cookie = v }),
			recordField("packet_count", at+72, 8, flows, i, func(s *FlowStats, v uint64) { s.PacketCount = v }),
			recordField("byte_count", at+80, 8, flows, i, func(s *FlowStats, v uint64) { s.ByteCount = v }))
	}
	checkFields(t, &StatsReply{StatsType: StatsFlow, Body: make(FlowStatsReply, 2)}, gaps, list...)
}

// TestDescStatsTexts: texts up to the size of their field, and no longer.
func TestDescStatsTexts(t *testing.T) {
	t.Parallel()
	for i, f := range []struct {
		at, size int
		set      func(s *DescStats, text string)
	}{
		{12, 256, func(s *DescStats, text string) { s.Manufacturer = text }},
		{268, 256, func(s *DescStats, text string) { s.Hardware = text }},
		{524, 256, func(s *DescStats, text string) { s.Software = text }},
		{780, 32, func(s *DescStats, text string) { s.SerialNum = text }},
		{812, 256, func(s *DescStats, text string) { s.Datapath = text }},
	} {
		for _, n := range []int{0, 1, f.size - 1, f.size} {
			var want DescStats
			f.set(&want, strings.Repeat("x", n))
			b := encode(t, &StatsReply{StatsType: StatsDesc, Body: want})
			if len(b) != 1068 || strings.Trim(string(b[f.at:f.at+f.size]), "\x00") != strings.Repeat("x", n) {
				t.Errorf("field %d, %d bytes: %d bytes encoded, the text is not at %d", i, n, len(b), f.at)
			}
			m, err := Parse(b)
			if err != nil {
				t.Errorf("field %d, %d bytes: %v", i, n, err)
				continue
			}
			if d := cmp.Diff(StatsBody(want), m.(*StatsReply).Body); d != "" {
				t.Errorf("field %d, %d bytes (-want +got)\n%s", i, n, d)
			}
		}
		for _, text := range []string{strings.Repeat("x", f.size+1), "a\x00"} {
			var s DescStats
			f.set(&s, text)
			if b, err := (&StatsReply{StatsType: StatsDesc, Body: s}).AppendBinary([]byte{7}); err == nil || len(b) != 1 {
				t.Errorf("field %d takes %q", i, text)
			}
		}
	}
}

func TestStatsBad(t *testing.T) {
	t.Parallel()
	zeros := func(n int) string { return strings.Repeat("00", n) }
	// stats makes a message with a stats type and a body of n zeros.
	stats := func(message string, typ, n int) string {
		return fmt.Sprintf("01 %s %04x 00 00 00 01 %04x 00 00 %s", message, 12+n, typ, zeros(n))
	}
	for _, message := range []string{"10", "11"} {
		checkBad(t,
			badCase{"header only", "01" + message + "00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
			badCase{"no flags", "01" + message + "00 0a 00 00 00 01 00 00", ErrorBadRequest, BadRequestBadLen},
			badCase{"version 4", "04" + message + "00 10 00 00 00 01 00 00 00 00 00 00 00 00", ErrorBadRequest, BadRequestBadVersion},
			badCase{"vendor of three bytes", stats(message, 0xffff, 3), ErrorBadRequest, BadRequestBadLen},
			badCase{"vendor of no bytes", stats(message, 0xffff, 0), ErrorBadRequest, BadRequestBadLen})
	}
	// Sizes a body of each type can have, and the others around them, which it cannot.
	for _, c := range []struct {
		message string
		typ     int
		sizes   []int
	}{
		{"10", 0, []int{0}}, {"10", 1, []int{44}}, {"10", 2, []int{44}}, {"10", 3, []int{0}}, {"10", 4, []int{8}}, {"10", 5, []int{8}},
		{"11", 0, []int{1056}}, {"11", 2, []int{24}}, {"11", 3, []int{0, 64, 128}}, {"11", 4, []int{0, 104, 208}}, {"11", 5, []int{0, 32, 64, 96, 128}},
	} {
		good := map[int]bool{}
		var around []int
		for _, n := range c.sizes {
			good[n] = true
			around = append(around, n-8, n-4, n-1, n+1, n+4, n+8, n+16)
			if _, err := Parse(unannotate(t, stats(c.message, c.typ, n))); err != nil {
				t.Errorf("message %s, type %d, %d bytes: %v", c.message, c.typ, n, err)
			}
		}
		for _, n := range around {
			if n >= 0 && !good[n] {
				checkBad(t, badCase{fmt.Sprintf("message %s, type %d, %d bytes", c.message, c.typ, n), stats(c.message, c.typ, n), ErrorBadRequest, BadRequestBadLen})
			}
		}
	}
	// Types without a known body take any.
	for _, message := range []string{"10", "11"} {
		for _, typ := range []int{6, 13, 0x1000, 0xfffe} {
			for _, n := range []int{0, 1, 7, 100} {
				b := unannotate(t, stats(message, typ, n))
				m, err := Parse(b)
				if err != nil || string(encode(t, m)) != string(b) {
					t.Errorf("message %s, type %d, %d bytes: %v, %v", message, typ, n, m, err)
				}
			}
		}
	}
	flow := func(length string) string { return length + zeros(86) }
	checkBad(t,
		badCase{"flow of length 0", "01 11 00 64 00 00 00 01 00 01 00 00" + flow("0000"), ErrorBadRequest, BadRequestBadLen},
		badCase{"flow of length 87", "01 11 00 64 00 00 00 01 00 01 00 00" + flow("0057"), ErrorBadRequest, BadRequestBadLen},
		badCase{"flow of length 96 in 88", "01 11 00 64 00 00 00 01 00 01 00 00" + flow("0060"), ErrorBadRequest, BadRequestBadLen},
		badCase{"flow of length 65535", "01 11 00 64 00 00 00 01 00 01 00 00" + flow("ffff"), ErrorBadRequest, BadRequestBadLen},
		badCase{"flow and one byte", "01 11 00 65 00 00 00 01 00 01 00 00" + flow("0058") + "00", ErrorBadRequest, BadRequestBadLen},
		badCase{"second flow too long", "01 11 00 bc 00 00 00 01 00 01 00 00" + flow("0058") + flow("0060"), ErrorBadRequest, BadRequestBadLen},
		badCase{"flow with half an action", "01 11 00 68 00 00 00 01 00 01 00 00" + flow("005c") + "0000 0008", ErrorBadAction, BadActionBadLen},
		badCase{"second flow with an output of 16", "01 11 00 cc 00 00 00 01 00 01 00 00" + flow("0058") + flow("0068") + "0000 0010" + zeros(12), ErrorBadAction, BadActionBadLen})
}

func TestStatsTypeText(t *testing.T) {
	t.Parallel()
	for typ, want := range map[StatsType]string{0: "OFPST_DESC", 1: "OFPST_FLOW", 2: "OFPST_AGGREGATE", 3: "OFPST_TABLE", 4: "OFPST_PORT",
		5: "OFPST_QUEUE", 6: "OFPST_6", 0xfffe: "OFPST_65534", 0xffff: "OFPST_VENDOR"} {
		if typ.String() != want {
			t.Errorf("%d: %q, want %q", uint16(typ), typ, want)
		}
	}
}

// TestStatsBodyOfOtherType: every pair of type and body either round-trips or is refused.
func TestStatsBodyOfOtherType(t *testing.T) {
	t.Parallel()
	replies := map[StatsType]StatsBody{StatsDesc: DescStats{}, StatsFlow: FlowStatsReply{{}}, StatsAggregate: AggregateStats{}, StatsTable: TableStatsReply{{}},
		StatsPort: PortStatsReply{{}}, StatsQueue: QueueStatsReply{{}}, StatsVendor: VendorStats{}}
	requests := map[StatsType]StatsBody{StatsFlow: FlowStatsRequest{}, StatsAggregate: AggregateStatsRequest{}, StatsPort: PortStatsRequest{},
		StatsQueue: QueueStatsRequest{}, StatsVendor: VendorStats{}}
	for _, typ := range []StatsType{0, 1, 2, 3, 4, 5, 6, 0xffff} {
		for own, body := range replies {
			checkPair(t, &StatsReply{StatsType: typ, Body: body}, typ == own)
		}
		for own, body := range requests {
			checkPair(t, &StatsRequest{StatsType: typ, Body: body}, typ == own)
		}
	}
}

func checkPair(t *testing.T, m Message, good bool) {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if (err == nil) != good {
		t.Errorf("%v: %v", m, err)
	}
	if err != nil {
		return
	}
	if back, err := Parse(b); err != nil || !cmp.Equal(m, back) {
		t.Errorf("%v comes back as %v, %v", m, back, err)
	}
}
