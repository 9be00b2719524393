package of10

const queueGetConfigReplyLen = 16

// QueueGetConfigReply tells the queues of a port (section 5.3.4).
type QueueGetConfigReply struct {
	XID    uint32
	Port   Port
	Queues []PacketQueue
}

// Type returns TypeQueueGetConfigReply.
func (m *QueueGetConfigReply) Type() Type { return TypeQueueGetConfigReply }

// TransactionID returns the xid.
func (m *QueueGetConfigReply) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *QueueGetConfigReply) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *QueueGetConfigReply) Len() int {
	n := queueGetConfigReplyLen
	for i := range m.Queues {
		n += m.Queues[i].len()
	}
	return n
}

// AppendBinary adds the encoded message to b.
func (m *QueueGetConfigReply) AppendBinary(b []byte) ([]byte, error) {
	start := b
	b, err := appendHeader(b, TypeQueueGetConfigReply, m.Len(), m.XID)
	if err != nil {
		return start, err
	}
	b = be.AppendUint16(b, uint16(m.Port))
	b = append(b, pads[:6]...)
	for i := range m.Queues {
		if b, err = m.Queues[i].append(b); err != nil {
			return start, err
		}
	}
	return b, nil
}

// UnmarshalBinary decodes one whole message.
func (m *QueueGetConfigReply) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeQueueGetConfigReply, queueGetConfigReplyLen); err != nil {
		return err
	}
	var queues []PacketQueue
	for rest := b[queueGetConfigReplyLen:]; len(rest) > 0; {
		q, n, ok := parsePacketQueue(rest)
		if !ok {
			return badRequestLen(b)
		}
		queues, rest = append(queues, q), rest[n:]
	}
	*m = QueueGetConfigReply{XID: frameXID(b), Port: Port(be.Uint16(b[8:])), Queues: queues}
	return nil
}
