package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary be the other process of a test.
func TestMain(m *testing.M) {
	switch dir := os.Getenv("STORE_TEST_DIR"); os.Getenv("STORE_TEST_ROLE") {
	case "hold":
		s, err := Open(dir)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("open")
		_, _ = os.Stdin.Read(make([]byte, 1))
		s.Close()
	case "change":
		changeForever(dir)
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_ROLE="+role, "STORE_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// open makes a store whose soundness is checked at the end of the test.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if faults := s.Check(); len(faults) > 0 {
			t.Errorf("the database is not sound: %v", faults)
		}
		s.Close()
	})
	return s
}

func rules(t testing.TB, s *Store) []Rule {
	t.Helper()
	var out []Rule
	if err := s.View(func(tx *Tx) error {
		return tx.EachRule(func(r Rule) error { out = append(out, r); return nil })
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	slice := Slice{Name: "a", Generation: 3, Order: 9, Controllers: []string{"tcp:h:1"}, Contact: "x@y", DropPolicy: "rule",
		RecvLLDP: true, Strict: true, Enabled: true, FlowModLimit: -1, RateLimit: 5, Creator: "fvadmin", Created: now}
	rule := []Rule{
		{ID: 1, Name: "all", Priority: math.MaxUint32, ForcedQueue: -1},
		{ID: 256, Name: "ä\"", DPIDs: []uint64{0, math.MaxUint64}, Priority: 7, ForcedQueue: math.MaxUint32, Queues: []uint32{1, math.MaxUint32},
			Match:  []Term{{FieldDLVLAN, 100, 199}, {FieldDLVLAN, 300, 300}, {FieldDLSrc, 1<<48 - 1, 1<<48 - 1}},
			Grants: []Grant{{"a", 7}, {"b", 2}}},
	}
	settings := Settings{FlowTracking: true, FlowStatsCache: 30, LLDPKey: []byte{1, 2}}
	account := Account{Name: "a", Role: "slice", Hash: "h"}
	token := Token{ID: "t", Account: "a", Hash: []byte{9}, Created: now, Expires: now}
	dp := Datapath{DPID: math.MaxUint64, FloodPerm: "a", Limits: map[string]Limit{"a": {-1, 10, 20, 30}}}
	snap := Snapshot{ID: "s1", Created: now, Who: "w", Config: []byte("{}"), Rules: 2}

	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *Tx) error {
		_, err := tx.AppendAudit(Audit{Who: "w", OK: true, Time: now}, 0)
		return errors.Join(err, tx.PutSlice(slice), tx.PutRules(rule...), tx.SetNextRuleID(257), tx.PutSettings(settings),
			tx.PutAccount(account), tx.PutToken(token), tx.PutDatapath(dp), tx.PutSnapshot(snap))
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir)
	if diff := cmp.Diff(rule, rules(t, s)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if err := s.View(func(tx *Tx) error {
		check := func(what string, want, got any, err error) {
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s (-want +got), %v:\n%s", what, err, diff)
			}
		}
		slices, err := tx.Slices()
		check("slices", []Slice{slice}, slices, err)
		gotSettings, ok, err := tx.Settings()
		check("settings", settings, gotSettings, err)
		check("settings there", true, ok, nil)
		accounts, err := tx.Accounts()
		check("accounts", []Account{account}, accounts, err)
		tokens, err := tx.Tokens()
		check("tokens", []Token{token}, tokens, err)
		dps, err := tx.Datapaths()
		check("datapaths", []Datapath{dp}, dps, err)
		gotSnap, ok, err := tx.Snapshot("s1")
		check("snapshot", snap, gotSnap, err)
		check("snapshot there", true, ok, nil)
		audits, err := tx.Audits(0, 10)
		check("audit", []Audit{{ID: 1, Who: "w", OK: true, Time: now}}, audits, err)
		check("revision", uint64(1), tx.Revision(), nil)
		check("next rule", uint64(257), tx.NextRuleID(), nil)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// What is noted stays, and is no change.
func TestNoteLeavesTheRevision(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, write := range []func(func(*Tx) error) error{s.Update, s.Note, s.Note} {
		if err := write(func(tx *Tx) error { _, err := tx.AppendAudit(Audit{Who: "w"}, 10); return err }); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.View(func(tx *Tx) error {
		if all, err := tx.Audits(0, 10); err != nil || len(all) != 3 || tx.Revision() != 1 {
			t.Errorf("%d entries, revision %d, %v", len(all), tx.Revision(), err)
		}
		return nil
	})
}

func TestFailedUpdateChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	boom := errors.New("boom")
	err := s.Update(func(tx *Tx) error {
		return errors.Join(tx.PutSlice(Slice{Name: "a"}), tx.PutRules(Rule{ID: 1}), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatalf("err = %v", err)
	}
	if got := rules(t, s); len(got) != 0 {
		t.Errorf("rules stayed: %v", got)
	}
	_ = s.View(func(tx *Tx) error {
		if tx.Revision() != 0 {
			t.Errorf("revision = %d", tx.Revision())
		}
		return nil
	})
}

func TestAuditKeepsTheNewest(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for i := range 25 {
		if err := s.Update(func(tx *Tx) error {
			_, err := tx.AppendAudit(Audit{Target: strconv.Itoa(i)}, 10)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.View(func(tx *Tx) error {
		got, err := tx.Audits(0, 100)
		if err != nil || len(got) != 10 || got[0].ID != 16 || got[9].ID != 25 || tx.LastAudit() != 25 {
			t.Errorf("audit = %v, %v", got, err)
		}
		got, _ = tx.Audits(20, 2)
		if len(got) != 2 || got[0].ID != 21 {
			t.Errorf("page = %v", got)
		}
		return nil
	})
}

func TestLockedNamesTheHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := child(t, "hold", dir)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	buf := make([]byte, 5)
	if _, err := out.Read(buf); err != nil || string(buf) != "open\n" {
		t.Fatalf("child: %q %v", buf, err)
	}
	_, err := Open(dir)
	locked, ok := errors.AsType[*LockedError](err)
	if !ok {
		t.Fatalf("err = %v, want LockedError", err)
	}
	if locked.PID != cmd.Process.Pid || !strings.Contains(locked.Command, filepath.Base(os.Args[0])) {
		t.Errorf("holder = %d %q, want %d", locked.PID, locked.Command, cmd.Process.Pid)
	}
	for _, want := range []string{filepath.Join(dir, FileName), strconv.Itoa(cmd.Process.Pid), "nothing was changed"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestDamagedFileIsRefusedAndUntouched(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "good")
	s := open(t, t.TempDir())
	if err := s.Update(func(tx *Tx) error {
		for id := range uint64(5000) {
			if err := tx.PutRules(Rule{ID: id + 1, Name: fmt.Sprint("rule-", id)}); err != nil {
				return err
			}
		}
		return tx.SetNextRuleID(5001)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.BackupFile(good); err != nil {
		t.Fatal(err)
	}
	if err := s.BackupFile(good); !errors.Is(err, os.ErrExist) {
		t.Errorf("second backup to the same file: %v", err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for name, damage := range map[string]func([]byte) []byte{
		"empty":       func([]byte) []byte { return nil },
		"text":        func([]byte) []byte { return []byte(strings.Repeat("not a database\n", 1000)) },
		"one byte":    func([]byte) []byte { return []byte{0} },
		"cut short":   func(b []byte) []byte { return b[:len(b)/2] },
		"cut at meta": func(b []byte) []byte { return b[:2*page] },
		"metas gone":  func(b []byte) []byte { clear(b[:2*page]); return b },
		"rules gone":  func(b []byte) []byte { clear(b[2*page:]); return b },
		"noise": func(b []byte) []byte {
			for i := 2 * page; i < len(b); i++ {
				b[i] ^= 0x5a
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			damaged := damage(bytes.Clone(whole))
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir)
			if err == nil {
				err = s.View(func(tx *Tx) error { return tx.EachRule(func(Rule) error { return nil }) })
				s.Close()
			}
			corrupt, ok := errors.AsType[*CorruptError](err)
			if !ok || corrupt.Path != path {
				t.Errorf("err = %v, want CorruptError of %s", err, path)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the damaged file was changed (%v)", err)
			}
		})
	}
}

// A database cut off within its map faults in bbolt; what Go says of that
// helps nobody.
func TestFaultIsDamage(t *testing.T) {
	t.Parallel()
	open := func() (err error) {
		defer guard("x.db", &err)()
		var page *int
		*page++
		return nil
	}
	if err := open(); err == nil || err.Error() != "database x.db is corrupt: it is damaged or cut off; nothing was changed: restore a backup or move the file away" {
		t.Error(err)
	}
}

func TestNewerLayoutIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *Tx) error { return putUint(tx.tx.Bucket(bucketMeta), keySchema, SchemaVersion+1) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "layout version 2") {
		t.Errorf("err = %v", err)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []Rule
	for id := range uint64(3000) {
		want = append(want, Rule{ID: id + 1, Name: strings.Repeat("x", 60)})
	}
	var ids []uint64
	for _, r := range want[10:] {
		ids = append(ids, r.ID)
	}
	if err := errors.Join(
		s.Update(func(tx *Tx) error { return errors.Join(tx.PutRules(want...), tx.SetNextRuleID(3001)) }),
		s.Update(func(tx *Tx) error { return tx.DeleteRules(ids...) })); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Compact(s.Path()); err == nil {
		t.Error("compacted a database in use")
	}
	s.Close()
	before, after, err := Compact(filepath.Join(dir, FileName))
	if err != nil || after >= before {
		t.Errorf("Compact: %d -> %d, %v", before, after, err)
	}
	if diff := cmp.Diff(want[:10], rules(t, open(t, dir))); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	j := NewJournal(s)
	j.Put(1, "a", []byte("1"))
	j.Put(1, "b", []byte("2"))
	j.Put(2, "c", []byte("3"))
	j.Delete(1, "a")
	got, err := NewJournal(s).Load(1)
	if err != nil || len(got) != 0 {
		t.Errorf("before Flush: %v, %v", got, err)
	}
	got, err = j.Load(1)
	if diff := cmp.Diff(map[string][]byte{"b": []byte("2")}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	j.Forget(1)
	j.Put(1, "z", []byte("9"))
	got, _ = j.Load(1)
	if diff := cmp.Diff(map[string][]byte{"z": []byte("9")}, got); diff != "" {
		t.Errorf("after Forget (-want +got):\n%s", diff)
	}
	got, _ = NewJournal(s).Load(2)
	if diff := cmp.Diff(map[string][]byte{"c": []byte("3")}, got); diff != "" {
		t.Errorf("other datapath (-want +got):\n%s", diff)
	}
}

func FuzzRule(f *testing.F) {
	f.Add(appendRule(nil, &Rule{Name: "a", DPIDs: []uint64{1}, Match: []Term{{1, 2, 3}}, Grants: []Grant{{"s", 7}}, Queues: []uint32{1}, ForcedQueue: -1}))
	f.Add(appendRule(nil, &Rule{Name: "b", ForcedQueue: -1, Owner: "s"}))
	f.Add([]byte{ruleFormat})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var d ruleDecoder
		r, err := d.decode(1, b)
		if err != nil {
			return
		}
		again, err := d.decode(1, appendRule(nil, &r))
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func BenchmarkBulk(b *testing.B) {
	all := make([]Rule, 700_000)
	for i := range all {
		all[i] = Rule{ID: uint64(i + 1), Name: "vlan-" + strconv.Itoa(i), DPIDs: []uint64{uint64(i % 18)}, Priority: 100, ForcedQueue: -1,
			Match:  []Term{{FieldInPort, uint64(i % 10), uint64(i % 10)}, {FieldDLVLAN, uint64(i % 4096), uint64(i % 4096)}},
			Grants: []Grant{{"slice-" + strconv.Itoa(i%50), 7}}}
	}
	for b.Loop() {
		s := open(b, b.TempDir())
		start := time.Now()
		if err := s.Update(func(tx *Tx) error { return errors.Join(tx.PutRules(all...), tx.SetNextRuleID(700_001)) }); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/insert")
		start = time.Now()
		n := 0
		if err := s.View(func(tx *Tx) error { return tx.EachRule(func(Rule) error { n++; return nil }) }); err != nil || n != len(all) {
			b.Fatal(n, err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/load")
		info, _ := os.Stat(s.Path())
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	}
}
