package flowspace

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
)

// The conformance suite: random changes are applied to a federated flowspace, a
// linear one, and a plain slice of rules that anybody can believe. All queries must
// agree after each step, on old snapshots too.

// plain is a flowspace of nothing but a sorted slice.
type plain []*Rule

func (p plain) owner(dpid uint64, h *Header) *Rule {
	for _, r := range p {
		if r.DPIDs.Has(dpid) && r.Match.Matches(h) {
			return r
		}
	}
	return nil
}

func (p plain) overlapping(dpid uint64, m *Match) (out []*Rule) {
	for _, r := range p {
		if r.DPIDs.Has(dpid) && r.Match.Overlaps(m) {
			out = append(out, r)
		}
	}
	return out
}

var testDPIDs = []uint64{0, 1, 2, 3, 1<<64 - 1}

func confRule(r *rand.Rand, use []Field) *Rule {
	for {
		n := &Rule{Priority: []uint32{0, 1, 5, 5, 5, 100, MaxPriority}[r.IntN(7)], Match: randMatch(r, use), Grants: []Grant{{[]string{"a", "b", "c"}[r.IntN(3)], Permission(1 + r.IntN(7))}}}
		switch r.IntN(12) {
		case 0:
			n.DPIDs = AllDPIDs()
		case 1:
			n.DPIDs = DPIDs(testDPIDs[r.IntN(5)], testDPIDs[r.IntN(5)])
		case 2: // long enough for the shared partition
			n.DPIDs = DPIDs(testDPIDs[r.IntN(5)], 100, 101, 102, 103, 104, 105, 106, 107, 108)
		default:
			n.DPIDs = DPIDs(testDPIDs[r.IntN(5)])
		}
		if r.IntN(4) > 0 && n.Match.checkPrerequisites() != nil {
			n.Match.DLType, n.Match.NWProto, n.Match.NWTos, n.Match.TPSrc = One(typeIPv4), One(protoTCP), Set{}, Set{}
		}
		if n.Validate() == nil {
			return n
		}
	}
}

// exactRule makes most rules such that they have a shape.
func exactRule(r *rand.Rand, use []Field) *Rule {
	n := confRule(r, use)
	if r.IntN(8) == 0 {
		return n
	}
	c := *n
	for _, f := range setFields {
		if s := c.Match.set(f); !s.IsAny() && r.IntN(20) > 0 {
			*s = One(s.lo)
		}
	}
	if c.Validate() != nil {
		return n
	}
	return &c
}

func confHeader(r *rand.Rand) Header {
	var h Header
	for f := range numFields {
		var v uint64
		switch f {
		case NWSrc, NWDst:
			v = uint64(testAddrs[r.IntN(len(testAddrs))])
		case DLSrc, DLDst:
			v = testMACs[r.IntN(len(testMACs))]
		default:
			v = uint64(testValues[f][r.IntN(len(testValues[f]))])
		}
		setHeader(&h, f, v)
	}
	return h
}

func sameRules(a, b []*Rule) bool {
	return slices.EqualFunc(a, b, func(x, y *Rule) bool { return x.ID == y.ID && x.Equal(y) })
}

// agree compares the queries of a snapshot with the plain rules.
func agree(t *testing.T, r *rand.Rand, s *Snapshot, p plain, use []Field, queries int) {
	t.Helper()
	if !sameRules(s.Rules(), p) {
		t.Fatalf("%v: rules differ: got %v, want %v", s.MapKind(), s.Rules(), []*Rule(p))
	}
	for range queries {
		dpid := testDPIDs[r.IntN(len(testDPIDs))]
		v := s.View(dpid)
		h := confHeader(r)
		got, want := v.Owner(&h), p.owner(dpid, &h)
		if (got == nil) != (want == nil) || got != nil && got.ID != want.ID {
			t.Fatalf("%v: owner of %+v on %d: got %v, want %v", s.MapKind(), h, dpid, got, want)
		}
		for _, q := range []*partition{v.own, v.shared} { // by fields only, and by shapes too
			if q == nil || s.MapKind() != Federated {
				continue
			}
			m := q.rules.(*federatedMap)
			if got, want := m.search(&h, dpid), m.owner(&h, dpid); m.n > 2 && got != want {
				t.Fatalf("owner of %+v on %d: by fields %v, by shapes %v", h, dpid, got, want)
			}
		}
		m := randMatch(r, use)
		switch r.IntN(6) {
		case 0:
			m = PointMatch(&h)
		case 1:
			m.DLDst = MACMask{testMACs[r.IntN(len(testMACs))] & 0x0100000000ff, 0x0100000000ff}
		case 2:
			m.NWSrc = Prefix{testAddrs[r.IntN(len(testAddrs))] & 0xff0000ff, 0xff0000ff}
		}
		if got, want := v.Overlapping(m, nil), p.overlapping(dpid, &m); !sameRules(got, want) {
			t.Fatalf("%v: overlapping %s on %d: got %v, want %v", s.MapKind(), m, dpid, got, want)
		}
	}
}

