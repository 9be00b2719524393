package ofswitch

import (
	"time"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// packetOut handles OFPT_PACKET_OUT (specification section 5.3.6). The actions
// are checked first, so that a refused message does not use up its buffer.
func (p *Pipeline) packetOut(now time.Time, c *connection, m *of10.PacketOut, out *Out) *of10.Error {
	if c.nxRole == roleSlave {
		return badRequest(of10.BadRequestEPerm)
	}
	prog, e := p.compile(m.Actions, forPacketOut)
	if e != nil {
		return e
	}
	frame := InFrame{Data: m.Data}
	if m.BufferID != of10.NoBuffer {
		b, e := p.buffers.take(m.BufferID)
		if e != nil {
			return e
		}
		frame = b.frame
	}
	if len(frame.Data) < 14 {
		return nil // nothing that could be a frame
	}
	p.inject(now, m.InPort, frame, &prog, out)
	return nil
}

// inject runs a program on a frame that a controller sent or released. The frame
// is copied, because its memory is the message's or the buffer's.
func (p *Pipeline) inject(now time.Time, inPort of10.Port, f InFrame, prog *program, out *Out) {
	data := out.alloc(len(f.Data) + 16)[:len(f.Data)]
	copy(data, f.Data)
	f.Data = data
	x := execution{p: p, now: now, out: out, inPort: inPort, in: p.port(inPort), frame: f}
	x.info = packet.ParseInto(f.Data, uint32(inPort), &x.header)
	x.run(prog)
}
