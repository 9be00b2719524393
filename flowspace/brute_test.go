package flowspace

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The judge of the algebra: regions are compared header by header over a space
// that has one header in every cell the involved matches can tell apart.

var testValues = [numFields][]uint32{
	InPort:    {0, 1, 2, 3, 0xfffe, 0xffff},
	DLVLAN:    {0, 1, 2, 5, 9, 4094, 4095, 0xffff},
	DLVLANPCP: {0, 1, 3, 6, 7},
	DLType:    {0, 0x05ff, 0x0800, 0x0806, 0x88cc, 0xffff},
	NWTos:     {0, 4, 8, 184, 248, 252},
	NWProto:   {0, 1, 6, 17, 254, 255},
	TPSrc:     {0, 1, 79, 80, 81, 0xffff},
	TPDst:     {0, 1, 79, 80, 81, 0xffff},
}

var testMACs = []uint64{0, 1, 0x010000000000, 0xfffffffffffe, macMask}

var testAddrs = []uint32{0, 0x0a000000, 0x0a000001, 0x0a0000ff, 0x0a000100, 0x7fffffff, 0x80000000, 0xffffffff}

// randSet returns a random canonical set of f, "any" sometimes.
func randSet(r *rand.Rand, f Field) Set {
	vs := testValues[f]
	pick := func() uint32 { return vs[r.IntN(len(vs))] }
	var rs []Range
	for range 1 + r.IntN(3) {
		a := pick()
		b := a
		if r.IntN(3) == 0 {
			b = pick()
		}
		rs = append(rs, Range{min(a, b), max(a, b)})
	}
	s, _ := SetOf(rs...)
	s, _ = f.canonical(s)
	return s
}

func randMatch(r *rand.Rand, use []Field) Match {
	var m Match
	for _, f := range use {
		if r.IntN(3) == 0 {
			continue
		}
		switch f {
		case NWSrc, NWDst:
			*m.prefix(f) = IPv4Prefix(testAddrs[r.IntN(len(testAddrs))], []int{0, 1, 8, 24, 25, 31, 32}[r.IntN(7)])
		case DLSrc, DLDst:
			*m.mac(f) = MACMask{testMACs[r.IntN(len(testMACs))], macMask}
		default:
			*m.set(f) = randSet(r, f)
		}
	}
	return m
}

// cells returns one value for every cell the matches divide field f into.
func cells(f Field, ms []Match) []uint64 {
	vs := []uint64{0}
	for i := range ms {
		m := &ms[i]
		switch f {
		case NWSrc, NWDst:
			p := *m.prefix(f)
			last := uint64(p.Addr | ^p.Mask)
			vs = append(vs, uint64(p.Addr), min(last+1, 0xffffffff))
		case DLSrc, DLDst:
			vs = append(vs, m.mac(f).Addr, 0x123456)
		default:
			for rg := range m.set(f).Ranges() {
				for _, v := range []uint32{rg.Lo, rg.Hi + fields[f].step} {
					if f == DLVLAN && v == maxVID+1 {
						v = VLANNone
					}
					if f.Universe().Has(v) && v%fields[f].step == 0 {
						vs = append(vs, uint64(v))
					}
				}
			}
		}
	}
	slices.Sort(vs)
	return slices.Compact(vs)
}

func setHeader(h *Header, f Field, v uint64) {
	mac := MACMask{v, macMask}.MAC()
	switch f {
	case InPort:
		h.InPort = uint32(v)
	case DLSrc:
		h.DLSrc = mac
	case DLDst:
		h.DLDst = mac
	case DLVLAN:
		h.DLVLAN = uint16(v)
	case DLVLANPCP:
		h.DLVLANPCP = uint8(v)
	case DLType:
		h.DLType = uint16(v)
	case NWTos:
		h.NWTos = uint8(v)
	case NWProto:
		h.NWProto = uint8(v)
	case NWSrc:
		h.NWSrc = uint32(v)
	case NWDst:
		h.NWDst = uint32(v)
	case TPSrc:
		h.TPSrc = uint16(v)
	case TPDst:
		h.TPDst = uint16(v)
	}
}

// space returns one header for every cell of the matches, in the fields use.
func space(use []Field, ms ...Match) []Header {
	hs := []Header{{}}
	for _, f := range use {
		vs := cells(f, ms)
		next := make([]Header, 0, len(hs)*len(vs))
		for _, h := range hs {
			for _, v := range vs {
				setHeader(&h, f, v)
				next = append(next, h)
			}
		}
		hs = next
	}
	return hs
}

