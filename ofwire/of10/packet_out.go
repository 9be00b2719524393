package of10

import "fmt"

const packetOutLen = 16

// PacketOut makes the switch send a frame (section 5.3.6).
type PacketOut struct {
	XID      uint32
	BufferID uint32 // NoBuffer: the frame is Data
	InPort   Port   // PortNone if the frame did not come in anywhere
	Actions  []Action
	Data     []byte // aliases the input after decoding
}

// Type returns TypePacketOut.
func (m *PacketOut) Type() Type { return TypePacketOut }

// TransactionID returns the xid.
func (m *PacketOut) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *PacketOut) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *PacketOut) Len() int { return packetOutLen + ActionsLen(m.Actions) + len(m.Data) }

// AppendBinary adds the encoded message to b.
func (m *PacketOut) AppendBinary(b []byte) ([]byte, error) {
	start := b
	b, err := appendHeader(b, TypePacketOut, m.Len(), m.XID)
	if err != nil {
		return start, err
	}
	b = be.AppendUint32(b, m.BufferID)
	b = be.AppendUint16(b, uint16(m.InPort))
	b = be.AppendUint16(b, uint16(ActionsLen(m.Actions)))
	if b, err = AppendActions(b, m.Actions); err != nil {
		return start, fmt.Errorf("of10: encode %v: %w", TypePacketOut, err)
	}
	return append(b, m.Data...), nil
}

// UnmarshalBinary decodes one whole message. It reuses m.Actions and allocates only when
// that is too small.
func (m *PacketOut) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypePacketOut, packetOutLen); err != nil {
		return err
	}
	n := int(be.Uint16(b[14:]))
	if n > len(b)-packetOutLen {
		return badRequestLen(b)
	}
	list := b[packetOutLen : packetOutLen+n]
	if code, ok := checkActions(list); !ok {
		return NewError(ErrorBadAction, code, b)
	}
	m.XID = frameXID(b)
	m.BufferID = be.Uint32(b[8:])
	m.InPort = Port(be.Uint16(b[12:]))
	m.Actions = appendParsed(m.Actions[:0], list)
	m.Data = tail(b, packetOutLen+n)
	return nil
}
