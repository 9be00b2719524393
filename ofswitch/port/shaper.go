package port

import (
	"context"
	"sync"
	"time"
)

// NoQueue is the queue of frames that were not enqueued.
const NoQueue uint32 = 0xffffffff

// QueueWriter is a Port with output queues.
type QueueWriter interface {
	Port
	// WriteQueue is Write into a queue; an unknown queue is NoQueue.
	WriteQueue(queue uint32, batch []Frame) (int, error)
}

// Runner is a Port that needs a goroutine while it is attached.
type Runner interface {
	Run(ctx context.Context)
}

// QueueRate is an output queue and its guaranteed rate.
type QueueRate struct {
	ID      uint32
	MinRate uint16 // in 1/10 % of the shaper's rate; above 1000 means none
}

// shaperQueue is how many bytes wait in a queue before more frames are dropped.
const shaperQueue = 1 << 20

// Shaper limits what a port sends to a rate and gives each of its queues at least
// its minimum. What the queues with a guarantee leave is shared by all in turn.
type Shaper struct {
	Port
	rate float64 // bytes a second

	mu     sync.Mutex
	queues []*shapedQueue // the last is NoQueue's
	held   int            // frames waiting
	turn   [2]int         // who is next: within guarantees, beyond them
	wake   chan struct{}  // capacity 1
}

var (
	_ QueueWriter = (*Shaper)(nil)
	_ Runner      = (*Shaper)(nil)
)

type shapedQueue struct {
	id     uint32
	rate   float64 // guaranteed bytes a second
	credit float64 // bytes it may send at once by its guarantee
	frames []Frame
	bytes  int
}

// NewShaper limits p to bits a second. Nothing is sent before Run.
func NewShaper(p Port, bits uint64, queues []QueueRate) *Shaper {
	s := &Shaper{Port: p, rate: float64(bits) / 8, wake: make(chan struct{}, 1)}
	for _, q := range queues {
		sq := &shapedQueue{id: q.ID}
		if q.MinRate <= 1000 {
			sq.rate = s.rate * float64(q.MinRate) / 1000
		}
		s.queues = append(s.queues, sq)
	}
	s.queues = append(s.queues, &shapedQueue{id: NoQueue})
	return s
}

// Write implements Port.
func (s *Shaper) Write(batch []Frame) (int, error) { return s.WriteQueue(NoQueue, batch) }

// WriteQueue implements QueueWriter. The frames are copied; those for which the
// queue has no room are not taken.
func (s *Shaper) WriteQueue(queue uint32, batch []Frame) (int, error) {
	s.mu.Lock()
	q := s.queues[len(s.queues)-1]
	for _, other := range s.queues {
		if other.id == queue {
			q = other
		}
	}
	taken := 0
	for _, f := range batch {
		if q.bytes+len(f.Data) > shaperQueue {
			break
		}
		f.Data = append([]byte(nil), f.Data...)
		q.frames = append(q.frames, f)
		q.bytes += len(f.Data)
		taken++
	}
	s.held += taken
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return taken, nil
}

// Watch passes the port's own Watch on.
func (s *Shaper) Watch(ctx context.Context, changed func(Info)) error {
	if w, ok := s.Port.(Watcher); ok {
		return w.Watch(ctx, changed)
	}
	<-ctx.Done()
	return nil
}

// SetAdmin passes on to the port, if it can be taken down.
func (s *Shaper) SetAdmin(up bool) error {
	if a, ok := s.Port.(Administered); ok {
		return a.SetAdmin(up)
	}
	return nil
}

// quantum is the shortest time the shaper sleeps.
const quantum = time.Millisecond

// Run implements Runner: it sends until ctx is done.
func (s *Shaper) Run(ctx context.Context) {
	burst := max(s.rate*quantum.Seconds()*4, 3000)
	credit, last := burst, time.Now()
	var batch []Frame
	for {
		s.mu.Lock()
		idle := s.held == 0
		s.mu.Unlock()
		if idle {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
		}
		now := time.Now()
		passed := now.Sub(last).Seconds()
		last = now
		credit = min(burst, credit+passed*s.rate)
		s.mu.Lock()
		s.earnLocked(passed, burst)
		batch = batch[:0]
		for credit > 0 && s.held > 0 { // the last frame may overdraw, and is paid for later
			f := s.nextLocked()
			credit -= float64(len(f.Data))
			batch = append(batch, f)
		}
		held := s.held
		s.mu.Unlock()
		if len(batch) > 0 {
			_, _ = s.Port.Write(batch)
			clear(batch)
		}
		if held == 0 {
			continue
		}
		pause := time.NewTimer(max(quantum, time.Duration(-credit/s.rate*float64(time.Second))))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// earnLocked gives the guaranteed queues what the time since has earned them.
func (s *Shaper) earnLocked(seconds, burst float64) {
	for _, q := range s.queues {
		q.credit = min(burst, q.credit+seconds*q.rate)
	}
}

// nextLocked takes the frame to send next: of a queue within its guarantee, else
// of any queue in turn.
func (s *Shaper) nextLocked() Frame {
	n := len(s.queues)
	for beyond := range s.turn {
		for i := range n {
			at := (s.turn[beyond] + i) % n
			if q := s.queues[at]; len(q.frames) > 0 && (beyond == 1 || q.credit > 0) {
				s.turn[beyond] = (at + 1) % n
				return s.takeLocked(q)
			}
		}
	}
	return Frame{} // not reached: held is above 0
}

func (s *Shaper) takeLocked(q *shapedQueue) Frame {
	f := q.frames[0]
	q.frames[0] = Frame{}
	if q.frames = q.frames[1:]; len(q.frames) == 0 {
		q.frames = nil
	}
	q.bytes -= len(f.Data)
	if q.credit > 0 {
		q.credit -= float64(len(f.Data))
	}
	s.held--
	return f
}
