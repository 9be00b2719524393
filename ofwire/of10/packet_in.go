package of10

import "strconv"

const packetInLen = 18

// PacketInReason says why a frame goes to the controller.
type PacketInReason uint8

// Reasons of a PacketIn.
const (
	ReasonNoMatch PacketInReason = iota
	ReasonAction
)

func (r PacketInReason) String() string {
	switch r {
	case ReasonNoMatch:
		return "no_match"
	case ReasonAction:
		return "action"
	}
	return strconv.Itoa(int(r))
}

// PacketIn brings a frame to the controller (section 5.4.1).
type PacketIn struct {
	XID      uint32
	BufferID uint32 // NoBuffer: Data is the whole frame
	TotalLen uint16 // of the frame, which may be longer than Data
	InPort   Port
	Reason   PacketInReason
	Data     []byte // aliases the input after decoding
}

// Type returns TypePacketIn.
func (m *PacketIn) Type() Type { return TypePacketIn }

// TransactionID returns the xid.
func (m *PacketIn) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *PacketIn) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *PacketIn) Len() int { return packetInLen + len(m.Data) }

// AppendBinary adds the encoded message to b.
func (m *PacketIn) AppendBinary(b []byte) ([]byte, error) {
	b, err := appendHeader(b, TypePacketIn, m.Len(), m.XID)
	if err != nil {
		return b, err
	}
	b = be.AppendUint32(b, m.BufferID)
	b = be.AppendUint16(b, m.TotalLen)
	b = be.AppendUint16(b, uint16(m.InPort))
	b = append(b, uint8(m.Reason), 0)
	return append(b, m.Data...), nil
}

// UnmarshalBinary decodes one whole message without allocating.
func (m *PacketIn) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypePacketIn, packetInLen); err != nil {
		return err
	}
	*m = PacketIn{
		XID:      frameXID(b),
		BufferID: be.Uint32(b[8:]),
		TotalLen: be.Uint16(b[12:]),
		InPort:   Port(be.Uint16(b[14:])),
		Reason:   PacketInReason(b[16]),
		Data:     tail(b, packetInLen),
	}
	return nil
}
