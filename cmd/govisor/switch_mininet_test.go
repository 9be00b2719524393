package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// needRoot skips a test that needs the kernel's help, or fails it under
// GOVISOR_E2E=required.
func needRoot(t *testing.T, programs ...string) {
	t.Helper()
	missing := ""
	if os.Getuid() != 0 {
		missing = "root"
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = p
		}
	}
	if missing == "" {
		return
	}
	if os.Getenv("GOVISOR_E2E") == "required" {
		t.Fatalf("needs %s", missing)
	}
	t.Skipf("needs %s", missing)
}

// buildGovisor builds the program for the tests that run it as a process.
func buildGovisor(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "govisor")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// TestMininet runs Mininet networks on the bundled switch: everybody reaches
// everybody, and TCP passes, with and without a controller.
func TestMininet(t *testing.T) {
	needRoot(t, "mn", "unshare", "ip")
	bin := buildGovisor(t)
	for _, tt := range []struct{ name, topo, controller string }{
		{"linear standalone", "linear,3", ""},
		{"tree standalone", "tree,2", ""},
		{"tree with a learning controller", "tree,2", "exec " + bin + " controller learning --log-level error ptcp:6633"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
				"/usr/bin/python3", "../../testdata/mininet/pingall.py", tt.topo, tt.controller)
			cmd.Env = append(os.Environ(), "GOVISOR="+bin)
			cmd.WaitDelay = time.Minute
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			_, text, ok := strings.Cut(string(out), "RESULT ")
			if err != nil || !ok {
				t.Fatalf("%v\n%s%s", err, out, stderr.String())
			}
			var got struct {
				Sent, Received int
				TCP            struct{ Bytes int }
				Flows          string
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			hosts := map[string]int{"linear,3": 3, "tree,2": 4}[tt.topo]
			if want := hosts * (hosts - 1); got.Sent != want || got.Received != want {
				t.Errorf("%d of %d pings came back, want %d", got.Received, got.Sent, want)
			}
			if got.TCP.Bytes != 64<<20 {
				t.Errorf("%d bytes over TCP, want %d", got.TCP.Bytes, 64<<20)
			}
			if tt.controller == "" && !strings.Contains(got.Flows, "priority=0 actions=NORMAL") {
				t.Errorf("flows: %s", got.Flows)
			}
		})
	}
}
