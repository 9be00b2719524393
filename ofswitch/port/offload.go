package port

import "encoding/binary"

// Offload says what the sender left for the hardware to do, as struct
// virtio_net_hdr does: the zero value is a finished frame.
type Offload struct {
	Flags      uint8
	GSOType    uint8
	HdrLen     uint16
	GSOSize    uint16
	CsumStart  uint16
	CsumOffset uint16
}

const (
	offloadLen = 10 // bytes of struct virtio_net_hdr

	flagNeedsCsum = 1

	gsoTCPv4 = 1
	gsoTCPv6 = 4
	gsoUDPL4 = 5
	gsoECN   = 0x80

	ethHeader = 14
	vlanTag   = 4
)

// Finished reports whether the frame can go to a port without offloads.
func (o *Offload) Finished() bool { return o.Flags&flagNeedsCsum == 0 && o.GSOType == 0 }

// Shift moves the offsets by the bytes that were inserted before them (or, with
// a negative n, removed): a VLAN tag pushed or stripped.
func (o *Offload) Shift(n int) {
	if o.Finished() {
		return
	}
	if o.Flags&flagNeedsCsum != 0 {
		o.CsumStart = uint16(int(o.CsumStart) + n)
	}
	if o.HdrLen != 0 {
		o.HdrLen = uint16(int(o.HdrLen) + n)
	}
}

// put writes the header in host order, as PACKET_VNET_HDR and IFF_VNET_HDR want it.
func (o *Offload) put(b []byte) {
	b[0], b[1] = o.Flags, o.GSOType
	binary.NativeEndian.PutUint16(b[2:], o.HdrLen)
	binary.NativeEndian.PutUint16(b[4:], o.GSOSize)
	binary.NativeEndian.PutUint16(b[6:], o.CsumStart)
	binary.NativeEndian.PutUint16(b[8:], o.CsumOffset)
}

// get reads the header; it keeps only the flags that leave work to do.
func (o *Offload) get(b []byte) {
	*o = Offload{
		Flags: b[0] & flagNeedsCsum, GSOType: b[1],
		HdrLen:    binary.NativeEndian.Uint16(b[2:]),
		GSOSize:   binary.NativeEndian.Uint16(b[4:]),
		CsumStart: binary.NativeEndian.Uint16(b[6:]), CsumOffset: binary.NativeEndian.Uint16(b[8:]),
	}
	if o.Finished() {
		*o = Offload{}
	}
}

// Reseed writes the pseudo header's sum where an unfinished transport checksum
// keeps it, after addresses or ports of the frame were rewritten: incremental
// updates are meaningless on an unfinished sum.
func (o *Offload) Reseed(frame []byte) {
	if o.Flags&flagNeedsCsum == 0 {
		return
	}
	ip, ok := network(frame)
	at := int(o.CsumStart) + int(o.CsumOffset)
	if !ok || at+2 > len(frame) || int(o.CsumStart) < ip {
		return
	}
	n := len(frame) - int(o.CsumStart) // unless IP says less: a short frame is padded
	var sum uint32
	switch frame[ip] >> 4 {
	case 4:
		if len(frame) < ip+20 {
			return
		}
		n = transportLen(n, int(binary.BigEndian.Uint16(frame[ip+2:]))-int(frame[ip]&0x0f)*4)
		sum = partial(0, frame[ip+12:ip+20]) + uint32(frame[ip+9]) + uint32(n)
	case 6:
		if len(frame) < ip+40 {
			return
		}
		n = transportLen(n, int(binary.BigEndian.Uint16(frame[ip+4:])))
		proto := uint32(6)
		if o.CsumOffset == 6 {
			proto = 17
		}
		sum = partial(0, frame[ip+8:ip+40]) + proto + uint32(n)
	default:
		return
	}
	binary.BigEndian.PutUint16(frame[at:], fold(sum))
}

// transportLen is the length by IP's account where that can be true. A giant may
// have 0 there.
func transportLen(inFrame, byIP int) int {
	if byIP > 0 && byIP < inFrame {
		return byIP
	}
	return inFrame
}

// Finish completes the transport checksum in place. Segmentation is left.
func (o *Offload) Finish(frame []byte) {
	if o.Flags&flagNeedsCsum == 0 {
		return
	}
	start, at := int(o.CsumStart), int(o.CsumStart)+int(o.CsumOffset)
	o.Flags &^= flagNeedsCsum
	if at+2 > len(frame) {
		return
	}
	sum := ^fold(partial(0, frame[start:]))
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(frame[at:], sum)
}

