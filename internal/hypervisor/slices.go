package hypervisor

import (
	"context"
	"fmt"
	"strings"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
)

// SliceSpec asks for a slice.
type SliceSpec struct {
	Name     string
	Password string // empty: nobody can log in as the slice
	SlicePatch
}

// Slices returns the slices p may see, in order of creation.
func (s *Service) Slices(p Principal) []Slice {
	st := s.state.Load()
	out := []Slice{}
	for _, sl := range st.order {
		if st.allowed(p, actReadSlice, sl.Name) {
			out = append(out, *sl)
		}
	}
	return out
}

// Slice returns one slice. For who may not see it, it does not exist.
func (s *Service) Slice(p Principal, name string) (Slice, error) {
	st := s.state.Load()
	sl := st.slices[name]
	if sl == nil || !st.allowed(p, actReadSlice, name) {
		return Slice{}, notFound("slice", name)
	}
	return *sl, nil
}

// CreateSlice makes a slice and its account.
func (s *Service) CreateSlice(ctx context.Context, p Principal, spec SliceSpec) (Slice, error) {
	hash := ""
	if spec.Password != "" {
		if err := checkPassword(spec.Password); err != nil {
			return Slice{}, err
		}
		if !s.state.Load().allowed(p, actCreateSlice, "") { // before paying for a hash
			s.refused(request{by: p, action: "create slices", target: spec.Name}, "not permitted")
			return Slice{}, denied(p, "create slices")
		}
		var err error
		if hash, err = s.hasher.hash(ctx, spec.Password); err != nil {
			return Slice{}, err
		}
	}
	if err := s.checkModules(p, spec.Controllers); err != nil {
		return Slice{}, err
	}
	r := request{by: p, act: actCreateSlice, action: "create-slice", target: spec.Name}
	st, err := s.do(ctx, r, func(c *change) error { return c.createSlice(spec, hash) })
	if err != nil {
		return Slice{}, err
	}
	return *st.slices[spec.Name], nil
}

func (c *change) createSlice(spec SliceSpec, hash string) error {
	if err := checkName("name", spec.Name); err != nil {
		return err
	}
	if c.st.slices[spec.Name] != nil || c.st.accounts[spec.Name].Name != "" || spec.Name == AdminName {
		return conflict("name", spec.Name, fmt.Sprintf("slice %q already exists", spec.Name), "choose another name, or change the slice")
	}
	if spec.Controllers == nil {
		spec.Controllers = []string{}
	}
	sl, err := Slice{Name: spec.Name, DropPolicy: DropExact, Enabled: true, Limits: noLimits,
		Creator: c.by.Account, Created: c.now.UTC()}.with(spec.SlicePatch)
	if err != nil {
		return err
	}
	if err := c.checkTargets(nil, &sl); err != nil {
		return err
	}
	if err := c.checkSubSlice(&sl); err != nil {
		return err
	}
	sl.Order = 1
	if n := len(c.st.order); n > 0 {
		sl.Order = c.st.order[n-1].Order + 1
	}
	sl.Generation = c.st.revision + 1
	c.putSlice(&sl)
	c.putAccount(store.Account{Name: sl.Name, Role: string(RoleSlice), Hash: hash})
	c.event(EventSliceCreated, "", sl.Name, "")
	c.detail = "controllers " + controllersText(sl.Controllers)
	return nil
}

func controllersText(cs []Controller) string {
	texts := make([]string, len(cs))
	for i, c := range cs {
		texts[i] = c.String()
	}
	return strings.Join(texts, ",")
}

// checkModules refuses controllers that are not linked into this program. What is
// wrong with a URL otherwise, or not permitted, is told later.
func (s *Service) checkModules(p Principal, urls []string) error {
	if s.opts.CheckModule == nil {
		return nil
	}
	list, err := parseControllers(urls)
	if err != nil {
		return nil //nolint:nilerr // the change itself refuses it, with its place
	}
	st := s.state.Load()
	for _, c := range list {
		if c.Target.Scheme != "module" || !st.mayUse(p, c.Target) {
			continue
		}
		if err := s.opts.CheckModule(c.Target.Name); err != nil {
			return invalid("controllers", c.String(), fmt.Sprintf("controller %s: %v", c, err), "")
		}
	}
	return nil
}

// UpdateSlice changes a slice. check, if not nil, sees the present one first.
func (s *Service) UpdateSlice(ctx context.Context, p Principal, name string, patch SlicePatch, check func(Slice) error) (Slice, error) {
	if _, err := s.Slice(p, name); err != nil {
		return Slice{}, err
	}
	if err := s.checkModules(p, patch.Controllers); err != nil {
		return Slice{}, err
	}
	r := request{by: p, act: actWriteSlice, slice: name, action: "update-slice", target: name}
	st, err := s.do(ctx, r, func(c *change) error {
		old, err := c.checkedSlice(name, check)
		if err != nil {
			return err
		}
		return c.updateSlice(old, patch)
	})
	if err != nil {
		return Slice{}, err
	}
	return *st.slices[name], nil
}

