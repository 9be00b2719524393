//go:build !unix

package ofconn

import (
	"io"
	"net"
	"syscall"
)

// tryWriter does nothing where a socket cannot be written to without waiting.
type tryWriter struct{}

func rawConn(net.Conn) syscall.RawConn { return nil }

func (*tryWriter) init() {}

func (*tryWriter) write(syscall.RawConn, []byte) (int, error) { return 0, nil }

// newTryReader is not called where there is no raw connection.
func newTryReader(syscall.RawConn, func()) io.Reader { return nil }
