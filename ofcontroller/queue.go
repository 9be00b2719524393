package ofcontroller

import (
	"sync"
	"sync/atomic"
)

// hardLimit is the number of waiting events, besides packet_ins, at which a
// connection is given up: its handlers will not catch up.
const hardLimit = 1 << 16

// queue holds what the handlers of one switch still have to do.
type queue struct {
	limit   int           // of waiting events at which packet_ins are dropped
	wake    chan struct{} // capacity 1
	waiting atomic.Int64  // pushed and not yet done
	dropped atomic.Uint64

	mu     sync.Mutex
	tasks  []func() // guarded by mu
	closed bool     // guarded by mu
}

func newQueue(limit int) *queue { return &queue{limit: limit, wake: make(chan struct{}, 1)} }

// idle reports whether nothing waits and no handler runs from the queue.
func (q *queue) idle() bool { return q.waiting.Load() == 0 }

// offer pushes a task that may be dropped, unless too many wait.
func (q *queue) offer(task func()) {
	if q.waiting.Load() >= int64(q.limit) || q.push(task) != nil {
		q.dropped.Add(1)
	}
}

// push never blocks; it fails with ErrGone after finish and with ErrBehind when
// far too many tasks wait.
func (q *queue) push(task func()) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrGone
	}
	if q.waiting.Load() >= hardLimit {
		return ErrBehind
	}
	q.pushLocked(task)
	return nil
}

func (q *queue) pushLocked(task func()) {
	q.waiting.Add(1)
	q.tasks = append(q.tasks, task)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// finish pushes the last task.
func (q *queue) finish(task func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pushLocked(task)
	q.closed = true
}

// run does the tasks, one after the other, until the last is done.
func (q *queue) run(do func(func())) {
	var batch []func()
	for {
		q.mu.Lock()
		batch, q.tasks = q.tasks, batch[:0]
		closed := q.closed
		q.mu.Unlock()
		for i, task := range batch {
			do(task)
			batch[i] = nil
			q.waiting.Add(-1)
		}
		if len(batch) > 0 {
			continue
		}
		if closed {
			return
		}
		<-q.wake
	}
}
