package flowspace

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// The rule sets of docs/benchmarks.md. benchDPIDs datapaths share the rules evenly.
const benchDPIDs = 100

var benchSlices = []string{"alice", "bob", "carol", "dave"}

func benchRule(r *rand.Rand, i int) *Rule {
	return &Rule{DPIDs: DPIDs(uint64(i % benchDPIDs)), Priority: 100, Grants: []Grant{{benchSlices[r.IntN(len(benchSlices))], AllPermissions}}}
}

// narrowRules: one datapath, one port, and a VLAN, a /24 or a TCP port each.
func narrowRules(r *rand.Rand, n int) []*Rule {
	rules := make([]*Rule, n)
	for i := range rules {
		x := benchRule(r, i)
		m := &x.Match
		m.InPort = One(uint32(1 + r.IntN(48)))
		switch r.IntN(3) {
		case 0:
			m.DLVLAN = One(uint32(r.IntN(4096)))
		case 1:
			m.DLType = ipOnly
			m.NWDst = IPv4Prefix(0x0a000000|uint32(r.IntN(1<<24)), 24)
		case 2:
			m.DLVLAN = One(uint32(r.IntN(4096)))
			m.DLType, m.NWProto, m.TPDst = ipOnly, One(protoTCP), One(uint32(r.IntN(1024)))
		}
		rules[i] = x
	}
	return rules
}

// vlanRules: 18 datapaths x 10 ports x 4096 VLANs, n of them.
func vlanRules(r *rand.Rand, n int) []*Rule {
	rules := make([]*Rule, 0, n)
	for d := range 18 {
		for p := range 10 {
			for v := range 4096 {
				if len(rules) < n {
					x := benchRule(r, 0)
					x.DPIDs, x.Match = DPIDs(uint64(d)), Match{InPort: One(uint32(p + 1)), DLVLAN: One(uint32(v))}
					rules = append(rules, x)
				}
			}
		}
	}
	return rules
}

// campusRules: many /24 and MAC rules, overlapping, in five priorities.
func campusRules(r *rand.Rand, n int) []*Rule {
	rules := make([]*Rule, n)
	for i := range rules {
		x := benchRule(r, i)
		x.Priority = uint32(100 * (1 + r.IntN(5)))
		m := &x.Match
		switch r.IntN(8) {
		case 0, 1, 2:
			m.DLType, m.NWDst = ipOnly, IPv4Prefix(0x0a000000|uint32(r.IntN(1<<24)), 24)
		case 3, 4:
			m.DLType, m.NWSrc = ipOnly, IPv4Prefix(0x0a000000|uint32(r.IntN(1<<24)), 24)
		case 5:
			m.DLSrc = MACMask{0x020000000000 | uint64(r.IntN(1<<20)), macMask}
		case 6:
			m.DLDst = MACMask{0x020000000000 | uint64(r.IntN(1<<20)), macMask}
		case 7:
			m.DLType, m.NWDst = ipOnly, IPv4Prefix(0x0a000000|uint32(r.IntN(1<<24)), 16+r.IntN(8))
			m.InPort = One(uint32(1 + r.IntN(48)))
		}
		rules[i] = x
	}
	return rules
}

// wildRules: narrow, and 2 % of the rules are for all datapaths.
func wildRules(r *rand.Rand, n int) []*Rule {
	rules := narrowRules(r, n)
	for i := range rules {
		if i%50 == 0 {
			rules[i].DPIDs = AllDPIDs()
		}
	}
	return rules
}

var benchSets = []struct {
	name string
	make func(*rand.Rand, int) []*Rule
}{{"narrow", narrowRules}, {"vlan", vlanRules}, {"campus", campusRules}, {"wild", wildRules}}

