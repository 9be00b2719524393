package of10

// GetConfigRequest asks for the switch configuration (section 5.3.2).
type GetConfigRequest struct {
	XID uint32
}

// Type returns TypeGetConfigRequest.
func (m *GetConfigRequest) Type() Type { return TypeGetConfigRequest }

// TransactionID returns the xid.
func (m *GetConfigRequest) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *GetConfigRequest) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *GetConfigRequest) Len() int { return headerLen }

// AppendBinary adds the encoded message to b.
func (m *GetConfigRequest) AppendBinary(b []byte) ([]byte, error) {
	return appendHeader(b, TypeGetConfigRequest, headerLen, m.XID)
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *GetConfigRequest) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeGetConfigRequest, headerLen); err != nil {
		return err
	}
	*m = GetConfigRequest{XID: frameXID(b)}
	return nil
}
