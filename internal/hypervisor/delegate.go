package hypervisor

import (
	"fmt"
	"maps"
	"slices"

	"github.com/govisor/govisor/flowspace"
)

const (
	// mostSubSlices bounds what one slice may make, with all that those make.
	mostSubSlices = 64
	// coverPieces bounds how finely a rule is cut to see whose space it lies in.
	coverPieces = 4096
)

// delegates reports whether a slice has space to pass on.
func (st *state) delegates(slice string) bool {
	found := false
	st.flows.Each(func(r *flowspace.Rule) bool {
		found = r.Allows(slice, flowspace.Delegate)
		return !found
	})
	return found
}

// MayCreateSlices reports whether p may make slices; that it asked is audited if not.
func (s *Service) MayCreateSlices(p Principal) bool {
	if s.state.Load().allowed(p, actCreateSlice, "") {
		return true
	}
	s.refused(request{by: p, action: "create-slice"}, "not permitted")
	return false
}

// hasRule reports whether any rule grants the slice anything.
func (st *state) hasRule(slice string) bool {
	found := false
	st.flows.Each(func(r *flowspace.Rule) bool {
		found = r.Permission(slice) != 0
		return !found
	})
	return found
}

// kin reports whether a slice is account itself or was made by it.
func (st *state) kin(account, slice string) bool {
	return st.slices[slice] != nil && (slice == account || st.created(account, slice))
}

// checkDelegated looks at the rules with an owner that were added or updated, and
// returns the index of the first that may not be.
func (st *state) checkDelegated(changes []flowspace.Change, rules []*flowspace.Rule) (int, *Error) {
	for i, r := range rules {
		if changes[i].Op == flowspace.Remove {
			continue
		}
		now := st.flows.Rule(r.ID)
		if now == nil || now.Owner == "" {
			continue
		}
		if err := st.overreach(now); err != nil {
			return i, err
		}
	}
	return -1, nil
}

// overreach says why a rule with an owner is not the owner's to make, nil if it
// is: it may grant only to the owner and slices made by it, and must lie wholly
// in space that is the owner's to pass on.
func (st *state) overreach(r *flowspace.Rule) *Error {
	if st.slices[r.Owner] == nil {
		return invalid("owner", r.Owner, fmt.Sprintf("unknown slice %q", clip(r.Owner)), "")
	}
	for _, g := range r.Grants {
		if !st.kin(r.Owner, g.Slice) {
			return beyond(r, "grants", fmt.Sprintf("slice %s may grant to itself and the slices it made only, not to %s", r.Owner, clip(g.Slice)))
		}
	}
	places := st.places()
	if !r.DPIDs.IsAll() {
		places = slices.Collect(r.DPIDs.List())
	}
	var buf []*flowspace.Rule
	for _, id := range places {
		buf = st.flows.View(id).Overlapping(r.Match, buf[:0])
		if !st.coveredBy(r, buf) {
			return beyond(r, "match", fmt.Sprintf("the rule is not wholly in space that slice %s alone has with delegate and with all that the rule grants", r.Owner))
		}
	}
	return nil
}

func beyond(r *flowspace.Rule, field, detail string) *Error {
	e := denied(Principal{Account: r.Owner}, "pass on what is not its own")
	e.Field, e.Value, e.Detail = field, r.Name, detail
	return e
}

// coveredBy reports whether the strongest of the rules above the owner's own, at
// every header of r, is one that the owner may pass on. The owner's own rules and
// those of slices it made or that are not related prove nothing.
func (st *state) coveredBy(r *flowspace.Rule, overlapping []*flowspace.Rule) bool {
	pieces := []flowspace.Match{r.Match}
	for _, o := range overlapping {
		if o.Owner != "" && !st.created(o.Owner, r.Owner) {
			continue
		}
		if !slices.ContainsFunc(pieces, func(m flowspace.Match) bool { return m.Overlaps(&o.Match) }) {
			continue // stronger ones have it all
		}
		if !st.passable(o, r) {
			return false
		}
		var rest []flowspace.Match
		for _, m := range pieces {
			left, ok := m.Subtract(coverPieces, o.Match)
			if !ok || len(rest)+len(left) > coverPieces {
				return false
			}
			rest = append(rest, left...)
		}
		if pieces = rest; len(pieces) == 0 {
			return true
		}
	}
	return false
}

