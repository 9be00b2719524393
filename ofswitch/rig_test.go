package ofswitch

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// rig drives a Pipeline the way a controller and some hosts would.
type rig struct {
	t   testing.TB
	p   *Pipeline
	now time.Time
	out Out
	xid uint32
}

const ctl ConnID = 1

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// newRig makes a switch with ports 1 to 4 and one primary connection.
func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, p: New(cfg), now: epoch, xid: 100}
	for no := range 4 {
		r.addPort(of10.Port(no + 1))
	}
	r.p.Connect(ctl, Primary)
	r.out.Reset()
	return r
}

func portMAC(no of10.Port) ofwire.MAC { return ofwire.MAC{2, 0, 0, 0, 1, byte(no)} }

func (r *rig) addPort(no of10.Port, queues ...QueueConfig) {
	r.t.Helper()
	desc := of10.PhyPort{PortNo: no, HWAddr: portMAC(no), Name: fmt.Sprintf("p%d", uint16(no)), Curr: of10.PortFeature10GbFD}
	if err := r.p.AddPort(r.now, desc, queues, &r.out); err != nil {
		r.t.Fatal(err)
	}
}

// raw sends bytes as a message and returns the answers, encoded.
func (r *rig) raw(b []byte) []of10.Message {
	r.t.Helper()
	r.out.Reset()
	r.p.HandleMessage(r.now, ctl, b, &r.out)
	return r.messages(ctl)
}

// messages decodes what the last step sent to a connection.
func (r *rig) messages(id ConnID) []of10.Message {
	r.t.Helper()
	var list []of10.Message
	for _, m := range r.out.Messages {
		if m.Conn != id {
			continue
		}
		parsed, err := of10.Parse(append([]byte(nil), m.Data...))
		if err != nil {
			r.t.Fatalf("the switch sent %x: %v", m.Data, err)
		}
		list = append(list, parsed)
	}
	return list
}

// send encodes and sends m with a new xid.
func (r *rig) send(m of10.Message) []of10.Message {
	r.t.Helper()
	r.xid++
	m.SetTransactionID(r.xid)
	b, err := m.AppendBinary(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.raw(b)
}

// must sends a message that has no answer.
func (r *rig) must(m of10.Message) {
	r.t.Helper()
	if got := r.send(m); len(got) != 0 {
		r.t.Fatalf("%v was answered with %v", m, got[0])
	}
}

// frame lets a frame enter by a port and returns "port:bytes" of what leaves.
func (r *rig) frame(in of10.Port, data []byte) []OutFrame {
	r.out.Reset()
	r.p.HandleFrame(r.now, in, InFrame{Data: data}, &r.out)
	return r.out.Frames
}

// ports lists the ports the last step sent frames to.
func (r *rig) ports() []of10.Port {
	var list []of10.Port
	for _, f := range r.out.Frames {
		list = append(list, f.Port)
	}
	return list
}

// flows asks the switch for its flows.
func (r *rig) flows() []of10.FlowStats {
	r.t.Helper()
	var list []of10.FlowStats
	for _, m := range r.send(&of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{
		Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone,
	}}) {
		list = append(list, m.(*of10.StatsReply).Body.(of10.FlowStatsReply)...)
	}
	return list
}

func add(priority uint16, m of10.Match, actions ...of10.Action) *of10.FlowMod {
	return &of10.FlowMod{
		Match: m, Command: of10.FlowAdd, Priority: priority,
		BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: actions,
	}
}

func with(fm *of10.FlowMod, change func(*of10.FlowMod)) *of10.FlowMod {
	change(fm)
	return fm
}

func output(p of10.Port) of10.Action { return of10.Output(p, 0xffff) }

func inPort(p of10.Port) of10.Match {
	m := of10.MatchAll()
	m.Wildcards &^= of10.WildInPort
	m.InPort = p
	return m
}

