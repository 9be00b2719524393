package ofswitch

import (
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
)

// The exact-match cache grows between these sizes, powers of two, so that an idle
// switch costs little.
const (
	cacheMin = 256
	cacheMax = 8192
)

// cache remembers which flow a header hit, misses included, in front of the flow
// table. Any change of the table makes all of it void at once.
type cache struct {
	slots  []cacheSlot
	epoch  uint32 // slots of other epochs are empty; 0 is none's
	misses int    // since the last growth
}

type cacheSlot struct {
	words flowtable.Words
	flow  *flowtable.Flow
	epoch uint32
}

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
	at := hash(&w)
	if n := uint64(len(c.slots)); n > 0 {
		if s := &c.slots[at&(n-1)]; s.epoch == c.epoch && s.words == w {
			return s.flow
		}
	}
	if c.misses++; c.misses > len(c.slots) && len(c.slots) < cacheMax {
		c.slots = make([]cacheSlot, max(cacheMin, 2*len(c.slots)))
		c.misses = 0
	}
	f := t.LookupWords(&w)
	c.slots[at&uint64(len(c.slots)-1)] = cacheSlot{words: w, flow: f, epoch: c.epoch}
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
