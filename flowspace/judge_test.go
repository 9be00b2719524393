package flowspace_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/govisor/govisor/flowspace"
)

// The judge knows nothing of the package's algebra. A rule is text, which the package
// reads, beside functions that say which values the text means. Every header of a small
// space, which has a value for each piece the texts cut a field into, is asked about.

// saying is the text of a field's values, "" for none, and the values it means.
type saying struct {
	text string
	has  func(v uint64) bool
}

func any64(uint64) bool { return true }

func among(vs ...uint64) func(uint64) bool {
	return func(v uint64) bool { return slices.Contains(vs, v) }
}

func between(lo, hi uint64) func(uint64) bool {
	return func(v uint64) bool { return lo <= v && v <= hi }
}

// domain is a field: the values in the space, what can be said of it, and how a header has it.
type domain struct {
	values []uint64
	say    []saying
	put    func(h *flowspace.Header, v uint64)
}

func macBytes(v uint64) (m [6]byte) {
	for i := range m {
		m[i] = byte(v >> (8 * (5 - i)))
	}
	return m
}

func macs(key string, put func(*flowspace.Header, [6]byte)) domain {
	const bcast = 1<<48 - 1
	return domain{[]uint64{0, 1, 0x01000000_0000, bcast - 1, bcast}, []saying{
		{"", any64}, {key + "=00:00:00:00:00:00", among(0)}, {key + "=ff:ff:ff:ff:ff:ff", among(bcast)}, {key + "=01:00:00:00:00:00", among(0x01000000_0000)},
	}, func(h *flowspace.Header, v uint64) { put(h, macBytes(v)) }}
}

func prefixes(key string, put func(*flowspace.Header, uint32)) domain {
	return domain{[]uint64{0, 0x0a000000, 0x0a000001, 0x0a0000ff, 0x7fffffff, 0x80000000, 0xffffffff}, []saying{
		{"", any64}, {key + "=0.0.0.0/0", any64}, {key + "=10.0.0.1/32", among(0x0a000001)}, {key + "=10.0.0.77/24", between(0x0a000000, 0x0a0000ff)},
		{key + "=10.0.0.0/31", between(0x0a000000, 0x0a000001)}, {key + "=128.0.0.0/1", between(0x80000000, 0xffffffff)}, {key + "=0.0.0.0/1", between(0, 0x7fffffff)},
		{key + "=255.255.255.255", among(0xffffffff)}, {key + "=0.0.0.0", among(0)},
	}, func(h *flowspace.Header, v uint64) { put(h, uint32(v)) }}
}

func transport(key string, put func(*flowspace.Header, uint16)) domain {
	return domain{[]uint64{0, 1, 80, 1023, 1024, 65535}, []saying{
		{"", any64}, {key + "=0", among(0)}, {key + "=65535", among(65535)}, {key + "=80", among(80)}, {key + "=1-1023", between(1, 1023)},
		{key + "=0-79|65535", func(v uint64) bool { return v <= 79 || v == 65535 }},
	}, func(h *flowspace.Header, v uint64) { put(h, uint16(v)) }}
}

