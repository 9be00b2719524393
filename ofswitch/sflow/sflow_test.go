package sflow

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// collector receives datagrams and decodes them with gopacket.
type collector struct {
	t    *testing.T
	conn *net.UDPConn
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &collector{t, conn}
}

func (c *collector) next() *layers.SFlowDatagram {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 2048)
	n, err := c.conn.Read(b)
	if err != nil {
		c.t.Fatal(err)
	}
	if n > maxDatagram+64 {
		c.t.Errorf("a datagram of %d bytes", n)
	}
	p := gopacket.NewPacket(b[:n], layers.LayerTypeSFlow, gopacket.Default)
	if e := p.ErrorLayer(); e != nil {
		c.t.Fatalf("%v in %x", e.Error(), b[:n])
	}
	return p.Layer(layers.LayerTypeSFlow).(*layers.SFlowDatagram)
}

func newAgent(t *testing.T, c *collector, rate uint32) *Agent {
	t.Helper()
	a, err := NewAgent(Config{Collectors: []string{c.conn.LocalAddr().String()}, Agent: netip.MustParseAddr("192.0.2.7"), SubAgent: 3, Rate: rate, Header: 64, Polling: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a
}

func frameOf(size int) []byte {
	b := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0x60, 0x0c, 0x88, 0xb5}, make([]byte, size)...)
	return b[:size]
}

func TestFlowSample(t *testing.T) {
	c := newCollector(t)
	a := newAgent(t, c, 1)
	now := a.start.Add(1500 * time.Millisecond)
	for range 3 {
		if !a.Take(5) {
			t.Fatal("rate 1 skips frames")
		}
	}
	a.Sample(now, 5, 6, frameOf(61))
	a.Sample(now, 5, Dropped, frameOf(1500))
	a.Sample(now, 5, Multiple|3, frameOf(63))
	a.flush(now)
	d := c.next()
	if d.DatagramVersion != 5 || d.AgentAddress.String() != "192.0.2.7" || d.SubAgentID != 3 || d.SequenceNumber != 1 || d.AgentUptime != 1500 || len(d.FlowSamples) != 3 {
		t.Fatalf("%+v", d)
	}
	for i, want := range []struct {
		frame, header uint32
		out           uint32
	}{{65, 61, 6}, {1504, 64, Dropped}, {67, 63, Multiple | 3}} {
		s := d.FlowSamples[i]
		if s.SequenceNumber != uint32(i+1) || s.SamplingRate != 1 || s.SamplePool != 3 || s.InputInterface != 5 || s.OutputInterface != want.out || s.SourceIDIndex != 5 || len(s.Records) != 2 {
			t.Errorf("sample %d: %+v", i, s)
			continue
		}
		raw := s.Records[0].(layers.SFlowRawPacketFlowRecord)
		if raw.HeaderProtocol != layers.SFlowProtoEthernet || raw.FrameLength != want.frame || raw.PayloadRemoved != 4 || raw.HeaderLength != want.header {
			t.Errorf("sample %d: %+v", i, raw)
		}
		if got := raw.Header.Data(); !bytes.HasPrefix(frameOf(1500), got[:14]) {
			t.Errorf("sample %d: header %x", i, got)
		}
		vlan := s.Records[1].(layers.SFlowExtendedSwitchFlowRecord)
		if vlan.IncomingVLAN != 12 || vlan.IncomingVLANPriority != 3 {
			t.Errorf("sample %d: %+v", i, vlan)
		}
	}
}

func TestCounterSample(t *testing.T) {
	c := newCollector(t)
	a := newAgent(t, c, 400)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		a.Run(ctx, func() []Interface {
			return []Interface{{Index: 9, SpeedMbps: 10000, Up: true, RxBytes: 1 << 40, RxPackets: 2, RxDropped: 3, RxErrors: 4, TxBytes: 5, TxPackets: 6, TxDropped: 7, TxErrors: 8}}
		})
		close(done)
	}()
	d := c.next()
	cancel()
	<-done
	if len(d.CounterSamples) == 0 {
		t.Fatalf("%+v", d)
	}
	got := d.CounterSamples[0].Records[0].(layers.SFlowGenericInterfaceCounters)
	if got.IfIndex != 9 || got.IfSpeed != 10_000_000_000 || got.IfStatus != 3 || got.IfInOctets != 1<<40 || got.IfInUcastPkts != 2 ||
		got.IfInDiscards != 3 || got.IfInErrors != 4 || got.IfOutOctets != 5 || got.IfOutUcastPkts != 6 || got.IfOutDiscards != 7 || got.IfOutErrors != 8 {
		t.Errorf("%+v", got)
	}
}

// TestRate: on average one frame in Rate is taken, and many samples are spread over
// datagrams that fit a frame.
func TestRate(t *testing.T) {
	c := newCollector(t)
	a := newAgent(t, c, 100)
	taken := 0
	for range 200_000 {
		if a.Take(1) {
			taken++
		}
	}
	if taken < 1700 || taken > 2300 { // seven times the deviation
		t.Errorf("%d of 200,000 taken, want about 2,000", taken)
	}
	for range 30 {
		a.Sample(a.start, 1, 2, frameOf(64))
	}
	a.flush(a.start)
	got := 0
	for got < 30 {
		got += len(c.next().FlowSamples)
	}
	if a.sequence < 3 {
		t.Errorf("%d datagrams for 30 samples", a.sequence)
	}
}

func TestCollectors(t *testing.T) {
	if _, err := NewAgent(Config{Collectors: []string{"no such host:1"}}); err == nil {
		t.Error("accepted")
	}
	a, err := NewAgent(Config{Collectors: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if got := a.conns[0].RemoteAddr().String(); got != "127.0.0.1:6343" {
		t.Errorf("sends to %s", got)
	}
}
