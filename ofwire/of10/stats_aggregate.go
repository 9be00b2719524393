package of10

const aggregateStatsLen = 24

// AggregateStatsRequest asks for the sum over the flows that Match covers.
type AggregateStatsRequest FlowStatsRequest

func (AggregateStatsRequest) statsType() StatsType { return StatsAggregate }
func (AggregateStatsRequest) statsLen() int        { return flowStatsRequestLen }

func (s AggregateStatsRequest) appendStats(b []byte) ([]byte, error) {
	return FlowStatsRequest(s).appendStats(b)
}

// AggregateStats is the sum over a set of flows.
type AggregateStats struct {
	PacketCount uint64
	ByteCount   uint64
	FlowCount   uint32
}

func (AggregateStats) statsType() StatsType { return StatsAggregate }
func (AggregateStats) statsLen() int        { return aggregateStatsLen }

func (s AggregateStats) appendStats(b []byte) ([]byte, error) {
	b = be.AppendUint64(b, s.PacketCount)
	b = be.AppendUint64(b, s.ByteCount)
	b = be.AppendUint32(b, s.FlowCount)
	return append(b, pads[:4]...), nil
}

func parseAggregateStats(b []byte) AggregateStats {
	return AggregateStats{
		PacketCount: be.Uint64(b),
		ByteCount:   be.Uint64(b[8:]),
		FlowCount:   be.Uint32(b[16:]),
	}
}
