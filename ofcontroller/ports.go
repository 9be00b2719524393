package ofcontroller

import (
	"sync"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// ports are what a switch has told of its ports. All of it is guarded by mu.
type ports struct {
	mu    sync.Mutex
	now   map[of10.Port]of10.PhyPort
	told  map[of10.Port]of10.PhyPort // what PortChange and SwitchUp have told
	dirty map[of10.Port]bool
	timer *time.Timer // runs while there are dirty ports
	ended bool
}

func (p *ports) reset(list []of10.PhyPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = make(map[of10.Port]of10.PhyPort, len(list))
	p.told = make(map[of10.Port]of10.PhyPort, len(list))
	p.dirty = make(map[of10.Port]bool)
	for _, port := range list {
		p.now[port.PortNo], p.told[port.PortNo] = port, port
	}
}

func (p *ports) apply(m *of10.PortStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		return // before the features reply, which tells the same
	}
	if m.Reason == of10.PortDeleted {
		delete(p.now, m.Desc.PortNo)
	} else {
		p.now[m.Desc.PortNo] = m.Desc
	}
	p.dirty[m.Desc.PortNo] = true
}

// debounce calls report once after wait if a port is dirty, however often it is
// called meanwhile.
func (p *ports) debounce(wait time.Duration, report func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil && !p.ended && len(p.dirty) > 0 {
		p.timer = time.AfterFunc(wait, report)
	}
}

// changes returns what is other than told, in the order of port numbers.
func (p *ports) changes() []PortChange {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	var list []PortChange
	for number := range p.dirty {
		now, is := p.now[number]
		was, told := p.told[number]
		switch {
		case is && !told:
			list = append(list, PortChange{of10.PortAdded, now})
		case !is && told:
			list = append(list, PortChange{of10.PortDeleted, was})
		case now != was:
			list = append(list, PortChange{of10.PortModified, now})
		}
		if is {
			p.told[number] = now
		} else {
			delete(p.told, number)
		}
	}
	clear(p.dirty)
	sortPortChanges(list)
	return list
}

func (p *ports) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

func (p *ports) known(number of10.Port) bool {
	_, ok := p.get(number)
	return ok || number == of10.PortLocal
}

func (p *ports) get(number of10.Port) (of10.PhyPort, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	port, ok := p.now[number]
	return port, ok
}

func (p *ports) all() []of10.PhyPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]of10.PhyPort, 0, len(p.now))
	for _, port := range p.now {
		list = append(list, port)
	}
	return list
}
