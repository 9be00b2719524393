package api_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/govisor/govisor/internal/store"
)

// TestTagsAfterARestore: a database that was put back counts its changes from where the copy
// was. The tags that were given between must not come again for other content; those from
// before the copy stay good.
func TestTagsAfterARestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	change := func(w *world, name string, vlan int) {
		t.Helper()
		w.rule(name, "1", 9, fmt.Sprintf("dl_vlan=%d", vlan), "alice")
	}
	w := newWorldIn(t, dir)
	w.slice("alice")
	change(w, "a", 1)
	tags := func(w *world) [2]string { return [2]string{w.tag("/flowspace"), w.tag("/config")} }
	copied := tags(w)
	w.stop()
	file := filepath.Join(dir, store.FileName)
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w = newWorldIn(t, dir)
	change(w, "b", 2)
	lost := tags(w)
	w.stop()

	if err := os.WriteFile(file, saved, 0o600); err != nil {
		t.Fatal(err)
	}
	w = newWorldIn(t, dir)
	if now := w.tag("/flowspace"); now != copied[0] {
		t.Errorf("the same rules had %s, now %s", copied[0], now)
	}
	change(w, "c", 3)
	for i, now := range tags(w) {
		if now == lost[i] || now == "" {
			t.Errorf("other content has the tag %s again", now)
		}
	}
}
