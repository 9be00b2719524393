package ofswitch

import (
	"cmp"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// MissPolicy says what happens to a frame no flow matches.
type MissPolicy uint8

// The table-miss policies. OpenFlow 1.0 knows only the first.
const (
	MissController MissPolicy = iota
	MissNormal
	MissDrop
)

// Config describes a switch. The zero value of every field is usable.
type Config struct {
	DatapathID ofwire.DatapathID

	Buffers     int        // packets kept for controllers; 0 means 256, negative none
	MaxFlows    int        // size of the flow table, and of the emergency table; 0 means 1,000,000
	MissPolicy  MissPolicy // for frames without a flow
	MissSendLen uint16     // of a new primary connection; 0 means 128

	MACAgeing       time.Duration // of the NORMAL action; 0 means 300 s
	MaxMACs         int           // 0 means 16,384
	ForwardReserved bool          // let NORMAL pass 802.1D's reserved addresses

	// PacketInRate limits packet_ins per second, misses and actions each for
	// themselves; 0 means no limit. PacketInBurst 0 means a quarter of the rate.
	PacketInRate  int
	PacketInBurst int

	Desc of10.DescStats // empty strings are filled in

	// VendorActions and VendorMessages extend the switch, by vendor id. What is
	// not found here is refused with BAD_VENDOR.
	VendorActions  map[uint32]VendorAction
	VendorMessages map[uint32]VendorMessage
}

// VendorAction is an action of one's own.
type VendorAction interface {
	// Check refuses a malformed action when a flow is added; body is the whole action.
	Check(body []byte) *of10.Error
	// Apply returns the frame the following actions get, or nil to drop it. It may
	// change frame in place; it must not keep it.
	Apply(body []byte, inPort of10.Port, frame []byte) []byte
}

// VendorMessage answers a vendor message; nil means no answer.
type VendorMessage func(m *of10.Vendor) (of10.Message, *of10.Error)

func (c Config) withDefaults() Config {
	if c.Buffers == 0 {
		c.Buffers = 256
	}
	c.Buffers = max(c.Buffers, 0)
	c.MaxFlows = cmp.Or(c.MaxFlows, 1_000_000)
	c.MissSendLen = cmp.Or(c.MissSendLen, 128)
	c.MACAgeing = cmp.Or(c.MACAgeing, 300*time.Second)
	c.MaxMACs = cmp.Or(c.MaxMACs, 16384)
	c.PacketInBurst = max(1, cmp.Or(c.PacketInBurst, c.PacketInRate/4))
	c.Desc.Manufacturer = cmp.Or(c.Desc.Manufacturer, "govisor")
	c.Desc.Hardware = cmp.Or(c.Desc.Hardware, "ofswitch")
	c.Desc.Software = cmp.Or(c.Desc.Software, "govisor")
	c.Desc.SerialNum = cmp.Or(c.Desc.SerialNum, "None")
	c.Desc.Datapath = cmp.Or(c.Desc.Datapath, "None")
	return c
}

// Pipeline is an OpenFlow 1.0 switch without a clock, without I/O and without
// goroutines: the same calls give the same results. Every call appends what has
// to leave the switch to an Out. It is not safe for concurrent use.
type Pipeline struct {
	cfg   Config
	table *flowtable.Table
	cache cache

	ports     map[of10.Port]*swPort
	fast      []*swPort // by number, for those below len(fast)
	portOrder []of10.Port
	flags     of10.ConfigFlags // fragment handling
	macs      *learner
	buffers   *buffers
	conns     []*connection
	lookups   uint64
	matched   uint64
	missRate  bucket
	actRate   bucket
	stats     Counters
}

// Counters are totals that OpenFlow has no message for.
type Counters struct {
	Frames          uint64 // received, runts included
	Runts           uint64 // shorter than an Ethernet header
	Fragments       uint64 // dropped by the fragment mode
	PacketIns       uint64
	PacketInsLimits uint64 // packet_ins not sent because of the rate limit
	BadMessages     uint64 // answered with an error
	VendorDrops     uint64
}

// New returns a switch without ports.
func New(cfg Config) *Pipeline {
	cfg = cfg.withDefaults()
	p := &Pipeline{
		cfg:     cfg,
		table:   flowtable.NewTable(cfg.MaxFlows),
		cache:   cache{epoch: 1},
		ports:   map[of10.Port]*swPort{},
		macs:    newLearner(cfg.MACAgeing, cfg.MaxMACs),
		buffers: newBuffers(cfg.Buffers),
	}
	p.missRate = newBucket(cfg.PacketInRate, cfg.PacketInBurst)
	p.actRate = newBucket(cfg.PacketInRate, cfg.PacketInBurst)
	return p
}

// Counters returns the totals so far.
func (p *Pipeline) Counters() Counters { return p.stats }

// HandleFrame runs a frame received on inPort through the switch. The frame must
// stay unchanged until out has been used; a frame with unfinished checksums is
// described by off.
func (p *Pipeline) HandleFrame(now time.Time, inPort of10.Port, f InFrame, out *Out) {
	in := p.port(inPort)
	if in == nil {
		return
	}
	p.stats.Frames++
	if len(f.Data) < 14 {
		p.stats.Runts++
		in.counters.RxErrors++
		in.counters.RxFrameErr++
		return
	}
	in.counters.RxPackets++
	in.counters.RxBytes += uint64(len(f.Data))
	if !in.receives(f.Data) {
		in.counters.RxDropped++
		return
	}
	p.expireDue(now, out)
	x := execution{p: p, now: now, out: out, inPort: inPort, in: in, frame: f}
	x.info = packet.ParseInto(f.Data, uint32(inPort), &x.header)
	if x.info.Fragment && p.flags&of10.FragMask == of10.FragDrop {
		p.stats.Fragments++
		in.counters.RxDropped++
		return
	}
	x.lookup()
}
