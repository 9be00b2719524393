package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// maxPorts is how many ports a features_reply has room for.
const maxPorts = (maxMessage - 32) / 48

func (d *Datapath) featuresRequest(s *slice, c Conn, frame []byte, out *Out) {
	m := of10.FeaturesRequest{}
	if !d.ask(&m, s, c, frame, out) {
		return
	}
	r := d.features
	r.XID, r.DatapathID, r.NTables = m.XID, d.cfg.DPID, 1
	r.Actions &= of10.AllActions
	for i := range d.ports {
		if s.owns(d.ports[i].PortNo) && len(r.Ports) < maxPorts {
			r.Ports = append(r.Ports, s.view(&d.ports[i]))
		}
	}
	out.deliver(s.name, c.ID, &r)
}

// view is a port as the slice sees it.
func (s *slice) view(p *of10.PhyPort) of10.PhyPort {
	v := *p
	v.Config = s.config(p)
	if b := s.bits[p.PortNo]; b.advertised != 0 {
		v.Advertised = b.advertised
	}
	return v
}

func (d *Datapath) sortPorts() {
	slices.SortStableFunc(d.ports, func(a, b of10.PhyPort) int { return int(a.PortNo) - int(b.PortNo) })
}

func (d *Datapath) port(no of10.Port) *of10.PhyPort {
	for i := range d.ports {
		if d.ports[i].PortNo == no {
			return &d.ports[i]
		}
	}
	return nil
}

// portMod sets what a slice wants of a port, for the slice alone.
func (d *Datapath) portMod(now time.Time, s *slice, c Conn, frame []byte, out *Out) {
	m := of10.PortMod{}
	if !d.ask(&m, s, c, frame, out) {
		return
	}
	p := d.port(m.PortNo)
	if p == nil || !s.owns(m.PortNo) {
		d.fail(out, s, c.ID, frame, of10.ErrorPortModFailed, of10.PortModFailedBadPort)
		return
	}
	if p.HWAddr != m.HWAddr {
		d.fail(out, s, c.ID, frame, of10.ErrorPortModFailed, of10.PortModFailedBadHWAddr)
		return
	}
	before := s.view(p)
	b := s.bits[p.PortNo]
	b.mask |= m.Mask & of10.PortConfigAll
	b.value = b.value&^m.Mask | m.Config&m.Mask&of10.PortConfigAll
	if m.Advertise != 0 {
		b.advertised = m.Advertise
	}
	s.bits[p.PortNo] = b
	d.portChanged(now, s, m.PortNo)
	d.reviseEmergency(now, out)
	d.publish()
	d.flush(now, nil, out)
	d.confirm(now, out)
	if after := s.view(p); after != before {
		out.deliverExcept(s.name, AllConns, c.ID, &of10.PortStatus{Reason: of10.PortModified, Desc: after})
	}
}

// portsChanged brings a slice's flows in line with its ports.
func (d *Datapath) portsChanged(now time.Time, s *slice) {
	d.setDrops(now, s)
	flows := s.table.Flows()
	d.withMany(2*len(flows), func() {
		for _, fl := range flows {
			d.replace(fl.Aux.(*vflow))
		}
	})
}

// portChanged is portsChanged when it was one port: flows that cannot send to it stay
// as they are.
func (d *Datapath) portChanged(now time.Time, s *slice, p of10.Port) {
	d.setDrops(now, s)
	flows := slices.DeleteFunc(s.table.Flows(), func(f *flowtable.Flow) bool { return !sendsTo(f.Actions, p) })
	d.withMany(2*len(flows), func() {
		for _, f := range flows {
			d.replace(f.Aux.(*vflow))
		}
	})
}

// sendsTo reports whether what becomes of a list of actions depends on port p.
func sendsTo(list []of10.Action, p of10.Port) bool {
	for i := range list {
		if a := &list[i]; a.Type != of10.ActionOutput && a.Type != of10.ActionEnqueue {
			continue
		}
		switch list[i].Port {
		case p, of10.PortInPort, of10.PortFlood, of10.PortAll, of10.PortNormal:
			return true
		}
	}
	return false
}

// replace derives a flow anew; what stays the same costs no message.
func (d *Datapath) replace(f *vflow) {
	old := f.pieces
	d.drop(f)
	if err := d.place(f); err != nil {
		d.report(Event{Slice: f.slice.name, What: "flow " + f.flow.Match.String() + " has too many pieces now and is out of force", Err: err})
	}
	keepGone(f, old)
}