// benchHeaders: headers some rule matches, headers none matches, and headers chosen
// to survive as many fields as possible without a match.
func benchHeaders(r *rand.Rand, rules []*Rule, kind string) (hs []Header, dpids []uint64) {
	for range 1 << 12 {
		x := rules[r.IntN(len(rules))]
		d := uint64(r.IntN(benchDPIDs))
		if !x.DPIDs.IsAll() {
			d = x.DPIDs.at(0)
		}
		m := &x.Match
		h := Header{
			InPort: uint32(1 + r.IntN(48)), DLSrc: MACMask{r.Uint64() & macMask, macMask}.MAC(), DLDst: MACMask{r.Uint64() & macMask, macMask}.MAC(),
			DLVLAN: uint16(r.IntN(4096)), DLType: typeIPv4, NWProto: protoTCP, NWSrc: r.Uint32(), NWDst: r.Uint32(), TPSrc: uint16(r.Uint32()), TPDst: uint16(r.Uint32()),
		}
		if kind != "miss" {
			h.InPort, h.DLVLAN = first(m.InPort, h.InPort), uint16(first(m.DLVLAN, uint32(h.DLVLAN)))
			h.DLType, h.NWProto = uint16(first(m.DLType, typeIPv4)), uint8(first(m.NWProto, protoTCP))
			h.TPDst = uint16(first(m.TPDst, uint32(h.TPDst)))
			h.NWDst, h.NWSrc = m.NWDst.Addr|h.NWDst&^m.NWDst.Mask, m.NWSrc.Addr|h.NWSrc&^m.NWSrc.Mask
			h.DLSrc = MACMask{m.DLSrc.Addr | macUint(&h.DLSrc)&^m.DLSrc.Mask, macMask}.MAC()
			h.DLDst = MACMask{m.DLDst.Addr | macUint(&h.DLDst)&^m.DLDst.Mask, macMask}.MAC()
		} else {
			h.InPort = 60000
		}
		if kind == "adversarial" { // every field from another rule of the datapath
			for range 6 {
				o := &rules[r.IntN(len(rules))].Match
				switch r.IntN(5) {
				case 0:
					h.InPort = first(o.InPort, h.InPort)
				case 1:
					h.DLVLAN = uint16(first(o.DLVLAN, uint32(h.DLVLAN)))
				case 2:
					h.NWDst = o.NWDst.Addr
				case 3:
					h.TPDst = uint16(first(o.TPDst, uint32(h.TPDst)))
				case 4:
					h.DLDst, h.DLSrc = o.DLDst.MAC(), o.DLSrc.MAC()
				}
			}
		}
		hs = append(hs, h)
		dpids = append(dpids, d)
	}
	return hs, dpids
}

func first(s Set, other uint32) uint32 {
	if s.IsAny() {
		return other
	}
	return s.lo
}

// benchCache keeps what several benchmarks need.
var benchCache struct {
	sync.Mutex
	rules map[string][]*Rule
	snaps map[string]*Snapshot
}

func benchRulesOf(name string, n int) []*Rule {
	key := fmt.Sprint(name, n)
	if r, ok := benchCache.rules[key]; ok {
		return r
	}
	benchCache.rules, benchCache.snaps = map[string][]*Rule{}, map[string]*Snapshot{} // one size at a time
	for _, s := range benchSets {
		if s.name == name {
			benchCache.rules[key] = s.make(rand.New(rand.NewPCG(1, uint64(n))), n)
		}
	}
	return benchCache.rules[key]
}

func benchSnapshot(b *testing.B, k MapKind, name string, n int) (*Snapshot, []*Rule) {
	benchCache.Lock()
	defer benchCache.Unlock()
	rules := benchRulesOf(name, n)
	key := fmt.Sprint(k, name, n)
	if s, ok := benchCache.snaps[key]; ok {
		return s, rules
	}
	s, _, err := New(Options{Map: k}).Apply(adds(rules))
	if err != nil {
		b.Fatal(err)
	}
	benchCache.snaps[key] = s
	return s, rules
}

func adds(rules []*Rule) []Change {
	cs := make([]Change, len(rules))
	for i, r := range rules {
		cs[i] = Change{Add, r}
	}
	return cs
}

func benchSizes(set string) []int {
	sizes := []int{10_000, 100_000}
	if os.Getenv("GOVISOR_BENCH") == "full" {
		sizes = append(sizes, 1_000_000)
	}
	if set == "vlan" {
		return []int{18 * 10 * 4096}
	}
	return sizes
}

func eachBench(b *testing.B, f func(b *testing.B, k MapKind, set string, n int)) {
	for _, set := range benchSets {
		for _, n := range benchSizes(set.name) {
			for _, k := range []MapKind{Federated, Linear} {
				b.Run(fmt.Sprintf("%s/%d/%v", set.name, n, k), func(b *testing.B) { f(b, k, set.name, n) })
			}
		}
	}
}

