package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

// proxyUnderTest is something between generator and responder: nothing at all, HAProxy, or a govisor of its own.
type proxyUnderTest struct {
	name    string
	addr    string // where switches connect
	slices  int
	nets    int    // destination networks a slice that rules name
	metrics string // URL; govisor only
	process *exec.Cmd
	dir     string
}

func (p *proxyUnderTest) stop() {
	if p.process != nil {
		_ = p.process.Process.Signal(syscall.SIGTERM)
		_ = p.process.Wait()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}

// cpuTime is the processor time the proxy has used since it started, 0 where that cannot be told (nothing but Linux, and no proxy).
func (p *proxyUnderTest) cpuTime() time.Duration {
	if p.process == nil {
		return 0
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before it may contain anything else
	fields := strings.Fields(rest)
	const utime, stime, tick = 11, 12, 10 * time.Millisecond
	if len(fields) <= stime {
		return 0
	}
	var ticks int64
	for _, f := range fields[utime : stime+1] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * tick
}

const haproxyConfig = `global
    nbthread %d
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen openflow
    bind %s
    server controller %s
`

// startHAProxy relays addr to the controller, bytes only.
func startHAProxy(ctx context.Context, controller string, threads int) (*proxyUnderTest, error) {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		path = "/usr/sbin/haproxy" // Debian keeps it out of a user's PATH
	}
	dir, err := os.MkdirTemp("", "govisor-bench-")
	if err != nil {
		return nil, err
	}
	p := &proxyUnderTest{name: "haproxy", slices: 1, nets: 1, dir: dir}
	if p.addr, err = freeAddress(); err != nil {
		return nil, err
	}
	cfg := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(cfg, fmt.Appendf(nil, haproxyConfig, threads, p.addr, controller), 0o600); err != nil {
		return nil, err
	}
	var said bytes.Buffer
	p.process = exec.CommandContext(ctx, path, "-q", "-db", "-f", cfg)
	p.process.Stderr = &said
	if err := p.process.Start(); err != nil {
		p.process = nil
		p.stop()
		return nil, fmt.Errorf("cannot start HAProxy (Debian: apt-get install haproxy): %w", err)
	}
	if err := awaitListener(ctx, p.addr); err != nil {
		p.stop() // waits, so that all it said is there
		return nil, fmt.Errorf("haproxy: %w; it said: %s", err, strings.TrimSpace(said.String()))
	}
	return p, nil
}

// freeAddress finds a loopback port that was free a moment ago, for HAProxy, which does not tell what port it was given.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func awaitListener(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", addr, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// openFlowLine and metricsLine are the lines of govisor serve that say where switches connect and where the metrics are.
var (
	openFlowLine = regexp.MustCompile(`(?i)openflow.*?(127\.0\.0\.1:\d+)`)
	metricsLine  = regexp.MustCompile(`(http://\S+/metrics)`)
)

// startGovisor runs a binary ("" is this one) with a data directory of its own, and gives each controller a slice and rules.
func startGovisor(ctx context.Context, binary string, controllers []string, rules int) (*proxyUnderTest, error) {
	p, err := serveGovisor(ctx, binary)
	if err != nil {
		return nil, err
	}
	p.name, p.slices = fmt.Sprintf("%s %d slices %d rules", p.name, len(controllers), rules), len(controllers)
	if p.nets, err = slice(ctx, p.socket(), controllers, rules); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// serveGovisor runs a binary ("" is this one) without a slice.
func serveGovisor(ctx context.Context, binary string) (*proxyUnderTest, error) {
	name := "govisor"
	if binary != "" {
		name = filepath.Base(binary)
	} else {
		var err error
		if binary, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "govisor-bench-")
	if err != nil {
		return nil, err
	}
	p := &proxyUnderTest{name: name, dir: dir}
	p.process = exec.CommandContext(ctx, binary, "serve", "--data", dir, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log-level", "error")
	p.process.Stderr = os.Stderr
	out, err := p.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.process.Start(); err != nil {
		p.process = nil
		p.stop()
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for (p.addr == "" || p.metrics == "") && lines.Scan() {
		if m := openFlowLine.FindStringSubmatch(lines.Text()); m != nil && p.addr == "" {
			p.addr = m[1]
		}
		if m := metricsLine.FindStringSubmatch(lines.Text()); m != nil {
			p.metrics = m[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if p.addr == "" || p.metrics == "" {
		p.stop()
		return nil, errors.New("govisor serve did not say where it listens")
	}
	return p, nil
}

// socket is where a govisor's administrator connects.
func (p *proxyUnderTest) socket() string { return filepath.Join(p.dir, "api.sock") }

// slice makes a slice for each controller and shares the rules out among them: slice k owns port k+1, one destination network a rule. Rules beyond the
// address space of the load name a port that no frame comes from. It returns how many networks each slice has.
func slice(ctx context.Context, socket string, controllers []string, rules int) (int, error) {
	c, err := client.New(client.Options{URL: "unix:" + socket})
	if err != nil {
		return 0, err
	}
	for k, addr := range controllers {
		if _, err := c.CreateSlice(ctx, apitype.SliceCreate{Name: fmt.Sprintf("bench%d", k+1), Controllers: []string{"tcp:" + addr}, Contact: "bench@localhost"}); err != nil {
			return 0, err
		}
	}
	n := len(controllers)
	nets := min(max(rules/n, 1), 65536)
	changes := make([]apitype.Change, 0, rules)
	for i := range max(rules, n) {
		k, net := i%n, i/n
		match := fmt.Sprintf("in_port=%d,dl_type=0x800,nw_dst=10.%d.%d.0/24", k+1, net>>8, net&255)
		if net >= nets {
			match = fmt.Sprintf("in_port=60000,dl_type=0x800,nw_dst=%d.%d.%d.0/24", 11+i>>16, i>>8&255, i&255)
		}
		changes = append(changes, apitype.Change{Op: "add", Add: &apitype.RuleCreate{
			Name: fmt.Sprintf("r%d", i), DPIDs: []string{"any"}, Priority: 100, Match: apitype.Match(match),
			Grants: []apitype.Grant{{Slice: fmt.Sprintf("bench%d", k+1), Permission: 7}},
		}})
	}
	_, err = c.BulkRules(ctx, changes, false)
	return nets, err
}
