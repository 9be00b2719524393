package hypervisor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/govisor/govisor/api/apitype"
)

func TestAllowedHost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		list, url string
		want      bool
	}{
		{"", "http://127.0.0.1/", false},
		{"127.0.0.1", "http://127.0.0.1:9999/", true},
		{"127.0.0.1:80", "http://127.0.0.1/", true},
		{"127.0.0.1:80", "http://127.0.0.1:81/", false},
		{"10.0.0.0/8, portal.example.org", "https://10.9.8.7/x", true},
		{"10.0.0.0/8", "https://[::ffff:10.0.0.1]/", true},
		{"10.0.0.0/8", "http://11.0.0.1/", false},
		{"10.0.0.0/8", "http://ten.example.org/", false}, // whatever it resolves to
		{"portal.example.org", "http://PORTAL.example.org/", true},
		{"portal.example.org", "http://portal.example.org.evil/", false},
		{"portal.example.org", "http://portal.example.org@evil/", false},
		{"::1", "http://[::1]:5/", true},
	} {
		u, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := allowedHost(tc.list, u); got != tc.want {
			t.Errorf("%q allows %s: %v", tc.list, tc.url, got)
		}
	}
	for _, list := range []string{"10.0.0.0/33", "a b", "http://x/"} {
		if _, err := parseAllow(list); err == nil {
			t.Errorf("%q is accepted", list)
		}
	}
}

// TestCallback checks delivery, signature, the second try, and that neither
// strangers nor unregistered callbacks hear anything.
func TestCallback(t *testing.T) {
	t.Parallel()
	type delivery struct {
		body map[string]any
		sig  bool
	}
	got := make(chan delivery, 10)
	failures := 1
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if failures > 0 {
			failures--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		mac := hmac.New(sha256.New, []byte("cookie"))
		mac.Write(text)
		d := delivery{sig: r.Header.Get(SignatureHeader) == hex.EncodeToString(mac.Sum(nil))}
		_ = json.Unmarshal(text, &d.body) // checked below
		select {
		case got <- d:
		default: // heard enough
		}
	}))
	defer ts.Close()
	s, ctx := newService(t), t.Context()
	mustSlice(t, s, "a")
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(run) }()
	defer func() { stop(); <-done }()

	cb := Callback{URL: ts.URL, Method: "cb", Event: "DEVICE_CONNECTED", Cookie: "cookie"}
	if err := s.RegisterCallback(ctx, Local(), cb, false); KindOf(err) != apitype.KindDenied {
		t.Errorf("to a place that is not allowed: %v", err)
	}
	if _, err := s.UpdateSettings(ctx, Local(), SettingsPatch{CallbackAllow: new("127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	slice := Principal{Account: "a", Role: RoleSlice, Scope: ScopeFull}
	hers := cb
	hers.Method = "hers"
	for _, err := range []error{s.RegisterCallback(ctx, Local(), cb, false), s.RegisterCallback(ctx, Local(), cb, false), s.RegisterCallback(ctx, slice, hers, false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []Callback{{URL: "notaurl", Event: "GENERAL"}, {URL: "file:///etc/passwd", Event: "GENERAL"}, {URL: ts.URL, Event: "NOSUCH"}} {
		if err := s.RegisterCallback(ctx, Local(), bad, false); KindOf(err) != apitype.KindInvalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	// The subscription begins when Run does, so tell until somebody hears.
	if _, err := s.Attach(1, &fakeSession{}); err != nil {
		t.Fatal(err)
	}
	first := hear(t, s, got)
	if !first.sig || first.body["method"] != "cb" || first.body["params"].([]any)[0] != "00:00:00:00:00:00:00:01" { //nolint:forcetypeassert // a test
		t.Errorf("delivered %+v", first)
	}
	if found, err := s.UnregisterCallback(ctx, slice, Callback{Method: "cb", Event: cb.Event, Cookie: cb.Cookie}); found || err != nil {
		t.Errorf("a slice removed the administrator's: %v %v", found, err)
	}
	if found, err := s.UnregisterCallback(ctx, Local(), cb); !found || err != nil {
		t.Errorf("unregister: %v %v", found, err)
	}
	if n := len(s.state.Load().callbacks); n != 1 {
		t.Errorf("%d callbacks left", n)
	}
	if err := s.RemoveSlice(ctx, Local(), "a", nil); err != nil || len(s.state.Load().callbacks) != 0 {
		t.Errorf("after removing the slice: %v, %v", s.state.Load().callbacks, err)
	}
}

func hear[T any](t *testing.T, s *Service, got <-chan T) T {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case d := <-got:
			return d
		case <-tick.C:
			s.Emit(EventDatapathConnected, "00:00:00:00:00:00:00:01", "", "")
		}
	}
}
