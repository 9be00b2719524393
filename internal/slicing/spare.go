package slicing

import "sync"

// spareFlows has the memory of flows that nothing refers to any more. Flows that replace
// each other come and go by the hundred thousand.
var spareFlows = sync.Pool{New: func() any { return new(vflow) }}

// newEntry is memory for an entry of f, which is nil for a guard.
func (f *vflow) newEntry() *entry {
	if f == nil {
		return new(entry)
	}
	if f.entered {
		f.more = true
		return new(entry)
	}
	f.entered = true
	return &f.firstEntry
}

// confirmedInTurn is confirmed for a message before which there is none left. After the
// last one of t nothing that is on its way is about the flow that t has replaced, so that
// its memory can be used again. A flow that came back because t was refused is in use.
func (d *Datapath) confirmedInTurn(t *txn) {
	if t == nil {
		return
	}
	old, failed := t.replaced, t.failed
	d.confirmed(t)
	if finished := t.slice == nil; !finished || failed || old == nil || !d.spent(old) {
		return
	}
	if d.reusing != nil {
		d.reusing(old)
	}
	spareFlows.Put(old)
}

// spent reports whether a flow that has been replaced is off the books. It is told by the
// one entry that most flows have; others are taken for not.
func (d *Datapath) spent(f *vflow) bool {
	if !f.ended || f.touched || f.more {
		return false
	}
	e := &f.firstEntry
	return !f.entered || e.dead && d.cookies.get(e.cookie) != e
}
