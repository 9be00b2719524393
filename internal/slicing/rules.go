package slicing

import (
	"slices"
	"strconv"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
)

// ruleInfo is what the compiler knows of one flowspace rule. It lives as long as
// the rule is in the view.
type ruleInfo struct {
	rule    *flowspace.Rule
	writers []string // sorted
	kind    string   // rules of different kinds must not share a rank where they overlap
	lldp    bool     // not a rule of the flowspace, see lldpRules
	single  bool     // pats has exactly the rule's region in one match
	pats    []flowtable.Pattern
	tooMany bool // more patterns than anybody may use

	// Of the flow at hand, see derive:
	at     int    // among the rules that overlap it
	serial uint64 // of the flow that known is about
	known  []int8 // by pattern: 1 it shows, 2 it is hidden by a rule before, 0 not looked at yet

	rank *rank // nil while no slot needs it
	refs int   // slots that do
	self [1]*ruleInfo
}

func newRuleInfo(r *flowspace.Rule, limit int) *ruleInfo {
	i := &ruleInfo{rule: r, single: simple(&r.Match)}
	for _, g := range r.Grants {
		if g.Perm&flowspace.Write != 0 {
			i.writers = append(i.writers, g.Slice)
		}
	}
	i.self[0] = i
	slices.Sort(i.writers)
	for _, w := range i.writers {
		i.kind += strconv.Quote(w)
	}
	if r.HasForcedQueue {
		i.kind += " q" + strconv.FormatUint(uint64(r.ForcedQueue), 10)
	}
	if i.single {
		i.pats, _ = patternsOf(&r.Match, 1)
		i.single = len(i.pats) == 1
	} else {
		var ok bool
		i.pats, ok = patternsOf(&r.Match, limit)
		i.tooMany = !ok
	}
	return i
}

// before is the order of ownership: LLDP first, then as the flowspace orders.
func (i *ruleInfo) before(o *ruleInfo) bool {
	if i.lldp != o.lldp {
		return i.lldp
	}
	return i.rule.Before(o.rule)
}

// priority is that of the rule; link discovery is above all.
func (i *ruleInfo) priority() uint32 {
	if i.lldp {
		return flowspace.MaxPriority + 1
	}
	return i.rule.Priority
}

func (i *ruleInfo) writes(slice string) bool {
	_, ok := slices.BinarySearch(i.writers, slice)
	return ok
}

func (i *ruleInfo) overlaps(p *flowtable.Pattern, region *flowspace.Match) bool {
	if i.single {
		return i.pats[0].Overlaps(p)
	}
	return i.rule.Match.Overlaps(region)
}

func (i *ruleInfo) contains(p *flowtable.Pattern) bool {
	if i.single {
		return i.pats[0].Covers(p)
	}
	return i.rule.Match.Contains(regionOf(p))
}

// lldpTypes are the ethertypes of link discovery: LLDP and what controllers use
// besides it.
var lldpTypes = [...]uint16{0x88cc, 0x8942, 0x8999}

// lldpRules are three pseudo rules above all others that nobody may write, so that
// every piece that could take a probe gets a guard: whose probe it is says its mark,
// not its header.
func lldpRules() (list []*ruleInfo) {
	for n, t := range lldpTypes {
		r := &flowspace.Rule{ID: uint64(n), Name: "lldp", Priority: flowspace.MaxPriority, Match: flowspace.Match{DLType: flowspace.One(uint32(t))}}
		i := newRuleInfo(r, 1)
		i.lldp, i.kind = true, "lldp"
		list = append(list, i)
	}
	return list
}

func isLLDP(dlType uint16) bool {
	return dlType == lldpTypes[0] || dlType == lldpTypes[1] || dlType == lldpTypes[2]
}

// info returns what is known of r.
func (d *Datapath) info(r *flowspace.Rule) *ruleInfo {
	i := d.rules[r]
	if i == nil {
		i = newRuleInfo(r, max(d.cfg.MaxExpansion, 1))
		d.rules[r] = i
	}
	return i
}

// overlappingFlow is overlapping for all of a flow.
func (d *Datapath) overlappingFlow(f *vflow) []*ruleInfo {
	d.flowRegion = f.region()
	return d.overlapping(f.flow.Pattern(), &d.flowRegion)
}

// overlapping returns the rules that share a header with the region, in order of
// ownership. The result is valid until the next call.
func (d *Datapath) overlapping(p *flowtable.Pattern, region *flowspace.Match) []*ruleInfo {
	d.overRules = d.view.AppendOverlapping(d.overRules[:0], region)
	out := d.overInfos[:0]
	for _, i := range d.lldp {
		if i.overlaps(p, region) {
			out = append(out, i)
		}
	}
	for _, r := range d.overRules {
		out = append(out, d.info(r))
	}
	d.overInfos = out
	return out
}
