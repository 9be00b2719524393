package slicing

import (
	"fmt"
	"slices"
	"sort"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// compilePlainly is the oracle for the incremental compiler: from the flowspace, the
// virtual tables and the order of ranks it makes the whole physical table from
// scratch, in the most obvious way. What it shares with the real one is how the
// actions of one piece are translated and how pairs are numbered.
func compilePlainly(d *Datapath) []string {
	o := oracle{d: d, slots: map[slotKey]*plainSlot{}}
	o.rules = append(o.rules, d.lldp...)
	for _, r := range d.view.Rules() {
		o.rules = append(o.rules, d.info(r))
	}
	d.consider(o.rules)
	flows := d.placed()
	flows = append(flows, d.aways...)
	for _, f := range flows {
		o.place(f)
	}
	var list []string
	for key, s := range o.slots {
		if line := o.line(key, s, flows); line != "" {
			list = append(list, line)
		}
	}
	sort.Strings(list)
	return list
}

type oracle struct {
	d     *Datapath
	rules []*ruleInfo // in order of ownership
	slots map[slotKey]*plainSlot
}

type plainSlot struct {
	rule   *ruleInfo
	flows  []*vflow
	carved []*vflow // that need a look at every frame here
	guard  bool
}

func match(p *flowtable.Pattern) flowspace.Match { return fs10.FromMatch(p.Match()) }

func (o *oracle) covered(p *flowtable.Pattern, before int) bool {
	return slices.ContainsFunc(o.rules[:before], func(r *ruleInfo) bool { return r.rule.Match.Contains(match(p)) })
}

func (o *oracle) at(p flowtable.Pattern, i *ruleInfo, level int32) *plainSlot {
	key := slotKey{pat: p, rank: i.rank, level: level}
	if p.IsPoint() && !i.lldp {
		key = slotKey{pat: p}
	}
	s := o.slots[key]
	if s == nil {
		s = &plainSlot{rule: i}
		o.slots[key] = s
	}
	return s
}

// wire returns a region as packed matches.
func wire(m flowspace.Match) (list []flowtable.Pattern) {
	ms, err := fs10.ToMatches(m, 0)
	if err != nil {
		panic(err)
	}
	for _, m := range ms {
		if m.DLVLAN == of10.VLANNone && m.Wildcards&of10.WildDLVLAN == 0 && m.DLVLANPCP != 0 {
			continue
		}
		list = append(list, pinned(flowtable.MakePattern(&m)))
		if m.Wildcards&of10.WildDLVLAN != 0 && m.Wildcards&of10.WildDLVLANPCP == 0 && m.DLVLANPCP == 0 { // not all switches mean untagged frames too
			m.Wildcards &^= of10.WildDLVLAN
			m.DLVLAN = of10.VLANNone
			list = append(list, pinned(flowtable.MakePattern(&m)))
		}
	}
	return list
}

// place enters the pieces of a flow and what guards them.
func (o *oracle) place(f *vflow) {
	if first, ok := o.mergeable(f); ok {
		o.piece(f, pinned(*f.flow.Pattern()), first)
		return
	}
	for n, r := range o.rules {
		if !r.writes(f.slice.name) {
			continue
		}
		both, ok := match(f.flow.Pattern()).Intersect(r.rule.Match)
		if !ok {
			continue
		}
		for _, p := range wire(both) {
			if !o.covered(&p, n) {
				o.piece(f, p, n)
			}
		}
	}
}

func (o *oracle) piece(f *vflow, p flowtable.Pattern, n int) {
	r := o.rules[n]
	s := o.at(p, r, f.level)
	s.flows = append(s.flows, f)
	for k, above := range o.rules[:n] {
		if above.writes(f.slice.name) {
			continue
		}
		for _, w := range wire(above.rule.Match) {
			if w.Overlaps(&p) && !o.covered(&w, k) {
				level := levelGuard
				if above.lldp {
					level = levelLLDP
				}
				o.at(w, above, level).guard = true
			}
		}
	}
	for n, c := range o.d.withCarves(f, []spec{{pat: p, rule: r, level: f.level}}, o.rules) {
		s := o.at(c.pat, r, c.level)
		if c.carve {
			s.carved = append(s.carved, f)
		}
		if n > 0 {
			s.flows = append(s.flows, f)
		}
	}
}

// mergeable reports whether a flow lies wholly in rules of its slice that treat it
// alike, and which is the first.
func (o *oracle) mergeable(f *vflow) (first int, ok bool) {
	m := match(f.flow.Pattern())
	var over []int
	for n, r := range o.rules {
		if !r.lldp && r.rule.Match.Overlaps(&m) {
			over = append(over, n)
		}
	}
	p := pinned(*f.flow.Pattern())
	if len(over) < 2 || len(wire(m)) > 1 || o.rules[over[0]].rule.Match.Contains(match(&p)) || o.covered(f.flow.Pattern(), len(o.d.lldp)) {
		return 0, false
	}
	for _, n := range over {
		r := o.rules[n]
		if !r.writes(f.slice.name) || r.kind != o.rules[over[0]].kind || r.rank != o.rules[over[0]].rank {
			return 0, false
		}
	}
	return over[0], o.d.view.Covered(f.slice.name, flowspace.Write, m)
}

// line says what belongs into a slot, in the words of rig.table.
func (o *oracle) line(key slotKey, s *plainSlot, flows []*vflow) string {
	rank, level := key.rank, key.level
	var top *vflow
	if key.pat.IsPoint() && !s.rule.lldp {
		top = o.winner(s.rule, &key.pat.Value, flows)
		if top != nil && !slices.Contains(s.flows, top) {
			return ""
		}
		rank, level = s.rule.rank, levelGuard
		if top != nil {
			level = top.level
			if slices.Contains(s.carved, top) { // above the piece it is carved out of
				level++
			}
		}
	} else {
		for _, f := range s.flows {
			if top == nil || f.beats(top) {
				top = f
			}
		}
	}
	if top == nil && !s.guard {
		return ""
	}
	actions := toController
	if top != nil && !slices.Contains(s.carved, top) {
		actions = nil
		if !top.isDrop() {
			actions = o.d.compile(nil, top, &key.pat, s.rule, top.flow.Actions)
		}
		for _, p := range top.pieces {
			if p.slot != nil && p.slot.pat == key.pat && p.gone {
				actions = toController
			}
		}
	}
	number := maxNumber
	if !key.pat.Exact() {
		at, ok := o.d.numbers.find(rank, level)
		if !ok {
			return fmt.Sprintf("%v has no number", key.pat.Match())
		}
		number = int(o.d.numbers.order[at].number)
	}
	return entryLine(key.pat.Match(), uint16(number), actions)
}

// winner is the flow a point hits among those of the rule's writers.
func (o *oracle) winner(r *ruleInfo, w *flowtable.Words, flows []*vflow) (best *vflow) {
	for _, f := range flows {
		if !r.writes(f.slice.name) || !f.flow.Pattern().Matches(w) {
			continue
		}
		if f.level == levelDrop && !f.slice.closed(of10.Port(w.Header().InPort), w.Header().DLDst) {
			continue
		}
		if best == nil || f.beats(best) {
			best = f
		}
	}
	return best
}

// invariants holds after every step: the switch has exactly what compiling from
// scratch makes, the numbers are in order, and the books have nothing left over.
func (w *world) invariants() error {
	d := w.r.d
	want := compilePlainly(d)
	got := w.r.table()
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("the switch's table is not what compile makes (-want +got):\n%s", diff)
	}
	if err := ordered(d); err != nil {
		return err
	}
	for i := 1; i < len(d.numbers.order); i++ {
		a, b := d.numbers.order[i-1], d.numbers.order[i]
		if a.number >= b.number || a.compare(b.rank, b.level) >= 0 {
			return fmt.Errorf("numbers out of order at %d", i)
		}
	}
	for _, s := range d.points { // what a switch lifts above everything must win anyway
		if s.entry == nil || s.pat.Exact() {
			continue
		}
		for _, e := range d.cookies.all() {
			same := e.flow == s.entry.flow && of10.ActionsEqual(e.actions, s.entry.actions)
			if !e.dead && !same && e.slot.pat.Matches(&s.pat.Value) && (e.number > s.entry.number || e.slot.pat.Exact()) {
				return fmt.Errorf("%v is at priority %d, but %v above it matches too", s.pat.Match(), s.entry.number, e.match())
			}
		}
	}
	live, waiting, slots := map[*vflow]int{}, map[*vflow]int{}, map[*slot]bool{}
	for _, e := range d.cookies.all() {
		if e.dead {
			if d.pending.n == 0 {
				return fmt.Errorf("entry %x is remembered for nothing", e.cookie)
			}
			if e.kind == kindFlow && !e.deleted.IsZero() {
				waiting[e.flow]++
			}
			continue
		}
		if e.slot.entry != e {
			return fmt.Errorf("entry %x is not in its slot", e.cookie)
		}
		slots[e.slot] = true
		if e.kind == kindFlow {
			live[e.flow]++
		}
	}
	for _, f := range d.placed() {
		if f.ended || int(f.live) != live[f] || int(f.waiting) != waiting[f] {
			return fmt.Errorf("flow %v: live %d, waiting %d, ended %v, has %d entries and waits for %d", f.flow.Match, f.live, f.waiting, f.ended, live[f], waiting[f])
		}
	}
	for _, s := range d.slots {
		if s.empty() {
			return fmt.Errorf("empty slot %v is still there", s.pat.Match())
		}
	}
	for _, s := range d.points {
		if s.empty() {
			return fmt.Errorf("empty point %v is still there", s.pat.Match())
		}
	}
	return nil
}

// ordered checks the ranks of the rules in use: above what they take precedence
// over, where they overlap.
func ordered(d *Datapath) error {
	for a := range d.ranks.active {
		for b := range d.ranks.active {
			if a.rank == nil || b.rank == nil || !a.before(b) || !a.rule.Match.Overlaps(&b.rule.Match) || a == b {
				continue
			}
			if a.rank.pos < b.rank.pos || a.rank.pos == b.rank.pos && a.kind != b.kind {
				return fmt.Errorf("rule %s takes precedence over %s, but has rank %d to its %d", a.rule.Name, b.rule.Name, a.rank.pos, b.rank.pos)
			}
		}
	}
	return nil
}
