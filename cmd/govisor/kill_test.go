package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
)

// startServer runs govisor serve on a data directory as a process of its own and returns when it is ready, with
// the address for switches.
func startServer(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, c *client.Client, openflow string) {
	t.Helper()
	return startCommand(t, dir, exec.Command("govisor", append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--log-level", "error"}, args...)...))
}

func startCommand(t *testing.T, dir string, cmd *exec.Cmd) (_ *exec.Cmd, c *client.Client, openflow string) {
	t.Helper()
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // most have ended
		_ = cmd.Wait()
	})
	for s := bufio.NewScanner(out); s.Scan(); {
		if addr, ok := strings.CutPrefix(s.Text(), "listening for OpenFlow switches on tcp "); ok {
			openflow = addr
		}
		if strings.HasPrefix(s.Text(), "the administrator is ") {
			c, err := client.New(client.Options{URL: "unix:" + filepath.Join(dir, socketName)})
			if err != nil {
				t.Fatal(err)
			}
			return cmd, c, openflow
		}
	}
	t.Fatal("govisor did not come up")
	return nil, nil, ""
}

// ledger is what one client knows: names that were acknowledged as being there, or as gone.
type ledger struct {
	there, gone  map[string]bool
	unsure       string // what was under way at the end
	acknowledged func() // called for each change
}

// change makes and removes things until the server is gone; make and remove say whether that was acknowledged.
func (l *ledger) change(prefix string, create, remove func(name string) error) {
	l.there, l.gone = map[string]bool{}, map[string]bool{}
	for k := 0; ; k++ {
		name := fmt.Sprintf("%s-%d", prefix, k)
		l.unsure = name
		if create(name) != nil {
			return
		}
		l.there[name] = true
		l.acknowledged()
		if k%3 != 2 {
			continue
		}
		l.unsure = fmt.Sprintf("%s-%d", prefix, k-1)
		if remove(l.unsure) != nil {
			return
		}
		delete(l.there, l.unsure)
		l.gone[l.unsure] = true
		l.acknowledged()
	}
}

// What was acknowledged before a kill -9 is there after the next start, and what was acknowledged as removed is not,
// with fifty clients at it while switches and controllers are connected. GOVISOR_SOAK says for how long to go on
// killing.
func TestKillWhileChanging(t *testing.T) {
	rounds, end := 3, time.Now()
	if testing.Short() {
		rounds = 1
	}
	if v := os.Getenv("GOVISOR_SOAK"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			t.Fatalf("GOVISOR_SOAK: %v", err)
		}
		end = end.Add(d)
	}
	dir := t.TempDir()
	ctx := context.Background()
	switches := newKillSwitches(t, 4)
	var all []*ledger
	for round := 0; round < rounds || time.Now().Before(end); round++ {
		cmd, c, openflow := startServer(t, dir)
		if round == 0 {
			if _, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: "base", Controllers: []string{"module:learning"}, Contact: "a@b.c"}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.CreateRule(ctx, apitype.RuleCreate{Name: "base", DPIDs: []string{"any"}, Priority: 100, Match: "any",
				Grants: []apitype.Grant{{Slice: "base", Permission: apitype.Write}}}); err != nil {
				t.Fatal(err)
			}
		}
		disconnect := switches.connect(t, openflow, c)
		ledgers := make([]*ledger, 50)
		var wg sync.WaitGroup
		var acknowledged atomic.Int64
		killAfter := int64(60 + 97*(round%5)) // in the middle of the next ones, of which fifty are under way
		count := func() {
			if acknowledged.Add(1) == killAfter {
				_ = cmd.Process.Kill()
			}
		}
		for i := range ledgers {
			ledgers[i] = &ledger{acknowledged: count}
			prefix := fmt.Sprintf("r%d-c%d", round, i)
			create, remove := ruleMaker(ctx, c, i)
			if i < 5 {
				create, remove = sliceMaker(ctx, c)
			}
			wg.Go(func() { ledgers[i].change(prefix, create, remove) })
		}
		wg.Wait()
		_ = cmd.Wait() // killed
		disconnect()
		all = append(all, ledgers...)
		checkLedgers(t, dir, all)
		if t.Failed() {
			return
		}
	}
}

func sliceMaker(ctx context.Context, c *client.Client) (create, remove func(string) error) {
	return func(name string) error {
		_, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: name, Controllers: []string{"module:learning"}, Contact: "a@b.c"})
		return err
	}, func(name string) error { return c.DeleteSlice(ctx, name) }
}