var judged = map[string]domain{
	"in_port": {[]uint64{0, 1, 3, 6, 9, 65534, 65535}, []saying{
		{"", any64}, {"in_port=0", among(0)}, {"in_port=65535", among(65535)}, {"in_port=LOCAL", among(65534)}, {"in_port=1|3|65535", among(1, 3, 65535)}, {"in_port=2-6", between(2, 6)},
	}, func(h *flowspace.Header, v uint64) { h.InPort = uint32(v) }},
	"dl_src": macs("dl_src", func(h *flowspace.Header, m [6]byte) { h.DLSrc = m }),
	"dl_dst": macs("dl_dst", func(h *flowspace.Header, m [6]byte) { h.DLDst = m }),
	"dl_vlan": {[]uint64{0, 1, 100, 150, 199, 4095, 65535}, []saying{
		{"", any64}, {"dl_vlan=0", among(0)}, {"dl_vlan=0xffff", among(65535)}, {"dl_vlan=untagged", among(65535)}, {"dl_vlan=100-199", between(100, 199)},
		{"dl_vlan=0-4095", between(0, 4095)}, {"dl_vlan=0|150|4095|0xffff", among(0, 150, 4095, 65535)},
	}, func(h *flowspace.Header, v uint64) { h.DLVLAN = uint16(v) }},
	"dl_vlan_pcp": {[]uint64{0, 3, 7}, []saying{{"", any64}, {"dl_vlan_pcp=0", among(0)}, {"dl_vlan_pcp=7", among(7)}, {"dl_vlan_pcp=1-7", between(1, 7)}},
		func(h *flowspace.Header, v uint64) { h.DLVLANPCP = uint8(v) }},
	"dl_type": {[]uint64{0, 0x05ff, 0x0806, 0x86dd, 0x88cc, 0xffff}, []saying{
		{"", any64}, {"dl_type=0", among(0)}, {"dl_type=0xffff", among(0xffff)}, {"arp", among(0x0806)}, {"dl_type=0x0600-0xffff", between(0x600, 0xffff)}, {"dl_type=0x88cc|0x0806", among(0x88cc, 0x0806)},
	}, func(h *flowspace.Header, v uint64) { h.DLType = uint16(v) }},
	"nw_tos": {[]uint64{0, 4, 188, 252}, []saying{{"", any64}, {"nw_tos=0", among(0)}, {"nw_tos=252", among(252)}, {"nw_tos=4-184", between(4, 184)}},
		func(h *flowspace.Header, v uint64) { h.NWTos = uint8(v) }},
	"nw_proto": {[]uint64{0, 1, 2, 17, 254, 255}, []saying{
		{"", any64}, {"nw_proto=0", among(0)}, {"nw_proto=255", among(255)}, {"nw_proto=1|17", among(1, 17)}, {"nw_proto=17-255", between(17, 255)},
	}, func(h *flowspace.Header, v uint64) { h.NWProto = uint8(v) }},
	"nw_src": prefixes("nw_src", func(h *flowspace.Header, v uint32) { h.NWSrc = v }),
	"nw_dst": prefixes("nw_dst", func(h *flowspace.Header, v uint32) { h.NWDst = v }),
	"tp_src": transport("tp_src", func(h *flowspace.Header, v uint16) { h.TPSrc = v }),
	"tp_dst": transport("tp_dst", func(h *flowspace.Header, v uint16) { h.TPDst = v }),
}

// worlds are fields that can be restricted together, after words that let them.
var worlds = []struct {
	words  string
	typ    uint16
	proto  uint8
	fields []string
}{
	{"", 0x86dd, 58, []string{"in_port", "dl_src", "dl_dst", "dl_vlan", "dl_vlan_pcp"}},
	{"", 0, 0, []string{"in_port", "dl_type", "dl_vlan", "dl_dst"}},
	{"ip", 0x0800, 0, []string{"in_port", "nw_src", "nw_dst", "nw_proto", "nw_tos"}},
	{"arp", 0x0806, 0, []string{"dl_src", "nw_src", "nw_dst", "nw_proto"}},
	{"tcp", 0x0800, 6, []string{"dl_vlan", "nw_dst", "tp_src", "tp_dst"}},
	{"ip,nw_proto=6|17", 0x0800, 17, []string{"in_port", "dl_vlan", "nw_src", "tp_dst"}},
}

// point is a header of the space and the values it was made from.
type point struct {
	h  flowspace.Header
	vs []uint64
}

// judgedRule is a rule as the judge sees it.
type judgedRule struct {
	name     string
	priority uint32
	order    int // among all ever added
	dpids    []uint64
	all      bool
	say      []saying // by field of the world
	grants   map[string]flowspace.Permission
}

func (r *judgedRule) on(dpid uint64) bool { return r.all || slices.Contains(r.dpids, dpid) }

func (r *judgedRule) matches(p *point) bool {
	for i, s := range r.say {
		if !s.has(p.vs[i]) {
			return false
		}
	}
	return true
}

// judgedDPIDs are the datapaths of the space; no rule names 5, but those for all hold there.
var judgedDPIDs = []uint64{0, 1, 5, 10, 1<<64 - 1}

var dpidSayings = []struct {
	text string
	ids  []uint64
}{
	{"00:00:00:00:00:00:00:00", []uint64{0}}, {"1", []uint64{1}}, {"ff:ff:ff:ff:ff:ff:ff:ff", []uint64{1<<64 - 1}}, {"0x0|1", []uint64{0, 1}},
	{"any", nil}, {"1|0xffffffffffffffff|10|11|12|13|14|15|16", []uint64{1, 10, 11, 12, 13, 14, 15, 16, 1<<64 - 1}},
}

type judge struct {
	t      *testing.T
	r      *rand.Rand
	words  string
	fields []domain
	points []point
	rules  []*judgedRule // in order
	made   int
}

