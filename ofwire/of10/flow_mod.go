package of10

import "fmt"

const flowModLen = 72

// FlowModCommand is what a FlowMod does to the table.
type FlowModCommand uint16

// Flow_mod commands. The strict ones compare wildcards and priority too.
const (
	FlowAdd FlowModCommand = iota
	FlowModify
	FlowModifyStrict
	FlowDelete
	FlowDeleteStrict
)

func (c FlowModCommand) String() string {
	switch c {
	case FlowAdd:
		return "ADD"
	case FlowModify:
		return "MOD"
	case FlowModifyStrict:
		return "MOD_STRICT"
	case FlowDelete:
		return "DEL"
	case FlowDeleteStrict:
		return "DEL_STRICT"
	}
	return fmt.Sprintf("cmd:%d", uint16(c))
}

// FlowModFlags are options of a FlowMod.
type FlowModFlags uint16

// Flow_mod flags.
const (
	FlowModSendFlowRem  FlowModFlags = 1 << iota // send a FlowRemoved when the flow ends
	FlowModCheckOverlap                          // refuse if a flow of the same priority overlaps
	FlowModEmerg                                 // for the emergency table
)

// FlowMod changes the flow table (section 5.3.3).
type FlowMod struct {
	XID         uint32
	Match       Match
	Cookie      uint64
	Command     FlowModCommand
	IdleTimeout uint16 // seconds, 0 for none
	HardTimeout uint16 // seconds, 0 for none
	Priority    uint16
	BufferID    uint32 // frame to apply the flow to, or NoBuffer
	OutPort     Port   // for deletes: only flows with an output there; PortNone for all
	Flags       FlowModFlags
	Actions     []Action
}

// Type returns TypeFlowMod.
func (m *FlowMod) Type() Type { return TypeFlowMod }

// TransactionID returns the xid.
func (m *FlowMod) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *FlowMod) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *FlowMod) Len() int { return flowModLen + ActionsLen(m.Actions) }

// AppendBinary adds the encoded message to b.
func (m *FlowMod) AppendBinary(b []byte) ([]byte, error) {
	start := b
	b, err := appendHeader(b, TypeFlowMod, m.Len(), m.XID)
	if err != nil {
		return start, err
	}
	b = m.Match.Append(b)
	b = be.AppendUint64(b, m.Cookie)
	b = be.AppendUint16(b, uint16(m.Command))
	b = be.AppendUint16(b, m.IdleTimeout)
	b = be.AppendUint16(b, m.HardTimeout)
	b = be.AppendUint16(b, m.Priority)
	b = be.AppendUint32(b, m.BufferID)
	b = be.AppendUint16(b, uint16(m.OutPort))
	b = be.AppendUint16(b, uint16(m.Flags))
	if b, err = AppendActions(b, m.Actions); err != nil {
		return start, fmt.Errorf("of10: encode %v: %w", TypeFlowMod, err)
	}
	return b, nil
}

// UnmarshalBinary decodes one whole message. It reuses m.Actions and allocates only when
// that is too small.
func (m *FlowMod) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeFlowMod, flowModLen); err != nil {
		return err
	}
	if code, ok := checkActions(b[flowModLen:]); !ok {
		return NewError(ErrorBadAction, code, b)
	}
	m.XID = frameXID(b)
	m.Match.decode((*[MatchLen]byte)(b[8:]))
	m.Cookie = be.Uint64(b[48:])
	m.Command = FlowModCommand(be.Uint16(b[56:]))
	m.IdleTimeout = be.Uint16(b[58:])
	m.HardTimeout = be.Uint16(b[60:])
	m.Priority = be.Uint16(b[62:])
	m.BufferID = be.Uint32(b[64:])
	m.OutPort = Port(be.Uint16(b[68:]))
	m.Flags = FlowModFlags(be.Uint16(b[70:]))
	m.Actions = appendParsed(m.Actions[:0], b[flowModLen:])
	return nil
}
