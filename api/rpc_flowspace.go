package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/hypervisor"
)

func (s *Server) rpcListFlowspace(c *rpcCall) (any, error) {
	name, err := c.params.optText("slice-name")
	if err != nil {
		return nil, err
	}
	disabled, err := c.params.optBool("show-disabled")
	if err != nil {
		return nil, err
	}
	f := hypervisor.RuleFilter{ShowDisabled: disabled != nil && *disabled}
	if c.by.Role == hypervisor.RoleSlice { // FlowVisor ignored what a slice asked for
		f.ShowDisabled = true
	} else if name != nil {
		f.Slice = *name
	}
	out := []map[string]any{}
	rules, err := s.svc.Rules(c.by, f)
	switch {
	case err == nil:
	case hypervisor.KindOf(err) == apitype.KindNotFound:
		return out, nil //nolint:nilerr // FlowVisor showed nothing for a slice that is not there
	default:
		return nil, err
	}
	slices.SortFunc(rules, func(a, b *flowspace.Rule) int { return cmp.Compare(a.ID, b.ID) })
	for _, r := range rules {
		entries, err := rpcRuleOut(r)
		if err != nil {
			return nil, rpcErrorf(rpcInternal, "list-flowspace: rule %s: %v", r.Name, err)
		}
		out = append(out, entries...)
	}
	return out, nil
}

// rpcRuleOut writes one entry for each datapath and wire match of a rule:
// FlowVisor knew neither lists nor ranges.
func rpcRuleOut(r *flowspace.Rule) ([]map[string]any, error) {
	matches, err := fs10.ToMatches(r.Match, fvExpansion)
	if err != nil {
		return nil, err
	}
	actions := []map[string]any{}
	for _, g := range r.Grants {
		actions = append(actions, map[string]any{"slice-name": g.Slice, "permission": int(g.Perm)})
	}
	queue := int64(-1)
	if r.HasForcedQueue {
		queue = int64(r.ForcedQueue)
	}
	var out []map[string]any
	for _, dpid := range dpidsOut(r.DPIDs) {
		if dpid == "any" {
			dpid = allDPIDs
		}
		for _, w := range matches {
			out = append(out, map[string]any{"name": r.Name, "id": r.ID, "dpid": dpid, "priority": r.Priority, "slice-action": actions,
				"queues": append([]uint32{}, r.Queues...), "force-enqueue": queue, "match": hypervisor.FlowVisorMatch(w)})
		}
	}
	return out, nil
}

// entry reads one element of the array as an object.
func (c *rpcCall) entry(i int) (params, error) {
	p := params{method: c.name}
	if err := json.Unmarshal(c.list[i], &p.fields); err != nil {
		return p, rpcErrorf(rpcParams, "%s: entry %d is not an object", c.name, i)
	}
	// list-flowspace writes id as well: its entries can be given back.
	return p, p.only("name", "dpid", "priority", "match", "slice-action", "queues", "force-enqueue", "id")
}

// atEntry says in an error which of several entries it is about.
func (c *rpcCall) atEntry(i int, err error) error {
	e, ok := errors.AsType[*rpcError](err)
	if !ok || len(c.list) == 1 {
		return err
	}
	return rpcErrorf(e.Code, "%s: entry %d: %s", c.name, i, strings.TrimPrefix(e.Message, c.name+": "))
}

func (s *Server) rpcAddFlowspace(c *rpcCall) (any, error) {
	rules := make([]*flowspace.Rule, len(c.list))
	for i := range c.list {
		p, err := c.entry(i)
		if err != nil {
			return nil, err
		}
		if rules[i], err = p.newRule(); err != nil {
			return nil, c.atEntry(i, err)
		}
	}
	if len(rules) == 0 {
		if c.by.Role != hypervisor.RoleAdmin {
			return nil, rpcErrorf(rpcRequest, "add-flowspace: %s may not change the flowspace", c.by.Account)
		}
		return s.svc.Revision(), nil
	}
	return s.addRules(c, rules)
}

// addRules adds rules. FlowVisor's fvctl wrote a range of VLANs as one rule per
// VLAN, all of one name: those are put together again into one rule.
func (s *Server) addRules(c *rpcCall, rules []*flowspace.Rule) (any, error) {
	var changes []hypervisor.RuleChange
	var entries []int // the first entry that each change is made of
	entry := make(map[*flowspace.Rule]int, len(rules))
	for i, r := range rules {
		entry[r] = i
	}
	for _, group := range groupByName(rules) {
		present := s.svc.Flowspace().RuleByName(group[0].Name)
		if present != nil && group[0].Name != "" {
			if merged := mergeRules(append([]*flowspace.Rule{present}, group...)); len(merged) == 1 {
				changes = append(changes, hypervisor.RuleChange{Op: flowspace.Update, Ref: present.Name,
					Patch: hypervisor.RulePatch{DPIDs: &merged[0].DPIDs, Match: &merged[0].Match}, Check: unchanged(present)})
				entries = append(entries, entry[group[0]])
				continue
			}
		}
		for _, r := range mergeRules(group) {
			changes = append(changes, hypervisor.RuleChange{Op: flowspace.Add, Rule: r})
			entries = append(entries, entry[group[0]])
		}
	}
	if _, err := s.svc.ChangeRules(c.ctx, c.by, changes, false); err != nil {
		if e, ok := errors.AsType[*hypervisor.Error](err); ok && e.Index >= 0 && e.Index < len(entries) {
			at := *e
			at.Index = entries[e.Index]
			return nil, &at
		}
		return nil, err
	}
	return s.svc.Revision(), nil
}

