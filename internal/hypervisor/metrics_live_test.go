package hypervisor_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/govisor/govisor/api/metrics"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// wiretap counts the messages on govisor's connections to one peer, beside the counters.
type wiretap struct {
	mu     sync.Mutex
	rx, tx tally
}

type tally struct {
	bytes    int
	messages map[string]int
}

// on returns a connection whose messages are counted.
func (w *wiretap) on(nc net.Conn) net.Conn { return &tapped{Conn: nc, to: w} }

type tapped struct {
	net.Conn
	to      *wiretap
	in, out []byte // of messages that are not whole yet
}

func (t *tapped) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.to.mu.Lock()
	defer t.to.mu.Unlock()
	t.in = t.to.rx.count(append(t.in, b[:n]...))
	return n, err
}

func (t *tapped) Write(b []byte) (int, error) {
	n, err := t.Conn.Write(b)
	t.to.mu.Lock()
	defer t.to.mu.Unlock()
	t.out = t.to.tx.count(append(t.out, b[:n]...))
	return n, err
}

// count takes whole messages off b and returns the rest.
func (l *tally) count(b []byte) []byte {
	for len(b) >= 8 {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) {
			break
		}
		if l.messages == nil {
			l.messages = map[string]int{}
		}
		name := strings.ToLower(hypervisor.MessageTypes()[min(b[1], 23)])
		if !slices.Contains([]string{"hello", "features_request", "features_reply"}, name) {
			l.bytes += n // after the handshake
			l.messages[name]++
		}
		b = b[n:]
	}
	return slices.Clone(b)
}

// scraped are the samples of /metrics by series, govisor's own.
type scraped map[string]float64

var sampleLine = regexp.MustCompile(`^([a-z_]+(?:\{[^}]*\})?) (\S+)$`)

func (w *world) scrape() scraped {
	w.t.Helper()
	synctest.Wait()
	rec := httptest.NewRecorder()
	metrics.Handler(w.svc).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	text := rec.Body.String()
	if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		w.t.Fatalf("status %d, type %q", rec.Code, rec.Header().Get("Content-Type"))
	}
	faults, err := promlint.New(strings.NewReader(text)).Lint() // reads it as Prometheus does
	if err != nil {
		w.t.Fatalf("not Prometheus' text format: %v\n%s", err, text)
	}
	for _, f := range faults {
		if strings.HasPrefix(f.Metric, "govisor_") {
			w.t.Errorf("%s: %s", f.Metric, f.Text)
		}
	}
	out := scraped{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "govisor_") {
			continue
		}
		m := sampleLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			w.t.Fatalf("line %q", line)
		}
		v, err := strconv.ParseFloat(m[2], 64)
		if _, twice := out[m[1]]; err != nil || twice {
			w.t.Fatalf("%q: %v, there twice: %v", line, err, twice)
		}
		out[m[1]] = v
	}
	return out
}

func (s scraped) without(part string) scraped {
	out := maps.Clone(s)
	maps.DeleteFunc(out, func(series string, _ float64) bool { return strings.Contains(series, part) })
	return out
}

// peer adds what one connection's counters must show.
func (s scraped) peer(dpid, slice string, tap *wiretap) {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	where := fmt.Sprintf(`dpid=%q,`, dpid)
	for dir, l := range map[string]*tally{"rx": &tap.rx, "tx": &tap.tx} {
		for typ, n := range l.messages {
			s[fmt.Sprintf(`govisor_messages_total{dir=%q,%sslice=%q,type=%q}`, dir, where, slice, typ)] = float64(n)
		}
		s[fmt.Sprintf(`govisor_bytes_total{dir=%q,%sslice=%q}`, dir, where, slice)] = float64(l.bytes)
	}
	s[fmt.Sprintf(`govisor_queue_bytes{%sslice=%q}`, where, slice)] = 0
	s[fmt.Sprintf(`govisor_faults_total{%sslice=%q}`, where, slice)] = 0
}

