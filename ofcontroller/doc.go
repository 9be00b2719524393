// Package ofcontroller is a library for OpenFlow 1.0 controllers.
//
// A [Controller] talks to any number of switches: it listens for them, connects
// to them, or is handed connections, in-memory pipes among them. It does the
// handshake, answers and sends echoes, matches replies to requests, and calls
// the program back for the rest. What a callback is for is the type of its
// argument:
//
//	c := ofcontroller.New(ofcontroller.Config{})
//	ofcontroller.On(c, func(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
//		...
//		return ofcontroller.Continue
//	})
//	err := c.Run(ctx, "ptcp:6633")
//
// Events of the library are [SwitchUp], [SwitchDown], *of10.PacketIn,
// *of10.FlowRemoved, *of10.PortStatus, [PortChange] (the same, debounced),
// *of10.Error, *of10.Vendor, *of10.StatsReply (each part as it comes),
// of10.FlowStatsReply, of10.AggregateStats, of10.DescStats,
// of10.TableStatsReply, of10.PortStatsReply and of10.QueueStatsReply (whole,
// however many messages they came in), and [Unexpected]. Programs make events
// of their own types with [Emit] and [Post].
//
// # Order
//
// The handlers of one event type run in the order in which they were added,
// until one returns [Stop]. The callbacks of one switch run one after the
// other, in the order of its messages, beginning with SwitchUp and ending with
// SwitchDown; different switches run in parallel. A handler may block and may
// call [Switch.Request]; while it does, its switch's later events wait, and
// packet_ins over [Config.QueueLimit] are dropped and counted. A handler added
// with [OnInline] promises not to block and saves the way through the queue.
//
// What a handler is given aliases the message it came in and is valid until it
// returns, unless the field's documentation says otherwise.
//
// # Failure
//
// A handler that panics takes its switch's connection down, not the process.
// Sending to a switch that has gone gives [ErrGone]. Input of a switch never
// panics: a message that cannot be decoded is answered with an OpenFlow error
// and counted.
//
// # Applications
//
// An [App] adds handlers to a controller. The packages below this one are
// applications; [Register] gives an application a name under which govisor runs
// it (govisor controller NAME) or takes it as the controller of a slice
// (module:NAME).
package ofcontroller
