package slicing

import (
	"container/heap"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// deadlines is a heap of the virtual flows whose end govisor itself has to see to.
type deadlines []*vflow

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].due.Before(d[j].due) }

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].heapAt, d[j].heapAt = i, j
}

// Push is for container/heap.
func (d *deadlines) Push(x any) {
	f := x.(*vflow)
	f.heapAt = len(*d)
	*d = append(*d, f)
}

// Pop is for container/heap.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	f := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	f.heapAt = -1
	return f
}

func (d *deadlines) remove(f *vflow) {
	if f.heapAt >= 0 {
		heap.Remove(d, f.heapAt)
	}
}

// deadline is when f ends as far as govisor can tell. The idle timeout is the
// switch's business as long as it has a piece of f.
func (d *Datapath) deadline(f *vflow) (at time.Time, reason of10.FlowRemovedReason, ok bool) {
	if f.flow.Hard != 0 {
		at, reason, ok = f.flow.Created.Add(time.Duration(f.flow.Hard)*time.Second), of10.RemovedHardTimeout, true
	}
	if f.flow.Idle != 0 && f.live == 0 {
		if idle := f.flow.LastUsed.Add(time.Duration(f.flow.Idle) * time.Second); !ok || idle.Before(at) {
			at, reason, ok = idle, of10.RemovedIdleTimeout, true
		}
	}
	return at, reason, ok
}

func (d *Datapath) schedule(f *vflow) {
	at, _, ok := d.deadline(f)
	switch {
	case !ok:
		d.deadlines.remove(f)
	case f.heapAt < 0:
		f.due = at
		heap.Push(&d.deadlines, f)
	case !f.due.Equal(at):
		f.due = at
		heap.Fix(&d.deadlines, f.heapAt)
	}
}

// end takes a flow out of its slice's table. With announce, a flow_removed goes
// out when the counters of all its pieces are in and the controller asked for it.
func (d *Datapath) end(now time.Time, f *vflow, reason of10.FlowRemovedReason, announce bool) {
	if f.ended {
		return
	}
	f.ended, f.reason, f.endAt = true, reason, now
	f.announce = announce && f.flow.Flags&of10.FlowModSendFlowRem != 0
	f.slice.table.Remove(f.flow)
	d.drop(f)
	if q := f.slice.cfg.Quota; q != nil {
		q.Release(1)
	}
	f.expired = reason != of10.RemovedDelete
}

// announceIfDone sends the one flow_removed of a flow that has ended.
func (d *Datapath) announceIfDone(f *vflow, out *Out) {
	if !f.announce || f.waiting > 0 || f.live > 0 {
		return
	}
	f.announce = false
	sec, nsec := duration(f.endAt.Sub(f.flow.Created))
	out.deliver(f.slice.name, AllConns, &of10.FlowRemoved{
		Match: f.flow.Match, Cookie: f.flow.Cookie, Priority: f.flow.Priority, Reason: f.reason,
		DurationSec: sec, DurationNsec: nsec, IdleTimeout: f.flow.Idle, PacketCount: f.packets, ByteCount: f.bytes,
	})
}

func duration(d time.Duration) (sec, nsec uint32) {
	d = max(d, 0)
	return uint32(d / time.Second), uint32(d % time.Second)
}

// fromFlowRemoved books a physical flow that has gone.
func (d *Datapath) fromFlowRemoved(now time.Time, m *of10.FlowRemoved, out *Out) {
	e := d.cookies.get(m.Cookie)
	if e == nil {
		d.Counters.drop(DropUnknownCookie)
		return
	}
	f := e.flow
	if e.kind == kindFlow {
		f.count(m.PacketCount, m.ByteCount)
		f.slice.table.Changed()
	}
	if e.dead {
		if e.kind == kindFlow && m.PacketCount > 0 && !f.ended && e.deleted.After(f.flow.LastUsed) {
			f.flow.LastUsed = e.deleted
		}
		d.buried(e)
		d.settle(now, out)
		return
	}
	d.lose(e)
	if d.mayBeBack(e) {
		d.sendFlowMod(e, of10.FlowDeleteStrict, nil, out)
	}
	if e.kind == kindFlow && !f.ended {
		d.pieceGone(now, e, m.Reason)
	}
	d.flush(now, nil, out)
}

// pieceGone decides what the end of a piece in the switch means for its flow.
func (d *Datapath) pieceGone(now time.Time, e *entry, reason of10.FlowRemovedReason) {
	f := e.flow
	switch reason {
	case of10.RemovedHardTimeout:
		d.end(now, f, reason, true)
	case of10.RemovedIdleTimeout:
		if f.live == 0 && !f.flow.LastUsed.Add(time.Duration(f.flow.Idle)*time.Second).After(now) {
			d.end(now, f, reason, true)
			return
		}
		for _, p := range f.pieces {
			if p.slot == e.slot {
				p.gone = true
			}
		}
	default: // somebody else deleted it: flush puts it back
	}
}
