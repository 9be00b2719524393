package packet

import "encoding/binary"

// Values of header fields that have a meaning of their own.
const (
	VLANNone = 0xffff // DLVLAN of a frame without 802.1Q tag
	TypeNone = 0x05ff // DLType of an IEEE 802.3 frame without SNAP ethertype
)

// Ethertypes and IP protocols this package looks into.
const (
	TypeIPv4  = 0x0800
	TypeARP   = 0x0806
	TypeVLAN  = 0x8100 // IEEE 802.1Q
	TypeSVLAN = 0x88a8 // IEEE 802.1ad, a service tag
	TypeLLDP  = 0x88cc

	ProtoICMP = 1
	ProtoTCP  = 6
	ProtoUDP  = 17
)

const (
	ethLen   = 14
	tagLen   = 4
	llcLen   = 8 // LLC and SNAP together
	ipv4Len  = 20
	arpLen   = 28 // ARP for IPv4 over Ethernet
	tcpLen   = 20
	udpLen   = 8
	icmpLen  = 4 // type, code and checksum
	minType  = 0x0600
	arpEther = 1 // hardware type
	fragMore = 0x2000
	fragOff  = 0x1fff
)

// Header is one point of the header space: the fields an OpenFlow 1.0 match
// compares (specification section 3.4). It is comparable and usable as a map key.
type Header struct {
	InPort       uint32
	DLSrc, DLDst [6]byte
	DLVLAN       uint16 // 12-bit vid, or VLANNone
	DLVLANPCP    uint8  // valid iff DLVLAN != VLANNone
	DLType       uint16 // TypeNone for 802.3 without SNAP
	NWTos        uint8  // IPv4 only; DSCP in place, the ECN bits are zero
	NWProto      uint8  // IPv4 protocol, or the ARP opcode if it is below 256
	NWSrc, NWDst uint32 // IPv4 addresses, or ARP sender and target
	TPSrc, TPDst uint16 // TCP/UDP ports or ICMP type and code; 0 in fragments
}

// Info tells where the layers of a parsed frame are.
type Info struct {
	L3       uint16 // offset of what follows the ethertype; 0 if there is none
	L4       uint16 // offset behind a complete IPv4 header; 0 if there is none
	Fragment bool   // an IPv4 fragment, the first one included
	First    bool   // the fragment with offset 0, which holds the L4 header
	Short    bool   // the frame ends inside a header that should be there
}

// Parse returns the header of frame as received on inPort. A frame that ends
// early leaves the fields of the missing headers zero.
func Parse(frame []byte, inPort uint32) Header {
	var h Header
	ParseInto(frame, inPort, &h)
	return h
}

// ParseInto is Parse into the caller's h, which it overwrites completely.
func ParseInto(frame []byte, inPort uint32, h *Header) Info {
	*h = Header{InPort: inPort, DLVLAN: VLANNone}
	if len(frame) < ethLen {
		return Info{Short: true}
	}
	var info Info
	h.DLDst = [6]byte(frame[0:6])
	h.DLSrc = [6]byte(frame[6:12])
	typ, off := be16(frame[12:14]), ethLen
	if IsTag(typ) {
		if len(frame) < ethLen+tagLen {
			h.DLType = typ
			info.L3, info.Short = ethLen, true
			return info
		}
		tci := be16(frame[14:16])
		h.DLVLAN, h.DLVLANPCP = tci&0x0fff, uint8(tci>>13)
		typ, off = be16(frame[16:18]), ethLen+tagLen
	}
	if typ < minType {
		typ, off = llcType(frame, off)
	}
	h.DLType = typ
	info.L3 = uint16(off)
	switch typ {
	case TypeIPv4:
		parseIPv4(frame[off:], h, &info)
	case TypeARP:
		parseARP(frame[off:], h, &info)
	}
	return info
}

// IsTag reports whether a VLAN tag follows an ethertype. A service tag counts like
// any other, and 0x9100 does not, as in Open vSwitch (since version 2.8).
func IsTag(typ uint16) bool { return typ == TypeVLAN || typ == TypeSVLAN }

// llcType reads the ethertype of an 802.3 frame whose LLC header is at off.
func llcType(frame []byte, off int) (typ uint16, next int) {
	b := frame[off:]
	if len(b) >= llcLen && b[0] == 0xaa && b[1] == 0xaa && b[2] == 0x03 &&
		b[3]|b[4]|b[5] == 0 {
		return be16(b[6:8]), off + llcLen
	}
	return TypeNone, off
}

func parseIPv4(b []byte, h *Header, info *Info) {
	if len(b) < ipv4Len {
		info.Short = true
		return
	}
	hlen := int(b[0]&0x0f) * 4
	if hlen < ipv4Len || len(b) < hlen {
		info.Short = true
		return
	}
	h.NWTos = b[1] & 0xfc
	h.NWProto = b[9]
	h.NWSrc = binary.BigEndian.Uint32(b[12:16])
	h.NWDst = binary.BigEndian.Uint32(b[16:20])
	info.L4 = info.L3 + uint16(hlen)
	if frag := be16(b[6:8]); frag&(fragMore|fragOff) != 0 {
		info.Fragment, info.First = true, frag&fragOff == 0
		return
	}
	l4 := b[hlen:]
	var need int
	switch h.NWProto {
	case ProtoTCP:
		need = tcpLen
	case ProtoUDP:
		need = udpLen
	case ProtoICMP:
		if len(l4) >= icmpLen {
			h.TPSrc, h.TPDst = uint16(l4[0]), uint16(l4[1])
			return
		}
		need = icmpLen
	default:
		return
	}
	if len(l4) < need { // no ports then, but the protocol stays, as in Open vSwitch
		info.Short = true
		return
	}
	h.TPSrc, h.TPDst = be16(l4[0:2]), be16(l4[2:4])
}

// parseARP takes what Open vSwitch takes, in the kernel and outside: only ARP for IPv4
// over Ethernet has fields, and an opcode above 255 counts as 0.
func parseARP(b []byte, h *Header, info *Info) {
	if len(b) < arpLen {
		info.Short = true
		return
	}
	if be16(b[0:2]) != arpEther || be16(b[2:4]) != TypeIPv4 || b[4] != 6 || b[5] != 4 {
		return
	}
	if b[6] == 0 {
		h.NWProto = b[7]
	}
	h.NWSrc = binary.BigEndian.Uint32(b[14:18])
	h.NWDst = binary.BigEndian.Uint32(b[24:28])
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
