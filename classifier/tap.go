package classifier

import (
	"encoding/binary"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire/of10"
)

// Tap looks at what the switch sends before the core does: the search for links
// between switches does. Its methods are called by the reading goroutine and do
// not block.
type Tap interface {
	// PacketIn reports whether a message was the tap's own, with which nobody
	// else has to do. The frame is not kept.
	PacketIn(frame []byte) bool
	PortStatus(m *of10.PortStatus)
}

// SetTap makes t look from now on.
func (s *Session) SetTap(t Tap) { s.tap.Store(&t) }

// tapped shows a message to the tap and reports whether it is done with.
func tapped(t Tap, frame []byte) bool {
	switch of10.Type(frame[1]) {
	case of10.TypePacketIn:
		return t.PacketIn(frame)
	case of10.TypePortStatus:
		m := of10.PortStatus{}
		if m.UnmarshalBinary(frame) == nil {
			t.PortStatus(&m)
		}
	}
	return false
}

// Probe sends a message that is not the core's to the switch, unless it does not
// keep up. The message gets the transaction id 0, which the core gives to none:
// an error about it concerns nobody.
func (s *Session) Probe(frame []byte) {
	binary.BigEndian.PutUint32(frame[4:], 0)
	s.conn.Append(frame, ofconn.Droppable)
	s.conn.Flush()
}
