package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/govisor/govisor/ofcontroller/bundled"
)

func TestControllerRefusals(t *testing.T) {
	bundled.Register()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, tt := range []struct {
		spec    string
		options controllerOptions
		usage   bool
		want    string
	}{
		{"no-such", controllerOptions{}, true, `no application "no-such"`},
		{"learning,idle=0", controllerOptions{}, true, `idle="0"`},
		{"learning", controllerOptions{logLevel: "loud"}, true, "--log-level"},
		{"learning", controllerOptions{targets: []string{"udp:1.2.3.4"}}, true, "unknown scheme"},
		{"learning", controllerOptions{targets: []string{"127.0.0.1:1"}}, true, "want ptcp:1:127.0.0.1 to listen there, or tcp:127.0.0.1:1 to connect"},
		{"learning", controllerOptions{targets: []string{"pssl:0"}}, false, "no TLS certificate"},
		{"learning", controllerOptions{targets: []string{"ptcp:" + port + ":127.0.0.1"}}, false, port},
	} {
		if tt.options.logLevel == "" {
			tt.options.logLevel = "info"
		}
		err := runController(t.Context(), io.Discard, io.Discard, tt.spec, tt.options)
		var usage usageError
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.As(err, &usage) != tt.usage {
			t.Errorf("controller %s %+v: %v, want %q, usage %v", tt.spec, tt.options, err, tt.want, tt.usage)
		}
	}
	if code := run([]string{"controller"}); code != exitUsage {
		t.Errorf("controller without a name: exit %d, want %d", code, exitUsage)
	}
}

// TestControllerListens reads the printed address and is greeted there.
func TestControllerListens(t *testing.T) {
	bundled.Register()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- runController(ctx, w, io.Discard, "learning", controllerOptions{targets: []string{"ptcp:0:127.0.0.1"}, logLevel: "info"})
	}()
	line := make([]byte, 200)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	_, address, ok := bytes.Cut(bytes.TrimSpace(line[:n]), []byte("listening on ptcp:"))
	if !ok {
		t.Fatalf("it prints %q", line[:n])
	}
	conn, err := net.Dial("tcp", string(address))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hello := make([]byte, 8)
	if _, err := io.ReadFull(conn, hello); err != nil || hello[0] != 1 || hello[1] != 0 {
		t.Errorf("greeted with % x, %v", hello, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}
