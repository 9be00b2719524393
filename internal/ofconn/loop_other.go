//go:build !linux

package ofconn

import "errors"

// A Loop handles the messages of many plain sockets in one goroutine, on Linux.
type Loop struct{}

// A Batch sends together what is queued on many connections; here it sends each at once.
type Batch struct{}

// Flush is c.Flush.
func (*Batch) Flush(c *Conn) { c.Flush() }

type (
	sock struct{}
	link struct{}
)

func (*Loop) take(*Conn) bool      { return false }
func (*Loop) leave(*Conn)          {}
func (*Loop) pass(*Conn)           {}
func (*Loop) drainWhenReady(*Conn) {}
func (*Loop) drained(*Conn)        {}

func (*sock) write([]byte) (int, error) { return 0, errors.ErrUnsupported }

func (*sock) closeWrite() error { return errors.ErrUnsupported }
