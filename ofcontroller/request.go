package ofcontroller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/govisor/govisor/ofwire/of10"
)

// maxOutstanding bounds the requests of one switch without a reply, and
// maxEntries the entries gathered for one reply in parts.
const (
	maxOutstanding = 4096
	maxEntries     = 1 << 20
)

// request is something the switch will answer, or refuse.
type request struct {
	want  of10.Type
	done  chan struct{} // nil if nobody waits: the answer is told as an event
	reply of10.Message
	err   error
	parts *of10.StatsReply
	xids  []uint32 // further messages whose errors concern it (Apply)
	ended bool
}

// end lets the waiter go on.
func (r *request) end() {
	if r.done != nil && !r.ended {
		close(r.done)
	}
	r.ended = true
}

// requests are the outstanding ones. All of it is guarded by mu.
type requests struct {
	mu    sync.Mutex
	byXID map[uint32]*request
	gone  error
}

// replyType is the answer that a message asks for.
func replyType(t of10.Type) (of10.Type, bool) {
	switch t {
	case of10.TypeFeaturesRequest:
		return of10.TypeFeaturesReply, true
	case of10.TypeGetConfigRequest:
		return of10.TypeGetConfigReply, true
	case of10.TypeStatsRequest:
		return of10.TypeStatsReply, true
	case of10.TypeBarrierRequest:
		return of10.TypeBarrierReply, true
	case of10.TypeQueueGetConfigRequest:
		return of10.TypeQueueGetConfigReply, true
	}
	return 0, false
}

// Request sends a message that has a reply and waits for it. Statistics come
// whole, however many messages they are sent in. A refusal is an *of10.Error.
// Without a reply in time the error wraps ErrNoAnswer; a context without a
// deadline gets Config.RequestTimeout. It must not be called by a handler added
// with OnInline.
func (sw *Switch) Request(ctx context.Context, m of10.Message) (of10.Message, error) {
	want, ok := replyType(m.Type())
	if !ok {
		return nil, fmt.Errorf("a %v has no reply; use Apply", m.Type())
	}
	return sw.ask(ctx, &request{want: want, done: make(chan struct{})}, m)
}

// Barrier waits until the switch has finished everything sent before.
func (sw *Switch) Barrier(ctx context.Context) error {
	_, err := sw.Request(ctx, &of10.BarrierRequest{})
	return err
}

// Apply sends messages without replies, such as flow_mods, and waits until the
// switch has finished them. The error is the first refusal, an *of10.Error.
func (sw *Switch) Apply(ctx context.Context, messages ...of10.Message) error {
	r := &request{want: of10.TypeBarrierReply, done: make(chan struct{})}
	for _, m := range messages {
		if m.TransactionID() == 0 {
			m.SetTransactionID(sw.NextXID())
		}
		r.xids = append(r.xids, m.TransactionID())
	}
	_, err := sw.ask(ctx, r, append(slices.Clone(messages), &of10.BarrierRequest{})...)
	return err
}

// ask sends messages of which the last has a reply, and waits for it.
func (sw *Switch) ask(ctx context.Context, r *request, messages ...of10.Message) (of10.Message, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, sw.cfg.RequestTimeout)
		defer cancel()
	}
	last := messages[len(messages)-1]
	last.SetTransactionID(sw.NextXID())
	xids := append(slices.Clone(r.xids), last.TransactionID())
	if err := sw.requests.add(r, xids); err != nil {
		return nil, err
	}
	defer sw.requests.forget(xids)
	for _, m := range messages {
		if err := sw.write(m); err != nil {
			return nil, err
		}
	}
	sw.conn.Flush()
	select {
	case <-r.done:
		return r.reply, r.err
	case <-ctx.Done():
		err := context.Cause(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %v: %w", ErrNoAnswer, last.Type(), err)
		}
		return nil, err
	}
}

