package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/govisor/govisor/ofwire"
)

// ConfigPatch is what set-config changes in one step: settings, flood
// permissions and flow limits together.
type ConfigPatch struct {
	SettingsPatch
	FloodPerms []FloodPerm
	FlowLimits []FlowLimit
	Limits     []LimitsOn
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

// LimitsOn changes limits of a slice on a datapath, or on all together.
type LimitsOn struct {
	Slice string
	DPID  *ofwire.DatapathID // nil: all together
	LimitsPatch
}

// Configure makes all of the patch or nothing. An error says in its field which
// part is at fault. check, if not nil, sees the present settings first.
func (s *Service) Configure(ctx context.Context, p Principal, patch ConfigPatch, check func(Settings) error) (Settings, error) {
	// Each part asks for the permission it needs.
	r := request{by: p, act: actReadSystem, action: "update-settings", target: "settings"}
	if patch.SettingsPatch != (SettingsPatch{}) || len(patch.FloodPerms)+len(patch.FlowLimits)+len(patch.Limits) == 0 {
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
		if err := c.limitsOn(LimitsOn{l.Slice, l.DPID, LimitsPatch{FlowModLimit: &l.Limit}}); err != nil {
			return part(err, "flowmod_limits", i)
		}
		details = append(details, "slice "+l.Slice+": "+c.detail)
	}
	for i, l := range patch.Limits {
		if err := c.limitsOn(l); err != nil {
			return part(err, "limits", i)
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

func (c *change) limitsOn(l LimitsOn) error {
	sl := c.st.slices[l.Slice]
	if sl == nil || !c.st.allowed(c.by, actReadSlice, l.Slice) {
		return notFound("slice", l.Slice)
	}
	if err := c.permit(actWriteSlice, l.Slice, "change the limits of "+clip(l.Slice)); err != nil {
		return err
	}
	if l.DPID != nil {
		_, err := c.limitSlice(*l.DPID, l.Slice, l.LimitsPatch)
		c.detail += " on " + l.DPID.String()
		return err
	}
	if err := c.updateSlice(sl, SlicePatch{LimitsPatch: l.LimitsPatch}); err != nil {
		return err
	}
	c.detail = c.st.slices[l.Slice].Limits.String()
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

// limitSlice changes what a slice may do on one datapath.
func (c *change) limitSlice(id ofwire.DatapathID, slice string, p LimitsPatch) (Limits, error) {
	old := c.st.datapaths[id].limit(slice)
	l, err := old.with(p, "")
	if err != nil {
		return l, err
	}
	if !c.st.allowed(c.by, actGovernSlice, slice) && old.raises(l) {
		return l, denied(c.by, "raise its own limits")
	}
	if c.by.Role == RoleSlice && slice != c.by.Account && c.st.datapaths[id].limit(c.by.Account).raises(l) {
		return l, denied(c.by, "give a slice more than its own limits")
	}
	c.setLimit(id, slice, &l)
	c.detail = l.String()
	return l, nil
}
