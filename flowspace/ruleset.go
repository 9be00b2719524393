package flowspace

import (
	"math/bits"
	"slices"

	"github.com/bits-and-blooms/bitset"
)

// ruleSet is a set of rule positions, 64 to a word, in one of two forms. Dense: word
// w of the set is word w of bits. Sparse: only words that are not zero are kept, and
// at, the summary, says which ones they are.
type ruleSet struct {
	owner *edit
	bits  bitset.BitSet
	at    []uint32 // nil: dense
}

// len returns how many words have to be walked.
func (s *ruleSet) len() int { return len(s.bits.Words()) }

// word returns the 64 positions of word w.
func (s *ruleSet) word(w uint32) uint64 {
	if s.at != nil {
		return s.sparseWord(w)
	}
	if words := s.bits.Words(); int(w) < len(words) {
		return words[w]
	}
	return 0
}

func (s *ruleSet) sparseWord(w uint32) uint64 {
	at, base := s.at, 0
	for n := len(at); n > 1; {
		half := n / 2
		if at[base+half] <= w {
			base += half
		}
		n -= half
	}
	if at[base] != w {
		return 0
	}
	return s.bits.Words()[base]
}

// own returns s if it belongs to e, else a copy that does.
func (s *ruleSet) own(e *edit) *ruleSet {
	if s.owner == e {
		return s
	}
	c := &ruleSet{owner: e}
	old := s.bits.Words()
	c.bits.SetBitsetFrom(append(make([]uint64, 0, len(old)+1), old...))
	if s.at != nil {
		c.at = append(make([]uint32, 0, len(s.at)+1), s.at...)
	}
	return c
}

// set adds a position; s must be owned.
func (s *ruleSet) set(w uint32, bit uint) {
	words := s.bits.Words()
	if s.at == nil {
		switch {
		case int(w) < len(words):
			words[w] |= 1 << bit
			return
		case len(words) == 0, int(w) >= cap(words) && s.thin(int(w)+1):
			s.makeSparse()
		default:
			for len(words) <= int(w) {
				words = append(words, 0)
			}
			words[w] |= 1 << bit
			s.bits.SetBitsetFrom(words)
			return
		}
		words = s.bits.Words()
	}
	i := len(s.at)
	if i > 0 && s.at[i-1] >= w {
		var found bool
		if i, found = slices.BinarySearch(s.at, w); found {
			words[i] |= 1 << bit
			return
		}
	}
	s.at = slices.Insert(s.at, i, w)
	s.bits.SetBitsetFrom(slices.Insert(words, i, 1<<bit))
	if last := int(s.at[len(s.at)-1]); 4*len(s.at) > last {
		s.makeDense(last + 1)
	}
}

// thin reports whether a dense set that has to grow to n words would be mostly zeros.
func (s *ruleSet) thin(n int) bool {
	used := 1
	for _, x := range s.bits.Words() {
		if x != 0 {
			used++
		}
	}
	return 4*used < n
}

// clear removes a position; s must be owned.
func (s *ruleSet) clear(w uint32, bit uint) {
	words := s.bits.Words()
	if s.at == nil {
		if int(w) < len(words) {
			words[w] &^= 1 << bit
			for len(words) > 0 && words[len(words)-1] == 0 {
				words = words[:len(words)-1]
			}
			s.bits.SetBitsetFrom(words)
		}
		return
	}
	i, found := slices.BinarySearch(s.at, w)
	if !found {
		return
	}
	if words[i] &^= 1 << bit; words[i] == 0 {
		s.at = slices.Delete(s.at, i, i+1)
		s.bits.SetBitsetFrom(slices.Delete(words, i, i+1))
		if len(s.at) == 0 {
			s.at = nil
		}
	}
}

func (s *ruleSet) makeSparse() {
	s.at = []uint32{}
	var packed []uint64
	for w, x := range s.bits.Words() {
		if x != 0 {
			s.at = append(s.at, uint32(w))
			packed = append(packed, x)
		}
	}
	s.bits.SetBitsetFrom(packed)
}

func (s *ruleSet) makeDense(n int) {
	words := make([]uint64, n, n+1)
	for i, x := range s.bits.Words() {
		words[s.at[i]] = x
	}
	s.at = nil
	s.bits.SetBitsetFrom(words)
}

// orInto adds the set to dense words.
func (s *ruleSet) orInto(dst []uint64) {
	words := s.bits.Words()
	if s.at == nil {
		for w, x := range words {
			dst[w] |= x
		}
		return
	}
	for i, w := range s.at {
		dst[w] |= words[i]
	}
}

// rowTable is a persistent map from keys to rows, sorted by key, in pages.
type rowTable struct {
	owner  *edit
	firsts []uint64 // first key of each page
	pages  []*rowPage
}

type rowPage struct {
	owner *edit
	keys  []uint64
	rows  []*ruleSet
}

const rowPageMax = 64

// atOrBelow returns the index of the last element <= k; keys is not empty and its
// first element is taken to be <= k.
func atOrBelow(keys []uint64, k uint64) int {
	base := 0
	for n := len(keys); n > 1; {
		half := n / 2
		if keys[base+half] <= k {
			base += half
		}
		n -= half
	}
	return base
}

// get returns the row of a key, nil if there is none.
func (t *rowTable) get(k uint64) *ruleSet {
	if len(t.firsts) == 0 {
		return nil
	}
	p := t.pages[atOrBelow(t.firsts, k)]
	i := atOrBelow(p.keys, k)
	if p.keys[i] != k {
		return nil
	}
	return p.rows[i]
}

