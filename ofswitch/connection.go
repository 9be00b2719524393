package ofswitch

import (
	"github.com/govisor/govisor/ofwire/of10"
)

// ConnID names a control connection of the switch; the caller chooses it.
type ConnID uint32

// Role is how a control connection stands to the switch.
type Role uint8

// The roles. A service connection (one that was accepted on a passive listener)
// hears nothing unasked until it sets a miss_send_len.
const (
	Primary Role = iota
	Service
)

// connection is the switch's side of one control connection.
type connection struct {
	id          ConnID
	role        Role
	missSendLen uint16
	nxRole      uint32 // Nicira role: other, master or slave
}

// Connect announces a control connection whose HELLO exchange is over.
func (p *Pipeline) Connect(id ConnID, role Role) {
	c := &connection{id: id, role: role}
	if role == Primary {
		c.missSendLen = p.cfg.MissSendLen
	}
	p.conns = append(p.conns, c)
}

// Disconnect forgets a control connection.
func (p *Pipeline) Disconnect(id ConnID) {
	for i, c := range p.conns {
		if c.id == id {
			p.conns = append(p.conns[:i:i], p.conns[i+1:]...)
			return
		}
	}
}

// Primaries counts the connections with the role Primary.
func (p *Pipeline) Primaries() int {
	n := 0
	for _, c := range p.conns {
		if c.role == Primary {
			n++
		}
	}
	return n
}

func (p *Pipeline) conn(id ConnID) *connection {
	for _, c := range p.conns {
		if c.id == id {
			return c
		}
	}
	return nil
}

// hearsPackets reports whether packet_in and flow_removed go to c.
func (c *connection) hearsPackets() bool {
	return c.nxRole != roleSlave && c.hearsPorts()
}

// hearsPorts reports whether port_status goes to c.
func (c *connection) hearsPorts() bool { return c.role == Primary || c.missSendLen != 0 }

// broadcast sends an unasked message to every connection that hears packets.
func (p *Pipeline) broadcast(m of10.Message, out *Out) {
	for _, c := range p.conns {
		if c.hearsPackets() {
			out.message(c.id, m)
		}
	}
}
