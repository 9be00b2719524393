package ofswitch

import (
	"bytes"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire/of10"
)

// checksumsOK recomputes the checksums of a frame with gopacket.
func checksumsOK(t *testing.T, frame []byte) {
	t.Helper()
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	ip, ok := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	if !ok {
		t.Fatalf("no IPv4 in %x", frame)
	}
	again := func(l ...gopacket.SerializableLayer) []byte {
		buf := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{ComputeChecksums: true}, l...); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	if got := again(ip)[10:12]; !bytes.Equal(got, ip.Contents[10:12]) {
		t.Errorf("IPv4 checksum %x, want %x", ip.Contents[10:12], got)
	}
	switch l4 := p.TransportLayer().(type) {
	case *layers.TCP:
		_ = l4.SetNetworkLayerForChecksum(ip)
		if got := again(l4, gopacket.Payload(l4.Payload))[16:18]; !bytes.Equal(got, l4.Contents[16:18]) {
			t.Errorf("TCP checksum %x, want %x", l4.Contents[16:18], got)
		}
	case *layers.UDP:
		if l4.Checksum == 0 {
			return
		}
		_ = l4.SetNetworkLayerForChecksum(ip)
		if got := again(l4, gopacket.Payload(l4.Payload))[6:8]; !bytes.Equal(got, l4.Contents[6:8]) {
			t.Errorf("UDP checksum %x, want %x", l4.Contents[6:8], got)
		}
	}
}

func conformSetFields(t *testing.T, r *rig) {
	tcp, udp := tcpFrame(1, 2, 1000, 80, 33), udpFrame(1, 2, 53, 53, []byte("abc"))
	zero := append([]byte(nil), udp...)
	zero[40], zero[41] = 0, 0 // UDP without checksum
	mac := [6]byte{2, 9, 8, 7, 6, 5}
	tests := []struct {
		name   string
		in     []byte
		action of10.Action
		get    func(packet.Header) any
		want   any
	}{
		{"set_nw_src", tcp, of10.SetNWSrc(0x0a010203), func(h packet.Header) any { return h.NWSrc }, uint32(0x0a010203)},
		{"set_nw_dst", tcp, of10.SetNWDst(0xffffffff), func(h packet.Header) any { return h.NWDst }, uint32(0xffffffff)},
		{"set_nw_dst udp", udp, of10.SetNWDst(1), func(h packet.Header) any { return h.NWDst }, uint32(1)},
		{"set_nw_dst udp without checksum", zero, of10.SetNWDst(1), func(h packet.Header) any { return h.NWDst }, uint32(1)},
		{"set_nw_tos", tcp, of10.SetNWTos(0xfc), func(h packet.Header) any { return h.NWTos }, uint8(0xfc)},
		{"set_tp_src", tcp, of10.SetTPSrc(9), func(h packet.Header) any { return h.TPSrc }, uint16(9)},
		{"set_tp_dst", tcp, of10.SetTPDst(65535), func(h packet.Header) any { return h.TPDst }, uint16(65535)},
		{"set_tp_dst udp", udp, of10.SetTPDst(7), func(h packet.Header) any { return h.TPDst }, uint16(7)},
		{"set_tp_dst udp without checksum", zero, of10.SetTPDst(7), func(h packet.Header) any { return h.TPDst }, uint16(7)},
		{"set_dl_src", tcp, of10.SetDLSrc(mac), func(h packet.Header) any { return h.DLSrc }, mac},
		{"set_dl_dst", tcp, of10.SetDLDst(mac), func(h packet.Header) any { return h.DLDst }, mac},
		{"set_vlan_vid pushes", tcp, of10.SetVLANVID(20), func(h packet.Header) any { return [2]int{int(h.DLVLAN), int(h.DLVLANPCP)} }, [2]int{20, 0}},
		{"set_vlan_vid", tag(tcp, 5, 3), of10.SetVLANVID(20), func(h packet.Header) any { return [2]int{int(h.DLVLAN), int(h.DLVLANPCP)} }, [2]int{20, 3}},
		{"set_vlan_pcp pushes", tcp, of10.SetVLANPCP(6), func(h packet.Header) any { return [2]int{int(h.DLVLAN), int(h.DLVLANPCP)} }, [2]int{0, 6}},
		{"set_vlan_pcp", tag(tcp, 5, 3), of10.SetVLANPCP(6), func(h packet.Header) any { return [2]int{int(h.DLVLAN), int(h.DLVLANPCP)} }, [2]int{5, 6}},
		{"strip_vlan", tag(tcp, 5, 3), of10.StripVLAN(), func(h packet.Header) any { return h.DLVLAN }, uint16(0xffff)},
		{"strip_vlan untagged", tcp, of10.StripVLAN(), func(h packet.Header) any { return h.DLVLAN }, uint16(0xffff)},
	}
	for _, tt := range tests {
		before := append([]byte(nil), tt.in...)
		r.must(add(1, of10.MatchAll(), output(2), tt.action, output(3), output(4)))
		r.frame(1, tt.in)
		wantPorts(t, r, 2, 3, 4)
		if !bytes.Equal(before, tt.in) || !bytes.Equal(before, r.out.Frames[0].Frame.Data) {
			t.Errorf("%s: an earlier output changed as well", tt.name)
		}
		for _, f := range r.out.Frames[1:] {
			if got := tt.get(packet.Parse(f.Frame.Data, 1)); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
			checksumsOK(t, f.Frame.Data)
		}
		if bytes.Equal(tt.in, zero) && be16(r.out.Frames[1].Frame.Data[40:]) != 0 {
			t.Errorf("%s: a UDP checksum appeared", tt.name)
		}
	}
	r.must(add(1, of10.MatchAll(), of10.SetNWTos(0x20), output(2)))
	r.frame(1, tcp) // has ECN bits 01
	if got := r.out.Frames[0].Frame.Data[15]; got != 0x21 {
		t.Errorf("tos byte %#x, want the ECN bits kept", got)
	}
}

