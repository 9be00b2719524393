package packet_test

import (
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// randomFrame builds a well-formed frame with gopacket and says what it chose.
func randomFrame(t testing.TB, r *rand.Rand) []byte {
	t.Helper()
	mac := func() net.HardwareAddr {
		b := make([]byte, 6)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	ip := func() net.IP {
		return net.IPv4(byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())).To4()
	}
	payload := make([]byte, r.IntN(64))
	for i := range payload {
		payload[i] = byte(r.Uint32())
	}
	eth := &layers.Ethernet{SrcMAC: mac(), DstMAC: mac()}
	stack := []gopacket.SerializableLayer{eth}
	setType := func(t layers.EthernetType) { eth.EthernetType = t }
	if r.IntN(3) == 0 {
		tag := &layers.Dot1Q{VLANIdentifier: uint16(r.IntN(4096)), Priority: uint8(r.IntN(8)), DropEligible: r.IntN(2) == 0}
		eth.EthernetType = layers.EthernetTypeDot1Q
		setType = func(t layers.EthernetType) { tag.Type = t }
		stack = append(stack, tag)
	}
	switch r.IntN(8) {
	case 0:
		setType(layers.EthernetTypeARP)
		stack = append(stack, &layers.ARP{
			AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
			Operation: uint16(r.IntN(600)), SourceHwAddress: mac(), SourceProtAddress: ip(), DstHwAddress: mac(), DstProtAddress: ip(),
		})
	case 1:
		setType(layers.EthernetType(0x0900 + r.IntN(0x6000)))
		stack = append(stack, gopacket.Payload(payload))
	default:
		setType(layers.EthernetTypeIPv4)
		ip4 := &layers.IPv4{Version: 4, IHL: 5, TOS: uint8(r.Uint32()), Id: uint16(r.Uint32()), TTL: 64, SrcIP: ip(), DstIP: ip()}
		if r.IntN(3) == 0 {
			ip4.Options = []layers.IPv4Option{{OptionType: 0x94, OptionLength: 4, OptionData: []byte{0, 0}}}
		}
		stack = append(stack, ip4)
		switch r.IntN(5) {
		case 0:
			ip4.Protocol = layers.IPProtocolTCP
			l := &layers.TCP{SrcPort: layers.TCPPort(r.Uint32()), DstPort: layers.TCPPort(r.Uint32()), Seq: r.Uint32(), SYN: true}
			l.SetNetworkLayerForChecksum(ip4)
			stack = append(stack, l, gopacket.Payload(payload))
		case 1:
			ip4.Protocol = layers.IPProtocolUDP
			l := &layers.UDP{SrcPort: layers.UDPPort(r.Uint32()), DstPort: layers.UDPPort(r.Uint32())}
			l.SetNetworkLayerForChecksum(ip4)
			stack = append(stack, l, gopacket.Payload(payload))
		case 2:
			ip4.Protocol = layers.IPProtocolICMPv4
			stack = append(stack, &layers.ICMPv4{TypeCode: layers.ICMPv4TypeCode(r.Uint32())}, gopacket.Payload(payload))
		case 3:
			ip4.Protocol = layers.IPProtocol(100 + r.IntN(20))
			stack = append(stack, gopacket.Payload(payload))
		case 4:
			ip4.Protocol = layers.IPProtocolUDP
			if ip4.FragOffset = uint16(r.IntN(0x1fff)); ip4.FragOffset == 0 || r.IntN(2) == 0 {
				ip4.Flags = layers.IPv4MoreFragments
			}
			stack = append(stack, gopacket.Payload(payload))
		}
	}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, stack...); err != nil {
		t.Fatalf("building a frame: %v", err)
	}
	return buf.Bytes()
}
