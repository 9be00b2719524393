package shortestpath_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/discovery"
	"github.com/govisor/govisor/ofcontroller/shortestpath"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/fabric"
	"github.com/govisor/govisor/ofswitch/host"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// ring is n switches in a ring, a host behind port 1 of each, the cable to the
// next one in port 2 and that to the one before in port 3.
type ring struct {
	*fabric.Fabric
	cables []*fabric.Cable
	app    *shortestpath.App
	c      *ofcontroller.Controller
}

func newRing(t *testing.T, n int) *ring {
	t.Helper()
	r := &ring{Fabric: fabric.New(), c: ofcontroller.New(ofcontroller.Config{})}
	r.app = shortestpath.New(shortestpath.Config{Discovery: discovery.Config{Interval: 2 * time.Second}})
	if err := r.app.Attach(r.c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	connect := func(context.Context, string) (net.Conn, error) {
		near, far := ofwire.Pipe()
		go r.c.Attach(ctx, far)
		return near, nil
	}
	for i := 1; i <= n; i++ {
		cfg := ofswitch.SwitchConfig{
			Controllers: []ofwire.Target{{Scheme: "module", Name: "test"}}, FailMode: ofswitch.FailSecure, Module: connect,
		}
		cfg.DatapathID = ofwire.DatapathID(i)
		if _, err := r.AddSwitch(cfg); err != nil {
			t.Fatal(err)
		}
		addr := host.Address{MAC: ofwire.MAC{2, 0, 0, 0, 1, byte(i)}, IP: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})}
		if _, err := r.AddHost(fmt.Sprint("h", i), addr, fabric.Socket{Switch: cfg.DatapathID, Port: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i <= n; i++ {
		next := i%n + 1
		cable, err := r.Link(fabric.Socket{Switch: ofwire.DatapathID(i), Port: 2}, fabric.Socket{Switch: ofwire.DatapathID(next), Port: 3})
		if err != nil {
			t.Fatal(err)
		}
		r.cables = append(r.cables, cable)
	}
	done := make(chan struct{}, 2)
	go func() { r.Run(ctx); done <- struct{}{} }()
	go func() { r.c.Run(ctx); done <- struct{}{} }()
	t.Cleanup(func() {
		cancel()
		<-done
		<-done
	})
	return r
}

func (r *ring) everybody(reached bool) fabric.Matrix {
	m := make(fabric.Matrix)
	for _, a := range r.Hosts() {
		m[a.Name()] = make(map[string]bool)
		for _, b := range r.Hosts() {
			if a != b {
				m[a.Name()][b.Name()] = reached
			}
		}
	}
	return m
}

func (r *ring) frames() (n uint64) {
	for _, c := range r.cables {
		n += c.Frames()
	}
	return n
}

func TestRing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, 4)
		bubble.Sleep(5 * time.Second)
		synctest.Wait()
		if got := len(r.app.Discovery().Links()); got != 8 {
			t.Fatalf("%d links found, want 8: %v", got, r.app.Discovery().Links())
		}
		if diff := cmp.Diff(r.everybody(true), r.PingAll(t.Context(), 5*time.Second)); diff != "" {
			t.Errorf("pings (-want +got):\n%s", diff)
		}
		// No storm: in ten quiet seconds only probes are on the cables, two ways
		// over four of them.
		before := r.frames()
		bubble.Sleep(10 * time.Second)
		if got := r.frames() - before; got > 8*8 {
			t.Errorf("%d frames on the cables of a quiet network", got)
		}
		// Neighbours talk over the cable between them only.
		before = r.cables[0].Frames()
		away := r.frames() - before
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := r.Host("h1").Ping(ctx, r.Host("h2").Address().IP); err != nil {
				t.Error(err)
			}
			cancel()
		}
		if got := r.cables[0].Frames() - before; got < 20 {
			t.Errorf("%d frames between neighbours, want 20 at least", got)
		}
		if got := r.frames() - r.cables[0].Frames() - away; got > 6 {
			t.Errorf("%d frames took another way", got)
		}
	})
}

func TestAnotherWayWhenALinkFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, 4)
		bubble.Sleep(5 * time.Second)
		if diff := cmp.Diff(r.everybody(true), r.PingAll(t.Context(), 5*time.Second)); diff != "" {
			t.Fatalf("pings (-want +got):\n%s", diff)
		}
		// In the middle of the line: no port goes down, only the probes tell.
		r.cables[0].Cut(true)
		if m := r.PingAll(t.Context(), time.Second); m["h1"]["h2"] {
			t.Fatal("the cut cable carries frames")
		}
		bubble.Sleep(10 * time.Second)
		synctest.Wait()
		if got := len(r.app.Discovery().Links()); got != 6 {
			t.Fatalf("%d links after the cut, want 6", got)
		}
		if diff := cmp.Diff(r.everybody(true), r.PingAll(t.Context(), 5*time.Second)); diff != "" {
			t.Errorf("pings around the cut (-want +got):\n%s", diff)
		}
		// A second cut leaves two pieces.
		r.cables[2].Cut(true)
		bubble.Sleep(10 * time.Second)
		m := r.PingAll(t.Context(), 2*time.Second)
		if m["h1"]["h2"] || m["h3"]["h4"] || !m["h2"]["h3"] || !m["h4"]["h1"] {
			t.Errorf("pings in two pieces: %v", m)
		}
		r.cables[0].Cut(false)
		r.cables[2].Cut(false)
		bubble.Sleep(10 * time.Second)
		if diff := cmp.Diff(r.everybody(true), r.PingAll(t.Context(), 5*time.Second)); diff != "" {
			t.Errorf("pings after the repair (-want +got):\n%s", diff)
		}
	})
}

// TestPortDownIsFast: a port that goes down needs no probe to be noticed.
func TestPortDownIsFast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, 3)
		bubble.Sleep(5 * time.Second)
		r.PingAll(t.Context(), 5*time.Second)
		if err := r.Switch(1).DetachPort(2); err != nil {
			t.Fatal(err)
		}
		bubble.Sleep(200 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Host("h1").Ping(ctx, r.Host("h2").Address().IP); err != nil {
			t.Errorf("around the port: %v", err)
		}
	})
}

func TestFlowsGoWithTheirPath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRing(t, 3)
		bubble.Sleep(5 * time.Second)
		r.PingAll(t.Context(), 5*time.Second)
		flows := func() (n int) {
			for _, sw := range r.c.Switches() {
				reply, err := sw.Request(t.Context(), &of10.StatsRequest{
					StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone},
				})
				if err != nil {
					t.Fatal(err)
				}
				list, _ := reply.(*of10.StatsReply).Body.(of10.FlowStatsReply)
				n += len(list)
			}
			return n
		}
		// Six ordered pairs of neighbours, two switches each.
		if got := flows(); got != 12 {
			t.Errorf("%d flows, want 12", got)
		}
		bubble.Sleep(2 * time.Minute)
		if got := flows(); got != 0 {
			t.Errorf("%d flows after two idle minutes", got)
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	if _, err := shortestpath.Open(ofcontroller.Params{"interval": "3"}); err != nil {
		t.Error(err)
	}
	if _, err := shortestpath.Open(ofcontroller.Params{"colour": "3"}); err == nil {
		t.Error("an unknown parameter is accepted")
	}
}
