package hypervisor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// mostFaults bounds a report.
const mostFaults = 1000

// applier turns a configuration into a change, and gathers faults.
type applier struct {
	c      *change
	cfg    apitype.Config
	o      ApplyOptions
	hashes map[string]string // by slice, of passwords to set
	was    *state            // before
	// modules refuses controllers that this program does not have
	modules func(urls []string) error

	places map[*flowspace.Rule]int // of the rules in the configuration
	items  []apitype.DiffItem
	faults []apitype.Fault
	total  int // of faults, reported or not
}

func (a *applier) fault(section string, index int, err error) {
	a.total++
	if len(a.faults) == mostFaults {
		return
	}
	f := apitype.Fault{Index: index, Field: fmt.Sprintf("%s[%d]", section, index), Detail: err.Error()}
	if e, ok := errors.AsType[*Error](err); ok {
		f.Value, f.Detail, f.Hint = e.Value, e.Detail, e.Hint
		if e.Field != "" {
			f.Field += "." + e.Field
		}
	}
	a.faults = append(a.faults, f)
}

func (a *applier) differ(op, kind, name, before, after string) {
	a.items = append(a.items, apitype.DiffItem{Op: op, Kind: kind, Name: name, Before: before, After: after})
}

func (a *applier) run() error {
	if v := a.cfg.Version; v != 0 && v != apitype.ConfigVersion {
		return invalid("govisor_config", fmt.Sprint(v), fmt.Sprintf("configuration format %d is not known", v), fmt.Sprintf("this govisor reads %d", apitype.ConfigVersion))
	}
	a.slices()
	a.accounts()
	a.callbacks()
	a.tokens()
	changes := a.rules()
	a.datapaths()
	a.settings()
	if a.total == 0 && len(changes) > 0 {
		affected, err := a.c.applyRules(changes)
		if err != nil {
			e := FromFlowspace(err)
			a.fault("flowspace", a.placeOf(changes, e.Index), e)
		} else if i, err := a.c.st.checkDelegated(changes, affected.Rules); err != nil {
			a.fault("flowspace", a.placeOf(changes, i), err)
		}
	}
	if a.total == 0 {
		a.removeSlices()
	}
	if a.total > 0 {
		detail := fmt.Sprintf("the configuration has %d faults; nothing was changed", a.total)
		if a.total == 1 {
			detail = fmt.Sprintf("the configuration has a fault: %s: %s; nothing was changed", a.faults[0].Field, a.faults[0].Detail)
		}
		return &Error{Kind: apitype.KindInvalid, Detail: detail, Faults: a.faults, Index: -1}
	}
	if len(a.items) > 0 {
		a.c.event(EventConfigImported, "", "", fmt.Sprintf("%d differences", len(a.items)))
	}
	return nil
}

func (a *applier) slices() {
	seen := map[string]bool{}
	for i, want := range a.cfg.Slices {
		if seen[want.Name] {
			a.fault("slices", i, conflict("name", want.Name, fmt.Sprintf("slice %q is there twice", clip(want.Name)), ""))
			continue
		}
		seen[want.Name] = true
		if err := a.slice(want); err != nil {
			a.fault("slices", i, err)
		}
	}
	for i, want := range a.cfg.Slices {
		a.creator(i, want.Name)
	}
}

// creator looks at who made a slice, once all of them are there. A slice that is not
// there made nothing: otherwise one that gets its name later would have power over it.
func (a *applier) creator(i int, name string) {
	sl := a.c.st.slices[name]
	switch {
	case sl == nil: // it has a fault of its own
	case a.c.st.descends(name, name):
		a.fault("slices", i, invalid("creator", sl.Creator, fmt.Sprintf("slice %q would have been made by a slice that it made", clip(name)), ""))
	case sl.Creator != AdminName && a.c.st.slices[sl.Creator] == nil:
		adopted := *sl
		adopted.Creator = AdminName
		a.c.putSlice(&adopted)
	}
}

