package of10

import "github.com/govisor/govisor/ofwire"

// MatchLen is the size of an encoded Match.
const MatchLen = 40

// Wildcard bits of a Match (section 5.2.3). The two address fields are six-bit counts of
// low bits to ignore; 32 and more ignore the whole address.
const (
	WildInPort  uint32 = 1 << 0
	WildDLVLAN  uint32 = 1 << 1
	WildDLSrc   uint32 = 1 << 2
	WildDLDst   uint32 = 1 << 3
	WildDLType  uint32 = 1 << 4
	WildNWProto uint32 = 1 << 5
	WildTPSrc   uint32 = 1 << 6
	WildTPDst   uint32 = 1 << 7

	WildNWSrcShift        = 8
	WildNWSrcMask  uint32 = 63 << WildNWSrcShift
	WildNWSrcAll   uint32 = 32 << WildNWSrcShift
	WildNWDstShift        = 14
	WildNWDstMask  uint32 = 63 << WildNWDstShift
	WildNWDstAll   uint32 = 32 << WildNWDstShift

	WildDLVLANPCP uint32 = 1 << 20
	WildNWTos     uint32 = 1 << 21

	// WildAll is the specification's OFPFW_ALL.
	WildAll uint32 = 1<<22 - 1
	// WildAllCanonical is "everything wild" after Normalize and as Open vSwitch sends it:
	// 32 ignored bits in both addresses, not 63.
	WildAllCanonical = WildAll&^(WildNWSrcMask|WildNWDstMask) | WildNWSrcAll | WildNWDstAll
)

// Ethertypes and IP protocols that give other fields a meaning.
const (
	EtherTypeIPv4 uint16 = 0x0800
	EtherTypeARP  uint16 = 0x0806
	EtherTypeVLAN uint16 = 0x8100
	// EtherTypeNone is the dl_type of a frame without one (802.3 without SNAP).
	EtherTypeNone uint16 = 0x05ff

	ProtoICMP uint8 = 1
	ProtoTCP  uint8 = 6
	ProtoUDP  uint8 = 17
)

// Match is a region of header space (section 5.2.3). A field counts only if its wildcard
// bit is clear. The zero Match is exact in every field; [MatchAll] matches everything.
type Match struct {
	Wildcards uint32
	InPort    Port
	DLSrc     ofwire.MAC
	DLDst     ofwire.MAC
	DLVLAN    uint16 // VLANNone: untagged
	DLVLANPCP uint8
	DLType    uint16
	NWTos     uint8  // upper six bits, in place
	NWProto   uint8  // IP protocol, or low byte of the ARP opcode
	NWSrc     uint32 // most significant byte first, like 10.0.0.1 = 0x0a000001
	NWDst     uint32
	TPSrc     uint16 // or ICMP type
	TPDst     uint16 // or ICMP code
}

// MatchAll matches every frame. It is in normal form.
func MatchAll() Match { return Match{Wildcards: WildAllCanonical} }

// NWSrcBits is the number of low bits of NWSrc that are ignored, 0 to 32.
func (m *Match) NWSrcBits() int { return ignoredBits(m.Wildcards, WildNWSrcShift) }

// NWDstBits is the number of low bits of NWDst that are ignored, 0 to 32.
func (m *Match) NWDstBits() int { return ignoredBits(m.Wildcards, WildNWDstShift) }

// NWSrcMask has the bits of NWSrc set that count.
func (m *Match) NWSrcMask() uint32 { return ^uint32(0) << m.NWSrcBits() }

// NWDstMask has the bits of NWDst set that count.
func (m *Match) NWDstMask() uint32 { return ^uint32(0) << m.NWDstBits() }

// SetNWSrcBits makes n low bits of NWSrc ignored; n over 32 counts as 32.
func (m *Match) SetNWSrcBits(n int) {
	m.Wildcards = m.Wildcards&^WildNWSrcMask | uint32(min(max(n, 0), 32))<<WildNWSrcShift
}

// SetNWDstBits makes n low bits of NWDst ignored; n over 32 counts as 32.
func (m *Match) SetNWDstBits(n int) {
	m.Wildcards = m.Wildcards&^WildNWDstMask | uint32(min(max(n, 0), 32))<<WildNWDstShift
}

// Exact reports whether no field is wild. Such a flow goes before all others, whatever
// its priority (section 3.4).
func (m *Match) Exact() bool { return m.Wildcards&WildAll == 0 }

func ignoredBits(wildcards uint32, shift int) int {
	return min(int(wildcards>>shift&63), 32)
}

