//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWithoutGovisor holds the laboratory itself to account: with a plain
// controller and nothing between, everything reaches everything, and every
// check of the slicing cases fails. A check that passed here would be blind.
func TestWithoutGovisor(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	c := l.Controller("plain", 6633)
	l.Build(Plan{Switches: 3, Hosts: 2, Port: 6633})
	l.AwaitConnected()

	l.PingAll(1) // the first round teaches the controller
	m := l.PingAll(2, l.everybody())
	if err := fullMesh(m, 2); err != nil {
		t.Fatal(err)
	}
	if got := len(hostsOf(m)); got != 6 {
		t.Fatalf("%d hosts, want 6", got)
	}
	if got := l.SendUDP("h1s1", "h2s3", 5001); got != (UDP{3, 3, 3}) {
		t.Fatalf("UDP: %+v, want 3 sent, received and echoed", got)
	}
	if got := len(c.Live()); got != 3 {
		t.Fatalf("the recorder saw %d datapaths, want 3", got)
	}

	blind := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("the check of %s passes although nothing is sliced", what)
		}
	}
	blind("isolation", grouped(m, 2, []string{"h1s1", "h2s1", "h1s2"}, []string{"h2s2", "h1s3", "h2s3"}))
	blind("lone hosts", grouped(m, 2))
	blind("own packet_ins by host", onlyOwn("plain", c.PacketIns(), func(p PacketIn) bool { return p.EthSrc == l.Hosts["h1s1"].MAC }))
	blind("own packet_ins by port", onlyOwn("plain", c.PacketIns(), func(p PacketIn) bool { return p.UDPDst != 5001 }))
	blind("a silent controller", onlyOwn("plain", nil, func(PacketIn) bool { return true }))
	flows := l.Exec("ovs-ofctl", "dump-flows", "s1")
	if flows.Code != 0 {
		t.Fatalf("ovs-ofctl: %s", flows.Stderr)
	}
	blind("removed flows", noneWith(flows.Stdout, l.Hosts["h1s1"].MAC))
}

// TestNothingReachesWithoutController shows that the bridges forward nothing
// on their own: an answered echo is the controller's work.
func TestNothingReachesWithoutController(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	l.Build(Plan{Switches: 2, Hosts: 1, Port: 6633})
	if err := l.grouped(1); err != nil {
		t.Error(err)
	}
	if err := fullMesh(l.PingAll(1), 1); err == nil {
		t.Error("the check of a full mesh passes although nothing is forwarded")
	}
}

// TestLabLeavesNothing shows that a lab's processes end with it.
func TestLabLeavesNothing(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	l.Spawn("sleeper", "sleep", "1000")
	l.Build(Plan{Switches: 1, Hosts: 1, Port: 6633})
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", l.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	// The driver, ovsdb-server, ovs-vswitchd, the sleeper, two Mininet nodes.
	if got := processesOf(space); len(got) < 6 {
		t.Fatalf("processes of the lab: %q, want at least 6", got)
	}
	l.Close()
	l.await("end of the lab", func() error {
		if left := processesOf(space); len(left) > 0 {
			return fmt.Errorf("left behind: %q", left)
		}
		return nil
	})
	if _, err := os.Stat(l.Dir()); !os.IsNotExist(err) && os.Getenv("GOVISOR_E2E_KEEP") == "" {
		t.Errorf("%s is left behind: %v", l.Dir(), err)
	}
}

// processesOf returns the names of the processes in a pid namespace.
func processesOf(space string) []string {
	var names []string
	links, _ := filepath.Glob("/proc/[0-9]*/ns/pid")
	for _, link := range links {
		if got, err := os.Readlink(link); err == nil && got == space {
			comm, _ := os.ReadFile(strings.TrimSuffix(link, "ns/pid") + "comm")
			names = append(names, strings.TrimSpace(string(comm)))
		}
	}
	return names
}
