// Package flowtable is an OpenFlow 1.0 flow table without clock and without
// input or output: the time is an argument of whatever depends on it.
//
// It serves twice: as the table of the bundled switch and as the virtual table
// of every slice. Where the specification is silent or switches differ, it does
// what Open vSwitch does:
//
//   - Matches are normalised on the way in (of10.Match.Normalize); two flows are
//     identical when normalised match and priority are equal.
//   - A flow that wildcards nothing lies above all others; its priority takes no
//     part in comparisons, but is kept and read back as it was given.
//   - ADD of an identical flow replaces it silently, and all counters restart. An
//     identical flow is no overlap for CHECK_OVERLAP.
//   - MODIFY sets actions and cookie, and keeps counters, timeouts, flags and
//     priority. Without any flow to modify it acts as ADD.
//   - The out_port filter sees OUTPUT and ENQUEUE actions.
//   - Among overlapping flows of one priority the one added first wins.
//
// A Table is not safe for concurrent use.
package flowtable
