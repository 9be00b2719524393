package of10

// StatsReplyMore is set in every part but the last of a reply in several messages.
const StatsReplyMore uint16 = 1

// StatsReply brings statistics, possibly in several messages of one xid (section 5.3.5).
type StatsReply struct {
	XID       uint32
	StatsType StatsType
	Flags     uint16 // StatsReplyMore
	// Body is of the type that belongs to StatsType, or nil when nothing follows, or
	// RawStats.
	Body StatsBody
}

// Type returns TypeStatsReply.
func (m *StatsReply) Type() Type { return TypeStatsReply }

// TransactionID returns the xid.
func (m *StatsReply) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *StatsReply) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *StatsReply) Len() int { return statsLen(m.Body) }

// AppendBinary adds the encoded message to b. It fails when Body does not belong to
// StatsType.
func (m *StatsReply) AppendBinary(b []byte) ([]byte, error) {
	start := b
	b, err := appendHeader(b, TypeStatsReply, m.Len(), m.XID)
	if err != nil {
		return start, err
	}
	if b, err = appendStats(b, TypeStatsReply, m.StatsType, m.Flags, m.Body); err != nil {
		return start, err
	}
	return b, nil
}

// UnmarshalBinary decodes one whole message. A body of unknown type is kept as RawStats.
func (m *StatsReply) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeStatsReply, statsHeaderLen); err != nil {
		return err
	}
	t := StatsType(be.Uint16(b[8:]))
	body, err := parseStatsReply(b, t)
	if err != nil {
		return err
	}
	*m = StatsReply{XID: frameXID(b), StatsType: t, Flags: be.Uint16(b[10:]), Body: body}
	return nil
}
