package of10

import (
	"encoding/hex"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

var update = flag.Bool("update", false, "rewrite the expected text of the golden files")

const goldenDir = "../../testdata/wire/of10"

// golden is one file: annotated bytes, our text for them after "--", and Open vSwitch's
// after "-- ovs" where it is another.
type golden struct {
	name, annotated string
	frame           []byte
	text, ovs       string
}

func readGoldens(t testing.TB) []golden {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files in %s: %v", goldenDir, err)
	}
	var list []golden
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		g := golden{name: strings.TrimSuffix(filepath.Base(file), ".txt")}
		var ok bool
		if g.annotated, g.text, ok = strings.Cut(string(content), "\n--\n"); !ok {
			t.Fatalf("%s: no line with --", file)
		}
		if g.text, g.ovs, ok = strings.Cut(g.text, "\n-- ovs\n"); !ok {
			g.ovs = g.text
		}
		g.text, g.ovs = strings.TrimSuffix(g.text, "\n"), strings.TrimSuffix(g.ovs, "\n")
		for line := range strings.Lines(g.annotated) {
			digits, _, _ := strings.Cut(line, "#")
			b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			g.frame = append(g.frame, b...)
		}
		list = append(list, g)
	}
	return list
}

func (g *golden) write(t *testing.T) {
	content := g.annotated + "\n--\n" + g.text + "\n"
	if g.ovs != g.text {
		content += "-- ovs\n" + g.ovs + "\n"
	}
	if err := os.WriteFile(filepath.Join(goldenDir, g.name+".txt"), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// goldenFrame is the 60-byte frame of the golden packet_ins and packet_outs.
func goldenFrame() []byte {
	return append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, make([]byte, 46)...)
}

// goldenValues are the messages the golden files must decode to.
func goldenValues() map[string]Message {
	web := MatchAll()
	web.Wildcards &^= WildDLType | WildNWProto | WildTPDst
	web.SetNWSrcBits(8)
	web.DLType, web.NWProto, web.NWSrc, web.TPDst = EtherTypeIPv4, ProtoTCP, 0x0a010200, 80
	port := func(no Port, last byte, name string) PhyPort {
		return PhyPort{PortNo: no, HWAddr: ofwire.MAC{2, 0, 0, 0, 1, last}, Name: name}
	}
	eth1, eth2, eth3, of0, eth4 := port(1, 1, "eth1"), port(2, 2, "eth2"), port(3, 3, "eth3"), port(PortLocal, 0xfe, "of0"), port(4, 4, "eth4")
	eth1.Config, eth1.State = PortConfigAll, PortStateSTPLearn|PortStateLinkDown
	eth1.Curr, eth1.Advertised, eth1.Supported, eth1.Peer = PortFeatureAll, PortFeatureAll, PortFeatureAll, PortFeatureAll
	eth2.State, eth2.Curr = PortStateSTPForward, PortFeature1GbFD
	eth3.State = PortStateSTPBlock
	of0.Config, of0.State = PortConfigDown, PortStateLinkDown
	eth4.Curr = PortFeature10GbFD
	overlap := &FlowMod{XID: 6, Match: MatchAll(), Priority: 10, BufferID: NoBuffer, OutPort: PortNone, Flags: FlowModCheckOverlap, Actions: []Action{Output(2, 0)}}
	overlap.Match.Wildcards &^= WildInPort
	overlap.Match.InPort = 1
	req := func(t StatsType, body StatsBody) Message { return &StatsRequest{XID: 1, StatsType: t, Body: body} }
	rep := func(t StatsType, body StatsBody) Message { return &StatsReply{XID: 1, StatsType: t, Body: body} }
	return map[string]Message{
		"hello":                 &Hello{XID: 0xaa},
		"hello_version_bitmap":  &Hello{XID: 1, Version: ofwire.Version13, Body: []byte{0, 1, 0, 8, 0, 0, 0, 0x12}},
		"error_flow_mod_failed": &Error{XID: 6, ErrType: ErrorFlowModFailed, Code: FlowModFailedOverlap, Data: encodeOrPanic(overlap)},
		"error_hello_failed":    &Error{XID: 1, ErrType: ErrorHelloFailed, Code: HelloFailedIncompatible, Data: []byte("text")},
		"error_unknown":         &Error{XID: 1, ErrType: ErrorVendor, Data: []byte{0, 0, 0x23, 0x20, 0, 1, 0, 2}},
		"echo_request":          &EchoRequest{XID: 1, Data: []byte("hi")},
		"echo_reply":            &EchoReply{XID: 1},
		"vendor":                &Vendor{XID: 1, Vendor: VendorOpenFlow, Data: []byte{0, 0, 0, 2}},
		"features_request":      &FeaturesRequest{XID: 1},
		"features_reply": &FeaturesReply{XID: 1, DatapathID: 0x1234, NBuffers: 256, NTables: 2,
			Capabilities: CapFlowStats | CapTableStats | CapPortStats | CapSTP | CapIPReasm | CapQueueStats | CapARPMatchIP,
			Actions:      AllActions, Ports: []PhyPort{eth1, eth2, eth3, of0}},
		"get_config_request": &GetConfigRequest{XID: 1},
		"get_config_reply":   &GetConfigReply{XID: 1, Flags: FragDrop, MissSendLen: DefaultMissSendLen},
		"set_config":         &SetConfig{XID: 1, Flags: FragReasm, MissSendLen: 0xffff},
		"packet_in_buffered": &PacketIn{XID: 1, BufferID: 0x105, TotalLen: 1500, InPort: 3, Reason: ReasonNoMatch, Data: goldenFrame()},
		"packet_in_action":   &PacketIn{XID: 1, BufferID: NoBuffer, TotalLen: 60, InPort: PortLocal, Reason: ReasonAction, Data: goldenFrame()},
		"flow_removed_idle": &FlowRemoved{XID: 1, Match: MatchAll(), Cookie: 0xabc, Priority: 100, Reason: RemovedIdleTimeout,
			DurationSec: 12, DurationNsec: 5e8, IdleTimeout: 60, PacketCount: 7, ByteCount: 700},
		"flow_removed_hard": &FlowRemoved{XID: 1, Match: MatchAll(), Priority: DefaultPriority, Reason: RemovedHardTimeout,
			DurationSec: 12, DurationNsec: 5, PacketCount: 7, ByteCount: 700},
		"port_status_add":     &PortStatus{XID: 1, Reason: PortAdded, Desc: eth4},
		"packet_out_buffered": &PacketOut{XID: 1, BufferID: 0x105, InPort: 1, Actions: []Action{Output(PortFlood, 0)}},
		"packet_out_data": &PacketOut{XID: 1, BufferID: NoBuffer, InPort: PortNone,
			Actions: []Action{SetVLANVID(5), Output(PortTable, 0)}, Data: goldenFrame()},
		"flow_mod_add_exact": &FlowMod{XID: 1, Match: tcpMatch(), IdleTimeout: 60, Priority: 65535, BufferID: NoBuffer, OutPort: PortNone,
			Actions: []Action{Output(2, 0)}},
		"flow_mod_add_every_action": &FlowMod{XID: 2, Match: web, Cookie: 0xabc, IdleTimeout: 60, HardTimeout: 300, Priority: 100,
			BufferID: 0x107, OutPort: PortNone, Flags: FlowModSendFlowRem | FlowModCheckOverlap, Actions: everyAction()[:12]},
		"flow_mod_delete_out_port": &FlowMod{XID: 1, Match: MatchAll(), Command: FlowDelete, Priority: DefaultPriority, BufferID: NoBuffer, OutPort: 2},
		"flow_mod_unknown_actions": &FlowMod{XID: 3, Match: Match{Wildcards: WildAll}, Command: FlowModifyStrict, Priority: 5, BufferID: NoBuffer,
			OutPort: PortNone, Flags: FlowModEmerg, Actions: everyAction()[12:]},
		"port_mod":                &PortMod{XID: 1, PortNo: 1, HWAddr: eth1.HWAddr, Config: PortConfigNoFlood, Mask: PortConfigNoFlood},
		"stats_request_desc":      req(StatsDesc, nil),
		"stats_request_flow":      req(StatsFlow, FlowStatsRequest{Match: MatchAll(), TableID: TableEmerg, OutPort: 2}),
		"stats_request_aggregate": req(StatsAggregate, AggregateStatsRequest{Match: web, TableID: TableAll, OutPort: PortNone}),
		"stats_request_table":     req(StatsTable, nil),
		"stats_request_port":      req(StatsPort, PortStatsRequest{PortNo: 1}),
		"stats_request_queue":     req(StatsQueue, QueueStatsRequest{PortNo: PortAll, QueueID: QueueAll}),
		"stats_request_vendor":    req(StatsVendor, VendorStats{Vendor: VendorOpenFlow, Data: []byte{0, 0, 0, 1}}),
		"stats_request_unknown":   req(77, RawStats{1, 2, 3}),
		"stats_reply_desc": rep(StatsDesc, DescStats{Manufacturer: "Nicira, Inc.", Hardware: "Open vSwitch", Software: "3.1.0",
			SerialNum: "None", Datapath: "lab"}),
		"stats_reply_flow": &StatsReply{XID: 1, StatsType: StatsFlow, Flags: StatsReplyMore, Body: FlowStatsReply{
			{TableID: 1, Match: MatchAll(), DurationSec: 5, DurationNsec: 250e6, Priority: DefaultPriority, IdleTimeout: 60, HardTimeout: 300,
				Cookie: 0xabc, PacketCount: 7, ByteCount: 700},
			{Match: web, DurationSec: 3, DurationNsec: 1, Priority: 7, PacketCount: CounterUnsupported,
				Actions: []Action{Output(PortController, 0), Output(PortInPort, 0), Enqueue(2, 1), SetNWTos(32)}}}},
		"stats_reply_aggregate": rep(StatsAggregate, AggregateStats{PacketCount: 10, ByteCount: 1000, FlowCount: 3}),
		"stats_reply_table": rep(StatsTable, TableStatsReply{
			{Name: "hash", MaxEntries: 65536, ActiveCount: 1, LookupCount: 10, MatchedCount: 5},
			{TableID: 1, Name: "linear", Wildcards: WildAll, MaxEntries: 100, ActiveCount: 2, LookupCount: 5, MatchedCount: 4}}),
		"stats_reply_port": rep(StatsPort, PortStatsReply{
			{PortNo: 1, RxPackets: 10, TxPackets: 11, RxBytes: 1000, TxBytes: 1100, RxDropped: CounterUnsupported, TxDropped: CounterUnsupported,
				RxErrors: CounterUnsupported, TxErrors: CounterUnsupported, RxFrameErr: CounterUnsupported, RxOverErr: CounterUnsupported,
				RxCRCErr: CounterUnsupported, Collisions: CounterUnsupported},
			{PortNo: PortLocal, RxPackets: 1, TxPackets: 2, RxBytes: 3, TxBytes: 4, RxDropped: 5, TxDropped: 6, RxErrors: 7, TxErrors: 8,
				RxFrameErr: 9, RxOverErr: 10, RxCRCErr: 11, Collisions: 12}}),
		"stats_reply_queue":        rep(StatsQueue, QueueStatsReply{{PortNo: 1, QueueID: 7, TxBytes: 100, TxPackets: 2}}),
		"stats_reply_vendor":       rep(StatsVendor, VendorStats{Vendor: VendorOpenFlow, Data: []byte{0, 0, 0, 1}}),
		"barrier_request":          &BarrierRequest{XID: 1},
		"barrier_reply":            &BarrierReply{XID: 1},
		"queue_get_config_request": &QueueGetConfigRequest{XID: 1, Port: 1},
		"queue_get_config_reply": &QueueGetConfigReply{XID: 1, Port: 1, Queues: []PacketQueue{
			{QueueID: 7, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 500}}},
			{QueueID: 9, Properties: []QueueProperty{{Property: QueuePropertyNone}}}}},
		"queue_get_config_reply_unknown_property": &QueueGetConfigReply{XID: 1, Port: PortLocal, Queues: []PacketQueue{
			{QueueID: 7, Properties: []QueueProperty{{Property: 9, Raw: []byte{0, 9, 0, 10, 1, 2, 3, 4, 5, 6}}}}}},
		"unknown_type": &Unknown{XID: 1, RawType: 30, Body: []byte{1}},
	}
}

