package of10

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAccessors: type, xid and length of every message, and a text that begins with its
// name.
func TestAccessors(t *testing.T) {
	t.Parallel()
	for name, m := range samples() {
		for _, xid := range []uint32{0, 1, 0xffffffff} {
			m.SetTransactionID(xid)
			b := encode(t, m)
			if m.TransactionID() != xid || XID(b) != xid {
				t.Errorf("%s: xid %#x and %#x, want %#x", name, m.TransactionID(), XID(b), xid)
			}
		}
		if got := PeekType(encode(t, m)); got != m.Type() {
			t.Errorf("%s: type %v on the wire, want %v", name, got, m.Type())
		}
		first, _, _ := strings.Cut(m.String(), " ")
		if want := m.Type().String(); first != want && !strings.HasPrefix(first, "OFPST_") {
			t.Errorf("%s: the text begins %q, want %q", name, first, want)
		}
		if strings.HasSuffix(m.String(), "\n") {
			t.Errorf("%s: the text ends in a newline", name)
		}
	}
}

// TestMessageText is what the evidence and the golden files do not show: unknown bits and
// values, of which nothing may be lost.
func TestMessageText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    Message
		want string
	}{
		{&FlowMod{Match: MatchAll(), Command: 9, Flags: 0x84, BufferID: NoBuffer, OutPort: PortNone, Priority: 1},
			"OFPT_FLOW_MOD (xid=0x0): cmd:9 priority=1 emerg flags:0x80 actions=drop"},
		{&FlowMod{Match: MatchAll(), Priority: DefaultPriority, BufferID: 0, OutPort: PortLocal, Cookie: 1},
			"OFPT_FLOW_MOD (xid=0x0): ADD cookie:0x1 buf:0x0 out_port:LOCAL actions=drop"},
		{&PacketIn{BufferID: NoBuffer, Reason: 9, InPort: PortNone}, "OFPT_PACKET_IN (xid=0x0): total_len=0 in_port=ANY (via 9) data_len=0 (unbuffered)"},
		{&PacketIn{BufferID: NoBuffer, TotalLen: 20}, "OFPT_PACKET_IN (xid=0x0): total_len=20 in_port=0 (via no_match) data_len=0 (unbuffered) (***total_len != data_len***)"},
		{&FlowRemoved{Match: MatchAll(), Priority: DefaultPriority, Reason: 7, PacketCount: CounterUnsupported, DurationNsec: 2_000_000_000},
			"OFPT_FLOW_REMOVED (xid=0x0): reason=7 duration:0.2000s idle:0 pkts:? bytes:0"},
		{&PortStatus{Reason: 9, Desc: PhyPort{PortNo: PortNone, Name: "a\x01\"", Config: 1 << 31, State: 1<<31 | PortStateSTPBlock, Curr: 1 << 30}},
			"OFPT_PORT_STATUS (xid=0x0): 9: ANY(a\\001\\042): addr:00:00:00:00:00:00\n     config:     0x80000000\n     state:      STP_BLOCK 0x80000000\n" +
				"     current:    0x40000000\n     speed: 0 Mbps now, 0 Mbps max"},
		{&PortMod{PortNo: PortLocal, Config: PortConfigAll, Mask: 1 << 20, Advertise: PortFeature10GbFD},
			"OFPT_PORT_MOD (xid=0x0): port: LOCAL: addr:00:00:00:00:00:00\n     config: 0\n     mask:   0x100000\n     advertise: 10GB-FD"},
		{&FeaturesReply{Capabilities: 1<<4 | CapSTP, Actions: 1<<31 | 1}, "OFPT_FEATURES_REPLY (xid=0x0): dpid:0000000000000000\nn_tables:0, n_buffers:0\ncapabilities: STP 0x10\nactions: output 0x80000000"},
		{&FeaturesReply{}, "OFPT_FEATURES_REPLY (xid=0x0): dpid:0000000000000000\nn_tables:0, n_buffers:0\ncapabilities: 0"},
		{&GetConfigReply{Flags: 7, MissSendLen: 1}, "OFPT_GET_CONFIG_REPLY (xid=0x0): frags=nx-match flags=0x4 miss_send_len=1"},
		{&StatsRequest{StatsType: StatsFlow, Flags: 3, Body: FlowStatsRequest{Match: with(WildInPort, func(m *Match) { m.InPort = 1 }), OutPort: PortNone}},
			"OFPST_FLOW request (xid=0x0): flags=0x3 table=0 in_port=1"},
		{&StatsReply{StatsType: StatsPort, Flags: 3}, "OFPST_PORT reply (xid=0x0): flags=[more][***unknown flags 0x0002***]"},
		{&StatsReply{StatsType: StatsDesc, Body: DescStats{Manufacturer: "a\x1b[2J\u00e9"}},
			"OFPST_DESC reply (xid=0x0):\nManufacturer: a\\033[2J\u00e9\nHardware: \nSoftware: \nSerial Num: \nDP Description: "},
		{&QueueGetConfigReply{Port: 1, Queues: []PacketQueue{
			{QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: MinRateOff}}},
			{QueueID: 2, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1001}}},
			{QueueID: QueueAll, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 5}, {Property: 9, Raw: []byte{0, 9, 0, 8, 1, 2, 3, 4}}}}}},
			"OFPT_QUEUE_GET_CONFIG_REPLY (xid=0x0): port=1\nqueue 1:\nqueue 2: min_rate:(disabled)\nqueue 4294967295: min_rate:0.5% property9:01020304"},
		{&Hello{Version: 9}, "OFPT_HELLO (OF 0x09) (xid=0x0):"},
		{&Hello{Version: 6, Body: []byte{0, 1, 0, 4}}, "OFPT_HELLO (OF1.5) (xid=0x0):"},
		{&Error{ErrType: ErrorBadRequest, Code: BadRequestBadType}, "OFPT_ERROR (xid=0x0): OFPBRC_BAD_TYPE"},
		{&Error{ErrType: ErrorHelloFailed, Data: []byte("a\x00\xffb\n\"")}, "OFPT_ERROR (xid=0x0): OFPHFC_INCOMPATIBLE\na\\000\\377b\\012\\042"},
		{&Error{ErrType: ErrorBadRequest, Code: BadRequestBadLen, Data: []byte{1, 14, 0, 72, 0, 0, 0, 5, 1}},
			"OFPT_ERROR (xid=0x0): OFPBRC_BAD_LEN\nOFPT_FLOW_MOD (xid=0x5):\n(***truncated to 9 bytes from 72***)\n00000000  01 0e 00 48 00 00 00 05-01                      |...H.....       |"},
		{&Error{ErrType: ErrorBadRequest, Code: BadRequestBadVersion, Data: []byte{4, 0, 0, 8, 0, 0, 0, 5}},
			"OFPT_ERROR (xid=0x0): OFPBRC_BAD_VERSION\n00000000  04 00 00 08 00 00 00 05-                        |........        |"},
		{&Error{ErrType: ErrorBadRequest, Code: BadRequestBadType, Data: encodeOrPanic(&Error{XID: 6})},
			"OFPT_ERROR (xid=0x0): OFPBRC_BAD_TYPE\nOFPT_ERROR (xid=0x6):\n00000000  01 01 00 0c 00 00 00 06-00 00 00 00             |............    |"},
	} {
		if d := cmp.Diff(c.want, c.m.String()); d != "" {
			t.Errorf("%T (-want +got)\n%s", c.m, d)
		}
	}
}

