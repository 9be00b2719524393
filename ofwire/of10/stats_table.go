package of10

const (
	tableStatsLen = 64
	tableNameLen  = 32
)

// TableStats describes one flow table.
type TableStats struct {
	TableID      uint8
	Name         string // at most 32 bytes
	Wildcards    uint32 // bits the table can have wild
	MaxEntries   uint32
	ActiveCount  uint32
	LookupCount  uint64
	MatchedCount uint64
}

// TableStatsReply is all tables of a switch.
type TableStatsReply []TableStats

func (TableStatsReply) statsType() StatsType { return StatsTable }
func (s TableStatsReply) statsLen() int      { return tableStatsLen * len(s) }

func (s TableStatsReply) appendStats(b []byte) ([]byte, error) {
	for i := range s {
		t := &s[i]
		if err := checkFixed("table name", t.Name, tableNameLen); err != nil {
			return b, err
		}
		b = append(b, t.TableID, 0, 0, 0)
		b = appendFixed(b, t.Name, tableNameLen)
		b = be.AppendUint32(b, t.Wildcards)
		b = be.AppendUint32(b, t.MaxEntries)
		b = be.AppendUint32(b, t.ActiveCount)
		b = be.AppendUint64(b, t.LookupCount)
		b = be.AppendUint64(b, t.MatchedCount)
	}
	return b, nil
}

func parseTableStats(b []byte) TableStats {
	return TableStats{
		TableID:      b[0],
		Name:         fixedString(b[4:36]),
		Wildcards:    be.Uint32(b[36:]),
		MaxEntries:   be.Uint32(b[40:]),
		ActiveCount:  be.Uint32(b[44:]),
		LookupCount:  be.Uint64(b[48:]),
		MatchedCount: be.Uint64(b[56:]),
	}
}
