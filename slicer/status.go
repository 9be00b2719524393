package slicer

import (
	"time"

	"github.com/govisor/govisor/ofwire"
)

// State is how far the session is with its controller.
type State uint8

// The states, in order.
const (
	Idle       State = iota // no controller is configured
	Connecting              // an attempt is under way
	Waiting                 // pausing before the next attempt
	Connected
)

func (s State) String() string {
	return [...]string{"idle", "connecting", "backoff", "connected"}[s]
}

// Status is the state of the slice's primary controller, and why.
type Status struct {
	State         State
	Controller    ofwire.Target // connected, or tried last
	Local, Remote string        // of the connection, when connected
	Since         time.Time     // of being connected, or of not being
	Retry         time.Time     // the next attempt, when Waiting
	LastError     string        // of the last attempt or connection that failed
	Attempts      uint64
	Connects      uint64
}

// Status is the present state.
func (s *Session) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// setStatus changes the status and tells whoever wants to know.
func (s *Session) setStatus(change func(*Status)) {
	s.mu.Lock()
	before := s.status.State
	change(&s.status)
	steady := before == s.status.State || before != Idle && before != Connected && s.status.State != Idle && s.status.State != Connected
	if !steady || s.status.Since.IsZero() {
		s.status.Since = time.Now()
	}
	now := s.status
	s.mu.Unlock()
	if s.opts.Changed != nil {
		s.opts.Changed(now)
	}
}
