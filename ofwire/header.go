package ofwire

import (
	"encoding/binary"
	"fmt"
)

// HeaderLen is the size in bytes of the header every OpenFlow message starts with.
const HeaderLen = 8

// MaxFrameLen is the longest message the 16-bit length field can announce.
const MaxFrameLen = 0xffff

// Version numbers as they stand in the header.
const (
	Version10 uint8 = 0x01
	Version11 uint8 = 0x02
	Version12 uint8 = 0x03
	Version13 uint8 = 0x04
	Version14 uint8 = 0x05
	Version15 uint8 = 0x06
)

// Header is the common header (OpenFlow 1.0, section 5.1). Length counts the whole
// message, header included.
type Header struct {
	Version uint8
	Type    uint8
	Length  uint16
	XID     uint32
}

// ParseHeader reads the header at the start of b. It returns ErrShort for fewer than
// HeaderLen bytes and ErrLength for a length field smaller than the header.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, fmt.Errorf("header: %w: %d bytes", ErrShort, len(b))
	}
	h := Header{
		Version: b[0],
		Type:    b[1],
		Length:  binary.BigEndian.Uint16(b[2:]),
		XID:     binary.BigEndian.Uint32(b[4:]),
	}
	if h.Length < HeaderLen {
		return Header{}, fmt.Errorf("header: %w: %d", ErrLength, h.Length)
	}
	return h, nil
}

// Append adds the header's eight bytes to b.
func (h Header) Append(b []byte) []byte {
	return append(b, h.Version, h.Type, byte(h.Length>>8), byte(h.Length),
		byte(h.XID>>24), byte(h.XID>>16), byte(h.XID>>8), byte(h.XID))
}
