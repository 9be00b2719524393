package hypervisor

import (
	"fmt"
	"testing"
	"time"

	"github.com/govisor/govisor/flowspace"
)

// BenchmarkBulkRules adds 18 × 10 × 3889 rules in one change: check, store, index.
func BenchmarkBulkRules(b *testing.B) {
	for b.Loop() {
		s, err := Open(b.Context(), Options{Dir: b.TempDir(), AdminPassword: "x"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.CreateSlice(b.Context(), Local(), SliceSpec{Name: "a", SlicePatch: SlicePatch{Controllers: []string{"tcp:h"}}}); err != nil {
			b.Fatal(err)
		}
		var changes []RuleChange
		grants := []flowspace.Grant{{Slice: "a", Perm: 7}}
		for dpid := range uint64(18) {
			for port := range uint32(10) {
				for vlan := range uint32(3889) {
					changes = append(changes, RuleChange{Op: flowspace.Add, Rule: &flowspace.Rule{Name: fmt.Sprintf("s%dp%dv%d", dpid, port, vlan),
						DPIDs: flowspace.DPIDs(dpid + 1), Priority: 100, Grants: grants, Match: flowspace.Match{InPort: flowspace.One(port), DLVLAN: flowspace.One(vlan)}}})
				}
			}
		}
		start := time.Now()
		if _, err := s.ChangeRules(b.Context(), Local(), changes, false); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/add")
		dir := s.opts.Dir
		s.Close()
		start = time.Now()
		if s, err = Open(b.Context(), Options{Dir: dir, AdminPassword: "x"}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/load")
		start = time.Now()
		one := &flowspace.Rule{Name: "one", DPIDs: flowspace.DPIDs(1), Priority: 5, Grants: grants}
		if _, err := s.ChangeRules(b.Context(), Local(), []RuleChange{{Op: flowspace.Add, Rule: one}}, false); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Microseconds()), "us/one-more")
		s.Close()
	}
}
