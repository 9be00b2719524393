package hypervisor

import (
	"cmp"
	"context"
	"fmt"
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
	// DPID is where: the datapath that was asked for, or else those that both rules have, of
	// a shadowed rule all of its own. It is for people; of many it names the first.
	DPID string
}

// Conflicts finds rules that overlap a stronger rule of other slices, and rules
// that are shadowed, up to 10,000; more says that there are others. It looks at one
// slice and one datapath if they are given, and gives up when ctx ends.
func (s *Service) Conflicts(ctx context.Context, p Principal, slice string, dpid *ofwire.DatapathID) (list []Conflict, more bool, err error) {
	rules, err := s.Rules(p, RuleFilter{Slice: slice, DPID: dpid, ShowDisabled: true})
	if err != nil {
		return nil, false, err
	}
	st := s.state.Load()
	f := newConflictFinder(st, p)
	for _, r := range rules {
		if ctx.Err() != nil {
			return nil, false, &Error{Kind: apitype.KindUnavailable, Detail: "the flowspace is too large to look through in time", Hint: "name a slice or a datapath", Index: -1}
		}
		full := st.flows.Rule(r.ID)
		if full == nil {
			continue
		}
		if dpid != nil {
			f.on(full, uint64(*dpid))
		} else {
			f.everywhere(full)
		}
		if f.more {
			break
		}
	}
	return f.out, f.more, nil
}

type conflictFinder struct {
	st    *state
	p     Principal
	known []uint64          // see places
	asked flowspace.DPIDSet // empty: all datapaths
	seen  map[[2]uint64]bool
	buf   []*flowspace.Rule
	out   []Conflict
	more  bool // than out may hold
}

func newConflictFinder(st *state, p Principal) *conflictFinder {
	return &conflictFinder{st: st, p: p, known: st.places(), seen: map[[2]uint64]bool{}}
}

// places returns the datapaths that rules name and, last, one that none names: it
// stands for all others.
func (st *state) places() []uint64 {
	known := st.flows.Datapaths()
	elsewhere := ^uint64(0)
	for i := len(known) - 1; i >= 0 && known[i] == elsewhere; i-- {
		elsewhere--
	}
	return append(known, elsewhere)
}

// on compares one rule with the stronger ones on a datapath.
func (f *conflictFinder) on(r *flowspace.Rule, dpid uint64) {
	f.asked = flowspace.DPIDs(dpid)
	stronger := f.look(r, dpid)
	if len(stronger) == 0 {
		return
	}
	matches := make([]flowspace.Match, len(stronger))
	other := stronger[0]
	for i, o := range stronger {
		if matches[i] = o.Match; !other.Match.Contains(r.Match) && o.Match.Contains(r.Match) {
			other = o
		}
	}
	if rest, ok := r.Match.Subtract(subtractLimit, matches...); ok && len(rest) == 0 {
		f.add(r, other, f.asked, true)
	}
}

// everywhere compares one rule with the stronger ones on all of its datapaths.
func (f *conflictFinder) everywhere(r *flowspace.Rule) {
	places := slices.Values(f.known)
	if !r.DPIDs.IsAll() {
		places = r.DPIDs.List()
	}
	var first, whole *flowspace.Rule
	everywhere := true
	for id := range places {
		stronger := f.look(r, id)
		everywhere = everywhere && len(stronger) > 0
		if !everywhere {
			continue
		}
		if first == nil || stronger[0].Before(first) {
			first = stronger[0]
		}
		for _, o := range stronger {
			if (whole == nil || o.Before(whole)) && o.Match.Contains(r.Match) && o.DPIDs.Contains(r.DPIDs) {
				whole = o
			}
		}
	}
	if everywhere && f.st.flows.Shadowed(r.ID) {
		f.add(r, cmp.Or(whole, first), r.DPIDs, true)
	}
}

// look notes what r has in common on a datapath with stronger rules, and returns them
// until the next call.
func (f *conflictFinder) look(r *flowspace.Rule, dpid uint64) (stronger []*flowspace.Rule) {
	f.buf = f.st.flows.View(dpid).AppendOverlapping(f.buf[:0], &r.Match)
	for i, o := range f.buf {
		if !o.Before(r) {
			return f.buf[:i]
		}
		if pair := [2]uint64{r.ID, o.ID}; !f.more && !sameSlices(r, o) && !f.seen[pair] {
			f.seen[pair] = true
			f.add(r, o, f.where(r, o), false)
		}
	}
	return f.buf
}

// where returns the datapaths two rules have in common, or the one that was asked for.
func (f *conflictFinder) where(r, o *flowspace.Rule) flowspace.DPIDSet {
	switch {
	case f.asked.Len() > 0:
		return f.asked
	case o.DPIDs.IsAll():
		return r.DPIDs
	case r.DPIDs.IsAll():
		return o.DPIDs
	}
	var both []uint64
	for id := range r.DPIDs.List() {
		if o.DPIDs.Has(id) {
			both = append(both, id)
		}
	}
	return flowspace.DPIDs(both...)
}

// fewDatapaths names datapaths, of many the first eight.
func fewDatapaths(d flowspace.DPIDSet) string {
	const few = 8
	if d.IsAll() || d.Len() <= few {
		return d.String()
	}
	ids := slices.Collect(d.List())
	return fmt.Sprintf("%s and %d more", flowspace.DPIDs(ids[:few]...), len(ids)-few)
}

func sameSlices(a, b *flowspace.Rule) bool { return slices.Equal(a.Grants, b.Grants) }

// add appends a conflict, up to mostConflicts of them.
func (f *conflictFinder) add(r, o *flowspace.Rule, where flowspace.DPIDSet, shadowed bool) {
	if f.more = f.more || len(f.out) == mostConflicts; f.more {
		return
	}
	region, _ := r.Match.Intersect(o.Match)
	c := Conflict{Shadowed: shadowed, Rule: f.st.visible(f.p, r), Other: f.st.visible(f.p, o), Region: region, DPID: fewDatapaths(where)}
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
	var f flowspace.Field
	switch field {
	case "dl_vlan":
		f = flowspace.DLVLAN
	case "in_port":
		f = flowspace.InPort
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
	values := st.flows.Free(f, where)
	return values.Values, values.Any, nil
}