// slice adds what is told of a slice on a datapath.
func (s scraped) slice(dpid, slice string, flows, up, connects float64) {
	where := fmt.Sprintf(`{dpid=%q,slice=%q}`, dpid, slice)
	s[fmt.Sprintf(`govisor_flow_entries{dpid=%q,kind="virtual",slice=%q}`, dpid, slice)] = flows
	s["govisor_controller_up"+where], s["govisor_controller_connects_total"+where] = up, connects
}

// handled adds a histogram: of so many messages every 64th was timed, and took no time
// at all in the bubble.
func (s scraped) handled(dpid, from string, messages int) {
	n := float64(messages / 64)
	where := fmt.Sprintf(`{dpid=%q,from=%q`, dpid, from)
	for _, le := range []string{"1e-06", "2e-06", "5e-06", "1e-05", "2e-05", "5e-05", "0.0001", "0.0002", "0.0005", "0.001", "0.005", "0.02", "0.1", "+Inf"} {
		s["govisor_handling_seconds_bucket"+where+fmt.Sprintf(`,le=%q}`, le)] = n
	}
	s["govisor_handling_seconds_count"+where+"}"], s["govisor_handling_seconds_sum"+where+"}"] = n, 0
}

func (s scraped) drops(dpid string, counted map[string]float64) {
	for _, reason := range []string{"no_owner", "no_listener", "no_permission", "port_config", "malformed", "unexpected_type", "unknown_xid",
		"unknown_cookie", "foreign_lldp", "vendor", "empty_packet_out", "too_long", "rewrite"} {
		s[fmt.Sprintf(`govisor_dropped_total{dpid=%q,reason=%q}`, dpid, reason)] = counted[reason]
	}
}

// connectTapped is connect with the messages counted.
func (f *fakeSwitch) connectTapped(tap *wiretap) (theirs net.Conn) {
	ours, theirs := ofwire.Pipe()
	f.w.wg.Go(func() { _ = f.sw.Serve(f.w.ctx, theirs, ofswitch.Primary) })
	f.w.wg.Go(func() { _ = f.w.switches.ServeConn(f.w.ctx, tap.on(ours)) })
	synctest.Wait()
	return theirs
}

func inPort(p of10.Port) of10.Match {
	m := of10.MatchAll()
	m.Wildcards &^= of10.WildInPort
	m.InPort = p
	return m
}

// TestMetricsOfRunningHypervisor scrapes a hypervisor with two switches and three slices
// and compares every series with what went over the wires: none is missing, none is too
// many, and traffic adds none.
func TestMetricsOfRunningHypervisor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, metricsOfRunningHypervisor)
}

const dpid1, dpid2 = "00:00:00:00:00:00:00:01", "00:00:00:00:00:00:00:02"