// TestNestedErrorText: errors quoting errors do not make the text grow without bound.
func TestNestedErrorText(t *testing.T) {
	t.Parallel()
	var data []byte
	for range 5000 {
		data = encodeOrPanic(&Error{Data: data})
	}
	e := &Error{Data: data, ErrType: ErrorBadRequest}
	if n := len(e.String()); n > 6*len(data) {
		t.Errorf("%d bytes of text for %d bytes", n, len(data))
	}
}

// TestFrameText is the second line of packet_ins, as recorded from Open vSwitch.
func TestFrameText(t *testing.T) {
	t.Parallel()
	const (
		macs = "020000000002 020000000001"
		ip   = "0800 4523 002c 0000 %F 40 %P 0000 0a000001 0a000002"
		end  = "vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
		nw   = ",nw_src=10.0.0.1,nw_dst=10.0.0.2"
		tos  = ",nw_tos=32,nw_ecn=3,nw_ttl=64"
	)
	packet := func(frag, proto, payload string) string {
		return macs + strings.NewReplacer("%F", frag, "%P", proto).Replace(ip) + payload
	}
	for _, c := range []struct{ frame, want string }{
		{"", ""},
		{macs + "08", ""},
		{macs + "88cc", end + ",dl_type=0x88cc"},
		{macs + "0800", "ip," + end + ",nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no"},
		{packet("0000", "06", "00500051 00000000 00000000 5002 0000 0000 0000"), "tcp," + end + nw + tos + ",nw_frag=no,tp_src=80,tp_dst=81,tcp_flags=syn tcp_csum:0"},
		{packet("0000", "06", "00500051 00000000 00000000 51ff 0000 1234 0000"), "tcp," + end + nw + tos +
			",nw_frag=no,tp_src=80,tp_dst=81,tcp_flags=fin|syn|rst|psh|ack|urg|ece|cwr|ns tcp_csum:1234"},
		{packet("0000", "06", "00500051 00000000"), "tcp," + end + nw + tos + ",nw_frag=no,tp_src=0,tp_dst=0,tcp_flags=0"},
		{packet("0000", "11", "00500051 0008 0102"), "udp," + end + nw + tos + ",nw_frag=no,tp_src=80,tp_dst=81 udp_csum:102"},
		{packet("0000", "11", "00500051 0008"), "udp," + end + nw + tos + ",nw_frag=no,tp_src=0,tp_dst=0"},
		{packet("2000", "11", "00500051 0008 0000"), "udp," + end + nw + tos + ",nw_frag=first,tp_src=80,tp_dst=81 udp_csum:0"},
		{packet("0005", "11", "00500051 0008 0000"), "udp," + end + nw + tos + ",nw_frag=later"},
		{packet("0000", "01", "0800 0051 0008 0000"), "icmp," + end + nw + tos + ",nw_frag=no,icmp_type=8,icmp_code=0 icmp_csum:51"},
		{packet("0000", "84", "00500051 00000000 00000000"), "sctp," + end + nw + tos + ",nw_frag=no,tp_src=80,tp_dst=81"},
		{packet("0000", "2f", ""), "ip," + end + nw[:0] + nw + ",nw_proto=47" + tos + ",nw_frag=no"},
		{macs + "8100 6005 0800", "ip,dl_vlan=5,dl_vlan_pcp=3,vlan_tci1=0x0000" + end[len("vlan_tci=0x0000"):] +
			",nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no"},
		{macs + "8100 6005 8100 0007 88b5", "dl_vlan=5,dl_vlan_pcp=3,dl_vlan1=7,dl_vlan_pcp1=0" + end[len("vlan_tci=0x0000"):] + ",dl_type=0x88b5"},
		{macs + "0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002", "arp," + end +
			",arp_spa=10.0.0.1,arp_tpa=10.0.0.2,arp_op=1,arp_sha=02:00:00:00:00:01,arp_tha=00:00:00:00:00:00"},
		{macs + "0806 0001", "arp," + end + ",arp_spa=0.0.0.0,arp_tpa=0.0.0.0,arp_op=0,arp_sha=00:00:00:00:00:00,arp_tha=00:00:00:00:00:00"},
		{macs + "0003 424203 00000000000000", end + ",dl_type=0x05ff"},
		{macs + "0008 aaaa03 000000 88cc", end + ",dl_type=0x88cc"},
		{macs + "0008 aaaa03 00000c 0806", end + ",dl_type=0x05ff"},
		{macs + "86dd 60", "ipv6," + end},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(c.frame, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var got text
		got.frame(b)
		if d := cmp.Diff(c.want, got.String()); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.frame, d)
		}
	}
}