func BenchmarkOwner(b *testing.B) {
	for _, kind := range []string{"hit", "miss", "adversarial"} {
		b.Run(kind, func(b *testing.B) {
			eachBench(b, func(b *testing.B, k MapKind, set string, n int) {
				s, rules := benchSnapshot(b, k, set, n)
				hs, ds := benchHeaders(rand.New(rand.NewPCG(2, 2)), rules, kind)
				views := viewsOf(s, ds)
				b.ReportAllocs()
				done := cpuTime(b)
				for i := 0; b.Loop(); i++ {
					j := i % len(hs)
					views[j].Owner(&hs[j])
				}
				done()
			})
		})
	}
}

// cpuTime reports the processor time of an operation: machines are shared, and it
// moves less than the time on the clock.
func cpuTime(b *testing.B) (done func()) {
	used := func() float64 {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric((used()-before)/float64(b.N), "cpu-ns/op") }
}

func viewsOf(s *Snapshot, ds []uint64) []*View {
	byID := map[uint64]*View{}
	views := make([]*View, len(ds))
	for i, d := range ds {
		if byID[d] == nil {
			byID[d] = s.View(d)
		}
		views[i] = byID[d]
	}
	return views
}

// BenchmarkOwnerTupleSpace is the same with a tuple space search.
func BenchmarkOwnerTupleSpace(b *testing.B) {
	for _, kind := range []string{"hit", "miss", "adversarial"} {
		for _, set := range benchSets {
			for _, n := range benchSizes(set.name) {
				b.Run(fmt.Sprintf("%s/%s/%d", kind, set.name, n), func(b *testing.B) {
					benchCache.Lock()
					rules := benchRulesOf(set.name, n)
					benchCache.Unlock()
					t := newTupleSpace(rules)
					hs, ds := benchHeaders(rand.New(rand.NewPCG(2, 2)), rules, kind)
					b.ReportAllocs()
					done := cpuTime(b)
					for i := 0; b.Loop(); i++ {
						j := i % len(hs)
						t.owner(ds[j], &hs[j])
					}
					done()
				})
			}
		}
	}
}

// benchRegions are flow_mods as controllers send them: one VLAN, one address, one
// port with a prefix.
func benchRegions(r *rand.Rand) []Match {
	var ms []Match
	for range 256 {
		ms = append(ms,
			Match{DLVLAN: One(uint32(r.IntN(4096)))},
			Match{DLVLAN: One(uint32(r.IntN(4096))), DLType: ipOnly, NWDst: IPv4Prefix(0x0a000000|uint32(r.IntN(1<<24)), 32)},
			Match{InPort: One(uint32(1 + r.IntN(48))), DLType: ipOnly, NWDst: IPv4Prefix(0x0a000000|uint32(r.IntN(1<<24)), 16)},
		)
	}
	return ms
}

func BenchmarkOverlapping(b *testing.B) {
	eachBench(b, func(b *testing.B, k MapKind, set string, n int) {
		s, rules := benchSnapshot(b, k, set, n)
		_, ds := benchHeaders(rand.New(rand.NewPCG(2, 2)), rules, "hit")
		views := viewsOf(s, ds)
		ms := benchRegions(rand.New(rand.NewPCG(3, 3)))
		var dst []*Rule
		hits := 0
		b.ReportAllocs()
		done := cpuTime(b)
		for i := 0; b.Loop(); i++ {
			dst = views[i%len(views)].Overlapping(ms[i%len(ms)], dst[:0])
			hits += len(dst)
		}
		done()
		b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
	})
}

// BenchmarkChange adds one rule and removes it again, both published.
func BenchmarkChange(b *testing.B) {
	for _, set := range benchSets {
		for _, n := range benchSizes(set.name) {
			b.Run(fmt.Sprintf("%s/%d", set.name, n), func(b *testing.B) {
				s, rules := benchSnapshot(b, Federated, set.name, n)
				changeBench(b, s, rules)
			})
		}
	}
}

func changeBench(b *testing.B, s *Snapshot, rules []*Rule) {
	r := rand.New(rand.NewPCG(4, 4))
	i := 0
	b.ReportAllocs()
	done := cpuTime(b)
	for b.Loop() {
		x := *rules[r.IntN(len(rules))]
		x.Priority++
		next, a, err := s.Apply([]Change{{Add, &x}})
		if err != nil {
			b.Fatal(err)
		}
		if next, _, err = next.Apply([]Change{{Remove, &Rule{ID: rules0(s, r)}}}); err != nil {
			b.Fatal(err)
		}
		if i++; i%4 == 0 {
			s = next // let blocks fill and split
		}
		_ = a
	}
	done()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*b.N), "ns/change")
}

