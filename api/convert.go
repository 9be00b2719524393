package api

import (
	"cmp"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
)

func sliceOut(s hypervisor.Slice, rules int, limits []apitype.SliceLimit) apitype.Slice {
	urls := make([]string, len(s.Controllers))
	for i, c := range s.Controllers {
		urls[i] = c.String()
	}
	return apitype.Slice{Name: s.Name, Controllers: urls, Contact: s.Contact, DropPolicy: string(s.DropPolicy), RecvLLDP: s.RecvLLDP,
		Strict: s.Strict, Enabled: s.Enabled, FlowModLimit: s.FlowModLimit, RateLimit: s.RateLimit,
		FlowModRate: s.FlowModRate, PacketInRate: s.PacketInRate, Limits: limits,
		Creator: s.Creator, Created: s.Created, Rules: rules}
}

func specIn(in apitype.SliceCreate) hypervisor.SliceSpec {
	return hypervisor.SliceSpec{Name: in.Name, Password: in.Password, SlicePatch: hypervisor.SlicePatch{
		Controllers: in.Controllers, Contact: &in.Contact, DropPolicy: in.DropPolicy, RecvLLDP: in.RecvLLDP, Strict: in.Strict,
		Enabled: in.Enabled, LimitsPatch: hypervisor.LimitsPatch{FlowModLimit: in.FlowModLimit, RateLimit: in.RateLimit, FlowModRate: in.FlowModRate, PacketInRate: in.PacketInRate}}}
}

func patchIn(in apitype.SliceUpdate) hypervisor.SlicePatch {
	return hypervisor.SlicePatch{Controllers: in.Controllers, Contact: in.Contact, DropPolicy: in.DropPolicy, RecvLLDP: in.RecvLLDP,
		Strict: in.Strict, Enabled: in.Enabled, LimitsPatch: hypervisor.LimitsPatch{FlowModLimit: in.FlowModLimit, RateLimit: in.RateLimit, FlowModRate: in.FlowModRate, PacketInRate: in.PacketInRate}}
}

func ruleOut(r *flowspace.Rule) apitype.Rule {
	out := apitype.Rule{ID: r.ID, Name: r.Name, DPIDs: dpidsOut(r.DPIDs), Priority: r.Priority, Match: matchOut(r.Match), Queues: r.Queues, Owner: r.Owner,
		Grants: make([]apitype.Grant, len(r.Grants))}
	for i, g := range r.Grants {
		out.Grants[i] = apitype.Grant{Slice: g.Slice, Permission: apitype.Permission(g.Perm)}
	}
	if r.HasForcedQueue {
		out.ForcedQueue = new(r.ForcedQueue)
	}
	return out
}

func rulesOut(rules []*flowspace.Rule) []apitype.Rule {
	out := make([]apitype.Rule, len(rules))
	for i, r := range rules {
		out[i] = ruleOut(r)
	}
	return out
}

func matchOut(m flowspace.Match) apitype.Match {
	if m.IsAny() {
		return "any"
	}
	return apitype.Match(m.String())
}

func dpidsOut(d flowspace.DPIDSet) []string {
	if d.IsAll() {
		return []string{"any"}
	}
	out := make([]string, 0, d.Len())
	for id := range d.List() {
		out = append(out, flowspace.FormatDPID(id))
	}
	return out
}

func grantsIn(in []apitype.Grant) []flowspace.Grant {
	if in == nil {
		return nil
	}
	out := make([]flowspace.Grant, len(in))
	for i, g := range in {
		out[i] = flowspace.Grant{Slice: g.Slice, Perm: flowspace.Permission(g.Permission)}
	}
	return out
}

func rulePatchIn(in *apitype.RuleUpdate) (p hypervisor.RulePatch, err error) {
	p = hypervisor.RulePatch{Priority: in.Priority, Grants: grantsIn(in.Grants), Queues: in.Queues, ForcedQueue: in.ForcedQueue}
	if in.DPIDs != nil {
		d, err := hypervisor.ParseDPIDs(in.DPIDs)
		if err != nil {
			return p, err
		}
		p.DPIDs = &d
	}
	if in.Match != nil {
		m, err := hypervisor.ParseMatch(*in.Match)
		if err != nil {
			return p, err
		}
		p.Match = &m
	}
	return p, nil
}

// changesIn turns a bulk request into changes; an error has the index.
// changesIn converts the changes of a bulk, on all processors when they are many. The
// error is about the first that is wrong.
func changesIn(in []apitype.Change) ([]hypervisor.RuleChange, error) {
	const part = 4096
	out := make([]hypervisor.RuleChange, len(in))
	errs := make([]error, (len(in)+part-1)/part)
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for p := range errs {
		work.Go(func() error {
			for i := p * part; i < min(len(in), (p+1)*part) && errs[p] == nil; i++ {
				if err := changeIn(&in[i], &out[i]); err != nil {
					if e, ok := err.(*hypervisor.Error); ok { //nolint:errorlint // made right here
						e.Index = i
						e.Field = fmt.Sprintf("changes[%d].%s", i, e.Field)
					}
					errs[p] = err
				}
			}
			return nil
		})
	}
	_ = work.Wait() // the errors are in errs
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

func changeIn(in *apitype.Change, out *hypervisor.RuleChange) (err error) {
	out.Ref = in.Ref
	switch in.Op {
	case "add":
		out.Op = flowspace.Add
		switch {
		case in.Add == nil:
			return bad("add", "", "the rule to add is missing", "")
		case in.Ref != "":
			return needless("ref", in.Op)
		case in.Update != nil:
			return needless("update", in.Op)
		}
		out.Rule, err = hypervisor.RuleFromConfig(in.Add)
	case "update":
		out.Op = flowspace.Update
		if in.Update == nil || in.Ref == "" {
			return bad("update", "", "an update needs ref and update", "")
		}
		if in.Add != nil {
			return needless("add", in.Op)
		}
		out.Patch, err = rulePatchIn(in.Update)
	case "remove":
		out.Op = flowspace.Remove
		if in.Ref == "" {
			return bad("ref", "", "ref is missing", "want a rule's name, or id:N")
		}
		if in.Update != nil {
			return needless("update", in.Op)
		}
		if in.Add != nil {
			return needless("add", in.Op)
		}
	default:
		return bad("op", in.Op, fmt.Sprintf("unknown op %q", in.Op), "want add, update or remove")
	}
	return err
}

// needless refuses a part that belongs to another op: a step is not done by half.
func needless(part, op string) error {
	return bad(part, "", fmt.Sprintf("op %q has no %s", op, part), "make two steps of it")
}

func affectedOut(a flowspace.Affected) (datapaths, slices []string) {
	datapaths = []string{}
	if a.AllDatapaths {
		datapaths = append(datapaths, "any")
	}
	for _, d := range a.Datapaths {
		datapaths = append(datapaths, flowspace.FormatDPID(d))
	}
	return datapaths, append([]string{}, a.Slices...)
}