func randFields(r *rand.Rand, n int) []Field {
	use := make([]Field, 0, n)
	for _, i := range r.Perm(int(numFields))[:n] {
		use = append(use, Field(i))
	}
	return use
}

// rounds is n, or a tenth of it in a short run.
func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

func newRand(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 42))
}

func TestMatchLaws(t *testing.T) {
	t.Parallel()
	r := newRand(t, 1)
	seen := map[MatchType]int{}
	for range rounds(20000) {
		use := randFields(r, 3)
		a, b := randMatch(r, use), randMatch(r, use)
		x, overlap := a.Intersect(b)
		minus, _ := a.Subtract(0, b)
		var inA, inB, both int
		for _, h := range space(use, a, b) {
			ma, mb := a.Matches(&h), b.Matches(&h)
			if ma && mb {
				both++
			}
			if ma {
				inA++
			}
			if mb {
				inB++
			}
			if got := overlap && x.Matches(&h); got != (ma && mb) {
				t.Fatalf("%s ∩ %s = %s (%v): wrong at %+v", a, b, x, overlap, h)
			}
			n := 0
			for i := range minus {
				if minus[i].Matches(&h) {
					n++
				}
			}
			if want := ma && !mb; n > 1 || (n == 1) != want {
				t.Fatalf("%s - %s = %v: %d pieces hold %+v, want %v", a, b, minus, n, h, want)
			}
		}
		want := Intersect
		switch {
		case both == 0:
			want = None
		case both == inA && both == inB:
			want = Equal
		case both == inA:
			want = Subset
		case both == inB:
			want = Superset
		}
		if got := a.Relation(b); got != want {
			t.Fatalf("%s relation to %s: got %v, want %v", a, b, got, want)
		}
		seen[want]++
		if a.Overlaps(&b) != (both > 0) || a.Contains(b) != (both == inB) || a.Equal(b) != (want == Equal) {
			t.Fatalf("%s and %s: overlaps %v contains %v equal %v, want relation %v", a, b, a.Overlaps(&b), a.Contains(b), a.Equal(b), want)
		}
		if c, ok := a.Canonical(); !ok || c != a {
			t.Fatalf("%#v is not canonical: %#v", a, c)
		}
		if c, _ := x.Canonical(); overlap && c != x {
			t.Fatalf("intersection %#v is not canonical", x)
		}
		for _, p := range minus {
			if c, ok := p.Canonical(); !ok || c != p {
				t.Fatalf("piece %#v of %s - %s is not canonical: %#v", p, a, b, c)
			}
		}
		if y, ok := b.Intersect(a); ok != overlap || y != x {
			t.Fatalf("intersection of %s and %s does not commute", a, b)
		}
	}
	for _, k := range []MatchType{None, Equal, Subset, Superset, Intersect} {
		if seen[k] < 50 && !testing.Short() {
			t.Errorf("relation %v came up only %d times", k, seen[k])
		}
	}
}

func TestSubtractSeveral(t *testing.T) {
	t.Parallel()
	r := newRand(t, 2)
	for range rounds(3000) {
		use := randFields(r, 3)
		ms := []Match{randMatch(r, use), randMatch(r, use), randMatch(r, use), randMatch(r, use)}
		pieces, ok := ms[0].Subtract(0, ms[1:]...)
		if !ok {
			t.Fatal("gave up without a limit")
		}
		if _, ok := ms[0].Subtract(len(pieces), ms[1:]...); !ok && len(pieces) > 200 {
			t.Fatalf("limit %d was too small", len(pieces))
		}
		for _, h := range space(use, ms...) {
			want := ms[0].Matches(&h) && !ms[1].Matches(&h) && !ms[2].Matches(&h) && !ms[3].Matches(&h)
			n := 0
			for i := range pieces {
				if pieces[i].Matches(&h) {
					n++
				}
			}
			if n > 1 || (n == 1) != want {
				t.Fatalf("%v minus the rest = %v: %d pieces hold %+v, want %v", ms, pieces, n, h, want)
			}
		}
	}
}

func TestSubtractLimit(t *testing.T) {
	t.Parallel()
	hole := Match{InPort: One(5), DLVLAN: One(7), TPDst: One(80)}
	if p, ok := (Match{}).Subtract(3, hole); !ok || len(p) != 3 {
		t.Errorf("got %d pieces, %v, want 3", len(p), ok)
	}
	if p, ok := (Match{}).Subtract(2, hole); ok || p != nil {
		t.Errorf("limit 2: got %v, %v", p, ok)
	}
	if p, ok := (Match{}).Subtract(1, Match{}); !ok || len(p) != 0 {
		t.Errorf("everything minus everything = %v, %v", p, ok)
	}
}

