package slicing

import (
	"cmp"
	"slices"

	"github.com/govisor/govisor/internal/flowtable"
)

// slot is a place in the physical table: a match at a rank and level, or a point.
// Everything that wants to be there is registered; reconcile puts the right one in.
type slot struct {
	entry  *entry
	rule   *ruleInfo // of points: who owns the header
	cands  []*piece
	one    [1]*piece // memory of cands as long as there is one
	pair   *pair
	level  int32
	point  bool
	dirty  bool
	buffer bool // the next entry takes the buffer of the current flow_mod
	guards int  // pieces of lower rank that need a guard here
	pat    flowtable.Pattern
	rank   *rank // nil for points of exact flows, which need no priority
}

type slotKey struct {
	pat   flowtable.Pattern
	rank  *rank
	level int32
}

func (s *slot) empty() bool { return len(s.cands) == 0 && s.guards == 0 }

// soft reports whether flows elsewhere can change what belongs into a point.
func (s *slot) soft() bool {
	if !s.point {
		return false
	}
	if s.guards > 0 {
		return true
	}
	for _, p := range s.cands {
		if !p.flow.flow.Exact() {
			return true
		}
	}
	return false
}

// slotAt returns the slot of a pattern in rule i, whose rank is assigned, making it
// if need be. It returns nil when the switch's priorities are used up.
func (d *Datapath) slotAt(pat *flowtable.Pattern, i *ruleInfo, level int32) *slot {
	if pat.IsPoint() && !i.lldp {
		s := d.points[pat.Value]
		if s == nil {
			s = &slot{pat: *pat, rule: i, point: true, level: level, rank: i.rank}
			s.cands = s.one[:0]
			d.points[pat.Value] = s
		}
		s.rule = i // the owner changes with the flowspace
		return s
	}
	key := slotKey{*pat, i.rank, level}
	s := d.slots[key]
	if s != nil {
		return s
	}
	p, moves := d.numbers.get(i.rank, level)
	if p == nil {
		return nil
	}
	d.moves = append(d.moves, moves...)
	s = &slot{pat: *pat, rank: i.rank, level: level, pair: p, rule: i}
	s.cands = s.one[:0]
	p.slots[s] = struct{}{}
	d.slots[key] = s
	return s
}

// mark notes that what belongs into s may have changed.
func (d *Datapath) mark(s *slot) {
	if !s.dirty {
		s.dirty = true
		d.dirty = append(d.dirty, s)
	}
}

// markPoints marks the points whose winner a change of flow f can change.
func (d *Datapath) markPoints(f *vflow) {
	pat := f.flow.Pattern()
	if f.level == levelDrop { // beats exact flows too
		for _, s := range d.points {
			if pat.Matches(&s.pat.Value) {
				d.mark(s)
			}
		}
		return
	}
	if len(d.soft) == 0 || d.allMarked {
		return
	}
	if pat.Exact() {
		if s := d.points[pat.Value]; s != nil {
			d.mark(s)
		}
		return
	}
	for s := range d.soft {
		if pat.Matches(&s.pat.Value) {
			d.mark(s)
		}
	}
}

// withMany runs f, which changes n flows. When looking at every soft point for each
// of them would take long, all are marked once instead.
func (d *Datapath) withMany(n int, f func()) {
	if n*len(d.soft) > 1<<16 {
		for s := range d.soft {
			d.mark(s)
		}
		d.allMarked = true
		defer func() { d.allMarked = false }()
	}
	f()
}

func (d *Datapath) noteSoft(s *slot) {
	if s.soft() {
		d.soft[s] = struct{}{}
	} else if s.point {
		delete(d.soft, s)
	}
}

// release takes a slot that nobody wants and that has no entry off the books.
func (d *Datapath) release(s *slot) {
	if s.point {
		if d.points[s.pat.Value] == s {
			delete(d.points, s.pat.Value)
		}
		delete(d.soft, s)
	} else if key := (slotKey{s.pat, s.rank, s.level}); d.slots[key] == s { // not one that has come after it
		delete(d.slots, key)
	}
	d.unpair(s)
}

// number is the physical priority of what is in s.
func (s *slot) number() uint16 {
	if s.pair == nil {
		return maxNumber
	}
	return s.pair.number
}

// want is what belongs into a slot.
type want struct {
	kind  entryKind
	piece *piece // nil for nothing or a guard
	none  bool
}

// desired decides what belongs into s.
func (d *Datapath) desired(s *slot) want {
	if !s.point {
		if len(s.cands) == 0 {
			return want{kind: kindGuard, none: s.guards == 0}
		}
		top := s.cands[0]
		for _, p := range s.cands[1:] {
			if p.flow.beats(top.flow) {
				top = p
			}
		}
		return wantPiece(top)
	}
	if p := s.unrivalled(); p != nil {
		return wantPiece(p)
	}
	best := d.winnerAt(s.rule, &s.pat.Value)
	if best == nil {
		for _, p := range s.cands {
			if p.flow.away {
				return wantPiece(p)
			}
		}
		return want{kind: kindGuard, none: s.guards == 0}
	}
	for _, p := range s.cands {
		if p.flow == best {
			return wantPiece(p)
		}
	}
	return want{none: true} // a wide piece of the winner takes the frames
}

// unrivalled returns the piece that winnerAt would find without a look at the tables: that
// of an exact flow of the one slice that writes at the point, nil if there is none.
func (s *slot) unrivalled() *piece {
	if len(s.cands) != 1 || len(s.rule.writers) != 1 {
		return nil
	}
	p := s.cands[0]
	f := p.flow
	if f.level != levelExact || f.slice.name != s.rule.writers[0] || len(f.slice.drops) > 0 {
		return nil
	}
	return p
}

func wantPiece(p *piece) want {
	switch {
	case p.gone || p.carve:
		return want{kind: kindSentinel, piece: p}
	case p.flow.isDrop():
		return want{kind: kindDrop, piece: p}
	}
	return want{kind: kindFlow, piece: p}
}

// above orders slots for putting them in: what guards comes before what it guards.
func above(a, b *slot) int {
	ra, rb := -1, -1
	if a.rank != nil {
		ra = a.rank.pos
	}
	if b.rank != nil {
		rb = b.rank.pos
	}
	return cmp.Or(-cmp.Compare(ra, rb), -cmp.Compare(a.level, b.level))
}

func sortSlots(list []*slot) { slices.SortStableFunc(list, above) }
