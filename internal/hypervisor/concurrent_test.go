package hypervisor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire"
)

// TestMain lets the test binary be the process that gets killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("HYPERVISOR_TEST_DIR"); dir != "" {
		changeUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

// soakTime is how long the concurrency tests go on: GOVISOR_SOAK, else short.
func soakTime(t *testing.T, usual time.Duration) time.Duration {
	t.Helper()
	v := os.Getenv("GOVISOR_SOAK")
	if v == "" {
		if testing.Short() {
			return usual / 3
		}
		return usual
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		t.Fatalf("GOVISOR_SOAK: %v", err)
	}
	return d
}

// churnSlices are the slices that are made and removed.
var churnSlices = []string{"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"}

// churn changes slices and flowspace at random: names are shared by all
// workers, so that most things can happen at the same time.
func churn(s *Service, targets map[string]string, rng *rand.Rand) error {
	ctx := context.Background()
	slice, rule := churnSlices[rng.IntN(len(churnSlices))], fmt.Sprint("r", rng.IntN(60))
	dpid := uint64(rng.IntN(4) + 1)
	var err error
	switch rng.IntN(12) {
	case 0:
		_, err = s.CreateSlice(ctx, Local(), SliceSpec{Name: slice, SlicePatch: SlicePatch{Controllers: []string{targets[slice]}}})
	case 1:
		if rng.IntN(4) == 0 {
			err = s.RemoveSlice(ctx, Local(), slice, nil)
		}
	case 2:
		on := rng.IntN(3) > 0
		_, err = s.UpdateSlice(ctx, Local(), slice, SlicePatch{Enabled: &on}, nil)
	case 3:
		n := rng.IntN(500) + 1
		_, err = s.SetLimits(ctx, Local(), ofwire.DatapathID(dpid), slice, LimitsPatch{FlowModLimit: &n}, nil)
	case 4, 5:
		_, err = s.ChangeRules(ctx, Local(), []RuleChange{{Op: flowspace.Remove, Ref: rule}}, false)
	case 6, 7:
		prio := uint32(rng.IntN(1000))
		_, err = s.ChangeRules(ctx, Local(), []RuleChange{{Op: flowspace.Update, Ref: rule, Patch: RulePatch{Priority: &prio}}}, false)
	default:
		_, err = s.ChangeRules(ctx, Local(), []RuleChange{{Op: flowspace.Add, Rule: &flowspace.Rule{Name: rule, DPIDs: flowspace.DPIDs(dpid), Priority: uint32(rng.IntN(1000)),
			Match: flowspace.Match{DLVLAN: flowspace.One(uint32(rng.IntN(40)))}, Grants: []flowspace.Grant{{Slice: slice, Perm: 7}}}}}, false)
	}
	if k := KindOf(err); err != nil && k != apitype.KindNotFound && k != apitype.KindConflict && k != apitype.KindInvalid && k != apitype.KindUnresolved {
		return err
	}
	return nil
}