func TestSetLaws(t *testing.T) {
	t.Parallel()
	r := newRand(t, 3)
	const top = 40
	ref := func(s Set) (m [top + 1]bool) {
		for v := range m {
			m[v] = s.Has(uint32(v))
		}
		return m
	}
	random := func() Set {
		var rs []Range
		for range 1 + r.IntN(5) {
			a, b := uint32(r.IntN(top)), uint32(r.IntN(top))
			rs = append(rs, Range{min(a, b), min(max(a, b), min(a, b)+5)})
		}
		if r.IntN(10) == 0 {
			rs = append(rs, Range{top, 0xffffffff})
		}
		s, ok := SetOf(rs...)
		if !ok {
			t.Fatal("no set")
		}
		return s
	}
	for range rounds(20000) {
		a, b := random(), random()
		and, okAnd := a.Intersect(b)
		minus, okMinus := a.Subtract(b)
		or := a.Union(b)
		ra, rb, ror := ref(a), ref(b), ref(or)
		contains, overlaps := true, false
		for v := range ra {
			in := uint32(v)
			if got := okAnd && and.Has(in); got != (ra[v] && rb[v]) {
				t.Fatalf("%v and %v at %d: %v", a, b, v, got)
			}
			if got := okMinus && minus.Has(in); got != (ra[v] && !rb[v]) {
				t.Fatalf("%v minus %v at %d: %v", a, b, v, got)
			}
			if ror[v] != (ra[v] || rb[v]) {
				t.Fatalf("%v or %v at %d: %v", a, b, v, ror[v])
			}
			contains = contains && (ra[v] || !rb[v])
			overlaps = overlaps || ra[v] && rb[v]
		}
		if a.Contains(b) != contains || a.Overlaps(b) != overlaps || okAnd != overlaps || okMinus != !b.Contains(a) {
			t.Fatalf("%v and %v: contains %v overlaps %v", a, b, a.Contains(b), a.Overlaps(b))
		}
		if (a == b) != (ra == rb) {
			t.Fatalf("%v == %v is wrong", a, b)
		}
	}
}

func TestSetExtremes(t *testing.T) {
	t.Parallel()
	for _, v := range []uint32{0, 1, 0xffff, 0xfffffffe, 0xffffffff} {
		s := One(v)
		if got, ok := s.Value(); !ok || got != v || !s.Has(v) || s.IsAny() || s.Size() != 1 || s.Has(v+1) || s.Has(v-1) {
			t.Errorf("One(%d) = %#v: value %d %v", v, s, got, ok)
		}
		rest, ok := Set{}.Subtract(s)
		if !ok || rest.Has(v) || rest.Size() != 1<<32-1 || rest.Union(s) != (Set{}) {
			t.Errorf("any minus %d = %#v", v, rest)
		}
	}
	if !Span(0, 0xffffffff).IsAny() || !(Set{}).Has(0) || !(Set{}).Has(0xffffffff) || (Set{}).Size() != 1<<32 {
		t.Error("the zero Set is not any")
	}
	if _, ok := SetOf(Range{5, 4}); ok {
		t.Error("an upside-down range held something")
	}
	if _, ok := (Set{}).Value(); ok {
		t.Error("any has a single value")
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	set := func(rs ...Range) Set { s, _ := SetOf(rs...); return s }
	tests := []struct {
		f    Field
		in   Set
		want Set
		ok   bool
	}{
		{DLVLAN, set(Range{0, 4095}, Range{0xffff, 0xffff}), Set{}, true},
		{DLVLAN, set(Range{4000, 0xffff}), set(Range{4000, 4095}, Range{0xffff, 0xffff}), true},
		{DLVLAN, One(4096), Set{}, false},
		{DLVLANPCP, Span(0, 7), Set{}, true},
		{DLVLANPCP, One(8), Set{}, false},
		{NWTos, Span(0, 255), Set{}, true},
		{NWTos, set(Range{0, 1}, Range{4, 4}, Range{12, 15}), set(Range{0, 4}, Range{12, 12}), true},
		{NWTos, One(1), Set{}, false},
		{NWProto, Span(0, 255), Set{}, true},
		{InPort, Span(0, 65535), Set{}, true},
		{TPDst, Span(0, 65535), Set{}, true},
		{TPDst, Span(1, 65535), Span(1, 65535), true},
		{DLType, One(0xffff), One(0xffff), true},
	}
	for _, tt := range tests {
		got, ok := tt.f.canonical(tt.in)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%v %v: got %v, %v", tt.f, FormatSet(tt.f, tt.in), FormatSet(tt.f, got), ok)
		}
	}
}
