// Package port attaches a switch to the outside: in-memory links, Linux
// interfaces, TAP devices, UDP tunnels and pcap files, all behind one interface.
package port

import (
	"context"
	"errors"
)

// ErrClosed is returned by Read and Write after Close.
var ErrClosed = errors.New("port: closed")

// MaxFrame is the longest frame a port hands over: a 64 KiB IP packet (a
// segmentation-offload giant) in Ethernet with two VLAN tags.
const MaxFrame = 65535 + 14 + 8

// Frame is one Ethernet frame on its way, without frame check sequence.
type Frame struct {
	Data    []byte
	Offload Offload
}

// Port is an attachment of the switch. Read is called by one goroutine, Write by
// several. A type of one's own needs nothing but these methods.
type Port interface {
	// Read waits for at least one frame and fills a prefix of batch. The data
	// belongs to the port and is valid until the next Read.
	Read(batch []Frame) (int, error)
	// Write sends frames in order, without waiting for a slow receiver, and
	// returns how many it took; the others are dropped. It does not keep the data.
	Write(batch []Frame) (int, error)
	// Info describes the port as it is now.
	Info() Info
	// Close makes a waiting Read return and undoes what opening the port changed.
	Close() error
}

// Watcher is a Port that can tell about changes of its Info, link up and down
// above all. Watch blocks until ctx is done or the port is gone.
type Watcher interface {
	Watch(ctx context.Context, changed func(Info)) error
}

// Administered is a Port that can be taken down and up again, so that its peer
// sees it: a port_mod with PORT_DOWN does that. Close brings it up again.
type Administered interface {
	SetAdmin(up bool) error
}

// Info is what a port says of itself; the feature words are OpenFlow 1.0's
// ofp_port_features.
type Info struct {
	Name       string // shown cut to 15 bytes in OpenFlow
	HWAddr     [6]byte
	LinkDown   bool
	IfIndex    uint32 // of the interface, 0 if there is none
	Curr       uint32
	Advertised uint32
	Supported  uint32
	Peer       uint32
}

// Bits of ofp_port_features used here.
const (
	Feature10MHalf  = 1 << 0
	Feature10MFull  = 1 << 1
	Feature100MHalf = 1 << 2
	Feature100MFull = 1 << 3
	Feature1GHalf   = 1 << 4
	Feature1GFull   = 1 << 5
	Feature10GFull  = 1 << 6
	FeatureCopper   = 1 << 7
)
