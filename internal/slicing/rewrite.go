package slicing

import (
	"encoding/binary"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// rewriter follows the region of frames that a piece handles through a list of
// set-field actions, and tells at each output whether all that is rewritten still
// belongs to the slice. It implements legality.
type rewriter struct {
	d     *Datapath
	slice *slice
	parts []part
	// limited: what takes too many checks is not ok. It is for flow_mods that are
	// looked at for the first time; what was accepted is compiled in any case.
	limited bool
}

// part is a region of frames as they are now.
type part struct {
	m       flowspace.Match
	changed bool  // not as they came in, which the slice owned
	ip      layer // an IPv4 header that is not cut
	ports   layer // ports, which fragments and cut packets do not have
}

// layer says whether the frames of a part have something to set fields in. Where it is
// missing the fields are all zero, and stay so.
type layer uint8

const (
	maybe layer = iota
	there
	missing
)

// as is p with another match.
func (p part) as(m flowspace.Match, changed bool) part {
	p.m, p.changed = m, p.changed || changed
	return p
}

// subtractLimit bounds the work on the region a piece really handles. Beyond it the
// piece's whole match is looked at, which can only make the answer stricter.
const subtractLimit = 256

func (d *Datapath) newRewriter(f *vflow, pat *flowtable.Pattern, r *ruleInfo) *rewriter {
	region := regionOf(pat)
	var foreign []flowspace.Match
	for _, o := range d.overlapping(pat, &region) {
		if o == r {
			break
		}
		if !o.writes(f.slice.name) {
			foreign = append(foreign, o.rule.Match)
		}
	}
	rw := &rewriter{d: d, slice: f.slice}
	rest, ok := region.Subtract(subtractLimit, foreign...)
	if !ok {
		rest = []flowspace.Match{region}
	}
	for _, m := range rest {
		rw.parts = append(rw.parts, part{m: m})
	}
	return rw
}

var (
	untagged   = flowspace.One(flowspace.VLANNone)
	ipv4Type   = flowspace.One(uint32(of10.EtherTypeIPv4))
	anyTag     = flowspace.Span(0, 4095)
	withPorts  = mustSet(flowspace.Values(uint32(of10.ProtoTCP), uint32(of10.ProtoUDP)))
	icmpProto  = flowspace.One(uint32(of10.ProtoICMP))
	doubleTags = mustSet(flowspace.Values(packet.TypeVLAN, packet.TypeSVLAN))
)

func mustSet(s flowspace.Set, _ bool) flowspace.Set { return s }

func (w *rewriter) ok() bool {
	for i := range w.parts {
		if w.d.checks++; w.limited && w.d.checks > maxChecks {
			return false
		}
		if w.parts[i].changed && !w.d.view.Covered(w.slice.name, flowspace.Write, w.parts[i].m) {
			return false
		}
	}
	return true
}

func (w *rewriter) apply(a *of10.Action) {
	var next []part
	for _, p := range w.parts {
		next = appendRewritten(next, p, a)
	}
	w.parts = next
}

func appendRewritten(dst []part, p part, a *of10.Action) []part {
	changed := func(m flowspace.Match) { dst = append(dst, p.as(m, true)) }
	switch a.Type {
	case of10.ActionSetVLANVID:
		if tags, ok := p.m.DLVLAN.Intersect(anyTag); ok {
			m := p.m
			if one, single := tags.Value(); single && one == uint32(a.VLANVID) {
				m.DLVLAN = tags
				dst = append(dst, p.as(m, false))
			} else {
				m.DLVLAN = flowspace.One(uint32(a.VLANVID))
				changed(m)
			}
		}
		if p.m.DLVLAN.Has(flowspace.VLANNone) {
			m := p.m
			m.DLVLAN, m.DLVLANPCP = flowspace.One(uint32(a.VLANVID)), flowspace.One(0)
			changed(m)
		}
	case of10.ActionSetVLANPCP:
		if tags, ok := p.m.DLVLAN.Intersect(anyTag); ok {
			m := p.m
			m.DLVLAN, m.DLVLANPCP = tags, flowspace.One(uint32(a.VLANPCP))
			changed(m)
		}
		if p.m.DLVLAN.Has(flowspace.VLANNone) {
			m := p.m
			m.DLVLAN, m.DLVLANPCP = flowspace.One(0), flowspace.One(uint32(a.VLANPCP))
			changed(m)
		}
	case of10.ActionStripVLAN:
		if p.m.DLVLAN.Has(flowspace.VLANNone) {
			m := p.m
			m.DLVLAN = untagged
			dst = append(dst, p.as(m, false))
		}
		if p.m.DLVLAN.Overlaps(anyTag) {
			m := p.m
			m.DLVLAN, m.DLVLANPCP = untagged, flowspace.One(0)
			// Frames with a second tag are carved out of the piece (see withCarves).
			if t, ok := m.DLType.Subtract(doubleTags); ok {
				m.DLType = t
				changed(m)
			}
		}
	case of10.ActionSetDLSrc:
		p.m.DLSrc = flowspace.ExactMAC(a.DLAddr)
		changed(p.m)
	case of10.ActionSetDLDst:
		p.m.DLDst = flowspace.ExactMAC(a.DLAddr)
		changed(p.m)
	case of10.ActionSetNWSrc, of10.ActionSetNWDst, of10.ActionSetNWTos, of10.ActionSetTPSrc, of10.ActionSetTPDst:
		return appendNetwork(dst, p, a)
	default:
		dst = append(dst, p)
	}
	return dst
}

// appendNetwork rewrites the IPv4 part of p, or its TCP and UDP part, and leaves
// the rest as it is.
func appendNetwork(dst []part, p part, a *of10.Action) []part {
	sets := a.Type == of10.ActionSetTPSrc || a.Type == of10.ActionSetTPDst
	if p.ip == missing || sets && p.ports == missing {
		return append(dst, p)
	}
	rest, ok := p.m.DLType.Subtract(ipv4Type)
	if ok {
		m := p.m
		m.DLType = rest
		dst = append(dst, p.as(m, false))
	}
	if !p.m.DLType.Overlaps(ipv4Type) {
		return dst
	}
	m := p.m
	m.DLType = ipv4Type
	if p.ip == maybe && m.NWProto.Has(0) && m.TPSrc.Has(0) && m.TPDst.Has(0) { // see doubtful
		zero := flowspace.One(0)
		o := m
		o.NWProto, o.TPSrc, o.TPDst = zero, zero, zero
		bare := p.as(o, false)
		bare.ip = missing
		dst = append(dst, bare)
	}
	p.ip = there
	if sets {
		if dst, ok = p.appendPorts(dst, &m, a); !ok {
			return dst
		}
	}
	switch a.Type {
	case of10.ActionSetNWSrc:
		m.NWSrc = flowspace.IPv4Prefix(a.NWAddr, 32)
	case of10.ActionSetNWDst:
		m.NWDst = flowspace.IPv4Prefix(a.NWAddr, 32)
	case of10.ActionSetNWTos:
		m.NWTos = flowspace.One(uint32(a.NWTos))
	case of10.ActionSetTPSrc:
		m.TPSrc = flowspace.One(uint32(a.TPPort))
	case of10.ActionSetTPDst:
		m.TPDst = flowspace.One(uint32(a.TPPort))
	}
	return append(dst, p.as(m, true))
}

// appendPorts narrows m, the IPv4 part of p, to the TCP and UDP packets that have ports,
// and appends the others; ok is false when there are none with ports.
func (p *part) appendPorts(dst []part, m *flowspace.Match, a *of10.Action) (all []part, ok bool) {
	if other, ok := m.NWProto.Subtract(withPorts); ok {
		o := *m
		if other.Has(uint32(of10.ProtoICMP)) {
			o.NWProto = icmpProto
			dst = appendICMP(dst, p.as(o, false), a)
			other, ok = other.Subtract(icmpProto)
		}
		if o.NWProto = other; ok {
			dst = append(dst, p.as(o, false))
		}
	}
	if m.NWProto, ok = m.NWProto.Intersect(withPorts); !ok {
		return dst, false
	}
	if p.ports == maybe && m.TPSrc.Has(0) && m.TPDst.Has(0) {
		o := *m
		o.TPSrc, o.TPDst = flowspace.One(0), flowspace.One(0)
		bare := p.as(o, false)
		bare.ports = missing
		dst = append(dst, bare)
	}
	p.ports = there
	return dst, true
}

// appendICMP does what Open vSwitch does with SET_TP_SRC and SET_TP_DST for ICMP: it sets
// the type and the code. Other switches leave ICMP alone, so that both are looked at.
func appendICMP(dst []part, p part, a *of10.Action) []part {
	if p.ports == maybe {
		alone := p
		alone.ports = missing
		dst = append(dst, alone)
	}
	p.ports = there
	if a.Type == of10.ActionSetTPSrc {
		p.m.TPSrc = flowspace.One(uint32(byte(a.TPPort)))
	} else {
		p.m.TPDst = flowspace.One(uint32(byte(a.TPPort)))
	}
	return append(dst, p.as(p.m, true))
}

// frameRewriter is legality for one frame at hand.
type frameRewriter struct {
	d     *Datapath
	slice *slice
	ports []uint32 // ingress ports that would do
	frame []byte   // a copy, rewritten as we go
	lldp  bool     // link discovery may leave whoever owns the header

	icmpType, icmpCode *of10.Action // set last, see appendICMP
	alone              []byte       // the frame without what was set in its IPv4 header, see doubtful
}

func (w *frameRewriter) apply(a *of10.Action) {
	switch a.Type {
	case of10.ActionSetTPSrc:
		w.icmpType = a
	case of10.ActionSetTPDst:
		w.icmpCode = a
	}
	switch {
	case w.alone != nil && !network(a.Type):
		w.alone = setFrame(w.alone, a)
	case w.alone == nil && network(a.Type) && doubtful(w.frame):
		w.alone = append(make([]byte, 0, len(w.frame)+4), w.frame...)
	}
	w.frame = setFrame(w.frame, a)
}

// doubtful reports whether a switch may leave the IPv4 header of a frame alone. Open
// vSwitch does so if the protocol is 0, or the length is not what it should be.
func doubtful(frame []byte) bool {
	var h packet.Header
	info := packet.ParseInto(frame, 0, &h)
	if h.DLType != of10.EtherTypeIPv4 || int(info.L3)+ipv4Head > len(frame) {
		return false
	}
	ip := frame[info.L3:]
	total := int(binary.BigEndian.Uint16(ip[2:]))
	return h.NWProto == 0 || total < int(ip[0]&0xf)*4 || total > len(ip) || len(ip)-total > maxPadding
}

const (
	ipv4Head   = 20
	maxPadding = 255
)

func (w *frameRewriter) ok() bool {
	h := packet.Parse(w.frame, 0)
	if w.lldp && isLLDP(h.DLType) {
		return true
	}
	if !w.d.ownsHeader(w.slice, &h, w.ports) {
		return false
	}
	if w.alone != nil {
		if o := packet.Parse(w.alone, 0); !w.d.ownsHeader(w.slice, &o, w.ports) {
			return false
		}
	}
	if h.DLType != of10.EtherTypeIPv4 || h.NWProto != of10.ProtoICMP || w.icmpType == nil && w.icmpCode == nil {
		return true
	}
	if w.icmpType != nil {
		h.TPSrc = uint16(byte(w.icmpType.TPPort))
	}
	if w.icmpCode != nil {
		h.TPDst = uint16(byte(w.icmpCode.TPPort))
	}
	return w.d.ownsHeader(w.slice, &h, w.ports)
}

// countedLegality counts the frames that may not leave.
type countedLegality struct {
	legality
	d *Datapath
}

func (c countedLegality) ok() bool {
	if c.legality.ok() {
		return true
	}
	c.d.Counters.drop(DropRewrite)
	return false
}

// ownsHeader reports whether the slice may write h as received on one of the ports.
func (d *Datapath) ownsHeader(s *slice, h *packet.Header, ports []uint32) bool {
	for _, p := range ports {
		h.InPort = p
		if r := d.view.Owner(h); r != nil && r.Allows(s.name, flowspace.Write) {
			return true
		}
	}
	return false
}

// headerRewriter is legality for a frame of which only the header is at hand,
// because the switch keeps it.
type headerRewriter struct {
	d       *Datapath
	slice   *slice
	h       packet.Header
	bare    packet.Header // what it becomes if it has no ports, or no IPv4 header, to set, or an ICMP type left alone
	split   bool          // that may be so
	cut     bool          // it is the IPv4 header
	unknown bool          // a second tag has come to light
}

func (w *headerRewriter) ok() bool {
	return !w.unknown && w.owns(&w.h) && (!w.split || w.owns(&w.bare))
}

func (w *headerRewriter) owns(h *packet.Header) bool {
	return w.d.ownsHeader(w.slice, h, []uint32{h.InPort})
}

func (w *headerRewriter) apply(a *of10.Action) {
	h := &w.h
	if a.Type == of10.ActionStripVLAN && h.DLVLAN != packet.VLANNone && packet.IsTag(h.DLType) {
		w.unknown = true
	}
	ip := h.DLType == of10.EtherTypeIPv4
	if ip && !w.split && network(a.Type) && h.NWProto == 0 { // see doubtful
		w.bare, w.split, w.cut = *h, true, true
	}
	icmp := ip && h.NWProto == of10.ProtoICMP
	ports := ip && (h.NWProto == of10.ProtoTCP || h.NWProto == of10.ProtoUDP)
	if a.Type == of10.ActionSetTPSrc || a.Type == of10.ActionSetTPDst {
		if !ports && !icmp {
			return
		}
		if !w.split && (icmp || h.TPSrc|h.TPDst == 0) {
			w.bare, w.split = *h, true
		}
		switch {
		case !icmp:
		case a.Type == of10.ActionSetTPSrc: // see appendICMP
			h.TPSrc = uint16(byte(a.TPPort))
			return
		default:
			h.TPDst = uint16(byte(a.TPPort))
			return
		}
		if a.Type == of10.ActionSetTPSrc {
			h.TPSrc = a.TPPort
		} else {
			h.TPDst = a.TPPort
		}
		return
	}
	setHeader(h, a)
	if w.split && !(w.cut && network(a.Type)) {
		setHeader(&w.bare, a)
	}
}

// network reports whether an action sets a field of the IPv4 header.
func network(t of10.ActionType) bool {
	return t == of10.ActionSetNWSrc || t == of10.ActionSetNWDst || t == of10.ActionSetNWTos
}

// setHeader does what a set-field action other than those of ports does.
func setHeader(h *packet.Header, a *of10.Action) {
	ip := h.DLType == of10.EtherTypeIPv4
	switch a.Type {
	case of10.ActionSetVLANVID:
		h.DLVLAN = a.VLANVID
	case of10.ActionSetVLANPCP:
		if h.DLVLAN == packet.VLANNone {
			h.DLVLAN = 0
		}
		h.DLVLANPCP = a.VLANPCP
	case of10.ActionStripVLAN:
		h.DLVLAN, h.DLVLANPCP = packet.VLANNone, 0
	case of10.ActionSetDLSrc:
		h.DLSrc = a.DLAddr
	case of10.ActionSetDLDst:
		h.DLDst = a.DLAddr
	case of10.ActionSetNWSrc:
		if ip {
			h.NWSrc = a.NWAddr
		}
	case of10.ActionSetNWDst:
		if ip {
			h.NWDst = a.NWAddr
		}
	case of10.ActionSetNWTos:
		if ip {
			h.NWTos = a.NWTos
		}
	}
}

// legalFor reports whether every output of list is allowed for the frames rw
// stands for.
func legalFor(list []of10.Action, rw legality) bool {
	for i := range list {
		switch a := &list[i]; a.Type {
		case of10.ActionOutput, of10.ActionEnqueue:
			if a.Port != of10.PortController && !rw.ok() {
				return false
			}
		default:
			rw.apply(a)
		}
	}
	return true
}
