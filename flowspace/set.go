package flowspace

import (
	"encoding/binary"
	"iter"
	"math"
	"slices"
)

// Range is the closed interval Lo..Hi.
type Range struct{ Lo, Hi uint32 }

// Set is an immutable, non-empty set of numbers, kept as sorted, disjoint, not
// adjacent ranges. The zero value is "any number". Sets are comparable: two
// sets with the same members are ==.
type Set struct {
	lo, end uint32 // first range is lo..end-1; end 0 means "to the last number"
	rest    string // further ranges, 8 bytes each: Lo, Hi, big endian
}

// One returns the set of the single number v.
func One(v uint32) Set { return Set{lo: v, end: v + 1} }

// Span returns the set of the numbers between lo and hi, both included, in
// either order.
func Span(lo, hi uint32) Set {
	if lo > hi {
		lo, hi = hi, lo
	}
	return Set{lo: lo, end: hi + 1}
}

// SetOf returns the union of the ranges; ok is false when there are none. A
// range with Lo > Hi holds nothing.
func SetOf(ranges ...Range) (s Set, ok bool) {
	rs := make([]Range, 0, len(ranges))
	for _, r := range ranges {
		if r.Lo <= r.Hi {
			rs = append(rs, r)
		}
	}
	slices.SortFunc(rs, func(a, b Range) int {
		if a.Lo != b.Lo {
			return cmpUint(a.Lo, b.Lo)
		}
		return cmpUint(a.Hi, b.Hi)
	})
	return setFromSorted(rs)
}

// Values returns the set of the given numbers; ok is false when there are none.
func Values(vs ...uint32) (s Set, ok bool) {
	rs := make([]Range, len(vs))
	for i, v := range vs {
		rs[i] = Range{v, v}
	}
	return SetOf(rs...)
}

func cmpUint[T uint32 | uint64 | int](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// setFromSorted takes ranges sorted by Lo, which may touch or overlap.
func setFromSorted(rs []Range) (Set, bool) {
	if len(rs) == 0 {
		return Set{}, false
	}
	n := 0
	for _, r := range rs[1:] {
		if last := &rs[n]; last.Hi == math.MaxUint32 || r.Lo <= last.Hi+1 {
			last.Hi = max(last.Hi, r.Hi)
		} else {
			n++
			rs[n] = r
		}
	}
	rs = rs[:n+1]
	s := Set{lo: rs[0].Lo, end: rs[0].Hi + 1}
	if len(rs) > 1 {
		b := make([]byte, 0, 8*(len(rs)-1))
		for _, r := range rs[1:] {
			b = binary.BigEndian.AppendUint32(b, r.Lo)
			b = binary.BigEndian.AppendUint32(b, r.Hi)
		}
		s.rest = string(b)
	}
	return s, true
}

// IsAny reports whether s holds every number.
func (s Set) IsAny() bool { return s.lo == 0 && s.end == 0 }

// Len returns the number of ranges, at least 1.
func (s Set) Len() int { return 1 + len(s.rest)/8 }

// Range returns the i-th range in ascending order.
func (s Set) Range(i int) Range {
	if i == 0 {
		return Range{s.lo, s.end - 1}
	}
	p := s.rest[8*(i-1) : 8*i]
	return Range{be32(p), be32(p[4:])}
}

func be32(p string) uint32 {
	return uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
}

// Ranges yields the ranges in ascending order.
func (s Set) Ranges() iter.Seq[Range] {
	return func(yield func(Range) bool) {
		for i := range s.Len() {
			if !yield(s.Range(i)) {
				return
			}
		}
	}
}

// Value returns the only member; ok is false when there are several.
func (s Set) Value() (v uint32, ok bool) { return s.lo, s.rest == "" && s.lo+1 == s.end }

// Size returns how many numbers s holds.
func (s Set) Size() uint64 {
	var n uint64
	for i := range s.Len() {
		r := s.Range(i)
		n += uint64(r.Hi) - uint64(r.Lo) + 1
	}
	return n
}

// Has reports whether v is a member.
func (s Set) Has(v uint32) bool {
	if v >= s.lo && v <= s.end-1 {
		return true
	}
	return s.rest != "" && s.hasRest(v)
}

func (s Set) hasRest(v uint32) bool {
	lo, hi := 1, s.Len()
	for lo < hi {
		m := int(uint(lo+hi) / 2)
		r := s.Range(m)
		switch {
		case v < r.Lo:
			hi = m
		case v > r.Hi:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// Overlaps reports whether s and o have a member in common.
func (s Set) Overlaps(o Set) bool {
	for i, j := 0, 0; i < s.Len() && j < o.Len(); {
		a, b := s.Range(i), o.Range(j)
		switch {
		case a.Hi < b.Lo:
			i++
		case b.Hi < a.Lo:
			j++
		default:
			return true
		}
	}
	return false
}

// Contains reports whether every member of o is a member of s.
func (s Set) Contains(o Set) bool {
	i := 0
	for j := range o.Len() {
		b := o.Range(j)
		for i < s.Len() && s.Range(i).Hi < b.Lo {
			i++
		}
		if i == s.Len() {
			return false
		}
		if a := s.Range(i); a.Lo > b.Lo || a.Hi < b.Hi {
			return false
		}
	}
	return true
}

// Intersect returns the common members; ok is false when there are none.
func (s Set) Intersect(o Set) (r Set, ok bool) {
	if s == o || o.IsAny() {
		return s, true
	}
	if s.IsAny() {
		return o, true
	}
	if s.rest == "" && o.rest == "" {
		lo, hi := max(s.lo, o.lo), min(s.end-1, o.end-1)
		return Set{lo: lo, end: hi + 1}, lo <= hi
	}
	var buf [16]Range
	rs := buf[:0]
	for i, j := 0, 0; i < s.Len() && j < o.Len(); {
		a, b := s.Range(i), o.Range(j)
		if lo, hi := max(a.Lo, b.Lo), min(a.Hi, b.Hi); lo <= hi {
			rs = append(rs, Range{lo, hi})
		}
		if a.Hi < b.Hi {
			i++
		} else {
			j++
		}
	}
	return setFromSorted(rs)
}

// Union returns the members of either.
func (s Set) Union(o Set) Set {
	if s == o || s.IsAny() {
		return s
	}
	rs := make([]Range, 0, s.Len()+o.Len())
	i, j := 0, 0
	for i < s.Len() || j < o.Len() {
		if j == o.Len() || i < s.Len() && s.Range(i).Lo <= o.Range(j).Lo {
			rs = append(rs, s.Range(i))
			i++
		} else {
			rs = append(rs, o.Range(j))
			j++
		}
	}
	u, _ := setFromSorted(rs)
	return u
}

// Subtract returns the members of s that are not in o; ok is false when there
// are none.
func (s Set) Subtract(o Set) (r Set, ok bool) {
	var buf [16]Range
	rs := buf[:0]
	j := 0
	for i := range s.Len() {
		a := s.Range(i)
		for j < o.Len() && o.Range(j).Hi < a.Lo {
			j++
		}
		lo, done := a.Lo, false
		for k := j; k < o.Len() && o.Range(k).Lo <= a.Hi; k++ {
			b := o.Range(k)
			if b.Lo > lo {
				rs = append(rs, Range{lo, b.Lo - 1})
			}
			if b.Hi >= a.Hi {
				done = true
				break
			}
			lo = b.Hi + 1
		}
		if !done {
			rs = append(rs, Range{lo, a.Hi})
		}
	}
	return setFromSorted(rs)
}
