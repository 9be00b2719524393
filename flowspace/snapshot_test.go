package flowspace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustMatch(t testing.TB, s string) Match {
	t.Helper()
	m, err := ParseMatch(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// rule builds a rule from text: "name dpids priority match grants".
func rule(t testing.TB, s string) *Rule {
	t.Helper()
	f := strings.Fields(s)
	d, err := ParseDPIDs(f[1])
	if err != nil {
		t.Fatal(err)
	}
	g, err := ParseGrants(f[4])
	if err != nil {
		t.Fatal(err)
	}
	r := &Rule{Name: f[0], DPIDs: d, Match: mustMatch(t, f[3]), Grants: g}
	if _, err := fmt.Sscan(f[2], &r.Priority); err != nil {
		t.Fatal(err)
	}
	return r
}

func withRules(t testing.TB, o Options, rules ...string) *Snapshot {
	t.Helper()
	var cs []Change
	for _, s := range rules {
		cs = append(cs, Change{Add, rule(t, s)})
	}
	s, _, err := New(o).Apply(cs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func names(rules []*Rule) string {
	var out []string
	for _, r := range rules {
		out = append(out, r.Name)
	}
	return strings.Join(out, " ")
}

func eachKind(t *testing.T, f func(t *testing.T, o Options)) {
	for _, k := range []MapKind{Linear, Federated} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			f(t, Options{Map: k})
		})
	}
}

func TestViewQueries(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, o Options) {
		s := withRules(t, o,
			"a1 1 100 in_port=1 alice=7",
			"a2 1 100 in_port=2 alice=2,bob=6",
			"web 1|2 200 tcp,tp_dst=80 bob=7",
			"all any 50 in_port=3|9 carol=7",
			"many 1|2|3|4|5|6|7|8|9|10 150 dl_vlan=0xffff,in_port=2 dave=1",
			"bcast any 300 dl_dst=ff:ff:ff:ff:ff:ff eve=2",
		)
		v := s.View(1)
		if got, want := names(v.Rules()), "bcast web many a1 a2 all"; got != want {
			t.Errorf("rules: got %q, want %q", got, want)
		}
		if got, want := names(s.View(2).Rules()), "bcast web many all"; got != want {
			t.Errorf("rules of 2: got %q, want %q", got, want)
		}
		if got, want := names(s.View(77).Rules()), "bcast all"; got != want {
			t.Errorf("rules of 77: got %q, want %q", got, want)
		}
		if diff := cmp.Diff([]string{"alice", "bob", "carol", "dave", "eve"}, v.Slices()); diff != "" {
			t.Errorf("slices (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"carol", "eve"}, s.Slices(0)); diff != "" {
			t.Errorf("slices of 0 (-want +got):\n%s", diff)
		}
		owner := func(h Header) string {
			if r := v.Owner(&h); r != nil {
				return r.Name
			}
			return "-"
		}
		web := Header{InPort: 1, DLVLAN: 5, DLType: 0x800, NWProto: 6, TPDst: 80}
		for _, tt := range []struct {
			h    Header
			want string
		}{
			{web, "web"},
			{Header{InPort: 1, DLType: 0x800, NWProto: 6, TPDst: 81}, "a1"},
			{Header{InPort: 2, DLVLAN: VLANNone}, "many"},
			{Header{InPort: 2, DLVLAN: 0}, "a2"},
			{Header{InPort: 9}, "all"},
			{Header{InPort: 8}, "-"},
			{Header{InPort: 8, DLDst: [6]byte{255, 255, 255, 255, 255, 255}}, "bcast"},
		} {
			if got := owner(tt.h); got != tt.want {
				t.Errorf("owner of %+v: got %s, want %s", tt.h, got, tt.want)
			}
		}
		if got, want := names(v.Overlapping(mustMatch(t, "in_port=2"), nil)), "bcast web many a2"; got != want {
			t.Errorf("overlapping: got %q, want %q", got, want)
		}
		if ports, ok := v.PortsOf("alice"); !ok || FormatSet(InPort, ports) != "1-2" {
			t.Errorf("ports of alice: %v %v", FormatSet(InPort, ports), ok)
		}
		if ports, ok := v.PortsOf("bob"); !ok || !ports.IsAny() {
			t.Errorf("ports of bob: %v %v", ports, ok)
		}
		if _, ok := v.PortsOf("dave"); ok {
			t.Error("a slice with delegate only has ports")
		}
		if got := names(v.SliceRules("bob")); got != "web a2" {
			t.Errorf("rules of bob: %q", got)
		}
	})
}

