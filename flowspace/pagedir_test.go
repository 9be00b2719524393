package flowspace

import (
	"maps"
	"testing"
)

// TestRowTableVersions changes a table of many pages step by step, sharing between the
// versions; each one keeps just its own rows.
func TestRowTableVersions(t *testing.T) {
	t.Parallel()
	type position struct {
		w   uint32
		bit uint
	}
	type version struct {
		table *rowTable
		rows  map[uint64]map[position]bool
	}
	r := newRand(t, 31)
	e := new(edit)
	now := version{newRowTable(e), map[uint64]map[position]bool{}}
	var kept []version
	for step := range 20_000 {
		if step%50 == 0 { // several changes share an edit
			e = new(edit)
			now.table = now.table.own(e)
		}
		k, p := uint64(r.IntN(6000))<<8|48, position{uint32(r.IntN(3)), uint(r.IntN(2))}
		row := maps.Clone(now.rows[k])
		switch {
		case row[p]:
			delete(row, p)
			if gone := now.table.remove(e, k, p.w, p.bit); gone != (len(row) == 0) {
				t.Fatalf("row %x with %d positions left: gone %v", k, len(row), gone)
			}
		case row == nil:
			row = map[position]bool{}
			fallthrough
		default:
			if added := now.table.add(e, k, p.w, p.bit); added != (len(row) == 0) {
				t.Fatalf("row %x with %d positions before: added %v", k, len(row), added)
			}
			row[p] = true
		}
		if now.rows[k] = row; len(row) == 0 {
			delete(now.rows, k)
		}
		if step%2500 == 2499 {
			kept = append(kept, version{now.table, maps.Clone(now.rows)})
			e = new(edit) // the version is not changed any more
			now.table = now.table.own(e)
		}
	}
	if parts := 1 + len(now.table.dir.further); parts < 4 {
		t.Errorf("only %d parts", parts)
	}
	for i, v := range kept {
		seen := 0
		v.table.each(func(r *row) bool {
			seen++
			if len(v.rows[r.key]) == 0 || v.table.get(r.key) != r {
				t.Fatalf("version %d: row %x is not its own, or not found", i, r.key)
			}
			return true
		})
		if seen != len(v.rows) || v.table.n != seen {
			t.Fatalf("version %d: %d rows walked, n is %d, want %d", i, seen, v.table.n, len(v.rows))
		}
		for k, want := range v.rows {
			r, n := v.table.get(k), 0
			words := make([]uint64, 3)
			r.orInto(words)
			for w, x := range words {
				for bit := range uint(64) {
					if x>>bit&1 == 1 {
						if n++; !want[position{uint32(w), bit}] {
							t.Fatalf("version %d, row %x: %x has (%d, %d)", i, k, words, w, bit)
						}
					}
				}
			}
			if n != len(want) {
				t.Fatalf("version %d, row %x: %x, want %v", i, k, words, want)
			}
		}
	}
}
