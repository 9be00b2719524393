package hypervisor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
)

// errTLS is what keeps a switch out before a word of OpenFlow.
var errTLS = errors.New("TLS")

// handshakeTLS is a connection's TLS handshake, if it has one; the error says in words
// who does not trust whom.
func handshakeTLS(ctx context.Context, nc net.Conn, timeout time.Duration) error {
	tc, ok := nc.(*tls.Conn)
	if !ok {
		return nil
	}
	hctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := tc.HandshakeContext(hctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return ofconn.ErrNothingSaid
	}
	return fmt.Errorf("%w: %s: %w", errTLS, whyNoTLS(err), err)
}

func whyNoTLS(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the switch's certificate is not signed by our authority for switches"
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return "the switch's certificate is not valid"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the switch does not speak TLS"
	}
	text := err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the switch did not finish in time"
	case strings.Contains(text, "didn't provide a certificate"):
		return "the switch shows no certificate, and one is demanded"
	case strings.HasPrefix(text, "remote error: "), strings.Contains(text, ": remote error: "):
		return "the switch does not accept our certificate"
	}
	return "the handshake failed"
}
