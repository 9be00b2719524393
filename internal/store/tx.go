package store

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"runtime"
	"sync/atomic"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
)

// Tx is one transaction; it must not be kept after the function it was given to.
type Tx struct{ tx *bbolt.Tx }

// Revision counts the transactions that were committed before this one.
func (t *Tx) Revision() uint64 { return getUint(t.tx.Bucket(bucketMeta), keyRevision) }

// NextRuleID is the lowest rule id never used, at least 1.
func (t *Tx) NextRuleID() uint64 { return max(1, getUint(t.tx.Bucket(bucketMeta), keyNextRule)) }

// SetNextRuleID records which rule ids are used up, so that none is given twice.
func (t *Tx) SetNextRuleID(id uint64) error {
	return putUint(t.tx.Bucket(bucketMeta), keyNextRule, id)
}

// Stamp is what SetStamp recorded, 0 before that.
func (t *Tx) Stamp() uint64 { return getUint(t.tx.Bucket(bucketMeta), keyStamp) }

// SetStamp records a number that no other change has: the revisions of a database that was
// restored come again.
func (t *Tx) SetStamp(stamp uint64) error { return putUint(t.tx.Bucket(bucketMeta), keyStamp, stamp) }

// RulesRevision is what SetRulesRevision recorded, 0 before that.
func (t *Tx) RulesRevision() (revision, stamp uint64) {
	meta := t.tx.Bucket(bucketMeta)
	return getUint(meta, keyRulesAt), getUint(meta, keyRulesOf)
}

// SetRulesRevision records the revision that a change of rules makes, and its stamp.
func (t *Tx) SetRulesRevision(revision, stamp uint64) error {
	meta := t.tx.Bucket(bucketMeta)
	if err := putUint(meta, keyRulesAt, revision); err != nil {
		return err
	}
	return putUint(meta, keyRulesOf, stamp)
}

func (t *Tx) put(bucket []byte, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s record: %w", bucket, err)
	}
	return t.tx.Bucket(bucket).Put(key, text)
}

func load[T any](t *Tx, bucket []byte) ([]T, error) {
	var out []T
	err := t.tx.Bucket(bucket).ForEach(func(k, v []byte) error {
		var rec T
		if err := json.Unmarshal(v, &rec); err != nil {
			return fmt.Errorf("%s record %q is damaged: %w", bucket, k, err)
		}
		out = append(out, rec)
		return nil
	})
	return out, err
}

// PutSlice writes a slice's record.
func (t *Tx) PutSlice(s Slice) error { return t.put(bucketSlices, []byte(s.Name), s) }

// DeleteSlice removes a slice's record.
func (t *Tx) DeleteSlice(name string) error { return t.tx.Bucket(bucketSlices).Delete([]byte(name)) }

// Slices reads all slices, in order of name.
func (t *Tx) Slices() ([]Slice, error) { return load[Slice](t, bucketSlices) }

