package of10

import (
	"fmt"
	"strings"
)

// String returns what was asked, as `ovs-ofctl snoop` prints it.
func (m *StatsRequest) String() string {
	var t text
	t.header(m.StatsType.String()+" request", m.XID)
	if m.Flags != 0 {
		t.str(" flags=")
		t.hex(uint64(m.Flags))
	}
	switch body := m.Body.(type) {
	case FlowStatsRequest:
		t.flowStatsRequest(&body)
	case AggregateStatsRequest:
		t.flowStatsRequest((*FlowStatsRequest)(&body))
	case PortStatsRequest:
		t.str(" port_no=")
		t.port(body.PortNo)
	case QueueStatsRequest:
		t.str(" port=")
		if body.PortNo == PortAll {
			body.PortNo = PortNone // printed ANY
		}
		t.port(body.PortNo)
		t.str(" queue=")
		t.queueID(body.QueueID)
	case VendorStats:
		t.vendorStats(&body)
	case RawStats:
		t.payload(body)
	}
	return t.String()
}

func (t *text) flowStatsRequest(s *FlowStatsRequest) {
	if s.TableID != TableAll {
		t.pair(" table=", int(s.TableID))
	}
	if s.OutPort != PortNone {
		t.str(" out_port=")
		t.port(s.OutPort)
	}
	t.str(" ")
	if !t.match(&s.Match) {
		t.b = t.b[:len(t.b)-1]
	}
}

func (t *text) queueID(q uint32) {
	if q == QueueAll {
		t.str("ALL")
		return
	}
	t.dec(uint64(q))
}

func (t *text) vendorStats(s *VendorStats) {
	t.str(" vendor=")
	t.hexWidth(uint64(s.Vendor), 8)
	t.payload(s.Data)
}

func (t *text) payload(b []byte) {
	t.pair(" ", len(b))
	t.str(" bytes of payload\n")
	t.hexDump(b)
}

// String returns what the ovs-ofctl command for this kind of statistics prints.
func (m *StatsReply) String() string {
	var t text
	t.header(m.StatsType.String()+" reply", m.XID)
	t.replyFlags(m.Flags)
	switch body := m.Body.(type) {
	case DescStats:
		t.str(fmt.Sprintf("\nManufacturer: %s\nHardware: %s\nSoftware: %s\nSerial Num: %s\nDP Description: %s\n",
			printable(body.Manufacturer), printable(body.Hardware), printable(body.Software),
			printable(body.SerialNum), printable(body.Datapath)))
	case FlowStatsReply:
		t.str("\n")
		for i := range body {
			t.str(" ")
			t.flowStats(&body[i], false)
			t.str("\n")
		}
	case AggregateStats:
		t.str(fmt.Sprintf(" packet_count=%d byte_count=%d flow_count=%d\n", body.PacketCount, body.ByteCount, body.FlowCount))
	case TableStatsReply:
		t.str("\n")
		t.tables(body)
	case PortStatsReply:
		t.pair(" ", len(body))
		t.str(" ports\n")
		for i := range body {
			t.portStats(&body[i])
		}
	case QueueStatsReply:
		t.pair(" ", len(body))
		t.str(" queues\n")
		for i := range body {
			t.queueStats(&body[i])
		}
	case VendorStats:
		t.vendorStats(&body)
	case RawStats:
		t.payload(body)
	}
	return t.String()
}

func (t *text) replyFlags(flags uint16) {
	if flags == 0 {
		return
	}
	t.str(" flags=")
	if flags&StatsReplyMore != 0 {
		t.str("[more]")
	}
	if rest := flags &^ StatsReplyMore; rest != 0 {
		t.str("[***unknown flags ")
		t.hexWidth(uint64(rest), 4)
		t.str("***]")
	}
}

func (t *text) portStats(p *PortStats) {
	no := p.PortNo.String()
	t.str("  port ")
	t.str(strings.Repeat(" ", max(2-len(no), 0)))
	t.str(no)
	for _, c := range [...]struct {
		label string
		value uint64
	}{
		{": rx pkts=", p.RxPackets}, {", bytes=", p.RxBytes}, {", drop=", p.RxDropped}, {", errs=", p.RxErrors},
		{", frame=", p.RxFrameErr}, {", over=", p.RxOverErr}, {", crc=", p.RxCRCErr},
		{"\n           tx pkts=", p.TxPackets}, {", bytes=", p.TxBytes}, {", drop=", p.TxDropped}, {", errs=", p.TxErrors},
		{", coll=", p.Collisions},
	} {
		t.str(c.label)
		t.counter(c.value)
	}
	t.str("\n")
}

