package ofswitch

import (
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
)

// cacheSlots is the size of the exact-match cache; a power of two.
const cacheSlots = 8192

// cache remembers which flow a header hit, misses included, in front of the flow
// table. Any change of the table makes all of it void at once.
type cache struct {
	slots []cacheSlot
	epoch uint32 // slots of other epochs are empty
}

type cacheSlot struct {
	words flowtable.Words
	flow  *flowtable.Flow
	epoch uint32
}

func newCache() cache { return cache{slots: make([]cacheSlot, cacheSlots), epoch: 1} }

// invalidate forgets everything.
func (c *cache) invalidate() {
	if c.epoch++; c.epoch == 0 {
		clear(c.slots)
		c.epoch = 1
	}
}

// lookup returns the flow for h out of the cache or the table.
func (c *cache) lookup(t *flowtable.Table, h *packet.Header) *flowtable.Flow {
	w := flowtable.HeaderWords(h)
	s := &c.slots[hash(&w)&(cacheSlots-1)]
	if s.epoch == c.epoch && s.words == w {
		return s.flow
	}
	f := t.LookupWords(&w)
	s.words, s.flow, s.epoch = w, f, c.epoch
	return f
}

// hash mixes the words. It need not resist an adversary, whose worst result is a
// cold cache.
func hash(w *flowtable.Words) uint64 {
	const m = 0x9e3779b97f4a7c15
	h := w[0] * m
	h = (h ^ h>>29 ^ w[1]) * m
	h = (h ^ h>>31 ^ w[2]) * m
	h = (h ^ h>>30 ^ w[3]) * m
	h = (h ^ h>>29 ^ w[4]) * m
	return h ^ h>>32
}
