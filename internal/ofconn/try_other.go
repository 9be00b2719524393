//go:build !unix

package ofconn

import (
	"net"
	"syscall"
)

// tryWriter does nothing where a socket cannot be written to without waiting.
type tryWriter struct{}

func rawConn(net.Conn) syscall.RawConn { return nil }

func (*tryWriter) init() {}

func (*tryWriter) write(syscall.RawConn, []byte) (int, error) { return 0, nil }
