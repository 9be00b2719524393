package ofwire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// minReaderSize holds a few small messages; a longer frame makes the buffer grow.
const minReaderSize = 512

// shrinkAfter is the number of reads of an empty, grown buffer before it gets its
// first size back: one 64 KiB stats reply must not cost an idle connection 64 KiB.
const shrinkAfter = 64

// A Reader cuts a byte stream into OpenFlow messages. It does not look past the length
// field, so it serves every version.
type Reader struct {
	src        io.Reader
	buf        []byte
	start, end int   // unread bytes are buf[start:end]
	size       int   // buffer size asked for
	small      int   // reads since the last frame that needed more than size
	err        error // came along with bytes; for the read after them
}

// NewReader returns a Reader on src with a buffer of bufSize bytes (at least 512).
func NewReader(src io.Reader, bufSize int) *Reader {
	size := max(bufSize, minReaderSize)
	return &Reader{src: src, buf: make([]byte, size), size: size}
}

// Next returns the next whole message. It aliases the reader's buffer and is valid until
// the following call. The error is io.EOF at the end between messages,
// io.ErrUnexpectedEOF inside one, ErrLength for a length below the header's, or what the
// source returned; after a timeout Next may be called again and nothing is lost.
func (r *Reader) Next() ([]byte, error) {
	for {
		have := r.end - r.start
		need := HeaderLen
		if have >= HeaderLen {
			need = int(binary.BigEndian.Uint16(r.buf[r.start+2:]))
			if need < HeaderLen {
				return nil, fmt.Errorf("framing: %w: %d", ErrLength, need)
			}
			if have >= need {
				frame := r.buf[r.start : r.start+need : r.start+need]
				r.start += need
				return frame, nil
			}
		}
		if err := r.fill(need); err != nil {
			return nil, err
		}
	}
}

// Buffered reports whether a further complete message is already in memory, so that
// Next will return without reading. A message with a bad length counts as complete.
func (r *Reader) Buffered() bool {
	have := r.end - r.start
	return have >= HeaderLen && have >= int(binary.BigEndian.Uint16(r.buf[r.start+2:]))
}

// fill makes room for need bytes from start on and reads once.
func (r *Reader) fill(need int) error {
	r.makeRoom(need)
	for range 100 {
		n, err := 0, r.err
		if r.err = nil; err == nil {
			n, err = r.src.Read(r.buf[r.end:])
		}
		if n < 0 || n > len(r.buf)-r.end {
			return fmt.Errorf("framing: source returned an impossible count %d", n)
		}
		r.end += n
		switch {
		case n > 0:
			r.err = err
			return nil
		case err == io.EOF && r.end > r.start:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

func (r *Reader) makeRoom(need int) {
	if need > r.size {
		r.small = 0
	} else {
		r.small++
	}
	if r.start == r.end {
		r.start, r.end = 0, 0
		if len(r.buf) > r.size && r.small >= shrinkAfter {
			r.buf = make([]byte, r.size)
		}
	}
	switch {
	case need > len(r.buf):
		// Twice what is needed, so that a stream of long messages is read in few calls.
		grown := make([]byte, min(2*need, 2*MaxFrameLen))
		r.end = copy(grown, r.buf[r.start:r.end])
		r.start, r.buf = 0, grown
	case r.start+need > len(r.buf):
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
}
