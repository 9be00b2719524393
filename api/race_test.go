package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// send makes a request of the administrator's.
func (w *world) send(method, path, match string, body any) (status int, tag, text string) {
	w.t.Helper()
	in, err := json.Marshal(body)
	if err != nil {
		w.t.Error(err)
	}
	if body == nil {
		in = nil
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/api/v1"+path, strings.NewReader(string(in)))
	if err != nil {
		w.t.Error(err)
		return 0, "", ""
	}
	req.SetBasicAuth(hypervisor.AdminName, adminPassword)
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Error(err)
		return 0, "", ""
	}
	defer resp.Body.Close()
	out, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("ETag"), string(out)
}

// tag is the present ETag of something.
func (w *world) tag(path string) string {
	w.t.Helper()
	status, tag, text := w.send("GET", path, "", nil)
	if status != http.StatusOK || tag == "" {
		w.t.Fatalf("%s: %d, ETag %q, %.200s", path, status, tag, text)
	}
	return tag
}

const racersRules = 50

// racer makes the bulk of one administrator: rules of its own, and one that both want.
func racer(who string, round int) apitype.Bulk {
	var out apitype.Bulk
	for i := range racersRules {
		out.Changes = append(out.Changes, apitype.Change{Op: "add", Add: &apitype.RuleCreate{Name: fmt.Sprintf("%s-%d-%d", who, round, i), DPIDs: []string{"any"},
			Priority: 1, Match: apitype.Match(fmt.Sprintf("dl_vlan=%d", i+1)), Grants: []apitype.Grant{{Slice: "alice", Permission: 7}}}})
	}
	out.Changes = append(out.Changes, apitype.Change{Op: "update", Ref: "shared", Update: &apitype.RuleUpdate{Match: new(apitype.Match(fmt.Sprintf("dl_vlan=%d", round+100)))}})
	return out
}

// race lets two administrators send their bulks at once and returns who won.
func (w *world) race(round int, tag string) string {
	w.t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	status, next, text := map[string]int{}, map[string]string{}, map[string]string{}
	var mu sync.Mutex
	for _, who := range []string{"ann", "ben"} {
		wg.Go(func() {
			<-start
			s, n, out := w.send("POST", "/flowspace/bulk", tag, racer(who, round))
			mu.Lock()
			defer mu.Unlock()
			status[who], next[who], text[who] = s, n, out
		})
	}
	close(start)
	wg.Wait()
	winner, loser := "ann", "ben"
	if status[winner] != http.StatusOK {
		winner, loser = loser, winner
	}
	if status[winner] != http.StatusOK || status[loser] != http.StatusPreconditionFailed || !strings.Contains(text[loser], `"kind":"stale"`) {
		w.t.Errorf("round %d: %v %v", round, status, text)
	}
	if now := w.tag("/flowspace"); next[winner] != now || now == tag {
		w.t.Errorf("round %d: ETag %s before, %s in the answer, %s after", round, tag, next[winner], now)
	}
	return winner
}

// present counts the rules that are there by their maker in a round.
func (w *world) present(round int) map[string]int {
	w.t.Helper()
	rules, err := w.admin.ListRules(w.t.Context(), apitype.RuleFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]int{}
	for _, r := range rules {
		if f := strings.Split(r.Name, "-"); len(f) == 3 && f[1] == fmt.Sprint(round) {
			out[f[0]]++
		}
	}
	return out
}

// TestRacingBulks: of two administrators who read the flowspace and send a bulk each,
// exactly one makes it, whole; the other is told, and has changed nothing. That holds
// across a restart: what was read before it is as good after it, once.
func TestRacingBulks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorldIn(t, dir)
	w.slice("alice")
	w.rule("shared", "1", 9, "dl_vlan=99", "alice")
	for round := range 10 {
		winner := w.race(round, w.tag("/flowspace"))
		if diff := cmp.Diff(map[string]int{winner: racersRules}, w.present(round)); diff != "" {
			t.Errorf("round %d (-want +got):\n%s", round, diff)
		}
	}

	old := w.tag("/flowspace")
	w.race(10, old)
	tag, whole := w.tag("/flowspace"), w.tag("/config")
	if status, _, _ := w.send("POST", "/flowspace/bulk", `"stale"`, racer("ann", 11)); status != http.StatusPreconditionFailed {
		t.Errorf("status %d", status)
	}
	nobody := w.as("alice", "alice-password")
	if _, err := nobody.CreateSnapshot(t.Context(), ""); err == nil { // refused, and audited
		t.Error("a slice's account made a snapshot")
	}
	w.stop()
	w = newWorldIn(t, dir)
	if now := w.tag("/flowspace"); now != tag {
		t.Errorf("ETag %s before the restart, %s after", tag, now)
	}
	if now := w.tag("/config"); now != whole {
		t.Errorf("ETag of the configuration %s before the restart, %s after", whole, now)
	}
	if status, _, text := w.send("POST", "/flowspace/bulk", old, racer("ann", 11)); status != http.StatusPreconditionFailed {
		t.Errorf("read before another's change and a restart: %d %s", status, text)
	}
	winner := w.race(11, tag)
	if diff := cmp.Diff(map[string]int{winner: racersRules}, w.present(11)); diff != "" {
		t.Errorf("after the restart (-want +got):\n%s", diff)
	}
	r, _, err := w.admin.GetRule(t.Context(), "shared")
	if err != nil || r.Match != "dl_vlan=111" {
		t.Errorf("shared is %q, %v", r.Match, err)
	}
}

