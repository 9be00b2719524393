package flowspace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bulkRules are n rules that can be added together, some without a name or an id. Those
// of seed 1 have names that ones of seed 2 without a name would get.
func bulkRules(t *testing.T, seed uint64, n int) []Change {
	r := newRand(t, seed)
	use := []Field{InPort, DLVLAN, DLSrc}
	cs := make([]Change, n)
	for i := range cs {
		x := exactRule(r, use)
		if r.IntN(3) > 0 {
			if x.Name = fmt.Sprintf("r%d-%d", seed, i); seed == 1 && r.IntN(2) == 0 {
				x.Name = fmt.Sprintf("rule-%d", 2<<32+2*i+2)
			}
		}
		if r.IntN(4) == 0 {
			x.ID = seed<<32 + uint64(2*i+1)
		}
		cs[i] = Change{Add, x}
	}
	return cs
}

// oneByOne makes Apply take the changes in turn: a last one that changes nothing is
// not an addition.
func oneByOne(s *Snapshot, cs []Change) (*Snapshot, Affected, error) {
	last := *cs[0].Rule
	if last.Name == "" && last.ID == 0 {
		last.ID = s.NextID()
	}
	next, a, err := s.Apply(append(slices.Clip(cs), Change{Update, &last}))
	if err == nil {
		a.Rules = a.Rules[:len(cs)]
	}
	return next, a, err
}

// A bulk has the outcome of its changes one after the other.
func TestBulkIsLikeOneByOne(t *testing.T) {
	t.Parallel()
	for _, k := range []MapKind{Federated, Linear} {
		for _, before := range []int{0, 300, 6000} {
			s := New(Options{Map: k})
			if before > 0 {
				var err error
				if s, _, err = s.Apply(bulkRules(t, 1, before)); err != nil {
					t.Fatal(err)
				}
			}
			old := s.Rules()
			cs := bulkRules(t, 2, bulkMin+500)
			got, ga, gerr := s.Apply(cs)
			want, wa, werr := oneByOne(s, cs)
			if gerr != nil || werr != nil {
				t.Fatal(gerr, werr)
			}
			if !sameRules(got.Rules(), want.Rules()) || got.NextID() != want.NextID() || got.Len() != want.Len() {
				t.Fatalf("%v after %d: the rules differ", k, before)
			}
			if !sameRules(ga.Rules, wa.Rules) {
				t.Fatalf("%v after %d: the rules answered differ", k, before)
			}
			ga.Rules, wa.Rules = nil, nil
			if d := cmp.Diff(wa, ga); d != "" {
				t.Errorf("%v after %d: affected (-want +got): %s", k, before, d)
			}
			second := 0
			for _, r := range want.Rules() {
				if strings.HasPrefix(r.Name, "rule-") && strings.HasSuffix(r.Name, "-2") {
					second++
				}
				if got.Rule(r.ID) == nil || got.RuleByName(r.Name) == nil || got.Rule(r.ID).Name != r.Name {
					t.Fatalf("%v is not found", r)
				}
			}
			if (second > 0) != (before > 0) {
				t.Errorf("%v after %d: %d names were taken", k, before, second)
			}
			agree(t, newRand(t, 4), got, plain(got.Rules()), []Field{InPort, DLVLAN, DLSrc}, 20)
			if !sameRules(s.Rules(), old) {
				t.Error("the old snapshot changed")
			}
		}
	}
}

// What is wrong with a bulk is told as if its changes came one after the other: the
// first that is wrong, and its field.
func TestBulkTellsTheFirstFault(t *testing.T) {
	t.Parallel()
	s, _, err := New(Options{SliceExists: func(n string) bool { return n != "nobody" }}).Apply([]Change{
		{Add, &Rule{ID: 7, Name: "there", DPIDs: DPIDs(1), Grants: []Grant{{"a", 7}}}}})
	if err != nil {
		t.Fatal(err)
	}
	faults := map[string]func(*Rule){
		"duplicate name":   func(r *Rule) { r.Name = "there" },
		"duplicate in it":  func(r *Rule) { r.Name = "twice" },
		"duplicate id":     func(r *Rule) { r.ID = 7 },
		"id too large":     func(r *Rule) { r.ID = 1 << 63 },
		"unknown slice":    func(r *Rule) { r.Grants = []Grant{{"nobody", 7}} },
		"empty grants":     func(r *Rule) { r.Grants = nil },
		"VLAN 4097":        func(r *Rule) { r.Match.DLVLAN = One(4097) },
		"name too long":    func(r *Rule) { r.Name = string(make([]byte, 65)) },
		"no datapath":      func(r *Rule) { r.DPIDs = DPIDSet{} },
		"without protocol": func(r *Rule) { r.Match = Match{NWSrc: IPv4Prefix(1<<24, 8)} },
	}
	n := bulkMin + 1000
	for a, first := range faults {
		for _, b := range []string{"duplicate in it", "empty grants"} {
			second := faults[b]
			cs := make([]Change, n)
			for i := range cs {
				cs[i] = Change{Add, &Rule{Name: fmt.Sprint("r", i), DPIDs: DPIDs(uint64(i % 5)), Grants: []Grant{{"a", 7}}}}
			}
			cs[3].Rule.Name = "twice"
			first(cs[n/2].Rule)
			second(cs[n-1].Rule)
			_, _, got := s.Apply(cs)
			_, _, want := oneByOne(s, cs)
			e, ok := errors.AsType[*ChangeError](got)
			if !ok || e.Index != n/2 || got.Error() != want.Error() {
				t.Errorf("%s, then %s: got %v, want %v", a, b, got, want)
			}
			if _, ok := errors.AsType[*FieldError](got); !ok {
				t.Errorf("%s: %T names no field", a, got)
			}
		}
	}
	if s.Len() != 1 || s.Rule(7).Name != "there" {
		t.Error("the snapshot changed")
	}
}
