package flowspace

import "sync"

// partition holds the rules of one datapath, or those of many; immutable.
type partition struct {
	rules flowMap
	names pmap[string, int] // of slices, with how many rules each has here

	once    sync.Once
	bySlice map[string][]*Rule // derived on first use
}

// count brings names up to date.
func (p *partition) count(e *edit, d *delta) {
	diff := map[string]int{}
	for sign, rules := range map[int][]*Rule{1: d.add, -1: d.remove} {
		for _, r := range rules {
			for i := range r.Grants {
				diff[r.Grants[i].Slice] += sign
			}
		}
	}
	for name, n := range diff {
		if n == 0 {
			continue
		}
		if old, _ := p.names.get(name); old+n == 0 {
			p.names.delete(e, name)
		} else {
			p.names.set(e, name, old+n)
		}
	}
}

// slices returns the rules of each slice, in order.
func (p *partition) slices() map[string][]*Rule {
	if p == nil {
		return nil
	}
	p.once.Do(func() {
		p.bySlice = map[string][]*Rule{}
		p.rules.each(func(r *Rule) bool {
			for i := range r.Grants {
				s := r.Grants[i].Slice
				p.bySlice[s] = append(p.bySlice[s], r)
			}
			return true
		})
	})
	return p.bySlice
}
