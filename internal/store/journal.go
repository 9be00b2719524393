package store

import (
	"bytes"
	"context"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// journalPause is how long writes to the journal are collected.
const journalPause = 200 * time.Millisecond

// Journal records what a datapath's sessions need after a restart. It is
// written behind the traffic: Put and Delete only note the newest value of a
// key in memory, Run writes them. The order between keys is not kept, and what
// was noted in the last moments before a crash may be missing.
type Journal struct {
	store *Store
	wake  chan struct{}

	mu      sync.Mutex
	pending map[uint64]map[string][]byte // guarded by mu; nil value: delete
	drop    map[uint64]bool              // guarded by mu; forget all before pending
}

// NewJournal makes the journal of a store. Nothing is written until Run.
func NewJournal(s *Store) *Journal {
	return &Journal{store: s, wake: make(chan struct{}, 1), pending: map[uint64]map[string][]byte{}, drop: map[uint64]bool{}}
}

// Put notes a value; the journal keeps value and must not see it changed.
func (j *Journal) Put(dpid uint64, key string, value []byte) { j.note(dpid, key, value) }

// Delete notes that a key is gone.
func (j *Journal) Delete(dpid uint64, key string) { j.note(dpid, key, nil) }

// Forget notes that everything about a datapath is gone.
func (j *Journal) Forget(dpid uint64) {
	j.mu.Lock()
	delete(j.pending, dpid)
	j.drop[dpid] = true
	j.mu.Unlock()
	j.signal()
}

func (j *Journal) note(dpid uint64, key string, value []byte) {
	j.mu.Lock()
	m := j.pending[dpid]
	if m == nil {
		m = map[string][]byte{}
		j.pending[dpid] = m
	}
	m[key] = value
	j.mu.Unlock()
	j.signal()
}

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Run writes what is noted until ctx ends, and once more then.
func (j *Journal) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return j.Flush()
		case <-j.wake:
		}
		timer := time.NewTimer(journalPause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		if err := j.Flush(); err != nil {
			return err
		}
	}
}

// Flush writes what is noted now. It does not advance the revision.
func (j *Journal) Flush() error {
	j.mu.Lock()
	pending, drop := j.pending, j.drop
	j.pending, j.drop = map[uint64]map[string][]byte{}, map[uint64]bool{}
	j.mu.Unlock()
	if len(pending) == 0 && len(drop) == 0 {
		return nil
	}
	return j.store.db.Update(func(tx *bbolt.Tx) error {
		root := tx.Bucket(bucketJournal)
		for dpid := range drop {
			if root.Bucket(idKey(dpid)) == nil {
				continue
			}
			if err := root.DeleteBucket(idKey(dpid)); err != nil {
				return err
			}
		}
		for dpid, m := range pending {
			b, err := root.CreateBucketIfNotExists(idKey(dpid))
			if err != nil {
				return err
			}
			if err := putAll(b, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// putAll writes values under their keys; nil deletes what is there.
func putAll(b *bbolt.Bucket, m map[string][]byte) (err error) {
	for key, value := range m {
		if value == nil {
			err = b.Delete([]byte(key))
		} else {
			err = b.Put([]byte(key), value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Load reads everything on record about a datapath, noted or written.
func (j *Journal) Load(dpid uint64) (map[string][]byte, error) {
	if err := j.Flush(); err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	err := j.store.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketJournal).Bucket(idKey(dpid))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			out[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	return out, err
}