// Plain hands emit the frame as the wire would carry it: with finished checksums
// and cut into segments. The slices are valid during the call. A giant that
// cannot be segmented is reported by false.
func (f *Frame) Plain(emit func([]byte)) bool {
	if f.Offload.Finished() {
		emit(f.Data)
		return true
	}
	o := f.Offload
	switch o.GSOType &^ gsoECN {
	case 0:
		data := append([]byte(nil), f.Data...)
		o.Finish(data)
		emit(data)
		return true
	case gsoTCPv4, gsoTCPv6, gsoUDPL4:
		return segment(f.Data, o, emit)
	}
	return false
}

// segment cuts a TCP or UDP giant into frames of GSOSize bytes of payload.
func segment(frame []byte, o Offload, emit func([]byte)) bool {
	ip, ok := network(frame)
	if !ok || o.GSOSize == 0 {
		return false
	}
	tcp := o.GSOType&^gsoECN != gsoUDPL4
	l4, v4, ok := transport(frame, ip)
	if !ok || len(frame) < l4+8 {
		return false
	}
	head := l4 + 8
	csumAt := l4 + 6
	if tcp {
		if len(frame) < l4+20 {
			return false
		}
		head, csumAt = l4+int(frame[l4+12]>>4)*4, l4+16
	}
	if head < l4+8 || head > len(frame) {
		return false
	}
	payload, mss := frame[head:], int(o.GSOSize)
	buf := make([]byte, head+mss)
	for off, n := 0, 0; off < len(payload) || n == 0; n++ {
		size := min(mss, len(payload)-off)
		seg := buf[:head+size]
		copy(seg, frame[:head])
		copy(seg[head:], payload[off:off+size])
		last := off+size == len(payload)
		fixNetwork(seg, ip, v4, n)
		if tcp {
			binary.BigEndian.PutUint32(seg[l4+4:], binary.BigEndian.Uint32(frame[l4+4:])+uint32(off))
			if !last {
				seg[l4+13] &^= 0x09 // FIN and PSH belong to the last segment
			}
			if n > 0 {
				seg[l4+13] &^= 0x80 // CWR to the first
			}
		} else {
			binary.BigEndian.PutUint16(seg[l4+4:], uint16(len(seg)-l4))
		}
		fin := Offload{Flags: flagNeedsCsum, CsumStart: uint16(l4), CsumOffset: uint16(csumAt - l4)}
		fin.Reseed(seg)
		fin.Finish(seg)
		emit(seg)
		off += size
	}
	return true
}

// fixNetwork writes length, IPv4 identification and header checksum of segment n.
func fixNetwork(seg []byte, ip int, v4 bool, n int) {
	if !v4 {
		binary.BigEndian.PutUint16(seg[ip+4:], uint16(len(seg)-ip-40))
		return
	}
	binary.BigEndian.PutUint16(seg[ip+2:], uint16(len(seg)-ip))
	binary.BigEndian.PutUint16(seg[ip+4:], binary.BigEndian.Uint16(seg[ip+4:])+uint16(n))
	seg[ip+10], seg[ip+11] = 0, 0
	hlen := int(seg[ip]&0x0f) * 4
	binary.BigEndian.PutUint16(seg[ip+10:], ^fold(partial(0, seg[ip:ip+hlen])))
}

// network returns the offset of an IPv4 or IPv6 header.
func network(frame []byte) (int, bool) {
	off := ethHeader
	for range 3 {
		if len(frame) < off+1 {
			return 0, false
		}
		switch binary.BigEndian.Uint16(frame[off-2:]) {
		case 0x8100, 0x88a8:
			off += vlanTag
		case 0x0800, 0x86dd:
			return off, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// transport returns the offset behind the IP header.
func transport(frame []byte, ip int) (l4 int, v4, ok bool) {
	switch frame[ip] >> 4 {
	case 4:
		hlen := int(frame[ip]&0x0f) * 4
		return ip + hlen, true, hlen >= 20 && len(frame) >= ip+hlen
	case 6:
		return ip + 40, false, len(frame) >= ip+40
	}
	return 0, false, false
}

// partial adds b to an unfolded ones' complement sum. Words are gathered eight
// bytes at a time; the carry wraps around.
func partial(sum uint32, b []byte) uint32 {
	var s, c uint64
	for len(b) >= 8 {
		w := binary.BigEndian.Uint64(b)
		s += w
		if s < w {
			c++
		}
		b = b[8:]
	}
	var tail uint64
	for i, x := range b {
		tail |= uint64(x) << (56 - 8*i)
	}
	s += tail
	if s < tail {
		c++
	}
	s = s>>32 + s&0xffffffff + c
	s = s>>32 + s&0xffffffff
	return uint32(fold(uint32(s))) + sum
}

func fold(sum uint32) uint16 {
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return uint16(sum)
}
