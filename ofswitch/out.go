package ofswitch

import (
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire/of10"
)

// InFrame is a frame that enters the switch.
type InFrame = port.Frame

// OutFrame is a frame that leaves by a port.
type OutFrame struct {
	Port  of10.Port
	Queue uint32 // NoQueue, or a queue of that port
	Frame port.Frame
}

// NoQueue is the queue of a frame that was output, not enqueued.
const NoQueue = 0xffffffff

// OutMessage is an encoded message for a controller connection.
type OutMessage struct {
	Conn ConnID
	Data []byte
}

// Out collects what leaves the switch, in order. It may be reused after Reset;
// everything in it, and the frames that went into the switch, must stay
// untouched until then.
type Out struct {
	Frames   []OutFrame
	Messages []OutMessage

	arena []byte
	full  int // bytes asked for since Reset, to size the next arena
}

// Reset empties the collection and keeps its memory.
func (o *Out) Reset() {
	clear(o.Frames)
	clear(o.Messages)
	o.Frames, o.Messages = o.Frames[:0], o.Messages[:0]
	if o.full > cap(o.arena) {
		o.arena = make([]byte, 0, min(o.full, 1<<20))
	}
	o.arena, o.full = o.arena[:0], 0
}

// alloc returns n bytes, not zeroed, that live until Reset.
func (o *Out) alloc(n int) []byte {
	o.full += n
	if len(o.arena)+n > cap(o.arena) {
		if n > arenaChunk/4 {
			return make([]byte, n)
		}
		o.arena = make([]byte, 0, max(arenaChunk, cap(o.arena)))
	}
	b := o.arena[len(o.arena) : len(o.arena)+n : len(o.arena)+n]
	o.arena = o.arena[:len(o.arena)+n]
	return b
}

const arenaChunk = 64 << 10

func (o *Out) message(conn ConnID, m of10.Message) {
	b, err := m.AppendBinary(nil)
	if err != nil {
		return // nothing the switch builds is too long
	}
	o.Messages = append(o.Messages, OutMessage{conn, b})
}