// TestGolden drives decode, encode, text and truncation from one table.
func TestGolden(t *testing.T) {
	t.Parallel()
	values := goldenValues()
	seen := map[Type]bool{}
	for _, g := range readGoldens(t) {
		want := values[g.name]
		delete(values, g.name)
		if want == nil {
			t.Errorf("%s: no value", g.name)
			continue
		}
		seen[want.Type()] = true
		got, err := Parse(g.frame)
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: decoded (-want +got)\n%s", g.name, d)
		}
		if d := cmp.Diff(g.frame, encode(t, want)); d != "" {
			t.Errorf("%s: encoded (-want +got)\n%s", g.name, d)
		}
		if want.Len() != len(g.frame) {
			t.Errorf("%s: Len is %d, want %d", g.name, want.Len(), len(g.frame))
		}
		if *update {
			g.text = got.String()
			g.write(t)
		}
		if d := cmp.Diff(g.text, got.String()); d != "" {
			t.Errorf("%s: text (-want +got)\n%s", g.name, d)
		}
	}
	if len(values) > 0 {
		t.Errorf("no golden file for %v", slices.Sorted(maps.Keys(values)))
	}
	for typ := range numTypes {
		if !seen[typ] {
			t.Errorf("no golden file of type %v", typ)
		}
	}
}

