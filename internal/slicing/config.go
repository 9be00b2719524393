package slicing

import (
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// DefaultMaxExpansion is how many physical flows one flow_mod may need.
const DefaultMaxExpansion = 1000

// Config is what a datapath starts with.
type Config struct {
	DPID     ofwire.DatapathID
	Features *of10.FeaturesReply // as the switch sent it; copied
	View     *flowspace.View
	Key      []byte // of this installation, authenticates LLDP marks
	// MaxExpansion is the largest number of physical flows for one flow_mod; 0 means
	// DefaultMaxExpansion.
	MaxExpansion int
	// Capacity of each virtual table; 0 for no limit.
	Capacity int
	// Report is called for what an operator may want to read, nil for nobody. It must
	// not call back.
	Report func(Event)
}

// Event is something worth a line in the log.
type Event struct {
	Slice string // "" when it concerns the datapath
	What  string // in words
	Err   error  // may be nil
}

// Quota counts the virtual flows of a slice on all datapaths; *limits.Flows is one.
type Quota interface {
	Reserve(n int64) bool
	Count(n int64) // of flows that are there whatever the limit says
	Release(n int64)
}

// DropPolicy says what is dropped for a while in the switch itself when a frame's
// slices have no controller listening.
type DropPolicy uint8

// The drop policies.
const (
	DropExact DropPolicy = iota // frames with the same header
	DropRule                    // everything the flowspace rule owns and no flow matches
)

// SliceConfig is how a slice is treated on one datapath.
type SliceConfig struct {
	Name        string
	Strict      bool  // what would have to be rewritten is refused instead
	Flood       bool  // may use the switch's own FLOOD, ALL and NORMAL, see native
	ReceiveLLDP bool  // gets LLDP frames on its ports that nobody owns
	MaxFlows    int64 // virtual flows on this datapath, below 0 for no limit
	Quota       Quota // over all datapaths, nil for no limit
	Drop        DropPolicy
}

// ConnID tells the controllers of a slice apart; the session numbers them.
type ConnID uint32

// AllConns addresses every controller of a slice.
const AllConns ConnID = 0

// Conn is the controller a message came from.
type Conn struct {
	ID       ConnID
	ReadOnly bool // may ask, but not change anything
	Slave    bool // has asked for that role: likewise, but for its own configuration
}
