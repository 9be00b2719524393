package flowspace

import "sync"

// partition holds the rules of one datapath, or those of many; immutable.
type partition struct {
	rules flowMap
	names pmap[string, int] // of slices, with how many rules each has here

	once    sync.Once
	bySlice map[string][]*Rule // derived on first use
}

// count notes that there are d more rules like r.
func (p *partition) count(e *edit, r *Rule, d int) {
	for i := range r.Grants {
		name := r.Grants[i].Slice
		if n, _ := p.names.get(name); n+d == 0 {
			p.names.delete(e, name)
		} else {
			p.names.set(e, name, n+d)
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
