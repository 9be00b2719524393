package slicing

import (
	"sync/atomic"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// bufferSlots is how many buffered frames a slice may have; the oldest go first.
const bufferSlots = 256

// buffers are the virtual buffers of a slice: what each id stands for. The fast
// path stores while the slice's messages take, and neither waits or allocates; a
// slot that is being overwritten just reads as gone.
type buffers struct {
	next   atomic.Uint32 // id given last
	misses atomic.Uint64 // frames delivered as misses, for table statistics
	real   *realBuffers  // of the switch
	slots  [bufferSlots]bufferSlot
}

type bufferSlot struct {
	id     atomic.Uint64 // id | usable, or id | used
	real   atomic.Uint64 // real id << 32 | in_port << 16 | total_len
	number atomic.Uint32 // of the packet_in that named the real id
	header [5]atomic.Uint64
	// frame is the whole frame when govisor keeps it; set only under the lock.
	frame atomic.Pointer[[]byte]
}

const (
	bufferUsable = 1 << 32
	bufferUsed   = 2 << 32
)

// realBuffers knows which packet_in named each buffer id of the switch last. A switch
// may use an id again for another frame, which may be another slice's; what stood for
// the earlier frame must not reach it then. An id whose place another id has taken
// since counts as gone; there are at least as many places as the switch has buffers.
type realBuffers struct {
	last atomic.Uint32
	ids  []atomic.Uint64 // real id << 32 | number of the packet_in << 1 | used
}

// Bounds on the places, whatever the switch says it has.
const (
	minRealBuffers = 1024
	maxRealBuffers = 1 << 16
)

func newRealBuffers(n uint32) *realBuffers {
	size := minRealBuffers
	for size < int(min(n, maxRealBuffers)) {
		size *= 2
	}
	return &realBuffers{ids: make([]atomic.Uint64, size)}
}

func (r *realBuffers) at(real uint32) *atomic.Uint64 { return &r.ids[int(real)&(len(r.ids)-1)] }

// seen notes that a packet_in has named a buffer. It is never called twice at a time.
func (r *realBuffers) seen(real uint32) {
	if real == of10.NoBuffer {
		return
	}
	n := (r.last.Load() + 1) & (1<<31 - 1)
	r.last.Store(n)
	r.at(real).Store(uint64(real)<<32 | uint64(n)<<1)
}

// number returns that of the packet_in which named the buffer last.
func (r *realBuffers) number(real uint32) uint32 { return uint32(r.at(real).Load()) >> 1 }

// use marks a buffer as used up, if it still holds the frame of that packet_in. The
// code is that of the BAD_REQUEST error otherwise.
func (r *realBuffers) use(real, number uint32) (code uint16, ok bool) {
	at, v := r.at(real), uint64(real)<<32|uint64(number)<<1
	if at.CompareAndSwap(v, v|1) {
		return 0, true
	}
	if at.Load() == v|1 {
		return of10.BadRequestBufferEmpty, false
	}
	return of10.BadRequestBufferUnknown, false
}

// buffered is what a virtual buffer id stands for.
type buffered struct {
	real   uint32 // of10.NoBuffer when the frame is kept here
	inPort of10.Port
	total  uint16
	header packet.Header
	frame  []byte
	kept   bool // came out of a virtual buffer that govisor keeps itself
}

// again reports whether a packet_in of the frame would get a buffer.
func (b *buffered) again() bool { return b.kept || b.real != of10.NoBuffer }

// store remembers a frame and returns its virtual id.
func (b *buffers) store(real uint32, inPort of10.Port, total uint16, w *flowtable.Words, frame *[]byte) uint32 {
	id := b.next.Add(1)
	for id == of10.NoBuffer || id == 0 {
		id = b.next.Add(1)
	}
	s := &b.slots[id%bufferSlots]
	s.id.Store(0)
	s.real.Store(uint64(real)<<32 | uint64(inPort)<<16 | uint64(total))
	if real != of10.NoBuffer {
		s.number.Store(b.real.number(real))
	}
	for i := range w {
		s.header[i].Store(w[i])
	}
	s.frame.Store(frame)
	s.id.Store(uint64(id) | bufferUsable)
	return id
}

// take returns what id stands for and uses it up. The code is that of the
// BAD_REQUEST error otherwise.
func (b *buffers) take(id uint32) (f buffered, code uint16, ok bool) {
	s := &b.slots[id%bufferSlots]
	state := s.id.Load()
	if uint32(state) != id || state == 0 {
		return buffered{}, of10.BadRequestBufferUnknown, false
	}
	if state != uint64(id)|bufferUsable {
		return buffered{}, of10.BadRequestBufferEmpty, false
	}
	v := s.real.Load()
	var w flowtable.Words
	for i := range w {
		w[i] = s.header[i].Load()
	}
	number, frame := s.number.Load(), s.frame.Load()
	if !s.id.CompareAndSwap(state, uint64(id)|bufferUsed) {
		return buffered{}, of10.BadRequestBufferUnknown, false
	}
	f = buffered{real: uint32(v >> 32), inPort: of10.Port(v >> 16), total: uint16(v), header: w.Header()}
	if frame != nil {
		f.frame, f.kept = *frame, true
		s.frame.Store(nil)
	} else if code, ok := b.real.use(f.real, number); !ok {
		s.id.CompareAndSwap(uint64(id)|bufferUsed, state) // unknown it stays
		return buffered{}, code, false
	}
	return f, 0, true
}
