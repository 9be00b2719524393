package flowspace

import (
	"math/bits"
	"slices"
)

// fieldDPID stands for the datapath id in maps with rules of many datapaths.
const fieldDPID = numFields

// fieldIndex says which rules accept which values of a field. A rule that leaves the
// field open is in any; otherwise it is in the row of each prefix its values make up,
// an exact value being the longest prefix. While no rule restricts the field, there
// is neither.
type fieldIndex struct {
	any   *ruleSet
	used  int // rules that restrict the field
	width uint8
	// lengths in use, ascending, and the number of rows of each
	lengths []prefixLength
	rows    *rowTable
}

type prefixLength struct {
	n      uint8
	rows   int
	filter rowFilter
}

// rowFilter says of most keys without a row that they have none, so that many prefix
// lengths with few rows each cost little. Removed rows stay in it.
type rowFilter [4]uint64

func (f *rowFilter) has(h uint64) bool { return f[h>>8%4]>>(h>>10%64)&1 != 0 }

func (f *rowFilter) add(h uint64) { f[h>>8%4] |= 1 << (h >> 10 % 64) }

func fieldWidth(f Field) uint8 {
	if f == fieldDPID {
		return 64
	}
	return fields[f].bits
}

// prefixKey is where the row of the prefix of length n is that holds v. Keys sort by
// the first value of the prefix. Datapath ids, of width 64, have one length only.
func prefixKey(width uint8, v uint64, n uint8) uint64 {
	if width == 64 {
		return v
	}
	shift := width - n
	return v>>shift<<shift<<8 | uint64(n)
}

// add puts position (w, bit) into the row of a prefix.
func (x *fieldIndex) add(e *edit, start uint64, n uint8, w uint32, bit uint) {
	if x.rows == nil {
		x.rows = newRowTable(e)
	}
	x.rows = x.rows.own(e)
	k := prefixKey(x.width, start, n)
	if x.rows.add(e, k, w, bit) {
		x.count(n, 1).add(rowHash(k))
	}
}

// remove takes position (w, bit) out of the row of a prefix.
func (x *fieldIndex) remove(e *edit, start uint64, n uint8, w uint32, bit uint) {
	x.rows = x.rows.own(e)
	if x.rows.remove(e, prefixKey(x.width, start, n), w, bit) {
		x.count(n, -1)
	}
	if x.rows.n == 0 {
		x.rows = nil
	}
}

// count notes that there are d more rows of prefix length n, and returns its filter.
func (x *fieldIndex) count(n uint8, d int) *rowFilter {
	i, found := slices.BinarySearchFunc(x.lengths, n, func(l prefixLength, n uint8) int { return int(l.n) - int(n) })
	x.lengths = slices.Clone(x.lengths)
	if !found {
		x.lengths = slices.Insert(x.lengths, i, prefixLength{n: n})
	}
	if x.lengths[i].rows += d; x.lengths[i].rows == 0 {
		x.lengths = slices.Delete(x.lengths, i, i+1)
		return nil
	}
	return &x.lengths[i].filter
}

// eachPrefix calls f for the prefixes that make up what the rule accepts in field
// fd; open says that it accepts everything.
func eachPrefix(r *Rule, fd Field, f func(start uint64, n uint8)) (open bool) {
	switch fd {
	case fieldDPID:
		for id := range r.DPIDs.List() {
			f(id, 64)
		}
		return r.DPIDs.all
	case NWSrc, NWDst:
		p := r.Match.prefix(fd)
		if p.IsAny() {
			return true
		}
		n, _ := p.Bits()
		f(uint64(p.Addr), uint8(n))
		return false
	case DLSrc, DLDst:
		a := r.Match.mac(fd)
		if a.IsAny() {
			return true
		}
		f(a.Addr, 48)
		return false
	}
	s := r.Match.set(fd)
	if s.IsAny() {
		return true
	}
	for i := range s.Len() {
		rg := s.Range(i)
		prefixesOf(uint64(rg.Lo), uint64(rg.Hi), fields[fd].bits, f)
	}
	return false
}

// prefixesOf cuts lo..hi into the fewest prefixes of a field of the given width.
func prefixesOf(lo, hi uint64, width uint8, f func(start uint64, n uint8)) {
	for lo <= hi {
		free := min(bits.TrailingZeros64(lo|1<<width), bits.Len64(hi-lo+1)-1)
		f(lo, width-uint8(free))
		lo += 1 << free
	}
}
