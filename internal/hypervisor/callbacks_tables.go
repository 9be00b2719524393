package hypervisor

import (
	"cmp"
	"slices"
	"sync"

	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// eventFlowsChanged is told to callbacks only: a busy controller makes one a second.
const eventFlowsChanged = "flows-changed"

// tableKey is the flow table of a slice on a datapath.
type tableKey struct {
	dpid  ofwire.DatapathID
	slice string
}

// tableChanges gathers which flow tables have changed since somebody asked.
type tableChanges struct {
	kick chan struct{} // capacity 1: there is something to tell, or somebody new to tell it

	mu      sync.Mutex
	changed map[tableKey]struct{} // guarded by mu
}

func newTableChanges() *tableChanges {
	return &tableChanges{kick: make(chan struct{}, 1), changed: map[tableKey]struct{}{}}
}

func (t *tableChanges) wake() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

func (t *tableChanges) mark(dpid ofwire.DatapathID, slice string) {
	t.mu.Lock()
	t.changed[tableKey{dpid, slice}] = struct{}{}
	t.mu.Unlock()
	t.wake()
}

// take returns what has changed, in order, and forgets it.
func (t *tableChanges) take() []tableKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []tableKey
	for k := range t.changed {
		out = append(out, k)
	}
	clear(t.changed)
	slices.SortFunc(out, func(a, b tableKey) int { return cmp.Or(cmp.Compare(a.dpid, b.dpid), cmp.Compare(a.slice, b.slice)) })
	return out
}

// flowTables lists the flow tables there are.
func (s *Service) flowTables() (out []tableKey) {
	ids, sessions := s.connected()
	for i, id := range ids {
		for _, c := range sessions[i].Status().Connections {
			out = append(out, tableKey{id, c.Slice})
		}
	}
	return out
}

// FlowsChanged is told by a session when the flows of a slice are others than
// they were.
func (s *Service) FlowsChanged(dpid ofwire.DatapathID, slice string) {
	if slices.ContainsFunc(s.state.Load().callbacks, func(cb store.Callback) bool { return cb.Event == callbackFlowTable }) {
		s.tables.mark(dpid, slice)
	}
}
