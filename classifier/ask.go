package classifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire/of10"
)

// askXID and askConn begin the ranges that mark govisor's own questions: xids of
// what the switch is asked, connections of what a slice's virtual switch is asked.
// The core uses none of these xids, and the slicers count their connections from 1.
const (
	askXID  = slicing.ReservedXIDs
	askMask = slicing.ReservedXIDMask
	askConn = slicing.ConnID(0x76760000)
)

// questions are what an operator wants to know and has not been answered yet.
type questions struct {
	open atomic.Int32 // so that no message pays for it

	mu   sync.Mutex
	next uint16
	by   map[uint16]*question // guarded by mu
}

type question struct {
	most  int // bytes of the answer that are kept, 0 is all
	size  int // so far
	parts []of10.Message
	err   error
	done  chan struct{}
}

var errEndless = errors.New("the switch's answer does not end")

func (q *questions) ask(most int) (uint16, *question) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.by == nil {
		q.by = map[uint16]*question{}
	}
	for q.next++; q.by[q.next] != nil; q.next++ {
	}
	one := &question{most: most, done: make(chan struct{})}
	q.by[q.next] = one
	q.open.Store(int32(len(q.by)))
	return q.next, one
}

func (q *questions) drop(n uint16) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.by, n)
	q.open.Store(int32(len(q.by)))
}

// answer takes a message that belongs to a question; false means it does not.
func (q *questions) answer(n uint16, frame []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.by[n]
	if one == nil {
		return false
	}
	m, err := of10.Parse(slices.Clone(frame))
	one.size += len(frame)
	switch {
	case err != nil:
		one.err = err
	case one.most > 0 && one.size > one.most:
		one.err, one.parts = errEndless, nil
	default:
		one.parts = append(one.parts, m)
		if r, ok := m.(*of10.StatsReply); ok && r.Flags&of10.StatsReplyMore != 0 {
			return true
		}
	}
	delete(q.by, n)
	q.open.Store(int32(len(q.by)))
	close(one.done)
	return true
}

// AskSwitch asks the switch itself and returns all parts of its answer, if that has an
// end within slicing.MaxStatsReply.
func (s *Session) AskSwitch(ctx context.Context, req *of10.StatsRequest) ([]*of10.StatsReply, error) {
	n, q := s.ours.ask(slicing.MaxStatsReply)
	defer s.ours.drop(n)
	req.XID = askXID | uint32(n)
	b, err := req.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	s.conn.AppendAll(b)
	s.conn.Flush()
	return s.await(ctx, q)
}

// AskSlice asks a slice's virtual switch as one of its controllers would.
func (s *Session) AskSlice(ctx context.Context, slice string, req *of10.StatsRequest) ([]*of10.StatsReply, error) {
	n, q := s.ours.ask(0)
	defer s.ours.drop(n)
	b, err := req.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	s.Do(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) {
		dp.FromController(now, slice, slicing.Conn{ID: askConn | slicing.ConnID(n), ReadOnly: true}, b, out)
	})
	return s.await(ctx, q)
}

func (s *Session) await(ctx context.Context, q *question) ([]*of10.StatsReply, error) {
	select {
	case <-q.done:
	case <-s.conn.Done():
		return nil, s.conn.Err()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if q.err != nil {
		return nil, q.err
	}
	var out []*of10.StatsReply
	for _, m := range q.parts {
		switch m := m.(type) {
		case *of10.StatsReply:
			out = append(out, m)
		case *of10.Error:
			return nil, m
		default:
			return nil, fmt.Errorf("answered with %v", m.Type())
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no answer")
	}
	return out, nil
}

// ownAnswer takes a message of the switch that answers a question of ours.
func (s *Session) ownAnswer(frame []byte) bool {
	if s.ours.open.Load() == 0 {
		return false
	}
	xid := of10.XID(frame)
	return xid&askMask == askXID && s.ours.answer(uint16(xid), frame)
}