// TestFlowspaceTagIsOfTheFlowspace: changes of other things do not spoil a bulk, and a
// dry run tells whether it is up to date without changing that.
func TestFlowspaceTagIsOfTheFlowspace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	w.rule("shared", "1", 9, "dl_vlan=99", "alice")
	tag := w.tag("/flowspace")
	w.slice("bob")
	if now := w.tag("/flowspace"); now != tag {
		t.Errorf("a new slice changed the flowspace's ETag: %s, %s", tag, now)
	}
	for range 2 {
		if status, _, text := w.send("POST", "/flowspace/bulk?dry_run=true", tag, racer("ann", 0)); status != http.StatusOK {
			t.Errorf("dry run: %d %s", status, text)
		}
	}
	for _, empty := range []string{tag, `"stale"`} {
		want := map[bool]int{true: 200, false: 412}[empty == tag]
		if status, _, text := w.send("POST", "/flowspace/bulk", empty, apitype.Bulk{Changes: []apitype.Change{}}); status != want {
			t.Errorf("an empty bulk with %s: %d %s", empty, status, text)
		}
	}
	if err := w.admin.DeleteSlice(t.Context(), "alice"); err != nil { // its rule goes with it
		t.Fatal(err)
	}
	if now := w.tag("/flowspace"); now == tag {
		t.Error("a rule went with its slice, and the ETag is the same")
	}
	if status, _, _ := w.send("POST", "/flowspace/bulk?dry_run=true", tag, racer("ann", 0)); status != http.StatusPreconditionFailed {
		t.Errorf("dry run with an old ETag: %d", status)
	}
}

// TestControllerMovedBesideAnotherChange: update-slice of FlowVisor's names host and port
// of the first controller only. What another client makes of the others at the same
// time stays.
func TestControllerMovedBesideAnotherChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	w.token(hypervisor.AdminName, "full")
	for round := range 150 {
		second := fmt.Sprintf("tcp:second:%d", round+1)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, text := w.rpc(hypervisor.AdminName, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"update-slice","params":{"slice-name":"alice","controller-port":%d}}`, round+1)); !strings.Contains(text, `"result":true`) {
				t.Error(text)
			}
		})
		wg.Go(func() {
			if _, err := w.admin.UpdateSlice(t.Context(), "alice", apitype.SliceUpdate{Controllers: []string{"tcp:first:9999", second}}, ""); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		sl, _, err := w.admin.GetSlice(t.Context(), "alice")
		if err != nil || len(sl.Controllers) != 2 || sl.Controllers[1] != second {
			t.Fatalf("round %d: %v, %v; want %s second", round, sl.Controllers, err, second)
		}
	}
}

// TestRacesAreWonOnce: of eight who send a change with the same ETag at once, one makes it,
// wherever If-Match is honoured.
func TestRacesAreWonOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	w.rule("shared", "1", 9, "dl_vlan=99", "alice")
	for _, tc := range []struct {
		read, method, write string
		body                func(n int) any
	}{
		{"/config", "POST", "/apply", func(n int) any {
			return apitype.Config{Version: 1, Slices: []apitype.SliceConfig{{SliceCreate: apitype.SliceCreate{Name: fmt.Sprint("applied", n), Controllers: []string{"tcp:h"}}}}}
		}},
		{"/settings", "PATCH", "/settings", func(n int) any { return apitype.SettingsUpdate{FlowStatsCache: new(n + 1)} }},
		{"/slices/alice", "PATCH", "/slices/alice", func(n int) any { return apitype.SliceUpdate{Contact: new(fmt.Sprint("racer ", n))} }},
		{"/flowspace/shared", "PATCH", "/flowspace/shared", func(n int) any { return apitype.RuleUpdate{Priority: new(uint32(n + 100))} }},
		{"/datapaths/1/limits/alice", "PUT", "/datapaths/1/limits/alice", func(n int) any { return map[string]int{"rate_limit": n + 1} }},
		{"/flowspace", "POST", "/flowspace", func(n int) any {
			return apitype.RuleCreate{Name: fmt.Sprint("raced", n), DPIDs: []string{"1"}, Match: "any", Grants: []apitype.Grant{{Slice: "alice", Permission: 7}}}
		}},
	} {
		tag, before := w.tag(tc.read), w.svc.Revision()
		var mu sync.Mutex
		var wg sync.WaitGroup
		statuses := map[int]int{}
		for n := range 8 {
			wg.Go(func() {
				status, _, _ := w.send(tc.method, tc.write, tag, tc.body(n))
				mu.Lock()
				defer mu.Unlock()
				statuses[status/100]++
			})
		}
		wg.Wait()
		if diff := cmp.Diff(map[int]int{2: 1, 4: 7}, statuses); diff != "" || w.svc.Revision() != before+1 {
			t.Errorf("%s %s: %d changes, statuses by hundreds (-want +got):\n%s", tc.method, tc.write, w.svc.Revision()-before, diff)
		}
	}
}
