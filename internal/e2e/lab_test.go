//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// python is Debian's own interpreter, for which the mininet package is made.
const python = "/usr/bin/python3"

// missing says what this machine lacks to run a lab, or "".
var missing = sync.OnceValue(func() string {
	if os.Geteuid() != 0 {
		return "root"
	}
	for _, name := range []string{python, "mnexec", "ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl", "ovs-testcontroller", "ip"} {
		if _, err := exec.LookPath(name); err != nil {
			return "the program " + name
		}
	}
	if out, err := exec.Command(python, "-c", "import mininet.net").CombinedOutput(); err != nil {
		return "Debian's mininet: " + strings.TrimSpace(string(out))
	}
	tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return "/dev/net/tun: " + err.Error()
	}
	tun.Close()
	probe := exec.Command("/bin/true")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if err := probe.Run(); err != nil {
		return "namespaces of its own: " + err.Error()
	}
	return ""
})

const namespaces = unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID

// needs skips the test for want of what, or fails it where the end-to-end
// tests are required.
func needs(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("GOVISOR_E2E") == "required" {
		t.Fatalf("GOVISOR_E2E=required, and this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}

// Lab is a private network: an Open vSwitch, hosts, and whatever processes a
// test starts, in namespaces of their own.
type Lab struct {
	Hosts    map[string]Host
	Switches map[string]Switch

	t       *testing.T
	work    string
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers *bufio.Reader
	mu      sync.Mutex // one request at a time
	next    int
	stopped bool
}

// Host is a host of the network, known by Mininet's name.
type Host struct{ IP, MAC string }

// Switch is a bridge. Ports are keyed by the name of what is attached there.
type Switch struct {
	DPID  string
	Ports map[string]int
}

// StartLab starts the namespaces and the driver, which end with the test.
func StartLab(t *testing.T) *Lab {
	t.Helper()
	if what := missing(); what != "" {
		needs(t, what)
	}
	driver, err := filepath.Abs("../../testdata/e2e/lab.py")
	if err != nil {
		t.Fatal(err)
	}
	// Sockets live in it, whose names must be short: no t.TempDir.
	work, err := os.MkdirTemp("", "gv")
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{t: t, work: work}
	l.cmd = exec.Command(python, driver, work)
	l.cmd.Stderr = io.Discard
	if testing.Verbose() {
		l.cmd.Stderr = t.Output()
	}
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if l.stdin, err = l.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.answers = bufio.NewReader(out)
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.stop)
	return l
}

// stop ends the driver and with it every process and link of the lab.
func (l *Lab) stop() {
	if l.stopped {
		return
	}
	l.stopped = true
	if l.t.Failed() {
		l.showLogs()
	}
	l.stdin.Close()
	gone := make(chan error, 1)
	go func() { gone <- l.cmd.Wait() }()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		l.cmd.Process.Kill()
		<-gone
	}
	if os.Getenv("GOVISOR_E2E_KEEP") != "" {
		l.t.Logf("kept %s", l.work)
		return
	}
	os.RemoveAll(l.work)
}

// showLogs puts the end of each process's output into the test's log.
func (l *Lab) showLogs() {
	names, _ := filepath.Glob(filepath.Join(l.work, "*.log"))
	for _, name := range names {
		text, _ := os.ReadFile(name)
		if len(text) > 4000 {
			text = text[len(text)-4000:]
		}
		if len(text) > 0 {
			l.t.Logf("%s:\n%s", filepath.Base(name), text)
		}
	}
}

type args map[string]any

// call runs one operation of the driver.
func (l *Lab) call(op string, a args, result any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	request := args{"id": l.next, "op": op}
	for k, v := range a {
		request[k] = v
	}
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	// A driver that hangs is ended, which ends the read below.
	guard := time.AfterFunc(90*time.Second, func() { l.cmd.Process.Kill() })
	defer guard.Stop()
	if _, err := l.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("lab %s: %w", op, err)
	}
	text, err := l.answers.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("lab %s: %w", op, err)
	}
	var answer struct {
		ID     int
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("lab %s: %w in %q", op, err, text)
	}
	if answer.Error != "" {
		return errors.New("lab: " + answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

func (l *Lab) must(op string, a args, result any) {
	l.t.Helper()
	if err := l.call(op, a, result); err != nil {
		l.t.Fatal(err)
	}
}

// Plan is the network to build: Mininet's --topo=linear,Switches,Hosts, its
// bridges pointing at Port of the loopback.
type Plan struct {
	Switches, Hosts int
	Port            int
	Protocols       string // OpenFlow10 if empty
	Ring            bool   // a link more, from the last switch to the first
}

// Build makes the network. It does not wait for controller connections.
func (l *Lab) Build(p Plan) {
	l.t.Helper()
	if p.Protocols == "" {
		p.Protocols = "OpenFlow10"
	}
	l.must("start", args{
		"switches": p.Switches, "hosts": p.Hosts, "protocols": p.Protocols, "ring": p.Ring,
		"controller": []any{"127.0.0.1", p.Port},
	}, l)
}

// AwaitConnected waits until every bridge has its controller connection.
func (l *Lab) AwaitConnected() {
	l.t.Helper()
	l.await("connected bridges", 20*time.Second, func() error {
		var up map[string]bool
		if err := l.call("connected", nil, &up); err != nil {
			return err
		}
		for name, ok := range up {
			if !ok {
				return fmt.Errorf("bridge %s has no controller", name)
			}
		}
		return nil
	})
}

// await polls until check passes and fails the test with its last error.
func (l *Lab) await(what string, limit time.Duration, check func() error) {
	l.t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			l.t.Fatalf("no %s within %v: %v", what, limit, err)
		case <-tick.C:
		}
	}
}