func TestCoveredExamples(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, o Options) {
		v := withRules(t, o,
			"lo 1 10 dl_vlan=0-99 alice=7",
			"mid 1 10 dl_vlan=100-4095 alice=6,bob=2",
			"un 1 10 dl_vlan=0xffff alice=4",
			"hole any 20 dl_vlan=7,in_port=3 bob=7",
			"under 1 5 any bob=7",
		).View(1)
		for _, tt := range []struct {
			slice string
			perm  Permission
			m     string
			want  bool
		}{
			{"alice", Write, "any", false},
			{"alice", Write, "in_port=1", true},
			{"alice", Write, "in_port=3", false},
			{"alice", Write, "dl_vlan=7", false},
			{"alice", Write, "dl_vlan=7,in_port=4-9", true},
			{"alice", Write, "dl_vlan=90-110", true},
			{"alice", Read, "in_port=1", false},
			{"alice", Write | Read, "dl_vlan=0-4095,in_port=1", true},
			{"alice", AllPermissions, "dl_vlan=0-4095,in_port=1", false},
			{"bob", Write, "dl_vlan=7,in_port=3", true},
			{"bob", Read, "dl_vlan=7-100,in_port=3", false},
			{"bob", Read, "dl_vlan=100-200,in_port=3", true},
			{"carol", Read, "dl_vlan=100", false},
		} {
			if got := v.Covered(tt.slice, tt.perm, mustMatch(t, tt.m)); got != tt.want {
				t.Errorf("%s %v %s: got %v", tt.slice, tt.perm, tt.m, got)
			}
		}
	})
}

func TestApplyAllOrNothing(t *testing.T) {
	t.Parallel()
	exists := func(s string) bool { return s == "alice" || s == "bob" }
	good := func(name string) *Rule { return rule(t, name+" 1 100 in_port=1 alice=7") }
	with := func(f func(r *Rule)) *Rule { r := good("new"); f(r); return r }
	for _, tt := range []struct {
		name  string
		c     Change
		field string
	}{
		{"duplicate name", Change{Add, good("r1")}, "name"},
		{"duplicate id", Change{Add, with(func(r *Rule) { r.ID = 1 })}, "id"},
		{"huge id", Change{Add, with(func(r *Rule) { r.ID = 1 << 63 })}, "id"},
		{"unknown slice", Change{Add, with(func(r *Rule) { r.Grants = []Grant{{"zoe", 7}} })}, "grants"},
		{"empty grants", Change{Add, with(func(r *Rule) { r.Grants = nil })}, "grants"},
		{"no permission", Change{Add, with(func(r *Rule) { r.Grants = []Grant{{"bob", 0}} })}, "grants"},
		{"permission 8", Change{Add, with(func(r *Rule) { r.Grants = []Grant{{"bob", 8}} })}, "grants"},
		{"slice twice", Change{Add, with(func(r *Rule) { r.Grants = []Grant{{"bob", 1}, {"bob", 2}} })}, "grants"},
		{"65 characters", Change{Add, with(func(r *Rule) { r.Name = strings.Repeat("x", 65) })}, "name"},
		{"newline", Change{Add, with(func(r *Rule) { r.Name = "a\nb" })}, "name"},
		{"no datapath", Change{Add, with(func(r *Rule) { r.DPIDs = DPIDSet{} })}, "dpids"},
		{"priority", Change{Add, with(func(r *Rule) { r.Priority = 1 << 31 })}, "priority"},
		{"4097 VLANs", Change{Add, with(func(r *Rule) { r.Match.DLVLAN = Span(0, 4096) })}, "dl_vlan"},
		{"prefix with holes", Change{Add, with(func(r *Rule) { r.Match.DLType = One(0x800); r.Match.NWSrc = Prefix{0, 0xff00ff00} })}, "nw_src"},
		{"MAC mask", Change{Add, with(func(r *Rule) { r.Match.DLDst = MACMask{1 << 40, 1 << 40} })}, "dl_dst"},
		{"no dl_type", Change{Add, with(func(r *Rule) { r.Match.NWDst = IPv4Prefix(1, 32) })}, "nw_dst"},
		{"update of nothing", Change{Update, with(func(r *Rule) { r.ID = 99 })}, "id"},
		{"rename onto another", Change{Update, with(func(r *Rule) { r.ID = 2; r.Name = "r1" })}, "name"},
		{"removal of nothing", Change{Remove, &Rule{Name: "nobody"}}, "name"},
		{"nil", Change{Op: Add}, "rule"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := withRules(t, Options{SliceExists: exists}, "r1 1 100 in_port=1 alice=7", "r2 any 100 in_port=1 bob=7")
			before := s.Rules()
			cs := []Change{{Add, good("x")}, {Remove, &Rule{Name: "r2"}}, {Add, good("r2")}}
			if tt.c.Rule != nil && tt.c.Rule.ID == 2 {
				cs = cs[:1]
			}
			_, _, err := s.Apply(append(cs, tt.c))
			var ce *ChangeError
			var fe *FieldError
			if !errors.As(err, &ce) || !errors.As(err, &fe) {
				t.Fatalf("got %v", err)
			}
			if ce.Index != len(cs) || fe.Field != tt.field {
				t.Errorf("got index %d field %s: %v", ce.Index, fe.Field, err)
			}
			if diff := cmp.Diff(names(before), names(s.Rules())); diff != "" || s.NextID() != 3 || s.RuleByName("r2") != before[1] {
				t.Errorf("the old snapshot changed (-want +got):\n%s", diff)
			}
			if got := names(s.View(1).Rules()); got != "r1 r2" {
				t.Errorf("view changed: %q", got)
			}
		})
	}
}

