package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/govisor/govisor/fvctl"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

// The binaries themselves are the commands of the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"govisor": func() { os.Exit(run(os.Args[1:])) },
		"fvctl":   func() { os.Exit(fvctl.Main(os.Args[1:])) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":   cmdServe,
			"halt":    cmdHalt,
			"code":    cmdCode,
			"hold":    cmdHold,
			"receive": cmdReceive,
			"await":   cmdAwait,
			"until":   cmdUntil,
			"garbage": cmdGarbage,
			"probe":   cmdProbe,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // not a second at the end of each command
			env.Values["serve"] = &served{}
			return nil
		},
	})
}

// patience is how long a script waits for what must come.
const patience = time.Minute

// served is the govisor a script has running.
type served struct {
	cmd   *exec.Cmd
	done  chan error
	lines []string
	log   string // its file, with those of the ones before it
	heard int64  // as much of the log as there was before the last SIGHUP
}

func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, name); exists(p) {
			return p
		}
	}
	ts.Fatalf("%s is not in $PATH", name)
	return ""
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, k := range []string{"PATH", "HOME", "WORK", "TMPDIR", "NO_COLOR", "GOVISOR_ADMIN_PASSWORD", "GOCOVERDIR"} {
		if v := ts.Getenv(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// cmdServe starts "govisor serve" with free ports and the arguments given, and waits until it says that it is ready.
// It sets $OPENFLOW and $API to the addresses, $PORT to the port of the latter, and $LOG to the file with its log. The script's end stops it.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("serve").(*served)
	if neg || s.cmd != nil {
		ts.Fatalf("usage: serve [flags], once at a time")
	}
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"}, args...)
	s.cmd = exec.Command(lookPath(ts, "govisor"), args...)
	s.cmd.Dir, s.cmd.Env = ts.MkAbs("."), environ(ts)
	s.lines = nil
	log, err := os.OpenFile(filepath.Join(ts.Getenv("WORK"), "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	ts.Setenv("LOG", log.Name())
	s.log = log.Name()
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	s.done = make(chan error, 1)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		s.lines = append(s.lines, line)
		if _, addr, ok := strings.Cut(line, "OpenFlow switches on tcp "); ok && ts.Getenv("OPENFLOW") == "" {
			ts.Setenv("OPENFLOW", addr)
		}
		if _, addr, ok := strings.Cut(line, "the API on https://"); ok {
			ts.Setenv("API", addr)
			ts.Setenv("PORT", addr[strings.LastIndexByte(addr, ':')+1:])
		}
		if strings.HasPrefix(line, "the administrator is ") {
			break
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, out) // ends with the process
		s.done <- s.cmd.Wait()
		log.Close()
	}()
	ts.Check(os.WriteFile(ts.MkAbs("serve.out"), []byte(strings.Join(s.lines, "\n")+"\n"), 0o600))
	if n := len(s.lines); n == 0 || !strings.HasPrefix(s.lines[n-1], "the administrator is ") {
		err := <-s.done
		s.cmd = nil
		text, _ := os.ReadFile(log.Name())
		ts.Fatalf("govisor serve did not come up: %v\n%s", err, text)
	}
	ts.Defer(func() {
		if s.cmd != nil {
			_ = s.cmd.Process.Kill()
			<-s.done
			s.cmd = nil // a script may have started several, one after the other
		}
	})
}

// cmdHalt (stop would end the script as passed) sends a signal, by default SIGTERM, and wants exit code 0; after KILL any end will do.
func cmdHalt(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("serve").(*served)
	if s.cmd == nil || neg || len(args) > 1 {
		ts.Fatalf("usage: halt [KILL|HUP], with a govisor running")
	}
	sig := syscall.SIGTERM
	if len(args) == 1 {
		if info, err := os.Stat(s.log); err == nil {
			s.heard = info.Size()
		}
		sig = map[string]syscall.Signal{"KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT}[args[0]]
	}
	ts.Check(s.cmd.Process.Signal(sig))
	if sig == syscall.SIGHUP {
		return
	}
	select {
	case err := <-s.done:
		s.cmd = nil
		ts.Setenv("OPENFLOW", "")
		if err != nil && sig != syscall.SIGKILL {
			ts.Fatalf("govisor ended with %v", err)
		}
	case <-time.After(patience):
		ts.Fatalf("govisor does not stop")
	}
}

// cmdCode runs a command and wants this exit code: code N COMMAND ARGS...
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND [ARGS...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// cmdHold listens on a free port until the script ends, and sets $HELD to the address.
func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("HELD", ln.Addr().String())
	ts.Defer(func() { ln.Close() })
}

// cmdReceive is a web server until the script ends; it sets $RECEIVER to its URL, and writes what it is sent into a file: receive FILE
func cmdReceive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: receive FILE")
	}
	file, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what is cut short is not what the script waits for
		fmt.Fprintf(file, "%s %s %s\n", r.URL.Path, r.Header.Get("Content-Type"), body)
	}))
	ts.Setenv("RECEIVER", srv.URL)
	ts.Defer(func() {
		srv.Close()
		file.Close()
	})
}

// cmdAwait waits until a file holds a text: await FILE TEXT. Of the log of a govisor that has had a SIGHUP only what came after it counts.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	s := ts.Value("serve").(*served)
	for {
		text, _ := os.ReadFile(ts.MkAbs(args[0])) // it may not be there yet
		if ts.MkAbs(args[0]) == s.log {
			text = text[s.heard:]
		}
		if strings.Contains(string(text), args[1]) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			ts.Fatalf("%s does not say %q:\n%s", args[0], args[1], text)
		}
	}
}

// cmdProbe connects to an address and hangs up: probe ADDR
func cmdProbe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: probe ADDR")
	}
	c, err := net.Dial("tcp", args[0])
	ts.Check(err)
	ts.Check(c.Close())
}

// cmdUntil runs a command again and again until its output holds a text: until TEXT COMMAND ARGS...
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until TEXT COMMAND [ARGS...]")
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		_ = ts.Exec(args[1], args[2:]...) // it may fail at first
		if strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			ts.Fatalf("%q does not say %q", args[1:], args[0])
		}
	}
}

// cmdGarbage connects to an address, sends a file and waits to be disconnected: garbage ADDR FILE
func cmdGarbage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: garbage ADDR FILE")
	}
	c, err := net.Dial("tcp", args[0])
	ts.Check(err)
	defer c.Close()
	_, err = io.WriteString(c, ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(c.SetReadDeadline(time.Now().Add(patience)))
	if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
		ts.Fatalf("still connected after %v", patience)
	}
}
