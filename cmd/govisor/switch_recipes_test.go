package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// recipeLab is a switch whose LOCAL port is a TAP of its host, with one instance
// on port 1, each in a network namespace of its own.
type recipeLab struct {
	t              *testing.T
	bin, host, ins string
	socket         string
}

func (l *recipeLab) run(ns string, words ...string) string {
	l.t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", ns}, words...)...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%q: %v\n%s", words, err, out)
	}
	return string(out)
}

func (l *recipeLab) sh(ns, script string) string {
	l.t.Helper()
	return l.run(ns, "sh", "-ec", script)
}

func newRecipeLab(t *testing.T) *recipeLab {
	t.Helper()
	needRoot(t, "ip", "python3")
	dir, err := os.MkdirTemp("", "recipes")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &recipeLab{t: t, bin: buildGovisor(t), host: fmt.Sprintf("gvrh%d", os.Getpid()), ins: fmt.Sprintf("gvri%d", os.Getpid()), socket: filepath.Join(dir, "mgmt")}
	for _, ns := range []string{l.host, l.ins} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	l.sh(l.host, "ip link set lo up; ip link add p1 type veth peer name eth0 netns "+l.ins+"; ip link set p1 up")
	l.sh(l.ins, `ip link set eth0 address 02:00:00:00:00:01
ip addr add 10.0.0.5/24 dev eth0; ip link set eth0 up
ip neigh add 10.0.0.1 lladdr 88:43:e1:42:4f:60 dev eth0
ip route add 169.254.169.254 via 10.0.0.1`)

	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", l.host, l.bin, "switch", "--fail-mode", "secure", "--dpid", "0x99",
		"--port", "1=p1", "--port", "local=tap:br0", "--listen", "punix:"+l.socket)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the switch ended with code %d:\n%s", code, log.String())
		}
		if out, err := exec.Command("ip", "-n", l.host, "link", "show", "br0").CombinedOutput(); err == nil {
			t.Errorf("the TAP is still there: %s", out)
		}
	})
	await(t, func() bool { return strings.Contains(log.String(), "listening on punix") })
	l.sh(l.host, `ip link set br0 address 00:1e:0b:ea:fb:7e
ip addr add 192.168.2.23/24 dev br0
ip route add 10.0.0.5 dev br0
ip neigh add 10.0.0.5 lladdr 02:00:00:00:00:01 dev br0`)
	return l
}

// fetch serves a megabyte on the host's port 9002 and gets it on the instance from
// where; it returns what came, or the error.
func (l *recipeLab) fetch(where string, sourcePort int) string {
	l.t.Helper()
	return l.fetchWithin(60, where, sourcePort)
}

// fetchInVain is fetch where nothing should come.
func (l *recipeLab) fetchInVain(where string, sourcePort int) string {
	l.t.Helper()
	return l.fetchWithin(3, where, sourcePort)
}

func (l *recipeLab) fetchWithin(seconds int, where string, sourcePort int) string {
	l.t.Helper()
	const server = `
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("192.168.2.23", 9002)); s.listen(1); s.settimeout(120); print("ready", flush=True)
try:
    c, _ = s.accept(); c.settimeout(120)
    assert c.recv(100) == b"GET"
    c.sendall(b"metadata" * 131072); c.close()
except socket.timeout:
    pass`
	const client = `
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.settimeout(int(sys.argv[3]))
if int(sys.argv[2]): s.bind(("", int(sys.argv[2])))
host, port = sys.argv[1].split(":")
try:
    s.connect((host, int(port))); s.sendall(b"GET"); got = b""
    while True:
        b = s.recv(65536)
        if not b: break
        got += b
    print(len(got), got == b"metadata" * 131072)
except OSError as e:
    print("failed:", e)`
	cmd := exec.Command("ip", "netns", "exec", l.host, "python3", "-c", server)
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 16)); err != nil {
		l.t.Fatal(err)
	}
	got := l.run(l.ins, "python3", "-c", client, where, fmt.Sprint(sourcePort), fmt.Sprint(seconds))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return strings.TrimSpace(got)
}

