package of10

// EchoRequest asks whether the peer lives; it answers with the same data (section 5.5.2).
type EchoRequest struct {
	XID  uint32
	Data []byte // aliases the input after decoding
}

// Type returns TypeEchoRequest.
func (m *EchoRequest) Type() Type { return TypeEchoRequest }

// TransactionID returns the xid.
func (m *EchoRequest) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *EchoRequest) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *EchoRequest) Len() int { return headerLen + len(m.Data) }

// AppendBinary adds the encoded message to b.
func (m *EchoRequest) AppendBinary(b []byte) ([]byte, error) {
	b, err := appendHeader(b, TypeEchoRequest, m.Len(), m.XID)
	if err != nil {
		return b, err
	}
	return append(b, m.Data...), nil
}

// UnmarshalBinary decodes one whole message.
func (m *EchoRequest) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeEchoRequest, headerLen); err != nil {
		return err
	}
	*m = EchoRequest{XID: frameXID(b), Data: tail(b, headerLen)}
	return nil
}
