package hypervisor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// Settings are the settings of the installation.
type Settings struct {
	FlowTracking     bool
	StatsDesc        bool
	Topology         bool
	FlowStatsCache   int // seconds
	DefaultFloodPerm string
	Adoption         string // adopt or flush
	CallbackAllow    string // hosts and networks, separated by commas
	ControllerAllow  string // local controllers that slices' accounts may use, separated by commas
	// LLDPKey authenticates the probes of this installation.
	LLDPKey []byte
}

// datapathConf is what is configured for a datapath, connected or not.
type datapathConf struct {
	floodPerm string // slice, "" for the default
	limits    map[string]Limits
}

// limit is what a slice may do there.
func (d datapathConf) limit(slice string) Limits {
	if l, ok := d.limits[slice]; ok {
		return l
	}
	return noLimits
}

// Version tells a state of the configuration from all others, also from those that were
// lost with a database for which an older copy was put back: revisions come again then.
type Version struct {
	Revision uint64
	Stamp    uint64 // random
}

// state is everything the service knows, immutable once published.
type state struct {
	revision uint64
	stamp    uint64
	// rulesVersion is the one that changed the flowspace last, zero for long ago.
	rulesVersion Version
	slices       map[string]*Slice
	order        []*Slice // by Order
	flows        *flowspace.Snapshot
	owned        map[uint64]struct{} // the rules with an owner
	settings     Settings
	datapaths    map[ofwire.DatapathID]datapathConf
	accounts     map[string]store.Account
	tokens       map[string]store.Token
	callbacks    []store.Callback
}

func (st *state) version() Version { return Version{st.revision, st.stamp} }

// loadState reads everything from the store.
func loadState(db *store.Store) (*state, error) {
	st := &state{slices: map[string]*Slice{}, datapaths: map[ofwire.DatapathID]datapathConf{},
		accounts: map[string]store.Account{}, tokens: map[string]store.Token{}}
	err := db.View(func(tx *store.Tx) error {
		st.revision, st.stamp = tx.Revision(), tx.Stamp()
		st.rulesVersion.Revision, st.rulesVersion.Stamp = tx.RulesRevision()
		for _, load := range [...]func(*store.Tx) error{st.loadSlices, st.loadAccounts, st.loadDatapaths, st.loadSettings, st.loadRules} {
			if err := load(tx); err != nil {
				return err
			}
		}
		return nil
	})
	return st, err
}

func (st *state) loadSlices(tx *store.Tx) error {
	records, err := tx.Slices()
	if err != nil {
		return err
	}
	for _, r := range records {
		s, err := sliceFromRecord(r)
		if err != nil {
			return err
		}
		st.slices[s.Name] = s
	}
	st.sortSlices()
	return nil
}

func (st *state) loadAccounts(tx *store.Tx) error {
	accounts, err := tx.Accounts()
	if err != nil {
		return err
	}
	for _, a := range accounts {
		st.accounts[a.Name] = a
	}
	tokens, err := tx.Tokens()
	if err != nil {
		return err
	}
	for _, t := range tokens {
		st.tokens[t.ID] = t
	}
	return nil
}

func (st *state) loadDatapaths(tx *store.Tx) error {
	dps, err := tx.Datapaths()
	if err != nil {
		return err
	}
	for _, d := range dps {
		conf := datapathConf{d.FloodPerm, map[string]Limits{}}
		for name, l := range d.Limits {
			conf.limits[name] = limitsFromRecord(l)
		}
		st.datapaths[ofwire.DatapathID(d.DPID)] = conf
	}
	return nil
}

func (st *state) loadSettings(tx *store.Tx) (err error) {
	if st.callbacks, err = tx.Callbacks(); err != nil {
		return err
	}
	rec, ok, err := tx.Settings()
	if ok {
		st.settings = Settings(rec)
	}
	return err
}

func (st *state) loadRules(tx *store.Tx) error {
	var mu sync.Mutex
	var batches [][]flowspace.Change
	if err := tx.RuleBatches(func(batch int, records []store.Rule) error {
		part := make([]flowspace.Change, len(records))
		for i := range records {
			rule, err := ruleFromRecord(&records[i])
			if err != nil {
				return err
			}
			part[i] = flowspace.Change{Op: flowspace.Add, Rule: rule}
		}
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, make([][]flowspace.Change, max(0, batch+1-len(batches)))...)
		batches[batch] = part
		return nil
	}); err != nil {
		return err
	}
	changes := slices.Concat(batches...)
	empty := flowspace.New(flowspace.Options{Map: flowspace.Federated, NextID: tx.NextRuleID()})
	flows, _, err := empty.Apply(changes)
	if err != nil {
		return fmt.Errorf("stored flowspace: %w", err)
	}
	st.flows = flows
	st.owned = map[uint64]struct{}{}
	for i := range changes {
		if changes[i].Rule.Owner != "" {
			st.owned[changes[i].Rule.ID] = struct{}{}
		}
	}
	return nil
}

func (st *state) sortSlices() {
	st.order = slices.SortedFunc(maps.Values(st.slices), func(a, b *Slice) int { return cmp.Compare(a.Order, b.Order) })
}

