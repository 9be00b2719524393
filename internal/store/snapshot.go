package store

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// PutSnapshot writes a snapshot with its configuration.
func (t *Tx) PutSnapshot(s Snapshot) error {
	if err := t.put(bucketSnapshots, []byte("m/"+s.ID), s); err != nil {
		return err
	}
	return t.tx.Bucket(bucketSnapshots).Put([]byte("c/"+s.ID), s.Config)
}

// DeleteSnapshot removes a snapshot.
func (t *Tx) DeleteSnapshot(id string) error {
	b := t.tx.Bucket(bucketSnapshots)
	if err := b.Delete([]byte("m/" + id)); err != nil {
		return err
	}
	return b.Delete([]byte("c/" + id))
}

// Snapshots lists the snapshots in order of id, without their configurations.
func (t *Tx) Snapshots() ([]Snapshot, error) {
	var out []Snapshot
	c := t.tx.Bucket(bucketSnapshots).Cursor()
	prefix := []byte("m/")
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var s Snapshot
		if err := json.Unmarshal(v, &s); err != nil {
			return nil, fmt.Errorf("snapshot record is damaged: %w", err)
		}
		out = append(out, s)
	}
	return out, nil
}

// Snapshot reads one snapshot with its configuration.
func (t *Tx) Snapshot(id string) (s Snapshot, ok bool, err error) {
	b := t.tx.Bucket(bucketSnapshots)
	v := b.Get([]byte("m/" + id))
	if v == nil {
		return s, false, nil
	}
	if err := json.Unmarshal(v, &s); err != nil {
		return s, false, fmt.Errorf("snapshot record is damaged: %w", err)
	}
	s.Config = bytes.Clone(b.Get([]byte("c/" + id)))
	return s, true, nil
}
