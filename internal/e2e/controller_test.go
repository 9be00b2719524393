//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestBundledControllers runs each bundled controller on real switches,
// without a hypervisor between.
func TestBundledControllers(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"hub", "hub,mode=flow", "learning", "learning,exact=yes", "shortest-path,interval=1"} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			l := StartLab(t)
			bin, err := binaries()
			if err != nil {
				t.Fatal(err)
			}
			l.bundled(bin, spec)
			// Only the last of them can live with a loop.
			looped := strings.HasPrefix(spec, "shortest-path")
			l.Build(Plan{Switches: 3, Hosts: 2, Port: 6633, Ring: looped})
			l.AwaitConnected()
			if looped {
				l.await("discovered links", func() error { return fullMesh(l.PingAll(1), 1) })
			}
			l.PingAll(1)
			if err := l.fullMesh(2); err != nil {
				t.Error(err)
			}
			// Only a hub makes no flows for pairs of hosts.
			perPair := noneWith(l.DumpFlows(), l.Hosts["h1s1"].MAC) != nil
			if want := !strings.HasPrefix(spec, "hub"); perPair != want {
				t.Errorf("flows for a pair of hosts: %v, want %v", perPair, want)
			}
		})
	}
}

// bundled starts a bundled controller on port 6633.
func (l *Lab) bundled(bin, spec string) {
	l.t.Helper()
	l.Spawn("controller", filepath.Join(bin, "govisor"), "controller", spec, "ptcp:6633:127.0.0.1")
	l.await("listening controller", func() error {
		conn, err := l.dialLab(6633)()
		if err == nil {
			conn.Close()
		}
		return err
	})
}

// TestStaticController: the flows of the file are there, others are not, and a
// controller that comes back puts them in order again.
func TestStaticController(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(l.Dir(), "flows")
	text := "priority=5,actions=normal\ndpid=2 priority=9,udp,tp_dst=5001,actions=drop\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.bundled(bin, "static?file="+file)
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	flows := func(want int) func() error {
		return func() error {
			if got := strings.Count(l.DumpFlows(), "actions="); got != want {
				return fmt.Errorf("%d flows, want %d", got, want)
			}
			return nil
		}
	}
	l.await("flows", flows(4))
	l.PingAll(1)
	if err := l.fullMesh(2); err != nil {
		t.Error(err)
	}
	if got := l.TryUDP("h1", "h3", 5001); got.Received != 0 {
		t.Errorf("%+v through the flow that drops", got)
	}
	if got := l.SendUDP("h1", "h3", 5002); got != (UDP{3, 3, 3}) {
		t.Errorf("%+v, want all received and echoed", got)
	}
	l.Signal("controller", syscall.SIGTERM)
	for _, line := range [][]string{{"del-flows", "s1"}, {"add-flow", "s2", "priority=77,actions=drop"}} {
		if r := l.Exec(append([]string{"ovs-ofctl"}, line...)...); r.Code != 0 {
			t.Fatalf("ovs-ofctl %v: %s", line, r.Stderr)
		}
	}
	if err := flows(4)(); err != nil { // one gone, one too many
		t.Fatal(err)
	}
	if err := noneWith(l.DumpFlows(), "priority=77"); err == nil {
		t.Fatal("the stranger is not there")
	}
	l.bundled(bin, "static?file="+file)
	l.AwaitConnected()
	l.await("the stranger's end", func() error { return noneWith(l.DumpFlows(), "priority=77") })
	l.await("flows again", flows(4))
	if err := l.fullMesh(2); err != nil {
		t.Error(err)
	}
}

// TestFirewallController: what the rules deny does not pass, the rest does.
func TestFirewallController(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(l.Dir(), "rules")
	text := "allow arp\ndeny icmp,nw_src=10.0.0.1,nw_dst=10.0.0.3\nallow icmp\nallow udp,tp_dst=5001\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.bundled(bin, "firewall?rules="+file)
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	l.PingAll(1)
	// Neither way between 1 and 3: the echo of one is the answer of the other.
	m := l.PingAll(2, []string{"h1", "h2"}, []string{"h2", "h3"})
	for _, pair := range [][2]string{{"h1", "h3"}, {"h3", "h1"}} {
		if m[pair[0]][pair[1]] != 0 {
			t.Errorf("%v: %d echoes, want none", pair, m[pair[0]][pair[1]])
		}
		m[pair[0]][pair[1]] = 2
	}
	if err := fullMesh(m, 2); err != nil {
		t.Error(err)
	}
	if got := l.SendUDP("h1", "h3", 5001); got != (UDP{3, 3, 3}) {
		t.Errorf("port 5001: %+v, want all received and echoed", got)
	}
	if got := l.TryUDP("h1", "h3", 5002); got.Received != 0 {
		t.Errorf("port 5002: %+v, want none received", got)
	}
}
