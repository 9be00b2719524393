//go:build unix

package ofconn

import (
	"errors"
	"net"
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
		w.n, w.err = syscall.Write(int(fd), w.b)
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
