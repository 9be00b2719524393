package slicing

import (
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// vflow is a flow of a slice's virtual table with what it has become. What every change
// looks at comes first, so that it is together in memory.
type vflow struct {
	flow   *flowtable.Flow // &own, or somebody's trial
	slice  *slice
	pieces []*piece
	level  int32

	ended    bool
	expired  bool // by a timeout
	announce bool // flow_removed is due
	touched  bool // already in d.touched
	begun    bool // first is used
	entered  bool // firstEntry is used
	more     bool // it has had other pieces or entries, too
	away     bool // stands for a slice that is not there, see away.go

	// live is the number of its entries the switch has; waiting the number of
	// entries that were deleted and whose counters have not come back yet.
	live, waiting int32
	own           flowtable.Flow
	// Memory of the first piece and the first entry it ever has.
	firstIn    [1]*piece
	first      piece
	firstEntry entry

	heapAt  int    // place in the deadline heap, -1 when not in it
	seq     uint64 // of insertion, over all slices of the datapath
	changed uint64 // id of the last txn that made or changed it, 0 once that is undone
	packets uint64 // of entries that are gone, and of frames govisor forwarded
	bytes   uint64
	due     time.Time
	endAt   time.Time
	reason  of10.FlowRemovedReason
}

// piece is the part of a virtual flow that lies in one rule, or in several when
// they were merged.
type piece struct {
	flow   *vflow
	slot   *slot
	rule   *ruleInfo
	guards []*slot
	ranked []*ruleInfo // whose rank the piece holds on to
	gone   bool        // idled out in the switch while the flow lives on
	carve  bool        // the part of the piece that govisor has to look at itself
}

// entryKind is what a physical flow is for.
type entryKind uint8

const (
	kindFlow entryKind = iota
	kindSentinel
	kindGuard
	kindDrop
)

// entry is one physical flow.
type entry struct {
	cookie  uint64
	slot    *slot
	flow    *vflow // nil for guards
	actions []of10.Action
	number  uint16
	idle    uint16
	hard    uint16
	kind    entryKind
	dead    bool      // deleted or replaced; kept until its counters are in
	changed uint32    // xid of its last MODIFY, 0 for none
	heir    uint32    // xid of the ADD that has replaced it
	since   time.Time // when it was sent
	deleted time.Time // when govisor deleted it
}

// match is what the entry's physical flow matches.
func (e *entry) match() of10.Match {
	if e.flow != nil && e.slot.pat == *e.flow.flow.Pattern() {
		return e.flow.flow.Match
	}
	return e.slot.pat.Match()
}

// region is the space of the flow's match. It is large, and needed rarely.
func (f *vflow) region() flowspace.Match { return fs10.FromMatch(f.flow.Match) }

// beats reports whether f hides b where both match and their slices share a rule.
func (f *vflow) beats(b *vflow) bool {
	if f.level != b.level {
		return f.level > b.level
	}
	if f.slice != b.slice && *f.flow.Pattern() == *b.flow.Pattern() {
		return f.seq > b.seq
	}
	return f.seq < b.seq
}

// isDrop reports whether f stands for a port the slice does not want frames from.
func (f *vflow) isDrop() bool { return f.level == levelDrop || f.away }

func (f *vflow) count(packets, bytes uint64) {
	f.packets += packets
	f.bytes += bytes
	f.slice.matched += packets
}

// hit counts a frame that govisor forwarded itself on behalf of f.
func (f *vflow) hit(now time.Time, n int) {
	f.count(1, uint64(n))
	f.flow.LastUsed = now
}

// winnerAt is the virtual flow that a header owned by rule i hits, nil for a miss.
func (d *Datapath) winnerAt(i *ruleInfo, w *flowtable.Words) *vflow {
	var best *vflow
	for _, name := range i.writers {
		s := d.slices[name]
		if s == nil {
			continue
		}
		f := s.lookup(w)
		if f != nil && (best == nil || f.beats(best)) {
			best = f
		}
	}
	return best
}

// stpMAC is where 802.1D spanning tree frames go.
var stpMAC = ofwire.MAC{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}

// closed reports whether the slice wants no frames to dst from a port.
func (s *slice) closed(p of10.Port, dst [6]byte) bool {
	on := s.bits[p].on()
	switch {
	case !s.owns(p) || on == 0:
		return false
	case on&of10.PortConfigDown != 0:
		return true
	case dst == stpMAC:
		return on&of10.PortConfigNoRecvSTP != 0
	}
	return on&of10.PortConfigNoRecv != 0
}

// lookup is the virtual flow w hits in the slice's own table, nil for a miss.
func (s *slice) lookup(w *flowtable.Words) *vflow {
	if len(s.drops) > 0 {
		h := w.Header()
		if drop := s.drops[of10.Port(h.InPort)]; drop != nil && s.closed(of10.Port(h.InPort), h.DLDst) { // none: the switch has refused it
			return drop
		}
	}
	return s.inTable(w)
}

// inTable is lookup whatever the ports' config.
func (s *slice) inTable(w *flowtable.Words) *vflow {
	return vflowOf(s.table.LookupWords(w))
}
