package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/govisor/govisor/api/metrics"
	"github.com/govisor/govisor/internal/hypervisor"
)

// serveMetrics serves /metrics, and with profiles also /debug/pprof/, on ln until ctx ends. There is no password: the address is meant to be one that
// only the scraper can reach.
func serveMetrics(ctx context.Context, ln net.Listener, svc *hypervisor.Service, profiles bool) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(svc))
	if profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
