package flowspace

import (
	"math/bits"
	"math/rand/v2"
)

// packed is a header in four words, each field in bits of its own. What the usual
// rules restrict together is in one word.
type packed [4]uint64

// pack packs h; false means that a value is none a frame can have, and does not fit.
func (p *packed) pack(h *Header) bool {
	if h.InPort > 0xffff || h.DLVLAN > maxVID && h.DLVLAN != VLANNone || h.DLVLANPCP > 7 {
		return false
	}
	p[0] = uint64(h.InPort)<<48 | uint64(h.DLVLAN&0x1fff)<<35 | uint64(h.DLVLANPCP)<<32 | uint64(h.DLType)<<16 | uint64(h.TPDst)
	p[1] = uint64(h.NWDst)<<32 | uint64(h.NWSrc)
	p[2] = macUint(&h.DLSrc)<<16 | uint64(h.NWProto)<<8 | uint64(h.NWTos)
	p[3] = macUint(&h.DLDst)<<16 | uint64(h.TPSrc)
	return true
}

// packRule returns which bits of a header a rule of a map compares, and with what;
// ok is false when a field has several values that are not one prefix, or the rule
// is for some of the map's datapaths only.
func packRule(r *Rule, byDPID bool) (mask, value packed, ok bool) {
	if byDPID && !r.DPIDs.all {
		return mask, value, false
	}
	m := &r.Match
	for _, x := range [...]struct {
		set   *Set
		word  uint8
		shift uint8
		bits  uint64
	}{
		{&m.InPort, 0, 48, 0xffff}, {&m.DLVLAN, 0, 35, 0x1fff}, {&m.DLVLANPCP, 0, 32, 7}, {&m.DLType, 0, 16, 0xffff},
		{&m.TPDst, 0, 0, 0xffff}, {&m.NWProto, 2, 8, 0xff}, {&m.NWTos, 2, 0, 0xff}, {&m.TPSrc, 3, 0, 0xffff},
	} {
		if x.set.IsAny() {
			continue
		}
		size := x.set.end - x.set.lo
		if x.set.rest != "" || size&(size-1) != 0 || x.set.lo&(size-1) != 0 {
			return mask, value, false
		}
		mask[x.word] |= x.bits &^ uint64(size-1) << x.shift
		value[x.word] |= x.bits & uint64(x.set.lo) << x.shift
	}
	mask[1] |= uint64(m.NWDst.Mask)<<32 | uint64(m.NWSrc.Mask)
	value[1] |= uint64(m.NWDst.Addr)<<32 | uint64(m.NWSrc.Addr)
	mask[2] |= m.DLSrc.Mask << 16
	value[2] |= m.DLSrc.Addr << 16
	mask[3] |= m.DLDst.Mask << 16
	value[3] |= m.DLDst.Addr << 16
	return mask, value, true
}

// tuples finds owners among the rules that restrict the same bits, a shape, by one
// look-up per shape. Most rule sets have few shapes. What does not fit is in rest.
type tuples struct {
	owner  *edit
	shapes []shape // those with the strongest rule first
	dir    pageDir[tuplePage]
	rest   *federatedMap // nil: none
	left   int           // length of rest when the shapes were chosen
}

// shape is a set of bits that rules compare.
type shape struct {
	mask packed
	seed uint64 // of the hash
	id   uint32
	max  uint32 // no rule has a higher priority
	n    int    // regions added
	// filter says of most values that no rule has them
	filter tupleFilter
}

// tupleFilter has a bit for each hash that occurs; removed ones stay in it. When many
// do occur it says yes to everything, since a guess that is often wrong costs more
// than it saves.
type tupleFilter [filterWords]uint64

const (
	filterWords = 8
	filterMax   = 150
)

func (f *tupleFilter) has(k uint64) bool { return f[k>>6%filterWords]>>(k>>9%64)&1 != 0 }

func (s *shape) note(k uint64) {
	if s.n++; s.n > filterMax {
		for i := range s.filter {
			s.filter[i] = ^uint64(0)
		}
		return
	}
	s.filter[k>>6%filterWords] |= 1 << (k >> 9 % 64)
}

// tupleEntry is one region of a shape; it takes one cache line.
type tupleEntry struct {
	value packed
	rule  *Rule      // the strongest
	more  *tupleMore // weaker rules with this region, nil if none
	id    uint64     // of rule, as is prio
	prio  uint32
	shape uint32
}

type tupleMore struct {
	owner *edit
	rules []*Rule
}

const (
	tuplePageSlots = 64
	tuplePageMax   = 44 // entries of a page before it is split
)

// tuplePage is an open-addressed table of its own, as in rowTable.
type tuplePage struct {
	slots [tuplePageSlots]tupleSlot
	owner *edit
	depth uint8
	n     uint8
}

type tupleSlot struct {
	hash  uint64
	entry *tupleEntry
}

var tupleSeeds = [3]uint64{rand.Uint64(), rand.Uint64(), rand.Uint64()}

// hash mixes what a header or a rule has in the bits of the shape.
func (s *shape) hash(v *packed) uint64 {
	h, l := bits.Mul64(v[0]&s.mask[0]^s.seed, v[1]&s.mask[1]^tupleSeeds[0])
	g, k := bits.Mul64(v[2]&s.mask[2]^tupleSeeds[1], v[3]&s.mask[3]^tupleSeeds[2])
	return h ^ l ^ bits.RotateLeft64(g^k, 29)
}

// holds reports whether the entry is the one of v in shape s.
func (x *tupleEntry) holds(s *shape, v *packed) bool {
	return (v[0]&s.mask[0]^x.value[0])|(v[1]&s.mask[1]^x.value[1])|
		(v[2]&s.mask[2]^x.value[2])|(v[3]&s.mask[3]^x.value[3])|uint64(x.shape^s.id) == 0
}

func (x *tupleEntry) before(o *tupleEntry) bool {
	return x.prio > o.prio || x.prio == o.prio && x.id < o.id
}

// find returns the entry of v in a shape, nil if there is none.
func (t *tuples) find(s *shape, v *packed) *tupleEntry {
	k := s.hash(v)
	if !s.filter.has(k) {
		return nil
	}
	p := t.dir.page(k)
	for i := k % tuplePageSlots; ; i = (i + 1) % tuplePageSlots {
		x := &p.slots[i]
		if x.entry == nil {
			return nil
		}
		if x.hash == k && x.entry.holds(s, v) {
			return x.entry
		}
	}
}

func (t *tuples) ownerOf(v *packed, h *Header, dpid uint64) *Rule {
	var best *tupleEntry
	for i := range t.shapes {
		s := &t.shapes[i]
		if best != nil && best.prio > s.max {
			break
		}
		if x := t.find(s, v); x != nil && (best == nil || x.before(best)) {
			best = x
		}
	}
	var r *Rule
	if best != nil {
		r = best.rule
	}
	if t.rest != nil {
		if o := t.rest.owner(h, dpid); o != nil && (r == nil || o.Before(r)) {
			r = o
		}
	}
	return r
}
