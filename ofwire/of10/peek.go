package of10

// The functions of this file read and overwrite single fields of an encoded message
// without decoding it. They do not look at the type: the caller has. On a frame too
// short for the field the readers return 0 and the writers do nothing, so no input can
// make them panic; [Check] tells such frames apart once.

// minLens is the smallest size of each message.
var minLens = [numTypes]uint8{
	TypeHello: headerLen, TypeError: errorLen, TypeEchoRequest: headerLen, TypeEchoReply: headerLen,
	TypeVendor: vendorLen, TypeFeaturesRequest: headerLen, TypeFeaturesReply: featuresReplyLen,
	TypeGetConfigRequest: headerLen, TypeGetConfigReply: switchConfigLen, TypeSetConfig: switchConfigLen,
	TypePacketIn: packetInLen, TypeFlowRemoved: flowRemovedLen, TypePortStatus: portStatusLen,
	TypePacketOut: packetOutLen, TypeFlowMod: flowModLen, TypePortMod: portModLen,
	TypeStatsRequest: statsHeaderLen, TypeStatsReply: statsHeaderLen,
	TypeBarrierRequest: headerLen, TypeBarrierReply: headerLen,
	TypeQueueGetConfigRequest: queueGetConfigRequestLen, TypeQueueGetConfigReply: queueGetConfigReplyLen,
}

// Check reports whether b is one frame of version 1.0, of the length its header states
// and long enough for the fixed part of its type. Unknown types pass. The error is as
// from Parse.
func Check(b []byte) error {
	min := headerLen
	var t Type
	if len(b) >= headerLen {
		if t = Type(b[1]); t < numTypes {
			min = int(minLens[t])
		}
	}
	return checkFrame(b, t, min)
}

// PeekType returns the message type.
func PeekType(b []byte) Type {
	if len(b) < headerLen {
		return 0
	}
	return Type(b[1])
}

// XID returns the transaction id of any message.
func XID(b []byte) uint32 {
	if len(b) < 8 {
		return 0
	}
	return be.Uint32(b[4:])
}

// PutXID overwrites what XID reads.
func PutXID(b []byte, v uint32) {
	if len(b) >= 8 {
		be.PutUint32(b[4:], v)
	}
}

// PacketInBufferID returns a packet_in's buffer id.
func PacketInBufferID(b []byte) uint32 {
	if len(b) < 12 {
		return 0
	}
	return be.Uint32(b[8:])
}

// PutPacketInBufferID overwrites what PacketInBufferID reads.
func PutPacketInBufferID(b []byte, v uint32) {
	if len(b) >= 12 {
		be.PutUint32(b[8:], v)
	}
}

// PacketInTotalLen returns the length of a packet_in's frame.
func PacketInTotalLen(b []byte) uint16 {
	if len(b) < 14 {
		return 0
	}
	return be.Uint16(b[12:])
}

// PutPacketInTotalLen overwrites what PacketInTotalLen reads.
func PutPacketInTotalLen(b []byte, v uint16) {
	if len(b) >= 14 {
		be.PutUint16(b[12:], v)
	}
}

// PacketInInPort returns a packet_in's input port.
func PacketInInPort(b []byte) Port {
	if len(b) < 16 {
		return 0
	}
	return Port(be.Uint16(b[14:]))
}

// PutPacketInInPort overwrites what PacketInInPort reads.
func PutPacketInInPort(b []byte, v Port) {
	if len(b) >= 16 {
		be.PutUint16(b[14:], uint16(v))
	}
}

// PacketInReasonOf returns a packet_in's reason.
func PacketInReasonOf(b []byte) PacketInReason {
	if len(b) < 17 {
		return 0
	}
	return PacketInReason(b[16])
}

// PutPacketInReason overwrites what PacketInReasonOf reads.
func PutPacketInReason(b []byte, v PacketInReason) {
	if len(b) >= 17 {
		b[16] = uint8(v)
	}
}

// PacketInData returns a packet_in's frame, as far as it was sent; it aliases b.
func PacketInData(b []byte) []byte { return tail(b, packetInLen) }

// TruncatePacketIn cuts a packet_in's frame to at most n bytes, in place, and returns the
// shorter message. Its total length stays.
func TruncatePacketIn(b []byte, n int) []byte {
	if n < 0 || n >= len(b)-packetInLen {
		return b
	}
	b = b[:packetInLen+n]
	be.PutUint16(b[2:], uint16(len(b)))
	return b
}

// FlowModCookie returns a flow_mod's cookie.
func FlowModCookie(b []byte) uint64 {
	if len(b) < 56 {
		return 0
	}
	return be.Uint64(b[48:])
}

// PutFlowModCookie overwrites what FlowModCookie reads.
func PutFlowModCookie(b []byte, v uint64) {
	if len(b) >= 56 {
		be.PutUint64(b[48:], v)
	}
}

// FlowModCommandOf returns a flow_mod's command.
func FlowModCommandOf(b []byte) FlowModCommand {
	if len(b) < 58 {
		return 0
	}
	return FlowModCommand(be.Uint16(b[56:]))
}

// PutFlowModCommand overwrites what FlowModCommandOf reads.
func PutFlowModCommand(b []byte, v FlowModCommand) {
	if len(b) >= 58 {
		be.PutUint16(b[56:], uint16(v))
	}
}

// FlowModPriority returns a flow_mod's priority.
func FlowModPriority(b []byte) uint16 {
	if len(b) < 64 {
		return 0
	}
	return be.Uint16(b[62:])
}

// PutFlowModPriority overwrites what FlowModPriority reads.
func PutFlowModPriority(b []byte, v uint16) {
	if len(b) >= 64 {
		be.PutUint16(b[62:], v)
	}
}

