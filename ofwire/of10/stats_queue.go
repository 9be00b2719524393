package of10

const (
	queueStatsRequestLen = 8
	queueStatsLen        = 32
)

// QueueStatsRequest asks for the counters of one queue or, with PortAll or QueueAll, of
// many.
type QueueStatsRequest struct {
	PortNo  Port
	QueueID uint32
}

func (QueueStatsRequest) statsType() StatsType { return StatsQueue }
func (QueueStatsRequest) statsLen() int        { return queueStatsRequestLen }

func (s QueueStatsRequest) appendStats(b []byte) ([]byte, error) {
	b = be.AppendUint16(b, uint16(s.PortNo))
	b = append(b, 0, 0)
	return be.AppendUint32(b, s.QueueID), nil
}

// QueueStats is the counters of one queue; CounterUnsupported where there is none.
type QueueStats struct {
	PortNo    Port
	QueueID   uint32
	TxBytes   uint64
	TxPackets uint64
	TxErrors  uint64 // dropped because of overrun
}

// QueueStatsReply is the counters of the queues that were asked for.
type QueueStatsReply []QueueStats

func (QueueStatsReply) statsType() StatsType { return StatsQueue }
func (s QueueStatsReply) statsLen() int      { return queueStatsLen * len(s) }

func (s QueueStatsReply) appendStats(b []byte) ([]byte, error) {
	for i := range s {
		q := &s[i]
		b = be.AppendUint16(b, uint16(q.PortNo))
		b = append(b, 0, 0)
		b = be.AppendUint32(b, q.QueueID)
		b = be.AppendUint64(b, q.TxBytes)
		b = be.AppendUint64(b, q.TxPackets)
		b = be.AppendUint64(b, q.TxErrors)
	}
	return b, nil
}

func parseQueueStats(b []byte) QueueStats {
	return QueueStats{
		PortNo:    Port(be.Uint16(b)),
		QueueID:   be.Uint32(b[4:]),
		TxBytes:   be.Uint64(b[8:]),
		TxPackets: be.Uint64(b[16:]),
		TxErrors:  be.Uint64(b[24:]),
	}
}