// between calls f for the rows with lo <= key <= hi, ascending.
func (t *rowTable) between(lo, hi uint64, f func(*ruleSet)) {
	if len(t.firsts) == 0 {
		return
	}
	for i := atOrBelow(t.firsts, lo); i < len(t.pages) && t.firsts[i] <= hi; i++ {
		p := t.pages[i]
		j, _ := slices.BinarySearch(p.keys, lo)
		for ; j < len(p.keys) && p.keys[j] <= hi; j++ {
			f(p.rows[j])
		}
	}
}

// ownPage makes page i changeable.
func (t *rowTable) ownPage(e *edit, i int) *rowPage {
	if t.owner != e {
		t.owner = e
		t.firsts = append(make([]uint64, 0, len(t.firsts)+1), t.firsts...)
		t.pages = append(make([]*rowPage, 0, len(t.pages)+1), t.pages...)
	}
	p := t.pages[i]
	if p.owner != e {
		p = &rowPage{
			owner: e,
			keys:  append(make([]uint64, 0, len(p.keys)+1), p.keys...),
			rows:  append(make([]*ruleSet, 0, len(p.rows)+1), p.rows...),
		}
		t.pages[i] = p
	}
	return p
}

// row returns the changeable row of a key, a new one if there is none; added says
// which.
func (t *rowTable) row(e *edit, k uint64) (row *ruleSet, added bool) {
	if len(t.pages) == 0 {
		row = &ruleSet{owner: e}
		*t = rowTable{owner: e, firsts: []uint64{k}, pages: []*rowPage{{owner: e, keys: []uint64{k}, rows: []*ruleSet{row}}}}
		return row, true
	}
	i := atOrBelow(t.firsts, k)
	p := t.ownPage(e, i)
	j, found := slices.BinarySearch(p.keys, k)
	if found {
		p.rows[j] = p.rows[j].own(e)
		return p.rows[j], false
	}
	row = &ruleSet{owner: e}
	p.keys = slices.Insert(p.keys, j, k)
	p.rows = slices.Insert(p.rows, j, row)
	t.firsts[i] = p.keys[0]
	if len(p.keys) > rowPageMax {
		half := rowPageMax / 2
		if i == len(t.pages)-1 && j == rowPageMax {
			half = rowPageMax // ascending keys: leave the full page full
		}
		right := &rowPage{owner: e, keys: slices.Clone(p.keys[half:]), rows: slices.Clone(p.rows[half:])}
		clear(p.rows[half:])
		p.keys, p.rows = p.keys[:half], p.rows[:half]
		t.firsts = slices.Insert(t.firsts, i+1, right.keys[0])
		t.pages = slices.Insert(t.pages, i+1, right)
	}
	return row, true
}

// remove takes the row of a key away.
func (t *rowTable) remove(e *edit, k uint64) {
	i := atOrBelow(t.firsts, k)
	p := t.ownPage(e, i)
	j, found := slices.BinarySearch(p.keys, k)
	if !found {
		return
	}
	p.keys = slices.Delete(p.keys, j, j+1)
	p.rows = slices.Delete(p.rows, j, j+1)
	if len(p.keys) == 0 {
		t.firsts = slices.Delete(t.firsts, i, i+1)
		t.pages = slices.Delete(t.pages, i, i+1)
		return
	}
	t.firsts[i] = p.keys[0]
}

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
	rows    rowTable
}

type prefixLength struct {
	n    uint8
	rows uint32
}

func fieldWidth(f Field) uint8 {
	if f == fieldDPID {
		return 64
	}
	return fields[f].bits
}

// key is where the row of a prefix is; keys sort by the first value of the prefix.
func (x *fieldIndex) key(start uint64, n uint8) uint64 {
	if x.width == 64 {
		return start // datapath ids have one length only
	}
	return start<<8 | uint64(n)
}

// probe is the key of the prefix of length n that holds v.
func (x *fieldIndex) probe(v uint64, n uint8) uint64 {
	shift := x.width - n
	return x.key(v>>shift<<shift, n)
}

// add puts position (w, bit) into the row of a prefix.
func (x *fieldIndex) add(e *edit, start uint64, n uint8, w uint32, bit uint) {
	row, added := x.rows.row(e, x.key(start, n))
	row.set(w, bit)
	if !added {
		return
	}
	i, found := slices.BinarySearchFunc(x.lengths, n, func(l prefixLength, n uint8) int { return int(l.n) - int(n) })
	x.lengths = slices.Clone(x.lengths)
	if !found {
		x.lengths = slices.Insert(x.lengths, i, prefixLength{n: n})
	}
	x.lengths[i].rows++
}

// remove takes position (w, bit) out of the row of a prefix.
func (x *fieldIndex) remove(e *edit, start uint64, n uint8, w uint32, bit uint) {
	k := x.key(start, n)
	row, added := x.rows.row(e, k)
	row.clear(w, bit)
	if row.len() != 0 {
		return
	}
	x.rows.remove(e, k)
	if added {
		return
	}
	i, _ := slices.BinarySearchFunc(x.lengths, n, func(l prefixLength, n uint8) int { return int(l.n) - int(n) })
	x.lengths = slices.Clone(x.lengths)
	if x.lengths[i].rows--; x.lengths[i].rows == 0 {
		x.lengths = slices.Delete(x.lengths, i, i+1)
	}
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