// TestTableText is how repetitions are shortened, as recorded from Open vSwitch.
func TestTableText(t *testing.T) {
	t.Parallel()
	table := func(id uint8, name string, wild, max, active uint32) TableStats {
		return TableStats{TableID: id, Name: name, Wildcards: wild, MaxEntries: max, ActiveCount: active}
	}
	m := &StatsReply{StatsType: StatsTable, Body: TableStatsReply{
		table(0, "", WildAll, 5, 0), table(1, "", WildAll, 5, 0), table(2, "", WildAll, 5, 0), table(3, "", WildAll, 6, 0),
		table(5, "", WildAll, 6, 0), table(6, "", WildInPort, 6, 0), table(7, "", WildInPort, 6, 3), table(8, "n", WildInPort, 6, 3),
		table(9, "n", WildInPort, 6, 3), table(10, "", 0, 0, 3), table(11, "", WildDLSrc|WildDLDst|WildTPDst, 0, 3)}}
	want := `OFPST_TABLE reply (xid=0x0):
  table 0:
    active=0, lookup=0, matched=0
    max_entries=5
    matching:
      exact match or wildcard: in_port eth_{src,dst,type} vlan_{vid,pcp} ip_{src,dst} nw_{proto,tos} tcp_{src,dst}

  tables 1...2: ditto

  table 3:
    active=0, lookup=0, matched=0
    max_entries=6
    (same matching)

  table 5: ditto

  table 6:
    active=0, lookup=0, matched=0
    max_entries=6
    matching:
      exact match or wildcard: in_port

  table 7:
    active=3, lookup=0, matched=0
    (same features)

  table 8 ("n"): ditto
  table 9 ("n"): ditto
  table 10:
    active=3, lookup=0, matched=0

  table 11:
    active=3, lookup=0, matched=0
    matching:
      exact match or wildcard: eth_{src,dst} tcp_dst`
	if d := cmp.Diff(want, m.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"OFPT_77":      Type(77).String(),
		"OFPST_77":     StatsType(77).String(),
		"output":       ActionOutput.String(),
		"vendor":       ActionVendor.String(),
		"action77":     ActionType(77).String(),
		"output:1":     func() string { a := Output(1, 0); return a.String() }(),
		"STP_LEARN":    PortStateSTPLearn.String(),
		"LINK_DOWN":    PortStateLinkDown.String(),
		"0":            PortState(0).String(),
		"AUTO_PAUSE":   PortFeaturePause.String(),
		"NO_PACKET_IN": PortConfigNoPacketIn.String(),
		"":             ActionSet(0).String(),
		"4(eth4): addr:02:00:00:00:00:04\n     config:     0\n     state:      0\n     speed: 0 Mbps now, 0 Mbps max": PhyPort{PortNo: 4, HWAddr: mac(4), Name: "eth4"}.String(),
		"output enqueue":       ActionSet(1 | 1<<ActionEnqueue).String(),
		"IP_REASM QUEUE_STATS": (CapIPReasm | CapQueueStats).String(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if AllActions.Has(12) || ActionSet(1<<31).Has(ActionVendor) || !AllActions.Has(ActionEnqueue) {
		t.Error("ActionSet.Has")
	}
	for f, want := range map[PortFeatures]int{0: 0, PortFeature10MbHD: 10, PortFeature10MbFD: 10, PortFeature100MbHD | PortFeature10MbHD: 100,
		PortFeature1GbHD: 1000, PortFeature1GbFD: 1000, PortFeatureAll: 10000, PortFeatureFiber: 0} {
		if f.SpeedMbps() != want {
			t.Errorf("%v: %d Mbps, want %d", f, f.SpeedMbps(), want)
		}
	}
	for p, want := range map[Port]bool{0: false, 1: true, PortMax: true, PortMax + 1: false, PortLocal: false} {
		if p.IsPhysical() != want {
			t.Errorf("%v: physical %v", p, !want)
		}
	}
	q := PacketQueue{Properties: []QueueProperty{{}, {Property: QueuePropertyMinRate, MinRate: 500}}}
	if rate, ok := q.MinRate(); rate != 500 || !ok {
		t.Errorf("rate %d, %v", rate, ok)
	}
	q.Properties[1].MinRate = MinRateOff
	if _, ok := q.MinRate(); ok {
		t.Error("a rate that is off counts")
	}
	if _, ok := new(PacketQueue).MinRate(); ok {
		t.Error("a rate without property")
	}
}
