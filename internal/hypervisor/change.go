package hypervisor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

const (
	// auditKeep is how many audit entries stay.
	auditKeep = 1_000_000
	// settleWait bounds how long an answer waits for sessions to follow.
	settleWait = 2 * time.Second
)

// change is one change being prepared: the next state and what to write for it.
// Nothing in it is shared with the present state but immutable values.
type change struct {
	st       *state
	stamp    uint64 // of the state that it makes
	by       Principal
	now      time.Time
	ops      []func(*store.Tx) error
	all      bool // every datapath is touched
	limits   bool // of some slice may have changed
	touched  map[ofwire.DatapathID]struct{}
	events   []apitype.Event
	detail   string   // for the audit log
	declared bool     // the slices there are to be are named: none goes with another
	notes    []string // what followed from it, each an entry of the audit log
}

func newChange(old *state, by Principal, now time.Time) *change {
	next := *old
	next.slices = maps.Clone(old.slices)
	next.order = slices.Clone(old.order)
	next.datapaths = maps.Clone(old.datapaths)
	next.accounts = maps.Clone(old.accounts)
	next.tokens = maps.Clone(old.tokens)
	next.owned = maps.Clone(old.owned)
	return &change{st: &next, stamp: rand.Uint64(), by: by, now: now, touched: map[ofwire.DatapathID]struct{}{}}
}

func (c *change) write(op func(*store.Tx) error) { c.ops = append(c.ops, op) }

func (c *change) event(typ, dpid, slice, detail string) {
	c.events = append(c.events, apitype.Event{Type: typ, DPID: dpid, Slice: slice, Detail: detail})
}

func (c *change) touch(a flowspace.Affected) {
	c.all = c.all || a.AllDatapaths
	for _, d := range a.Datapaths {
		c.touched[ofwire.DatapathID(d)] = struct{}{}
	}
}

// touchSlice touches the datapaths where a slice has rules.
func (c *change) touchSlice(name string) {
	c.st.flows.Each(func(r *flowspace.Rule) bool {
		if r.Permission(name) == 0 {
			return true
		}
		if r.DPIDs.IsAll() {
			c.all = true
			return false
		}
		for d := range r.DPIDs.List() {
			c.touched[ofwire.DatapathID(d)] = struct{}{}
		}
		return true
	})
}

func (c *change) putSlice(s *Slice) {
	c.st.slices[s.Name] = s
	c.st.sortSlices()
	c.limits = true
	rec := s.record()
	c.write(func(tx *store.Tx) error { return tx.PutSlice(rec) })
}

func (c *change) putAccount(a store.Account) {
	c.st.accounts[a.Name] = a
	c.write(func(tx *store.Tx) error { return tx.PutAccount(a) })
}

// applyRules changes the flowspace and says which rules to write.
func (c *change) applyRules(changes []flowspace.Change) (flowspace.Affected, error) {
	next, affected, err := c.st.flows.Apply(changes)
	if err != nil {
		return affected, FromFlowspace(err)
	}
	c.st.flows, c.st.rulesVersion = next, Version{c.st.revision + 1, c.stamp}
	for i, r := range affected.Rules {
		if changes[i].Op == flowspace.Remove || r.Owner == "" {
			delete(c.st.owned, r.ID)
		} else {
			c.st.owned[r.ID] = struct{}{}
		}
	}
	c.touch(affected)
	c.write(func(tx *store.Tx) error {
		gone, put := lastWords(changes, affected.Rules)
		if err := tx.DeleteRules(gone...); err != nil {
			return err
		}
		// A few thousand at a time: the records of a large bulk need not all be there.
		for part := range slices.Chunk(put, 4096) {
			records := make([]store.Rule, len(part))
			for i, r := range part {
				records[i] = recordOf(r)
			}
			if err := tx.PutRules(records...); err != nil {
				return err
			}
		}
		if err := tx.SetRulesRevision(c.st.revision+1, c.stamp); err != nil {
			return err
		}
		return tx.SetNextRuleID(next.NextID())
	})
	return affected, nil
}

// lastWords returns which rules are gone and which are to be written after changes,
// where the last word on each id counts, both in order of id.
func lastWords(changes []flowspace.Change, rules []*flowspace.Rule) (gone []uint64, put []*flowspace.Rule) {
	byID := func(a, b *flowspace.Rule) int { return cmp.Compare(a.ID, b.ID) }
	if !slices.ContainsFunc(changes, func(c flowspace.Change) bool { return c.Op != flowspace.Add }) {
		put = slices.Clone(rules) // each id once
		slices.SortFunc(put, byID)
		return nil, put
	}
	last := make(map[uint64]*flowspace.Rule, len(rules))
	for i, r := range rules {
		if changes[i].Op == flowspace.Remove {
			last[r.ID] = nil
		} else {
			last[r.ID] = r
		}
	}
	for id, r := range last {
		if r == nil {
			gone = append(gone, id)
		} else {
			put = append(put, r)
		}
	}
	slices.Sort(gone)
	slices.SortFunc(put, byID)
	return gone, put
}

