package ofswitch

import "time"

// station is where NORMAL last saw a MAC address.
type station struct {
	port uint16
	seen time.Time
}

// stationKey: the same address may live in several VLANs.
type stationKey struct {
	addr [6]byte
	vlan uint16 // 0 also for untagged frames
}

// learner is the MAC table behind the NORMAL action.
type learner struct {
	ageing   time.Duration
	max      int
	stations map[stationKey]station
}

func newLearner(ageing time.Duration, max int) *learner {
	return &learner{ageing: ageing, max: max, stations: map[stationKey]station{}}
}

// learn notes the source of a frame; group addresses are no stations.
func (l *learner) learn(now time.Time, addr [6]byte, vlan, port uint16) {
	if addr[0]&1 != 0 {
		return
	}
	k := stationKey{addr, vlanOf(vlan)}
	if _, known := l.stations[k]; !known && len(l.stations) >= l.max {
		l.expire(now)
		if len(l.stations) >= l.max {
			return // full: its frames are flooded
		}
	}
	l.stations[k] = station{port, now}
}

// lookup returns the port of addr, if it is known and fresh.
func (l *learner) lookup(now time.Time, addr [6]byte, vlan uint16) (uint16, bool) {
	s, ok := l.stations[stationKey{addr, vlanOf(vlan)}]
	if !ok || now.Sub(s.seen) >= l.ageing {
		return 0, false
	}
	return s.port, true
}

func (l *learner) expire(now time.Time) {
	for k, s := range l.stations {
		if now.Sub(s.seen) >= l.ageing {
			delete(l.stations, k)
		}
	}
}

// forgetPort drops what was learned on a port that went away.
func (l *learner) forgetPort(port uint16) {
	for k, s := range l.stations {
		if s.port == port {
			delete(l.stations, k)
		}
	}
}

func (l *learner) flush() { clear(l.stations) }

func vlanOf(vlan uint16) uint16 {
	if vlan == 0xffff {
		return 0
	}
	return vlan
}

// reservedMAC reports an 802.1D reserved group address, 01:80:c2:00:00:0x, which
// a bridge must not forward.
func reservedMAC(a []byte) bool {
	return len(a) >= 6 && a[0] == 0x01 && a[1] == 0x80 && a[2] == 0xc2 && a[3] == 0 && a[4] == 0 && a[5]&0xf0 == 0
}

// stpMAC reports the address spanning tree frames go to.
func stpMAC(a []byte) bool { return reservedMAC(a) && a[5] == 0 }