// passable reports whether the owner of r may pass on what o gives it: nobody
// else has a part in it, and r gives no more than o does.
func (st *state) passable(o, r *flowspace.Rule) bool {
	need := flowspace.Delegate
	for _, g := range r.Grants {
		need |= g.Perm
	}
	if !o.Allows(r.Owner, need) {
		return false
	}
	for _, g := range o.Grants {
		if !st.kin(r.Owner, g.Slice) {
			return false
		}
	}
	queues := r.Queues
	if r.HasForcedQueue {
		queues = append(slices.Clone(queues), r.ForcedQueue)
	}
	if o.HasForcedQueue {
		return r.HasForcedQueue && r.ForcedQueue == o.ForcedQueue
	}
	return !slices.ContainsFunc(queues, func(q uint32) bool { return !slices.Contains(o.Queues, q) })
}

// withdraw removes the rules whose owners lost the space they lie in, and the
// slices that lived on them alone when their maker has nothing left to pass on.
func (c *change) withdraw() error {
	lost := map[string]struct{}{}
	for len(c.st.owned) > 0 {
		var gone []flowspace.Change
		for _, id := range slices.Sorted(maps.Keys(c.st.owned)) {
			if r := c.st.flows.Rule(id); c.st.overreach(r) != nil {
				gone = append(gone, flowspace.Change{Op: flowspace.Remove, Rule: r})
			}
		}
		if len(gone) == 0 {
			break
		}
		if _, err := c.applyRules(gone); err != nil {
			return err
		}
		for _, g := range gone { // their space may have been passed on further
			c.note("rule " + g.Rule.Name + " of " + g.Rule.Owner + " went with its space")
			for _, grant := range g.Rule.Grants {
				lost[grant.Slice] = struct{}{}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lost)) {
		s := c.st.slices[name]
		if c.declared || s == nil || c.st.slices[s.Creator] == nil || s.Creator == name || c.st.hasRule(name) || c.st.delegates(s.Creator) {
			continue
		}
		c.note("slice " + name + " went with its space")
		if err := c.removeSlice(name); err != nil {
			return err
		}
	}
	return nil
}

// note has the audit log say what followed from the change.
func (c *change) note(text string) { c.notes = append(c.notes, text) }

// checkSubSlice fits a new slice into what the slice that makes it may have.
func (c *change) checkSubSlice(s *Slice) error {
	if c.by.Role != RoleSlice {
		return nil
	}
	for maker := range c.st.slices { // the one who asks, and those who made it
		if !c.st.kin(maker, c.by.Account) {
			continue
		}
		n := 0
		for name := range c.st.slices {
			if c.st.created(maker, name) {
				n++
			}
		}
		if n >= mostSubSlices {
			return conflict("name", s.Name, fmt.Sprintf("slice %s and those it made have made %d slices already", maker, n), "remove some")
		}
	}
	own := c.st.slices[c.by.Account]
	for _, f := range []struct{ its, own *int }{
		{&s.FlowModLimit, &own.FlowModLimit}, {&s.RateLimit, &own.RateLimit}, {&s.FlowModRate, &own.FlowModRate}, {&s.PacketInRate, &own.PacketInRate},
	} {
		if *f.its < 0 {
			*f.its = *f.own
		}
	}
	return c.checkLimits(s.Limits)
}

// checkLimits refuses limits above those of the slice that asks: they would be of no
// use, since what its slices use counts as its own.
func (c *change) checkLimits(l Limits) error {
	if c.st.slices[c.by.Account].Limits.raises(l) {
		return denied(c.by, "give a slice more than its own limits")
	}
	return nil
}