func ruleFromRecord(r *store.Rule) (*flowspace.Rule, error) {
	m, err := matchFromTerms(r.Match)
	if err != nil {
		return nil, fmt.Errorf("stored rule %d: %w", r.ID, err)
	}
	rule := &flowspace.Rule{ID: r.ID, Name: r.Name, Priority: r.Priority, Match: m, Queues: r.Queues, DPIDs: flowspace.AllDPIDs(), Owner: r.Owner}
	if r.DPIDs != nil {
		rule.DPIDs = flowspace.DPIDs(r.DPIDs...)
	}
	rule.Grants = make([]flowspace.Grant, len(r.Grants))
	for i, g := range r.Grants {
		rule.Grants[i] = flowspace.Grant{Slice: g.Slice, Perm: flowspace.Permission(g.Permission)}
	}
	if r.ForcedQueue >= 0 {
		rule.ForcedQueue, rule.HasForcedQueue = uint32(r.ForcedQueue), true
	}
	return rule, nil
}

func recordOf(r *flowspace.Rule) store.Rule {
	rec := store.Rule{ID: r.ID, Name: r.Name, Priority: r.Priority, Match: termsOf(&r.Match), Queues: r.Queues, ForcedQueue: -1, Owner: r.Owner}
	if !r.DPIDs.IsAll() {
		rec.DPIDs = slices.Collect(r.DPIDs.List())
	}
	rec.Grants = make([]store.Grant, len(r.Grants))
	for i, g := range r.Grants {
		rec.Grants[i] = store.Grant{Slice: g.Slice, Permission: uint8(g.Perm)}
	}
	if r.HasForcedQueue {
		rec.ForcedQueue = int64(r.ForcedQueue)
	}
	return rec
}

// setTerms pairs the fields that are sets with their kinds on disk.
func setTerms(m *flowspace.Match) [8]struct {
	kind store.FieldKind
	set  *flowspace.Set
} {
	return [8]struct {
		kind store.FieldKind
		set  *flowspace.Set
	}{
		{store.FieldInPort, &m.InPort}, {store.FieldDLVLAN, &m.DLVLAN}, {store.FieldDLVLANPCP, &m.DLVLANPCP}, {store.FieldDLType, &m.DLType},
		{store.FieldNWTos, &m.NWTos}, {store.FieldNWProto, &m.NWProto}, {store.FieldTPSrc, &m.TPSrc}, {store.FieldTPDst, &m.TPDst},
	}
}

func termsOf(m *flowspace.Match) (out []store.Term) {
	for _, f := range setTerms(m) {
		if f.set.IsAny() {
			continue
		}
		for r := range f.set.Ranges() {
			out = append(out, store.Term{Kind: f.kind, A: uint64(r.Lo), B: uint64(r.Hi)})
		}
	}
	for _, f := range []struct {
		kind store.FieldKind
		m    flowspace.MACMask
	}{{store.FieldDLSrc, m.DLSrc}, {store.FieldDLDst, m.DLDst}} {
		if !f.m.IsAny() {
			out = append(out, store.Term{Kind: f.kind, A: f.m.Addr, B: f.m.Mask})
		}
	}
	for _, f := range []struct {
		kind store.FieldKind
		p    flowspace.Prefix
	}{{store.FieldNWSrc, m.NWSrc}, {store.FieldNWDst, m.NWDst}} {
		if !f.p.IsAny() {
			out = append(out, store.Term{Kind: f.kind, A: uint64(f.p.Addr), B: uint64(f.p.Mask)})
		}
	}
	return out
}

func matchFromTerms(terms []store.Term) (m flowspace.Match, err error) {
	sets := setTerms(&m)
	for len(terms) > 0 {
		t := terms[0]
		n := 1
		for n < len(terms) && terms[n].Kind == t.Kind {
			n++
		}
		switch t.Kind {
		case store.FieldDLSrc:
			m.DLSrc = flowspace.MACMask{Addr: t.A, Mask: t.B}
		case store.FieldDLDst:
			m.DLDst = flowspace.MACMask{Addr: t.A, Mask: t.B}
		case store.FieldNWSrc:
			m.NWSrc = flowspace.Prefix{Addr: uint32(t.A), Mask: uint32(t.B)}
		case store.FieldNWDst:
			m.NWDst = flowspace.Prefix{Addr: uint32(t.A), Mask: uint32(t.B)}
		default:
			i := slices.IndexFunc(sets[:], func(s struct {
				kind store.FieldKind
				set  *flowspace.Set
			}) bool {
				return s.kind == t.Kind
			})
			if i < 0 {
				return m, fmt.Errorf("unknown field kind %d", t.Kind)
			}
			ranges := make([]flowspace.Range, n)
			for j := range ranges {
				ranges[j] = flowspace.Range{Lo: uint32(terms[j].A), Hi: uint32(terms[j].B)}
			}
			set, ok := flowspace.SetOf(ranges...)
			if !ok {
				return m, fmt.Errorf("field kind %d is empty", t.Kind)
			}
			*sets[i].set = set
		}
		terms = terms[n:]
	}
	return m, nil
}
