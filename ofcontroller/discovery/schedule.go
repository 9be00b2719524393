package discovery

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire/of10"
)

// Pacing: ports whose time comes within the same window are probed together,
// at most burst of them, so that many ports neither wake us for each nor come
// out at once.
const (
	window = 50 * time.Millisecond
	burst  = 256
)

// schedule is a heap of ports, the one that is due first on top.
type schedule []*port

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].due.Before(s[j].due) }
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push is for container/heap.
func (s *schedule) Push(x any) {
	p := x.(*port)
	p.index = len(*s)
	*s = append(*s, p)
}

// Pop is for container/heap.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	p := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return p
}

func (s *schedule) add(p *port)    { heap.Push(s, p) }
func (s *schedule) remove(p *port) { heap.Remove(s, p.index) }

// step sends what is due and returns how long to wait for the next.
func (a *App) step(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out of10.PacketOut
	var actions [1]of10.Action
	var frame [frameLen]byte
	touched := make(map[*ofcontroller.Switch]bool)
	for range burst {
		if len(a.schedule) == 0 || a.schedule[0].due.After(now.Add(window)) {
			break
		}
		p := a.schedule[0]
		p.serial++
		p.prev, p.sent = p.sent, now
		// Up to a quarter early, so that ports drift apart.
		p.due = now.Add(a.cfg.Interval - rand.N(a.cfg.Interval/4+1))
		heap.Fix(&a.schedule, 0)
		actions[0] = of10.Output(p.at.Port, 0)
		out = of10.PacketOut{
			BufferID: of10.NoBuffer, InPort: of10.PortNone, Actions: actions[:],
			Data: appendProbe(frame[:0], probe{p.at, p.serial}, p.addr, a.ttl(), a.cfg.Key),
		}
		p.sw.Offer(&out)
		touched[p.sw] = true
	}
	for sw := range touched {
		sw.Flush()
	}
	a.expireLocked(now)
	return a.pauseLocked(now)
}

func (a *App) ttl() uint16 { return uint16(min(max(a.cfg.Expiry/time.Second, 1), 65535)) }

func (a *App) expireLocked(now time.Time) {
	for l, seen := range a.links {
		if now.Sub(seen.last) > a.cfg.Expiry {
			a.loseLocked(l, nil)
		}
	}
}

// pauseLocked is the time until the next probe, and no longer than a tenth of
// the expiry, so that links are given up in time.
func (a *App) pauseLocked(now time.Time) time.Duration {
	pause := a.cfg.Expiry / 10
	if len(a.schedule) > 0 {
		pause = min(pause, a.schedule[0].due.Sub(now))
	}
	return max(pause, window)
}
