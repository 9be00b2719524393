package hypervisor

import (
	"fmt"
	"testing"

	"github.com/govisor/govisor/flowspace"
)

// One rule below very many does not make the list of conflicts any longer than it may be.
func TestConflictsAreBounded(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	var changes []RuleChange
	for i := range uint32(mostConflicts + 50) {
		r := newRule(t, fmt.Sprint("n", i), "1", "any", "a=7")
		r.Match.InPort, r.Match.DLVLAN = flowspace.One(i%100), flowspace.One(i/100)
		changes = append(changes, RuleChange{Op: flowspace.Add, Rule: r})
	}
	if _, err := s.ChangeRules(t.Context(), Local(), changes, false); err != nil {
		t.Fatal(err)
	}
	mustRule(t, s, "below", "any", "any", "b=7")
	all, err := s.Conflicts(t.Context(), Local(), "", nil)
	if err != nil || len(all) != mostConflicts {
		t.Errorf("%d conflicts, want %d; %v", len(all), mostConflicts, err)
	}
}