// unchanged refuses when the rule is not the one that was looked at.
func unchanged(seen *flowspace.Rule) func(*flowspace.Rule) error {
	return func(now *flowspace.Rule) error {
		if now == seen || now.Equal(seen) {
			return nil
		}
		return &hypervisor.Error{Kind: apitype.KindConflict, Field: "name", Value: seen.Name, Detail: fmt.Sprintf("rule %q was changed at the same time", seen.Name),
			Hint: "try again", Index: -1}
	}
}

// newRule reads an entry of add-flowspace.
func (p *params) newRule() (*flowspace.Rule, error) {
	for _, name := range []string{"dpid", "priority", "match", "slice-action"} {
		if err := p.required(name); err != nil {
			return nil, err
		}
	}
	r := &flowspace.Rule{}
	name, err := p.optText("name")
	if err != nil {
		return nil, err
	}
	if name != nil {
		r.Name = *name
	}
	return r, p.ruleFields(r)
}

// ruleFields reads the fields that are there into r.
func (p *params) ruleFields(r *flowspace.Rule) error {
	dpid, err := p.optText("dpid")
	if err != nil {
		return err
	}
	if dpid != nil {
		if r.DPIDs, err = flowspace.ParseDPIDs(*dpid); err != nil {
			return rpcErrorf(rpcParams, "%s: %v", p.method, err)
		}
	}
	var prio *number
	if err := p.read("priority", "a whole number", &prio); err != nil {
		return err
	}
	if prio != nil {
		if *prio < 0 || *prio > flowspace.MaxPriority {
			return rpcErrorf(rpcParams, "%s: priority %d is out of range (0 to %d)", p.method, *prio, flowspace.MaxPriority)
		}
		r.Priority = uint32(*prio)
	}
	if p.has("match") {
		if r.Match, err = p.match(); err != nil {
			return err
		}
	}
	if p.has("slice-action") {
		if r.Grants, err = p.grants(); err != nil {
			return err
		}
	}
	if err := p.read("queues", "an array of queue numbers", &r.Queues); err != nil {
		return err
	}
	var queue *number
	if err := p.read("force-enqueue", "a queue number, or -1", &queue); err != nil {
		return err
	}
	if queue != nil {
		if *queue < -1 || *queue > 1<<32-1 {
			return rpcErrorf(rpcParams, "%s: force-enqueue %d is out of range", p.method, *queue)
		}
		r.HasForcedQueue, r.ForcedQueue = *queue >= 0, uint32(max(*queue, 0))
	}
	return nil
}

// matchKeys are the fields a match object may have.
var matchKeys = []string{"in_port", "dl_dst", "dl_src", "dl_type", "dl_vlan", "dl_vpcp", "dl_vlan_pcp", "nw_dst", "nw_src", "nw_proto", "nw_tos", "tp_src", "tp_dst"}

func (p *params) match() (flowspace.Match, error) {
	m := params{method: p.method}
	if err := p.read("match", "an object", &m.fields); err != nil {
		return flowspace.Match{}, err
	}
	var parts, unknown []string
	for key, raw := range m.fields {
		if key == "wildcards" { // as list-flowspace writes it
			continue
		}
		if !slices.Contains(matchKeys, key) {
			unknown = append(unknown, key)
			continue
		}
		var text string
		var n number
		if string(raw) != "null" && json.Unmarshal(raw, &n) == nil {
			if n < 0 && n >= -1<<15 { // FlowVisor wrote 16 bits signed
				n &= 0xffff
			}
			text = fmt.Sprint(n)
		} else if string(raw) == "null" || json.Unmarshal(raw, &text) != nil || strings.ContainsAny(text, ",=") {
			return flowspace.Match{}, rpcErrorf(rpcParams, "%s: match: %s is a number or text", p.method, key)
		}
		parts = append(parts, key+"="+text)
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		return flowspace.Match{}, rpcErrorf(rpcParams, "%s: Unknown field(s) in match struct : %s", p.method, quoteList(unknown))
	}
	if len(parts) == 0 {
		return flowspace.Match{}, nil
	}
	sort.Strings(parts)
	out, err := flowspace.ParseMatch(strings.Join(parts, ","))
	if err == nil {
		err = out.Validate()
	}
	if err != nil {
		return out, rpcErrorf(rpcParams, "%s: %v", p.method, err)
	}
	return out, nil
}