// conformFlip swaps every address of a frame, as the reference's dl_nw_flip does.
func conformFlip(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 1000, 80, 10)
	r.must(add(1, of10.MatchAll(),
		of10.SetDLSrc([6]byte(hostMAC(2))), of10.SetDLDst([6]byte(hostMAC(1))),
		of10.SetNWSrc(0x0a000002), of10.SetNWDst(0x0a000001), of10.SetTPSrc(80), of10.SetTPDst(1000), output(of10.PortInPort)))
	r.frame(1, f)
	wantPorts(t, r, 1)
	got := r.out.Frames[0].Frame.Data
	want := tcpFrame(2, 1, 80, 1000, 10)
	if !bytes.Equal(want, got) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

func conformICMP(t *testing.T, r *rig) {
	for i, tt := range []struct{ typ, code uint8 }{{8, 0}, {0, 0}, {3, 1}, {3, 3}, {11, 0}, {5, 1}, {13, 0}, {14, 0}} {
		m := matchType(0x800)
		m.Wildcards &^= of10.WildNWProto | of10.WildTPSrc | of10.WildTPDst
		m.NWProto, m.TPSrc, m.TPDst = 1, uint16(tt.typ), uint16(tt.code)
		r.must(add(uint16(i+1), m, of10.SetTPSrc(9), output(2)))
	}
	for i, tt := range []struct{ typ, code uint8 }{{8, 0}, {0, 0}, {3, 1}, {3, 3}, {11, 0}, {5, 1}, {13, 0}, {14, 0}} {
		f := icmpFrame(1, 2, tt.typ, tt.code)
		r.frame(1, f)
		wantPorts(t, r, 2)
		if !bytes.Equal(f, r.out.Frames[0].Frame.Data) {
			t.Errorf("set_tp_src touched ICMP type %d", tt.typ)
		}
		if n := r.flows()[i].PacketCount; n != 1 {
			t.Errorf("ICMP %d/%d hit another flow", tt.typ, tt.code)
		}
	}
	r.frame(1, icmpFrame(1, 2, 3, 2))
	wantPorts(t, r)
}

func conformARP(t *testing.T, r *rig) {
	arp := func(change func(*of10.Match)) of10.Match {
		m := matchType(0x806)
		change(&m)
		return m
	}
	op := func(n uint8) func(*of10.Match) {
		return func(m *of10.Match) { m.Wildcards &^= of10.WildNWProto; m.NWProto = n }
	}
	spa := func(m *of10.Match) { m.SetNWSrcBits(0); m.NWSrc = 0x0a000001 }
	tpa := func(m *of10.Match) { m.SetNWDstBits(8); m.NWDst = 0x0a0000aa }
	other := func(m *of10.Match) { m.SetNWSrcBits(0); m.NWSrc = 0x0a000003 }
	for _, tt := range []struct {
		name string
		m    of10.Match
		op   uint16
		hit  bool
	}{
		{"any", arp(func(*of10.Match) {}), 1, true},
		{"request", arp(op(1)), 1, true},
		{"reply", arp(op(2)), 2, true},
		{"request is no reply", arp(op(2)), 1, false},
		{"sender", arp(spa), 1, true},
		{"target prefix", arp(tpa), 2, true},
		{"other sender", arp(other), 1, false},
		{"large opcode is no other's low byte", arp(op(1)), 0x101, false},
		{"large opcode counts as 0", arp(op(0)), 0x101, true},
	} {
		r.must(with(add(0, of10.MatchAll()), func(m *of10.FlowMod) { m.Command = of10.FlowDelete }))
		r.must(add(1, tt.m, of10.SetNWSrc(0x01020304), of10.SetNWDst(0x05060708), output(2)))
		f := arpFrame(tt.op, 1, 2)
		r.frame(1, f)
		if hit := len(r.out.Frames) == 1; hit != tt.hit {
			t.Errorf("%s: hit %v, want %v", tt.name, hit, tt.hit)
		} else if hit && !bytes.Equal(f, r.out.Frames[0].Frame.Data) {
			t.Errorf("%s: set_nw changed an ARP", tt.name)
		}
	}
}

