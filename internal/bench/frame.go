package bench

import (
	"encoding/binary"
	"time"
)

// Bytes of the packet_ins that a fake switch sends. The frame is UDP over IPv4; who it is for and which request it was stands in its addresses, so
// that the answer can be told apart after any proxy: the source MAC carries the request's slot, in_port the slice, the payload the time of sending.
const (
	ofHeaderLen     = 8
	packetInHead    = 18 // header, buffer_id, total_len, in_port, reason, pad (OpenFlow 1.0 section 5.4.1)
	packetOutHead   = 16
	flowModLen      = 72
	flowModSrcAt    = ofHeaderLen + 6 // dl_src in the match of a flow_mod
	flowModCookieAt = ofHeaderLen + 40
	frameSrcAt      = 6
	ipDstAt         = 14 + 16
	payloadAt       = 14 + 20 + 8
	frameLen        = 64
	packetInLen     = packetInHead + frameLen
	wildDLSrc       = 1 << 2
)

// noSlot marks frames that nobody waits for.
const noSlot = 0xffffffff

// packetInTemplate is one whole packet_in, unbuffered, reason NO_MATCH, to be patched by stamp.
func packetInTemplate(dpid uint64) []byte {
	b := make([]byte, packetInLen)
	b[0], b[1] = 1, 10
	binary.BigEndian.PutUint16(b[2:], packetInLen)
	binary.BigEndian.PutUint32(b[8:], 0xffffffff)
	binary.BigEndian.PutUint16(b[12:], frameLen)
	f := b[packetInHead:]
	copy(f[0:], []byte{0x02, 0xff, 0, 0, 0, 0x01})
	f[6], f[7] = 0x02, byte(dpid)
	binary.BigEndian.PutUint16(f[12:], 0x0800)
	ip := f[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], frameLen-14)
	copy(ip[12:16], []byte{10, 255, 0, 1})
	udp := ip[20:]
	binary.BigEndian.PutUint16(udp[0:], 4000)
	binary.BigEndian.PutUint16(udp[2:], 4001)
	binary.BigEndian.PutUint16(udp[4:], frameLen-14-20)
	return b
}

// stamp writes slot, slice and destination network into a packet_in made by packetInTemplate.
func stamp(b []byte, slot uint32, slice, net int, at time.Duration) {
	binary.BigEndian.PutUint16(b[14:], uint16(1+slice))
	f := b[packetInHead:]
	binary.BigEndian.PutUint32(f[8:], slot)
	copy(f[ipDstAt:], []byte{10, byte(net >> 8), byte(net), 1})
	binary.BigEndian.PutUint64(f[payloadAt:], uint64(at))
}

// stampOf reads the time that stamp wrote into a frame.
func stampOf(frame []byte) (time.Duration, bool) {
	if len(frame) < payloadAt+8 {
		return 0, false
	}
	return time.Duration(binary.BigEndian.Uint64(frame[payloadAt:])), true
}

// slotOfPacketOut finds the slot in the frame a packet_out carries.
func slotOfPacketOut(b []byte) (slot uint32, frame []byte, ok bool) {
	if len(b) < packetOutHead {
		return 0, nil, false
	}
	at := packetOutHead + int(binary.BigEndian.Uint16(b[14:]))
	if len(b) < at+frameSrcAt+6 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b[at+frameSrcAt+2:]), b[at:], true
}

// slotOfFlowMod finds the slot in the match of a flow_mod; a match without dl_src has none.
func slotOfFlowMod(b []byte) (uint32, bool) {
	if len(b) < flowModLen || binary.BigEndian.Uint32(b[ofHeaderLen:])&wildDLSrc != 0 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[flowModSrcAt+2:]), true
}
