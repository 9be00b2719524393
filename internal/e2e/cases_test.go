//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestOneSliceOwnsEverything is case (a): FlowVisor's commands as typed, and
// no echo is lost, not even the first.
func TestOneSliceOwnsEverything(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	c := l.Controller("c1", 6634)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	g.Type(
		`fvctl createSlice fl-1 tcp:localhost:6634 foo@sampledomain.org`,
		`fvctl addFlowSpace 00:00:00:00:00:00:00:01 1000 any "Slice:fl-1=7"`,
		`fvctl addFlowSpace 00:00:00:00:00:00:00:02 1000 any "Slice:fl-1=7"`,
	)
	l.AwaitLive(c, 2)
	g.Type(`fvctl addFlowSpace 00:00:00:00:00:00:00:03 1000 any "Slice:fl-1=7"`)
	l.AwaitLive(c, 3)
	if err := l.fullMesh(1); err != nil {
		t.Error(err)
	}
	for _, line := range []string{`fvctl listDevices`, `fvctl list-datapaths`} {
		out := g.Type(line)
		for _, dpid := range []string{"00:00:00:00:00:00:00:01", "00:00:00:00:00:00:00:02", "00:00:00:00:00:00:00:03"} {
			if !strings.Contains(out, dpid) {
				t.Errorf("%s does not name %s:\n%s", line, dpid, out)
			}
		}
	}
	for _, line := range []string{`fvctl getDeviceInfo 00:00:00:00:00:00:00:02`, `fvctl list-datapath-info 00:00:00:00:00:00:00:02`} {
		if out := g.Type(line); !strings.Contains(out, "00:00:00:00:00:00:00:02") {
			t.Errorf("%s does not name the datapath:\n%s", line, out)
		}
	}
}

// twoSlices makes the slices left and right, each with a controller, and
// waits until both have connections to switches datapaths.
func twoSlices(l *Lab, g *Govisor, rules ...string) (left, right *Recorder) {
	l.t.Helper()
	left, right = l.Controller("left", 6634), l.Controller("right", 6635)
	g.Type(
		`fvctl add-slice --password=x left tcp:localhost:6634 left@example.org`,
		`fvctl add-slice --password=x right tcp:localhost:6635 right@example.org`,
	)
	g.Type(rules...)
	return left, right
}

// TestSplitByPort is case (b). The left slice has switch 1 and half the ports
// of switch 2, the right slice the other half and switch 3.
func TestSplitByPort(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 2, Port: 6633})
	l.AwaitConnected()
	port := l.Switches["s2"].Ports
	rule := func(name, to, slice string) string {
		return fmt.Sprintf(`fvctl add-flowspace %s 00:00:00:00:00:00:00:02 100 in_port=%d %s=7`, name, port[to], slice)
	}
	left, right := twoSlices(l, g,
		`fvctl add-flowspace s1 00:00:00:00:00:00:00:01 100 any left=7`,
		rule("s2-host-1", "h1s2", "left"), rule("s2-west", "s1", "left"),
		rule("s2-host-2", "h2s2", "right"), rule("s2-east", "s3", "right"),
		`fvctl add-flowspace s3 00:00:00:00:00:00:00:03 100 any right=7`,
	)
	l.AwaitLive(left, 2)
	l.AwaitLive(right, 2)
	l.PingAll(1)
	if err := l.grouped(2, []string{"h1s1", "h2s1", "h1s2"}, []string{"h2s2", "h1s3", "h2s3"}); err != nil {
		t.Error(err)
	}
	leftPorts := map[uint64]map[int]bool{
		1: {1: true, 2: true, 3: true},
		2: {port["h1s2"]: true, port["s1"]: true},
	}
	isLeft := func(p PacketIn) bool { return leftPorts[p.DPID][int(p.InPort)] }
	if err := onlyOwn("left", left.PacketIns(), isLeft); err != nil {
		t.Error(err)
	}
	if err := onlyOwn("right", right.PacketIns(), func(p PacketIn) bool { return !isLeft(p) }); err != nil {
		t.Error(err)
	}
	checkPorts(t, left, 2, port["h1s2"], port["s1"])
	checkPorts(t, right, 2, port["h2s2"], port["s3"])

	g.Type(`fvctl remove-flowspace s3`)
	l.AwaitLive(right, 1) // switch 3 is no longer the slice's
	if err := l.grouped(2, []string{"h1s1", "h2s1", "h1s2"}); err != nil {
		t.Errorf("with a rule less: %v", err)
	}
}