func conformance(t *testing.T, seed uint64, steps, bulk, queries int) {
	r := rand.New(rand.NewPCG(seed, 1))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	use := randFields(r, 1+r.IntN(6))
	newRule := confRule
	if r.IntN(2) == 0 {
		newRule = exactRule
	}
	fed, lin := New(Options{}), New(Options{Map: Linear})
	var p plain
	type kept struct {
		s *Snapshot
		p plain
	}
	var old []kept
	for range steps {
		var cs []Change
		next := slices.Clone(p)
		id := fed.NextID()
		for range 1 + r.IntN(bulk) {
			switch k := r.IntN(10); {
			case k < 6 || len(next) == 0:
				n := newRule(r, use)
				n.ID = id
				id++
				next = append(next, n)
				cs = append(cs, Change{Add, n})
			case k < 8:
				i := r.IntN(len(next))
				cs = append(cs, Change{Remove, &Rule{ID: next[i].ID}})
				next = slices.Delete(next, i, i+1)
			default:
				i := r.IntN(len(next))
				n := newRule(r, use)
				n.ID = next[i].ID
				next[i] = n
				cs = append(cs, Change{Update, n})
			}
		}
		for _, n := range next {
			if n.Name == "" {
				c := *n
				c.Name = nameOf(n, p)
				next[slices.Index(next, n)] = &c
			}
		}
		slices.SortFunc(next, compareRules)
		p = next
		var err error
		if fed, _, err = fed.Apply(cs); err != nil {
			t.Fatal(err)
		}
		if lin, _, err = lin.Apply(cs); err != nil {
			t.Fatal(err)
		}
		agree(t, r, fed, p, use, queries)
		agree(t, r, lin, p, use, queries)
		fed.parts.each(func(_ uint64, q *partition) bool { checkFederated(t, q.rules.(*federatedMap)); return true })
		if fed.shared != nil {
			checkFederated(t, fed.shared.rules.(*federatedMap))
		}
		if r.IntN(4) == 0 {
			old = append(old, kept{fed, p})
		}
	}
	for _, k := range old {
		agree(t, r, k.s, k.p, use, queries)
	}
}

// nameOf is the name Apply gives to a rule without one.
func nameOf(n *Rule, before plain) string {
	for _, r := range before {
		if r.ID == n.ID {
			return r.Name
		}
	}
	return (&changer{}).freeName(n.ID)
}

