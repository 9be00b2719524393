package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

var update = flag.Bool("update", false, "write the answers into the golden files")

// switchSession is a switch as the service sees it.
type switchSession struct{ d apitype.Datapath }

func (s switchSession) Apply(*hypervisor.DatapathConfig) <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}
func (s switchSession) Status() apitype.Datapath { return s.d }
func (s switchSession) Stats() apitype.MessageStats {
	c := map[string]map[string]uint64{"classifier-dpid=" + s.d.DPID: {"HELLO": 1, "PACKET_IN": 18}, "Total": {"HELLO": 1, "PACKET_IN": 18}}
	return apitype.MessageStats{Tx: map[string]map[string]uint64{"Total": {}}, Rx: c, Drop: map[string]map[string]uint64{"Total": {}}}
}
func (s switchSession) Metrics() hypervisor.DatapathMetrics {
	return hypervisor.DatapathMetrics{DPID: s.d.DPID}
}
func (s switchSession) SliceStats(slice string) apitype.MessageStats {
	if slice != "alice" {
		return apitype.MessageStats{}
	}
	c := map[string]map[string]uint64{"slicer_alice_dpid=" + s.d.DPID: {"FLOW_MOD": 4}, "Total": {"FLOW_MOD": 4}}
	return apitype.MessageStats{Tx: map[string]map[string]uint64{"Total": {}}, Rx: c, Drop: map[string]map[string]uint64{"Total": {}}}
}
func (s switchSession) Flows(context.Context) ([]apitype.Flow, error) {
	return []apitype.Flow{{DPID: s.d.DPID, Slice: "alice", Kind: "piece", Priority: 5, Match: "in_port=1,dl_type=0x0800,nw_dst=10.0.0.0/8", Actions: "output:2", Cookie: "0x10"}}, nil
}
func (s switchSession) SliceFlows(_ context.Context, slice string) ([]apitype.Flow, error) {
	physical, _ := s.Flows(context.Background())
	return []apitype.Flow{{DPID: s.d.DPID, Slice: slice, Kind: "virtual", Priority: 5, Match: "dl_type=0x0800,nw_dst=10.0.0.0/8", Actions: "output:2", Cookie: "0x10f",
		Seconds: 3, Rewritten: physical}}, nil
}
func (s switchSession) TraceFlowMod(string, string) ([]apitype.Flow, error) {
	return s.Flows(context.Background())
}
func (s switchSession) Alive() bool       { return true }
func (s switchSession) Disconnect(string) {}

// connect lets a switch appear that has a session with slice alice.
func (w *world) connect(dpid uint64) {
	w.t.Helper()
	id := "00:00:00:00:00:00:00:0" + string(rune('0'+dpid))
	d := apitype.Datapath{DPID: id, Local: "127.0.0.1:6633", Remote: "127.0.0.1:40456", Version: "1.0", Tables: 1, Buffers: 256,
		Ports: []apitype.Port{{Number: 1, Name: "s1-eth1", Config: []string{}, State: []string{}, Features: []string{}},
			{Number: 2, Name: "s1-eth2", Config: []string{}, State: []string{}, Features: []string{}}},
		Connections: []apitype.SliceConnection{{Slice: "alice", DPID: id, Controller: "tcp:127.0.0.1:6635", State: "connected", Connects: 2, FlowMods: 4, Rate: 7.5, Ports: []uint32{1, 2}}},
		FlowMods:    map[string]int{"alice": 4}, Since: time.Unix(1000, 0).UTC()}
	if _, err := w.svc.Attach(hypervisorDPID(dpid), switchSession{d}); err != nil {
		w.t.Fatal(err)
	}
}

// rpc sends one body as an account and returns status and answer.
func (w *world) rpc(account, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+w.token(account, "full"))
	status, text := carried(w.t, req)
	return status, strings.TrimSpace(text)
}

// fixture is what the golden files begin with.
func fixture(t *testing.T) *world {
	w := newWorld(t)
	ctx := t.Context()
	w.admin = w.bearer(w.token(hypervisor.AdminName, "full"))
	for _, s := range []apitype.SliceCreate{
		{Name: "alice", Controllers: []string{"tcp:127.0.0.1:6635"}, Contact: "alice@example.com"},
		{Name: "bob", Controllers: []string{"tcp:localhost:6636"}, Contact: "bob@example.com", DropPolicy: new("rule"), RecvLLDP: new(true), FlowModLimit: new(5000), RateLimit: new(1000)},
		{Name: "carol", Controllers: []string{"tcp:127.0.0.1:6637"}, Contact: "carol@example.com", Enabled: new(false)},
	} {
		if _, err := w.admin.CreateSlice(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	w.rule("a1", "any", 100, "dl_src=00:00:00:00:00:01", "alice")
	w.rule("vr", "00:00:00:00:00:00:00:77", 10, "in_port=7,dl_vlan=100-101", "carol")
	if _, err := w.admin.CreateRule(ctx, apitype.RuleCreate{Name: "web", DPIDs: []string{"1"}, Priority: 80, Match: "dl_type=0x0800,nw_proto=6,tp_dst=60000",
		Grants: []apitype.Grant{{Slice: "alice", Permission: 4}, {Slice: "bob", Permission: 2}}, Queues: []uint32{7, 8}, ForcedQueue: new(uint32(7))}); err != nil {
		t.Fatal(err)
	}
	w.connect(1)
	w.connect(2)
	return w
}

// TestGolden runs the conversations in testdata/jsonrpc, one file a method, each
// on the same beginning: "@ account" says who asks from then on, "> " a request,
// "< " the answer. go test -run Golden -update writes the answers.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/jsonrpc/*.txt")
	if err != nil || len(files) < 27 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := fixture(t)
			var got bytes.Buffer
			account := hypervisor.AdminName
			for line := range strings.Lines(string(text)) {
				if strings.HasPrefix(line, "< ") {
					continue
				}
				got.WriteString(line)
				if name, ok := strings.CutPrefix(line, "@ "); ok {
					account = strings.TrimSpace(name)
				}
				if body, ok := strings.CutPrefix(line, "> "); ok {
					status, answer := w.rpc(account, body)
					if status != http.StatusOK && status != http.StatusNoContent {
						t.Errorf("%s: HTTP %d", body, status)
					}
					if answer != "" && !json.Valid([]byte(answer)) {
						t.Errorf("%s: not JSON: %s", body, answer)
					}
					got.WriteString("< " + answer + "\n")
				}
			}
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil { //nolint:gosec // test data
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(text), got.String()); diff != "" && !*update {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
