package hypervisor

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

const (
	callbackQueueLength = 64
	callbackTimeout     = 5 * time.Second
	callbackTries       = 4
	callbackFirstPause  = time.Second // doubles
	// tablesPause is how long further changes of flow tables are gathered before
	// they are told.
	tablesPause = 5 * time.Second
)

// SignatureHeader carries the hexadecimal HMAC-SHA256 of the body, keyed with
// the cookie the callback was registered with.
const SignatureHeader = "X-Govisor-Signature"

// runCallbacks sends events to who registered for them until ctx ends. Each
// callback has a queue and a goroutine of its own: a slow one delays nobody.
func (s *Service) runCallbacks(ctx context.Context) error {
	// Neither redirects nor proxies: the URL says where it goes.
	client := &http.Client{Timeout: callbackTimeout, Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	d := &dispatcher{s: s, client: client, queues: map[store.Callback]*callbackQueue{}}
	defer d.workers.Wait()
	pause := time.NewTimer(0)
	defer pause.Stop()
	var tables <-chan struct{} // nil in a pause
	var last uint64
	for ctx.Err() == nil {
		past, sub := s.events.subscribe(last)
		for _, e := range past {
			last = e.ID
			d.dispatch(ctx, e)
		}
		for open := true; open; {
			select {
			case <-ctx.Done():
				sub.Close()
				open = false
			case e, ok := <-sub.C:
				if open = ok; ok {
					last = e.ID
					d.dispatch(ctx, e)
				}
			case <-tables:
				d.tables(ctx)
				tables = nil
				pause.Reset(tablesPause)
			case <-pause.C:
				tables = s.tables.kick
			}
		}
	}
	return nil
}

// dispatcher is owned by the goroutine of runCallbacks.
type dispatcher struct {
	s       *Service
	client  *http.Client
	workers sync.WaitGroup
	queues  map[store.Callback]*callbackQueue
	told    uint64 // flow tables, which have numbers of their own
}

// queue returns the queue of a callback, and whether it had none yet.
func (d *dispatcher) queue(ctx context.Context, cb store.Callback) (q *callbackQueue, fresh bool) {
	if q = d.queues[cb]; q != nil {
		return q, false
	}
	q = &callbackQueue{more: make(chan struct{}, 1), end: make(chan struct{})}
	d.queues[cb] = q
	d.workers.Go(func() { d.s.deliver(ctx, d.client, cb, q) })
	return q, true
}

// forget ends the queues of callbacks that are no longer registered.
func (d *dispatcher) forget(st *state) {
	for cb, q := range d.queues {
		if !slices.Contains(st.callbacks, cb) {
			close(q.end)
			delete(d.queues, cb)
		}
	}
}

func (d *dispatcher) dispatch(ctx context.Context, e apitype.Event) {
	st := d.s.state.Load()
	d.forget(st)
	for _, cb := range st.callbacks {
		if slices.Contains(callbackEvents[cb.Event], e.Type) {
			q, _ := d.queue(ctx, cb)
			d.offer(st, cb, q, e)
		}
	}
}

// offer puts an event into the queue of a callback whose owner may know of it.
func (d *dispatcher) offer(st *state, cb store.Callback, q *callbackQueue, e apitype.Event) {
	if cb.DPID != "" && cb.DPID != e.DPID || !d.s.concerns(st, cb, e) {
		return
	}
	if !q.put(cb.Event, e) {
		d.s.log.WithField("url", cb.URL).Warn("callback dropped: the receiver is too slow")
	}
}

// tables tells which flow tables have changed, and who is new: all there are.
func (d *dispatcher) tables(ctx context.Context) {
	changed := d.s.tables.take()
	st := d.s.state.Load()
	d.forget(st)
	for _, cb := range st.callbacks {
		if cb.Event != callbackFlowTable {
			continue
		}
		q, fresh := d.queue(ctx, cb)
		list := changed
		if fresh {
			list = d.s.flowTables()
		}
		for _, t := range list {
			d.told++
			d.offer(st, cb, q, apitype.Event{ID: d.told, Time: d.s.now().UTC(), Type: eventFlowsChanged, DPID: t.dpid.String(), Slice: t.slice})
		}
	}
}

// callbackQueue is what one callback has still to be told.
type callbackQueue struct {
	more chan struct{} // capacity 1: there is something
	end  chan struct{} // closed when the callback is unregistered

	mu   sync.Mutex
	list []apitype.Event // guarded by mu
}

// put adds an event; what would say the same as one that waits is not added. It
// reports whether there was room.
func (q *callbackQueue) put(kind string, e apitype.Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	again := func(have apitype.Event) bool {
		return kind == callbackGeneral || kind == callbackFlowTable && have.DPID == e.DPID && have.Slice == e.Slice
	}
	if slices.ContainsFunc(q.list, again) {
		return true
	}
	if len(q.list) >= callbackQueueLength && kind != callbackFlowTable { // of flow tables there are so many and no more
		return false
	}
	q.list = append(q.list, e)
	select {
	case q.more <- struct{}{}:
	default:
	}
	return true
}

// take waits for the next event; ok is false when there will be none.
func (q *callbackQueue) take(ctx context.Context) (e apitype.Event, ok bool) {
	for {
		select {
		case <-ctx.Done():
			return e, false
		case <-q.end:
			return e, false
		default:
		}
		q.mu.Lock()
		if len(q.list) > 0 {
			e, q.list = q.list[0], q.list[1:]
			q.mu.Unlock()
			return e, true
		}
		q.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-q.end:
		case <-q.more:
		}
	}
}

