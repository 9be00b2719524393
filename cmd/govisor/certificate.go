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

// certificate is the server's pair and the authority of its peers, read again at SIGHUP without closing a listener or
// a connection: each new connection, to us or from us, is made with what was read last.
type certificate struct {
	files ofconn.TLSFiles
	now   atomic.Pointer[loadedCertificate]
}

// loadedCertificate is what one reading gave.
type loadedCertificate struct {
	switches, api, client *tls.Config
}

func loadCertificate(cert, key, ca string) (*certificate, error) {
	c := &certificate{files: ofconn.TLSFiles{Cert: cert, Key: key, CA: ca}}
	return c, c.reload()
}

// reload reads all files again; if one of them cannot be used, all stays as it was.
func (c *certificate) reload() error {
	for flag, path := range map[string]string{"certificate": c.files.Cert, "key of the certificate": c.files.Key, "--tls-ca": c.files.CA} {
		if err := checkRegular(flag, path); err != nil { // at SIGHUP
			return err
		}
	}
	if _, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key); err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.files.Cert, c.files.Key, err) // it says nothing of which file
	}
	switches, err := ofconn.ServerTLS(c.files)
	if err != nil {
		return err
	}
	client, err := ofconn.ClientTLS(c.files)
	if err != nil {
		return err
	}
	// A session that is resumed is not checked against the authority there is by then.
	switches.SessionTicketsDisabled = true
	api := switches.Clone()
	api.NextProtos = []string{"http/1.1"}
	if c.files.CA != "" { // stands in for a password, none is demanded
		api.ClientAuth = tls.VerifyClientCertIfGiven
	}
	c.now.Store(&loadedCertificate{switches: switches, api: api, client: client})
	return nil
}

// apiTLS is for the API: a client certificate of our authority stands in for a password.
func (c *certificate) apiTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load().api, nil }}
}

// switchTLS is for switches that connect: with an authority, each must show a certificate of it.
func (c *certificate) switchTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load().switches, nil }}
}

// clientTLS is for ssl: controllers and for switches we connect to.
func (c *certificate) clientTLS() *tls.Config {
	cfg := c.now.Load().client.Clone()
	cfg.Certificates = nil
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &c.now.Load().client.Certificates[0], nil
	}
	if verify := cfg.VerifyConnection; verify != nil { // there is an authority, and there will be
		cfg.VerifyConnection = func(cs tls.ConnectionState) error { return c.now.Load().client.VerifyConnection(cs) }
	}
	return cfg
}
