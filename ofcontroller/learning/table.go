package learning

import (
	"sync"
	"time"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// table is what is known of one switch's stations. All of it is guarded by mu.
type table struct {
	max int
	age time.Duration

	mu    sync.Mutex
	ports map[address]heard
	swept time.Time
}

type address struct {
	vlan uint16
	mac  ofwire.MAC
}

type heard struct {
	port of10.Port
	at   time.Time
}

func newTable(limit int, age time.Duration) *table {
	return &table{max: limit, age: age, ports: make(map[address]heard)}
}

// learn notes where a station was heard and reports whether it was elsewhere
// before.
func (t *table) learn(vlan uint16, mac ofwire.MAC, port of10.Port, now time.Time) (moved bool) {
	if !port.IsPhysical() && port != of10.PortLocal {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := address{vlan, mac}
	was, known := t.ports[key]
	if !known && (len(t.ports) >= t.max || now.Sub(t.swept) > t.age) {
		t.sweepLocked(now)
		if len(t.ports) >= t.max {
			return false // full of stations that talk: this one is flooded to
		}
	}
	t.ports[key] = heard{port, now}
	return known && was.port != port
}

func (t *table) sweepLocked(now time.Time) {
	t.swept = now
	for key, h := range t.ports {
		if now.Sub(h.at) > t.age {
			delete(t.ports, key)
		}
	}
}

func (t *table) find(vlan uint16, mac ofwire.MAC, now time.Time) (of10.Port, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, ok := t.ports[address{vlan, mac}]
	if !ok || now.Sub(h.at) > t.age {
		return 0, false
	}
	return h.port, true
}

// forgetPort reports whether a station was behind the port.
func (t *table) forgetPort(port of10.Port) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := false
	for key, h := range t.ports {
		if h.port == port {
			delete(t.ports, key)
			found = true
		}
	}
	return found
}

func (t *table) stations(now time.Time) []Station {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Station
	for key, h := range t.ports {
		if now.Sub(h.at) <= t.age {
			list = append(list, Station{key.vlan, key.mac, h.port})
		}
	}
	return list
}
