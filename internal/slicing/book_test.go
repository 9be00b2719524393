package slicing

import (
	"math/rand/v2"
	"testing"
)

// The book does what a map and a queue would.
func TestBook(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var b book
	type note struct {
		xid  uint32
		open bool
	}
	var queue []note
	xid := uint32(0xffffff00) // on both sides of 0
	for range 50000 {
		switch rng.IntN(8) {
		case 0, 1, 2:
			xid += uint32(1 + rng.IntN(3)*rng.IntN(70))
			b.add(xid).entry = &entry{cookie: uint64(xid)}
			queue = append(queue, note{xid, true})
		case 3, 4:
			if len(queue) == 0 {
				continue
			}
			n := &queue[rng.IntN(len(queue))]
			r := b.find(n.xid)
			if (r != nil) != n.open || r != nil && uint32(r.entry.cookie) != n.xid {
				t.Fatalf("xid %x, open %v: found %+v", n.xid, n.open, r)
			}
			if r != nil {
				b.close(r)
				n.open = false
			}
		case 5:
			for _, x := range []uint32{xid + 1, xid - 1<<20} {
				if b.find(x) != nil {
					t.Fatalf("found xid %x, which was never added", x)
				}
			}
		default:
			for k := rng.IntN(4); k > 0 && len(queue) > 0; k-- {
				for b.first != queue[0].xid {
					if r := b.pop(); r.open {
						t.Fatal("an open record between two xids")
					}
				}
				if r := b.pop(); r.open != queue[0].open || r.open && uint32(r.entry.cookie) != queue[0].xid {
					t.Fatalf("popped %+v, want %+v", r, queue[0])
				}
				queue = queue[1:]
			}
		}
		open := 0
		for _, n := range queue {
			if n.open {
				open++
			}
		}
		if b.open != open || len(queue) == 0 && b.n != 0 || len(queue) > 0 && b.n != int(queue[len(queue)-1].xid-b.first)+1 {
			t.Fatalf("%d open of %d, want %d of %v", b.open, b.n, open, queue)
		}
	}
}

func TestCookieBook(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	b, want := newCookieBook(), map[uint64]*entry{}
	next := cookieBase
	for range 50000 {
		switch c := next - uint64(rng.IntN(500)); {
		case rng.IntN(2) == 0:
			next += uint64(1 + rng.IntN(2))
			e := &entry{cookie: next}
			b.put(e)
			want[next] = e
		case rng.IntN(2) == 0:
			b.remove(c)
			delete(want, c)
		default:
			if b.get(c) != want[c] {
				t.Fatalf("cookie %x: %v, want %v", c, b.get(c), want[c])
			}
		}
	}
	b.put(&entry{cookie: 640}) // a page that is emptied and used again at once
	b.remove(640)
	again := &entry{cookie: 641}
	b.put(again)
	want[641] = again
	b.get(next)
	if b.get(641) != again {
		t.Error("an entry is lost in a page that was empty")
	}
	list := b.all()
	for _, e := range list {
		if want[e.cookie] != e {
			t.Fatalf("entry %x is not wanted", e.cookie)
		}
	}
	if len(list) != len(want) || b.n != len(want) {
		t.Errorf("%d entries, n %d, want %d", len(list), b.n, len(want))
	}
	for c := range want {
		b.remove(c)
	}
	if len(b.pages) != 0 || b.n != 0 {
		t.Errorf("%d pages and %d entries left", len(b.pages), b.n)
	}
}
