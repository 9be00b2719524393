package ofswitch

import (
	"errors"
	"time"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// HandleMessage treats one complete message from a controller. Every malformed
// message is answered with the error the specification names for it, and changes
// nothing.
func (p *Pipeline) HandleMessage(now time.Time, id ConnID, frame []byte, out *Out) {
	c := p.conn(id)
	if c == nil {
		return
	}
	p.expireDue(now, out)
	h, err := ofwire.ParseHeader(frame)
	if err != nil {
		return // the framing of the connection does not let this pass
	}
	if h.Version != ofwire.Version10 {
		p.refuse(c, of10.NewError(of10.ErrorBadRequest, of10.BadRequestBadVersion, nil), frame, h.XID, out)
		return
	}
	if !fromController(of10.Type(h.Type)) {
		p.refuse(c, badRequest(of10.BadRequestBadType), frame, h.XID, out)
		return
	}
	m, err := of10.Parse(frame)
	if err != nil {
		p.refuse(c, wireError(err), frame, h.XID, out)
		return
	}
	if e := p.dispatch(now, c, m, out); e != nil {
		p.refuse(c, e, frame, h.XID, out)
	}
}

// fromController reports whether a controller may send a type to a switch.
func fromController(t of10.Type) bool {
	switch t {
	case of10.TypeHello, of10.TypeEchoRequest, of10.TypeEchoReply, of10.TypeVendor, of10.TypeFeaturesRequest,
		of10.TypeGetConfigRequest, of10.TypeSetConfig, of10.TypePacketOut, of10.TypeFlowMod, of10.TypePortMod,
		of10.TypeStatsRequest, of10.TypeBarrierRequest, of10.TypeQueueGetConfigRequest:
		return true
	}
	return false
}

// wireError is the answer to a message that does not decode.
func wireError(err error) *of10.Error {
	var e *of10.Error
	if errors.As(err, &e) {
		return of10.NewError(e.ErrType, e.Code, nil)
	}
	return of10.NewError(of10.ErrorBadRequest, of10.BadRequestBadLen, nil)
}

// maxErrorData is what of an offending message fits into an error.
const maxErrorData = 0xffff - 12

// refuse answers frame with e, quoting it.
func (p *Pipeline) refuse(c *connection, e *of10.Error, frame []byte, xid uint32, out *Out) {
	p.stats.BadMessages++
	out.message(c.id, &of10.Error{
		XID: xid, ErrType: e.ErrType, Code: e.Code,
		Data: frame[:min(len(frame), maxErrorData)],
	})
}

func badRequest(code uint16) *of10.Error {
	return of10.NewError(of10.ErrorBadRequest, code, nil)
}

func (p *Pipeline) dispatch(now time.Time, c *connection, m of10.Message, out *Out) *of10.Error {
	xid := m.TransactionID()
	reply := func(r of10.Message) {
		r.SetTransactionID(xid)
		out.message(c.id, r)
	}
	switch m := m.(type) {
	case *of10.Hello, *of10.EchoReply:
	case *of10.EchoRequest:
		reply(&of10.EchoReply{Data: m.Data})
	case *of10.FeaturesRequest:
		reply(p.features())
	case *of10.GetConfigRequest:
		reply(&of10.GetConfigReply{Flags: p.flags, MissSendLen: c.missSendLen})
	case *of10.SetConfig:
		return p.setConfig(c, m)
	case *of10.BarrierRequest:
		reply(&of10.BarrierReply{}) // everything before it has been done
	case *of10.FlowMod:
		return p.flowMod(now, c, m, out)
	case *of10.PacketOut:
		return p.packetOut(now, c, m, out)
	case *of10.PortMod:
		if c.nxRole == roleSlave {
			return badRequest(of10.BadRequestEPerm)
		}
		return p.portMod(c, m, out)
	case *of10.StatsRequest:
		return p.statsRequest(now, c, m, out)
	case *of10.QueueGetConfigRequest:
		return p.queueConfig(m, reply)
	case *of10.Vendor:
		return p.vendorMessage(c, m, reply)
	default:
		return badRequest(of10.BadRequestBadType)
	}
	return nil
}

// features describes the switch (specification section 5.3.1).
func (p *Pipeline) features() *of10.FeaturesReply {
	return &of10.FeaturesReply{
		DatapathID: p.cfg.DatapathID,
		NBuffers:   uint32(len(p.buffers.slots)),
		NTables:    1,
		Capabilities: of10.CapFlowStats | of10.CapTableStats | of10.CapPortStats |
			of10.CapQueueStats | of10.CapARPMatchIP,
		Actions: of10.AllActions,
		Ports:   p.Ports(),
	}
}

// setConfig refuses reassembly, which this switch does not do, as a whole.
func (p *Pipeline) setConfig(c *connection, m *of10.SetConfig) *of10.Error {
	switch m.Flags & of10.FragMask {
	case of10.FragNormal, of10.FragDrop:
		p.flags = m.Flags & of10.FragMask
		c.missSendLen = m.MissSendLen
		return nil
	}
	return badRequest(of10.BadRequestEPerm)
}

// queueConfig handles OFPT_QUEUE_GET_CONFIG_REQUEST (specification section 5.3.4).
func (p *Pipeline) queueConfig(m *of10.QueueGetConfigRequest, reply func(of10.Message)) *of10.Error {
	pt := p.ports[m.Port]
	if pt == nil || m.Port > physicalMax {
		return of10.NewError(of10.ErrorQueueOpFailed, of10.QueueOpFailedBadPort, nil)
	}
	r := &of10.QueueGetConfigReply{Port: m.Port}
	for _, q := range pt.queues {
		pq := of10.PacketQueue{QueueID: q.id}
		if q.minRate <= 1000 {
			pq.Properties = []of10.QueueProperty{{Property: of10.QueuePropertyMinRate, MinRate: q.minRate}}
		}
		r.Queues = append(r.Queues, pq)
	}
	reply(r)
	return nil
}

// Nicira's role extension, which controllers of several switches speak.
const (
	vendorNicira   = 0x00002320
	nxRoleRequest  = 10
	nxRoleReply    = 11
	roleOther      = 0
	roleMaster     = 1
	roleSlave      = 2
	nxRoleBodySize = 8 // subtype and role
)

// vendorMessage asks the extensions, then knows Nicira's role request.
func (p *Pipeline) vendorMessage(c *connection, m *of10.Vendor, reply func(of10.Message)) *of10.Error {
	if h := p.cfg.VendorMessages[m.Vendor]; h != nil {
		r, err := h(m)
		if err == nil && r != nil {
			reply(r)
		}
		return err
	}
	if m.Vendor != vendorNicira {
		return badRequest(of10.BadRequestBadVendor)
	}
	if len(m.Data) < 4 || be32(m.Data) != nxRoleRequest {
		return badRequest(of10.BadRequestBadSubtype)
	}
	if len(m.Data) != nxRoleBodySize {
		return badRequest(of10.BadRequestBadLen)
	}
	role := be32(m.Data[4:])
	if role > roleSlave {
		return badRequest(of10.BadRequestBadSubtype)
	}
	if role == roleMaster {
		for _, other := range p.conns {
			if other.nxRole == roleMaster {
				other.nxRole = roleSlave
			}
		}
	}
	c.nxRole = role
	body := append([]byte{0, 0, 0, nxRoleReply}, m.Data[4:]...)
	reply(&of10.Vendor{Vendor: vendorNicira, Data: body})
	return nil
}

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
