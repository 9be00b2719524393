package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
)

// Files of the certificate in the data directory, unless --tls-cert and --tls-key name others.
const (
	certName = "tls-cert.pem"
	keyName  = "tls-key.pem"
)

// certificateFiles returns where the server's certificate and key are, and makes a self-signed pair at the first start.
func certificateFiles(o serveOptions) (cert, key string, err error) {
	if o.tlsCert != "" {
		return o.tlsCert, o.tlsKey, nil
	}
	cert, key = filepath.Join(o.data, certName), filepath.Join(o.data, keyName)
	_, certErr := os.Stat(cert)
	_, keyErr := os.Stat(key)
	switch {
	case certErr == nil && keyErr == nil:
		return cert, key, nil
	case errors.Is(certErr, fs.ErrNotExist) && (keyErr == nil || errors.Is(keyErr, fs.ErrNotExist)):
		return cert, key, makeCertificate(cert, key)
	}
	return "", "", fmt.Errorf("certificate: %w", errors.Join(certErr, keyErr))
}

// makeCertificate writes a self-signed pair for ten years. The key is written first, so that a
// certificate is never there without its key.
func makeCertificate(cert, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make TLS key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("make TLS certificate: %w", err)
	}
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "localhost" && host != "" {
		names = append(names, host)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "govisor", Organization: []string{"govisor self-signed"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
		DNSNames: names, IPAddresses: addresses(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return fmt.Errorf("make TLS certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("make TLS key: %w", err)
	}
	if err := writePEM(key, "PRIVATE KEY", pkcs8, 0o600); err != nil {
		return err
	}
	return writePEM(cert, "CERTIFICATE", der, 0o644)
}

// addresses are this machine's own, so that the certificate is good for all of them.
func addresses() []net.IP {
	ips := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return ips
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP)
		}
	}
	return ips
}

func writePEM(path, kind string, der []byte, mode fs.FileMode) error {
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// certificate is the server's pair, read again at SIGHUP without closing a listener.
type certificate struct {
	files ofconn.TLSFiles
	pair  atomic.Pointer[tls.Certificate]
	cas   *x509.CertPool // nil: no client certificates
}

func loadCertificate(cert, key, ca string) (*certificate, error) {
	c := &certificate{files: ofconn.TLSFiles{Cert: cert, Key: key, CA: ca}}
	if err := c.reload(); err != nil {
		return nil, err
	}
	if ca == "" {
		return c, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("--tls-ca: %w", err)
	}
	c.cas = x509.NewCertPool()
	if !c.cas.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--tls-ca: no certificate in %s", ca)
	}
	return c, nil
}

func (c *certificate) reload() error {
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("TLS certificate %s: %w", c.files.Cert, err)
	}
	c.pair.Store(&pair)
	return nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.pair.Load(), nil }}
}

// apiTLS is for the API: a client certificate of our authority stands in for a password, none is demanded.
func (c *certificate) apiTLS() *tls.Config {
	cfg := c.config()
	if c.cas != nil {
		cfg.ClientCAs, cfg.ClientAuth = c.cas, tls.VerifyClientCertIfGiven
	}
	return cfg
}

// switchTLS is for switches: with an authority, each must show a certificate of it.
func (c *certificate) switchTLS() *tls.Config {
	cfg := c.config()
	if c.cas != nil {
		cfg.ClientCAs, cfg.ClientAuth = c.cas, tls.RequireAndVerifyClientCert
	}
	return cfg
}
