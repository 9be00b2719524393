package flowspace

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Options configure a flowspace; the zero value is usable.
type Options struct {
	Map MapKind
	// SliceExists says whether a grant may name the slice; nil accepts any. A bulk
	// asks from several goroutines.
	SliceExists func(name string) bool
	// NextID is the lowest id to give to a rule without one; 0 counts as 1.
	NextID uint64
}

// Snapshot is the flowspace at one moment: immutable, read without locks, and
// valid as long as somebody holds it. Apply makes the next one, which shares
// everything that did not change.
type Snapshot struct {
	opts   Options
	nextID uint64
	byID   pmap[uint64, *Rule]
	byName pmap[string, *Rule]
	order  ruleList
	parts  pmap[uint64, *partition] // by datapath
	shared *partition               // rules of more than replicateMax datapaths
}

// replicateMax is up to how many datapaths a rule is put into each one's
// partition; beyond that it lives in the shared one.
const replicateMax = 8

// New returns an empty flowspace.
func New(o Options) *Snapshot {
	return &Snapshot{opts: o, nextID: max(o.NextID, 1)}
}

// Len returns the number of rules.
func (s *Snapshot) Len() int { return s.byID.n }

// NextID returns the id the next rule without one would get.
func (s *Snapshot) NextID() uint64 { return s.nextID }

// MapKind returns how the rules are indexed.
func (s *Snapshot) MapKind() MapKind { return s.opts.Map }

// Rule returns the rule with an id, nil if there is none.
func (s *Snapshot) Rule(id uint64) *Rule {
	r, _ := s.byID.get(id)
	return r
}

// RuleByName returns the rule with a name, nil if there is none.
func (s *Snapshot) RuleByName(name string) *Rule {
	r, _ := s.byName.get(name)
	return r
}

// Rules returns all rules in order, freshly allocated.
func (s *Snapshot) Rules() []*Rule {
	rules := make([]*Rule, 0, s.order.n)
	s.order.each(func(r *Rule) bool {
		rules = append(rules, r)
		return true
	})
	return rules
}

// Each calls f for all rules in order until f returns false.
func (s *Snapshot) Each(f func(*Rule) bool) { s.order.each(f) }

// View returns what a datapath sees; also for one no rule names.
func (s *Snapshot) View(dpid uint64) *View {
	p, _ := s.parts.get(dpid)
	return &View{dpid: dpid, own: p, shared: s.shared}
}

// Slices returns the names of the slices with any permission on a datapath.
func (s *Snapshot) Slices(dpid uint64) []string { return s.View(dpid).Slices() }

