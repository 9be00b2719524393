package of10

import "fmt"

const statsHeaderLen = 12

// StatsType is the kind of statistics (section 5.3.5).
type StatsType uint16

// Statistics types.
const (
	StatsDesc StatsType = iota
	StatsFlow
	StatsAggregate
	StatsTable
	StatsPort
	StatsQueue
	numStats
	StatsVendor StatsType = 0xffff
)

var statsNames = [numStats]string{"DESC", "FLOW", "AGGREGATE", "TABLE", "PORT", "QUEUE"}

func (t StatsType) String() string {
	switch {
	case t < numStats:
		return "OFPST_" + statsNames[t]
	case t == StatsVendor:
		return "OFPST_VENDOR"
	}
	return fmt.Sprintf("OFPST_%d", uint16(t))
}

// StatsBody is what follows the header of a statistics message: in requests
// FlowStatsRequest, AggregateStatsRequest, PortStatsRequest, QueueStatsRequest; in replies
// DescStats, FlowStatsReply, AggregateStats, TableStatsReply, PortStatsReply,
// QueueStatsReply; in both VendorStats and, for unknown types, RawStats.
type StatsBody interface {
	statsType() StatsType
	statsLen() int
	appendStats(b []byte) ([]byte, error)
}

// RawStats is a body of a type OpenFlow 1.0 does not define. It aliases the input after
// decoding.
type RawStats []byte

func (RawStats) statsType() StatsType                   { return 0 }
func (s RawStats) statsLen() int                        { return len(s) }
func (s RawStats) appendStats(b []byte) ([]byte, error) { return append(b, s...), nil }

func statsLen(body StatsBody) int {
	if body == nil {
		return statsHeaderLen
	}
	return statsHeaderLen + body.statsLen()
}

func appendStats(b []byte, m Type, t StatsType, flags uint16, body StatsBody) ([]byte, error) {
	b = be.AppendUint16(b, uint16(t))
	b = be.AppendUint16(b, flags)
	if body == nil {
		return b, nil
	}
	if _, raw := body.(RawStats); !raw && body.statsType() != t {
		return b, fmt.Errorf("of10: encode %v: body %T does not belong to %v", m, body, t)
	}
	return body.appendStats(b)
}

// parseStatsRequest decodes the body of a whole statistics request.
func parseStatsRequest(b []byte, t StatsType) (StatsBody, error) {
	body := b[statsHeaderLen:]
	want, known := 0, true
	switch t {
	case StatsDesc, StatsTable:
	case StatsFlow, StatsAggregate:
		want = flowStatsRequestLen
	case StatsPort:
		want = portStatsRequestLen
	case StatsQueue:
		want = queueStatsRequestLen
	default:
		known = false
	}
	if known && len(body) != want {
		return nil, badRequestLen(b)
	}
	switch t {
	case StatsDesc, StatsTable:
		return nil, nil
	case StatsFlow:
		return parseFlowStatsRequest(body), nil
	case StatsAggregate:
		return AggregateStatsRequest(parseFlowStatsRequest(body)), nil
	case StatsPort:
		return PortStatsRequest{PortNo: Port(be.Uint16(body))}, nil
	case StatsQueue:
		return QueueStatsRequest{PortNo: Port(be.Uint16(body)), QueueID: be.Uint32(body[4:])}, nil
	}
	return parseOtherStats(b, t)
}

// parseStatsReply decodes the body of a whole statistics reply.
func parseStatsReply(b []byte, t StatsType) (StatsBody, error) {
	body := b[statsHeaderLen:]
	var size int
	switch t {
	case StatsFlow:
		return parseFlowStatsReply(b)
	case StatsDesc:
		if len(body) != descStatsLen {
			return nil, badRequestLen(b)
		}
		return parseDescStats(body), nil
	case StatsAggregate:
		if len(body) != aggregateStatsLen {
			return nil, badRequestLen(b)
		}
		return parseAggregateStats(body), nil
	case StatsTable:
		size = tableStatsLen
	case StatsPort:
		size = portStatsLen
	case StatsQueue:
		size = queueStatsLen
	default:
		return parseOtherStats(b, t)
	}
	if len(body)%size != 0 {
		return nil, badRequestLen(b)
	}
	switch t {
	case StatsTable:
		return TableStatsReply(parseRecords(body, size, parseTableStats)), nil
	case StatsPort:
		return PortStatsReply(parseRecords(body, size, parsePortStats)), nil
	}
	return QueueStatsReply(parseRecords(body, size, parseQueueStats)), nil
}

// parseOtherStats keeps a vendor body or one of unknown type.
func parseOtherStats(b []byte, t StatsType) (StatsBody, error) {
	body := tail(b, statsHeaderLen)
	if t == StatsVendor {
		if len(body) < vendorStatsLen {
			return nil, badRequestLen(b)
		}
		return VendorStats{Vendor: be.Uint32(body), Data: tail(body, vendorStatsLen)}, nil
	}
	if body == nil {
		return nil, nil
	}
	return RawStats(body), nil
}

// parseRecords decodes a body of records of one size; nil for none.
func parseRecords[T any](b []byte, size int, parse func([]byte) T) []T {
	if len(b) == 0 {
		return nil
	}
	list := make([]T, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		list = append(list, parse(b[:size]))
	}
	return list
}
