package hypervisor

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
)

// Audit returns up to limit entries with ids above after, oldest first, and
// the id of the newest entry.
func (s *Service) Audit(p Principal, after uint64, limit int) (out []apitype.AuditEntry, last uint64, err error) {
	if !s.state.Load().allowed(p, actReadAudit, "") {
		return nil, 0, denied(p, "read the audit log")
	}
	out = []apitype.AuditEntry{}
	err = s.db.View(func(tx *store.Tx) error {
		last = tx.LastAudit()
		records, err := tx.Audits(after, limit)
		for _, a := range records {
			out = append(out, apitype.AuditEntry(a))
		}
		return err
	})
	return out, last, err
}

// Subscribe returns the kept events after an id, and those to come. A slice
// sees what concerns it; filter says which that are.
func (s *Service) Subscribe(p Principal, after uint64) (past []apitype.Event, sub *Subscription, filter func(apitype.Event) bool, err error) {
	if !s.state.Load().allowed(p, actReadShared, "") {
		return nil, nil, nil, denied(p, "follow events")
	}
	filter = func(e apitype.Event) bool {
		linked := e.Type == EventLinkAdded || e.Type == EventLinkRemoved // the detail names another datapath
		st := s.state.Load()
		if t := st.tokens[p.Token]; !t.Expires.IsZero() && s.now().After(t.Expires) || !st.allowed(p, actReadShared, "") {
			return false // since it began
		}
		return p.seesAll() || !linked && st.mayHear(p, e)
	}
	past, sub = s.events.subscribe(after)
	return slices.DeleteFunc(past, func(e apitype.Event) bool { return !filter(e) }), sub, filter, nil
}

// Backup writes a consistent copy of the database to w.
func (s *Service) Backup(p Principal, w io.Writer) error {
	if !s.state.Load().allowed(p, actWriteSettings, "") {
		return denied(p, "copy the database")
	}
	return s.db.Backup(w)
}

// Links reports the discovered links between ports p may see.
func (s *Service) Links(p Principal) ([]apitype.Link, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadShared, "") {
		return nil, denied(p, "read links")
	}
	out := []apitype.Link{}
	f := s.links.Load()
	if f == nil {
		return out, nil
	}
	ports := map[string]map[uint32]bool{}
	if !p.seesAll() {
		for _, d := range s.Datapaths(p) {
			ports[d.DPID] = map[uint32]bool{}
			for _, port := range d.Ports {
				ports[d.DPID][port.Number] = true
			}
		}
	}
	for _, l := range (*f)() {
		if p.seesAll() || ports[l.SrcDPID][l.SrcPort] && ports[l.DstDPID][l.DstPort] {
			out = append(out, l)
		}
	}
	return out, nil
}

// SliceHealth reports the sessions of a slice.
func (s *Service) SliceHealth(p Principal, name string) (apitype.SliceHealth, error) {
	sl, err := s.Slice(p, name)
	if err != nil {
		return apitype.SliceHealth{}, err
	}
	h := apitype.SliceHealth{Slice: name, Enabled: sl.Enabled, Rules: s.RuleCounts()[name], Connections: []apitype.SliceConnection{}}
	_, sessions := s.connected()
	for _, sess := range sessions {
		d := sess.Status()
		h.FlowMods += d.FlowMods[name]
		for _, c := range d.Connections {
			if c.Slice == name {
				h.Connections = append(h.Connections, c)
				h.Connected = h.Connected || c.State == "connected"
			}
		}
	}
	return h, nil
}

// SliceStats sums the message counters of a slice over the datapaths.
func (s *Service) SliceStats(p Principal, name string) (apitype.MessageStats, error) {
	out := apitype.MessageStats{Tx: map[string]map[string]uint64{}, Rx: map[string]map[string]uint64{}, Drop: map[string]map[string]uint64{}}
	if _, err := s.Slice(p, name); err != nil {
		return out, err
	}
	_, sessions := s.connected()
	for _, sess := range sessions {
		st := sess.SliceStats(name)
		addStats(out.Tx, st.Tx)
		addStats(out.Rx, st.Rx)
		addStats(out.Drop, st.Drop)
	}
	return out, nil
}

func addStats(to, from map[string]map[string]uint64) {
	for component, counts := range from {
		if to[component] == nil {
			to[component] = map[string]uint64{}
		}
		for typ, n := range counts {
			to[component][typ] += n
		}
	}
}

// Version says which program this is.
func (s *Service) Version() string { return s.opts.Version }

