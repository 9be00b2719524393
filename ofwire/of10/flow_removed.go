package of10

import "strconv"

const flowRemovedLen = 88

// FlowRemovedReason says why a flow is gone.
type FlowRemovedReason uint8

// Reasons of a FlowRemoved.
const (
	RemovedIdleTimeout FlowRemovedReason = iota
	RemovedHardTimeout
	RemovedDelete
)

func (r FlowRemovedReason) String() string {
	switch r {
	case RemovedIdleTimeout:
		return "idle"
	case RemovedHardTimeout:
		return "hard"
	case RemovedDelete:
		return "delete"
	}
	return strconv.Itoa(int(r))
}

// FlowRemoved says that a flow with FlowModSendFlowRem is gone (section 5.4.2).
type FlowRemoved struct {
	XID          uint32
	Match        Match
	Cookie       uint64
	Priority     uint16
	Reason       FlowRemovedReason
	DurationSec  uint32
	DurationNsec uint32 // beyond DurationSec
	IdleTimeout  uint16 // seconds
	PacketCount  uint64
	ByteCount    uint64
}

// Type returns TypeFlowRemoved.
func (m *FlowRemoved) Type() Type { return TypeFlowRemoved }

// TransactionID returns the xid.
func (m *FlowRemoved) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *FlowRemoved) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *FlowRemoved) Len() int { return flowRemovedLen }

// AppendBinary adds the encoded message to b.
func (m *FlowRemoved) AppendBinary(b []byte) ([]byte, error) {
	b, _ = appendHeader(b, TypeFlowRemoved, flowRemovedLen, m.XID)
	b = m.Match.Append(b)
	b = be.AppendUint64(b, m.Cookie)
	b = be.AppendUint16(b, m.Priority)
	b = append(b, uint8(m.Reason), 0)
	b = be.AppendUint32(b, m.DurationSec)
	b = be.AppendUint32(b, m.DurationNsec)
	b = be.AppendUint16(b, m.IdleTimeout)
	b = append(b, 0, 0)
	b = be.AppendUint64(b, m.PacketCount)
	return be.AppendUint64(b, m.ByteCount), nil
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *FlowRemoved) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypeFlowRemoved, flowRemovedLen); err != nil {
		return err
	}
	m.XID = frameXID(b)
	m.Match.decode((*[MatchLen]byte)(b[8:]))
	m.Cookie = be.Uint64(b[48:])
	m.Priority = be.Uint16(b[56:])
	m.Reason = FlowRemovedReason(b[58])
	m.DurationSec = be.Uint32(b[60:])
	m.DurationNsec = be.Uint32(b[64:])
	m.IdleTimeout = be.Uint16(b[68:])
	m.PacketCount = be.Uint64(b[72:])
	m.ByteCount = be.Uint64(b[80:])
	return nil
}