// fixedPart is how many bytes a message cannot do without, so that any shorter one is an
// error even if its header states the shorter length.
func fixedPart(m Message) int {
	if s, ok := m.(*StatsRequest); ok && s.Body != nil {
		switch body := s.Body.(type) {
		case VendorStats:
			return statsHeaderLen + vendorStatsLen
		case RawStats:
			return statsHeaderLen
		default:
			return statsHeaderLen + body.statsLen()
		}
	}
	if s, ok := m.(*StatsReply); ok {
		switch body := s.Body.(type) {
		case DescStats, AggregateStats:
			return statsHeaderLen + body.statsLen()
		case VendorStats:
			return statsHeaderLen + vendorStatsLen
		}
	}
	if m.Type() < numTypes {
		return int(minLens[m.Type()])
	}
	return headerLen
}

// TestEveryPrefix cuts every golden message everywhere: as it came, and with a header that
// states the shorter length.
func TestEveryPrefix(t *testing.T) {
	t.Parallel()
	for _, g := range readGoldens(t) {
		want, err := Parse(g.frame)
		if err != nil {
			t.Fatal(err)
		}
		for n := range g.frame {
			if m, err := Parse(g.frame[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes decode as %v", g.name, n, len(g.frame), m)
			}
			if n < headerLen {
				continue
			}
			cut := append([]byte(nil), g.frame[:n]...)
			be.PutUint16(cut[2:], uint16(n))
			m, err := Parse(cut)
			if err == nil && n < fixedPart(want) {
				t.Errorf("%s: %d bytes are enough for %v", g.name, n, m)
			}
			if err == nil && m.Len() != n {
				t.Errorf("%s: %d bytes decode to a message of %d", g.name, n, m.Len())
			}
			if err != nil && !ofwire.SpoilsMessage(err) {
				t.Errorf("%s: %d bytes: %v spoils the connection", g.name, n, err)
			}
		}
		if _, err := Parse(append(g.frame[:len(g.frame):len(g.frame)], 0)); err == nil {
			t.Errorf("%s: a frame longer than its length decodes", g.name)
		}
	}
}

// TestFailedDecodeLeavesReceiver: what was there before stays, the action list included.
func TestFailedDecodeLeavesReceiver(t *testing.T) {
	t.Parallel()
	values := goldenValues()
	for _, g := range readGoldens(t) {
		m, err := Parse(g.frame)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(g.frame) + 40 {
			b := append([]byte(nil), g.frame...)
			if n >= len(b) {
				b = append(b, make([]byte, 1+n-len(b))...)
			}
			b = b[:n]
			if n >= 4 {
				be.PutUint16(b[2:], uint16(n))
			}
			if n >= headerLen {
				for i := headerLen; i < n; i++ {
					b[i] ^= 0x5a // other values, and lengths that are wrong
				}
			}
			if m.UnmarshalBinary(b) == nil {
				if m, err = Parse(g.frame); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if d := cmp.Diff(values[g.name], m); d != "" {
				t.Fatalf("%s: after a failed decode of %d bytes (-want +got)\n%s", g.name, n, d)
			}
		}
	}
}

// TestOVSGoldens has Open vSwitch print the golden messages.
func TestOVSGoldens(t *testing.T) {
	t.Parallel()
	ovsOfctl := needTool(t, "ovs-ofctl")
	for _, g := range readGoldens(t) {
		out, err := execOutput(t, ovsOfctl, "ofp-print", hex.EncodeToString(g.frame))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(g.ovs, strings.TrimRight(timestamp.ReplaceAllString(out, ""), " \n")); d != "" {
			t.Errorf("%s (-golden +ovs)\n%s", g.name, d)
		}
	}
}
