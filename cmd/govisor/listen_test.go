package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/ofwire"
)

func TestListenTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want ofwire.Target
		err  string
	}{
		{":6633", ofwire.Target{Scheme: "ptcp", Port: 6633}, ""},
		{"127.0.0.1:0", ofwire.Target{Scheme: "ptcp", Host: "127.0.0.1"}, ""},
		{"[::1]:6653", ofwire.Target{Scheme: "ptcp", Host: "::1", Port: 6653}, ""},
		{"tcp:localhost:6633", ofwire.Target{Scheme: "ptcp", Host: "localhost", Port: 6633}, ""},
		{"ssl::6653", ofwire.Target{Scheme: "pssl", Port: 6653}, ""},
		{"pssl:6653", ofwire.Target{Scheme: "pssl", Port: 6653}, ""},
		{"unix:/run/of.sock", ofwire.Target{Scheme: "punix", Path: "/run/of.sock"}, ""},
		{"punix:/run/of.sock", ofwire.Target{Scheme: "punix", Path: "/run/of.sock"}, ""},
		{"6633", ofwire.Target{}, `address "6633": want HOST:PORT, :PORT, pssl:PORT or punix:PATH`},
		{"::1:6633", ofwire.Target{}, `address "::1:6633": an IPv6 address stands in brackets, like [::1]:6633`},
		{":http", ofwire.Target{}, `address ":http": the port is a number from 0 to 65535`},
		{":70000", ofwire.Target{}, `address ":70000": the port is a number from 0 to 65535`},
	} {
		got, err := listenTarget(c.in)
		if fmt.Sprint(err) != c.err && (err != nil || c.err != "") {
			t.Errorf("listenTarget(%q): %v, want %q", c.in, err, c.err)
		}
		if err == nil && got != c.want {
			t.Errorf("listenTarget(%q) = %+v, want %+v", c.in, got, c.want)
		}
	}
}

// exhausted is a listener for which there is no file descriptor.
type exhausted struct{ net.Listener }

func (exhausted) Accept() (net.Conn, error) {
	return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}
func (exhausted) Addr() net.Addr { return &net.TCPAddr{Port: 6633} }

// Whoever waits for a connection in vain hears nothing; the log must say why, and not with each attempt.
func TestNoFileDescriptorLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, hook := logtest.NewNullLogger()
		ln := &fullListener{Listener: exhausted{}, log: log}
		for range 100 {
			if _, err := ln.Accept(); err == nil {
				t.Fatal("accepted")
			}
		}
		if n := len(hook.AllEntries()); n != 1 || !strings.Contains(hook.LastEntry().Message, "no file descriptor is left") {
			t.Errorf("%d entries, the last is %+v", n, hook.LastEntry())
		}
		bubble.Sleep(2 * time.Minute)
		_, _ = ln.Accept()
		if n := len(hook.AllEntries()); n != 2 {
			t.Errorf("%d entries two minutes later, want 2", n)
		}
	})
}

// A socket whose name is too long for the system is an error that says so.
func TestSocketWithALongName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	if _, err := listenSocket(path); err == nil || !strings.Contains(err.Error(), "choose a shorter --data") {
		t.Errorf("listenSocket = %v", err)
	}
}

func TestInUseNamesTheHolder(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr := ln.Addr().String()
	by := "another program"
	if runtime.GOOS == "linux" {
		by = fmt.Sprintf("(process %d)", os.Getpid())
	}
	_, _, err = listenOpenFlow(t.Context(), addr, nil)
	for _, want := range []string{"cannot listen on " + addr, by, "choose another address with --listen"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("listenOpenFlow: %v, want it to say %q", err, want)
		}
	}
	if _, err = listenAPI(t.Context(), addr, "--api"); err == nil || !strings.Contains(err.Error(), "choose another address with --api") {
		t.Errorf("listenAPI: %v", err)
	}
	var u usageError
	if _, err = listenAPI(t.Context(), "8081", "--api"); !errors.As(err, &u) {
		t.Errorf("listenAPI(8081): %v, want a usage error", err)
	}
}

func TestCertificateIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := serveOptions{data: dir}
	cert, key, err := certificateFiles(o)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	c, err := loadCertificate(cert, key, cert)
	if err != nil {
		t.Fatal(err)
	}
	if leaf := c.now.Load().switches.Certificates[0].Leaf; leaf.VerifyHostname("localhost") != nil || leaf.VerifyHostname("127.0.0.1") != nil {
		t.Errorf("the certificate is not good for this machine: %v %v", leaf.DNSNames, leaf.IPAddresses)
	}
	if st, err := os.Stat(key); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", st.Mode(), err)
	}
	if _, _, err := certificateFiles(o); err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(cert)
	if err != nil || string(first) != string(second) {
		t.Errorf("the certificate changed at the second start (%v)", err)
	}
	// A certificate whose key is gone is not overwritten.
	if err := os.Remove(filepath.Join(dir, keyName)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := certificateFiles(o); err == nil {
		t.Error("no error although the key is gone")
	}
}
