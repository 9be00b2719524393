package of10

const vendorStatsLen = 4

// VendorStats is a vendor's statistics, in requests and replies. Data is kept as it is.
type VendorStats struct {
	Vendor uint32
	Data   []byte // aliases the input after decoding
}

func (VendorStats) statsType() StatsType { return StatsVendor }
func (s VendorStats) statsLen() int      { return vendorStatsLen + len(s.Data) }

func (s VendorStats) appendStats(b []byte) ([]byte, error) {
	return append(be.AppendUint32(b, s.Vendor), s.Data...), nil
}
