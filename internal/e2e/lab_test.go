//go:build linux

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/govisor/govisor/internal/mininet"
)

// needs skips the test for want of what, or fails it where the end-to-end
// tests are required.
func needs(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("GOVISOR_E2E") == "required" {
		t.Fatalf("GOVISOR_E2E=required, and this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}

// Lab is a private network: an Open vSwitch, hosts, and whatever processes a
// test starts, in namespaces of their own.
type Lab struct {
	*mininet.Lab
	mininet.Network

	t *testing.T
}

type (
	args = mininet.Args
	// Plan is the network to build.
	Plan = mininet.Plan
	// Matrix is the number of echoes that came back, by source and destination.
	Matrix = mininet.Matrix
)

// StartLab starts the namespaces and the driver, which end with the test.
func StartLab(t *testing.T) *Lab {
	t.Helper()
	if what := mininet.Missing(); what != "" {
		needs(t, what)
	}
	o := mininet.Options{Keep: os.Getenv("GOVISOR_E2E_KEEP") != ""}
	lab, err := mininet.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{t: t, Lab: lab}
	t.Cleanup(func() {
		if t.Failed() {
			l.showLogs()
		}
		if o.Keep {
			t.Logf("kept %s", l.Dir())
		}
		l.Close()
	})
	return l
}

// showLogs puts the end of each process's output into the test's log.
func (l *Lab) showLogs() {
	names, _ := filepath.Glob(filepath.Join(l.Dir(), "*.log"))
	for _, name := range names {
		text, _ := os.ReadFile(name)
		if len(text) > 4000 {
			text = text[len(text)-4000:]
		}
		if len(text) > 0 {
			l.t.Logf("%s:\n%s", filepath.Base(name), text)
		}
	}
}

func (l *Lab) must(op string, a args, result any) {
	l.t.Helper()
	if err := l.Call(op, a, result); err != nil {
		l.t.Fatal(err)
	}
}

// Build makes the network. It does not wait for controller connections.
func (l *Lab) Build(p Plan) {
	l.t.Helper()
	var err error
	if l.Network, err = l.Lab.Build(p); err != nil {
		l.t.Fatal(err)
	}
}

// AwaitConnected waits until every bridge has its controller connection.
func (l *Lab) AwaitConnected() {
	l.t.Helper()
	l.await("connected bridges", func() error {
		var up map[string]bool
		if err := l.Call("connected", nil, &up); err != nil {
			return err
		}
		for name, ok := range up {
			if !ok {
				return fmt.Errorf("bridge %s has no controller", name)
			}
		}
		return nil
	})
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// await polls until check passes and fails the test with its last error.
func (l *Lab) await(what string, check func() error) {
	l.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			l.t.Fatalf("no %s within %v: %v", what, patience, err)
		case <-tick.C:
		}
	}
}

// Spawn starts a process of the lab. Its output goes to NAME.log.
func (l *Lab) Spawn(name string, argv ...string) {
	l.t.Helper()
	l.must("spawn", args{"name": name, "argv": argv}, nil)
}

// Signal sends a signal to a spawned process and returns its exit status,
// which is the negative signal number for one that a signal ended.
func (l *Lab) Signal(name string, sig syscall.Signal) int {
	l.t.Helper()
	var status *int
	l.must("signal", args{"name": name, "number": int(sig)}, &status)
	if status == nil {
		l.t.Fatalf("%s outlived %v", name, sig)
	}
	return *status
}

// Result is what a command left.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Exec runs a command in the lab's namespaces.
func (l *Lab) Exec(argv ...string) Result {
	l.t.Helper()
	var r Result
	l.must("exec", args{"argv": argv}, &r)
	return r
}

// Log returns what a spawned process has printed so far.
func (l *Lab) Log(name string) string {
	text, err := os.ReadFile(filepath.Join(l.Dir(), name+".log"))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// PingAll pings every ordered pair of hosts, count times each. Echoes within a group are expected, and waited for.
func (l *Lab) PingAll(count int, groups ...[]string) (m Matrix) {
	l.t.Helper()
	l.must("ping", args{"count": count, "expect": groups}, &m)
	return m
}

// everybody is all hosts.
func (l *Lab) everybody() []string { return slices.Sorted(maps.Keys(l.Hosts)) }

// fullMesh pings and tells which pair of hosts did not hear all its echoes.
func (l *Lab) fullMesh(count int) error {
	l.t.Helper()
	return fullMesh(l.PingAll(count, l.everybody()), count)
}

// grouped pings and tells which pair within a group lost an echo, or which pair across groups did not lose all of them.
func (l *Lab) grouped(count int, groups ...[]string) error {
	l.t.Helper()
	return grouped(l.PingAll(count, groups...), count, groups...)
}

// UDP is the fate of datagrams: how many arrived, how many echoes came back.
type UDP struct{ Sent, Received, Echoed int }

// SendUDP sends datagrams from and to the same port number, and waits for the echoes.
func (l *Lab) SendUDP(src, dst string, port int) (r UDP) {
	l.t.Helper()
	l.must("udp", args{"src": src, "dst": dst, "port": port, "wait": 30}, &r)
	return r
}

// TryUDP sends datagrams of which none should arrive.
func (l *Lab) TryUDP(src, dst string, port int) (r UDP) {
	l.t.Helper()
	l.must("udp", args{"src": src, "dst": dst, "port": port}, &r)
	return r
}