func newJudge(t *testing.T, seed uint64, world int) *judge {
	w := worlds[world]
	j := &judge{t: t, r: rand.New(rand.NewPCG(seed, 9)), words: w.words}
	j.points = []point{{h: flowspace.Header{InPort: 9, DLVLAN: 77, DLType: w.typ, NWProto: w.proto, NWSrc: 7, TPSrc: 65535}}}
	for _, name := range w.fields {
		d := judged[name]
		j.fields = append(j.fields, d)
		var next []point
		for _, p := range j.points {
			for _, v := range d.values {
				d.put(&p.h, v)
				next = append(next, point{p.h, append(slices.Clone(p.vs), v)})
			}
		}
		j.points = next
	}
	return j
}

// match says something random, as text and as values.
func (j *judge) match() (string, []saying) {
	words, say := []string{}, make([]saying, len(j.fields))
	if j.words != "" {
		words = append(words, j.words)
	}
	for i, d := range j.fields {
		say[i] = d.say[j.r.IntN(len(d.say))]
		if j.r.IntN(3) == 0 {
			say[i] = d.say[0]
		}
		if say[i].text != "" {
			words = append(words, say[i].text)
		}
	}
	return strings.Join(words, ","), say
}

// change makes a random rule, and the change that adds it or puts it in the place of old.
func (j *judge) change(old *judgedRule) flowspace.Change {
	text, say := j.match()
	m, err := flowspace.ParseMatch(text)
	if err != nil {
		j.t.Fatalf("%q: %v", text, err)
	}
	d := dpidSayings[j.r.IntN(len(dpidSayings))]
	dpids, err := flowspace.ParseDPIDs(d.text)
	if err != nil {
		j.t.Fatalf("%q: %v", d.text, err)
	}
	n := &judgedRule{say: say, dpids: d.ids, all: d.text == "any", priority: []uint32{0, 1, 7, 7, 7, 1<<31 - 1}[j.r.IntN(6)], grants: map[string]flowspace.Permission{}}
	n.name, n.order = fmt.Sprintf("r%d", j.made), j.made
	op := flowspace.Add
	if old != nil {
		op, n.name, n.order = flowspace.Update, old.name, old.order
		j.rules = slices.DeleteFunc(j.rules, func(r *judgedRule) bool { return r == old })
	} else {
		j.made++
	}
	rule := &flowspace.Rule{Name: n.name, Priority: n.priority, DPIDs: dpids, Match: m}
	for _, s := range []string{"alice", "bob"} {
		if p := flowspace.Permission(j.r.IntN(8)); p != 0 {
			n.grants[s] = p
			rule.Grants = append(rule.Grants, flowspace.Grant{Slice: s, Perm: p})
		}
	}
	if len(rule.Grants) == 0 {
		n.grants["carol"] = 2
		rule.Grants = []flowspace.Grant{{Slice: "carol", Perm: 2}}
	}
	j.rules = append(j.rules, n)
	slices.SortFunc(j.rules, func(a, b *judgedRule) int {
		if a.priority != b.priority {
			return int(b.priority) - int(a.priority)
		}
		return a.order - b.order
	})
	return flowspace.Change{Op: op, Rule: rule}
}

// changes are some random ones.
func (j *judge) changes(n int) (cs []flowspace.Change) {
	for range n {
		switch k := j.r.IntN(8); {
		case k < 5 || len(j.rules) == 0:
			cs = append(cs, j.change(nil))
		case k < 6:
			cs = append(cs, j.change(j.rules[j.r.IntN(len(j.rules))]))
		default:
			i := j.r.IntN(len(j.rules))
			cs = append(cs, flowspace.Change{Op: flowspace.Remove, Rule: &flowspace.Rule{Name: j.rules[i].name}})
			j.rules = slices.Delete(j.rules, i, i+1)
		}
	}
	return cs
}

func namesOf(rules []*flowspace.Rule) string {
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}

// owners returns the owner of every point on a datapath, nil where there is none.
func (j *judge) owners(rules []*judgedRule, dpid uint64) []*judgedRule {
	owners := make([]*judgedRule, len(j.points))
	for i := range j.points {
		for _, r := range rules {
			if r.on(dpid) && r.matches(&j.points[i]) {
				owners[i] = r
				break
			}
		}
	}
	return owners
}

// check asks a snapshot everything, of every header.
func (j *judge) check(s *flowspace.Snapshot, rules []*judgedRule) {
	j.t.Helper()
	owns := map[string]bool{} // rules with a header of their own
	for _, dpid := range judgedDPIDs {
		v, owners := s.View(dpid), j.owners(rules, dpid)
		for i := range j.points {
			want, got := "none", "none"
			if owners[i] != nil {
				want = owners[i].name
				owns[want] = true
			}
			if r := v.Owner(&j.points[i].h); r != nil {
				got = r.Name
			}
			if got != want {
				j.t.Fatalf("%v: owner of %+v on %d: got %s, want %s", s.MapKind(), j.points[i].h, dpid, got, want)
			}
		}
		j.checkRegions(s, rules, dpid, owners)
		j.checkSlices(s, rules, dpid)
	}
	for _, r := range rules {
		if got := s.Shadowed(s.RuleByName(r.name).ID); got == owns[r.name] {
			j.t.Errorf("%v: %s shadowed: %v", s.MapKind(), r.name, got)
		}
	}
}

