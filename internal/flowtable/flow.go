package flowtable

import (
	"slices"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// Flow is one entry of a table. The table owns Match, Priority and what they are
// indexed by; the user may update the counters (see Hit) and Aux at any time.
type Flow struct {
	next  *Flow // of the same pattern, in lookup order
	level int32 // see Level
	live  bool

	Priority uint16        // as given, also for exact flows
	Actions  []of10.Action // never changed in place, only replaced
	Aux      any           // belongs to the table's user
	Match    of10.Match    // normalised
	Idle     uint16        // seconds without a packet until the flow ends, 0 = no limit
	Hard     uint16        // seconds until the flow ends, 0 = no limit
	Flags    of10.FlowModFlags
	Cookie   uint64
	Packets  uint64
	Bytes    uint64
	Created  time.Time
	LastUsed time.Time // of the last packet; Created before the first

	pat   Pattern
	seq   uint64
	where int // place in the deadline heap, -1 when not in it
	due   time.Time
}

// New makes a flow of a flow_mod. Actions are copied, so that fm may alias a
// read buffer.
func New(now time.Time, fm *of10.FlowMod) *Flow {
	f := new(Flow)
	f.Init(now, fm, of10.CloneActions(fm.Actions))
	return f
}

// Init makes f, whose memory is the caller's, the flow of a flow_mod with the given
// actions, which become the flow's. F must not be in a table.
func (f *Flow) Init(now time.Time, fm *of10.FlowMod, actions []of10.Action) {
	*f = Flow{
		Match: fm.Match.Normalize(), Priority: fm.Priority, Cookie: fm.Cookie, Actions: actions,
		Idle: fm.IdleTimeout, Hard: fm.HardTimeout, Flags: fm.Flags, Created: now, LastUsed: now, where: -1,
	}
	f.pat = MakePattern(&f.Match)
	if f.level = int32(f.Priority); f.pat.Exact() {
		f.level = levelExact
	}
}

// Pattern is the flow's match, packed.
func (f *Flow) Pattern() *Pattern { return &f.pat }

// Exact reports whether the flow wildcards nothing and so lies above all
// flows that do.
func (f *Flow) Exact() bool { return f.level == levelExact }

// Seq orders flows by when they were inserted.
func (f *Flow) Seq() uint64 { return f.seq }

// Live reports whether the flow is in a table.
func (f *Flow) Live() bool { return f.live }

// Level is the priority that counts in lookups: that of the flow, or 65536 for
// an exact flow.
func (f *Flow) Level() int32 { return f.level }

// levelExact is above all priorities.
const levelExact = 1 << 16

// Hit counts one packet of n bytes.
func (f *Flow) Hit(now time.Time, n int) {
	f.Packets++
	f.Bytes += uint64(n)
	f.LastUsed = now
}

// Deadline returns when the flow ends if no further packet comes, and why;
// ok is false for a flow without timeouts.
func (f *Flow) Deadline() (at time.Time, reason of10.FlowRemovedReason, ok bool) {
	if f.Hard != 0 {
		at, reason, ok = f.Created.Add(time.Duration(f.Hard)*time.Second), of10.RemovedHardTimeout, true
	}
	if f.Idle != 0 {
		if idle := f.LastUsed.Add(time.Duration(f.Idle) * time.Second); !ok || idle.Before(at) {
			at, reason, ok = idle, of10.RemovedIdleTimeout, true
		}
	}
	return at, reason, ok
}

// Outputs reports whether the flow has an OUTPUT or ENQUEUE action to port;
// PortNone stands for no filter, which every flow passes.
func (f *Flow) Outputs(port of10.Port) bool {
	return port == of10.PortNone || slices.ContainsFunc(f.Actions, func(a of10.Action) bool {
		return (a.Type == of10.ActionOutput || a.Type == of10.ActionEnqueue) && a.Port == port
	})
}

// before is the order of lookups.
func before(a, b *Flow) bool {
	if la, lb := a.Level(), b.Level(); la != lb {
		return la > lb
	}
	return a.seq < b.seq
}
