package flowspace

import "sync"

// partition holds the rules of one datapath, or those of many; immutable.
type partition struct {
	rules flowMap

	once    sync.Once
	bySlice map[string][]*Rule // derived on first use
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
