package fvctl

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/govisor/govisor/api/apitype"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, ExitOK},
		{errors.New("x"), ExitFailed},
		{usagef("x"), ExitUsage},
		{fmt.Errorf("wrapped: %w", usagef("x")), ExitUsage},
		{&apitype.Problem{Kind: apitype.KindInvalid}, ExitFailed},
		{&apitype.Problem{Kind: apitype.KindConflict}, ExitFailed},
		{&apitype.Problem{Kind: apitype.KindNotFound}, ExitNotFound},
		{fmt.Errorf("wrapped: %w", &apitype.Problem{Kind: apitype.KindNotFound}), ExitNotFound},
		{&apitype.Problem{Kind: apitype.KindDenied}, ExitDenied},
		{&apitype.Problem{Kind: apitype.KindUnauthorized}, ExitDenied},
		{&apitype.Problem{Kind: apitype.KindUnreachable}, ExitUnreachable},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("exitCode(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

// Where fvctl goes for each way of saying so.
func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sock := filepath.Join(dir, "api.sock")
	ln, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		opt  options
		env  map[string]string
		set  string // the option that was given
		want target // zero: an error
		code int
	}{
		{name: "the socket", opt: options{data: dir}, want: target{"unix:" + sock, true}},
		{name: "the socket's directory from the environment", env: map[string]string{"FVCTL_DATA": dir}, want: target{"unix:" + sock, true}},
		{name: "as FlowVisor's scripts, beside a govisor", opt: options{data: dir, passwdFile: "/dev/null"}, set: "passwd-file", want: target{"unix:" + sock, true}},
		{name: "another user logs in", opt: options{data: dir, user: "fl-1"}, set: "user", want: target{"https://localhost:8081", false}},
		{name: "a token logs in", opt: options{data: dir}, env: map[string]string{"FVCTL_TOKEN": "gv_x"}, want: target{"https://localhost:8081", false}},
		{name: "no socket, but a password", env: map[string]string{"FVCTL_DATA": empty}, set: "no-passwd", want: target{"https://localhost:8081", false}},
		{name: "no socket where it was said to be", opt: options{data: empty}, set: "data", code: ExitUnreachable},
		{name: "a host", opt: options{host: "gv", data: dir}, set: "hostname", want: target{"https://gv:8081", false}},
		{name: "a port", opt: options{port: "9"}, set: "port", want: target{"https://localhost:9", false}},
		{name: "IPv6", opt: options{host: "::1", port: "9"}, set: "hostname", want: target{"https://[::1]:9", false}},
		{name: "a URL", opt: options{url: "https://gv:1/xmlrpc"}, set: "url", want: target{"https://gv:1", false}},
		{name: "a URL from the environment", opt: options{data: dir}, env: map[string]string{"FVCTL_URL": "https://gv:1"}, want: target{"https://gv:1", false}},
		{name: "a socket as URL", opt: options{url: "unix:/x"}, set: "url", want: target{"unix:/x", true}},
		{name: "both", opt: options{url: "https://gv:1", host: "gv"}, set: "url", code: ExitUsage},
	} {
		a := &app{opt: c.opt, env: func(k string) string { return c.env[k] }}
		got, err := a.find(func(name string) bool { return name == c.set })
		if got != c.want || exitCode(err) != c.code {
			t.Errorf("%s: %v, %v (code %d), want %v (code %d)", c.name, got, err, exitCode(err), c.want, c.code)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{"https://localhost:1": true, "https://127.0.0.9:1": true, "https://[::1]:1": true, "https://10.0.0.1:1": false, "https://localhost.example.org:1": false, "::": false} {
		if got := loopback(url); got != want {
			t.Errorf("loopback(%s) = %v", url, got)
		}
	}
}