func (l *recipeLab) flows(flows ...string) {
	l.t.Helper()
	if _, errs, code := runOfctl("del-flows", l.socket); code != 0 {
		l.t.Fatal(errs)
	}
	for _, f := range flows {
		if _, errs, code := runOfctl("add-flow", l.socket, f); code != 0 {
			l.t.Fatalf("%s: %s", f, errs)
		}
	}
}

var unusedFlow = regexp.MustCompile(`(?m)^.*n_packets=0,.*$`)

// wantUsed fails for every flow that saw no packet.
func (l *recipeLab) wantUsed() {
	l.t.Helper()
	out, errs, code := runOfctl("dump-flows", l.socket)
	if code != 0 {
		l.t.Fatal(errs)
	}
	if unused := unusedFlow.FindAllString(out, -1); unused != nil {
		l.t.Errorf("flows that saw no packet:\n%s", strings.Join(unused, "\n"))
	}
}

const whole = "1048576 True"

// TestRecipes runs the metadata recipes of the wakame-vdc notes that OpenFlow 1.0
// can express, with real TCP. At the end the hosts finish their checksums
// themselves, so that the receiver verifies what the switch made of them.
func TestRecipes(t *testing.T) {
	l := newRecipeLab(t)
	const where = "169.254.169.254:80"
	out := "priority=100,idle_timeout=50000,tcp,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80,actions=mod_dl_dst:00:1e:0b:ea:fb:7e,mod_nw_dst:192.168.2.23,mod_tp_dst:9002,local"
	back := "priority=100,idle_timeout=50000,tcp,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002,actions=mod_dl_src:88:43:e1:42:4f:60,mod_nw_src:169.254.169.254,mod_tp_src:80,"

	l.flows()
	if got := l.fetchInVain(where, 0); !strings.HasPrefix(got, "failed") {
		t.Errorf("without flows: %s", got)
	}
	// R2 and R3: destination NAT for everybody, the way back to a port, flooded, or NORMAL.
	for _, way := range []string{"output:1", "flood"} {
		l.flows(out, back+way)
		if got := l.fetch(where, 0); got != whole {
			t.Errorf("NAT, back by %s: %s", way, got)
		}
		l.wantUsed()
	}
	// R12: the way back by MAC learning, which the way out has to teach.
	l.flows(out, "priority=50,in_port=1,arp,actions=normal", back+"normal")
	if got := l.fetch(where, 0); got != whole {
		t.Errorf("NAT, back by normal: %s", got)
	}
	// R4: the same from another port is dropped by the flow above.
	l.flows(out, back+"output:1", "priority=200,tcp,in_port=1,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80,actions=drop")
	if got := l.fetchInVain(where, 0); !strings.HasPrefix(got, "failed") {
		t.Errorf("blocked: %s", got)
	}
	// R5, R6, R7: one connection, above the punt to the controller.
	l.flows("priority=100,tcp,nw_dst=169.254.169.254,tp_dst=80,actions=controller",
		"priority=101,tcp,idle_timeout=300,in_port=1,dl_src=02:00:00:00:00:01,nw_src=10.0.0.5,tp_src=4444,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80,actions=mod_dl_dst:00:1e:0b:ea:fb:7e,mod_nw_dst:192.168.2.23,mod_tp_dst:9002,local",
		"priority=101,tcp,idle_timeout=300,in_port=local,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.5,tp_dst=4444,actions=mod_dl_src:88:43:e1:42:4f:60,mod_nw_src:169.254.169.254,mod_tp_src:80,output:1")
	if got := l.fetch(where, 4444); got != whole {
		t.Errorf("one connection: %s", got)
	}
	if got := l.fetchInVain(where, 4445); !strings.HasPrefix(got, "failed") {
		t.Errorf("another connection passes too: %s", got)
	}
	l.wantUsed()
	// R29: VLAN push and strip are each other's inverse on the way through LOCAL.
	l.flows(strings.Replace(out, "actions=", "actions=mod_vlan_vid:12,strip_vlan,", 1), strings.Replace(back, "actions=", "actions=mod_vlan_vid:12,mod_vlan_pcp:3,strip_vlan,", 1)+"output:1")
	if got := l.fetch(where, 0); got != whole {
		t.Errorf("through a tag: %s", got)
	}
	l.finishChecksums(l.ins, "eth0")
	l.finishChecksums(l.host, "br0")
	l.flows(out, back+"output:1")
	if got := l.fetch(where, 0); got != whole {
		t.Errorf("NAT without offloads: %s", got)
	}
}

