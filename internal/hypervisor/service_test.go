package hypervisor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

func openService(t *testing.T, dir string) *Service {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, AdminPassword: "admin-password"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newService(t *testing.T) *Service {
	t.Helper()
	s := openService(t, t.TempDir())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustSlice(t *testing.T, s *Service, name string) {
	t.Helper()
	if _, err := s.CreateSlice(t.Context(), Local(), SliceSpec{Name: name, SlicePatch: SlicePatch{Controllers: []string{"tcp:h:1"}}}); err != nil {
		t.Fatal(err)
	}
}

func mustRule(t *testing.T, s *Service, name, dpids, match, grants string) *flowspace.Rule {
	t.Helper()
	m, err1 := flowspace.ParseMatch(match)
	d, err2 := flowspace.ParseDPIDs(dpids)
	g, err3 := flowspace.ParseGrants(grants)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	res, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Add, Rule: &flowspace.Rule{Name: name, DPIDs: d, Match: m, Grants: g, Priority: 5}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	return res.Rules[0]
}

// mustPrioRule adds a rule for every datapath that gives one slice everything.
func mustPrioRule(t *testing.T, s *Service, name string, prio uint32, match, slice string) {
	t.Helper()
	m, err := flowspace.ParseMatch(match)
	if err != nil {
		t.Fatal(err)
	}
	r := &flowspace.Rule{Name: name, DPIDs: flowspace.AllDPIDs(), Priority: prio, Match: m, Grants: []flowspace.Grant{{Slice: slice, Perm: 7}}}
	if _, err := s.ChangeRules(t.Context(), Local(), []RuleChange{{Op: flowspace.Add, Rule: r}}, false); err != nil {
		t.Fatal(err)
	}
}

// fakeSession remembers what it was told.
type fakeSession struct {
	mu    sync.Mutex
	seen  []*DatapathConfig
	dead  bool
	ended string
	st    apitype.Datapath
	m     DatapathMetrics
	flows []apitype.Flow
}

var _ Session = (*fakeSession)(nil)

func (f *fakeSession) Apply(c *DatapathConfig) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, c)
	done := make(chan struct{})
	close(done)
	return done
}
func (f *fakeSession) last() *DatapathConfig {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) == 0 {
		return nil
	}
	return f.seen[len(f.seen)-1]
}
func (f *fakeSession) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}
func (f *fakeSession) Status() apitype.Datapath               { return f.st }
func (f *fakeSession) Stats() apitype.MessageStats            { return apitype.MessageStats{} }
func (f *fakeSession) Metrics() DatapathMetrics               { return f.m }
func (f *fakeSession) SliceStats(string) apitype.MessageStats { return apitype.MessageStats{} }
func (f *fakeSession) Flows(context.Context) ([]apitype.Flow, error) {
	return []apitype.Flow{}, nil
}
func (f *fakeSession) SliceFlows(_ context.Context, slice string) ([]apitype.Flow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []apitype.Flow{}
	for _, flow := range f.flows {
		if flow.Slice == slice {
			out = append(out, flow)
		}
	}
	return out, nil
}
func (f *fakeSession) TraceFlowMod(string, string) ([]apitype.Flow, error) { return nil, nil }
func (f *fakeSession) Alive() bool                                         { return !f.dead }
func (f *fakeSession) Disconnect(reason string)                            { f.ended = reason }

func names(c *DatapathConfig) (out []string) {
	for _, s := range c.Slices {
		out = append(out, s.Name)
	}
	return out
}

