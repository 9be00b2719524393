// Package metrics shows govisor's live figures to Prometheus.
//
// Nothing is counted here: the sessions count with one atomic addition per event, and a scrape reads what they have. Names follow Prometheus' rules
// (base units, _total); the labels are bounded by the configuration: datapaths, slices, directions, message types, reasons.
package metrics

import (
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/ofconn"
)

// Source is where the figures come from; *hypervisor.Service is one.
type Source interface {
	Metrics(hypervisor.Principal) ([]hypervisor.DatapathMetrics, error)
	Version() string
}

var _ Source = (*hypervisor.Service)(nil)

type collector struct{ src Source }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("govisor_"+name, help, labels, nil)
}

var (
	buildInfo = desc("build_info", "Always 1; the labels say which program this is.", "version", "goversion")
	datapaths = desc("datapaths_connected", "Switches connected now.")
	messages  = desc("messages_total", "OpenFlow messages, after the handshake, by whose connection (slice is empty for the switch's) and direction: rx came in, tx was queued for sending.",
		"dpid", "slice", "dir", "type")
	shed     = desc("shed_total", "Messages dropped because the peer did not keep up or a limit was reached.", "dpid", "slice", "type")
	bytesSum = desc("bytes_total", "Bytes of OpenFlow messages.", "dpid", "slice", "dir")
	faults   = desc("faults_total", "Faults caught at a connection's boundary; each ended the connection.", "dpid", "slice")
	queue    = desc("queue_bytes", "Bytes waiting to be sent.", "dpid", "slice")
	dropped  = desc("dropped_total", "Frames and messages that slicing did not pass on.", "dpid", "reason")
	flows    = desc("flow_entries", "Flows: kind virtual is what a slice installed, physical what the switch holds for all of them.", "dpid", "slice", "kind")
	up       = desc("controller_up", "1 while a controller of the slice is connected.", "dpid", "slice")
	connects = desc("controller_connects_total", "Connections made to controllers of the slice.", "dpid", "slice")
	latency  = desc("handling_seconds", "From a message being whole in memory to being queued for its receivers; one message in 64 is timed.", "dpid", "from")
)

// Describe sends the descriptions.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{buildInfo, datapaths, messages, shed, bytesSum, faults, queue, dropped, flows, up, connects, latency} {
		ch <- d
	}
}

// Collect reads the figures of this moment.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(buildInfo, 1, c.src.Version(), runtime.Version())
	all, err := c.src.Metrics(hypervisor.Local())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(datapaths, err)
		return
	}
	gauge(datapaths, float64(len(all)))
	for i := range all {
		d := &all[i]
		connection(ch, d.DPID, "", d.Messages, d.Queued)
		for reason, n := range d.Drops {
			ch <- prometheus.MustNewConstMetric(dropped, prometheus.CounterValue, float64(n), d.DPID, reason)
		}
		gauge(flows, float64(d.PhysicalFlows), d.DPID, "", "physical")
		histogram(ch, d.FromSwitch, d.DPID, "switch")
		histogram(ch, d.FromController, d.DPID, "controller")
		for _, s := range d.Slices {
			connection(ch, d.DPID, s.Name, s.Messages, s.Queued)
			gauge(flows, float64(s.VirtualFlows), d.DPID, s.Name, "virtual")
			connected := 0.0
			if s.Connected {
				connected = 1
			}
			gauge(up, connected, d.DPID, s.Name)
			ch <- prometheus.MustNewConstMetric(connects, prometheus.CounterValue, float64(s.Connects), d.DPID, s.Name)
		}
	}
}

// connection shows what one peer's counters hold; types never seen are left out.
func connection(ch chan<- prometheus.Metric, dpid, slice string, c *ofconn.Counters, queued int) {
	if c == nil {
		return
	}
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for t, name := range hypervisor.MessageTypes() {
		name = strings.ToLower(name)
		if n := c.Received(uint8(t)); n > 0 {
			count(messages, n, dpid, slice, "rx", name)
		}
		if n := c.Sent(uint8(t)); n > 0 {
			count(messages, n, dpid, slice, "tx", name)
		}
		if n := c.Dropped(uint8(t)); n > 0 {
			count(shed, n, dpid, slice, name)
		}
	}
	rx, tx := c.Bytes()
	count(bytesSum, rx, dpid, slice, "rx")
	count(bytesSum, tx, dpid, slice, "tx")
	count(faults, c.Panics(), dpid, slice)
	ch <- prometheus.MustNewConstMetric(queue, prometheus.GaugeValue, float64(queued), dpid, slice)
}

func histogram(ch chan<- prometheus.Metric, l hypervisor.LatencyMetrics, dpid, from string) {
	buckets := make(map[float64]uint64, len(l.UpTo))
	for bound, n := range l.UpTo {
		buckets[bound.Seconds()] = n
	}
	ch <- prometheus.MustNewConstHistogram(latency, l.Count, l.Sum.Seconds(), buckets, dpid, from)
}

// Handler serves the figures in Prometheus' text format, with those of the Go runtime and the process.
func Handler(src Source) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{src}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
