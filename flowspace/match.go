package flowspace

import (
	"math/bits"

	"github.com/govisor/govisor/internal/packet"
)

// Header is one point of the header space.
type Header = packet.Header

// Match is a region of the header space: a header is inside when each field is.
// The zero value holds every header. A Match is comparable; in canonical form,
// which ParseMatch and the operations below return, == means the same region.
type Match struct {
	InPort       Set
	DLSrc, DLDst MACMask
	DLVLAN       Set // VLANNone is untagged
	DLVLANPCP    Set
	DLType       Set
	NWTos        Set // ToS byte, multiples of 4
	NWProto      Set // or ARP opcode
	NWSrc, NWDst Prefix
	TPSrc, TPDst Set // or ICMP type and code
}

// MatchType tells how two regions lie to each other; FlowVisor's name and values.
type MatchType uint8

// The relations of a region to another one.
const (
	None      MatchType = iota // nothing in common
	Equal                      // the same headers
	Subset                     // inside the other
	Superset                   // the other is inside
	Intersect                  // some in common, neither inside the other
)

// String returns the name in lower case.
func (t MatchType) String() string {
	return [...]string{"none", "equal", "subset", "superset", "intersect"}[t]
}

// Canonical returns m in its only form; ok is false when m holds no header.
func (m Match) Canonical() (c Match, ok bool) {
	for _, f := range setFields {
		s := m.set(f)
		if *s, ok = f.canonical(*s); !ok {
			return Match{}, false
		}
	}
	m.DLSrc = canonicalMAC(m.DLSrc)
	m.DLDst = canonicalMAC(m.DLDst)
	m.NWSrc.Addr &= m.NWSrc.Mask
	m.NWDst.Addr &= m.NWDst.Mask
	return m, true
}

func canonicalMAC(a MACMask) MACMask {
	a.Mask &= macMask
	a.Addr &= a.Mask
	return a
}

// IsAny reports whether m holds every header.
func (m Match) IsAny() bool { return m == Match{} }

// Matches reports whether h is inside m.
func (m *Match) Matches(h *Header) bool {
	return m.InPort.Has(h.InPort) &&
		m.DLVLAN.Has(uint32(h.DLVLAN)) &&
		m.DLType.Has(uint32(h.DLType)) &&
		(m.DLSrc.Mask == 0 || m.DLSrc.Has(h.DLSrc)) &&
		(m.DLDst.Mask == 0 || m.DLDst.Has(h.DLDst)) &&
		m.NWSrc.Has(h.NWSrc) && m.NWDst.Has(h.NWDst) &&
		m.NWProto.Has(uint32(h.NWProto)) &&
		m.TPSrc.Has(uint32(h.TPSrc)) && m.TPDst.Has(uint32(h.TPDst)) &&
		m.DLVLANPCP.Has(uint32(h.DLVLANPCP)) && m.NWTos.Has(uint32(h.NWTos))
}

// PointMatch returns the region of the single header h.
func PointMatch(h *Header) Match {
	return Match{
		InPort: One(h.InPort),
		DLSrc:  ExactMAC(h.DLSrc), DLDst: ExactMAC(h.DLDst),
		DLVLAN: One(uint32(h.DLVLAN)), DLVLANPCP: One(uint32(h.DLVLANPCP)),
		DLType: One(uint32(h.DLType)),
		NWTos:  One(uint32(h.NWTos)), NWProto: One(uint32(h.NWProto)),
		NWSrc: IPv4Prefix(h.NWSrc, 32), NWDst: IPv4Prefix(h.NWDst, 32),
		TPSrc: One(uint32(h.TPSrc)), TPDst: One(uint32(h.TPDst)),
	}
}

// Overlaps reports whether m and o have a header in common.
func (m *Match) Overlaps(o *Match) bool {
	for _, f := range setFields {
		a, b := m.set(f), o.set(f)
		if a.rest == "" && b.rest == "" {
			if a.lo > b.end-1 || b.lo > a.end-1 {
				return false
			}
		} else if !a.Overlaps(*b) {
			return false
		}
	}
	return m.NWSrc.Overlaps(o.NWSrc) && m.NWDst.Overlaps(o.NWDst) &&
		m.DLSrc.Overlaps(o.DLSrc) && m.DLDst.Overlaps(o.DLDst)
}

