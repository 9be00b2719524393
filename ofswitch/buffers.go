package ofswitch

import (
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// bufferLife is how long a buffered frame is safe from being overwritten.
const bufferLife = time.Second

// bufferedFrame is one slot of the packet buffer.
type bufferedFrame struct {
	id     uint32
	inPort of10.Port
	frame  InFrame // in the slot's own memory
	since  time.Time
	state  bufferState
}

type bufferState uint8

const (
	bufferFree bufferState = iota
	bufferHeld
	bufferUsed
)

// buffers is the ring of frames that wait for a controller's decision. An id is
// the slot number in the low bits and a cookie above, so that an id is not
// mistaken for its successor in the same slot.
type buffers struct {
	slots  []bufferedFrame
	next   int
	cookie uint32
	bits   uint
}

func newBuffers(n int) *buffers {
	b := &buffers{slots: make([]bufferedFrame, n)}
	for 1<<b.bits < n {
		b.bits++
	}
	return b
}

// put keeps a copy of frame and returns its id, or NoBuffer while the oldest
// slot is still younger than bufferLife.
func (b *buffers) put(now time.Time, inPort of10.Port, frame InFrame) uint32 {
	if len(b.slots) == 0 {
		return of10.NoBuffer
	}
	s := &b.slots[b.next]
	if s.state == bufferHeld && now.Sub(s.since) < bufferLife {
		return of10.NoBuffer
	}
	if b.next == 0 {
		b.cookie++
		if b.cookie<<b.bits>>b.bits != b.cookie || b.cookie == ^uint32(0)>>b.bits {
			b.cookie = 1
		}
	}
	s.id = b.cookie<<b.bits | uint32(b.next)
	s.inPort, s.since, s.state = inPort, now, bufferHeld
	s.frame = InFrame{Data: append(s.frame.Data[:0], frame.Data...), Offload: frame.Offload}
	b.next = (b.next + 1) % len(b.slots)
	return s.id
}

// take hands out the frame of id once. The error says whether the id was used
// already (BUFFER_EMPTY) or never given, or given too long ago (BUFFER_UNKNOWN).
// The data is valid until the next put.
func (b *buffers) take(id uint32) (*bufferedFrame, *of10.Error) {
	i := int(id & (1<<b.bits - 1))
	if i >= len(b.slots) || b.slots[i].id != id || b.slots[i].state == bufferFree {
		return nil, of10.NewError(of10.ErrorBadRequest, of10.BadRequestBufferUnknown, nil)
	}
	if b.slots[i].state == bufferUsed {
		return nil, of10.NewError(of10.ErrorBadRequest, of10.BadRequestBufferEmpty, nil)
	}
	b.slots[i].state = bufferUsed
	return &b.slots[i], nil
}

// held counts the frames waiting, for tests of leaks.
func (b *buffers) held() int {
	n := 0
	for i := range b.slots {
		if b.slots[i].state == bufferHeld {
			n++
		}
	}
	return n
}
