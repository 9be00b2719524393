package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// ofctlSwitch runs a switch with two in-memory ports and a LOCAL port behind a
// unix socket, whose path it returns, and the other ends of the ports.
func ofctlSwitch(t *testing.T) (socket string, sw *ofswitch.Switch, hosts []*port.Memory) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ofctl") // short, for the socket's sake
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "mgmt")
	ready := make(chan struct{}, 2)
	sw, err = ofswitch.NewSwitch(ofswitch.SwitchConfig{
		Config:      ofswitch.Config{DatapathID: 1},
		Controllers: []ofwire.Target{{Scheme: "punix", Path: socket}},
		Snoop:       []ofwire.Target{{Scheme: "punix", Path: socket + ".snoop"}},
		Listening:   func(ofwire.Target, net.Addr) { ready <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"s1-p1", "s1_p2", "br0"} {
		in, out := port.Pipe(name, "h")
		no := []of10.Port{1, 2, of10.PortLocal}[i]
		if err := sw.AttachPort(no, in, ofswitch.QueueConfig{ID: 7, MinRate: 500}, ofswitch.QueueConfig{ID: 1, MinRate: of10.MinRateOff}); err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := sw.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	<-ready
	<-ready
	return socket, sw, hosts
}

// ofctl runs "govisor ofctl" in this process.
func runOfctl(args ...string) (out, errs string, code int) {
	var stdout, stderr bytes.Buffer
	cmd := rootCommand()
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(append([]string{"ofctl"}, args...))
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		code = exitCode(err)
		if err.Error() != "" {
			stderr.WriteString(err.Error() + "\n")
		}
	}
	return stdout.String(), stderr.String(), code
}

// exampleFlows are those of the OVS transcripts, as far as OpenFlow 1.0 goes.
var exampleFlows = []string{
	"priority=100,idle_timeout=50000,tcp,dl_dst=88:43:e1:42:4f:60,nw_dst=169.254.169.254,tp_dst=80,actions=mod_dl_dst:00:1e:0b:ea:fb:7e,mod_nw_dst:192.168.2.23,mod_tp_dst:9002,local",
	"priority=100,idle_timeout=50000,tcp,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002,actions=mod_dl_src:88:43:e1:42:4f:60,mod_nw_src:169.254.169.254,mod_tp_src:80,output:2",
	"priority=0,actions=normal",
	"priority=200,tcp,in_port=3,dl_dst=00:1e:0b:ea:fb:7e,nw_dst=169.254.169.254,tp_dst=80,actions=drop",
	"priority=100,tcp,nw_dst=169.254.169.254,tp_dst=80,actions=controller",
	"priority=101,tcp,idle_timeout=300,in_port=local,dl_src=00:1e:0b:ea:fb:7e,nw_src=192.168.2.23,tp_src=9002,dl_dst=02:00:00:00:00:01,nw_dst=10.0.0.1,tp_dst=4444,actions=mod_dl_src:88:43:e1:42:4f:60,mod_nw_src:169.254.169.254,mod_tp_src:80,output:1",
	"priority=5,arp,arp_tpa=10.0.0.0/24,cookie=0xabc,send_flow_rem,hard_timeout=600,actions=flood,enqueue:1:7",
	"priority=6,icmp,icmp_type=8,icmp_code=0,nw_tos=32,dl_vlan=12,dl_vlan_pcp=3,actions=mod_vlan_vid:20,mod_vlan_pcp:5,strip_vlan,mod_nw_tos:40,all,in_port,controller(max_len=128)",
	"priority=7,dl_vlan=0xffff,actions=enqueue:2:1",
	"priority=9,udp,nw_dst=10.0.0.0/255.255.255.0,actions=output:LOCAL",
	"priority=12,dl_type=0x88cc,actions=controller:128",
	"priority=11,ip,nw_proto=0,actions=drop",
	"in_port=s1-p1,actions=s1_p2",
	"table=0,priority=13,dl_vlan_pcp=3,action=drop",
}

func addExampleFlows(t *testing.T, socket string) {
	t.Helper()
	for _, f := range exampleFlows {
		if out, errs, code := runOfctl("add-flow", socket, f); code != 0 || out+errs != "" {
			t.Fatalf("add-flow %s: %d %s%s", f, code, out, errs)
		}
	}
}

var (
	xidText      = regexp.MustCompile(`xid=0x[0-9a-f]+`)
	durationText = regexp.MustCompile(`duration=[0-9.]+s`)
)

func comparable(s string) string {
	return durationText.ReplaceAllString(xidText.ReplaceAllString(s, "xid=X"), "duration=Ts")
}

// ovsSwitch runs a private Open vSwitch with dummy ports and returns its
// management socket.
func ovsSwitch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ovs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	env := append(os.Environ(), "OVS_RUNDIR="+dir, "OVS_DBDIR="+dir, "OVS_LOGDIR="+dir, "OVS_SYSCONFDIR="+dir)
	run := func(name string, args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
	}
	start := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	db := "unix:" + dir + "/db.sock"
	run("ovsdb-tool", "create", dir+"/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
	start("ovsdb-server", dir+"/conf.db", "--remote=p"+db, "--unixctl="+dir+"/ovsdb.ctl", "--no-chdir", "-vconsole:off")
	await(t, func() bool { _, err := os.Stat(dir + "/db.sock"); return err == nil })
	run("ovs-vsctl", "--db="+db, "--no-wait", "init")
	start("ovs-vswitchd", db, "--enable-dummy", "--unixctl="+dir+"/vswitchd.ctl", "--no-chdir", "-vconsole:off")
	run("ovs-vsctl", "--db="+db, "--timeout=60", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy",
		"fail-mode=secure", "other-config:datapath-id=0000000000000001", "protocols=OpenFlow10",
		"--", "add-port", "br0", "s1-p1", "--", "set", "interface", "s1-p1", "type=dummy", "ofport_request=1",
		"--", "add-port", "br0", "s1_p2", "--", "set", "interface", "s1_p2", "type=dummy", "ofport_request=2")
	return dir + "/br0.mgmt"
}

// TestOfctlAgainstOVS compares the output and exit code of both tools, command by
// command, on the bundled switch and on Open vSwitch.
func TestOfctlAgainstOVS(t *testing.T) {
	for _, p := range []string{"ovs-ofctl", "ovs-vswitchd", "ovsdb-server"} {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("GOVISOR_E2E") == "required" {
				t.Fatal("needs " + p)
			}
			t.Skip("needs " + p)
		}
	}
	t.Run("govisor", func(t *testing.T) {
		socket, _, _ := ofctlSwitch(t)
		compareOfctl(t, socket)
	})
	t.Run("ovs", func(t *testing.T) { compareOfctl(t, ovsSwitch(t), "dump-ports-desc %") }) // an extension of 1.0 that ours has not
}

