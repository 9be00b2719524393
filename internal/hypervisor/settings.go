package hypervisor

import (
	"context"
	"fmt"

	"github.com/govisor/govisor/internal/store"
)

// What happens to the flows of a switch that connects.
const (
	AdoptionAdopt = "adopt" // keep ours, remove strangers
	AdoptionFlush = "flush" // remove all
)

// SettingsPatch changes the settings that are not nil.
type SettingsPatch struct {
	FlowTracking     *bool
	StatsDesc        *bool
	Topology         *bool
	FlowStatsCache   *int
	DefaultFloodPerm *string
	Adoption         *string
	CallbackAllow    *string
	ControllerAllow  *string
}

// ReadSettings returns the settings, without the key, to who may see them.
func (s *Service) ReadSettings(p Principal) (Settings, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadSystem, "") {
		return Settings{}, denied(p, "read settings")
	}
	set := st.settings
	set.LLDPKey = nil
	if !p.seesAll() {
		set.CallbackAllow, set.ControllerAllow = "", ""
	}
	if !p.seesAll() && !st.allowed(p, actReadSlice, set.DefaultFloodPerm) {
		set.DefaultFloodPerm = ""
	}
	return set, nil
}

// UpdateSettings changes settings.
func (s *Service) UpdateSettings(ctx context.Context, p Principal, patch SettingsPatch) (Settings, error) {
	return s.Configure(ctx, p, ConfigPatch{SettingsPatch: patch}, nil)
}

func (c *change) patchSettings(p SettingsPatch) error {
	next := c.st.settings
	for _, b := range []struct{ to, from *bool }{{&next.FlowTracking, p.FlowTracking}, {&next.StatsDesc, p.StatsDesc}, {&next.Topology, p.Topology}} {
		if b.from != nil {
			*b.to = *b.from
		}
	}
	if v := p.FlowStatsCache; v != nil {
		if *v < 0 || *v > 3600 {
			return invalid("flow_stats_cache", fmt.Sprint(*v), fmt.Sprintf("flow statistics cache of %d seconds is out of range", *v), "want 0 to 3600")
		}
		next.FlowStatsCache = *v
	}
	if v := p.DefaultFloodPerm; v != nil {
		if *v != "" && *v != AdminName && c.st.slices[*v] == nil {
			return at(notFound("slice", *v), "default_flood_perm")
		}
		next.DefaultFloodPerm = *v
	}
	if v := p.Adoption; v != nil {
		if *v != AdoptionAdopt && *v != AdoptionFlush {
			return invalid("adoption", *v, fmt.Sprintf("unknown policy %q", clip(*v)), "want adopt or flush")
		}
		next.Adoption = *v
	}
	if v := p.CallbackAllow; v != nil {
		if _, err := parseAllow(*v); err != nil {
			return err
		}
		next.CallbackAllow = *v
	}
	if v := p.ControllerAllow; v != nil {
		if _, err := parseLocal(*v); err != nil {
			return err
		}
		next.ControllerAllow = *v
	}
	c.putSettings(func(set *Settings) { *set = next })
	c.detail = fmt.Sprintf("flow tracking %v, description %v, topology %v, cache %d s, flood %q, adoption %s, callbacks to %q, controllers %q",
		next.FlowTracking, next.StatsDesc, next.Topology, next.FlowStatsCache, next.DefaultFloodPerm, next.Adoption, next.CallbackAllow, next.ControllerAllow)
	return nil
}

func (c *change) putSettings(edit func(*Settings)) {
	edit(&c.st.settings)
	rec := store.Settings(c.st.settings)
	c.write(func(tx *store.Tx) error { return tx.PutSettings(rec) })
	c.all = true
	c.event(EventSettingsChanged, "", "", "")
}
