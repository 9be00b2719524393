package hypervisor

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
)

// A callback that is unregistered while it is tried again and again is not tried any more.
func TestCallbackEndsBetweenTries(t *testing.T) {
	t.Parallel()
	s, tries := newService(t), 0
	if _, err := s.UpdateSettings(t.Context(), Local(), SettingsPatch{CallbackAllow: new("127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	q := &callbackQueue{more: make(chan struct{}, 1), end: make(chan struct{})}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			close(q.end)
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer ts.Close()
	cb := store.Callback{Account: AdminName, URL: ts.URL, Event: "DEVICE_CONNECTED"}
	q.put(cb.Event, apitype.Event{Type: EventDatapathConnected, DPID: "00:00:00:00:00:00:00:01"})
	s.deliver(t.Context(), http.DefaultClient, cb, q)
	if tries != 1 {
		t.Errorf("%d tries", tries)
	}
}

// One account cannot make so many tokens that others get none.
func TestTokensPerAccount(t *testing.T) {
	t.Parallel()
	s, ctx := newService(t), t.Context()
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	st := *s.state.Load() // as if it had made them: each is a write to the disk
	st.tokens = map[string]store.Token{}
	for i := range tokensPerAccount {
		id := string(rune('0' + i))
		st.tokens[id] = store.Token{ID: id, Account: "a"}
	}
	s.state.Store(&st)
	a, b := Principal{Account: "a", Role: RoleSlice, Scope: ScopeFull}, Principal{Account: "b", Role: RoleSlice, Scope: ScopeFull}
	if _, err := s.CreateToken(ctx, a, apitype.TokenCreate{}); KindOf(err) != apitype.KindConflict {
		t.Errorf("one more: %v", err)
	}
	if _, err := s.CreateToken(ctx, b, apitype.TokenCreate{}); err != nil {
		t.Errorf("another's: %v", err)
	}
}
