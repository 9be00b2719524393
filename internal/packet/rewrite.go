package packet

import "encoding/binary"

// The functions below apply one OpenFlow 1.0 set-field action (specification
// section 5.2.4) to a frame in place. A frame the action does not apply to (no
// IPv4, no TCP or UDP, cut short) is left as it is.

// SetVLANVID sets the VLAN id, adding a tag with priority 0 to an untagged
// frame; a tag that is there keeps its type. It returns the frame, which moves only if a tag had to be added and
// cap(frame) had no room for it.
func SetVLANVID(frame []byte, vid uint16) []byte {
	if len(frame) < ethLen {
		return frame
	}
	if !Tagged(frame) {
		return addTag(frame, vid&0x0fff)
	}
	frame[14] = frame[14]&0xf0 | byte(vid>>8)&0x0f
	frame[15] = byte(vid)
	return frame
}

// SetVLANPCP sets the VLAN priority, adding a tag with VLAN id 0 to an untagged
// frame. It returns the frame as SetVLANVID does.
func SetVLANPCP(frame []byte, pcp uint8) []byte {
	if len(frame) < ethLen {
		return frame
	}
	if !Tagged(frame) {
		return addTag(frame, uint16(pcp&7)<<13)
	}
	frame[14] = frame[14]&0x1f | pcp<<5
	return frame
}

// StripVLAN removes the outer tag, if any. The result shares frame's memory
// and begins four bytes later.
func StripVLAN(frame []byte) []byte {
	if !Tagged(frame) {
		return frame
	}
	copy(frame[tagLen:], frame[:12])
	return frame[tagLen:]
}

// Tagged reports whether frame has a complete 802.1Q or 802.1ad tag.
func Tagged(frame []byte) bool {
	return len(frame) >= ethLen+tagLen && IsTag(be16(frame[12:14]))
}

// SetDLSrc sets the Ethernet source address.
func SetDLSrc(frame []byte, addr [6]byte) {
	if len(frame) >= ethLen {
		copy(frame[6:12], addr[:])
	}
}

// SetDLDst sets the Ethernet destination address.
func SetDLDst(frame []byte, addr [6]byte) {
	if len(frame) >= ethLen {
		copy(frame[0:6], addr[:])
	}
}

// SetNWSrc sets the IPv4 source address and mends the IPv4 and the TCP or UDP
// checksum. ARP is left alone, as Open vSwitch does.
func SetNWSrc(frame []byte, addr uint32) { setNWAddr(frame, 12, addr) }

// SetNWDst is SetNWSrc for the destination address.
func SetNWDst(frame []byte, addr uint32) { setNWAddr(frame, 16, addr) }

// SetNWTos sets the six DSCP bits, given in place, and keeps the ECN bits.
func SetNWTos(frame []byte, tos uint8) {
	ip, _, ok := ipv4(frame)
	if !ok {
		return
	}
	before := be16(ip[0:2])
	ip[1] = tos&0xfc | ip[1]&0x03
	mend(ip[10:12], before, be16(ip[0:2]))
}

// SetTPSrc sets the TCP or UDP source port and mends the checksum. Of a
// fragmented datagram only the first fragment has ports.
func SetTPSrc(frame []byte, port uint16) { setTPPort(frame, 0, port) }

// SetTPDst is SetTPSrc for the destination port.
func SetTPDst(frame []byte, port uint16) { setTPPort(frame, 2, port) }

// addTag inserts a tag with the given control field behind the addresses.
func addTag(frame []byte, tci uint16) []byte {
	frame = append(frame, 0, 0, 0, 0)
	copy(frame[12+tagLen:], frame[12:len(frame)-tagLen])
	binary.BigEndian.PutUint16(frame[12:14], TypeVLAN)
	binary.BigEndian.PutUint16(frame[14:16], tci)
	return frame
}

func setNWAddr(frame []byte, at int, addr uint32) {
	ip, l4, ok := ipv4(frame)
	if !ok {
		return
	}
	hi, lo := be16(ip[at:at+2]), be16(ip[at+2:at+4])
	binary.BigEndian.PutUint32(ip[at:at+4], addr)
	newHi, newLo := uint16(addr>>16), uint16(addr)
	mend(ip[10:12], hi, newHi)
	mend(ip[10:12], lo, newLo)
	if sum := l4Checksum(ip[9], l4); sum != nil {
		mendL4(ip[9], sum, hi, newHi)
		mendL4(ip[9], sum, lo, newLo)
	}
}

func setTPPort(frame []byte, at int, port uint16) {
	ip, l4, ok := ipv4(frame)
	if !ok {
		return
	}
	sum := l4Checksum(ip[9], l4)
	if sum == nil {
		return
	}
	before := be16(l4[at : at+2])
	binary.BigEndian.PutUint16(l4[at:at+2], port)
	mendL4(ip[9], sum, before, port)
}

// ipv4 finds the IPv4 header and what follows it; l4 is nil in a fragment that
// does not begin with the transport header.
func ipv4(frame []byte) (ip, l4 []byte, ok bool) {
	if len(frame) < ethLen {
		return nil, nil, false
	}
	typ, off := be16(frame[12:14]), ethLen
	if Tagged(frame) {
		typ, off = be16(frame[16:18]), ethLen+tagLen
	}
	if typ < minType {
		typ, off = llcType(frame, off)
	}
	if typ != TypeIPv4 || len(frame) < off+ipv4Len {
		return nil, nil, false
	}
	ip = frame[off:]
	hlen := int(ip[0]&0x0f) * 4
	if hlen < ipv4Len || len(ip) < hlen {
		return nil, nil, false
	}
	if be16(ip[6:8])&fragOff == 0 {
		l4 = ip[hlen:]
	}
	return ip[:hlen], l4, true
}

// l4Checksum returns the checksum field of a TCP or UDP header, nil without one.
func l4Checksum(proto uint8, l4 []byte) []byte {
	switch {
	case proto == ProtoTCP && len(l4) >= tcpLen:
		return l4[16:18]
	case proto == ProtoUDP && len(l4) >= udpLen:
		return l4[6:8]
	}
	return nil
}

// mendL4 is mend with UDP's zero, which means "no checksum" and is never the
// result of a computation.
func mendL4(proto uint8, sum []byte, before, after uint16) {
	if proto != ProtoUDP {
		mend(sum, before, after)
		return
	}
	if be16(sum) == 0 {
		return
	}
	mend(sum, before, after)
	if be16(sum) == 0 {
		sum[0], sum[1] = 0xff, 0xff
	}
}

// mend updates an Internet checksum for one changed 16-bit word (RFC 1624,
// equation 3).
func mend(sum []byte, before, after uint16) {
	if before == after {
		return // a peer's 0xffff for zero stays as it is
	}
	s := uint32(^be16(sum)) + uint32(^before) + uint32(after)
	s = s&0xffff + s>>16
	s = s&0xffff + s>>16
	binary.BigEndian.PutUint16(sum, ^uint16(s))
}