// Datapaths returns the datapaths some rule names, ascending; rules of every
// datapath add none.
func (s *Snapshot) Datapaths() []uint64 {
	set := map[uint64]bool{}
	s.parts.each(func(id uint64, _ *partition) bool {
		set[id] = true
		return true
	})
	if s.shared != nil {
		s.shared.rules.each(func(r *Rule) bool {
			for id := range r.DPIDs.List() {
				set[id] = true
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(set))
}

// Op is a kind of change.
type Op uint8

// The kinds of change.
const (
	Add    Op = iota // Rule is new; its id, if not 0, must be free
	Update           // Rule replaces the rule with its id, or else its name
	Remove           // the rule with Rule.ID, or else Rule.Name, goes
)

// String returns the name in lower case.
func (o Op) String() string { return [...]string{"add", "update", "remove"}[o] }

// Change is one step of Apply. The rule stays the caller's.
type Change struct {
	Op   Op
	Rule *Rule
}

// Affected says what a change touched.
type Affected struct {
	AllDatapaths bool
	Datapaths    []uint64 // ascending; those named, also when AllDatapaths
	// Slices are those named in a changed rule or whose rules on these datapaths
	// overlap one, sorted. After very large changes, and when one overlaps hundreds
	// of rules of a datapath, it may name more slices with rules there.
	Slices []string
	// Rules has one entry per change: the rule as stored, or as removed.
	Rules []*Rule
}

// Touches reports whether a datapath is affected.
func (a *Affected) Touches(dpid uint64) bool {
	if a.AllDatapaths {
		return true
	}
	_, ok := slices.BinarySearch(a.Datapaths, dpid)
	return ok
}

// Apply makes all changes in order, or none: an error is a *ChangeError with the
// index and the field, and s is never changed.
func (s *Snapshot) Apply(changes []Change) (*Snapshot, Affected, error) {
	c := changer{
		old: s, next: *s, edit: new(edit),
	}
	if i, err := c.applyAll(changes); err != nil {
		e := &ChangeError{Index: i, Err: err}
		if changes[i].Rule != nil {
			e.Rule = changes[i].Rule.Name
		}
		return nil, Affected{}, e
	}
	c.publish()
	return &c.next, c.affected(), nil
}

// applyAll makes the changes in order; an error comes with its index.
func (c *changer) applyAll(changes []Change) (int, error) {
	if bulkAdds(changes) {
		return c.addAll(changes)
	}
	c.net = make(map[uint64]netChange, len(changes))
	c.stored = make([]*Rule, 0, len(changes))
	for i := range changes {
		if err := c.apply(&changes[i]); err != nil {
			return i, err
		}
	}
	for _, n := range c.net {
		if n.old != nil {
			c.removed = append(c.removed, n.old)
		}
		if n.new != nil {
			c.added = append(c.added, n.new)
		}
	}
	return 0, nil
}

// changer is one Apply in progress.
type changer struct {
	old    *Snapshot
	next   Snapshot
	edit   *edit
	net    map[uint64]netChange
	stored []*Rule
	last   *Rule // the rule stored before, to share equal grants

	removed, added []*Rule // net, in order
	dpids          map[uint64]*delta
	shared         delta
}

// netChange is what became of one id: from old (nil: was not there) to new.
type netChange struct{ old, new *Rule }

// delta is what changes in one partition.
type delta struct{ remove, add []*Rule }

func (c *changer) apply(ch *Change) error {
	if ch.Rule == nil {
		return &FieldError{Field: "rule", Reason: "is missing"}
	}
	if ch.Op == Remove {
		old, err := c.find(ch.Rule)
		if err != nil {
			return err
		}
		c.record(old.ID, old, nil)
		c.next.byID.delete(c.edit, old.ID)
		c.next.byName.delete(c.edit, old.Name)
		c.stored = append(c.stored, old)
		return nil
	}
	r := new(Rule)
	*r = *ch.Rule
	var old *Rule
	if ch.Op == Update {
		var err error
		if old, err = c.find(r); err != nil {
			return err
		}
		r.ID = old.ID
		if r.Name == "" {
			r.Name = old.Name
		}
	}
	if err := c.prepare(r, old); err != nil {
		return err
	}
	if old != nil && old.Name != r.Name {
		c.next.byName.delete(c.edit, old.Name)
	}
	c.record(r.ID, old, r)
	c.next.byID.set(c.edit, r.ID, r)
	c.next.byName.set(c.edit, r.Name, r)
	c.stored = append(c.stored, r)
	c.last = r
	return nil
}

// find returns the rule a change means.
func (c *changer) find(r *Rule) (*Rule, error) {
	if r.ID != 0 {
		if old, ok := c.next.byID.get(r.ID); ok {
			return old, nil
		}
		return nil, &FieldError{Field: "id", Value: fmt.Sprint(r.ID), Reason: "names no rule", Err: ErrNotFound}
	}
	if old, ok := c.next.byName.get(r.Name); ok {
		return old, nil
	}
	return nil, &FieldError{Field: "name", Value: r.Name, Reason: "names no rule", Err: ErrNotFound}
}

// complete checks what r says by itself and puts it into canonical form. last is a
// rule before, to share equal grants with, or nil.
func (c *changer) complete(r, last *Rule) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if exists := c.next.opts.SliceExists; exists != nil {
		for _, g := range r.Grants {
			if !exists(g.Slice) {
				return &FieldError{Field: "grants", Value: g.Slice, Reason: "names no slice", Hint: "add the slice first"}
			}
		}
	}
	r.Match, _ = r.Match.Canonical() // holds something: it was validated
	if len(r.Queues) > 0 {
		r.Queues = slices.Compact(slices.Sorted(slices.Values(r.Queues)))
	} else {
		r.Queues = nil
	}
	if !r.HasForcedQueue {
		r.ForcedQueue = 0
	}
	if last != nil && slices.Equal(last.Grants, r.Grants) {
		r.Grants = last.Grants
	} else {
		r.Grants = slices.Clone(r.Grants)
	}
	return nil
}

// prepare checks r, completes it and puts it into canonical form. old is the rule
// it replaces, nil if it is new.
func (c *changer) prepare(r, old *Rule) error {
	if err := c.complete(r, c.last); err != nil {
		return err
	}
	if old == nil {
		if r.ID == 0 {
			r.ID = c.next.nextID
		} else if _, taken := c.next.byID.get(r.ID); taken {
			return &FieldError{Field: "id", Value: fmt.Sprint(r.ID), Reason: "is taken", Err: ErrDuplicate}
		}
		if r.ID >= 1<<63 {
			return &FieldError{Field: "id", Value: fmt.Sprint(r.ID), Reason: "is too large"}
		}
		c.next.nextID = max(c.next.nextID, r.ID+1)
		if r.Name == "" {
			r.Name = c.freeName(r.ID)
		}
	}
	if other, taken := c.next.byName.get(r.Name); taken && other.ID != r.ID {
		return &FieldError{Field: "name", Value: r.Name, Reason: "is taken by another rule", Err: ErrDuplicate}
	}
	return nil
}

func (c *changer) freeName(id uint64) string {
	first := "rule-" + strconv.FormatUint(id, 10)
	name := first
	for n := 2; ; n++ {
		if _, taken := c.next.byName.get(name); !taken {
			return name
		}
		name = first + "-" + strconv.Itoa(n)
	}
}

func (c *changer) record(id uint64, old, new *Rule) {
	if n, ok := c.net[id]; ok {
		old = n.old
	}
	c.net[id] = netChange{old, new}
}
