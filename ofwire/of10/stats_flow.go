package of10

import "fmt"

const (
	flowStatsRequestLen = 44
	flowStatsLen        = 88
)

// Tables of a FlowStatsRequest.
const (
	TableAll   uint8 = 0xff
	TableEmerg uint8 = 0xfe
)

// FlowStatsRequest asks for the flows that Match covers.
type FlowStatsRequest struct {
	Match   Match
	TableID uint8 // TableAll, TableEmerg or a table
	OutPort Port  // only flows with an output there; PortNone for all
}

func (FlowStatsRequest) statsType() StatsType { return StatsFlow }
func (FlowStatsRequest) statsLen() int        { return flowStatsRequestLen }

func (s FlowStatsRequest) appendStats(b []byte) ([]byte, error) {
	b = s.Match.Append(b)
	b = append(b, s.TableID, 0)
	return be.AppendUint16(b, uint16(s.OutPort)), nil
}

func parseFlowStatsRequest(b []byte) (s FlowStatsRequest) {
	s.Match.decode((*[MatchLen]byte)(b))
	s.TableID, s.OutPort = b[40], Port(be.Uint16(b[42:]))
	return s
}

// FlowStats is one flow of a FlowStatsReply.
type FlowStats struct {
	TableID      uint8
	Match        Match
	DurationSec  uint32
	DurationNsec uint32 // beyond DurationSec
	Priority     uint16
	IdleTimeout  uint16 // seconds, 0 for none
	HardTimeout  uint16 // seconds, 0 for none
	Cookie       uint64
	PacketCount  uint64
	ByteCount    uint64
	Actions      []Action
}

// Len returns the encoded size in bytes.
func (s *FlowStats) Len() int { return flowStatsLen + ActionsLen(s.Actions) }

// FlowStatsReply is the flows that were asked for, or a part of them.
type FlowStatsReply []FlowStats

func (FlowStatsReply) statsType() StatsType { return StatsFlow }

func (s FlowStatsReply) statsLen() int {
	n := 0
	for i := range s {
		n += s[i].Len()
	}
	return n
}

func (s FlowStatsReply) appendStats(b []byte) ([]byte, error) {
	for i := range s {
		f := &s[i]
		b = be.AppendUint16(b, uint16(f.Len()))
		b = append(b, f.TableID, 0)
		b = f.Match.Append(b)
		b = be.AppendUint32(b, f.DurationSec)
		b = be.AppendUint32(b, f.DurationNsec)
		b = be.AppendUint16(b, f.Priority)
		b = be.AppendUint16(b, f.IdleTimeout)
		b = be.AppendUint16(b, f.HardTimeout)
		b = append(b, pads[:6]...)
		b = be.AppendUint64(b, f.Cookie)
		b = be.AppendUint64(b, f.PacketCount)
		b = be.AppendUint64(b, f.ByteCount)
		var err error
		if b, err = AppendActions(b, f.Actions); err != nil {
			return b, fmt.Errorf("of10: encode flow stats %d: %w", i, err)
		}
	}
	return b, nil
}

// parseFlowStatsReply decodes the flows of a whole message. One pass checks all lengths
// and counts, so that all flows share two allocations.
func parseFlowStatsReply(b []byte) (StatsBody, error) {
	flows, actions := 0, 0
	for rest := b[statsHeaderLen:]; len(rest) > 0; flows++ {
		if len(rest) < flowStatsLen {
			return nil, badRequestLen(b)
		}
		n := int(be.Uint16(rest))
		if n < flowStatsLen || n > len(rest) {
			return nil, badRequestLen(b)
		}
		list := rest[flowStatsLen:n]
		if code, ok := checkActions(list); !ok {
			return nil, NewError(ErrorBadAction, code, b)
		}
		for ; len(list) > 0; actions++ {
			list = list[be.Uint16(list[2:]):]
		}
		rest = rest[n:]
	}
	if flows == 0 {
		return FlowStatsReply(nil), nil
	}
	reply := make(FlowStatsReply, 0, flows)
	all := make([]Action, 0, actions)
	for rest := b[statsHeaderLen:]; len(rest) > 0; {
		n := int(be.Uint16(rest))
		from := len(all)
		all = appendParsed(all, rest[flowStatsLen:n])
		f := FlowStats{
			TableID:      rest[2],
			DurationSec:  be.Uint32(rest[44:]),
			DurationNsec: be.Uint32(rest[48:]),
			Priority:     be.Uint16(rest[52:]),
			IdleTimeout:  be.Uint16(rest[54:]),
			HardTimeout:  be.Uint16(rest[56:]),
			Cookie:       be.Uint64(rest[64:]),
			PacketCount:  be.Uint64(rest[72:]),
			ByteCount:    be.Uint64(rest[80:]),
		}
		if len(all) > from {
			f.Actions = all[from:len(all):len(all)]
		}
		f.Match.decode((*[MatchLen]byte)(rest[4:]))
		reply = append(reply, f)
		rest = rest[n:]
	}
	return reply, nil
}
