package of10

// StatsRequest asks for statistics (section 5.3.5).
type StatsRequest struct {
	XID       uint32
	StatsType StatsType
	Flags     uint16 // none are defined
	// Body is of the type that belongs to StatsType, or nil when nothing follows, or
	// RawStats.
	Body StatsBody
}

// Type returns TypeStatsRequest.
func (m *StatsRequest) Type() Type { return TypeStatsRequest }

// TransactionID returns the xid.
func (m *StatsRequest) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *StatsRequest) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *StatsRequest) Len() int { return statsLen(m.Body) }

// AppendBinary adds the encoded message to b. It fails when Body does not belong to
// StatsType.
func (m *StatsRequest) AppendBinary(b []byte) ([]byte, error) {
	start := b
	b, err := appendHeader(b, TypeStatsRequest, m.Len(), m.XID)
	if err != nil {
		return start, err
	}
	if b, err = appendStats(b, TypeStatsRequest, m.StatsType, m.Flags, m.Body); err != nil {
		return start, err
	}
	return b, nil
}

// UnmarshalBinary decodes one whole message. A body of unknown type is kept as RawStats.
func (m *StatsRequest) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeStatsRequest, statsHeaderLen); err != nil {
		return err
	}
	t := StatsType(be.Uint16(b[8:]))
	body, err := parseStatsRequest(b, t)
	if err != nil {
		return err
	}
	*m = StatsRequest{XID: frameXID(b), StatsType: t, Flags: be.Uint16(b[10:]), Body: body}
	return nil
}
