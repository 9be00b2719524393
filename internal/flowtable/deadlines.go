package flowtable

import "container/heap"

// deadlines is a heap of flows by when they are due to be looked at. Packets move
// a flow's real deadline to later without telling the heap, so a flow that comes
// up early is put back.
type deadlines []*Flow

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].due.Before(d[j].due) }

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].where, d[j].where = i, j
}

// Push is for container/heap.
func (d *deadlines) Push(x any) {
	f := x.(*Flow)
	f.where = len(*d)
	*d = append(*d, f)
}

// Pop is for container/heap.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	f := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	f.where = -1
	return f
}

func (d *deadlines) add(f *Flow) {
	if at, _, ok := f.Deadline(); ok {
		f.due = at
		heap.Push(d, f)
	}
}

func (d *deadlines) remove(f *Flow) {
	if f.where >= 0 {
		heap.Remove(d, f.where)
	}
}