// checkRegions asks which rules overlap a region, and whether a slice owns all of it.
func (j *judge) checkRegions(s *flowspace.Snapshot, rules []*judgedRule, dpid uint64, owners []*judgedRule) {
	j.t.Helper()
	v := s.View(dpid)
	for range 6 {
		text, say := j.match()
		m, err := flowspace.ParseMatch(text)
		if err != nil {
			j.t.Fatalf("%q: %v", text, err)
		}
		region := &judgedRule{say: say}
		overlap, covered := map[*judgedRule]bool{}, map[string]bool{"alice": true, "bob": true}
		const perm = flowspace.Read | flowspace.Write
		for i := range j.points {
			if !region.matches(&j.points[i]) {
				continue
			}
			for _, r := range rules {
				if !overlap[r] && r.on(dpid) && r.matches(&j.points[i]) {
					overlap[r] = true
				}
			}
			for name := range covered {
				covered[name] = covered[name] && owners[i] != nil && owners[i].grants[name]&perm == perm
			}
		}
		var want []string
		for _, r := range rules {
			if overlap[r] {
				want = append(want, r.name)
			}
		}
		if got := namesOf(v.Overlapping(m, nil)); got != strings.Join(want, " ") {
			j.t.Fatalf("%v: overlapping %q on %d: got %s, want %v", s.MapKind(), text, dpid, got, want)
		}
		for name, want := range covered {
			if got := v.Covered(name, perm, m); got != want {
				j.t.Fatalf("%v: %q of %s on %d covered: got %v, want %v", s.MapKind(), text, name, dpid, got, want)
			}
		}
	}
}

// checkSlices asks for the rules and the ports of a slice.
func (j *judge) checkSlices(s *flowspace.Snapshot, rules []*judgedRule, dpid uint64) {
	j.t.Helper()
	v := s.View(dpid)
	for _, name := range []string{"alice", "bob", "carol", "nobody"} {
		var want []string
		ports := map[uint64]bool{}
		for _, r := range rules {
			if !r.on(dpid) || r.grants[name] == 0 {
				continue
			}
			want = append(want, r.name)
			if r.grants[name]&(flowspace.Read|flowspace.Write) != 0 {
				for i := range j.points {
					if r.matches(&j.points[i]) {
						ports[uint64(j.points[i].h.InPort)] = true
					}
				}
			}
		}
		if got := namesOf(v.SliceRules(name)); got != strings.Join(want, " ") {
			j.t.Fatalf("%v: rules of %s on %d: got %s, want %v", s.MapKind(), name, dpid, got, want)
		}
		set, ok := v.PortsOf(name)
		if ok != (len(ports) > 0) {
			j.t.Fatalf("%v: ports of %s on %d: %v, want %v", s.MapKind(), name, dpid, ok, ports)
		}
		for i := range j.points {
			if p := j.points[i].h.InPort; ok && set.Has(p) != ports[uint64(p)] {
				j.t.Fatalf("%v: ports of %s on %d: %v, want %v", s.MapKind(), name, dpid, set, ports)
			}
		}
	}
}

// TestJudge: both maps against the judge, after every change and, at the end, on the
// snapshots from before.
func TestJudge(t *testing.T) {
	t.Parallel()
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for world := range worlds {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%d/%d", world, seed), func(t *testing.T) {
				t.Parallel()
				j := newJudge(t, seed, world)
				type kept struct {
					s     *flowspace.Snapshot
					rules []*judgedRule
				}
				var old []kept
				now := []*flowspace.Snapshot{flowspace.New(flowspace.Options{}), flowspace.New(flowspace.Options{Map: flowspace.Linear})}
				for step := range 6 {
					cs := j.changes([]int{3, 12, 1, 40, 1, 5}[step])
					for i, s := range now {
						next, _, err := s.Apply(cs)
						if err != nil {
							t.Fatal(err)
						}
						old, now[i] = append(old, kept{next, slices.Clone(j.rules)}), next
						j.check(next, j.rules)
					}
				}
				for _, k := range old {
					j.check(k.s, k.rules)
				}
			})
		}
	}
}
