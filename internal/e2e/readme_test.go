//go:build linux

package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestReadme types what README.md has under "Quick start with Mininet" and looks
// whether what it says is true.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, start, _ := strings.Cut(string(text), "## Quick start with Mininet")
	start, _, found := strings.Cut(start, "`pingall` in Mininet now finds h1 and h2 together and h3 alone.")
	var lines []string
	for line := range strings.Lines(start) {
		if command, ok := strings.CutPrefix(line, "bin/fvctl "); ok {
			lines = append(lines, "fvctl "+strings.TrimSpace(command))
		}
	}
	for _, part := range []string{"ovs-testcontroller ptcp:6634 &", "ovs-testcontroller ptcp:6635 &", "--topo=linear,3 --mac", "port=6633"} {
		found = found && strings.Contains(start, part)
	}
	if !found || len(lines) < 5 {
		t.Fatalf("the quick start is other than this test knows it: %q", lines)
	}
	l := StartLab(t)
	first, second := l.Controller("first", 6634), l.Controller("second", 6635)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	g.Type(lines...)
	l.AwaitLive(first, 3)
	l.AwaitLive(second, 1)
	l.PingAll(1)
	if err := grouped(l.PingAll(2), 2, []string{"h1", "h2"}); err != nil {
		t.Error(err)
	}
	if out := g.Type(`fvctl status`); strings.Contains(out, "missing") {
		t.Logf("status:\n%s", out)
	}
}
