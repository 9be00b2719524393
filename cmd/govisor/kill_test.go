package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

// startServer runs govisor serve on a data directory as a process of its own and returns when it is ready.
func startServer(t *testing.T, dir string) (*exec.Cmd, *client.Client) {
	t.Helper()
	cmd := exec.Command("govisor", "serve", "--data", dir, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--log-level", "error")
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
		if strings.HasPrefix(s.Text(), "the administrator is ") {
			c, err := client.New(client.Options{URL: "unix:" + filepath.Join(dir, socketName)})
			if err != nil {
				t.Fatal(err)
			}
			return cmd, c
		}
	}
	t.Fatal("govisor did not come up")
	return nil, nil
}

// ledger is what one client knows: names that were acknowledged as being there, or as gone.
type ledger struct {
	there, gone map[string]bool
	unsure      string // what was under way at the end
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
		if k%3 != 2 {
			continue
		}
		l.unsure = fmt.Sprintf("%s-%d", prefix, k-1)
		if remove(l.unsure) != nil {
			return
		}
		delete(l.there, l.unsure)
		l.gone[l.unsure] = true
	}
}

// What was acknowledged before a kill -9 is there after the next start, and what was acknowledged as removed is not.
func TestKillWhileChanging(t *testing.T) {
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	dir := t.TempDir()
	ctx := context.Background()
	for round := range rounds {
		cmd, c := startServer(t, dir)
		if round == 0 {
			if _, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: "base", Controllers: []string{"tcp:127.0.0.1:1"}, Contact: "a@b.c"}); err != nil {
				t.Fatal(err)
			}
		}
		ledgers := make([]ledger, 9)
		var wg sync.WaitGroup
		for i := range ledgers {
			prefix := fmt.Sprintf("r%d-c%d", round, i)
			if i == 0 {
				wg.Go(func() {
					ledgers[0].change(prefix, func(name string) error {
						_, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: name, Controllers: []string{"tcp:127.0.0.1:1"}, Contact: "a@b.c"})
						return err
					}, func(name string) error { return c.DeleteSlice(ctx, name) })
				})
				continue
			}
			wg.Go(func() {
				ledgers[i].change(prefix, func(name string) error {
					_, err := c.CreateRule(ctx, apitype.RuleCreate{Name: name, DPIDs: []string{"any"}, Priority: uint32(i), Match: "any",
						Grants: []apitype.Grant{{Slice: "base", Permission: apitype.Write}}})
					return err
				}, func(name string) error { return c.DeleteRule(ctx, name) })
			})
		}
		time.AfterFunc(time.Duration(700+200*round)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		wg.Wait()
		_ = cmd.Wait() // killed
		checkLedgers(t, dir, ledgers)
	}
}

func checkLedgers(t *testing.T, dir string, ledgers []ledger) {
	t.Helper()
	cmd, c := startServer(t, dir)
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
	for _, r := range rules {
		present[r.Name] = true
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
	t.Logf("%d changes acknowledged, %d things present", acknowledged, len(present))
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("govisor did not end well: %v", err)
	}
}
