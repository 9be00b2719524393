package mininet

import (
	"bufio"
	"bytes"
	_ "embed"
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
	"time"

	"golang.org/x/sys/unix"
)

// python is Debian's own interpreter, for which the mininet package is made.
const python = "/usr/bin/python3"

//go:embed lab.py
var driver []byte

const namespaces = unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID

// Missing says what this machine lacks, or "".
var Missing = sync.OnceValue(func() string {
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
	// What Mininet does for a host; it fails in a chroot that is not a mount point.
	probe := exec.Command("mnexec", "-n", "true")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if out, err := probe.CombinedOutput(); err != nil {
		return fmt.Sprintf("namespaces of its own: %v: %s", err, bytes.TrimSpace(out))
	}
	return ""
})

// Lab is the namespaces with the driver in them and all it has started.
type Lab struct {
	// Static after construction.
	keep  bool
	dir   string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	close sync.Once

	mu sync.Mutex // one request at a time
	// Guarded by mu.
	answers *bufio.Reader
	next    int
}

// Options are how a lab is run. What the driver and Mininet complain of is in
// driver.log.
type Options struct {
	// Keep leaves the working directory.
	Keep bool
}

// Start makes the namespaces. Close ends them, and so does the end of this
// process, whatever its reason.
func Start(o Options) (*Lab, error) {
	// Sockets live in it, whose names must be short: no deep directory.
	dir, err := os.MkdirTemp("", "gv")
	if err != nil {
		return nil, err
	}
	script := filepath.Join(dir, "lab.py")
	if err := os.WriteFile(script, driver, 0o600); err != nil {
		return nil, err
	}
	l := &Lab{dir: dir, keep: o.Keep, cmd: exec.Command(python, script, dir)}
	complaints, err := os.Create(filepath.Join(dir, "driver.log"))
	if err != nil {
		return nil, err
	}
	defer complaints.Close() // the driver has it too
	l.cmd.Stderr = complaints
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if o.Keep {
		l.cmd.Env = append(os.Environ(), "GOVISOR_E2E_KEEP=1")
	}
	if l.stdin, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.answers = bufio.NewReader(out)
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("mininet: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	return l, nil
}

// Dir is the working directory, with the output of each process in NAME.log.
func (l *Lab) Dir() string { return l.dir }

// Pid is the driver's process, the first of the lab's.
func (l *Lab) Pid() int { return l.cmd.Process.Pid }

// Close ends every process and link of the lab.
func (l *Lab) Close() {
	l.close.Do(func() {
		l.stdin.Close() // the driver ends with it
		gone := make(chan struct{})
		go func() {
			_ = l.cmd.Wait() // how it ended does not matter
			close(gone)
		}()
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			_ = l.cmd.Process.Kill()
			<-gone
		}
		if !l.keep {
			_ = os.RemoveAll(l.dir)
		}
	})
}

// Args are the arguments of an operation of the driver.
type Args map[string]any

// callLimit is for one operation. A driver that hangs is ended.
const callLimit = 5 * time.Minute

// Call runs one operation of the driver (op_NAME in lab.py).
func (l *Lab) Call(op string, a Args, result any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	request := Args{"id": l.next, "op": op}
	for k, v := range a {
		request[k] = v
	}
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	guard := time.AfterFunc(callLimit, func() { _ = l.cmd.Process.Kill() })
	defer guard.Stop()
	if _, err := l.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("mininet %s: %w", op, err)
	}
	text, err := l.answers.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("mininet %s: %w", op, err)
	}
	var answer struct {
		ID     int
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("mininet %s: %w in %q", op, err, text)
	}
	if answer.Error != "" {
		return errors.New("mininet: " + answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// Plan is the network to build: Mininet's --topo=linear,Switches,Hosts, or another
// that Topo names as Mininet does, its bridges pointing at Port of the loopback.
type Plan struct {
	Switches, Hosts int
	Topo            string // like tree,2,3 or single,32
	Port            int
	Protocols       string // OpenFlow10 if empty
	Ring            bool   // a link more, from the last switch to the first
	Flat            bool   // hosts are called h1, h2, ... along the line
}

// Host is a host of the network, known by Mininet's name.
type Host struct{ IP, MAC string }

// Switch is a bridge. Ports are keyed by the name of what is attached there.
type Switch struct {
	DPID  string
	Ports map[string]int
}

// Network is what was built, by Mininet's names.
type Network struct {
	Hosts    map[string]Host
	Switches map[string]Switch
}

// Build makes the network. It does not wait for controller connections.
func (l *Lab) Build(p Plan) (n Network, err error) {
	if p.Protocols == "" {
		p.Protocols = "OpenFlow10"
	}
	err = l.Call("start", Args{
		"switches": p.Switches, "hosts": p.Hosts, "protocols": p.Protocols, "ring": p.Ring, "flat": p.Flat, "topo": p.Topo,
		"controller": []any{"127.0.0.1", p.Port},
	}, &n)
	return n, err
}

// Matrix is the number of echoes that came back, by source and destination.
type Matrix map[string]map[string]int

// PingAll pings every ordered pair of hosts, count times each.
func (l *Lab) PingAll(count int) (m Matrix, err error) {
	err = l.Call("ping", Args{"count": count}, &m)
	return m, err
}

// Inside runs f on a thread in the lab's network namespace, so that sockets it
// makes belong there. The thread is not used again.
func (l *Lab) Inside(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with us
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", l.Pid()))
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
