// Package slicing is the core of govisor for one datapath: it gives every slice a
// virtual OpenFlow 1.0 switch of its own and compiles all of them into the one
// flow table of the real switch.
//
// It does no input or output and reads no clock. Every entry point takes the time
// and one message, and appends what has to be sent to the caller's [Out].
//
// # Terms
//
// The virtual table of a slice is the truth. A virtual flow becomes one physical
// flow, a piece, per flowspace rule that grants the slice WRITE and overlaps it.
// Rules that overlap and differ in who may write have different ranks, and a piece
// of a higher rank lies above every piece of a lower one. Where a rule of another
// slice overlaps a piece of lower rank, a guard at the bottom of that rule's band
// sends the frames to govisor, so that their owner hears of them. Pairs of rank and
// flow priority are mapped to the switch's priorities in order.
//
// A switch puts a flow without wildcards above all others. Such points are emitted
// only where the flow also wins by rank and priority.
//
// # Locking
//
// All methods are called with one mutex per datapath held, which the session owns,
// except FastPacketIn, which needs no lock and may run at the same time as any of
// them, but not at the same time as itself or as a packet_in in FromSwitch, and
// Counters.
package slicing
