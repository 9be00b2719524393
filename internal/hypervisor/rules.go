package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire"
)

// RulePatch changes the fields of a rule that are not nil.
type RulePatch struct {
	DPIDs    *flowspace.DPIDSet
	Priority *uint32
	Match    *flowspace.Match
	Grants   []flowspace.Grant
	Queues   *[]uint32
	// ForcedQueue -1 takes the forced queue away.
	ForcedQueue *int64
}

// RuleChange is one step of ChangeRules.
type RuleChange struct {
	Op    flowspace.Op
	Ref   string          // Update, Remove: a name, or id:N
	Rule  *flowspace.Rule // Add
	Patch RulePatch       // Update
	// Check, if not nil, sees the present rule of Update and Remove first.
	Check func(*flowspace.Rule) error
}

// RuleFilter selects rules; zero fields select everything.
type RuleFilter struct {
	Slice        string
	DPID         *ofwire.DatapathID
	Name         string
	ShowDisabled bool // also rules whose slices are all disabled
}

// nameRef begins a reference to a rule whose name means something else where the
// reference stands, such as a path.
const nameRef = "name:"

// findRule resolves a reference: "id:N", a name, "name:" and a name, or a bare
// number that is no name.
func (st *state) findRule(ref string) *flowspace.Rule {
	if text, ok := strings.CutPrefix(ref, "id:"); ok {
		id, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil
		}
		return st.flows.Rule(id)
	}
	if r := st.flows.RuleByName(ref); r != nil {
		return r
	}
	if name, ok := strings.CutPrefix(ref, nameRef); ok {
		return st.flows.RuleByName(name)
	}
	if id, err := strconv.ParseUint(ref, 10, 64); err == nil {
		return st.flows.Rule(id)
	}
	return nil
}

// visible returns the rule as p may see it: nil, or with only the grants that
// are p's business.
func (st *state) visible(p Principal, r *flowspace.Rule) *flowspace.Rule {
	if r == nil || p.seesAll() {
		return r
	}
	var mine []flowspace.Grant
	for _, g := range r.Grants {
		if st.allowed(p, actReadSlice, g.Slice) {
			mine = append(mine, g)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	if len(mine) == len(r.Grants) {
		return r
	}
	shown := *r
	shown.Grants = mine
	return &shown
}

// Rules returns the rules p may see that fit the filter, highest first.
func (s *Service) Rules(p Principal, f RuleFilter) ([]*flowspace.Rule, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadShared, "") {
		return nil, denied(p, "read the flowspace")
	}
	if f.Slice != "" && (st.slices[f.Slice] == nil || !st.allowed(p, actReadSlice, f.Slice)) {
		return nil, notFound("slice", f.Slice)
	}
	out := []*flowspace.Rule{}
	st.flows.Each(func(r *flowspace.Rule) bool {
		fits := (f.Slice == "" || r.Permission(f.Slice) != 0) && (f.Name == "" || r.Name == f.Name) &&
			(f.DPID == nil || r.DPIDs.Has(uint64(*f.DPID))) && (f.ShowDisabled || f.Slice != "" || st.anyEnabled(r))
		if fits {
			if r = st.visible(p, r); r != nil {
				out = append(out, r)
			}
		}
		return true
	})
	return out, nil
}

func (st *state) anyEnabled(r *flowspace.Rule) bool {
	for i := range r.Grants {
		if s := st.slices[r.Grants[i].Slice]; s != nil && s.Enabled {
			return true
		}
	}
	return false
}

// Rule returns one rule by reference.
func (s *Service) Rule(p Principal, ref string) (*flowspace.Rule, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadShared, "") {
		return nil, denied(p, "read the flowspace")
	}
	r := st.visible(p, st.findRule(ref))
	if r == nil {
		return nil, notFound("rule", ref)
	}
	return r, nil
}

// RuleResult says what ChangeRules did or would do.
type RuleResult struct {
	Rules    []*flowspace.Rule // per change: as stored, or as removed
	Affected flowspace.Affected
	Version  Version // RulesVersion with the changes
}

// ChangeRules makes all changes or none. An error carries the index of the
// change and the field.
func (s *Service) ChangeRules(ctx context.Context, p Principal, changes []RuleChange, dryRun bool) (RuleResult, error) {
	return s.ChangeRulesIf(ctx, p, changes, dryRun, nil)
}

// ChangeRulesIf is ChangeRules for who has looked at the flowspace before: check, if not
// nil, sees the present RulesVersion first.
func (s *Service) ChangeRulesIf(ctx context.Context, p Principal, changes []RuleChange, dryRun bool, check func(Version) error) (RuleResult, error) {
	var out RuleResult
	r := request{by: p, act: actWriteRules, action: "change-flowspace", target: fmt.Sprintf("%d rules", len(changes)), dryRun: dryRun}
	if len(changes) == 1 {
		r.action = changes[0].Op.String() + "-flowspace"
		r.target = changes[0].Ref
		if changes[0].Rule != nil {
			r.target = changes[0].Rule.Name
		}
	}
	_, err := s.do(ctx, r, func(c *change) error {
		if check != nil {
			if err := check(c.st.rulesVersion); err != nil {
				return err
			}
		}
		affected, err := c.changeRules(changes)
		out = RuleResult{Rules: affected.Rules, Affected: affected, Version: c.st.rulesVersion}
		return err
	})
	return out, err
}