// checkPorts holds the ports a slice was told of for a datapath, in the
// features_reply and by port_status since, to those it has.
func checkPorts(t *testing.T, r *Recorder, dpid uint64, want ...int) {
	t.Helper()
	for _, c := range r.Conversations() {
		if c.Datapath() != dpid {
			continue
		}
		ports := make(map[int]bool)
		for body := c.Frames(fromSwitch, typeFeaturesReply)[0][32:]; len(body) >= 48; body = body[48:] {
			ports[int(body[0])<<8|int(body[1])] = true
		}
		for _, f := range c.Frames(fromSwitch, typePortStatus) {
			ports[int(f[16])<<8|int(f[17])] = f[8] != 1 // not DELETE
		}
		var got []int
		for port, is := range ports {
			if is {
				got = append(got, port)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("datapath %d offers the ports %v, want %v", dpid, got, want)
		}
		return
	}
	t.Errorf("no conversation about datapath %d", dpid)
}

// byMAC returns rules that give each slice the traffic among its own hosts:
// their broadcasts, and what they send to each other.
func byMAC(l *Lab, groups map[string][]string) []string {
	var rules []string
	for slice, hosts := range groups {
		for _, src := range hosts {
			to := []string{"ff:ff:ff:ff:ff:ff"}
			for _, dst := range hosts {
				if dst != src {
					to = append(to, l.Hosts[dst].MAC)
				}
			}
			for i, dst := range to {
				rules = append(rules, fmt.Sprintf(`fvctl add-flowspace %s-%s-%d any 100 dl_src=%s,dl_dst=%s %s=7`, slice, src, i, l.Hosts[src].MAC, dst, slice))
			}
		}
	}
	return rules
}

var (
	westHosts = []string{"h1s1", "h1s2", "h1s3"}
	eastHosts = []string{"h2s1", "h2s2", "h2s3"}
)

// macSlices builds the network of cases (c), (e) and (f), its slices waiting.
func macSlices(l *Lab) (g *Govisor, left, right *Recorder) {
	l.t.Helper()
	g = l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 2, Port: 6633})
	l.AwaitConnected()
	left, right = twoSlices(l, g, byMAC(l, map[string][]string{"left": westHosts, "right": eastHosts})...)
	l.AwaitLive(left, 3)
	l.AwaitLive(right, 3)
	return g, left, right
}

// fromHosts tells packet_ins that one of the hosts has sent.
func fromHosts(l *Lab, hosts []string) func(PacketIn) bool {
	return func(p PacketIn) bool {
		for _, host := range hosts {
			if l.Hosts[host].MAC == p.EthSrc {
				return true
			}
		}
		return false
	}
}

// TestSplitByMAC is case (c).
func TestSplitByMAC(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	_, left, right := macSlices(l)
	l.PingAll(1)
	if err := l.grouped(2, westHosts, eastHosts); err != nil {
		t.Error(err)
	}
	if err := onlyOwn("left", left.PacketIns(), fromHosts(l, westHosts)); err != nil {
		t.Error(err)
	}
	if err := onlyOwn("right", right.PacketIns(), fromHosts(l, eastHosts)); err != nil {
		t.Error(err)
	}
}

