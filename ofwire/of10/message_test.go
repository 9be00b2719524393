package of10

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

func mac(last byte) ofwire.MAC { return ofwire.MAC{2, 0, 0, 0, 0, last} }

// tcpMatch is a 12-tuple without wildcards.
func tcpMatch() Match {
	return Match{InPort: 1, DLSrc: mac(1), DLDst: mac(2), DLVLAN: VLANNone, DLType: EtherTypeIPv4, NWProto: ProtoTCP,
		NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 1, TPDst: 2}
}

// everyAction is a list with each action type, vendor and unknown included.
func everyAction() []Action {
	return []Action{
		Output(PortController, 128), SetVLANVID(20), SetVLANPCP(5), StripVLAN(), SetDLSrc(mac(3)), SetDLDst(mac(4)),
		SetNWSrc(0xa9fea9fe), SetNWDst(0x0a000003), SetNWTos(0x20), SetTPSrc(80), SetTPDst(9002), Enqueue(2, 7),
		VendorAction(VendorNicira, []byte{0, 1, 2, 3, 4, 5, 6, 7}),
		{Type: 0x1234, Raw: []byte{0x12, 0x34, 0, 8, 1, 2, 3, 4}},
	}
}

func samplePort() PhyPort {
	return PhyPort{PortNo: 4, HWAddr: mac(4), Name: "eth4", Config: PortConfigNoFlood, State: PortStateSTPForward | PortStateLinkDown,
		Curr: PortFeature10GbFD | PortFeatureCopper, Advertised: PortFeature1GbFD, Supported: PortFeatureAll, Peer: PortFeature10MbHD}
}

// samples has at least one value of every message and statistics type.
func samples() map[string]Message {
	flow := FlowStats{TableID: 1, Match: tcpMatch(), DurationSec: 5, DurationNsec: 250e6, Priority: 100, IdleTimeout: 60,
		HardTimeout: 300, Cookie: 0xabc, PacketCount: 7, ByteCount: 700, Actions: everyAction()}
	bare := flow
	bare.Actions = nil
	return map[string]Message{
		"hello":            &Hello{XID: 1},
		"hello bitmap":     &Hello{XID: 1, Version: ofwire.Version13, Body: []byte{0, 1, 0, 8, 0, 0, 0, 0x12}},
		"error":            &Error{XID: 2, ErrType: ErrorVendor, Code: 3, Data: []byte{1, 2, 3}},
		"echo request":     &EchoRequest{XID: 3, Data: []byte("hi")},
		"echo reply":       &EchoReply{XID: 3},
		"vendor":           &Vendor{XID: 4, Vendor: VendorNicira, Data: []byte{0, 0, 0, 10}},
		"features request": &FeaturesRequest{XID: 5},
		"features reply": &FeaturesReply{XID: 5, DatapathID: 0x1234, NBuffers: 256, NTables: 2, Capabilities: CapFlowStats | CapARPMatchIP | 1<<30,
			Actions: AllActions, Ports: []PhyPort{samplePort(), {PortNo: PortLocal, Name: "sixteen-bytes-ab"}}},
		"get config request": &GetConfigRequest{XID: 6},
		"get config reply":   &GetConfigReply{XID: 6, Flags: FragReasm, MissSendLen: 0xffff},
		"set config":         &SetConfig{XID: 7, Flags: FragDrop, MissSendLen: 128},
		"packet in":          &PacketIn{XID: 8, BufferID: 0x105, TotalLen: 1500, InPort: 3, Reason: ReasonAction, Data: []byte{1, 2, 3}},
		"flow removed": &FlowRemoved{XID: 9, Match: tcpMatch(), Cookie: 0xabc, Priority: 100, Reason: RemovedHardTimeout, DurationSec: 12,
			DurationNsec: 5, IdleTimeout: 60, PacketCount: 7, ByteCount: 700},
		"port status":       &PortStatus{XID: 10, Reason: PortModified, Desc: samplePort()},
		"packet out":        &PacketOut{XID: 11, BufferID: NoBuffer, InPort: PortNone, Actions: everyAction(), Data: []byte{1}},
		"packet out buffer": &PacketOut{XID: 11, BufferID: 5, InPort: 1},
		"flow mod": &FlowMod{XID: 12, Match: tcpMatch(), Cookie: 1 << 63, Command: FlowDeleteStrict, IdleTimeout: 1, HardTimeout: 2, Priority: 3,
			BufferID: 4, OutPort: 5, Flags: FlowModSendFlowRem | 0x80, Actions: everyAction()},
		"flow mod drop":     &FlowMod{XID: 12, Match: MatchAll(), BufferID: NoBuffer, OutPort: PortNone},
		"port mod":          &PortMod{XID: 13, PortNo: 1, HWAddr: mac(1), Config: PortConfigDown, Mask: PortConfigAll, Advertise: PortFeatureFiber},
		"desc request":      &StatsRequest{XID: 14, StatsType: StatsDesc},
		"flow request":      &StatsRequest{XID: 14, StatsType: StatsFlow, Body: FlowStatsRequest{Match: MatchAll(), TableID: TableAll, OutPort: PortNone}},
		"aggregate request": &StatsRequest{XID: 14, StatsType: StatsAggregate, Body: AggregateStatsRequest{Match: tcpMatch(), OutPort: 2}},
		"table request":     &StatsRequest{XID: 14, StatsType: StatsTable},
		"port request":      &StatsRequest{XID: 14, StatsType: StatsPort, Body: PortStatsRequest{PortNo: PortNone}},
		"queue request":     &StatsRequest{XID: 14, StatsType: StatsQueue, Body: QueueStatsRequest{PortNo: PortAll, QueueID: QueueAll}},
		"vendor request":    &StatsRequest{XID: 14, StatsType: StatsVendor, Body: VendorStats{Vendor: 1, Data: []byte{1, 2}}},
		"raw request":       &StatsRequest{XID: 14, StatsType: 77, Flags: 3, Body: RawStats{1, 2, 3}},
		"desc reply":        &StatsReply{XID: 15, StatsType: StatsDesc, Body: DescStats{Manufacturer: "m", Hardware: "h", Software: "s", SerialNum: "n", Datapath: "d"}},
		"flow reply":        &StatsReply{XID: 15, StatsType: StatsFlow, Flags: StatsReplyMore, Body: FlowStatsReply{flow, bare, flow}},
		"flow reply empty":  &StatsReply{XID: 15, StatsType: StatsFlow, Body: FlowStatsReply(nil)},
		"aggregate reply":   &StatsReply{XID: 15, StatsType: StatsAggregate, Body: AggregateStats{PacketCount: 10, ByteCount: 1000, FlowCount: 3}},
		"table reply":       &StatsReply{XID: 15, StatsType: StatsTable, Body: TableStatsReply{{TableID: 1, Name: "linear", Wildcards: WildAll, MaxEntries: 100, ActiveCount: 2, LookupCount: 5, MatchedCount: 4}}},
		"port reply":        &StatsReply{XID: 15, StatsType: StatsPort, Body: PortStatsReply{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, CounterUnsupported}, {PortNo: PortLocal}}},
		"queue reply":       &StatsReply{XID: 15, StatsType: StatsQueue, Body: QueueStatsReply{{PortNo: 1, QueueID: 7, TxBytes: 100, TxPackets: 2, TxErrors: 3}}},
		"vendor reply":      &StatsReply{XID: 15, StatsType: StatsVendor, Body: VendorStats{Vendor: 1}},
		"raw reply":         &StatsReply{XID: 15, StatsType: 6},
		"barrier request":   &BarrierRequest{XID: 16},
		"barrier reply":     &BarrierReply{XID: 16},
		"queue config req":  &QueueGetConfigRequest{XID: 17, Port: 1},
		"queue config reply": &QueueGetConfigReply{XID: 17, Port: 1, Queues: []PacketQueue{
			{QueueID: 7, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 500}, {}}},
			{QueueID: 8, Properties: []QueueProperty{{Property: 9, Raw: []byte{0, 9, 0, 9, 1, 2, 3, 4, 5}}}}, {QueueID: 9}}},
		"unknown": &Unknown{XID: 18, RawType: 30, Body: []byte{1}},
	}
}

