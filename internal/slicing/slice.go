package slicing

import (
	"cmp"
	"slices"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// slice is the virtual switch of one slice.
type slice struct {
	name     string
	cfg      SliceConfig
	table    *flowtable.Table
	drops    map[of10.Port]*vflow               // for ports the slice wants nothing from, or no spanning tree frames
	emerg    map[*flowtable.Flow][]of10.FlowMod // what each emergency flow has in the switch
	ports    flowspace.Set                      // that it may use; valid iff hasPorts
	has      bool
	portSets map[flowspace.Set]int // of its rules, with how many have each
	bits     map[of10.Port]portBits
	miss     uint16
	frag     of10.ConfigFlags
	up       bool // some controller is listening
	buffers  *buffers
	jobs     int // statistics requests on their way

	recent [8][]of10.Action // lists that flows have, by their first port

	matched uint64 // frames that hit, without those still in the switch's counters
}

// actions returns a copy of a flow's actions, or the same list if a flow has had it
// lately: lists are never changed in place, and most flows have one of a few.
func (s *slice) actions(list []of10.Action) []of10.Action {
	if len(list) == 0 || len(list) > len(s.recent) {
		return of10.CloneActions(list)
	}
	known := &s.recent[int(list[0].Port)%len(s.recent)]
	if !of10.ActionsEqual(*known, list) {
		*known = of10.CloneActions(list)
	}
	return *known
}

// portBits are what a slice has set on a port.
type portBits struct {
	mask, value of10.PortConfig
	advertised  of10.PortFeatures // 0: as the switch says
}

// on returns the bits that are set by the slice.
func (b portBits) on() of10.PortConfig { return b.value & b.mask }

// config is what the slice sees of a port's config.
func (s *slice) config(p *of10.PhyPort) of10.PortConfig {
	b := s.bits[p.PortNo]
	return p.Config&^b.mask | b.value&b.mask
}

// owns reports whether the slice may use a port number.
func (s *slice) owns(p of10.Port) bool { return s.has && s.ports.Has(uint32(p)) }

// sends reports whether frames of the slice may leave by p.
func (s *slice) sends(p of10.Port) bool {
	return s.owns(p) && s.bits[p].on()&(of10.PortConfigDown|of10.PortConfigNoFwd) == 0
}

// silent are the ports the slice does not forward to.
func (s *slice) silent() []of10.Port {
	var list []of10.Port
	for p := range s.bits {
		if !s.sends(p) {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	return list
}

// SetSlice adds a slice, or changes how one is treated.
func (d *Datapath) SetSlice(now time.Time, cfg SliceConfig, out *Out) {
	s := d.slices[cfg.Name]
	if s == nil {
		s = &slice{
			name: cfg.Name, table: flowtable.NewUntimed(d.cfg.Capacity), drops: map[of10.Port]*vflow{}, bits: map[of10.Port]portBits{}, portSets: map[flowspace.Set]int{},
			miss: of10.DefaultMissSendLen, buffers: &buffers{real: d.realBuffers}, emerg: map[*flowtable.Flow][]of10.FlowMod{},
		}
		d.slices[cfg.Name] = s
		s.ports, s.has = d.view.PortsOf(cfg.Name)
		for _, r := range d.view.SliceRules(cfg.Name) {
			if r.Permission(cfg.Name)&(flowspace.Read|flowspace.Write) != 0 {
				s.portSets[r.Match.InPort]++
			}
		}
	}
	again := s.cfg.Flood != cfg.Flood
	s.cfg = cfg
	if again {
		d.portsChanged(now, s)
	}
	d.configure(out)
	d.publish()
	d.flush(now, nil, out)
}

// RemoveSlice forgets a slice, and takes all it has in the switch away. The slice's
// controllers are not told anything: their connections are about to be closed.
func (d *Datapath) RemoveSlice(now time.Time, name string, out *Out) {
	s := d.slices[name]
	if s == nil {
		return
	}
	flows := s.table.Flows()
	d.withMany(len(flows), func() {
		for _, f := range flows {
			d.end(now, f.Aux.(*vflow), of10.RemovedDelete, false)
		}
	})
	d.clearPorts(s)
	d.clearEmergency(s, out)
	delete(d.slices, name)
	for i := range d.punts {
		if p := &d.punts[i]; p.slice == s {
			p.slice, p.actions = nil, nil // the switch may send it up yet
		}
	}
	for i := range d.pending.n {
		r := d.pending.at(i)
		if p := r.full; p != nil && p.slice == s && (p.kind == pendForward || p.kind == pendStats) {
			p.kind = pendSilent
		}
		if r.txn != nil && r.txn.slice == s {
			r.txn = nil
		}
	}
	d.configure(out)
	d.publish()
	d.flush(now, nil, out)
}

// ControllerUp says that a slice has a controller listening. It begins with the default
// miss_send_len, which switches keep by connection, whatever the one before has set.
func (d *Datapath) ControllerUp(now time.Time, name string, out *Out) {
	if s := d.slices[name]; s != nil && !s.up {
		s.up, s.miss = true, of10.DefaultMissSendLen
		d.configure(out)
		d.dropAways()
		d.publish()
		d.flush(now, nil, out)
	}
}

// ControllerDown says that the last controller of a slice has gone. Its flows stay.
func (d *Datapath) ControllerDown(_ time.Time, name string) {
	if s := d.slices[name]; s != nil && s.up {
		s.up = false
		d.publish()
	}
}

// sorted returns the slices by name.
func (d *Datapath) sorted() []*slice {
	list := make([]*slice, 0, len(d.slices))
	for _, s := range d.slices {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *slice) int { return cmp.Compare(a.name, b.name) })
	return list
}
