package flowspace

import (
	"strings"
	"testing"
)

// ownersOf is the judge: the rule that owns each header of a space on a datapath.
func ownersOf(p plain, dpid uint64, hs []Header) map[*Rule][]Header {
	out := map[*Rule][]Header{}
	for _, h := range hs {
		if r := p.owner(dpid, &h); r != nil {
			out[r] = append(out[r], h)
		}
	}
	return out
}

func TestAnalysisAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := newRand(t, 31)
	var covered, uncovered, shadowed int
	for range rounds(150) {
		use := randFields(r, 3)
		var cs []Change
		for range 2 + r.IntN(7) {
			x := confRule(r, use)
			if r.IntN(2) == 0 {
				x.Grants = []Grant{{"a", AllPermissions}}
			}
			cs = append(cs, Change{Add, x})
		}
		s, _, err := New(Options{}).Apply(cs)
		if err != nil {
			t.Fatal(err)
		}
		p := plain(s.Rules())
		var ms []Match
		for _, x := range p {
			ms = append(ms, x.Match)
		}
		use = append(use, DLType, NWProto) // confRule may add them
		var queries []Match
		for range 5 {
			m := randMatch(r, use[:3])
			if x, ok := m.Intersect(p[r.IntN(len(p))].Match); ok && r.IntN(2) == 0 {
				m = x
			}
			queries = append(queries, m)
		}
		ms = append(ms, queries...)
		hs := uniqueSpace(use, ms...)
		ownsOn := map[uint64]map[*Rule][]Header{}
		for _, d := range append([]uint64{999}, testDPIDs...) {
			ownsOn[d] = ownersOf(p, d, hs)
		}

		v, slice, perm := s.View(1), "a", Permission(1<<r.IntN(3))
		for _, m := range queries {
			want := true
			for _, h := range hs {
				if !m.Matches(&h) {
					continue
				}
				o := p.owner(1, &h)
				want = want && o != nil && o.Allows(slice, perm)
			}
			if got := v.Covered(slice, perm, m); got != want {
				t.Fatalf("%s %v covered %s: got %v; rules %v", slice, perm, m, got, p)
			}
			if want {
				covered++
			} else {
				uncovered++
			}
		}

		got := map[*Rule]int{}
		for _, o := range v.Owned(slice, perm, 0) {
			for _, h := range hs {
				n := 0
				for i := range o.Regions {
					if o.Regions[i].Matches(&h) {
						n++
					}
				}
				if n > 1 || !o.Exact {
					t.Fatalf("%v: regions %v", o.Rule, o.Regions)
				}
				got[o.Rule] += n
			}
		}
		for _, x := range p {
			want := len(ownsOn[1][x])
			if !x.Allows(slice, perm) {
				want = 0
			}
			if got[x] != want {
				t.Fatalf("%v owns %d headers, want %d; rules %v", x, got[x], want, p)
			}
			owns := x.DPIDs.IsAll() && len(ownsOn[999][x]) > 0
			for _, d := range append([]uint64{100}, testDPIDs...) {
				owns = owns || !x.DPIDs.IsAll() && x.DPIDs.Has(d) && len(ownersOf(p, d, hs)[x]) > 0
			}
			if s.Shadowed(x.ID) == owns {
				t.Fatalf("%v shadowed: got %v; rules %v", x, !owns, p)
			}
			if !owns {
				shadowed++
			}
		}
	}
	if !testing.Short() && (covered < 30 || uncovered < 100 || shadowed < 30) {
		t.Errorf("covered %d, uncovered %d, shadowed %d: too few to judge", covered, uncovered, shadowed)
	}
}

// uniqueSpace is space for fields that may be named twice.
func uniqueSpace(use []Field, ms ...Match) []Header {
	var fs []Field
	for _, f := range use {
		if !strings.Contains(string(fieldBytes(fs)), string(rune('a'+f))) {
			fs = append(fs, f)
		}
	}
	return space(fs, ms...)
}

func fieldBytes(fs []Field) []byte {
	var b []byte
	for _, f := range fs {
		b = append(b, byte('a'+f))
	}
	return b
}

