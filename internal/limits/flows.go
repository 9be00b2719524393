package limits

import "sync/atomic"

// Flows counts virtual flows against a limit that may change while running. The
// zero value counts without limit.
type Flows struct {
	within *Flows       // counts them as well, and has a limit of its own; static
	used   atomic.Int64 //
	limit  atomic.Int64 // limit + 1; 0 is no limit, so that the zero value has none
}

// SetLimit sets the largest number of flows; below 0 is no limit. Flows that are
// there already stay.
func (f *Flows) SetLimit(n int64) { f.limit.Store(max(n, -1) + 1) }

// Limit is the largest number of flows, -1 for no limit.
func (f *Flows) Limit() int64 { return f.limit.Load() - 1 }

// Used is the number of flows counted.
func (f *Flows) Used() int64 { return f.used.Load() }

// Reserve counts n more flows if the limit allows all of them, and so do those
// that f is within.
func (f *Flows) Reserve(n int64) bool {
	for {
		used, limit := f.used.Load(), f.limit.Load()-1
		if limit >= 0 && used+n > limit {
			return false
		}
		if f.used.CompareAndSwap(used, used+n) {
			break
		}
	}
	if f.within == nil || f.within.Reserve(n) {
		return true
	}
	f.used.Add(-n)
	return false
}

// Count counts n more flows that are there whatever the limit says.
func (f *Flows) Count(n int64) {
	for ; f != nil; f = f.within {
		f.used.Add(n)
	}
}

// Release gives back n flows.
func (f *Flows) Release(n int64) { f.Count(-n) }