func (a *applier) slice(want apitype.SliceConfig) error {
	patch := SlicePatch{Controllers: want.Controllers, Contact: &want.Contact, DropPolicy: want.DropPolicy, RecvLLDP: want.RecvLLDP,
		Strict: want.Strict, Enabled: want.Enabled,
		LimitsPatch: LimitsPatch{FlowModLimit: want.FlowModLimit, RateLimit: want.RateLimit, FlowModRate: want.FlowModRate, PacketInRate: want.PacketInRate}}
	if err := a.modules(want.Controllers); err != nil {
		return err
	}
	hash := a.hashes[want.Name]
	if want.PasswordHash != "" {
		if !validHash(want.PasswordHash) {
			return invalid("password_hash", "", "the password hash cannot be read", "")
		}
		hash = want.PasswordHash
	}
	old := a.c.st.slices[want.Name]
	if old == nil {
		if err := a.c.createSlice(SliceSpec{Name: want.Name, SlicePatch: patch}, hash); err != nil {
			return err
		}
		made := a.c.st.slices[want.Name]
		if want.Creator != "" && want.Creator != made.Creator {
			adopted := *made
			adopted.Creator = want.Creator
			a.c.putSlice(&adopted)
		}
		a.differ("add", "slice", want.Name, "", a.c.st.slices[want.Name].text())
		return nil
	}
	next, err := old.with(patch)
	if err != nil {
		return err
	}
	if want.Creator != "" {
		next.Creator = want.Creator
	}
	if next.text() != old.text() || next.Creator != old.Creator {
		a.c.putSlice(&next)
		a.c.touchSlice(next.Name)
		a.c.event(EventSliceUpdated, "", next.Name, "")
		a.differ("change", "slice", want.Name, old.text(), next.text())
	}
	if acc := a.c.st.accounts[want.Name]; hash != "" && hash != acc.Hash {
		acc.Hash = hash
		a.c.putAccount(acc)
		a.differ("change", "password", want.Name, "", "")
	}
	return nil
}

// text is everything that can be configured about a slice, for people and to compare.
func (s *Slice) text() string {
	return fmt.Sprintf("%s contact=%q drop_policy=%s recv_lldp=%v strict=%v enabled=%v %v",
		controllersText(s.Controllers), s.Contact, s.DropPolicy, s.RecvLLDP, s.Strict, s.Enabled, s.Limits)
}

func (a *applier) removeSlices() {
	if !a.o.Prune || a.cfg.Slices == nil && !a.o.Replace {
		return
	}
	for _, sl := range slices.Clone(a.c.st.order) {
		if slices.ContainsFunc(a.cfg.Slices, func(w apitype.SliceConfig) bool { return w.Name == sl.Name }) {
			continue
		}
		before := sl.text()
		if err := a.c.removeSlice(sl.Name); err != nil {
			a.fault("slices", -1, err)
		}
		a.differ("remove", "slice", sl.Name, before, "")
	}
}

func (a *applier) accounts() {
	for i, want := range a.cfg.Accounts {
		old, ok := a.c.st.accounts[want.Name]
		switch {
		case !validHash(want.PasswordHash):
			a.fault("accounts", i, invalid("password_hash", "", "the password hash cannot be read", ""))
		case want.Role != string(RoleAdmin) && want.Role != string(RoleViewer) || (want.Role == string(RoleAdmin)) != (want.Name == AdminName):
			a.fault("accounts", i, invalid("role", want.Role, fmt.Sprintf("%s cannot have the role %q", clip(want.Name), clip(want.Role)), ""))
		case checkName("name", want.Name) != nil:
			a.fault("accounts", i, checkName("name", want.Name))
		case ok && old.Role == string(RoleSlice):
			a.fault("accounts", i, conflict("name", want.Name, fmt.Sprintf("%s is a slice's account", want.Name), ""))
		case old.Hash != want.PasswordHash:
			a.c.putAccount(store.Account{Name: want.Name, Role: want.Role, Hash: want.PasswordHash})
			a.differ(map[bool]string{true: "change", false: "add"}[ok], "account", want.Name, "", want.Role)
		}
	}
	if !a.o.Replace || a.cfg.Accounts == nil {
		return
	}
	for name, acc := range a.was.accounts {
		if acc.Role == string(RoleViewer) && !slices.ContainsFunc(a.cfg.Accounts, func(w apitype.AccountConfig) bool { return w.Name == name }) {
			delete(a.c.st.accounts, name)
			a.c.write(func(tx *store.Tx) error { return tx.DeleteAccount(name) })
			a.c.dropTokens(name)
			a.differ("remove", "account", name, acc.Role, "")
		}
	}
}

