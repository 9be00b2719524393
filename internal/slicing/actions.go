package slicing

import (
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

func badAction(code uint16) *of10.Error { return &of10.Error{ErrType: of10.ErrorBadAction, Code: code} }

// allowed checks a list of actions as far as that is possible without knowing the
// frames: values, ports, queues, and what is granted at all.
func (d *Datapath) allowed(s *slice, list []of10.Action, packetOut bool) *of10.Error {
	size, byHand := 0, 0
	for i := range list {
		a := &list[i]
		if err := d.allowedAction(s, a, packetOut); err != nil {
			return err
		}
		switch {
		case a.Type != of10.ActionOutput:
			size += a.Len()
		case a.Port == of10.PortFlood || a.Port == of10.PortAll:
			size += enqueueLen * len(d.ports)
		default:
			size += enqueueLen // with a forced queue
		}
		if a.Type == of10.ActionOutput && (a.Port == of10.PortController || a.Port == of10.PortTable) {
			byHand++
		}
	}
	if size > maxActionBytes || byHand > maxByHand {
		return badAction(of10.BadActionTooMany)
	}
	return nil
}

// Bounds on what one message may ask for. All of them are far beyond what switches
// take; they keep a message of 64 KiB from becoming megabytes or seconds.
const (
	flowModHead    = 72
	enqueueLen     = 16
	maxActionBytes = 0xffff - 12 - 88 // as they go to the switch, and as statistics of one flow
	maxByHand      = 64               // outputs to CONTROLLER and TABLE
	maxActions     = 1 << 19          // actions times pieces of a flow_mod
	maxChecks      = 1 << 16          // regions looked at for the rewriting of a flow_mod
)

func (d *Datapath) allowedAction(s *slice, a *of10.Action, packetOut bool) *of10.Error {
	switch a.Type {
	case of10.ActionOutput:
		return s.allowedPort(a.Port, packetOut)
	case of10.ActionEnqueue:
		if a.Port != of10.PortInPort && !(a.Port.IsPhysical() && s.owns(a.Port)) {
			return badAction(of10.BadActionBadOutPort)
		}
		if !d.grantsQueue(s, a.Port, a.QueueID) {
			return badAction(of10.BadActionBadQueue)
		}
	case of10.ActionSetVLANVID:
		if a.VLANVID > 0xfff {
			return badAction(of10.BadActionBadArgument)
		}
	case of10.ActionSetVLANPCP:
		if a.VLANPCP > 7 {
			return badAction(of10.BadActionBadArgument)
		}
	case of10.ActionSetNWTos:
		if a.NWTos&3 != 0 {
			return badAction(of10.BadActionBadArgument)
		}
	case of10.ActionStripVLAN, of10.ActionSetDLSrc, of10.ActionSetDLDst, of10.ActionSetNWSrc, of10.ActionSetNWDst,
		of10.ActionSetTPSrc, of10.ActionSetTPDst:
	case of10.ActionVendor:
		return badAction(of10.BadActionBadVendor)
	default:
		return badAction(of10.BadActionBadType)
	}
	return nil
}

func (s *slice) allowedPort(p of10.Port, packetOut bool) *of10.Error {
	var ok bool
	switch p {
	case of10.PortInPort, of10.PortFlood, of10.PortAll, of10.PortController:
		ok = true
	case of10.PortTable:
		ok = packetOut
	case of10.PortNormal:
		ok = s.mayFlood()
	case of10.PortLocal:
		ok = s.owns(p)
	default:
		ok = p <= of10.PortMax && s.owns(p)
	}
	if !ok {
		return badAction(of10.BadActionBadOutPort)
	}
	return nil
}

// grantsQueue reports whether a rule that the slice may write names the queue for
// frames of the port (or of any port, for IN_PORT).
func (d *Datapath) grantsQueue(s *slice, p of10.Port, queue uint32) bool {
	for _, r := range d.view.SliceRules(s.name) {
		if !r.Allows(s.name, flowspace.Write) || p != of10.PortInPort && !r.Match.InPort.Has(uint32(p)) {
			continue
		}
		for _, q := range r.Queues {
			if q == queue {
				return true
			}
		}
		if r.HasForcedQueue && r.ForcedQueue == queue {
			return true
		}
	}
	return false
}

// grantsQueueBack reports whether frames of rule r may go back by the port they came in
// by, or by any port of the rule if that is PortNone, in a queue.
func (d *Datapath) grantsQueueBack(s *slice, in of10.Port, r *flowspace.Rule, queue uint32) bool {
	if in != of10.PortNone {
		return d.grantsQueue(s, in, queue)
	}
	for i := range d.ports {
		p := d.ports[i].PortNo
		if s.owns(p) && (r == nil || r.Match.InPort.Has(uint32(p))) && !d.grantsQueue(s, p, queue) {
			return false
		}
	}
	return true
}

// mayFlood reports whether the slice has the flood permission and every port, also
// those the switch does not have yet: no frame of it can leave where it must not.
func (s *slice) mayFlood() bool { return s.cfg.Flood && s.has && s.ports.IsAny() }

// native reports whether the switch's own FLOOD, ALL and NORMAL do for frames of rule r
// what the slice's virtual switch would do.
func (d *Datapath) native(s *slice, r *flowspace.Rule) bool {
	if !s.mayFlood() || r != nil && r.HasForcedQueue {
		return false
	}
	for p := range s.bits {
		if port := d.port(p); !s.sends(p) || port != nil && (s.config(port)^port.Config)&of10.PortConfigNoFlood != 0 {
			return false
		}
	}
	return true
}

// outPorts yields where FLOOD or ALL goes, in the order of the ports' numbers.
func (d *Datapath) outPorts(s *slice, to of10.Port, in of10.Port, f func(of10.Port)) {
	for i := range d.ports {
		p := &d.ports[i]
		if p.PortNo == in || !s.sends(p.PortNo) {
			continue
		}
		if to == of10.PortFlood && s.config(p)&of10.PortConfigNoFlood != 0 {
			continue
		}
		f(p.PortNo)
	}
}

// rewrites reports whether list changes frames before an output.
func rewrites(list []of10.Action) bool {
	set := false
	for i := range list {
		switch list[i].Type {
		case of10.ActionOutput, of10.ActionEnqueue:
			if set && list[i].Port != of10.PortController {
				return true
			}
		default:
			set = true
		}
	}
	return false
}

// compile turns a virtual flow's actions into those of its piece pat in rule r. It
// leaves out whatever the slice may not do there, so that the result is safe even
// if the flowspace has changed since the flow was accepted.
func (d *Datapath) compile(dst []of10.Action, f *vflow, pat *flowtable.Pattern, r *ruleInfo, list []of10.Action) []of10.Action {
	var rw legality
	if rewrites(list) {
		rw = d.newRewriter(f, pat, r)
	}
	in := of10.PortNone
	if p, ok := pat.InPort(); ok {
		in = of10.Port(p)
	}
	before := len(dst)
	dst = d.compileFor(dst, f.slice, in, r.rule, list, rw)
	if actionsLen(dst[before:]) > maxMessage-flowModHead { // the switch has more ports now than when it was accepted
		d.report(Event{Slice: f.slice.name, What: "flow " + f.flow.Match.String() + " has too many outputs now and is out of force"})
		return dst[:before]
	}
	return dst
}

// legality tells whether a frame, as rewritten so far, may leave.
type legality interface {
	apply(a *of10.Action)
	ok() bool
}

func (d *Datapath) compileFor(dst []of10.Action, s *slice, in of10.Port, r *flowspace.Rule, list []of10.Action, rw legality) []of10.Action {
	if hasController(list) {
		dst = append(dst, toController[0])
	}
	for i := range list {
		a := &list[i]
		switch {
		case a.Type != of10.ActionOutput && a.Type != of10.ActionEnqueue:
			if rw != nil {
				rw.apply(a)
			}
			dst = append(dst, *a)
		case a.Port != of10.PortController && (rw == nil || rw.ok()):
			dst = d.compileOutput(dst, s, in, r, a)
		}
	}
	for n := len(dst); n > 0 && dst[n-1].Type != of10.ActionOutput && dst[n-1].Type != of10.ActionEnqueue; n-- {
		dst = dst[:n-1] // nothing leaves after these
	}
	return dst
}

// compileOutput is compileFor for an output that may leave.
func (d *Datapath) compileOutput(dst []of10.Action, s *slice, in of10.Port, r *flowspace.Rule, a *of10.Action) []of10.Action {
	emit := func(p of10.Port) {
		if p == in {
			return
		}
		if r != nil && r.HasForcedQueue && p.IsPhysical() {
			dst = append(dst, of10.Enqueue(p, r.ForcedQueue))
			return
		}
		dst = append(dst, of10.Output(p, 0))
	}
	switch {
	case a.Port == of10.PortInPort:
		return d.compileBack(dst, s, in, r, a)
	case a.Type == of10.ActionEnqueue:
		if s.sends(a.Port) && a.Port != in && d.grantsQueue(s, a.Port, a.QueueID) {
			dst = append(dst, *a)
		}
	case a.Port == of10.PortFlood || a.Port == of10.PortAll:
		if d.native(s, r) {
			dst = append(dst, *a)
		} else {
			d.outPorts(s, a.Port, in, emit)
		}
	case a.Port == of10.PortNormal:
		if d.native(s, r) {
			dst = append(dst, *a)
		}
	case a.Port == of10.PortTable:
		dst = append(dst, *a)
	case s.sends(a.Port):
		emit(a.Port)
	}
	return dst
}

// compileBack is compileFor for an output to IN_PORT.
func (d *Datapath) compileBack(dst []of10.Action, s *slice, in of10.Port, r *flowspace.Rule, a *of10.Action) []of10.Action {
	switch enqueue := a.Type == of10.ActionEnqueue; {
	case in != of10.PortNone && !s.sends(in) || enqueue && !d.grantsQueueBack(s, in, r, a.QueueID):
		return dst
	case !enqueue && r != nil && r.HasForcedQueue && in != of10.PortLocal:
		return append(dst, of10.Enqueue(a.Port, r.ForcedQueue))
	}
	return append(dst, *a)
}

func hasController(list []of10.Action) bool {
	for i := range list {
		if list[i].Type == of10.ActionOutput && list[i].Port == of10.PortController {
			return true
		}
	}
	return false
}

// setFrame applies one set-field action to a frame.
func setFrame(frame []byte, a *of10.Action) []byte {
	switch a.Type {
	case of10.ActionSetVLANVID:
		return packet.SetVLANVID(frame, a.VLANVID)
	case of10.ActionSetVLANPCP:
		return packet.SetVLANPCP(frame, a.VLANPCP)
	case of10.ActionStripVLAN:
		return packet.StripVLAN(frame)
	case of10.ActionSetDLSrc:
		packet.SetDLSrc(frame, a.DLAddr)
	case of10.ActionSetDLDst:
		packet.SetDLDst(frame, a.DLAddr)
	case of10.ActionSetNWSrc:
		packet.SetNWSrc(frame, a.NWAddr)
	case of10.ActionSetNWDst:
		packet.SetNWDst(frame, a.NWAddr)
	case of10.ActionSetNWTos:
		packet.SetNWTos(frame, a.NWTos)
	case of10.ActionSetTPSrc:
		packet.SetTPSrc(frame, a.TPPort)
	case of10.ActionSetTPDst:
		packet.SetTPDst(frame, a.TPPort)
	}
	return frame
}