func (q *requests) add(r *request, xids []uint32) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone != nil {
		return q.gone
	}
	for _, xid := range xids {
		q.byXID[xid] = r
	}
	return nil
}

// expect notes a request that Send has sent. Beyond the bound an arbitrary older
// one is forgotten; its answer will count as unexpected.
func (q *requests) expect(xid uint32, want of10.Type) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.byXID) >= maxOutstanding {
		for old, r := range q.byXID {
			if r.done == nil {
				delete(q.byXID, old)
				break
			}
		}
	}
	q.byXID[xid] = &request{want: want}
}

func (q *requests) forget(xids []uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, xid := range xids {
		delete(q.byXID, xid)
	}
}

// answer delivers a reply; false if nobody asked for it.
func (q *requests) answer(m of10.Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.byXID[m.TransactionID()]
	if r == nil || r.want != m.Type() {
		return false
	}
	r.reply = m
	q.finishLocked(m.TransactionID(), r)
	return true
}

// finishLocked ends a request. An earlier error of it stays.
func (q *requests) finishLocked(xid uint32, r *request) {
	delete(q.byXID, xid)
	for _, x := range r.xids {
		delete(q.byXID, x)
	}
	r.end()
}

// failed delivers an error to the request it is about, if there is one.
func (q *requests) failed(e *of10.Error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.byXID[e.XID]
	if r == nil {
		return
	}
	if r.err == nil {
		r.err = e
	}
	if slices.Contains(r.xids, e.XID) {
		return // the barrier's reply is still to come
	}
	q.finishLocked(e.XID, r)
}

// part takes one message of a statistics reply. known is false if nobody asked
// for it; whole is the reply when this was its last part.
func (q *requests) part(m *of10.StatsReply) (whole *of10.StatsReply, known bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.byXID[m.XID]
	if r == nil || r.want != of10.TypeStatsReply || r.parts != nil && r.parts.StatsType != m.StatsType {
		return nil, false, nil
	}
	if r.parts == nil {
		first := *m
		r.parts = &first
	} else if r.parts.Body, err = joinStats(r.parts.Body, m.Body); err != nil {
		return nil, true, err
	}
	if m.Flags&of10.StatsReplyMore != 0 {
		return nil, true, nil
	}
	r.parts.Flags &^= of10.StatsReplyMore
	r.reply = r.parts
	q.finishLocked(m.XID, r)
	return r.parts, true, nil
}

var errTooManyEntries = errors.New("statistics reply does not end")

func joinStats(a, b of10.StatsBody) (of10.StatsBody, error) {
	switch b := b.(type) {
	case of10.FlowStatsReply:
		return joined(a, b)
	case of10.TableStatsReply:
		return joined(a, b)
	case of10.PortStatsReply:
		return joined(a, b)
	case of10.QueueStatsReply:
		return joined(a, b)
	case of10.VendorStats:
		if a, ok := a.(of10.VendorStats); ok {
			a.Data = slices.Concat(a.Data, b.Data)
			if len(a.Data) > 64*maxEntries {
				return nil, errTooManyEntries
			}
			return a, nil
		}
	case nil:
		return a, nil
	}
	return b, nil // one of a kind: the last word counts
}

func joined[L ~[]E, E any](a of10.StatsBody, b L) (of10.StatsBody, error) {
	list, _ := any(a).(L)
	if len(list)+len(b) > maxEntries {
		return nil, errTooManyEntries
	}
	return any(append(slices.Clip(list), b...)).(of10.StatsBody), nil
}

// fail ends all requests of a connection that is gone.
func (q *requests) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gone = err
	for _, r := range q.byXID {
		if r.err == nil {
			r.err = err
		}
		r.end()
	}
	clear(q.byXID)
}

func sortPortChanges(list []PortChange) {
	slices.SortFunc(list, func(a, b PortChange) int { return cmp.Compare(a.Port.PortNo, b.Port.PortNo) })
}
