package hypervisor

import (
	"context"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/ofwire"
)

// Session is the live session of one datapath. The service calls it from any
// goroutine; no method waits for the network, except those with a context.
type Session interface {
	// Apply gives the session a newer configuration and returns at once. The
	// channel is closed when the configuration is in force, or the session
	// has ended. A session that falls behind may skip to the newest.
	Apply(*DatapathConfig) <-chan struct{}
	// Status reports everything but configuration: ports, description,
	// connections. The service adds flood permission and limits.
	Status() apitype.Datapath
	// Stats counts messages from and to the switch, SliceStats those of one
	// slice; the component names are those of FlowVisor, "Total" included.
	Stats() apitype.MessageStats
	SliceStats(slice string) apitype.MessageStats
	// Metrics returns the live figures for scraping.
	Metrics() DatapathMetrics
	// Flows lists the flows govisor holds in the switch, with the counters
	// the switch reports; SliceFlows what one slice believes to have there.
	Flows(ctx context.Context) ([]apitype.Flow, error)
	SliceFlows(ctx context.Context, slice string) ([]apitype.Flow, error)
	// TraceFlowMod tells what a flow_mod in ovs-ofctl syntax would become.
	TraceFlowMod(slice, flow string) ([]apitype.Flow, error)
	// Alive reports whether the switch showed signs of life within the
	// keep-alive time.
	Alive() bool
	// Disconnect ends the session; the reason is for the log.
	Disconnect(reason string)
}

// DatapathConfig is everything a datapath's session has to know. It is
// immutable, and so is all it points to, except the limits.
type DatapathConfig struct {
	DPID ofwire.DatapathID
	// Revision grows with every change anywhere.
	Revision uint64
	View     *flowspace.View
	// Slices are the enabled slices with at least one rule on this datapath,
	// in order of creation. A rule may also grant to slices that are not
	// here: they are disabled, and their frames are nobody's to handle.
	Slices   []SliceConfig
	Settings Settings
}

// Slice returns the slice called name, or nil.
func (c *DatapathConfig) Slice(name string) *SliceConfig {
	for i := range c.Slices {
		if c.Slices[i].Name == name {
			return &c.Slices[i]
		}
	}
	return nil
}

// SliceConfig is one slice as a datapath's session sees it.
type SliceConfig struct {
	Name string
	// Generation differs when a slice was removed and made again: nothing of
	// the old one may live on.
	Generation uint64
	// Controllers in order of preference; those that are ReadOnly hear
	// everything besides.
	Controllers []Controller
	DropPolicy  DropPolicy
	RecvLLDP    bool
	Strict      bool
	Flood       bool // may use native FLOOD on this datapath
	// Limits are those of the slice over all datapaths, shared by its sessions,
	// DatapathLimits those on this datapath alone. Both hold.
	Limits, DatapathLimits *limits.Slice
}

// Controller is one controller of a slice.
type Controller struct {
	Target   ofwire.Target
	ReadOnly bool
}

// DropPolicy is what is dropped in the switch while a slice is away.
type DropPolicy string

// The drop policies.
const (
	DropExact DropPolicy = "exact" // the very packet header
	DropRule  DropPolicy = "rule"  // the whole rule it matched
)
