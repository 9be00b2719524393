package main

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
)

// A switch that listens for TLS is connected to, and its slice's controller with it; one that another authority
// vouches for is not.
func TestPassiveTLSSwitch(t *testing.T) {
	t.Parallel()
	ours, other := newTestAuthority(t), newTestAuthority(t)
	for _, a := range []*testAuthority{ours, other} {
		a.sign("govisor")
		a.sign("switch")
		a.sign("controller")
	}
	dir := t.TempDir()
	ours.install(dir)
	good, bad := passiveSwitch(t, 1, ours), passiveSwitch(t, 2, other)
	w := startTLSWorld(t, dir, "--connect", good, "--connect", bad)
	if _, err := w.c.CreateSlice(t.Context(), apitype.SliceCreate{Name: "red", Controllers: []string{w.controllerOf(context.Background(), ours)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.c.CreateRule(t.Context(), apitype.RuleCreate{Name: "red", DPIDs: []string{"any"}, Match: "any", Grants: []apitype.Grant{{Slice: "red", Permission: 7}}}); err != nil {
		t.Fatal(err)
	}
	w.await("red's controller on the passive switch", func() bool { s, _ := w.state("red", "00:00:00:00:00:00:00:01"); return s == "connected" })
	w.await("the other authority's switch to be refused", func() bool {
		return strings.Contains(w.log.String(), "connect to "+bad+": x509: certificate signed by unknown authority")
	})
	health, err := w.c.Health(t.Context())
	if err != nil || health.Datapaths != 1 {
		t.Errorf("%d datapaths, %v; the other authority's switch must not be one", health.Datapaths, err)
	}
}

// passiveSwitch listens with the certificate of an authority.
func passiveSwitch(t *testing.T, id ofwire.DatapathID, a *testAuthority) (target string) {
	t.Helper()
	cfg, err := ofconn.ServerTLS(a.files("switch"))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sc := ofswitch.SwitchConfig{Probe: -1}
	sc.DatapathID = id
	sw, err := ofswitch.NewSwitch(sc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = sw.Run(ctx) }()
	go func() { // ends with the listener
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _ = sw.Serve(ctx, tls.Server(nc, cfg), ofswitch.Primary) }()
		}
	}()
	t.Cleanup(func() { cancel(); _ = ln.Close(); <-done })
	return "ssl:" + ln.Addr().String()
}
