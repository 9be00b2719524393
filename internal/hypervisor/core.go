package hypervisor

import (
	"sync"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire"
)

// keptCore is the slicing core of one datapath with what it was configured with.
// It outlives the connection: a switch that comes back finds its slices' flows.
type keptCore struct {
	dpid ofwire.DatapathID
	dp   *slicing.Datapath
	view *flowspace.View
	left time.Time // when its switch went away

	// Guarded by the lock of the classifier that has the core.
	gens map[string]uint64 // generation of each slice the core has
	now  map[string]slicing.SliceConfig

	mu        sync.Mutex
	journaled map[string]bool // guarded by mu; keys the journal has
	// tables has the sum of each slice's flows, by the journal's keys; guarded by mu
	tables map[string]uint64
}

// cores keeps the cores of datapaths that are away.
type cores struct {
	mu   sync.Mutex
	away map[ofwire.DatapathID]*keptCore // guarded by mu
}

// takeCore returns the core of a switch that has connected, brought to cfg but not
// connected yet: the one it had before, or a new one with what the journal knows.
func (w *Switches) takeCore(d *datapath, cfg *DatapathConfig) *keptCore {
	w.cores.mu.Lock()
	k := w.cores.away[d.dpid]
	delete(w.cores.away, d.dpid)
	w.cores.mu.Unlock()
	var out slicing.Out // for a switch that is not there; Connect compares
	if k != nil {
		k.configure(time.Now(), cfg, &out)
		return k
	}
	k = &keptCore{dpid: d.dpid, view: cfg.View, gens: map[string]uint64{}, now: map[string]slicing.SliceConfig{}, journaled: map[string]bool{}, tables: map[string]uint64{}}
	k.dp = slicing.New(slicing.Config{
		DPID:     d.dpid,
		Features: d.features,
		View:     cfg.View,
		Key:      cfg.Settings.LLDPKey,
		Report:   w.reporter(d.dpid),
	})
	k.configure(time.Now(), cfg, &out)
	k.dp.Restore(time.Now(), d.recall(cfg, k))
	return k
}

// maxAway bounds the cores kept for switches that are gone.
const maxAway = 4096

// giveCore keeps the core of a switch that is gone, if it has flows and no fault.
func (w *Switches) giveCore(k *keptCore, sound bool) {
	if !sound || k.flows() == 0 {
		k.discard()
		return
	}
	w.cores.mu.Lock()
	defer w.cores.mu.Unlock()
	k.left = time.Now()
	w.cores.away[k.dpid] = k
	if len(w.cores.away) <= maxAway {
		return
	}
	oldest := k
	for _, o := range w.cores.away {
		if o.left.Before(oldest.left) {
			oldest = o
		}
	}
	delete(w.cores.away, oldest.dpid)
	oldest.discard()
}

// flows is the number of virtual flows of all slices.
func (k *keptCore) flows() int {
	n := 0
	for name := range k.now {
		n += k.dp.FlowCount(name)
	}
	return n
}

// discard gives back what the slices' flows count against their limits.
func (k *keptCore) discard() {
	for name, cfg := range k.now {
		cfg.Quota.Release(int64(k.dp.FlowCount(name)))
	}
}

// reporter logs what the core has to say.
func (w *Switches) reporter(dpid ofwire.DatapathID) func(slicing.Event) {
	log := w.opts.Log.WithField("dpid", dpid.String())
	return func(e slicing.Event) {
		entry := log
		if e.Slice != "" {
			entry = entry.WithField("slice", e.Slice)
		}
		if e.Err != nil {
			entry = entry.WithError(e.Err)
		}
		entry.Warn(e.What)
	}
}

// configure brings the core to cfg. Called with the core's lock held.
func (k *keptCore) configure(now time.Time, cfg *DatapathConfig, out *slicing.Out) {
	for name, gen := range k.gens {
		if c := cfg.Slice(name); c == nil || c.Generation != gen {
			k.dp.RemoveSlice(now, name, out)
			delete(k.gens, name)
			delete(k.now, name)
		}
	}
	if !k.view.Same(cfg.View) {
		k.dp.SetView(now, cfg.View, out)
		k.view = cfg.View
	}
	for i := range cfg.Slices {
		c := &cfg.Slices[i]
		want := coreConfig(c)
		if have, ok := k.now[c.Name]; !ok || have != want {
			k.dp.SetSlice(now, want, out)
			k.gens[c.Name], k.now[c.Name] = c.Generation, want
		}
	}
}

func coreConfig(c *SliceConfig) slicing.SliceConfig {
	cfg := slicing.SliceConfig{
		Name:        c.Name,
		Strict:      c.Strict,
		Flood:       c.Flood,
		ReceiveLLDP: c.RecvLLDP,
		MaxFlows:    c.DatapathLimits.Flows.Limit(),
		Quota:       quota{&c.Limits.Flows, &c.DatapathLimits.Flows},
	}
	if c.DropPolicy == DropRule {
		cfg.Drop = slicing.DropRule
	}
	return cfg
}
