package metrics_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/govisor/govisor/api/metrics"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire/of10"
)

type source []hypervisor.DatapathMetrics

func (s source) Metrics(hypervisor.Principal) ([]hypervisor.DatapathMetrics, error) { return s, nil }
func (s source) Version() string                                                    { return "v1.2.3" }

func scrape(t *testing.T, src metrics.Source) string {
	t.Helper()
	rec := httptest.NewRecorder()
	metrics.Handler(src).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(rec.Result().Body)
	if err != nil || rec.Code != 200 {
		t.Fatalf("status %d, error %v, body %s", rec.Code, err, body)
	}
	return string(body)
}

func TestFiguresAreShown(t *testing.T) {
	t.Parallel()
	var controller ofconn.Counters
	controller.CountDropped([]byte{1, byte(of10.TypePacketIn)})
	d := "00:00:00:00:00:00:00:01"
	text := scrape(t, source{{
		DPID: d, Messages: new(ofconn.Counters), Queued: 7, PhysicalFlows: 5, Drops: map[string]uint64{"no_owner": 3},
		FromSwitch: hypervisor.LatencyMetrics{UpTo: map[time.Duration]uint64{time.Microsecond: 2}, Count: 4, Sum: time.Millisecond},
		Slices:     []hypervisor.SliceMetrics{{Name: "red", Messages: &controller, VirtualFlows: 9, Connected: true, Connects: 2}},
	}})
	for _, want := range []string{
		`govisor_build_info{goversion="go`,
		`govisor_datapaths_connected 1`,
		`govisor_queue_bytes{dpid="` + d + `",slice=""} 7`,
		`govisor_flow_entries{dpid="` + d + `",kind="physical",slice=""} 5`,
		`govisor_flow_entries{dpid="` + d + `",kind="virtual",slice="red"} 9`,
		`govisor_dropped_total{dpid="` + d + `",reason="no_owner"} 3`,
		`govisor_shed_total{dpid="` + d + `",slice="red",type="packet_in"} 1`,
		`govisor_controller_up{dpid="` + d + `",slice="red"} 1`,
		`govisor_controller_connects_total{dpid="` + d + `",slice="red"} 2`,
		`govisor_handling_seconds_bucket{dpid="` + d + `",from="switch",le="1e-06"} 2`,
		`govisor_handling_seconds_count{dpid="` + d + `",from="switch"} 4`,
		`go_goroutines `,
		`process_resident_memory_bytes `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestNoDatapath(t *testing.T) {
	t.Parallel()
	if text := scrape(t, source{}); !strings.Contains(text, "govisor_datapaths_connected 0") {
		t.Error(text)
	}
}
