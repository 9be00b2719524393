package api_test

import (
	"bytes"
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
	"path/filepath"
	"testing"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/store"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.sign("authority", nil)
	return a
}

// sign makes a certificate and leaves NAME.pem and NAME.key in the directory.
func (a *authority) sign(name string, ips []net.IP, units ...string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, OrganizationalUnit: units}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: ips, IsCA: a.cert == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(a.dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func TestTLS(t *testing.T) {
	t.Parallel()
	w, a := newWorld(t), newAuthority(t)
	w.slice("alice")
	a.sign("server", []net.IP{net.IPv4(127, 0, 0, 1)})
	w.slice("switch1")
	a.sign("alice", nil, "govisor-account")
	a.sign("nobody", nil, "govisor-account")
	a.sign("switch1", nil, "switches") // has the name of an account
	a.sign("fvadmin", nil)
	pair, err := tls.LoadX509KeyPair(a.file("server.pem"), a.file("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- w.server.Serve(ctx, ln, &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS12})
	}()
	defer func() { cancel(); <-done }()
	whoami := func(o client.Options) (apitype.Whoami, error) {
		o.URL = "https://" + ln.Addr().String()
		c, err := client.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return c.Whoami(t.Context())
	}
	ca := a.file("authority.pem")
	if who, err := whoami(client.Options{CAFile: ca, CertFile: a.file("alice.pem"), KeyFile: a.file("alice.key")}); err != nil || who.Account != "alice" || who.Role != "slice" || who.Via != "certificate" {
		t.Errorf("alice's certificate: %+v, %v", who, err)
	}
	if who, err := whoami(client.Options{CAFile: ca, User: "fvadmin", Password: adminPassword}); err != nil || who.Via != "password" {
		t.Errorf("password: %+v, %v", who, err)
	}
	_, err = whoami(client.Options{CAFile: ca, CertFile: a.file("nobody.pem"), KeyFile: a.file("nobody.key")})
	wantKind(t, err, apitype.KindUnauthorized, "certificate")
	for _, name := range []string{"switch1", "fvadmin"} {
		_, err = whoami(client.Options{CAFile: ca, CertFile: a.file(name + ".pem"), KeyFile: a.file(name + ".key")})
		wantKind(t, err, apitype.KindUnauthorized, "OU=govisor-account")
	}
	_, err = whoami(client.Options{CAFile: ca})
	wantKind(t, err, apitype.KindUnauthorized)
	_, err = whoami(client.Options{User: "fvadmin", Password: adminPassword}) // the system does not know the authority
	wantKind(t, err, apitype.KindUnreachable, "--cacert")
	if who, err := whoami(client.Options{Insecure: true, User: "fvadmin", Password: adminPassword}); err != nil || who.Account != hypervisor.AdminName {
		t.Errorf("insecure: %+v, %v", who, err)
	}
	other := newAuthority(t)
	other.sign("alice", nil, "govisor-account")
	_, err = whoami(client.Options{CAFile: ca, CertFile: other.file("alice.pem"), KeyFile: other.file("alice.key")})
	wantKind(t, err, apitype.KindUnreachable)
}

func TestBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("a")
	w.rule("r", "any", 5, "any", "a")
	var copied bytes.Buffer
	if err := w.admin.Backup(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.FileName), copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if faults := db.Check(); len(faults) > 0 {
		t.Error(faults)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	again, err := hypervisor.Open(t.Context(), hypervisor.Options{Dir: dir, AdminPassword: adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if r := again.Flowspace().RuleByName("r"); r == nil {
		t.Error("the copy lacks the rule")
	}
}
