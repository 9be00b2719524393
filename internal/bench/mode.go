package bench

import (
	"context"
	"encoding/binary"

	"github.com/govisor/govisor/ofwire/of10"
)

// Mode is how a Responder behaves.
type Mode int

// The modes.
const (
	ModeAnswer         Mode = iota // answer each packet_in
	ModeIgnore                     // read and count only
	ModeSlow                       // answer, and pause after each message
	ModeStall                      // read nothing, and ask for descriptions as long as they are taken, so that their answers pile up as well
	ModeFloodPacketOut             // send packet_outs as fast as they are taken, and read
	ModeFloodFlowMod               // send flow_mods as fast as they are taken, and read
)

// Mode is the mode now, and a channel that is closed when it changes.
func (r *Responder) Mode() (now Mode, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.mode, r.changed
}

// SetMode changes the mode of all connections. Floods repeat the answer to the first packet_in of their connection, and so begin after it.
func (r *Responder) SetMode(m Mode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = m
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// keepFlooding does the writing in the modes that write without being asked.
func (c *responderConn) keepFlooding(ctx context.Context) {
	for {
		mode, changed := c.r.Mode()
		if mode >= ModeStall {
			if c.flood(ctx, mode) != nil {
				return // run fails too
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// floodMessages is how many messages of a flood are written at once.
const floodMessages = 64

// flood writes until the mode changes. A batch is always finished: who stops in the middle of a message can send nothing more.
func (c *responderConn) flood(ctx context.Context, mode Mode) error {
	c.mu.Lock()
	c.flooding = true
	seen := c.seen
	c.mu.Unlock()
	batch := c.floodBatch(mode, seen)
	flows := uint32(0)
	for {
		c.mu.Lock()
		queued := c.queued
		c.queued = nil
		now, changed := c.r.Mode()
		if now != mode && len(queued) == 0 {
			c.flooding = false
			c.mu.Unlock()
			return nil
		}
		if c.seen != nil && seen == nil {
			seen = c.seen
			batch = c.floodBatch(mode, seen)
		}
		c.mu.Unlock()
		if now == mode && batch != nil {
			if mode == ModeFloodFlowMod {
				flows = renumber(batch, flows)
				c.r.FlowMods.Add(floodMessages)
			}
			queued = append(queued, batch...)
		}
		if len(queued) > 0 {
			if _, err := c.conn.Write(queued); err != nil {
				return err
			}
			c.r.Flooded.Add(floodMessages)
			continue
		}
		select {
		case <-changed:
		case <-c.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// rouse lets a flooder that has nothing to send look again.
func (c *responderConn) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// floodBatch is what one write of a flood sends; nil when there is nothing to repeat.
func (c *responderConn) floodBatch(mode Mode, seen []byte) []byte {
	f := &responderConn{r: &Responder{}, flowMod: c.flowMod}
	if mode == ModeStall {
		m := &of10.StatsRequest{XID: 30, StatsType: of10.StatsDesc}
		for range floodMessages {
			f.out, _ = m.AppendBinary(f.out)
		}
		return f.out
	}
	if seen == nil {
		return nil
	}
	buffer, port, frame := seen[8:12], binary.BigEndian.Uint16(seen[14:]), seen[packetInHead:]
	for range floodMessages {
		if mode == ModeFloodFlowMod {
			f.appendFlowMod(buffer, port, frame)
			continue
		}
		at := len(f.out)
		f.appendPacketOut(buffer, port, frame)
		if slot := at + 24 + frameSrcAt + 2; len(f.out) >= slot+4 {
			binary.BigEndian.PutUint32(f.out[slot:], noSlot)
		}
	}
	return f.out
}

// floodFlows is how many flows a flood of flow_mods goes round.
const floodFlows = 1024

// renumber gives the flow_mods of a batch addresses of their own, outside of those a generator uses, and returns the number to go on with.
func renumber(batch []byte, next uint32) uint32 {
	const length = flowModLen + 8 // with one action
	for at := 0; at+length <= len(batch); at += length {
		binary.BigEndian.PutUint32(batch[at+flowModSrcAt+2:], noSlot-next)
		next = (next + 1) % floodFlows
	}
	return next
}
