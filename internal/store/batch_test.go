package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// Batches, each handed over whole and in order of id, are all rules there are.
func TestRuleBatches(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, ruleBatch - 1, ruleBatch, ruleBatch + 1, 3*ruleBatch + 7} {
		s, err := Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		want := make([]Rule, n)
		for i := range want {
			want[i] = Rule{ID: uint64(3*i + 1), Name: fmt.Sprint("r", i), ForcedQueue: -1, Grants: []Grant{{"a", uint8(i%7 + 1)}},
				DPIDs: []uint64{uint64(i)}, Match: []Term{{FieldDLVLAN, uint64(i), uint64(i)}}}
		}
		if err := s.Update(func(tx *Tx) error { return tx.PutRules(want...) }); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		parts := map[int][]Rule{}
		if err := s.View(func(tx *Tx) error {
			return tx.RuleBatches(func(batch int, rules []Rule) error {
				mu.Lock()
				defer mu.Unlock()
				parts[batch] = rules
				return nil
			})
		}); err != nil {
			t.Fatal(err)
		}
		got := make([]Rule, 0, n)
		for i := range len(parts) {
			got = append(got, parts[i]...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d rules: (-want +got) %s", n, d)
		}
		if n == 0 {
			continue
		}
		stop := errors.New("stop")
		if err := s.View(func(tx *Tx) error { return tx.RuleBatches(func(int, []Rule) error { return stop }) }); !errors.Is(err, stop) {
			t.Errorf("%d rules: the caller's error became %v", n, err)
		}
		if err := s.db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketRules).Put(idKey(want[n/2].ID), []byte{ruleFormat, 200})
		}); err != nil {
			t.Fatal(err)
		}
		err = s.View(func(tx *Tx) error { return tx.RuleBatches(func(int, []Rule) error { return nil }) })
		if !errors.Is(err, errRule) {
			t.Errorf("%d rules: a damaged record: %v", n, err)
		}
	}
}
