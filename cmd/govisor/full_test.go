package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
)

// TestNoRoomOnDisk has a govisor whose files may not grow beyond 18 MB. What it acknowledged until then is there
// afterwards, what it refused is not, it says why, and it goes on reading.
func TestNoRoomOnDisk(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	path, err := exec.LookPath("govisor")
	if err != nil {
		t.Fatal(err)
	}
	cmd, c, _ := startCommand(t, dir, exec.Command("sh", "-c", `ulimit -f 36000; exec "$0" "$@"`, path, "serve", "--data", dir, "--listen", "127.0.0.1:0", "--api", "", "--log-level", "panic"))
	if _, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: "base", Controllers: []string{"tcp:127.0.0.1:1"}}); err != nil {
		t.Fatal(err)
	}
	var there, refused []string
	for n := 0; len(refused) < 5 && n < 300; n++ {
		name := fmt.Sprint("r", n, strings.Repeat("x", 40))
		changes := make([]apitype.Change, 2000)
		for i := range changes {
			changes[i] = apitype.Change{Op: "add", Add: &apitype.RuleCreate{Name: fmt.Sprint(name, i), DPIDs: []string{"any"}, Match: "any", Grants: []apitype.Grant{{Slice: "base", Permission: 7}}}}
		}
		_, err := c.BulkRules(ctx, changes, false)
		if err == nil {
			there = append(there, name)
			continue
		}
		refused = append(refused, name)
		var p *apitype.Problem
		if !errors.As(err, &p) || p.Kind != apitype.KindUnavailable || !strings.Contains(p.Detail, "could not be written to disk: file too large; nothing was changed") {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if len(refused) == 0 || len(there) == 0 {
		t.Fatalf("%d changes were taken and %d refused", len(there), len(refused))
	}
	if rules, err := c.ListRules(ctx, apitype.RuleFilter{}); err != nil || len(rules) != 2000*len(there) {
		t.Errorf("%d rules are there, %v; want %d", len(rules), err, 2000*len(there))
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_, c, _ = startServer(t, dir)
	rules, err := c.ListRules(ctx, apitype.RuleFilter{})
	if err != nil || len(rules) != 2000*len(there) {
		t.Errorf("%d rules are there after a restart, %v; want %d", len(rules), err, 2000*len(there))
	}
	if err := c.DeleteRule(ctx, rules[0].Name); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestReadOnlyDirectory: a data directory that cannot be written to is named at the start.
func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(dir, nil, 0o400); err != nil { // root may write everywhere, but not into a file
		t.Fatal(err)
	}
	out, err := exec.Command("govisor", "serve", "--data", dir, "--listen", "127.0.0.1:0", "--api", "").CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte(dir)) || bytes.Count(out, []byte("\n")) != 1 {
		t.Errorf("%v, %q", err, out)
	}
}

// TestDatabaseWhileServing: a backup of a busy govisor is sound, and compacting is refused, with words, and harmless.
func TestDatabaseWhileServing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, c, _ := startServer(t, dir)
	if _, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: "base", Controllers: []string{"tcp:127.0.0.1:1"}}); err != nil {
		t.Fatal(err)
	}
	done, busy := make(chan int), make(chan struct{})
	go func() {
		create, _ := ruleMaker(ctx, c, 1)
		n := 0
		for create(fmt.Sprint("r", n)) == nil {
			if n++; n == 1 {
				close(busy)
			}
		}
		done <- n
	}()
	select {
	case <-busy:
	case <-done:
		t.Fatal("no rule can be made")
	}
	run := func(args ...string) (string, error) {
		out, err := exec.Command("govisor", args...).CombinedOutput()
		return string(out), err
	}
	for i := range 3 {
		copied := t.TempDir()
		before, err := c.ListRules(t.Context(), apitype.RuleFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := run("db", "backup", "--data", dir, filepath.Join(copied, store.FileName)); err != nil {
			t.Fatalf("backup: %v, %s", err, out)
		}
		if out, err := run("db", "check", "--data", copied); err != nil || !strings.Contains(out, "sound") {
			t.Errorf("backup %d: %v, %s", i, err, out)
		}
		if out, err := run("db", "compact", "--data", copied); err != nil {
			t.Errorf("compact the copy: %v, %s", err, out)
		}
		db, err := store.OpenReadOnly(filepath.Join(copied, store.FileName))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := errors.Join(db.View(func(tx *store.Tx) error { return tx.EachRule(func(store.Rule) error { n++; return nil }) }), db.Close()); err != nil || n < len(before) {
			t.Errorf("the copy has %d rules, %v; %d were there before", n, err, len(before))
		}
		for _, what := range []string{"compact", "check"} {
			if out, err := run("db", what, "--data", dir); err == nil || !strings.Contains(out, "is in use by process") || !strings.Contains(out, "nothing was changed") {
				t.Errorf("db %s while it runs: %v, %s", what, err, out)
			}
		}
	}
	cancel()
	if n := <-done; n == 0 {
		t.Error("nothing was changed meanwhile: the test shows little")
	}
}
