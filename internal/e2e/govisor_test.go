//go:build linux

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// binaries builds govisor and fvctl as the Makefile does and returns their
// directory, which TestMain removes.
var binaries = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	if err := touchSources(root); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "gvbin")
	if err != nil {
		return "", err
	}
	built.Store(dir)
	for _, name := range []string{"govisor", "fvctl"} {
		build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, name), "./cmd/"+name)
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})

// built is the directory that TestMain removes, once there is one.
var built atomic.Value

// touchSources looks at every source file, so that go test knows what a
// cached result of ours depends on: it does not see what the compiler reads.
func touchSources(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".go" || d.Name() == "go.mod" || d.Name() == "lab.py" {
			_, err = os.ReadFile(path)
		}
		return err
	})
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, ok := built.Load().(string); ok {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// Govisor is a govisor process of a lab, in a working directory of its own,
// so that its default --data is found by fvctl's.
type Govisor struct {
	l     *Lab
	name  string
	bin   string
	dir   string
	flags []string
}

// Govisor builds and starts "govisor serve" with an empty data directory.
func (l *Lab) Govisor(flags ...string) *Govisor {
	l.t.Helper()
	return l.namedGovisor("govisor", flags...)
}

func (l *Lab) namedGovisor(name string, flags ...string) *Govisor {
	l.t.Helper()
	bin, err := binaries()
	if err != nil {
		l.t.Fatal(err)
	}
	g := &Govisor{l: l, name: name, bin: bin, dir: filepath.Join(l.Dir(), name), flags: flags}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		l.t.Fatal(err)
	}
	g.Start()
	return g
}

// Start starts the process, again after Kill, and waits until it answers.
func (g *Govisor) Start() {
	g.l.t.Helper()
	argv := append([]string{filepath.Join(g.bin, "govisor"), "serve"}, g.flags...)
	g.l.must("spawn", args{"name": g.name, "argv": argv, "cwd": g.dir}, nil)
	g.l.await("answer from govisor", func() error {
		var status *int
		if err := g.l.Call("poll", args{"name": g.name}, &status); err != nil {
			return err
		}
		if status != nil {
			g.l.t.Fatalf("%s ended with %d", g.name, *status)
		}
		if r := g.Run("fvctl list-datapaths"); r.Code != 0 {
			return fmt.Errorf("list-datapaths: exit %d: %s", r.Code, r.Stderr)
		}
		return nil
	})
}

// Kill ends govisor as a power cut would.
func (g *Govisor) Kill() {
	g.l.t.Helper()
	if got := g.l.Signal(g.name, syscall.SIGKILL); got != -int(syscall.SIGKILL) {
		g.l.t.Fatalf("govisor ended with %d, want by SIGKILL", got)
	}
}

// Run runs a line as typed into a shell in the working directory.
func (g *Govisor) Run(line string) Result {
	g.l.t.Helper()
	var r Result
	g.l.must("exec", args{
		"argv": []string{"sh", "-c", line}, "cwd": g.dir,
		"env": map[string]string{"PATH": g.bin + ":" + os.Getenv("PATH")},
	}, &r)
	return r
}

// Type runs lines, each of which must succeed, and returns their output.
func (g *Govisor) Type(lines ...string) string {
	g.l.t.Helper()
	var out strings.Builder
	for _, line := range lines {
		r := g.Run(line)
		if r.Code != 0 {
			g.l.t.Fatalf("%s: exit %d\n%s%s", line, r.Code, r.Stdout, r.Stderr)
		}
		out.WriteString(r.Stdout)
	}
	return out.String()
}

// AwaitLive waits until a controller has a connection for each datapath 1..n.
func (l *Lab) AwaitLive(r *Recorder, n int) {
	l.t.Helper()
	l.await("connections to the controller", func() error {
		if live := r.Live(); len(live) != n {
			return fmt.Errorf("the controller has %v, want %d datapaths", live, n)
		}
		return nil
	})
}

// DumpFlows returns ovs-ofctl's dump of every switch.
func (l *Lab) DumpFlows() string {
	l.t.Helper()
	var all strings.Builder
	for name := range l.Switches {
		r := l.Exec("ovs-ofctl", "dump-flows", name)
		if r.Code != 0 {
			l.t.Fatalf("ovs-ofctl dump-flows %s: %s", name, r.Stderr)
		}
		all.WriteString(r.Stdout)
	}
	return all.String()
}
