package slicing

import (
	"math"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// spec is a piece to be: where it goes and which guards it needs.
type spec struct {
	pat    flowtable.Pattern
	rule   *ruleInfo
	level  int32
	carve  bool
	ranked []*ruleInfo // of a merged piece: the rules it stands for
	guards []guardSpec
}

type guardSpec struct {
	pat  flowtable.Pattern
	rule *ruleInfo
}

// tooWide says that a flow needs more physical flows than allowed.
type tooWide struct {
	limit int
	rule  *flowspace.Rule // that made it so
}

func (e *tooWide) Error() string {
	return "slicing: the flow expands to too many physical flows, the last straw is rule " + e.rule.Name
}

// derive works out the pieces of f. It is pure but for ranks that it may give to
// rules to see whether pieces can be merged. The result is valid until the next call.
func (d *Datapath) derive(f *vflow) ([]spec, error) {
	rules := d.overlappingFlow(f)
	d.consider(rules)
	if s, ok := d.merged(f, rules); ok {
		d.specs = append(d.specs[:0], s)
		return d.withCarves(f, d.specs, rules), nil
	}
	specs := d.specs[:0]
	defer func() { d.specs = specs }()
	total := 0
	for n, r := range rules {
		if !r.writes(f.slice.name) {
			continue
		}
		parts, ok := d.cut(f, r)
		if !ok {
			return nil, &tooWide{d.cfg.MaxExpansion, r.rule}
		}
		for k := range parts {
			above := d.above(&parts[k], rules[:n], &d.nearPiece)
			if containedIn(&parts[k], above) {
				continue
			}
			s := spec{pat: parts[k], rule: r, level: f.level}
			if s.guards, ok = d.guardsFor(f, &parts[k], above, rules, d.cfg.MaxExpansion); !ok {
				return nil, &tooWide{d.cfg.MaxExpansion, r.rule}
			}
			specs = append(specs, s)
			if total += 1 + len(s.guards); len(specs) > d.cfg.MaxExpansion || total > 4*d.cfg.MaxExpansion {
				return nil, &tooWide{d.cfg.MaxExpansion, r.rule}
			}
		}
	}
	if n := countPhysical(specs); n > d.cfg.MaxExpansion {
		return nil, &tooWide{d.cfg.MaxExpansion, specs[len(specs)-1].rule.rule}
	}
	return d.withCarves(f, specs, rules), nil
}

// consider makes rules the ones that are looked at from now on.
func (d *Datapath) consider(rules []*ruleInfo) {
	d.serial++
	for n, r := range rules {
		r.at = n
	}
}

// countPhysical is the number of different physical flows in specs.
func countPhysical(specs []spec) int {
	if len(specs) == 1 {
		return 1 + len(specs[0].guards)
	}
	seen := map[guardSpec]bool{}
	for i := range specs {
		for _, g := range specs[i].guards {
			seen[g] = true
		}
	}
	return len(specs) + len(seen)
}

// cut returns f ∩ r as packed matches, which are valid until the next call.
func (d *Datapath) cut(f *vflow, r *ruleInfo) ([]flowtable.Pattern, bool) {
	if r.single {
		both, ok := f.flow.Pattern().Intersect(&r.pats[0])
		if !ok || !both.Possible() {
			return nil, true
		}
		return appendPlain(d.cutPattern[:0], both), true
	}
	region := f.region()
	both, ok := region.Intersect(r.rule.Match)
	if !ok {
		return nil, true
	}
	return patternsOf(&both, d.cfg.MaxExpansion)
}

// containedIn reports whether one of the rules, which come before the piece's own,
// owns all of p, so that no frame can hit it.
func containedIn(p *flowtable.Pattern, rules []*ruleInfo) bool {
	for _, r := range rules {
		if r.contains(p) {
			return true
		}
	}
	return false
}

// fewRules is how many rules are rather looked at one by one than asked for.
const fewRules = 32

// above returns those of the rules that can have a header in common with p, in their
// order. The result is valid as long as buf is not used again.
func (d *Datapath) above(p *flowtable.Pattern, rules []*ruleInfo, buf *[]*ruleInfo) []*ruleInfo {
	if len(rules) <= d.few {
		return rules
	}
	d.nearRegion = regionOf(p)
	near := (*buf)[:0]
	for _, i := range d.lldp {
		if i.at < len(rules) && rules[i.at] == i && i.overlaps(p, &d.nearRegion) {
			near = append(near, i)
		}
	}
	d.nearRules = d.view.AppendOverlapping(d.nearRules[:0], &d.nearRegion)
	for _, r := range d.nearRules {
		if i := d.info(r); i.at < len(rules) && rules[i.at] == i {
			near = append(near, i)
		}
	}
	*buf = near
	return near
}

// hidden reports whether pattern k of a rule, one of those that overlap a flow, lies in
// a rule before it, so that it needs no guard.
func (d *Datapath) hidden(r *ruleInfo, k int, rules []*ruleInfo) bool {
	if r.at <= d.few {
		return containedIn(&r.pats[k], rules[:r.at])
	}
	if r.serial != d.serial {
		r.serial = d.serial
		if r.known == nil {
			r.known = make([]int8, len(r.pats))
		}
		clear(r.known)
	}
	if r.known[k] == 0 {
		r.known[k] = 1
		if containedIn(&r.pats[k], d.above(&r.pats[k], rules[:r.at], &d.nearGuard)) {
			r.known[k] = 2
		}
	}
	return r.known[k] == 2
}

// guardsFor returns the guards that keep a piece out of the rules above it, which are
// some of the rules that overlap the flow. Ok is false when there are limit or more.
func (d *Datapath) guardsFor(f *vflow, p *flowtable.Pattern, above, rules []*ruleInfo, limit int) (list []guardSpec, ok bool) {
	for _, r := range above {
		if r.writes(f.slice.name) {
			continue
		}
		if !r.single {
			region := regionOf(p)
			if !r.rule.Match.Overlaps(&region) {
				continue
			}
			if r.tooMany {
				return nil, false
			}
		}
		for k := range r.pats {
			if !r.pats[k].Overlaps(p) || d.hidden(r, k, rules) {
				continue
			}
			if list = append(list, guardSpec{r.pats[k], r}); len(list) >= limit {
				return nil, false // all of them are different, and the piece comes on top
			}
		}
	}
	return list, true
}

// merged returns one piece for all of f when the slice owns every header in it and
// all its rules there treat it alike.
func (d *Datapath) merged(f *vflow, rules []*ruleInfo) (spec, bool) {
	own := rules
	for len(own) > 0 && own[0].lldp {
		own = own[1:]
	}
	lldp := rules[:len(rules)-len(own)]
	pat := pinned(*f.flow.Pattern())
	if len(own) < 2 || own[0].contains(&pat) || !own[0].writes(f.slice.name) {
		return spec{}, false
	}
	for _, r := range own[1:] {
		if r.kind != own[0].kind {
			return spec{}, false
		}
	}
	if _, twice := pat.Untagged(); twice {
		return spec{}, false
	}
	if containedIn(&pat, lldp) || !d.view.Covered(f.slice.name, flowspace.Write, f.region()) {
		return spec{}, false
	}
	for _, r := range own {
		if !d.rankOf(r) || r.rank != own[0].rank {
			return spec{}, false
		}
	}
	s := spec{pat: pat, rule: own[0], level: f.level, ranked: append([]*ruleInfo(nil), own...)}
	s.guards, _ = d.guardsFor(f, &pat, lldp, rules, math.MaxInt)
	return s, true
}

// openForSTP reports whether f keeps all but spanning tree frames out.
func (f *vflow) openForSTP() bool {
	if f.level != levelDrop || f.flow.Match.Wildcards&of10.WildDLDst == 0 {
		return false
	}
	on := f.slice.bits[f.flow.Match.InPort].on()
	return on&of10.PortConfigNoRecv != 0 && on&(of10.PortConfigDown|of10.PortConfigNoRecvSTP) == 0
}

// carves are the parts of a flow's pieces that withCarves adds; what the first looks of
// them do depends on more of a frame than its port.
func (f *vflow) carves() (cuts []flowtable.Pattern, looks int) {
	cut := func(wild uint32, set func(m *of10.Match)) flowtable.Pattern {
		m := of10.MatchAll()
		m.Wildcards &^= wild
		set(&m)
		return flowtable.MakePattern(&m)
	}
	var ports []flowtable.Pattern
	if f.openForSTP() {
		cuts = append(cuts, cut(of10.WildDLDst, func(m *of10.Match) { m.DLDst = stpMAC }))
	}
	for _, a := range f.flow.Actions {
		switch {
		case a.Type == of10.ActionStripVLAN:
			for _, typ := range [...]uint16{packet.TypeVLAN, packet.TypeSVLAN} {
				cuts = append(cuts, cut(of10.WildDLType, func(m *of10.Match) { m.DLType = typ }))
			}
		case (a.Type == of10.ActionOutput || a.Type == of10.ActionEnqueue) && a.Port == of10.PortInPort:
			for _, p := range f.slice.silent() {
				ports = append(ports, cut(of10.WildInPort, func(m *of10.Match) { m.InPort = p }))
			}
		}
	}
	return append(cuts, ports...), len(cuts)
}

// withCarves adds the parts of pieces that need a look at every frame: what
// STRIP_VLAN does to a frame with two tags, and IN_PORT from a port the slice does
// not forward to.
func (d *Datapath) withCarves(f *vflow, specs []spec, rules []*ruleInfo) []spec {
	cuts, looks := f.carves()
	for n := len(specs); n > 0; n-- {
		for k := range cuts {
			s := specs[n-1]
			both, ok := s.pat.Intersect(&cuts[k])
			if ok && both == s.pat && both.IsPoint() { // there is no room above a point
				specs[n-1].carve = specs[n-1].carve || k < looks // compile knows a point's port
				continue
			}
			if !ok {
				continue
			}
			s.pat, s.carve, s.level = pinned(both), true, s.level+1
			if containedIn(&s.pat, d.above(&s.pat, rules[:s.rule.at], &d.nearPiece)) {
				continue // somebody else's; as a point it could be lifted above its owner's flows
			}
			specs = append(specs, s)
		}
	}
	return specs
}
