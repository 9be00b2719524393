package hypervisor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// Datapaths reports the connected and the configured datapaths p may see.
func (s *Service) Datapaths(p Principal) []apitype.Datapath {
	st := s.state.Load()
	ids, sessions := s.connected()
	all := map[ofwire.DatapathID]Session{}
	for i, id := range ids {
		all[id] = sessions[i]
	}
	for _, id := range slices.Concat(slices.Collect(maps.Keys(st.datapaths)), dpidsOf(st.flows)) {
		if _, ok := all[id]; !ok {
			all[id] = nil
		}
	}
	out := []apitype.Datapath{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if d, ok := s.datapath(st, p, id, all[id]); ok {
			out = append(out, d)
		}
	}
	return out
}

func dpidsOf(f *flowspace.Snapshot) []ofwire.DatapathID {
	var out []ofwire.DatapathID
	for _, id := range f.Datapaths() {
		out = append(out, ofwire.DatapathID(id))
	}
	return out
}

// Datapath reports one datapath.
func (s *Service) Datapath(p Principal, id ofwire.DatapathID) (apitype.Datapath, error) {
	st := s.state.Load()
	sess := s.session(id)
	_, configured := st.datapaths[id]
	if sess == nil && !configured && !slices.Contains(dpidsOf(st.flows), id) {
		return apitype.Datapath{}, notFound("datapath", id.String())
	}
	d, ok := s.datapath(st, p, id, sess)
	if !ok {
		return d, notFound("datapath", id.String())
	}
	return d, nil
}

// datapath reports one datapath as p may see it; ok is false when p may not.
func (s *Service) datapath(st *state, p Principal, id ofwire.DatapathID, sess Session) (d apitype.Datapath, ok bool) {
	if !st.allowed(p, actReadShared, "") {
		return d, false
	}
	if sess != nil {
		d = sess.Status()
		d.Connected = true
	}
	d.DPID = id.String()
	view := st.flows.View(uint64(id))
	present := view.Slices()
	if !p.seesAll() && !slices.ContainsFunc(present, func(n string) bool { return st.allowed(p, actReadSlice, n) }) {
		return d, false
	}
	may := func(slice string) bool { return p.seesAll() || st.allowed(p, actReadSlice, slice) }
	ports := map[string]flowspace.Set{}
	for _, name := range present {
		if set, some := view.PortsOf(name); some && may(name) {
			ports[name] = set
		}
	}
	shown := []apitype.Port{}
	for _, port := range d.Ports {
		port.Slices = []string{}
		for _, name := range present {
			if set, some := ports[name]; some && set.Has(port.Number) {
				port.Slices = append(port.Slices, name)
			}
		}
		if p.seesAll() || len(port.Slices) > 0 {
			shown = append(shown, port)
		}
	}
	d.Ports = shown
	d.Connections = slices.DeleteFunc(slices.Clone(d.Connections), func(c apitype.SliceConnection) bool { return !may(c.Slice) })
	if d.Connections == nil {
		d.Connections = []apitype.SliceConnection{}
	}
	d.FlowMods = maps.Clone(d.FlowMods)
	if d.FlowMods == nil {
		d.FlowMods = map[string]int{}
	}
	maps.DeleteFunc(d.FlowMods, func(name string, _ int) bool { return !may(name) })
	conf := st.datapaths[id]
	if may(conf.floodPerm) {
		d.FloodPerm = conf.floodPerm
	}
	for _, name := range slices.Sorted(maps.Keys(conf.limits)) {
		if may(name) {
			d.Limits = append(d.Limits, conf.limits[name].on(id, name))
		}
	}
	return d, true
}

// connectedTo returns the session of a datapath p may see.
func (s *Service) connectedTo(p Principal, id ofwire.DatapathID) (Session, error) {
	if _, err := s.Datapath(p, id); err != nil {
		return nil, err
	}
	sess := s.session(id)
	if sess == nil {
		return nil, &Error{Kind: apitype.KindUnavailable, Field: "dpid", Value: id.String(), Detail: fmt.Sprintf("datapath %s is not connected", id), Index: -1}
	}
	return sess, nil
}

// DatapathStats returns the message counters of a datapath.
func (s *Service) DatapathStats(p Principal, id ofwire.DatapathID) (apitype.MessageStats, error) {
	sess, err := s.connectedTo(p, id)
	if err != nil {
		return apitype.MessageStats{}, err
	}
	if !p.seesAll() {
		return apitype.MessageStats{}, denied(p, "read the counters of a whole datapath")
	}
	return sess.Stats(), nil
}

// DatapathFlows returns the flows govisor holds in a switch.
func (s *Service) DatapathFlows(ctx context.Context, p Principal, id ofwire.DatapathID) ([]apitype.Flow, error) {
	sess, err := s.connectedTo(p, id)
	if err != nil {
		return nil, err
	}
	flows, err := sess.Flows(ctx)
	if err != nil {
		return nil, &Error{Kind: apitype.KindUnavailable, Detail: "the switch did not tell its flows: " + err.Error(), Index: -1, Err: err}
	}
	st := s.state.Load()
	return slices.DeleteFunc(flows, func(f apitype.Flow) bool { return !p.seesAll() && !st.allowed(p, actReadSlice, f.Slice) }), nil
}

