package flowspace

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzAlgebra checks the laws on any two regions that can be written, with headers
// from both sides of every edge.
func FuzzAlgebra(f *testing.F) {
	for i, a := range matchTexts {
		f.Add(a.in, matchTexts[(i*7+3)%len(matchTexts)].in, uint64(i))
	}
	f.Add("in_port=1|5-9|65535,dl_vlan=0|0xffff", "in_port=6-7,dl_vlan=0-4095", uint64(1))
	f.Fuzz(func(t *testing.T, at, bt string, seed uint64) {
		a, aerr := ParseMatch(at)
		b, berr := ParseMatch(bt)
		if aerr != nil || berr != nil {
			return
		}
		x, overlap := a.Intersect(b)
		minus, exact := a.Subtract(10000, b)
		rel, back := a.Relation(b), b.Relation(a)
		if mirrored := map[MatchType]MatchType{None: None, Equal: Equal, Subset: Superset, Superset: Subset, Intersect: Intersect}; back != mirrored[rel] {
			t.Fatalf("%s to %s is %v, back %v", a, b, rel, back)
		}
		if overlap != (rel != None) || a.Contains(b) != (rel == Equal || rel == Superset) || overlap && (!a.Contains(x) || !b.Contains(x)) {
			t.Fatalf("%s and %s: relation %v, intersection %s %v", a, b, rel, x, overlap)
		}
		if exact && (len(minus) == 0) != (rel == Equal || rel == Subset) {
			t.Fatalf("%s - %s = %v, relation %v", a, b, minus, rel)
		}
		r := rand.New(rand.NewPCG(seed, 9))
		var values [numFields][]uint64
		for fd := range numFields {
			values[fd] = cells(fd, []Match{a, b})
		}
		for range 200 {
			var h Header
			for fd := range numFields {
				setHeader(&h, fd, values[fd][r.IntN(len(values[fd]))])
			}
			ma, mb := a.Matches(&h), b.Matches(&h)
			if got := overlap && x.Matches(&h); got != (ma && mb) {
				t.Fatalf("%s ∩ %s = %s: wrong at %+v", a, b, x, h)
			}
			n := 0
			for i := range minus {
				if minus[i].Matches(&h) {
					n++
				}
			}
			if exact && (n > 1 || (n == 1) != (ma && !mb)) {
				t.Fatalf("%s - %s = %v: %d pieces hold %+v", a, b, minus, n, h)
			}
		}
	})
}

// FuzzRules reads rules, one "priority match" a line, and asks the federated map and
// the plain list for owners of headers on both sides of every edge, and for what
// overlaps each of the regions, after additions, removals and updates.
func FuzzRules(f *testing.F) {
	f.Add("5 any\n7 in_port=1\n7 in_port=1|3\n9 dl_vlan=100-199,in_port=1", uint64(1))
	f.Add("1 tcp,tp_dst=80\n1 tcp,tp_dst=80\n1 udp\n3 ip,nw_src=10.0.0.0/8\n2 ip,nw_src=10.0.0.0/9,nw_dst=1.2.3.4", uint64(2))
	f.Add("0 dl_src=ff:ff:ff:ff:ff:ff\n2147483647 dl_vlan=0xffff\n3 dl_vlan=0\n3 dl_vlan=4095\n3 in_port=65535\n3 in_port=0", uint64(3))
	f.Add("4 dl_vlan_pcp=7\n4 arp,nw_proto=2\n4 ip,nw_proto=0\n4 ip,nw_proto=255\n4 ip,nw_tos=252\n5 dl_dst=00:00:00:00:00:01", uint64(4))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 9))
		var cs []Change
		var ms []Match
		for line := range strings.Lines(text) {
			prio, match, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, err := strconv.ParseUint(prio, 10, 31)
			m, merr := ParseMatch(match)
			if err != nil || merr != nil || len(cs) == 64 || m.InPort.Len() > 20 || m.DLVLAN.Len() > 20 {
				continue
			}
			ms = append(ms, m)
			cs = append(cs, Change{Add, &Rule{Priority: uint32(n), DPIDs: DPIDs(1), Match: m, Grants: []Grant{{"a", 7}}}})
		}
		if len(cs) == 0 {
			return
		}
		s, _, err := New(Options{}).Apply(cs)
		if err != nil {
			t.Fatal(err)
		}
		var values [numFields][]uint64
		for fd := range numFields {
			values[fd] = cells(fd, ms)
		}
		check := func() {
			p := plain(s.Rules())
			v := s.View(1)
			if v.own != nil {
				checkFederated(t, v.own.rules.(*federatedMap))
			}
			for range 60 {
				var h Header
				for fd := range numFields {
					setHeader(&h, fd, values[fd][r.IntN(len(values[fd]))])
				}
				if got, want := v.Owner(&h), p.owner(1, &h); got != want {
					t.Fatalf("%q: owner of %+v: got %v, want %v", text, h, got, want)
				}
			}
			for i := range ms {
				if got, want := v.Overlapping(ms[i], nil), p.overlapping(1, &ms[i]); !slices.Equal(got, want) {
					t.Fatalf("%q: overlapping %s: got %v, want %v", text, ms[i], got, want)
				}
			}
		}
		check()
		for range 6 {
			all := s.Rules()
			if len(all) == 0 {
				break
			}
			gone, other := all[r.IntN(len(all))], *cs[r.IntN(len(cs))].Rule
			c := Change{Remove, gone}
			if r.IntN(2) == 0 {
				other.ID, c = gone.ID, Change{Update, &other}
			}
			if s, _, err = s.Apply([]Change{c}); err != nil {
				t.Fatal(err)
			}
			check()
		}
	})
}

