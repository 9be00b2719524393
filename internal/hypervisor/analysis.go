package hypervisor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire"
)

const (
	mostConflicts = 10_000
	// subtractLimit bounds the pieces looked at to find a shadowed rule.
	subtractLimit = 4096
)

// Conflict is a pair of rules that have something in common: Other wins where
// both match. A Shadowed rule never gets anything at all.
type Conflict struct {
	Shadowed    bool
	Rule, Other *flowspace.Rule
	Region      flowspace.Match
	DPID        string // where it was seen first, "any" for every other datapath
}

// Conflicts finds rules that overlap a stronger rule of other slices, and rules
// that are shadowed. It looks at one slice and one datapath if they are given,
// and gives up when ctx ends.
func (s *Service) Conflicts(ctx context.Context, p Principal, slice string, dpid *ofwire.DatapathID) ([]Conflict, error) {
	rules, err := s.Rules(p, RuleFilter{Slice: slice, DPID: dpid, ShowDisabled: true})
	if err != nil {
		return nil, err
	}
	st := s.state.Load()
	f := conflictFinder{st: st, p: p, seen: map[[2]uint64]bool{}}
	for _, r := range rules {
		if ctx.Err() != nil {
			return nil, &Error{Kind: apitype.KindUnavailable, Detail: "the flowspace is too large to look through in time", Hint: "name a slice or a datapath", Index: -1}
		}
		full := st.flows.Rule(r.ID)
		if full == nil {
			continue
		}
		for _, id := range f.places(full, dpid) {
			f.look(full, id)
		}
		if len(f.out) >= mostConflicts {
			break
		}
	}
	return f.out, nil
}

type conflictFinder struct {
	st   *state
	p    Principal
	seen map[[2]uint64]bool
	buf  []*flowspace.Rule
	out  []Conflict
}

// elsewhere stands for a datapath that no rule names.
const elsewhere = ^uint64(0)

func (f *conflictFinder) places(r *flowspace.Rule, only *ofwire.DatapathID) []uint64 {
	switch {
	case only != nil:
		return []uint64{uint64(*only)}
	case r.DPIDs.IsAll():
		return append(f.st.flows.Datapaths(), elsewhere)
	}
	return slices.Collect(r.DPIDs.List())
}

// look compares one rule with the stronger ones on a datapath.
func (f *conflictFinder) look(r *flowspace.Rule, dpid uint64) {
	f.buf = f.st.flows.View(dpid).Overlapping(r.Match, f.buf[:0])
	var stronger []flowspace.Match
	for _, o := range f.buf {
		if !o.Before(r) {
			break
		}
		stronger = append(stronger, o.Match)
		if f.seen[[2]uint64{r.ID, o.ID}] || sameSlices(r, o) {
			continue
		}
		f.seen[[2]uint64{r.ID, o.ID}] = true
		f.add(r, o, dpid, false)
	}
	if len(stronger) == 0 {
		return
	}
	if rest, ok := r.Match.Subtract(subtractLimit, stronger...); ok && len(rest) == 0 && !f.seen[[2]uint64{r.ID, 0}] {
		f.seen[[2]uint64{r.ID, 0}] = true
		f.add(r, f.buf[0], dpid, true)
	}
}

func sameSlices(a, b *flowspace.Rule) bool { return slices.Equal(a.Grants, b.Grants) }

func (f *conflictFinder) add(r, o *flowspace.Rule, dpid uint64, shadowed bool) {
	region, _ := r.Match.Intersect(o.Match)
	c := Conflict{Shadowed: shadowed, Rule: f.st.visible(f.p, r), Other: f.st.visible(f.p, o), Region: region, DPID: flowspace.FormatDPID(dpid)}
	if dpid == elsewhere {
		c.DPID = "any"
	}
	if c.Other == nil { // somebody else's: that it is there is all the caller learns
		c.Other = &flowspace.Rule{DPIDs: o.DPIDs, Priority: o.Priority, Match: region}
	}
	f.out = append(f.out, c)
}

// Free returns the values of a field no rule on the datapaths names; none given
// means all. A rule that leaves the field open names no value.
func (s *Service) Free(p Principal, field string, dpids []ofwire.DatapathID) (free flowspace.Set, any bool, err error) {
	st := s.state.Load()
	if !st.allowed(p, actReadShared, "") {
		return free, false, denied(p, "read the flowspace")
	}
	var pick func(*flowspace.Match) flowspace.Set
	switch field {
	case "dl_vlan":
		free, pick = flowspace.Span(1, 4094), func(m *flowspace.Match) flowspace.Set { return m.DLVLAN }
	case "in_port":
		free, pick = flowspace.Span(1, 0xff00), func(m *flowspace.Match) flowspace.Set { return m.InPort }
	default:
		return free, false, invalid("field", field, fmt.Sprintf("cannot tell what is free of %q", clip(field)), "want dl_vlan or in_port")
	}
	where := flowspace.AllDPIDs()
	if len(dpids) > 0 {
		ids := make([]uint64, len(dpids))
		for i, d := range dpids {
			ids[i] = uint64(d)
		}
		where = flowspace.DPIDs(ids...)
	}
	used := map[flowspace.Set]bool{}
	st.flows.Each(func(r *flowspace.Rule) bool {
		if set := pick(&r.Match); !set.IsAny() && r.DPIDs.Overlaps(where) {
			used[set] = true
		}
		return true
	})
	var ranges []flowspace.Range
	for set := range maps.Keys(used) {
		ranges = slices.AppendSeq(ranges, set.Ranges())
	}
	taken, some := flowspace.SetOf(ranges...)
	if !some {
		return free, true, nil
	}
	free, any = free.Subtract(taken)
	return free, any, nil
}
