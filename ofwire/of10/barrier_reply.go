package of10

// BarrierReply says that everything before the barrier is done (section 5.3.7).
type BarrierReply struct {
	XID uint32
}

// Type returns TypeBarrierReply.
func (m *BarrierReply) Type() Type { return TypeBarrierReply }

// TransactionID returns the xid.
func (m *BarrierReply) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *BarrierReply) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *BarrierReply) Len() int { return headerLen }

// AppendBinary adds the encoded message to b.
func (m *BarrierReply) AppendBinary(b []byte) ([]byte, error) {
	return appendHeader(b, TypeBarrierReply, headerLen, m.XID)
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *BarrierReply) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeBarrierReply, headerLen); err != nil {
		return err
	}
	*m = BarrierReply{XID: frameXID(b)}
	return nil
}
