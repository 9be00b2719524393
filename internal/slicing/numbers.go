package slicing

import (
	"cmp"
	"math"
	"slices"
)

// Levels order what is in one rank. Flow priorities are doubled, so that a carve-out
// of a flow has a place right above it.
const (
	levelGuard int32 = -2
	levelLLDP  int32 = -3 // the guards of link discovery, on top of everything
	levelExact int32 = 1 << 17
	levelDrop  int32 = 1<<17 + 2
)

func levelOf(priority uint16) int32 { return int32(priority) << 1 }

// pair is a rank and level in use, with the physical priority it stands for.
type pair struct {
	rank   *rank
	level  int32
	number uint16
	slots  map[*slot]struct{}
}

func (p *pair) compare(r *rank, level int32) int {
	return cmp.Or(cmp.Compare(p.rank.pos, r.pos), cmp.Compare(p.level, level))
}

// numbering maps pairs to the switch's priorities: strictly increasing, a flow's
// own priority wherever that fits, and stable unless there is no room.
type numbering struct{ order []*pair }

const maxNumber = 65535

// find returns the pair, or the place where it would be.
func (n *numbering) find(r *rank, level int32) (at int, ok bool) {
	return slices.BinarySearchFunc(n.order, pair{rank: r, level: level}, func(p *pair, want pair) int {
		return p.compare(want.rank, want.level)
	})
}

// bounds are the numbers left and right of place at, exclusive.
func (n *numbering) bounds(from, to int) (lo, hi int) {
	lo, hi = -1, maxNumber+1
	if from > 0 {
		lo = int(n.order[from-1].number)
	}
	if to < len(n.order) {
		hi = int(n.order[to].number)
	}
	return lo, hi
}

// move is a pair that has got another number.
type move struct {
	pair *pair
	old  uint16
}

// get returns the pair for (r, level), new or old, and the pairs that had to make
// room. It returns nil when all numbers are taken.
func (n *numbering) get(r *rank, level int32) (*pair, []move) {
	at, ok := n.find(r, level)
	if ok {
		return n.order[at], nil
	}
	if len(n.order) > maxNumber {
		return nil, nil
	}
	p := &pair{rank: r, level: level, slots: map[*slot]struct{}{}}
	lo, hi := n.bounds(at, at)
	n.order = slices.Insert(n.order, at, p)
	if hi-lo < 2 {
		return p, n.makeRoom(at)
	}
	p.number = uint16((lo + hi) / 2)
	if want := preferred(level); want > lo && want < hi {
		p.number = uint16(want)
	}
	return p, nil
}

// preferred is the number a pair gets when it is free: for flows their priority.
func preferred(level int32) int {
	switch {
	case level >= levelExact:
		return maxNumber
	case level == levelLLDP:
		return maxNumber
	case level < 0:
		return -1
	}
	return int(level >> 1)
}

// makeRoom spreads the pairs around at evenly over the smallest window of numbers
// that is sparse enough. The larger the window the sparser it has to be, up to the
// density of the whole, so that the work per pair stays small (Bender et al., "Two
// simplified algorithms for maintaining order in a list").
func (n *numbering) makeRoom(at int) []move {
	all := float64(len(n.order) + 1)
	exponent := 1 + min(0.4, math.Log2((maxNumber+1)/all)/math.Log2(all+1))
	from, to := at, at+1
	for {
		lo, hi := n.bounds(from, to)
		count, room := to-from, hi-lo-1
		whole := from == 0 && to == len(n.order)
		if whole || count >= 2 && float64(room) >= math.Pow(float64(count), exponent)+1 {
			return n.spread(from, to, lo, room, at)
		}
		width := to - from
		from, to = max(0, from-width), min(len(n.order), to+width)
	}
}

func (n *numbering) spread(from, to, lo, room, fresh int) []move {
	var moves []move
	count := to - from
	for k := from; k < to; k++ {
		p := n.order[k]
		number := uint16(lo + 1 + (k-from)*room/count + (room/count)/2)
		if k != fresh && number != p.number {
			moves = append(moves, move{p, p.number})
		}
		p.number = number
	}
	return moves
}

// drop forgets a pair without slots.
func (n *numbering) drop(p *pair) {
	if at, ok := n.find(p.rank, p.level); ok {
		n.order = slices.Delete(n.order, at, at+1)
	}
}
