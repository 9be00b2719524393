package fabric_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/fabric"
	"github.com/govisor/govisor/ofswitch/host"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

func address(n byte) host.Address {
	return host.Address{MAC: ofwire.MAC{2, 0, 0, 0, 0, n}, IP: netip.AddrFrom4([4]byte{10, 0, 0, n})}
}

// line is two learning switches with a host each.
func line(t *testing.T) (*fabric.Fabric, *fabric.Cable) {
	t.Helper()
	f := fabric.New()
	for id := ofwire.DatapathID(1); id <= 2; id++ {
		cfg := ofswitch.SwitchConfig{FailMode: ofswitch.FailStandalone}
		cfg.DatapathID, cfg.MissPolicy = id, ofswitch.MissNormal
		if _, err := f.AddSwitch(cfg); err != nil {
			t.Fatal(err)
		}
		if _, err := f.AddHost(fmt.Sprintf("h%d", uint64(id)), address(byte(id)), fabric.Socket{Switch: id, Port: 1}); err != nil {
			t.Fatal(err)
		}
	}
	cable, err := f.Link(fabric.Socket{Switch: 1, Port: 2}, fabric.Socket{Switch: 2, Port: 2})
	if err != nil {
		t.Fatal(err)
	}
	return f, cable
}

func TestPingAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, cable := line(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		want := fabric.Matrix{"h1": {"h2": true}, "h2": {"h1": true}}
		if diff := cmp.Diff(want, f.PingAll(ctx, 3*time.Second)); diff != "" {
			t.Errorf("pings (-want +got):\n%s", diff)
		}
		if cable.Frames() < 4 {
			t.Errorf("%d frames on the cable", cable.Frames())
		}
		cable.Cut(true)
		want = fabric.Matrix{"h1": {"h2": false}, "h2": {"h1": false}}
		if diff := cmp.Diff(want, f.PingAll(ctx, 3*time.Second)); diff != "" {
			t.Errorf("pings over a cut cable (-want +got):\n%s", diff)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f, _ := line(t)
	var cfg ofswitch.SwitchConfig
	cfg.DatapathID = 1
	if _, err := f.AddSwitch(cfg); err == nil {
		t.Error("two switches with one id are accepted")
	}
	if _, err := f.AddHost("h1", address(9), fabric.Socket{Switch: 1, Port: 9}); err == nil {
		t.Error("two hosts with one name are accepted")
	}
	if _, err := f.AddHost("h9", address(9), fabric.Socket{Switch: 9, Port: 1}); err == nil {
		t.Error("a host behind no switch is accepted")
	}
	if _, err := f.Link(fabric.Socket{Switch: 1, Port: 1}, fabric.Socket{Switch: 2, Port: 3}); err == nil {
		t.Error("two things in one port are accepted")
	}
}

// Pings begin while others are still being started; their results are put together without a race.
func TestPingAllOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := fabric.New()
		cfg := ofswitch.SwitchConfig{FailMode: ofswitch.FailStandalone}
		cfg.DatapathID, cfg.MissPolicy = 1, ofswitch.MissNormal
		if _, err := f.AddSwitch(cfg); err != nil {
			t.Fatal(err)
		}
		const hosts = 40
		for n := byte(1); n <= hosts; n++ {
			if _, err := f.AddHost(fmt.Sprintf("h%d", n), address(n), fabric.Socket{Switch: 1, Port: of10.Port(n)}); err != nil {
				t.Fatal(err)
			}
		}
		over, cancel := context.WithCancel(t.Context())
		cancel() // so that each ping ends at once, with an answer or without
		m := f.PingAll(over, time.Second)
		for src, row := range m {
			if len(row) != hosts-1 {
				t.Errorf("%s has results of %d hosts, want %d", src, len(row), hosts-1)
			}
		}
		if len(m) != hosts {
			t.Errorf("results of %d hosts, want %d", len(m), hosts)
		}
	})
}
