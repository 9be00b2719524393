package api

import (
	"fmt"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// losses are what of a configuration is not in FlowVisor's format, each in a sentence.
type losses []string

// add notes what things lose, in one of two formats: for the name of one, or for how many and which.
func (l *losses) add(names []string, one, many string) {
	const most = 5
	switch n := len(names); {
	case n == 0:
	case n == 1:
		*l = append(*l, fmt.Sprintf(one, names[0]))
	case n > most:
		*l = append(*l, fmt.Sprintf(many, n, strings.Join(names[:most], ", ")+", ..."))
	default:
		*l = append(*l, fmt.Sprintf(many, n, strings.Join(names, ", ")))
	}
}

// lostInFlowVisor says what of a configuration is not in FlowVisor's format.
func lostInFlowVisor(cfg *apitype.Config) []string {
	var l losses
	l.ofRules(cfg)
	l.ofSlices(cfg)
	l.ofAccounts(cfg)
	l.ofSettings(cfg.Settings)
	if len(cfg.Callbacks)+len(cfg.Tokens) > 0 {
		l = append(l, "callbacks and tokens are left out")
	}
	if len(l) > 0 {
		l = append(l, "govisor's own format keeps everything")
	}
	return l
}

func (l *losses) ofRules(cfg *apitype.Config) {
	var owned []string
	for i := range cfg.Flowspace {
		if r := &cfg.Flowspace[i]; r.Owner != "" {
			owned = append(owned, fmt.Sprintf("%s (%s)", r.Name, r.Owner))
		}
	}
	l.add(owned, "rule %s: that it was passed on by a slice is left out; loaded again, it is the administrator's", "%d rules: that slices passed them on is left out; loaded again, they are the administrator's: %s")
}

func (l *losses) ofSlices(cfg *apitype.Config) {
	isSet := func(rate *int) bool { return rate != nil && *rate >= 0 }
	var strict, limited, rates []string
	for i := range cfg.Slices {
		s := &cfg.Slices[i]
		if s.Strict != nil && *s.Strict {
			strict = append(strict, s.Name)
		}
		if isSet(s.FlowModRate) || isSet(s.PacketInRate) {
			rates = append(rates, s.Name)
		}
		if isSet(s.RateLimit) && len(cfg.Datapaths) == 0 {
			limited = append(limited, s.Name)
		}
	}
	l.add(strict, "slice %s: strict is left out", "%d slices: strict is left out: %s")
	l.add(limited, "slice %s: its rate limit is left out, since FlowVisor keeps it with switches and none is configured", "%d slices: their rate limits are left out, since FlowVisor keeps them with switches and none is configured: %s")
	l.add(rates, "slice %s: the limits of its flow_mods and packet_ins per second are left out", "%d slices: the limits of their flow_mods and packet_ins per second are left out: %s")
}

func (l *losses) ofAccounts(cfg *apitype.Config) {
	var modern, viewers []string
	for i := range cfg.Slices {
		s := &cfg.Slices[i]
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
	l.add(modern, "account %s: its password is left out, since FlowVisor cannot check it", "%d accounts: their passwords are left out, since FlowVisor cannot check them: %s")
	l.add(viewers, "account %s: FlowVisor has no viewers; left out", "%d accounts: FlowVisor has no viewers; left out: %s")
}

func (l *losses) ofSettings(set *apitype.Settings) {
	if set == nil {
		return
	}
	if set.CallbackAllow != "" {
		*l = append(*l, "settings: where callbacks may go is left out")
	}
	if set.ControllerAllow != "" {
		*l = append(*l, "settings: which local controllers slices' accounts may use is left out")
	}
	if set.Adoption != hypervisor.AdoptionAdopt {
		*l = append(*l, "settings: adoption is left out")
	}
}
