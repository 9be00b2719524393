package hypervisor

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// The journal holds the virtual flows of a datapath so that they are known again
// after a restart: one value per slice, written some time after a change. What a
// crash leaves out is a stranger to the next start and removed from the switch.
const (
	journalVersion = 1
	journalDelay   = time.Second // after a change, so that a burst is written once
	journalShare   = 50          // saving takes at most one part in so many of the time
	savedHead      = 24          // created, packets, bytes
)

// journalKey names a slice; one made again under the same name is another.
func journalKey(slice string, generation uint64) string {
	return fmt.Sprintf("%s/%d", slice, generation)
}

// touch lets the journal look after what may have changed.
func (d *datapath) touch() {
	if d.touched.Load() {
		return
	}
	d.touched.Store(true)
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// keepJournal saves the virtual flows of every slice whose flows may have changed. It
// also tells, after a burst, that ports have changed. While nothing happens it does
// nothing, as there may be a thousand of it.
func (d *datapath) keepJournal(ctx context.Context) {
	timer := time.NewTimer(journalDelay)
	defer timer.Stop()
	seen := map[string]uint64{} // versions of the slices' tables, by the journal's keys
	ports := uint64(0)
	for {
		select {
		case <-ctx.Done():
			d.saveChanged(seen)
			return
		case <-timer.C:
		}
		begin := time.Now()
		d.touched.Store(false) // before it looks
		d.saveChanged(seen)
		if now := d.classifier().Conn().Counters().Received(uint8(of10.TypePortStatus)); now != ports {
			ports = now
			d.w.svc.Emit(EventDatapathUpdated, d.dpid.String(), "", "ports")
		}
		looked := time.Now()
		select {
		case <-ctx.Done(): // comes to the same above
		case <-d.changed:
		}
		timer.Reset(journalPause(looked.Sub(begin), time.Since(looked)))
	}
}

// journalPause is how long a change waits for others to be saved with it, when saving
// took so long the last time and that has been over for idle.
func journalPause(took, idle time.Duration) time.Duration {
	return max(journalDelay, journalShare*took-idle)
}

// saveChanged notes in the journal the flows of each slice whose table is another than
// the last time, and forgets slices that are gone. It asks the core and not the counters
// of the connections: what these have counted may have been done not yet, or be undone.
// Each slice is saved on its own, so that the datapath is never held up for long.
func (d *datapath) saveChanged(seen map[string]uint64) {
	var present map[string]bool // keys, with whether there is something to save
	names := map[string]string{}
	d.classifier().Do(func(_ time.Time, dp *slicing.Datapath, _ *slicing.Out) {
		present = map[string]bool{}
		for name, gen := range d.core.gens {
			key := journalKey(name, gen)
			last, ok := seen[key]
			present[key], names[key] = !ok || last != dp.FlowsVersion(name), name
		}
	})
	if present == nil {
		return // a fault, which ends the session
	}
	j := d.w.svc.Journal()
	d.core.mu.Lock()
	defer d.core.mu.Unlock()
	for key := range d.core.journaled {
		if _, ok := present[key]; !ok {
			j.Delete(uint64(d.dpid), key)
			delete(d.core.journaled, key)
		}
	}
	gone := func(key string, _ uint64) bool { _, ok := present[key]; return !ok }
	maps.DeleteFunc(d.core.tables, gone)
	maps.DeleteFunc(seen, gone)
	for key, changed := range present {
		if !changed {
			continue
		}
		f := d.save(names[key])
		seen[key] = f.version
		if f.sum != d.core.tables[key] {
			d.core.tables[key] = f.sum
			d.w.svc.FlowsChanged(d.dpid, names[key])
		}
		switch {
		case f.n > 0:
			d.core.journaled[key] = true
			j.Put(uint64(d.dpid), key, f.value)
		case d.core.journaled[key]:
			j.Delete(uint64(d.dpid), key)
			delete(d.core.journaled, key)
		}
	}
}

// saving is memory for save. It is shared, since a datapath needs it for a moment only.
type saving struct {
	list  []slicing.SavedFlow
	value []byte
}

var savings = sync.Pool{New: func() any { return new(saving) }}

// saved is what the journal is to know of a slice's flows.
type saved struct {
	n       int // how many there are
	value   []byte
	version uint64 // of the table
	sum     uint64 // tells tables apart, whatever the order and the counters; an empty one has 0
}

func (d *datapath) save(slice string) (s saved) {
	m := savings.Get().(*saving)
	defer savings.Put(m)
	m.list = m.list[:0]
	d.classifier().Do(func(_ time.Time, dp *slicing.Datapath, _ *slicing.Out) {
		m.list, s.version = dp.AppendSaved(m.list, slice), dp.FlowsVersion(slice)
	})
	m.value = append(m.value[:0], journalVersion)
	for i := range m.list {
		begin := len(m.value)
		b, err := appendSaved(m.value, &m.list[i])
		if err != nil {
			continue
		}
		m.value = b
		s.sum += maphash.Bytes(flowSeed, b[begin+savedHead:])
	}
	s.n = len(m.list)
	clear(m.list) // it holds on to actions
	s.value = slices.Clone(m.value)
	return s
}

var flowSeed = maphash.MakeSeed()

func appendSaved(b []byte, f *slicing.SavedFlow) ([]byte, error) {
	b = binary.BigEndian.AppendUint64(b, uint64(f.Created.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, f.Packets)
	b = binary.BigEndian.AppendUint64(b, f.Bytes)
	return f.Flow.AppendBinary(b)
}

// parseSaved reads what appendSaved wrote.
func parseSaved(slice string, b []byte) (list []slicing.SavedFlow, err error) {
	if len(b) == 0 || b[0] != journalVersion {
		return nil, fmt.Errorf("journal of slice %s: unknown format", slice)
	}
	for b = b[1:]; len(b) > 0; {
		if len(b) < savedHead+ofwire.HeaderLen {
			return list, fmt.Errorf("journal of slice %s: cut short", slice)
		}
		f := slicing.SavedFlow{
			Slice:   slice,
			Created: time.Unix(0, int64(binary.BigEndian.Uint64(b))),
			Packets: binary.BigEndian.Uint64(b[8:]),
			Bytes:   binary.BigEndian.Uint64(b[16:]),
		}
		b = b[savedHead:]
		h, err := ofwire.ParseHeader(b)
		if err != nil || int(h.Length) > len(b) {
			return list, fmt.Errorf("journal of slice %s: cut short", slice)
		}
		if err := f.Flow.UnmarshalBinary(b[:h.Length]); err != nil {
			return list, fmt.Errorf("journal of slice %s: %w", slice, err)
		}
		list = append(list, f)
		b = b[h.Length:]
	}
	return list, nil
}

// recall reads the flows of the slices that cfg still has.
func (d *datapath) recall(cfg *DatapathConfig, k *keptCore) (list []slicing.SavedFlow) {
	values, err := d.w.svc.Journal().Load(uint64(d.dpid))
	if err != nil {
		d.log.WithError(err).Error("cannot read the journal; flows in the switch will not be recognised")
		return nil
	}
	for key, value := range values {
		k.journaled[key] = true
		name := key[:max(strings.LastIndexByte(key, '/'), 0)]
		c := cfg.Slice(name)
		if c == nil || journalKey(name, c.Generation) != key {
			continue
		}
		flows, err := parseSaved(name, value)
		if err != nil {
			d.log.WithError(err).Error("journal is damaged; flows in the switch will not be recognised")
		}
		list = append(list, flows...)
	}
	slices.SortStableFunc(list, func(a, b slicing.SavedFlow) int { return a.Created.Compare(b.Created) })
	return list
}