func (p *params) grants() ([]flowspace.Grant, error) {
	var list []map[string]json.RawMessage
	if err := p.read("slice-action", "an array of objects with slice-name and permission", &list); err != nil {
		return nil, err
	}
	out := []flowspace.Grant{}
	for _, fields := range list {
		g := params{p.method, fields}
		if err := g.only("slice-name", "permission"); err != nil {
			return nil, err
		}
		name, err := g.text("slice-name")
		if err != nil {
			return nil, err
		}
		if err := g.required("permission"); err != nil {
			return nil, err
		}
		perm, err := apitype.ParsePermission(strings.Trim(string(fields["permission"]), `"`))
		if err != nil {
			return nil, rpcErrorf(rpcParams, "%s: %v", p.method, err)
		}
		out = append(out, flowspace.Grant{Slice: name, Perm: flowspace.Permission(perm)})
	}
	if len(out) == 0 {
		return nil, rpcErrorf(rpcParams, "%s: slice-action is empty", p.method)
	}
	return out, nil
}

func (s *Server) rpcUpdateFlowspace(c *rpcCall) (any, error) {
	if len(c.list) == 0 {
		return nil, rpcErrorf(rpcParams, "update-flowspace: Nothing to update")
	}
	changes := make([]hypervisor.RuleChange, len(c.list))
	for i := range c.list {
		p, err := c.entry(i)
		if err != nil {
			return nil, err
		}
		if !p.has("name") {
			return nil, rpcErrorf(rpcParams, "update-flowspace: Cannot update flowspace entry without a name. is required ")
		}
		name, err := p.text("name")
		if err != nil {
			return nil, err
		}
		patch, err := p.rulePatch()
		if err != nil {
			return nil, c.atEntry(i, err)
		}
		changes[i] = hypervisor.RuleChange{Op: flowspace.Update, Ref: name, Patch: patch}
	}
	res, err := s.svc.ChangeRules(c.ctx, c.by, changes, false)
	if hypervisor.KindOf(err) == apitype.KindNotFound {
		return nil, rpcErrorf(rpcInternal, "update-flowspace: Unable to find flowspace entry :%s", problemOf(err).Value)
	}
	if err != nil {
		return nil, err
	}
	return res.Rules[len(res.Rules)-1].ID, nil
}

// rulePatch reads only what is there: what is left out stays as it is.
func (p *params) rulePatch() (out hypervisor.RulePatch, err error) {
	var r flowspace.Rule
	if err := p.ruleFields(&r); err != nil {
		return out, err
	}
	if p.has("dpid") {
		out.DPIDs = &r.DPIDs
	}
	if p.has("priority") {
		out.Priority = &r.Priority
	}
	if p.has("match") {
		out.Match = &r.Match
	}
	out.Grants = r.Grants
	if p.has("queues") {
		out.Queues = &r.Queues
	}
	if p.has("force-enqueue") {
		out.ForcedQueue = new(int64(-1))
		if r.HasForcedQueue {
			*out.ForcedQueue = int64(r.ForcedQueue)
		}
	}
	return out, nil
}

func (s *Server) rpcRemoveFlowspace(c *rpcCall) (any, error) {
	if len(c.list) == 0 {
		return nil, rpcErrorf(rpcParams, "remove-flowspace: Nothing to remove")
	}
	changes := make([]hypervisor.RuleChange, len(c.list))
	for i, raw := range c.list {
		var name string
		if json.Unmarshal(raw, &name) != nil || name == "" {
			return nil, rpcErrorf(rpcParams, "remove-flowspace: entry %d is not the name of a rule", i)
		}
		changes[i] = hypervisor.RuleChange{Op: flowspace.Remove, Ref: name}
	}
	_, err := s.svc.ChangeRules(c.ctx, c.by, changes, false)
	if hypervisor.KindOf(err) == apitype.KindNotFound {
		return nil, rpcErrorf(rpcInternal, "remove-flowspace: unable to find flow entry : %s", problemOf(err).Value)
	}
	return true, err
}

// rpcFSStatus: a request id is the revision its change made, so it stays good
// after a restart. Changes are whole before their id is given out.
func (s *Server) rpcFSStatus(c *rpcCall) (any, error) {
	if err := c.params.required("fs-id"); err != nil {
		return nil, err
	}
	id, err := c.params.optInt("fs-id")
	if err != nil {
		return nil, err
	}
	if *id < 1 || uint64(*id) > s.svc.Revision() {
		return "UNKNOWN", nil
	}
	return "SUCCESS", nil
}