// TestManyAtOnce lets 50 clients change things while switches and controllers
// are connected and hosts talk. Afterwards the state is what the audit log
// tells when it is played serially, what the database holds, and what the
// sessions and the switches have; those whom no change concerned lost no frame.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	// How many changes a second the disk allows is not what is tested: the time
	// is over when enough were made, too.
	const enough = 200
	dir := t.TempDir()
	s := openService(t, dir)
	w := startSoakNetwork(t, s, 4, churnSlices...)
	defer w.end()
	w.await()
	end := time.Now().Add(soakTime(t, 3*time.Second))
	quiet := w.talk()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	for c := range uint64(50) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(42, c))
			for time.Now().Before(end) || s.Revision() < enough {
				if err := churn(s, w.targets, rng); err != nil {
					mu.Lock()
					failure = errors.Join(failure, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	if failure != nil {
		t.Fatal(failure)
	}
	waitUntil(t, "the hosts to be heard", func() bool { return w.pings.Load() >= 20 || t.Failed() })
	quiet()
	st := s.state.Load()
	t.Logf("%d changes, %d frames answered in the slice nobody changed, %d frames sent elsewhere", st.revision, w.pings.Load(), w.frames.Load())
	entries, _, err := s.Audit(Local(), 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	wantSlices, wantRules := replay(t, entries)
	if diff := cmp.Diff(wantSlices, sliceNames(st)); diff != "" {
		t.Errorf("slices (-audit log +state):\n%s", diff)
	}
	if diff := cmp.Diff(wantRules, ruleMap(st)); diff != "" {
		t.Errorf("rules (-audit log +state):\n%s", diff)
	}
	w.check(st)
	w.end()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openService(t, dir)
	defer s.Close()
	if diff := cmp.Diff(ruleMap(st), ruleMap(s.state.Load())); diff != "" {
		t.Errorf("rules (-memory +database):\n%s", diff)
	}
	if diff := cmp.Diff(sliceNames(st), sliceNames(s.state.Load())); diff != "" {
		t.Errorf("slices (-memory +database):\n%s", diff)
	}
}

func sliceNames(st *state) []string {
	out := []string{}
	for name := range st.slices {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func ruleMap(st *state) map[string]string {
	out := map[string]string{}
	for _, r := range st.flows.Rules() {
		out[fmt.Sprint(r.ID)] = r.String()
	}
	return out
}

// replay plays the audit log: what was changed, in the order it says.
func replay(t *testing.T, entries []apitype.AuditEntry) ([]string, map[string]string) {
	t.Helper()
	names, rules := map[string]bool{}, map[string]string{}
	for _, e := range entries {
		if !e.OK {
			continue
		}
		op, rule, _ := strings.Cut(e.Detail, " ")
		id, _, _ := strings.Cut(rule, " ")
		switch e.Action {
		case "create-slice":
			names[e.Target] = true
		case "remove-slice":
			delete(names, e.Target)
			for id, text := range rules {
				if strings.HasSuffix(text, "Slice:"+e.Target+"=7") {
					delete(rules, id)
				}
			}
		case "add-flowspace", "update-flowspace":
			if op != "add" && op != "update" {
				t.Errorf("detail %q", e.Detail)
			}
			rules[id] = rule
		case "remove-flowspace":
			delete(rules, id)
		}
	}
	out := []string{}
	for n := range names {
		out = append(out, n)
	}
	slices.Sort(out)
	return out, rules
}

// changeUntilKilled makes changes from several goroutines and prints each one
// when it was answered: "add W N" for a rule, "set W P" for a priority.
func changeUntilKilled(dir string) {
	s, err := Open(context.Background(), Options{Dir: dir, AdminPassword: "x"})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	if _, err := s.CreateSlice(context.Background(), Local(), SliceSpec{Name: "a", SlicePatch: SlicePatch{Controllers: []string{"tcp:h"}}}); err != nil && KindOf(err) != apitype.KindConflict {
		fmt.Println("error", err)
		os.Exit(1)
	}
	run := s.Revision()
	for w := range 8 {
		go func() {
			for n := 1; ; n++ {
				name := fmt.Sprintf("r-%d-%d-%d", run, w, n)
				rule := &flowspace.Rule{Name: name, DPIDs: flowspace.DPIDs(1), Priority: 1, Grants: []flowspace.Grant{{Slice: "a", Perm: 7}}}
				if _, err := s.ChangeRules(context.Background(), Local(), []RuleChange{{Op: flowspace.Add, Rule: rule}}, false); err != nil {
					fmt.Println("error", err)
				}
				fmt.Println("add", name)
				prio := uint32(n + 1)
				if _, err := s.ChangeRules(context.Background(), Local(), []RuleChange{{Op: flowspace.Update, Ref: name, Patch: RulePatch{Priority: &prio}}}, false); err != nil {
					fmt.Println("error", err)
				}
				fmt.Println("set", name, prio)
			}
		}()
	}
	select {}
}

// TestKilledWhileChanging kills a process with SIGKILL while eight clients
// change things: what was answered is there afterwards.
func TestKilledWhileChanging(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := map[string]uint32{} // least priority by name
	for round := range 4 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "HYPERVISOR_TEST_DIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan(); n++ {
			f := strings.Fields(lines.Text())
			switch {
			case len(f) == 2 && f[0] == "add":
				want[f[1]] = 1
			case len(f) == 3 && f[0] == "set":
				var prio uint32
				if _, err := fmt.Sscan(f[2], &prio); err != nil {
					t.Fatal(err)
				}
				want[f[1]] = prio
			default:
				if f[0] == "error" {
					t.Errorf("child: %s", lines.Text())
				}
			}
			if n == 60+17*round {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		s, err := Open(t.Context(), Options{Dir: dir, AdminPassword: "x"})
		if err != nil {
			t.Fatal(err)
		}
		for name, prio := range want {
			if r := s.Flowspace().RuleByName(name); r == nil || r.Priority < prio {
				t.Errorf("round %d: %s with priority %d was answered, but is %v", round, name, prio, r)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d answered rules", len(want))
}
