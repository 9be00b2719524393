package hypervisor

import (
	"fmt"
	"path"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/ofwire"
)

// parseLocal reads controller_allow: unix:PATH and module:NAME, separated by commas,
// each whole or ending in * for whatever begins so.
func parseLocal(list string) ([]string, error) {
	var out []string
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		t, err := ofwire.ParseTarget(text)
		if err != nil || !local(t) || strings.Contains(text[:len(text)-1], "*") || strings.ContainsFunc(text, deceives) {
			return nil, invalid("controller_allow", text, fmt.Sprintf("%q is no controller on this machine that could be allowed", clip(text)),
				"for example unix:/run/controllers/*,module:learning; tcp: and ssl: are always allowed")
		}
		out = append(out, text)
	}
	return out, nil
}

// local reports whether a target is something on this machine that its network
// does not reach: a socket, or a controller inside this process.
func local(t ofwire.Target) bool { return t.Scheme == "unix" || t.Scheme == "module" }

// mayUse reports whether p may have govisor talk to a controller. A slice's account
// must not reach through govisor what it could not reach itself.
func (st *state) mayUse(p Principal, t ofwire.Target) bool {
	if p.Role != RoleSlice || !local(t) {
		return true
	}
	if t.Scheme == "unix" && path.Clean(t.Path) != t.Path { // .. would lead out of a directory
		return false
	}
	allowed, err := parseLocal(st.settings.ControllerAllow)
	if err != nil {
		return false
	}
	for _, entry := range allowed {
		if prefix, any := strings.CutSuffix(entry, "*"); entry == t.String() || any && strings.HasPrefix(t.String(), prefix) {
			return true
		}
	}
	return false
}

// checkTargets refuses controllers that the one who asks may not use and the slice
// does not have yet; old is nil for a new slice.
func (c *change) checkTargets(old, next *Slice) error {
	for _, ctl := range next.Controllers {
		if c.st.mayUse(c.by, ctl.Target) || old != nil && has(old.Controllers, ctl.Target) {
			continue
		}
		return &Error{Kind: apitype.KindDenied, Field: "controllers", Value: clip(ctl.String()),
			Detail: fmt.Sprintf("%s may not use controller %s, which is on govisor's own machine", c.by.Account, clip(ctl.String())),
			Hint:   "the administrator can allow it: controller_allow in the settings", Index: -1}
	}
	return nil
}

func has(list []Controller, t ofwire.Target) bool {
	for _, c := range list {
		if c.Target == t {
			return true
		}
	}
	return false
}
