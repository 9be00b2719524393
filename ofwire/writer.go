package ofwire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A Writer gathers whole messages and writes them in as few calls as possible. Errors
// stick: after a failed write every call returns that error.
type Writer struct {
	dst io.Writer
	buf []byte
	err error
}

// NewWriter returns a Writer on dst that flushes by itself when more than bufSize bytes
// (at least 512) wait.
func NewWriter(dst io.Writer, bufSize int) *Writer {
	return &Writer{dst: dst, buf: make([]byte, 0, max(bufSize, minReaderSize))}
}

// WriteFrame queues one message, which is copied. It refuses, with ErrLength, a frame
// whose header does not state its length: the peer could not find the next one.
func (w *Writer) WriteFrame(frame []byte) error {
	if w.err != nil {
		return w.err
	}
	if len(frame) < HeaderLen || len(frame) != int(binary.BigEndian.Uint16(frame[2:])) {
		return fmt.Errorf("framing: %w: frame of %d bytes", ErrLength, len(frame))
	}
	if len(w.buf)+len(frame) > cap(w.buf) {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if len(frame) > cap(w.buf) {
		return w.write(frame)
	}
	w.buf = append(w.buf, frame...)
	return nil
}

// Buffered is the number of bytes that wait for Flush.
func (w *Writer) Buffered() int { return len(w.buf) }

// Flush writes what waits.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	err := w.write(w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *Writer) write(b []byte) error {
	n, err := w.dst.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	w.err = err
	return err
}
