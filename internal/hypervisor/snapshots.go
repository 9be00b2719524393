package hypervisor

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
)

func snapshotOut(s store.Snapshot) apitype.Snapshot {
	return apitype.Snapshot{ID: s.ID, Created: s.Created, Who: s.Who, Note: s.Note, Slices: s.Slices, Rules: s.Rules}
}

// Snapshots lists the saved configurations, oldest first.
func (s *Service) Snapshots(p Principal) ([]apitype.Snapshot, error) {
	if !s.state.Load().allowed(p, actReadConfig, "") {
		return nil, denied(p, "list snapshots")
	}
	out := []apitype.Snapshot{}
	err := s.db.View(func(tx *store.Tx) error {
		records, err := tx.Snapshots()
		for _, r := range records {
			out = append(out, snapshotOut(r))
		}
		return err
	})
	return out, err
}

// CreateSnapshot saves the configuration.
func (s *Service) CreateSnapshot(ctx context.Context, p Principal, note string) (apitype.Snapshot, error) {
	note, err := checkText("note", note, maxContact)
	if err != nil {
		return apitype.Snapshot{}, err
	}
	var snap store.Snapshot
	r := request{by: p, act: actWriteSettings, action: "create-snapshot", target: note}
	_, err = s.do(ctx, r, func(c *change) (err error) {
		snap, err = c.snapshot(c.st, note)
		return err
	})
	return snapshotOut(snap), err
}

// RestoreSnapshot replaces the configuration by a saved one.
func (s *Service) RestoreSnapshot(ctx context.Context, p Principal, id string) (apitype.Config, ApplyResult, error) {
	var cfg apitype.Config
	snap, err := s.readSnapshot(p, id)
	if err != nil {
		return cfg, ApplyResult{}, err
	}
	if err := json.Unmarshal(snap.Config, &cfg); err != nil {
		return cfg, ApplyResult{}, fmt.Errorf("snapshot %s: %w", id, err)
	}
	res, err := s.Apply(ctx, p, cfg, ApplyOptions{Replace: true, Note: "restore of snapshot " + id})
	return cfg, res, err
}

func (s *Service) readSnapshot(p Principal, id string) (snap store.Snapshot, err error) {
	if !s.state.Load().allowed(p, actWriteSettings, "") {
		return snap, denied(p, "restore snapshots")
	}
	found := false
	err = s.db.View(func(tx *store.Tx) error {
		var err error
		snap, found, err = tx.Snapshot(id)
		return err
	})
	if err == nil && !found {
		e := notFound("snapshot", id)
		e.Hint = "fvctl snapshot list shows them"
		err = e
	}
	return snap, err
}

// DeleteSnapshot removes a saved configuration.
func (s *Service) DeleteSnapshot(ctx context.Context, p Principal, id string) error {
	if _, err := s.readSnapshot(p, id); err != nil {
		return err
	}
	r := request{by: p, act: actWriteSettings, action: "delete-snapshot", target: id}
	_, err := s.do(ctx, r, func(c *change) error {
		c.write(func(tx *store.Tx) error { return tx.DeleteSnapshot(id) })
		return nil
	})
	return err
}
