package fabric

import (
	"sync/atomic"

	"github.com/govisor/govisor/ofswitch/port"
)

// Cable is a link between two switches. It counts frames and can be cut.
type Cable struct {
	cut    atomic.Bool
	frames atomic.Uint64
}

// Cut makes the cable lose every frame, or carry them again. The switches do
// not notice, as with a fault in the middle of a long line.
func (c *Cable) Cut(cut bool) { c.cut.Store(cut) }

// Frames counts what was carried, both ways.
func (c *Cable) Frames() uint64 { return c.frames.Load() }

// plug is a cable's end in a switch.
type plug struct {
	*port.Memory
	cable *Cable
}

var _ port.Port = (*plug)(nil)

// Write is Memory's, unless the cable is cut.
func (p *plug) Write(batch []port.Frame) (int, error) {
	if p.cable.cut.Load() {
		return len(batch), nil
	}
	p.cable.frames.Add(uint64(len(batch)))
	return p.Memory.Write(batch)
}
