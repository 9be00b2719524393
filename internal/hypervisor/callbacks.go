package hypervisor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// Kinds of callback, by FlowVisor's names, and the events they are about.
var callbackEvents = map[string][]string{
	callbackGeneral:       {EventDatapathConnected, EventDatapathDisconnected, EventLinkAdded, EventLinkRemoved},
	"DEVICE_CONNECTED":    {EventDatapathConnected},
	"DEVICE_DISCONNECTED": {EventDatapathDisconnected},
	"SLICE_CONNECTED":     {EventControllerConnected},
	"SLICE_DISCONNECTED":  {EventControllerLost},
	callbackFlowTable:     {eventFlowsChanged},
}

// Kinds of callback that differ from the others in what they say.
const (
	callbackGeneral   = "GENERAL"            // an XML-RPC call
	callbackFlowTable = "FLOWTABLE_CALLBACK" // a slice's flows on a datapath
)

const callbacksPerAccount = 100

// Callback is a web hook; DPID empty means every datapath.
type Callback store.Callback

// RegisterCallback makes events of one kind be sent to a URL. Where it may point
// to is a setting of the administrator. With only, it takes the place of all
// others of that kind the caller has.
func (s *Service) RegisterCallback(ctx context.Context, p Principal, cb Callback, only bool) error {
	cb.Account = p.Account
	if err := cb.check(); err != nil {
		return err
	}
	if cb.Event == callbackFlowTable && cb.DPID != "" {
		id, err := ofwire.ParseDatapathID(cb.DPID)
		if err != nil {
			return invalid("dpid", cb.DPID, err.Error(), "")
		}
		if _, err := s.Datapath(p, id); err != nil {
			return err
		}
	}
	r := request{by: p, act: actOwnTokens, action: "register-callback", target: cb.URL}
	_, err := s.do(ctx, r, func(c *change) error {
		u, _ := url.Parse(cb.URL) // checked above
		if !allowedHost(c.st.settings.CallbackAllow, u) {
			return &Error{Kind: apitype.KindDenied, Field: "url", Value: clip(cb.URL), Detail: fmt.Sprintf("callbacks to %s are not allowed", clip(u.Host)),
				Hint: "the administrator can allow it: callback_allow in the settings", Index: -1}
		}
		if slices.Contains(c.st.callbacks, store.Callback(cb)) {
			return nil // it is there already
		}
		all := slices.DeleteFunc(slices.Clone(c.st.callbacks), func(have store.Callback) bool {
			return only && have.Account == cb.Account && have.Event == cb.Event
		})
		own := 0
		for _, have := range all {
			if have.Account == p.Account {
				own++
			}
		}
		if own >= callbacksPerAccount {
			return conflict("url", cb.URL, fmt.Sprintf("%s has %d callbacks already", p.Account, own), "unregister some")
		}
		c.putCallbacks(append(all, store.Callback(cb)))
		c.detail = cb.Event
		return nil
	})
	if err == nil && cb.Event == callbackFlowTable {
		s.tables.wake()
	}
	return err
}

// Callbacks lists the callbacks of the caller, the administrator's: all.
func (s *Service) Callbacks(p Principal) []Callback {
	st := s.state.Load()
	out := []Callback{}
	for _, cb := range st.callbacks {
		if cb.Account == p.Account || p.Role == RoleAdmin {
			out = append(out, Callback(cb))
		}
	}
	return out
}

func (cb Callback) check() error {
	u, err := url.Parse(cb.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return invalid("url", cb.URL, fmt.Sprintf("%q is not an http or https URL", clip(cb.URL)), "")
	case callbackEvents[cb.Event] == nil:
		return invalid("event-type", cb.Event, fmt.Sprintf("unknown event type %q", clip(cb.Event)), "want GENERAL, DEVICE_CONNECTED, DEVICE_DISCONNECTED, SLICE_CONNECTED, SLICE_DISCONNECTED or FLOWTABLE_CALLBACK")
	case cb.Method == "":
		return invalid("method", "", "the method that is to be called is missing", "")
	}
	for field, v := range map[string]string{"method": cb.Method, "cookie": cb.Cookie, "url": cb.URL} {
		if _, err := checkText(field, v, 1024); err != nil {
			return err
		}
	}
	return nil
}

// UnregisterCallback removes the caller's callbacks of that method, event and
// cookie, and datapath if given, and reports whether there were any.
func (s *Service) UnregisterCallback(ctx context.Context, p Principal, cb Callback) (found bool, err error) {
	return s.dropCallbacks(ctx, p, cb.Method, func(have store.Callback) bool {
		return have.Account == p.Account && have.Method == cb.Method && have.Event == cb.Event && have.Cookie == cb.Cookie && (cb.DPID == "" || cb.DPID == have.DPID)
	})
}

// UnregisterEvent removes all callbacks the caller has for a kind of event, and
// reports whether there were any.
func (s *Service) UnregisterEvent(ctx context.Context, p Principal, event string) (found bool, err error) {
	return s.dropCallbacks(ctx, p, event, func(have store.Callback) bool { return have.Account == p.Account && have.Event == event })
}

// RemoveCallback removes one of those that Callbacks lists.
func (s *Service) RemoveCallback(ctx context.Context, p Principal, id string) error {
	found, err := s.dropCallbacks(ctx, p, id, func(have store.Callback) bool {
		return Callback(have).ID() == id && (have.Account == p.Account || p.Role == RoleAdmin)
	})
	if err == nil && !found {
		err = notFound("callback", id)
	}
	return err
}

func (s *Service) dropCallbacks(ctx context.Context, p Principal, target string, gone func(store.Callback) bool) (found bool, err error) {
	r := request{by: p, act: actOwnTokens, action: "unregister-callback", target: target}
	_, err = s.do(ctx, r, func(c *change) error {
		rest := slices.DeleteFunc(slices.Clone(c.st.callbacks), gone)
		if len(rest) == len(c.st.callbacks) {
			return errNoCallback
		}
		c.putCallbacks(rest)
		return nil
	})
	if errors.Is(err, errNoCallback) {
		return false, nil
	}
	return err == nil, err
}

// errNoCallback ends a change that would change nothing.
var errNoCallback = errors.New("no such callback")

// ID names a callback by what it is.
func (cb Callback) ID() string {
	text, _ := json.Marshal(cb) // texts always can be
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
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
