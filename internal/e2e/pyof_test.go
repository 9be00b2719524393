//go:build linux

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// python is the interpreter that Debian's packages are for.
const python = "/usr/bin/python3"

// conversation has the controller on python-openflow, on a port, talk to the
// three switches of the lab. It returns what they told it, by datapath.
func conversation(t *testing.T, l *Lab, port int) map[string][]string {
	t.Helper()
	if out, err := exec.Command(python, "-c", "import pyof.utils").CombinedOutput(); err != nil {
		needs(t, "Debian's python3-openflow: "+string(out))
	}
	script, err := filepath.Abs("testdata/pyof_controller.py")
	if err != nil {
		t.Fatal(err)
	}
	l.Spawn("pyof", python, script, fmt.Sprint(port))
	told := make(map[string][]string)
	l.await("end of the conversations", func() error {
		log := l.Log("pyof")
		if strings.Contains(log, "Traceback") {
			t.Fatalf("the controller failed:\n%s", log)
		}
		if n := strings.Count(log, " end\n"); n < 3 {
			return fmt.Errorf("%d of 3 are at their end:\n%s", n, log)
		}
		clear(told)
		for line := range strings.Lines(log) {
			if dpid, text, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				told[dpid] = append(told[dpid], text)
			}
		}
		return nil
	})
	return told
}

// TestPyofController: a controller on another implementation of OpenFlow is told
// the same through govisor as by the switches themselves, and works.
func TestPyofController(t *testing.T) {
	t.Parallel()
	plain := StartLab(t)
	plain.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	want := conversation(t, plain, 6633)

	l := StartLab(t)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	g.Type(
		`fvctl add-slice --password=x one tcp:localhost:6634 one@example.org`,
		`fvctl add-flowspace all any 100 any one=7`,
	)
	got := conversation(t, l, 6634)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-without govisor +with\n%s", d)
	}
	for dpid, lines := range want {
		if len(lines) < 25 || !slices.ContainsFunc(lines, func(s string) bool { return strings.Contains(s, "FlowRemoved") }) {
			t.Errorf("datapath %s said too little for a judgement:\n%s", dpid, strings.Join(lines, "\n"))
		}
	}
	for _, lab := range []*Lab{plain, l} {
		lab.PingAll(1)
		if err := lab.fullMesh(2); err != nil {
			t.Error(err)
		}
	}
}