func matchType(typ uint16) of10.Match {
	m := of10.MatchAll()
	m.Wildcards &^= of10.WildDLType
	m.DLType = typ
	return m
}

// host n has MAC 02:..:n and address 10.0.0.n.
func hostMAC(n byte) []byte { return []byte{2, 0, 0, 0, 0, n} }

func hostIP(n byte) []byte { return []byte{10, 0, 0, n} }

func serialize(l ...gopacket.SerializableLayer) []byte {
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, l...); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// tcpFrame is a TCP segment from host src to host dst.
func tcpFrame(src, dst byte, sport, dport uint16, payload int) []byte {
	ip := &layers.IPv4{Version: 4, TTL: 64, TOS: 1, Protocol: layers.IPProtocolTCP, SrcIP: hostIP(src), DstIP: hostIP(dst)}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), SYN: true, Window: 1000}
	_ = tcp.SetNetworkLayerForChecksum(ip)
	return serialize(&layers.Ethernet{SrcMAC: hostMAC(src), DstMAC: hostMAC(dst), EthernetType: layers.EthernetTypeIPv4},
		ip, tcp, gopacket.Payload(make([]byte, payload)))
}

func udpFrame(src, dst byte, sport, dport uint16, payload []byte) []byte {
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: hostIP(src), DstIP: hostIP(dst)}
	udp := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
	_ = udp.SetNetworkLayerForChecksum(ip)
	return serialize(&layers.Ethernet{SrcMAC: hostMAC(src), DstMAC: hostMAC(dst), EthernetType: layers.EthernetTypeIPv4},
		ip, udp, gopacket.Payload(payload))
}

func icmpFrame(src, dst byte, typ, code uint8) []byte {
	return serialize(&layers.Ethernet{SrcMAC: hostMAC(src), DstMAC: hostMAC(dst), EthernetType: layers.EthernetTypeIPv4},
		&layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolICMPv4, SrcIP: hostIP(src), DstIP: hostIP(dst)},
		&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(typ, code), Id: 7, Seq: 1}, gopacket.Payload("ping"))
}

func arpFrame(op uint16, src, dst byte) []byte {
	return serialize(&layers.Ethernet{SrcMAC: hostMAC(src), DstMAC: []byte{255, 255, 255, 255, 255, 255}, EthernetType: layers.EthernetTypeARP},
		&layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: op,
			SourceHwAddress: hostMAC(src), SourceProtAddress: hostIP(src), DstHwAddress: make([]byte, 6), DstProtAddress: hostIP(dst)})
}

// ethFrame has only addresses and a type.
func ethFrame(src, dst byte, typ uint16, size int) []byte {
	b := make([]byte, max(14, size))
	copy(b, hostMAC(dst))
	copy(b[6:], hostMAC(src))
	binary.BigEndian.PutUint16(b[12:], typ)
	return b
}

// tag inserts an 802.1Q tag.
func tag(b []byte, vid uint16, pcp uint8) []byte {
	out := append([]byte(nil), b[:12]...)
	out = binary.BigEndian.AppendUint16(out, 0x8100)
	out = binary.BigEndian.AppendUint16(out, uint16(pcp)<<13|vid)
	return append(out, b[12:]...)
}

func wantError(t *testing.T, got []of10.Message, typ of10.ErrorType, code uint16, xid uint32, offending []byte) {
	t.Helper()
	if len(got) == 0 {
		t.Fatalf("no answer, want %s", of10.ErrorName(typ, code))
	}
	e, ok := got[len(got)-1].(*of10.Error)
	if !ok || e.ErrType != typ || e.Code != code {
		t.Fatalf("answer %v, want %s", got, of10.ErrorName(typ, code))
	}
	if e.XID != xid {
		t.Errorf("error has xid %#x, want %#x", e.XID, xid)
	}
	if string(e.Data) != string(offending) {
		t.Errorf("error quotes %x, want %x", e.Data, offending)
	}
}
