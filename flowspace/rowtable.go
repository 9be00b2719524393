package flowspace

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// rowTable is a persistent map from keys to rows. A change copies one page and a part
// of the directory.
type rowTable struct {
	owner *edit
	n     int
	dir   pageDir[rowPage]
	// sorted has, in order, the keys of the rows that this table or one it was made
	// from has or had; those added since are in fresh. It is made when asked for a
	// second time.
	sorted atomic.Pointer[[]uint64]
	asked  atomic.Bool
	fresh  []uint64
}

// maxFresh is how many keys may be missing in sorted before it is made anew.
const maxFresh = 256

// row is the set of rules that accept one prefix. Most rows have one word only, and
// keep it in place.
type row struct {
	key  uint64
	set  *ruleSet // nil: the row is word at
	word uint64
	at   uint32
}

const (
	rowPageSlots = 16
	rowPageMax   = 12 // rows of a page before it is split
)

// rowPage is an open-addressed table of its own.
type rowPage struct {
	slots [rowPageSlots]row // first, so that no row crosses a cache line
	owner *edit
	depth uint8 // how many hash bits its rows share
	n     uint8
}

// The hash is seeded, so that nobody can choose values that fall together.
var rowSeeds = [2]uint64{rand.Uint64(), rand.Uint64() | 1}

func rowHash(k uint64) uint64 {
	hi, lo := bits.Mul64(k^rowSeeds[0], rowSeeds[1])
	return hi ^ lo
}

func newRowTable(e *edit) *rowTable {
	return &rowTable{owner: e, dir: newPageDir(e, &rowPage{owner: e})}
}

func (r *row) empty() bool { return r.set == nil && r.word == 0 }

// len returns how many words have to be walked.
func (r *row) len() int {
	if r.set == nil {
		return 1
	}
	return r.set.len()
}

func (r *row) orInto(dst []uint64) {
	if r.set != nil {
		r.set.orInto(dst)
	} else {
		dst[r.at] |= r.word
	}
}

// get returns the row of a key, nil if there is none.
func (t *rowTable) get(k uint64) *row {
	h := rowHash(k)
	return t.dir.page(h).get(h, k)
}

func (p *rowPage) get(h, k uint64) *row {
	for i := h % rowPageSlots; ; i = (i + 1) % rowPageSlots {
		switch r := &p.slots[i]; {
		case r.empty():
			return nil
		case r.key == k:
			return r
		}
	}
}

// put stores a row whose key is not there; the page has room.
func (p *rowPage) put(r row) {
	i := rowHash(r.key) % rowPageSlots
	for !p.slots[i].empty() {
		i = (i + 1) % rowPageSlots
	}
	p.slots[i] = r
	p.n++
}

// own returns t if it belongs to e, else a copy that does.
func (t *rowTable) own(e *edit) *rowTable {
	if t.owner == e {
		return t
	}
	c := &rowTable{owner: e, n: t.n, dir: t.dir.clone()}
	c.asked.Store(t.asked.Load())
	if p := t.sorted.Load(); p != nil && len(t.fresh) < maxFresh {
		c.sorted.Store(p)
		c.fresh = slices.Clone(t.fresh)
	}
	return c
}

// page returns the changeable page for a hash.
func (t *rowTable) page(e *edit, h uint64) *rowPage {
	p := t.dir.page(h)
	if p.owner != e {
		c := *p
		c.owner = e
		p = &c
		t.dir.point(e, p, h, p.depth)
	}
	return p
}

// add puts position (w, bit) into the row of a key; added says that the row is new.
// The table must be owned.
func (t *rowTable) add(e *edit, k uint64, w uint32, bit uint) (added bool) {
	h := rowHash(k)
	p := t.page(e, h)
	if r := t.get(k); r != nil {
		r.addTo(e, w, bit)
		return false
	}
	for p.n >= rowPageMax {
		t.split(e, p, h)
		p = t.page(e, h)
	}
	p.put(row{key: k, word: 1 << bit, at: w})
	t.n++
	if t.sorted.Load() != nil {
		t.fresh = append(t.fresh, k)
	}
	return true
}

func (r *row) addTo(e *edit, w uint32, bit uint) {
	switch {
	case r.set != nil:
		r.set = r.set.own(e)
		r.set.set(w, bit)
	case r.at == w:
		r.word |= 1 << bit
	default:
		s := &ruleSet{owner: e, at: []uint32{r.at}}
		s.bits.SetBitsetFrom([]uint64{r.word})
		s.set(w, bit)
		r.set, r.word, r.at = s, 0, 0
	}
}

// split divides a full page by the next bit of the hash.
func (t *rowTable) split(e *edit, p *rowPage, h uint64) {
	depth := p.depth + 1
	halves := [2]*rowPage{{owner: e, depth: depth}, {owner: e, depth: depth}}
	for i := range p.slots {
		if r := &p.slots[i]; !r.empty() {
			halves[rowHash(r.key)>>(64-depth)&1].put(*r)
		}
	}
	t.dir.split(e, h, p.depth, halves[0], halves[1])
}

// remove takes position (w, bit) out of the row of a key; removed says that the row
// is gone. The table must be owned.
func (t *rowTable) remove(e *edit, k uint64, w uint32, bit uint) (removed bool) {
	p := t.page(e, rowHash(k))
	r := t.get(k)
	if r == nil {
		return false
	}
	if r.set != nil {
		r.set = r.set.own(e)
		r.set.clear(w, bit)
		if r.set.len() == 0 {
			r.set = nil
		}
	} else if r.at == w {
		r.word &^= 1 << bit
	}
	if !r.empty() {
		return false
	}
	old := p.slots
	p.n, p.slots = 0, [rowPageSlots]row{}
	for i := range old {
		if !old[i].empty() {
			p.put(old[i])
		}
	}
	t.n--
	return true
}

// each calls f for every row until it returns false.
func (t *rowTable) each(f func(*row) bool) {
	t.dir.each(func(p *rowPage) bool {
		for i := range p.slots {
			if r := &p.slots[i]; !r.empty() && !f(r) {
				return false
			}
		}
		return true
	})
}

// between calls f, until it returns false, for the rows with lo <= key <= hi, for some
// of them twice. Sorting pays only when asked again; the first call walks all rows.
func (t *rowTable) between(lo, hi uint64, f func(*row) bool) {
	p := t.sorted.Load()
	if p == nil && !t.asked.Swap(true) {
		t.each(func(r *row) bool { return r.key < lo || r.key > hi || f(r) })
		return
	}
	if p == nil {
		all := make([]uint64, 0, t.n)
		t.each(func(r *row) bool {
			all = append(all, r.key)
			return true
		})
		slices.Sort(all)
		p = &all
		t.sorted.Store(p)
	}
	keys := *p
	i, _ := slices.BinarySearch(keys, lo)
	for ; i < len(keys) && keys[i] <= hi; i++ {
		if r := t.get(keys[i]); r != nil && !f(r) {
			return
		}
	}
	for _, k := range t.fresh {
		if k >= lo && k <= hi {
			if r := t.get(k); r != nil && !f(r) {
				return
			}
		}
	}
}
