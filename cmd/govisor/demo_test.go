//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/govisor/govisor/internal/mininet"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofswitch/fabric"
)

func TestDemo(t *testing.T) {
	var out bytes.Buffer
	if err := runDemo(t.Context(), &out, demoOptions{once: true}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		"s1 ------------ s2 ------------ s3",
		"from h1       ok   ok    .    .    .\n",
		"from h6   .    .    .   ok   ok     \n",
		"packet_ins of its own hosts and 0 of others",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not print %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("it prints colours into a file")
	}
}

func needMininet(t *testing.T) {
	t.Helper()
	if what := mininet.Missing(); what != "" {
		if os.Getenv("GOVISOR_E2E") == "required" {
			t.Fatalf("GOVISOR_E2E=required, and this test needs %s", what)
		}
		t.Skipf("this test needs %s", what)
	}
}

// TestDemoNetworkFails: a network that cannot be built to its end is given up, even if bridges are connected already.
func TestDemoNetworkFails(t *testing.T) {
	t.Parallel()
	needMininet(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go ofcontroller.New(ofcontroller.Config{}).Serve(t.Context(), ln) // who answers, so that bridges stay
	fault := errors.New("no more switches")
	m := mininetNetwork{ready: make(chan struct{}), build: func(lab *mininet.Lab, port int) error {
		if _, err := lab.Build(mininet.Plan{Switches: 1, Hosts: 1, Port: port}); err != nil {
			return err
		}
		for up := map[string]bool{}; !up["s1"]; {
			if err := lab.Call("connected", nil, &up); err != nil {
				return err
			}
		}
		return fault
	}}
	if err := m.Run(t.Context(), ln.Addr().String()); !errors.Is(err, fault) {
		t.Errorf("Run = %v, want %v", err, fault)
	}
}

func TestDemoOnMininet(t *testing.T) {
	needMininet(t)
	var out bytes.Buffer
	if err := runDemo(t.Context(), &out, demoOptions{once: true, mininet: true}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
}

// TestDemoEndsCleanly: until Ctrl-C it runs, then it leaves nothing.
func TestDemoEndsCleanly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var dir string
	out := writerFunc(func(b []byte) (int, error) {
		if line := string(b); strings.Contains(line, "--data ") {
			dir = strings.Fields(line[strings.Index(line, "--data "):])[1]
		}
		if strings.Contains(string(b), "Ctrl-C ends it") {
			cancel()
		}
		return len(b), nil
	})
	if err := runDemo(ctx, out, demoOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); dir == "" || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it leaves %q: %v", dir, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// owing is a network on which h1 reaches h3 and h3 reaches h2 in one round each, which others do not repeat.
type owing struct{ rounds []fabric.Matrix }

func (o *owing) Run(context.Context, string) error { return nil }

func (o *owing) PingAll(context.Context) (fabric.Matrix, error) {
	m := o.rounds[0]
	o.rounds = o.rounds[1:]
	return m, nil
}

// TestDemoWaitsForItsOwn: an answer within a slice may be late, one across slices is never forgotten.
func TestDemoWaitsForItsOwn(t *testing.T) {
	t.Parallel()
	round := func(h1h3, h3h2 bool) fabric.Matrix {
		m := make(fabric.Matrix)
		for a := 1; a <= 6; a++ {
			m[demoHost(a)] = make(map[string]bool)
			for b := 1; b <= 6; b++ {
				if a != b {
					m[demoHost(a)][demoHost(b)] = a%2 == b%2
				}
			}
		}
		m["h1"]["h3"], m["h3"]["h2"] = h1h3, h3h2
		return m
	}
	net := &owing{rounds: []fabric.Matrix{round(false, true), round(false, false), round(true, false), round(false, false)}}
	d := &demo{net: net}
	m, err := d.pingAll(t.Context())
	if err != nil || !m["h1"]["h3"] || !m["h3"]["h2"] || len(net.rounds) != 1 {
		t.Errorf("%v, %v; %d rounds too many or few", m, err, len(net.rounds)-1)
	}
}

// TestDemoSeesFaults: a demo that could not fail would show nothing.
func TestDemoSeesFaults(t *testing.T) {
	t.Parallel()
	right := func() fabric.Matrix {
		m := make(fabric.Matrix)
		for a := 1; a <= 6; a++ {
			m[demoHost(a)] = make(map[string]bool)
			for b := 1; b <= 6; b++ {
				if a != b {
					m[demoHost(a)][demoHost(b)] = a%2 == b%2
				}
			}
		}
		return m
	}
	d := &demo{out: &paper{w: io.Discard}, red: newWatcher(), blue: newWatcher()}
	if !d.matrix(right()) {
		t.Error("the right matrix is wrong")
	}
	for name, change := range map[string]func(fabric.Matrix){
		"across":    func(m fabric.Matrix) { m["h1"]["h2"] = true },
		"lost":      func(m fabric.Matrix) { m["h6"]["h2"] = false },
		"not tried": func(m fabric.Matrix) { delete(m["h3"], "h4") },
	} {
		m := right()
		change(m)
		if d.matrix(m) {
			t.Errorf("%s is not seen", name)
		}
	}
	if d.saw() {
		t.Error("controllers that saw nothing are right")
	}
	d.red.seen[demoMAC(1)], d.blue.seen[demoMAC(2)] = 1, 1
	if !d.saw() {
		t.Error("controllers that saw their own are wrong")
	}
	d.blue.seen[demoMAC(1)]++
	if d.saw() {
		t.Error("a controller that saw another's is right")
	}
}
