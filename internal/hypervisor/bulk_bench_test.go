package hypervisor

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/govisor/govisor/flowspace"
)

// manyRules are 18 x 10 x 3889 rules, 700,020.
func manyRules() []RuleChange {
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
	return changes
}

func withSlice(b *testing.B) *Service {
	s, err := Open(b.Context(), Options{Dir: b.TempDir(), AdminPassword: "x"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.CreateSlice(b.Context(), Local(), SliceSpec{Name: "a", SlicePatch: SlicePatch{Controllers: []string{"tcp:h"}}}); err != nil {
		b.Fatal(err)
	}
	return s
}

// cpuSeconds is the processor time used so far: machines are shared, and it moves less
// than the time on the clock.
func cpuSeconds(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkBulkRules adds 700,000 rules in one change: check, store, index.
func BenchmarkBulkRules(b *testing.B) {
	changes := manyRules()
	used := 0.0
	for b.Loop() {
		b.StopTimer()
		s := withSlice(b)
		b.StartTimer()
		used -= cpuSeconds(b)
		if _, err := s.ChangeRules(b.Context(), Local(), changes, false); err != nil {
			b.Fatal(err)
		}
		used += cpuSeconds(b)
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
	b.ReportMetric(used/float64(b.N), "cpu-s/op")
}

// BenchmarkStart opens a data directory with 700,000 rules, ready to serve.
func BenchmarkStart(b *testing.B) {
	s := withSlice(b)
	if _, err := s.ChangeRules(b.Context(), Local(), manyRules(), false); err != nil {
		b.Fatal(err)
	}
	dir := s.opts.Dir
	s.Close()
	used := -cpuSeconds(b)
	for b.Loop() {
		s, err := Open(b.Context(), Options{Dir: dir, AdminPassword: "x"})
		if err != nil {
			b.Fatal(err)
		}
		if s.Flowspace().Len() != 700_020 {
			b.Fatal(s.Flowspace().Len())
		}
		s.Close()
	}
	b.ReportMetric((used+cpuSeconds(b))/float64(b.N), "cpu-s/op")
}

// BenchmarkOneMoreRule adds and removes a rule beside 700,000, each with its fsync.
func BenchmarkOneMoreRule(b *testing.B) {
	s := withSlice(b)
	if _, err := s.ChangeRules(b.Context(), Local(), manyRules(), false); err != nil {
		b.Fatal(err)
	}
	one := &flowspace.Rule{Name: "one", DPIDs: flowspace.DPIDs(1), Priority: 5, Grants: []flowspace.Grant{{Slice: "a", Perm: 7}}}
	used := -cpuSeconds(b)
	for b.Loop() {
		for _, ch := range []RuleChange{{Op: flowspace.Add, Rule: one}, {Op: flowspace.Remove, Ref: "one"}} {
			if _, err := s.ChangeRules(b.Context(), Local(), []RuleChange{ch}, false); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric((used+cpuSeconds(b))/float64(b.N), "cpu-s/op")
	s.Close()
}
