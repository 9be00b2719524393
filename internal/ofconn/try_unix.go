//go:build unix

package ofconn

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// rawConn gives access to the socket of a plain TCP or unix connection.
func rawConn(nc net.Conn) syscall.RawConn {
	switch nc := nc.(type) {
	case *net.TCPConn:
		if raw, err := nc.SyscallConn(); err == nil {
			return raw
		}
	case *net.UnixConn:
		if raw, err := nc.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// tryWriter writes without ever waiting for the socket.
type tryWriter struct {
	b   []byte
	n   int
	err error
	fn  func(fd uintptr) bool // made once, or each write would allocate it
}

func (w *tryWriter) init() {
	w.fn = func(fd uintptr) bool {
		w.n, w.err = trySend(fd, w.b)
		return true
	}
}

// write returns how many bytes the socket took at once.
func (w *tryWriter) write(raw syscall.RawConn, b []byte) (int, error) {
	w.b, w.n, w.err = b, 0, nil
	err := raw.Write(w.fn)
	w.b = nil
	if err == nil {
		err = w.err
	}
	switch {
	case err == nil:
		return w.n, nil
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return 0, nil
	}
	return 0, err
}

// tryReader is an io.Reader on the socket that says so before it has to wait.
type tryReader struct {
	raw  syscall.RawConn
	idle func() // called when nothing has come yet, before waiting

	b      []byte
	n      int
	err    error
	waited bool
	fn     func(fd uintptr) bool
}

func newTryReader(raw syscall.RawConn, idle func()) io.Reader {
	r := &tryReader{raw: raw, idle: idle}
	r.fn = r.try
	return r
}

func (r *tryReader) Read(b []byte) (int, error) {
	r.b, r.waited = b, false
	err := r.raw.Read(r.fn)
	r.b = nil
	switch {
	case err != nil:
		return 0, err
	case r.err != nil:
		return 0, os.NewSyscallError("read", r.err)
	case r.n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return r.n, nil
}

// try is done when it returns true; after false it is called again when there is
// something to read.
func (r *tryReader) try(fd uintptr) bool {
	for {
		r.n, r.err = tryReceive(fd, r.b)
		switch {
		case errors.Is(r.err, syscall.EINTR):
			continue
		case errors.Is(r.err, syscall.EAGAIN):
			if !r.waited {
				r.waited = true
				r.idle()
			}
			return false
		}
		return true
	}
}