// finishChecksums turns an interface's transmit checksum offload off, and with it
// segmentation.
func (l *recipeLab) finishChecksums(ns, name string) {
	l.t.Helper()
	l.run(ns, "python3", "-c", `
import array, fcntl, socket, struct, sys
value = array.array("B", struct.pack("II", 0x17, 0)) # ETHTOOL_STXCSUM
fcntl.ioctl(socket.socket(), 0x8946, struct.pack("16sP", sys.argv[1].encode(), value.buffer_info()[0]))`, name)
}

// TestSwitchLinks: a cable that is pulled, plugged in again, and an interface that
// goes away altogether are each told to the controllers; the switch lives on.
func TestSwitchLinks(t *testing.T) {
	l := newRecipeLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	var seen lockedBuffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		cmd := rootCommand()
		cmd.SetOut(&seen)
		cmd.SetErr(&seen)
		cmd.SetArgs([]string{"ofctl", "monitor", l.socket, "128"})
		_ = cmd.ExecuteContext(ctx)
	}()
	defer func() { cancel(); <-done }()
	states := func() (list []string) {
		for _, m := range strings.Split(seen.String(), "OFPT_PORT_STATUS")[1:] {
			if strings.Contains(m, "MOD: 1(p1)") {
				state := "up"
				if strings.Contains(m, "LINK_DOWN") {
					state = "down"
				}
				list = append(list, state)
			}
		}
		return list
	}
	frame := "in_port=NONE,packet=020000000001020000000002080000,actions=controller"
	await(t, func() bool { // until the monitor hears packets
		_, _, _ = runOfctl("packet-out", l.socket, frame)
		return strings.Contains(seen.String(), "OFPT_PACKET_IN")
	})
	l.sh(l.ins, "ip link set eth0 down")
	await(t, func() bool { return len(states()) >= 1 })
	l.sh(l.ins, "ip link set eth0 up")
	await(t, func() bool { return len(states()) >= 2 })
	// A port_mod reaches the cable: the peer loses its carrier.
	carrier := func() string { return strings.TrimSpace(l.sh(l.ins, "cat /sys/class/net/eth0/carrier")) }
	for i, step := range []struct{ action, carrier string }{{"down", "0"}, {"up", "1"}} {
		if _, errs, code := runOfctl("mod-port", l.socket, "p1", step.action); code != 0 {
			t.Error(errs)
		}
		await(t, func() bool { return len(states()) >= 3+i })
		if got := carrier(); got != step.carrier {
			t.Errorf("after mod-port %s the peer's carrier is %s", step.action, got)
		}
	}
	l.sh(l.host, "ip link del p1")
	await(t, func() bool { return len(states()) >= 5 })
	if got := strings.Join(slices.Compact(states()), " "); got != "down up down up down" {
		t.Errorf("port 1 went %s", got)
	}
	if _, errs, code := runOfctl("add-flow", l.socket, "in_port=local,actions=1,all"); code != 0 {
		t.Error(errs)
	}
	l.sh(l.host, "ping -c 1 -W 1 10.0.0.5 2>/dev/null || python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b\"x\", (\"10.0.0.5\", 9))'")
	await(t, func() bool {
		out, _, _ := runOfctl("dump-flows", l.socket)
		return strings.Contains(out, "in_port=LOCAL") && !strings.Contains(out, "n_packets=0,")
	})
	if out, errs, code := runOfctl("show", l.socket); code != 0 || !strings.Contains(out, "LINK_DOWN") {
		t.Errorf("%s%s", out, errs)
	}
}
