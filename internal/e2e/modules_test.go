//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// links returns what list-links says, as "1:2 > 2:3".
func links(g *Govisor) ([]string, error) {
	g.l.t.Helper()
	r := g.Run(`fvctl list-links -o json`)
	if r.Code != 0 {
		return nil, fmt.Errorf("list-links: exit %d: %s", r.Code, r.Stderr)
	}
	var list []struct {
		Src     string `json:"src_dpid"`
		SrcPort int    `json:"src_port"`
		Dst     string `json:"dst_dpid"`
		DstPort int    `json:"dst_port"`
	}
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
		return nil, fmt.Errorf("%w in %s", err, r.Stdout)
	}
	texts := make([]string, 0, len(list))
	for _, l := range list {
		texts = append(texts, fmt.Sprintf("%s:%d > %s:%d", l.Src[len(l.Src)-1:], l.SrcPort, l.Dst[len(l.Dst)-1:], l.DstPort))
	}
	slices.Sort(texts)
	return texts, nil
}

// TestTopology: the links of the network are found, none is made up although a
// slice floods everything, and a link that goes down is gone.
func TestTopology(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	g.Type(
		`fvctl add-slice --password=x flood 'module:hub?mode=flow' flood@example.org`,
		`fvctl add-flowspace all any 100 any flood=7`,
	)
	l.await("flows of the hub", func() error {
		for name := range l.Switches {
			if r := l.Exec("ovs-ofctl", "dump-flows", name); !strings.Contains(r.Stdout, "FLOOD") && !strings.Contains(r.Stdout, "output:") {
				return fmt.Errorf("%s has none: %s%s", name, r.Stdout, r.Stderr)
			}
		}
		return nil
	})
	if err := l.fullMesh(1); err != nil {
		t.Error(err)
	}
	if got, err := links(g); err != nil || len(got) != 0 {
		t.Errorf("links %q, %v; want none before anybody looks", got, err)
	}
	g.Type(`fvctl set-config --enable-topo-ctrl`)
	port := func(at, to string) string {
		return fmt.Sprintf("%s:%d", at[1:], l.Switches[at].Ports[to])
	}
	pair := func(a, b string) []string {
		return []string{port(a, b) + " > " + port(b, a), port(b, a) + " > " + port(a, b)}
	}
	awaitLinks := func(what string, want []string) {
		t.Helper()
		slices.Sort(want)
		l.await(what, func() error {
			got, err := links(g)
			if err == nil && !slices.Equal(got, want) {
				err = fmt.Errorf("links %q, want %q", got, want)
			}
			return err
		})
	}
	all := slices.Concat(pair("s1", "s2"), pair("s2", "s3"))
	awaitLinks("links", all)
	if err := l.fullMesh(1); err != nil {
		t.Errorf("while links are looked for: %v", err)
	}
	awaitLinks("links with traffic", all)

	l.must("link", args{"a": "s2", "b": "s3", "status": "down"}, nil)
	awaitLinks("link less", pair("s1", "s2"))
	l.must("link", args{"a": "s2", "b": "s3", "status": "up"}, nil)
	awaitLinks("link more", all)

	g.Type(`fvctl set-config --disable-topo-ctrl`)
	awaitLinks("links when nobody looks", nil)
}

// TestFourSlices: two controllers over TCP and two that are linked in share one
// network; no one notices the others.
func TestFourSlices(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 4, Port: 6633})
	l.AwaitConnected()
	groups := map[string][]string{"one": nil, "two": nil, "three": nil, "four": nil}
	for n, slice := range []string{"one", "two", "three", "four"} {
		for s := 1; s <= 3; s++ {
			groups[slice] = append(groups[slice], fmt.Sprintf("h%ds%d", n+1, s))
		}
	}
	one, two := l.Controller("one", 6634), l.Controller("two", 6635)
	g.Type(
		`fvctl add-slice --password=x one tcp:localhost:6634 one@example.org`,
		`fvctl add-slice --password=x two tcp:localhost:6635 two@example.org`,
		`fvctl add-slice --password=x three module:learning three@example.org`,
		`fvctl add-slice --password=x four 'module:hub' four@example.org`,
	)
	g.Type(byMAC(l, groups)...)
	l.AwaitLive(one, 3)
	l.AwaitLive(two, 3)
	l.PingAll(1)
	if err := l.grouped(2, groups["one"], groups["two"], groups["three"], groups["four"]); err != nil {
		t.Error(err)
	}
	if err := onlyOwn("one", one.PacketIns(), fromHosts(l, groups["one"])); err != nil {
		t.Error(err)
	}
	if err := onlyOwn("two", two.PacketIns(), fromHosts(l, groups["two"])); err != nil {
		t.Error(err)
	}
	// The learning switch made flows for its hosts, the hub made none.
	flows := l.DumpFlows()
	if noneWith(flows, l.Hosts["h3s1"].MAC) == nil {
		t.Error("module:learning made no flow")
	}
	if err := noneWith(flows, "dl_src="+l.Hosts["h4s1"].MAC); err != nil {
		t.Errorf("module:hub: %v", err)
	}
	g.Type(`fvctl remove-slice three`)
	l.await("switches without the module's flows", func() error {
		return noneWith(l.DumpFlows(), l.Hosts["h3s1"].MAC)
	})
	if err := l.grouped(2, groups["one"], groups["two"], groups["four"]); err != nil {
		t.Errorf("without the slice: %v", err)
	}
}
