// Package slicer is the live session of one slice on one datapath: it keeps the
// connection to the slice's controller, fails over to the next one, lets
// read-only controllers listen, and holds the slice to its rates. What the
// messages mean is decided by the datapath's session, which it knows only as an
// interface.
package slicer
