package slicing

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// Datapath is the core of one datapath. See the package comment for locking.
type Datapath struct {
	cfg  Config
	view *flowspace.View

	// Counters may be read at any time.
	Counters Counters

	// What is known of the switch.
	features of10.FeaturesReply // without ports
	ports    []of10.PhyPort     // by number

	slices map[string]*slice

	// The book of what belongs into the switch, and what is there.
	rules     map[*flowspace.Rule]*ruleInfo
	lldp      []*ruleInfo
	ranks     ranking
	numbers   numbering
	slots     map[slotKey]*slot
	points    map[flowtable.Words]*slot
	soft      map[*slot]struct{}
	dependent map[*vflow]struct{} // see depends
	cookies   cookieBook
	cookie    uint64
	seq       uint64

	// What the switch has been asked.
	xid         uint32
	pending     book
	adoption    *pending // which no barrier makes obsolete
	unconfirmed int
	undone      uint32 // xid of the last message that takes back what the switch refused, 0 for none
	confirmAt   time.Time
	missSend    uint16 // as the switch was told last
	frag        of10.ConfigFlags

	deadlines deadlines
	punts     []punt
	aways     []*vflow
	adopting  bool
	tableSize uint32 // of the switch's largest table; 0 until it has told

	fast        atomic.Pointer[fastView]
	fastHeader  packet.Header // of FastPacketIn alone
	realBuffers *realBuffers

	// Work in progress within one call, and memory used again.
	dirty, spare []*slot
	wants        []want
	moves        []move
	work, checks int  // of the flow_mod at hand, see maxActions and maxChecks
	scarce       int  // see scarceNumbers
	allMarked    bool // every soft point is marked, see withMany
	touched      []*vflow
	buffer       uint32 // real buffer for the next entry of a slot with buffer set
	restarted    int    // idle timers that began anew because a flow had to be moved
	actions      []of10.Action
	overRules    []*flowspace.Rule
	overInfos    []*ruleInfo
	rankRules    []*flowspace.Rule
	flowModMsg   of10.FlowMod
	packetOutMsg of10.PacketOut

	sparePending  []*pending
	spareTxns     []*txn
	txns          uint64   // id of the last one
	outBuffered   buffered // of packetOut
	ingressPorts  []uint32
	specs         []spec          // of derive
	flowRegion    flowspace.Match // of overlappingFlow
	few           int             // rules that are looked at one by one, see above
	serial        uint64          // of derive
	reusing       func(*vflow)    // of tests, see confirmedInTurn; may be nil
	nearRegion    flowspace.Match
	nearRules     []*flowspace.Rule
	nearPiece     []*ruleInfo
	nearGuard     []*ruleInfo
	cutPattern    [2]flowtable.Pattern
	packetOutSent of10.PacketOut
	flowModSent   of10.FlowMod
}

// cookieBase marks the cookies of govisor's flows: the letters GV over a number.
const (
	cookieBase = uint64(0x4756) << 48
	cookieMask = uint64(0xffff) << 48
)

// minMissSend is the smallest miss_send_len the switch is given: enough for the
// headers a match looks at, and for an LLDP mark behind ordinary chassis and port ids.
const minMissSend = 512

// New makes the core of a datapath that has no slices yet. Its first messages for
// the switch come from Connect.
func New(cfg Config) *Datapath {
	if cfg.MaxExpansion <= 0 {
		cfg.MaxExpansion = DefaultMaxExpansion
	}
	d := &Datapath{
		cfg: cfg, view: cfg.View, slices: map[string]*slice{}, rules: map[*flowspace.Rule]*ruleInfo{}, lldp: lldpRules(),
		ranks: ranking{active: map[*ruleInfo]struct{}{}}, slots: map[slotKey]*slot{}, points: map[flowtable.Words]*slot{},
		soft: map[*slot]struct{}{}, dependent: map[*vflow]struct{}{}, cookies: newCookieBook(), cookie: cookieBase, xid: 0x67760000,
		buffer: of10.NoBuffer, scarce: scarceNumbers, few: fewRules,
	}
	d.setFeatures(cfg.Features)
	d.realBuffers = newRealBuffers(cfg.Features.NBuffers)
	d.publish()
	return d
}

func (d *Datapath) setFeatures(f *of10.FeaturesReply) {
	d.features = *f
	d.features.Ports = nil
	d.ports = slices.Clone(f.Ports)
	d.sortPorts()
}

func (d *Datapath) report(e Event) {
	if d.cfg.Report != nil {
		d.cfg.Report(e)
	}
}

// Tick does what is due at now. It has to be called at NextDeadline, and may be
// called at any time.
func (d *Datapath) Tick(now time.Time, out *Out) {
	for len(d.deadlines) > 0 && !d.deadlines[0].due.After(now) {
		f := d.deadlines[0]
		d.deadlines.remove(f)
		switch at, reason, ok := d.deadline(f); {
		case !ok:
		case at.After(now):
			d.schedule(f)
		default:
			d.end(now, f, reason, true)
		}
	}
	d.endAway(now, out)
	d.flush(now, nil, out)
	d.confirm(now, out)
}

// NextDeadline returns when Tick has to be called next; ok is false when it has not.
func (d *Datapath) NextDeadline() (at time.Time, ok bool) {
	if len(d.deadlines) > 0 {
		at, ok = d.deadlines[0].due, true
	}
	for _, t := range [...]time.Time{d.confirmAt, d.nextAway()} {
		if !t.IsZero() && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	return at, ok
}
