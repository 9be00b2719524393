package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// FileName is the database's name in the data directory.
const FileName = "govisor.db"

// SchemaVersion is the layout this program writes. Version 1 is the first.
const SchemaVersion = 1

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = 300 * time.Millisecond

// mapped is how much address space a database gets at first: when a file outgrows it,
// bbolt copies all that a transaction has read, which for a bulk of rules costs more
// than writing them. 0, on machines with 32 bits, leaves it to bbolt.
const mapped = 1 << 30 * (bits.UintSize / 64)

var (
	bucketMeta      = []byte("meta")
	bucketSlices    = []byte("slices")
	bucketRules     = []byte("rules")
	bucketSettings  = []byte("settings")
	bucketAccounts  = []byte("accounts")
	bucketTokens    = []byte("tokens")
	bucketDatapaths = []byte("datapaths")
	bucketAudit     = []byte("audit")
	bucketSnapshots = []byte("snapshots")
	bucketJournal   = []byte("journal") // a bucket per datapath inside

	keySchema   = []byte("schema")
	keyRevision = []byte("revision")
	keyNextRule = []byte("next-rule")
	keyRulesAt  = []byte("rules-revision")
	keyStamp    = []byte("stamp")
	keyRulesOf  = []byte("rules-stamp")

	buckets = [][]byte{bucketMeta, bucketSlices, bucketRules, bucketSettings, bucketAccounts,
		bucketTokens, bucketDatapaths, bucketAudit, bucketSnapshots, bucketJournal}
)

// LockedError says that another process has the database open.
type LockedError struct {
	Path    string
	PID     int    // 0 when it could not be found out
	Command string // of PID, for people
}

func (e *LockedError) Error() string {
	by := "another process"
	if e.PID != 0 {
		by = fmt.Sprintf("process %d (%s)", e.PID, e.Command)
	}
	return fmt.Sprintf("database %s is in use by %s; nothing was changed", e.Path, by)
}

// CorruptError says that the file is not, or no longer, a database of ours.
type CorruptError struct {
	Path string
	Err  error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("database %s is corrupt: %v; nothing was changed: restore a backup or move the file away", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// Store is an open database, safe for concurrent use.
type Store struct {
	db   *bbolt.DB
	path string
}

// Open opens DIR/govisor.db and makes it first if it is not there. The errors
// *LockedError and *CorruptError promise that nothing was written.
func Open(dir string) (*Store, error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create database %s: %w", path, err)
		}
	}
	return openFile(path, false)
}

// OpenReadOnly opens an existing database file without changing a byte of it.
func OpenReadOnly(path string) (*Store, error) { return openFile(path, true) }

// openFile opens an existing file. Faults on the mapped file and panics of the
// library on damaged pages are turned into CorruptError.
func openFile(path string, readOnly bool) (s *Store, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &CorruptError{path, errors.New("it is not a regular file")}
	}
	if info.Size() == 0 {
		return nil, &CorruptError{path, errors.New("it is empty")}
	}
	defer guard(path, &err)()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, ReadOnly: readOnly,
		FreelistType: bbolt.FreelistMapType, NoFreelistSync: false, InitialMmapSize: mapped})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		pid, command := holder(path)
		return nil, &LockedError{Path: path, PID: pid, Command: command}
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("open database: %w", err)
	case err != nil:
		return nil, &CorruptError{path, err}
	}
	s = &Store{db: db, path: path}
	if err := s.verify(info.Size()); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// guard makes the calling goroutine survive a damaged mapped file until the
// returned function runs, which turns the panic into *err.
func guard(path string, err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		switch r := recover().(type) {
		case nil:
		case runtime.Error: // a page that is not there, or not what its place says
			*err = &CorruptError{path, errors.New("it is damaged or cut off")}
		default:
			*err = &CorruptError{path, fmt.Errorf("%v", r)}
		}
	}
}

func (s *Store) verify(size int64) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		if want := tx.Size(); size < want {
			return &CorruptError{s.path, fmt.Errorf("it was cut off: %d bytes of %d", size, want)}
		}
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return &CorruptError{s.path, errors.New("it is a bbolt file, but not govisor's")}
		}
		for _, name := range buckets {
			if tx.Bucket(name) == nil {
				return &CorruptError{s.path, fmt.Errorf("bucket %q is missing", name)}
			}
		}
		if v := getUint(meta, keySchema); v != SchemaVersion {
			return fmt.Errorf("database %s has layout version %d, this govisor knows %d: use the version that wrote it; nothing was changed",
				s.path, v, SchemaVersion)
		}
		return nil
	})
}

// create makes a complete new file beside path and links it there, so that
// path is either absent or whole, and a file made meanwhile is not replaced.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, FileName+".new-*")
	if err != nil {
		return err
	}
	tmp.Close()
	defer os.Remove(tmp.Name())
	db, err := bbolt.Open(tmp.Name(), 0o600, &bbolt.Options{Timeout: lockWait})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return putUint(tx.Bucket(bucketMeta), keySchema, SchemaVersion)
	})
	if err = errors.Join(err, db.Sync(), db.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(tmp.Name(), path); err != nil { // no hard links here
			return err
		}
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Path is the file's name.
func (s *Store) Path() string { return s.path }

// Close waits for running transactions and lets go of the file.
func (s *Store) Close() error { return s.db.Close() }

// Update runs fn in one transaction: all of it is on disk when Update returns
// nil, none of it otherwise. Each successful Update advances the revision.
func (s *Store) Update(fn func(*Tx) error) error {
	return s.db.Update(func(btx *bbolt.Tx) error {
		tx := &Tx{tx: btx}
		if err := fn(tx); err != nil {
			return err
		}
		meta := btx.Bucket(bucketMeta)
		return putUint(meta, keyRevision, getUint(meta, keyRevision)+1)
	})
}

// Note is Update for what is no change of the configuration: the revision stays.
func (s *Store) Note(fn func(*Tx) error) error {
	return s.db.Update(func(btx *bbolt.Tx) error { return fn(&Tx{tx: btx}) })
}

// View runs fn on one consistent state.
func (s *Store) View(fn func(*Tx) error) (err error) {
	defer guard(s.path, &err)()
	return s.db.View(func(btx *bbolt.Tx) error { return fn(&Tx{tx: btx}) })
}

func getUint(b *bbolt.Bucket, key []byte) uint64 {
	v := b.Get(key)
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

func putUint(b *bbolt.Bucket, key []byte, v uint64) error { return b.Put(key, idKey(v)) }

// idKey makes keys that sort like the numbers.
func idKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }
