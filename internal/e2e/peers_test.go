//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// vsctl runs ovs-vsctl, which must succeed.
func (l *Lab) vsctl(argv ...string) {
	l.t.Helper()
	if r := l.Exec(append([]string{"ovs-vsctl", "--timeout=60"}, argv...)...); r.Code != 0 {
		l.t.Fatalf("ovs-vsctl %v: %s", argv, r.Stderr)
	}
}

// TestSlicesOfSlices: the controller of a slice is a second govisor, which slices
// what it was given. It sees a network as good as a real one.
func TestSlicesOfSlices(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	outer := l.Govisor()
	inner := l.namedGovisor("inner", "--listen", ":7633", "--api", "127.0.0.1:8082")
	l.Build(Plan{Switches: 3, Hosts: 4, Port: 6633})
	l.AwaitConnected()
	group := func(n int) (hosts []string) {
		for s := 1; s <= 3; s++ {
			hosts = append(hosts, fmt.Sprintf("h%ds%d", n, s))
		}
		return hosts
	}
	outer.Type(
		`fvctl add-slice --password=x mine module:learning mine@example.org`,
		`fvctl add-slice --password=x tenant tcp:localhost:7633 tenant@example.org`,
	)
	tenants := append(group(2), group(3)...)
	outer.Type(byMAC(l, map[string][]string{"mine": group(1), "tenant": tenants})...)
	l.await("switches of the inner govisor", func() error {
		if out := inner.Type(`fvctl list-datapaths`); strings.Count(out, "00:00:00") < 3 {
			return fmt.Errorf("datapaths:\n%s", out)
		}
		return nil
	})
	left, right := twoSlices(l, inner, byMAC(l, map[string][]string{"left": group(2), "right": group(3)})...)
	l.AwaitLive(left, 3)
	l.AwaitLive(right, 3)
	l.PingAll(1)
	if err := l.grouped(2, group(1), group(2), group(3)); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		r    *Recorder
		host []string
	}{"left": {left, group(2)}, "right": {right, group(3)}} {
		if err := onlyOwn(name, c.r.PacketIns(), fromHosts(l, c.host)); err != nil {
			t.Error(err)
		}
	}
	checkWithTshark(t, "the inner govisor to its controllers", left, fromSwitch)

	// Without the inner one its tenants are on their own, and nobody else notices. With it all is as before.
	inner.Kill()
	if err := fullMesh(only(l.PingAll(1, group(1)), group(1)), 1); err != nil {
		t.Errorf("without the inner govisor: %v", err)
	}
	inner.Start()
	l.AwaitLive(left, 3)
	l.AwaitLive(right, 3)
	l.PingAll(1)
	if err := l.grouped(2, group(1), group(2), group(3)); err != nil {
		t.Errorf("with the inner govisor again: %v", err)
	}
}

// only returns the part of a matrix among some hosts.
func only(m Matrix, hosts []string) Matrix {
	part := make(Matrix)
	for _, a := range hosts {
		part[a] = make(map[string]int)
		for _, b := range hosts {
			if a != b {
				part[a][b] = m[a][b]
			}
		}
	}
	return part
}

// TestTreeOfPassiveSwitches: bridges that listen, in a tree, govisor connects to
// them; fail mode and connections change under way.
func TestTreeOfPassiveSwitches(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	var flags []string
	for n := 1; n <= 4; n++ {
		flags = append(flags, "--connect", fmt.Sprintf("tcp:127.0.0.1:%d", 7000+n))
	}
	g := l.Govisor(flags...)
	l.Build(Plan{Topo: "tree,2,3", Port: 6632}) // nobody listens there
	listen := func(mode string) {
		for n := 1; n <= 4; n++ {
			name := fmt.Sprintf("s%d", n)
			l.vsctl("set-fail-mode", name, mode, "--", "set-controller", name, fmt.Sprintf("ptcp:%d:127.0.0.1", 7000+n))
		}
	}
	listen("secure")
	left, right := twoSlices(l, g, byMAC(l, map[string][]string{"left": {"h1", "h4", "h7"}, "right": {"h2", "h5", "h8", "h9"}})...)
	l.AwaitLive(left, 4)
	l.AwaitLive(right, 4)
	check := func(when string) {
		t.Helper()
		l.PingAll(1)
		if err := l.grouped(2, []string{"h1", "h4", "h7"}, []string{"h2", "h5", "h8", "h9"}); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	check("at first")

	for n := 1; n <= 4; n++ {
		l.vsctl("del-controller", fmt.Sprintf("s%d", n))
	}
	l.await("end of the controllers' connections", func() error {
		if n := left.Open() + right.Open(); n != 0 {
			return fmt.Errorf("%d are open", n)
		}
		return nil
	})
	listen("standalone")
	l.AwaitLive(left, 4)
	l.AwaitLive(right, 4)
	check("after all switches came back")
}

// TestManyPorts: one switch of 32 hosts, a slice for each half of the ports.
func TestManyPorts(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g := l.Govisor()
	l.Build(Plan{Topo: "single,32", Port: 6633, Protocols: "OpenFlow10,OpenFlow13"})
	l.AwaitConnected()
	left, right := twoSlices(l, g,
		`fvctl add-flowspace low any 100 in_port=1-16 left=7`,
		`fvctl add-flowspace high any 100 in_port=17-32 right=7`,
	)
	l.AwaitLive(left, 1)
	l.AwaitLive(right, 1)
	pairs := [][]string{}
	for n := 1; n <= 32; n++ { // a ring through all of them, and across
		pairs = append(pairs, []string{fmt.Sprintf("h%d", n), fmt.Sprintf("h%d", n%32+1)})
	}
	var groups [2][]string
	for n := range 32 {
		groups[n/16] = append(groups[n/16], fmt.Sprintf("h%d", n+1))
	}
	var m Matrix
	for range 2 { // the first round teaches the controllers
		l.must("ping", args{"pairs": pairs, "count": 2, "expect": groups}, &m)
	}
	low := func(host string) bool {
		var n int
		fmt.Sscanf(host, "h%d", &n)
		return n <= 16
	}
	for src, row := range m {
		for dst, got := range row {
			want := 0
			if low(src) == low(dst) {
				want = 2
			}
			if got != want {
				t.Errorf("%s > %s: %d echoes, want %d", src, dst, got, want)
			}
		}
	}
	var lowPorts, highPorts []int
	for n := 1; n <= 16; n++ {
		lowPorts, highPorts = append(lowPorts, n), append(highPorts, n+16)
	}
	checkPorts(t, left, 1, lowPorts...)
	checkPorts(t, right, 1, highPorts...)
}