// Health reports on the whole, with what is missing next, for people.
func (s *Service) Health(p Principal) apitype.Health {
	st := s.state.Load()
	_, sessions := s.connected()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	up := s.now().Sub(s.started)
	h := apitype.Health{Status: "ok", Ready: true, Started: s.started.UTC(), Uptime: up.Round(time.Second).String(),
		Datapaths: len(sessions), Goroutines: runtime.NumGoroutine(), MemoryBytes: mem.Alloc, Missing: []string{}, Checks: []apitype.HealthCheck{}}
	visible := s.Slices(p)
	h.Slices = len(visible)
	if p.seesAll() {
		h.Rules = st.flows.Len()
	} else {
		rules, _ := s.Rules(p, RuleFilter{ShowDisabled: true}) // who may not read them is told of none
		h.Rules, h.Datapaths = len(rules), 0
		for _, d := range s.Datapaths(p) {
			if d.Connected {
				h.Datapaths++
			}
		}
	}
	h.Checks = append(h.Checks, apitype.HealthCheck{Name: "database", OK: true, Detail: s.db.Path()})
	if !p.seesAll() {
		h.Checks[0].Detail = ""
	}
	if len(sessions) == 0 {
		h.Missing = append(h.Missing, "no switch is connected: point one at govisor's OpenFlow port")
	}
	if len(st.slices) == 0 {
		h.Missing = append(h.Missing, "there is no slice: fvctl add-slice NAME tcp:HOST:PORT EMAIL")
	}
	s.missingInSlices(p, visible, &h)
	s.controllersAway(p, sessions, &h)
	h.AverageUsec, h.LastUsec = delays(sessions)
	return h
}

// missingInSlices says which slices cannot work yet, and what to do about it, or who can.
func (s *Service) missingInSlices(p Principal, visible []Slice, h *apitype.Health) {
	st, counts := s.state.Load(), s.RuleCounts()
	for i := range visible {
		sl := &visible[i]
		who := "the administrator"
		if st.slices[sl.Creator] != nil {
			who = "who made it"
		}
		switch own := p.Role == RoleSlice; {
		case sl.Enabled && counts[sl.Name] > 0:
		case sl.Enabled && own && !st.allowed(p, actWriteRules, ""):
			h.Missing = append(h.Missing, fmt.Sprintf("slice %s has no flowspace: %s has to give it some", sl.Name, who))
		case sl.Enabled:
			h.Missing = append(h.Missing, fmt.Sprintf("slice %s has no flowspace: fvctl add-flowspace RULE DPID PRIORITY MATCH %s=7", sl.Name, sl.Name))
		case own && !st.mayEnable(p, sl):
			h.Missing = append(h.Missing, fmt.Sprintf("slice %s is disabled: only %s can enable it", sl.Name, who))
		default:
			h.Missing = append(h.Missing, fmt.Sprintf("slice %s is disabled: fvctl update-slice %s --enable-slice", sl.Name, sl.Name))
		}
	}
}

// controllersAway says which controllers are not connected, one a slice.
func (s *Service) controllersAway(p Principal, sessions []Session, h *apitype.Health) {
	st := s.state.Load()
	down := map[string]apitype.SliceConnection{}
	for _, sess := range sessions {
		for _, c := range sess.Status().Connections {
			if c.State != "connected" && c.State != "disabled" && st.allowed(p, actReadSlice, c.Slice) {
				down[c.Slice] = c
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(down)) {
		c := down[name]
		h.Status = "degraded"
		detail := fmt.Sprintf("controller %s of slice %s is not connected", c.Controller, name)
		if !c.Since.IsZero() {
			detail += " since " + c.Since.UTC().Format("2006-01-02 15:04:05")
		}
		if c.LastError != "" {
			detail += ": " + c.LastError
		}
		h.Checks = append(h.Checks, apitype.HealthCheck{Name: "controller " + name, Detail: detail})
		h.Missing = append(h.Missing, detail)
	}
}

// delays are the average time that messages take, and the longest of the times
// measured last on each connection, in microseconds.
func delays(sessions []Session) (average, last float64) {
	var sum, longest time.Duration
	var n uint64
	for _, sess := range sessions {
		m := sess.Metrics()
		for _, l := range []LatencyMetrics{m.FromSwitch, m.FromController} {
			sum, n, longest = sum+l.Sum, n+l.Count, max(longest, l.Last)
		}
	}
	if n > 0 {
		average = float64(sum.Nanoseconds()) / 1e3 / float64(n)
	}
	return average, float64(longest.Nanoseconds()) / 1e3
}
