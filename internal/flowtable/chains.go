package flowtable

import (
	"iter"
	"math/bits"
	"math/rand/v2"
)

// chains finds the flows of one mask by the value they match. It is a hash table of its
// own so that a look-up reads little but the flow itself, and can take its place. It
// grows by a bucket at a time (linear hashing): no flow_mod waits for all flows to be
// moved.
type chains struct {
	heads []*Flow // by bucket; each a list by Flow.chain of the first flows of different values
	n     int
	seed  [2]uint64 // secret, so that nobody can choose values that meet in a bucket
}

// newChains makes an empty table.
func newChains() chains {
	return chains{heads: make([]*Flow, 1), seed: [2]uint64{rand.Uint64(), rand.Uint64() | 1}}
}

func (c *chains) hash(v *Words) uint64 {
	h := c.seed[0]
	for _, w := range v {
		hi, lo := bits.Mul64(h^w, c.seed[1])
		h = hi ^ lo
	}
	return h
}

// bucket is where a hash belongs. The number of buckets is between two powers of two:
// those up to the lesser one that have not been split yet have the hashes of two.
func (c *chains) bucket(hash uint64) int {
	mask := 1<<bits.Len(uint(len(c.heads)-1)) - 1
	i := int(hash) & mask
	if i >= len(c.heads) {
		i &= mask >> 1
	}
	return i
}

// link is what leads to the first flow of a value, or would lead to it, and the hash of
// the value. It is valid until a flow is added or removed.
func (c *chains) link(v *Words) (at **Flow, hash uint64) {
	hash = c.hash(v)
	at = &c.heads[c.bucket(hash)]
	for f := *at; f != nil && (f.hash != hash || f.pat.Value != *v); f = *at {
		at = &f.chain
	}
	return at, hash
}

// first is the first flow of a value, nil if there is none.
func (c *chains) first(v *Words) *Flow {
	at, _ := c.link(v)
	return *at
}

// replace puts f into the place of old, which is the first of their value; at leads to it.
func (c *chains) replace(at **Flow, old, f *Flow) {
	f.hash, f.chain, old.chain = old.hash, old.chain, nil
	*at = f
}

// add puts in a flow whose value is new; at and hash are what link has returned for it.
func (c *chains) add(at **Flow, hash uint64, f *Flow) {
	f.hash = hash
	*at = f
	if c.n++; c.n > len(c.heads) {
		c.split()
	}
}

// remove takes out the only flow of a value; at leads to it.
func (c *chains) remove(at **Flow, f *Flow) {
	*at, f.chain = f.chain, nil
	c.n--
}

// split adds a bucket and moves those there that belong there now.
func (c *chains) split() {
	last := len(c.heads)
	c.heads = append(c.heads, nil)
	from := last &^ (1 << (bits.Len(uint(last)) - 1))
	stay, move := &c.heads[from], &c.heads[last]
	for f := c.heads[from]; f != nil; f = f.chain {
		if c.bucket(f.hash) == last {
			*move, move = f, &f.chain
		} else {
			*stay, stay = f, &f.chain
		}
	}
	*stay, *move = nil, nil
}

// all yields the first flow of each value.
func (c *chains) all() iter.Seq[*Flow] {
	return func(yield func(*Flow) bool) {
		for _, f := range c.heads {
			for ; f != nil; f = f.chain {
				if !yield(f) {
					return
				}
			}
		}
	}
}