func TestSessionsFollowChanges(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	one, two := &fakeSession{}, &fakeSession{}
	cfg, err := s.Attach(1, one)
	if err != nil || len(cfg.Slices) != 0 || cfg.DPID != 1 {
		t.Fatalf("first configuration: %+v, %v", cfg, err)
	}
	if _, err := s.Attach(2, two); err != nil {
		t.Fatal(err)
	}
	mustSlice(t, s, "b")
	mustSlice(t, s, "a")
	if one.count() != 0 {
		t.Error("a slice without rules was announced")
	}
	mustRule(t, s, "r1", "1", "any", "a=7")
	if one.count() != 1 || two.count() != 0 {
		t.Errorf("a rule for datapath 1 was told %d and %d times", one.count(), two.count())
	}
	mustRule(t, s, "r2", "any", "in_port=2", "b=7,a=2")
	if got := names(two.last()); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("slices on 2 = %v", got)
	}
	before := one.last().Slice("a")
	off, drop := false, "rule"
	if _, err := s.UpdateSlice(ctx, Local(), "b", SlicePatch{Enabled: &off}, nil); err != nil {
		t.Fatal(err)
	}
	if got := names(two.last()); !slices.Equal(got, []string{"a"}) {
		t.Errorf("slices on 2 after disabling b = %v", got)
	}
	limit := 5
	if _, err := s.UpdateSlice(ctx, Local(), "a", SlicePatch{DropPolicy: &drop, LimitsPatch: LimitsPatch{FlowModLimit: &limit}}, nil); err != nil {
		t.Fatal(err)
	}
	now := one.last().Slice("a")
	if now.DropPolicy != DropRule || now.Limits != before.Limits || now.Limits.Flows.Limit() != 5 {
		t.Errorf("changed slice: %+v", now)
	}
	if one.last().Slice("a").Limits != two.last().Slice("a").Limits || one.last().Slice("a").DatapathLimits == two.last().Slice("a").DatapathLimits {
		t.Error("the limits over all datapaths are shared, those on one are not")
	}
	gen := now.Generation
	if err := s.RemoveSlice(ctx, Local(), "a", nil); err != nil {
		t.Fatal(err)
	}
	if got := names(one.last()); len(got) != 0 {
		t.Errorf("slices on 1 after removing a = %v", got)
	}
	mustSlice(t, s, "a")
	mustRule(t, s, "r1", "1", "any", "a=7")
	again := one.last().Slice("a")
	if again.Generation == gen || again.Limits == now.Limits || again.Limits.Flows.Limit() != -1 {
		t.Errorf("slice a was not made anew: %+v", again)
	}
	s.Detach(1, one)
	n := one.count()
	mustRule(t, s, "r3", "1", "any", "a=7")
	if one.count() != n {
		t.Error("a detached session was told")
	}
}

func TestDuplicateDatapath(t *testing.T) {
	t.Parallel()
	s := newService(t)
	old, newcomer := &fakeSession{}, &fakeSession{}
	if _, err := s.Attach(7, old); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Attach(7, newcomer); !errors.Is(err, ErrDuplicate) || old.ended != "" {
		t.Errorf("second connection: %v, old ended %q", err, old.ended)
	}
	old.dead = true
	if _, err := s.Attach(7, newcomer); err != nil || old.ended == "" {
		t.Errorf("second connection while the old is dead: %v, old ended %q", err, old.ended)
	}
	s.Detach(7, old) // late
	if s.session(7) != Session(newcomer) {
		t.Error("the old session's end took the new one away")
	}
}