// SliceFlows returns the flows a slice believes to have on a datapath.
func (s *Service) SliceFlows(ctx context.Context, p Principal, id ofwire.DatapathID, slice string) ([]apitype.Flow, error) {
	if _, err := s.Slice(p, slice); err != nil {
		return nil, err
	}
	sess, err := s.connectedTo(p, id)
	if err != nil {
		return nil, err
	}
	return sess.SliceFlows(ctx, slice)
}

// DatapathPatch changes what is configured for a datapath.
type DatapathPatch struct {
	FloodPerm *string // slice, "" for the default
}

// UpdateDatapath changes what is configured for a datapath, connected or not.
// check, if not nil, sees what is configured first.
func (s *Service) UpdateDatapath(ctx context.Context, p Principal, id ofwire.DatapathID, patch DatapathPatch, check func(apitype.DatapathConfig) error) error {
	r := request{by: p, act: actWriteSettings, action: "update-datapath", target: id.String()}
	_, err := s.do(ctx, r, func(c *change) error {
		if check != nil {
			if err := check(c.st.datapathConfig(id)); err != nil {
				return err
			}
		}
		if patch.FloodPerm == nil {
			return nil
		}
		return c.setFloodPerm(id, *patch.FloodPerm)
	})
	return err
}

// DatapathConfig is what is configured for a datapath, as an export writes it.
func (s *Service) DatapathConfig(p Principal, id ofwire.DatapathID) (apitype.DatapathConfig, error) {
	st := s.state.Load()
	if _, err := s.Datapath(p, id); err != nil {
		return apitype.DatapathConfig{}, err
	}
	return st.datapathConfig(id), nil
}

func (st *state) datapathConfig(id ofwire.DatapathID) apitype.DatapathConfig {
	d := st.datapaths[id]
	c := apitype.DatapathConfig{DPID: id.String(), FloodPerm: d.floodPerm}
	for _, name := range slices.Sorted(maps.Keys(d.limits)) {
		c.Limits = append(c.Limits, d.limits[name].on(id, name))
	}
	return c
}

func (c *change) putDatapath(id ofwire.DatapathID, conf datapathConf) {
	c.st.datapaths[id] = conf
	c.touched[id] = struct{}{}
	c.limits = true
	c.event(EventDatapathUpdated, id.String(), "", "")
	if conf.floodPerm == "" && len(conf.limits) == 0 {
		delete(c.st.datapaths, id)
		c.write(func(tx *store.Tx) error { return tx.DeleteDatapath(uint64(id)) })
		return
	}
	c.write(func(tx *store.Tx) error {
		rec := store.Datapath{DPID: uint64(id), FloodPerm: conf.floodPerm, Limits: map[string]store.Limit{}}
		for name, l := range conf.limits {
			rec.Limits[name] = l.record()
		}
		return tx.PutDatapath(rec)
	})
}

// setLimit sets the limits of a slice on a datapath; nil removes them and the
// slice's flood permission there.
func (c *change) setLimit(id ofwire.DatapathID, slice string, l *Limits) {
	conf := c.st.datapaths[id]
	conf.limits = maps.Clone(conf.limits)
	if conf.limits == nil {
		conf.limits = map[string]Limits{}
	}
	if l == nil {
		delete(conf.limits, slice)
		if conf.floodPerm == slice {
			conf.floodPerm = ""
		}
	} else if *l == noLimits {
		delete(conf.limits, slice)
	} else {
		conf.limits[slice] = *l
	}
	c.putDatapath(id, conf)
}

// SetLimits changes what a slice may do on one datapath. check, if not nil, sees the present limits first.
func (s *Service) SetLimits(ctx context.Context, p Principal, id ofwire.DatapathID, slice string, patch LimitsPatch, check func(apitype.SliceLimit) error) (apitype.SliceLimit, error) {
	var l Limits
	r := request{by: p, act: actWriteSlice, slice: slice, action: "set-limits", target: slice + " on " + id.String()}
	_, err := s.do(ctx, r, func(c *change) (err error) {
		if c.st.slices[slice] == nil {
			return notFound("slice", slice)
		}
		if check != nil {
			if err := check(c.st.limitOn(id, slice)); err != nil {
				return err
			}
		}
		l, err = c.limitSlice(id, slice, patch)
		return err
	})
	return l.on(id, slice), err
}

// LimitOn returns what a slice may do on a datapath.
func (s *Service) LimitOn(p Principal, id ofwire.DatapathID, slice string) (apitype.SliceLimit, error) {
	if _, err := s.Slice(p, slice); err != nil {
		return apitype.SliceLimit{}, err
	}
	return s.state.Load().limitOn(id, slice), nil
}

func (st *state) limitOn(id ofwire.DatapathID, slice string) apitype.SliceLimit {
	return st.datapaths[id].limit(slice).on(id, slice)
}

// SliceLimits returns the limits of a slice per datapath.
func (s *Service) SliceLimits(slice string) []apitype.SliceLimit {
	st := s.state.Load()
	var out []apitype.SliceLimit
	for _, id := range slices.Sorted(maps.Keys(st.datapaths)) {
		if l, ok := st.datapaths[id].limits[slice]; ok {
			out = append(out, l.on(id, ""))
		}
	}
	return out
}
