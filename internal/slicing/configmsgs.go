package slicing

import (
	"github.com/govisor/govisor/ofwire/of10"
)

func (d *Datapath) getConfig(s *slice, c Conn, frame []byte, out *Out) {
	m := of10.GetConfigRequest{}
	if d.ask(&m, s, c, frame, out) {
		out.deliver(s.name, c.ID, &of10.GetConfigReply{XID: m.XID, Flags: s.frag, MissSendLen: s.miss})
	}
}

// setConfig keeps a slice's configuration for itself. Reassembly is not offered;
// asking for it changes nothing and is answered with an error.
func (d *Datapath) setConfig(s *slice, c Conn, frame []byte, out *Out) {
	m := of10.SetConfig{}
	if !d.ask(&m, s, c, frame, out) {
		return
	}
	frag := m.Flags & of10.FragMask
	if frag != of10.FragNormal && frag != of10.FragDrop {
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestEPerm)
		return
	}
	s.miss, s.frag = m.MissSendLen, frag
	d.configure(out)
	d.publish()
}

// configure keeps the switch's own configuration wide enough for all slices: the
// longest miss_send_len any of them wants, and fragments dropped only if all say so.
// A slice that drops fragments next to one that does not still never sees their
// misses, but its flows do handle them.
func (d *Datapath) configure(out *Out) {
	miss, frag := uint16(minMissSend), of10.FragNormal
	drop := len(d.slices) > 0
	for _, s := range d.slices {
		miss = max(miss, s.miss)
		drop = drop && s.frag == of10.FragDrop
	}
	if drop {
		frag = of10.FragDrop
	}
	if miss == d.missSend && frag == d.frag {
		return
	}
	d.missSend, d.frag = miss, frag
	out.send(&of10.SetConfig{XID: d.nextXID(), Flags: frag, MissSendLen: miss})
}
