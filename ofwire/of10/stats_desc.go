package of10

const (
	descLen      = 256
	serialNumLen = 32
	descStatsLen = 4*descLen + serialNumLen
)

// DescStats describes the switch in words. Texts are at most 256 bytes, SerialNum 32.
type DescStats struct {
	Manufacturer string
	Hardware     string
	Software     string
	SerialNum    string
	Datapath     string
}

func (DescStats) statsType() StatsType { return StatsDesc }
func (DescStats) statsLen() int        { return descStatsLen }

func (s DescStats) appendStats(b []byte) ([]byte, error) {
	for _, f := range []struct {
		name, text string
		size       int
	}{
		{"manufacturer", s.Manufacturer, descLen},
		{"hardware description", s.Hardware, descLen},
		{"software description", s.Software, descLen},
		{"serial number", s.SerialNum, serialNumLen},
		{"datapath description", s.Datapath, descLen},
	} {
		if err := checkFixed(f.name, f.text, f.size); err != nil {
			return b, err
		}
		b = appendFixed(b, f.text, f.size)
	}
	return b, nil
}

func parseDescStats(b []byte) DescStats {
	return DescStats{
		Manufacturer: fixedString(b[:256]),
		Hardware:     fixedString(b[256:512]),
		Software:     fixedString(b[512:768]),
		SerialNum:    fixedString(b[768:800]),
		Datapath:     fixedString(b[800:1056]),
	}
}