// FuzzParseSet: a set that is read is printed and read again as the same, and holds
// exactly the numbers of its ranges.
func FuzzParseSet(f *testing.F) {
	for i, s := range []string{"any", "5", "0x800", "1|3|7", "100-199", "0xffff|0-4095", "9-5", "1||2", "3-", "252", "0-7"} {
		f.Add(uint8(i), s)
	}
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		fd := setFields[int(n)%len(setFields)]
		s, err := ParseSet(fd, text)
		if err != nil {
			if fe, ok := errors.AsType[*FieldError](err); !ok || fe.Field == "" || fe.Reason == "" {
				t.Fatalf("%s %q: untyped error %v", fd, text, err)
			}
			return
		}
		back, err := ParseSet(fd, FormatSet(fd, s))
		if err != nil || back != s {
			t.Fatalf("%s %q printed as %q reads as %v, %v", fd, text, FormatSet(fd, s), back, err)
		}
		size, last := uint64(0), int64(-2)
		for r := range s.Ranges() {
			if int64(r.Lo) <= last+1 || r.Lo > r.Hi || !s.Has(r.Lo) || !s.Has(r.Hi) {
				t.Fatalf("%s %q: ranges %v", fd, text, slices.Collect(s.Ranges()))
			}
			size, last = size+uint64(r.Hi-r.Lo)+1, int64(r.Hi)
		}
		if !s.IsAny() && size != s.Size() {
			t.Fatalf("%s %q: size %d, want %d", fd, text, s.Size(), size)
		}
		if c, ok := fd.Complement(s); ok && c.Overlaps(s) {
			t.Fatalf("%s %q overlaps its complement %s", fd, text, FormatSet(fd, c))
		}
	})
}

// FuzzParsePrefix: a prefix that is read prints and reads as the same, and has the
// first and the last of its addresses, and not the ones beside them.
func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{"any", "10.0.0.0/8", "1.2.3.4", "1.2.3.4/255.255.0.0", "0.0.0.0/0", "255.255.255.255/32", "1.2.3.4/33", "1.2.3", "1.2.3.4/255.0.255.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePrefix(text)
		if err != nil {
			return
		}
		if back, err := ParsePrefix(p.String()); err != nil || back != p {
			t.Fatalf("%q printed as %q reads as %v, %v", text, p, back, err)
		}
		n, ok := p.Bits()
		first, last := p.Addr, p.Addr|^p.Mask
		if !ok || p.Addr&^p.Mask != 0 || !p.Has(first) || !p.Has(last) || uint64(last-first) != 1<<(32-n)-1 {
			t.Fatalf("%q is %#v", text, p)
		}
		if n > 0 && (p.Has(first-1) || p.Has(last+1)) {
			t.Fatalf("%q holds more than it says", text)
		}
	})
}

// FuzzParseGrants: grants that are read can be those of a rule, and print and read as
// the same.
func FuzzParseGrants(f *testing.F) {
	for _, s := range []string{"Slice:a=7,Slice:b=4", "a=rw", "a=8", "a=14, b=d", "a=0", "a=1,a=2", "=7", "a b=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ParseGrants(text)
		if err != nil {
			if fe, ok := errors.AsType[*FieldError](err); !ok || fe.Field != "grants" {
				t.Fatalf("%q: untyped error %v", text, err)
			}
			return
		}
		if back, err := ParseGrants(FormatGrants(g)); err != nil || !slices.Equal(back, g) {
			t.Fatalf("%q printed as %q reads as %v, %v", text, FormatGrants(g), back, err)
		}
		if err := (&Rule{DPIDs: AllDPIDs(), Grants: g}).Validate(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
