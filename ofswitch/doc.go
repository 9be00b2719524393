// Package ofswitch is an OpenFlow 1.0 switch.
//
// It has two halves. Pipeline is the switch as a pure state machine: it does no
// I/O, starts no goroutine and reads no clock, so that every step of it can be
// replayed. Switch puts a Pipeline on real ports and control connections.
package ofswitch