// queueStats prints the duration that later versions have as unknown, as ovs-ofctl does.
func (t *text) queueStats(q *QueueStats) {
	t.str("  port ")
	t.port(q.PortNo)
	t.str(" queue ")
	t.queueID(q.QueueID)
	t.str(": bytes=")
	t.counter(q.TxBytes)
	t.str(", pkts=")
	t.counter(q.TxPackets)
	t.str(", errors=")
	t.counter(q.TxErrors)
	t.str(", duration=?\n")
}

// tables prints what `ovs-ofctl dump-tables` does, which shortens repetitions.
func (t *text) tables(list []TableStats) {
	blank := false // no blank line behind a named repetition
	for i := 0; i < len(list); {
		if blank {
			t.str("\n")
		}
		if i == 0 || !sameTable(&list[i], &list[i-1]) {
			t.table(list, i)
			blank = true
			i++
			continue
		}
		blank = list[i].Name == ""
		i += t.ditto(list[i:])
	}
}

// ditto prints one line for the first table, and for those that follow it without a gap
// and without a name; it returns for how many.
func (t *text) ditto(list []TableStats) int {
	n := 1
	for n < len(list) && list[0].Name == "" && list[n].Name == "" && sameTable(&list[n], &list[0]) && list[n].TableID == list[n-1].TableID+1 {
		n++
	}
	if n > 1 {
		t.pair("  tables ", int(list[0].TableID))
		t.pair("...", int(list[n-1].TableID))
	} else {
		t.tableName(&list[0])
	}
	t.str(": ditto\n")
	return n
}

func (t *text) tableName(s *TableStats) {
	t.pair("  table ", int(s.TableID))
	if s.Name != "" {
		t.str(` ("`)
		t.escaped([]byte(s.Name))
		t.str(`")`)
	}
}

func sameTable(a, b *TableStats) bool {
	x, y := *a, *b
	x.TableID, y.TableID = 0, 0
	x.Name, y.Name = "", ""
	return x == y
}

func (t *text) table(list []TableStats, i int) {
	s := &list[i]
	t.tableName(s)
	t.str(fmt.Sprintf(":\n    active=%d, lookup=%d, matched=%d\n", s.ActiveCount, s.LookupCount, s.MatchedCount))
	fields := wildcardFields(s.Wildcards)
	same := i > 0 && fields == wildcardFields(list[i-1].Wildcards)
	if same && s.MaxEntries == list[i-1].MaxEntries {
		t.str("    (same features)\n")
		return
	}
	if s.MaxEntries != 0 {
		t.str("    max_entries=")
		t.dec(uint64(s.MaxEntries))
		t.str("\n")
	}
	switch {
	case fields == "":
	case same:
		t.str("    (same matching)\n")
	default:
		t.str("    matching:\n      exact match or wildcard: ")
		t.str(fields)
		t.str("\n")
	}
}

// wildcardFields names the fields that can be wild, like "in_port eth_{src,dst}".
func wildcardFields(w uint32) string {
	groups := []struct {
		prefix string
		bits   []uint32
		names  []string
	}{
		{"", []uint32{WildInPort}, []string{"in_port"}},
		{"eth_", []uint32{WildDLSrc, WildDLDst, WildDLType}, []string{"src", "dst", "type"}},
		{"vlan_", []uint32{WildDLVLAN, WildDLVLANPCP}, []string{"vid", "pcp"}},
		{"ip_", []uint32{WildNWSrcMask, WildNWDstMask}, []string{"src", "dst"}},
		{"nw_", []uint32{WildNWProto, WildNWTos}, []string{"proto", "tos"}},
		{"tcp_", []uint32{WildTPSrc, WildTPDst}, []string{"src", "dst"}},
	}
	var words []string
	for _, g := range groups {
		var names []string
		for i, bit := range g.bits {
			if w&bit != 0 {
				names = append(names, g.names[i])
			}
		}
		switch len(names) {
		case 0:
		case 1:
			words = append(words, g.prefix+names[0])
		default:
			words = append(words, g.prefix+"{"+strings.Join(names, ",")+"}")
		}
	}
	return strings.Join(words, " ")
}
