package of10

// FeaturesRequest asks for the datapath id, ports and abilities (section 5.3.1).
type FeaturesRequest struct {
	XID uint32
}

// Type returns TypeFeaturesRequest.
func (m *FeaturesRequest) Type() Type { return TypeFeaturesRequest }

// TransactionID returns the xid.
func (m *FeaturesRequest) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *FeaturesRequest) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *FeaturesRequest) Len() int { return headerLen }

// AppendBinary adds the encoded message to b.
func (m *FeaturesRequest) AppendBinary(b []byte) ([]byte, error) {
	return appendHeader(b, TypeFeaturesRequest, headerLen, m.XID)
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *FeaturesRequest) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeFeaturesRequest, headerLen); err != nil {
		return err
	}
	*m = FeaturesRequest{XID: frameXID(b)}
	return nil
}