func TestBulkWithLastOneWrong(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	cs := make([]Change, 0, 100000)
	for i := range 99999 {
		cs = append(cs, Change{Add, &Rule{DPIDs: DPIDs(uint64(i % 100)), Match: Match{DLVLAN: One(uint32(i / 100 % 4096))}, Grants: []Grant{{"a", 7}}}})
	}
	good := Rule{Name: "last", DPIDs: AllDPIDs(), Grants: []Grant{{"a", 7}}}
	for field, spoil := range map[string]func(*Rule){
		"grants":  func(r *Rule) { r.Grants = nil },
		"name":    func(r *Rule) { r.Name = strings.Repeat("x", 65) },
		"dl_vlan": func(r *Rule) { r.Match.DLVLAN = Span(0, 4096) },
		"id":      func(r *Rule) { r.ID = 500 },
		"dpids":   func(r *Rule) { r.DPIDs = DPIDSet{} },
	} {
		r := good
		spoil(&r)
		_, _, err := s.Apply(append(cs, Change{Add, &r}))
		var ce *ChangeError
		var fe *FieldError
		if !errors.As(err, &ce) || !errors.As(err, &fe) || ce.Index != 99999 || fe.Field != field {
			t.Fatalf("%s: got %v", field, err)
		}
		if s.Len() != 0 || s.Rule(1) != nil || s.NextID() != 1 || len(s.Datapaths()) != 0 {
			t.Fatalf("%s: %d rules", field, s.Len())
		}
	}
	s, a, err := s.Apply(cs)
	if err != nil || s.Len() != 99999 || len(a.Datapaths) != 100 || len(a.Rules) != 99999 || s.Rule(99999) == nil || s.RuleByName("rule-500") == nil {
		t.Fatalf("%v, %d rules, %d datapaths", err, s.Len(), len(a.Datapaths))
	}
}

func TestApplyAffected(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, o Options) {
		s := withRules(t, o,
			"a 1 100 in_port=1 alice=7",
			"b 1 100 in_port=2 bob=7",
			"c 2 100 any carol=7",
			"d any 10 in_port=2 dave=7",
		)
		check := func(c Change, want Affected) *Snapshot {
			t.Helper()
			next, got, err := s.Apply([]Change{c})
			if err != nil {
				t.Fatal(err)
			}
			got.Rules = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v %s (-want +got):\n%s", c.Op, c.Rule.Name, diff)
			}
			return next
		}
		next := check(Change{Add, rule(t, "x 1 200 in_port=2 zoe=7")}, Affected{Datapaths: []uint64{1}, Slices: []string{"bob", "dave", "zoe"}})
		if !next.View(2).Same(s.View(2)) || next.View(1).Same(s.View(1)) {
			t.Error("the wrong views changed")
		}
		check(Change{Remove, &Rule{Name: "c"}}, Affected{Datapaths: []uint64{2}, Slices: []string{"carol", "dave"}})
		check(Change{Update, rule(t, "a 2 100 in_port=1 alice=7")}, Affected{Datapaths: []uint64{1, 2}, Slices: []string{"alice", "carol"}})
		check(Change{Add, rule(t, "y any 1 in_port=1 zoe=7")}, Affected{AllDatapaths: true, Slices: []string{"alice", "carol", "zoe"}})
	})
}

