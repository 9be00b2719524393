package hypervisor

import (
	"sync"
	"time"

	"github.com/govisor/govisor/api/apitype"
)

// Types of event.
const (
	EventDatapathConnected    = "datapath-connected"
	EventDatapathDisconnected = "datapath-disconnected"
	EventDatapathUpdated      = "datapath-updated" // its ports or configuration
	EventSliceCreated         = "slice-created"
	EventSliceUpdated         = "slice-updated"
	EventSliceRemoved         = "slice-removed"
	EventFlowspaceChanged     = "flowspace-changed"
	EventControllerConnected  = "controller-connected"
	EventControllerLost       = "controller-disconnected"
	EventLinkAdded            = "link-added"
	EventLinkRemoved          = "link-removed"
	EventSettingsChanged      = "settings-changed"
	EventConfigImported       = "config-imported"
)

// eventsKept is how many past events a subscriber can ask for; subscriberQueue
// how many one may be behind before it is cut off.
const (
	eventsKept      = 1000
	subscriberQueue = 256
)

// events hands out what happened. A slow subscriber is cut off, not waited for.
type events struct {
	mu   sync.Mutex
	last uint64
	ring []apitype.Event // oldest first
	subs map[*Subscription]struct{}
}

// Subscription is one listener. C is closed when it was too slow, or closed.
type Subscription struct {
	C    <-chan apitype.Event
	c    chan apitype.Event
	from *events
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.from.mu.Lock()
	defer s.from.mu.Unlock()
	s.from.dropLocked(s)
}

func newEvents() *events { return &events{subs: map[*Subscription]struct{}{}} }

func (e *events) dropLocked(s *Subscription) {
	if _, ok := e.subs[s]; ok {
		delete(e.subs, s)
		close(s.c)
	}
}

func (e *events) emit(now time.Time, ev apitype.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	ev.ID, ev.Time = e.last, now.UTC()
	if len(e.ring) == eventsKept {
		e.ring = append(e.ring[:0:0], e.ring[eventsKept/10:]...)
	}
	e.ring = append(e.ring, ev)
	for s := range e.subs {
		select {
		case s.c <- ev:
		default:
			e.dropLocked(s)
		}
	}
}

// subscribe returns the kept events after the given id, 0 for none of them, and
// a subscription to what follows without a gap. An id that was not given out yet is from
// before a restart: all that is kept happened since.
func (e *events) subscribe(after uint64) ([]apitype.Event, *Subscription) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var past []apitype.Event
	if after > 0 {
		for _, ev := range e.ring {
			if ev.ID > after || after > e.last {
				past = append(past, ev)
			}
		}
	}
	c := make(chan apitype.Event, subscriberQueue)
	s := &Subscription{C: c, c: c, from: e}
	e.subs[s] = struct{}{}
	return past, s
}

// Emit tells subscribers what happened on a session.
func (s *Service) Emit(typ, dpid, slice, detail string) {
	s.events.emit(s.now(), apitype.Event{Type: typ, DPID: dpid, Slice: slice, Detail: detail})
}
