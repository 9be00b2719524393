package ofconn

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// sock is a socket that the Go runtime does not know.
type sock struct {
	fd    int
	users atomic.Int32  // calls in progress, and one until close
	gone  chan struct{} // closed with fd
	full  bool          // the last read filled its buffer; owned by who handles the connection
}

func newSock(fd int) *sock {
	s := &sock{fd: fd, gone: make(chan struct{})}
	s.users.Store(1)
	return s
}

func (s *sock) use() bool {
	for {
		n := s.users.Load()
		if n == 0 {
			return false
		}
		if s.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *sock) release() {
	if s.users.Add(-1) == 0 {
		_ = unix.Close(s.fd)
		close(s.gone)
	}
}

// close waits for the calls in progress, none of which blocks.
func (s *sock) close() {
	s.release()
	<-s.gone
}

// Read is for the goroutine that handles the connection.
func (s *sock) Read(b []byte) (int, error) {
	s.full = false
	for {
		n, err := tryReceive(uintptr(s.fd), b)
		switch {
		case err == nil:
			if n == 0 && len(b) > 0 {
				return 0, io.EOF
			}
			s.full = n == len(b)
			return n, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return 0, errLater
		default:
			return 0, os.NewSyscallError("read", err)
		}
	}
}

// write sends what the socket takes at once.
func (s *sock) write(b []byte) (int, error) {
	if !s.use() {
		return 0, net.ErrClosed
	}
	defer s.release()
	n, err := trySend(uintptr(s.fd), b)
	return n, writeError(err)
}

// writeError is what a send that does not wait has failed with: taking nothing now is
// no failure.
func writeError(err error) error {
	switch {
	case err == nil, errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil
	}
	return os.NewSyscallError("write", err)
}

// closeWrite tells the peer that nothing more comes.
func (s *sock) closeWrite() error {
	if !s.use() {
		return net.ErrClosed
	}
	defer s.release()
	return unix.Shutdown(s.fd, unix.SHUT_WR)
}