func TestFree(t *testing.T) {
	t.Parallel()
	s := withRules(t, Options{},
		"a 1 1 dl_vlan=1-99|0xffff,in_port=1|2 alice=7",
		"b 2 1 dl_vlan=200 alice=7",
		"c any 1 dl_vlan=4094,in_port=9 alice=7",
		"d 3 1 any alice=7",
		"e 4 1 dl_vlan=0-4095 alice=7",
		"f 5 1 ip,nw_tos=0-100 alice=7",
	)
	for _, tt := range []struct {
		f     Field
		dpids DPIDSet
		want  string
		open  string
	}{
		{DLVLAN, DPIDs(1), "100-4093", ""},
		{DLVLAN, DPIDs(1, 2), "100-199|201-4093", ""},
		{DLVLAN, DPIDs(3), "1-4093", "d"},
		{DLVLAN, DPIDs(4), "-", ""},
		{DLVLAN, AllDPIDs(), "-", "d f"},
		{InPort, DPIDs(1), "3-8|10-65280", ""},
		{InPort, DPIDs(77), "1-8|10-65280", ""},
		{NWTos, DPIDs(5), "104-252", "c"},
		{NWDst, DPIDs(1), "-", ""},
	} {
		got := s.Free(tt.f, tt.dpids)
		text := "-"
		if got.Any {
			text = FormatSet(tt.f, got.Values)
		}
		if text != tt.want || names(got.Open) != tt.open {
			t.Errorf("%v on %v: got %s, open %q", tt.f, tt.dpids, text, names(got.Open))
		}
	}
}

func TestOwnedLimit(t *testing.T) {
	t.Parallel()
	v := withRules(t, Options{}, "hole 1 9 in_port=5,dl_vlan=7 bob=7", "rest 1 1 any alice=7").View(1)
	if got := v.Owned("alice", Write, 0); len(got) != 1 || len(got[0].Regions) != 2 || !got[0].Exact {
		t.Errorf("got %+v", got)
	}
	if got := v.Owned("alice", Write, 1); len(got) != 1 || len(got[0].Regions) != 1 || got[0].Exact || !got[0].Regions[0].IsAny() {
		t.Errorf("with limit 1: %+v", got)
	}
}

// A region that would take for ever is answered no, soon.
func TestCoveredIsBounded(t *testing.T) {
	t.Parallel()
	r := newRand(t, 41)
	var cs []Change
	for range 600 {
		m := Match{DLType: ipOnly, NWProto: withPort}
		for _, f := range []Field{InPort, DLVLAN, TPSrc, TPDst} {
			a, b := uint32(r.IntN(4000)), uint32(r.IntN(4000))
			*m.set(f) = Span(a, b)
		}
		cs = append(cs, Change{Add, &Rule{DPIDs: DPIDs(1), Match: m, Grants: []Grant{{"a", 7}}}})
	}
	s, _, err := New(Options{}).Apply(cs)
	if err != nil {
		t.Fatal(err)
	}
	c := cover{rules: s.View(1).Rules(), slice: "a", perm: Write, steps: coverSteps}
	m := Match{InPort: Span(1000, 3000), DLVLAN: Span(1000, 3000), DLType: ipOnly, NWProto: One(6), TPSrc: Span(1000, 3000), TPDst: Span(1000, 3000)}
	c.covered(&m, 0)
	if c.steps < -1 {
		t.Errorf("went on for %d steps", -c.steps)
	}
}

// However long a list of datapaths, a rule for all of them still owns the others.
func TestListDoesNotShadowAll(t *testing.T) {
	t.Parallel()
	s := withRules(t, Options{}, "list 0|1|2|3|4|5|6|7|8|9 9 any bob=7", "all any 1 any alice=7", "late any 0 in_port=1 alice=7")
	if s.Shadowed(2) || !s.Shadowed(3) || s.Shadowed(99) {
		t.Errorf("got %v, %v", s.Shadowed(2), s.Shadowed(3))
	}
}
