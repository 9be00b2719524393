package ofconn

import (
	"context"
	"errors"
)

// errLater is what a source says that has nothing now.
var errLater = errors.New("nothing to read yet")

// NewLoops makes n loops. Each is one goroutine, from its first connection to its
// last, that handles what comes on all of them.
func NewLoops(n int) []*Loop {
	loops := make([]*Loop, n)
	for i := range loops {
		loops[i] = new(Loop)
	}
	return loops
}

// runOn is Run on a loop; false means that this connection cannot be run on one.
func (c *Conn) runOn(ctx context.Context, l *Loop) bool {
	if !l.take(c) {
		return false
	}
	stop := context.AfterFunc(ctx, func() { c.done(context.Cause(ctx)) })
	defer stop()
	keeper := c.keepAlive()
	defer keeper.stop()
	<-c.closed
	l.leave(c)
	close(c.down)
	return true
}

// serve handles what has come, one buffer full at most, and reports whether the
// connection goes on. It is called by one goroutine at a time.
func (c *Conn) serve() bool {
	select {
	case <-c.closed:
		return false
	default:
	}
	if err := c.readSome(); err != nil && !errors.Is(err, errLater) {
		c.Close(err)
		return false
	}
	return true
}

// readSome reads once and handles the messages that are complete then.
func (c *Conn) readSome() (err error) {
	defer c.fault(&err)
	for {
		frame, err := c.r.Next()
		if err != nil {
			return err
		}
		if err := c.handle(frame); err != nil {
			return err
		}
		if !c.r.Buffered() {
			return nil
		}
	}
}
