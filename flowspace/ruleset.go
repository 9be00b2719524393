package flowspace

import (
	"slices"

	"github.com/bits-and-blooms/bitset"
)

// partWords is how many words of a dense set a change copies together.
const partWords = 64

// ruleSet is a set of rule positions, 64 to a word, in one of two forms. Dense: word
// w of the set is word w of bits, or w%partWords of part w/partWords; parts but the
// last are full, and a copy shares those behind the first that do not change. Sparse:
// only words that are not zero are kept, in bits, and at, the summary, says which
// ones they are.
type ruleSet struct {
	owner *edit
	bits  bitset.BitSet // sparse, or the first part
	at    []uint32      // nil: dense

	further []densePart // behind the first
}

type densePart struct {
	owner *edit
	bits  bitset.BitSet
}

// newDenseSet returns the set of these words.
func newDenseSet(e *edit, words []uint64) *ruleSet {
	s := &ruleSet{owner: e}
	s.setDense(words)
	s.trim()
	return s
}

func (s *ruleSet) setDense(words []uint64) {
	n := min(len(words), partWords)
	s.at, s.further = nil, nil
	s.bits.SetBitsetFrom(words[:n:n])
	for part := range slices.Chunk(words[n:], partWords) {
		s.appendPart(part)
	}
}

func (s *ruleSet) appendPart(words []uint64) {
	s.further = append(s.further, densePart{owner: s.owner})
	s.further[len(s.further)-1].bits.SetBitsetFrom(words)
}

// part returns a part of a dense set.
func (s *ruleSet) part(k int) *bitset.BitSet {
	if k == 0 {
		return &s.bits
	}
	return &s.further[k-1].bits
}

// parts returns how many parts a dense set has.
func (s *ruleSet) parts() int { return 1 + len(s.further) }

// len returns how many words have to be walked.
func (s *ruleSet) len() int {
	if len(s.further) == 0 {
		return len(s.bits.Words())
	}
	return len(s.further)*partWords + len(s.further[len(s.further)-1].bits.Words())
}

// word returns the 64 positions of word w.
func (s *ruleSet) word(w uint32) uint64 {
	if s.at != nil {
		return s.sparseWord(w)
	}
	if words := s.bits.Words(); int(w) < len(words) {
		return words[w]
	}
	return s.furtherWord(w)
}

func (s *ruleSet) furtherWord(w uint32) uint64 {
	if k := int(w/partWords) - 1; k >= 0 && k < len(s.further) {
		if words := s.further[k].bits.Words(); int(w%partWords) < len(words) {
			return words[w%partWords]
		}
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
	c := &ruleSet{owner: e, further: slices.Clone(s.further)}
	old := s.bits.Words()
	c.bits.SetBitsetFrom(append(make([]uint64, 0, len(old)+1), old...))
	if s.at != nil {
		c.at = append(make([]uint32, 0, len(s.at)+1), s.at...)
	}
	return c
}

// ownPart returns the words of a part of a dense set, which must be owned, for changes.
func (s *ruleSet) ownPart(k int) []uint64 {
	words := s.part(k).Words()
	if k > 0 && s.further[k-1].owner != s.owner {
		words = append(make([]uint64, 0, min(len(words)+1, partWords)), words...)
		s.further[k-1].bits.SetBitsetFrom(words)
		s.further[k-1].owner = s.owner
	}
	return words
}

// set adds a position; s must be owned.
func (s *ruleSet) set(w uint32, bit uint) {
	if s.at == nil {
		n := s.len()
		if int(w) >= n && (n == 0 || (int(w) > n || n%partWords == 0) && s.thin(int(w)+1)) {
			s.makeSparse()
		} else {
			s.grow(int(w) + 1)
			s.ownPart(int(w / partWords))[w%partWords] |= 1 << bit
			return
		}
	}
	words, i := s.bits.Words(), len(s.at)
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

// grow appends zeros to a dense set until it has n words.
func (s *ruleSet) grow(n int) {
	for have := s.len(); have < n; have = s.len() {
		k := have / partWords
		size := min(n-k*partWords, partWords)
		if k == s.parts() {
			s.appendPart(make([]uint64, size))
			continue
		}
		words := s.ownPart(k)
		for len(words) < size {
			words = append(words, 0)
		}
		s.part(k).SetBitsetFrom(words)
	}
}

// thin reports whether a dense set that has to grow to n words would be mostly zeros.
func (s *ruleSet) thin(n int) bool {
	used := 1
	for k := range s.parts() {
		words := s.part(k).Words()
		used += len(words) - countZero(words)
	}
	return 4*used < n
}

// clear removes a position; s must be owned.
func (s *ruleSet) clear(w uint32, bit uint) {
	if s.at == nil {
		if int(w) < s.len() {
			s.ownPart(int(w / partWords))[w%partWords] &^= 1 << bit
			s.trim()
		}
		return
	}
	i, found := slices.BinarySearch(s.at, w)
	if !found {
		return
	}
	words := s.bits.Words()
	if words[i] &^= 1 << bit; words[i] == 0 {
		s.at = slices.Delete(s.at, i, i+1)
		s.bits.SetBitsetFrom(slices.Delete(words, i, i+1))
		if len(s.at) == 0 {
			s.at = nil
		}
	}
}

// trim drops the zeros at the end of a dense set.
func (s *ruleSet) trim() {
	for k := len(s.further); k >= 0; k-- {
		words := s.part(k).Words()
		n := len(words)
		for n > 0 && words[n-1] == 0 {
			n--
		}
		if n > 0 || k == 0 {
			if n < len(words) {
				s.part(k).SetBitsetFrom(words[:n])
			}
			return
		}
		s.further = s.further[:k-1]
	}
}

func (s *ruleSet) makeSparse() {
	at := []uint32{}
	var packed []uint64
	for k := range s.parts() {
		for i, x := range s.part(k).Words() {
			if x != 0 {
				at = append(at, uint32(k*partWords+i))
				packed = append(packed, x)
			}
		}
	}
	s.at, s.further = at, nil
	s.bits.SetBitsetFrom(packed)
}

func (s *ruleSet) makeDense(n int) {
	words := make([]uint64, n)
	for i, x := range s.bits.Words() {
		words[s.at[i]] = x
	}
	s.setDense(words)
}

// orInto adds the set to dense words.
func (s *ruleSet) orInto(dst []uint64) {
	if s.at == nil {
		for k := range s.parts() {
			for i, x := range s.part(k).Words() {
				dst[k*partWords+i] |= x
			}
		}
		return
	}
	words := s.bits.Words()
	for i, w := range s.at {
		dst[w] |= words[i]
	}
}

// orWords adds the words from w on to dst. They are in one part.
func (s *ruleSet) orWords(w uint32, dst []uint64) {
	if s.at != nil {
		words := s.bits.Words()
		i, _ := slices.BinarySearch(s.at, w)
		for ; i < len(words) && s.at[i]-w < uint32(len(dst)); i++ {
			dst[s.at[i]-w] |= words[i]
		}
		return
	}
	k := int(w / partWords)
	if k >= s.parts() {
		return
	}
	words := s.part(k).Words()
	words = words[min(int(w%partWords), len(words)):]
	for i, x := range words[:min(len(words), len(dst))] {
		dst[i] |= x
	}
}

// appendWords appends the words that are not zero.
func (s *ruleSet) appendWords(ws []uint32) []uint32 {
	if s.at != nil {
		return append(ws, s.at...)
	}
	for k := range s.parts() {
		for i, x := range s.part(k).Words() {
			if x != 0 {
				ws = append(ws, uint32(k*partWords+i))
			}
		}
	}
	return ws
}
