package flowtable

import (
	"cmp"
	"container/heap"
	"errors"
	"slices"
	"time"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// Why a flow_mod is refused; in OpenFlow all are of type FLOW_MOD_FAILED.
var (
	ErrFull         = errors.New("flowtable: table is full")                                  // ALL_TABLES_FULL
	ErrOverlap      = errors.New("flowtable: overlaps with a flow of the same priority")      // OVERLAP
	ErrEmergTimeout = errors.New("flowtable: an emergency flow must not have timeouts")       // BAD_EMERG_TIMEOUT
	ErrCommand      = errors.New("flowtable: unknown flow_mod command")                       // BAD_COMMAND
	ErrBusy         = errors.New("flowtable: flow is in a table already and cannot be added") // never from Apply
)

// Table is a flow table. The zero value is not usable: call NewTable.
type Table struct {
	main, emerg index
	due         deadlines
	untimed     bool
	capacity    int
	seq         uint64
	version     uint64
}

// NewTable makes a table for at most capacity flows, 0 for no limit. Emergency
// flows have a table of their own with the same capacity.
func NewTable(capacity int) *Table {
	return &Table{main: newIndex(), emerg: newIndex(), capacity: capacity}
}

// NewUntimed is NewTable for an owner that sees to the timeouts itself: no flow of
// the table ever expires.
func NewUntimed(capacity int) *Table {
	t := NewTable(capacity)
	t.untimed = true
	return t
}

// Change tells what a flow_mod did.
type Change struct {
	Added    *Flow
	Replaced *Flow // the identical flow Added took the place of
	Modified []Modified
	Removed  []*Flow // by DELETE; flow_removed is due for those with SEND_FLOW_REM
}

// Modified is a flow with new actions, and what it had before.
type Modified struct {
	Flow       *Flow
	OldActions []of10.Action
	OldCookie  uint64
}

// Apply does what a flow_mod says, whole or, with an error, not at all. The buffer
// is the caller's business. The emergency table takes those with the EMERG flag.
func (t *Table) Apply(now time.Time, fm *of10.FlowMod) (Change, error) {
	x := &t.main
	if fm.Flags&of10.FlowModEmerg != 0 {
		if fm.IdleTimeout != 0 || fm.HardTimeout != 0 {
			return Change{}, ErrEmergTimeout
		}
		x = &t.emerg
	}
	switch fm.Command {
	case of10.FlowAdd:
		return t.add(now, x, fm)
	case of10.FlowModify, of10.FlowModifyStrict:
		sel := t.selected(x, fm, of10.PortNone, fm.Command == of10.FlowModifyStrict)
		if len(sel) == 0 {
			return t.add(now, x, fm)
		}
		var c Change
		actions := of10.CloneActions(fm.Actions)
		for _, f := range sel {
			c.Modified = append(c.Modified, Modified{f, f.Actions, f.Cookie})
			f.Actions, f.Cookie = actions, fm.Cookie
		}
		t.version++
		return c, nil
	case of10.FlowDelete, of10.FlowDeleteStrict:
		sel := t.selected(x, fm, fm.OutPort, fm.Command == of10.FlowDeleteStrict)
		for _, f := range sel {
			t.remove(x, f)
		}
		return Change{Removed: sel}, nil
	}
	return Change{}, ErrCommand
}

func (t *Table) add(now time.Time, x *index, fm *of10.FlowMod) (Change, error) {
	f := New(now, fm)
	if fm.Flags&of10.FlowModCheckOverlap != 0 && overlapsIn(x, f) {
		return Change{}, ErrOverlap
	}
	old, err := t.insert(x, f)
	if err != nil {
		return Change{}, err
	}
	return Change{Added: f, Replaced: old}, nil
}

// Insert adds a flow made by New and returns the identical flow it replaced.
func (t *Table) Insert(f *Flow) (replaced *Flow, err error) { return t.insert(&t.main, f) }

func (t *Table) insert(x *index, f *Flow) (*Flow, error) {
	old := x.find(&f.pat, f.Level())
	if err := t.put(x, f, old); err != nil {
		return nil, err
	}
	return old, nil
}

// Put is Insert of a flow for which Same has just returned old, nil or not.
func (t *Table) Put(f, old *Flow) error { return t.put(&t.main, f, old) }

// put makes f a flow of an index, in the place of old unless that is nil.
func (t *Table) put(x *index, f, old *Flow) error {
	switch {
	case f.live:
		return ErrBusy
	case old == nil && t.capacity > 0 && x.n >= t.capacity:
		return ErrFull
	}
	t.seq++
	t.version++
	f.seq = t.seq
	f.live = true
	if old != nil {
		x.replace(old, f)
		t.due.remove(old)
		old.live = false
	} else {
		x.add(f)
	}
	if x == &t.main && !t.untimed {
		t.due.add(f)
	}
	return nil
}

// Remove takes f out of the table; false when it is not in it.
func (t *Table) Remove(f *Flow) bool {
	if !f.live || t.main.find(&f.pat, f.Level()) != f {
		return false
	}
	t.remove(&t.main, f)
	return true
}

func (t *Table) remove(x *index, f *Flow) {
	t.version++
	x.remove(f)
	t.due.remove(f)
	f.live = false
}

// Find returns the flow with exactly this match and priority, nil if there is none.
func (t *Table) Find(m of10.Match, priority uint16) *Flow { return find(&t.main, m, priority) }

// FindEmergency is Find in the emergency table.
func (t *Table) FindEmergency(m of10.Match, priority uint16) *Flow {
	return find(&t.emerg, m, priority)
}

func find(x *index, m of10.Match, priority uint16) *Flow {
	m = m.Normalize()
	p := MakePattern(&m)
	level := int32(priority)
	if p.Exact() {
		level = levelExact
	}
	return x.find(&p, level)
}

// Same returns the flow in the table that f would replace, nil if there is none.
func (t *Table) Same(f *Flow) *Flow { return t.main.find(&f.pat, f.Level()) }

// Overlapping reports whether f shares a header with another flow of its priority
// that is not identical to it (the test of CHECK_OVERLAP).
func (t *Table) Overlapping(f *Flow) bool { return overlapsIn(&t.main, f) }

func overlapsIn(x *index, f *Flow) bool {
	for e := range x.overlapping(&f.pat) {
		if e != f && e.Level() == f.Level() && e.pat != f.pat {
			return true
		}
	}
	return false
}

// Select returns the flows a flow_mod or stats request means, oldest first:
// those covered by its match and passing the out_port filter.
func (t *Table) Select(m of10.Match, outPort of10.Port) []*Flow { return selectIn(&t.main, m, outPort) }

// SelectEmergency is Select in the emergency table.
func (t *Table) SelectEmergency(m of10.Match, outPort of10.Port) []*Flow {
	return selectIn(&t.emerg, m, outPort)
}

// Selected returns the flows that a MODIFY or DELETE, strict or not, applies to.
func (t *Table) Selected(fm *of10.FlowMod) []*Flow {
	switch fm.Command {
	case of10.FlowModify:
		return t.selected(&t.main, fm, of10.PortNone, false)
	case of10.FlowModifyStrict:
		return t.selected(&t.main, fm, of10.PortNone, true)
	case of10.FlowDelete:
		return t.selected(&t.main, fm, fm.OutPort, false)
	case of10.FlowDeleteStrict:
		return t.selected(&t.main, fm, fm.OutPort, true)
	}
	return nil
}

func (t *Table) selected(x *index, fm *of10.FlowMod, out of10.Port, strict bool) []*Flow {
	if !strict {
		return selectIn(x, fm.Match, out)
	}
	m := fm.Match
	m = m.Normalize()
	p := MakePattern(&m)
	level := int32(fm.Priority)
	if p.Exact() {
		level = levelExact
	}
	if f := x.find(&p, level); f != nil && f.Outputs(out) {
		return []*Flow{f}
	}
	return nil
}

func selectIn(x *index, m of10.Match, out of10.Port) []*Flow {
	m = m.Normalize()
	p := MakePattern(&m)
	var list []*Flow
	for f := range x.covered(&p) {
		if f.Outputs(out) {
			list = append(list, f)
		}
	}
	sortBySeq(list)
	return list
}

// Flows returns all flows, oldest first, without the emergency ones.
func (t *Table) Flows() []*Flow {
	list := make([]*Flow, 0, t.main.n)
	for _, tu := range t.main.order {
		for _, f := range tu.flows {
			for ; f != nil; f = f.next {
				list = append(list, f)
			}
		}
	}
	sortBySeq(list)
	return list
}

// OverlappingPattern returns the flows that share a header with p, oldest first.
func (t *Table) OverlappingPattern(p *Pattern) []*Flow {
	var list []*Flow
	for f := range t.main.overlapping(p) {
		list = append(list, f)
	}
	sortBySeq(list)
	return list
}

func sortBySeq(list []*Flow) {
	slices.SortFunc(list, func(a, b *Flow) int { return cmp.Compare(a.seq, b.seq) })
}

// Len is the number of flows, without the emergency ones.
func (t *Table) Len() int { return t.main.n }

// EmergencyLen is the number of emergency flows.
func (t *Table) EmergencyLen() int { return t.emerg.n }

// Capacity is the limit given to NewTable.
func (t *Table) Capacity() int { return t.capacity }

// Lookup returns the flow that h hits, nil for a table miss. It counts nothing.
func (t *Table) Lookup(h *packet.Header) *Flow {
	w := HeaderWords(h)
	return t.main.lookup(&w)
}

// LookupWords is Lookup of a packed header.
func (t *Table) LookupWords(w *Words) *Flow { return t.main.lookup(w) }

// Expired is a flow that has ended, and why.
type Expired struct {
	Flow   *Flow
	Reason of10.FlowRemovedReason
}

// Expire removes the flows whose time is over at now.
func (t *Table) Expire(now time.Time) []Expired {
	var out []Expired
	for len(t.due) > 0 && !t.due[0].due.After(now) {
		f := t.due[0]
		at, reason, _ := f.Deadline()
		if at.After(now) {
			f.due = at
			heap.Fix(&t.due, 0)
			continue
		}
		t.remove(&t.main, f)
		out = append(out, Expired{f, reason})
	}
	return out
}

// NextDeadline returns when Expire has to be called at the earliest; ok is false
// when no flow has a timeout. The flow may turn out to live longer by then.
func (t *Table) NextDeadline() (at time.Time, ok bool) {
	if len(t.due) == 0 {
		return time.Time{}, false
	}
	return t.due[0].due, true
}

// Version is another one after each change of the flows, emergency flows included.
func (t *Table) Version() uint64 { return t.version }

// Changed tells the table that a flow was changed by hand.
func (t *Table) Changed() { t.version++ }

// Touch tells the table that a flow's timeouts or times were changed by hand.
func (t *Table) Touch(f *Flow) {
	t.due.remove(f)
	if f.live && !t.untimed {
		t.due.add(f)
	}
}
