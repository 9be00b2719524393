package hypervisor

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// Kinds of callback, by FlowVisor's names, and the events they are about.
var callbackEvents = map[string][]string{
	"GENERAL":             {EventDatapathConnected, EventDatapathDisconnected, EventLinkAdded, EventLinkRemoved},
	"DEVICE_CONNECTED":    {EventDatapathConnected},
	"DEVICE_DISCONNECTED": {EventDatapathDisconnected},
	"SLICE_CONNECTED":     {EventControllerConnected},
	"SLICE_DISCONNECTED":  {EventControllerLost},
}

const (
	callbacksPerAccount = 100
	callbackQueue       = 64
	callbackTimeout     = 5 * time.Second
	callbackTries       = 4
	callbackFirstPause  = time.Second // doubles
)

// SignatureHeader carries the hexadecimal HMAC-SHA256 of the body, keyed with
// the cookie the callback was registered with.
const SignatureHeader = "X-Govisor-Signature"

// Callback is a web hook; DPID empty means every datapath.
type Callback store.Callback

// RegisterCallback makes events of one kind be sent to a URL. Where it may point
// to is a setting of the administrator.
func (s *Service) RegisterCallback(ctx context.Context, p Principal, cb Callback) error {
	cb.Account = p.Account
	if err := cb.check(); err != nil {
		return err
	}
	r := request{by: p, act: actOwnTokens, action: "register-callback", target: cb.URL}
	_, err := s.do(ctx, r, func(c *change) error {
		u, _ := url.Parse(cb.URL) // checked above
		if !allowedHost(c.st.settings.CallbackAllow, u) {
			return &Error{Kind: apitype.KindDenied, Field: "url", Value: clip(cb.URL), Detail: fmt.Sprintf("callbacks to %s are not allowed", clip(u.Host)),
				Hint: "the administrator can allow it: callback_allow in the settings", Index: -1}
		}
		own := 0
		for _, have := range c.st.callbacks {
			if have == store.Callback(cb) {
				return nil // it is there already
			}
			if have.Account == p.Account {
				own++
			}
		}
		if own >= callbacksPerAccount {
			return conflict("url", cb.URL, fmt.Sprintf("%s has %d callbacks already", p.Account, own), "unregister some")
		}
		c.putCallbacks(append(slices.Clone(c.st.callbacks), store.Callback(cb)))
		c.detail = cb.Event
		return nil
	})
	return err
}

func (cb Callback) check() error {
	u, err := url.Parse(cb.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return invalid("url", cb.URL, fmt.Sprintf("%q is not an http or https URL", clip(cb.URL)), "")
	case callbackEvents[cb.Event] == nil && cb.Event == "FLOWTABLE_CALLBACK":
		return invalid("event-type", cb.Event, "flow tables are not sent by callback", "ask with list-datapath-flowdb")
	case callbackEvents[cb.Event] == nil:
		return invalid("event-type", cb.Event, fmt.Sprintf("unknown event type %q", clip(cb.Event)), "want GENERAL, DEVICE_CONNECTED, DEVICE_DISCONNECTED, SLICE_CONNECTED or SLICE_DISCONNECTED")
	}
	for field, v := range map[string]string{"method": cb.Method, "cookie": cb.Cookie, "url": cb.URL} {
		if _, err := checkText(field, v, 1024); err != nil {
			return err
		}
	}
	return nil
}

// UnregisterCallback removes the caller's callbacks of that method, event and
// cookie, and reports whether there were any.
func (s *Service) UnregisterCallback(ctx context.Context, p Principal, cb Callback) (found bool, err error) {
	r := request{by: p, act: actOwnTokens, action: "unregister-callback", target: cb.Method}
	gone := func(have store.Callback) bool {
		return have.Account == p.Account && have.Method == cb.Method && have.Event == cb.Event && have.Cookie == cb.Cookie && (cb.DPID == "" || cb.DPID == have.DPID)
	}
	_, err = s.do(ctx, r, func(c *change) error {
		rest := slices.DeleteFunc(slices.Clone(c.st.callbacks), gone)
		found = len(rest) < len(c.st.callbacks)
		c.putCallbacks(rest)
		return nil
	})
	return found, err
}

func (c *change) putCallbacks(all []store.Callback) {
	c.st.callbacks = all
	c.write(func(tx *store.Tx) error { return tx.PutCallbacks(all) })
}

func (c *change) dropCallbacks(account string) {
	rest := slices.DeleteFunc(slices.Clone(c.st.callbacks), func(cb store.Callback) bool { return cb.Account == account })
	if len(rest) < len(c.st.callbacks) {
		c.putCallbacks(rest)
	}
}

// allowEntry is one place callbacks may go to.
type allowEntry struct {
	host string // "" if net is set
	net  netip.Prefix
	port string // "" for any
}

