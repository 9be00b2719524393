package of10

const queueGetConfigRequestLen = 12

// QueueGetConfigRequest asks for the queues of a port (section 5.3.4).
type QueueGetConfigRequest struct {
	XID  uint32
	Port Port
}

// Type returns TypeQueueGetConfigRequest.
func (m *QueueGetConfigRequest) Type() Type { return TypeQueueGetConfigRequest }

// TransactionID returns the xid.
func (m *QueueGetConfigRequest) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *QueueGetConfigRequest) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *QueueGetConfigRequest) Len() int { return queueGetConfigRequestLen }

// AppendBinary adds the encoded message to b.
func (m *QueueGetConfigRequest) AppendBinary(b []byte) ([]byte, error) {
	b, _ = appendHeader(b, TypeQueueGetConfigRequest, queueGetConfigRequestLen, m.XID)
	b = be.AppendUint16(b, uint16(m.Port))
	return append(b, 0, 0), nil
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *QueueGetConfigRequest) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeQueueGetConfigRequest, queueGetConfigRequestLen); err != nil {
		return err
	}
	*m = QueueGetConfigRequest{XID: frameXID(b), Port: Port(be.Uint16(b[8:]))}
	return nil
}
