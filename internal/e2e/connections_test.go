//go:build linux

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFailOver: the second controller of a slice takes over when the first one
// dies, and traffic goes on.
func TestFailOver(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	first, second := l.Controller("first", 6634), l.Controller("second", 6635)
	g := l.Govisor()
	l.Build(Plan{Switches: 3, Hosts: 1, Port: 6633})
	l.AwaitConnected()
	g.Type(
		`fvctl add-slice --password=x one tcp:localhost:6634,tcp:localhost:6635 one@example.org`,
		`fvctl add-flowspace all any 100 any one=7`,
	)
	l.AwaitLive(first, 3)
	l.PingAll(1)
	if n := len(second.PacketIns()); n != 0 {
		t.Errorf("the controller in waiting saw %d packet_ins", n)
	}
	l.Signal("first", syscall.SIGKILL)
	first.Stop()
	l.AwaitLive(second, 3)
	if err := l.fullMesh(2); err != nil {
		t.Errorf("after the fail-over: %v", err)
	}
	// New traffic is the second one's business now.
	if got := l.SendUDP("h1", "h3", 5005); got != (UDP{3, 3, 3}) {
		t.Errorf("UDP after the fail-over: %+v", got)
	}
	if len(second.PacketIns()) == 0 {
		t.Error("the second controller saw no packet_in")
	}
}

// TestTLSAndUnixSockets: bridges and one controller speak TLS, both ways with
// certificates, the other controller is behind a unix socket.
func TestTLSAndUnixSockets(t *testing.T) {
	t.Parallel()
	l := StartLab(t)
	ca := newAuthority(t, l.Dir())
	ca.issue("switches")
	ca.issue("govisor")
	ca.issue("controller")
	file := func(name string) string { return filepath.Join(l.Dir(), name) }
	l.Spawn("tls", "ovs-testcontroller", "pssl:6634:127.0.0.1", "--unixctl=none",
		"-p", file("controller.key"), "-c", file("controller.pem"), "-C", file("ca.pem"))
	socket := file("unix.sock")
	l.Spawn("unix", "ovs-testcontroller", "punix:"+socket, "--unixctl=none")
	g := l.Govisor("--listen", "pssl:6653", "--tls-cert", file("govisor.pem"), "--tls-key", file("govisor.key"), "--tls-ca", file("ca.pem"))
	l.Build(Plan{Switches: 3, Hosts: 2, Port: 6632}) // nobody listens there
	command := []string{"ovs-vsctl", "set-ssl", file("switches.key"), file("switches.pem"), file("ca.pem")}
	for name := range l.Switches {
		command = append(command, "--", "set-controller", name, "ssl:127.0.0.1:6653")
	}
	if r := l.Exec(command...); r.Code != 0 {
		t.Fatalf("ovs-vsctl: %s", r.Stderr)
	}
	l.AwaitConnected()
	g.Type(
		`fvctl add-slice --password=x left ssl:localhost:6634 left@example.org`,
		`fvctl add-slice --password=x right unix:`+socket+` right@example.org`,
	)
	g.Type(byMAC(l, map[string][]string{"left": westHosts, "right": eastHosts})...)
	for _, slice := range []string{"left", "right"} {
		l.await("controllers of "+slice, func() error {
			r := g.Run(`fvctl list-slice-health -o json ` + slice)
			if n := strings.Count(r.Stdout, `"state": "connected"`); n < 3 {
				return fmt.Errorf("%d connections: %s%s", n, r.Stdout, r.Stderr)
			}
			return nil
		})
	}
	l.PingAll(1)
	if err := l.grouped(2, westHosts, eastHosts); err != nil {
		t.Error(err)
	}
}

// authority is a certificate authority for one test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir, next: 1}
	template := a.template("authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.key = a.write("ca", template, nil)
	return a
}

func (a *authority) template(name string) *x509.Certificate {
	a.next++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// issue writes NAME.pem and NAME.key.
func (a *authority) issue(name string) { a.write(name, a.template(name), a.cert) }

func (a *authority) write(name string, template, parent *x509.Certificate) *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.t.Fatal(err)
		}
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".pem": {Type: "CERTIFICATE", Bytes: der},
		name + ".key": {Type: "EC PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(a.dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return key
}
