package hypervisor

import (
	"strings"

	"github.com/govisor/govisor/flowspace"
)

// draft is the flowspace as the steps of a bulk looked at so far leave it: what later
// steps mean by a name or a number.
type draft struct {
	st      *state
	changed map[uint64]*flowspace.Rule // rules of the state; nil for removed
	added   map[string]*flowspace.Rule // by name, without a number yet
}

// add notes a new rule. One without a name is given one later, and cannot be meant.
func (d *draft) add(r *flowspace.Rule) {
	if d != nil && r.Name != "" {
		fresh := *r
		fresh.ID = 0 // the name will do
		d.added[r.Name] = &fresh
	}
}

// find is findRule with what the steps before did. It is nil for none.
func (d *draft) find(ref string) *flowspace.Rule {
	name, _ := strings.CutPrefix(ref, nameRef)
	for _, n := range []string{ref, name} {
		if r := d.added[n]; r != nil {
			return r
		}
	}
	r := d.st.findRule(ref)
	if r == nil {
		return nil
	}
	if now, touched := d.changed[r.ID]; touched {
		return now
	}
	return r
}

// change notes what becomes of a rule that find gave: next, or nothing.
func (d *draft) change(r, next *flowspace.Rule) {
	switch {
	case r.ID != 0:
		d.changed[r.ID] = next
	case next == nil:
		delete(d.added, r.Name)
	default:
		d.added[r.Name] = next
	}
}
