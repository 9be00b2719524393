package slicing

import "github.com/govisor/govisor/ofwire/of10"

// record is a message the switch has not confirmed yet.
type record struct {
	open bool     // it has not been answered either
	full *pending // nil for a flow_mod, of which there are many

	// Of a flow_mod:
	command  of10.FlowModCommand
	txn      *txn
	entry    *entry
	replaced *entry // whose place entry takes without a word of the switch; its cookie is remembered until then
}

// book keeps records by xid. Xids are given out in order and confirmed in order, so
// it is a ring.
type book struct {
	ring  []record // its length is a power of two
	head  int      // where the record of first is
	n     int      // records, answered ones included
	first uint32   // xid
	open  int
}

// keepRecords is the largest ring that is kept while there is nothing in it.
const keepRecords = 4096

func (b *book) at(i int) *record { return &b.ring[(b.head+i)&(len(b.ring)-1)] }

// add makes a record for xid, which is later than all others.
func (b *book) add(xid uint32) *record {
	if b.n == 0 {
		b.first = xid
	}
	i := int(xid - b.first)
	if i >= len(b.ring) {
		b.grow(i + 1)
	}
	b.n = i + 1
	b.open++
	r := b.at(i)
	r.open = true
	return r
}

func (b *book) grow(need int) {
	size := max(64, len(b.ring))
	for size < need {
		size *= 2
	}
	ring := make([]record, size)
	for i := range b.n {
		ring[i] = *b.at(i)
	}
	b.ring, b.head = ring, 0
}

// find returns the record of a message that has not been answered, nil if there is
// none. It is valid until the next add.
func (b *book) find(xid uint32) *record {
	if i := xid - b.first; i < uint32(b.n) && b.at(int(i)).open {
		return b.at(int(i))
	}
	return nil
}

// holds reports whether a message has not been confirmed by a barrier, answered or not.
func (b *book) holds(xid uint32) bool { return xid-b.first < uint32(b.n) }

// last is the record of the latest message.
func (b *book) last() *record { return b.at(b.n - 1) }

// close notes that the message of a record has been answered.
func (b *book) close(r *record) {
	b.open--
	r.open, r.full, r.txn, r.entry = false, nil, nil, nil
}

// pop takes the oldest record out.
func (b *book) pop() record {
	r := *b.at(0)
	*b.at(0) = record{}
	if r.open {
		b.open--
	}
	b.head = (b.head + 1) & (len(b.ring) - 1)
	b.first++
	if b.n--; b.n == 0 && len(b.ring) > keepRecords {
		b.ring, b.head = nil, 0
	}
	return r
}

// cookiePage has the entries of consecutive cookies.
type cookiePage struct {
	entries [64]*entry
	n       int
}

// cookieBook finds entries by cookie. Cookies are given out in order, so that those
// that are looked for together are in one page.
type cookieBook struct {
	pages map[uint64]*cookiePage
	last  *cookiePage // the page of lastAt, nil for none
	at    uint64
	n     int
}

func newCookieBook() cookieBook { return cookieBook{pages: map[uint64]*cookiePage{}} }

func (b *cookieBook) page(cookie uint64) *cookiePage {
	at := cookie / 64
	if b.last == nil || b.at != at {
		p := b.pages[at]
		if p == nil {
			return nil
		}
		b.last, b.at = p, at
	}
	return b.last
}

func (b *cookieBook) get(cookie uint64) *entry {
	if p := b.page(cookie); p != nil {
		return p.entries[cookie%64]
	}
	return nil
}

// put adds an entry under its cookie, which nobody has.
func (b *cookieBook) put(e *entry) {
	p := b.page(e.cookie)
	if p == nil {
		p = new(cookiePage)
		b.pages[e.cookie/64] = p
		b.last, b.at = p, e.cookie/64
	}
	p.entries[e.cookie%64] = e
	p.n++
	b.n++
}

func (b *cookieBook) remove(cookie uint64) {
	p := b.page(cookie)
	if p == nil || p.entries[cookie%64] == nil {
		return
	}
	p.entries[cookie%64] = nil
	b.n--
	if p.n--; p.n == 0 {
		delete(b.pages, cookie/64)
		b.last = nil
	}
}

// all returns every entry, in no particular order.
func (b *cookieBook) all() []*entry {
	list := make([]*entry, 0, b.n)
	for _, p := range b.pages {
		for _, e := range p.entries {
			if e != nil {
				list = append(list, e)
			}
		}
	}
	return list
}