func encode(t testing.TB, m Message) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatalf("encode %T: %v", m, err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	seen := map[Type]bool{}
	for name, m := range samples() {
		seen[m.Type()] = true
		b := encode(t, m)
		if len(b) != m.Len() {
			t.Errorf("%s: encoded %d bytes, Len says %d", name, len(b), m.Len())
		}
		got, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(m, got); d != "" {
			t.Errorf("%s: decoded (-want +got)\n%s", name, d)
		}
		if d := cmp.Diff(b, encode(t, got)); d != "" {
			t.Errorf("%s: encoded again (-want +got)\n%s", name, d)
		}
	}
	for typ := range numTypes {
		if !seen[typ] {
			t.Errorf("no sample of %v", typ)
		}
	}
}

// TestRandomRoundTrip: messages with any value in any field come back as they were.
func TestRandomRoundTrip(t *testing.T) {
	t.Parallel()
	g := newGen(11)
	for i := range 4000 {
		want := g.message(i)
		b := encode(t, want)
		got, err := Parse(b)
		if err != nil {
			t.Fatalf("message %d, %v: %v", i, want, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("message %d (-want +got)\n%s", i, d)
		}
		if !bytes.Equal(canonical(b), b) {
			t.Fatalf("message %d: padding that is not zero in %x", i, b)
		}
	}
}

// TestAppendKeeps: encoding adds to a buffer and leaves what is there.
func TestAppendKeeps(t *testing.T) {
	t.Parallel()
	for name, m := range samples() {
		b, err := m.AppendBinary([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		if want := append([]byte("before"), encode(t, m)...); !bytes.Equal(want, b) {
			t.Errorf("%s: got %x, want %x", name, b, want)
		}
	}
}

// TestDecodedAliases: data of a decoded message is the frame's own memory, and cannot grow
// into what follows it.
func TestDecodedAliases(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]func(Message) []byte{
		"packet in":      func(m Message) []byte { return m.(*PacketIn).Data },
		"packet out":     func(m Message) []byte { return m.(*PacketOut).Data },
		"error":          func(m Message) []byte { return m.(*Error).Data },
		"echo request":   func(m Message) []byte { return m.(*EchoRequest).Data },
		"vendor":         func(m Message) []byte { return m.(*Vendor).Data },
		"hello bitmap":   func(m Message) []byte { return m.(*Hello).Body },
		"unknown":        func(m Message) []byte { return m.(*Unknown).Body },
		"raw request":    func(m Message) []byte { return m.(*StatsRequest).Body.(RawStats) },
		"vendor request": func(m Message) []byte { return m.(*StatsRequest).Body.(VendorStats).Data },
		"flow mod":       func(m Message) []byte { return m.(*FlowMod).Actions[13].Raw },
	} {
		b := encode(t, samples()[name])
		stream := append(b, "next message"...)
		m, err := Parse(stream[:len(b)])
		if err != nil {
			t.Fatal(err)
		}
		d := data(m)
		if &d[len(d)-1] != &stream[len(b)-1] {
			t.Errorf("%s: the data is a copy", name)
		}
		if cap(d) != len(d) {
			t.Errorf("%s: appending to the data would overwrite what follows", name)
		}
	}
}
