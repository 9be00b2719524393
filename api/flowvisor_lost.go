package api

import (
	"fmt"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// lostInFlowVisor says what of a configuration is not in FlowVisor's format.
func lostInFlowVisor(cfg *apitype.Config) (notes []string) {
	add := func(names []string, one, many string) {
		const most = 5
		switch n := len(names); {
		case n == 0:
		case n == 1:
			notes = append(notes, fmt.Sprintf(one, names[0]))
		case n > most:
			notes = append(notes, fmt.Sprintf(many, n, strings.Join(names[:most], ", ")+", ..."))
		default:
			notes = append(notes, fmt.Sprintf(many, n, strings.Join(names, ", ")))
		}
	}
	var owned, strict, limited, rates, modern, viewers []string
	for i := range cfg.Flowspace {
		if r := &cfg.Flowspace[i]; r.Owner != "" {
			owned = append(owned, fmt.Sprintf("%s (%s)", r.Name, r.Owner))
		}
	}
	for i := range cfg.Slices {
		s := &cfg.Slices[i]
		if s.Strict != nil && *s.Strict {
			strict = append(strict, s.Name)
		}
		if s.FlowModRate != nil && *s.FlowModRate >= 0 || s.PacketInRate != nil && *s.PacketInRate >= 0 {
			rates = append(rates, s.Name)
		}
		if s.RateLimit != nil && *s.RateLimit >= 0 && len(cfg.Datapaths) == 0 {
			limited = append(limited, s.Name)
		}
		if _, _, legacy := hypervisor.SplitLegacy(s.PasswordHash); s.PasswordHash != "" && !legacy {
			modern = append(modern, s.Name)
		}
	}
	for _, a := range cfg.Accounts {
		_, _, legacy := hypervisor.SplitLegacy(a.PasswordHash)
		switch {
		case a.Name != hypervisor.AdminName:
			viewers = append(viewers, a.Name)
		case !legacy:
			modern = append(modern, a.Name)
		}
	}
	add(owned, "rule %s: that it was passed on by a slice is left out; loaded again, it is the administrator's", "%d rules: that slices passed them on is left out; loaded again, they are the administrator's: %s")
	add(strict, "slice %s: strict is left out", "%d slices: strict is left out: %s")
	add(limited, "slice %s: its rate limit is left out, since FlowVisor keeps it with switches and none is configured", "%d slices: their rate limits are left out, since FlowVisor keeps them with switches and none is configured: %s")
	add(rates, "slice %s: the limits of its flow_mods and packet_ins per second are left out", "%d slices: the limits of their flow_mods and packet_ins per second are left out: %s")
	add(modern, "account %s: its password is left out, since FlowVisor cannot check it", "%d accounts: their passwords are left out, since FlowVisor cannot check them: %s")
	add(viewers, "account %s: FlowVisor has no viewers; left out", "%d accounts: FlowVisor has no viewers; left out: %s")
	if set := cfg.Settings; set != nil {
		if set.CallbackAllow != "" {
			notes = append(notes, "settings: where callbacks may go is left out")
		}
		if set.ControllerAllow != "" {
			notes = append(notes, "settings: which local controllers slices' accounts may use is left out")
		}
		if set.Adoption != hypervisor.AdoptionAdopt {
			notes = append(notes, "settings: adoption is left out")
		}
	}
	if n := len(cfg.Callbacks) + len(cfg.Tokens); n > 0 {
		notes = append(notes, "callbacks and tokens are left out")
	}
	if len(notes) > 0 {
		notes = append(notes, "govisor's own format keeps everything")
	}
	return notes
}