// rules compares by name; a rule without one is compared by what it says.
func (a *applier) rules() []flowspace.Change {
	if a.cfg.Flowspace == nil && !a.o.Replace {
		return nil
	}
	old := a.c.st.flows
	unnamed := map[string][]*flowspace.Rule{}
	named := make(map[string]bool, len(a.cfg.Flowspace))
	for _, w := range a.cfg.Flowspace {
		named[w.Name] = true
	}
	old.Each(func(r *flowspace.Rule) bool {
		if !named[r.Name] {
			unnamed[ruleContent(r)] = append(unnamed[ruleContent(r)], r)
		}
		return true
	})
	kept := make(map[uint64]bool, old.Len())
	a.places = make(map[*flowspace.Rule]int, len(a.cfg.Flowspace))
	var updates, adds []flowspace.Change
	seen := make(map[string]bool, len(a.cfg.Flowspace))
	for i := range a.cfg.Flowspace {
		want, err := a.wanted(&a.cfg.Flowspace[i], seen)
		if err != nil {
			a.fault("flowspace", i, err)
			continue
		}
		a.places[want] = i
		have := old.RuleByName(want.Name)
		if want.Name == "" {
			key := ruleContent(want)
			if same := unnamed[key]; len(same) > 0 {
				unnamed[key] = same[1:]
				kept[same[0].ID] = true
				continue
			}
		}
		if have == nil {
			adds = append(adds, flowspace.Change{Op: flowspace.Add, Rule: want})
			continue
		}
		kept[have.ID] = true
		want.ID = have.ID
		if !have.Equal(want) {
			updates = append(updates, flowspace.Change{Op: flowspace.Update, Rule: want})
			a.differ("change", "rule", want.Name, have.String(), want.String())
		}
	}
	removes := a.prune(kept)
	a.number(adds, kept)
	return slices.Concat(removes, updates, adds)
}

// placeOf returns which rule of the configuration the i-th change is for, -1 if none.
func (a *applier) placeOf(changes []flowspace.Change, i int) int {
	if i < 0 {
		return i
	}
	place, ok := a.places[changes[i].Rule]
	if !ok {
		return -1
	}
	return place
}

// prune removes the rules that are not kept; where that was not asked for, all are kept.
func (a *applier) prune(kept map[uint64]bool) (removes []flowspace.Change) {
	a.c.st.flows.Each(func(r *flowspace.Rule) bool {
		if a.o.Prune && !kept[r.ID] {
			removes = append(removes, flowspace.Change{Op: flowspace.Remove, Rule: r})
			a.differ("remove", "rule", r.Name, r.String(), "")
		} else {
			kept[r.ID] = true
		}
		return true
	})
	return removes
}

// number leaves new rules the numbers they come with where they are free. These rules
// are first then, so that no other gets such a number meanwhile.
func (a *applier) number(adds []flowspace.Change, kept map[uint64]bool) {
	for _, ch := range adds {
		if id := ch.Rule.ID; id != 0 && (kept[id] || id >= 1<<62) {
			ch.Rule.ID = 0
		} else if id != 0 {
			kept[id] = true
		}
		a.differ("add", "rule", ch.Rule.Name, "", ch.Rule.String())
	}
	slices.SortStableFunc(adds, func(x, y flowspace.Change) int {
		return boolOrder(x.Rule.ID == 0, y.Rule.ID == 0)
	})
}

func boolOrder(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

// ruleContent is what a rule says, without id and name.
func ruleContent(r *flowspace.Rule) string {
	c := *r
	c.ID, c.Name = 0, ""
	return c.String() + c.Owner
}

func (a *applier) wanted(in *apitype.RuleCreate, seen map[string]bool) (*flowspace.Rule, error) {
	r, err := RuleFromConfig(in)
	if err != nil {
		return nil, err
	}
	if r.Name != "" {
		if seen[r.Name] {
			return nil, conflict("name", r.Name, fmt.Sprintf("rule %q is there twice", clip(r.Name)), "")
		}
		seen[r.Name] = true
	}
	if err := a.c.checkNew(r); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, FromFlowspace(err)
	}
	return r, nil
}

// RuleFromConfig reads a rule as a configuration or a request writes it.
func RuleFromConfig(in *apitype.RuleCreate) (*flowspace.Rule, error) {
	r := &flowspace.Rule{ID: in.ID, Name: in.Name, Priority: in.Priority, Queues: in.Queues, Owner: in.Owner}
	for _, g := range in.Grants {
		r.Grants = append(r.Grants, flowspace.Grant{Slice: g.Slice, Perm: flowspace.Permission(g.Permission)})
	}
	var err error
	if r.DPIDs, err = ParseDPIDs(in.DPIDs); err != nil {
		return nil, err
	}
	if r.Match, err = ParseMatch(in.Match); err != nil {
		return nil, err
	}
	if in.ForcedQueue != nil {
		r.ForcedQueue, r.HasForcedQueue = *in.ForcedQueue, true
	}
	return r, nil
}

