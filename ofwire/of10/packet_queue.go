package of10

import "fmt"

const (
	packetQueueLen  = 8
	queuePropLen    = 8
	queueMinRateLen = 16
)

// MinRateOff is a minimum rate that is not set; by the specification every value over
// 1000 is.
const MinRateOff uint16 = 0xffff

// QueuePropertyType is the kind of a queue property.
type QueuePropertyType uint16

// Queue properties.
const (
	QueuePropertyNone QueuePropertyType = iota
	QueuePropertyMinRate
)

// PacketQueue describes one queue (section 5.2.2).
type PacketQueue struct {
	QueueID    uint32
	Properties []QueueProperty
}

// QueueProperty is one property of a queue. Other types than NONE and MIN_RATE are kept
// whole in Raw.
type QueueProperty struct {
	Property QueuePropertyType
	MinRate  uint16 // of QueuePropertyMinRate, in 1/10 percent
	Raw      []byte // whole property of another type; aliases the input after decoding
}

// MinRate returns the queue's minimum rate in 1/10 percent, and whether it has one.
func (q *PacketQueue) MinRate() (uint16, bool) {
	for _, p := range q.Properties {
		if p.Property == QueuePropertyMinRate && p.Raw == nil {
			return p.MinRate, p.MinRate <= 1000
		}
	}
	return 0, false
}

func (p *QueueProperty) len() int {
	switch {
	case p.Raw != nil:
		return len(p.Raw)
	case p.Property == QueuePropertyMinRate:
		return queueMinRateLen
	}
	return queuePropLen
}

func (q *PacketQueue) len() int {
	n := packetQueueLen
	for i := range q.Properties {
		n += q.Properties[i].len()
	}
	return n
}

func (q *PacketQueue) append(b []byte) ([]byte, error) {
	b = be.AppendUint32(b, q.QueueID)
	b = be.AppendUint16(b, uint16(q.len()))
	b = append(b, 0, 0)
	for i := range q.Properties {
		p := &q.Properties[i]
		if p.Raw != nil {
			if len(p.Raw) < queuePropLen || be.Uint16(p.Raw) != uint16(p.Property) || int(be.Uint16(p.Raw[2:])) != len(p.Raw) {
				return b, fmt.Errorf("of10: encode queue property %d: raw bytes do not state this type and length", p.Property)
			}
			b = append(b, p.Raw...)
			continue
		}
		b = be.AppendUint16(b, uint16(p.Property))
		b = be.AppendUint16(b, uint16(p.len()))
		b = append(b, pads[:4]...)
		if p.Property == QueuePropertyMinRate {
			b = be.AppendUint16(b, p.MinRate)
			b = append(b, pads[:6]...)
		}
	}
	return b, nil
}

// parsePacketQueue reads the queue at the start of b and says how long it is.
func parsePacketQueue(b []byte) (q PacketQueue, n int, ok bool) {
	if len(b) < packetQueueLen {
		return q, 0, false
	}
	n = int(be.Uint16(b[4:]))
	if n < packetQueueLen || n > len(b) {
		return q, 0, false
	}
	q.QueueID = be.Uint32(b)
	for rest := b[packetQueueLen:n]; len(rest) > 0; {
		if len(rest) < queuePropLen {
			return q, 0, false
		}
		p := QueueProperty{Property: QueuePropertyType(be.Uint16(rest))}
		size := int(be.Uint16(rest[2:]))
		if size < queuePropLen || size > len(rest) {
			return q, 0, false
		}
		switch {
		case p.Property == QueuePropertyNone && size == queuePropLen:
		case p.Property == QueuePropertyMinRate:
			if size != queueMinRateLen {
				return q, 0, false
			}
			p.MinRate = be.Uint16(rest[8:])
		default:
			p.Raw = rest[:size:size]
		}
		q.Properties = append(q.Properties, p)
		rest = rest[size:]
	}
	return q, n, true
}
