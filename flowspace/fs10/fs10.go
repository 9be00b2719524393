// Package fs10 converts between regions of the flowspace and OpenFlow 1.0 matches.
package fs10

import (
	"errors"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Reasons why a region has no list of wire matches.
var (
	ErrTooMany      = errors.New("region needs too many OpenFlow 1.0 matches")
	ErrInexpressive = errors.New("region cannot be said in OpenFlow 1.0 matches")
)

// FromMatch returns the region of a wire match, read by the prerequisites of the
// specification (of10.Match.Normalize).
func FromMatch(w of10.Match) flowspace.Match {
	w = w.Normalize()
	var m flowspace.Match
	exact := func(bit uint32, v uint32) flowspace.Set {
		if w.Wildcards&bit != 0 {
			return flowspace.Set{}
		}
		return flowspace.One(v)
	}
	m.InPort = exact(of10.WildInPort, uint32(w.InPort))
	m.DLVLAN = exact(of10.WildDLVLAN, uint32(w.DLVLAN))
	m.DLVLANPCP = exact(of10.WildDLVLANPCP, uint32(w.DLVLANPCP))
	m.DLType = exact(of10.WildDLType, uint32(w.DLType))
	m.NWTos = exact(of10.WildNWTos, uint32(w.NWTos))
	m.NWProto = exact(of10.WildNWProto, uint32(w.NWProto))
	m.TPSrc = exact(of10.WildTPSrc, uint32(w.TPSrc))
	m.TPDst = exact(of10.WildTPDst, uint32(w.TPDst))
	if w.Wildcards&of10.WildDLSrc == 0 {
		m.DLSrc = flowspace.ExactMAC(w.DLSrc)
	}
	if w.Wildcards&of10.WildDLDst == 0 {
		m.DLDst = flowspace.ExactMAC(w.DLDst)
	}
	m.NWSrc = flowspace.IPv4Prefix(w.NWSrc, 32-w.NWSrcBits())
	m.NWDst = flowspace.IPv4Prefix(w.NWDst, 32-w.NWDstBits())
	return m
}

// ToMatches returns the smallest list of disjoint, normalised wire matches that
// together hold the frames of m; none when no frame can be in m. With limit > 0 a
// longer list is ErrTooMany. A region that would have to be widened, because it
// has network or transport fields without their protocol or a masked MAC, is
// ErrInexpressive.
func ToMatches(m flowspace.Match, limit int) ([]of10.Match, error) {
	m, ok := m.Canonical()
	if !ok {
		return nil, nil
	}
	for _, a := range [...]flowspace.MACMask{m.DLSrc, m.DLDst} {
		if !a.IsAny() && !a.IsExact() {
			return nil, ErrInexpressive
		}
	}
	for _, p := range [...]flowspace.Prefix{m.NWSrc, m.NWDst} {
		if _, ok := p.Bits(); !ok {
			return nil, ErrInexpressive
		}
	}
	e := expander{limit: limit, base: of10.MatchAll()}
	if m.DLSrc.IsExact() {
		e.base.DLSrc, e.base.Wildcards = ofwire.MAC(m.DLSrc.MAC()), e.base.Wildcards&^of10.WildDLSrc
	}
	if m.DLDst.IsExact() {
		e.base.DLDst, e.base.Wildcards = ofwire.MAC(m.DLDst.MAC()), e.base.Wildcards&^of10.WildDLDst
	}
	if err := e.types(m); err != nil {
		return nil, err
	}
	return e.out, nil
}

// expander multiplies the values of the fields out.
type expander struct {
	base  of10.Match
	limit int
	out   []of10.Match
}

// types walks the ethertypes: other fields exist only with some of them. In a
// frame without a field it reads as zero, so the region must hold zero there.
func (e *expander) types(m flowspace.Match) error {
	if m.DLType.IsAny() {
		if !m.NWProto.IsAny() || !m.NWTos.IsAny() || !m.NWSrc.IsAny() || !m.NWDst.IsAny() || !m.TPSrc.IsAny() || !m.TPDst.IsAny() {
			return ErrInexpressive
		}
		return e.product(m)
	}
	for r := range m.DLType.Ranges() {
		for v := r.Lo; ; v++ {
			t := m
			t.DLType = flowspace.One(v)
			if err := e.protocols(t, uint16(v)); err != nil {
				return err
			}
			if v == r.Hi {
				break
			}
		}
	}
	return nil
}

func (e *expander) protocols(m flowspace.Match, dlType uint16) error {
	if dlType != of10.EtherTypeIPv4 {
		if !absent(&m.NWTos) || !absent(&m.TPSrc) || !absent(&m.TPDst) {
			return nil
		}
		if dlType != of10.EtherTypeARP {
			if !absent(&m.NWProto) || !m.NWSrc.Has(0) || !m.NWDst.Has(0) {
				return nil
			}
			m.NWSrc, m.NWDst = flowspace.Prefix{}, flowspace.Prefix{}
		}
		return e.product(m)
	}
	if m.TPSrc.IsAny() && m.TPDst.IsAny() {
		return e.product(m)
	}
	if m.NWProto.IsAny() {
		return ErrInexpressive
	}
	for r := range m.NWProto.Ranges() {
		for v := r.Lo; v <= r.Hi; v++ {
			p := m
			p.NWProto = flowspace.One(v)
			if b := uint8(v); b != of10.ProtoTCP && b != of10.ProtoUDP && b != of10.ProtoICMP && (!absent(&p.TPSrc) || !absent(&p.TPDst)) {
				continue
			}
			if err := e.product(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// absent makes s "any" if it holds zero, what a frame without the field has.
func absent(s *flowspace.Set) bool {
	if !s.Has(0) {
		return false
	}
	*s = flowspace.Set{}
	return true
}

// product appends one match per combination of values.
func (e *expander) product(m flowspace.Match) error {
	w := e.base
	if n, _ := m.NWSrc.Bits(); n > 0 {
		w.NWSrc = m.NWSrc.Addr
		w.SetNWSrcBits(32 - n)
	}
	if n, _ := m.NWDst.Bits(); n > 0 {
		w.NWDst = m.NWDst.Addr
		w.SetNWDstBits(32 - n)
	}
	if e.limit > 0 {
		left := uint64(e.limit - len(e.out))
		for _, d := range dimensions {
			s, step := d.set(&m), d.step
			if s.IsAny() {
				continue
			}
			var n uint64
			for r := range s.Ranges() {
				n += uint64((r.Hi-r.Lo)/step) + 1
			}
			if d.bit == of10.WildDLVLANPCP && m.DLVLAN.Has(flowspace.VLANNone) {
				n = 1 // untagged frames have only one
			}
			if left /= n; left == 0 {
				return ErrTooMany
			}
		}
	}
	e.expand(&m, w, 0)
	if e.limit > 0 && len(e.out) > e.limit {
		return ErrTooMany
	}
	return nil
}

// dimension is one field of the product.
type dimension struct {
	bit  uint32
	step uint32
	set  func(*flowspace.Match) flowspace.Set
	put  func(*of10.Match, uint32)
}

var dimensions = [...]dimension{
	{of10.WildDLType, 1, func(m *flowspace.Match) flowspace.Set { return m.DLType }, func(w *of10.Match, v uint32) { w.DLType = uint16(v) }},
	{of10.WildNWProto, 1, func(m *flowspace.Match) flowspace.Set { return m.NWProto }, func(w *of10.Match, v uint32) { w.NWProto = uint8(v) }},
	{of10.WildInPort, 1, func(m *flowspace.Match) flowspace.Set { return m.InPort }, func(w *of10.Match, v uint32) { w.InPort = of10.Port(v) }},
	{of10.WildDLVLAN, 1, func(m *flowspace.Match) flowspace.Set { return m.DLVLAN }, func(w *of10.Match, v uint32) { w.DLVLAN = uint16(v) }},
	{of10.WildDLVLANPCP, 1, func(m *flowspace.Match) flowspace.Set { return m.DLVLANPCP }, func(w *of10.Match, v uint32) { w.DLVLANPCP = uint8(v) }},
	{of10.WildNWTos, 4, func(m *flowspace.Match) flowspace.Set { return m.NWTos }, func(w *of10.Match, v uint32) { w.NWTos = uint8(v) }},
	{of10.WildTPSrc, 1, func(m *flowspace.Match) flowspace.Set { return m.TPSrc }, func(w *of10.Match, v uint32) { w.TPSrc = uint16(v) }},
	{of10.WildTPDst, 1, func(m *flowspace.Match) flowspace.Set { return m.TPDst }, func(w *of10.Match, v uint32) { w.TPDst = uint16(v) }},
}

func (e *expander) expand(m *flowspace.Match, w of10.Match, i int) {
	if e.limit > 0 && len(e.out) > e.limit {
		return
	}
	if i == len(dimensions) {
		e.out = append(e.out, w)
		return
	}
	d := &dimensions[i]
	s := d.set(m)
	if s.IsAny() {
		e.expand(m, w, i+1)
		return
	}
	w.Wildcards &^= d.bit
	untagged := d.bit == of10.WildDLVLANPCP && w.Wildcards&of10.WildDLVLAN == 0 && w.DLVLAN == of10.VLANNone
	for r := range s.Ranges() {
		for v := r.Lo; ; v += d.step {
			if !untagged || v == 0 {
				d.put(&w, v)
				e.expand(m, w, i+1)
			}
			if v == r.Hi {
				break
			}
		}
	}
}