func metricsOfRunningHypervisor(t *testing.T) {
	w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: 100 * time.Hour})
	build := fmt.Sprintf(`govisor_build_info{goversion=%q,version=""}`, runtime.Version())
	if diff := cmp.Diff(scraped{build: 1, "govisor_datapaths_connected": 0}, w.scrape()); diff != "" {
		t.Errorf("before anything connected (-want +got):\n%s", diff)
	}
	red, blue := w.controller("red", nil), w.controller("blue", nil)
	red.tap, blue.tap = new(wiretap), new(wiretap)
	w.slice("red")
	w.slice("blue")
	w.rule("r", 100, "in_port=1|2", "red")
	w.rule("b", 100, "in_port=3", "blue")
	var up wiretap
	sw := w.newSwitch(1, 4)
	theirs := sw.connectTapped(&up)

	for i := range 5 {
		sw.inject(1, ethernet(1, byte(i)))
	}
	for i := range 3 {
		sw.inject(3, ethernet(3, byte(i)))
	}
	sw.inject(4, ethernet(4, 1)) // nobody's
	sw.inject(4, ethernet(4, 2))
	out := []of10.Action{of10.Output(2, 0)}
	for i := range 3 {
		m := inPort(1)
		m.Wildcards &^= of10.WildDLVLAN
		m.DLVLAN = uint16(i)
		red.send(&of10.FlowMod{XID: 1, Match: m, Command: of10.FlowAdd, Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: out})
	}
	blue.send(&of10.FlowMod{XID: 2, Match: inPort(3), Command: of10.FlowAdd, Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone},
		&of10.FlowMod{XID: 3, Match: inPort(3), Command: of10.FlowAdd, Priority: 6, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: out}, // not its port
		&of10.StatsRequest{XID: 4, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: 0xff, OutPort: of10.PortNone}})
	for i := range 130 {
		red.send(&of10.EchoRequest{XID: uint32(i)}, &of10.BarrierRequest{XID: uint32(i)})
	}
	synctest.Wait()
	_, _ = theirs.Write([]byte{1, 4, 0, 12, 0, 0, 0, 9, 0, 0, 0x23, 0x20}) // a vendor message
	_, _ = theirs.Write([]byte{1, 19, 0, 8, 0, 0, 0x77, 0x77})             // a barrier's answer that nobody waits for
	synctest.Wait()

	expect := func(connects, blueUp float64) scraped {
		physical := float64(len(sw.flows()) + 3) // and those for link discovery's three types
		s := scraped{build: 1, "govisor_datapaths_connected": 1, fmt.Sprintf(`govisor_flow_entries{dpid=%q,kind="physical",slice=""}`, dpid1): physical}
		s.peer(dpid1, "", &up)
		s.peer(dpid1, "red", red.tap)
		s.peer(dpid1, "blue", blue.tap)
		s.slice(dpid1, "red", 3, 1, 1)
		s.slice(dpid1, "blue", 1, blueUp, connects)
		s.drops(dpid1, map[string]float64{"no_owner": 2, "vendor": 1, "unknown_xid": 1})
		return s
	}
	const timing = "govisor_handling_seconds"
	want, got := expect(1, 1), w.scrape()
	if diff := cmp.Diff(want, got.without(timing)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := want[`govisor_messages_total{dir="tx",dpid="`+dpid1+`",slice="red",type="packet_in"}`]; n != 5 {
		t.Errorf("red was sent %v packet_ins", n)
	}
	times := scraped{}
	times.handled(dpid1, "switch", up.rx.handled())
	times.handled(dpid1, "controller", red.tap.rx.handled()+blue.tap.rx.handled())
	if diff := cmp.Diff(times, got.without("_total").without("_up").without("_bytes").without("_entries").without("_connected").without("_info")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// A rate: what is beyond it is counted as shed, and what was let through as sent.
	ten := 10
	if err := w.limit(hypervisor.Local(), "red", hypervisor.LimitsPatch{PacketInRate: &ten}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		sw.inject(2, ethernet(byte(i), byte(i))) // other addresses are no other series
	}
	w.mu.Lock()
	delete(w.controllers, "blue")
	w.mu.Unlock()
	blue.close()
	want, got = expect(1, 0), w.scrape().without(timing)
	want[`govisor_shed_total{dpid="`+dpid1+`",slice="red",type="packet_in"}`] = 20
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with a rate, blue away (-want +got):\n%s", diff)
	}
	w.mu.Lock()
	w.controllers["blue"] = blue
	w.mu.Unlock()
	bubble.Sleep(time.Minute)
	want, got = expect(2, 1), w.scrape().without(timing)
	want[`govisor_shed_total{dpid="`+dpid1+`",slice="red",type="packet_in"}`] = 20
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blue is back (-want +got):\n%s", diff)
	}
}

// handled is how many of the messages came before slicing: the connection itself
// takes care of the others.
func (l *tally) handled() (n int) {
	for typ, m := range l.messages {
		if typ != "echo_request" && typ != "echo_reply" {
			n += m
		}
	}
	return n
}

