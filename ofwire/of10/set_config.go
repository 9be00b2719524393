package of10

// SetConfig changes the switch configuration (section 5.3.2); it has no answer.
type SetConfig struct {
	XID         uint32
	Flags       ConfigFlags
	MissSendLen uint16 // bytes of a missed frame to send to the controller
}

// Type returns TypeSetConfig.
func (m *SetConfig) Type() Type { return TypeSetConfig }

// TransactionID returns the xid.
func (m *SetConfig) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *SetConfig) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *SetConfig) Len() int { return switchConfigLen }

// AppendBinary adds the encoded message to b.
func (m *SetConfig) AppendBinary(b []byte) ([]byte, error) {
	b, _ = appendHeader(b, TypeSetConfig, switchConfigLen, m.XID)
	return appendConfig(b, m.Flags, m.MissSendLen), nil
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *SetConfig) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeSetConfig, switchConfigLen); err != nil {
		return err
	}
	*m = SetConfig{XID: frameXID(b), Flags: ConfigFlags(be.Uint16(b[8:])), MissSendLen: be.Uint16(b[10:])}
	return nil
}