func (c *change) changeRules(changes []RuleChange) (flowspace.Affected, error) {
	list := make([]flowspace.Change, len(changes))
	var d *draft
	if slices.ContainsFunc(changes, func(ch RuleChange) bool { return ch.Op != flowspace.Add }) {
		d = &draft{st: c.st, changed: map[uint64]*flowspace.Rule{}, added: map[string]*flowspace.Rule{}}
	}
	for i := range changes {
		if err := c.resolve(&changes[i], &list[i], d); err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				at := *e
				at.Index = i
				err = &at
			}
			return flowspace.Affected{}, err
		}
	}
	affected, err := c.applyRules(list)
	if err != nil {
		return affected, err
	}
	if i, err := c.st.checkDelegated(list, affected.Rules); err != nil {
		err.Index = i
		return affected, err
	}
	c.event(EventFlowspaceChanged, "", "", describe(changes, affected.Rules))
	c.detail = describe(changes, affected.Rules)
	return affected, nil
}

// describe is the text of a change for the audit log.
func describe(changes []RuleChange, rules []*flowspace.Rule) string {
	if len(changes) == 1 {
		return changes[0].Op.String() + " " + rules[0].String()
	}
	var n [3]int
	for i := range changes {
		n[changes[i].Op]++
	}
	return fmt.Sprintf("%d added, %d updated, %d removed", n[flowspace.Add], n[flowspace.Update], n[flowspace.Remove])
}

// resolve turns one step into a change of the flowspace; d is nil if no step looks back.
func (c *change) resolve(from *RuleChange, to *flowspace.Change, d *draft) error {
	to.Op = from.Op
	if from.Op == flowspace.Add {
		if from.Rule == nil {
			return invalid("add", "", "the rule is missing", "")
		}
		if err := c.checkNew(from.Rule); err != nil {
			return err
		}
		to.Rule = from.Rule
		if c.by.Role == RoleSlice {
			own := *from.Rule
			own.Owner, own.ID = c.by.Account, 0
			to.Rule = &own
		}
		d.add(to.Rule)
		return nil
	}
	r := d.find(from.Ref)
	if r == nil {
		return notFound("rule", from.Ref)
	}
	if c.by.Role == RoleSlice {
		if c.st.visible(c.by, r) == nil {
			return notFound("rule", from.Ref)
		}
		if r.Owner != c.by.Account && !c.st.created(c.by.Account, r.Owner) {
			return denied(c.by, "change a rule that it did not make")
		}
	}
	if from.Check != nil {
		if err := from.Check(r); err != nil {
			return err
		}
	}
	if from.Op == flowspace.Remove {
		to.Rule = r
		d.change(r, nil)
		return nil
	}
	next, err := c.patch(*r, from.Patch)
	to.Rule = next
	d.change(r, next)
	return err
}

func (c *change) checkNew(r *flowspace.Rule) error {
	switch {
	case strings.HasPrefix(r.Name, "id:"):
		return invalid("name", r.Name, fmt.Sprintf("rule name %q begins with id:, which means a rule's number", clip(r.Name)), "")
	case strings.HasPrefix(r.Name, nameRef):
		return invalid("name", r.Name, fmt.Sprintf("rule name %q begins with %s, which means a rule's name", clip(r.Name), nameRef), "")
	case strings.ContainsFunc(r.Name, deceives):
		return invalid("name", r.Name, "the name contains control characters, characters that cannot be seen, or bad UTF-8", "")
	}
	return c.checkGrants(r.Grants)
}

func (c *change) checkGrants(grants []flowspace.Grant) error {
	for _, g := range grants {
		if c.st.slices[g.Slice] == nil {
			return &Error{Kind: apitype.KindUnresolved, Field: "grants", Value: clip(g.Slice), Detail: fmt.Sprintf("unknown slice %q", clip(g.Slice)),
				Hint: "create the slice first", Index: -1}
		}
	}
	return nil
}

func (c *change) patch(r flowspace.Rule, p RulePatch) (*flowspace.Rule, error) {
	if p.DPIDs != nil {
		r.DPIDs = *p.DPIDs
	}
	if p.Priority != nil {
		r.Priority = *p.Priority
	}
	if p.Match != nil {
		r.Match = *p.Match
	}
	if p.Grants != nil {
		r.Grants = p.Grants
	}
	if p.Queues != nil {
		r.Queues = *p.Queues
	}
	if q := p.ForcedQueue; q != nil {
		if *q < -1 || *q > 1<<32-1 {
			return nil, invalid("forced_queue", fmt.Sprint(*q), fmt.Sprintf("queue %d is out of range", *q), "want 0 to 4294967295, or -1 for none")
		}
		r.HasForcedQueue, r.ForcedQueue = *q >= 0, uint32(max(*q, 0))
	}
	return &r, c.checkGrants(r.Grants)
}
