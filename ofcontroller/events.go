package ofcontroller

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/govisor/govisor/ofwire/of10"
)

// Verdict is what a handler returns: whether the handlers after it run too.
type Verdict uint8

// Verdicts.
const (
	Continue Verdict = iota
	Stop
)

// SwitchUp is the first event of a connection: the handshake is done.
type SwitchUp struct {
	Features *of10.FeaturesReply // shared; not to be changed
}

// SwitchDown is the last event of a connection.
type SwitchDown struct {
	Err error // why it ended
}

// PortChange tells of a port that is other than the last time a PortChange (or
// SwitchUp) told of it. Switches send several PORT_STATUS for one change; this
// comes once, when Config.PortDebounce has passed.
type PortChange struct {
	Reason of10.PortReason
	Port   of10.PhyPort // as it is now; as it was last for PortDeleted
}

// Up reports whether frames can leave by the port.
func (p PortChange) Up() bool { return p.Reason != of10.PortDeleted && portUp(&p.Port) }

func portUp(p *of10.PhyPort) bool {
	return p.Config&of10.PortConfigDown == 0 && p.State&of10.PortStateLinkDown == 0
}

// Unexpected is a message that nobody asked for: a reply without a request, a
// second reply to one, or a message only controllers send.
type Unexpected struct {
	Message of10.Message
}

// handlers are the handlers of one event type. The value is immutable.
type handlers[E any] struct {
	list   []func(*Switch, E) Verdict
	inline bool // all of them were added with OnInline
}

func (h *handlers[E]) run(sw *Switch, e E) Verdict {
	for _, f := range h.list {
		if f(sw, e) == Stop {
			return Stop
		}
	}
	return Continue
}

// registry maps event types to their *handlers. Reading takes no lock.
type registry struct {
	mu     sync.Mutex
	byType atomic.Pointer[map[reflect.Type]any]
}

// On adds a handler for events of type E. It may be called at any time; a
// handler added later hears later events.
func On[E any](c *Controller, handle func(*Switch, E) Verdict) { add(c, handle, false) }

// OnInline is On for a handler that never blocks, in particular on
// Switch.Request: it is called by the goroutine that reads from the switch, if
// all handlers of the type are of this kind and no earlier event waits.
func OnInline[E any](c *Controller, handle func(*Switch, E) Verdict) { add(c, handle, true) }

func add[E any](c *Controller, handle func(*Switch, E) Verdict, inline bool) {
	r := &c.events
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make(map[reflect.Type]any)
	if old := r.byType.Load(); old != nil {
		for t, h := range *old {
			next[t] = h
		}
	}
	h := handlers[E]{inline: inline}
	if old, ok := next[reflect.TypeFor[E]()].(*handlers[E]); ok {
		h.inline = inline && old.inline
		h.list = append(h.list, old.list...)
	}
	h.list = append(h.list, handle)
	next[reflect.TypeFor[E]()] = &h
	r.byType.Store(&next)
}

// handlersOf returns nil if there are none.
func handlersOf[E any](c *Controller) *handlers[E] {
	all := c.events.byType.Load()
	if all == nil {
		return nil
	}
	h, _ := (*all)[reflect.TypeFor[E]()].(*handlers[E])
	return h
}

// Emit runs the handlers for an event now. It is for use in a handler of the
// same switch, whose place in the order of events it takes; anyone else Posts.
func Emit[E any](sw *Switch, e E) Verdict {
	if h := handlersOf[E](sw.c); h != nil {
		return h.run(sw, e)
	}
	return Continue
}

// Post puts an event behind those the switch's handlers have not yet seen. It
// does not block. The error is ErrGone, or ErrBehind when the handlers are too
// far behind.
func Post[E any](sw *Switch, e E) error {
	if handlersOf[E](sw.c) == nil {
		return sw.goneError()
	}
	return sw.queue.push(func() { Emit(sw, e) })
}

// Do runs f in the order of the switch's events, like a handler.
func (sw *Switch) Do(f func()) error { return sw.queue.push(f) }

// PanicError is the reason for the end of a connection whose handler panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("handler panicked: %v", e.Value) }
