package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// compactTxSize bounds the memory of Compact.
const compactTxSize = 64 << 20

// Check reads everything and returns every fault found; nil means sound.
func (s *Store) Check() (faults []error) {
	var fatal error
	func() {
		defer guard(s.path, &fatal)()
		fatal = s.db.View(func(tx *bbolt.Tx) error {
			for err := range tx.Check() {
				faults = append(faults, err)
			}
			return nil
		})
		if fatal != nil || len(faults) > 0 {
			return
		}
		fatal = s.View(func(tx *Tx) error {
			faults = append(faults, tx.readable()...)
			return nil
		})
	}()
	if fatal != nil {
		faults = append(faults, fatal)
	}
	return faults
}

// readable decodes every record.
func (t *Tx) readable() (faults []error) {
	note := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	_, err := t.Slices()
	note(err)
	_, _, err = t.Settings()
	note(err)
	_, err = t.Accounts()
	note(err)
	_, err = t.Tokens()
	note(err)
	_, err = t.Datapaths()
	note(err)
	_, err = t.Snapshots()
	note(err)
	_, err = t.Audits(0, 1<<62)
	note(err)
	var last uint64
	note(t.EachRule(func(r Rule) error { last = r.ID; return nil }))
	if next := t.NextRuleID(); last >= next {
		note(fmt.Errorf("rule %d is above the next id %d", last, next))
	}
	return faults
}

// Backup writes a consistent copy of the whole database to w while it is in use.
func (s *Store) Backup(w io.Writer) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}

// BackupFile is Backup into a new file, complete and on disk when it returns.
func (s *Store) BackupFile(path string) error {
	return writeFile(path, s.Backup)
}

// Compact writes a densely packed copy of the database at path into the same
// place. Nobody may have it open.
func Compact(path string) (before, after int64, err error) {
	s, err := openFile(path, false) // exclusive: nobody starts meanwhile
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	tmp := path + ".compact"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, err
	}
	dst, err := bbolt.Open(tmp, info.Mode().Perm(), &bbolt.Options{Timeout: lockWait})
	if err != nil {
		return 0, 0, fmt.Errorf("compact: %w", err)
	}
	defer os.Remove(tmp)
	if err := errors.Join(bbolt.Compact(dst, s.db, compactTxSize), dst.Sync(), dst.Close()); err != nil {
		return 0, 0, fmt.Errorf("compact: %w", err)
	}
	small, err := os.Stat(tmp)
	if err != nil {
		return 0, 0, err
	}
	if err := os.Rename(tmp, path); err != nil {
		return 0, 0, fmt.Errorf("compact: %w", err)
	}
	return info.Size(), small.Size(), syncDir(filepath.Dir(path))
}

// writeFile makes path, which must not exist, whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, os.ErrExist)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(write(tmp), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
