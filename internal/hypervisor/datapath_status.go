package hypervisor

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire/of10"
	"github.com/govisor/govisor/slicer"
)

// Status reports everything but configuration.
func (d *datapath) Status() apitype.Datapath {
	cls := d.classifier()
	out := apitype.Datapath{
		DPID: d.dpid.String(), Connected: true, Since: d.since.UTC(), Version: "1.0",
		Local: addressOf(d.nc.LocalAddr()), Remote: addressOf(d.nc.RemoteAddr()),
		Tables: int(d.features.NTables), Buffers: d.features.NBuffers,
		Capabilities: words(d.features.Capabilities.String()),
		FlowMods:     map[string]int{}, Ports: []apitype.Port{}, Connections: []apitype.SliceConnection{},
	}
	d.mu.Lock()
	greeted := d.greeted
	out.Description = d.desc
	d.mu.Unlock()
	if cls == nil || !greeted { // but everybody has heard that it is there
		for _, p := range slices.SortedFunc(slices.Values(d.features.Ports), func(a, b of10.PhyPort) int { return cmp.Compare(a.PortNo, b.PortNo) }) {
			out.Ports = append(out.Ports, portOf(&p))
		}
		return out
	}
	sessions := d.sliceSessions()
	ports := map[string][]uint32{}
	cls.Do(func(_ time.Time, dp *slicing.Datapath, _ *slicing.Out) {
		for _, p := range dp.Ports() {
			out.Ports = append(out.Ports, portOf(&p))
		}
		for _, s := range sessions {
			out.FlowMods[s.name] = dp.FlowCount(s.name)
			for _, p := range dp.SlicePorts(s.name) {
				ports[s.name] = append(ports[s.name], uint32(p))
			}
		}
	})
	for _, s := range sessions {
		c := connectionOf(s.sess.Status())
		c.Slice, c.DPID, c.FlowMods = s.name, out.DPID, out.FlowMods[s.name]
		c.Ports = append([]uint32{}, ports[s.name]...)
		d.mu.Lock()
		c.Rate = s.rate.now(time.Now(), received(s.sess.Counters()))
		d.mu.Unlock()
		out.Connections = append(out.Connections, c)
	}
	return out
}

// msgRate is a number of messages per second, measured from one look to the next.
type msgRate struct {
	at    time.Time
	count uint64
	last  float64
}

// now takes a look; two within a second give the same.
func (r *msgRate) now(at time.Time, count uint64) float64 {
	if since := at.Sub(r.at); since >= time.Second {
		if !r.at.IsZero() {
			r.last = float64(count-r.count) / since.Seconds()
		}
		r.at, r.count = at, count
	}
	return r.last
}

func received(c *ofconn.Counters) (n uint64) {
	for t := range uint8(ofconn.NumTypes) {
		n += c.Received(t)
	}
	return n
}

func portOf(p *of10.PhyPort) apitype.Port {
	return apitype.Port{
		Number:   uint32(p.PortNo),
		Name:     p.Name,
		Address:  p.HWAddr.String(),
		Up:       p.Config&of10.PortConfigDown == 0 && p.State&of10.PortStateLinkDown == 0,
		Config:   words(p.Config.String()),
		State:    words(p.State.String()),
		Features: words(p.Curr.String()),
	}
}

// words cuts the text of a set of bits; a set without bits is "0".
func words(s string) []string {
	if s == "0" {
		return []string{}
	}
	return strings.Fields(s)
}

func connectionOf(s slicer.Status) apitype.SliceConnection {
	c := apitype.SliceConnection{
		State: s.State.String(), Local: s.Local, Remote: s.Remote, LastError: s.LastError, Connects: s.Connects,
		Since: s.Since.UTC(),
	}
	if s.State != slicer.Idle {
		c.Controller = s.Controller.String()
	}
	if !s.Retry.IsZero() {
		c.Retry = s.Retry.UTC()
	}
	return c
}

// sliceChanged turns changes of a slicer's state into events.
func (d *datapath) sliceChanged(name string) func(slicer.Status) {
	connected := false // owned by the slicer's goroutine
	return func(s slicer.Status) {
		now := s.State == slicer.Connected
		if now == connected {
			return
		}
		connected = now
		kind := EventControllerLost
		if now {
			kind = EventControllerConnected
		}
		d.w.svc.Emit(kind, d.dpid.String(), name, s.Controller.String())
	}
}
