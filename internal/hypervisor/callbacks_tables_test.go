package hypervisor

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
)

// receiver is a web server that keeps what it is sent.
func receiver(t *testing.T) (url string, got chan string) {
	t.Helper()
	got = make(chan string, 100)
	ts := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("Content-Type") + "\n" + string(text)
	}))
	t.Cleanup(ts.Close)
	return ts.URL, got
}

func hearWithin(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case text := <-got:
		return text
	case <-time.After(time.Minute):
		t.Fatal("nothing was sent")
		return ""
	}
}

// running is a service that delivers callbacks, to this machine.
func running(t *testing.T) *Service {
	t.Helper()
	s := newService(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	if _, err := s.UpdateSettings(ctx, Local(), SettingsPatch{CallbackAllow: new("127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	return s
}

// A callback for flow tables tells the table as it is when it is registered, and
// then those that changed, whole, once, and only to who may see them.
func TestFlowTableCallback(t *testing.T) {
	t.Parallel()
	s, ctx := running(t), t.Context()
	mustSlice(t, s, "a")
	mustSlice(t, s, "b")
	mustRule(t, s, "r", "1", "any", "a=7,b=7")
	sess := &fakeSession{st: apitype.Datapath{Connections: []apitype.SliceConnection{{Slice: "a"}, {Slice: "b"}}}, flows: []apitype.Flow{
		{Slice: "a", Match: "in_port=1,dl_type=0x0800,nw_dst=10.0.0.0/8", Actions: "mod_vlan_vid:5,output:2,CONTROLLER:128", Priority: 7, Cookie: "0xff",
			Seconds: 3, IdleTimeout: 10, Packets: 4, Bytes: 400},
		{Slice: "b", Match: "", Actions: "drop", Cookie: "0x0"}}}
	if _, err := s.Attach(1, sess); err != nil {
		t.Fatal(err)
	}
	slice := Principal{Account: "a", Role: RoleSlice, Scope: ScopeFull}
	url, got := receiver(t)
	cb := Callback{URL: url, Method: "tables", Event: "FLOWTABLE_CALLBACK", Cookie: "c", DPID: "00:00:00:00:00:00:00:01"}
	unknown := cb
	unknown.DPID = "00:00:00:00:00:00:00:09"
	if err := s.RegisterCallback(ctx, slice, unknown, false); KindOf(err) != apitype.KindNotFound {
		t.Errorf("of a datapath that is not there: %v", err)
	}
	if err := s.RegisterCallback(ctx, slice, cb, false); err != nil {
		t.Fatal(err)
	}
	type body struct {
		Method, Cookie string
		Params         []map[string]any
		Event          apitype.Event
	}
	hear := func() (b body) {
		text := hearWithin(t, got)
		if err := json.Unmarshal([]byte(text[len("application/json\n"):]), &b); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if b.Event.ID == 0 || b.Event.Time.IsZero() {
			t.Errorf("event without number or time: %+v", b.Event)
		}
		b.Event.ID, b.Event.Time = 0, time.Time{}
		return b
	}
	flow := map[string]any{
		"ofp_match match": map[string]any{"in_port": 1.0, "dl_type": "0x800", "nw_dst": "10.0.0.0/8", "wildcards": 3555310.0},
		"ofp_action_header actions": []any{
			map[string]any{"ofp_action_set_vlan_vid": map[string]any{"type": 1.0, "len": 8.0, "value": "5"}},
			map[string]any{"ofp_action_output": map[string]any{"type": 0.0, "len": 8.0, "port": 2.0, "max_len": 0.0}},
			map[string]any{"ofp_action_output": map[string]any{"type": 0.0, "len": 8.0, "port": 65533.0, "max_len": 128.0}}},
		"dpid": 1.0, "slice-name": "a", "table_id": "00:00:00:00:00:00:00:00", "duration_sec": 3.0, "duraction_nsec": 0.0, "hard_timeout": 0.0, "idle_timeout": 10.0,
		"cookie": 255.0, "priority": "7", "packet_count": 4.0, "byte_count": 400.0, "length": 112.0}
	want := body{"tables", "c", []map[string]any{flow}, apitype.Event{Type: "flows-changed", DPID: cb.DPID, Slice: "a"}}
	if diff := cmp.Diff(want, hear()); diff != "" {
		t.Errorf("at registration (-want +got):\n%s", diff)
	}
	sess.mu.Lock()
	sess.flows = nil
	sess.mu.Unlock()
	for range 50 {
		s.FlowsChanged(1, "b")
		s.FlowsChanged(1, "a")
		s.FlowsChanged(2, "a")
	}
	want.Params = []map[string]any{}
	if diff := cmp.Diff(want, hear()); diff != "" {
		t.Errorf("when it is empty (-want +got):\n%s", diff)
	}
	if found, err := s.UnregisterCallback(ctx, slice, Callback{Method: "tables", Event: cb.Event, Cookie: "c"}); !found || err != nil {
		t.Errorf("unregister: %v %v", found, err)
	}
	s.FlowsChanged(1, "a")
	if changed := s.tables.take(); len(changed) != 0 {
		t.Errorf("nobody listens, and %v is kept", changed)
	}
	select {
	case text := <-got:
		t.Errorf("more was sent: %s", text)
	default:
	}
}

// The callback of before 1.0 is an XML-RPC call with the cookie; an account has
// one, and a burst of changes is told once.
func TestGeneralCallback(t *testing.T) {
	t.Parallel()
	s, ctx := running(t), t.Context()
	url, got := receiver(t)
	for _, cookie := range []string{"first", "<&>"} {
		if err := s.RegisterCallback(ctx, Local(), Callback{URL: url, Method: "topology.changed", Event: "GENERAL", Cookie: cookie}, true); err != nil {
			t.Fatal(err)
		}
	}
	if all := s.Callbacks(Local()); len(all) != 1 || all[0].Cookie != "<&>" {
		t.Fatalf("callbacks: %+v", all)
	}
	want := "text/xml; charset=utf-8\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
		"<methodCall><methodName>topology.changed</methodName><params><param><value><string>&lt;&amp;&gt;</string></value></param></params></methodCall>\n"
	if text := hear(t, s, got); text != want {
		t.Errorf("sent:\n%s\nwant:\n%s", text, want)
	}
	if found, err := s.UnregisterEvent(ctx, Local(), "GENERAL"); !found || err != nil {
		t.Errorf("unregister: %v %v", found, err)
	}
	if found, err := s.UnregisterEvent(ctx, Local(), "GENERAL"); found || err != nil {
		t.Errorf("unregister again: %v %v", found, err)
	}
}

// What says the same as something that waits is not queued twice, and a queue is bounded.
func TestCallbackQueue(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind   string
		events []apitype.Event
		want   int
		full   bool
	}{
		{"GENERAL", make([]apitype.Event, 100), 1, false},
		{"FLOWTABLE_CALLBACK", []apitype.Event{{DPID: "1", Slice: "a"}, {DPID: "1", Slice: "b"}, {DPID: "1", Slice: "a"}, {DPID: "2", Slice: "a"}}, 3, false},
		{"DEVICE_CONNECTED", make([]apitype.Event, 100), callbackQueueLength, true},
	} {
		q := &callbackQueue{more: make(chan struct{}, 1), end: make(chan struct{})}
		full := false
		for _, e := range tc.events {
			full = !q.put(tc.kind, e) || full
		}
		if len(q.list) != tc.want || full != tc.full {
			t.Errorf("%s: %d wait, full %v", tc.kind, len(q.list), full)
		}
		for range tc.want {
			if _, ok := q.take(t.Context()); !ok {
				t.Errorf("%s: nothing to take", tc.kind)
			}
		}
		close(q.end)
		if _, ok := q.take(t.Context()); ok {
			t.Errorf("%s: there is more", tc.kind)
		}
	}
}
