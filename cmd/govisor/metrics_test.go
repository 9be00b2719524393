package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/govisor/govisor/internal/hypervisor"
)

// TestMetricsAddress: figures at /metrics, profiles only behind their flag, nothing else.
func TestMetricsAddress(t *testing.T) {
	t.Parallel()
	svc, err := hypervisor.Open(t.Context(), hypervisor.Options{Dir: t.TempDir(), AdminPassword: "x", Version: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = svc.Close() })
	for _, profiles := range []bool{false, true} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- serveMetrics(ctx, ln, svc, profiles) }()
		for _, tc := range []struct {
			method, path string
			status       int
			words        string
		}{
			{"GET", "/metrics", 200, `version="v1.2.3"} 1`},
			{"HEAD", "/metrics", 200, ""},
			{"POST", "/metrics", 405, ""},
			{"GET", "/", 404, ""},
			{"GET", "/api/v1/version", 404, ""},
			{"GET", "/debug/pprof/", map[bool]int{true: 200, false: 404}[profiles], ""},
			{"GET", "/debug/pprof/cmdline", map[bool]int{true: 200, false: 404}[profiles], ""},
		} {
			req, err := http.NewRequestWithContext(ctx, tc.method, "http://"+ln.Addr().String()+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != tc.status || !strings.Contains(string(text), tc.words) {
				t.Errorf("profiles %v: %s %s: %d %.200s", profiles, tc.method, tc.path, resp.StatusCode, text)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