// setDrops keeps a flow above all others for every port the slice wants nothing from.
func (d *Datapath) setDrops(now time.Time, s *slice) {
	for p, b := range s.bits {
		on := b.on()
		want := s.owns(p) && on&(of10.PortConfigDown|of10.PortConfigNoRecv|of10.PortConfigNoRecvSTP) != 0
		onlySTP := on&(of10.PortConfigDown|of10.PortConfigNoRecv) == 0
		f := s.drops[p]
		if f != nil && want && (f.flow.Match.Wildcards&of10.WildDLDst == 0) != onlySTP {
			delete(s.drops, p)
			f.ended = true
			d.drop(f)
			f = nil
		}
		switch {
		case want && f == nil:
			m := of10.MatchAll()
			m.Wildcards &^= of10.WildInPort
			m.InPort = p
			if onlySTP {
				m.Wildcards &^= of10.WildDLDst
				m.DLDst = stpMAC
			}
			f = newFlow(now, s, &of10.FlowMod{Match: m})
			f.level = levelDrop
			d.insert(f)
			s.drops[p] = f
			if err := d.place(f); err != nil {
				d.report(Event{Slice: s.name, What: "a port that is down cannot be closed", Err: err})
			}
		case !want && f != nil:
			delete(s.drops, p)
			f.ended = true
			d.drop(f)
		case want:
			d.replace(f)
		}
	}
}

// clearPorts takes everything away that port_mods of a slice have made.
func (d *Datapath) clearPorts(s *slice) {
	for p, f := range s.drops {
		delete(s.drops, p)
		f.ended = true
		d.drop(f)
	}
	clear(s.bits)
}

// fromPortStatus passes a change of a port on to the slices that have it.
func (d *Datapath) fromPortStatus(now time.Time, m *of10.PortStatus, out *Out) {
	at := slices.IndexFunc(d.ports, func(p of10.PhyPort) bool { return p.PortNo == m.Desc.PortNo })
	switch {
	case m.Reason == of10.PortDeleted && at >= 0:
		d.ports = slices.Delete(d.ports, at, at+1)
	case m.Reason == of10.PortDeleted:
	case at >= 0:
		d.ports[at] = m.Desc
	default:
		d.ports = append(d.ports, m.Desc)
		d.sortPorts()
	}
	for _, s := range d.sorted() {
		if !s.owns(m.Desc.PortNo) {
			continue
		}
		out.deliver(s.name, AllConns, &of10.PortStatus{Reason: m.Reason, Desc: s.view(&m.Desc)})
		if m.Reason == of10.PortDeleted {
			delete(s.bits, m.Desc.PortNo)
			if f := s.drops[m.Desc.PortNo]; f != nil {
				delete(s.drops, m.Desc.PortNo)
				f.ended = true
				d.drop(f)
			}
		}
		d.portChanged(now, s, m.Desc.PortNo)
	}
	d.reviseEmergency(now, out)
	d.publish()
	d.flush(now, nil, out)
}

// queueConfig asks the switch for the queues of one of the slice's ports.
func (d *Datapath) queueConfig(s *slice, c Conn, frame []byte, out *Out) {
	m := of10.QueueGetConfigRequest{}
	if !d.ask(&m, s, c, frame, out) {
		return
	}
	if !m.Port.IsPhysical() || !s.owns(m.Port) {
		d.fail(out, s, c.ID, frame, of10.ErrorQueueOpFailed, of10.QueueOpFailedBadPort)
		return
	}
	p := pending{kind: pendForward, slice: s, conn: c.ID, orig: frame}
	m.XID = d.nextXID()
	p.xid = m.XID
	d.expect(p)
	out.send(&m)
}

func (d *Datapath) fromQueueConfig(frame []byte, out *Out) {
	m := of10.QueueGetConfigReply{}
	if !d.decode(&m, frame) {
		return
	}
	p := d.answered(m.XID)
	if p == nil || p.kind != pendForward || of10.PeekType(p.orig) != of10.TypeQueueGetConfigRequest {
		d.Counters.drop(DropUnknownXID)
		return
	}
	m.XID = p.origXID()
	m.Queues = slices.DeleteFunc(m.Queues, func(q of10.PacketQueue) bool { return !d.grantsQueue(p.slice, m.Port, q.QueueID) })
	out.deliver(p.slice.name, p.conn, &m)
}