func compareOfctl(t *testing.T, socket string, more ...string) {
	addExampleFlows(t, socket)
	for _, line := range append(more,
		"show %", "dump-desc %", "dump-tables %", "dump-ports %", "dump-ports % 1", "dump-ports % LOCAL", "dump-ports % 99",
		"dump-flows %", "dump-flows % tcp", "dump-flows % out_port=2", "dump-flows % table=0", "dump-flows % table=3", "dump-flows % in_port=1",
		"--no-stats dump-flows %", "--sort dump-flows %", "--rsort=priority dump-flows % tcp", "--no-stats --names dump-flows %",
		"dump-aggregate %", "dump-aggregate % tcp,out_port=2", "queue-stats %", "queue-stats % 1", "queue-stats % 1 7",
		"queue-get-config %", "queue-get-config % 1", "get-frags %", "set-frags % drop", "get-frags %",
		"set-frags % reassemble", "set-frags % normal", "mod-port % 1 no-flood", "mod-port % s1_p2 down", "show %", "mod-port % s1_p2 up",
		"mod-port % 1 flood", "mod-port % 99 up", "probe %",
		"add-flow % check_overlap,priority=100,ip,actions=1",
		"add-flow % priority=1,in_port=1,actions=output:77", "add-flow % priority=1,in_port=1",
		"--strict mod-flows % priority=12,dl_type=0x88cc,actions=controller", "mod-flows % priority=99,udp,actions=3",
		"--strict del-flows % priority=12,dl_type=0x05ff", "del-flows % out_port=2", "--strict del-flows % dl_type=0x88cc", "dump-flows %",
		"packet-out % in_port=NONE,packet=020000000001020000000002080000,actions=output:1",
		"packet-out % NONE output:1 020000000001020000000002080000", "dump-ports % 1",
		"del-flows %", "dump-flows %",
	) {
		args := strings.Fields(strings.ReplaceAll(line, "%", "unix:"+socket))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		cmd := exec.CommandContext(ctx, "ovs-ofctl", append([]string{"-F", "OpenFlow10"}, args...)...)
		var want, wantErr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &want, &wantErr
		wantCode := 0
		var exit *exec.ExitError
		if err := cmd.Run(); errors.As(err, &exit) {
			wantCode = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		cancel()
		// What changes the switch runs twice, which must not matter to the output.
		got, gotErr, code := runOfctl(args...)
		a, b := comparable(want.String()), comparable(got)
		if strings.HasPrefix(want.String(), "OFPT_ERROR") { // ours says so on standard error, and fails
			if code != exitFailed || comparable(gotErr) != a {
				t.Errorf("%s: code %d\n%s\nwant\n%s", line, code, gotErr, a)
			}
			continue
		}
		if code != wantCode {
			t.Errorf("%s: exit code %d, ovs-ofctl's %d\n%s\n%s", line, code, wantCode, gotErr, wantErr.String())
		}
		if strings.Contains(line, "--names") { // ours has no table names
			a = strings.ReplaceAll(a, "table=classifier, ", "")
			b = strings.ReplaceAll(b, "table=0, ", "")
		}
		// One way to say "untagged" of two; ours reads back as it was given.
		b = strings.ReplaceAll(b, "dl_vlan=0xffff", "vlan_tci=0x0000")
		if strings.HasPrefix(line, "packet-out") || strings.HasPrefix(line, "dump-ports") { // counters move
			continue
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s (-ovs-ofctl +govisor):\n%s", line, diff)
		}
	}
}

// TestOfctlErrors: what the switch refuses goes to standard error, with exit code 1.
func TestOfctlErrors(t *testing.T) {
	socket, _, _ := ofctlSwitch(t)
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"add-flow", socket, "priority=8,nw_src=10.0.0.1,actions=drop"}, 1, "would be ignored"},
		{[]string{"add-flow", socket, "actions=output:65281"}, 1, "OFPBAC_BAD_OUT_PORT"},
		{[]string{"add-flow", socket, "actions=resubmit(,5)"}, 1, "resubmit"},
		{[]string{"add-flow", socket, "in_port=1,vlan=12,actions=drop"}, 1, "vlan"},
		{[]string{"add-flow", socket, "actions=add_vlan:12"}, 1, "add_vlan"},
		{[]string{"add-flow", socket, "actions=set_metadata:1"}, 1, "set_metadata"},
		{[]string{"add-flow", socket, "in_port=1"}, 1, "must specify an action"},
		{[]string{"add-flow", socket, "table=1,actions=drop"}, 1, "cannot choose a table"},
		{[]string{"add-flows", socket, "priority=0,action=normal"}, 1, "open failed"},
		{[]string{"queue-stats", socket, "99"}, 1, "OFPQOFC_BAD_PORT"},
		{[]string{"mod-port", socket, "1", "sideways"}, 1, "sideways"},
		{[]string{"mod-port", socket, "nosuch", "up"}, 1, "couldn't find port `nosuch'"},
		{[]string{"set-frags", socket, "sometimes"}, 1, "sometimes"},
		{[]string{"-t", "1", "probe", "tcp:127.0.0.1:1"}, 1, "refused"},
		{[]string{"probe", "tcp:"}, 1, "no host"},
		{[]string{"-O", "OpenFlow13", "probe", socket}, 2, "OpenFlow10"},
		{[]string{"monitor", socket, "watch:"}, 2, "MISS_LEN"},
		{[]string{"probe"}, 2, "number of arguments"},
		{[]string{"packet-out", socket, "in_port=1,actions=2"}, 1, "without a packet"},
		{[]string{"dump-flows", "--sort=colour", socket}, 1, "colour"},
	} {
		out, errs, code := runOfctl(tt.args...)
		if code != tt.code || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%q: code %d, %q, %q; want %d and %q", tt.args, code, out, errs, tt.code, tt.want)
		}
	}
}

