package of10

// BarrierRequest asks the switch to finish everything sent before it (section 5.3.7).
type BarrierRequest struct {
	XID uint32
}

// Type returns TypeBarrierRequest.
func (m *BarrierRequest) Type() Type { return TypeBarrierRequest }

// TransactionID returns the xid.
func (m *BarrierRequest) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *BarrierRequest) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *BarrierRequest) Len() int { return headerLen }

// AppendBinary adds the encoded message to b.
func (m *BarrierRequest) AppendBinary(b []byte) ([]byte, error) {
	return appendHeader(b, TypeBarrierRequest, headerLen, m.XID)
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *BarrierRequest) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeBarrierRequest, headerLen); err != nil {
		return err
	}
	*m = BarrierRequest{XID: frameXID(b)}
	return nil
}
