package ofswitch

import (
	"fmt"
	"slices"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// swPort is a switch port as the pipeline knows it.
type swPort struct {
	desc     of10.PhyPort
	counters of10.PortStats
	queues   []*queue
}

// queue is one output queue. MinRate is in tenths of a per cent of the port's
// speed; the port that sends enforces it.
type queue struct {
	id      uint32
	minRate uint16
	stats   of10.QueueStats
}

// QueueConfig describes an output queue of a port.
type QueueConfig struct {
	ID      uint32
	MinRate uint16 // in 1/10 %; above 1000 means no guarantee
}

// physicalMax is the last port number a physical port may have.
const physicalMax = of10.PortMax - 1

// AddPort adds a port and announces it. Port numbers are 1 to 0xfeff, and LOCAL.
func (p *Pipeline) AddPort(now time.Time, desc of10.PhyPort, queues []QueueConfig, out *Out) error {
	no := desc.PortNo
	if (no == 0 || no > physicalMax) && no != of10.PortLocal {
		return fmt.Errorf("port number %d: want 1 to %d, or LOCAL", no, physicalMax)
	}
	if p.ports[no] != nil {
		return fmt.Errorf("port number %v is in use", no)
	}
	for _, other := range p.ports {
		if other.desc.Name == desc.Name && desc.Name != "" {
			return fmt.Errorf("port name %q is in use", desc.Name)
		}
	}
	pt := &swPort{desc: desc, counters: of10.PortStats{PortNo: no}}
	for _, q := range queues {
		pt.queues = append(pt.queues, &queue{
			id: q.ID, minRate: q.MinRate,
			stats: of10.QueueStats{PortNo: no, QueueID: q.ID},
		})
	}
	slices.SortFunc(pt.queues, func(a, b *queue) int { return int(int64(a.id) - int64(b.id)) })
	p.ports[no] = pt
	p.portOrder = append(p.portOrder, no)
	slices.Sort(p.portOrder)
	if no != of10.PortLocal {
		for len(p.fast) <= int(no) {
			p.fast = append(p.fast, nil)
		}
		p.fast[no] = pt
	}
	p.portStatus(of10.PortAdded, pt, nil, out)
	return nil
}

// RemovePort removes a port and announces it. Flows that name it stay.
func (p *Pipeline) RemovePort(now time.Time, no of10.Port, out *Out) bool {
	pt := p.ports[no]
	if pt == nil {
		return false
	}
	delete(p.ports, no)
	p.portOrder = slices.DeleteFunc(p.portOrder, func(n of10.Port) bool { return n == no })
	if int(no) < len(p.fast) {
		p.fast[no] = nil
	}
	p.macs.forgetPort(uint16(no))
	p.portStatus(of10.PortDeleted, pt, nil, out)
	return true
}

// SetPortState takes over what the attachment says of itself (link state,
// features, address) and announces a change. The config bits stay the controller's.
func (p *Pipeline) SetPortState(now time.Time, no of10.Port, desc of10.PhyPort, out *Out) {
	pt := p.ports[no]
	if pt == nil {
		return
	}
	desc.PortNo, desc.Name, desc.Config = no, pt.desc.Name, pt.desc.Config
	if desc == pt.desc {
		return
	}
	if desc.State&of10.PortStateLinkDown != 0 {
		p.macs.forgetPort(uint16(no))
	}
	pt.desc = desc
	p.portStatus(of10.PortModified, pt, nil, out)
}

// CountTxDrop notes frames that were output to no but that its attachment could
// not send.
func (p *Pipeline) CountTxDrop(no of10.Port, queueID uint32, frames int) {
	pt := p.ports[no]
	if pt == nil || frames <= 0 {
		return
	}
	pt.counters.TxDropped += uint64(frames)
	pt.counters.TxPackets -= min(pt.counters.TxPackets, uint64(frames))
	if q := pt.queue(queueID); q != nil {
		q.stats.TxErrors += uint64(frames)
	}
}

// Ports returns the descriptions of all ports in order of number.
func (p *Pipeline) Ports() []of10.PhyPort {
	out := make([]of10.PhyPort, 0, len(p.portOrder))
	for _, no := range p.portOrder {
		out = append(out, p.ports[no].desc)
	}
	return out
}

// PortStats returns the counters of a port.
func (p *Pipeline) PortStats(no of10.Port) (of10.PortStats, bool) {
	if pt := p.ports[no]; pt != nil {
		return pt.counters, true
	}
	return of10.PortStats{}, false
}

func (p *Pipeline) port(no of10.Port) *swPort {
	if int(no) < len(p.fast) {
		return p.fast[no]
	}
	return p.ports[no]
}

// portStatus tells every connection but the one whose port_mod caused it, as
// OpenFlow before 1.5 wants it.
func (p *Pipeline) portStatus(reason of10.PortReason, pt *swPort, cause *connection, out *Out) {
	for _, c := range p.conns {
		if c != cause && c.hearsPorts() {
			out.message(c.id, &of10.PortStatus{Reason: reason, Desc: pt.desc})
		}
	}
}

// receives applies the config bits of the receiving direction.
func (pt *swPort) receives(frame []byte) bool {
	c := pt.desc.Config
	if c&(of10.PortConfigDown|of10.PortConfigNoRecv|of10.PortConfigNoRecvSTP) == 0 {
		return true
	}
	stp := stpMAC(frame)
	switch {
	case c&of10.PortConfigDown != 0:
		return false
	case stp:
		return c&of10.PortConfigNoRecvSTP == 0
	}
	return c&of10.PortConfigNoRecv == 0
}

// sends applies the config bits of the sending direction.
func (pt *swPort) sends() bool {
	return pt.desc.Config&(of10.PortConfigDown|of10.PortConfigNoFwd) == 0 &&
		pt.desc.State&of10.PortStateLinkDown == 0
}

func (pt *swPort) queue(id uint32) *queue {
	for _, q := range pt.queues {
		if q.id == id {
			return q
		}
	}
	return nil
}

// portMod handles OFPT_PORT_MOD (specification section 5.3.4).
func (p *Pipeline) portMod(c *connection, m *of10.PortMod, out *Out) *of10.Error {
	pt := p.ports[m.PortNo]
	if pt == nil {
		return of10.NewError(of10.ErrorPortModFailed, of10.PortModFailedBadPort, nil)
	}
	if m.HWAddr != pt.desc.HWAddr {
		return of10.NewError(of10.ErrorPortModFailed, of10.PortModFailedBadHWAddr, nil)
	}
	const known = of10.PortConfigNoPacketIn<<1 - 1
	desc := pt.desc
	mask := m.Mask & known
	desc.Config = desc.Config&^mask | m.Config&mask
	if m.Advertise != 0 {
		desc.Advertised = m.Advertise
	}
	if desc == pt.desc {
		return nil
	}
	pt.desc = desc
	p.portStatus(of10.PortModified, pt, c, out)
	return nil
}