// Spawn starts a process of the lab. Its output goes to NAME.log.
func (l *Lab) Spawn(name string, argv ...string) {
	l.t.Helper()
	l.must("spawn", args{"name": name, "argv": argv}, nil)
}

// Signal sends a signal to a spawned process and returns its exit status,
// which is the negative signal number for one that a signal ended.
func (l *Lab) Signal(name string, sig syscall.Signal) int {
	l.t.Helper()
	var status *int
	l.must("signal", args{"name": name, "number": int(sig)}, &status)
	if status == nil {
		l.t.Fatalf("%s outlived %v", name, sig)
	}
	return *status
}

// Result is what a command left.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Exec runs a command in the lab's namespaces.
func (l *Lab) Exec(argv ...string) Result {
	l.t.Helper()
	var r Result
	l.must("exec", args{"argv": argv}, &r)
	return r
}

// Log returns what a spawned process has printed so far.
func (l *Lab) Log(name string) string {
	text, err := os.ReadFile(filepath.Join(l.work, name+".log"))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// Matrix is the number of echoes that came back, by source and destination.
type Matrix map[string]map[string]int

// PingAll pings every ordered pair of hosts, count times each.
func (l *Lab) PingAll(count int) Matrix {
	l.t.Helper()
	var m Matrix
	l.must("ping", args{"count": count}, &m)
	return m
}

// Ping pings one host from another; it returns the echoes that came back.
func (l *Lab) Ping(src, dst string, count int) int {
	l.t.Helper()
	var m Matrix
	l.must("ping", args{"pairs": [][]string{{src, dst}}, "count": count}, &m)
	return m[src][dst]
}

// UDP is the fate of datagrams: how many arrived, how many echoes came back.
type UDP struct{ Sent, Received, Echoed int }

// SendUDP sends datagrams from and to the same port number.
func (l *Lab) SendUDP(src, dst string, port int) UDP {
	l.t.Helper()
	var r UDP
	l.must("udp", args{"src": src, "dst": dst, "port": port}, &r)
	return r
}

// inside runs f on a thread in the lab's network namespace, so that sockets
// it makes belong there. The thread is not used again.
func (l *Lab) inside(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with us
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", l.cmd.Process.Pid))
		if err != nil {
			done <- err
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("setns: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}
