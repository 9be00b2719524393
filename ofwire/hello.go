package ofwire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

const (
	helloType          = 0 // in every version
	helloVersionBitmap = 1 // element type (OpenFlow 1.3.1, section 7.5.1)
)

// ErrNotHello reports that a peer's first message is not HELLO.
var ErrNotHello = errors.New("first message is not HELLO")

// VersionError says what the peer speaks when there is no version in common. Its text
// suits the data of an OFPT_ERROR of type HELLO_FAILED. It wraps ErrVersion.
type VersionError struct {
	Peer      []uint8 // versions of the peer's bitmap, or its highest only
	Supported []uint8
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("no common OpenFlow version: we support %s, you support %s",
		versionList(e.Supported), versionList(e.Peer))
}

func (e *VersionError) Unwrap() error { return ErrVersion }

func versionList(vs []uint8) string {
	if len(vs) == 0 {
		return "none"
	}
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = fmt.Sprintf("0x%02x", v)
	}
	return strings.Join(words, ", ")
}

// Negotiate reads a peer's HELLO, a whole frame of any version, and returns the version
// to speak: the highest of the supported ones that stands in the peer's version bitmap
// or, without a bitmap, the smaller of the peer's version and our highest. In 1.0, where
// bodies are to be ignored (section 5.5.1), there is no bitmap. The error is a
// *VersionError, ErrNotHello, or one about the frame.
func Negotiate(hello []byte, supported ...uint8) (uint8, error) {
	h, err := ParseHeader(hello)
	if err != nil {
		return 0, err
	}
	if h.Type != helloType {
		return 0, fmt.Errorf("%w but type %d", ErrNotHello, h.Type)
	}
	if int(h.Length) != len(hello) {
		return 0, fmt.Errorf("hello: %w: %d in a frame of %d bytes", ErrLength, h.Length, len(hello))
	}
	if bitmap, ok := HelloVersions(hello[HeaderLen:]); ok && h.Version != Version10 {
		var best uint8
		for _, v := range supported {
			if slices.Contains(bitmap, v) {
				best = max(best, v)
			}
		}
		if best == 0 {
			return 0, &VersionError{Peer: bitmap, Supported: supported}
		}
		return best, nil
	}
	if len(supported) > 0 {
		if v := min(h.Version, slices.Max(supported)); v != 0 && slices.Contains(supported, v) {
			return v, nil
		}
	}
	return 0, &VersionError{Peer: []uint8{h.Version}, Supported: supported}
}

// HelloVersions returns the versions in the version bitmap element of a HELLO's body,
// lowest first, and whether there is such an element. Other and malformed elements are
// passed over.
func HelloVersions(body []byte) ([]uint8, bool) {
	for len(body) >= 4 {
		kind, n := binary.BigEndian.Uint16(body), int(binary.BigEndian.Uint16(body[2:]))
		if n < 4 || n > len(body) {
			return nil, false
		}
		if kind == helloVersionBitmap && n >= 8 {
			var versions []uint8
			// Versions are one byte, so only eight words of the bitmap can mean something.
			for i, word := range wordsOf(body[4:n], 8) {
				for ; word != 0; word &= word - 1 {
					versions = append(versions, uint8(32*i+bits.TrailingZeros32(word)))
				}
			}
			return versions, true
		}
		body = body[min((n+7)/8*8, len(body)):]
	}
	return nil, false
}

func wordsOf(b []byte, limit int) []uint32 {
	words := make([]uint32, 0, limit)
	for ; len(b) >= 4 && len(words) < limit; b = b[4:] {
		words = append(words, binary.BigEndian.Uint32(b))
	}
	return words
}

// AppendHello adds a HELLO to b that offers the given versions: plain for one, with a
// version bitmap for several.
func AppendHello(b []byte, xid uint32, versions ...uint8) []byte {
	h := Header{Version: Version10, Type: helloType, Length: HeaderLen, XID: xid}
	if len(versions) > 0 {
		h.Version = slices.Max(versions)
	}
	if len(versions) < 2 {
		return h.Append(b)
	}
	words := make([]uint32, h.Version/32+1)
	for _, v := range versions {
		words[v/32] |= 1 << (v % 32)
	}
	n := 4 + 4*len(words)
	padded := (n + 7) / 8 * 8
	h.Length += uint16(padded)
	b = h.Append(b)
	b = binary.BigEndian.AppendUint16(b, helloVersionBitmap)
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return append(b, make([]byte, padded-n)...)
}