// BenchmarkChangeBigDatapath is BenchmarkChange with all rules on one datapath.
func BenchmarkChangeBigDatapath(b *testing.B) {
	for _, set := range benchSets[:3] { // wild is narrow there
		for _, n := range []int{40_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", set.name, n), func(b *testing.B) {
				rules := set.make(rand.New(rand.NewPCG(1, uint64(n))), n)
				for _, x := range rules {
					x.DPIDs = DPIDs(1)
				}
				s, _, err := New(Options{}).Apply(adds(rules))
				if err != nil {
					b.Fatal(err)
				}
				changeBench(b, s, rules)
			})
		}
	}
}

// rules0 returns the id of a rule that is there.
func rules0(s *Snapshot, r *rand.Rand) uint64 {
	for {
		if id := r.Uint64N(s.NextID()); s.Rule(id) != nil {
			return id
		}
	}
}

// BenchmarkBulk adds all rules of a set to an empty flowspace in one call.
func BenchmarkBulk(b *testing.B) {
	for _, set := range benchSets {
		for _, n := range benchSizes(set.name) {
			b.Run(fmt.Sprintf("%s/%d", set.name, n), func(b *testing.B) {
				benchCache.Lock()
				rules := benchRulesOf(set.name, n)
				clear(benchCache.snaps)
				benchCache.Unlock()
				cs := adds(rules)
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				var s *Snapshot
				done := cpuTime(b)
				for b.Loop() {
					var err error
					if s, _, err = New(Options{}).Apply(cs); err != nil {
						b.Fatal(err)
					}
				}
				done()
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
				b.ReportMetric(float64(after.Sys)/(1<<20), "MiB-sys")
				runtime.KeepAlive(s)
			})
		}
	}
}

// BenchmarkVLANRanges is the VLAN set said as people think of it: 180 rules.
func BenchmarkVLANRanges(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var cs []Change
	for d := range 18 {
		for p := range 10 {
			x := benchRule(r, 0)
			x.DPIDs, x.Match = DPIDs(uint64(d)), Match{InPort: One(uint32(p + 1)), DLVLAN: Span(0, 4095)}
			cs = append(cs, Change{Add, x})
		}
	}
	for b.Loop() {
		if _, _, err := New(Options{}).Apply(cs); err != nil {
			b.Fatal(err)
		}
	}
}

// The benchmarks compare like with like: all three find the same owners.
func TestBenchmarkMapsAgree(t *testing.T) {
	t.Parallel()
	for _, set := range benchSets {
		rules := set.make(rand.New(rand.NewPCG(1, 1)), 3000)
		fed, a, err := New(Options{}).Apply(adds(rules))
		if err != nil {
			t.Fatal(err)
		}
		lin, _, _ := New(Options{Map: Linear}).Apply(adds(rules))
		tss := newTupleSpace(rules)
		hits := 0
		for _, kind := range strings.Fields("hit miss adversarial") {
			hs, ds := benchHeaders(rand.New(rand.NewPCG(2, 2)), rules, kind)
			for i := range hs {
				x, y, z := fed.View(ds[i]).Owner(&hs[i]), lin.View(ds[i]).Owner(&hs[i]), tss.owner(ds[i], &hs[i])
				if (x == nil) != (y == nil) || (x == nil) != (z == nil) || x != nil && (x.ID != y.ID || x.ID != z.ID) {
					t.Fatalf("%s: %+v: %v, %v, %v", set.name, hs[i], x, y, z)
				}
				if x != nil {
					hits++
				}
			}
		}
		if hits < 1000 || len(a.Rules) != 3000 {
			t.Errorf("%s: only %d hits", set.name, hits)
		}
	}
}

// BenchmarkParse reads the texts of a rule.
func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"in_port=1,dl_vlan=100", "in_port=17,dl_type=0x0800,nw_dst=10.1.2.0/24", "tcp,dl_vlan=5,tp_dst=80", "00:00:00:00:00:00:00:0a"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			done := cpuTime(b)
			for b.Loop() {
				var err error
				if strings.HasPrefix(text, "00:") {
					_, err = ParseDPIDs(text)
				} else {
					_, err = ParseMatch(text)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			done()
		})
	}
}
