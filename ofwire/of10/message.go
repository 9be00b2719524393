package of10

import (
	"encoding"
	"encoding/binary"
	"fmt"

	"github.com/govisor/govisor/ofwire"
)

// Message is one OpenFlow 1.0 message. AppendBinary and UnmarshalBinary handle the whole
// message, header included; Len is its size in bytes.
type Message interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
	fmt.Stringer
	Type() Type
	TransactionID() uint32
	SetTransactionID(xid uint32)
	Len() int
}

var be = binary.BigEndian

const headerLen = ofwire.HeaderLen

// newMessage makes an empty message of each known type.
var newMessage = [numTypes]func() Message{
	TypeHello:                 func() Message { return new(Hello) },
	TypeError:                 func() Message { return new(Error) },
	TypeEchoRequest:           func() Message { return new(EchoRequest) },
	TypeEchoReply:             func() Message { return new(EchoReply) },
	TypeVendor:                func() Message { return new(Vendor) },
	TypeFeaturesRequest:       func() Message { return new(FeaturesRequest) },
	TypeFeaturesReply:         func() Message { return new(FeaturesReply) },
	TypeGetConfigRequest:      func() Message { return new(GetConfigRequest) },
	TypeGetConfigReply:        func() Message { return new(GetConfigReply) },
	TypeSetConfig:             func() Message { return new(SetConfig) },
	TypePacketIn:              func() Message { return new(PacketIn) },
	TypeFlowRemoved:           func() Message { return new(FlowRemoved) },
	TypePortStatus:            func() Message { return new(PortStatus) },
	TypePacketOut:             func() Message { return new(PacketOut) },
	TypeFlowMod:               func() Message { return new(FlowMod) },
	TypePortMod:               func() Message { return new(PortMod) },
	TypeStatsRequest:          func() Message { return new(StatsRequest) },
	TypeStatsReply:            func() Message { return new(StatsReply) },
	TypeBarrierRequest:        func() Message { return new(BarrierRequest) },
	TypeBarrierReply:          func() Message { return new(BarrierReply) },
	TypeQueueGetConfigRequest: func() Message { return new(QueueGetConfigRequest) },
	TypeQueueGetConfigReply:   func() Message { return new(QueueGetConfigReply) },
}

// Parse decodes one whole message. A type this version does not have gives *Unknown.
// Decoded byte slices alias b.
func Parse(b []byte) (Message, error) {
	if len(b) < headerLen {
		return nil, fmt.Errorf("of10: %w: %d bytes", ofwire.ErrShort, len(b))
	}
	m := Message(new(Unknown))
	if t := Type(b[1]); t < numTypes {
		m = newMessage[t]()
	}
	if err := m.UnmarshalBinary(b); err != nil {
		return nil, err
	}
	return m, nil
}

// checkFrame is the first step of every decode: b is one frame of version 1.0 and type t
// with at least min bytes.
func checkFrame(b []byte, t Type, min int) error {
	if len(b) < headerLen || int(be.Uint16(b[2:])) != len(b) ||
		b[0] != ofwire.Version10 || Type(b[1]) != t || len(b) < min {
		return frameError(b, t)
	}
	return nil
}

// checkExact is checkFrame for messages of a fixed size.
func checkExact(b []byte, t Type, size int) error {
	if err := checkFrame(b, t, size); err != nil {
		return err
	}
	if len(b) != size {
		return badRequestLen(b)
	}
	return nil
}

// frameError says which of checkFrame's conditions failed.
func frameError(b []byte, t Type) error {
	if len(b) < headerLen {
		return fmt.Errorf("of10: %w: %d bytes", ofwire.ErrShort, len(b))
	}
	switch length := int(be.Uint16(b[2:])); {
	case length < headerLen || len(b) > length:
		return fmt.Errorf("of10: %w: %d in a frame of %d bytes", ofwire.ErrLength, length, len(b))
	case len(b) < length:
		return fmt.Errorf("of10: %w: %d of %d bytes", ofwire.ErrShort, len(b), length)
	case b[0] != ofwire.Version10:
		return NewError(ErrorBadRequest, BadRequestBadVersion, b)
	case Type(b[1]) != t:
		return NewError(ErrorBadRequest, BadRequestBadType, b)
	}
	return badRequestLen(b)
}

func badRequestLen(b []byte) error { return NewError(ErrorBadRequest, BadRequestBadLen, b) }

// appendHeader starts the encoding of a message of length bytes.
func appendHeader(b []byte, t Type, length int, xid uint32) ([]byte, error) {
	if length > ofwire.MaxFrameLen {
		return b, fmt.Errorf("of10: encode %v: %w", t, ofwire.ErrTooLong)
	}
	h := ofwire.Header{Version: ofwire.Version10, Type: uint8(t), Length: uint16(length), XID: xid}
	return h.Append(b), nil
}

// frameXID reads the transaction id of a frame that has a header.
func frameXID(b []byte) uint32 { return be.Uint32(b[4:]) }

// pads is where zero padding is copied from.
var pads [8]byte

// appendFixed adds s as a NUL-padded field of size bytes.
func appendFixed(b []byte, s string, size int) []byte {
	b = append(b, s...)
	for range size - len(s) {
		b = append(b, 0)
	}
	return b
}

// fixedString reads a NUL-padded field; without a NUL the whole field is the text.
func fixedString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// checkFixed refuses text that would not come back from a NUL-padded field.
func checkFixed(what, s string, size int) error {
	if len(s) > size {
		return fmt.Errorf("of10: encode %s: %q is longer than %d bytes", what, s, size)
	}
	for i := range len(s) {
		if s[i] == 0 {
			return fmt.Errorf("of10: encode %s: %q contains a NUL", what, s)
		}
	}
	return nil
}

// tail returns b[from:] with its capacity cut, or nil when nothing is there, so that
// decoded values compare equal to those a caller would write.
func tail(b []byte, from int) []byte {
	if from >= len(b) {
		return nil
	}
	return b[from:len(b):len(b)]
}
