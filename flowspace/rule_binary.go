package flowspace

import (
	"encoding/binary"
	"errors"
	"math"
)

// recordVersion is the first byte of an encoded rule.
const recordVersion = 1

// ErrRecord is what UnmarshalBinary returns for bytes that are no rule record.
var ErrRecord = errors.New("flowspace: broken rule record")

// Flags of a record.
const (
	flagAllDPIDs = 1 << iota
	flagForced
)

// AppendBinary appends the rule as a compact record (version byte, varints, only
// the fields that are not any). It never fails.
func (r *Rule) AppendBinary(b []byte) ([]byte, error) {
	var flags byte
	if r.DPIDs.all {
		flags |= flagAllDPIDs
	}
	if r.HasForcedQueue {
		flags |= flagForced
	}
	b = append(b, recordVersion, flags)
	b = binary.AppendUvarint(b, r.ID)
	b = binary.AppendUvarint(b, uint64(r.Priority))
	b = appendText(b, r.Name)
	if !r.DPIDs.all {
		b = binary.AppendUvarint(b, uint64(r.DPIDs.Len()))
		for id := range r.DPIDs.List() {
			b = binary.BigEndian.AppendUint64(b, id)
		}
	}
	b = r.Match.appendBinary(b)
	b = binary.AppendUvarint(b, uint64(len(r.Grants)))
	for _, g := range r.Grants {
		b = append(appendText(b, g.Slice), byte(g.Perm))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Queues)))
	for _, q := range r.Queues {
		b = binary.AppendUvarint(b, uint64(q))
	}
	if r.HasForcedQueue {
		b = binary.AppendUvarint(b, uint64(r.ForcedQueue))
	}
	return b, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (m *Match) appendBinary(b []byte) []byte {
	present, at := uint16(0), len(b)
	b = append(b, 0, 0)
	for f := range numFields {
		switch f {
		case NWSrc, NWDst:
			if p := m.prefix(f); !p.IsAny() {
				n, _ := p.Bits()
				b = append(binary.BigEndian.AppendUint32(b, p.Addr), byte(n))
				present |= 1 << f
			}
		case DLSrc, DLDst:
			if a := m.mac(f); !a.IsAny() {
				mac := a.MAC()
				b = append(b, mac[:]...)
				present |= 1 << f
			}
		default:
			if s := m.set(f); !s.IsAny() {
				b = binary.AppendUvarint(b, uint64(s.Len()))
				for rg := range s.Ranges() {
					b = binary.AppendUvarint(b, uint64(rg.Lo))
					b = binary.AppendUvarint(b, uint64(rg.Hi-rg.Lo))
				}
				present |= 1 << f
			}
		}
	}
	binary.BigEndian.PutUint16(b[at:], present)
	return b
}

// MarshalBinary returns the record of AppendBinary.
func (r *Rule) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }

// UnmarshalBinary reads a whole record, copying what it keeps. The rule is as valid
// as it was when it was written; Apply validates it again.
func (r *Rule) UnmarshalBinary(b []byte) error {
	d := recordReader{b: b}
	if d.byte() != recordVersion {
		return ErrRecord
	}
	var n Rule
	flags := d.byte()
	n.ID = d.uvarint(math.MaxUint64)
	n.Priority = uint32(d.uvarint(math.MaxUint32))
	n.Name = d.text()
	if flags&flagAllDPIDs != 0 {
		n.DPIDs = AllDPIDs()
	} else {
		ids := make([]uint64, d.count(8))
		for i := range ids {
			if p := d.take(8); p != nil {
				ids[i] = binary.BigEndian.Uint64(p)
			}
		}
		n.DPIDs = DPIDs(ids...)
	}
	d.match(&n.Match)
	if k := d.count(2); k > 0 {
		n.Grants = make([]Grant, k)
		for i := range n.Grants {
			n.Grants[i] = Grant{d.text(), Permission(d.byte())}
		}
	}
	if k := d.count(1); k > 0 {
		n.Queues = make([]uint32, k)
		for i := range n.Queues {
			n.Queues[i] = uint32(d.uvarint(math.MaxUint32))
		}
	}
	if flags&flagForced != 0 {
		n.ForcedQueue, n.HasForcedQueue = uint32(d.uvarint(math.MaxUint32)), true
	}
	if d.bad || len(d.b) != 0 || flags&^(flagAllDPIDs|flagForced) != 0 {
		return ErrRecord
	}
	*r = n
	return nil
}

// recordReader takes a record apart; after the first fault everything is zero.
type recordReader struct {
	b   []byte
	bad bool
}

func (d *recordReader) take(n int) []byte {
	if d.bad || n > len(d.b) {
		d.bad = true
		return nil
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p
}

func (d *recordReader) byte() byte {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *recordReader) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if d.bad || n <= 0 || v > limit {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads how many items follow that take at least size bytes each.
func (d *recordReader) count(size int) int {
	return int(d.uvarint(uint64(len(d.b) / size)))
}

func (d *recordReader) text() string { return string(d.take(d.count(1))) }

func (d *recordReader) match(m *Match) {
	p := d.take(2)
	if p == nil {
		return
	}
	present := binary.BigEndian.Uint16(p)
	if present>>numFields != 0 {
		d.bad = true
	}
	for f := range numFields {
		if present>>f&1 == 0 || d.bad {
			continue
		}
		switch f {
		case NWSrc, NWDst:
			if p := d.take(5); p != nil {
				*m.prefix(f) = IPv4Prefix(binary.BigEndian.Uint32(p), int(p[4]))
				d.bad = p[4] > 32
			}
		case DLSrc, DLDst:
			if p := d.take(6); p != nil {
				*m.mac(f) = ExactMAC([6]byte(p))
			}
		default:
			rs := make([]Range, d.count(2))
			for i := range rs {
				lo := d.uvarint(math.MaxUint32)
				rs[i] = Range{uint32(lo), uint32(lo + d.uvarint(math.MaxUint32-lo))}
			}
			s, ok := SetOf(rs...)
			*m.set(f) = s
			d.bad = d.bad || !ok
		}
	}
}
