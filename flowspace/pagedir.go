package flowspace

import "slices"

// partSize is how many entries of a directory a change copies together.
const partSize = 256

// pageDir is the directory of a persistent hash table by extendible hashing: the top
// bits of the hash choose a page, a full page is split in two. It is in parts; a copy
// shares those that its edit does not change.
type pageDir[P any] struct {
	pageParts[P]
	owners []*edit // of the parts
	shift  uint8   // 64 - log2 of the number of entries
}

// pageParts are the entries of a directory. Most have the first part only.
type pageParts[P any] struct {
	first   []*P
	further [][]*P
}

func newPageDir[P any](e *edit, p *P) pageDir[P] {
	return pageDir[P]{pageParts: pageParts[P]{first: []*P{p}}, owners: []*edit{e}, shift: 64}
}

// at returns the page of the i-th entry.
func (ps *pageParts[P]) at(i uint64) *P {
	if i < uint64(len(ps.first)) {
		return ps.first[i]
	}
	return ps.further[i/partSize-1][i%partSize]
}

// part returns where the k-th part is.
func (ps *pageParts[P]) part(k uint64) *[]*P {
	if k == 0 {
		return &ps.first
	}
	return &ps.further[k-1]
}

// page returns the page for a hash.
func (d *pageDir[P]) page(h uint64) *P { return d.at(h >> d.shift) }

// clone returns a directory that can be changed without d.
func (d *pageDir[P]) clone() pageDir[P] {
	return pageDir[P]{pageParts[P]{d.first, slices.Clone(d.further)}, slices.Clone(d.owners), d.shift}
}

// point makes the entries for page p, whose hashes have their first depth bits in
// common with h, lead to it.
func (d *pageDir[P]) point(e *edit, p *P, h uint64, depth uint8) {
	span := uint64(1) << (64 - d.shift - depth)
	first := h >> d.shift &^ (span - 1)
	for i := first; i < first+span; i++ {
		k := i / partSize
		part := d.part(k)
		if d.owners[k] != e {
			*part, d.owners[k] = slices.Clone(*part), e
		}
		(*part)[i%partSize] = p
	}
}

// split puts two pages in the place of one of a depth that holds hash h: low has its
// hashes with a 0 behind that depth, high those with a 1.
func (d *pageDir[P]) split(e *edit, h uint64, depth uint8, low, high *P) {
	if depth == 64-d.shift {
		d.double(e)
	}
	bit := uint64(1) << (63 - depth)
	d.point(e, low, h&^bit, depth+1)
	d.point(e, high, h|bit, depth+1)
}

func (d *pageDir[P]) double(e *edit) {
	n := uint64(1) << (64 - d.shift)
	all := make([]*P, 2*n)
	for i := range n {
		all[2*i] = d.at(i)
		all[2*i+1] = all[2*i]
	}
	d.shift--
	parts := slices.Collect(slices.Chunk(all, partSize))
	d.first, d.further = parts[0], parts[1:]
	d.owners = slices.Repeat([]*edit{e}, len(parts))
}

// each calls f for every page until it returns false.
func (d *pageDir[P]) each(f func(*P) bool) {
	var last *P
	for k := range uint64(1 + len(d.further)) {
		for _, p := range *d.part(k) {
			if p == last {
				continue
			}
			if last = p; !f(p) {
				return
			}
		}
	}
}