func TestOfctlFiles(t *testing.T) {
	socket, _, _ := ofctlSwitch(t)
	write := func(text string) string {
		f := filepath.Join(t.TempDir(), "flows")
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	must := func(want string, wantCode int, args ...string) {
		t.Helper()
		out, errs, code := runOfctl(args...)
		if diff := cmp.Diff(want, out); diff != "" || code != wantCode {
			t.Errorf("%q: code %d %s (-want +got):\n%s", args, code, errs, diff)
		}
	}
	must("", 0, "add-flows", socket, write("# comment\npriority=5,in_port=1,actions=2\n\nadd priority=6,tcp,actions=drop\npriority=7,udp,cookie=9,idle_timeout=3,actions=1,2\n"))
	must("", 0, "add-flows", socket, write("delete_strict priority=6,tcp\nmodify udp,actions=2\n"))
	must(" priority=5,in_port=1 actions=output:2\n idle_timeout=3, priority=7,udp actions=output:2\n", 0, "dump-flows", "--no-stats", "--sort", socket)
	same := write("priority=5,in_port=1,actions=2\npriority=7,udp,idle_timeout=3,actions=2\n")
	other := write("priority=5,in_port=1,actions=1\npriority=8,arp,actions=2\n")
	must("", 0, "diff-flows", socket, same)
	must("+priority=8,arp actions=output:2\n-idle_timeout=3, priority=7,udp actions=output:2\n-priority=5,in_port=1 actions=output:2\n+priority=5,in_port=1 actions=output:1\n", 2, "diff-flows", socket, other)
	must("", 0, "diff-flows", same, same)
	must("", 0, "replace-flows", socket, other)
	must("", 0, "diff-flows", "unix:"+socket, other)
	must("OFPT_FLOW_MOD (xid=0x1): ADD tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=output:1,output:2\n", 0, "parse-flow", "tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=1,2")
	must("OFPT_BARRIER_REQUEST (xid=0x1):\nOFPT_ECHO_REQUEST (xid=0x2): 0 bytes of payload\n", 0, "decode", "0112000800000001", "01020008 00000002")
	must("", 1, "diff-flows", socket, filepath.Join(t.TempDir(), "absent"))
}

// TestOfctlMonitor: with a MISS_LEN the monitor prints packet_ins; the snoop
// socket shows the conversation of others.
func TestOfctlMonitor(t *testing.T) {
	socket, _, hosts := ofctlSwitch(t)
	var out, snooped lockedBuffer
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	start := func(w *lockedBuffer, args ...string) {
		wg.Go(func() {
			cmd := rootCommand()
			cmd.SetOut(w)
			cmd.SetErr(w)
			cmd.SetArgs(append([]string{"ofctl"}, args...))
			if err := cmd.ExecuteContext(ctx); err != nil {
				t.Errorf("%q: %v", args, err)
			}
		})
	}
	start(&snooped, "snoop", socket+".snoop")
	start(&out, "monitor", socket, "65534")
	frame := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, make([]byte, 46)...)
	await(t, func() bool { // until the monitor has set its miss_send_len
		_, _ = hosts[0].Write([]port.Frame{{Data: frame}})
		return strings.Contains(out.String(), "OFPT_PACKET_IN (xid=0x0): total_len=60 in_port=1 (via no_match) data_len=60") &&
			strings.Contains(out.String(), "dl_src=02:00:00:00:00:01")
	})
	await(t, func() bool {
		if _, errs, code := runOfctl("add-flow", socket, "priority=77,arp,actions=2"); code != 0 {
			t.Fatal(errs)
		}
		return strings.Contains(snooped.String(), "ADD priority=77,arp actions=output:2") &&
			strings.Contains(snooped.String(), "OFPT_BARRIER_REPLY")
	})
	cancel()
	wg.Wait()
}

// await polls until ok, for what happens in other goroutines.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatal("does not happen")
		case <-tick.C:
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
