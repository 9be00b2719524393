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
// # Where a virtual switch differs from a dedicated one
//
// OpenFlow 1.0 does not tell when a flow was last used. A flow that has to be moved
// to another priority, or that is put in again after it was hidden, begins its idle
// time anew. It ends later than on a dedicated switch then, by its idle timeout at
// most, counted from the last move, and never earlier. Its counters and its hard
// timeout go on.
//
// Fragments: a slice that sets DROP gets no packet_in for them, but its flows handle
// them as long as another slice on the datapath wants NORMAL.
//
// Setting the ports of ICMP messages does nothing in some switches and sets type and code
// in Open vSwitch: it is allowed where the slice owns what it could become either way. So
// it is with addresses of IPv4 packets of protocol 0 or wrong length, which that leaves.
//
// Open vSwitch takes dl_vlan_pcp=0 without dl_vlan for tagged frames only. Here it is about
// untagged ones, too, as their priority is 0, whatever the switch makes of it.
//
// A switch that gives a buffer's id to another frame makes what stood for the first
// unknown, also when that is another slice's doing. If it does so while a slice's
// message to use the buffer is on its way, the message finds the other frame there;
// the specification (section 5.4.1) wants switches to leave time enough in between.
//
// Emergency flows are given to the switch where the slice has the space and none of it
// needs a guard or a look at every frame, as there is no govisor then to give frames to
// their owner: others are refused with FLOW_MOD_FAILED and EPERM. They count against the
// slice's limits like any other.
//
// On a rule with several writers, a port that one of them closes is closed for all of
// them there, and of identical flows the one added last is in force.
//
// # Locking
//
// All methods are called with one mutex per datapath held, which the session owns,
// except FastPacketIn, which needs no lock and may run at the same time as any of
// them, but not at the same time as itself or as a packet_in in FromSwitch, and
// Counters.
package slicing
