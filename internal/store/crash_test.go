package store

import (
	"bufio"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// changeForever is the process that gets killed. Each bulk change adds 50
// rules, changes 20 and removes 30; the state it leads to is a function of its
// number, which is printed when Update has returned.
func changeForever(dir string) {
	s, err := Open(dir)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var rev uint64
	_ = s.View(func(tx *Tx) error { rev = tx.Revision(); return nil })
	for n := rev + 1; ; n++ {
		if err := s.Update(func(tx *Tx) error { return change(tx, n) }); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("done", n)
	}
}

func change(tx *Tx, n uint64) error {
	base := n * 50
	var put []Rule
	for i := range uint64(50) {
		put = append(put, Rule{ID: base + i, Name: fmt.Sprintf("r%d", base+i), Priority: uint32(n), ForcedQueue: -1, Grants: []Grant{{"s", 7}}})
	}
	for i := range uint64(20) {
		if base >= 100 {
			id := base - 50 + 30 + i
			put = append(put, Rule{ID: id, Name: fmt.Sprintf("r%d", id), Priority: uint32(n), ForcedQueue: -1})
		}
	}
	var gone []uint64
	for i := range uint64(30) {
		gone = append(gone, base-50+i)
	}
	return errors.Join(tx.PutRules(put...), tx.DeleteRules(gone...), tx.SetNextRuleID(base+50),
		tx.PutSlice(Slice{Name: "s", Generation: n}))
}

// digest condenses the rules that the changes 1 to n lead to.
func digest(rules []Rule) uint64 {
	h := fnv.New64a()
	for _, r := range rules {
		fmt.Fprintln(h, r)
	}
	return h.Sum64()
}

// TestKilled kills a process in the middle of bulk changes, again and again.
// The database must then be in the state of the last change it acknowledged,
// or of the one after, whose acknowledgement the kill may have cut off.
func TestKilled(t *testing.T) {
	t.Parallel()
	rounds, enough := 25, uint64(1000) // kills and changes at least
	rng := rand.New(rand.NewPCG(42, 42))
	if testing.Short() {
		rounds, enough = 5, 20
	}
	dir := t.TempDir()
	model, err := Open(t.TempDir()) // the same changes without kills
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	model.db.NoSync = true
	var modelRev, acked uint64
	round := 0
	for ; round < rounds || acked < enough; round++ {
		acked = max(acked, killOnce(t, dir, time.Duration(rng.IntN(60_000))*time.Microsecond))
		s, err := Open(dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		var rev, gen uint64
		if err := s.View(func(tx *Tx) error {
			rev = tx.Revision()
			all, err := tx.Slices()
			if len(all) > 0 {
				gen = all[0].Generation
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if rev != acked && rev != acked+1 {
			t.Errorf("round %d: revision %d, acknowledged was %d", round, rev, acked)
		}
		if gen != rev {
			t.Errorf("round %d: half a change: slice of change %d, revision %d", round, gen, rev)
		}
		for ; modelRev < rev; modelRev++ {
			if err := model.Update(func(tx *Tx) error { return change(tx, modelRev+1) }); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := digest(rules(t, s)), digest(rules(t, model)); got != want {
			t.Errorf("round %d: the rules are not those of change %d", round, rev)
		}
		if faults := s.Check(); len(faults) > 0 {
			t.Errorf("round %d: %v", round, faults)
		}
		acked = rev
		s.Close()
	}
	t.Logf("%d changes, %d kills", acked, round)
}

// killOnce starts the process, kills it some time after its first change and
// returns the last acknowledged change.
func killOnce(t *testing.T, dir string, after time.Duration) (acked uint64) {
	t.Helper()
	cmd := child(t, "change", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "done %d", &acked); err != nil {
			t.Errorf("child: %s", lines.Text())
		}
		if !killed {
			killed = true
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	return acked
}
