package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// ConfigPatch is what set-config changes in one step: settings, flood
// permissions and flow limits together.
type ConfigPatch struct {
	SettingsPatch
	FloodPerms []FloodPerm
	FlowLimits []FlowLimit
}

// FloodPerm lets a slice use a switch's own flooding; an empty slice is the default's.
type FloodPerm struct {
	DPID  ofwire.DatapathID
	Slice string
}

// FlowLimit bounds the flows of a slice on a datapath, or on all together; -1 is
// no limit.
type FlowLimit struct {
	Slice string
	DPID  *ofwire.DatapathID // nil: all together
	Limit int
}

// Configure makes all of the patch or nothing. An error says in its field which
// part is at fault. check, if not nil, sees the present settings first.
func (s *Service) Configure(ctx context.Context, p Principal, patch ConfigPatch, check func(Settings) error) (Settings, error) {
	// Each part asks for the permission it needs.
	r := request{by: p, act: actReadSystem, action: "update-settings", target: "settings"}
	if patch.SettingsPatch != (SettingsPatch{}) || len(patch.FloodPerms)+len(patch.FlowLimits) == 0 {
		r.act = actWriteSettings
	} else {
		r.action, r.target = "set-config", "limits"
	}
	_, err := s.do(ctx, r, func(c *change) error {
		if check != nil {
			if err := check(c.st.settings); err != nil {
				return err
			}
		}
		return c.configure(patch)
	})
	if err != nil {
		return Settings{}, err
	}
	return s.ReadSettings(p)
}

func (c *change) configure(patch ConfigPatch) error {
	var details []string
	if patch.SettingsPatch != (SettingsPatch{}) {
		if err := c.patchSettings(patch.SettingsPatch); err != nil {
			return err
		}
		details = append(details, c.detail)
	}
	for i, f := range patch.FloodPerms {
		if err := c.permit(actWriteSettings, "", "change flood permissions"); err != nil {
			return part(err, "flood_perms", i)
		}
		if err := c.setFloodPerm(f.DPID, f.Slice); err != nil {
			return part(err, "flood_perms", i)
		}
		details = append(details, c.detail+" on "+f.DPID.String())
	}
	for i, l := range patch.FlowLimits {
		if err := c.flowLimit(l); err != nil {
			return part(err, "flowmod_limits", i)
		}
		details = append(details, "slice "+l.Slice+": "+c.detail)
	}
	c.detail = strings.Join(details, "; ")
	return nil
}

// permit refuses what the one who asks may not.
func (c *change) permit(act action, slice, what string) error {
	if c.st.allowed(c.by, act, slice) {
		return nil
	}
	return denied(c.by, what)
}

// part says which element of a list an error is about.
func part(err error, list string, i int) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	field := fmt.Sprintf("%s[%d]", list, i)
	if e.Field != "" {
		field += "." + e.Field
	}
	return at(e, field)
}

// at returns the error with the field it is about.
func at(e *Error, field string) *Error {
	out := *e
	out.Field = field
	return &out
}

func (c *change) flowLimit(l FlowLimit) error {
	sl := c.st.slices[l.Slice]
	if sl == nil || !c.st.allowed(c.by, actReadSlice, l.Slice) {
		return notFound("slice", l.Slice)
	}
	if err := c.permit(actWriteSlice, l.Slice, "change the limits of "+clip(l.Slice)); err != nil {
		return err
	}
	if l.DPID != nil {
		_, err := c.limitSlice(*l.DPID, l.Slice, &l.Limit, nil)
		c.detail += " on " + l.DPID.String()
		return err
	}
	if err := c.updateSlice(sl, SlicePatch{FlowModLimit: &l.Limit}); err != nil {
		return err
	}
	c.detail = fmt.Sprintf("flow mods %d", l.Limit)
	return nil
}

// setFloodPerm lets a slice flood on a datapath.
func (c *change) setFloodPerm(id ofwire.DatapathID, name string) error {
	if name != "" && name != AdminName && c.st.slices[name] == nil {
		return at(notFound("slice", name), "flood_perm")
	}
	conf := c.st.datapaths[id]
	conf.floodPerm = name
	c.putDatapath(id, conf)
	c.detail = "flood permission " + name
	return nil
}

// limitSlice changes what a slice may do on one datapath; nil leaves a limit alone.
func (c *change) limitSlice(id ofwire.DatapathID, slice string, flowMods, rate *int) (l store.Limit, err error) {
	old, ok := c.st.datapaths[id].limits[slice]
	if !ok {
		old = store.Limit{FlowMods: -1, Rate: -1}
	}
	if l.FlowMods, err = limitOr("flowmod_limit", flowMods, old.FlowMods, 0); err != nil {
		return l, err
	}
	if l.Rate, err = limitOr("rate_limit", rate, old.Rate, 1); err != nil {
		return l, err
	}
	if !c.st.allowed(c.by, actGovernSlice, slice) && (raises(old.FlowMods, l.FlowMods) || raises(old.Rate, l.Rate)) {
		return l, denied(c.by, "raise its own limits")
	}
	if own, ok := c.st.datapaths[id].limits[c.by.Account]; ok && c.by.Role == RoleSlice && (raises(own.FlowMods, l.FlowMods) || raises(own.Rate, l.Rate)) {
		return l, denied(c.by, "give a slice more than its own limits")
	}
	c.setLimit(id, slice, &l)
	c.detail = fmt.Sprintf("flow mods %d, rate %d", l.FlowMods, l.Rate)
	return l, nil
}
