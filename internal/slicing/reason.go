package slicing

import "sync/atomic"

// Reason is why a message or frame was not passed on.
type Reason uint8

// The reasons, each counted.
const (
	DropNoOwner        Reason = iota // a frame in space that no rule owns
	DropNoListener                   // a frame whose slices are away or not configured
	DropNoPermission                 // a frame of a rule without READ or WRITE
	DropPortConfig                   // NO_PACKET_IN, NO_RECV, PORT_DOWN or fragments, as the slice set it
	DropMalformed                    // a message that cannot be decoded
	DropUnexpected                   // a message of a type that side does not send
	DropUnknownXID                   // an answer nobody waits for
	DropUnknownCookie                // a flow_removed of a flow that is not govisor's
	DropForeignLLDP                  // link discovery frames nobody may have
	DropVendor                       // vendor messages from the switch
	DropEmptyPacketOut               // a packet_out with neither frame nor buffer
	DropTooLong                      // what would make a message of more than 64 KiB
	DropRewrite                      // a frame a flow would have rewritten into foreign space
	numReasons
)

var reasonNames = [numReasons]string{
	"no_owner", "no_listener", "no_permission", "port_config", "malformed", "unexpected_type", "unknown_xid",
	"unknown_cookie", "foreign_lldp", "vendor", "empty_packet_out", "too_long", "rewrite",
}

// String returns the name used for metrics.
func (r Reason) String() string { return reasonNames[r] }

// Counters counts what was dropped; safe for concurrent use.
type Counters struct{ n [numReasons]atomic.Uint64 }

func (c *Counters) drop(r Reason) { c.n[r].Add(1) }

// Get returns how often r was the reason.
func (c *Counters) Get(r Reason) uint64 { return c.n[r].Load() }

// All calls f for every reason.
func (c *Counters) All(f func(Reason, uint64)) {
	for r := range numReasons {
		f(r, c.n[r].Load())
	}
}
