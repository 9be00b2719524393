package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runCommand runs govisor in this process until it ends.
func runCommand(ctx context.Context, out *lockedBuffer, args ...string) (errs string, code int) {
	cmd := rootCommand()
	cmd.SetOut(out)
	cmd.SetErr(out)
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		return err.Error(), exitCode(err)
	}
	return "", 0
}

func TestSwitchUsage(t *testing.T) {
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"--dpid xyz", 2, "xyz"},
		{"--controller tpc:127.0.0.1:6633", 2, "scheme"},
		{"--controller 127.0.0.1", 2, "scheme"},
		{"--controller 127.0.0.1:0", 2, "scheme"},
		{"--listen tcp:127.0.0.1:1", 2, "ptcp"},
		{"--fail-mode open", 2, "standalone or secure"},
		{"--miss explode", 2, "controller, normal or drop"},
		{"--port veth0", 2, "NUMBER=WHAT"},
		{"--port 0=veth0", 2, "1 to 65279"},
		{"--port 65280=veth0", 2, "1 to 65279"},
		{"--port 1=nosuchinterface", 1, "no such interface"},
		{"--port 1=xdp:eth0", 1, "unknown type"},
		{"--port 1=pcap:in=/nonexistent", 1, "no such file"},
		{"--port 1=pcap:out=%/a --port 1=pcap:out=%/b", 2, "in use"},
		{"--queue 1", 2, "PORT:QUEUE"},
		{"--queue 1:2:101", 2, "PORT:QUEUE"},
		{"--port-rate 1=fast", 2, "bits a second"},
		{"--port-rate 1=5MM", 2, "bits a second"},
		{"--sflow-target 127.0.0.1 --sflow-agent me", 2, "no address"},
		{"--certificate /nonexistent", 1, "certificate"},
		{"--log-level loud", 2, "loud"},
		{"extra", 2, "no arguments"},
		{"ports", 1, "socket"},
		{"add-port --socket %/none 1=x", 1, "none"},
	} {
		args := strings.Fields(strings.ReplaceAll("switch "+tt.args, "%", t.TempDir()))
		errs, code := runCommand(t.Context(), &lockedBuffer{}, args...)
		if code != tt.code || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: code %d, %q; want %d and %q", tt.args, code, errs, tt.code, tt.want)
		}
	}
}

// TestSwitchPorts adds and removes ports of a running switch, and looks at it with
// ofctl: without a controller it has one flow.
func TestSwitchPorts(t *testing.T) {
	dir, err := os.MkdirTemp("", "sw")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	mgmt, socket := filepath.Join(dir, "mgmt"), filepath.Join(dir, "ports")
	ctx, cancel := context.WithCancel(t.Context())
	var out lockedBuffer
	var wg sync.WaitGroup
	wg.Go(func() {
		if errs, code := runCommand(ctx, &out, "switch", "--dpid", "00:00:00:00:00:00:00:2a", "--listen", "punix:"+mgmt, "--socket", socket,
			"--port", "1=pcap:out="+dir+"/1", "--port-rate", "1=10M", "--queue", "1:7:50"); code != 0 {
			t.Errorf("ended with %d: %s", code, errs)
		}
	})
	defer wg.Wait()
	defer cancel()
	await(t, func() bool { return strings.Contains(out.String(), "listening on punix "+mgmt) })
	if !strings.Contains(out.String(), "switch 00:00:00:00:00:00:00:2a: 1 ports, fail mode standalone") {
		t.Errorf("printed %q", out.String())
	}
	if flows, _, _ := runOfctl("dump-flows", "--no-stats", mgmt); flows != " priority=0 actions=NORMAL\n" {
		t.Errorf("flows: %q", flows)
	}
	admin := func(wantCode int, args ...string) string {
		t.Helper()
		var b lockedBuffer
		errs, code := runCommand(ctx, &b, append(append([]string{"switch"}, args...), "--socket", socket)...)
		if code != wantCode {
			t.Errorf("%q: code %d %s", args, code, errs)
		}
		return b.String() + errs
	}
	names := func(text string) (list []string) {
		for line := range strings.Lines(text) {
			f := strings.Fields(line)
			list = append(list, f[0]+" "+f[3])
		}
		return list
	}
	if got := admin(0, "add-port", "5=udp:127.0.0.1:9,local=127.0.0.1:0"); cmp.Diff([]string{"1 up", "5 up"}, names(got)) != "" {
		t.Errorf("after add-port: %s", got)
	}
	if got := admin(1, "add-port", "5=pcap:out="+dir+"/5"); !strings.Contains(got, "in use") {
		t.Errorf("a number twice: %s", got)
	}
	if got := admin(1, "add-port", "6=nosuchinterface"); !strings.Contains(got, "no such interface") {
		t.Errorf("no interface: %s", got)
	}
	if got := admin(0, "del-port", "5"); cmp.Diff([]string{"1 up"}, names(got)) != "" {
		t.Errorf("after del-port: %s", got)
	}
	if got := admin(1, "del-port", "5"); !strings.Contains(got, "no port 5") {
		t.Errorf("twice: %s", got)
	}
	if got := admin(0, "ports"); len(names(got)) != 1 {
		t.Errorf("ports: %s", got)
	}
}

// TestSwitchTLS: ssl: and pssl: with certificates of our own authority; a client
// without one is turned away.
func TestSwitchTLS(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("GOVISOR_E2E") == "required" {
			t.Fatal("needs openssl")
		}
		t.Skip("needs openssl")
	}
	dir := t.TempDir()
	script := `set -e; cd ` + dir + `
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca 2>/dev/null
for n in a b; do
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $n.key -out $n.csr -subj /CN=$n 2>/dev/null
openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out $n.pem -days 2 2>/dev/null
done`
	if b, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	files := func(n string) []string {
		return []string{"--certificate", filepath.Join(dir, n+".pem"), "--private-key", filepath.Join(dir, n+".key"), "--ca-cert", filepath.Join(dir, "ca.pem")}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var out lockedBuffer
	var wg sync.WaitGroup
	wg.Go(func() {
		args := append([]string{"switch", "--listen", "pssl:0:127.0.0.1"}, files("a")...)
		if errs, code := runCommand(ctx, &out, args...); code != 0 {
			t.Errorf("ended with %d: %s", code, errs)
		}
	})
	defer wg.Wait()
	defer cancel()
	var addr string
	await(t, func() bool {
		_, err := fmt.Sscanf(out.String()[max(0, strings.Index(out.String(), "listening on pssl")):], "listening on pssl %s", &addr)
		return err == nil
	})
	if got, errs, code := runOfctl(append([]string{"dump-desc", "ssl:" + addr}, files("b")...)...); code != 0 || !strings.Contains(got, "Hardware: ofswitch") {
		t.Errorf("with a certificate: %d %s %s", code, got, errs)
	}
	if _, errs, code := runOfctl("-t", "5", "dump-desc", "ssl:"+addr, "--ca-cert", filepath.Join(dir, "ca.pem")); code != 1 || !strings.Contains(errs, "certificate") {
		t.Errorf("without a certificate: %d %s", code, errs)
	}
	if _, errs, code := runOfctl("-t", "5", "probe", "tcp:"+addr); code != 1 {
		t.Errorf("without TLS: %d %s", code, errs)
	}
}
