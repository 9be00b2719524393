package ofconn_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// pki writes a CA and a certificate signed by it, in the manner of ovs-pki: a
// common name, no host names.
func pki(t *testing.T) ofconn.TLSFiles {
	t.Helper()
	dir := t.TempDir()
	write := func(name, typ string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	issue := func(cn string, isCA bool, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tmpl := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: cn},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: isCA, BasicConstraintsValid: true,
		}
		if parent == nil {
			parent, signer = tmpl, key
		}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	ca, caKey := issue("test ca", true, nil, nil)
	cert, key := issue("switch id:1", false, ca, caKey)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return ofconn.TLSFiles{
		CA:   write("ca.pem", "CERTIFICATE", ca.Raw),
		Cert: write("cert.pem", "CERTIFICATE", cert.Raw),
		Key:  write("key.pem", "EC PRIVATE KEY", der),
	}
}

func target(t *testing.T, s string) ofwire.Target {
	t.Helper()
	tg, err := ofwire.ParseTarget(s)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// echoServer serves handshakes on ln until the test ends and reports each.
func serve(t *testing.T, ln net.Listener) <-chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	results := make(chan error, 10)
	go func() {
		served <- ofconn.Serve(ctx, ln, func(ctx context.Context, nc net.Conn) {
			results <- ofconn.Handshake(ctx, nc, time.Minute)
			_ = nc.Close()
		})
	}()
	t.Cleanup(func() { cancel(); <-served })
	return results
}

func TestDialAndListen(t *testing.T) {
	t.Parallel()
	good, foreign := pki(t), pki(t)
	serverTLS, err := ofconn.ServerTLS(good)
	if err != nil {
		t.Fatal(err)
	}
	sock := filepath.Join(t.TempDir(), "of.sock")
	client := func(f ofconn.TLSFiles) *tls.Config {
		cfg, err := ofconn.ClientTLS(f)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	tests := []struct {
		name, listen string
		tls          *tls.Config
		ok           bool
	}{
		{"tcp", "ptcp:0:127.0.0.1", nil, true},
		{"unix", "punix:" + sock, nil, true},
		{"ssl", "pssl:0:127.0.0.1", client(good), true},
		{"ssl, a client without certificate", "pssl:0:127.0.0.1", client(ofconn.TLSFiles{CA: good.CA}), false},
		{"ssl, a client of another authority", "pssl:0:127.0.0.1", client(ofconn.TLSFiles{CA: good.CA, Cert: foreign.Cert, Key: foreign.Key}), false},
		{"ssl, a server of another authority", "pssl:0:127.0.0.1", client(ofconn.TLSFiles{CA: foreign.CA, Cert: good.Cert, Key: good.Key}), false},
		{"ssl, a client without TLS", "pssl:0:127.0.0.1", nil, false},
	}
	for _, tt := range tests {
		ln, err := ofconn.Listen(t.Context(), target(t, tt.listen), serverTLS)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		results := serve(t, ln)
		scheme, _, _ := strings.Cut(strings.TrimPrefix(tt.listen, "p"), ":")
		d := ofconn.Dialer{TLS: tt.tls}
		nc, err := d.Dial(t.Context(), target(t, scheme+":"+ln.Addr().String()))
		if err == nil {
			err = ofconn.Handshake(t.Context(), nc, time.Minute)
			_ = nc.Close()
		}
		var served error
		if err == nil || tt.tls != nil {
			served = <-results
		}
		if ok := err == nil && served == nil; ok != tt.ok {
			t.Errorf("%s: client %v, server %v; want success %v", tt.name, err, served, tt.ok)
		}
	}
}

func TestListenErrors(t *testing.T) {
	t.Parallel()
	ln, err := ofconn.Listen(t.Context(), target(t, "ptcp:0:127.0.0.1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"ptcp:" + port + ":127.0.0.1": "cannot listen on ptcp:" + port + ":127.0.0.1: another program listens there",
		"pssl:0:127.0.0.1":            "no TLS certificate configured",
		"tcp:127.0.0.1:1":             "want ptcp, pssl or punix",
		"punix:" + t.TempDir():        "cannot listen on",
	} {
		if _, err := ofconn.Listen(t.Context(), target(t, in), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Listen(%s) = %v, want it to say %q", in, err, want)
		}
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "of.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ofconn.Listen(t.Context(), target(t, "punix:"+path), nil); err == nil {
		t.Error("a socket in use was taken over")
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = ln.Close()
	again, err := ofconn.Listen(t.Context(), target(t, "punix:"+path), nil)
	if err != nil {
		t.Fatalf("a stale socket file is in the way: %v", err)
	}
	_ = again.Close()
}

func TestDialErrors(t *testing.T) {
	t.Parallel()
	self := errors.New("that is ourselves")
	d := ofconn.Dialer{Refuse: func(net.Conn) error { return self }}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := d.Dial(t.Context(), target(t, "tcp:"+ln.Addr().String())); !errors.Is(err, self) {
		t.Errorf("Dial = %v, want the refusal", err)
	}
	for in, want := range map[string]string{
		"ssl:127.0.0.1:1":  "no TLS certificates configured",
		"module:learning":  "no controllers linked in",
		"ptcp:1:127.0.0.1": "cannot connect to a ptcp: target",
		"unix:/nowhere":    "connect to unix:/nowhere",
	} {
		if _, err := d.Dial(t.Context(), target(t, in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Dial(%s) = %v, want it to say %q", in, err, want)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := ofconn.Backoff{Min: time.Second, Max: 10 * time.Second}
	for i, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		want *= time.Second
		if got := b.Next(); got > want || got < want*3/4 {
			t.Errorf("pause %d is %v, want %v less up to a quarter", i, got, want)
		}
	}
	b.Lived(time.Second) // accepted and closed at once
	if got := b.Next(); got < 7*time.Second {
		t.Errorf("pause after a short connection is %v, want it as long as before", got)
	}
	b.Lived(time.Minute)
	if got := b.Next(); got > time.Second {
		t.Errorf("pause after a long connection is %v, want 1s at most", got)
	}
}

// brokenHandler answers into a connection that cannot be written to any more.
type brokenHandler struct {
	c  *ofconn.Conn
	nc *net.TCPConn
}

func (h *brokenHandler) HandleFrame([]byte) error {
	h.c.Append(msg(typeFlowMod, 1, 1000), ofconn.Required)
	return h.nc.CloseWrite()
}

func (h *brokenHandler) BatchDone(out *ofconn.Batch) { out.Flush(h.c) }

// A write that fails while the reader is between two reads must end the
// connection, not hang it: closing a socket waits for whoever is inside it, which
// here is the reader itself.
func TestWriteFailsBetweenReads(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	h := &brokenHandler{nc: nc.(*net.TCPConn)}
	h.c = ofconn.New(nc, ofconn.Config{Handler: h})
	done := make(chan error, 1)
	go func() { done <- h.c.Run(t.Context()) }()
	send(t, peer, msg(typePacketIn, 1, 100))
	select {
	case err := <-done:
		if !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Run = %v, want EPIPE", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the connection hangs")
	}
}
