package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/learning"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
)

// testAuthority signs certificates.
type testAuthority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newTestAuthority(t *testing.T) *testAuthority {
	t.Helper()
	a := &testAuthority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.sign("ca")
	return a
}

// sign writes NAME.pem and NAME.key.
func (a *testAuthority) sign(name string, units ...string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, OrganizationalUnit: units},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: a.cert == nil, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(a.file(file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *testAuthority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *testAuthority) files(name string) ofconn.TLSFiles {
	return ofconn.TLSFiles{Cert: a.file(name + ".pem"), Key: a.file(name + ".key"), CA: a.file("ca.pem")}
}

// install makes the files in dir those of another authority.
func (a *testAuthority) install(dir string) {
	a.t.Helper()
	for from, to := range map[string]string{"govisor.pem": "cert.pem", "govisor.key": "key.pem", "ca.pem": "ca.pem"} {
		text, err := os.ReadFile(a.file(from))
		if err != nil {
			a.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
}

// tlsWorld is a govisor with TLS on all sides, as a process of its own.
type tlsWorld struct {
	t             *testing.T
	cmd           *exec.Cmd
	c             *client.Client
	log           *lockedBuffer
	openflow, api string
}

func startTLSWorld(t *testing.T, dir string, args ...string) *tlsWorld {
	t.Helper()
	w := &tlsWorld{t: t, log: &lockedBuffer{}}
	data := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	w.cmd = exec.Command("govisor", append([]string{"serve", "--data", data, "--listen", "ssl:127.0.0.1:0", "--api", "127.0.0.1:0",
		"--tls-cert", in("cert.pem"), "--tls-key", in("key.pem"), "--tls-ca", in("ca.pem")}, args...)...)
	w.cmd.Stderr = w.log
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	for s := bufio.NewScanner(out); s.Scan(); {
		if addr, ok := strings.CutPrefix(s.Text(), "listening for OpenFlow switches on tls "); ok {
			w.openflow = addr
		}
		if addr, ok := strings.CutPrefix(s.Text(), "listening for the API on "); ok {
			w.api = addr
		}
		if strings.HasPrefix(s.Text(), "the administrator is ") {
			break
		}
	}
	if w.c, err = client.New(client.Options{URL: "unix:" + filepath.Join(data, socketName)}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *tlsWorld) await(what string, ok func() bool) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// state is that of the slice's session on a switch, with its last error.
func (w *tlsWorld) state(slice, dpid string) (state, lastError string) {
	h, err := w.c.SliceHealth(w.t.Context(), slice)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range h.Connections {
		if c.DPID == dpid {
			return c.State, c.LastError
		}
	}
	return "", ""
}

// hup has the files read again and waits until they were.
func (w *tlsWorld) hup(want string) {
	w.t.Helper()
	before := strings.Count(w.log.String(), want)
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		w.t.Fatal(err)
	}
	w.await(want, func() bool { return strings.Count(w.log.String(), want) > before })
}

// connectSwitch keeps a switch connected to govisor with the certificate of an authority.
func (w *tlsWorld) connectSwitch(ctx context.Context, id ofwire.DatapathID, files ofconn.TLSFiles) {
	w.t.Helper()
	tlsConfig, err := ofconn.ClientTLS(files)
	if err != nil {
		w.t.Fatal(err)
	}
	target, err := ofwire.ParseTarget("ssl:" + w.openflow)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := ofswitch.SwitchConfig{Controllers: []ofwire.Target{target}, ClientTLS: tlsConfig, Probe: -1}
	cfg.DatapathID = id
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() { defer close(done); _ = sw.Run(ctx) }()
	w.t.Cleanup(func() { cancel(); <-done })
}

// controllerOf starts a controller that wants to see a certificate of the authority.
func (w *tlsWorld) controllerOf(ctx context.Context, a *testAuthority) string {
	w.t.Helper()
	cfg, err := ofconn.ServerTLS(a.files("controller"))
	if err != nil {
		w.t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	c := ofcontroller.New(ofcontroller.Config{})
	if err := learning.New(learning.Config{}).Attach(c); err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() { defer close(done); _ = c.Serve(ctx, ln) }()
	w.t.Cleanup(func() { cancel(); <-done })
	return "ssl:" + ln.Addr().String()
}

// TestTLSThrough has a switch, a controller and a user of the API, each with the certificate of an authority; then
// another authority takes over at SIGHUP, for those who connect to govisor and for those it connects to.
func TestTLSThrough(t *testing.T) {
	old, next := newTestAuthority(t), newTestAuthority(t)
	for _, a := range []*testAuthority{old, next} {
		a.sign("govisor")
		a.sign("switch")
		a.sign("controller")
		a.sign("red", "govisor-account")
	}
	dir := t.TempDir()
	old.install(dir)
	w := startTLSWorld(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	oldController, nextController := w.controllerOf(ctx, old), w.controllerOf(ctx, next)
	for name, url := range map[string]string{"red": oldController, "blue": nextController} {
		if _, err := w.c.CreateSlice(t.Context(), apitype.SliceCreate{Name: name, Controllers: []string{url}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.c.CreateRule(t.Context(), apitype.RuleCreate{Name: name, DPIDs: []string{"any"}, Priority: 5, Match: apitype.Match("dl_vlan=" + map[string]string{"red": "1", "blue": "2"}[name]),
			Grants: []apitype.Grant{{Slice: name, Permission: 7}}}); err != nil {
			t.Fatal(err)
		}
	}
	whoami := func(a *testAuthority) error {
		c, err := client.New(client.Options{URL: w.api, CAFile: a.file("ca.pem"), CertFile: a.file("red.pem"), KeyFile: a.file("red.key")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Whoami(t.Context())
		return err
	}
	const one, two = "00:00:00:00:00:00:00:01", "00:00:00:00:00:00:00:02"
	connected := func(slice, dpid string) func() bool {
		return func() bool { s, _ := w.state(slice, dpid); return s == "connected" }
	}

	w.connectSwitch(ctx, 1, old.files("switch"))
	w.connectSwitch(ctx, 2, next.files("switch"))
	w.await("red's controller on switch 1", connected("red", one))
	if err := whoami(old); err != nil {
		t.Errorf("the API with the old certificate: %v", err)
	}
	w.await("blue's controller to be refused", func() bool {
		_, why := w.state("blue", one)
		return strings.Contains(why, "unknown authority")
	})
	w.await("a line about the switch of the other authority", func() bool { return strings.Contains(w.log.String(), "the switch does not accept our certificate") })
	if err := whoami(next); err == nil {
		t.Error("the API took a certificate of the other authority")
	}

	// Files that do not fit together are not taken, not even one of them.
	if err := os.Rename(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.away")); err != nil {
		t.Fatal(err)
	}
	w.hup("certificate not read again, the old one stays")
	if err := whoami(old); err != nil {
		t.Errorf("the API after files that are of no use: %v", err)
	}

	next.install(dir)
	w.hup("certificate read again")
	w.await("blue's controller on switch 2", connected("blue", two))
	w.await("blue's controller on switch 1", connected("blue", one))
	w.await("red's controller to be refused on switch 2", func() bool {
		_, why := w.state("red", two)
		return strings.Contains(why, "unknown authority")
	})
	if s, _ := w.state("red", one); s != "connected" {
		t.Errorf("red's connection of before is %s", s)
	}
	if err := whoami(next); err != nil {
		t.Errorf("the API with the new certificate: %v", err)
	}
	if err := whoami(old); err == nil {
		t.Error("the API still takes a certificate of the old authority")
	}

	// A switch without a certificate is told apart from one that speaks nonsense.
	noCert, err := ofconn.ClientTLS(ofconn.TLSFiles{CA: next.file("ca.pem")})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := tls.Dial("tcp", w.openflow, noCert)
	if err == nil {
		_, _ = nc.Read(make([]byte, 1)) // the refusal
		nc.Close()
	}
	wrong := next.files("switch")
	wrong.Cert, wrong.Key = old.file("switch.pem"), old.file("switch.key")
	w.connectSwitch(ctx, 3, wrong)
	w.await("a line about the switch with the old certificate", func() bool {
		return strings.Contains(w.log.String(), "the switch's certificate is not signed by our authority")
	})
	plain, err := net.Dial("tcp", w.openflow)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	_, _ = plain.Write([]byte{1, 0, 0, 8, 0, 0, 0, 1})
	w.await("a line about the switch without TLS", func() bool { return strings.Contains(w.log.String(), "the switch does not speak TLS") })
	w.await("a line about the switch without a certificate", func() bool {
		return strings.Contains(w.log.String(), "the switch shows no certificate, and one is demanded")
	})
	cancel()
}