// FlowModBufferID returns a flow_mod's buffer id.
func FlowModBufferID(b []byte) uint32 {
	if len(b) < 68 {
		return 0
	}
	return be.Uint32(b[64:])
}

// PutFlowModBufferID overwrites what FlowModBufferID reads.
func PutFlowModBufferID(b []byte, v uint32) {
	if len(b) >= 68 {
		be.PutUint32(b[64:], v)
	}
}

// FlowModOutPort returns a flow_mod's out_port filter.
func FlowModOutPort(b []byte) Port {
	if len(b) < 70 {
		return 0
	}
	return Port(be.Uint16(b[68:]))
}

// PutFlowModOutPort overwrites what FlowModOutPort reads.
func PutFlowModOutPort(b []byte, v Port) {
	if len(b) >= 70 {
		be.PutUint16(b[68:], uint16(v))
	}
}

// FlowModFlagsOf returns a flow_mod's flags.
func FlowModFlagsOf(b []byte) FlowModFlags {
	if len(b) < 72 {
		return 0
	}
	return FlowModFlags(be.Uint16(b[70:]))
}

// PutFlowModFlags overwrites what FlowModFlagsOf reads.
func PutFlowModFlags(b []byte, v FlowModFlags) {
	if len(b) >= 72 {
		be.PutUint16(b[70:], uint16(v))
	}
}

// FlowModMatch decodes a flow_mod's match only.
func FlowModMatch(b []byte) Match { return matchAt(b) }

// FlowRemovedMatch decodes a flow_removed's match only.
func FlowRemovedMatch(b []byte) Match { return matchAt(b) }

func matchAt(b []byte) (m Match) {
	if len(b) >= headerLen+MatchLen {
		m.decode((*[MatchLen]byte)(b[headerLen:]))
	}
	return m
}

// PutMatch overwrites the match of a flow_mod or flow_removed.
func PutMatch(b []byte, m *Match) {
	if len(b) >= headerLen+MatchLen {
		m.Append(b[headerLen:headerLen])
	}
}

// FlowModActions returns a flow_mod's encoded actions; it aliases b.
func FlowModActions(b []byte) []byte { return tail(b, flowModLen) }

// PacketOutBufferID returns a packet_out's buffer id.
func PacketOutBufferID(b []byte) uint32 {
	if len(b) < 12 {
		return 0
	}
	return be.Uint32(b[8:])
}

// PutPacketOutBufferID overwrites what PacketOutBufferID reads.
func PutPacketOutBufferID(b []byte, v uint32) {
	if len(b) >= 12 {
		be.PutUint32(b[8:], v)
	}
}

// PacketOutInPort returns a packet_out's input port.
func PacketOutInPort(b []byte) Port {
	if len(b) < 14 {
		return 0
	}
	return Port(be.Uint16(b[12:]))
}

// PutPacketOutInPort overwrites what PacketOutInPort reads.
func PutPacketOutInPort(b []byte, v Port) {
	if len(b) >= 14 {
		be.PutUint16(b[12:], uint16(v))
	}
}

// PacketOutActions returns a packet_out's encoded actions; it aliases b.
func PacketOutActions(b []byte) []byte {
	if len(b) < packetOutLen {
		return nil
	}
	n := min(packetOutLen+int(be.Uint16(b[14:])), len(b))
	return b[packetOutLen:n:n]
}

// PacketOutData returns a packet_out's frame; it aliases b.
func PacketOutData(b []byte) []byte {
	if len(b) < packetOutLen {
		return nil
	}
	return tail(b, packetOutLen+int(be.Uint16(b[14:])))
}

// FlowRemovedCookie returns a flow_removed's cookie.
func FlowRemovedCookie(b []byte) uint64 {
	if len(b) < 56 {
		return 0
	}
	return be.Uint64(b[48:])
}

// PutFlowRemovedCookie overwrites what FlowRemovedCookie reads.
func PutFlowRemovedCookie(b []byte, v uint64) {
	if len(b) >= 56 {
		be.PutUint64(b[48:], v)
	}
}

// FlowRemovedPriority returns a flow_removed's priority.
func FlowRemovedPriority(b []byte) uint16 {
	if len(b) < 58 {
		return 0
	}
	return be.Uint16(b[56:])
}

// PutFlowRemovedPriority overwrites what FlowRemovedPriority reads.
func PutFlowRemovedPriority(b []byte, v uint16) {
	if len(b) >= 58 {
		be.PutUint16(b[56:], v)
	}
}

// FlowRemovedReasonOf returns a flow_removed's reason.
func FlowRemovedReasonOf(b []byte) FlowRemovedReason {
	if len(b) < 59 {
		return 0
	}
	return FlowRemovedReason(b[58])
}

// StatsTypeOf returns the type of a statistics request or reply.
func StatsTypeOf(b []byte) StatsType {
	if len(b) < 10 {
		return 0
	}
	return StatsType(be.Uint16(b[8:]))
}

// StatsFlagsOf returns the flags of a statistics request or reply.
func StatsFlagsOf(b []byte) uint16 {
	if len(b) < 12 {
		return 0
	}
	return be.Uint16(b[10:])
}

// ErrorTypeOf returns the type of an error message.
func ErrorTypeOf(b []byte) ErrorType {
	if len(b) < 10 {
		return 0
	}
	return ErrorType(be.Uint16(b[8:]))
}

// ErrorCodeOf returns the code of an error message.
func ErrorCodeOf(b []byte) uint16 {
	if len(b) < 12 {
		return 0
	}
	return be.Uint16(b[10:])
}

// ErrorData returns an error message's data; it aliases b.
func ErrorData(b []byte) []byte { return tail(b, errorLen) }
