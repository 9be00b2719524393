package slicer

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire"
)

// Datapath is the slice's virtual switch, as far as this package has to know it.
// Its methods may be called by several goroutines.
type Datapath interface {
	// FromController handles one message of a controller. The frame is its to
	// patch until it returns. Answers come by Session.Send. An error ends the
	// controller's connection.
	FromController(from slicing.Conn, frame []byte) error
	// ControllerUp says that the first controller is there, ControllerDown that the
	// last one has gone.
	ControllerUp()
	ControllerDown()
	// Flush sends what the last messages caused, with out, which may be nil.
	Flush(out *ofconn.Batch)
	// WaitRoom waits while the switch does not keep up; from is the connection
	// that has to wait.
	WaitRoom(ctx context.Context, from *ofconn.Conn) error
}

// Controller is one controller of a slice.
type Controller struct {
	Target ofwire.Target
	// ReadOnly controllers hear everything and may ask, but change nothing.
	ReadOnly bool
}

// Config is what may change while a session runs. It is immutable.
type Config struct {
	// Controllers in order of preference.
	Controllers []Controller
	// Limits hold all together; nil entries are allowed.
	Limits []*limits.Slice
}

func (c *Config) primaries() []ofwire.Target {
	var t []ofwire.Target
	for _, ctl := range c.Controllers {
		if !ctl.ReadOnly {
			t = append(t, ctl.Target)
		}
	}
	return t
}

func (c *Config) has(t ofwire.Target, readOnly bool) bool {
	return slices.Contains(c.Controllers, Controller{Target: t, ReadOnly: readOnly})
}

// Options are what a session is made from and never change.
type Options struct {
	Slice    string
	Datapath Datapath
	// Dial makes one connection attempt.
	Dial func(context.Context, ofwire.Target) (net.Conn, error)
	// HandshakeTimeout bounds the exchange of HELLOs. 0 means 5 s.
	HandshakeTimeout time.Duration
	// Conn configures the controller connections; handler, counters and log are
	// set by the session.
	Conn ofconn.Config
	// Backoff between attempts when no controller can be reached.
	Backoff ofconn.Backoff
	// Log has the fields dpid and slice set. It must not be nil.
	Log *logrus.Entry
	// Changed, if not nil, is called after each change of Status, without locks.
	Changed func(Status)
}

func (o Options) withDefaults() Options {
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = 5 * time.Second
	}
	return o
}