// checkFederated checks what the structure promises to itself.
func checkFederated(t *testing.T, m *federatedMap) {
	t.Helper()
	n := 0
	var last *Rule
	m.each(func(r *Rule) bool {
		if last != nil && !last.Before(r) {
			t.Fatalf("%v is before %v", last, r)
		}
		last = r
		n++
		return true
	})
	checkTuples(t, m)
	if n != m.n || len(m.order)+len(m.free) != len(m.blocks) || len(m.rank) != len(m.blocks) {
		t.Fatalf("%d rules of %d, %d blocks in order, %d free of %d", n, m.n, len(m.order), len(m.free), len(m.blocks))
	}
	want, got := make([]uint64, len(m.blocks)), make([]uint64, len(m.blocks))
	m.only.orInto(got)
	for w, b := range m.blocks {
		for i := 0; b != nil && i < 64; i++ {
			if b.used>>i&1 == 0 {
				continue
			}
			if b.keys[i] != orderKey(b.rules[i]) {
				t.Fatalf("key %x of %v", b.keys[i], b.rules[i])
			}
			var mask fieldMask
			for f := range m.fields {
				if !m.open(b.rules[i], Field(f)) {
					mask |= 1 << f
				}
			}
			if mask&^m.coarse == 0 {
				want[w] |= 1 << i
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("rules restricted by coarse fields only: got %x, want %x", got, want)
	}
	for i := range m.plan {
		if m.planned[i] != m.plan[i].field {
			t.Fatalf("planned %v, field %d is %v", m.planned, i, m.plan[i].field)
		}
	}
	for f := range m.fields {
		x := &m.fields[f]
		if (x.used == 0) != (x.any == nil) || (x.used == 0) != (x.rows == nil) || (x.used == 0) != (len(x.lengths) == 0) {
			t.Fatalf("field %d: used %d, any %v, rows %v, lengths %v", f, x.used, x.any, x.rows, x.lengths)
		}
		if x.used == 0 {
			continue
		}
		words := make([]uint64, len(m.blocks))
		x.any.orInto(words)
		keys := 0
		x.rows.each(func(r *row) bool {
			keys++
			if r.len() == 0 || x.rows.get(r.key) != r {
				t.Fatalf("field %d: row %x is empty or not found", f, r.key)
			}
			r.orInto(words)
			return true
		})
		if keys != x.rows.n {
			t.Fatalf("field %d: %d rows of %d", f, keys, x.rows.n)
		}
		for _, l := range x.lengths {
			keys -= l.rows
		}
		if keys != 0 {
			t.Fatalf("field %d: lengths do not count the rows", f)
		}
		for w, b := range m.blocks {
			if b != nil && words[w] != b.used || b == nil && words[w] != 0 {
				t.Fatalf("field %d word %d: %x instead of %x", f, w, words[w], b.used)
			}
		}
	}
}

// What the packed words of a rule and a header say is what the match says.
func TestPackedRules(t *testing.T) {
	t.Parallel()
	r := newRand(t, 11)
	tried, hits := 0, 0
	for range 3000 {
		n := exactRule(r, randFields(r, 1+r.IntN(12)))
		n.DPIDs = DPIDs(1)
		mask, value, ok := packRule(n, false)
		if _, _, other := packRule(n, true); other {
			t.Fatal("a rule for one of many datapaths has a shape")
		}
		if !ok {
			continue
		}
		s := shape{mask: mask}
		e := entryOf(&s, &value, n, nil)
		for range 20 {
			h := confHeader(r)
			for f := range numFields { // near the rule
				if r.IntN(8) > 0 {
					copyField(&h, &n.Match, f)
				}
			}
			var v packed
			if !v.pack(&h) {
				t.Fatalf("%+v does not fit", h)
			}
			want := n.Match.Matches(&h)
			if got := e.holds(&s, &v); got != want || want && s.hash(&v) != s.hash(&value) {
				t.Fatalf("%s of %+v: %v, want %v", n.Match, h, got, want)
			}
			tried++
			if want {
				hits++
			}
		}
	}
	if hits < 1000 || tried-hits < 1000 {
		t.Errorf("%d headers, %d of them inside", tried, hits)
	}
	for _, h := range []Header{{InPort: 1 << 16}, {DLVLAN: 4096}, {DLVLANPCP: 8}} {
		if v := (packed{}); v.pack(&h) {
			t.Errorf("%+v fits", h)
		}
	}
}

// copyField gives h the first value that m accepts in a field.
func copyField(h *Header, m *Match, f Field) {
	switch f {
	case NWSrc, NWDst:
		if p := m.prefix(f); !p.IsAny() {
			setHeader(h, f, uint64(p.Addr))
		}
	case DLSrc, DLDst:
		if a := m.mac(f); !a.IsAny() {
			setHeader(h, f, a.Addr)
		}
	default:
		if s := m.set(f); !s.IsAny() {
			setHeader(h, f, uint64(s.lo))
		}
	}
}

// tuplesSeen counts the maps checked with tuples and those with a rest as well.
var tuplesSeen [2]atomic.Int64

// checkTuples checks that every rule is found by its shape or in the rest, and
// nothing else is.
func checkTuples(t *testing.T, m *federatedMap) {
	t.Helper()
	if m.tuples == nil {
		return
	}
	tuplesSeen[0].Add(1)
	x, rules := m.tuples, map[*Rule]bool{}
	x.dir.each(func(p *tuplePage) bool {
		n := 0
		for _, s := range p.slots {
			if s.entry == nil {
				continue
			}
			n++
			all := []*Rule{s.entry.rule}
			if s.entry.more != nil {
				all = append(all, s.entry.more.rules...)
			}
			if !slices.IsSortedFunc(all, compareRules) || s.entry.id != all[0].ID || s.entry.prio != all[0].Priority {
				t.Fatalf("entry %+v out of order", s.entry)
			}
			for _, r := range all {
				sh, v := x.shapeOf(r, m.byDPID)
				if sh == nil || x.find(sh, &v) != s.entry || sh.max < r.Priority || rules[r] {
					t.Fatalf("%v is not found by its shape", r)
				}
				rules[r] = true
			}
		}
		if n != int(p.n) {
			t.Fatalf("%d entries of %d", n, p.n)
		}
		return true
	})
	if x.rest != nil {
		tuplesSeen[1].Add(1)
		if x.rest.tuples != nil {
			t.Fatal("the rest has tuples")
		}
		checkFederated(t, x.rest)
		x.rest.each(func(r *Rule) bool {
			if sh, _ := x.shapeOf(r, m.byDPID); sh != nil || rules[r] {
				t.Fatalf("%v is in the rest", r)
			}
			rules[r] = true
			return true
		})
	}
	m.each(func(r *Rule) bool {
		if !rules[r] {
			t.Fatalf("%v is lost", r)
		}
		delete(rules, r)
		return true
	})
	if len(rules) > 0 {
		t.Fatalf("left over: %v", rules)
	}
}

func TestMapsAgree(t *testing.T) {
	t.Parallel()
	rounds := 30
	if testing.Short() {
		rounds = 4
	}
	for seed := range uint64(rounds) {
		conformance(t, seed, 40, 6, 20) // single changes
		conformance(t, seed+1000, 6, 400, 60)
	}
	if tuplesSeen[0].Load() == 0 || tuplesSeen[1].Load() == 0 {
		t.Errorf("maps with tuples, and with a rest: %d, %d", tuplesSeen[0].Load(), tuplesSeen[1].Load())
	}
}

// Rules that all come at one place fill, spread and split blocks.
func TestFederatedInsertsAtOnePlace(t *testing.T) {
	t.Parallel()
	for _, prio := range []func(i int) uint32{
		func(i int) uint32 { return 5 },
		func(i int) uint32 { return uint32(i) },
		func(i int) uint32 { return uint32(10000 - i) },
		func(i int) uint32 { return uint32(i % 2 * 1000) },
		func(i int) uint32 { return uint32(500 + (i%2*2-1)*i/2) },
	} {
		s := New(Options{})
		var p plain
		r := newRand(t, 3)
		for i := range 700 {
			n := &Rule{Priority: prio(i), DPIDs: DPIDs(1), Match: Match{InPort: One(uint32(i % 7))}, Grants: []Grant{{"a", 7}}}
			if i%3 > 0 { // else many rules match a header
				n.Match.DLVLAN = One(uint32(i % 20))
			}
			var a Affected
			var err error
			if s, a, err = s.Apply([]Change{{Add, n}}); err != nil {
				t.Fatal(err)
			}
			p = append(p, a.Rules[0])
			if i%100 == 0 || i == 699 {
				slices.SortFunc(p, compareRules)
				agree(t, r, s, p, []Field{InPort, DLVLAN}, 50)
				v, _ := s.parts.get(1)
				checkFederated(t, v.rules.(*federatedMap))
			}
		}
		for len(p) > 0 {
			i := r.IntN(len(p))
			var err error
			if s, _, err = s.Apply([]Change{{Remove, &Rule{ID: p[i].ID}}}); err != nil {
				t.Fatal(err)
			}
			if p = slices.Delete(p, i, i+1); len(p)%100 == 0 {
				agree(t, r, s, p, []Field{InPort, DLVLAN}, 50)
			}
		}
		if len(s.Datapaths()) != 0 || s.Len() != 0 {
			t.Errorf("left over: %v", s.Datapaths())
		}
	}
}

func FuzzMapsAgree(f *testing.F) {
	for _, seed := range []uint64{1, 77, 1 << 40} {
		f.Add(seed, uint8(5), uint16(50))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8, bulk uint16) {
		conformance(t, seed, int(steps%16)+1, int(bulk%300)+1, 20)
	})
}

// denseRule makes rules of one datapath (or of many) with thousands of values, nested
// prefixes of every length and ranges of every kind: sparse rows, and more rows for
// one header than a query keeps at hand.
func denseRule(r *rand.Rand, dpids DPIDSet, narrow bool) *Rule {
	n := &Rule{DPIDs: dpids, Priority: uint32(r.IntN(5)), Grants: []Grant{{"a", 7}}}
	m := &n.Match
	if r.IntN(50) > 0 || narrow && r.IntN(10) > 0 {
		m.InPort = One(uint32(r.IntN(800)))
	}
	if narrow { // nearly all are found by in_port
		return n
	}
	switch r.IntN(5) {
	case 0:
		m.DLVLAN = One(uint32(r.IntN(4096)))
	case 1:
		m.DLSrc = MACMask{uint64(r.IntN(3000)), macMask}
	case 2:
		m.InPort = Set{}
		m.DLType = ipOnly
		m.NWSrc = IPv4Prefix(0x0a0a0a0a^1<<r.IntN(32), r.IntN(33))
		m.NWDst = IPv4Prefix(0x0b0b0b0b^1<<r.IntN(32), r.IntN(33))
	case 3:
		m.InPort = Set{}
		m.DLType, m.NWProto = ipOnly, withPort
		a, b := uint32(r.IntN(65536)), uint32(r.IntN(65536))
		m.TPSrc, _ = TPSrc.canonical(Span(a, b))
		m.TPDst, _ = TPDst.canonical(Span(b, min(65535, b+uint32(r.IntN(100)))))
	}
	return n
}

func denseHeader(r *rand.Rand, p plain) Header {
	h := Header{InPort: uint32(r.IntN(800)), DLVLAN: uint16(r.IntN(4096)), DLType: 0x800, NWProto: 6, NWSrc: 0x0a0a0a0a, NWDst: 0x0b0b0b0b, TPSrc: uint16(r.IntN(65536)), TPDst: uint16(r.IntN(65536))}
	m := &p[r.IntN(len(p))].Match // near some rule
	if v, ok := m.InPort.Value(); ok {
		h.InPort = v
	}
	if !m.DLVLAN.IsAny() {
		h.DLVLAN = uint16(m.DLVLAN.lo)
	}
	h.DLSrc = m.DLSrc.MAC()
	if !m.NWSrc.IsAny() && r.IntN(2) == 0 {
		h.NWSrc, h.NWDst = m.NWSrc.Addr, m.NWDst.Addr
	}
	return h
}

func TestMapsAgreeLarge(t *testing.T) {
	t.Parallel()
	queries := 150
	if testing.Short() {
		queries = 40
	}
	for i, dpids := range []DPIDSet{DPIDs(1), DPIDs(1), DPIDs(1, 2, 3, 4, 5, 6, 7, 8, 9)} {
		narrow := i == 0
		r := newRand(t, 21)
		s := New(Options{})
		var cs []Change
		for range 2500 {
			cs = append(cs, Change{Add, denseRule(r, dpids, narrow)})
		}
		s, _, err := s.Apply(cs)
		if err != nil {
			t.Fatal(err)
		}
		walked := 0
		check := func(queries int) {
			t.Helper()
			p := plain(s.Rules())
			v := s.View(1)
			for range queries {
				h := denseHeader(r, p)
				got, want := v.Owner(&h), p.owner(1, &h)
				if got != want {
					t.Fatalf("owner of %+v: got %v, want %v", h, got, want)
				}
				if want != nil {
					walked++
				}
				m := p[r.IntN(len(p))].Match
				switch r.IntN(4) {
				case 0:
					m = PointMatch(&h)
				case 1:
					m.DLVLAN, m.InPort = Span(uint32(r.IntN(4096)), 4095), Set{}
				case 2:
					m = Match{DLType: ipOnly, NWSrc: IPv4Prefix(h.NWSrc, r.IntN(33)), NWDst: IPv4Prefix(h.NWDst, r.IntN(33))}
				}
				if got, want := v.Overlapping(m, nil), p.overlapping(1, &m); !slices.Equal(got, want) {
					t.Fatalf("overlapping %s: got %d rules, want %d", m, len(got), len(want))
				}
				if got := s.View(10).Overlapping(m, nil); len(got) != 0 {
					t.Fatalf("rules on a datapath without any: %v", got)
				}
				if got := s.View(10).Owner(&h); got != nil {
					t.Fatalf("owner on a datapath without any: %v", got)
				}
			}
			for _, q := range []*partition{v.own, v.shared} {
				if q != nil {
					checkFederated(t, q.rules.(*federatedMap))
				}
			}
		}
		check(queries)
		for range 100 {
			all := s.Rules()
			cs := []Change{{Add, denseRule(r, dpids, narrow)}, {Remove, all[r.IntN(len(all))]}}
			if s, _, err = s.Apply(cs); err != nil {
				t.Fatal(err)
			}
		}
		check(queries)
		if walked < queries/2 {
			t.Errorf("only %d of %d headers had an owner", walked, 2*queries)
		}
	}
}