// PutRules writes rules; sorted by id they are packed densely.
func (t *Tx) PutRules(rules ...Rule) error {
	b := t.tx.Bucket(bucketRules)
	if len(rules) > 1000 {
		b.FillPercent = 0.95
	}
	for i := range rules {
		// bbolt keeps the value until commit, so each has its own memory.
		if err := b.Put(idKey(rules[i].ID), appendRule(nil, &rules[i])); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRules removes rules by id; ids that are not there do not matter.
func (t *Tx) DeleteRules(ids ...uint64) error {
	b := t.tx.Bucket(bucketRules)
	for _, id := range ids {
		if err := b.Delete(idKey(id)); err != nil {
			return err
		}
	}
	return nil
}

// Clear removes all rules, slices, datapaths, accounts and tokens, for an
// import. Settings, audit, snapshots and journal stay, and so does NextRuleID.
func (t *Tx) Clear() error {
	for _, name := range [][]byte{bucketRules, bucketSlices, bucketDatapaths, bucketAccounts, bucketTokens} {
		if err := t.tx.DeleteBucket(name); err != nil {
			return err
		}
		if _, err := t.tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return nil
}

// EachRule calls fn for every rule in order of id.
func (t *Tx) EachRule(fn func(Rule) error) error {
	var d ruleDecoder
	return t.tx.Bucket(bucketRules).ForEach(func(k, v []byte) error {
		if len(k) != 8 {
			return errRule
		}
		r, err := d.decode(binary.BigEndian.Uint64(k), v)
		if err != nil {
			return err
		}
		return fn(r)
	})
}

// ruleBatch is how many rules RuleBatches hands over at a time.
const ruleBatch = 4096

// RuleBatches reads all rules in order of id and hands them to use, some thousands at
// a time, from several goroutines at once. The batches are numbered from 0.
func (t *Tx) RuleBatches(use func(batch int, rules []Rule) error) error {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	var failed atomic.Bool
	n := 0
	var ids []uint64
	var ends []int
	var text []byte // copied, so that a damaged file can fault in this goroutine only
	flush := func() {
		ids, ends, text, batch := ids, ends, text, n
		n++
		work.Go(func() error {
			rules, err := decodeRules(ids, ends, text)
			if err == nil {
				err = use(batch, rules)
			}
			if err != nil {
				failed.Store(true)
			}
			return err
		})
	}
	err := t.tx.Bucket(bucketRules).ForEach(func(k, v []byte) error {
		if len(k) != 8 {
			return errRule
		}
		ids = append(ids, binary.BigEndian.Uint64(k))
		text = append(text, v...)
		if ends = append(ends, len(text)); len(ids) == ruleBatch {
			flush()
			ids, ends, text = make([]uint64, 0, ruleBatch), make([]int, 0, ruleBatch), make([]byte, 0, len(text)+len(text)/8)
		}
		if failed.Load() {
			return errRule // work has the real one
		}
		return nil
	})
	if err == nil && len(ids) > 0 {
		flush()
	}
	return cmp.Or(work.Wait(), err)
}

func decodeRules(ids []uint64, ends []int, text []byte) ([]Rule, error) {
	var d ruleDecoder
	rules := make([]Rule, len(ids))
	from := 0
	for i, end := range ends {
		var err error
		if rules[i], err = d.decode(ids[i], text[from:end]); err != nil {
			return nil, err
		}
		from = end
	}
	return rules, nil
}

var keyCurrent = []byte("current")

// PutSettings writes the settings.
func (t *Tx) PutSettings(s Settings) error { return t.put(bucketSettings, keyCurrent, s) }

// Settings reads the settings; ok is false in a new database.
func (t *Tx) Settings() (s Settings, ok bool, err error) {
	v := t.tx.Bucket(bucketSettings).Get(keyCurrent)
	if v == nil {
		return s, false, nil
	}
	return s, true, json.Unmarshal(v, &s)
}

var keyCallbacks = []byte("callbacks")

// PutCallbacks replaces the registered callbacks.
func (t *Tx) PutCallbacks(all []Callback) error { return t.put(bucketSettings, keyCallbacks, all) }

// Callbacks reads the registered callbacks.
func (t *Tx) Callbacks() (out []Callback, err error) {
	v := t.tx.Bucket(bucketSettings).Get(keyCallbacks)
	if v == nil {
		return nil, nil
	}
	return out, json.Unmarshal(v, &out)
}

// PutAccount writes an account.
func (t *Tx) PutAccount(a Account) error { return t.put(bucketAccounts, []byte(a.Name), a) }

// DeleteAccount removes an account.
func (t *Tx) DeleteAccount(name string) error {
	return t.tx.Bucket(bucketAccounts).Delete([]byte(name))
}

// Accounts reads all accounts.
func (t *Tx) Accounts() ([]Account, error) { return load[Account](t, bucketAccounts) }

// PutToken writes a token.
func (t *Tx) PutToken(k Token) error { return t.put(bucketTokens, []byte(k.ID), k) }

// DeleteToken removes a token.
func (t *Tx) DeleteToken(id string) error { return t.tx.Bucket(bucketTokens).Delete([]byte(id)) }

// Tokens reads all tokens.
func (t *Tx) Tokens() ([]Token, error) { return load[Token](t, bucketTokens) }

// PutDatapath writes what is configured for a datapath.
func (t *Tx) PutDatapath(d Datapath) error { return t.put(bucketDatapaths, idKey(d.DPID), d) }

// DeleteDatapath forgets a datapath's configuration.
func (t *Tx) DeleteDatapath(dpid uint64) error {
	return t.tx.Bucket(bucketDatapaths).Delete(idKey(dpid))
}

// Datapaths reads all configured datapaths in order of id.
func (t *Tx) Datapaths() ([]Datapath, error) { return load[Datapath](t, bucketDatapaths) }

// AppendAudit writes an entry and gives it the next id. Only the newest
// keep entries stay; 0 keeps all.
func (t *Tx) AppendAudit(a Audit, keep uint64) (uint64, error) {
	b := t.tx.Bucket(bucketAudit)
	id, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	a.ID = id
	if keep > 0 && id > keep {
		for c := b.Cursor(); ; {
			if k, _ := c.First(); k == nil || binary.BigEndian.Uint64(k) > id-keep {
				break
			}
			if err := c.Delete(); err != nil {
				return 0, err
			}
		}
	}
	return id, t.put(bucketAudit, idKey(id), a)
}

// Audits reads up to limit entries with ids above after, oldest first.
func (t *Tx) Audits(after uint64, limit int) ([]Audit, error) {
	var out []Audit
	c := t.tx.Bucket(bucketAudit).Cursor()
	for k, v := c.Seek(idKey(after + 1)); k != nil && len(out) < limit; k, v = c.Next() {
		var a Audit
		if err := json.Unmarshal(v, &a); err != nil {
			return nil, fmt.Errorf("audit record is damaged: %w", err)
		}
		out = append(out, a)
	}
	return out, nil
}

// LastAudit is the id of the newest entry, 0 for none.
func (t *Tx) LastAudit() uint64 { return t.tx.Bucket(bucketAudit).Sequence() }
