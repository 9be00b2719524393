package of10

// Unknown is a message of a type that OpenFlow 1.0 does not define, kept as it is.
type Unknown struct {
	XID     uint32
	RawType Type
	Body    []byte // after the header; aliases the input after decoding
}

// Type returns RawType.
func (m *Unknown) Type() Type { return m.RawType }

// TransactionID returns the xid.
func (m *Unknown) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *Unknown) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *Unknown) Len() int { return headerLen + len(m.Body) }

// AppendBinary adds the encoded message to b.
func (m *Unknown) AppendBinary(b []byte) ([]byte, error) {
	b, err := appendHeader(b, m.RawType, m.Len(), m.XID)
	if err != nil {
		return b, err
	}
	return append(b, m.Body...), nil
}

// UnmarshalBinary keeps one whole message of any type.
func (m *Unknown) UnmarshalBinary(b []byte) error {
	var t Type
	if len(b) >= headerLen {
		t = Type(b[1])
	}
	if err := checkFrame(b, t, headerLen); err != nil {
		return err
	}
	*m = Unknown{XID: frameXID(b), RawType: t, Body: tail(b, headerLen)}
	return nil
}