// TestSplitByUDPPort is case (d): the same hosts, two applications, and ARP
// goes to one of them.
func TestSplitByUDPPort(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	left, right := twoSlices(l, g,
		`fvctl add-flowspace arp any 200 dl_type=0x0806 left=7`,
		`fvctl add-flowspace voice any 100 dl_type=0x0800,nw_proto=17,tp_dst=5001 left=7`,
		`fvctl add-flowspace bulk any 100 dl_type=0x0800,nw_proto=17,tp_dst=5002 right=7`,
	)
	l.AwaitLive(left, 3)
	l.AwaitLive(right, 3)
	for _, pair := range [][2]string{{"h1", "h2"}, {"h1", "h3"}, {"h3", "h2"}} {
		for _, port := range []int{5001, 5002} {
			if got := l.SendUDP(pair[0], pair[1], port); got != (UDP{3, 3, 3}) {
				t.Errorf("%v port %d: %+v, want all received and echoed", pair, port, got)
			}
		}
		if got := l.TryUDP(pair[0], pair[1], 5003); got != (UDP{3, 0, 0}) {
			t.Errorf("%v port 5003, nobody's: %+v, want none received", pair, got)
		}
	}
	if err := onlyOwn("left", left.PacketIns(), func(p PacketIn) bool {
		return p.EthType == 0x0806 || p.EthType == 0x0800 && p.Proto == 17 && p.UDPDst == 5001
	}); err != nil {
		t.Error(err)
	}
	if err := onlyOwn("right", right.PacketIns(), func(p PacketIn) bool {
		return p.EthType == 0x0800 && p.Proto == 17 && p.UDPDst == 5002
	}); err != nil {
		t.Error(err)
	}
}

// TestRemoveSliceWhileRunning is case (e).
func TestRemoveSliceWhileRunning(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g, left, right := macSlices(l)
	l.PingAll(1)
	var east []string
	for _, host := range eastHosts {
		east = append(east, l.Hosts[host].MAC)
	}
	if err := noneWith(l.DumpFlows(), east...); err == nil {
		t.Fatal("the slice has no flows that could be removed")
	}
	if right.Open() != 3 {
		t.Fatalf("the controller has %d connections, want 3", right.Open())
	}
	g.Type(`fvctl remove-slice right`)
	l.await("end of the slice's connections", func() error {
		if n := right.Open(); n != 0 {
			return fmt.Errorf("%d connections are open", n)
		}
		return nil
	})
	l.await("switches without the slice's flows", func() error {
		return noneWith(l.DumpFlows(), east...)
	})
	seen := len(right.Conversations())
	if err := l.grouped(2, westHosts); err != nil {
		t.Error(err)
	}
	if left.Open() != 3 || len(left.Conversations()) != 3 {
		t.Errorf("the other slice has %d connections of %d ever, want the same 3", left.Open(), len(left.Conversations()))
	}
	if got := len(right.Conversations()); got != seen {
		t.Errorf("the removed slice's controller had %d new connections", got-seen)
	}
	if out := g.Type(`fvctl list-slices`, `fvctl listSlices`); strings.Contains(out, "right") || !strings.Contains(out, "left") {
		t.Errorf("the slices are still\n%s", out)
	}
	if r := g.Run(`fvctl remove-slice right`); r.Code != 3 {
		t.Errorf("removing it again: exit %d, want 3, %s", r.Code, r.Stderr)
	}
}

