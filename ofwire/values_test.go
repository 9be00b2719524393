package ofwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHeaderBytes: each field at its place, with its smallest and largest value.
func TestHeaderBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		h    Header
		wire []byte
	}{
		{Header{Version: 1, Length: 8}, []byte{1, 0, 0, 8, 0, 0, 0, 0}},
		{Header{Version: 255, Type: 254, Length: 0xffff, XID: 0xffffffff}, []byte{255, 254, 255, 255, 255, 255, 255, 255}},
		{Header{Version: 4, Type: 3, Length: 0x0102, XID: 0x03040506}, []byte{4, 3, 1, 2, 3, 4, 5, 6}},
		{Header{Length: 0x0800, XID: 0x80000000}, []byte{0, 0, 8, 0, 0x80, 0, 0, 0}},
	} {
		if d := cmp.Diff(append([]byte{9}, c.wire...), c.h.Append([]byte{9})); d != "" {
			t.Errorf("%+v (-want +got)\n%s", c.h, d)
		}
		if got, err := ParseHeader(append(c.wire, 1, 2, 3)); err != nil || got != c.h {
			t.Errorf("%x: %+v, %v", c.wire, got, err)
		}
	}
	for length := range HeaderLen {
		b := Header{Version: 1, Length: uint16(length)}.Append(nil)
		if h, err := ParseHeader(b); !errors.Is(err, ErrLength) || h != (Header{}) {
			t.Errorf("length %d: %+v, %v", length, h, err)
		}
	}
}

// TestRandomValuesText: datapath ids and addresses come back from each of their forms.
func TestRandomValuesText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(41, 42))
	for range 5000 {
		id := DatapathID(r.Uint64() >> r.IntN(64))
		for _, form := range []string{id.String(), fmt.Sprintf("%#x", uint64(id)), fmt.Sprintf("0X%016X", uint64(id))} {
			if back, err := ParseDatapathID(form); err != nil || back != id {
				t.Fatalf("%s reads as %v, %v", form, back, err)
			}
		}
		decimal := fmt.Sprint(uint64(id))
		if back, err := ParseDatapathID(decimal); err == nil && back != id || err != nil && len(decimal) <= 16 {
			t.Fatalf("%s reads as %v, %v", decimal, back, err)
		}
		var m MAC
		binary.BigEndian.PutUint32(m[:], r.Uint32())
		binary.BigEndian.PutUint16(m[4:], uint16(r.Uint32()))
		short := fmt.Sprintf("%X:%x:%X:%x:%X:%x", m[0], m[1], m[2], m[3], m[4], m[5])
		for _, form := range []string{m.String(), short} {
			if back, err := ParseMAC(form); err != nil || back != m {
				t.Fatalf("%s reads as %v, %v", form, back, err)
			}
		}
		if m.IsMulticast() != (m[0]%2 == 1) || m.IsZero() != bytes.Equal(m[:], make([]byte, 6)) {
			t.Fatalf("%v: multicast %v, zero %v", m, m.IsMulticast(), m.IsZero())
		}
	}
}

// TestNegotiateEveryBitmap: with any two sets of versions up to 1.5, the highest common
// one is chosen, and none only if there is none.
func TestNegotiateEveryBitmap(t *testing.T) {
	t.Parallel()
	set := func(bits int) (versions []uint8) {
		for v := uint8(1); v <= 6; v++ {
			if bits>>v&1 != 0 {
				versions = append(versions, v)
			}
		}
		return versions
	}
	for peer := 2; peer < 128; peer += 2 {
		theirs := set(peer)
		if len(theirs) < 2 {
			continue // a plain HELLO
		}
		hello := AppendHello(nil, 1, theirs...)
		for own := 0; own < 128; own += 2 {
			var want uint8
			for v := uint8(6); v > 0; v-- {
				if peer&own>>v&1 != 0 {
					want = v
					break
				}
			}
			got, err := Negotiate(hello, set(own)...)
			if got != want || (err == nil) != (want != 0) {
				t.Fatalf("they %v, we %v: %d, %v; want %d", theirs, set(own), got, err, want)
			}
			var ve *VersionError
			if err != nil && (!errors.As(err, &ve) || !errors.Is(err, ErrVersion) || !cmp.Equal(ve.Peer, theirs) || !cmp.Equal(ve.Supported, set(own))) {
				t.Fatalf("they %v, we %v: %#v", theirs, set(own), err)
			}
		}
	}
}

// TestNegotiateEveryPlainVersion: without a bitmap it is the smaller of both highest
// versions, if we speak it.
func TestNegotiateEveryPlainVersion(t *testing.T) {
	t.Parallel()
	for v := range 256 {
		hello := Header{Version: uint8(v), Length: HeaderLen}.Append(nil)
		var one, both uint8 // what a speaker of 1.0 chooses, and one of 1.0 and 1.3
		switch {
		case v >= 4:
			one, both = 1, 4
		case v == 1:
			one, both = 1, 1
		case v > 1:
			one = 1
		}
		if got, err := Negotiate(hello, 1); got != one || (err == nil) != (one != 0) {
			t.Errorf("version %d, we 1.0: %d, %v; want %d", v, got, err, one)
		}
		if got, err := Negotiate(hello, 4, 1); got != both || (err == nil) != (both != 0) {
			t.Errorf("version %d, we 1.0 and 1.3: %d, %v; want %d", v, got, err, both)
		}
	}
}

// hostile returns what it is told.
type hostile struct{ n int }

func (h hostile) Read([]byte) (int, error)  { return h.n, nil }
func (h hostile) Write([]byte) (int, error) { return h.n, nil }

// TestHostileEnds: impossible counts are errors, not panics, and stay errors.
func TestHostileEnds(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, -1 << 30, 1 << 30, 513} {
		r := NewReader(hostile{n}, 512)
		for range 3 {
			if b, err := r.Next(); err == nil {
				t.Errorf("a read of %d bytes gives %x", n, b)
			}
		}
	}
	for _, n := range []int{-1, 0, 19} {
		w := NewWriter(hostile{n}, 512)
		if err := w.WriteFrame(frame(20, 1)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Flush(); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("a write of %d of 20 bytes: %v", n, err)
			}
		}
		if err := w.WriteFrame(frame(20, 1)); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("after a write of %d of 20 bytes: %v", n, err)
		}
	}
}

// TestReaderBadLengthStays: behind a length that cannot be, there is no next message.
func TestReaderBadLengthStays(t *testing.T) {
	t.Parallel()
	for length := range byte(HeaderLen) {
		bad := append([]byte{1, 0, 0, length, 0, 0, 0, 0}, frame(20, 1)...)
		r := NewReader(bytes.NewReader(append(frame(9, 2), bad...)), 0)
		if b, err := r.Next(); err != nil || !bytes.Equal(b, frame(9, 2)) {
			t.Fatalf("before it: %x, %v", b, err)
		}
		for range 3 {
			if b, err := r.Next(); !errors.Is(err, ErrLength) || b != nil {
				t.Errorf("length %d: %x, %v", length, b, err)
			}
			if !r.Buffered() {
				t.Errorf("length %d: the error is not known to be there", length)
			}
		}
	}
}