func parseAllow(list string) ([]allowEntry, error) {
	var out []allowEntry
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		var e allowEntry
		if p, err := netip.ParsePrefix(text); err == nil {
			e.net = p.Masked()
		} else if host, port, err := net.SplitHostPort(text); err == nil && host != "" && isPort(port) {
			e.host, e.port = host, port
		} else if !strings.ContainsAny(text, "/: ") || isAddr(text) {
			e.host = text
		} else {
			return nil, invalid("callback_allow", text, fmt.Sprintf("%q is no host, HOST:PORT or network", clip(text)), "for example portal.example.org,10.0.0.0/8")
		}
		out = append(out, e)
	}
	return out, nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func isAddr(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// allowedHost reports whether the list names the URL's host. A name is only
// allowed by name: a network allows addresses, whatever a name resolves to.
func allowedHost(list string, u *url.URL) bool {
	entries, err := parseAllow(list)
	if err != nil {
		return false
	}
	addr, addrErr := netip.ParseAddr(u.Hostname())
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return slices.ContainsFunc(entries, func(e allowEntry) bool {
		if e.port != "" && e.port != port {
			return false
		}
		return e.net.IsValid() && addrErr == nil && e.net.Contains(addr.Unmap()) || e.host != "" && strings.EqualFold(e.host, u.Hostname())
	})
}

// runCallbacks sends events to who registered for them until ctx ends. Each
// callback has a queue and a goroutine of its own: a slow one delays nobody.
func (s *Service) runCallbacks(ctx context.Context) error {
	// Neither redirects nor proxies: the URL says where it goes.
	client := &http.Client{Timeout: callbackTimeout, Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var workers sync.WaitGroup
	defer workers.Wait()
	queues := map[store.Callback]chan apitype.Event{}
	var last uint64
	for ctx.Err() == nil {
		past, sub := s.events.subscribe(last)
		for _, e := range past {
			last = e.ID
			s.dispatch(ctx, client, &workers, queues, e)
		}
		for open := true; open; {
			select {
			case <-ctx.Done():
				sub.Close()
				open = false
			case e, ok := <-sub.C:
				if open = ok; ok {
					last = e.ID
					s.dispatch(ctx, client, &workers, queues, e)
				}
			}
		}
	}
	return nil
}

func (s *Service) dispatch(ctx context.Context, client *http.Client, workers *sync.WaitGroup, queues map[store.Callback]chan apitype.Event, e apitype.Event) {
	st := s.state.Load()
	for cb, q := range queues {
		if !slices.Contains(st.callbacks, cb) {
			close(q)
			delete(queues, cb)
		}
	}
	for _, cb := range st.callbacks {
		if !slices.Contains(callbackEvents[cb.Event], e.Type) || cb.DPID != "" && cb.DPID != e.DPID || !s.concerns(st, cb, e) {
			continue
		}
		q := queues[cb]
		if q == nil {
			q = make(chan apitype.Event, callbackQueue)
			queues[cb] = q
			workers.Go(func() { s.deliver(ctx, client, cb, q) })
		}
		select {
		case q <- e:
		default:
			s.log.WithField("url", cb.URL).Warn("callback dropped: the receiver is too slow")
		}
	}
}

// concerns reports whether the owner of a callback may know of an event.
func (s *Service) concerns(st *state, cb store.Callback, e apitype.Event) bool {
	a, ok := st.accounts[cb.Account]
	p := Principal{Account: cb.Account, Role: Role(a.Role), Scope: ScopeFull}
	if !ok || p.seesAll() {
		return ok
	}
	if e.Slice != "" {
		return st.allowed(p, actReadSlice, e.Slice)
	}
	id, err := ofwire.ParseDatapathID(e.DPID)
	return err == nil && slices.ContainsFunc(st.flows.Slices(uint64(id)), func(n string) bool { return st.allowed(p, actReadSlice, n) })
}

func (s *Service) deliver(ctx context.Context, client *http.Client, cb store.Callback, q <-chan apitype.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-q:
			if !ok { // unregistered
				return
			}
			pause := callbackFirstPause
			for try := range callbackTries {
				err := s.post(ctx, client, cb, e)
				if err == nil || ctx.Err() != nil {
					break
				}
				s.log.WithError(err).WithField("url", cb.URL).WithField("try", try+1).Warn("callback failed")
				if try == callbackTries-1 {
					break
				}
				timer := time.NewTimer(pause)
				select {
				case <-ctx.Done():
					timer.Stop()
					return
				case <-timer.C:
				}
				pause *= 2
			}
		}
	}
}

// callbackParams are what FlowVisor sent along.
func (s *Service) callbackParams(cb store.Callback, e apitype.Event) []any {
	switch cb.Event {
	case "DEVICE_CONNECTED", "DEVICE_DISCONNECTED":
		return []any{e.DPID}
	case "SLICE_CONNECTED", "SLICE_DISCONNECTED":
		out := map[string]any{"connection-status": cb.Event == "SLICE_CONNECTED", "slice-name": e.Slice, "dpid": e.DPID, "shutdown-status": false, "floodperms": false,
			"controller-host": "", "controller-port": 0}
		if sl := s.state.Load().slices[e.Slice]; sl != nil {
			out["controller-host"], out["controller-port"] = sl.Controllers[0].Target.Host, sl.Controllers[0].Target.Port
		}
		return []any{out}
	}
	return []any{cb.Cookie}
}

func (s *Service) post(ctx context.Context, client *http.Client, cb store.Callback, e apitype.Event) error {
	u, err := url.Parse(cb.URL)
	if err != nil || !allowedHost(s.state.Load().settings.CallbackAllow, u) {
		return nil // no longer allowed: not a failure to try again
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": cb.Method, "params": s.callbackParams(cb, e), "id": e.ID, "cookie": cb.Cookie, "event": e})
	if err != nil {
		return fmt.Errorf("encode callback: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cb.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make callback: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(cb.Cookie))
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
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
