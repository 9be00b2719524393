package flowspace

import (
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

// appendWords appends the words that are not zero.
func (s *ruleSet) appendWords(ws []uint32) []uint32 {
	if s.at != nil {
		return append(ws, s.at...)
	}
	for w, x := range s.bits.Words() {
		if x != 0 {
			ws = append(ws, uint32(w))
		}
	}
	return ws
}
