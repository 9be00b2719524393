package slicing

import (
	"iter"

	"github.com/govisor/govisor/ofwire/of10"
)

// Out collects what a call wants sent. The caller owns it and may use it again
// after Reset; what it returns is valid until then.
type Out struct {
	toSwitch []byte
	buf      []byte
	msgs     []delivery
	faults   int // messages that could not be encoded
}

type delivery struct {
	slice        string
	conn, except ConnID
	start, end   int
}

// Delivery is one message for the controllers of a slice.
type Delivery struct {
	Slice  string
	Conn   ConnID // AllConns, or the one that asked
	Except ConnID // with AllConns: not to this one
	Frame  []byte
}

// Reset empties o and keeps its memory.
func (o *Out) Reset() {
	o.toSwitch, o.buf, o.msgs, o.faults = o.toSwitch[:0], o.buf[:0], o.msgs[:0], 0
}

// Switch returns the messages for the switch, complete frames back to back, in
// order.
func (o *Out) Switch() []byte { return o.toSwitch }

// Len is the number of messages for controllers.
func (o *Out) Len() int { return len(o.msgs) }

// At returns the i-th message for controllers.
func (o *Out) At(i int) Delivery {
	m := o.msgs[i]
	return Delivery{m.slice, m.conn, m.except, o.buf[m.start:m.end:m.end]}
}

// Deliveries yields the messages for controllers in order.
func (o *Out) Deliveries() iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		for i := range o.msgs {
			if !yield(o.At(i)) {
				return
			}
		}
	}
}

func (o *Out) send(m of10.Message) {
	b, err := m.AppendBinary(o.toSwitch)
	if err != nil {
		o.faults++
		return
	}
	o.toSwitch = b
}

func (o *Out) deliver(slice string, conn ConnID, m of10.Message) {
	o.deliverExcept(slice, conn, 0, m)
}

func (o *Out) deliverExcept(slice string, conn, except ConnID, m of10.Message) {
	start := len(o.buf)
	b, err := m.AppendBinary(o.buf)
	if err != nil {
		o.faults++
		return
	}
	o.buf = b
	o.msgs = append(o.msgs, delivery{slice, conn, except, start, len(b)})
}

// deliverRaw appends a copy of frame and returns it for patching.
func (o *Out) deliverRaw(slice string, conn ConnID, frame []byte) []byte {
	start := len(o.buf)
	o.buf = append(o.buf, frame...)
	o.msgs = append(o.msgs, delivery{slice, conn, 0, start, len(o.buf)})
	return o.buf[start:]
}

// truncatePacketIn cuts the frame in the last delivery, a packet_in, to n bytes.
func (o *Out) truncatePacketIn(n int) {
	m := &o.msgs[len(o.msgs)-1]
	b := of10.TruncatePacketIn(o.buf[m.start:m.end], n)
	m.end = m.start + len(b)
	o.buf = o.buf[:m.end]
}
