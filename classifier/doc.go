// Package classifier is the live session of one datapath: it finds out which
// switch has connected, owns the slicing core of that switch under one mutex, and
// moves messages between the switch and the sessions of the slices, which it
// knows only as an interface.
package classifier