// ParseDPIDs reads the datapaths of a request.
func ParseDPIDs(texts []string) (flowspace.DPIDSet, error) {
	if len(texts) == 0 {
		return flowspace.DPIDSet{}, invalid("dpids", "", "dpids names no datapath", `write "any" for every datapath`)
	}
	d, err := flowspace.ParseDPIDs(strings.Join(texts, "|"))
	if err != nil {
		e := FromFlowspace(err)
		e.Field = "dpids"
		return d, e
	}
	return d, nil
}

// ParseMatch reads the match of a request; it must be there.
func ParseMatch(m apitype.Match) (flowspace.Match, error) {
	if m == "" {
		return flowspace.Match{}, invalid("match", "", "match is missing", `write "any" to match everything`)
	}
	out, err := flowspace.ParseMatch(string(m))
	if err != nil {
		e := FromFlowspace(err)
		if e.Field != "match" {
			e.Field = strings.TrimSuffix("match."+e.Field, ".")
		}
		return out, e
	}
	return out, nil
}

func (a *applier) datapaths() {
	if a.cfg.Datapaths == nil && !a.o.Replace {
		return
	}
	want := map[ofwire.DatapathID]datapathConf{}
	for i, d := range a.cfg.Datapaths {
		id, err := ofwire.ParseDatapathID(d.DPID)
		if err != nil {
			a.fault("datapaths", i, invalid("dpid", d.DPID, err.Error(), ""))
			continue
		}
		if _, twice := want[id]; twice {
			a.fault("datapaths", i, conflict("dpid", d.DPID, "datapath "+id.String()+" is there twice", ""))
			continue
		}
		want[id] = a.datapath(i, &d)
	}
	if a.o.Prune {
		for id := range a.c.st.datapaths {
			if _, ok := want[id]; !ok {
				want[id] = datapathConf{}
			}
		}
	}
	for id, conf := range want {
		old, known := a.c.st.datapaths[id]
		before, after := old.text(), conf.text()
		if before == after {
			continue
		}
		op := "change"
		if !known {
			op = "add"
		} else if after == (datapathConf{}).text() {
			op = "remove"
		}
		a.c.putDatapath(id, conf)
		a.differ(op, "datapath", id.String(), before, after)
	}
}

// datapath reads what is declared of the i-th datapath.
func (a *applier) datapath(i int, d *apitype.DatapathConfig) datapathConf {
	conf := datapathConf{floodPerm: d.FloodPerm, limits: map[string]Limits{}}
	if d.FloodPerm != "" && d.FloodPerm != AdminName && a.c.st.slices[d.FloodPerm] == nil {
		a.fault("datapaths", i, invalid("flood_perm", d.FloodPerm, fmt.Sprintf("unknown slice %q", clip(d.FloodPerm)), ""))
	}
	for _, l := range d.Limits {
		if a.c.st.slices[l.Slice] == nil {
			a.fault("datapaths", i, invalid("limits", l.Slice, fmt.Sprintf("unknown slice %q", clip(l.Slice)), ""))
		}
		l.FlowModRate, l.PacketInRate = orNone(l.FlowModRate), orNone(l.PacketInRate)
		limit, err := noLimits.with(LimitsPatch{&l.FlowModLimit, &l.RateLimit, &l.FlowModRate, &l.PacketInRate}, "limits.")
		if err != nil {
			a.fault("datapaths", i, err)
		}
		if limit != noLimits {
			conf.limits[l.Slice] = limit
		}
	}
	return conf
}

func (d datapathConf) text() string {
	return fmt.Sprintf("flood_perm=%q limits=%v", d.floodPerm, d.limits) // maps print in order of key
}

func (a *applier) settings() {
	want := a.cfg.Settings
	if want == nil {
		return
	}
	if *want == *a.c.st.settingsOut() {
		return
	}
	before := fmt.Sprintf("%+v", *a.c.st.settingsOut())
	if err := a.c.patchSettings(SettingsPatch{&want.FlowTracking, &want.StatsDesc, &want.Topology, &want.FlowStatsCache, &want.DefaultFloodPerm, &want.Adoption,
		&want.CallbackAllow, &want.ControllerAllow}); err != nil {
		a.fault("settings", 0, err)
		return
	}
	a.differ("change", "settings", "settings", before, fmt.Sprintf("%+v", *want))
}