// concerns reports whether the owner of a callback may know of an event.
func (s *Service) concerns(st *state, cb store.Callback, e apitype.Event) bool {
	a, ok := st.accounts[cb.Account]
	return ok && st.mayHear(Principal{Account: cb.Account, Role: Role(a.Role), Scope: ScopeFull}, e)
}

// mayHear reports whether p may know of an event about its slices, or about a
// datapath on which one of them has a rule.
func (st *state) mayHear(p Principal, e apitype.Event) bool {
	if p.seesAll() {
		return true
	}
	if e.Slice != "" {
		return st.allowed(p, actReadSlice, e.Slice)
	}
	id, err := ofwire.ParseDatapathID(e.DPID)
	return err == nil && slices.ContainsFunc(st.flows.Slices(uint64(id)), func(n string) bool { return st.allowed(p, actReadSlice, n) })
}

// deliver sends what is in the queue, each event up to callbackTries times.
func (s *Service) deliver(ctx context.Context, client *http.Client, cb store.Callback, q *callbackQueue) {
	for {
		e, ok := q.take(ctx)
		if !ok {
			return
		}
		pause := callbackFirstPause
		for try := 1; ; try++ {
			err := s.post(ctx, client, cb, e)
			if err == nil || ctx.Err() != nil {
				break
			}
			s.log.WithError(err).WithField("url", cb.URL).WithField("try", try).Warn("callback failed")
			if try == callbackTries {
				break
			}
			timer := time.NewTimer(pause)
			select {
			case <-ctx.Done():
			case <-q.end:
				timer.Stop()
				return
			case <-timer.C:
			}
			timer.Stop()
			pause *= 2
		}
	}
}

func (s *Service) post(ctx context.Context, client *http.Client, cb store.Callback, e apitype.Event) error {
	u, err := url.Parse(cb.URL)
	if err != nil || !allowedHost(s.state.Load().settings.CallbackAllow, u) {
		return nil // no longer allowed: not a failure to try again
	}
	kind, body, err := s.callbackBody(ctx, cb, e)
	if err != nil || body == nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cb.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make callback: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(cb.Cookie))
	mac.Write(body)
	req.Header.Set("Content-Type", kind)
	req.Header.Set(SignatureHeader, hex.EncodeToString(mac.Sum(nil)))
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("send callback: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answered %s", resp.Status)
	}
	return nil
}