// TestMetricsOfSlowController: what waits for a controller that reads nothing, and what is
// shed for it, add up to what came; and a series goes with what it is about.
func TestMetricsOfSlowController(t *testing.T) {
	t.Parallel()
	synctest.Test(t, metricsOfSlowController)
}

func metricsOfSlowController(t *testing.T) {
	w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: 100 * time.Hour})
	slow := w.controller("slow", nil)
	w.controller("quick", nil)
	slow.deaf, slow.pipe, slow.tap = true, 1000, new(wiretap)
	w.slice("slow")
	w.slice("quick")
	w.rule("s", 100, "in_port=1", "slow")
	w.rule("q", 100, "in_port=2", "quick")
	one, two := w.newSwitch(1, 2), w.newSwitch(2, 2)
	theirs, hang := one.connectTapped(new(wiretap)), two.connect()
	const frames = 9000
	for i := range frames {
		one.inject(1, append(ethernet(1, byte(i)), make([]byte, 200)...))
	}
	one.inject(2, ethernet(2, 1))
	got := w.scrape()
	of := func(name, slice, rest string) float64 {
		series := fmt.Sprintf(`govisor_%s{%sdpid=%q,slice=%q%s}`, name, map[bool]string{true: `dir="tx",`}[name == "messages_total" || name == "bytes_total"], dpid1, slice, rest)
		v, ok := got[series]
		if !ok {
			t.Errorf("no %s", series)
		}
		return v
	}
	sent, shed := of("messages_total", "slow", `,type="packet_in"`), of("shed_total", "slow", `,type="packet_in"`)
	if sent+shed != frames || sent == 0 || shed == 0 {
		t.Errorf("%v packet_ins queued for sending and %v shed of %d", sent, shed, frames)
	}
	if queued, all := of("queue_bytes", "slow", ""), of("bytes_total", "slow", ""); queued == 0 || all-queued > 1000 {
		t.Errorf("%v bytes wait of %v, with a pipe for 1000", queued, all)
	}
	if n := of("messages_total", "quick", `,type="packet_in"`); n != 1 || of("queue_bytes", "quick", "") != 0 {
		t.Errorf("the quick one was sent %v packet_ins, %v bytes wait", n, of("queue_bytes", "quick", ""))
	}
	if n := got["govisor_datapaths_connected"]; n != 2 {
		t.Errorf("%v datapaths", n)
	}

	for _, typ := range []byte{22, 23, 99, 200, 255} { // types there are none of are one series, not five
		_, _ = theirs.Write([]byte{1, typ, 0, 8, 0, 0, 0, 1})
		_, _ = theirs.Write([]byte{1, typ, 0, 8, 0, 0, 0, 1})
	}
	got = w.scrape()
	before := len(got)
	var types []string
	for series := range got {
		if m := regexp.MustCompile(`^govisor_messages_total\{.*type="([^"]*)"\}$`).FindStringSubmatch(series); m != nil {
			types = append(types, m[1])
		}
	}
	slices.Sort(types)
	if diff := cmp.Diff([]string{"22", "flow_mod", "packet_in", "set_config", "stats_reply", "stats_request", "unparsable"}, slices.Compact(types)); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}

	if err := w.svc.RemoveSlice(t.Context(), hypervisor.Local(), "slow", nil); err != nil {
		t.Fatal(err)
	}
	got = w.scrape()
	if n := len(got.without(`slice="slow"`)); n != len(got) || n >= before {
		t.Errorf("%d series are about a slice that is gone", len(got)-n)
	}
	hang()
	got = w.scrape()
	if n := len(got.without(dpid2)); n != len(got) || got["govisor_datapaths_connected"] != 1 {
		t.Errorf("%d series are about a switch that is gone, %v connected", len(got)-n, got["govisor_datapaths_connected"])
	}
}
