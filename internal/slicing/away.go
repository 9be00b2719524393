package slicing

import (
	"slices"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// While nobody listens to the frames of a rule, a flow without actions keeps them
// in the switch for a second at a time. It lies below all flows of the rule's slices
// and above its guard, and goes as soon as a controller comes.
const (
	levelAway = int32(-1)
	awayTime  = time.Second
	maxAways  = 256
)

// startAway begins to drop frames like h, which rule r owns.
func (d *Datapath) startAway(now time.Time, r *flowspace.Rule, h *packet.Header, out *Out) {
	writer := slices.IndexFunc(r.Grants, func(g flowspace.Grant) bool { return g.Perm&flowspace.Write != 0 })
	if writer < 0 || len(d.aways) >= maxAways || d.adopting {
		return
	}
	name, policy := r.Grants[writer].Slice, DropExact
	if s := d.slices[name]; s != nil {
		policy = s.cfg.Drop
	}
	var m of10.Match
	if policy == DropRule {
		list, err := fs10.ToMatches(r.Match, 16)
		at := slices.IndexFunc(list, func(m of10.Match) bool {
			w := flowtable.HeaderWords(h)
			p := flowtable.MakePattern(&m)
			return p.Matches(&w)
		})
		if err != nil || at < 0 {
			policy = DropExact
		} else {
			m = list[at]
		}
	}
	if policy == DropExact {
		m = of10.Match{
			InPort: of10.Port(h.InPort), DLSrc: h.DLSrc, DLDst: h.DLDst, DLVLAN: h.DLVLAN, DLVLANPCP: h.DLVLANPCP, DLType: h.DLType,
			NWTos: h.NWTos, NWProto: h.NWProto, NWSrc: h.NWSrc, NWDst: h.NWDst, TPSrc: h.TPSrc, TPDst: h.TPDst,
		}
		m = m.Normalize()
	}
	for _, f := range d.aways {
		if f.flow.Match == m {
			return
		}
	}
	f := newFlow(now, &slice{name: name}, &of10.FlowMod{Match: m})
	f.level, f.away, f.due = levelAway, true, now.Add(awayTime)
	d.insert(f)
	specs, err := d.derive(f)
	if err != nil || len(specs) == 0 {
		return
	}
	d.aways = append(d.aways, f)
	d.put(f, specs)
	d.flush(now, nil, out)
	d.confirm(now, out)
}

// endAway ends what is due.
func (d *Datapath) endAway(now time.Time, _ *Out) {
	d.aways = slices.DeleteFunc(d.aways, func(f *vflow) bool {
		if f.due.After(now) {
			return false
		}
		f.ended = true
		d.drop(f)
		return true
	})
}

// dropAways ends all of them.
func (d *Datapath) dropAways() {
	for _, f := range d.aways {
		f.ended = true
		d.drop(f)
	}
	clear(d.aways)
	d.aways = d.aways[:0]
}

func (d *Datapath) nextAway() (at time.Time) {
	for _, f := range d.aways {
		if at.IsZero() || f.due.Before(at) {
			at = f.due
		}
	}
	return at
}
