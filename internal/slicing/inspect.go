package slicing

import (
	"slices"

	"github.com/govisor/govisor/ofwire/of10"
)

// Ports returns the switch's ports as they are now, in its order.
func (d *Datapath) Ports() []of10.PhyPort { return slices.Clone(d.ports) }

// SlicePorts returns the ports of the switch that a slice may use.
func (d *Datapath) SlicePorts(name string) []of10.Port {
	var list []of10.Port
	if s := d.slices[name]; s != nil {
		for i := range d.ports {
			if s.owns(d.ports[i].PortNo) {
				list = append(list, d.ports[i].PortNo)
			}
		}
	}
	return list
}

// FlowCount is the number of virtual flows a slice has here, emergency flows included.
func (d *Datapath) FlowCount(name string) int {
	if s := d.slices[name]; s != nil {
		return s.flows()
	}
	return 0
}

// FlowsVersion is another number whenever AppendSaved may return other flows for the
// slice, or flows whose counters the switch does not have any more. A slice made again
// under the same name begins anew.
func (d *Datapath) FlowsVersion(name string) uint64 {
	if s := d.slices[name]; s != nil {
		return s.table.Version()
	}
	return 0
}

// PhysicalCount is the number of flows the switch is meant to have.
func (d *Datapath) PhysicalCount() int {
	n := 0
	for _, s := range d.slots {
		if s.entry != nil {
			n++
		}
	}
	for _, s := range d.points {
		if s.entry != nil {
			n++
		}
	}
	return n
}

// Provenance tells what a flow in the switch with this cookie is for: "piece",
// "guard", "drop", or "foreign" when it is not govisor's, and whose it is.
func (d *Datapath) Provenance(cookie uint64) (slice, kind string) {
	e := d.cookies.get(cookie)
	if e == nil {
		return "", "foreign"
	}
	if e.flow != nil {
		slice = e.flow.slice.name
	}
	return slice, [...]string{kindFlow: "piece", kindSentinel: "piece", kindGuard: "guard", kindDrop: "drop"}[e.kind]
}
