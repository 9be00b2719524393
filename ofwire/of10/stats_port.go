package of10

const (
	portStatsRequestLen = 8
	portStatsLen        = 104
)

// CounterUnsupported is the value of a counter the switch does not keep.
const CounterUnsupported uint64 = 1<<64 - 1

// PortStatsRequest asks for the counters of one port, or of all with PortNone.
type PortStatsRequest struct {
	PortNo Port
}

func (PortStatsRequest) statsType() StatsType { return StatsPort }
func (PortStatsRequest) statsLen() int        { return portStatsRequestLen }

func (s PortStatsRequest) appendStats(b []byte) ([]byte, error) {
	b = be.AppendUint16(b, uint16(s.PortNo))
	return append(b, pads[:6]...), nil
}

// PortStats is the counters of one port; CounterUnsupported where there is none.
type PortStats struct {
	PortNo     Port
	RxPackets  uint64
	TxPackets  uint64
	RxBytes    uint64
	TxBytes    uint64
	RxDropped  uint64
	TxDropped  uint64
	RxErrors   uint64
	TxErrors   uint64
	RxFrameErr uint64
	RxOverErr  uint64
	RxCRCErr   uint64
	Collisions uint64
}

// PortStatsReply is the counters of the ports that were asked for.
type PortStatsReply []PortStats

func (PortStatsReply) statsType() StatsType { return StatsPort }
func (s PortStatsReply) statsLen() int      { return portStatsLen * len(s) }

func (s PortStatsReply) appendStats(b []byte) ([]byte, error) {
	for i := range s {
		p := &s[i]
		b = be.AppendUint16(b, uint16(p.PortNo))
		b = append(b, pads[:6]...)
		for _, v := range [...]uint64{p.RxPackets, p.TxPackets, p.RxBytes, p.TxBytes, p.RxDropped, p.TxDropped,
			p.RxErrors, p.TxErrors, p.RxFrameErr, p.RxOverErr, p.RxCRCErr, p.Collisions} {
			b = be.AppendUint64(b, v)
		}
	}
	return b, nil
}

func parsePortStats(b []byte) PortStats {
	return PortStats{
		PortNo:     Port(be.Uint16(b)),
		RxPackets:  be.Uint64(b[8:]),
		TxPackets:  be.Uint64(b[16:]),
		RxBytes:    be.Uint64(b[24:]),
		TxBytes:    be.Uint64(b[32:]),
		RxDropped:  be.Uint64(b[40:]),
		TxDropped:  be.Uint64(b[48:]),
		RxErrors:   be.Uint64(b[56:]),
		TxErrors:   be.Uint64(b[64:]),
		RxFrameErr: be.Uint64(b[72:]),
		RxOverErr:  be.Uint64(b[80:]),
		RxCRCErr:   be.Uint64(b[88:]),
		Collisions: be.Uint64(b[96:]),
	}
}
