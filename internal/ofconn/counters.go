package ofconn

import "sync/atomic"

// NumTypes is the number of message types counted apart; all from the last one
// on are counted together.
const NumTypes = 24

// Counters count the messages of a connection, or of several in a row (a peer
// that reconnects). The zero value is ready; one addition per message.
type Counters struct {
	rx, tx, drop     [NumTypes]atomic.Uint64
	rxBytes, txBytes atomic.Uint64
	panics           atomic.Uint64
}

// Received is the number of messages of type t that came in.
func (c *Counters) Received(t uint8) uint64 { return c.rx[typeIndex(t)].Load() }

// Sent is the number of messages of type t that were queued for sending.
func (c *Counters) Sent(t uint8) uint64 { return c.tx[typeIndex(t)].Load() }

// Dropped is the number of messages of type t dropped because the peer did not
// keep up.
func (c *Counters) Dropped(t uint8) uint64 { return c.drop[typeIndex(t)].Load() }

// Bytes is the number of bytes in and out.
func (c *Counters) Bytes() (received, sent uint64) { return c.rxBytes.Load(), c.txBytes.Load() }

// Panics is the number of faults caught at the connection's boundary.
func (c *Counters) Panics() uint64 { return c.panics.Load() }

// CountPanic counts a fault caught elsewhere that is the connection's.
func (c *Counters) CountPanic() { c.panics.Add(1) }

func (c *Counters) countRx(frame []byte) {
	c.rx[typeIndex(frame[1])].Add(1)
	c.rxBytes.Add(uint64(len(frame)))
}

func (c *Counters) countTx(frame []byte) {
	c.tx[typeIndex(frame[1])].Add(1)
	c.txBytes.Add(uint64(len(frame)))
}

// CountDropped counts a message that was dropped before it reached a connection.
func (c *Counters) CountDropped(frame []byte) { c.drop[typeIndex(frame[1])].Add(1) }

func typeIndex(t uint8) uint8 { return min(t, NumTypes-1) }