func (c *change) updateSlice(old *Slice, patch SlicePatch) error {
	next, err := old.with(patch)
	if err != nil {
		return err
	}
	if err := c.checkTargets(old, &next); err != nil {
		return err
	}
	if !c.st.mayEnable(c.by, old) {
		if next.Enabled && !old.Enabled {
			return denied(c.by, "enable its own slice, which somebody else disabled")
		}
		next.DisabledBy = old.DisabledBy
	} else if patch.Enabled != nil && !next.Enabled && c.by.Role != RoleAdmin {
		next.DisabledBy = c.by.Account
	}
	if !c.st.allowed(c.by, actGovernSlice, old.Name) && old.Limits.raises(next.Limits) {
		return denied(c.by, "raise its own limits")
	}
	if c.by.Role == RoleSlice && next.Name != c.by.Account {
		if err := c.checkLimits(next.Limits); err != nil {
			return err
		}
	}
	c.putSlice(&next)
	c.touchSlice(next.Name)
	c.event(EventSliceUpdated, "", next.Name, "")
	c.detail = fmt.Sprintf("controllers %s, drop policy %s, lldp %v, strict %v, enabled %v, %v",
		controllersText(next.Controllers), next.DropPolicy, next.RecvLLDP, next.Strict, next.Enabled, next.Limits)
	return nil
}

// mayEnable reports whether p may start a slice that is stopped: whoever governs it, and
// the slice itself, if it stopped itself.
func (st *state) mayEnable(p Principal, s *Slice) bool {
	return st.allowed(p, actGovernSlice, s.Name) || st.allowed(p, actWriteSlice, s.Name) && (s.Enabled || s.DisabledBy == p.Account)
}

// checkedSlice returns a slice that is as check, if there is one, wants it.
func (c *change) checkedSlice(name string, check func(Slice) error) (*Slice, error) {
	old := c.st.slices[name]
	if old == nil {
		return nil, notFound("slice", name)
	}
	if check != nil {
		return old, check(*old)
	}
	return old, nil
}

// RemoveSlice removes a slice with everything that is its own: account, tokens,
// limits, flood permission, its part in rules, and rules that are only its.
func (s *Service) RemoveSlice(ctx context.Context, p Principal, name string, check func(Slice) error) error {
	if _, err := s.Slice(p, name); err != nil {
		return err
	}
	r := request{by: p, act: actRemoveSlice, slice: name, action: "remove-slice", target: name}
	_, err := s.do(ctx, r, func(c *change) error {
		if _, err := c.checkedSlice(name, check); err != nil {
			return err
		}
		return c.removeSlice(name)
	})
	return err
}

func (c *change) removeSlice(name string) error {
	heir := c.st.slices[name].Creator
	if heir == name || c.st.slices[heir] == nil {
		heir = AdminName
	}
	c.touchSlice(name)
	if err := c.revokeGrants(name); err != nil {
		return err
	}
	delete(c.st.slices, name)
	c.st.sortSlices()
	c.limits = true
	delete(c.st.accounts, name)
	c.write(func(tx *store.Tx) error {
		if err := tx.DeleteSlice(name); err != nil {
			return err
		}
		return tx.DeleteAccount(name)
	})
	var made []string
	for _, s := range c.st.order { // what it made and can stand alone belongs to its creator now
		if s.Creator == name {
			adopted := *s
			adopted.Creator = heir
			c.putSlice(&adopted)
			made = append(made, s.Name)
		}
	}
	c.dropTokens(name)
	for id, d := range c.st.datapaths {
		if _, limited := d.limits[name]; limited || d.floodPerm == name {
			c.setLimit(id, name, nil)
		}
	}
	if c.st.settings.DefaultFloodPerm == name {
		c.putSettings(func(set *Settings) { set.DefaultFloodPerm = AdminName })
	}
	c.event(EventSliceRemoved, "", name, "")
	if err := c.withdraw(); err != nil {
		return err
	}
	for _, sub := range made {
		if c.declared || c.st.slices[sub] == nil || c.st.hasRule(sub) {
			continue
		}
		c.note("slice " + sub + " went with it")
		if err := c.removeSlice(sub); err != nil {
			return err
		}
	}
	return nil
}

// revokeGrants takes a slice out of all rules.
func (c *change) revokeGrants(name string) error {
	var changes []flowspace.Change
	c.st.flows.Each(func(r *flowspace.Rule) bool {
		if r.Permission(name) == 0 {
			return true
		}
		rest := *r
		rest.Grants = nil
		for _, g := range r.Grants {
			if g.Slice != name {
				rest.Grants = append(rest.Grants, g)
			}
		}
		if len(rest.Grants) == 0 {
			changes = append(changes, flowspace.Change{Op: flowspace.Remove, Rule: r})
		} else {
			changes = append(changes, flowspace.Change{Op: flowspace.Update, Rule: &rest})
		}
		return true
	})
	if len(changes) == 0 {
		return nil
	}
	_, err := c.applyRules(changes)
	return err
}

// RuleCounts returns how many rules grant each slice anything. The map is shared
// and must not be changed.
func (s *Service) RuleCounts() map[string]int {
	flows := s.state.Load().flows
	if c := s.counts.Load(); c != nil && c.flows == flows {
		return c.bySlice
	}
	c := &ruleCounts{flows: flows, bySlice: map[string]int{}}
	flows.Each(func(r *flowspace.Rule) bool {
		for i := range r.Grants {
			c.bySlice[r.Grants[i].Slice]++
		}
		return true
	})
	s.counts.Store(c)
	return c.bySlice
}

// ruleCounts is what RuleCounts found in one flowspace.
type ruleCounts struct {
	flows   *flowspace.Snapshot
	bySlice map[string]int
}