// Append adds the 40 encoded bytes to b.
func (m *Match) Append(b []byte) []byte {
	b = be.AppendUint32(b, m.Wildcards)
	b = be.AppendUint16(b, uint16(m.InPort))
	b = append(b, m.DLSrc[:]...)
	b = append(b, m.DLDst[:]...)
	b = be.AppendUint16(b, m.DLVLAN)
	b = append(b, m.DLVLANPCP, 0)
	b = be.AppendUint16(b, m.DLType)
	b = append(b, m.NWTos, m.NWProto, 0, 0)
	b = be.AppendUint32(b, m.NWSrc)
	b = be.AppendUint32(b, m.NWDst)
	b = be.AppendUint16(b, m.TPSrc)
	return be.AppendUint16(b, m.TPDst)
}

func (m *Match) decode(b *[MatchLen]byte) {
	m.Wildcards = be.Uint32(b[0:])
	m.InPort = Port(be.Uint16(b[4:]))
	m.DLSrc = ofwire.MAC(b[6:12])
	m.DLDst = ofwire.MAC(b[12:18])
	m.DLVLAN = be.Uint16(b[18:])
	m.DLVLANPCP = b[20]
	m.DLType = be.Uint16(b[22:])
	m.NWTos = b[24]
	m.NWProto = b[25]
	m.NWSrc = be.Uint32(b[28:])
	m.NWDst = be.Uint32(b[32:])
	m.TPSrc = be.Uint16(b[36:])
	m.TPDst = be.Uint16(b[38:])
}

// Normalize returns the one form of all matches that say the same, so that normalised
// matches can be compared with == and used as map keys. Switches send a flow back in
// other bytes than they got, each in its own way; compare after normalising both.
//
//   - Bits above the 22 defined are dropped, address counts over 32 become 32, and fields
//     that do not count are zero.
//   - dl_vlan is cut to 12 bits unless VLANNone, with which dl_vlan_pcp becomes 0 (its
//     wildcard bit stays); dl_vlan_pcp is cut to three bits, nw_tos to its upper six.
//   - Address bits that are ignored are zero.
//   - nw_src, nw_dst and nw_proto count only with dl_type IPv4 or ARP, nw_tos only with
//     IPv4, tp_src and tp_dst only with IPv4 and nw_proto TCP, UDP or ICMP; where they do
//     not count they are wild.
//
// This is what Open vSwitch does. The reference implementation differs: it keeps ignored
// address bits and counts over 32, keeps dl_vlan_pcp with VLANNone, and instead of making
// senseless nw and tp fields wild it makes them exact 0 when dl_type (or nw_proto) is
// given, which can turn such a flow into one without wildcards.
func (m Match) Normalize() Match {
	w := m.Wildcards & WildAll
	if nw, ip := m.networkFields(); !nw {
		w |= WildNWProto | WildNWSrcAll | WildNWDstAll | WildNWTos | WildTPSrc | WildTPDst
	} else if !ip {
		w |= WildNWTos | WildTPSrc | WildTPDst
	} else if !m.transportFields() {
		w |= WildTPSrc | WildTPDst
	}
	n := Match{Wildcards: w}
	n.SetNWSrcBits(ignoredBits(w, WildNWSrcShift))
	n.SetNWDstBits(ignoredBits(w, WildNWDstShift))
	n.NWSrc = m.NWSrc & n.NWSrcMask()
	n.NWDst = m.NWDst & n.NWDstMask()
	if w&WildInPort == 0 {
		n.InPort = m.InPort
	}
	if w&WildDLSrc == 0 {
		n.DLSrc = m.DLSrc
	}
	if w&WildDLDst == 0 {
		n.DLDst = m.DLDst
	}
	if w&WildDLVLAN == 0 {
		n.DLVLAN = m.DLVLAN
		if m.DLVLAN != VLANNone {
			n.DLVLAN &= 0xfff
		}
	}
	if w&WildDLVLANPCP == 0 && !(w&WildDLVLAN == 0 && m.DLVLAN == VLANNone) {
		n.DLVLANPCP = m.DLVLANPCP & 7
	}
	if w&WildDLType == 0 {
		n.DLType = m.DLType
	}
	if w&WildNWTos == 0 {
		n.NWTos = m.NWTos & 0xfc
	}
	if w&WildNWProto == 0 {
		n.NWProto = m.NWProto
	}
	if w&WildTPSrc == 0 {
		n.TPSrc = m.TPSrc
	}
	if w&WildTPDst == 0 {
		n.TPDst = m.TPDst
	}
	return n
}

// networkFields reports whether nw_src, nw_dst and nw_proto mean something, and whether
// the frame is IPv4.
func (m *Match) networkFields() (nw, ip bool) {
	if m.Wildcards&WildDLType != 0 {
		return false, false
	}
	return m.DLType == EtherTypeIPv4 || m.DLType == EtherTypeARP, m.DLType == EtherTypeIPv4
}

// transportFields reports whether tp_src and tp_dst mean something, given IPv4.
func (m *Match) transportFields() bool {
	return m.Wildcards&WildNWProto == 0 &&
		(m.NWProto == ProtoTCP || m.NWProto == ProtoUDP || m.NWProto == ProtoICMP)
}