func ruleMaker(ctx context.Context, c *client.Client, i int) (create, remove func(string) error) {
	return func(name string) error {
		_, err := c.CreateRule(ctx, apitype.RuleCreate{Name: name, DPIDs: []string{"any"}, Priority: uint32(i), Match: apitype.Match(fmt.Sprint("dl_vlan=", i)),
			Grants: []apitype.Grant{{Slice: "base", Permission: apitype.Write}}})
		return err
	}, func(name string) error { return c.DeleteRule(ctx, name) }
}

// killSwitches are switches that outlive the govisors they connect to, with a host that sends all the time.
type killSwitches struct {
	ctx  context.Context //nolint:containedctx // as long as the test
	wg   sync.WaitGroup
	list []*ofswitch.Switch
}

func newKillSwitches(t *testing.T, n int) *killSwitches {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	k := &killSwitches{ctx: ctx}
	t.Cleanup(func() { cancel(); k.wg.Wait() })
	for id := range n {
		cfg := ofswitch.SwitchConfig{Probe: -1}
		cfg.DatapathID = ofwire.DatapathID(id + 1)
		sw, err := ofswitch.NewSwitch(cfg)
		if err != nil {
			t.Fatal(err)
		}
		near, host := port.Pipe(fmt.Sprint("s", id), fmt.Sprint("h", id))
		if err := sw.AttachPort(1, near); err != nil {
			t.Fatal(err)
		}
		k.list = append(k.list, sw)
		k.wg.Go(func() { _ = sw.Run(ctx) })
		k.wg.Go(func() {
			frame := make([]byte, 60)
			frame[5], frame[11], frame[12], frame[13] = 1, 2, 0x88, 0xb5
			for tick := time.NewTicker(5 * time.Millisecond); ctx.Err() == nil; <-tick.C {
				frame[10]++
				_, _ = host.Write([]port.Frame{{Data: frame}}) // dropped when the switch does not keep up
			}
			_ = host.Close()
		})
	}
	return k
}

// connect connects the switches and waits until govisor has connected them with their controllers.
func (k *killSwitches) connect(t *testing.T, addr string, c *client.Client) (disconnect func()) {
	t.Helper()
	var conns []net.Conn
	for _, sw := range k.list {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, nc)
		k.wg.Go(func() { _ = sw.Serve(k.ctx, nc, ofswitch.Primary) })
	}
	for {
		h, err := c.SliceHealth(t.Context(), "base")
		if err != nil {
			t.Fatal(err)
		}
		up := 0
		for _, s := range h.Connections {
			if s.State == "connected" {
				up++
			}
		}
		if up == len(k.list) {
			return func() {
				for _, nc := range conns {
					_ = nc.Close()
				}
			}
		}
	}
}

// checkLedgers compares what the clients were told with what the next govisor knows, and that with its audit log.
func checkLedgers(t *testing.T, dir string, ledgers []*ledger) {
	t.Helper()
	cmd, c, _ := startServer(t, dir)
	present := map[string]bool{}
	slices, err := c.ListSlices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range slices {
		present[s.Name] = true
	}
	rules, err := c.ListRules(t.Context(), apitype.RuleFilter{})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range rules {
		present[r.Name] = true
		ids[fmt.Sprint(r.ID)] = true
	}
	acknowledged := 0
	for _, l := range ledgers {
		acknowledged += len(l.there) + len(l.gone)
		for name := range l.there {
			if !present[name] && name != l.unsure {
				t.Errorf("%s was acknowledged and is lost", name)
			}
		}
		for name := range l.gone {
			if present[name] && name != l.unsure {
				t.Errorf("%s was acknowledged as removed and is there", name)
			}
		}
	}
	if acknowledged < 20 {
		t.Errorf("only %d changes were acknowledged: the test shows little", acknowledged)
	}
	if diff := cmp.Diff(replayRules(t, c), ids); diff != "" {
		t.Errorf("rules by id (-audit log +state):\n%s", diff)
	}
	t.Logf("%d changes acknowledged, %d things present", acknowledged, len(present))
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("govisor did not end well: %v", err)
	}
}

// replayRules plays the audit log: the ids of the rules it leads to.
func replayRules(t *testing.T, c *client.Client) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	entries, err := c.Audit(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		_, rule, _ := strings.Cut(e.Detail, " ")
		id, _, _ := strings.Cut(rule, " ")
		switch {
		case e.OK && e.Action == "add-flowspace":
			ids[id] = true
		case e.OK && e.Action == "remove-flowspace":
			delete(ids, id)
		}
	}
	return ids
}