func TestApplySequence(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, o Options) {
		o.NextID = 10
		s := withRules(t, o, "a 1 100 in_port=1 alice=7", "b 1 100 in_port=2 bob=7")
		next, a, err := s.Apply([]Change{
			{Remove, &Rule{Name: "a"}},
			{Add, rule(t, "a any 300 in_port=3 bob=7")}, // the name is free again, the id is new
			{Update, &Rule{ID: 11, Name: "b2", DPIDs: DPIDs(2), Priority: 7, Grants: []Grant{{"bob", 1}}}},
			{Add, &Rule{DPIDs: DPIDs(2), Grants: []Grant{{"bob", 1}}}},
			{Remove, &Rule{Name: "rule-13"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if next.NextID() != 14 || next.Len() != 2 || next.RuleByName("b") != nil || next.RuleByName("b2").ID != 11 || next.RuleByName("a").ID != 12 {
			t.Errorf("got %v", next.Rules())
		}
		if len(a.Rules) != 5 || a.Rules[0].ID != 10 || a.Rules[1].ID != 12 || a.Rules[4].ID != 13 {
			t.Errorf("rules of the changes: %v", a.Rules)
		}
		if got := names(next.View(1).Rules()); got != "a" {
			t.Errorf("view of 1: %q", got)
		}
		if got := names(s.View(1).Rules()); got != "a b" || s.Len() != 2 {
			t.Errorf("the old view changed: %q", got)
		}
		if diff := cmp.Diff([]uint64{2}, next.Datapaths()); diff != "" {
			t.Errorf("datapaths (-want +got):\n%s", diff)
		}
	})
}

func TestDPIDSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"any", "any"}, {"ALL", "any"}, {"all_dpids", "any"}, {"*", "any"},
		{"1", "00:00:00:00:00:00:00:01"},
		{"10", "00:00:00:00:00:00:00:0a"},
		{"0x10", "00:00:00:00:00:00:00:10"},
		{"ff:ff:ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff:ff:ff"},
		{"0", "00:00:00:00:00:00:00:00"},
		{"0xffffffffffffffff|0, 5", "00:00:00:00:00:00:00:00|00:00:00:00:00:00:00:05|ff:ff:ff:ff:ff:ff:ff:ff"},
		{"01:23:45:67:89:ab:cd:ef|1|1", "00:00:00:00:00:00:00:01|01:23:45:67:89:ab:cd:ef"},
	} {
		d, err := ParseDPIDs(tt.in)
		if err != nil || d.String() != tt.want {
			t.Errorf("%s: got %s, %v", tt.in, d, err)
		}
		if back, err := ParseDPIDs(d.String()); err != nil || back != d {
			t.Errorf("%s does not read back: %v %v", d, back, err)
		}
	}
	for _, in := range []string{"", "abc", "1:2:3:4:5:6:7:8:9", "0x12345678901234567", "18446744073709551616", "-1", "00:111::", "1|x"} {
		if d, err := ParseDPIDs(in); err == nil {
			t.Errorf("%q was read as %s", in, d)
		}
	}
	d := DPIDs(9, 3, 7, 3)
	if d.Len() != 3 || !d.Has(3) || !d.Has(9) || d.Has(4) || !slices.Equal(slices.Collect(d.List()), []uint64{3, 7, 9}) {
		t.Errorf("list: %v", d)
	}
	if !d.Overlaps(DPIDs(1, 7)) || d.Overlaps(DPIDs(1, 2)) || !d.Overlaps(AllDPIDs()) || (DPIDSet{}).Overlaps(AllDPIDs()) || !AllDPIDs().Overlaps(AllDPIDs()) {
		t.Error("overlaps is wrong")
	}
}