// TestRestart checks that everything is there after a restart.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	s := openService(t, dir)
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	mustRule(t, s, "every", "any", "any", "a=2")
	gone := mustRule(t, s, "gone", "1", "any", "a=2")
	mustRule(t, s, "full", "1|0xffffffffffffffff",
		"in_port=1|3|7-9,dl_src=00:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,dl_vlan=100-199|300,dl_vlan_pcp=3,dl_type=0x800,nw_src=10.0.0.0/8,nw_dst=1.2.3.4,nw_tos=8,nw_proto=6,tp_src=80,tp_dst=1-65535", "a=7,b=4")
	if _, err := s.ChangeRules(ctx, Local(), []RuleChange{{Op: flowspace.Remove, Ref: "gone"},
		{Op: flowspace.Update, Ref: "full", Patch: RulePatch{Queues: &[]uint32{3, 1}, ForcedQueue: new(int64(9))}}}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetLimits(ctx, Local(), 5, "a", LimitsPatch{FlowModLimit: new(10), RateLimit: new(20), FlowModRate: new(30), PacketInRate: new(40)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateSettings(ctx, Local(), SettingsPatch{FlowTracking: new(true)}); err != nil {
		t.Fatal(err)
	}
	token, err := s.CreateToken(ctx, Local(), apitype.TokenCreate{Name: "t", Account: "a"})
	if err != nil {
		t.Fatal(err)
	}
	before := s.state.Load()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openService(t, dir)
	defer s.Close()
	after := s.state.Load()
	if diff := cmp.Diff(ruleTexts(before), ruleTexts(after)); diff != "" {
		t.Errorf("rules (-before +after):\n%s", diff)
	}
	for i, sl := range before.order {
		if diff := cmp.Diff(sl, after.order[i]); diff != "" {
			t.Errorf("slice (-before +after):\n%s", diff)
		}
	}
	if diff := cmp.Diff(before.settings, after.settings); diff != "" {
		t.Errorf("settings (-before +after):\n%s", diff)
	}
	if before.revision != after.revision {
		t.Errorf("revision %d became %d", before.revision, after.revision)
	}
	if got := s.SliceLimits("a"); len(got) != 1 || got[0].FlowModLimit != 10 || got[0].RateLimit != 20 {
		t.Errorf("limits = %v", got)
	}
	if p, err := s.LoginToken(token.Secret, "x"); err != nil || p.Account != "a" || p.Role != RoleSlice {
		t.Errorf("token: %+v, %v", p, err)
	}
	if r := mustRule(t, s, "next", "1", "any", "a=1"); r.ID <= gone.ID+1 {
		t.Errorf("id %d was used before", r.ID)
	}
}

func ruleTexts(st *state) (out []string) {
	for _, r := range st.flows.Rules() {
		out = append(out, r.String())
	}
	return out
}

func TestAdministratorIsNotRemoved(t *testing.T) {
	t.Parallel()
	s := newService(t)
	err := s.RemoveSlice(t.Context(), Local(), AdminName, nil)
	if KindOf(err) != apitype.KindNotFound || !strings.Contains(err.Error(), "fvadmin is the administrator, not a slice") {
		t.Errorf("%v (%s)", err, KindOf(err))
	}
}

func TestRemovedSliceLeavesNothing(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	mustRule(t, s, "own", "1", "any", "a=7")
	mustRule(t, s, "shared", "1", "any", "a=7,b=2")
	_, _ = s.SetLimits(ctx, Local(), 5, "a", LimitsPatch{FlowModLimit: new(10)}, nil)
	if err := errors.Join(s.UpdateDatapath(ctx, Local(), 6, DatapathPatch{FloodPerm: new("a")}, nil), s.SetPassword(ctx, Local(), "a", "pw")); err != nil {
		t.Fatal(err)
	}
	token, _ := s.CreateToken(ctx, Local(), apitype.TokenCreate{Account: "a"})
	if err := s.RemoveSlice(ctx, Local(), "a", nil); err != nil {
		t.Fatal(err)
	}
	mustSlice(t, s, "a")
	rules, err := s.Rules(Local(), RuleFilter{ShowDisabled: true})
	if err != nil || len(rules) != 1 || rules[0].Permission("a") != 0 {
		t.Errorf("rules = %v, %v", rules, err)
	}
	if got := s.SliceLimits("a"); got != nil {
		t.Errorf("limits = %v", got)
	}
	if len(s.state.Load().datapaths) != 0 {
		t.Errorf("datapaths = %v", s.state.Load().datapaths)
	}
	if _, err := s.LoginToken(token.Secret, "x"); err == nil {
		t.Error("the token of the old slice works for the new one")
	}
	if _, err := s.Login(ctx, "a", "pw", "x"); err == nil {
		t.Error("the password of the old slice works for the new one")
	}
}

func TestNewestSnapshotsStay(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), AdminPassword: "x", Now: func() time.Time { now = now.Add(time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var last apitype.Snapshot
	for range snapshotsKept + 3 {
		if last, err = s.CreateSnapshot(t.Context(), Local(), "n"); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Snapshots(Local())
	if err != nil || len(all) != snapshotsKept || all[len(all)-1].ID != last.ID {
		t.Errorf("%d snapshots, %v", len(all), err)
	}
}

func TestGeneratedPassword(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, PasswordFileName)
	if s.GeneratedPasswordFile() != file {
		t.Errorf("file = %q", s.GeneratedPasswordFile())
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	text, _ := os.ReadFile(file)
	if _, err := s.Login(t.Context(), AdminName, strings.TrimSpace(string(text)), "x"); err != nil {
		t.Error(err)
	}
	s.Close()
	s, err = Open(t.Context(), Options{Dir: dir})
	if err != nil || s.GeneratedPasswordFile() != file {
		t.Errorf("second start: %q, %v", s.GeneratedPasswordFile(), err)
	}
	if err := s.SetPassword(t.Context(), Local(), AdminName, "another"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s, err = Open(t.Context(), Options{Dir: dir})
	if err != nil || s.GeneratedPasswordFile() != "" {
		t.Errorf("start with another password than in the file: %q, %v", s.GeneratedPasswordFile(), err)
	}
	s.Close()
}

func TestLogin(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), AdminPassword: "right", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	try := func(password, from string) string {
		_, err := s.Login(ctx, AdminName, password, from)
		switch _, tooMany := errors.AsType[*TooManyError](err); {
		case err == nil:
			return "ok"
		case tooMany:
			return "wait"
		default:
			return string(KindOf(err))
		}
	}
	for range freeAttempts {
		if got := try("wrong", "1.1.1.1"); got != "unauthorized" {
			t.Fatalf("wrong password: %s", got)
		}
	}
	if got := try("wrong", "1.1.1.1"); got != "wait" {
		t.Errorf("sixth attempt: %s", got)
	}
	if got := try("right", "1.1.1.1"); got != "wait" {
		t.Errorf("right password while waiting: %s", got)
	}
	if got := try("right", "2.2.2.2"); got != "ok" {
		t.Errorf("from elsewhere: %s", got)
	}
	now = now.Add(firstWait)
	if got := try("right", "1.1.1.1"); got != "ok" {
		t.Errorf("after waiting: %s", got)
	}
	for range 1000 {
		try("wrong", "3.3.3.3")
	}
	if n := len(s.throttle.slots); n > throttleSlots {
		t.Errorf("%d slots", n)
	}
	entries, _, err := s.Audit(Local(), 0, 10_000)
	if err != nil || !slices.ContainsFunc(entries, func(e apitype.AuditEntry) bool { return e.Action == "login" && !e.OK && e.From == "1.1.1.1" }) {
		t.Errorf("failed logins are not in the audit log: %v, %v", entries, err)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for i := range 3 * throttleSlots {
		th.failed("a", ofwire.DatapathID(i).String(), time.Unix(int64(i), 0))
	}
	if n := len(th.slots); n > throttleSlots {
		t.Errorf("%d slots", n)
	}
}

// TestLegacyPassword checks FlowVisor's hashes as it saved them, and that the
// first login replaces one.
func TestLegacyPassword(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	for _, tc := range []struct{ name, salt, crypt, password string }{
		{"bob", "-2144586114", "d0427a5b33b2596c71683692ebf27b29", "bobpw"},
		{"eve", "2029311046", "05576bb1b81f10bd74b5c784495562f2", "x"},
	} {
		mustSlice(t, s, tc.name)
		legacy := LegacyHash(tc.salt, tc.crypt)
		r := request{by: Local(), act: actWriteSettings}
		if _, err := s.do(ctx, r, func(c *change) error {
			c.putAccount(store.Account{Name: tc.name, Role: "slice", Hash: legacy})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Login(ctx, tc.name, tc.password+"x", "1"); err == nil {
			t.Errorf("%s: wrong password accepted", tc.name)
		}
		if s.state.Load().accounts[tc.name].Hash != legacy {
			t.Errorf("%s: a failed login changed the hash", tc.name)
		}
		if _, err := s.Login(ctx, tc.name, tc.password, "2"); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if h := s.state.Load().accounts[tc.name].Hash; !strings.HasPrefix(h, "$argon2id$") {
			t.Errorf("%s: hash after login is %s", tc.name, h)
		}
		if _, err := s.Login(ctx, tc.name, tc.password, "3"); err != nil {
			t.Errorf("%s with the new hash: %v", tc.name, err)
		}
	}
}

// TestTokensAreNotLockedOut: whoever sends wrong tokens, or passwords, slows down himself,
// not those with a right token at the same address. Nobody guesses one.
func TestTokensAreNotLockedOut(t *testing.T) {
	t.Parallel()
	s := newService(t)
	token, err := s.CreateToken(t.Context(), Local(), apitype.TokenCreate{})
	if err != nil {
		t.Fatal(err)
	}
	throttled := false
	for range 100 {
		_, err := s.LoginToken("gv_wrong_token", "10.0.0.1")
		_, tooMany := errors.AsType[*TooManyError](err)
		throttled = throttled || tooMany
	}
	if !throttled {
		t.Error("wrong tokens are not slowed down")
	}
	if p, err := s.LoginToken(token.Secret, "10.0.0.1"); err != nil || p.Account != AdminName {
		t.Errorf("the right token: %+v, %v", p, err)
	}
}

// TestRefusalsAreCounted: of a flood of failed logins a few are in the audit log, with
// the number of the others, also after a restart.
func TestRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	s, err := Open(t.Context(), Options{Dir: dir, AdminPassword: "admin-password", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		s.loginFailed("eve", "10.0.0.1")
	}
	now = now.Add(time.Minute)
	s.loginFailed("eve", "10.0.0.1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openService(t, dir)
	defer s.Close()
	entries, _, err := s.Audit(Local(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	var last apitype.AuditEntry
	for _, e := range entries {
		if e.Action == "login" && !e.OK && e.Who == "eve" && e.From == "10.0.0.1" {
			listed++
			last = e
		}
	}
	if listed != 21 || !strings.HasSuffix(last.Detail, "(and 80 refusals before it that are not listed)") {
		t.Errorf("%d entries, the last %+v", listed, last)
	}
}
