package of10

// EchoReply gives an EchoRequest's xid and data back (section 5.5.3).
type EchoReply struct {
	XID  uint32
	Data []byte // aliases the input after decoding
}

// Type returns TypeEchoReply.
func (m *EchoReply) Type() Type { return TypeEchoReply }

// TransactionID returns the xid.
func (m *EchoReply) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *EchoReply) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *EchoReply) Len() int { return headerLen + len(m.Data) }

// AppendBinary adds the encoded message to b.
func (m *EchoReply) AppendBinary(b []byte) ([]byte, error) {
	b, err := appendHeader(b, TypeEchoReply, m.Len(), m.XID)
	if err != nil {
		return b, err
	}
	return append(b, m.Data...), nil
}

// UnmarshalBinary decodes one whole message.
func (m *EchoReply) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeEchoReply, headerLen); err != nil {
		return err
	}
	*m = EchoReply{XID: frameXID(b), Data: tail(b, headerLen)}
	return nil
}
