package of10

import "strconv"

const portStatusLen = 64

// PortReason says what happened to a port.
type PortReason uint8

// Reasons of a PortStatus.
const (
	PortAdded PortReason = iota
	PortDeleted
	PortModified
)

func (r PortReason) String() string {
	switch r {
	case PortAdded:
		return "ADD"
	case PortDeleted:
		return "DEL"
	case PortModified:
		return "MOD"
	}
	return strconv.Itoa(int(r))
}

// PortStatus tells of a port that came, went or changed (section 5.4.3).
type PortStatus struct {
	XID    uint32
	Reason PortReason
	Desc   PhyPort
}

// Type returns TypePortStatus.
func (m *PortStatus) Type() Type { return TypePortStatus }

// TransactionID returns the xid.
func (m *PortStatus) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *PortStatus) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *PortStatus) Len() int { return portStatusLen }

// AppendBinary adds the encoded message to b.
func (m *PortStatus) AppendBinary(b []byte) ([]byte, error) {
	start := b
	b, _ = appendHeader(b, TypePortStatus, portStatusLen, m.XID)
	b = append(b, uint8(m.Reason))
	b = append(b, pads[:7]...)
	b, err := m.Desc.append(b)
	if err != nil {
		return start, err
	}
	return b, nil
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *PortStatus) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypePortStatus, portStatusLen); err != nil {
		return err
	}
	*m = PortStatus{XID: frameXID(b), Reason: PortReason(b[8]), Desc: parsePhyPort(b[16:])}
	return nil
}
