package host

import (
	"encoding/binary"
	"net/netip"

	"github.com/govisor/govisor/ofwire"
)

// kind is what a frame is, of those a host understands.
type kind uint8

const (
	arpRequest kind = iota + 1
	arpReply
	echoRequest
	echoReply
)

const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherVLAN = 0x8100

	arpLen   = 28
	ipv4Len  = 20
	icmpLen  = 8
	protICMP = 1
)

// echoIdent and echoText are in our echo requests.
const echoIdent = 0x6776

var echoText = []byte("govisor: in at one port and out at the next, unless a slice is in between")

// received is what a frame says.
type received struct {
	src, dst     ofwire.MAC
	vlan         uint16
	kind         kind
	srcIP, dstIP netip.Addr
	sequence     uint16
	text         []byte // of an echo; aliases the frame
}

func appendEthernet(b []byte, from, to Address, kind uint16) []byte {
	b = append(b, to.MAC[:]...)
	b = append(b, from.MAC[:]...)
	if from.VLAN != 0 {
		b = binary.BigEndian.AppendUint16(b, etherVLAN)
		b = binary.BigEndian.AppendUint16(b, from.VLAN)
	}
	return binary.BigEndian.AppendUint16(b, kind)
}

// appendARP makes an ARP message from one host to another, whose MAC may be
// broadcast.
func appendARP(b []byte, from, to Address, k kind) []byte {
	b = appendEthernet(b, from, to, etherARP)
	b = append(b, 0, 1, 8, 0, 6, 4, 0, byte(k-arpRequest)+1)
	b = append(b, from.MAC[:]...)
	b = append(b, from.IP.AsSlice()...)
	target := to.MAC
	if k == arpRequest {
		target = ofwire.MAC{}
	}
	b = append(b, target[:]...)
	return append(b, to.IP.AsSlice()...)
}

// appendEcho makes an ICMP echo request or reply in IPv4.
func appendEcho(b []byte, from, to Address, k kind, sequence uint16, text []byte) []byte {
	b = appendEthernet(b, from, to, etherIPv4)
	ip := len(b)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(ipv4Len+icmpLen+len(text)))
	b = append(b, 0, 0, 0, 0, 64, protICMP, 0, 0)
	b = append(b, from.IP.AsSlice()...)
	b = append(b, to.IP.AsSlice()...)
	binary.BigEndian.PutUint16(b[ip+10:], checksum(b[ip:ip+ipv4Len]))
	icmp := len(b)
	code := byte(8)
	if k == echoReply {
		code = 0
	}
	b = append(b, code, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, echoIdent)
	b = binary.BigEndian.AppendUint16(b, sequence)
	b = append(b, text...)
	binary.BigEndian.PutUint16(b[icmp+2:], checksum(b[icmp:]))
	return b
}

// read takes a frame apart; false if it is not one that a host understands.
func read(b []byte) (received, bool) {
	if len(b) < 14 {
		return received{}, false
	}
	r := received{dst: ofwire.MAC(b[:6]), src: ofwire.MAC(b[6:12])}
	ether, rest := binary.BigEndian.Uint16(b[12:]), b[14:]
	if ether == etherVLAN && len(rest) >= 4 {
		r.vlan = binary.BigEndian.Uint16(rest) & 0xfff
		ether, rest = binary.BigEndian.Uint16(rest[2:]), rest[4:]
	}
	switch ether {
	case etherARP:
		return r, r.readARP(rest)
	case etherIPv4:
		return r, r.readIPv4(rest)
	}
	return r, false
}

func (r *received) readARP(b []byte) bool {
	if len(b) < arpLen || binary.BigEndian.Uint16(b[2:]) != etherIPv4 {
		return false
	}
	r.srcIP, r.dstIP = netip.AddrFrom4([4]byte(b[14:])), netip.AddrFrom4([4]byte(b[24:]))
	switch binary.BigEndian.Uint16(b[6:]) {
	case 1:
		r.kind = arpRequest
	case 2:
		r.kind = arpReply
	default:
		return false
	}
	return true
}

func (r *received) readIPv4(b []byte) bool {
	if len(b) < ipv4Len || b[0] != 0x45 || b[9] != protICMP || checksum(b[:ipv4Len]) != 0 {
		return false
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total < ipv4Len+icmpLen || total > len(b) || checksum(b[ipv4Len:total]) != 0 {
		return false
	}
	r.srcIP, r.dstIP = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	icmp := b[ipv4Len:total]
	switch {
	case icmp[0] == 8 && icmp[1] == 0:
		r.kind = echoRequest
	case icmp[0] == 0 && icmp[1] == 0 && binary.BigEndian.Uint16(icmp[4:]) == echoIdent:
		r.kind = echoReply
	default:
		return false
	}
	r.sequence, r.text = binary.BigEndian.Uint16(icmp[6:]), icmp[icmpLen:]
	return true
}

// checksum is the Internet checksum (RFC 1071); over correct data it is 0.
func checksum(b []byte) uint16 {
	var sum uint32
	for len(b) >= 2 {
		sum += uint32(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