// request describes a change for permission and audit.
type request struct {
	by     Principal
	act    action
	slice  string // target of act, if it has one
	action string // name in the audit log
	target string // what it is about, for the audit log
	dryRun bool
}

// do is the one way to change anything: permission, validation by prepare,
// store, publication, answer. It returns the state after the change.
func (s *Service) do(ctx context.Context, r request, prepare func(*change) error) (*state, error) {
	s.mu.Lock()
	cur := s.state.Load()
	if !cur.allowed(r.by, r.act, r.slice) {
		s.mu.Unlock()
		s.refused(r, "not permitted")
		return nil, denied(r.by, strings.ReplaceAll(r.action, "-", " "))
	}
	c := newChange(cur, r.by, s.now())
	err := prepare(c)
	if err == nil && c.st.flows != cur.flows {
		err = c.withdraw()
	}
	if err != nil {
		s.mu.Unlock()
		if KindOf(err) == apitype.KindDenied {
			s.refused(r, err.Error())
		}
		return nil, err
	}
	if r.dryRun {
		s.mu.Unlock()
		return c.st, nil
	}
	if err := s.commitLocked(c, r); err != nil {
		s.mu.Unlock()
		s.log.WithError(err).Error("store refused a change")
		return nil, notWritten(err)
	}
	waits := s.publishLocked(c)
	s.mu.Unlock()
	for _, e := range c.events {
		s.events.emit(c.now, e)
	}
	settle(ctx, waits)
	return c.st, nil
}

// notWritten tells of a disk that is full or broken: the operating system's words help.
func notWritten(err error) *Error {
	detail := "the change could not be written to disk"
	cause := err.Error() // the database does not wrap it
	if i := strings.LastIndex(cause, ": "); i >= 0 {
		detail += cause[i:]
	}
	return &Error{Kind: apitype.KindUnavailable, Detail: detail + "; nothing was changed", Index: -1, Err: err}
}

func (s *Service) commitLocked(c *change, r request) error {
	entry := store.Audit{Time: c.now.UTC(), Who: r.by.Account, From: r.by.From, Action: r.action, Target: clip(r.target), OK: true, Detail: clip(c.detail)}
	err := s.db.Update(func(tx *store.Tx) error {
		for _, op := range c.ops {
			if err := op(tx); err != nil {
				return err
			}
		}
		if _, err := tx.AppendAudit(entry, auditKeep); err != nil {
			return err
		}
		for _, note := range c.notes {
			also := entry
			also.Action, also.Target, also.Detail = "withdraw", clip(note), "follows from "+entry.Action
			if _, err := tx.AppendAudit(also, auditKeep); err != nil {
				return err
			}
		}
		return tx.SetStamp(c.stamp)
	})
	if err == nil {
		c.st.revision, c.st.stamp = c.st.revision+1, c.stamp
	}
	return err
}

// settle waits until the sessions follow, but not for ever.
func settle(ctx context.Context, waits []<-chan struct{}) {
	if len(waits) == 0 {
		return
	}
	timer := time.NewTimer(settleWait)
	defer timer.Stop()
	for _, w := range waits {
		select {
		case <-w:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// refused notes an attempt that was not permitted, a few per second at most.
func (s *Service) refused(r request, why string) {
	s.log.WithField("account", r.by.Account).WithField("from", r.by.From).WithField("action", r.action).Warn("refused")
	s.auditRefusal(store.Audit{Who: r.by.Account, From: r.by.From, Action: r.action, Target: clip(r.target), Detail: clip(why)})
}

// auditRefusal writes an entry about what was refused. A flood of them must not cost a
// write to disk each: those that are left out are counted in the next entry.
func (s *Service) auditRefusal(a store.Audit) {
	if !s.refusals.AllowN(s.now(), 1) {
		s.unlisted.Add(1)
		return
	}
	if n := s.unlisted.Swap(0); n > 0 {
		a.Detail += fmt.Sprintf(" (and %d refusals before it that are not listed)", n)
	}
	s.audit(a)
}

// audit writes an entry that belongs to no change.
func (s *Service) audit(a store.Audit) {
	a.Time = s.now().UTC()
	if err := s.db.Note(func(tx *store.Tx) error {
		_, err := tx.AppendAudit(a, auditKeep)
		return err
	}); err != nil {
		s.log.WithError(err).Error("cannot write the audit log")
	}
}
