package flowspace

import "hash/maphash"

// edit is the identity of one change in progress: nodes that carry it are not yet
// visible to anybody else and may be changed in place.
type edit struct{ _ byte }

var hashSeed = maphash.MakeSeed()

// pmap is a persistent hash map: set and delete copy the path from the root, so
// that older values of the map stay as they were. The zero value is empty.
type pmap[K comparable, V any] struct {
	root *pnode[K, V]
	n    int
}

const (
	pmapFan  = 16
	pmapLeaf = 8 // entries of a leaf before it splits
	pmapBits = 4
)

// pnode is a leaf (kids nil) or an inner node.
type pnode[K comparable, V any] struct {
	owner *edit
	kids  *[pmapFan]*pnode[K, V]
	leaf  []pentry[K, V]
}

type pentry[K comparable, V any] struct {
	key K
	val V
}

func (m pmap[K, V]) get(k K) (v V, ok bool) {
	n := m.root
	for h := maphash.Comparable(hashSeed, k); n != nil; h >>= pmapBits {
		if n.kids == nil {
			for i := range n.leaf {
				if n.leaf[i].key == k {
					return n.leaf[i].val, true
				}
			}
			return v, false
		}
		n = n.kids[h%pmapFan]
	}
	return v, false
}

// own returns n itself when it belongs to e, else a copy that does.
func (n *pnode[K, V]) own(e *edit) *pnode[K, V] {
	if n.owner == e {
		return n
	}
	c := &pnode[K, V]{owner: e}
	if n.kids != nil {
		kids := *n.kids
		c.kids = &kids
	} else {
		c.leaf = append(make([]pentry[K, V], 0, len(n.leaf)+1), n.leaf...)
	}
	return c
}

// set stores v under k.
func (m *pmap[K, V]) set(e *edit, k K, v V) {
	h := maphash.Comparable(hashSeed, k)
	var added bool
	m.root, added = m.root.set(e, h, 0, k, v)
	if added {
		m.n++
	}
}

func (n *pnode[K, V]) set(e *edit, h uint64, depth int, k K, v V) (*pnode[K, V], bool) {
	if n == nil {
		return &pnode[K, V]{owner: e, leaf: []pentry[K, V]{{k, v}}}, true
	}
	n = n.own(e)
	if n.kids != nil {
		i := h >> (depth * pmapBits) % pmapFan
		kid, added := n.kids[i].set(e, h, depth+1, k, v)
		n.kids[i] = kid
		return n, added
	}
	for i := range n.leaf {
		if n.leaf[i].key == k {
			n.leaf[i].val = v
			return n, false
		}
	}
	n.leaf = append(n.leaf, pentry[K, V]{k, v})
	if len(n.leaf) > pmapLeaf && depth < 64/pmapBits-1 {
		old := n.leaf
		n.leaf, n.kids = nil, new([pmapFan]*pnode[K, V])
		for _, x := range old {
			hx := maphash.Comparable(hashSeed, x.key)
			i := hx >> (depth * pmapBits) % pmapFan
			n.kids[i], _ = n.kids[i].set(e, hx, depth+1, x.key, x.val)
		}
	}
	return n, true
}

// delete removes k; it does nothing when k is not there.
func (m *pmap[K, V]) delete(e *edit, k K) {
	if _, ok := m.get(k); !ok {
		return
	}
	m.root = m.root.delete(e, maphash.Comparable(hashSeed, k), k)
	m.n--
}

func (n *pnode[K, V]) delete(e *edit, h uint64, k K) *pnode[K, V] {
	n = n.own(e)
	if n.kids != nil {
		i := h % pmapFan
		n.kids[i] = n.kids[i].delete(e, h>>pmapBits, k)
		if n.kids[i] != nil {
			return n
		}
		for _, kid := range n.kids {
			if kid != nil {
				return n
			}
		}
		return nil
	}
	for i := range n.leaf {
		if n.leaf[i].key == k {
			last := len(n.leaf) - 1
			n.leaf[i] = n.leaf[last]
			clear(n.leaf[last:])
			n.leaf = n.leaf[:last]
			break
		}
	}
	if len(n.leaf) == 0 {
		return nil
	}
	return n
}

// each calls f for every entry, in no order, until f returns false.
func (m pmap[K, V]) each(f func(K, V) bool) { m.root.each(f) }

func (n *pnode[K, V]) each(f func(K, V) bool) bool {
	if n == nil {
		return true
	}
	if n.kids != nil {
		for _, kid := range n.kids {
			if !kid.each(f) {
				return false
			}
		}
		return true
	}
	for i := range n.leaf {
		if !f(n.leaf[i].key, n.leaf[i].val) {
			return false
		}
	}
	return true
}
