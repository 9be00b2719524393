package flowspace

// Field names one of the twelve header fields of a match.
type Field uint8

// The fields in the order they are printed.
const (
	InPort Field = iota
	DLSrc
	DLDst
	DLVLAN
	DLVLANPCP
	DLType
	NWTos
	NWProto
	NWSrc
	NWDst
	TPSrc
	TPDst
	numFields
)

// VLANNone is the dl_vlan of an untagged frame.
const VLANNone = 0xffff

const (
	typeIPv4  = 0x0800
	typeARP   = 0x0806
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
	maxVID    = 4095
)

// fieldInfo describes a field whose values are kept as a Set. The universe is
// every value a header can have there; a set that holds all of it is "any".
type fieldInfo struct {
	name  string
	bits  uint8 // width in the index
	max   uint32
	step  uint32 // only multiples of it occur
	rules string // what is allowed, for error messages
}

var fields = [numFields]fieldInfo{
	InPort:    {"in_port", 16, 0xffff, 1, "a port number from 0 to 65535"},
	DLSrc:     {"dl_src", 48, 0, 1, "a MAC address such as 00:11:22:33:44:55"},
	DLDst:     {"dl_dst", 48, 0, 1, "a MAC address such as 00:11:22:33:44:55"},
	DLVLAN:    {"dl_vlan", 16, 0xffff, 1, "a VLAN id from 0 to 4095, or 0xffff for untagged"},
	DLVLANPCP: {"dl_vlan_pcp", 3, 7, 1, "a VLAN priority from 0 to 7"},
	DLType:    {"dl_type", 16, 0xffff, 1, "an ethertype from 0 to 0xffff"},
	NWTos:     {"nw_tos", 8, 255, 4, "a ToS byte that is a multiple of 4, from 0 to 252"},
	NWProto:   {"nw_proto", 8, 255, 1, "an IP protocol (or ARP opcode) from 0 to 255"},
	NWSrc:     {"nw_src", 32, 0, 1, "an IPv4 prefix such as 10.0.0.0/8"},
	NWDst:     {"nw_dst", 32, 0, 1, "an IPv4 prefix such as 10.0.0.0/8"},
	TPSrc:     {"tp_src", 16, 0xffff, 1, "a port (or ICMP type) from 0 to 65535"},
	TPDst:     {"tp_dst", 16, 0xffff, 1, "a port (or ICMP code) from 0 to 65535"},
}

var vlanUniverse, _ = SetOf(Range{0, maxVID}, Range{VLANNone, VLANNone})

// String returns the name used in match text.
func (f Field) String() string { return fields[f].name }

// setFields are the fields held as Sets, in the order in which protocol
// prerequisites come first, so that the pieces of a subtraction keep them.
var setFields = [...]Field{DLType, NWProto, InPort, DLVLAN, DLVLANPCP, NWTos, TPSrc, TPDst}

// set returns the address of a field held as a Set.
func (m *Match) set(f Field) *Set {
	switch f {
	case InPort:
		return &m.InPort
	case DLVLAN:
		return &m.DLVLAN
	case DLVLANPCP:
		return &m.DLVLANPCP
	case DLType:
		return &m.DLType
	case NWTos:
		return &m.NWTos
	case NWProto:
		return &m.NWProto
	case TPSrc:
		return &m.TPSrc
	case TPDst:
		return &m.TPDst
	}
	return nil
}

// Universe returns every value a header can have in a field held as a Set.
func (f Field) Universe() Set {
	switch info := &fields[f]; {
	case f == DLVLAN:
		return vlanUniverse
	case f == NWTos:
		return Span(0, 252)
	case info.max != 0:
		return Span(0, info.max)
	}
	return Set{}
}

// canonical returns the only form of s used inside matches: no values outside the
// universe, the universe itself as "any". ok is false when nothing is left.
func (f Field) canonical(s Set) (Set, bool) {
	if s.IsAny() {
		return s, true
	}
	if s.rest == "" && s.lo+1 == s.end && s.lo <= 255 && s.lo&3 == 0 && f != DLVLANPCP {
		return s, true // the common small exact value, valid in every field
	}
	if s.rest == "" && f != NWTos {
		switch hi := s.end - 1; {
		case f == DLVLAN && hi <= maxVID, f != DLVLAN && hi < fields[f].max:
			return s, true // inside the universe, and not all of it
		}
	}
	s, ok := s.Intersect(Span(0, fields[f].max))
	if !ok {
		return s, false
	}
	switch f {
	case DLVLAN:
		if s, ok = s.Intersect(vlanUniverse); !ok {
			return s, false
		}
	case NWTos:
		if s, ok = trimTos(s); !ok {
			return s, false
		}
	}
	if s == f.Universe() {
		return Set{}, true
	}
	return s, true
}

// trimTos keeps the multiples of 4; neighbouring ones form one range.
func trimTos(s Set) (Set, bool) {
	rs := make([]Range, 0, s.Len())
	for r := range s.Ranges() {
		lo, hi := (r.Lo+3)&^3, r.Hi&^3
		switch n := len(rs); {
		case lo > hi:
		case n > 0 && lo <= rs[n-1].Hi+4:
			rs[n-1].Hi = hi
		default:
			rs = append(rs, Range{lo, hi})
		}
	}
	return setFromSorted(rs)
}

// Complement returns the values of the field's universe that are not in s; ok is
// false when there are none.
func (f Field) Complement(s Set) (Set, bool) { return f.subtract(Set{}, s) }

// subtract is a - b in the universe of f, both canonical.
func (f Field) subtract(a, b Set) (Set, bool) {
	if b.IsAny() {
		return Set{}, false
	}
	if a.IsAny() {
		a = f.Universe()
	}
	d, ok := a.Subtract(b)
	if !ok || f != NWTos {
		return d, ok
	}
	return trimTos(d)
}