func conformOptions(t *testing.T, r *rig) {
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: hostIP(1), DstIP: hostIP(2),
		Options: []layers.IPv4Option{{OptionType: 1}, {OptionType: 1}, {OptionType: 1}, {OptionType: 0}}}
	tcp := &layers.TCP{SrcPort: 1000, DstPort: 80, SYN: true, Options: []layers.TCPOption{{OptionType: 2, OptionLength: 4, OptionData: []byte{5, 180}}}}
	_ = tcp.SetNetworkLayerForChecksum(ip)
	f := serialize(&layers.Ethernet{SrcMAC: hostMAC(1), DstMAC: hostMAC(2), EthernetType: layers.EthernetTypeIPv4}, ip, tcp, gopacket.Payload("data"))
	m := matchType(0x800)
	m.Wildcards &^= of10.WildNWProto | of10.WildTPDst
	m.NWProto, m.TPDst = 6, 80
	r.must(add(1, m, of10.SetTPDst(81), of10.SetNWSrc(0x0a000009), output(2)))
	r.frame(1, f)
	wantPorts(t, r, 2)
	checksumsOK(t, r.out.Frames[0].Frame.Data)
	if h := packet.Parse(r.out.Frames[0].Frame.Data, 1); h.TPDst != 81 || h.NWSrc != 0x0a000009 {
		t.Errorf("got %+v", h)
	}
	for n := range f { // an IP header that lies, a frame that ends anywhere
		r.frame(1, f[:n])
		lie := append([]byte(nil), f...)
		lie[n] ^= 0xff
		r.frame(1, lie)
	}
}

func conformFragments(t *testing.T, r *rig) {
	frag := func(flags layers.IPv4Flag, offset uint16) []byte {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: hostIP(1), DstIP: hostIP(2), Flags: flags, FragOffset: offset}
		return serialize(&layers.Ethernet{SrcMAC: hostMAC(1), DstMAC: hostMAC(2), EthernetType: layers.EthernetTypeIPv4},
			ip, gopacket.Payload([]byte{0, 53, 0, 80, 0, 24, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}))
	}
	first, later, whole := frag(layers.IPv4MoreFragments, 0), frag(0, 3), frag(0, 0)
	m := matchType(0x800)
	m.Wildcards &^= of10.WildNWProto | of10.WildTPDst
	m.NWProto = 17
	r.must(add(1, m, output(2))) // tp_dst 0
	m.TPDst = 80
	r.must(add(1, m, output(3))) // tp_dst 80
	for _, tt := range []struct {
		f    []byte
		want of10.Port
	}{{first, 2}, {later, 2}, {whole, 3}} {
		r.frame(1, tt.f)
		wantPorts(t, r, tt.want)
	}
	r.must(&of10.SetConfig{Flags: of10.FragDrop, MissSendLen: 128})
	r.frame(1, first)
	wantPorts(t, r)
	r.frame(1, later)
	wantPorts(t, r)
	r.frame(1, whole)
	wantPorts(t, r, 3)
	if n := r.p.Counters().Fragments; n != 2 {
		t.Errorf("%d fragments counted", n)
	}
}

// TestOffloadedFields: a frame whose checksum the sender left to the hardware is
// right after rewriting, once somebody finishes it. No kernel would notice: it
// does not verify what it believes unfinished.
func TestOffloadedFields(t *testing.T) {
	tcp, udp := tcpFrame(1, 2, 1000, 80, 33), udpFrame(1, 2, 53, 53, []byte("abc"))
	for _, frame := range [][]byte{tcp, tag(tcp, 5, 3), udp, tag(udp, 1, 0)} {
		for _, actions := range [][]of10.Action{
			{of10.SetNWSrc(0x0a010203)}, {of10.SetNWDst(0xfffffffe)}, {of10.SetTPSrc(9)}, {of10.SetTPDst(65535)}, {of10.SetNWTos(0x20)},
			{of10.SetVLANVID(7)}, {of10.StripVLAN()}, {of10.SetVLANVID(7), of10.SetNWSrc(5), of10.StripVLAN(), of10.SetTPDst(6)},
		} {
			l4, sum := 34, 16
			if packet.Tagged(frame) {
				l4 += 4
			}
			if packet.Parse(frame, 1).NWProto == 17 {
				sum = 6
			}
			in := InFrame{Data: append([]byte(nil), frame...), Offload: port.Offload{Flags: 1, CsumStart: uint16(l4), CsumOffset: uint16(sum)}}
			in.Offload.Reseed(in.Data)
			if bytes.Equal(in.Data, frame) {
				t.Fatal("the checksum is finished before the test begins")
			}
			r := newRig(t, Config{})
			r.must(add(1, of10.MatchAll(), append(actions, output(2), of10.Output(of10.PortController, 0xffff))...))
			r.out.Reset()
			r.p.HandleFrame(r.now, 1, in, &r.out)
			wantPorts(t, r, 2)
			r.out.Frames[0].Frame.Plain(func(b []byte) { checksumsOK(t, b) })
			checksumsOK(t, one[*of10.PacketIn](t, r.messages(ctl)).Data)
			if t.Failed() {
				t.Fatalf("after %v on %x", actions, frame)
			}
		}
	}
}
