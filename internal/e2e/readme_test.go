//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shellLines returns the lines of the shell blocks of a page, without comments.
func shellLines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	shell := false
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		switch {
		case strings.HasPrefix(line, "```"):
			shell = line == "```sh"
		case shell && line != "":
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// reader is somebody who types what README.md says, line by line.
type reader struct {
	l     *Lab
	g     *Govisor
	typed map[string]int // kinds of lines
}

// TestReadme types every line of README.md's shell blocks, in their order, and
// looks whether what the page says is true.
func TestReadme(t *testing.T) {
	t.Parallel()
	lines := shellLines(t, "../../README.md")
	r := &reader{l: StartLab(t), typed: make(map[string]int)}
	r.l.must("ovs", nil, nil)
	for _, line := range lines {
		r.types(line)
	}
	for _, kind := range []string{"make", "ovs-testcontroller", "sudo mn", "bin/fvctl", "curl", "bin/govisor"} {
		if r.typed[kind] == 0 {
			t.Errorf("the page has no line with %s any more: %q", kind, lines)
		}
	}
}

func (r *reader) types(line string) {
	t := r.l.t
	t.Helper()
	for _, kind := range []string{"make", "ovs-testcontroller", "sudo mn", "sudo apt", "bin/fvctl", "curl", "bin/govisor"} {
		if strings.HasPrefix(line, kind+" ") {
			r.typed[kind]++
		}
	}
	switch {
	case line == "make demo" || line == "make test" || strings.HasPrefix(line, "sudo apt install "):
		// Tested by themselves; by scripts/install-deps.sh.
	case line == "make run":
		r.g = r.l.Govisor()
		if err := os.Symlink(r.g.bin, filepath.Join(r.g.dir, "bin")); err != nil {
			t.Fatal(err)
		}
	case strings.HasPrefix(line, "sudo mn "):
		// The prompt waits for the slices of the third terminal.
		r.inBackground("mn", `(until [ -e go ]; do sleep 0.1; done; echo pingall 1; echo pingall 3) | `+strings.TrimPrefix(line, "sudo "))
		r.l.await("switches", func() error {
			if out := r.g.Type(`bin/fvctl list-datapaths`); strings.Count(out, "00:00:00") < 3 {
				return fmt.Errorf("not 3 datapaths: %s\n%s", out, r.l.Log("mn"))
			}
			return nil
		})
	case strings.HasSuffix(line, " &"):
		r.inBackground(fmt.Sprintf("background-%d", len(r.typed)+r.typed["ovs-testcontroller"]), strings.TrimSuffix(line, " &"))
		if port := 0; strings.HasPrefix(line, "ovs-testcontroller ") {
			if _, err := fmt.Sscanf(line, "ovs-testcontroller ptcp:%d &", &port); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			r.l.await("listening controller", func() error { // who types is slower than a program starts
				conn, err := r.l.dialLab(port)()
				if err == nil {
					conn.Close()
				}
				return err
			})
		}
	case line == "bin/fvctl list-flowspace":
		if out := r.g.Type(line); strings.Count(out, `"slice-name"`) != 3 {
			t.Errorf("%s:\n%s", line, out)
		}
		r.pingAll()
	case strings.HasPrefix(line, "bin/fvctl --url https://host:"):
		r.g.Type(`cp govisor-data/fvadmin.passwd secret`)
		if out := r.g.Type(strings.Replace(line, "//host:", "//localhost:", 1)); !strings.Contains(out, "fl-2") {
			t.Errorf("%s:\n%s", line, out)
		}
	case strings.HasPrefix(line, "bin/govisor switch "):
		r.g.Type(`ip link add veth0 type veth peer name veth1`)
		r.inBackground("switch", line)
	case strings.HasPrefix(line, "bin/govisor ofctl dump-flows "):
		r.l.await("flows of the switch", func() error {
			if got := r.g.Run(line); got.Code != 0 || !strings.Contains(got.Stdout, "NXST_FLOW reply") && !strings.Contains(got.Stdout, "OFPST_FLOW reply") {
				return fmt.Errorf("%+v", got)
			}
			return nil
		})
	case strings.HasPrefix(line, "curl "):
		if out := r.g.Type(line); !strings.Contains(out, `"items":[{`) {
			t.Errorf("%s:\n%s", line, out)
		}
	case strings.HasPrefix(line, "bin/fvctl "):
		r.g.Type(line)
	default:
		t.Errorf("README.md has a line that this test does not type: %s", line)
	}
}

func (r *reader) inBackground(name, line string) {
	r.l.t.Helper()
	dir := r.l.Dir()
	if r.g != nil {
		dir = r.g.dir
	}
	r.l.must("spawn", args{"name": name, "argv": []string{"sh", "-c", line}, "cwd": dir}, nil)
}

// pingAll lets Mininet's prompt go on, and reads what it has found.
func (r *reader) pingAll() {
	t := r.l.t
	t.Helper()
	r.l.await("status with nothing missing", func() error {
		if out := r.g.Type(`bin/fvctl status`); strings.Contains(out, "Next:") || strings.Count(out, "connected") < 7 {
			return fmt.Errorf("status:\n%s", out)
		}
		return nil
	})
	if log := r.l.Log("govisor"); strings.Contains(log, "level=warning") || strings.Contains(log, "level=error") {
		t.Errorf("the log would worry a reader:\n%s", log)
	}
	r.g.Type(`touch go`)
	r.l.await("Mininet's end", func() error {
		if !strings.Contains(r.l.Log("mn"), "*** Done") {
			return fmt.Errorf("it says\n%s", r.l.Log("mn"))
		}
		return nil
	})
	_, second, _ := strings.Cut(r.l.Log("mn"), "*** Results:")
	for _, want := range []string{"h1 -> h2 X", "h2 -> h1 X", "h3 -> X X", "(2/6 received)"} {
		if !strings.Contains(second, want) {
			t.Errorf("pingall does not say %q:\n%s", want, second)
		}
	}
}
