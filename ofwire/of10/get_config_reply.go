package of10

// GetConfigReply tells the switch configuration (section 5.3.2).
type GetConfigReply struct {
	XID         uint32
	Flags       ConfigFlags
	MissSendLen uint16 // bytes of a missed frame to send to the controller
}

// Type returns TypeGetConfigReply.
func (m *GetConfigReply) Type() Type { return TypeGetConfigReply }

// TransactionID returns the xid.
func (m *GetConfigReply) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *GetConfigReply) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *GetConfigReply) Len() int { return switchConfigLen }

// AppendBinary adds the encoded message to b.
func (m *GetConfigReply) AppendBinary(b []byte) ([]byte, error) {
	b, _ = appendHeader(b, TypeGetConfigReply, switchConfigLen, m.XID)
	return appendConfig(b, m.Flags, m.MissSendLen), nil
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *GetConfigReply) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeGetConfigReply, switchConfigLen); err != nil {
		return err
	}
	*m = GetConfigReply{XID: frameXID(b), Flags: ConfigFlags(be.Uint16(b[8:])), MissSendLen: be.Uint16(b[10:])}
	return nil
}
