package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
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

// FlowCount is the number of virtual flows a slice has here.
func (d *Datapath) FlowCount(name string) int {
	if s := d.slices[name]; s != nil {
		return s.table.Len()
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
	e := d.cookies[cookie]
	if e == nil {
		return "", "foreign"
	}
	if e.flow != nil {
		slice = e.flow.slice.name
	}
	return slice, [...]string{kindFlow: "piece", kindSentinel: "piece", kindGuard: "guard", kindDrop: "drop"}[e.kind]
}

// Physical is a flow that a virtual flow needs in the switch.
type Physical struct {
	Slice   string // who controls the frames it matches; "" for a guard
	Kind    string // "piece" or "guard"
	Rule    *flowspace.Rule
	Match   of10.Match
	Actions []of10.Action // of the virtual flow; nil for a guard
}

// Explain tells what a flow_mod ADD of a slice would become, without doing it. The
// error is the *of10.Error that the controller would get.
func (d *Datapath) Explain(now time.Time, name string, m *of10.FlowMod) ([]Physical, error) {
	s := d.slices[name]
	if s == nil {
		return nil, nil
	}
	if err := d.allowed(s, m.Actions, false); err != nil {
		return nil, err
	}
	f := newFlow(now, s, m)
	specs, refused := d.admit(f)
	if refused != nil {
		return nil, refused
	}
	var out []Physical
	guards := map[guardSpec]bool{}
	add := func(p *flowtable.Pattern, what Physical) {
		what.Match = p.Match()
		out = append(out, what)
	}
	for i := range specs {
		sp := &specs[i]
		for _, g := range sp.guards {
			if !guards[g] {
				guards[g] = true
				add(&g.pat, Physical{Kind: "guard", Rule: g.rule.rule})
			}
		}
		add(&sp.pat, Physical{Slice: name, Kind: "piece", Rule: sp.rule.rule, Actions: m.Actions})
	}
	return out, nil
}