// TestKillAndRestart is case (f). What was answered before the SIGKILL is
// there after it, the latest change included, and new flows can be made.
func TestKillAndRestart(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g, left, right := macSlices(l)
	l.PingAll(1)
	before := len(left.Conversations())
	g.Type(`fvctl add-flowspace last any 50 dl_type=0x88b5 left=7`)
	g.Kill()
	l.await("end of the connections", func() error {
		if n := left.Open() + right.Open(); n != 0 {
			return fmt.Errorf("%d connections are open", n)
		}
		return nil
	})
	g.Start()
	l.AwaitLive(left, 3)
	l.AwaitLive(right, 3)
	if out := g.Type(`fvctl list-flowspace`); !strings.Contains(out, "last") {
		t.Errorf("the last rule before the SIGKILL is lost:\n%s", out)
	}
	if got := strings.Count(g.Type(`fvctl listFlowSpace`), "FlowEntry["); got != 19 {
		t.Errorf("%d rules, want 19", got)
	}
	if err := l.grouped(2, westHosts, eastHosts); err != nil {
		t.Error(err)
	}
	// A datagram of a new kind needs new flows from the controllers.
	if got := l.SendUDP("h1s1", "h1s3", 5005); got != (UDP{3, 3, 3}) {
		t.Errorf("UDP after the restart: %+v, want all received and echoed", got)
	}
	mods := 0
	for _, c := range left.Conversations()[before:] {
		mods += len(c.Frames(fromController, typeFlowMod))
	}
	if mods == 0 {
		t.Error("the controller made no flow after the restart")
	}
}

// TestSwitchThatOffersMore is case (g): a switch that would speak OpenFlow 1.3
// settles on 1.0, and so does a controller.
func TestSwitchThatOffersMore(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	c := l.Controller("c1", 6634)
	g := l.Govisor()
	switches := l.Record(6643, l.dialLab(6633))
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6643, Protocols: "OpenFlow10,OpenFlow13"})
	l.AwaitConnected()
	g.Type(
		`fvctl add-slice --password=x one tcp:localhost:6634 one@example.org`,
		`fvctl add-flowspace all any 100 any one=7`,
	)
	l.AwaitLive(c, 3)
	l.PingAll(1)
	if err := l.fullMesh(1); err != nil {
		t.Error(err)
	}
	checkVersions(t, "switch", switches, fromSwitch, 4)
	checkVersions(t, "controller", c, fromController, 6)
	checkWithTshark(t, "govisor to the switches", switches, fromController)
	checkWithTshark(t, "govisor to the controllers", c, fromSwitch)
}

// TestSwitchWithout10: a switch that speaks OpenFlow 1.3 only is turned away, is
// told why, and the log says so.
func TestSwitchWithout10(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	g := l.Govisor()
	l.Build(Plan{Switches: 1, Hosts: 1, Port: 6633, Protocols: "OpenFlow13"})
	l.await("refusal", func() error {
		if !strings.Contains(l.Log("govisor"), "does not offer OpenFlow 1.0") {
			return fmt.Errorf("the log does not tell")
		}
		if !strings.Contains(l.Log("ovs-vswitchd"), "version negotiation failed") {
			return fmt.Errorf("the switch's log does not tell")
		}
		return nil
	})
	if out := g.Type(`fvctl list-datapaths`); strings.Contains(out, "00:00:00:00:00:00:00:01") {
		t.Errorf("the switch is listed:\n%s", out)
	}
}

// checkVersions holds conversations to OpenFlow 1.0 although one side's HELLO
// offers a higher version.
func checkVersions(t *testing.T, who string, r *Recorder, side int, offered byte) {
	t.Helper()
	live := 0
	for _, c := range r.Conversations() {
		hellos := c.Frames(side, typeHello)
		if len(hellos) == 0 || c.Datapath() == 0 {
			continue // never came so far
		}
		live++
		if got := hellos[0].version(); got != offered {
			t.Errorf("the %s offers version %d, want %d: the test shows nothing", who, got, offered)
		}
		c.mu.Lock()
		for direction, frames := range c.frames {
			for _, f := range frames {
				if f.kind() != typeHello && f.version() != 1 {
					t.Errorf("a message of type %d and version %d went in direction %d", f.kind(), f.version(), direction)
				}
			}
		}
		c.mu.Unlock()
	}
	if live != 3 {
		t.Errorf("%d conversations with a %s, want 3", live, who)
	}
}