// restricted returns the fields in which m does not hold everything.
func (m *Match) restricted() (fs fieldMask) {
	note := func(f Field, any bool) {
		if !any {
			fs |= 1 << f
		}
	}
	note(InPort, m.InPort.IsAny())
	note(DLSrc, m.DLSrc.IsAny())
	note(DLDst, m.DLDst.IsAny())
	note(DLVLAN, m.DLVLAN.IsAny())
	note(DLVLANPCP, m.DLVLANPCP.IsAny())
	note(DLType, m.DLType.IsAny())
	note(NWTos, m.NWTos.IsAny())
	note(NWProto, m.NWProto.IsAny())
	note(NWSrc, m.NWSrc.IsAny())
	note(NWDst, m.NWDst.IsAny())
	note(TPSrc, m.TPSrc.IsAny())
	note(TPDst, m.TPDst.IsAny())
	return fs
}

// Intersect returns the headers in both; ok is false when there are none.
func (m Match) Intersect(o Match) (r Match, ok bool) {
	if !m.Overlaps(&o) {
		return Match{}, false
	}
	for _, f := range setFields {
		*r.set(f), _ = m.set(f).Intersect(*o.set(f))
	}
	r.NWSrc, _ = m.NWSrc.Intersect(o.NWSrc)
	r.NWDst, _ = m.NWDst.Intersect(o.NWDst)
	r.DLSrc, _ = m.DLSrc.Intersect(o.DLSrc)
	r.DLDst, _ = m.DLDst.Intersect(o.DLDst)
	return r, true
}

// Contains reports whether every header of o is in m.
func (m Match) Contains(o Match) bool { return m.contains(&o) }

func (m *Match) contains(o *Match) bool {
	for _, f := range setFields {
		if s := m.set(f); !s.IsAny() && !s.Contains(*o.set(f)) {
			return false
		}
	}
	return m.NWSrc.Contains(o.NWSrc) && m.NWDst.Contains(o.NWDst) &&
		m.DLSrc.Contains(o.DLSrc) && m.DLDst.Contains(o.DLDst)
}

// Equal reports whether m and o hold the same headers.
func (m Match) Equal(o Match) bool {
	if m == o {
		return true
	}
	a, aok := m.Canonical()
	b, bok := o.Canonical()
	return aok == bok && a == b
}

// Relation tells how m lies to o: Subset means that m is inside o.
func (m Match) Relation(o Match) MatchType {
	switch {
	case !m.Overlaps(&o):
		return None
	case m == o:
		return Equal
	case o.contains(&m):
		return Subset
	case m.contains(&o):
		return Superset
	}
	return Intersect
}

// Subtract returns disjoint regions that together hold the headers of m that are
// in none of the others. It gives up, with ok false, when there would be more
// than limit regions (0: no limit).
func (m Match) Subtract(limit int, others ...Match) (pieces []Match, ok bool) {
	pieces = []Match{m}
	for i := range others {
		var next []Match
		for j := range pieces {
			next = pieces[j].appendMinus(next, &others[i])
			if limit > 0 && len(next) > limit {
				return nil, false
			}
		}
		pieces = next
	}
	return pieces, true
}

// appendMinus appends disjoint regions making up m - o. Protocol fields are cut
// first, so that a piece with a restricted field keeps what that field needs.
func (m *Match) appendMinus(dst []Match, o *Match) []Match {
	if !m.Overlaps(o) {
		return append(dst, *m)
	}
	in := *m // what of m agrees with o in the fields cut so far
	for _, f := range setFields {
		a, b := in.set(f), o.set(f)
		if rest, ok := f.subtract(*a, *b); ok {
			piece := in
			*piece.set(f) = rest
			dst = append(dst, piece)
		}
		*a, _ = a.Intersect(*b)
	}
	for _, f := range [...]Field{NWSrc, NWDst} {
		a, b := in.prefix(f), o.prefix(f)
		for left := b.Mask &^ a.Mask; left != 0; {
			bit := uint32(1) << (31 - bits.LeadingZeros32(left))
			left &^= bit
			a.Mask |= bit
			a.Addr = a.Addr&^bit | ^b.Addr&bit
			dst = append(dst, in)
			a.Addr ^= bit
		}
	}
	for _, f := range [...]Field{DLSrc, DLDst} {
		a, b := in.mac(f), o.mac(f)
		for left := b.Mask &^ a.Mask; left != 0; {
			bit := uint64(1) << (63 - bits.LeadingZeros64(left))
			left &^= bit
			a.Mask |= bit
			a.Addr = a.Addr&^bit | ^b.Addr&bit
			dst = append(dst, in)
			a.Addr ^= bit
		}
	}
	return dst
}

func (m *Match) prefix(f Field) *Prefix {
	if f == NWSrc {
		return &m.NWSrc
	}
	return &m.NWDst
}

func (m *Match) mac(f Field) *MACMask {
	if f == DLSrc {
		return &m.DLSrc
	}
	return &m.DLDst
}
